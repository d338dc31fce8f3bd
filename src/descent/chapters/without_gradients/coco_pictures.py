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
from descent.chapters.without_gradients.coco import GROUPS, SPENT
from descent.chapters.without_gradients.methods import METHODS, racers, tuned
from descent.chapters.without_gradients.peers import AS_DOCUMENTED
from descent.chapters.without_gradients.reached import Reached
from descent.figures import BLUE, EXACT, GUIDE
from descent.prose import fixed, percent, table
from descent.sweeps import load

BAR = AS_DOCUMENTED
"""Who all are measured by."""
LEAST = "random search"
TITLES = {AS_DOCUMENTED: "CMA-ES, as documented", "CMA-ES": "CMA-ES, the library's"}


@cache
def shares() -> dict[str, Any]:
    """Return the shares of the targets reached, by method."""
    return reached.collect(load("10-coco"))


def _pair(ax: Axes, found: Reached, method: str) -> None:
    """Draw the profile of a method between those of CMA-ES and of random search."""
    ax.plot(SPENT, reached.profile(found, LEAST), color=GUIDE, label=LEAST)
    ax.plot(SPENT, reached.profile(found, BAR), color=EXACT, label=TITLES[BAR])
    ax.plot(SPENT, reached.profile(found, method), color=BLUE, label=method)
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


BESIDE_LEADERS = ("separable natural evolution", "SciPy Nelder–Mead", "walk of order 1")
"""Who stands in the table of groups whatever the list's leaders are."""


def group_table(found: Reached, leaders: Iterable[str]) -> str:
    """Return the percentages of targets reached at the end, by group of functions and in all.

    The interval is that of the last. The rows are the list's leaders and those that they are seen
    beside.
    """
    shown = {BAR, "CMA-ES", *BESIDE_LEADERS, *leaders, "RandomGrad", LEAST}
    rows = [
        [
            TITLES.get(name, name),
            *(percent(share) for share in reached.by_group(found, name)),
            with_interval(found, name),
        ]
        for name in reached.ranked(found)
        if name in shown
    ]
    heads = (group.rpartition(", ")[2].replace("tioned", "\u00adtioned") for group in GROUPS)
    return table(["method", *heads, "all (95 %)"], rows, "l" + "r" * (len(GROUPS) + 1))


def with_interval(found: Reached, name: str) -> str:
    """Say the share of targets that a method reaches, and its interval, in a table's room."""
    low, high = reached.interval(found[name].ended)
    return f"{percent(reached.end(found, name))} ({fixed(100 * low)}–{fixed(100 * high)})"


def spread(interval: tuple[float, float]) -> str:
    """Say an interval of shares.

    Examples
    --------
    >>> spread((0.286, 0.402))
    '29 to 40 %'
    """
    low, high = interval
    return f"{fixed(100 * low)} to {percent(high)}"


def settings_table(stable: Mapping[str, Mapping[str, int]], seeds: int) -> str:
    """Return what was tried for each method and what was chosen, folded.

    ``stable`` has for each kind of problem for how many of the ``seeds`` the choice of that seed
    alone is the same.
    """
    rows = []
    for name in dict.fromkeys([*racers("network"), *tuned("landscape")]):
        entry = METHODS[name]
        rows.append([name, "nothing" if entry.fixed else _tried(entry.settings)])
        varied = [key for key in entry.settings[0] if len({s[key] for s in entry.settings}) > 1]
        for kind, counts in stable.items():
            text = "–"
            if kind in entry.chosen:
                setting = entry.chosen[kind]
                text = _setting(setting if entry.fixed else {key: setting[key] for key in varied})
                text += " (fixed)" if entry.fixed else f" ({counts[name]} of {seeds})"
            rows[-1].append(text)
    head = ["method", "tried", *(f"on the {kind}s" for kind in stable)]
    return folded("What was tried, and what was chosen", table(head, rows, "llll"))


def _tried(settings: Sequence[Mapping[str, Any]]) -> str:
    values = {name: list(dict.fromkeys(s[name] for s in settings)) for name in settings[0]}
    texts = [f"`{name}` {', '.join(map(_value, tried))}" for name, tried in values.items()]
    return "; ".join(texts)


def _setting(setting: Mapping[str, Any]) -> str:
    return ", ".join(_value(value) for value in setting.values()) or "no option"


def _value(value: Any) -> str:
    return value if isinstance(value, str) else f"{value:.10f}".rstrip("0").rstrip(".")


def folded(title: str, markdown: str) -> str:
    """Return Markdown that opens on a click."""
    return f"<details><summary>{html.escape(title)}</summary>\n\n{markdown}\n\n</details>"
