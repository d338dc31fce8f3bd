"""Chapter 11: how estimates of influence do against exact retraining."""

import numpy as np
from matplotlib.figure import Figure

from descent import figures
from descent.arguments import Array
from descent.chapters.finding_knowledge import influence_table
from descent.estimates import mean_with_error
from descent.figures import BLUE, GOLD, GUIDE, RED

STYLES = ((10, GOLD, "s", -0.22), (40, RED, "^", 0.0), (200, BLUE, "o", 0.22))
SHOWN = tuple(name for name in influence_table.METHODS if name != "leave-one-out")


def part_of_exact(method: str, passes: int) -> Array:
    """Return what removing the twelve named images costs over what the exact twelve cost, by seed.

    Both without what twelve random images cost; 1 is as good as exact retraining, 0 as chance.
    """
    random = influence_table.forgotten("random", passes)
    exact = influence_table.forgotten("leave-one-out", passes) - random
    return np.asarray((influence_table.forgotten(method, passes) - random) / exact)


def draw_influence_methods() -> Figure:
    """Draw three scores of each method, for three lengths of training."""
    fig, axes = figures.figure(1, 3, width=7.2, height=4.6, sharey=True)
    measures = (
        ("single images:\nrank correlation", lambda m, n: influence_table.scores("rank", m, n)),
        ("groups:\nrank correlation", lambda m, n: influence_table.scores("groups", m, n)),
        ("removal of twelve:\nrise over the exact one's", part_of_exact),
    )
    for ax, (label, measure) in zip(axes, measures, strict=True):
        for passes, colour, mark, shift in STYLES:
            found = [mean_with_error(measure(method, passes)) for method in SHOWN]
            mean, error = np.array(found).T
            ax.errorbar(
                mean,
                np.arange(len(SHOWN)) + shift,
                xerr=2 * error,
                fmt=mark,
                color=colour,
                ms=4,
                label=f"{passes} passes" if ax is axes[0] else None,
            )
        for row in (0.5, 5.5, 7.5):
            ax.axhline(row, color=GUIDE, lw=0.6)
        ax.axvline(0, color=GUIDE, ls="--", lw=0.8)
        ax.axvline(1, color=GUIDE, ls="--", lw=0.8)
        ax.set(xlabel=label, xlim=(-0.2, 1.15))
        ax.set_yticks(range(len(SHOWN)), SHOWN)
    axes[0].invert_yaxis()
    fig.legend(loc="outside upper center", ncols=3)
    return fig
