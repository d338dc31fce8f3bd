"""Chapter 6: its figures and explorers."""

from collections.abc import Sequence
from functools import cache

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from descent import figures, influence
from descent.arguments import Array
from descent.chapters.thermostats_and_lorenz import numbers
from descent.chapters.thermostats_and_lorenz.numbers import FAR, NEAR, TARGET
from descent.dynamics.system import Initial
from descent.explorer import explore
from descent.figures import BLUE, EXACT, GOLD, GREEN, GUIDE, RED, SKY, VIOLET
from descent.influence import worlds
from descent.systems import lorenz

OF = {"a": SKY, "b": GOLD, "c": VIOLET}
"""Colours of the Lorenz system's variables."""


# Thermostats

STARTS = np.linspace(5, 45, 161) + 1e-3
RUNS = np.linspace(5, 45, 9)


@cache
def room_paths(theta: float, p: float) -> Array:
    """Return the room's temperature from RUNS at every tenth step up to t = 12."""
    system = numbers.thermostat(theta, p)
    state, rows = np.array([RUNS, np.zeros_like(RUNS)]), []
    for step in range(601):
        if step % 10 == 0:
            rows.append(state[0])
        state = np.array(system.step(state, 0.0))
    return np.array(rows)


@cache
def removed_share(theta: float, p: float) -> Array:
    """Return 1 - Comp over STARTS (columns) at t = 1, 2, ... 12 (rows)."""
    initial: Initial = {"room": STARTS, "thermostat": 0.0}
    names = ("thermostat", "room", "room")
    return 1 - influence.comp(numbers.thermostat(theta, p), initial, np.arange(1, 13), *names)


def draw_thermostat(theta: float, p: float, t: float) -> Figure:
    """Draw paths of the room, and 1 - Comp over its initial temperature."""
    fig, (left, right) = figures.figure(1, 2)
    times = np.arange(61) * 0.2
    past = times <= t + 1e-9
    left.axhspan(TARGET - theta, TARGET + theta, color=GUIDE, alpha=0.5, linewidth=0)
    left.plot(times[past], room_paths(theta, p)[past], color=BLUE, linewidth=1.2)
    left.set(xlim=(0, 12), ylim=(4, 46), xlabel="time $t$", ylabel="room temperature")
    share = removed_share(theta, p)[round(t) - 1]
    right.fill_between(STARTS, 0, share, color=EXACT, alpha=0.2, linewidth=0)
    right.plot(STARTS, share, color=EXACT)
    right.set(
        xlim=(5, 45),
        ylim=(-0.03, 1.05),
        xlabel="initial room temperature",
        ylabel="1 − Comp at time $t$",
    )
    return fig


def thermostat_caption(theta: float, p: float, t: float) -> str:
    """Say what area is removed."""
    area = numbers.removed_by_telescoping(theta, p, t)
    return (
        f"Band of half-width $\\vartheta = {theta:g}$, cooling limit $u_{{\\max}} = {p:g}$, time "
        f"$t = {t:g}$. The shaded area is {area:.2f}, and $2 u_{{\\max}} (t - \\Delta t)$ is "
        f"{2 * p * (t - numbers.DT):.2f}."
    )


saturated_thermostat = explore(
    draw_thermostat,
    name="saturated-thermostat",
    caption=thermostat_caption,
    theta=(0.25, 0.5, 1.0, 1.5, 2.0),
    p=(0.5, 1.0, 1.5),
    t=(1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0, 9.0, 10.0, 11.0, 12.0),
    labels={
        "theta": "half-width of the band $\\vartheta$",
        "p": "cooling limit $u_{\\max}$",
        "t": "time $t$",
    },
    default={"theta": 1.0, "p": 1.0, "t": 10.0},
    play="t",
    grab={"t": lambda theta, p, t: (t, room_paths(theta, p)[round(5 * t), -1])},
)


