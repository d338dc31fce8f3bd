r"""Diffusions that approximate stochastic gradient descent, and chains to hold them against.

One step :math:`W' = W - T g_j(W)` has mean :math:`-T G` and variance :math:`T^2 S^2`.
Time is counted in steps.
"""

from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from descent.arguments import (
    Array,
    Index,
    check_array,
    check_count,
    check_flag,
    check_numbers,
    check_real,
    check_step_size,
)
from descent.landscapes import FiniteSum, check_model


class Diffusion(NamedTuple):
    """Drift μ and variance D per step, each a function of W that keeps its shape."""

    drift: Callable[[npt.ArrayLike], Array]
    variance: Callable[[npt.ArrayLike], Array]


def diffusion_limit(model: FiniteSum, step_size: float) -> Diffusion:
    r"""Diffusion with the mean and the variance of one step.

    .. math:: \mu = -T G, \qquad D = T^2 S^2

    Parameters
    ----------
    model : FiniteSum
        The objective.
    step_size : float
        T > 0, in units of w² per loss.

    Returns
    -------
    Diffusion
        ``(drift, variance)``, to be read in the sense of Itô.

    Raises
    ------
    ValueError, TypeError
        If the step size is not positive and finite.

    Notes
    -----
    It matches the chain to weak order 1 in T, at fixed T·t. `modified_equation` has
    the next order.

    Source: 003, post 2, "Gradient Variance".

    Examples
    --------
    >>> drift, variance = diffusion_limit(linear([1.2, 0.8], [-2, -2]), 0.5)
    >>> float(drift(1.0)), round(float(variance(1.0)), 12)
    (0.5, 0.01)
    """
    check_model(model)
    step_size = check_step_size(step_size)
    return Diffusion(
        lambda w: -step_size * model.mean_gradient(w),
        lambda w: step_size**2 * model.gradient_variance(w),
    )


def modified_equation(model: FiniteSum, step_size: float, noise: bool = False) -> Diffusion:
    r"""Stochastic modified equation of the next order.

    .. math:: \mu = -T G - \tfrac12 T^2 G G', \qquad
              D = T^2 S^2 + T^3 (S^2 G' + \tfrac12 G\, (S^2)')

    The correction of D is left out unless ``noise`` is set.

    Parameters
    ----------
    model : FiniteSum
        The objective.
    step_size : float
        T > 0, in units of w² per loss.
    noise : bool
        Whether to correct the variance, too.

    Returns
    -------
    Diffusion
        ``(drift, variance)``, to be read in the sense of Itô.

    Raises
    ------
    ValueError, TypeError
        If the step size is not positive and finite.

    Notes
    -----
    The corrections follow from the moments of one step. A diffusion moves in unit time
    by μ + ½ μ μ' + … on average, with the mean square
    D + μ² + ½ μ D' + D μ' + …; they equal -T G and T² (S² + G²) up to T² and T³.
    The drift alone gives weak order 2 at fixed T·t. The stationary variance is itself
    of order T, so the term T³ of D is of the same weight there: for
    g = λ W ± s the chain has T s²/(2λ - T λ²), which the corrected drift alone misses
    by twice as much as no correction, and both together meet to the next order. The
    corrected D can be negative where S² is small and T is not.

    Source: Li, Tai, E, "Stochastic modified equations and adaptive stochastic gradient
    algorithms", 2017, theorem 1 (the drift). Not in 003, which corrects nothing.

    Examples
    --------
    >>> model = linear([1.0, 1.0], [-1, 1])
    >>> drift, variance = modified_equation(model, 0.1, noise=True)
    >>> round(float(variance(0.0) / (-2 * drift(1.0))), 4)    # stationary variance
    0.0524
    >>> round(0.1 / (2 - 0.1), 4)                       # of the chain
    0.0526
    """
    check_model(model)
    step_size = check_step_size(step_size)
    check_flag("noise", noise)

    def drift(w: npt.ArrayLike) -> Array:
        g = model.mean_gradient(w)
        return -step_size * (g + step_size / 2 * g * model.mean_curvature(w))

    def variance(w: npt.ArrayLike) -> Array:
        gradients, curvatures = model.gradients(w), model.curvatures(w)
        g, slope = model.average(gradients), model.average(curvatures)
        square = model.average((gradients - g) ** 2)
        # (S²)' = 2 cov(g_j, g_j')
        square_slope = 2 * model.average((gradients - g) * (curvatures - slope))
        return np.asarray(
            step_size**2 * (square + step_size * (square * slope + g * square_slope / 2))
        )

    limit = diffusion_limit(model, step_size)
    return Diffusion(drift, variance if noise else limit.variance)


