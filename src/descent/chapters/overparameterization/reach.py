"""Chapter 8: how far a run steps at first, and what else might order successes."""

from typing import NamedTuple

import numpy as np
from scipy.optimize import minimize
from scipy.special import expit

from descent.arguments import Array

FIRST = 10
"""Steps over which a reach is a mean."""
PERIODS = {"ackley": 1.0, "rastrigin": 1.0, "griewank": 2 * np.pi}
"""Distance of neighbouring minima of each objective, in one dimension."""
LAPSE = 0.02
"""Share of runs, on either side, of which no rule is asked to know anything: without it a single
surprise would decide a comparison."""
LONGEST = 1e6
"""A run that is thrown farther than this, in periods, counts as thrown this far."""


def measures(x: Array, period: float) -> dict[str, Array]:
    """Return what may order the successes of runs x (steps, runs), in periods, each (runs,).

    ``reach``: the mean length of the first `FIRST` steps. ``first``: that of the first one.
    ``longest``: that of the longest one. ``path``: the sum of all.
    """
    lengths = np.abs(np.diff(x, axis=0)) / period
    found = {
        "reach": lengths[:FIRST].mean(0),
        "first": lengths[0],
        "longest": lengths.max(0),
        "path": lengths.sum(0),
    }
    return {name: np.clip(values, 0, LONGEST) for name, values in found.items()}


class Law(NamedTuple):
    """Success against one number: it rises from LAPSE to 1 - LAPSE about where it is even."""

    even: float
    """Where half of the runs succeed."""
    slope: float
    """Of the log-odds, per factor of e."""

    def chance(self, value: Array) -> Array:
        """Return the chance of success at values of the number, of any shape."""
        log = np.log(np.maximum(np.asarray(value, float), 1e-12))
        return np.asarray(LAPSE + (1 - 2 * LAPSE) * expit(self.slope * (log - np.log(self.even))))


def log_loss(chance: Array, reached: Array) -> Array:
    """Return -log of the chance of what happened, of each run, in bits."""
    return np.asarray(-np.log2(np.where(reached, chance, 1 - chance)))


def fit(value: Array, reached: Array) -> Law:
    """Return the law of least log-loss for the successes (runs,) against a number (runs,)."""
    log = np.log(np.maximum(np.asarray(value, float).ravel(), 1e-12))
    hits = np.asarray(reached, bool).ravel()

    def loss(p: Array) -> float:
        return float(log_loss(Law(float(np.exp(p[0])), p[1]).chance(np.exp(log)), hits).mean())

    spread = max(float(log.std()), 1e-3)
    begins = [(np.quantile(log, q), sign / spread) for q in (0.2, 0.5, 0.8) for sign in (1, -1)]
    ends = [minimize(loss, begin, method="Nelder-Mead") for begin in begins]
    best = min(ends, key=lambda end: float(end.fun))
    return Law(float(np.exp(best.x[0])), float(best.x[1]))
