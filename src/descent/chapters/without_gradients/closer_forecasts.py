"""Chapter 10: what was expected of three closer looks at the race, written before their runs.

Ten seeds and not five choose the settings on the networks. Grids whose best setting stands at an
end are moved beyond it. COCO's functions come in five instances and not in two. The sentences are
as they were written; a failed one stays.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from descent.chapters.without_gradients import coco_judged, five_seeds, reached, results, sweeps
from descent.chapters.without_gradients.bullets import BULLETS
from descent.chapters.without_gradients.methods import METHODS, OURS
from descent.chapters.without_gradients.moved import KINDS, TAKEN, inside, tried
from descent.chapters.without_gradients.moved_results import Moved
from descent.chapters.without_gradients.numbers import kind
from descent.chapters.without_gradients.peers import AS_DOCUMENTED
from descent.chapters.without_gradients.reached import Reached
from descent.chapters.without_gradients.results import Race

FORMER = {"keep": [3, 8], "drop": [5, 6, 9, 10, 16]}
"""The verdicts by the former tables; the other lines were open."""

TEN_SEEDS = (
    "With ten seeds at most a quarter of the choices on the networks are other ones than with "
    "five.",
    "Each of these others is a neighbour of the former choice: one option differs, by one step.",
    "With ten seeds the lines that are kept are the same two, and at most one other line gets "
    "another verdict.",
)
MOVED = (
    "Of the choices that stand at an end, at least half stand inside their grid once it is moved.",
    "With the moved grids the lines that are kept are the same, and at most two other lines get "
    "another verdict.",
    "A method that takes a setting of the moved grid ends lower than before, beyond chance, on at "
    "most a third of the problems that it is set for.",
    "On COCO's functions no method moves by more than three points with its moved grid.",
    "CMA-ES, the library's, does not take a wider first spread than before.",
)
INSTANCES = (
    "With five instances no method's share of the targets is more than two points from that with "
    "two.",
    "The best of the list on COCO is the same with five instances as with two.",
    "COCO still overturns the same two lines, 7 and 19, and no other.",
    "By the interval over functions and instances Nelder and Mead's simplex cannot be told from "
    "CMA-ES as documented.",
    "By that interval the plainest walk cannot be told from random search.",
    "By that interval more than half of the listed methods cannot be told from the method that "
    "they are judged against.",
)


@dataclass(frozen=True, eq=False)
class Closer:
    """What the sentences speak of.

    Parameters
    ----------
    race, shares
        The race and COCO's shares.
    networks : pandas.DataFrame
        The table of the tuning on the networks.
    moved : Moved
        The race and the shares with moved grids.
    """

    race: Race
    shares: Reached
    networks: Any
    moved: Moved

    def other_choices(self) -> dict[str, tuple[dict[str, Any], dict[str, Any]]]:
        """Return the choices on the networks that differ between five seeds and all."""
        five = five_seeds.by_five(self.networks)
        former, now = sweeps.best_settings(five), sweeps.best_settings(self.networks)
        return {name: (former[name], now[name]) for name in now if former[name] != now[name]}

    def other_verdicts(self) -> list[int]:
        """Return the lines whose verdict is not the former one."""
        former = [
            next((word for word, lines in FORMER.items() if n in lines), "open")
            for n in range(1, len(BULLETS) + 1)
        ]
        now = self.moved.verdicts(False)
        pairs = zip(former, now, strict=True)
        return [n for n, (old, new) in enumerate(pairs, 1) if new not in (old, "shown")]

    def overturned(self) -> list[int]:
        """Return the lines that the race alone keeps or drops, and COCO does not."""
        return [
            n
            for word in ("keep", "drop")
            for n in results.numbers_of(self.race, {}, word)
            if n not in results.numbers_of(self.race, self.shares, word)
        ]

    def of_two(self) -> Reached:
        """Return the shares on the first two instances."""
        return reached.of_instances(self.shares, (1, 2))


def _neighbours(name: str, one: dict[str, Any], other: dict[str, Any]) -> bool:
    """Return whether two settings differ in one option by one step of its list."""
    steps = [
        abs(values.index(one[option]) - values.index(other[option]))
        for option, values in tried(name).items()
    ]
    return sum(steps) == 1


def _kept_but(lines: list[int], most: int) -> bool:
    """Return whether at most some lines have another verdict, none of them a kept one."""
    return len(lines) <= most and not set(lines) & set(FORMER["keep"])


def _newly_kept(closer: Closer) -> bool:
    return any(new == "keep" for _, new in closer.moved.changed().values())


def _by_new_choice(moved: Moved) -> list[list[int]]:
    """Return the outcomes of each method that takes a new setting, by the kind of problem."""
    return [
        [won for (problem, n), won in moved.outcomes().items() if n == name and kind(problem) == k]
        for k in KINDS
        for name in TAKEN[k]
    ]


def _leader(shares: Reached) -> str:
    return next(name for name in reached.ranked(shares) if name in OURS)


TESTS: tuple[Callable[[Closer], bool], ...] = (
    lambda c: len(c.other_choices()) <= c.networks["method"].nunique() / 4,
    lambda c: all(_neighbours(name, *pair) for name, pair in c.other_choices().items()),
    lambda c: (
        results.numbers_of(c.race, c.shares, "keep") == FORMER["keep"]
        and _kept_but(c.other_verdicts(), 1)
    ),
    lambda c: 2 * sum(inside(k)[0] for k in KINDS) >= sum(inside(k)[1] for k in KINDS),
    lambda c: (
        not _newly_kept(c)
        and not any(old == "keep" for old, _ in c.moved.changed().values())
        and len(c.moved.changed()) <= 2
    ),
    lambda c: all(3 * won.count(1) <= len(won) for won in _by_new_choice(c.moved)),
    lambda c: all(abs(shift) <= 0.03 for shift in c.moved.shifts().values()),
    lambda c: (
        TAKEN["landscape"].get("CMA-ES", {"spread": 0})["spread"]
        <= METHODS["CMA-ES"].chosen["landscape"]["spread"]
    ),
    lambda c: all(
        abs(reached.end(c.shares, name) - reached.end(c.of_two(), name)) <= 0.02
        for name in c.shares
    ),
    lambda c: _leader(c.shares) == _leader(c.of_two()),
    lambda c: sorted(c.overturned()) == [7, 19],
    lambda c: not reached.told_apart(c.shares, "SciPy Nelder–Mead", AS_DOCUMENTED),
    lambda c: not reached.told_apart(c.shares, "walk of order 1", "random search"),
    lambda c: (
        2 * sum(not reached.told_apart(c.shares, *pair) for pair in coco_judged.judged(c.shares))
        > len(coco_judged.judged(c.shares))
    ),
)
"""What each of the sentences says of the tables, in their order."""
FORECASTS = tuple(zip((*TEN_SEEDS, *MOVED, *INSTANCES), TESTS, strict=True))


def failed(closer: Closer) -> list[str]:
    """Return the sentences that do not hold."""
    return [words for words, holds in FORECASTS if not holds(closer)]
