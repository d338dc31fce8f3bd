"""Chapter 8: success against the reach of the first steps, drawn."""

from functools import cache
from typing import Any, NamedTuple

import numpy as np
from matplotlib.figure import Figure

from descent import figures
from descent.arguments import Array
from descent.chapters.overparameterization import numbers, reach, reach_sweeps
from descent.chapters.overparameterization.numbers import DISTANCE, Rate
from descent.chapters.overparameterization.reach import KNOWN, Law, Score
from descent.explorer import Handle, explore
from descent.figures import BLUE, GOLD, GREEN, GUIDE, RED, SKY, VIOLET
from descent.landscapes import Shifted, ackley

Kinds = dict[str, tuple[str, str, Any]]

AXIS = np.geomspace(1e-3, 1e3, 301)
"""Reaches at which the law is drawn."""


def kinds(held_out: Any) -> Kinds:
    """Return the parts of the held-out table by what the reader sees, with colour and marker."""
    plain, sgd = held_out.model == "x", held_out.optimizer == "sgd"
    home, falls = held_out.objective == "ackley", held_out.decay == 1
    other = ~home
    parts = {
        "depth and width": (RED, "o", ~plain & home & ~sgd & ~falls),
        "falling rate": (GOLD, "o", ~plain & home & ~sgd & falls),
        "plain descent": (VIOLET, "s", ~plain & home & sgd),
        "other ripples": (GREEN, "D", other),
        "$x$, falling step": (BLUE, "^", plain & falls),
        "$x$, constant step": (SKY, "v", plain & ~falls),
    }
    return {
        name: (colour, mark, held_out[chosen]) for name, (colour, mark, chosen) in parts.items()
    }


def at(frame: Any, outcome: str = "reached") -> tuple[Array, Array]:
    """Return of each row the median reach of its runs, and the share of those with an outcome."""
    medians = np.array([np.median(row) for row in frame["reach"]])
    return medians, np.array([np.mean(row) for row in frame[outcome]])


def draw_law(leaving: Law, arriving: Law, held_out: Any) -> Figure:
    """Draw who leaves and who arrives, on settings that the laws had not seen."""
    fig, axes = figures.figure(1, 2)
    for ax, law, outcome in ((axes[0], leaving, "left"), (axes[1], arriving, "reached")):
        ax.plot(AXIS, law.chance(AXIS), color=GUIDE)
        for name, (colour, mark, part) in kinds(held_out).items():
            ax.plot(*at(part, outcome=outcome), mark, color=colour, markersize=4, label=name)
        ax.set(xscale="log", xlim=(1e-3, 100), ylim=(-0.04, 1.04))
        ax.set(xlabel="reach of ten steps, in ripples")
    axes[0].set(ylabel="share that leaves its ripple")
    axes[1].set(ylabel="share that reaches the minimum")
    axes[0].legend(loc="center right", fontsize=7)
    return fig


def draw_rivals(leaving: dict[str, Score], arriving: dict[str, Score]) -> Figure:
    """Draw how much each number leaves open of who leaves, and of who arrives."""
    fig, axes = figures.figure(1, 2, sharey=True)
    names = sorted(KNOWN, key=lambda name: -leaving[name].loss)
    places = np.arange(len(names))
    for ax, scores in zip(axes, (leaving, arriving), strict=True):
        base = scores["reach"].loss
        ax.axvline(base, color=GUIDE, linewidth=1)
        for place, name in zip(places, names, strict=True):
            score, colour = scores[name], RED if name == "reach" else BLUE
            ax.plot(score.loss, place, "o", color=colour, markersize=5)
            ax.plot([base + score.low, base + score.high], [place, place], color=colour)
        ax.set(yticks=places, xlim=(0, None))
    axes[0].set_yticklabels([KNOWN[name] for name in names])
    axes[0].set(xlabel="left open of who leaves, bits a run")
    axes[1].set(xlabel="left open of who arrives, bits a run")
    return fig


def draw_map(frame: Any, even: float) -> Figure:
    """Draw success by place and rate, with the lines between which a rate leaves and rests.

    Parameters
    ----------
    frame : pandas.DataFrame
        The table ``08-reach-map``.
    even : float
        The step without memory, in ripples, at which half of the runs succeed.
    """
    fig, ax = figures.figure(width=5.6, height=3.6)
    share = np.array([np.mean(row) for row in frame["reached"]])
    dots = ax.scatter(
        frame["shift"],
        frame["learning_rate"],
        c=share,
        s=90,
        cmap="cividis",
        vmin=0,
        vmax=1,
        edgecolors=GUIDE,
        linewidths=0.5,
        zorder=3,
    )
    tangent, shifts = reach.tangents(frame), np.linspace(0, 11, 111)
    leaves, rests = np.array([reach.window(tangent, c, even) for c in shifts]).T
    ax.plot(shifts, leaves, color=GREEN, label="leaves the start above")
    ax.plot(shifts, rests, color=RED, label="rests at the minimum below")
    ax.fill_between(shifts, leaves, rests, where=rests > leaves, color=GREEN, alpha=0.12)
    ax.set(yscale="log", xlabel="the minimum's place $c$", ylabel="learning rate")
    ax.set(ylim=(1e-3, 0.3), xlim=(-11, 11))
    ax.legend(loc="upper left")
    fig.colorbar(dots, ax=ax, label="share that reaches it")
    return fig


