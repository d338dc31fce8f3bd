"""Chapter 1: its figures and explorers."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from descent import figures
from descent.arguments import Array
from descent.chapters.modelling_sgd.numbers import (
    BATCH_SIZES,
    BATCH_STEPS,
    EDGES,
    LOSSES,
    RUNS,
    SPREAD_STEPS,
    STEPS,
    LargeDeviation,
    batched,
    onset,
    path,
    pit,
    spread,
)
from descent.explorer import Handle, explore
from descent.figures import BLUE, EXACT, GREEN, GUIDE, RED, SAMPLED, VIOLET
from descent.landscapes import two_datapoint

NARROW: dict[str, Any] = {"width": 4.3, "height": 3.0}
"""Inches. Legends stay readable where such a figure fills a telephone's screen."""


def _loss_axes(ax: Axes, low: float = -0.6, high: float = 4.1) -> Array:
    w = np.linspace(low, high, 600)
    ax.set(xlabel="parameter $W$", ylabel="loss", xlim=(low, high))
    return w


def draw_losses() -> Figure:
    """Draw the two sample losses and their mean."""
    fig, ax = figures.figure(**NARROW)
    w, model = _loss_axes(ax), two_datapoint()
    for loss, colour, name in zip(model.losses(w), (GREEN, RED), ("$l_0$", "$l_1$"), strict=True):
        ax.plot(w, loss, color=colour, label=name)
    ax.plot(w, model.loss(w), color=BLUE, label="$L$, their mean")
    ax.legend()
    return fig


def draw_descents(paths: dict[str, Array]) -> Figure:
    """Draw parameter against step for several descents."""
    fig, ax = figures.figure(**NARROW)
    for (name, walk), colour in zip(paths.items(), (BLUE, RED, GREEN), strict=False):
        ax.plot(walk, ".-", color=colour, label=name, markersize=4, linewidth=1)
    ax.set(xlabel="step $n$", ylabel="parameter $W_n$")
    ax.legend()
    return fig


def draw_step_sizes(paths: dict[str, Array], flow: Array, times: Array) -> Figure:
    """Draw the smooth descent from several starts against time, and descents in steps."""
    fig, (left, right) = figures.figure(1, 2)
    left.plot(times, flow.T, color=GUIDE, linewidth=1)
    left.plot(times, flow[0], color=EXACT)
    left.axhline(2, color=GUIDE, linewidth=0.8, linestyle=":")
    left.set(xlabel="time $t = nT$", ylabel="parameter $W$", xlim=(0, times[-1]))
    for (name, walk), colour in zip(paths.items(), (BLUE, RED, GREEN), strict=True):
        right.plot(walk, ".-", color=colour, label=name, markersize=4, linewidth=1)
    right.set(xlabel="step $n$", ylim=left.get_ylim())
    right.legend()
    return fig


def draw_full_batch(path: Array) -> Figure:
    """Draw one full-batch descent with the edges of the pit."""
    fig, ax = figures.figure(**NARROW)
    ax.plot(path, ".-", color=BLUE, markersize=3, linewidth=0.8)
    for level, name in ((pit().barrier, "barrier $b$"), (pit().minimum, "minimum of $L$")):
        ax.axhline(level, color=GUIDE, linewidth=1)
        ax.text(0, level, name, va="bottom")
    ax.set(xlabel="step $n$", ylabel="parameter $W_n$")
    return fig


def draw_orbits(step_sizes: Array, orbits: Array, onset: float) -> Figure:
    """Draw where full-batch descent settles in the pit against the step size."""
    fig, ax = figures.figure(**NARROW)
    x = np.broadcast_to(step_sizes, orbits.shape).ravel()
    ax.plot(x, orbits.ravel(), ",", color=BLUE, alpha=0.5, rasterized=True)
    ax.axvline(onset, color=GUIDE, linewidth=1)
    ax.axhline(pit().saddle, color=GUIDE, linewidth=1)
    ax.text(step_sizes[0], pit().saddle, "saddle of $L$", va="bottom")
    ax.text(onset, 0.86, " $2/L''$", ha="left")
    ax.set(xlabel="step size $T$", ylabel="parameter $W_n$ in the pit", ylim=(0.84, 1.2))
    return fig


