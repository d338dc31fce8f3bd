"""Chapter 6: the table of policies that learn to balance a pole, and its picture."""

from functools import cache
from typing import NamedTuple

import numpy as np
from matplotlib.figure import Figure

from descent import figures
from descent.arguments import Array
from descent.chapters.thermostats_and_lorenz.stored import columns
from descent.figures import BLUE, EXACT, GUIDE, RED

GENERATIONS = (0, 10, 30, 100, 300)


class Learning(NamedTuple):
    """Costs, Op at four seconds, its slope and the predicted slope, (seeds, generations)."""

    cost: Array
    op: Array
    slope: Array
    predicted: Array  # nan where the pole does not come to rest


@cache
def learning() -> Learning:
    """Return the stored runs."""
    return Learning(*map(columns("06-policies", "seed"), Learning._fields))


def draw_learning() -> Figure:
    """Draw Op in the course of learning, and measured against predicted slopes."""
    fig, (left, right) = figures.figure(1, 2)
    found = learning()
    places = np.arange(len(GENERATIONS))
    left.plot(places, found.op.T, color=BLUE, linewidth=0.8, alpha=0.6)
    left.plot(places, np.median(found.op, axis=0), "o-", color=EXACT, markersize=4)
    left.axhline(0, color=GUIDE, linewidth=1, zorder=0)
    left.set_xticks(places, [str(generation) for generation in GENERATIONS])
    left.set(xlabel="generations", ylabel="Op of the angle at 4 s (nats)")
    ends = np.array([0.0, 1.1 * np.nanmax([found.predicted, found.slope])])
    right.plot(ends, ends, "--", color=GUIDE)
    for k, (colour, name) in enumerate(((BLUE, "30"), (RED, "100"), (EXACT, "300")), start=2):
        right.plot(
            found.predicted[:, k], found.slope[:, k], "o", color=colour, markersize=4, label=name
        )
    right.legend(title="generations", loc="upper left")
    right.set(
        xlabel="open loop minus closed loop (1/s)",
        ylabel="slope of Op (nats/s)",
        xlim=ends,
        ylim=ends,
    )
    return fig
