"""Chapter 1: momentum, Adam and noise of heavy tails; their tables and pictures."""

from functools import cache

import numpy as np
from matplotlib.figure import Figure

from descent import figures, sweeps
from descent.arguments import Array
from descent.chapters.modelling_sgd import numbers
from descent.chapters.modelling_sgd.sweeps import (
    ADAM_SEEDS,
    ADAM_SIZES,
    ADAM_WALKERS,
    DEPTHS,
    EFFECTIVE,
    HEAVY_STEPS,
    MOMENTA,
    TAILS,
    WALKERS,
    WIDTHS,
)
from descent.explorer import explore
from descent.figures import BLUE, GREEN, GUIDE, RED, SAMPLED, VIOLET
from descent.markov.stable_noise import log_jump_time

COLOURS = (BLUE, GREEN, RED, VIOLET)


@cache
def log_times(momentum: float) -> Array:
    """Return log τ at the effective steps EFFECTIVE, exact."""
    table = sweeps.load("01-momentum")
    rows = table[np.isclose(table["momentum"], momentum)].sort_values("effective")
    return np.asarray(rows["log_time"], float)


def stable_up_to(momentum: float) -> float:
    """Return the effective step up to which steps on l1 settle: 2 (1 + β) / ((1 - β) l1'')."""
    return numbers.onset() * (1 + momentum) / (1 - momentum)


def half_escape(momentum: float) -> float:
    """Return the effective step at which half of the sampled walkers leave in 1,000 steps."""
    table = sweeps.load("01-momentum")
    rows = table[np.isclose(table["momentum"], momentum)].sort_values("effective")
    share = rows["sampled"].to_numpy(float) / WALKERS
    return float(np.interp(0.5, share, rows["effective"].to_numpy(float)))


MEMORIES = 5
"""How many times 1/(1 - β) steps it takes until a constant share of the walkers leaves."""


def momentum_pulls() -> Array:
    """Return (sampled - exact) / standard error of the share that leaves, where it is some.

    In the pit a constant share leaves in each step, but for the first ones, in which nobody
    does: they are taken off the mean time and off the steps that were seen.
    """
    table = sweeps.load("01-momentum")
    found = []
    for row in table.to_dict("records"):
        lag = MEMORIES / (1 - row["momentum"])
        rate = row["sampled"] / (row["steps_seen"] - lag * WALKERS)
        error = rate / np.sqrt(max(row["sampled"], 1))
        if 50 < row["sampled"] < 0.9 * WALKERS:
            found.append((rate - 1 / (np.exp(row["log_time"]) - lag)) / error)
    return np.array(found)


def adam_shares() -> tuple[Array, Array, Array, Array]:
    """Return Adam's effective steps, its shares within 1,000 steps, and their least and most.

    The interval is two standard errors of the mean over the seeds.
    """
    table = sweeps.load("01-adam").sort_values("size")
    effective = np.array([np.median(steps) for steps in table["effective"]])
    shares = np.array([np.array(left) / ADAM_WALKERS for left in table["left"]])
    mean = shares.mean(axis=1)
    error = 2 * shares.std(axis=1, ddof=1) / np.sqrt(ADAM_SEEDS)
    assert len(ADAM_SIZES) == len(mean)
    return effective, mean, mean - error, mean + error


def adam_half() -> float:
    """Return Adam's effective step at which half of the walkers leave."""
    effective, mean, *_ = adam_shares()
    return float(np.interp(0.5, mean, effective))


def draw_momentum() -> Figure:
    """Draw log τ against the effective step, and the shares that leave."""
    fig, (left, right) = figures.figure(1, 2)
    table = sweeps.load("01-momentum")
    for momentum, colour in zip(MOMENTA, COLOURS, strict=False):
        name = f"$\\beta = {momentum:g}$"
        left.plot(EFFECTIVE, log_times(momentum), "o-", color=colour, markersize=3, label=name)
        rows = table[np.isclose(table["momentum"], momentum)].sort_values("effective")
        right.plot(rows["effective"], rows["sampled"] / WALKERS, "o-", color=colour, markersize=3)
    T = np.linspace(EFFECTIVE[0], EFFECTIVE[-1], 100)
    left.plot(T, numbers.large_deviation().log_time(T), color=GUIDE, label="small-step law")
    effective, mean, low, high = adam_shares()
    right.errorbar(
        effective, mean, [mean - low, high - mean], color=SAMPLED, marker="s", markersize=3,
        label="Adam",
    )  # fmt: skip
    left.set(xlabel="effective step $T/(1-\\beta)$", ylabel="$\\log\\tau$ ($\\tau$ in steps)")
    right.set(xlabel="effective step", ylabel="share within 1,000 steps")
    left.set_xticks(EFFECTIVE, [f"{T:g}" for T in EFFECTIVE])
    left.legend()
    right.legend()
    return fig


