"""Shares of parameters, and how two of them correlate: what is unknown is NaN and left out."""

import math
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from descent.arguments import Array, check_array, check_numbers

__all__ = [
    "CorrelationParts",
    "correlation",
    "partial_correlation",
    "pixel_correlations",
    "share",
    "split_correlation",
    "within_pixel_correlation",
]


ROUNDING = 1e-28
"""Of a sum of squares: what is left of it below this share is rounding."""

SMALL = 1e-3
"""A covariate is measured in another unit if its largest entry is below it, or above 1 / it."""


def share(first: ArrayLike, second: ArrayLike) -> Array:
    """Return first / (first + second), and NaN where both are zero.

    Examples
    --------
    >>> share([1.0, 0.0, 0.0], [3.0, 2.0, 0.0])
    array([0.25, 0.  ,  nan])
    """
    first, second = check_numbers("first", first), check_numbers("second", second)
    _check_alike(first=first, second=second)
    for name, values in (("first", first), ("second", second)):
        if np.fmin.reduce(values, axis=None, initial=0.0) < 0:
            raise ValueError(f"{name} must not be negative; got {np.nanmin(values)}")
    most = sum(float(np.fmax.reduce(v, axis=None, initial=0.0)) for v in (first, second))
    if most < math.inf:
        total = first + second
    else:
        first, total = _without_overflow(first, second)
    ratio: Array = np.full(total.shape, np.nan)
    np.divide(first, total, out=ratio, where=total > 0)
    return ratio


def _without_overflow(first: Array, second: Array) -> tuple[Array, Array]:
    """Return first and the sum, both halved where it overflows; what is infinite is unknown."""
    with np.errstate(over="ignore"):
        scale = np.where(np.isinf(first + second), 0.5, 1.0)
    first, total = first * scale, first * scale + second * scale
    total[np.isinf(total)] = np.nan
    return first, total


def _check_alike(**arrays: Array) -> None:
    """Raise a ValueError unless two arrays have one shape."""
    (first, one), (second, two) = arrays.items()
    if one.shape != two.shape:
        raise ValueError(f"{first} and {second} must share a shape; got {one.shape}, {two.shape}")


def correlation(x: ArrayLike, y: ArrayLike) -> float:
    """Return Pearson's correlation over the pairs that are both finite.

    NaN when fewer than three pairs are left or one of the two does not vary.

    Examples
    --------
    >>> round(correlation([1.0, 2.0, 3.0, np.nan], [2.0, 4.0, 6.0, 0.0]), 12)
    1.0
    """
    x, y = check_numbers("x", x), check_numbers("y", y)
    _check_alike(x=x, y=y)
    x, y = x.ravel(), y.ravel()
    both = np.isfinite(x) & np.isfinite(y)
    if not both.all():
        x, y = x[both], y[both]
    if len(x) < 3:
        return np.nan
    x, y = _unit(x), _unit(y)
    return _cosine(_varying(x - x.mean(), x), _varying(y - y.mean(), y))


def _unit(x: Array) -> Array:
    """Divide by a power of two where squares would overflow or vanish; exact."""
    if 1e-200 < np.vdot(x, x) < 1e200 or not x.any():  # vdot raises no floating-point error
        return x
    return np.asarray(np.ldexp(x, -np.frexp(np.abs(x).max())[1]))


def _varying(rest: Array, whole: Array) -> Array:
    """Return what is left of some numbers; zeros if it is no more than their rounding."""
    return rest if np.vdot(rest, rest) > ROUNDING * np.vdot(whole, whole) else np.zeros_like(rest)


def _spread(x: Array) -> Array:
    """Return numbers less their mean, in a unit in which the largest is of order 1.

    So that neither a covariate's unit nor its origin takes the constant out of a fit.
    """
    x = _unit(x)
    if not x.size:
        return x
    rest = _varying(x - x.sum() / len(x), x)
    largest = max(float(rest.max()), -float(rest.min()))
    if SMALL < largest < 1 / SMALL:
        return rest
    return np.asarray(np.ldexp(rest, -math.frexp(largest)[1]))


def _cosine(x: Array, y: Array) -> float:
    norm = math.sqrt(np.vdot(x, x)) * math.sqrt(np.vdot(y, y))
    return float(np.vdot(x, y)) / norm if norm > 0 else np.nan


def pixel_correlations(x: Array, y: Array) -> Array:
    """Return the correlation over hidden neurons, for each input.

    Parameters
    ----------
    x, y : ndarray, shape (hidden, inputs)
        Shares of one network's hidden weights.

    Returns
    -------
    ndarray, shape (inputs,)

    Notes
    -----
    The updates of all weights from an input that never varies are one multiple of those of
    the hidden biases. Its correlation is that of the biases, exactly.
    """
    x, y = _check_weights(x, y)
    both = np.isfinite(x) & np.isfinite(y)
    count = both.sum(axis=0)
    rest = []
    for v in (x, y):
        v = np.where(both, v, 0.0)
        v = np.ldexp(v, -np.frexp(np.abs(v).max(axis=0, initial=0))[1])  # of order 1 in each column
        left = np.where(both, v - v.sum(axis=0) / np.maximum(count, 1), 0.0)
        varies = (left**2).sum(axis=0) > ROUNDING * (v**2).sum(axis=0)
        rest.append(np.where(varies, left, 0.0))
    norm = np.sqrt((rest[0] ** 2).sum(axis=0)) * np.sqrt((rest[1] ** 2).sum(axis=0))
    found: Array = np.full(norm.shape, np.nan)
    np.divide((rest[0] * rest[1]).sum(axis=0), norm, out=found, where=(norm > 0) & (count > 2))
    return found


