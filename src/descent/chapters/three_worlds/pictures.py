"""Chapter 5: its figures and explorers."""

from collections.abc import Mapping, Sequence
from functools import cache

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import FancyArrowPatch

from descent import figures
from descent.arguments import Array
from descent.chapters.three_worlds import numbers
from descent.chapters.three_worlds.numbers import Network
from descent.explorer import explore
from descent.figures import EXACT, GOLD, GUIDE, SKY, VIOLET, W, X, Y
from descent.influence import linear_thermostat_comp
from descent.influence.worlds import horizon
from descent.prose import fixed, power_of_ten

WORLDS = {"W": W, "X": X, "Y": Y}


# The causal network.


def _network(
    ax: Axes,
    network: Network,
    world: Mapping[str, str],
    values: Mapping[str, object],
    label: str,
    divided: bool,
) -> None:
    for source, target in network.arrows:
        # In Y a change of B meets a recording in A, and ends there.
        cut = world[source] != "W" and world[target] == "W"
        arrow = FancyArrowPatch(
            network.places[source],
            network.places[target],
            arrowstyle="-|>",
            mutation_scale=7,
            shrinkA=6,
            shrinkB=6,
            linewidth=0.9,
            linestyle=":" if cut else "-",
            color=GUIDE if world[source] == "W" else WORLDS[world[source]],
        )
        ax.add_patch(arrow)
    for name, (t, row) in network.places.items():
        square = divided and name in network.part
        ax.plot([t], [row], "s" if square else "o", color=WORLDS[world[name]], markersize=9)
        ax.text(t + 0.09, row + 0.24, f"{values[name]}", ha="left", va="center", fontsize=9)
    if divided:
        ax.axhline(1.5, color=GUIDE, linewidth=1, linestyle="--")
        ax.text(-0.62, 2.5, "$A$", va="center")
        ax.text(-0.62, 0.5, "$B$", va="center")
    ax.text(1.5, 3.55, label, ha="center", va="center")
    ax.set(xlim=(-0.7, 3.3), ylim=(-0.4, 3.8))
    ax.set_axis_off()


def draw_networks(network: Network, node: str) -> Figure:
    """Draw the world W, W divided, X and Y, with their numbers; ``node`` is disturbed."""
    fig, axes = figures.figure(2, 2, width=6.4, height=5.2)
    plain = dict.fromkeys(network.places, "W")
    reached = numbers.downstream(network, node)
    x = {n: "X" if n in reached else "W" for n in network.places}
    y = numbers.values_in_y(network, node)
    values = numbers.values(network, node)
    drawings = [(plain, "W", "world W", False), (plain, "W", "W, divided", True)]
    drawings += [(x, "X", "world X", True), (y, "Y", "world Y", True)]
    # Down the columns, which stay together on a narrow screen.
    for ax, (world, name, label, divided) in zip(axes.T.flat, drawings, strict=True):
        _network(ax, network, world, values[name], label, divided)
        if divided and world is not plain:
            t, row = network.places[node]
            ax.plot([t], [row], "o", color=EXACT, markersize=13, zorder=1.5)  # a ring
    return fig


# The linear thermostat.


def below(value: float) -> str:
    """Return the next power of ten above a value, as text."""
    return power_of_ten(10.0 ** np.ceil(np.log10(value)))


def draw_course(room: Array, thermostat: Array, printed: Array) -> Figure:
    """Draw room and thermostat of W, as meant and as printed."""
    fig, (left, right) = figures.figure(1, 2)
    left.plot(room, color=W, label="room")
    left.plot(thermostat, color=W, linestyle="--", label="thermostat")
    left.axhline(numbers.TARGET, color=GUIDE, linewidth=1)
    left.text(len(room) - 1, numbers.TARGET, "target", ha="right", va="bottom")
    left.set(xlabel="time $t$ (steps)", ylabel="temperature (degrees)", ylim=(-5, 37))
    left.legend(loc="center right")
    right.plot(printed / 1000, color=GOLD, label="room, as printed")
    right.plot(room / 1000, color=W, label="room, as meant")
    right.set(xlabel="time $t$ (steps)", ylabel="temperature (thousand degrees)")
    right.legend()
    return fig


