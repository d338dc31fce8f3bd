"""Chapter 8: success against the reach of the first steps, drawn."""

from functools import cache
from typing import Any

import numpy as np
from matplotlib.figure import Figure

from descent import figures, sweeps
from descent.arguments import Array
from descent.chapters.overparameterization import numbers, reach
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
        "other depths and widths": (RED, "o", ~plain & home & ~sgd & ~falls),
        "a rate that falls": (GOLD, "o", ~plain & home & ~sgd & falls),
        "plain descent on weights": (VIOLET, "s", ~plain & home & sgd),
        "other ripples": (GREEN, "D", other),
        "no network, a step that falls": (BLUE, "^", plain & falls),
        "no network, a constant step": (SKY, "v", plain & ~falls),
    }
    return {
        name: (colour, mark, held_out[chosen]) for name, (colour, mark, chosen) in parts.items()
    }


def at(frame: Any, name: str = "reach") -> tuple[Array, Array]:
    """Return of each row the median of a number over its runs, and the share of successes."""
    medians = np.array([np.median(row) for row in frame[name]])
    return medians, np.array([np.mean(row) for row in frame["reached"]])


def draw_law(law: Law, found: Any, held_out: Any) -> Figure:
    """Draw the law over the settings it was found on, and over those it had not seen."""
    fig, axes = figures.figure(1, 2)
    for ax in axes:
        ax.plot(AXIS, law.chance(AXIS), color=GUIDE)
        ax.set(xscale="log", xlim=(AXIS[0], AXIS[-1]), ylim=(-0.04, 1.04))
        ax.set(xlabel="reach of ten steps, in ripples", ylabel="share that succeeds")
    axes[0].plot(*at(found), "o", color=GUIDE, markersize=4, label="found on these")
    for name, (colour, mark, part) in kinds(held_out).items():
        axes[1].plot(*at(part), mark, color=colour, markersize=4, label=name)
    for ax in axes:
        ax.legend(loc="upper left")
    return fig


def draw_rivals(scores: dict[str, Score], chance: float) -> Figure:
    """Draw how much each number leaves open, beside the rank correlation with success."""
    fig, (left, right) = figures.figure(1, 2)
    names = sorted(KNOWN, key=lambda name: -scores[name].loss)
    places = np.arange(len(names))
    base = scores["reach"].loss
    for place, name in zip(places, names, strict=True):
        score, colour = scores[name], RED if name == "reach" else BLUE
        left.plot(score.loss, place, "o", color=colour, markersize=5)
        left.plot([base + score.low, base + score.high], [place, place], color=colour, linewidth=1)
        right.plot(score.rank, place, "o", color=colour, markersize=5)
    left.axvline(chance, color=GUIDE, linestyle="--", linewidth=1)
    left.set(xlabel="what is left open, in bits a run", yticks=places)
    left.set_yticklabels([KNOWN[name] for name in names])
    right.set(xlabel="rank correlation with success", xlim=(-1.04, 1.04), yticks=places)
    right.set_yticklabels([KNOWN[name] for name in names])
    return fig


def draw_map(frame: Any, leaves: Array, stays: Array, shifts: Array) -> Figure:
    """Draw success by place and rate, with the rates at which networks leave, and stay.

    Parameters
    ----------
    frame : pandas.DataFrame
        The table ``08-reach-map``.
    leaves, stays, shifts : array (n,)
        The least rate that leaves the start, and the greatest that stays at the minimum, when
        the minimum is at each of the shifts.
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
    ax.plot(shifts, leaves, color=GREEN, label="leaves the start above")
    ax.plot(shifts, stays, color=RED, label="rests at the minimum below")
    ax.set(yscale="log", xlabel="the minimum's place $c$", ylabel="learning rate")
    ax.set(ylim=(4e-4, 0.16), xlim=(-22, 22))
    ax.legend(loc="lower left")
    fig.colorbar(dots, ax=ax, label="share that reaches it")
    return fig


# The explorer.

FIRSTS = (0.003, 0.006, 0.01, 0.015, 0.02, 0.03, 0.05, 0.08, 0.12, 0.2, 0.35, 0.6, 1.0)
"""First step sizes of the explorer."""
SHOWN = 12


@cache
def the_law() -> Law:
    """Return the law as it was found."""
    seen, hits, _ = reach.runs_of(sweeps.load("08-reach-found"))
    return reach.fit(seen["reach"], hits)


@cache
def _descents(first: float, shift: float) -> tuple[Array, Array, Rate]:
    """Return ten steps of a few descents, the reach of a hundred, and their success."""
    objective = Shifted(ackley, shift)
    sizes = numbers.step_sizes(first, 1.0)
    path = numbers.gradient_descent(objective.gradient, numbers.starts(shift), sizes)[..., 0]
    far = reach.measures(path, reach.PERIODS["ackley"])["reach"]
    hits = numbers.reached(objective, path[-1][:, None])
    few = path[: reach.FIRST + 1, :: len(far) // SHOWN]
    return few, far, numbers.rate(hits)


def draw_reach(first: float, shift: float) -> Figure:
    """Draw ten steps of descents in x, and their place on the law."""
    fig, (left, right) = figures.figure(1, 2)
    few, far, rate = _descents(first, shift)
    for edge in np.arange(-30, 40) + 0.5:
        left.axhline(shift + edge, color=GUIDE, linewidth=0.4)
    left.plot(few, ".-", color=BLUE, linewidth=0.8, markersize=3)
    left.axhline(shift, color=GREEN, linewidth=1)
    left.set(xlabel="step", ylabel="$x$", xlim=(0, reach.FIRST))
    left.set(ylim=(shift - 4, shift + DISTANCE + 6))
    right.plot(AXIS, the_law().chance(AXIS), color=GUIDE)
    right.plot(*at(sweeps.load("08-reach-found")), "o", color=GUIDE, markersize=3)
    right.plot(np.median(far), rate.share, "^", color=BLUE, markersize=9)
    right.set(xscale="log", xlim=(AXIS[0], AXIS[-1]), ylim=(-0.04, 1.04))
    right.set(xlabel="reach of ten steps, in ripples", ylabel="share that succeeds")
    return fig


def on_the_law(first: float, shift: float) -> tuple[float, float]:
    """Return where the handle stands: at the reach of a step size, and its success."""
    _, far, rate = _descents(first, shift)
    return float(np.median(far)), rate.share


def reach_caption(first: float, shift: float) -> str:
    """Say how far the steps reach, what the law of the networks makes of it, and what happens."""
    _, far, rate = _descents(first, shift)
    middle = float(np.median(far))
    return (
        f"Descent in $x$ itself; the first step size is {first:g} and falls to zero, the minimum "
        f"is at $c = {shift:g}$ (green). Left: ten steps from {SHOWN} starts; grey lines are the "
        f"tops of the ripples. They reach {middle:.2g} ripples. Right: the networks (grey) and "
        f"their law, which gives {100 * float(the_law().chance(middle)):.0f} %; of 100 "
        f"descents {rate.successes} succeed (triangle)."
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
