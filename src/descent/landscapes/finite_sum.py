"""Finite-sum objectives: what stochastic gradient descent draws its samples from."""

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from itertools import combinations, combinations_with_replacement
from typing import Self

import numpy as np
import numpy.typing as npt
from scipy.special import gammaln, xlogy

from descent.arguments import (
    Array,
    Index,
    came,
    check_array,
    check_callable,
    check_count,
    check_flag,
    check_kind,
    check_numbers,
    check_real,
)
from descent.landscapes.objectives import Objective

MOST_BATCHES = 20_000  # batches that are listed one by one
DIFFERENCE = 1e-3  # half the step of the difference that stands for a second derivative

SampleGradient = Callable[[Array, Index, Array, Array], None]


@dataclass(frozen=True)
class FiniteSum:
    r"""Objective that is the mean of n sample losses of one parameter.

    .. math:: L(w) = \sum_j q_j l_j(w), \quad g_j = l_j', \quad
              G = \sum_j q_j g_j, \quad S^2 = \sum_j q_j (g_j - G)^2

    with the chances :math:`q_j` of a draw, 1/n unless weights are given.

    Parameters
    ----------
    losses, gradients, curvatures : callable
        :math:`l_j`, :math:`g_j` and :math:`g_j'`: each takes parameters of any
        shape ``(...)`` and returns an array ``(n, ...)``.
    in_place_gradient : callable, optional
        ``(w, index, out, work)`` writes :math:`g_j(w)`, j = index, into ``out`` without
        allocating. By default `sample_gradient` computes all gradients and picks one.
    weights : array (n,), optional
        Zero or positive, in proportion to the chances of the samples; they are stored
        with the sum 1. Without them all chances are equal.

    Attributes
    ----------
    n_samples : int
        Number n of samples.

    Raises
    ------
    ValueError, TypeError
        If a function cannot be called or returns another shape, or if a weight is out
        of its range.

    Notes
    -----
    ``gradient_variance`` is the variance of one draw: with equal weights the population
    variance over the samples (divisor n), not the unbiased estimate with divisor n - 1.
    Steps on batches are `batches`, and `of` makes an objective's noisy samples.

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
    weights: npt.ArrayLike | None = None
    n_samples: int = field(init=False)

    def __post_init__(self) -> None:
        lengths = {
            name: _samples(name, getattr(self, name))
            for name in ("gradients", "losses", "curvatures")
        }
        n = lengths["gradients"]
        for name, length in lengths.items():
            if length != n:
                raise ValueError(
                    f"{name} must return as many samples as gradients, {n}; got {length}"
                )
        if self.in_place_gradient is not None:
            check_callable("in_place_gradient", self.in_place_gradient)
        object.__setattr__(self, "n_samples", n)
        if self.weights is not None:
            weights = check_array("weights", self.weights, (n,))
            if (weights < 0).any() or not (total := weights.sum()) > 0:
                raise ValueError(
                    f"weights must be zero or positive, not all zero; got {came(self.weights)}"
                )
            object.__setattr__(self, "weights", weights / total)

    @classmethod
    def of(
        cls, *objectives: Objective, noise: float = 0.0, weights: npt.ArrayLike | None = None
    ) -> Self:
        r"""Return samples from objectives of one variable, with noise of a given size or none.

        .. math:: l_j(w) = f_j(w), \quad \text{or} \quad l_j^\pm(w) = f_j(w) \pm s w

        With noise each objective becomes two samples, so that the gradient of a draw is
        :math:`f_j' \pm s`; the mean loss stays what it is.

        Parameters
        ----------
        *objectives : Objective
            The :math:`f_j`, each defined for d = 1, as `landscapes.qubic_1d` is.
        noise : float
            s >= 0, in units of loss per w.
        weights : array (number of objectives,), optional
            In proportion to the chances of the objectives.

        Returns
        -------
        FiniteSum

        Raises
        ------
        ValueError, TypeError
            If there is no objective, one is not defined for d = 1, or a number is out of
            its range.

        Notes
        -----
        Objectives know no second derivative: the curvatures are differences of the
        gradients over 0.004, of order 4, good to about 1e-8 of their scale.

        Examples
        --------
        >>> from descent.landscapes import qubic_1d
        >>> noisy = FiniteSum.of(qubic_1d, noise=0.5)
        >>> noisy.gradients(0.0), float(noisy.loss(1.0).round(9))
        (array([ 0.8, -0.2]), -0.7)
        """
        if not objectives:
            raise ValueError("objectives must be at least one; got none")
        for f in objectives:
            check_kind("objectives", f, Objective)
            f.check_dimension(1)
        s = check_real("noise", noise, least=0)
        signs = np.array([1.0, -1.0] if s else [0.0])

        def split(values: list[Array], slope: Array | float) -> Array:
            rows = np.stack(values)[:, None]
            offsets = np.multiply.outer(s * signs, slope)
            return np.asarray((rows + offsets).reshape(-1, *rows.shape[2:]))

        def losses(w: npt.ArrayLike) -> Array:
            x = check_numbers("w", w)
            return split([np.asarray(f.value(x[..., None])) for f in objectives], x)

        def gradients(w: npt.ArrayLike) -> Array:
            x = check_numbers("w", w)
            ones = np.ones_like(x)
            return split([f.gradient(x[..., None])[..., 0] for f in objectives], ones)

        def curvatures(w: npt.ArrayLike) -> Array:
            x, h = check_numbers("w", w), DIFFERENCE
            near = gradients(x + h) - gradients(x - h)
            far = gradients(x + 2 * h) - gradients(x - 2 * h)
            return np.asarray((8 * near - far) / (12 * h))

        if weights is not None:
            weights = np.repeat(check_array("weights", weights, (len(objectives),)), len(signs))
        return cls(losses, gradients, curvatures, weights=weights)

    def batches(self, size: int, *, replacement: bool = True) -> "FiniteSum":
        r"""Return the objective whose samples are the batches of this one.

        .. math:: l_B(w) = \frac{1}{|B|} \sum_{j \in B} l_j(w)

        A step on it is a step on the mean gradient of a batch.

        Parameters
        ----------
        size : int
            Number of samples in a batch, at least 1; without replacement at most n.
        replacement : bool
            Whether a sample may come several times, as independent draws have it. Without
            replacement a batch is a set, all sets being equally likely.

        Returns
        -------
        FiniteSum
            With as many samples as there are batches that differ.

        Raises
        ------
        ValueError, TypeError
            If an argument is out of its range, the batches are more than 20,000, or
            samples of unequal weights are to be drawn without replacement (their mean
            over a set would not be unbiased).

        Notes
        -----
        The mean loss stays what it is. The variance of the gradient is S²/B with
        replacement, and S²/B (n - B)/(n - 1) without: zero for the full batch. This is
        one draw. An epoch that deals all samples out before it begins anew is another
        chain, whose steps are not independent.

        Examples
        --------
        >>> from descent.landscapes import two_datapoint
        >>> pairs = two_datapoint().batches(2)
        >>> pairs.n_samples, pairs.weights
        (3, array([0.25, 0.5 , 0.25]))
        >>> float(two_datapoint().batches(2, replacement=False).gradient_variance(1.1))
        0.0
        """
        size, n = check_count("size", size, 1), self.n_samples
        check_flag("replacement", replacement)
        if not replacement and size > n:
            raise ValueError(f"size must be at most n = {n} without replacement; got {size}")
        if not replacement and not np.allclose(self.chances, 1 / n, rtol=1e-12):
            raise ValueError(
                f"replacement must be True where the weights differ; got {replacement!r}, "
                f"with weights {came(self.chances)}"
            )
        count = math.comb(n + size - 1, size) if replacement else math.comb(n, size)
        if count > MOST_BATCHES:
            raise ValueError(
                f"size must leave at most {MOST_BATCHES} batches that differ; got {size}, "
                f"which makes {count} of n = {n}"
            )
        draws: Iterator[tuple[int, ...]] = (
            combinations_with_replacement(range(n), size)
            if replacement
            else combinations(range(n), size)
        )
        counts = np.array([np.bincount(batch, minlength=n) for batch in draws])
        weights = None
        if replacement:
            log_chance = gammaln(size + 1) - gammaln(counts + 1).sum(axis=1)
            weights = np.exp(log_chance + xlogy(counts, self.chances).sum(axis=1))
        share = counts / size

        def mixed(function: Callable[[npt.ArrayLike], Array]) -> Callable[[npt.ArrayLike], Array]:
            return lambda w: np.tensordot(share, function(w), 1)

        return FiniteSum(
            mixed(self.losses), mixed(self.gradients), mixed(self.curvatures), weights=weights
        )

    @property
    def chances(self) -> Array:
        """Chance q_j of each sample in a draw, (n,); they add up to 1."""
        if self.weights is None:
            return np.full(self.n_samples, 1 / self.n_samples)
        return np.asarray(self.weights)

    def average(self, values: npt.ArrayLike) -> Array:
        """Mean over a draw of values (n, ...), one row for each sample; shape ``(...)``."""
        values = check_numbers("values", values)
        if values.ndim == 0 or len(values) != self.n_samples:
            raise ValueError(
                f"values must have {self.n_samples} rows, one for each sample; "
                f"got shape {values.shape}"
            )
        if self.weights is None:
            return np.asarray(values.mean(axis=0))
        return np.tensordot(self.chances, values, 1)

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

    def loss(self, w: npt.ArrayLike) -> Array:
        """L(w), the mean of the sample losses; shape of ``w``."""
        return self.average(self.losses(check_numbers("w", w)))

    def mean_gradient(self, w: npt.ArrayLike) -> Array:
        """G(w) = L'(w), the mean of the sample gradients; shape of ``w``."""
        return self.average(self.gradients(check_numbers("w", w)))

    def mean_curvature(self, w: npt.ArrayLike) -> Array:
        """G'(w) = L''(w); shape of ``w``."""
        return self.average(self.curvatures(check_numbers("w", w)))

    def gradient_variance(self, w: npt.ArrayLike) -> Array:
        """S²(w), the variance of the gradient of a draw; shape of ``w``."""
        g = self.gradients(check_numbers("w", w))
        return self.average((g - self.average(g)) ** 2)


def _samples(name: str, function: object) -> int:
    """Return the number of rows that a function of samples returns; an error if it has none."""
    check_callable(name, function)
    with np.errstate(all="ignore"):
        value = function(np.ones(2))  # type: ignore[operator]
    if not isinstance(value, np.ndarray) or value.ndim != 2 or value.shape[1] != 2:
        raise ValueError(
            f"{name} must return an array (n, ...), a row for each sample, for w of shape (...); "
            f"for w of shape (2,) got {came(value)}"
        )
    return len(value)


def check_model(model: object) -> None:
    """Raise a TypeError in one line unless the model is a FiniteSum."""
    if isinstance(model, FiniteSum):
        return
    wanted = "model must be a FiniteSum, the mean of sample losses of one parameter"
    if isinstance(model, Objective):
        raise TypeError(
            f"{wanted}; got the objective {model.name!r}, of which FiniteSum.of(objective, "
            "noise=...) makes one if it is defined for d = 1"
        )
    name = getattr(model, "__name__", None)
    raise TypeError(f"{wanted}; got {f'the function {name}' if name else type(model).__name__}")
