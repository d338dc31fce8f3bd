"""Chapter 9: its figures and explorers."""

from collections.abc import Mapping
from functools import cache

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from descent import figures
from descent.arguments import Array
from descent.chapters.symphonic_losses.dynamics import FATES, Failures, Scheduled
from descent.chapters.symphonic_losses.numbers import (
    LAYERS,
    RULES,
    BoxCount,
    composite,
    grid,
    minima,
)
from descent.estimates import Mean, mean_with_error
from descent.explorer import explore
from descent.figures import BLUE, EXACT, GREEN, GUIDE, RED, SAMPLED, VIOLET
from descent.perlin import aligned_layers

COLOUR = dict(zip(RULES, (BLUE, RED, GREEN), strict=True))
MARKER = dict(zip(RULES, "os^", strict=True))
_NAMES = {
    "softadapt": "SoftAdapt",
    "dwa": "DWA",
    "pcgrad": "PCGrad",
    "mgda": "MGDA",
    "upgrad": "UPGrad",
    "imtl_g": "IMTL-G",
    "aligned_mtl": "Aligned-MTL",
    "cagrad": "CAGrad",
    "nash_mtl": "Nash-MTL",
}
_SHOWN_CELLS = {1: 16, 2: 6}
_SHOWN_POINTS = {1: 48, 2: 16}


def plain_name(rule: str) -> str:
    """Return the name of a rule as the reader sees it."""
    return _NAMES.get(rule, rule.replace("_", " "))


@cache
def _surface(dimension: int, rule: str, m: int) -> Array:
    rng = np.random.default_rng([8, dimension])
    layers = aligned_layers(max(LAYERS), _SHOWN_CELLS[dimension], dimension, rng)
    x = grid(layers.cells, _SHOWN_POINTS[dimension], dimension)
    value, gradient = layers.layers(slice(0, m)).value_and_gradient(x)
    return composite(rule, value, gradient)


def draw_layers(rule: str, m: int) -> Figure:
    """Draw the value surface of a rule and its minima, in one and in two dimensions."""
    fig, (line, plane) = figures.figure(1, 2, width=7.6, height=3.2)
    surface, half = _surface(1, rule, m), _SHOWN_CELLS[1] / 2
    x, low = grid(_SHOWN_CELLS[1], _SHOWN_POINTS[1], 1)[:, 0], minima(surface)
    line.plot(x, surface, color=COLOUR[rule], linewidth=1)
    line.plot(x[low], surface[low], "o", color=EXACT, markersize=3)
    line.set(xlabel="$x$ (lattice cells)", ylabel="value", xlim=(-half, half), ylim=(-0.1, 3))
    surface, half = _surface(2, rule, m), _SHOWN_CELLS[2] / 2
    image = plane.imshow(
        surface.T, origin="lower", extent=(-half, half, -half, half), cmap="viridis",
        vmin=0, vmax=2.5,
    )  # fmt: skip
    fig.colorbar(image, ax=plane, label="value")
    places = np.argwhere(minima(surface)) / _SHOWN_POINTS[2] - half
    plane.plot(*places.T, "o", color="white", markersize=2)
    plane.plot(0, 0, "o", color=RED, markersize=5)
    plane.set(xlabel="$x_1$ (lattice cells)", ylabel="$x_2$ (lattice cells)")
    plane.set(xlim=(-half, half), ylim=(-half, half))
    return fig


def layers_caption(rule: str, m: int) -> str:
    """Count the minima."""
    what = {
        "equal_sum": "The mean",
        "largest_gradient": "The value of the layer with the longest gradient",
        "gradient_norm": "The gradient-weighted mean",
    }[rule]
    noun = "layer" if m == 1 else "layers"
    line, plane = (int(minima(_surface(d, rule, m)).sum()) for d in (1, 2))
    return (
        f"{what} of {m} {noun}: {line} minima in {_SHOWN_CELLS[1]} cells of a line, {plane} in "
        f"{_SHOWN_CELLS[2]} by {_SHOWN_CELLS[2]} cells of a plane, on these grids. The shared "
        "minimum lies in the middle."
    )


def draw_density(
    counts: Mapping[int, Mapping[tuple[str, int], Array]], rice: Mapping[int, float]
) -> Figure:
    """Draw minima per cell against the number of layers, in one and two dimensions."""
    fig, axes = figures.figure(1, 2)
    for ax, (dimension, table) in zip(axes, counts.items(), strict=True):
        for rule in RULES:
            points = np.array([mean_with_error(table[rule, m]) for m in LAYERS])
            ax.errorbar(
                LAYERS, points[:, 0], 2 * points[:, 1], fmt=MARKER[rule] + "-", color=COLOUR[rule],
                label=plain_name(rule), markersize=4,
            )  # fmt: skip
        ax.axhline(rice[dimension], color=EXACT, linestyle="--", linewidth=1, label="Rice, sum")
        _layers_axis(ax)
        ax.set(ylabel=f"minima per cell, $d = {dimension}$", ylim=(0, None))
    axes[0].set(ylim=(0, 5.5))
    axes[0].legend(loc="upper left")
    return fig