def draw_disturbances(x: Array, y: Array, log_ratio: Array) -> Figure:
    """Draw the disturbances of X and Y in units of delta, and the log of their ratio."""
    fig, (left, right) = figures.figure(1, 2)
    left.plot(y, color=Y, label="world Y")
    left.plot(x, color=X, label="world X")
    left.set(xlabel="time $t$ (steps)", ylabel="disturbance, in units of $\\delta$")
    left.set_ylim(-0.05, 1.15)
    left.legend(loc="center right")
    right.plot(log_ratio, color=EXACT)
    right.set(xlabel="time $t$ (steps)", ylabel="log of the ratio X / Y (nats)")
    return fig


def draw_gain(k: Array, rates: Array, marked: Sequence[float]) -> Figure:
    """Draw the rate of Op against the gain, and what doubling the gain does to it."""
    fig, (left, right) = figures.figure(1, 2)
    left.plot(k, rates, color=EXACT)
    left.axhline(0, color=GUIDE, linewidth=1)
    left.axvline(0.25, color=GUIDE, linewidth=1)
    left.text(0.26, 0.03, " $k = 1/4$", va="bottom")
    left.plot(marked, numbers.rate(np.array(marked)), "o", color=GOLD)
    left.set(xlabel="gain $k$", ylabel="rate of Op (nats per step)")
    low = k[(k > 1e-6) & (k <= 0.5)]
    right.plot(low, numbers.rate(2 * low) / numbers.rate(low), color=EXACT)
    right.axhline(2, color=GUIDE, linewidth=1)
    right.text(0.5, 2, "twice as big", ha="right", va="bottom")
    right.plot([marked[0]], [numbers.rate(marked[1]) / numbers.rate(marked[0])], "o", color=GOLD)
    right.set(xlabel="gain $k$", ylabel="rate at $2k$ / rate at $k$", ylim=(0, 4.6))
    return fig


def draw_forcing(times: Array, linear: dict[float, Array], saturated: dict[float, Array]) -> Figure:
    """Draw Op under forcing of several amplitudes: linear thermostat, and a saturated one."""
    fig, (left, right) = figures.figure(1, 2)
    widths, styles = (5.0, 3.0, 1.2), ("-", "-", "--")
    colours = (SKY, GOLD, EXACT)
    for ax, curves in ((left, linear), (right, saturated)):
        for (amplitude, op), width, style, colour in zip(
            curves.items(), widths, styles, colours, strict=True
        ):
            t = times if ax is right else np.arange(len(op))
            label = f"amplitude {amplitude:,g}"
            ax.plot(t, op, linewidth=width, linestyle=style, color=colour, label=label)
        ax.set(ylabel="Op (nats)")
        ax.legend()
    left.set_xlabel("time $t$ (steps), linear thermostat")
    right.set_xlabel("time $t$, saturated thermostat")
    return fig


def draw_floating_point(exact: Array, approximations: dict[float, Array], stride: int) -> Figure:
    """Draw Op by finite differences with several delta on the exact line."""
    fig, ax = figures.figure(width=4.3, height=3.3)
    t = np.arange(len(exact))
    ax.plot(t, exact, color=EXACT, label="tangent dynamics")
    colours = ("0.5", SKY, GOLD, VIOLET)
    for (delta, op), colour in zip(approximations.items(), colours, strict=True):
        finite = np.where(np.isfinite(op), op, np.nan)
        ax.plot(t[::stride], finite[::stride], ".", color=colour, markersize=3)
        last = int(np.nonzero(np.isfinite(finite))[0][-1])
        ax.plot([], [], ".", color=colour, label=f"$\\delta$ = {power_of_ten(delta)}")
        ax.plot([last], [finite[last]], "x", color=colour)
    ax.set(xlabel="time $t$ (steps)", ylabel="Op (nats)")
    ax.legend()
    return fig