def _check_weights(x: Array, y: Array) -> tuple[Array, Array]:
    """Return shares of hidden weights as floats; an error unless both are (hidden, inputs)."""
    x = check_array("x", x, ("hidden", "inputs"), finite=False)
    y = check_array("y", y, ("hidden", "inputs"), finite=False)
    _check_alike(x=x, y=y)
    return x, y


def within_pixel_correlation(x: Array, y: Array) -> float:
    """Return the correlation of x and y, each less its mean over the neurons, for each input.

    It is the partial correlation given the input that a weight belongs to: whatever comes
    from the images alone is gone. Parameters as for `pixel_correlations`.
    """
    x, y = _check_weights(x, y)
    both = np.isfinite(x) & np.isfinite(y)
    if both.all():
        x, y = _unit(x), _unit(y)
        return _cosine(*(_varying(v - v.mean(axis=0), v) for v in (x, y)))
    count = np.maximum(both.sum(axis=0), 1)
    rest = []
    for v in (_unit(np.where(both, x, 0)), _unit(np.where(both, y, 0))):
        rest.append(_varying(np.where(both, v - v.sum(axis=0) / count, 0).ravel(), v))
    return _cosine(*rest)


class CorrelationParts(NamedTuple):
    """What a correlation over the weights consists of; the three parts add up to it."""

    pixels: float
    neurons: float
    weights: float


def split_correlation(x: Array, y: Array) -> CorrelationParts:
    r"""Split the correlation over the weights into parts of pixels, of neurons and of the rest.

    .. math:: x_{ij} = \bar x + p_j + n_i + e_{ij}, \qquad
        r = \frac{\langle p^x p^y \rangle + \langle n^x n^y \rangle
        + \langle e^x e^y \rangle}{\sigma_x \sigma_y},

    with the means p over the neurons for each pixel j, the means n over the pixels for each
    neuron i, both less the mean of all, and what is left, e. The three are orthogonal, so that
    nothing else remains of the covariance. The first part is what exchanging the neurons of one of
    the two at random leaves of the correlation, in the mean over all permutations.

    Parameters
    ----------
    x, y : ndarray, shape (hidden, inputs)
        Shares of one network's hidden weights. A neuron with a share that is not finite is left
        out.

    Returns
    -------
    CorrelationParts
        NaN where fewer than two neurons are left or one of the two does not vary.

    Notes
    -----
    The analysis of variance of a table with two factors, of two variables at once.

    Examples
    --------
    >>> pixel, neuron = np.array([[0.0, 1.0, 5.0]]), np.array([[0.0], [2.0]])
    >>> parts = split_correlation(pixel + neuron, pixel - neuron)
    >>> parts.pixels > 0 > parts.neurons, parts.weights
    (True, 0.0)
    """
    x, y = _check_weights(x, y)
    alive = (np.isfinite(x) & np.isfinite(y)).all(axis=1)
    x, y = _unit(x[alive]), _unit(y[alive])
    if len(x) < 2:
        return CorrelationParts(math.nan, math.nan, math.nan)
    x, y = _varying(x - x.mean(), x), _varying(y - y.mean(), y)
    norm = math.sqrt(np.vdot(x, x)) * math.sqrt(np.vdot(y, y))
    if not norm > 0:
        return CorrelationParts(math.nan, math.nan, math.nan)
    pixels, neurons, rest = [], [], []
    for v in (x, y):
        pixels.append(v.mean(axis=0))
        neurons.append(v.mean(axis=1))
        rest.append(v - pixels[-1] - neurons[-1][:, None])
    hidden, inputs = x.shape
    return CorrelationParts(
        float(hidden * np.vdot(*pixels) / norm),
        float(inputs * np.vdot(*neurons) / norm),
        float(np.vdot(*rest) / norm),
    )


def partial_correlation(x: ArrayLike, y: ArrayLike, *given: ArrayLike) -> float:
    """Return the correlation of x and y after a linear fit on the given covariates.

    NaN when fewer than two degrees of freedom are left, or nothing of one of the two.

    Parameters
    ----------
    x, y : array_like
        The two variables, of one shape.
    *given : array_like
        Covariates that broadcast to that shape.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> cause = rng.normal(size=20000)
    >>> x, y = cause + rng.normal(size=20000), cause + rng.normal(size=20000)
    >>> abs(correlation(x, y) - 0.5) < 0.02, abs(partial_correlation(x, y, cause)) < 0.02
    (True, True)
    """
    x, y = check_numbers("x", x), check_numbers("y", y)
    _check_alike(x=x, y=y)
    covariates = [check_numbers("given", g) for g in given]
    try:
        columns = [
            (v if v.shape == x.shape else np.broadcast_to(v, x.shape)).ravel()
            for v in (x, y, *covariates)
        ]
    except ValueError:
        raise ValueError(
            f"given must broadcast to x of shape {x.shape}; got {[g.shape for g in covariates]}"
        ) from None
    kept = np.isfinite(columns[0])
    for column in columns[1:]:
        kept &= np.isfinite(column)
    x, y, *rest = columns if kept.all() else [column[kept] for column in columns]
    # Written into place: stacking takes as long as the fit where there are few numbers.
    design, both = np.ones((len(x), 1 + len(rest))), np.empty((len(x), 2))
    for k, column in enumerate(rest, start=1):
        design[:, k] = _spread(column)
    both[:, 0], both[:, 1] = _unit(x), _unit(y)
    fit, _, rank, _ = np.linalg.lstsq(design, both, rcond=None)
    if len(design) - rank < 2:
        return np.nan
    left = both - design @ fit
    return _cosine(*(_varying(left[:, k], both[:, k]) for k in (0, 1)))
