"""Closing page: whether momentum helps to leave the pit, at equal effective steps."""

from functools import cache

import numpy as np
from matplotlib.figure import Figure
from scipy.optimize import brentq

from descent import figures
from descent.arguments import Array
from descent.chapters.ways_out.numbers import BUDGET, exact_escape
from descent.chapters.ways_out.results import half_way
from descent.chapters.ways_out.sweeps import EFFECTIVE, MOMENTA
from descent.estimates import Mean, wilson
from descent.figures import BLUE, EXACT, GREEN, GUIDE, RED, VIOLET
from descent.prose import fixed
from descent.sweeps import load


def counts(momentum: float, budgets: int = 1) -> tuple[Array, Array, int]:
    """Return the lengths, how many runs escape from each seed, and the runs of a seed."""
    frame = load("13-momentum")
    rows = frame[(frame["momentum"] == momentum) & (frame["budgets"] == budgets)]
    found = np.array(rows["escaped by seed"].tolist())
    return rows["length"].to_numpy(), found, int(rows["runs"].iloc[0]) // found.shape[1]


@cache
def half(momentum: float, budgets: int = 1) -> Mean:
    """Return the effective length at which half of the runs of stochastic descent escape."""
    return half_way(*counts(momentum, budgets))


@cache
def exact_half(budgets: int = 1) -> float:
    """Return the length at which the chance to escape without momentum is one half."""
    return float(
        brentq(
            lambda length: exact_escape(length, nodes=4, budget=budgets * BUDGET) - 0.5, 0.45, 0.7
        )
    )


def in_words(momentum: float) -> str:
    """Write a half-way length with its standard error."""
    found = half(momentum)
    return f"{fixed(found.value, 3)} ± {fixed(found.error, 3)}"


def draw() -> Figure:
    """Draw the share of runs that leave against the effective length, for several momenta."""
    fig, ax = figures.figure(width=4.6, height=3.1)
    lengths = np.linspace(EFFECTIVE[0], 0.85, 15)
    exact = [exact_escape(float(length), nodes=4) for length in lengths]
    ax.plot(lengths, exact, color=EXACT, linewidth=0.9, label="$β = 0$, exact")
    for momentum, colour in zip(MOMENTA, (BLUE, GREEN, RED, VIOLET), strict=True):
        at, found, runs = counts(momentum)
        total = runs * found.shape[1]
        middle = found.sum(axis=1) / total
        ends = np.array([wilson(int(n), total) for n in found.sum(axis=1)]).T
        ax.errorbar(
            at,
            middle,
            np.abs(ends - middle),
            fmt=".-",
            color=colour,
            linewidth=0.9,
            label=f"$β = {momentum:g}$",
        )
    ax.axhline(0.5, color=GUIDE, linewidth=0.8)
    ax.set(xlabel="effective length λ (widths of the pit)", ylabel="share of runs that leave")
    fig.legend(loc="outside upper center", ncols=5, columnspacing=1)
    return fig
