"""Chapter 10: what the moved grids change: choices, ends of runs, verdicts."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

import pandas

from descent.chapters.without_gradients import reached, results, sweeps
from descent.chapters.without_gradients.bullets import BULLETS
from descent.chapters.without_gradients.coco_pictures import folded
from descent.chapters.without_gradients.methods import METHODS
from descent.chapters.without_gradients.moved import (
    KINDS,
    TAKEN,
    at_an_end,
    ends,
    moved_settings,
    moved_values,
    taken,
    tried,
)
from descent.chapters.without_gradients.numbers import TUNING, kind
from descent.chapters.without_gradients.reached import Reached
from descent.chapters.without_gradients.results import Race
from descent.prose import listed, signed, table
from descent.sweeps import load
from descent.zeroth_order.idea import Setting


def best_moved(of_kind: str, before: Any, new: Any) -> dict[str, Setting]:
    """Return the best setting of each moved grid, from both tables of the tuning."""
    both = pandas.concat([before, new[new["problem"].isin(TUNING[of_kind])]])
    best: dict[str, Setting] = {}
    for name in at_an_end(of_kind):
        rows, grid = both[both["method"] == name], moved_settings(name, of_kind)
        options = list(grid[0])
        best |= sweeps.best_settings(
            rows[[dict(row) in grid for _, row in rows[options].iterrows()]]
        )
    return best


@dataclass(frozen=True, eq=False)
class Moved:
    """The race and COCO's shares with moved grids, beside those without.

    Parameters
    ----------
    before, after : Race
    shares_before, shares_after : Reached
    """

    before: Race
    after: Race
    shares_before: Reached
    shares_after: Reached

    def verdicts(self, after: bool) -> list[str]:
        """Return the verdict on each line."""
        race, shares = self.before, self.shares_before
        if after:
            race, shares = self.after, self.shares_after
        return [results.bullet_verdict(race, shares, bullet) for bullet in BULLETS]

    def changed(self) -> dict[int, tuple[str, str]]:
        """Return the lines with another verdict, with the former and the new word."""
        pairs = zip(self.verdicts(False), self.verdicts(True), strict=True)
        return {n: (old, new) for n, (old, new) in enumerate(pairs, 1) if old != new}

    def outcomes(self) -> dict[tuple[str, str], int]:
        """Return by problem and method: 1 where the new setting ends lower, -1 where higher."""
        return {
            (problem, name): results.lower(
                self.after[problem][name].final, self.before[problem][name].final
            )
            for problem, runs in self.before.items()
            for name in TAKEN[kind(problem)]
            if name in runs
        }

    def shifts(self) -> dict[str, float]:
        """Return what the new settings add to the shares of COCO's targets."""
        return {
            name: reached.end(self.shares_after, name) - reached.end(self.shares_before, name)
            for name in TAKEN["landscape"]
            if name in self.shares_before
        }


@cache
def moved_runs() -> Any:
    """Return the tables of the runs with the new settings."""
    return load("10-moved-race"), load("10-moved-coco")


def with_moved(race: Race, shares: Reached) -> Moved:
    """Return the race and the shares beside those with moved grids."""
    frame, on_coco = moved_runs()
    new = results.collect({name: rows for name, rows in frame.groupby("problem")})
    after = {name: {**runs, **new.get(name, {})} for name, runs in race.items()}
    return Moved(race, after, shares, {**shares, **reached.collect(on_coco)})


def moved_table(moved: Moved) -> str:
    """Return each choice that stood at an end, its moved values, and what is chosen, folded."""
    outcomes, shifts = moved.outcomes(), moved.shifts()
    rows = []
    for of_kind in KINDS:
        for name in at_an_end(of_kind):
            chosen, now = METHODS[name].chosen[of_kind], taken(name, of_kind)
            for option in ends(name, of_kind):
                values = moved_values(tried(name)[option], chosen[option])
                rows.append([name, f"{of_kind}s", f"`{option}` {', '.join(map(_text, values))}"])
                rows[-1] += [_text(chosen[option]), _text(now[option])]
                own = [v for (p, n), v in outcomes.items() if n == name and kind(p) == of_kind]
                rows[-1].append(_counted(own) if name in TAKEN[of_kind] else "–")
                on_coco = of_kind == "landscape" and name in shifts
                rows[-1].append(signed(100 * shifts[name], 1) if on_coco else "–")
    head = ["method", "on the", "moved grid", "chosen before", "now", "problems", "points on COCO"]
    return folded("The moved grids", table(head, rows, "lllrrlr"))


def _text(value: Any) -> str:
    return f"{value:.10f}".rstrip("0").rstrip(".")


def _counted(outcomes: list[int]) -> str:
    return f"{outcomes.count(1)} lower, {outcomes.count(-1)} higher" if outcomes else "–"


def counted(outcomes: Mapping[tuple[str, str], int]) -> tuple[int, int, int]:
    """Return on how many problems a new setting ends lower and higher, and of how many."""
    found = list(outcomes.values())
    return found.count(1), found.count(-1), len(found)


def turned(changed: Mapping[int, tuple[str, str]]) -> str:
    """Say which verdicts changed.

    Examples
    --------
    >>> turned({3: ("keep", "open")})
    'number 3 from *keep* to *open*'
    """
    return listed(f"number {n} from *{old}* to *{new}*" for n, (old, new) in changed.items())


def new_choices() -> list[tuple[str, str]]:
    """Return the methods that take a new setting, with the kind of problem."""
    return [(name, of_kind) for of_kind in KINDS for name in TAKEN[of_kind]]


def gone_on() -> str:
    """Say who takes a new setting, and on what."""
    return listed(f"*{name}* on the {of_kind}s" for name, of_kind in new_choices())
