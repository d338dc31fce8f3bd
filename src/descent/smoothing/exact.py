r"""Objectives averaged under a Gaussian, in closed form: value, d/dx and d/dsigma without sampling.

.. math:: f_\sigma(x) = \mathbb E\, f(x + \sigma z), \qquad z \sim N(0, 1)

The smoothed objective solves the heat equation in the time :math:`\sigma^2/2`:
:math:`\partial f_\sigma/\partial\sigma = \sigma\, \partial^2 f_\sigma/\partial x^2`.
"""

from collections.abc import Callable
from functools import cache, partial
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from scipy.special import ndtr, wofz

from descent.arguments import Array, check_array, check_real
from descent.landscapes import sinc

REACH = 9.0
"""Standard deviations after which a normal tail, 1e-19, is below a rounding error."""
_CHUNK = 1 << 19  # points times jumps that are held at once
_NEIGHBOURS = 128  # points for which one stretch of jumps is looked up
_NODES, _WEIGHTS = np.polynomial.legendre.leggauss(24)


class Smoothed(NamedTuple):
    """A smoothed objective and its first derivatives, arrays of one shape."""

    value: Array
    dx: Array
    dsigma: Array


def _points(x: npt.ArrayLike, sigma: npt.ArrayLike) -> tuple[Array, Array]:
    """Return x and sigma, broadcast against each other; an error if they are out of range."""
    x, sigma = check_array("x", x), check_array("sigma", sigma)
    if (sigma < 0).any():
        raise ValueError(f"sigma must be finite and zero or positive; got {sigma!r}")
    x, sigma = np.broadcast_arrays(x, sigma)
    return x, sigma


def smoothed_sinc(x: npt.ArrayLike, sigma: npt.ArrayLike) -> Smoothed:
    r"""Average sin(x)/x under a Gaussian: value and derivatives.

    .. math:: f_\sigma(x) = \int_0^1 \cos(kx)\, e^{-\sigma^2 k^2/2}\, dk

    The Fourier transform of sin(x)/x is a box, so that the average multiplies each
    wave by its Gaussian factor. The integral is taken by Gauss–Legendre panels, each
    shorter than two wavelengths, up to the k from which the factor is below
    exp(-40); the error is rounding, at every x and sigma.

    Parameters
    ----------
    x : array (...)
        Mean of the Gaussian. The work grows in proportion to the largest \|x\|.
    sigma : array (...)
        Standard deviation, zero or more; broadcast against ``x``.

    Returns
    -------
    Smoothed
        Value, derivative by x, derivative by sigma.

    Raises
    ------
    ValueError
        If x is not finite, or sigma is negative or not finite.

    See Also
    --------
    smoothed_sinc_faddeeva : the same value from a special function.

    Notes
    -----
    Source: 004, "Problem of Hard Functions", where the smoothed landscape is drawn
    and no formula is given. Not numpy's normalized ``np.sinc``, sin(πx)/(πx).

    Examples
    --------
    >>> value, dx, dsigma = smoothed_sinc(0.0, [0.0, 1.0])
    >>> value.round(6), dx, dsigma.round(6)
    (array([1.      , 0.855624]), array([0., 0.]), array([ 0.      , -0.249094]))
    """
    x, sigma = _points(x, sigma)
    last = np.minimum(1.0, REACH / np.maximum(sigma, REACH))
    n_panels = 1 + int(np.max(np.abs(x) * last, initial=0.0) / 12)
    value, dx, dsigma = (np.zeros(x.shape) for _ in range(3))
    for panel in range(n_panels):
        for node, weight in zip(_NODES, _WEIGHTS, strict=True):
            k = last * (panel + (node + 1) / 2) / n_panels
            damped = last * (weight / (2 * n_panels)) * np.exp(-((sigma * k) ** 2) / 2)
            wave = damped * np.cos(k * x)
            value += wave
            dx -= k * damped * np.sin(k * x)
            dsigma -= sigma * k**2 * wave
    return Smoothed(value, dx, dsigma)