def draw_thermostat_run(start: float = 35.0, delta: float = 0.1) -> Figure:
    """Draw the disturbances of a room in X and Y, and Op."""
    fig, (left, right) = figures.figure(1, 2)
    system, times = numbers.thermostat(), np.arange(0, 15.01, 0.1)
    names = ("thermostat", "room")
    w, x, y = worlds.simulate(system, [start, 0.0], times, *names, delta)
    left.plot(times, y[:, 0] - w[:, 0], color=GREEN, label="$\\mathcal{Y} - \\mathcal{W}$")
    left.plot(times, x[:, 0] - w[:, 0], color=RED, label="$\\mathcal{X} - \\mathcal{W}$")
    left.set(xlabel="time $t$", ylabel="difference of room temperatures", ylim=(-0.005, 0.115))
    left.legend(loc="lower left")
    op = influence.op(system, [start, 0.0], times, *names, "room")
    right.plot(times, op, color=EXACT)
    right.set(xlabel="time $t$", ylabel="Op (nats)")
    return fig


def draw_op_over_start(time: float = 10.0) -> Figure:
    """Draw Op at one time over the initial temperature of the room."""
    fig, ax = figures.figure(width=4.3)
    starts = np.linspace(5, 45, 801) + 1e-3
    ax.axvspan(TARGET - 1, TARGET + 1, color=GUIDE, alpha=0.5, linewidth=0)
    ax.plot(starts, numbers.thermostat_op(starts, time), color=EXACT)
    ax.set(xlabel="initial room temperature", ylabel=f"Op at $t = {time:g}$ (nats)", xlim=(5, 45))
    return fig


def draw_three_integrals(cases: Sequence[tuple[float, float]], time: float = 10.0) -> Figure:
    """Draw 1 - Comp over the initial temperature for the source's three settings."""
    fig, ax = figures.figure(width=4.3)
    starts = np.linspace(5, 45, 801) + 1e-3
    for (theta, p), colour, dash in zip(cases, (EXACT, GOLD, VIOLET), "-:-", strict=True):
        name = f"$\\vartheta = {theta:g},\\ u_{{\\max}} = {p:g}$"
        ratio = np.exp(-numbers.thermostat_op(starts, time, theta, p))
        ax.plot(starts, 1 - ratio, dash, color=colour, label=name, linewidth=2)
    ax.set(xlabel="initial room temperature", ylabel="1 − Comp", xlim=(5, 45), ylim=(-0.03, 1.5))
    ax.legend(loc="upper left", ncols=1)
    return fig


# Lorenz

TIMES = tuple(np.linspace(0.1, 30, 300))
RHOS = (0.8, 5.0, 15.0, 28.0)
START_NAMES = {"(1, 1, 1)": NEAR, "(10, 10, 10)": FAR}
CHOICES = {f"A = {A}, {n} → {m}": (A, n, m) for A, n, m in numbers.choices_that_reach_y()}


def _op_axes(ax: Axes, times: Array, x: Array, y: Array) -> None:
    """Plot Op, black where Comp is positive and violet where it is negative."""
    op = np.log(np.abs(y)) - np.log(np.abs(x))
    same = np.sign(x) == np.sign(y)
    # A point of the other sign next to a run closes the gap to its neighbour.
    near = same.copy()
    near[1:] |= same[:-1]
    ax.plot(times, np.where(same, op, np.nan), color=EXACT, label="Comp > 0")
    ax.plot(times, np.where(near & same, np.nan, op), color=VIOLET, label="Comp < 0")
    ax.axhline(0, color=GUIDE, linewidth=1, zorder=0)
    ax.set(xlabel="time $t$", ylabel="Op (nats)")


def _say(ax: Axes, names: dict[str, str]) -> None:
    """Name lines by words of their colour, which takes a fifth of the time of a legend."""
    for k, (name, colour) in enumerate(reversed(names.items())):
        ax.text(0.04, 0.05 + 0.1 * k, name, color=colour, transform=ax.transAxes)


def _sizes(ax: Axes, times: Array, x: Array, y: Array) -> None:
    ax.plot(times, np.log(np.abs(y)), color=GREEN)
    ax.plot(times, np.log(np.abs(x)), color=RED)
    _say(ax, {"in $\\mathcal{Y}$": GREEN, "in $\\mathcal{X}$": RED})
    ax.set(xlabel="time $t$", ylabel="log of the disturbance's size")


