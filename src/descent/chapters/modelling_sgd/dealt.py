"""Chapter 1: descents that deal their data out, epoch by epoch; their table and explorer."""

from functools import cache
from typing import Any

import numpy as np
from matplotlib.figure import Figure

from descent import figures, sweeps
from descent.arguments import Array
from descent.chapters.modelling_sgd import numbers
from descent.chapters.modelling_sgd.sweeps import EPOCHS, N_STEPS, SHOWN, STEP_SIZES, WALKERS
from descent.explorer import explore
from descent.figures import BLUE, EXACT, GUIDE, RED, SAMPLED, VIOLET
from descent.landscapes import two_datapoint

RAREST = 1e-5
"""Least chance that is drawn; smaller ones stand below the axis."""


@cache
def row(n: int, T: float) -> dict[str, Any]:
    """Return the stored row of n data points at a step size; n = 0 has independent draws."""
    table = sweeps.load("01-dealt")
    found = table[(table["n"] == n) & np.isclose(table["T"], T)]
    return dict(found.iloc[0])


def escaped(n: int) -> Array:
    """Return the chance to have escaped within N_STEPS at each of STEP_SIZES, exact."""
    return np.array([row(n, T)["escaped"] for T in STEP_SIZES])


def held(n: int) -> Array:
    """Say at which of STEP_SIZES no order leads out."""
    barrier = float(numbers.pit().barrier)
    return np.array([row(n, T)["reach"] < barrier - 1e-6 for T in STEP_SIZES])


def last_held(n: int) -> float:
    """Return the largest of STEP_SIZES at which no order leads out."""
    return float(np.array(STEP_SIZES)[held(n)].max())


def pulls() -> Array:
    """Return (sampled - exact) / standard error at all rows whose chance is neither 0 nor 1."""
    found = []
    for n in (0, *EPOCHS):
        for T in STEP_SIZES:
            one = row(n, T)
            p = one["escaped"]
            if 1e-3 < p < 1 - 1e-3:
                found.append((one["sampled"] / WALKERS - p) / np.sqrt(p * (1 - p) / WALKERS))
    return np.array(found)


def epoch_variance(T: float, w: float) -> tuple[float, float]:
    """Return the variance of two steps at w: dealt from both points, and drawn freely."""
    g = two_datapoint().gradients
    ends = [
        first - T * float(g(first)[k])
        for j in (0, 1)
        for first in [w - T * float(g(w)[j])]
        for k in (0, 1)
    ]
    return float(np.var(ends[1:3])), float(np.var(ends))


def time_on_l0() -> float:
    """Return how long descent on l0 takes from the bottom of l1 to the barrier."""
    w = np.linspace(numbers.pit().bottom, numbers.pit().barrier, 2001)
    return float(np.trapezoid(-1 / two_datapoint().gradients(w)[0], w))


def prices() -> tuple[Array, Array]:
    """Return times of an epoch and the exponents V that they have."""
    table = sweeps.load("01-long-epochs")
    rows = table[table["half"] == 0].sort_values("epoch")
    return rows["epoch"].to_numpy(float), rows["price"].to_numpy(float)


def slopes() -> dict[float, float]:
    """Return V from the exact times: the last slope of log τ against 1/T, less T."""
    table = sweeps.load("01-long-epochs")
    found = {}
    for epoch, rows in table[table["half"] > 0].groupby("epoch"):
        last = rows.sort_values("half").tail(2)
        inverse = 2 * last["half"].to_numpy(float) / float(epoch)
        slope = float(np.diff(last["log_time"])[0] / np.diff(inverse)[0])
        found[float(epoch)] = slope - 2 / float(inverse.sum())
    return found


def draw_prices() -> Figure:
    """Draw the exponent against the time of an epoch."""
    fig, ax = figures.figure(width=4.3, height=3.0)
    epoch, price = prices()
    free = numbers.large_deviation().quasi_potential
    ax.axvspan(0, time_on_l0(), color=GUIDE, alpha=0.3, linewidth=0)
    ax.plot(epoch, price, color=RED, label="dealt out")
    ax.axhline(free, color=BLUE, linestyle="--", label="independent draws")
    at = slopes()
    ax.plot(list(at), list(at.values()), "o", color=EXACT, label="from exact times")
    ax.text(0.02, 0.145, "for\never", ha="left")
    ax.set(xlabel="time of an epoch $nT$", ylabel="exponent $V$", xlim=(0, 2), ylim=(0.1, 0.34))
    ax.legend()
    return fig


def at_step_size(n: int, T: float) -> tuple[float, float]:
    """Return where the handle of the step size stands."""
    return T, float(row(n, T)["escaped"])


def draw_epochs(n: int, T: float) -> Figure:
    """Draw the chance of escape against the step size, and against the step."""
    fig, (left, right) = figures.figure(1, 2)
    for size in EPOCHS:
        if size != n:
            left.plot(STEP_SIZES, escaped(size), color=GUIDE, linewidth=1)
    left.plot(STEP_SIZES, escaped(0), color=BLUE, linestyle="--", label="independent draws")
    left.plot(STEP_SIZES, escaped(n), color=RED, label="dealt out")
    sampled = [row(n, size)["sampled"] / WALKERS for size in STEP_SIZES]
    left.plot(STEP_SIZES, sampled, "o", color=SAMPLED, markersize=3, label="sampled")
    left.plot(*at_step_size(n, T), "o", color=RED)
    left.set(xlabel="step size $T$", ylabel=f"chance within {N_STEPS:,} steps", ylim=(-0.03, 1.04))
    left.legend()
    for size, style in ((0, {"color": BLUE, "linestyle": "--"}), (n, {"color": RED})):
        curve = np.array(row(size, T)["curve"])
        right.plot(SHOWN, np.where(curve >= RAREST, curve, np.nan), **style)
    right.set(xlabel="step", ylabel="chance of having escaped", xscale="log", yscale="log")
    right.set(xlim=(1, N_STEPS), ylim=(RAREST, 2))
    right.set_xticks([1, 10, 100, 1000], ["1", "10", "100", "1000"])
    if row(n, T)["reach"] < numbers.pit().barrier - 1e-6:
        right.text(1.4, 2e-5, "dealt out: none, ever", color=VIOLET)
    return fig


def epochs_caption(n: int, T: float) -> str:
    """Say how many leave with independent draws, and how many where the data are dealt out."""
    free, own = row(0, T)["escaped"], row(n, T)
    start = (
        f"$T = {T:g}$, {N_STEPS:,} steps: {_share(free)} of the walkers leave by independent draws"
    )
    if own["reach"] < numbers.pit().barrier - 1e-6:
        return (
            f"{start}. Where each epoch deals out $n = {n}$ data points, no order leads beyond "
            f"$W = {own['reach']:.3f}$, short of the barrier at {numbers.pit().barrier:.3f}: "
            "nobody ever leaves."
        )
    return (
        f"{start}, and {_share(own['escaped'])} where each epoch deals out $n = {n}$ data points."
    )


def _share(p: float) -> str:
    """Write a share, with as many digits as tell it from none and all."""
    if p > 0.9999:
        return "over 99.99 %"
    if p < 1e-4:
        return "less than 0.01 %"
    return f"{100 * p:.2f} %" if min(p, 1 - p) < 0.01 else f"{100 * p:.1f} %"


epochs = explore(
    draw_epochs,
    name="epochs",
    caption=epochs_caption,
    n=EPOCHS,
    T=STEP_SIZES,
    labels={"n": "data points $n$", "T": "step size $T$"},
    default={"n": 2, "T": 0.02},
    grab={"T": at_step_size},
)
