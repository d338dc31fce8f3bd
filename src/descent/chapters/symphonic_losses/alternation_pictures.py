"""Chapter 9: the chain of random alternation, closed traps, knobs, and walks side by side."""

from functools import cache
from typing import NamedTuple

import numpy as np
import pandas
from matplotlib.figure import Figure

from descent import aggregation, figures
from descent.arguments import Array
from descent.chapters.symphonic_losses import (
    alternation,
    alternation_forecasts,
    step_and_grid_forecasts,
)
from descent.chapters.symphonic_losses.alternation_sweeps import (
    BUDGETS,
    CORRELATIONS,
    MISALIGNMENTS,
    RULES,
    SETTINGS,
    WALKERS,
)
from descent.estimates import mean_with_error
from descent.explorer import explore
from descent.figures import BLUE, EXACT, GOLD, GREEN, RED, SKY, VIOLET
from descent.kept import kept

LAYERS = (1, 2, 4, 8, 16)
COLOUR = dict(zip(RULES, (BLUE, RED, VIOLET), strict=True))
MARKER = dict(zip(RULES, "osD", strict=True))


def draw_beside(table: pandas.DataFrame, moved: pandas.DataFrame) -> Figure:
    """Draw success against the budget: lines and dashes the chain's, points the walks'."""
    fig, axes = figures.figure(1, 2)
    colours = (SKY, GREEN, GOLD, BLUE, RED, VIOLET)
    for ax, dimension in zip(axes, (1, 2), strict=True):
        for (m, eta), colour in zip(SETTINGS, colours, strict=True):
            chance, share = alternation_forecasts.beside(table, dimension, m, eta)
            p, n = share.mean(axis=1), WALKERS * share.shape[1]
            ax.plot(BUDGETS, chance.mean(axis=1), color=colour, linewidth=1)
            ax.plot(
                step_and_grid_forecasts.MOVED_BUDGETS,
                step_and_grid_forecasts.moved(moved, dimension, m, eta),
                "--", color=colour, linewidth=1,
            )  # fmt: skip
            ax.errorbar(
                BUDGETS, p, 2 * np.sqrt(p * (1 - p) / n), fmt="o", color=colour, markersize=4,
                label=f"$m = {m}$, $\\eta = {eta}$",
            )  # fmt: skip
        name = "on a line" if dimension == 1 else "in the plane"
        ax.set(xscale="log", xlabel=f"steps, {name}", ylabel="at the shared minimum")
        ax.set(ylim=(-0.03, 1.03))
    axes[0].legend(fontsize="small", loc="upper left")
    return fig


@cache
@kept
def closed_traps(
    step_sizes: tuple[float, ...],
    dimension: int = 1,
    n_landscapes: int = 20,
    layers: tuple[int, ...] = LAYERS,
) -> dict[float, dict[int, Array]]:
    """Return how many traps in a period no step leads out of, for each number of losses.

    Closed sets of places of the chain on the coarser grid, less the one at the shared minimum.
    """
    found: dict[float, dict[int, Array]] = {eta: {} for eta in step_sizes}
    grid = alternation.PER_CELL[dimension][0]
    for m in layers:
        counts = np.zeros((len(step_sizes), n_landscapes))
        for k in range(n_landscapes):
            problem = alternation.landscapes(dimension, m, (100 + k,))
            for row, eta in zip(counts, step_sizes, strict=True):
                many, there = alternation.chain(problem, eta, grid).closed_classes()
                row[k] = many - there
        for eta, row in zip(step_sizes, counts, strict=True):
            found[eta][m] = row
    return found


def draw_closed_traps(
    line: dict[float, dict[int, Array]], plane: dict[float, dict[int, Array]]
) -> Figure:
    """Draw the number of closed traps against that of losses, for some steps."""
    fig, axes = figures.figure(1, 2)
    for ax, counts, name in zip(axes, (line, plane), ("16 cells", "4 by 4 cells"), strict=True):
        for (eta, by_m), colour, marker in zip(
            counts.items(), (BLUE, RED, GREEN), "osD", strict=False
        ):
            points = np.array([mean_with_error(each) for each in by_m.values()])
            ax.errorbar(
                list(by_m), points[:, 0], 2 * points[:, 1], fmt=marker + "-", color=colour,
                markersize=4, label=f"$\\eta = {eta:g}$",
            )  # fmt: skip
        ax.set(xscale="log", xlabel="number $m$ of losses", ylabel=f"closed traps in {name}")
        ax.set(ylim=(-0.3, None))
        ax.set_xticks(list(by_m), [str(m) for m in by_m])
        ax.minorticks_off()
    axes[0].legend()
    return fig