def draw_horizons(
    deltas: Array, amplitudes: Sequence[float], found: Array, predicted: Array
) -> Figure:
    """Draw the horizon against delta for several amplitudes, measured and predicted."""
    fig, ax = figures.figure(width=4.3, height=3.3)
    for i, (amplitude, colour) in enumerate(
        zip(amplitudes, (SKY, EXACT, GOLD, VIOLET), strict=True)
    ):
        label = "no forcing" if amplitude == 0 else f"amplitude {amplitude:,.0f}"
        ax.plot(deltas, np.clip(predicted[:, i], 0, None), color=colour, linewidth=1)
        ax.plot(deltas, found[:, i], "o", color=colour, markersize=4, label=label)
    ax.set(xlabel="size of the disturbance $\\delta$", ylabel="horizon (steps)", xscale="log")
    ax.legend(loc="upper left")
    return fig


def draw_waterbed(omega: Array, gains: dict[float, Array]) -> Figure:
    """Draw the log of the sensitivity against frequency for several gains."""
    fig, ax = figures.figure(width=4.3, height=3.3)
    for (k, gain), colour in zip(gains.items(), (SKY, EXACT, VIOLET), strict=True):
        ax.plot(omega, np.log(gain), color=colour, label=f"$k$ = {k:g}")
    ax.axhline(0, color=GUIDE, linewidth=1)
    ax.set(xlabel="angular frequency (radians per step)", ylabel="log of the sensitivity (nats)")
    ax.set(ylim=(-3, 1.5), xlim=(0, np.pi))
    ax.legend(loc="lower right")
    return fig


RANKED = (-2.0, 1.8)
"""Range of the slopes that `draw_ranking` shows."""


def draw_ranking(slopes: dict[int, Array], named: dict[str, float]) -> Figure:
    """Draw the distribution of the slope of Op over random systems, and some named systems."""
    fig, ax = figures.figure(width=4.3, height=3.4)
    edges = np.linspace(*RANKED, 77)
    for (d, slope), colour in zip(slopes.items(), (SKY, GOLD, VIOLET), strict=True):
        density = np.histogram(slope, edges)[0] / len(slope) / np.diff(edges)
        ax.stairs(density, edges, color=colour, label=f"{d} variables", linewidth=1.4)
    ax.axvline(0, color=GUIDE, linewidth=1)
    for label, at in named.items():
        height = 5.0 - 2.4 * max(at, 0.0)
        ax.plot([at, at], [0, height], color=EXACT, linewidth=0.8)
        side, gap = ("left", 0.05) if at > 0 else ("right", -0.05)
        ax.text(at + gap, height, label, ha=side, va="center")
    ax.set(xlim=RANKED, ylim=(0, 5.4))
    ax.set(
        xlabel="long-run slope of Op (nats per unit of time)", ylabel="density of random systems"
    )
    ax.legend(loc="center left")
    return fig


# Explorers.

EXPLORED_STEPS = 1000
_SHOWN = slice(0, None, 8)
AMPLITUDES = (0.0, 1.0, 10.0, 1000.0, 1e6)
DELTAS = (1e-12, 1e-9, 1e-6, 1e-3, 1.0)


@cache
def _explored(k: float, delta: float) -> Array:
    return numbers.simulate_forced(k, delta, AMPLITUDES, EXPLORED_STEPS)


@cache
def _exact(k: float) -> Array:
    return linear_thermostat_comp(k, np.arange(EXPLORED_STEPS + 1))


def _disturbances(k: float, delta: float, amplitude: float) -> tuple[Array, Array]:
    """Return the disturbances of X and Y; Y's is delta as the room's rounding leaves it."""
    w, x, y = _explored(k, delta)[..., AMPLITUDES.index(amplitude)]
    return x - w, y - w


