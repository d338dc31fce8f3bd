"""Chapter 6: what the source asks besides: all variables, pairs as A, bands without width."""

from functools import cache
from itertools import combinations
from typing import NamedTuple

import numpy as np
from matplotlib.figure import Figure

from descent import figures, influence, prose
from descent.arguments import Array
from descent.chapters.thermostats_and_lorenz import numbers
from descent.chapters.thermostats_and_lorenz.numbers import BETA, FAR, NEAR, SIGMA, TARGET
from descent.dynamics.system import Initial
from descent.estimates import mean_with_error
from descent.figures import BLUE, EXACT, GOLD, GREEN, GUIDE, RED, SKY, VIOLET
from descent.influence import worlds
from descent.prose import fixed
from descent.systems import lorenz, saturated_thermostat

# The variables in the three worlds


@cache
def variables(rho: float, delta: float, end: float) -> tuple[Array, Array]:
    """Return times (401,), and a, b, c in W, X and Y from NEAR, (3, 401, 3); b is disturbed."""
    times = np.linspace(0, end, 401)
    return times, worlds.simulate(lorenz(rho=rho), NEAR, times, "a", "b", delta)


def draw_variables(rho: float, delta: float, end: float, begin: float = 0.0) -> Figure:
    """Draw a, b and c in W, X and Y from NEAR; a is replayed, b disturbed."""
    fig, axes = figures.figure(1, 3, width=7.2, height=2.6)
    times, paths = variables(rho, delta, end)
    shown = times >= begin
    for k, ax in enumerate(axes):
        for path, colour, style, name in zip(
            (paths[1], paths[0], paths[2]),
            (RED, BLUE, GREEN),
            ("-", "-", ":"),
            ("$\\mathcal{X}$", "$\\mathcal{W}$", "$\\mathcal{Y}$"),
            strict=True,
        ):
            ax.plot(times[shown], path[shown, k], style, color=colour, linewidth=1.3, label=name)
        ax.set(xlabel="time $t$", ylabel=numbers.VARIABLES[k], xlim=(begin, end))
    axes[2].legend(loc="best")
    return fig


# Pairs as A

DECAY = {"a": SIGMA, "b": 1.0, "c": BETA}
"""Rates at which a variable alone forgets, while the two others are replayed."""


class PairRow(NamedTuple):
    """A pair as A, and slopes of Op of the third variable: of the theorem, and measured."""

    pair: tuple[str, str]
    rest: str
    at_rest: tuple[float, float]  # rho = 0.8
    in_chaos: tuple[float, tuple[float, float]]  # rho = 28, measured with its error


def _at_rest(rest: str) -> float:
    """Return the limit of Op/t at rho = 0.8, where the growth is that of X at the origin."""
    growth = numbers.largest_rate(numbers.jacobian_at(np.zeros(3), 0.8))
    # A disturbance of c reaches c again by way of a and b, twice: by their product.
    return -DECAY[rest] - (2 if rest == "c" else 1) * growth


@cache
def pairs(size: int = 256) -> tuple[PairRow, ...]:
    """Return the three pairs, from FAR at rho = 0.8 and from places on the attractor."""
    rows, times = [], np.array([5.0, 20.0])
    largest = numbers.exponents(28.0).full[0, 0]
    for pair in combinations(numbers.VARIABLES, 2):
        (rest,) = set(numbers.VARIABLES) - set(pair)
        quiet = influence.op(lorenz(rho=0.8), FAR, [30.0, 40.0], pair, rest, rest, dt=0.02)
        chaos = influence.op(lorenz(), numbers.on_attractor(size), times, pair, rest, rest, dt=0.02)
        measured = mean_with_error(np.diff(chaos, axis=0)[0] / 15)
        rows.append(
            PairRow(
                pair,
                rest,
                (_at_rest(rest), float(np.diff(quiet)[0] / 10)),
                (float(-DECAY[rest] - largest), (measured.value, measured.error)),
            )
        )
    return tuple(rows)


def pairs_table() -> str:
    """Return the rows as a Markdown table."""
    cells = []
    for row in pairs():
        predicted, (value, error) = row.in_chaos
        cells.append(
            [
                " and ".join(row.pair),
                row.rest,
                fixed(-DECAY[row.rest], 3),
                fixed(row.at_rest[0], 4),
                fixed(row.at_rest[1], 4),
                fixed(predicted, 3),
                f"{fixed(value, 3)}\u00a0±\u00a0{fixed(error, 3)}",
            ]
        )
    head = [
        "$A$",
        "$n = m$",
        "rate in $\\mathcal{Y}$",
        "slope at 0.8",
        "measured",
        "slope at 28",
        "measured",
    ]
    return prose.table(head, cells, "llrrrrr")


# A band without width

STARTS = np.linspace(5, 45, 321) + 1e-3


@cache
def removed(theta: float, dt: float, time: float = 10.0) -> Array:
    """Return 1 - Comp over STARTS."""
    system = saturated_thermostat(theta, 1.0, TARGET, dt)
    initial: Initial = {"room": STARTS, "thermostat": 0.0}
    comp = influence.comp(system, initial, [time], "thermostat", "room", "room")
    return np.asarray(1 - comp[0])


def sign_law(start: Array, time: float, p: float = 1.0) -> Array:
    """Return 1 - Comp of the room that moves to its target at the speed p, whatever the distance.

    What has arrived by then forgets where it began, and what has not keeps its distances.
    """
    return (np.abs(np.asarray(start) - TARGET) < p * time).astype(float)


def area(theta: float, dt: float, time: float = 10.0) -> float:
    """Return the integral of 1 - Comp, as a difference of final temperatures."""
    system = saturated_thermostat(theta, 1.0, TARGET, dt)
    state = np.array([[numbers.LOW, numbers.HIGH], [0.0, 0.0]])
    for _ in range(round(time / dt)):
        state = np.array(system.step(state, 0.0))
    return float((numbers.HIGH - numbers.LOW) - (state[0, 1] - state[0, 0]))


BANDS = ((3.0, 0.02), (1.0, 0.02), (0.1, 0.01), (0.01, 0.001))


def draw_vanishing_band() -> Figure:
    """Draw 1 - Comp for ever narrower bands, and for steps that are too long for the narrowest."""
    fig, (left, right) = figures.figure(1, 2)
    for (theta, dt), colour in zip(BANDS, (SKY, GOLD, VIOLET, RED), strict=True):
        left.plot(STARTS, removed(theta, dt), color=colour, label=f"$\\vartheta$ = {theta:g}")
    left.step(STARTS, sign_law(STARTS, 10.0), "--", color=EXACT, linewidth=1, label="sign law")
    left.legend(loc="upper right", fontsize=7)
    right.plot(STARTS, removed(0.01, 0.02), ".", color=RED, markersize=3)
    right.axhline(0, color=GUIDE, linewidth=1, zorder=0)
    for ax in (left, right):
        ax.set(xlabel="initial room temperature", ylabel="1 − Comp")
    return fig
