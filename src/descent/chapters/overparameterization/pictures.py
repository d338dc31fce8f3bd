"""Chapter 8: its figures and explorers."""

from functools import cache
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from descent import figures, sweeps
from descent.arguments import Array
from descent.chapters.overparameterization import numbers
from descent.chapters.overparameterization.numbers import DISTANCE, STEPS, Rate, Sparse
from descent.chapters.overparameterization.sweeps import KEPT
from descent.explorer import explore
from descent.figures import BLUE, GOLD, GREEN, GUIDE, RED, VIOLET
from descent.landscapes import Shifted, ackley


def pooled(frame: Any, by: list[str], column: str = "reached") -> dict[Any, Rate]:
    """Return the success rates of a table of ensembles, by some of its columns.

    An outcome is (seeds, repeats) in each row, and the rows of a group have different seeds.
    """
    return {
        key: numbers.rate(np.concatenate([np.asarray(hits, bool) for hits in group[column]]))
        for key, group in frame.groupby(by)
    }


def by_seed(frame: Any, column: str = "reached") -> Array:
    """Return a column of a table of single trainings as (seeds, repeats)."""
    return np.asarray(frame.pivot(index="seed", columns="repeat", values=column))


def _bars(ax: Axes, at: Array, rates: list[Rate], colour: str, name: str, marker: str) -> None:
    """Draw success rates with their intervals."""
    share = np.array([r.share for r in rates])
    low, high = (np.array([getattr(r, side) for r in rates]) for side in ("low", "high"))
    ax.errorbar(
        at,
        share,
        [np.maximum(share - low, 0), np.maximum(high - share, 0)],
        fmt=marker,
        color=colour,
        label=name,
        markersize=4,
        elinewidth=1,
    )


def draw_verdict(direct: dict[float, Rate]) -> Figure:
    """Draw where networks end, and how often they succeed, against the place of the minimum."""
    frame = sweeps.load("08-shifted-optimum")
    wide = sweeps.load("08-source-networks")
    wide = wide[(wide.objective == "ackley") & (wide.hidden_ch == 512)]
    home, beside = wide[wide["shift"] == 0], wide[(wide["shift"] == -10) & (wide["repeat"] == 0)]
    fig, (left, right) = figures.figure(1, 2)
    edge = np.array([-43.0, 33.0])
    left.plot(edge, edge, color=GREEN, label="the global minimum")
    left.plot(edge, edge + DISTANCE, color=GUIDE, label="the start")
    ends = np.concatenate([np.ravel(row.end) + row["shift"] for _, row in frame.iterrows()])
    at = np.repeat(frame["shift"].to_numpy(), np.size(frame["end"].iloc[0]))
    jitter = np.random.default_rng(0).uniform(-0.8, 0.8, len(at))
    inside = (ends > edge[0]) & (ends < 66)
    left.plot((at + jitter)[inside], ends[inside], ".", color=RED, markersize=2, label="networks")
    left.set(xlabel="the minimum's place $c$", ylabel="final $x$", ylim=(-43, 66))
    left.legend(loc="upper left")
    rates = pooled(frame, ["shift"])
    shifts = np.array([key[0] for key in rates])
    _bars(right, shifts, list(rates.values()), RED, "network, 32 wide", "o")
    by_width = {0.0: numbers.rate(by_seed(home)), -10.0: numbers.rate(beside.reached)}
    _bars(right, np.array(list(by_width)) + 0.9, list(by_width.values()), VIOLET, "512 wide", "s")
    _bars(right, np.array(list(direct)), list(direct.values()), BLUE, "descent in $x$", "^")
    right.set(xlabel="the minimum's place $c$", ylabel="share that reaches it", ylim=(-0.04, 1.04))
    right.legend(loc="center left")
    return fig


def draw_ackley(direct: Array, network: Array) -> Figure:
    """Draw Ackley's function with two paths on it, and the paths against the step."""
    fig, (left, right) = figures.figure(1, 2)
    x = np.linspace(-16, 16, 1500)
    left.plot(x, ackley(x[:, None]), color=GUIDE, linewidth=1)
    for path, colour, name in (
        (direct, BLUE, "Adam on $x$"),
        (network, RED, "Adam on the weights"),
    ):
        left.plot(path[:, 0], ackley(path), ".", color=colour, markersize=3)
        right.plot(path[:, 0], color=colour, label=name)
    left.set(xlabel="$x$", ylabel="$f(x)$", xlim=(-16, 16))
    right.set(xlabel="step of the main run", ylabel="$x$")
    right.legend()
    return fig