def _layers_axis(ax: Axes, layers: tuple[int, ...] = LAYERS) -> None:
    ax.set(xscale="log", xlabel="number $m$ of losses")
    ax.set_xticks(layers, [str(m) for m in layers])
    ax.minorticks_off()


def draw_resolution(
    tables: Mapping[int, Mapping[int, Mapping[tuple[str, int], Array]]], m: int
) -> Figure:
    """Draw minima per cell against the points per cell: tables[dimension][per_cell]."""
    fig, axes = figures.figure(1, 2)
    for ax, (dimension, by_grid) in zip(axes, tables.items(), strict=True):
        for rule in RULES:
            points = np.array([mean_with_error(table[rule, m]) for table in by_grid.values()])
            ax.errorbar(
                list(by_grid), points[:, 0], 2 * points[:, 1], fmt=MARKER[rule] + "-",
                color=COLOUR[rule], label=plain_name(rule), markersize=4,
            )  # fmt: skip
        ax.set(xscale="log", yscale="log", xlabel="grid points per cell, along each axis")
        ax.set(ylabel=f"minima per cell, $d = {dimension}$")
        ax.set_xticks(list(by_grid), [str(n) for n in by_grid])
        ticks = {1: (1, 2, 3), 2: (1, 2, 5, 10)}[dimension]
        ax.set_yticks(ticks, [str(tick) for tick in ticks])
        ax.minorticks_off()
    axes[0].legend()
    return fig


def draw_boxes(boxes: BoxCount) -> Figure:
    """Draw the share of boxes with common minima, and with stuck points of the flows."""
    fig, (left, right) = figures.figure(1, 2)
    m = np.arange(1, len(boxes.common) + 1)
    left.semilogy(m, boxes.expected, color=EXACT, label="$p^m$")
    left.semilogy(m, boxes.common, "o", color=SAMPLED, markersize=4, label="minima of all layers")
    right.semilogy(m, boxes.expected, color=EXACT, label="$p^m$")
    for rule in RULES:
        right.semilogy(
            m,
            boxes.stuck[rule],
            MARKER[rule] + "-",
            color=COLOUR[rule],
            markersize=4,
            label=plain_name(rule),
        )
    for ax in (left, right):
        ax.set(xlabel="number $m$ of losses", ylim=(2e-4, 1))
        ax.legend(loc="lower left")
    left.set(ylabel="share of boxes")
    right.set(ylabel="share of boxes with a stuck point")
    return fig


def draw_basin(lengths: Mapping[str, Array], deviation: Array, height: Array) -> Figure:
    """Draw the basin of the shared minimum, and how rough the mean is beside its depth."""
    fig, (left, right) = figures.figure(1, 2)
    for k, (rule, samples) in enumerate(lengths.items()):
        points = np.array([mean_with_error(column) for column in samples.T])
        left.errorbar(
            np.array(LAYERS) * 1.06 ** (k - 1), points[:, 0], 2 * points[:, 1], fmt=MARKER[rule],
            color=COLOUR[rule], label=plain_name(rule), markersize=4,
        )  # fmt: skip
    left.set(ylabel="length of the basin (cells), $d = 1$", ylim=(0, 2.5))
    left.legend(loc="lower left")
    rough, deep = (
        np.array([mean_with_error(column) for column in a.T]) for a in (deviation, height)
    )
    right.errorbar(LAYERS, deep[:, 0], 2 * deep[:, 1], fmt="o-", color=BLUE, label="mean height")
    right.errorbar(
        LAYERS, rough[:, 0], 2 * rough[:, 1], fmt="s-", color=RED, label="standard deviation"
    )
    right.plot(
        LAYERS, rough[0, 0] / np.sqrt(LAYERS), "--", color=EXACT, label="$\\propto 1/\\sqrt{m}$"
    )
    right.set(ylabel="mean of the layers, $d = 2$", ylim=(0, None))
    right.legend()
    for ax in (left, right):
        _layers_axis(ax)
    return fig


def draw_race(rates: Mapping[str, Mapping[str, Mean]]) -> Figure:
    """Draw the success rate of every rule on each problem: rates[problem][rule]."""
    fig, axes = figures.figure(1, 2, height=3.4)
    for ax, (problem, table) in zip(axes, rates.items(), strict=True):
        for k, (rule, rate) in enumerate(table.items()):
            colour = RED if rule in ("random_alternation", "matched_noise") else BLUE
            ax.errorbar(rate.value, k, xerr=2 * rate.error, fmt="o", color=colour, markersize=4)
        ax.axvline(table["equal_sum"].value, color=GUIDE, linewidth=1)
        name = {"perlin": "Perlin noise, $d = 2$", "ripples": "ripples, $d = 10$"}[problem]
        ax.set(xlabel=f"success rate, {name}", xlim=(-0.03, 1.03))
        names = [plain_name(rule) for rule in table]
        ax.set_yticks(range(len(names)), names)
        ax.invert_yaxis()
    return fig


