r"""Descent under noise of heavy tails: it leaves a pit by one jump, and feels its width.

.. math:: W' = W - T\,\bigl(G(W) + \sigma\, \xi\bigr), \qquad
          \mathbb E\, e^{ik\xi} = e^{-|k|^\alpha}

ξ is symmetric and α-stable; at α = 2 it is normal with variance 2, at α = 1 Cauchy's. For
α < 2 one draw is beyond x with the chance

.. math:: \mathbb P(\xi > x) \simeq c_\alpha x^{-\alpha}, \qquad
          c_\alpha = \frac{\Gamma(\alpha)}{\pi} \sin\frac{\pi\alpha}{2} \tag{1}

and for T → 0 a pit with edges at the distances d and d' is left at the first such draw,

.. math:: \tau \simeq \frac{1}{c_\alpha (\sigma T)^\alpha\,
          \bigl(d^{-\alpha} + d'^{-\alpha}\bigr)} \tag{2}

whatever its depth. Gaussian noise has :math:`\tau \sim e^{V/T}` with V = ΔL/σ², whatever
its width.

Source: Pavlyukevich (2011) for (2) and more; heavy tails in SGD are the hypothesis of
Simsekli and others (2019). For the sampling Chambers, Mallows and Stuck (1976).
"""

import math
from collections.abc import Callable
from functools import lru_cache

import numpy as np
import numpy.typing as npt
from scipy.interpolate import CubicSpline
from scipy.special import erf, gamma

from descent.arguments import (
    Array,
    check_array,
    check_callable,
    check_count,
    check_generator,
    check_real,
    check_step_size,
)

FAR = 40.0  # beyond it the tail is summed
TERMS = 12
CELLS = (100, 200, 400)


def _check_alpha(alpha: float) -> float:
    return check_real("alpha", alpha, least=1, most=2)


@lru_cache(maxsize=32)
def _table(alpha: float) -> CubicSpline:
    """Return F - 1/2 on [0, FAR], from the integral of sin(kx) e^{-k^α} / (πk)."""
    top = (45.0) ** (1 / alpha)
    k, weight = np.polynomial.legendre.leggauss(40)
    edges = np.linspace(0, top, 200 + int(top * FAR / 20))
    half = np.diff(edges)[:, None] / 2
    nodes = (edges[:-1, None] + half * (1 + k)).ravel()
    weights = (half * weight).ravel() * np.exp(-(nodes**alpha)) / (np.pi * nodes)
    x = np.concatenate([np.linspace(0, 8, 401), np.geomspace(8, 1.02 * FAR, 300)[1:]])
    return CubicSpline(x, np.array([weights @ np.sin(nodes * one) for one in x]))


def stable_cdf(x: npt.ArrayLike, alpha: float) -> Array:
    r"""Distribution function of the symmetric α-stable law with :math:`e^{-|k|^\alpha}`.

    Parameters
    ----------
    x : array (...)
        Where.
    alpha : float
        α in [1, 2]: 1 is Cauchy's law, 2 the normal law with variance 2.

    Returns
    -------
    array (...)
        P(ξ <= x), to about 1e-8.

    Raises
    ------
    ValueError, TypeError
        If an argument is out of its range.

    Notes
    -----
    A Fourier integral up to 40 on either side, and the series of the tail beyond. At α = 2 the
    variance is 2, not 1.

    Examples
    --------
    >>> stable_cdf([0.0, 1.0], 1.0).round(6)
    array([0.5 , 0.75])
    """
    x, alpha = check_array("x", x), _check_alpha(alpha)
    if alpha == 1:
        return np.asarray(0.5 + np.arctan(x) / np.pi)
    if alpha == 2:
        return np.asarray((1 + erf(x / 2)) / 2)
    size = np.abs(x)
    tail = np.zeros_like(size)
    far = np.maximum(size, FAR)
    for n in range(1, TERMS + 1):
        term = gamma(n * alpha) / math.factorial(n) * np.sin(n * np.pi * alpha / 2)
        tail += (-1) ** (n + 1) * term / np.pi * far ** (-n * alpha)
    upper = np.where(size < FAR, _table(alpha)(np.minimum(size, FAR)), 0.5 - tail)
    return np.asarray(0.5 + np.sign(x) * upper)


def stable_draws(size: int, alpha: float, rng: np.random.Generator) -> Array:
    """Draw from the symmetric α-stable law of `stable_cdf`.

    Parameters
    ----------
    size : int
        How many.
    alpha : float
        α in [1, 2].
    rng : numpy.random.Generator
        Source of the draws.

    Returns
    -------
    array (size,)

    Raises
    ------
    ValueError, TypeError
        If an argument is out of its range.

    Notes
    -----
    Chambers, Mallows and Stuck (1976). At α = 2 normal with variance 2.

    Examples
    --------
    >>> draws = stable_draws(100_000, 1.0, np.random.default_rng(0))
    >>> float((draws > 1).mean().round(2))
    0.25
    """
    size, alpha = check_count("size", size), _check_alpha(alpha)
    check_generator("rng", rng)
    u = np.pi * (rng.random(size) - 0.5)
    e = rng.standard_exponential(size)
    if alpha == 1:
        return np.asarray(np.tan(u))
    turned = (np.cos((1 - alpha) * u) / e) ** ((1 - alpha) / alpha)
    return np.asarray(np.sin(alpha * u) / np.cos(u) ** (1 / alpha) * turned)