def smoothed_sinc_faddeeva(x: npt.ArrayLike, sigma: npt.ArrayLike) -> Array:
    r"""Value of `smoothed_sinc` from the Faddeeva function w, for sigma > 0.

    .. math:: f_\sigma(x) = \frac{\sqrt{\pi/2}}{\sigma} \Big[ e^{-x^2/2\sigma^2}
              - e^{-\sigma^2/2}\, \mathrm{Re}\, e^{ix}
                w\Big(\frac{x/\sigma + i\sigma}{\sqrt 2}\Big) \Big]

    The first term is one hill of width sigma, the second the ripples that are left;
    the hill prevails for \|x\| < sigma². For x and sigma near zero the difference loses
    digits, about 1e-16/sigma.

    Parameters
    ----------
    x, sigma : array (...)
        As in `smoothed_sinc`, with sigma > 0.

    Returns
    -------
    array (...)

    Raises
    ------
    ValueError
        If x is not finite, or sigma is not positive and finite.

    Examples
    --------
    >>> smoothed_sinc_faddeeva(0.0, 1.0).round(6)
    np.float64(0.855624)
    """
    x, sigma = _points(x, sigma)
    if not (sigma > 0).all():
        raise ValueError(f"sigma must be positive; got {sigma!r}")
    ripples = np.real(np.exp(1j * x) * wofz((x / sigma + 1j * sigma) / np.sqrt(2)))
    hill = np.exp(-((x / sigma) ** 2) / 2)
    return np.asarray(np.sqrt(np.pi / 2) / sigma * (hill - np.exp(-(sigma**2) / 2) * ripples))


