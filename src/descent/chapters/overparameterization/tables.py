"""Chapter 8: its tables."""

from collections.abc import Sequence
from typing import Any

from descent import prose
from descent.prose import fixed

CASES = {
    "Ackley, $c = 0$": ("ackley", 0.0),
    "Ackley, $c = -10$": ("ackley", -10.0),
    "camel": ("six_hump_camel", 0.0),
    "quartic": ("qubic_1d", 0.0),
}
"""Objective and shift by the title of a column."""


def slopes(rows: Sequence[tuple[str, float, float, float]]) -> str:
    """Return a Markdown table of f' in x beside the gradient in the weights, by network and x."""
    head = [
        "network",
        "$x$",
        "$\\lvert f'(x)\\rvert$",
        "$\\lVert\\nabla \\tilde f(\\theta)\\rVert$",
    ]
    cells = [
        [name, fixed(x, 1), fixed(slope, 4), fixed(lifted, 4), fixed(lifted / slope, 3)]
        for name, x, slope, lifted in rows
    ]
    return prose.table([*head, "ratio"], cells, "lrrrr")


def rivals(searches: Any, network: Sequence[str]) -> str:
    """Return a Markdown table of tuned searches in x, and of the network in its last row.

    Parameters
    ----------
    searches : pandas.DataFrame
        The table ``08-rivals``.
    network : sequence of str
        The network's rates, an entry a column.
    """
    at = searches.set_index(["search", "objective", "shift"])
    rows = []
    for search in searches["search"].unique():
        found = [at.loc[(search, *case)] for case in CASES.values()]
        rows.append(
            [search, *(f"{r.successes:.0f} of {r.runs:.0f} ({r.setting:g})" for r in found)]
        )
    rows.append(["network of the source's size", *network])
    return prose.table(["search", *CASES], rows, "lrrrr")


def without_a_miss(searches: Any) -> list[str]:
    """Return the searches all of whose runs reach a global minimum in every column."""
    whole = (searches["successes"] == searches["runs"]).groupby(searches["search"], sort=False)
    return [str(search) for search, sure in whole.all().items() if sure]