RIPPLES = 0.15
"""Step size from which on the chance within 100 steps depends on the places of a few draws."""


def draw_runs(step_sizes: Array, by_runs: Array, exact: Array) -> Figure:
    """Draw the escape probability of the run-of-l0 stand-in beside the exact one.

    Beyond RIPPLES the exact one changes from point to point, and no line joins them.
    """
    fig, ax = figures.figure(**NARROW)
    smooth = step_sizes < RIPPLES
    ax.plot(step_sizes[smooth], exact[smooth], color=EXACT, label="exact escape")
    ax.plot(step_sizes[~smooth], exact[~smooth], ".", color=EXACT, markersize=2)
    ax.plot(step_sizes, by_runs, color=GREEN, linestyle="--", label="a long enough run of $l_0$")
    ax.set(xlabel="step size $T$", ylabel="probability within 100 steps", ylim=(-0.02, 1.05))
    ax.legend()
    return fig


def draw_escape(
    step_sizes: Array, exact: Array, steps: Sequence[int], sampled: dict[int, tuple[Array, ...]]
) -> Figure:
    """Draw escape probability against step size, exact curves and sampled points.

    ``sampled[n]`` holds step sizes, shares and standard errors.
    """
    fig, ax = figures.figure(**NARROW)
    for curve, n, colour in zip(exact.T, steps, (BLUE, RED, GREEN), strict=False):
        ax.plot(step_sizes, curve, color=colour, label=f"{n:,} steps")
        if n in sampled:
            at, share, error = sampled[n]
            ax.errorbar(
                at, share, 2 * error, fmt="o", color=SAMPLED, markersize=3.5, elinewidth=1, zorder=3
            )
    ax.set(xlabel="step size $T$", ylabel="probability of escape", ylim=(-0.02, 1.05))
    ax.legend()
    return fig


def draw_escape_times(step_sizes: Array, times: dict[str, Array]) -> Figure:
    """Draw the mean escape time against the step size for several depths."""
    fig, ax = figures.figure(**NARROW)
    for (name, curve), colour in zip(times.items(), (BLUE, RED), strict=True):
        ax.semilogy(step_sizes, curve, color=colour, label=name)
    ax.set(xlabel="step size $T$", ylabel="mean escape time $\\tau$ (steps)", xscale="log")
    ax.legend()
    return fig


def draw_large_deviation(step_sizes: Array, exact: Array, law: LargeDeviation) -> Figure:
    """Draw ln of the escape time against 1/T: exact, WKB, and the diffusion exponent."""
    fig, (left, right) = figures.figure(1, 2)
    order = 1 / step_sizes
    left.plot(order, law.log_time(step_sizes), color=VIOLET, label="WKB: $V/T + \\log(C/T)$")
    left.plot(
        order,
        law.log_time_by_diffusion(step_sizes),
        color=BLUE,
        linestyle="--",
        label="diffusion exponent",
    )
    left.plot(order, exact, "o", color=EXACT, markersize=3, label="exact")
    left.set(xlabel="$1/T$", ylabel="$\\log\\tau$ ($\\tau$ in steps)")
    left.legend()
    slope = np.diff(exact) / np.diff(order)
    middle = 2 / (order[1:] + order[:-1])
    right.semilogx(middle, slope, "o-", color=EXACT, markersize=3, linewidth=1, label="exact")
    right.axhline(law.quasi_potential, color=VIOLET, label="$V$")
    right.axhline(law.diffusion_exponent, color=BLUE, linestyle="--", label="diffusion exponent")
    right.set(xlabel="step size $T$", ylabel="local slope $d\\log\\tau\\,/\\,d(1/T)$")
    right.legend()
    return fig


