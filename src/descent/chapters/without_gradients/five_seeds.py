"""Chapter 10: the race as it was when five seeds, not ten, chose the settings on the networks."""

from functools import cache
from typing import Any

from descent.chapters.without_gradients import results
from descent.chapters.without_gradients.results import Race
from descent.sweeps import load
from descent.zeroth_order.idea import Setting

FIVE = 5
"""The first of the seeds, which chose alone at first."""
CHOSEN: dict[str, Setting] = {
    "walk of rising order, convex": {"lr": 0.03, "retries": 2},
    "walk of order 2": {"lr": 0.03},
    "covariance gradient": {"spread": 0.1, "decay": 0.99},
    "ensemble Kalman, redrawn": {"spread": 0.5, "noise": 0.5, "regularization": 0.001},
    "RandomGrad, momentum to the best": {"lr": 0.03, "h": 0.01},
    "never zeroed": {"lr": 0.001, "h": 0.01},
    "breeding": {"lr": 0.1, "period": 5},
    "smoothed direction": {"lr": 0.1, "h": 0.01},
    "cma": {"scale": 0.1},
}
"""The choices on the networks that ten seeds changed."""


def by_five(frame: Any) -> Any:
    """Return a table of the tuning with its first five seeds alone."""
    return frame.assign(left=[logs[:FIVE] for logs in frame["left"]])


@cache
def _runs() -> dict[str, Any]:
    return dict(tuple(load("10-race-by-five").groupby("problem")))


def race_by_five(race: Race) -> Race:
    """Return the race with those runs whose settings five seeds chose."""
    former = results.collect(_runs())
    return {problem: {**runs, **former.get(problem, {})} for problem, runs in race.items()}
