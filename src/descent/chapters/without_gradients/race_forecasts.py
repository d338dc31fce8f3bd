"""Chapter 10: what was expected of the race before its tables were computed.

Each forecast is a sentence and its test on the tables; a failed one stays as it was written.
"""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from descent.chapters.without_gradients import reached, results
from descent.chapters.without_gradients.bullets import BULLETS
from descent.chapters.without_gradients.informed import LEAST_SQUARES
from descent.chapters.without_gradients.methods import OURS
from descent.chapters.without_gradients.peers import AS_DOCUMENTED
from descent.chapters.without_gradients.reached import Reached
from descent.chapters.without_gradients.results import Race
from descent.zeroth_order import REGISTRY

ILL = 2
"""The place of the ill-conditioned functions among COCO's groups."""


class Forecast(NamedTuple):
    """A sentence, and what it says of the tables."""

    words: str
    holds: Callable[[Race, Reached], bool]


def _is(number: int, word: str) -> Callable[[Race, Reached], bool]:
    return lambda race, shares: results.bullet_verdict(race, shares, BULLETS[number - 1]) == word


def best_listed(shares: Reached) -> str:
    """Return the list's method that reaches most of COCO's targets."""
    return next(name for name in reached.ranked(shares) if name in OURS)


def _ends(race: Race, problem: str, method: str) -> float:
    return float(np.median(race[problem][method].final))


FORECASTS = (
    Forecast(
        "Ensemble Kalman inversion, line 5, is not kept once it meets least squares.",
        lambda race, shares: not _is(5, "keep")(race, shares),
    ),
    Forecast(
        "Least squares ends below ensemble Kalman inversion on Rosenbrock's function, the network "
        "fit and the digits, and above it on Ackley's function.",
        lambda race, shares: (
            results.outcomes(race, LEAST_SQUARES, "ensemble Kalman, redrawn")[1:2]
            + results.outcomes(race, LEAST_SQUARES, "ensemble Kalman, redrawn")[3:]
            == [1, 1, 1]
            and results.outcomes(race, LEAST_SQUARES, "ensemble Kalman, redrawn")[0] == -1
        ),
    ),
    Forecast("Own starts for a swarm, line 8, come out open.", _is(8, "open")),
    Forecast(
        "No line of the list is kept.",
        lambda race, shares: not results.numbers_of(race, shares, "keep"),
    ),
    Forecast(
        "With ten seeds the two versions of CMA-ES end within a factor of 100 of each other on "
        "Ackley's function; with one seed they ended further apart.",
        lambda race, shares: bool(
            abs(np.log10(_ends(race, "ackley", "cma") / _ends(race, "ackley", "cmaes"))) <= 2
        ),
    ),
    Forecast(
        "CMA-ES as documented reaches 30 to 40 % of COCO's targets, random search 5 to 12 %.",
        lambda race, shares: (
            0.30 <= reached.end(shares, AS_DOCUMENTED) <= 0.40
            and 0.05 <= reached.end(shares, "random search") <= 0.12
        ),
    ),
    Forecast(
        "The library's own CMA-ES is within three points of the package cma as documented.",
        lambda race, shares: (
            abs(
                reached.end(shares, REGISTRY["covariance-adaptation"].name)
                - reached.end(shares, AS_DOCUMENTED)
            )
            <= 0.03
        ),
    ),
    Forecast(
        "The best of the list on COCO is the parabola on a line or the evolution strategy, between "
        "20 and 28 %.",
        lambda race, shares: (
            best_listed(shares) in {REGISTRY[s].name for s in ("line-parabola", "evolution")}
            and 0.20 <= reached.end(shares, best_listed(shares)) <= 0.28
        ),
    ),
    Forecast(
        "Nothing of the list comes to half of what CMA-ES as documented reaches on the "
        "ill-conditioned functions.",
        lambda race, shares: all(
            reached.by_group(shares, name)[ILL] < reached.by_group(shares, AS_DOCUMENTED)[ILL] / 2
            for name in OURS
            if name in shares
        ),
    ),
    Forecast(
        "Every method of the list that is told a loss alone reaches more than random search.",
        lambda race, shares: all(
            reached.end(shares, name) > reached.end(shares, "random search")
            for name in OURS
            if name in shares
        ),
    ),
    Forecast(
        "COCO overturns no verdict: the race alone gives every line the same word.",
        lambda race, shares: all(
            results.numbers_of(race, shares, word) == results.numbers_of(race, {}, word)
            for word in ("keep", "drop", "open")
        ),
    ),
)
