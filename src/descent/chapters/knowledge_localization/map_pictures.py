"""Chapter 12: pictures of the map over the step size, and of what the correlation is made of."""

from typing import Any

import numpy as np
from matplotlib import colormaps
from matplotlib.figure import Figure

from descent import figures
from descent.arguments import Array
from descent.chapters.knowledge_localization import numbers
from descent.chapters.knowledge_localization.composition import PARTS, interval
from descent.chapters.knowledge_localization.pictures import decimal
from descent.estimates import mean_with_error
from descent.figures import BLUE, EXACT, GOLD, GREEN, GUIDE, RED, SAMPLED, SKY, VIOLET
from descent.prose import power_of_ten, table

PART_COLOURS = dict(zip(PARTS, (SKY, GOLD, VIOLET), strict=True))
PART_NAMES = {"pixels": "pixels", "neurons": "neurons", "rest": "both together"}


def squares(values: Any) -> Array:
    """Return the squares of correlations."""
    return np.asarray(values, dtype=float) ** 2


def draw_map(rows: Any, limit: Any) -> Figure:
    """Draw R² of the biases against R² of the weights: a dot a network, a ring a step size."""
    fig, ax = figures.figure(width=5.0, height=4.6)
    shades = colormaps["viridis"](np.linspace(0.9, 0.05, len(rows)))
    middles = []
    for (eta, row), shade in zip(rows.iterrows(), shades, strict=True):
        weights, biases = squares(row.weights), squares(row.biases)
        middles.append((weights.mean(), biases.mean()))
        ax.plot(weights, biases, ".", color=shade, markersize=4, alpha=0.6)
        ax.plot(*middles[-1], "o", color=shade, markersize=8, label=f"{decimal(eta)}", zorder=3)
    ax.plot(*np.array(middles).T, color=GUIDE, linewidth=1, zorder=2)
    still = squares(limit.weights).mean(), squares(limit.biases).mean()
    ax.plot(*still, "*", color=EXACT, markersize=12, label="without training", zorder=4)
    source = numbers.SOURCE_R2["weights"], numbers.SOURCE_R2["biases"]
    ax.plot(*source, "P", color=RED, markersize=11, label="the source", zorder=4)
    ax.set(xlabel="$R^2$ of the weights", ylabel="$R^2$ of the biases", xlim=(-0.01, None))
    fig.legend(loc="outside right upper", title=r"step size $\eta$")
    return fig


def draw_parts(rows: Any, limit: Any) -> Figure:
    """Draw the exact parts of the correlation over the step size, and two partial ones below."""
    fig, (upper, lower) = figures.figure(2, 1, width=4.4, height=5.8, height_ratios=(3, 2))
    at = np.array(rows.index)
    first = at[0] / 4
    places = np.concatenate([[first], at])

    def means(name: str) -> Array:
        return np.array([np.mean(limit[name]), *(np.mean(r) for r in rows[name])])

    above = np.zeros(len(places))
    for name, colour in PART_COLOURS.items():
        part = means(name)
        upper.fill_between(
            places, above, above + part, color=colour, alpha=0.6, lw=0, label=PART_NAMES[name]
        )
        above = above + part
    upper.plot(places, means("weights"), ".-", color=BLUE, label="all weights")
    lower.plot(places, means("within"), ".-", color=RED, label="within a pixel")
    lower.plot(places, means("partial"), ".-", color=GREEN, label="given two numbers a pixel")
    ticks = [first, *(eta for eta in at if np.isclose(np.log10(eta) % 1, 0) or eta == at[-1])]
    for ax in (upper, lower):
        ax.set_xscale("log")
        ax.axhline(0, color=GUIDE, linewidth=1)
        ax.set_xticks(ticks, ["0", *(power_of_ten(t) for t in ticks[1:])])
        ax.minorticks_off()
        ax.set(xlabel=r"step size $\eta$", ylabel="correlation")
    upper.legend(loc="lower left")
    lower.legend(loc="upper right")
    return fig


