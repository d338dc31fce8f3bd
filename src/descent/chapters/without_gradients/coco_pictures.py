"""Chapter 10: pictures and tables of the race on COCO's functions, and of the settings."""

import html
from collections.abc import Iterable, Mapping, Sequence
from functools import cache
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from descent import figures
from descent.chapters.without_gradients import reached
from descent.chapters.without_gradients.coco import DIMENSIONS, GROUPS, PER_VARIABLE, SPENT
from descent.chapters.without_gradients.methods import METHODS, on_coco
from descent.chapters.without_gradients.peers import AS_DOCUMENTED
from descent.chapters.without_gradients.reached import Reached
from descent.explorer import explore
from descent.figures import BLUE, EXACT, GUIDE
from descent.prose import percent, table
from descent.sweeps import load

BAR = AS_DOCUMENTED
"""Who all are measured by."""
LEAST = "random search"
TITLES = {AS_DOCUMENTED: "CMA-ES, as documented", LEAST: "random search"}
EVERY = "all"
"""All dimensions together."""


@cache
def shares() -> dict[str, Any]:
    """Return the shares of the targets reached, by method."""
    return reached.collect(load("10-coco"))


def _pair(ax: Axes, found: Reached, method: str, d: int | None = None) -> None:
    """Draw the profile of a method between those of CMA-ES and of random search."""
    ax.plot(SPENT, reached.profile(found, LEAST, d), color=GUIDE, label=TITLES[LEAST])
    ax.plot(SPENT, reached.profile(found, BAR, d), color=EXACT, label=TITLES[BAR])
    ax.plot(SPENT, reached.profile(found, method, d), color=BLUE, label=method)
    ax.set(xscale="log", xlim=(SPENT[0], SPENT[-1]), xlabel="evaluations per variable")
    ax.set_xticks((1, 10, 100), ("1", "10", "100"))
    ax.set_ylabel("share of the targets")


def draw_pairs(found: Reached, methods: Sequence[str]) -> Figure:
    """Draw the runtime profiles of some methods, each in a panel with CMA-ES."""
    fig, axes = figures.figure((len(methods) + 1) // 2, 2, sharex=True, sharey=True)
    for ax, method in zip(np.ravel(axes), methods, strict=True):
        _pair(ax, found, method)
        ax.legend(loc="upper left")
    return fig


def group_table(found: Reached, methods: Iterable[str]) -> str:
    """Return the percentages of targets reached at the end, by group of functions and in all."""
    rows = [
        [
            TITLES.get(name, name),
            *(percent(share) for share in reached.by_group(found, name)),
            percent(reached.end(found, name)),
        ]
        for name in methods
    ]
    return table(["method", *GROUPS, "all"], rows, "l" + "r" * (len(GROUPS) + 1))


def settings_table(
    stable: Mapping[str, Mapping[str, int]], seeds: Mapping[str, int], methods: Iterable[str]
) -> str:
    """Return what was tried for each method and what was chosen, folded.

    ``stable`` has for each kind of problem for how many of the seeds, of which there are
    ``seeds``, the choice of that seed alone is the same.
    """
    rows = []
    for name in methods:
        entry = METHODS[name]
        rows.append([name, _tried(entry.settings)])
        for kind, counts in stable.items():
            text = "–"
            if kind in entry.chosen:
                text = _setting(entry.chosen[kind])
                text += " (fixed)" if entry.fixed else f" ({counts[name]} of {seeds[kind]})"
            rows[-1].append(text)
    head = ["method", "tried", *(f"on the {kind}s" for kind in stable)]
    return folded("What was tried, and what was chosen", table(head, rows, "llll"))


def _tried(settings: Sequence[Mapping[str, Any]]) -> str:
    values = {name: list(dict.fromkeys(s[name] for s in settings)) for name in settings[0]}
    texts = [f"`{name}` {', '.join(map(_value, tried))}" for name, tried in values.items()]
    return "; ".join(texts) or "nothing"


def _setting(setting: Mapping[str, Any]) -> str:
    return ", ".join(_value(value) for value in setting.values()) or "nothing to choose"


def _value(value: Any) -> str:
    return value if isinstance(value, str) else f"{value:.10f}".rstrip("0").rstrip(".")


def folded(title: str, markdown: str) -> str:
    """Return Markdown that opens on a click."""
    return f"<details><summary>{html.escape(title)}</summary>\n\n{markdown}\n\n</details>"


def draw_reach(method: str, variables: str | int) -> Figure:
    """Draw the runtime profile of one method between CMA-ES and random search."""
    fig, ax = figures.figure(width=4.4, height=3.4)
    _pair(ax, shares(), method, None if variables == EVERY else int(variables))
    ax.set_ylim(0, 0.62)
    fig.legend(loc="outside upper center", ncols=1)
    return fig


def reach_caption(method: str, variables: str | int) -> str:
    """Say what the method has reached at the end, and what CMA-ES has."""
    d = None if variables == EVERY else int(variables)
    ours, bar, least = (reached.end(shares(), name, d) for name in (method, BAR, LEAST))
    where = "in all dimensions" if d is None else f"in {d} variables"
    return (
        f"{method[0].upper()}{method[1:]} on COCO's 24 functions, {where}: it reaches "
        f"{percent(ours)} of the targets with {PER_VARIABLE} evaluations per variable, CMA-ES as "
        f"documented {percent(bar)}, random search {percent(least)}."
    )


reach_of_methods = explore(
    draw_reach,
    name="reach-of-methods",
    caption=reach_caption,
    method=[name for name in on_coco() if name not in (BAR, LEAST)],
    variables=[EVERY, *map(str, DIMENSIONS)],
    labels={"method": "method", "variables": "variables"},
    default={"method": "particle swarm"},
)
