"""Chapter 3: its figures and explorer. Tables and flows serve chapter 4 as well."""

from collections.abc import Mapping

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import FancyArrowPatch, PathPatch, Rectangle
from matplotlib.path import Path

from descent import figures, information
from descent.chapters.joint_distributions.numbers import (
    PRESETS,
    Strength,
    mixed_joint,
    mixing_curves,
    runs,
)
from descent.explorer import Handle, explore
from descent.figures import BLUE, DUMB, EXACT, GOLD, GREEN, GUIDE, RED, SKY, SMART, VIOLET
from descent.information import Distribution
from descent.systems import FiniteSystem, dumb_thermostat, smart_thermostat

IDLE = GREEN
ROOMS = GOLD, VIOLET, SKY
"""Colours of a hot, a warm and a cold room."""

_SYSTEM = dumb_thermostat()
SETTINGS, TEMPERATURES = _SYSTEM.thermostat, _SYSTEM.room
_GAP = 0.035  # between the bars of a flow, as a share of all mass


def rule_table(ax: Axes, name: str) -> None:
    """Draw the lines and labels of a table of the nine states."""
    for edge in (1, 2):
        ax.axhline(edge, color=GUIDE, linewidth=0.6)
        ax.axvline(edge, color=GUIDE, linewidth=0.6)
    ax.set(xlim=(0, 3), ylim=(3, 0), xticks=[0.5, 1.5, 2.5], yticks=[0.5, 1.5, 2.5])
    ax.set_xticklabels(TEMPERATURES)
    ax.set_yticklabels(SETTINGS)
    ax.tick_params(length=0)
    ax.set(xlabel=f"room, {name}", ylabel="thermostat")


def draw_table(ax: Axes, joint: Distribution, name: str) -> None:
    """Draw a joint distribution of Fractions as a table of shaded cells."""
    for i, row in enumerate(joint):
        for j, value in enumerate(row):
            strength = 0.62 * float(value) ** 0.7
            ax.add_patch(Rectangle((j, i), 1, 1, facecolor=(*_rgb(BLUE), strength), linewidth=0))
            colour = "black" if value else "0.4"
            ax.text(j + 0.5, i + 0.5, str(value), ha="center", va="center", color=colour)
    rule_table(ax, name)
    for side in ("top", "right"):
        ax.spines[side].set_visible(True)


def _rgb(colour: str) -> tuple[float, float, float]:
    red, green, blue = (int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5))
    return red, green, blue


def draw_tables(tables: Mapping[str, Distribution]) -> Figure:
    """Draw joint distributions in two columns: now on the left, next on the right."""
    rows = len(tables) // 2
    fig, axes = figures.figure(rows, 2, width=5.8, height=2.0 * rows)
    for ax, (name, joint) in zip(axes.flat, tables.items(), strict=True):
        draw_table(ax, joint, name)
    return fig


def _places(mass: Distribution) -> tuple[list[float], list[float]]:
    """Return lower ends and heights of nine bars, from the top down, hot rooms first."""
    heights = [float(mass[i, j]) for j in range(3) for i in range(3)]
    ends, y = [], 1 + 8 * _GAP
    for height in heights:
        y -= height
        ends.append(y)
        y -= _GAP
    return ends, heights


def draw_flow(ax: Axes, joint: Distribution, system: FiniteSystem, name: str) -> None:
    """Draw how a step carries the probability of the nine states: bars, and bands between them."""
    after = np.zeros((3, 3))
    for i, j in np.ndindex(3, 3):
        after[system.step(i, j)] += float(joint[i, j])
    left, heights = _places(joint)
    right, heights_after = _places(after)
    used = [0.0] * 9
    for state in range(9):
        j, i = divmod(state, 3)
        next_i, next_j = system.step(i, j)
        target, height = 3 * int(next_j) + int(next_i), heights[state]
        if height > 0:
            top = right[target] + heights_after[target] - used[target]
            used[target] += height
            _band(ax, left[state], top - height, height, ROOMS[j])
    labels = [f"{i}, {j}" for j in TEMPERATURES for i in SETTINGS]
    for x, ends, sizes in ((0.0, left, heights), (1.0, right, heights_after)):
        for end, size, label in zip(ends, sizes, labels, strict=True):
            ax.plot([x, x], [end, end + size], color="black", linewidth=2.5, solid_capstyle="butt")
            outside, side = (x - 0.03, "right") if x == 0 else (x + 0.03, "left")
            if size > 0:
                ax.text(outside, end + size / 2, label, ha=side, va="center", fontsize=8)
    ax.set(xlim=(-0.42, 1.42), ylim=(-0.03, 1.03 + 8 * _GAP), yticks=[], xticks=[0, 1])
    ax.set_xticklabels(["now", "next"])
    ax.tick_params(length=0)
    ax.set(xlabel=name, ylabel="probability")
    ax.spines[["left", "bottom"]].set_visible(False)


