"""Finite-sum objectives: what stochastic gradient descent draws its samples from."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.optimize import brentq

from descent.arguments import (
    Array,
    Index,
    check_array,
    check_callable,
    check_count,
    check_numbers,
    check_real,
)

SampleGradient = Callable[[Array, Index, Array, Array], None]


@dataclass(frozen=True)
class FiniteSum:
    r"""Objective that is the mean of n sample losses of one parameter.

    .. math:: L(w) = \frac1n \sum_j l_j(w), \quad g_j = l_j', \quad
              G = \frac1n \sum_j g_j, \quad S^2 = \frac1n \sum_j (g_j - G)^2

    Parameters
    ----------
    losses, gradients, curvatures : callable
        :math:`l_j`, :math:`g_j` and :math:`g_j'`: each takes parameters of any
        shape ``(...)`` and returns an array ``(n, ...)``.
    in_place_gradient : callable, optional
        ``(w, index, out, work)`` writes :math:`g_j(w)`, j = index, into ``out`` without
        allocating. By default `sample_gradient` computes all gradients and picks one.

    Notes
    -----
    ``gradient_variance`` is the population variance over the samples (divisor n),
    the variance of one draw. It is not the unbiased estimate with divisor n - 1.

    Source: 003, post 2, "Gradient Variance" (G and S², which the source takes over
    all datapoints).

    Examples
    --------
    >>> import numpy as np
    >>> line = FiniteSum(
    ...     losses=lambda w: np.stack([0.6 * w**2 - 2 * w, 0.4 * w**2 - 2 * w]),
    ...     gradients=lambda w: np.stack([1.2 * w - 2, 0.8 * w - 2]),
    ...     curvatures=lambda w: np.stack([np.full_like(w, 1.2), np.full_like(w, 0.8)]),
    ... )
    >>> w = np.array([1.0, 2.0])
    >>> line.mean_gradient(w)
    array([-1.,  0.])
    >>> line.gradient_variance(w).round(12)
    array([0.04, 0.16])
    """

    losses: Callable[[npt.ArrayLike], Array]
    gradients: Callable[[npt.ArrayLike], Array]
    curvatures: Callable[[npt.ArrayLike], Array]
    in_place_gradient: SampleGradient | None = None

    def __post_init__(self) -> None:
        for name in ("losses", "gradients", "curvatures"):
            check_callable(name, getattr(self, name))
        if self.in_place_gradient is not None:
            check_callable("in_place_gradient", self.in_place_gradient)

    def sample_gradient(
        self, w: Array, index: Index, out: Array | None = None, work: Array | None = None
    ) -> Array:
        """g_j(w) of the sample j = index, one for each entry of ``w``; shape of ``w``.

        ``out``, of the shape of ``w``, and the scratch array ``work``, of shape
        ``(2, *w.shape)``, are allocated if they are not given.
        """
        out = np.empty(np.shape(w)) if out is None else out
        if self.in_place_gradient is not None:
            self.in_place_gradient(
                w, index, out, np.empty((2, *out.shape)) if work is None else work
            )
        else:
            out[...] = np.take_along_axis(self.gradients(w), np.asarray(index)[None], axis=0)[0]
        return out

    @property
    def n_samples(self) -> int:
        """Number n of samples."""
        return len(self.gradients(np.float64(1.0)))

    def loss(self, w: npt.ArrayLike) -> Array:
        """L(w), the mean of the sample losses; shape of ``w``."""
        return np.asarray(self.losses(check_numbers("w", w)).mean(axis=0))

    def mean_gradient(self, w: npt.ArrayLike) -> Array:
        """G(w) = L'(w), the mean of the sample gradients; shape of ``w``."""
        return np.asarray(self.gradients(check_numbers("w", w)).mean(axis=0))

    def mean_curvature(self, w: npt.ArrayLike) -> Array:
        """G'(w) = L''(w); shape of ``w``."""
        return np.asarray(self.curvatures(check_numbers("w", w)).mean(axis=0))

    def gradient_variance(self, w: npt.ArrayLike) -> Array:
        """S²(w), the population variance of the sample gradients; shape of ``w``."""
        return np.asarray(self.gradients(check_numbers("w", w)).var(axis=0))


