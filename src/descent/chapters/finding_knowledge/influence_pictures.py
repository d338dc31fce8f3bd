"""Chapter 11: how estimates of influence do against exact retraining."""

from collections.abc import Callable
from functools import partial

import numpy as np
from matplotlib.figure import Figure

from descent import figures
from descent.arguments import Array
from descent.chapters.finding_knowledge import influence_table
from descent.estimates import mean_with_error
from descent.figures import BLUE, GOLD, GUIDE, RED
from descent.prose import fixed, table

STYLES = ((10, GOLD, "s", -0.22), (40, RED, "^", 0.0), (200, BLUE, "o", 0.22))
SHOWN = tuple(name for name in influence_table.METHODS if name != "leave-one-out")


def part_of_exact(method: str, passes: int) -> Array:
    """Return what removing the twelve named images costs over what the exact twelve cost, by seed.

    Both without what twelve random images cost; 1 is as good as exact retraining, 0 as chance.
    """
    random = influence_table.forgotten("random", passes)
    exact = influence_table.forgotten("leave-one-out", passes) - random
    return np.asarray((influence_table.forgotten(method, passes) - random) / exact)


def _scores(name: str) -> Callable[[str, int], Array]:
    return partial(influence_table.scores, name)


MEASURES: tuple[tuple[str, Callable[[str, int], Array]], ...] = (
    ("rank correlation, single images", _scores("rank")),
    ("rank correlation, random halves", _scores("groups")),
    ("rank correlation, balanced halves", _scores("balanced")),
    ("rise without 12 images (exact = 1)", part_of_exact),
)


def draw_influence_methods() -> Figure:
    """Draw four scores of each method, for three lengths of training."""
    fig, axes = figures.figure(2, 2, width=7.2, height=7.4)
    for ax, (label, measure) in zip(axes.flat, MEASURES, strict=True):
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
                label=f"{passes} passes",
            )
        for row in (0.5, 5.5, 7.5):
            ax.axhline(row, color=GUIDE, lw=0.6)
        ax.axvline(0, color=GUIDE, ls="--", lw=0.8)
        ax.axvline(1, color=GUIDE, ls="--", lw=0.8)
        ax.set(xlabel=label, xlim=(-0.45, 1.25))
        ax.set_yticks(range(len(SHOWN)), SHOWN)
        ax.invert_yaxis()
    for ax in axes[0]:  # two: on a telephone the columns are below each other
        ax.legend(loc="upper left")
    return fig


NAMED = {
    "unrolled": "unrolled differentiation",
    "Hessian": "influence function",
    "own updates": "the image's own updates, summed with their signs",
    "tally": "the tally",
    "another's tally": "the tally of another image",
}


def weights_table() -> str:
    """Return how well each method tells which weights an image leaves its mark in."""

    def cell(name: str, method: str, passes: int) -> str:
        mean, error = mean_with_error(influence_table.scores(name, method, passes))
        return f"{fixed(mean, 2)} ± {fixed(error, 2)}"

    passes = influence_table.PASSES
    rows = [
        [
            NAMED.get(method, method),
            *(cell("own", method, n) for n in passes),
            cell("better", method, passes[-1]),
        ]
        for method in influence_table.OF_WEIGHTS
    ]
    head = [
        "Sizes by",
        *(f"correlation, {n} passes" for n in passes),
        f"others beaten, {passes[-1]} passes",
    ]
    return table(head, rows, "lrrrr")