def log_mean_exit_time(
    gradient: Callable[[Array], npt.ArrayLike],
    *,
    step_size: float,
    alpha: float,
    noise: float,
    start: float,
    ends: tuple[float, float],
    tolerance: float = 1e-2,
) -> float:
    r"""Natural log of the mean step at which descent under stable noise leaves an interval.

    .. math:: \tau(W) = 1 + \int_{\text{inside}} q(W, W')\, \tau(W')\, dW'

    with the density q of W' above, on cells of the interval that are halved until two
    extrapolations in the square of their width agree.

    Parameters
    ----------
    gradient : callable
        G, from an array of W to one of the same shape.
    step_size : float
        T > 0.
    alpha : float
        α in [1, 2].
    noise : float
        σ > 0, in the unit of G.
    start : float
        Where it starts, inside.
    ends : pair of float
        The interval.
    tolerance : float
        Largest error of the logarithm.

    Returns
    -------
    float
        ln τ, in steps.

    Raises
    ------
    ValueError, TypeError
        If an argument is out of its range.
    ArithmeticError
        If the tolerance cannot be met: the noise of a step is narrower than the cells, or τ
        is beyond 1e9, where the difference 1 - Q has lost its digits.

    Notes
    -----
    Not the exit time of the diffusion or of the Lévy process, to which it tends for small
    steps alone.

    Examples
    --------
    >>> log_mean_exit_time(
    ...     lambda w: w, step_size=0.1, alpha=1.5, noise=1.0, start=0.0, ends=(-2.0, 2.0)
    ... ) > 4
    True
    """
    check_callable("gradient", gradient)
    step_size, alpha = check_step_size(step_size), _check_alpha(alpha)
    width = step_size * check_real("noise", noise, above=0)
    low, high = check_array("ends", ends, (2,))
    if not low < high:
        raise ValueError(f"ends must rise; got {low!r}, {high!r}")
    start = check_real("start", start, least=float(low), most=float(high))
    tolerance = check_real("tolerance", tolerance, above=0)

    def time(cells: int) -> float:
        edges = np.linspace(low, high, cells + 1)
        w = np.append((edges[1:] + edges[:-1]) / 2, start)
        slope = check_array("gradient", gradient(w), w.shape)
        inside = stable_cdf((edges - (w - step_size * slope)[:, None]) / width, alpha)
        q = np.diff(inside, axis=1)
        tau = np.linalg.solve(np.eye(cells) - q[:-1], np.ones(cells))
        last = 1 + float(q[-1] @ tau)
        if not 0 < last < 1e9:
            raise ArithmeticError(
                f"the mean time is too long to be known: step_size={step_size!r}, noise={noise!r}"
            )
        return math.log(last)

    logs = [time(cells) for cells in CELLS]
    last, before = (fine + (fine - coarse) / 3 for coarse, fine in (logs[1:], logs[:2]))
    if abs(last - before) > tolerance:
        raise ArithmeticError(
            f"tolerance={tolerance!r} cannot be met: the cells are wider than the noise of a "
            f"step, {width:.3g}"
        )
    return last


def log_jump_time(
    *, step_size: float, alpha: float, noise: float, distances: tuple[float, float]
) -> float:
    r"""Log of the mean step of the one jump that leaves a pit: (2) above.

    Parameters
    ----------
    step_size, alpha, noise
        As in `log_mean_exit_time`, α < 2.
    distances : pair of float
        Of the two edges from the minimum, positive.

    Returns
    -------
    float
        ln τ for T → 0.

    Raises
    ------
    ValueError, TypeError
        If an argument is out of its range.

    Notes
    -----
    `log_mean_exit_time` is exact at any step. At α = 2 there is no such law.

    Examples
    --------
    >>> round(log_jump_time(step_size=0.01, alpha=1.5, noise=1.0, distances=(1.0, 1.0)), 2)
    7.83
    """
    scale = check_step_size(step_size) * check_real("noise", noise, above=0)
    alpha = check_real("alpha", alpha, least=1, below=2)
    d = check_array("distances", distances, (2,))
    if not (d > 0).all():
        raise ValueError(f"distances must be positive; got {distances!r}")
    tail = gamma(alpha) / np.pi * np.sin(np.pi * alpha / 2)  # (1)
    return float(-np.log(tail) - alpha * np.log(scale) - np.log((d**-alpha).sum()))
