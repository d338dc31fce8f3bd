"""Chapter 8: how far a run steps at first, and what else might order successes."""

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
from scipy.optimize import minimize
from scipy.special import expit
from scipy.stats import spearmanr

from descent.arguments import Array
from descent.chapters.overparameterization.numbers import DISTANCE

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


def ripple(gradient: Callable[[Array], Array], x: Array, period: float) -> Array:
    """Return the numbers of the ripples into which places x run down, of the shape of x.

    The k-th ripple has its minimum near k periods. On a slope its ends are not half-way between
    two minima, so that near them the sign of f' decides.
    """
    nearest = np.round(x / period)
    off = x / period - nearest
    across = (np.abs(off) > 0.25) & (np.sign(gradient(x[..., None])[..., 0]) == -np.sign(off))
    return np.asarray(nearest + np.where(across, np.sign(off), 0))


class Law(NamedTuple):
    """Success against one number: it rises from LAPSE to 1 - LAPSE about where it is even."""

    even: float
    """Where half of the runs succeed."""
    slope: float
    """Of the log-odds, per factor of e."""

    def chance(self, value: npt.ArrayLike) -> Array:
        """Return the chance of success at values of the number, of any shape."""
        log = np.log(np.maximum(np.asarray(value, float), 1e-12))
        return np.asarray(LAPSE + (1 - 2 * LAPSE) * expit(self.slope * (log - np.log(self.even))))


def log_loss(chance: Array, reached: npt.NDArray[Any]) -> Array:
    """Return -log of the chance of what happened, of each run, in bits."""
    return np.asarray(-np.log2(np.where(reached, chance, 1 - chance)))


def fit(value: Array, reached: npt.NDArray[Any]) -> Law:
    """Return the law of least log-loss for the successes (runs,) against a number (runs,)."""
    log = np.log(np.maximum(np.asarray(value, float).ravel(), 1e-12))
    hits = np.asarray(reached, bool).ravel()

    edges = log.min() - 30, log.max() + 30  # where there is no rise, half lies far outside

    def law(p: Array) -> Law:
        return Law(float(np.exp(np.clip(p[0], *edges))), float(p[1]))

    def loss(p: Array) -> float:
        return float(log_loss(law(p).chance(np.exp(log)), hits).mean())

    spread = max(float(log.std()), 1e-3)
    begins = [(np.quantile(log, q), sign / spread) for q in (0.2, 0.5, 0.8) for sign in (1, -1)]
    ends = [minimize(loss, begin, method="Nelder-Mead") for begin in begins]
    best = min(ends, key=lambda end: float(end.fun))
    return law(best.x)


# Which number orders successes best.

KNOWN = {
    "reach": "mean of ten steps",
    "first": "first step",
    "longest": "longest step",
    "path": "whole path",
    "effective": "step without memory",
    "learning_rate": "learning rate",
    "weights": "number of weights",
    "rate_by_weights": "rate times weights",
}
"""The numbers that are held against each other, one a run, with what the reader sees."""


def runs_of(
    frame: Any, outcome: str = "reached"
) -> tuple[dict[str, Array], npt.NDArray[Any], npt.NDArray[Any]]:
    """Return the runs of a table of settings: their numbers, outcomes, and settings, (runs,).

    The outcome is "reached" or "left": that the run ends at the minimum, or elsewhere than in the
    ripple that it began in (`reach_sweeps.load`).
    """
    happened = np.array(frame[outcome].tolist(), bool)
    n = happened[0].size
    numbers = {
        name: np.array(frame[name].tolist()).reshape(len(frame), n)
        for name in ("reach", "first", "longest", "path", "effective")
    }
    rate, weights = frame["learning_rate"].to_numpy(), frame["weights"].to_numpy(float)
    for name, value in (
        ("learning_rate", rate),
        ("weights", weights),
        ("rate_by_weights", rate * weights),
    ):
        numbers[name] = np.repeat(value[:, None], n, axis=1)
    setting = np.repeat(np.arange(len(frame)), n)
    return {name: numbers[name].ravel() for name in KNOWN}, happened.ravel(), setting


def even_of(frame: Any, outcome: str = "reached") -> float:
    """Return the reach at which half of the runs of a table have an outcome."""
    numbers, happened, _ = runs_of(frame, outcome)
    return fit(numbers["reach"], happened).even


class Score(NamedTuple):
    """How well a number foretells successes on settings that its law was not fitted to."""

    law: Law
    rank: float
    """Spearman's correlation of a setting's median with its share of successes."""
    loss: float
    """Mean log-loss of a run, in bits; each setting counts alike."""
    low: float
    """Of the 95 % interval over settings, of its excess over the loss of the reach."""
    high: float


