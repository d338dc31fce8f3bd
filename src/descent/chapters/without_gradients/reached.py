"""Chapter 10: what the table of COCO's functions says: runtime profiles, groups, comparisons."""

from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any, NamedTuple

import numpy as np
from scipy import stats

from descent.arguments import Array
from descent.chapters.without_gradients.coco import (
    DIMENSIONS,
    FUNCTIONS,
    GROUPS,
    INSTANCES,
    TARGETS,
)

LEVEL = 0.01
"""Level of the signed-rank test over the functions."""
RESAMPLES = 2000
"""Draws of functions and instances of which an interval is made."""


class Share(NamedTuple):
    """Shares of the targets that a method reaches.

    ``spent``, (dimensions, spent): after each budget, over functions and instances; ``ended``,
    (dimensions, functions, instances): at the end.
    """

    spent: Array
    ended: Array


Reached = Mapping[str, Share]
"""Shares of the targets reached, by method."""


def collect(frame: Any) -> dict[str, Share]:
    """Return the shares by method, from the table."""
    found = {}
    for method, rows in frame.groupby("method", sort=False):
        each = rows.set_index("instance").loc[list(INSTANCES)]
        spent, ended = (np.array(each[name].tolist(), float) for name in ("spent", "ended"))
        found[str(method)] = Share(
            spent.mean(0) / (len(FUNCTIONS) * len(TARGETS)),
            np.moveaxis(ended, 0, -1) / len(TARGETS),
        )
    return found


def of_instances(reached: Reached, instances: Sequence[int]) -> dict[str, Share]:
    """Return the shares at the end on some of the instances alone; their profiles stay."""
    at = [INSTANCES.index(instance) for instance in instances]
    return {name: share._replace(ended=share.ended[..., at]) for name, share in reached.items()}


def profile(reached: Reached, method: str) -> Array:
    """Return the share of all targets reached at each budget."""
    return np.asarray(reached[method].spent.mean(0))


def end(reached: Reached, method: str, d: int | None = None) -> float:
    """Return the share of all targets reached at the end, in all dimensions or in one."""
    shares = reached[method].ended
    return float(shares.mean() if d is None else shares[DIMENSIONS.index(d)].mean())


def by_function(reached: Reached, method: str) -> Array:
    """Return the share reached at the end of each function's targets."""
    return np.asarray(reached[method].ended.mean((0, 2)))


def by_group(reached: Reached, method: str) -> list[float]:
    """Return the share reached at the end in each of COCO's groups."""
    last = by_function(reached, method)
    return [float(last[[FUNCTIONS.index(n) for n in group]].mean()) for group in GROUPS.values()]


def outcome(reached: Reached, method: str, base: str) -> int:
    """Return 1 if a method reaches more than another, -1 if less, 0 if the test cannot tell.

    Two-sided signed-rank test over the 24 functions, level `LEVEL`, on the share that is reached
    at the end; what the test's ranks favour is the better one, and not the mean, which a few
    functions can turn. 0 where one of them did not run, as those that are told residuals.
    """
    if method not in reached or base not in reached:
        return 0
    ahead = by_function(reached, method) - by_function(reached, base)
    if not ahead.any() or stats.wilcoxon(ahead).pvalue > LEVEL:
        return 0
    differ = ahead[ahead != 0]
    return 1 if np.sign(differ) @ stats.rankdata(np.abs(differ)) > 0 else -1


def ranked(reached: Reached) -> list[str]:
    """Return the methods by the share that they reach, the highest first."""
    return sorted(reached, key=lambda name: -end(reached, name))


@cache
def _draws() -> tuple[Any, Any]:
    """Return functions (draws, functions, 1), and instances of each (draws, functions, instances).

    Drawn are functions, and for each of those drawn its instances anew.
    """
    rng = np.random.default_rng(0)
    n, m = len(FUNCTIONS), len(INSTANCES)
    functions = rng.integers(n, size=(RESAMPLES, n, 1))
    return functions, rng.integers(m, size=(RESAMPLES, n, m))


def resampled(shares: Array) -> Array:
    """Return the mean share (draws,) over functions and instances that are drawn anew.

    ``shares``, (dimensions, functions, instances); all dimensions stay.
    """
    return np.asarray(shares.mean(0)[_draws()].mean((1, 2)))


def interval(shares: Array) -> tuple[float, float]:
    """Return the 95 % bootstrap interval of a mean share, or of a difference of two."""
    low, high = np.quantile(resampled(shares), (0.025, 0.975))
    return float(low), float(high)


def lead(reached: Reached, method: str, base: str) -> tuple[float, float]:
    """Return the interval of what a method reaches beyond another on the same instances."""
    return interval(reached[method].ended - reached[base].ended)


def by_interval(reached: Reached, method: str, base: str) -> int:
    """Return 1 where the interval of a difference is above zero, -1 below it, 0 if it holds it."""
    low, high = lead(reached, method, base)
    return int(low > 0) - int(high < 0)


def told_apart(reached: Reached, method: str, base: str) -> bool:
    """Return whether zero is outside the interval of their difference."""
    return by_interval(reached, method, base) != 0