def linear(slopes: Sequence[float], intercepts: Sequence[float]) -> FiniteSum:
    r"""Linear sample gradients: :math:`g_j = a_j W + b_j`.

    Parameters
    ----------
    slopes, intercepts : sequence of float, length n
        a_j and b_j.

    Returns
    -------
    FiniteSum

    Raises
    ------
    ValueError
        If the lengths differ, or a value is not finite.

    Notes
    -----
    Source: 003, post 2, "Validation": a = (0, 0), b = (-1, 1), and a = (1.2, 0.8),
    b = (-2, -2), for which S² = 0.04 W² (the source has 0.4 W²).

    Examples
    --------
    >>> linear([1.2, 0.8], [-2, -2]).gradient_variance([1.0, 2.0]).round(12)
    array([0.04, 0.16])
    """
    a, b = check_array("slopes", slopes, ("n",)), check_array("intercepts", intercepts, ("n",))
    if a.shape != b.shape:
        raise ValueError(
            f"slopes and intercepts must share a shape (n,); got {a.shape} and {b.shape}"
        )

    def polynomial(w: npt.ArrayLike, *coefficients: Array) -> Array:
        w = check_numbers("w", w)
        columns = [c.reshape(-1, *(1,) * w.ndim) for c in coefficients]
        return np.asarray(sum(c * w**k for k, c in enumerate(columns)))

    def in_place_gradient(w: Array, index: Index, out: Array, work: Array) -> None:
        np.take(a, index, out=out)
        out *= w
        np.take(b, index, out=work[0, ...])
        out += work[0, ...]

    return FiniteSum(
        losses=lambda w: polynomial(w, 0 * a, b, a / 2),
        gradients=lambda w: polynomial(w, b, a),
        curvatures=lambda w: polynomial(w, a, 0 * a),
        in_place_gradient=in_place_gradient,
    )


def linear_moments(
    slopes: Sequence[float],
    intercepts: Sequence[float],
    step_size: float,
    mean: float,
    variance: float,
    n_steps: int,
) -> tuple[Array, Array]:
    r"""Exact mean and variance of the chain :math:`W' = W - T (a_j W + b_j)`.

    With :math:`A = 1 - T a_j`, :math:`B = -T b_j`, :math:`m` the mean, :math:`v` the
    variance,

    .. math:: m' = \bar A m + \bar B, \qquad
              v' = \overline{A^2}\, v + \mathrm{var}_j(A_j m + B_j)

    Parameters
    ----------
    slopes, intercepts : sequence of float, length n
        a_j and b_j.
    step_size : float
        T > 0.
    mean, variance : float
        At the start; variance >= 0.
    n_steps : int
        Number of steps.

    Returns
    -------
    mean, variance : array (n_steps + 1,)

    Raises
    ------
    ValueError, TypeError
        If an argument is out of its range.

    Notes
    -----
    The two stay bounded if the mean of A_j² is below 1. Higher moments can diverge all
    the same.

    Source: 003, post 2, "Validation", third model; the recursion is not in the source.

    Examples
    --------
    >>> mean, variance = linear_moments([1.2, 0.8], [-2, -2], 0.5, 0.5, 0.0, 200)
    >>> float(mean[-1]), round(float(variance[-1]), 9)
    (2.0, 0.054054054)
    """
    step_size, n_steps = check_step_size(step_size), check_count("n_steps", n_steps)
    model = linear(slopes, intercepts)
    mean, variance = check_real("mean", mean), check_real("variance", variance, least=0)
    factors = 1 - step_size * np.asarray(slopes, float)
    means, variances = np.empty((2, n_steps + 1))
    means[0], variances[0] = mean, variance
    for k in range(n_steps):
        images = means[k] - step_size * model.gradients(means[k])
        means[k + 1] = images.mean()
        variances[k + 1] = (factors**2).mean() * variances[k] + images.var()
    return means, variances


def with_small_steps(model: FiniteSum, step_size: float, n: int) -> FiniteSum:
    r"""Objective whose steps of size T are n steps of size T/n on one sample.

    .. math:: \tilde g_j(W) = \frac{W - \phi_j^{\circ n}(W)}{T}, \qquad
              \phi_j(W) = W - \tfrac Tn g_j(W)

    Parameters
    ----------
    model : FiniteSum
        The objective.
    step_size : float
        T > 0, the size of the n steps together.
    n : int
        Number of small steps between two draws, at least 1.

    Returns
    -------
    FiniteSum
        To be used with the same ``step_size``. Its losses are not known and read NaN.

    Raises
    ------
    ValueError, TypeError
        If an argument is out of its range.

    Notes
    -----
    As n grows a draw follows the gradient flow of one sample for the time T. By the
    chain rule of such flows the diffusion limit of the sequence of draws is that of
    Stratonovich, with the drift and variance of ``model``. It is not the same as one
    smaller step size.

    Source: 003, post 2, "Validation", proposed as a remedy for large T.

    Examples
    --------
    >>> remedied = with_small_steps(linear([1.0], [0.0]), 0.5, 2)
    >>> 1 - 0.5 * remedied.gradients(1.0)               # (1 - 0.25)^2
    array([0.5625])
    """
    check_model(model)
    step_size, n = check_step_size(step_size), check_count("n", n, 1)
    small = step_size / n

    def follow(w: npt.ArrayLike) -> tuple[Array, Array]:
        """Each sample's image of w, and its derivative, both (n_samples, ...)."""
        w = np.asarray(w, float)
        images = np.stack([w] * model.n_samples)
        slopes = np.ones_like(images)
        for _ in range(n):
            for j, image in enumerate(images):
                slopes[j] *= 1 - small * model.curvatures(image)[j]
                images[j] = image - small * model.gradients(image)[j]
        return images, slopes

    return FiniteSum(
        losses=lambda w: np.full((model.n_samples, *np.shape(w)), np.nan),
        gradients=lambda w: (np.asarray(w, float) - follow(w)[0]) / step_size,
        curvatures=lambda w: (1 - follow(w)[1]) / step_size,
        weights=model.weights,
    )
