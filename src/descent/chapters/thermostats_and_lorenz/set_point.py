r"""Chapter 6: a regulator and a leak of equal Op, and the experiment that tells them apart.

A bucket of level x is filled at the rate q. What flows out follows the level with a lag:

.. math:: \dot x = q - f, \qquad \tau \dot f = g(x) - f, \qquad
          g(x) = c \sqrt x \ \text{(a hole)}, \quad g(x) = q_0 + k\,(x - r) \ \text{(a valve)}.

The hole is what it is by its size c, the valve by its set point r. Ask both for another level.
A hole that holds the level z at the inflow q has :math:`g' = q / 2z`, whatever its size: where
it holds and how firmly are one. The valve's :math:`g' = k` does not know r.
"""

from functools import cache
from typing import NamedTuple

import numpy as np
from matplotlib.figure import Figure
from scipy.integrate import solve_ivp

from descent import figures, influence
from descent.arguments import Array
from descent.chapters.thermostats_and_lorenz.stored import columns
from descent.dynamics import Flow, complex_step
from descent.dynamics.system import Rows
from descent.explorer import Handle, explore
from descent.figures import BLUE, EXACT, GUIDE, RED
from descent.prose import fixed

LAG, LEVEL, INFLOW = 0.2, 10.0, 5.0
GAIN = INFLOW / (2 * LEVEL)
"""Of the valve: that of the hole at the first level."""
MOVED, LOADED, END = 10.0, 40.0, 70.0
"""Times at which the level is asked for, the inflow is changed, and the experiment ends."""
ASKED = (4.0, 6.0, 8.0, 10.0, 14.0, 18.0, 22.0)
INFLOWS = (4.0, 5.0, 6.0)
KINDS = ("valve", "hole")
PART = ("outflow", "level", "level")


def bucket(kind: str, knob: float, inflow: float) -> Flow:
    """Return a bucket with a valve of set point ``knob``, or with a hole of that size."""

    def rate(state: Array, time: float) -> Rows:
        level, outflow = state
        drawn = INFLOW + GAIN * (level - knob) if kind == "valve" else knob * np.sqrt(level)
        return inflow - outflow, (drawn - outflow) / LAG

    return Flow(("level", "outflow"), rate, complex_step(rate), 0.05)


def knob_for(kind: str, level: float) -> float:
    """Return the set point, or the size of the hole, that holds a level at the first inflow."""
    return level if kind == "valve" else INFLOW / np.sqrt(level)


def at_rest(kind: str, knob: float, inflow: float) -> float:
    """Return the level at which inflow and outflow are equal."""
    return knob + (inflow - INFLOW) / GAIN if kind == "valve" else (inflow / knob) ** 2


def steepness(kind: str, level: float, inflow: float = INFLOW) -> float:
    """Return how fast the outflow grows with the level, at rest there."""
    return GAIN if kind == "valve" else inflow / (2 * level)


def slope(kind: str, level: float, inflow: float = INFLOW) -> float:
    r"""Return the long-run slope of Op at rest: zero less the slower root of the loop.

    .. math:: \tau\lambda^2 + \lambda + g' = 0
    """
    roots = np.roots([LAG, 1.0, steepness(kind, level, inflow)])
    return float(-roots.real.max())


def slope_by_tangents(kind: str, level: float) -> float:
    """Return the slope of Op along the resting trajectory, between two late times."""
    system, times = bucket(kind, knob_for(kind, level), INFLOW), np.array([10.0, 30.0])
    op = influence.op(system, [level, INFLOW], times, *PART)
    return float(np.diff(op)[0] / np.diff(times)[0])


@cache
def course(kind: str, asked: float, inflow: float) -> tuple[Array, Array]:
    """Return times and levels: at rest, asked for another level, and under another inflow."""
    knob = knob_for(kind, asked)
    state, times, levels = np.array([LEVEL, INFLOW]), [0.0, MOVED], [LEVEL, LEVEL]
    for begin, end, filled in ((MOVED, LOADED, INFLOW), (LOADED, END, inflow)):
        system, grid = bucket(kind, knob, filled), np.linspace(begin, end, 121)
        run = solve_ivp(
            lambda time, s, system=system: np.array(system.rate(s, time), np.float64),
            (begin, end),
            state,
            t_eval=grid,
            rtol=1e-9,
            atol=1e-9,
        ).y
        times += list(grid[1:])
        levels += list(run[0, 1:])
        state = run[:, -1]
    return np.array(times), np.array(levels)


LOOK = {"valve": (EXACT, "-"), "hole": (RED, "--")}


def draw_experiment(asked: float, inflow: float) -> Figure:
    """Draw both levels against time, and the slope of Op against the level at rest."""
    fig, (left, right) = figures.figure(1, 2)
    levels = np.linspace(2.5, 24, 100)
    for kind, (colour, line) in LOOK.items():
        left.plot(*course(kind, asked, inflow), line, color=colour, label=kind)
        right.plot(levels, [slope(kind, z) for z in levels], line, color=colour, label=kind)
        right.plot(asked, slope(kind, asked), "o", color=colour)
    for time in (MOVED, LOADED):
        left.axvline(time, color=GUIDE, linewidth=1, zorder=0)
    left.axhline(asked, color=BLUE, linewidth=0.8, zorder=0)
    left.set(xlim=(0, END), ylim=(0, 34), xlabel="time", ylabel="level")
    right.set(xlim=(2, 24), ylim=(0, 1.2), xlabel="level at rest", ylabel="slope of Op (nats/time)")
    left.legend(loc="upper left")
    right.legend(loc="upper right")
    return fig


def caption(asked: float, inflow: float) -> str:
    """Say where both come to rest, how firm each is, and what the inflow does."""
    ends = {kind: at_rest(kind, knob_for(kind, asked), inflow) for kind in KINDS}
    rates = {kind: fixed(slope(kind, asked), 3) for kind in KINDS}
    moved = {kind: fixed(end - asked, 1) for kind, end in ends.items()}
    more = (
        "The inflow stays."
        if inflow == INFLOW
        else f"The inflow of {inflow:g} in place of {INFLOW:g} moves the valve's level by "
        f"{moved['valve']}, and the hole's by {moved['hole']}."
    )
    return (
        f"Both are asked for a level of {asked:g}: the valve by its set point, the hole by its "
        f"size. Both obey. The slope of Op is {rates['valve']} for the valve and "
        f"{rates['hole']} for the hole. {more}"
    )


def dot(asked: float) -> tuple[float, float]:
    """Return where the handle of the level asked for stands: on the valve's line."""
    return asked, slope("valve", asked)


experiment = explore(
    draw_experiment,
    name="regulator-or-leak",
    caption=caption,
    asked=ASKED,
    inflow=INFLOWS,
    labels={"asked": "level asked for", "inflow": "inflow from $t = 40$ on"},
    format={"asked": "{:g}", "inflow": "{:g}"},
    default={"asked": 18.0, "inflow": 6.0},
    grab={"asked": Handle(dot, axes=1)},
)


class Adapted(NamedTuple):
    """Op at the target of networks (seeds,): trained, with the wires swapped, and later."""

    before: Array
    swapped: Array
    after: Array


@cache
def adapted() -> Adapted:
    """Return the stored runs."""
    return Adapted(*map(columns("06-swapped", "seed"), Adapted._fields))