@cache
def exits(alpha: float, depth: float, width: float) -> Array:
    """Return log τ at HEAVY_STEPS; NaN where it is too long to be known."""
    table = sweeps.load("01-heavy-tails")
    match = np.isclose(table[["alpha", "depth", "width"]], [alpha, depth, width]).all(axis=1)
    return np.array(table[match].iloc[0]["log_times"], float)


def heavy_pulls() -> Array:
    """Return (sampled - exact) / standard error of the mean exit times at the largest step."""
    table = sweeps.load("01-heavy-tails")
    exact = np.array([np.exp(logs[-1]) for logs in table["log_times"]])
    return np.asarray((table["sampled"] - exact) / table["error"])


def draw_tails(alpha: float, depth: float, width: float) -> Figure:
    """Draw the pit, and its exit time against the step size."""
    fig, (left, right) = figures.figure(1, 2)
    w = np.linspace(-4.2, 4.2, 400)
    u = w / width
    loss = depth * (2 * u**2 - u**4)
    left.plot(w, np.where(np.abs(u) < 1.35, loss, np.nan), color=BLUE)
    for edge in (-width, width):
        left.plot([edge, edge], [0, depth], color=GUIDE, linewidth=1)
    left.set(xlabel="parameter $W$", ylabel="loss", xlim=(-4.2, 4.2), ylim=(-0.2, 2.3))
    for other in TAILS:
        if other != alpha:
            right.plot(HEAVY_STEPS, exits(other, depth, width), color=GUIDE, linewidth=1)
    right.plot(HEAVY_STEPS, exits(alpha, depth, width), "o-", color=RED, markersize=3)
    if alpha < 2:
        law = [
            log_jump_time(step_size=T, alpha=alpha, noise=1.0, distances=(width, width))
            for T in HEAVY_STEPS
        ]
        right.plot(HEAVY_STEPS, law, color=VIOLET, linestyle="--")
    right.set_xscale("log")
    right.set_xticks(HEAVY_STEPS, [f"{T:g}" for T in HEAVY_STEPS])
    right.set_xticks([], minor=True)
    right.set(xlabel="step size $T$", ylabel="$\\log\\tau$ ($\\tau$ in steps)", ylim=(0, 21))
    return fig


def tails_caption(alpha: float, depth: float, width: float) -> str:
    """Say what doubling the depth, and the width, does to the exit time."""
    at = HEAVY_STEPS.index(0.18)
    here = exits(alpha, depth, width)[at]
    deeper = exits(alpha, DEPTHS[-1], width)[at] - exits(alpha, DEPTHS[0], width)[at]
    wider = exits(alpha, depth, WIDTHS[-1])[at] - exits(alpha, depth, WIDTHS[0])[at]
    name = "normal noise" if alpha == 2 else f"tails $\\alpha = {alpha:g}$"
    line = "" if alpha == 2 else "; dashed, the law of one jump"
    return (
        f"Depth {depth:g}, edges at $\\pm{width:g}$, {name} (orange; others grey{line}). "
        f"At $T = 0.18$ it takes {np.exp(here):,.0f} steps. Four times the depth multiplies that "
        f"by {np.exp(deeper):,.1f} here, twice the width by {np.exp(wider):,.1f}."
    )


def top_of_the_pit(width: float, depth: float) -> tuple[float, float]:
    """Return where the handle of the pit's edge stands."""
    return width, depth


heavy_tails = explore(
    draw_tails,
    name="heavy-tails",
    caption=tails_caption,
    alpha=TAILS,
    depth=DEPTHS,
    width=WIDTHS,
    labels={"alpha": "tails $\\alpha$", "depth": "depth", "width": "distance of the edges"},
    default={"alpha": 1.5, "depth": 1.0, "width": 2.0},
    grab={("width", "depth"): top_of_the_pit},
)
