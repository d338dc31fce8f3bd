"""Chapter 1: what the stored tables of the small network say, and their picture."""

from functools import cache
from typing import Any

import numpy as np
from matplotlib.figure import Figure

from descent import figures, sweeps
from descent.arguments import Array
from descent.chapters.modelling_sgd import network_sweeps, network_walks
from descent.chapters.modelling_sgd.network import digits, evenly
from descent.explorer import Handle, explore
from descent.figures import BLUE, EXACT, GOLD, GREEN, GUIDE, RED


def way(start: str) -> dict[str, Any]:
    """Return the stored row of the cheapest way from a minimum."""
    table = sweeps.load("01-network-ways")
    return dict(table[table["start"] == start].iloc[0])


def times(noise: str, start: str, B: int) -> tuple[Array, Array, Array]:
    """Return B/T, rising, the log of the mean time T τ, and its standard error."""
    table = sweeps.load("01-network-times")
    here = (table["noise"] == noise) & (table["start"] == start) & (table["B"] == B)
    rows = table[here].sort_values("ratio", ascending=False)
    inverse = 1 / rows["ratio"].to_numpy(float)
    return inverse, rows["log_time"].to_numpy(float), rows["error"].to_numpy(float)


def row(noise: str, start: str, B: int, ratio: float) -> dict[str, Any]:
    """Return the stored row of the runs of splitting at one T/B."""
    table = sweeps.load("01-network-times")
    here = (table["noise"] == noise) & (table["start"] == start) & (table["B"] == B)
    return dict(table[here & np.isclose(table["ratio"], ratio)].iloc[0])


def log_time(noise: str, start: str, B: int, ratio: float) -> tuple[float, float]:
    """Return one log of the mean time, and its standard error."""
    found = row(noise, start, B, ratio)
    return float(found["log_time"]), float(found["error"])


def slope(noise: str, start: str, B: int, ratios: tuple[float, float]) -> tuple[float, float]:
    """Return the slope of log T τ against B/T between two T/B, and its standard error."""
    (first, off), (last, out) = (log_time(noise, start, B, ratio) for ratio in ratios)
    run = 1 / ratios[1] - 1 / ratios[0]
    return (last - first) / run, float(np.hypot(off, out)) / run


def followed(noise: str, B: int, ratio: float, part: slice) -> tuple[float, float]:
    """Return the log of T times steps over walks that left, in a part of the time, and its error.

    The parts are those between `network_sweeps.UNTIL`, of the largest crowd that was followed.
    """
    table = sweeps.load("01-network-followed")
    here = (table["noise"] == noise) & (table["B"] == B) & np.isclose(table["ratio"], ratio)
    row = table[here].sort_values("walks").iloc[-1]
    left, steps = sum(row["left"][part]), sum(row["steps"][part])
    return float(np.log(steps * ratio * B / left)), float(left) ** -0.5


EARLY, SETTLED = slice(1, 2), slice(5, None)
"""Parts of the time that walks are followed: just after the start, and long after it."""


def who_left(noise: str, B: int, ratio: float) -> dict[str, int]:
    """Return how many walks of how many left by the door that is asked about, and beside it."""
    table = sweeps.load("01-network-followed")
    here = (table["noise"] == noise) & (table["B"] == B) & np.isclose(table["ratio"], ratio)
    row = table[here].sort_values("walks").iloc[-1]
    counts = {"walks": row["walks"], "left": row["gone"], "beside": sum(row["lost"])}
    return {name: int(count) for name, count in counts.items()}


def larger() -> dict[str, Any]:
    """Return what the stored row of the larger network says."""
    return dict(sweeps.load("01-network-larger").iloc[0])


def along(path: Array) -> tuple[Array, Array]:
    """Return the length of a path up to each of its points, and the loss there."""
    step = np.linalg.norm(np.diff(path, axis=0), axis=1)
    return np.concatenate([[0.0], step.cumsum()]), digits().loss(path)


def draw_band() -> Figure:
    """Draw the loss along the band and along the cheapest ways to the saddle."""
    fig, ax = figures.figure(width=4.6, height=3.0)
    here = network_sweeps.places()
    length, loss = along(here.path)
    ax.plot(length, loss, color=EXACT, label="elastic band")
    top = np.linalg.norm(here.path - here.saddle, axis=1).argmin()
    for start, colour in (("shallow", RED), ("deep", BLUE)):
        at, level = along(evenly(np.array(way(start)["path"]), 80))
        part = length[top] if start == "shallow" else length[-1] - length[top]
        at = at / at[-1] * part
        x = at if start == "shallow" else length[-1] - at
        ax.plot(x, level, color=colour, label=f"cheapest way, {start} minimum")
    ax.plot(length[top], digits().loss(here.saddle[None])[0], "o", color=EXACT, markersize=4)
    ax.set(xlabel="length along the band $|W|$", ylabel="loss $L$")
    ax.legend()
    return fig


