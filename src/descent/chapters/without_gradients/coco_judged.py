"""Chapter 10: which differences on COCO's functions are firm, by intervals over the instances."""

from collections.abc import Iterable
from typing import NamedTuple

from descent.chapters.without_gradients import reached
from descent.chapters.without_gradients.bullets import BULLETS
from descent.chapters.without_gradients.coco_pictures import BAR, LEAST, folded, spread
from descent.chapters.without_gradients.methods import OURS
from descent.chapters.without_gradients.reached import Reached
from descent.prose import listed, percent, signed, table
from descent.zeroth_order.registry import REGISTRY

RELATIVES = {
    "averaged-differences": "averaged",
    "mezo": "spsa",
    "spall": "spsa",
    "second-order": "spsa",
    "guided": "spsa",
    "after-adam-step": "after-momentum-step",
    "covariance-adaptation": "evolution",
    "natural-evolution": "evolution",
    "gravitational-search": "gravity",
    "swarm-gradient": "particle-swarm",
}
"""By slug: what the list leaves out, and the nearest idea that it has."""


def judged(found: Reached) -> list[tuple[str, str]]:
    """Return the list's methods on COCO's functions, each with what it is judged against."""
    return [
        (name, bullet.base)
        for bullet in BULLETS
        for name in bullet.methods
        if name in found and bullet.base in found
    ]


class Firm(NamedTuple):
    """Comparisons whose interval is above zero, below it, or holds it; and the test's agreement.

    Parameters
    ----------
    ahead, behind, open : list of str
        The methods, where the difference from what they are judged against is so.
    agreed : int
        How many comparisons have the same outcome by the signed-rank test.
    """

    ahead: list[str]
    behind: list[str]
    open: list[str]
    agreed: int


def firm(found: Reached) -> Firm:
    """Sort the judged methods by the interval of what they reach beyond what they meet."""
    sorted_: dict[int, list[str]] = {1: [], -1: [], 0: []}
    agreed = 0
    for name, base in judged(found):
        outcome = reached.by_interval(found, name, base)
        sorted_[outcome].append(name)
        agreed += outcome == reached.outcome(found, name, base)
    return Firm(sorted_[1], sorted_[-1], sorted_[0], agreed)


def like(found: Reached, base: str, names: Iterable[str]) -> list[str]:
    """Return those that the interval of the difference cannot tell from a method."""
    return [
        n for n in names if n in found and n != base and not reached.by_interval(found, n, base)
    ]


def like_the_bar(found: Reached) -> list[str]:
    """Return all methods that cannot be told from CMA-ES as documented."""
    return like(found, BAR, reached.ranked(found))


def like_the_least(found: Reached) -> list[str]:
    """Return the list's methods that cannot be told from random search."""
    return like(found, LEAST, [name for name in reached.ranked(found) if name in OURS])


def named(names: Iterable[str]) -> str:
    """List names that may have commas.

    Examples
    --------
    >>> named(["SPSA, Adam", "CMA-ES"])
    '*SPSA, Adam* and *CMA-ES*'
    """
    return listed(f"*{name}*" for name in names)


def differences_table(found: Reached) -> str:
    """Return each judged method's difference in points from its base and from CMA-ES, folded."""
    rows = [
        [name, base, *_points(found, name, base), *_points(found, name, BAR)]
        for name, base in judged(found)
    ]
    head = ["method", "against", "ahead by", "95 % interval", "of CMA-ES by", "95 % interval"]
    return folded("The differences on COCO's functions, in points", table(head, rows, "llrrrr"))


def beside_table(found: Reached) -> str:
    """Return what the left-out methods reach, each beside its nearest relative of the list."""
    pairs = [(REGISTRY[slug].name, REGISTRY[near].name) for slug, near in RELATIVES.items()]
    rows = [
        [
            name,
            percent(reached.end(found, name)),
            spread(reached.interval(found[name].ended)),
            base,
            *_points(found, name, base),
        ]
        for name, base in sorted(pairs, key=lambda pair: -reached.end(found, pair[0]))
    ]
    head = ["not on the list", "reached", "95 % interval", "nearest on it", "ahead by"]
    return table([*head, "95 % interval"], rows, "lrrlrr")


def _points(found: Reached, name: str, base: str) -> tuple[str, str]:
    """Say a difference in percentage points, and its interval; bold where that holds zero."""
    low, high = reached.lead(found, name, base)
    difference = reached.end(found, name) - reached.end(found, base)
    said = f"{signed(100 * low, 1)} to {signed(100 * high, 1)}"
    return signed(100 * difference, 1), said if reached.by_interval(
        found, name, base
    ) else f"**{said}**"