def draw_rooms(k: float, amplitude: float) -> Figure:
    """Draw the room of W."""
    fig, ax = figures.figure(width=4.3, height=2.2)
    room = _explored(k, 1.0)[0][:, AMPLITUDES.index(amplitude)]
    t = np.arange(EXPLORED_STEPS + 1)[::4]
    ax.plot(t, room[::4], color=W)
    ax.axhline(numbers.TARGET, color=GUIDE, linewidth=1)
    ax.set(xlabel="time $t$ (steps)", ylabel="room in W (degrees)", xlim=(0, EXPLORED_STEPS))
    half = 12 + 20 * amplitude  # the axis grows with the forcing, and with it alone
    ax.set_ylim(numbers.TARGET - half, numbers.TARGET + half)
    return fig


def draw_worlds(k: float, delta: float, amplitude: float) -> Figure:
    """Draw the disturbances of X and Y, and Op."""
    fig, (left, right) = figures.figure(1, 2, width=6.8)
    t = np.arange(EXPLORED_STEPS + 1)[_SHOWN]
    x, y = (values[_SHOWN] for values in _disturbances(k, delta, amplitude))
    left.plot(t, np.clip(y / delta, -2, 3), color=Y, label="world Y")
    left.plot(t, np.clip(x / delta, -2, 3), color=X, label="world X")
    left.set(xlabel="time $t$ (steps)", ylabel="disturbance, in units of $\\delta$")
    left.set(xlim=(0, EXPLORED_STEPS), ylim=(-0.3, 1.5))
    left.legend(loc="upper right")
    comp = _exact(k)[_SHOWN]
    right.plot(t, -np.log(np.abs(comp)), color=EXACT, label="tangent dynamics")
    with np.errstate(divide="ignore", invalid="ignore"):
        op = -np.log(np.abs(x / y))
    op[~np.isfinite(op) | (np.abs(op) > 40)] = np.nan
    right.plot(t, op, ".", color=X, markersize=3, label="finite difference")
    right.set(xlabel="time $t$ (steps)", ylabel="Op (nats)")
    right.set(xlim=(0, EXPLORED_STEPS), ylim=(-13, 40), yticks=[0, 10, 20, 30, 40])
    right.legend(loc="lower right")  # below every line
    return fig


def worlds_caption(k: float, delta: float, amplitude: float) -> str:
    """Say what is left of the disturbance, and where the finite difference fails."""
    x, y = _disturbances(k, delta, amplitude)
    with np.errstate(divide="ignore", invalid="ignore"):
        ratio = x / y
    end = horizon(np.arange(len(x)), _exact(k), ratio)
    heat = "no forcing" if amplitude == 0 else f"forcing of amplitude {amplitude:,.0f}"
    tangent = -np.log(np.abs(_exact(k)[-1]))
    if np.isinf(end):
        trust = "the finite difference follows it to the end."
    else:
        trust = f"the finite difference follows it for {end:,.0f} steps, then rounding wins."
    return (
        f"$k = {k:g}$, $\\delta$ = {power_of_ten(delta)}, {heat}. Op after {EXPLORED_STEPS} "
        f"steps is {tangent:.1f} nats by tangent dynamics; {trust}"
    )


LOOP_STEPS = 40
LOOP_GAINS = (
    *(-0.1, -0.05, 0.01, 0.02, 0.05, 0.1, 0.15, 0.2, 0.22, 0.24, 0.25, 0.26, 0.3, 0.35),
    *(0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95, 1.0, 1.05),
)


def _roots(k: float) -> Array:
    root = np.sqrt(complex(1 - 4 * k))
    return np.array([(1 + root) / 2, (1 - root) / 2])


@cache
def _loop_op(k: float) -> Array:
    """Return Op of the loop at each step; where X crosses zero, Op has no value."""
    with np.errstate(divide="ignore"):
        op = -np.log(np.abs(linear_thermostat_comp(k, np.arange(LOOP_STEPS + 1))))
    return np.where(np.isfinite(op), op, np.nan)