def two_datapoint(depth: float = 1.0) -> FiniteSum:
    r"""Two samples that share a well at 2; the second has a narrow pit at 1.

    .. math:: l_0(W) = -e^{-(W-2)^2}, \qquad l_1(W) = l_0(W) - d\, e^{-100 (W-1)^2}

    Parameters
    ----------
    depth : float
        Depth d of the pit in the second loss, zero or positive.

    Returns
    -------
    FiniteSum
        The objective :math:`(l_0 + l_1)/2`, with n = 2.

    Raises
    ------
    ValueError, TypeError
        If the depth is negative, not finite or not a scalar.

    Notes
    -----
    Source: 003, post 1, "SGD and Local Minima", which has d = 1 and d = 2.

    Examples
    --------
    >>> import numpy as np
    >>> model = two_datapoint()
    >>> stationary_points(lambda w: model.gradients(w)[1], 0.5, 1.5).round(3)
    array([1.004, 1.196])
    """
    check_real("depth", depth, least=0)

    def losses(w: npt.ArrayLike) -> Array:
        x, y = np.asarray(w, float) - 1, np.asarray(w, float) - 2
        well = -np.exp(-y * y)
        return np.stack([well, well - depth * np.exp(-100 * x * x)])

    def gradients(w: npt.ArrayLike) -> Array:
        x, y = np.asarray(w, float) - 1, np.asarray(w, float) - 2
        well = 2 * y * np.exp(-y * y)
        return np.stack([well, well + 200 * depth * x * np.exp(-100 * x * x)])

    def curvatures(w: npt.ArrayLike) -> Array:
        x, y = np.asarray(w, float) - 1, np.asarray(w, float) - 2
        well = (2 - 4 * y * y) * np.exp(-y * y)
        pit = 200 * depth * (1 - 200 * x * x) * np.exp(-100 * x * x)
        return np.stack([well, well + pit])

    def in_place_gradient(w: Array, index: Index, out: Array, work: Array) -> None:
        offset, pit = work[0, ...], work[1, ...]
        np.subtract(w, 2, out=offset)
        np.multiply(offset, offset, out=out)
        np.negative(out, out=out)
        np.exp(out, out=out)
        out *= offset
        out *= 2
        np.subtract(w, 1, out=offset)
        np.multiply(offset, offset, out=pit)
        pit *= -100
        np.exp(pit, out=pit)
        pit *= offset
        pit *= 200 * depth
        np.multiply(pit, index, out=pit)
        out += pit

    return FiniteSum(losses, gradients, curvatures, in_place_gradient)


def stationary_points(
    gradient: Callable[[npt.ArrayLike], npt.ArrayLike], low: float, high: float, n: int = 2001
) -> Array:
    """Zeros of a gradient on an interval, sorted: gradient(w) = 0.

    The interval is scanned on ``n`` equal points and every change of sign is
    refined by Brent's method. Zeros without a change of sign, and pairs of zeros
    closer than the scan, are missed.

    Parameters
    ----------
    gradient : callable
        Takes an array ``(n,)`` or a scalar, returns the same shape.
    low, high : float
        Ends of the interval, low < high.
    n : int
        Number of points of the scan, at least 2.

    Returns
    -------
    array (k,)
        The zeros. A zero where the gradient rises is a minimum, where it falls a
        maximum.

    Raises
    ------
    ValueError, TypeError
        If the interval is empty or not finite, the gradient is not finite on it, or
        n < 2.

    Examples
    --------
    >>> stationary_points(np.sin, -4, 4)
    array([-3.14159265,  0.        ,  3.14159265])
    """
    check_callable("gradient", gradient)
    if not check_real("low", low) < check_real("high", high):
        raise ValueError(f"low must be less than high; got low={low!r}, high={high!r}")
    w = np.linspace(low, high, check_count("n", n, 2))
    value = check_array("gradient", gradient(w), w.shape)
    # Points of the scan that are zeros themselves are skipped over: the sign changes
    # between their neighbours.
    (nonzero,) = np.nonzero(value)
    (change,) = np.nonzero(np.diff(np.sign(value[nonzero])))
    return np.array(
        [brentq(gradient, w[nonzero[k]], w[nonzero[k + 1]], xtol=1e-15, rtol=1e-15) for k in change]
    )
