"""Chapter 1: what the stored tables of the small network say, and their picture."""

from typing import Any

import numpy as np
from matplotlib.figure import Figure

from descent import figures, sweeps
from descent.arguments import Array
from descent.chapters.modelling_sgd import network_sweeps
from descent.chapters.modelling_sgd.network import digits, evenly
from descent.figures import BLUE, EXACT, GOLD, GREEN, RED


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


def followed(noise: str, B: int, ratio: float) -> tuple[float, float]:
    """Return the log of the mean time T τ of walks that were just followed, and its error."""
    table = sweeps.load("01-network-followed")
    here = (table["noise"] == noise) & (table["B"] == B) & np.isclose(table["ratio"], ratio)
    row = table[here].iloc[0]
    return float(np.log(row["steps"] * ratio * B / row["left"])), float(row["left"]) ** -0.5


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