def _band(ax: Axes, start: float, end: float, height: float, colour: str) -> None:
    bend = 0.5
    lower = [(0.015, start), (bend, start), (bend, end), (0.985, end)]
    upper = [(x, y + height) for x, y in reversed(lower)]
    curve = [Path.MOVETO, *[Path.CURVE4] * 3, Path.LINETO, *[Path.CURVE4] * 3, Path.CLOSEPOLY]
    path = Path([*lower, *upper, lower[0]], curve)
    ax.add_patch(PathPatch(path, facecolor=(*_rgb(colour), 0.6), linewidth=0))


def draw_flows(panels: Mapping[str, tuple[Distribution, FiniteSystem]]) -> Figure:
    """Draw several flows side by side."""
    fig, axes = figures.figure(1, len(panels), height=3.4, squeeze=False)
    for ax, (name, (joint, system)) in zip(axes[0], panels.items(), strict=True):
        draw_flow(ax, joint, system, name)
    return fig


def draw_maps(
    panels: Mapping[str, FiniteSystem], printed: Mapping[str, FiniteSystem] | None = None
) -> Figure:
    """Draw where each of the nine states goes; in red what a printed table has instead."""
    fig, axes = figures.figure(1, len(panels), height=3.0, squeeze=False)
    for ax, (name, system) in zip(axes[0], panels.items(), strict=True):
        other = (printed or {}).get(name, system)
        for i, j in np.ndindex(3, 3):
            target = tuple(map(int, system.step(i, j)))
            _arrow(ax, (i, j), target, "black", "-")
            misprint = tuple(map(int, other.step(i, j)))
            if misprint != target:
                _arrow(ax, (i, j), misprint, RED, "--")
        for i, j in np.ndindex(3, 3):
            ax.plot([j], [i], "o", color=ROOMS[j], markersize=13)
        ax.set(xlim=(-0.45, 2.45), ylim=(2.45, -0.45), xticks=range(3), yticks=range(3))
        ax.set_xticklabels(TEMPERATURES)
        ax.set_yticklabels(SETTINGS)
        ax.tick_params(length=0)
        ax.set(xlabel=f"room ({name})", ylabel="thermostat")
        ax.spines[["left", "bottom"]].set_visible(False)
    return fig


def _arrow(ax: Axes, start: tuple[int, int], end: tuple[int, ...], colour: str, line: str) -> None:
    y, x = start
    if tuple(start) == tuple(end):
        loop = Rectangle((x - 0.21, y - 0.21), 0.42, 0.42, fill=False)
        loop.set(edgecolor=colour, linewidth=1.2)
        ax.add_patch(loop)
        return
    arrow = FancyArrowPatch(
        (x, y),
        (end[1], end[0]),
        connectionstyle="arc3,rad=0.22",
        arrowstyle="-|>",
        mutation_scale=9,
        shrinkA=8,
        shrinkB=8,
        color=colour,
        linestyle=line,
        linewidth=1.2,
    )
    ax.add_patch(arrow)


def draw_accounts(accounts: Mapping[str, Strength]) -> Figure:
    """Draw strengths as bars beside the mutual information that was there before the step."""
    fig, ax = figures.figure(width=4.3, height=0.9 + 0.45 * len(accounts))
    for row, (name, account) in enumerate(accounts.items()):
        colour = {"dumb": DUMB, "smart": SMART}.get(name.split(",")[0], IDLE)
        ax.barh(row, account.strength, height=0.55, color=colour)
        ax.plot([account.correlation] * 2, [row - 0.36, row + 0.36], color=EXACT, linewidth=2)
        ax.text(max(account.strength, 0) + 0.04, row, f"{account.strength:.3f}", va="center")
    ax.axvline(0, color=GUIDE, linewidth=0.8)
    ax.set(yticks=range(len(accounts)), xlabel="bits", ylim=(len(accounts) - 0.5, -0.5))
    ax.set_xlim(right=2.7)
    ax.set_yticklabels([name.replace(", ", ",\n") for name in accounts])
    ax.set(ylabel="system")
    return fig


# The explorers.

MIXINGS = tuple(round(0.1 * step, 1) for step in range(11))