# The explorer.

FIRSTS = (0.003, 0.006, 0.01, 0.015, 0.02, 0.03, 0.05, 0.08, 0.12, 0.2, 0.35, 0.6, 1.0)
"""First step sizes of the explorer."""
SHOWN = 12


@cache
def the_law(outcome: str = "reached") -> Law:
    """Return the law of who arrives, or of who has "left", as it was found."""
    seen, hits, _ = reach.runs_of(reach_sweeps.load("08-reach-found"), outcome)
    return reach.fit(seen["reach"], hits)


class _Descents(NamedTuple):
    """Ten steps of a few descents, the median reach of a hundred, and what becomes of them."""

    few: Array
    reach: float
    left: Rate
    arrived: Rate


@cache
def _descents(first: float, shift: float) -> _Descents:
    objective = Shifted(ackley, shift)
    sizes = numbers.step_sizes(first, 1.0)
    path = numbers.gradient_descent(objective.gradient, numbers.starts(shift), sizes)[..., 0]
    far = reach.measures(path, reach.PERIODS["ackley"])["reach"]
    few = path[: reach.FIRST + 1, :: path.shape[1] // SHOWN]
    begin, end = (reach.ripple(ackley.gradient, x - shift, 1.0) for x in path[[0, -1]])
    left = begin != end
    arrived = numbers.reached(objective, path[-1][:, None])
    return _Descents(few, float(np.median(far)), numbers.rate(left), numbers.rate(arrived))


def draw_reach(first: float, shift: float) -> Figure:
    """Draw ten steps of descents in x, and how many of them leave, and arrive."""
    fig, (left, right) = figures.figure(1, 2)
    for edge in np.arange(-30, 40) + 0.5:
        left.axhline(shift + edge, color=GUIDE, linewidth=0.4)
    left.plot(_descents(first, shift).few, ".-", color=BLUE, linewidth=0.8, markersize=3)
    left.axhline(shift, color=GREEN, linewidth=1)
    left.set(xlabel="step", ylabel="$x$", xlim=(0, reach.FIRST))
    left.set(ylim=(shift - 4, shift + DISTANCE + 6))
    right.plot(AXIS, the_law("left").chance(AXIS), color=GUIDE)
    for other in FIRSTS:
        found, size = _descents(other, shift), 9 if other == first else 4
        for rate, colour, mark in ((found.left, VIOLET, "o"), (found.arrived, BLUE, "^")):
            right.plot(found.reach, rate.share, mark, color=colour, markersize=size)
    right.plot([], [], "o", color=VIOLET, label="leave")
    right.plot([], [], "^", color=BLUE, label="arrive")
    right.legend(loc="upper left")
    right.set(xscale="log", xlim=(5e-3, 20), ylim=(-0.04, 1.04))
    right.set(xlabel="reach of ten steps, in ripples", ylabel="share of descents")
    return fig


def on_the_law(first: float, shift: float) -> tuple[float, float]:
    """Return where the handle stands: at the reach of a step size, and its arrivals."""
    found = _descents(first, shift)
    return found.reach, found.arrived.share


def reach_caption(first: float, shift: float) -> str:
    """Say how far the steps reach, and what becomes of the descents."""
    found = _descents(first, shift)
    return (
        f"Descent in $x$ itself; the first step size is {first:g} and falls to zero, the minimum "
        f"is at $c = {shift:g}$ (green). Left: ten steps from {SHOWN} starts; the grey lines are "
        f"tops of ripples. They reach {found.reach:.2g} ripples. Right: of 100 descents "
        f"{found.left.successes} leave the ripple that they begin in (circle), and "
        f"{found.arrived.successes} arrive at the minimum (triangle). The line is the law of "
        "leaving, found on networks."
    )


reach_explorer = explore(
    draw_reach,
    name="reach-by-hand",
    caption=reach_caption,
    labels={"first": "first step size", "shift": "minimum's place $c$"},
    grab={"first": Handle(on_the_law, axes=1)},
    default={"first": 0.02, "shift": 0.0},
    first=FIRSTS,
    shift=(-10.0, 0.0, 3.0),
)