def draw_knobs(table: pandas.DataFrame, own: pandas.DataFrame) -> Figure:
    """Draw success against the correlation, at one step and own ones, and the minima's distance."""
    fig, (left, middle, right) = figures.figure(1, 3, width=8.4, height=2.9)
    for rule, aside in zip(RULES, (-0.015, 0.0, 0.015), strict=True):
        rates = [alternation_forecasts.knob(table, rule, rho=rho) for rho in CORRELATIONS]
        style = {"color": COLOUR[rule], "marker": MARKER[rule], "markersize": 4}
        left.plot(CORRELATIONS, rates, label=f"{rule.replace('_', ' ')}", **style)
        chosen = np.array(
            [step_and_grid_forecasts.at_own_step(own, rule, rho) for rho in CORRELATIONS]
        )
        places = np.array(CORRELATIONS) + aside
        middle.errorbar(places, chosen[:, 0], 2 * chosen[:, 1], linewidth=1, **style)
        apart = (0.0, *MISALIGNMENTS)
        rates = [alternation_forecasts.knob(table, rule, delta=delta) for delta in apart]
        right.plot(apart, rates, **style)
    for m, line in ((2, ":"), (16, "--")):
        rates = [
            alternation_forecasts.knob(table, "random_alternation", m, rho)
            for rho in CORRELATIONS[:-1]
        ]
        left.plot(
            CORRELATIONS[:-1], rates, line, color=RED, linewidth=1, label=f"the same, {m} losses"
        )
    left.set(xlabel="correlation $\\rho$, steps of 0.2", ylabel="success rate")
    middle.set(xlabel="correlation $\\rho$, own steps")
    right.set(xlabel="distance $\\delta$ of the minima (cells)")
    for ax in (left, middle, right):
        ax.set(ylim=(-0.03, 1.03))
    left.legend(fontsize="small")
    return fig


KINDS = {
    "harmonious": (0.0, 0.0),
    "half in common": (0.5, 0.0),
    "all in common": (1.0, 0.0),
    "minima apart": (0.0, 0.2),
}
"""Correlation and misalignment of the explorer's landscapes."""
WATCHED = ("equal_sum", "random_alternation", "gradient_norm")
SHOWN = 1000
ETA = 0.2
_SEED, _LOSSES, _START = 21, 8, (1.45, -1.3)


class Watched(NamedTuple):
    """A walk (steps, 2), the mean of the losses on a grid, and the grid's axis."""

    path: Array
    surface: Array
    axis: Array


@cache
def _watched(kind: str, rule: str) -> Watched:
    problem = alternation.landscapes(2, _LOSSES, (_SEED,), *KINDS[kind])
    follow, rng = aggregation.RULES[rule], np.random.default_rng(3)
    state = None if "deterministic" in follow.properties else rng
    x, path = np.array([_START]), [np.array(_START)]
    for _ in range(SHOWN):
        losses, gradients = problem.value_and_gradient(x)
        step = follow(losses, gradients, state)
        x, state = x - ETA * step.gradient, step.state
        path.append(x[0])
    axis = np.linspace(-2, 2, 61)
    grid = np.stack(np.meshgrid(axis, axis, indexing="ij"), axis=-1)
    surface = problem.value_and_gradient(grid[:, :, None])[0][:, :, 0].mean(axis=-1)
    return Watched(np.array(path), surface, axis)


def _on_torus(path: Array) -> Array:
    """Return a path on the shown square, broken where it leaves at one side for the other."""
    folded = (path + 2) % 4 - 2
    folded[1:][np.abs(np.diff(folded, axis=0)).max(axis=1) > 2] = np.nan
    return folded


def draw_watched(kind: str, n: int) -> Figure:
    """Draw the first steps of three rules from one start, over the mean of the losses."""
    fig, axes = figures.figure(1, 3, width=8.4, height=2.9)
    for ax, rule in zip(axes, WATCHED, strict=True):
        seen = _watched(kind, rule)
        ax.contour(seen.axis, seen.axis, seen.surface.T, levels=8, cmap="Greys", linewidths=0.6)
        path = _on_torus(seen.path[: n + 1])
        ax.plot(*path.T, ".-", color=COLOUR.get(rule, GREEN), markersize=2, linewidth=0.4)
        ax.plot(*_START, "o", color=EXACT, markersize=4, markerfacecolor="none")
        ax.plot(*_on_torus(seen.path[n : n + 1])[0], "o", color=EXACT, markersize=5)
        ax.plot(0, 0, "+", color=RED, markersize=9)
        ax.set(xlabel=f"$x_1$, {rule.replace('_', ' ')}", ylabel="$x_2$ (cells)")
        ax.set(xlim=(-2, 2), ylim=(-2, 2), aspect="equal")
    return fig


def watched_caption(kind: str, n: int) -> str:
    """Say how far from the shared minimum each rule is."""
    parts = []
    for rule in WATCHED:
        away = float(alternation.distance(_watched(kind, rule).path[n], 2))
        parts.append(f"{rule.replace('_', ' ')} is {away:.1f} cells from it")
    return (
        f"Eight losses, {kind}, with steps of {ETA} from one start, over level lines of their "
        f"mean. The cross is the middle, where the minima lie. After {n} steps {parts[0]}, "
        f"{parts[1]}, {parts[2]}."
    )


watched_explorer = explore(
    draw_watched,
    name="rules-watched",
    caption=watched_caption,
    kind=tuple(KINDS),
    n=(10, 50, 250, 1000),
    labels={"kind": "losses", "n": "steps"},
    default={"kind": "harmonious", "n": 250},
)
