"""Chapter 7: smoothed landscapes of one variable, exactly, and what a climb on them reaches."""

from functools import cache

import numpy as np
import numpy.typing as npt

from descent.arguments import Array
from descent.chapters.gaussian_smoothing.sampled_ascent import FUNCTIONS, N_STARTS, reached
from descent.kept import kept
from descent.landscapes import floored_sinc, stationary_points
from descent.smoothing import REACH, smoothed_floored_sinc, smoothed_sinc
from descent.smoothing.ascent import Climb, Smoother, ascend, graduated_ascent

SMOOTHED: dict[str, Smoother] = {"sinc": smoothed_sinc, "floored": smoothed_floored_sinc}
STARTS = np.linspace(-20, 20, N_STARTS)
SIGMAS = np.geomspace(0.1, 10, 21)


@cache
def climbs(function: str, sigma: float) -> Climb:
    """Climb in x and σ from every start at one σ, along the exact gradient."""
    return ascend(SMOOTHED[function], STARTS, sigma)


@cache
def graduated(function: str, sigma: float, factor: float = 0.8) -> Climb:
    """Climb in x alone from every start, while σ falls from its first value to 0.01."""
    n = int(np.ceil(np.log(0.01 / sigma) / np.log(factor)))
    return graduated_ascent(SMOOTHED[function], STARTS, list(sigma * factor ** np.arange(n + 1)))


@cache
def unimodal_interval(function: str, sigma: float, reach: float = 30.0) -> tuple[float, float]:
    """Return the interval around the top of f_σ on which f_σ rises to it from both sides.

    The ends are the nearest minima, to two hundredths; infinite if there is none up to
    ``reach``.
    """
    x = np.arange(-reach, reach, 0.02)
    value, slope, _ = SMOOTHED[function](x, np.full(x.shape, sigma))
    top = int(value.argmax())
    right, left = np.nonzero(slope[top + 3 :] > 1e-12)[0], np.nonzero(slope[: top - 2] < -1e-12)[0]
    return (
        float(x[left[-1]]) if len(left) else -np.inf,
        float(x[top + 3 + right[0]]) if len(right) else np.inf,
    )


def outside_hill(function: str) -> npt.NDArray[np.bool_]:
    """Whether a start lies beyond the foot of the highest peak, where f itself leads elsewhere."""
    low, high = unimodal_interval(function, 0.1)
    return np.asarray((low > STARTS) | (high < STARTS))


def arrivals(function: str, sigma: float) -> npt.NDArray[np.bool_]:
    """Whether the exact climb from each start ends on the highest peak."""
    return reached(function, climbs(function, sigma).x)


@kept
def basin(function: str) -> npt.NDArray[np.bool_]:
    """Return the arrivals for every σ (rows) and every start (columns)."""
    return np.array([arrivals(function, float(sigma)) for sigma in SIGMAS])


def maxima_of_sinc(reach: float = 20.0) -> Array:
    """Return the places of the maxima of sin(x)/x on (-reach, reach)."""
    points = stationary_points(lambda x: x * np.cos(x) - np.sin(x), 0.5, reach)
    tops = points[np.sin(points) / points > 0]
    return np.concatenate([-tops[::-1], [0.0], tops])


def plateaus(reach: float = 20.0) -> list[tuple[float, float]]:
    """Return the ends of the plateaus of the floored function that are local maxima."""
    x = np.arange(-reach, reach, 1e-3)
    f = FUNCTIONS["floored"](x)
    edges = np.concatenate([[0], np.nonzero(np.diff(f))[0] + 1])
    heights = f[edges]
    return [
        (float(x[edges[k]]), float(x[edges[k + 1]]))
        for k in range(1, len(edges) - 1)
        if heights[k] > max(heights[k - 1], heights[k + 1])
    ]


def top_plateau() -> tuple[float, float]:
    """Return the ends of the plateau of height 11, where 10 sin(x)/x + 4 sin(x) = 11."""
    ends = stationary_points(
        lambda x: np.sin(x) * (4 * np.asarray(x) + 10) - 11 * np.asarray(x), 0.1, 3.0
    )
    return float(ends[0]), float(ends[1])


def terraces(sigma: float = 0.1) -> tuple[float, float]:
    """Return where most climbs of the staircase freeze one step below its top, left and right."""
    ends = climbs("floored", sigma).x
    left, right = top_plateau()
    below = ends[floored_sinc(ends) == floored_sinc((left + right) / 2) - 1]
    return float(np.median(below[below < left])), float(np.median(below[below > right]))


def by_quadrature(function: str, x: float, sigma: float, n: int = 400_001) -> tuple[Array, Array]:
    """Return the nodes t and the product f(t) N(t; x, σ²) whose area is f_σ(x)."""
    t = np.linspace(x - REACH * sigma, x + REACH * sigma, n)
    return t, FUNCTIONS[function](t) * normal_density(t, x, sigma)


def normal_density(t: Array, mean: float, sigma: float) -> Array:
    """Return the density of N(mean, σ²) at t."""
    return np.asarray(np.exp(-(((t - mean) / sigma) ** 2) / 2) / (sigma * np.sqrt(2 * np.pi)))