def draw_tangent(x: Array, kernel: Array, absolute: Array) -> Figure:
    """Draw the two sizes of the tangent map against |x|."""
    fig, (left, right) = figures.figure(1, 2)
    left.loglog(x, kernel, "o-", color=RED, markersize=3)
    left.set(
        xlabel="$|x|$ after the fit",
        ylabel="$\\sum_k (\\partial x/\\partial\\theta_k)^2$",
    )
    right.loglog(x, absolute, "o-", color=RED, markersize=3, label="measured")
    right.loglog(x, absolute[-1] * x / x[-1], "--", color=GUIDE, label="in proportion to $|x|$")
    right.set(
        xlabel="$|x|$ after the fit",
        ylabel="$\\sum_k |\\partial x/\\partial\\theta_k|$",
    )
    right.legend()
    return fig


def draw_direct_rates(sizes: Array, rates: dict[str, list[Rate]]) -> Figure:
    """Draw the success of descent in x against the first step size."""
    fig, ax = figures.figure(width=4.8, height=3.4)
    marks = zip(rates.items(), (BLUE, GREEN, GOLD, VIOLET), "^vos", strict=False)
    for nudge, ((name, row), colour, marker) in enumerate(marks):
        _bars(ax, sizes * (1 + 0.03 * nudge), row, colour, name, marker)
    ax.set(xscale="log", xlabel="first step size", ylabel="share that reaches the minimum")
    ax.set(ylim=(-0.04, 1.04))
    ax.legend(loc="upper left")
    return fig


def draw_sparse(solution: Sparse) -> Figure:
    """Draw the two solutions over the truth."""
    fig, axes = figures.figure(1, 2)
    for ax, x, colour, name in (
        (axes[0], solution.direct, BLUE, "descent in $x$"),
        (axes[1], solution.reparameterized, RED, "descent in $u$ and $v$"),
    ):
        ax.plot(solution.truth, "o", color=GUIDE, markersize=6, label="truth")
        ax.plot(x, ".", color=colour, label=name, markersize=4)
        ax.set(xlabel="coordinate $i$", ylabel="$x_i$", ylim=(-1.3, 1.9))
        ax.legend(loc="upper left")
    return fig


# Explorers.


FROM = (-0.3, 0.1, 0.4)
"""Starts of the explorer, relative to the source's."""


@cache
def _direct(step: float, decay: float, shift: float) -> tuple[Array, Rate]:
    """Return paths (steps + 1, starts), and the success rate over 100 starts."""
    objective = Shifted(ackley, shift)
    begin = shift + DISTANCE + np.array(FROM)[:, None]
    path = numbers.gradient_descent(objective.gradient, begin, numbers.step_sizes(step, decay))
    return path[..., 0], numbers.direct_rate(step, decay, shift)


def _path_axes(ax: Axes, shift: float) -> None:
    ax.axhline(shift, color=GREEN, linewidth=1)
    ax.text(STEPS, shift, "minimum", va="bottom", ha="right")
    ax.set(xlabel="step", ylabel="$x$", xlim=(0, STEPS))


def draw_direct(step: float, decay: float, shift: float) -> Figure:
    """Draw plain descent in x itself on the shifted Ackley function."""
    fig, (left, right) = figures.figure(1, 2)
    paths, _ = _direct(step, decay, shift)
    x = np.linspace(-16, 16, 800)
    left.plot(x + shift, ackley(x[:, None]), color=GUIDE, linewidth=1)
    for path, colour in zip(paths.T, (BLUE, VIOLET, GOLD), strict=True):
        seen = np.where(np.abs(path - shift) < 16, path, np.nan)[::2]
        with np.errstate(invalid="ignore"):
            height = ackley((seen - shift)[:, None])
        left.plot(seen, height, ".", color=colour, markersize=2)
        right.plot(np.clip(path, shift - 20, shift + 20), color=colour, linewidth=0.7)
    left.set(xlabel="$x$", ylabel="$f(x - c)$", xlim=(shift - 16, shift + 16), ylim=(0, 22))
    _path_axes(right, shift)
    right.set(ylim=(shift - 16, shift + 16))
    return fig