def draw_lorenz(rho: float, choice: str, start: str) -> Figure:
    """Draw the disturbances in X and Y, Op with its predicted slope, and its beginning."""
    fig, (left, middle, right) = figures.figure(1, 3, width=9.6)
    A, n, m = CHOICES[choice]
    times = np.array(TIMES)
    x, y = numbers.pair(rho, START_NAMES[start], TIMES, A, n, m, dt=0.05)
    _sizes(left, times, x, y)
    _op_axes(middle, times, x, y)
    slope = numbers.predicted_slope(rho, A, m)
    op = np.log(np.abs(y)) - np.log(np.abs(x))
    late = times > 10
    level = np.median(op[late] - slope * times[late])
    middle.plot(times, level + slope * times, "--", color=GUIDE)
    bottom = -350 if (A, m) == ("b", "a") else -110  # a alone decays at the rate sigma
    left.set(xlim=(0, 30), ylim=(bottom, 30))
    middle.set(xlim=(0, 30), ylim=(bottom, 30))
    # Signs change while Op is still small, and it may end at minus a hundred.
    _op_axes(right, times[times <= 6], x[times <= 6], y[times <= 6])
    right.set(xlim=(0, 6), ylim=(-7, 5), ylabel="Op (nats), the beginning")
    _say(middle, {"Comp > 0": EXACT, "Comp < 0": VIOLET, "slope of the theorem": "0.45"})
    return fig


def lorenz_caption(rho: float, choice: str, start: str) -> str:
    """Say how Op ends and how often Comp is negative."""
    A, n, m = CHOICES[choice]
    x, y = numbers.pair(rho, START_NAMES[start], TIMES, A, n, m, dt=0.05)
    op = float(np.log(np.abs(y[-1])) - np.log(np.abs(x[-1])))
    negative, slope = np.mean(x * np.sign(y) < 0), numbers.predicted_slope(rho, A, m)
    return (
        f"$\\rho_\\mathrm{{L}} = {rho:g}$ from {start}; {A} is replayed in $\\mathcal{{Y}}$, "
        f"{n} is disturbed, {m} is measured. At $t = 30$ Op is {op:.1f} nats; the theorem's slope "
        f"is {slope:.3f}. Comp is negative for {100 * negative:.0f} % of the time."
    ).replace("-", "−")


lorenz_op = explore(
    draw_lorenz,
    name="lorenz-op",
    caption=lorenz_caption,
    rho=RHOS,
    choice=tuple(CHOICES),
    start=tuple(START_NAMES),
    labels={
        "rho": "$\\rho_\\mathrm{L}$",
        "choice": "replayed, disturbed → measured",
        "start": "start",
    },
    default={"rho": 28.0},
)


def draw_below_one(n: str) -> Figure:
    """Draw Op of b and of c at rho = 0.8 for one varied variable."""
    fig, axes = figures.figure(1, 2)
    times = tuple(np.linspace(0.02, 6, 300))
    for ax, m in zip(axes, "bc", strict=True):
        x, y = numbers.pair(0.8, NEAR, times, "a", n, m)
        ax.plot(times, y, color=GREEN, label="in $\\mathcal{Y}$")
        ax.plot(times, x, color=RED, label="in $\\mathcal{X}$")
        ax.axhline(0, color=GUIDE, linewidth=1, zorder=0)
        ax.set(xlabel="time $t$", ylabel=f"disturbance of {m}")
        ax.legend(loc="upper right" if max(y) > 0.1 else "lower right")
    return fig


def draw_op_below_one(n: str) -> Figure:
    """Draw Op of b and of c at rho = 0.8 for one varied variable, with the sign of Comp."""
    fig, axes = figures.figure(1, 2)
    times = tuple(np.linspace(0.02, 6, 600))
    for ax, m in zip(axes, "bc", strict=True):
        x, y = numbers.pair(0.8, NEAR, times, "a", n, m)
        _op_axes(ax, np.array(times), x, y)
        ax.set(ylabel=f"Op of {m} (nats)", ylim=(-7, 4))
        if n == "c" and m == "c":
            ax.legend(loc="upper right")
    return fig


