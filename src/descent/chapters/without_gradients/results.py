"""Chapter 10: what the race's tables say: quartiles, ranks, verdicts."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy import stats

from descent.arguments import Array
from descent.chapters.without_gradients import reached
from descent.chapters.without_gradients.bullets import BULLETS, Bullet
from descent.chapters.without_gradients.numbers import CHECKPOINTS
from descent.chapters.without_gradients.reached import Reached

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


def comparison(runs: Mapping[str, Runs], method: str, base: str) -> int:
    """Return 1 if a method ends lower than another, -1 if higher, 0 if the test cannot tell.

    Two-sided rank-sum test on the final losses, level `SIGNIFICANCE`.
    """
    return lower(runs[method].final, runs[base].final)


def lower(ours: Array, theirs: Array) -> int:
    """Return 1 if some losses are lower than others, -1 if higher, 0 if the test cannot tell."""
    test = stats.mannwhitneyu(ours, theirs)
    if test.pvalue > SIGNIFICANCE:
        return 0
    # Of the pairs, half would be won by chance; medians may be equal where the ranks are not.
    return 1 if test.statistic < len(ours) * len(theirs) / 2 else -1


def verdict(outcomes: Sequence[int], on_coco: int = 0) -> str:
    """Return keep, drop or open from an idea's outcomes on the problems and on COCO's functions.

    Keep: it wins on at least two problems and on more than it loses, and it does not lose on
    COCO's functions. Drop: it loses on at least two problems and on more than it wins, and it
    does not win on COCO's functions. The rest is open. The rule was written before the runs.
    """
    won, lost = sum(o > 0 for o in outcomes), sum(o < 0 for o in outcomes)
    if won >= 2 and won > lost and on_coco >= 0:
        return "keep"
    return "drop" if lost >= 2 and lost > won and on_coco <= 0 else "open"


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


def judged(race: Race, found: Reached, method: str, base: str) -> str:
    """Return the verdict on a method against its base."""
    return verdict(outcomes(race, method, base), reached.outcome(found, method, base))


def bullet_verdict(race: Race, shares: Reached, bullet: Bullet) -> str:
    """Return the most favourable verdict among a bullet's methods, or "shown" if it has none."""
    found = {judged(race, shares, method, bullet.base) for method in bullet.methods}
    return next((word for word in ("keep", "open", "drop") if word in found), "shown")


def best_reading(race: Race, shares: Reached, bullet: Bullet) -> str:
    """Return the method that a bullet's verdict is for, of several the one that wins most."""
    word = bullet_verdict(race, shares, bullet)
    deciding = [m for m in bullet.methods if judged(race, shares, m, bullet.base) == word]
    return max(deciding, key=lambda method: sum(outcomes(race, method, bullet.base)))


def numbers_of(race: Race, shares: Reached, word: str) -> list[int]:
    """Return the numbers of the list's lines that have a verdict."""
    verdicts = [bullet_verdict(race, shares, bullet) for bullet in BULLETS]
    return [n for n, found in enumerate(verdicts, 1) if found == word]