def draw_batches(batch_size: int) -> Figure:
    """Draw escape times of a batch size against B/T, and what the small-step law leaves of them."""
    fig, (left, right) = figures.figure(1, 2)
    small = onset() > BATCH_STEPS
    for size in (*BATCH_SIZES, batch_size):
        found, own = batched(size), size == batch_size
        order = size / BATCH_STEPS
        style = {"color": RED if own else GUIDE, "markersize": 4 if own else 3}
        left.loglog(order[small], (found.log_times + np.log(BATCH_STEPS))[small], "o", **style)
        right.semilogx(BATCH_STEPS, found.excess, "o-", linewidth=1, **style)
    law = batched(1).law
    order = np.geomspace(60, 5000, 200)
    left.plot(order, law.quasi_potential * order + np.log(law.prefactor), color=VIOLET)
    left.set(xlim=(60, 5000), ylim=(8, 700))
    left.set(xlabel="$B/T$", ylabel="$\\log(T\\tau)$, $\\tau$ in steps")
    right.axvline(onset(), color=GUIDE, linewidth=1)
    ticks = (0.005, 0.01, 0.02, 0.03)
    right.set_xticks(ticks, [f"{tick:g}" for tick in ticks])
    right.set_xticks([], minor=True)
    right.set(ylim=(-75, 5), xlabel="step size $T$", ylabel="$\\log\\tau$ less its law (nats)")
    return fig


def batch_caption(batch_size: int) -> str:
    """Say where the law of small steps holds for a batch size, and how it ends."""
    found = batched(batch_size)
    small = onset() > BATCH_STEPS
    worst, after = np.abs(found.excess[small]).max(), BATCH_STEPS[~small][0]
    return (
        f"Batches of $B = {batch_size}$ (orange), all others grey. Left: step sizes below "
        f"$T = {onset():.4f}$; the line is $V_1 B/T + \\log C_1$. Right: up to there "
        f"$\\log\\tau$ is within {worst:.2g} nats of $V_B/T + \\log(C_B/T)$, at "
        f"$T = {after:.4f}$ it is {-found.excess[~small][0]:.1f} below, and at most "
        f"{-found.excess.min():.0f} below."
    )


def _height(loss: str, w: Array) -> Array:
    """Return the loss that a descent goes down."""
    model = two_datapoint()
    return model.losses(w)[0] if loss == "l0 alone" else model.loss(w)


def start_on_loss(loss: str, start: float) -> tuple[float, float]:
    """Return where the walker starts on its loss."""
    return start, float(_height(loss, np.asarray(start)))


def draw_path(loss: str, start: float, T: float) -> Figure:
    """Draw the descents on the loss and against the step."""
    fig, (left, right) = figures.figure(1, 2)
    w = _loss_axes(left)
    left.plot(w, _height(loss, w), color=GUIDE)
    walk = path(loss, start, T)
    gap = np.full((1, walk.shape[1]), np.nan)
    line = np.vstack([walk, gap]).T.ravel()
    step = np.tile(np.append(np.arange(STEPS + 1.0), np.nan), walk.shape[1])
    left.plot(line, _height(loss, line), ".-", color=BLUE, markersize=3, linewidth=0.6)
    left.plot(walk[-1], _height(loss, walk[-1]), "o", color=RED)
    left.set(ylim=(-1.06, 0.04))
    right.plot(step, line, ".-", color=BLUE, markersize=2, linewidth=0.8)
    right.axhline(pit().barrier, color=GUIDE, linewidth=1)
    right.set(xlabel="step $n$", ylabel="parameter $W_n$", xlim=(0, STEPS), ylim=left.get_xlim())
    return fig


def path_caption(loss: str, start: float, T: float) -> str:
    """Say where the descents end."""
    walk = path(loss, start, T)
    where = ", ".join(f"{end:.3f}" for end in walk[-1])
    who = f"{RUNS} random runs are" if loss == "stochastic" else "the descent is"
    what = {"l0 alone": "$l_0$ alone", "full batch": "Full batch", "stochastic": "Stochastic"}[loss]
    said = f"{what}, $T = {T:g}$, from $W_0 = {start:g}$: after {STEPS} steps {who} at {where}"
    if start > pit().barrier:
        return f"{said}. The start is beyond the barrier $b$ (grey line), so nothing has to escape."
    passed = int((walk.max(axis=0) > pit().barrier).sum())
    if loss == "stochastic":
        return f"{said}. {passed} of {RUNS} have passed the barrier $b$ (grey line)."
    not_ = "" if passed else "not "
    return f"{said}. It has {not_}passed the barrier $b$ (grey line)."