def draw_until(until: float = 10.0) -> Figure:
    """Draw Op of b and c when a is replayed for a while only."""
    fig, axes = figures.figure(1, 2)
    times, starts = np.linspace(0.2, 40, 200), np.array([NEAR, FAR])
    for m in "bc":
        both = influence.op(lorenz(), starts, times, "a", "b", m, until=until, dt=0.04)
        for ax, op in zip(axes, both.T, strict=True):
            ax.plot(times, op, color=OF[m], label=f"of {m}", linewidth=1.2)
    for ax in axes:
        ax.axvline(until, color=GUIDE, linewidth=1, zorder=0)
        ax.set(xlabel="time $t$", ylabel="Op (nats)", ylim=(-34, 6))
        ax.legend(loc="upper right")
    return fig


def draw_slopes(times: Array, curves: dict[str, Array], rates: numbers.Exponents) -> Figure:
    """Draw Op over an ensemble for the three choices of A, with the theorem's lines."""
    fig, ax = figures.figure(width=4.3, height=3.2)
    for A, values in curves.items():
        low, middle, high = np.percentile(values, [10, 50, 90], axis=1)
        ax.fill_between(times, low, high, color=OF[A], alpha=0.25, linewidth=0)
        ax.plot(times, middle, color=OF[A], label=f"$A$ = {A}")
        slope = rates.slope(A)[0]
        ax.plot(times, middle[-1] + slope * (times - times[-1]), "--", color=EXACT, linewidth=1)
    ax.axhline(0, color=GUIDE, linewidth=1, zorder=0)
    ax.set(xlabel="time $t$", ylabel="Op (nats)", xlim=(0, times[-1]))
    ax.legend(loc="lower left")
    return fig


def draw_slopes_at_equilibria() -> Figure:
    """Draw the limit of Op/t against rho while an equilibrium is stable."""
    fig, ax = figures.figure(width=4.3)
    rho = np.concatenate([np.linspace(0.05, 0.99, 60), np.linspace(1.01, 24.7, 400)])
    for A in "abc":
        slope = np.array([numbers.slope_at_equilibrium(r, A) for r in rho])
        ax.plot(rho, slope, color=OF[A], label=f"$A$ = {A}")
    ax.axhline(0, color=GUIDE, linewidth=1, zorder=0)
    ax.set(xlabel="$\\rho_\\mathrm{L}$", ylabel="limit of Op$/t$", xlim=(0, 25), ylim=(-4.2, 1.4))
    ax.legend(loc="lower right", ncols=3)
    return fig


def draw_horizons() -> Figure:
    """Draw finite differences against the tangent, and the horizon against delta."""
    fig, (left, right) = figures.figure(1, 2)
    times, shown = numbers.HORIZON_TIMES, {1e-2: "0.5", 1e-5: SKY, 1e-7: GOLD, 1e-10: VIOLET}
    exact, approximations = numbers.tangent_and_differences()
    left.plot(times, -np.log(np.abs(exact[:, 0, 0])), color=EXACT, linewidth=2.5, label="tangent")
    for delta, colour in shown.items():
        with np.errstate(divide="ignore", invalid="ignore"):
            op = -np.log(np.abs(approximations[delta][:, 0, 0]))
        name = f"$\\delta = 10^{{{round(np.log10(delta))}}}$"
        left.plot(times, np.where(np.isfinite(op), op, np.nan), color=colour, lw=1, label=name)
    left.set(xlabel="time $t$", ylabel="Op of b (nats)", ylim=(-58, 4), xlim=(0, 18))
    left.legend(loc="lower left")
    for which, (name, line) in enumerate(zip(START_NAMES, ("o-", "s:"), strict=True)):
        ends = np.array(list(numbers.horizons(which).values()))
        right.semilogx(
            numbers.DELTAS, np.median(ends, axis=1), line, color=EXACT, label=f"from {name}"
        )
        right.fill_between(numbers.DELTAS, ends[:, 0], ends[:, -1], color=EXACT, alpha=0.15, lw=0)
    decay = -numbers.exponents().conditional["a"][0, 0]
    grid = np.geomspace(1e-12, 1e-3, 20)
    right.semilogx(
        grid,
        np.log(grid / (np.finfo(float).eps * 10)) / decay,
        "--",
        color=GUIDE,
        label="rounding in $\\mathcal{Y}$",
    )
    right.set(xlabel="$\\delta$", ylabel="horizon (time)", ylim=(0, 22))
    right.legend(loc="upper left")
    return fig