def draw_loop(k: float) -> Figure:
    """Draw the roots in the complex plane, Comp, and Op with the long run's slope."""
    fig, (left, middle, right) = figures.figure(1, 3, width=9.6)
    angle = np.linspace(0, 2 * np.pi, 181)
    left.plot(np.cos(angle), np.sin(angle), color=GUIDE, linewidth=1)
    roots = _roots(k)
    left.plot(roots.real, roots.imag, "o", color=X)
    left.set(xlabel="real part of the root", ylabel="imaginary part", aspect="equal")
    left.set(xlim=(-1.25, 1.25), ylim=(-1.25, 1.25), xticks=[-1, 0, 1], yticks=[-1, 0, 1])
    t = np.arange(LOOP_STEPS + 1)
    middle.axhline(0, color=GUIDE, linewidth=1)
    middle.axhline(1, color=Y, label="world Y")
    middle.plot(t, linear_thermostat_comp(k, t), ".-", color=X, label="world X")
    middle.set(xlabel="time $t$ (steps)", ylabel="disturbance, in units of $\\delta$")
    # Linear up to a tenth: what fades and what grows are seen in one frame.
    middle.set_yscale("symlog", linthresh=0.1, linscale=0.6)
    ticks = [-10, -1, -0.1, 0, 0.1, 1, 10]
    middle.set(xlim=(0, LOOP_STEPS), ylim=(-10, 60), yticks=ticks)
    middle.set_yticklabels([f"{tick:g}".replace("-", "−") for tick in ticks])
    middle.legend(loc="upper left")
    right.axhline(0, color=GUIDE, linewidth=1)
    right.plot(t, _loop_op(k), ".-", color=EXACT, label="Op")
    right.plot(t, numbers.rate(k) * t, "--", color=GUIDE, label="slope of the long run")
    right.set(xlabel="time $t$ (steps)", ylabel="Op (nats)", xlim=(0, LOOP_STEPS), ylim=(-6, 34))
    right.legend(loc="upper left")
    return fig


def loop_caption(k: float) -> str:
    """Say what kind of thermostat this is."""
    rate = float(numbers.rate(k))
    if k < 0:
        kind = "Wired backwards: one root lies outside the unit circle and disturbances grow"
    elif k < 0.25:
        kind = "Both roots are real: disturbances fade without oscillation"
    elif k == 0.25:
        kind = "The roots coincide: this is the gain at which disturbances fade fastest"
    elif k < 1:
        kind = "The roots are complex: disturbances oscillate and fade"
    elif k == 1:
        kind = "The roots lie on the unit circle: disturbances never fade and return every 6 steps"
    else:
        kind = "The roots lie outside the unit circle: disturbances oscillate and grow"
    where = ", away from its poles" if k > 0.25 else ""
    change = f"Op changes by {fixed(rate, 3)} nats per step in the long run{where}."
    return f"$k = {k:g}$. {kind}. {change}"


three_worlds = explore(
    draw_rooms,
    draw_worlds,
    name="three-worlds",
    caption=worlds_caption,
    k=(0.005, 0.01, 0.02, 0.05, 0.1),
    delta=DELTAS,
    amplitude=AMPLITUDES,
    labels={
        "k": "gain $k$",
        "delta": "disturbance $\\delta$",
        "amplitude": "forcing (degrees per step)",
    },
    format={"k": "{:g}", "delta": power_of_ten, "amplitude": "{:,.0f}"},
    default={"k": 0.01, "delta": 1e-3, "amplitude": 0.0},
)

thermostat_loop = explore(
    draw_loop,
    name="thermostat-loop",
    caption=loop_caption,
    k=LOOP_GAINS,
    labels={"k": "gain $k$"},
    default={"k": 0.25},
    grab={"k": lambda k: (_roots(k)[0].real, _roots(k)[0].imag)},
)