RAREST = 1e-7
"""Least probability of having escaped that is drawn; zero stands there too."""


def escaped_by(T: float, n: int) -> tuple[float, float]:
    """Return the step and the probability of having escaped by then, as they are drawn."""
    return n, max(float(spread(T)[1][n]), RAREST)


def draw_spread(T: float, n: int) -> Figure:
    """Draw the density of W after n steps, and the share that has escaped by each step."""
    fig, (left, right) = figures.figure(1, 2)
    density, curve = spread(T)
    left.stairs(density[SPREAD_STEPS.index(n)], EDGES, color=EXACT, fill=True)
    left.axvline(pit().barrier, color=GUIDE, linewidth=1)
    # Few walkers lie far out in the pit, and fewer leave it: both are seen on log axes alone.
    left.set(xlabel="parameter $W$", ylabel="density (per unit of $W$)", yscale="log")
    left.set(xlim=(0.5, 2.6), ylim=(1e-5, 100))
    right.plot(np.where(curve >= RAREST, curve, np.nan), color=EXACT)
    right.plot(*escaped_by(T, n), "o", color=RED)
    right.set_xscale("symlog", linthresh=1)
    right.set(xlabel="step $n$", ylabel="probability of having escaped", yscale="log")
    right.set(ylim=(RAREST / 2, 3))
    right.set(xlim=(0, SPREAD_STEPS[-1]), xticks=[0, 1, 10, 100, 1000])
    right.set_xticklabels(["0", "1", "10", "100", "1000"])
    return fig


def spread_caption(T: float, n: int) -> str:
    """Say how much has escaped."""
    _, curve = spread(T)
    left = 100 * (1 - curve[n])
    if left > 10:
        share = np.format_float_positional(100 * curve[n], 2, fractional=False, trim="-")
    else:  # as many digits as it takes to tell it from 100
        share = (
            f"{100 - left:.{1 - int(np.floor(np.log10(left)))}f}" if left > 1e-3 else "over 99.99"
        )
    return (
        f"$T = {T:g}$, after {n} steps: {share} % of the walkers have escaped (exact). "
        "Grey line: the barrier $b$; both vertical axes are logarithmic."
    )


batch_size = explore(
    draw_batches,
    name="batch-size",
    caption=batch_caption,
    batch_size=BATCH_SIZES,
    labels={"batch_size": "batch size $B$"},
    default={"batch_size": 4},
)

descent_paths = explore(
    draw_path,
    name="descent-paths",
    caption=path_caption,
    loss=LOSSES,
    start=(-0.5, 0.0, 0.5, 0.8, 1.0, 1.1, 1.2, 1.5, 3.0, 4.0),
    T=(
        *(0.005, 0.01, 0.015, 0.02, 0.03, 0.05, 0.07, 0.1),
        *(0.15, 0.2, 0.3, 0.4, 0.5, 0.7, 0.85, 1.0),
    ),
    labels={"loss": "loss", "start": "start $W_0$", "T": "step size $T$"},
    default={"loss": "stochastic", "start": 0.0, "T": 0.05},
    grab={"start": start_on_loss},
)

spreading_law = explore(
    draw_spread,
    name="spreading-law",
    caption=spread_caption,
    T=(0.01, 0.011, 0.012, 0.013, 0.015, 0.017, 0.02, 0.025, 0.03, 0.04, 0.05, 0.07, 0.1),
    n=SPREAD_STEPS,
    labels={"T": "step size $T$", "n": "step $n$"},
    default={"T": 0.02, "n": 20},
    play="n",
    grab={"n": Handle(escaped_by, axes=1)},
)