def direct_caption(step: float, decay: float, shift: float) -> str:
    """Say where the descents end."""
    paths, rate = _direct(step, decay, shift)
    ends = ", ".join(f"{end:z.3f}" for end in paths[-1])
    how = {0.0: "constant", 0.5: "falling linearly to half", 1.0: "falling linearly to zero"}[decay]
    return (
        f"Plain descent in $x$ from three starts around $x = {shift + DISTANCE:g}$, first step "
        f"size {step:g}, {how}; the minimum is at $c = {shift:g}$. After {STEPS} steps they are "
        f"at {ends}. Of 100 starts {rate.successes} end within {numbers.RADIUS} of the minimum."
    )


direct_explorer = explore(
    draw_direct,
    name="direct-descent",
    caption=direct_caption,
    step=(0.001, 0.01, 0.05, 0.08, 0.1, 0.15, 0.2, 0.3, 0.5, 1.0),
    decay=(0.0, 0.5, 1.0),
    shift=(-10.0, 0.0, 3.0),
    labels={
        "step": "first step size",
        "decay": "share lost in the end",
        "shift": "minimum's place $c$",
    },
    default={"step": 0.1, "decay": 1.0, "shift": 0.0},
)

SHIFTS = (-40.0, -20.0, -10.0, -5.0, -3.0, 0.0, 3.0, 5.0, 10.0, 20.0, 30.0)


@cache
def _networks(shift: float) -> tuple[Array, Rate, Array]:
    """Return stored paths (KEPT, networks) in x, and of all seeds success rate and ends."""
    frame = sweeps.load("08-shifted-optimum")
    part = frame[frame["shift"] == shift]
    paths = np.array(part[part.first_seed == 0]["paths"].iloc[0])
    ends = np.concatenate([np.ravel(end) for end in part["end"]]) + shift
    return paths + shift, pooled(part, ["shift"])[(shift,)], ends


def _frame(shift: float) -> tuple[float, float]:
    """Return the limits of x, in which start, minimum and 0 lie."""
    return min(shift, 0) - 8, max(shift + DISTANCE, 0) + 8


def draw_networks(shift: float) -> Figure:
    """Draw paths of networks: each of the first twenty steps, and every twentieth after them."""
    fig, ax = figures.figure(width=4.8, height=3.4)
    paths, _, _ = _networks(shift)
    low, high = _frame(shift)
    for path in paths.T:
        # A path that leaves the frame is drawn to its edge and back.
        shown = np.clip(path, low - 5, high + 5)
        ax.plot(KEPT, shown, ".-", color=RED, linewidth=0.8, markersize=3)
    ax.axhline(0, color=GUIDE, linewidth=1)
    _path_axes(ax, shift)
    ax.set_xscale("symlog", linthresh=20, linscale=1.5)
    ticks = [0, 5, 10, 15, 20, 50, 100, 200, 500]
    ax.set_xticks(ticks, [str(tick) for tick in ticks])
    ax.set_xticks([], minor=True)
    ax.set(xlabel="step; each of the first twenty, then every twentieth", ylim=(low, high))
    return fig


def networks_caption(shift: float) -> str:
    """Say how many runs reach the minimum, and how far some are thrown."""
    paths, rate, ends = _networks(shift)
    low, high = _frame(shift)
    out = ((paths < low) | (paths > high)).any(0).sum()
    far = np.ravel(paths)[np.argmax(np.abs(paths - shift - DISTANCE))]
    leave = f"{out} leave" if out != 1 else "one leaves"
    thrown = f" Of the eight, {leave} the frame, the farthest to $x = {far:.0f}$."
    return (
        f"Eight networks (mlp9, 32 wide, Adam at 0.008) on Ackley's function with its minimum at "
        f"$c = {shift:g}$ (green), from $x = {shift + DISTANCE:g}$, with each of their first "
        f"twenty steps. Grey: $x = 0$.{thrown if out else ''} Of all runs "
        f"{rate} end within {numbers.RADIUS} of the minimum (95 % interval {rate.interval}), "
        f"and half of them within {np.ceil(10 * np.median(np.abs(ends))) / 10:.1f} of 0."
    )


network_explorer = explore(
    draw_networks,
    name="network-descent",
    caption=networks_caption,
    shift=SHIFTS,
    labels={"shift": "minimum's place $c$"},
    default={"shift": 0.0},
)
