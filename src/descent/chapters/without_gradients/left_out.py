"""Chapter 10: what the list leaves out, on three bowls, beside what it has."""

from collections.abc import Mapping

import numpy as np

from descent.arguments import Array
from descent.chapters.without_gradients.pictures import digits
from descent.zeroth_order.registry import REGISTRY

DIMENSION = 5
BUDGET = 1000
"""Evaluations of each run."""
LONG = 1e4
"""The largest curvature of the long bowls, whose smallest is 1."""
ON_THE_LIST = ("evolution", "particle-swarm", "gravity")
LEFT_OUT = (
    "covariance-adaptation",
    "natural-evolution",
    "gravitational-search",
    "swarm-gradient",
)
OPTIONS: Mapping[str, Mapping[str, float]] = {
    "evolution": {"size": 8},
    "gravitational-search": {"steps": BUDGET // 20, "decay": 5.0},
}
"""What differs from the defaults: the evolution strategy has as many offspring as CMA-ES has in
five variables, and the paper's decay of 20, made for a thousand steps, would freeze gravitational
search within the fifty of this budget.
"""


def bowls() -> dict[str, tuple[Array, Array]]:
    """Return curvatures and axes of a round bowl, a long one, and the same one turned."""
    d = DIMENSION
    long = LONG ** (np.arange(d) / (d - 1))
    axes = np.linalg.qr(np.random.default_rng(0).standard_normal((d, d)))[0]
    return {
        "round": (np.ones(d), np.eye(d)),
        "long": (long, np.eye(d)),
        "long, turned": (long, axes),
    }


def ends(slug: str, bowl: str, seeds: int) -> Array:
    """Return the best losses of runs from (1, …, 1) with a first spread of 1."""
    curvatures, axes = bowls()[bowl]
    best = []
    for seed in range(seeds):
        population = REGISTRY[slug].population(np.ones(DIMENSION), seed, **OPTIONS.get(slug, {}))
        while population.evaluations < BUDGET:
            population.tell((population.ask() @ axes.T) ** 2 @ curvatures / 2)
        best.append(population.best_loss)
    return np.array(best)


def medians(seeds: int) -> dict[str, dict[str, float]]:
    """Return the median end of each method on each bowl."""
    return {
        slug: {bowl: float(np.median(ends(slug, bowl, seeds))) for bowl in bowls()}
        for slug in (*ON_THE_LIST, *LEFT_OUT)
    }


def table(found: Mapping[str, Mapping[str, float]]) -> str:
    """Return the medians as a table of the page, the list's methods first."""
    rows = [f"| | on the list | {' | '.join(bowls())} |", "|:--|:--|" + "--:|" * len(bowls())]
    for slug, row in found.items():
        listed = "yes" if slug in ON_THE_LIST else "no"
        cells = " | ".join(digits(value) for value in row.values())
        rows.append(f"| {REGISTRY[slug].name} | {listed} | {cells} |")
    return "\n".join(rows)


def lowest_listed(found: Mapping[str, Mapping[str, float]], bowl: str) -> float:
    """Return the lowest median of the list's methods on a bowl."""
    return min(found[slug][bowl] for slug in ON_THE_LIST)
