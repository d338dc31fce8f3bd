"""Chapter 6: the table of heads that learn to copy, and its picture."""

from collections.abc import Callable
from functools import cache
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from matplotlib.figure import Figure

from descent import figures
from descent.arguments import Array
from descent.chapters.thermostats_and_lorenz.stored import columns
from descent.figures import BLUE, EXACT, GREY, GUIDE

MARKS = (0, 100, 200, 400)
LAYERS, HEADS = 2, 2
DISTURBED = ("answer", "cue")
ROLES = ("1st layer, looks back", "1st layer, other", "2nd layer, finds", "2nd layer, other")


class Heads(NamedTuple):
    """Runs (seeds, marks); of heads (seeds, marks, heads), sorted by ROLES."""

    right: Array  # the share of right answers
    size: Array  # (seeds, marks, disturbed), of the slope in X
    op: dict[str, Array]
    random: dict[str, Array]
    opposed: Array  # (seeds, marks, disturbed), of a head that was made to undo half of another


def _order(column: Callable[[str], Array]) -> npt.NDArray[np.intp]:
    """Return the heads of each seed by role: who looks back most, who finds the answer most."""
    back, found = (
        column(name)[:, -1].reshape(-1, LAYERS, HEADS) for name in ("to the last", "to the answer")
    )
    first, second = np.argsort(-back[:, 0], axis=1), np.argsort(-found[:, 1], axis=1)
    return np.concatenate([first, HEADS + second], axis=1)


@cache
def heads() -> Heads:
    """Return the stored runs."""
    column = columns("06-heads", "seed")
    order = _order(column)[:, None, :]

    def by_role(kind: str) -> dict[str, Array]:
        return {
            name: np.take_along_axis(column(f"{kind}op of {name}"), order, axis=2)
            for name in DISTURBED
        }

    right, size, opposed = (column(name) for name in ("right", "size", "opposed"))
    return Heads(right, size, by_role(""), by_role("random, "), opposed)


def draw_heads() -> Figure:
    """Draw Op of each head after training, beside that of random heads and of untrained ones."""
    found = heads()
    fig, axes = figures.figure(1, 2, width=7.2, height=3.0, sharey=True)
    names = (*ROLES, "shuffled", "before training", "made to undo")
    for ax, name in zip(axes, DISTURBED, strict=True):
        rows = [*found.op[name][:, -1].T, found.random[name][:, -1], found.op[name][:, 0]]
        rows += [found.opposed[:, -1, DISTURBED.index(name)]]
        for place, values in enumerate(rows):
            spread = place + np.linspace(-0.22, 0.22, values.size)
            colour = BLUE if place < len(ROLES) else GREY
            ax.plot(values.ravel(), spread, "o", color=colour, markersize=2.5, alpha=0.7)
            middle = [np.median(values)] * 2
            ax.plot(middle, [place - 0.3, place + 0.3], color=EXACT, linewidth=2)
        ax.axvline(0, color=GUIDE, linewidth=1, zorder=0)
        ax.set_yticks(range(len(names)), names)
        ax.set(title=f"disturbance of the {name}", xlabel="Op (nats)", xlim=(-2, 1))
    axes[0].invert_yaxis()
    return fig
