"""Chapter 10: what the race's tables say: quartiles, data profiles, verdicts."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy import stats

from descent.arguments import Array
from descent.chapters.without_gradients.bullets import BULLETS, Bullet
from descent.chapters.without_gradients.numbers import CHECKPOINTS, LANDSCAPES
from descent.estimates import wilson

SIGNIFICANCE = 0.01
"""Level of the rank-sum test that decides who wins on a problem."""


@dataclass(frozen=True, eq=False)
class Runs:
    """All runs of one method on one problem.

    Parameters
    ----------
    best : array (seeds, checkpoints)
        Best loss above the minimum after each of `CHECKPOINTS` evaluations.
    start : array (seeds,)
        Loss above the minimum at the start.
    accuracy : array (seeds,)
        Share of unseen data that is classified rightly; NaN where there are no classes.
    """

    best: Array
    start: Array
    accuracy: Array

    @property
    def final(self) -> Array:
        """The best losses at the end."""
        return self.best[:, -1]

    def quartiles(self) -> Array:
        """Return lower quartile, median and upper quartile (3, checkpoints) over the seeds."""
        return np.asarray(np.quantile(self.best, [0.25, 0.5, 0.75], axis=0))


Race = Mapping[str, Mapping[str, Runs]]
"""Runs by problem and method."""


def collect(frames: Mapping[str, Any]) -> dict[str, dict[str, Runs]]:
    """Return the runs by problem and method, from one data frame a problem."""
    race: dict[str, dict[str, Runs]] = {}
    for name, frame in frames.items():
        race[name] = {}
        for method, rows in frame.groupby("method", sort=False):
            rows = rows.sort_values("seed")
            race[name][method] = Runs(
                np.array(rows["best"].tolist(), float),
                rows["start"].to_numpy(float),
                rows["accuracy"].to_numpy(float),
            )
    return race


def lowest(runs: Mapping[str, Runs], name: str) -> Array:
    """Return the loss that counts as the minimum, for each seed (Moré and Wild's f_L).

    The landscapes' is known; a network's is the least that any method found.
    """
    if name in LANDSCAPES:
        return np.zeros(len(next(iter(runs.values())).start))
    return np.asarray(np.min([r.final for r in runs.values()], axis=0))


def solved(race: Race, method: str, tolerance: float) -> Array:
    r"""Return which runs have solved their problem, (problems, seeds, checkpoints).

    Solved means :math:`f \le f_L + \tau (f_0 - f_L)`, with the tolerance τ and the loss
    :math:`f_0` at the start.

    Notes
    -----
    Moré and Wild, "Benchmarking derivative-free optimization algorithms", equation 2.2.
    """
    hit = []
    for name, runs in race.items():
        least = lowest(runs, name)
        goal = least + tolerance * (runs[method].start - least)
        hit.append(runs[method].best <= goal[:, None])
    return np.array(hit)


def data_profile(race: Race, method: str, tolerance: float) -> Array:
    """Return the share of (problem, seed) pairs that are solved after each checkpoint."""
    return np.asarray(solved(race, method, tolerance).mean((0, 1)))


def share_solved(race: Race, method: str, tolerance: float) -> tuple[float, float, float]:
    """Return the share solved at the end with its 95 % Wilson interval."""
    hits = solved(race, method, tolerance)[..., -1]
    return float(hits.mean()), *wilson(hits.sum(), hits.size)


def comparison(runs: Mapping[str, Runs], method: str, base: str) -> int:
    """Return 1 if a method ends lower than another, -1 if higher, 0 if the test cannot tell.

    Two-sided rank-sum test on the final losses, level `SIGNIFICANCE`.
    """
    ours, theirs = runs[method].final, runs[base].final
    if stats.mannwhitneyu(ours, theirs).pvalue > SIGNIFICANCE:
        return 0
    return 1 if np.median(ours) < np.median(theirs) else -1


def verdict(outcomes: Sequence[int]) -> str:
    """Return keep, drop or open from an idea's outcomes on the problems.

    Keep: it wins on at least two problems and on more than it loses. Drop: it loses on at
    least two and on more than it wins.
    """
    won, lost = sum(o > 0 for o in outcomes), sum(o < 0 for o in outcomes)
    if won >= 2 and won > lost:
        return "keep"
    return "drop" if lost >= 2 and lost > won else "open"


def mean_ranks(race: Race, methods: Sequence[str]) -> dict[str, float]:
    """Return the mean rank of each method's final loss over problems and seeds, 1 the best."""
    finals = np.array([[runs[m].final for m in methods] for runs in race.values()])
    ranks = stats.rankdata(finals, axis=1).mean((0, 2))
    return dict(zip(methods, ranks.tolist(), strict=True))


def evaluations_to(runs: Runs, share: float) -> Array:
    """Return the first checkpoint at which each run has a given share of its start's loss left.

    Infinite for a run that never gets there.
    """
    reached = runs.best <= share * runs.start[:, None]
    first = np.array(CHECKPOINTS, float)[reached.argmax(1)]
    return np.where(reached.any(1), first, np.inf)


def outcomes(race: Race, method: str, base: str) -> list[int]:
    """Return the comparisons of a method with its base on all problems."""
    return [comparison(runs, method, base) for runs in race.values()]


def wins(race: Race, method: str, base: str) -> int:
    """Return on how many problems a method ends lower than another, beyond chance."""
    return outcomes(race, method, base).count(1)


def bullet_verdict(race: Race, bullet: Bullet) -> str:
    """Return the most favourable verdict among a bullet's methods, or "shown" if it has none."""
    found = {verdict(outcomes(race, method, bullet.base)) for method in bullet.methods}
    return next((word for word in ("keep", "open", "drop") if word in found), "shown")


def numbers_of(race: Race, word: str) -> list[int]:
    """Return the numbers of the list's lines that have a verdict."""
    return [n for n, bullet in enumerate(BULLETS, 1) if bullet_verdict(race, bullet) == word]