def draw_steps(step_sizes: Array, rates: Mapping[str, Array]) -> Figure:
    """Draw success against the step size for some rules."""
    fig, ax = figures.figure()
    for (rule, rate), colour, marker in zip(
        rates.items(), (BLUE, GREEN, RED, VIOLET), "o^sD", strict=False
    ):
        ax.plot(
            step_sizes, rate, marker + "-", color=colour, markersize=4, label=rule.replace("_", " ")
        )
    ax.set(xscale="log", xlabel="step size $\\eta$", ylabel="success rate", ylim=(-0.03, 1.03))
    ax.legend()
    return fig


def draw_growth(layers: tuple[int, ...], rates: Mapping[str, list[Mean]]) -> Figure:
    """Draw success against the number of losses."""
    fig, ax = figures.figure()
    for (rule, points), colour, marker in zip(
        rates.items(), (BLUE, GREEN, RED, VIOLET), "o^sD", strict=False
    ):
        values = np.array(points)
        ax.errorbar(
            layers, values[:, 0], 2 * values[:, 1], fmt=marker + "-", color=colour, markersize=4,
            label=rule.replace("_", " "),
        )  # fmt: skip
    _layers_axis(ax, layers)
    ax.set(ylabel="success rate", ylim=(-0.03, 1.03))
    ax.legend()
    return fig


def draw_scheduler(runs: Mapping[str, Scheduled]) -> Figure:
    """Draw the step size and the mean loss under a scheduler that reads either value."""
    fig, (left, right) = figures.figure(1, 2)
    for (name, run), colour in zip(runs.items(), (RED, BLUE), strict=True):
        left.semilogy(run.step_sizes, color=colour, label=name)
        right.plot(run.loss, color=colour, label=name)
    left.set(xlabel="step $n$", ylabel="step size $\\eta$")
    right.set(xlabel="step $n$", ylabel="mean loss")
    left.legend()
    return fig


def draw_failures(runs: Failures) -> Figure:
    """Draw one run of each way to fail."""
    fig, axes = figures.figure(1, 3, width=7.2, height=2.6)
    path = runs.wandering.x
    axes[0].plot(path[:, 0], path[:, 1], ".-", color=BLUE, markersize=2, linewidth=0.4)
    axes[0].plot(0, 0, "o", color=RED)
    axes[0].set(xlabel="$x_1$", ylabel="$x_2$")
    axes[1].plot(runs.walls.x[:, 0], color=BLUE, label="$x_1$")
    axes[1].plot(runs.walls.weights[:, 1], color=RED, linewidth=0.8, label="weight of the walls")
    axes[1].set(xlabel="step $n$", ylabel="$x_1$, weight", ylim=(0, 4.6))
    axes[1].legend(loc="upper left")
    axes[2].plot(runs.oscillation.x[:, 0], ".-", color=BLUE, markersize=4, linewidth=0.8)
    for level in (2.0, 3.0):
        axes[2].axhline(level, color=GUIDE, linewidth=1)
    axes[2].set(xlabel="step $n$", ylabel="$x$", ylim=(0, 3.2))
    return fig


def draw_fates(table: Mapping[str, Mapping[int, Array]]) -> Figure:
    """Draw how runs end against the number of losses: table[rule][m] is a share of each fate."""
    fig, axes = figures.figure(1, len(table), width=2.6 * len(table), height=3.4)
    for ax, (rule, by_m) in zip(axes, table.items(), strict=True):
        shares, at = np.array(list(by_m.values())), np.arange(len(by_m))
        bottom = np.zeros(len(by_m))
        for k, colour in enumerate((GREEN, GUIDE, RED, VIOLET)):
            ax.bar(at, shares[:, k], bottom=bottom, color=colour, width=0.7, label=FATES[k])
            bottom += shares[:, k]
        ax.set_xticks(at, [str(m) for m in by_m])
        ax.set(xlabel=f"$m$, {rule.replace('_', ' ')}", ylim=(0, 1))
        ax.set(ylabel="share of runs")
    axes[0].legend(loc="lower left", bbox_to_anchor=(0, 1.02))
    return fig


layers_explorer = explore(
    draw_layers,
    name="aligned-layers",
    caption=layers_caption,
    rule=RULES,
    m=LAYERS,
    labels={"rule": "rule", "m": "layers $m$"},
    format={"rule": plain_name},
    default={"rule": "equal_sum", "m": 4},
)