def draw_times() -> Figure:
    """Draw the measured times, and lines with the slopes of three prices."""
    fig, ax = figures.figure(width=4.6, height=3.2)
    inverse, log, error = times("drawn", "shallow", 16)
    ax.errorbar(inverse, log, 2 * error, color=EXACT, marker="o", markersize=4, linestyle="none")
    shown = np.linspace(inverse[0], inverse[-1], 2)
    here = way("shallow")
    for price, colour, name in (
        (here["price"], RED, "cheapest way"),
        (here["band"], GOLD, "along the band"),
        (here["round"], GREEN, "noise alike in all directions"),
    ):
        line = log[-1] + price * (shown - shown[-1])
        ax.plot(shown, line, color=colour, linestyle="--", linewidth=1, label=name)
    ax.set(xlabel="$B/T$", ylabel="$\\ln(T\\tau)$", ylim=(0, log[-1] + 1.5))
    ax.legend()
    return fig


@cache
def cloud(ratio: float) -> tuple[Array, Array]:
    """Return how far the walks of a cloud have got, and their height above the minimum in 1/1000.

    How far is the place in the direction in which the saddle falls, zero at the saddle.
    """
    table = sweeps.load("01-network-clouds")
    row = table[np.isclose(table["ratio"], ratio)].iloc[0]
    level = digits().loss(network_sweeps.places().shallow[None])[0]
    return np.array(row["score"]), 1000 * (np.array(row["loss"]) - level)


def local_slope(ratio: float) -> tuple[float, float]:
    """Return the slope of ln Tτ against B/T between the neighbours of a T/B, and its error."""
    k = network_sweeps.RATIOS.index(ratio)
    first, last = max(k - 1, 0), min(k + 1, len(network_sweeps.RATIOS) - 1)
    ends = network_sweeps.RATIOS[first], network_sweeps.RATIOS[last]
    return slope("drawn", "shallow", 16, ends)


def at_ratio(ratio: float) -> tuple[float, float]:
    """Return where the handle of T/B stands."""
    return 1 / ratio, log_time("drawn", "shallow", 16, ratio)[0]


def draw_cloud(ratio: float) -> Figure:
    """Draw a cloud of walks over the elastic band, and the measured times."""
    fig, (left, right) = figures.figure(1, 2)
    here, network = network_sweeps.places(), digits()
    towards = network_walks.outward(network, here)
    level = network.loss(here.shallow[None])[0]
    path = np.vstack([here.path, here.deep[None]])
    x = (path - here.saddle) @ towards
    left.plot(*cloud(ratio), ".", color=RED, markersize=3)
    left.plot(x, 1000 * (network.loss(path) - level), color=EXACT)
    left.axvline(0, color=GUIDE, linewidth=1)
    left.set(xlim=(-0.9, 1.2), ylim=(-6, 90))
    left.set(xlabel="place across the saddle", ylabel="height (thousandths)")
    inverse, log, error = times("drawn", "shallow", 16)
    right.errorbar(inverse, log, 2 * error, color=EXACT, marker="o", markersize=3, linestyle="none")
    x0, y0 = at_ratio(ratio)
    span = np.array([-18.0, 18.0])
    right.plot(x0 + span, y0 + way("shallow")["price"] * span, color=GUIDE, linestyle="--")
    right.plot(x0 + span, y0 + local_slope(ratio)[0] * span, color=RED)
    right.plot(x0, y0, "o", color=RED)
    right.set(xlim=(20, 112), ylim=(3, 16), xlabel="$B/T$", ylabel="$\\ln(T\\tau)$")
    return fig


def cloud_caption(ratio: float) -> str:
    """Say how high the walks are, how long they stay, and how far the slope is from the price."""
    found, (steep, off) = row("drawn", "shallow", 16, ratio), local_slope(ratio)
    price = way("shallow")["price"]
    height, rise = np.median(cloud(ratio)[1]), 1000 * way("shallow")["rise"]
    return (
        f"$T/B = {ratio:g}$: half of the walks are more than {height:.0f} thousandths above the "
        f"minimum, and the saddle is at {rise:.1f}. They leave after {found['time']:,.0f} steps in "
        f"the mean. The slope is {steep:.3f} ± {off:.3f} (red), the price {price:.3f} (dashed)."
    )


clouds = explore(
    draw_cloud,
    name="network-cloud",
    caption=cloud_caption,
    ratio=network_sweeps.RATIOS,
    labels={"ratio": "$T/B$"},
    default={"ratio": 0.02},
    grab={"ratio": Handle(at_ratio, axes=1)},
)