def draw_convergence(step_sizes: Array, gaps: dict[str, Array]) -> Figure:
    """Draw how far training is from its limit against the step size: a line of slope one."""
    fig, ax = figures.figure(width=4.4, height=3.2)
    for (name, values), colour, mark in zip(gaps.items(), (BLUE, GREEN), "os", strict=True):
        ax.loglog(step_sizes, values, mark + "-", color=colour, label=name, markersize=4)
    ax.loglog(step_sizes, gaps["weights"][0] * step_sizes / step_sizes[0], "--", color=GUIDE)
    ax.set(
        xlabel=r"step size $\eta$", ylabel="distance of the correlation\nfrom that without training"
    )
    ax.legend(loc="upper left")
    return fig


def spread(values: Any, digits: int = 2) -> str:
    """Write the mean of networks and the range of the middle 90 % of them."""
    low, high = interval(values)
    return f"{np.mean(values):.{digits}f} ({low:.{digits}f} to {high:.{digits}f})"


def statements(rows: Any, limit: Any) -> str:
    """Return a Markdown table of what the source says of its pictures, with spread by step size."""
    every = [("0", limit), *((power_of_ten(eta), row) for eta, row in rows.iterrows())]
    cells = [
        [
            name,
            spread(squares(row.weights)),
            spread(squares(row.biases)),
            spread(row.positive),
            spread(row.negative),
            spread(row.edges),
        ]
        for name, row in every
    ]
    head = ["$\\eta$", "$R^2$ weights", "$R^2$ biases", "above 0", "below −0.1", "edges"]
    return table(head, cells, "rrrrrr")


STYLES = {
    (1, "SGD"): (BLUE, "o"),
    (2, "SGD"): (SKY, "s"),
    (3, "SGD"): (VIOLET, "^"),
    (1, "momentum"): (GREEN, "v"),
    (1, "RMSprop"): (GOLD, "D"),
    (1, "Adam"): (RED, "P"),
}


def draw_equally_trained(rows: Any) -> Figure:
    """Draw the correlation against what the networks tell right, a curve an optimizer."""
    fig, ax = figures.figure(width=4.8, height=3.8)
    for (depth, optimizer), (colour, mark) in STYLES.items():
        mine = rows[(rows.depth == depth) & (rows.optimizer == optimizer)].sort_values("accuracy")
        r, error = np.array([mean_with_error(v) for v in mine.weights]).T
        name = optimizer if depth == 1 else f"SGD, {depth} hidden layers"
        at = 100 * mine.accuracy
        ax.errorbar(at, r, 2 * error, fmt=mark + "-", color=colour, label=name, ms=4, lw=1)
    ax.axhline(0, color=GUIDE, linewidth=1)
    ax.set(xlabel="held-out images told right after the first phase / %", ylabel="correlation")
    fig.legend(loc="outside upper center", ncols=2)
    return fig


def at_accuracy(rows: Any, accuracy: float) -> dict[str, float]:
    """Return the mean correlation of each optimizer where it tells a share of the images right.

    One hidden layer; on the line between the stored step sizes on either side. Optimizers none of
    whose step sizes lie on one of the sides are left out.
    """
    found = {}
    for optimizer, mine in rows[rows.depth == 1].groupby("optimizer", sort=False):
        ordered = mine.sort_values("accuracy")
        if ordered.accuracy.min() <= accuracy <= ordered.accuracy.max():
            r = [np.mean(v) for v in ordered.weights]
            found[str(optimizer)] = float(np.interp(accuracy, ordered.accuracy, r))
    return found


def draw_importance(correlations: dict[str, Array]) -> Figure:
    """Draw how well each measure of importance foretells y, a dot a network."""
    fig, ax = figures.figure(width=4.0, height=2.8)
    for row, values in enumerate(correlations.values()):
        jitter = np.linspace(-0.15, 0.15, len(values))
        ax.plot(values, row + jitter, ".", color=SAMPLED, markersize=4)
        ax.plot(np.mean(values), row, "|", color=BLUE, markersize=18, markeredgewidth=2)
    ax.set_yticks(range(len(correlations)), list(correlations))
    ax.invert_yaxis()
    ax.axvline(0, color=GUIDE, linewidth=1)
    ax.set(xlabel="correlation of the share $x$ with $y$")
    return fig