def draw_start(preset: str, mixing: float) -> Figure:
    """Draw the joint start, and both strengths against the mixing."""
    fig, (left, right) = figures.figure(1, 2, width=6.4, height=2.5)
    draw_table(left, mixed_joint(preset, mixing), "$P_0$")
    curves = mixing_curves(preset)
    at = round(40 * mixing)
    for name, colour in (("dumb", DUMB), ("smart", SMART)):
        right.plot(curves["mixing"], curves[name], color=colour, label=f"strength, {name}")
        right.plot([mixing], [curves[name][at]], "o", color=colour)
    right.plot(
        curves["mixing"], curves["correlation"], "--", color=EXACT, label="mutual information"
    )
    right.axhline(0, color=GUIDE, linewidth=0.6)
    right.set(xlabel="share of the start", ylabel="bits", xlim=(-0.03, 1.03), ylim=(-0.4, 2.4))
    right.legend(loc="upper left")
    return fig


def strength_of_smart(preset: str, mixing: float) -> tuple[float, float]:
    """Return the point of the smart thermostat's curve."""
    return mixing, mixing_curves(preset)["smart"][round(40 * mixing)]


def draw_start_flows(preset: str, mixing: float) -> Figure:
    """Draw the flow of the joint start under both thermostats."""
    joint = mixed_joint(preset, mixing).astype(float)
    return draw_flows(
        {
            "dumb thermostat": (joint, dumb_thermostat()),
            "smart thermostat": (joint, smart_thermostat()),
        }
    )


def start_caption(preset: str, mixing: float) -> str:
    """Say both strengths."""
    curves, at = mixing_curves(preset), round(40 * mixing)
    return (
        f"{preset[0].upper()}{preset[1:]}, share {mixing:g}: mutual information "
        f"{curves['correlation'][at]:.3f} bits, optimizing strength {curves['dumb'][at]:.3f} bits "
        f"with the dumb thermostat and {curves['smart'][at]:.3f} bits with the smart one."
    )


joint_start = explore(
    draw_start,
    draw_start_flows,
    name="joint-start",
    caption=start_caption,
    preset=tuple(PRESETS),
    mixing=MIXINGS,
    labels={"preset": "joint start", "mixing": "share of this start (rest: independent)"},
    default={"mixing": 1.0},
    grab={"mixing": Handle(strength_of_smart, axes=1)},
)


STEPS = tuple(range(7))


def draw_run(preset: str, thermostat: str, step: int) -> Figure:
    """Draw where the probability is after some steps, as it is and decorrelated at first."""
    plain, mixed = runs(preset, thermostat)
    fig, axes = figures.figure(1, 2, width=5.8, height=1.7)
    draw_table(axes[0], plain[step], f"$P_{{{step}}}$")
    draw_table(axes[1], mixed[step], f"$P′_{{{step}}}$")
    return fig


def gap(preset: str, thermostat: str, step: int) -> tuple[float, float]:
    """Return the step, and the entropy that the dependence at step 0 still keeps out."""
    plain, mixed = runs(preset, thermostat)
    return step, information.entropy(mixed[step]) - information.entropy(plain[step])


def draw_gap(preset: str, thermostat: str, step: int) -> Figure:
    """Draw the gap of both thermostats against the steps, and mark the chosen one."""
    fig, ax = figures.figure(width=4.3, height=2.1)
    ax.axhline(0, color=GUIDE, linewidth=0.6)
    for name, colour in (("dumb", DUMB), ("smart", SMART)):
        ax.plot(*zip(*(gap(preset, name, at) for at in STEPS), strict=True), color=colour)
        if name == thermostat:
            ax.plot(*gap(preset, name, step), "o", color=colour)
    ax.set(xlabel="steps after the decorrelation", ylabel="entropy gap (bits)")
    ax.set(xlim=(-0.2, 6.2), ylim=(-0.4, 2.4), yticks=[0, 1, 2])
    for name, colour, height in (("dumb", DUMB, 0.92), ("smart", SMART, 0.8)):
        ax.text(0.98, height, name, color=colour, ha="right", va="top", transform=ax.transAxes)
    return fig


def run_caption(preset: str, thermostat: str, step: int) -> str:
    """Say both entropies and the gap."""
    plain, mixed = runs(preset, thermostat)
    own, other = (information.entropy(run[step]) for run in (plain, mixed))
    after = "at the start" if step == 0 else f"after {step} step{'s' if step > 1 else ''}"
    return (
        f"{preset[0].upper()}{preset[1:]}, {thermostat} thermostat, {after}: {own:.3f} bits as it "
        f"is and {other:.3f} bits decorrelated, a gap of {round(other - own, 3) + 0.0:.3f} bits."
    ).replace("-", "−")


gaps_by_steps = explore(
    draw_run,
    draw_gap,
    name="gaps-by-steps",
    caption=run_caption,
    preset=tuple(PRESETS),
    thermostat=("dumb", "smart"),
    step=STEPS,
    labels={
        "preset": "joint start",
        "thermostat": "thermostat",
        "step": "steps after the decorrelation",
    },
    default={"thermostat": "smart", "step": 1},
    play="step",
    grab={"step": Handle(gap, panel=1)},
)