def scores(
    found: Any, held_out: Any, outcome: str = "reached", n_draws: int = 2000, seed: int = 0
) -> dict[str, Score]:
    """Fit a law for each number on the one table, and score it on the other.

    Every number has the same runs and the same two parameters. The interval is that of settings
    drawn anew, the same ones for all numbers.
    """
    seen, hits, _ = runs_of(found, outcome)
    fresh, outcomes, setting = runs_of(held_out, outcome)
    n = setting[-1] + 1
    draws = np.random.default_rng(seed).integers(0, n, (n_draws, n))
    shares = outcomes.reshape(n, -1).mean(1)
    result, losses = {}, {}
    for name in KNOWN:
        law = fit(seen[name], hits)
        losses[name] = log_loss(law.chance(fresh[name]), outcomes).reshape(n, -1).mean(1)
        excess = (losses[name] - losses["reach"])[draws].mean(1)
        low, high = np.quantile(excess, [0.025, 0.975])
        rank = spearmanr(np.median(fresh[name].reshape(n, -1), axis=1), shares).statistic
        result[name] = Score(law, float(rank), float(losses[name].mean()), float(low), float(high))
    return result


# What was foretold from the table 08-reach-found, before the other two tables were computed.

WITHIN = 3.0
"""Foretold: each kind of run whose steps become short at the minimum is even where the law is, up
to this factor. The kinds: other networks, networks with a falling rate, with plain descent, on
other ripples, and descent in x with a falling step."""
BEATEN = ("first", "longest", "path", "effective", "learning_rate", "weights", "rate_by_weights")
"""Foretold: these numbers leave more open on such runs than the reach does, each beyond the
interval of its excess. The nearest rival is ``effective``: on the runs that the law was found on
it leaves less open than the reach, and it should fail where the optimizer has another memory."""
NEVER_SETTLES = 0.5
"""Foretold: constant steps in x succeed in less than this share at any reach, since they never
become short, also where the law gives nearly all."""
LEAVES_WITHIN = 3.0
"""Foretold when the 31 settings without a network had been seen, and before those with networks:
the reach says who *leaves*, whatever becomes of them. Each kind, constant steps and other ripples
included, leaves where the law of leaving is even, up to this factor, and each rival leaves more
open. That `WITHIN` fails was seen then: Adam in x with a falling rate leaves, and does not
arrive, since its steps do not shorten where the function is flat."""
MAP_AGREES = 0.8
"""Foretold: in this share of the map at least, success is over one half just where a rate lies
between `window`'s two, and in more than half of the places within it is."""


def window(tangent: Callable[[float], float], shift: float, even: float) -> tuple[float, float]:
    r"""Return the least rate that leaves the start c + 10, and the greatest that rests at c.

    .. math:: \frac{s}{A(c + 10)} < \eta < \frac{s}{A(c)}

    What frees a network from a local minimum frees it from the global one, too. Where 0 lies on
    the way it would have to leave that as well, where A is least: there is no such rate.

    Parameters
    ----------
    tangent : callable
        A: Σ |∂x/∂w| of networks at a place.
    shift : float
        c.
    even : float
        s: the step without memory, in ripples, at which half of the runs succeed.
    """
    start = shift + DISTANCE
    return even / tangent(0.0 if shift < 0 < start else start), even / tangent(shift)


def tangents(frame: Any) -> Callable[[float], float]:
    """Return Σ |∂x/∂w| at a place, from what the starts of a map had before their runs."""
    starts = np.abs(frame["shift"].to_numpy() + DISTANCE)
    sums = np.array([np.median(row) for row in frame["effective"]]) / frame["learning_rate"]
    places = np.unique(starts)
    medians = [float(np.median(sums[starts == place])) for place in places]
    return lambda x: float(np.interp(abs(x), places, medians))


class Agreement(NamedTuple):
    """How a map agrees with `window`: of all its places, and of those within."""

    places: int
    agree: int
    within: int
    succeed: int
    """Of those within."""
    outside: int
    """Successes that lie outside of it."""


def agreement(frame: Any, even: float) -> Agreement:
    """Return where more than half of the runs of a map succeed, beside where they should."""
    tangent = tangents(frame)
    ends = [window(tangent, shift, even) for shift in frame["shift"]]
    pairs = zip(ends, frame["learning_rate"], strict=True)
    within = np.array([low < rate < high for (low, high), rate in pairs])
    succeed = np.array([np.mean(row) > 0.5 for row in frame["reached"]])
    return Agreement(
        len(frame),
        int((within == succeed).sum()),
        int(within.sum()),
        int((within & succeed).sum()),
        int((succeed & ~within).sum()),
    )
