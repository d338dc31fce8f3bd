"""Chapter 10: what the table of COCO's functions says: runtime profiles, groups, comparisons."""

from collections.abc import Mapping
from typing import Any

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
Reached = Mapping[str, Array]
"""Shares of the targets reached (dimensions, functions, spent), by method."""


def collect(frame: Any) -> dict[str, Array]:
    """Return the shares by method, from the table."""
    found = {}
    for method, rows in frame.groupby("method", sort=False):
        counts = rows.set_index("d").loc[list(DIMENSIONS), "reached"].tolist()
        found[str(method)] = np.array(counts, float) / (len(INSTANCES) * len(TARGETS))
    return found


def profile(reached: Reached, method: str, d: int | None = None) -> Array:
    """Return the share of all targets reached at each budget, in all dimensions or in one."""
    shares = reached[method]
    at = shares if d is None else shares[[DIMENSIONS.index(d)]]
    return np.asarray(at.mean((0, 1)))


def end(reached: Reached, method: str, d: int | None = None) -> float:
    """Return the share of all targets reached at the end."""
    return float(profile(reached, method, d)[-1])


def by_group(reached: Reached, method: str) -> list[float]:
    """Return the share reached at the end in each of COCO's groups."""
    last = reached[method][..., -1].mean(0)
    return [float(last[[FUNCTIONS.index(n) for n in group]].mean()) for group in GROUPS.values()]


def outcome(reached: Reached, method: str, base: str) -> int:
    """Return 1 if a method reaches more than another, -1 if less, 0 if the test cannot tell.

    Two-sided signed-rank test over the 24 functions, level `LEVEL`, on the share that is reached
    at the end; what the test's ranks favour is the better one, and not the mean, which a few
    functions can turn. 0 where one of them did not run, as those that are told residuals.
    """
    if method not in reached or base not in reached:
        return 0
    ahead = (reached[method] - reached[base])[..., -1].mean(0)
    if not ahead.any() or stats.wilcoxon(ahead).pvalue > LEVEL:
        return 0
    differ = ahead[ahead != 0]
    return 1 if np.sign(differ) @ stats.rankdata(np.abs(differ)) > 0 else -1


def ranked(reached: Reached) -> list[str]:
    """Return the methods by the share that they reach, the highest first."""
    return sorted(reached, key=lambda name: -end(reached, name))
