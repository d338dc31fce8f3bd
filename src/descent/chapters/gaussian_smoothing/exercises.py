"""Chapter 7: the answers to its exercises, and what comes of mistakes."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from descent.chapters.gaussian_smoothing import race
from descent.search_distributions import NO_CLIPPING, score_function_ascent
from descent.smoothing import smoothed_sinc
from descent.smoothing.ascent import ascend

FAR = 33.0
SAMPLES = 3


def smoothed_parabola() -> Callable[[float, float], float]:
    """Return the mean of -(x + sigma z - 2)² as a function of x and sigma."""
    return lambda x, sigma: -((x - 2) ** 2) - sigma**2


def parabola_by_half_the_variance() -> Callable[[float, float], float]:
    """Return what comes of sigma²/2 in place of sigma²."""
    return lambda x, sigma: -((x - 2) ** 2) - sigma**2 / 2


def parabola_itself() -> Callable[[float, float], float]:
    """Return the parabola without the average."""
    return lambda x, sigma: -((x - 2) ** 2)


def places_and_widths() -> list[tuple[float, float]]:
    """Return x and sigma at which the function is tried."""
    return [(0.5, 1.5), (2.0, 0.0), (-1.0, 3.0)]


def width_that_comes_home() -> float:
    """Return the least sigma from which a start at 33 climbs home, by bisection."""
    low, high = 4.0, 8.0
    while high - low > 0.05:
        middle = (low + high) / 2
        home = abs(float(ascend(smoothed_sinc, FAR, middle).x[0])) < 1.0
        low, high = (low, middle) if home else (middle, high)
    return high


def width_of_the_distance() -> float:
    """Return the distance itself."""
    return FAR


def factor_of_the_gradient() -> float:
    """Return the share of the gradient that the mean of all values leaves: (n - 1)/n."""
    return (SAMPLES - 1) / SAMPLES


def stays_positive_without_repairs() -> str:
    """Return whether every run with the baseline alone keeps a positive definite covariance."""
    for k in range(10):
        run = score_function_ascent(
            race.PROBLEMS["Ackley"].f,
            [3.0, -2.0],
            4 * np.eye(2),
            200,
            np.random.default_rng([9, k]),
            baseline=True,
            clipping=NO_CLIPPING,
        )
        if run.status != "completed":
            return "no"
    return "yes"