def smoothed_steps(
    x: npt.ArrayLike,
    sigma: npt.ArrayLike,
    jumps: npt.ArrayLike,
    heights: npt.ArrayLike,
    left: float,
) -> Smoothed:
    r"""Average a step function under a Gaussian: a sum of normal distribution functions.

    .. math:: f = f_{-\infty} + \sum_i h_i\, \mathbb 1[x > t_i], \qquad
              f_\sigma(x) = f_{-\infty} + \sum_i h_i\, \Phi\Big(\frac{x - t_i}{\sigma}\Big)

    Parameters
    ----------
    x, sigma : array (...)
        As in `smoothed_sinc`, with sigma > 0.
    jumps, heights : array (k,)
        Places t and heights h of the jumps.
    left : float
        Value to the left of all jumps.

    Returns
    -------
    Smoothed

    Raises
    ------
    ValueError
        If x is not finite, or sigma is not positive and finite.

    Examples
    --------
    >>> smoothed_steps(0.0, 2.0, [0.0], [1.0], 0.0).value
    np.float64(0.5)
    """
    x, sigma = _points(x, sigma)
    if not (sigma > 0).all():
        raise ValueError(f"sigma must be positive; got {sigma!r}")
    jumps, heights = check_array("jumps", jumps), check_array("heights", heights)
    if jumps.ndim != 1 or jumps.shape != heights.shape:
        raise ValueError(
            f"jumps and heights must share a shape (k,); got {jumps.shape}, {heights.shape}"
        )
    left = check_real("left", left)
    results = np.empty((3, x.size))
    stride = max(1, _CHUNK // max(1, len(jumps)))
    for first in range(0, x.size, stride):
        part = slice(first, first + stride)
        width = sigma.ravel()[part, None]
        u = (x.ravel()[part, None] - jumps) / width
        density = np.exp(-u * u / 2) * (heights / np.sqrt(2 * np.pi)) / width
        results[0, part] = left + ndtr(u) @ heights
        results[1, part] = density.sum(axis=1)
        results[2, part] = -(u * density).sum(axis=1)
    return Smoothed(*results.reshape(3, *x.shape))


def smoothed_floored_sinc(x: npt.ArrayLike, sigma: npt.ArrayLike) -> Smoothed:
    r"""Average floor(10 sin(x)/x + 4 sin(x)) under a Gaussian: value and derivatives.

    A step function with a jump wherever :math:`h = (4 + 10/x) \sin x` crosses an
    integer. There are infinitely many, since 4 sin(x) never dies; those further than
    9 sigma from x are left out. As the function lies between -7 and 11, the value
    changes by less than 5e-18 by that, and the derivatives by less than 1e-16 of
    their natural size, 1/sigma.

    Parameters
    ----------
    x : array (...)
        Mean of the Gaussian.
    sigma : array (...)
        Standard deviation, zero or more; broadcast against ``x``. At sigma = 0 the
        value is the function itself and the derivatives are zero, as they are
        everywhere between the jumps. The work grows in proportion to the largest
        sigma.

    Returns
    -------
    Smoothed
        Value, derivative by x, derivative by sigma.

    Raises
    ------
    ValueError
        If x is not finite, or sigma is negative or not finite.

    Notes
    -----
    At a jump the limit sigma → 0 is the middle of both sides, not the function.

    Source: 004, "Problem of Hard Functions".

    Examples
    --------
    >>> smoothed_floored_sinc(0.8, [0.0, 0.1, 2.0]).value.round(4)
    array([11.    , 11.    ,  5.4774])
    """
    x, sigma = _points(x, sigma)
    flat, width = x.ravel(), sigma.ravel()
    results = np.zeros((3, x.size))
    results[0] = np.floor(_unfloored(flat))
    # Neighbours in sigma and x share their jumps.
    (wide,) = np.nonzero(width > 0)
    magnitude = np.ceil(np.log2(width[wide]))
    wide = wide[np.lexsort((flat[wide], magnitude))]
    for first in range(0, len(wide), _NEIGHBOURS):
        chosen = wide[first : first + _NEIGHBOURS]
        low = np.min(flat[chosen] - REACH * width[chosen])
        high = np.max(flat[chosen] + REACH * width[chosen])
        reach = 2 ** int(np.ceil(np.log2(max(64.0, -low, high))))
        jumps, heights = _floored_sinc_jumps(reach)
        first, last = np.searchsorted(jumps, [low, high])
        left = float(np.floor(_unfloored(np.array(-float(reach)))) + heights[:first].sum())
        near = slice(first, last)
        results[:, chosen] = smoothed_steps(
            flat[chosen], width[chosen], jumps[near], heights[near], left
        )
    return Smoothed(*results.reshape(3, *x.shape))


def _unfloored(x: Array) -> Array:
    """h(x) = 10 sin(x)/x + 4 sin(x)."""
    return np.asarray(10 * sinc(x) + 4 * np.sin(x))


@cache
def _floored_sinc_jumps(reach: int) -> tuple[Array, Array]:
    """Return the places on (-reach, reach) where floor(h) jumps, and the heights, +1 or -1.

    Between two neighbouring zeros of h, which are the multiples of π other than 0,
    and -5/2, h has one hump, and rises or falls between its extremum and the zeros.
    """
    n = int(reach / np.pi) + 2
    zeros = np.sort(np.append(np.pi * np.delete(np.arange(-n, n + 1), n), -2.5))
    extrema = _bisect(_scaled_slope, zeros[:-1], zeros[1:])
    peak = _unfloored(extrema)
    legs = []
    for low, high, rising in (
        (zeros[:-1], extrema, peak > 0),
        (extrema, zeros[1:], peak < 0),
    ):
        for level in range(-6, 12):
            crossed = (level <= peak) if level > 0 else (peak <= level) & (level < 0)
            at = _bisect(partial(_above, level), low[crossed], high[crossed])
            legs.append((at, np.where(rising[crossed], 1.0, -1.0)))
    legs.append((zeros[1:], np.where(peak < 0, 1.0, -1.0)))
    jumps, heights = (np.concatenate(part) for part in zip(*legs, strict=True))
    order = np.argsort(jumps)
    order = order[np.abs(jumps[order]) < reach]
    return jumps[order], heights[order]


def _above(level: int, x: Array) -> Array:
    return _unfloored(x) - level


def _scaled_slope(x: Array) -> Array:
    """x² h'(x), without a division."""
    return np.asarray((4 * x + 10) * x * np.cos(x) - 10 * np.sin(x))


def _bisect(function: Callable[[Array], Array], low: Array, high: Array) -> Array:
    """Return a zero in each interval, to the last bit."""
    low, high = low.copy(), high.copy()
    sign = np.sign(function(high))
    for _ in range(60):
        middle = (low + high) / 2
        right = np.sign(function(middle)) == sign
        high, low = np.where(right, middle, high), np.where(right, low, middle)
    return np.asarray((low + high) / 2)
