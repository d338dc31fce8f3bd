"""Chapter 12: its figures and explorers."""

import functools
from collections.abc import Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import LogNorm
from matplotlib.figure import Figure
from numpy.typing import NDArray

from descent import figures
from descent.arguments import Array
from descent.chapters.knowledge_localization import numbers
from descent.explorer import explore
from descent.figures import BLUE, GOLD, GREEN, GUIDE, RED, SAMPLED, SKY, VIOLET
from descent.networks.localization import Localization
from descent.sweeps import load

COLOURS = dict(zip(numbers.ACTIVATIONS, (BLUE, RED, GOLD, VIOLET, GREEN), strict=True))
X_LABEL, Y_LABEL = "share of updating $x$", "share of difference $y$"
STATISTICS = {
    "weights": (BLUE, "all weights"),
    "permuted": (SAMPLED, "neurons exchanged"),
    "within": (RED, "within a pixel"),
    "biases": (GREEN, "biases"),
}


@functools.cache
def table(name: str) -> Any:
    """Return a stored table."""
    return load(name)


def quartiles(lists: Sequence[Any]) -> Array:
    """Return the quartiles of each list, shape (3, lists); NaN where half of it is missing."""
    found = [np.array(v, dtype=float) for v in lists]
    kept = [v[np.isfinite(v)] for v in found]
    return np.array(
        [
            np.quantile(v, (0.25, 0.5, 0.75)) if 2 * len(v) > len(w) else np.full(3, np.nan)
            for v, w in zip(kept, found, strict=True)
        ]
    ).T


def decimal(value: float) -> str:
    """Return a step size without an exponent.

    Examples
    --------
    >>> decimal(3e-5)
    '0.00003'
    """
    return np.format_float_positional(value, trim="-")


def _square(ax: Axes, y_label: bool = True) -> None:
    ax.set(xlabel=X_LABEL, xlim=(0, 1), ylim=(0, 1), aspect="equal")
    if y_label:
        ax.set_ylabel(Y_LABEL)


def _density(ax: Axes, counts: Array) -> None:
    """Shade a density on a logarithmic scale: from one point to a thousand."""
    edges = np.linspace(0, 1, counts.shape[0] + 1)
    shown = np.maximum(counts.T, 0.5)  # no logarithm of nothing
    ax.pcolormesh(edges, edges, shown, cmap="Blues", norm=LogNorm(0.5, 2000), rasterized=True)


def _heat_map(ax: Axes, values: Array) -> Any:
    side = round(len(values) ** 0.5)
    ax.set(xticks=[], yticks=[], xlabel="pixel column", ylabel="pixel row")
    return ax.imshow(values.reshape(side, side), cmap="RdBu", vmin=-0.8, vmax=0.8)  # 0 is white


def draw_scatter(x_biases: Array, y_biases: Array, counts: Array) -> Figure:
    """Draw both scatter plots: biases as points with the line of regression, weights as a density.

    The biases get nearly equal shares of the updating, so their horizontal axis is their own. A
    neuron that never fires gets none, and has no place.
    """
    fig, (left, right) = figures.figure(1, 2, height=3.4)
    alive = np.isfinite(x_biases) & np.isfinite(y_biases)
    x_biases, y_biases = x_biases[alive], y_biases[alive]
    ends = np.array([x_biases.min(), x_biases.max()])
    left.plot(x_biases, y_biases, ".", color=GREEN, markersize=5)
    left.plot(ends, np.polyval(np.polyfit(x_biases, y_biases, 1), ends), color=GUIDE)
    _square(left)
    left.set(xlim=ends + 0.04 * np.ptp(ends) * np.array([-1, 1]), aspect="auto")
    _density(right, counts)
    _square(right)
    return fig


def draw_mnist_shares(activation: str, step_size: float) -> Figure:
    """Draw a stored network's biases and weights."""
    row = _picture(activation, step_size)
    bins = round(len(row.density) ** 0.5)
    counts = np.reshape(row.density, (bins, bins))
    return draw_scatter(np.array(row.x_biases), np.array(row.y_biases), counts)


def draw_mnist_pixels(activation: str, step_size: float) -> Figure:
    """Draw a stored network's correlation by pixel."""
    fig, ax = figures.figure(width=3.6, height=4.0)
    image = _heat_map(ax, np.array(_picture(activation, step_size).pixels))
    fig.colorbar(image, ax=ax, location="bottom", shrink=0.8, label="correlation, white: 0")
    return fig


def _picture(activation: str, step_size: float) -> Any:
    rows = table("12-mnist-pictures")
    return rows[(rows.activation == activation) & (rows.step_size == step_size)].iloc[0]


def mnist_caption(activation: str, step_size: float) -> str:
    """Give the numbers of the network that is drawn, and their spread."""
    row = _picture(activation, step_size)
    weights, biases = np.array(row.weights), np.array(row.biases)
    return (
        f"{activation[0].upper()}{activation[1:]}, step size $\\eta = {decimal(step_size)}$, one "
        f"of {len(weights)} networks: its 100 hidden biases, the density of its 78,400 weights, "
        "and the correlation over the neurons for each pixel (blue: above zero, white: zero, red: "
        "below). "
        f"Correlation of the weights {weights[0]:+.2f}, $R^2 = {weights[0] ** 2:.2f}$ "
        f"({(weights**2).min():.2f} to {(weights**2).max():.2f} over all); of the "
        f"biases {biases[0]:+.2f}, $R^2 = {biases[0] ** 2:.2f}$ "
        f"({(biases**2).min():.2f} to {(biases**2).max():.2f})."
    )


def draw_clusters(found: Localization, constant: NDArray[np.bool_], n_neurons: int = 6) -> Figure:
    """Draw weights of a few neurons of the first network, those of constant pixels ringed."""
    x, y = (part["hidden_weights"][0] for part in (found.updating, found.difference))
    fig, ax = figures.figure(width=4.4, height=4.2)
    ax.plot(x.ravel(), y.ravel(), ".", color=GUIDE, markersize=1.5)
    colours = (BLUE, RED, GREEN, GOLD, VIOLET, SKY)
    for k, colour in enumerate(colours[:n_neurons]):
        ax.plot(x[k], y[k], ".", color=colour, markersize=4)
        ax.plot(x[k, constant], y[k, constant], "o", color=colour, markersize=9, fillstyle="none")
    _square(ax)
    return fig


def draw_heat_maps(one: Array, mean: Array, constant: Array) -> Figure:
    """Draw the correlation by pixel of one network and its mean over several."""
    fig, axes = figures.figure(1, 2, height=4.0)
    for ax, values, name in zip(
        axes, (one, mean), ("one network", "mean over networks"), strict=True
    ):
        image = _heat_map(ax, values)
        ax.set_xlabel(f"pixel column, {name}")
        rows, columns = np.divmod(constant, round(len(values) ** 0.5))
        ax.plot(columns, rows, "x", color=SAMPLED, markersize=3, markeredgewidth=0.6)
        fig.colorbar(image, ax=ax, location="bottom", shrink=0.8, label="correlation, white: 0")
    return fig


def _by_step_size(activation: str, data: str) -> Any:
    """Return the stored rows of an activation in the order of their step sizes."""
    rows = table("12-mnist-step-sizes" if data == "MNIST" else "12-digits-step-sizes")
    rows = rows[(rows.activation == activation) & ~rows.diverged]
    return rows.sort_values("step_size").reset_index(drop=True)


def draw_step_sizes(activation: str, data: str) -> Figure:
    """Draw the correlations, and below the loss, against the step size."""
    rows = _by_step_size(activation, data)
    fig, (upper, lower) = figures.figure(
        2, 1, width=4.0, height=5.6, sharex=True, height_ratios=(3, 2)
    )
    for name, (colour, label) in STATISTICS.items():
        low, middle, high = quartiles(rows[name])
        upper.fill_between(rows.step_size, low, high, color=colour, alpha=0.15, linewidth=0)
        upper.plot(rows.step_size, middle, ".-", color=colour, label=label)
    upper.axhline(0, color=GUIDE, linewidth=1)
    upper.set(
        ylabel="correlation of $x$ and $y$",
        ylim=(-1.0, 1.05),
        xscale="log",
        xlabel=r"step size $\eta$",
    )
    fig.legend(loc="outside upper center", ncols=2, columnspacing=1.0)
    low, middle, high = quartiles(rows.loss)
    lower.fill_between(rows.step_size, low, high, color="black", alpha=0.15, linewidth=0)
    lower.plot(rows.step_size, middle, ".-", color="black")
    lower.set(
        xlabel=r"step size $\eta$",
        ylabel="held-out loss",
        yscale="log",
        ylim=(0.01, 3),
        xlim=(6e-7, 4),
    )
    return fig


def step_sizes_caption(activation: str, data: str) -> str:
    """Say where the correlation is largest and what it is at the least loss."""
    rows = _by_step_size(activation, data)
    loss, weights = quartiles(rows.loss)[1], quartiles(rows.weights)[1]
    if data == "MNIST":  # chosen on other networks, as in the text
        best = list(rows.step_size).index(numbers.BEST_STEP_SIZES[activation])
    else:
        best = int(np.nanargmin(loss))
    return (
        f"{data}, {activation}{', linear outputs' * (data != 'MNIST')}. "
        f"The best step size, {'for other networks,' if data == 'MNIST' else 'by the loss below,'} "
        f"is $\\eta = {decimal(rows.step_size[best])}$; the median correlation of the weights is "
        f"{weights[best]:+.2f} there, and {weights[0]:+.2f} at "
        f"$\\eta = {decimal(rows.step_size[0])}$. "
        f"Lines are medians over {len(rows.weights[0])} networks, bands quartiles."
    )


def draw_losses(rows: Any) -> Figure:
    """Draw held-out loss against the number of samples for each step size."""
    fig, ax = figures.figure(width=4.0, height=3.6)
    shades = np.linspace(0.25, 1, len(rows))
    for (_, row), shade in zip(rows.iterrows(), shades, strict=True):
        ax.loglog(row.samples, row.loss, color=BLUE, alpha=shade, linewidth=1.2)
        ax.text(row.samples[-1] * 1.05, row.loss[-1], decimal(row.step_size), va="center")
    one = row.samples[-1] / 2
    ax.axvline(one, color=GUIDE, linewidth=1)
    ax.text(one, 0.8, "one pass ", ha="right", va="top")
    ax.set(xlabel="samples", ylabel="held-out loss", xlim=(50, 2.2e5))
    return fig


def draw_controls(rows: dict[str, dict[str, Array]]) -> Figure:
    """Draw correlations of the weights, one row an activation, one mark a control."""
    marks = {
        "digits": (BLUE, "o"),
        "random halves": (VIOLET, "s"),
        "shuffled digits": (GOLD, "^"),
        "neurons exchanged": (SAMPLED, "D"),
        "within a pixel": (RED, "v"),
    }
    fig, ax = figures.figure(width=4.0, height=1.2 + 0.5 * len(rows))
    for line, found in enumerate(rows.values()):
        for k, (control, (colour, mark)) in enumerate(marks.items()):
            if control not in found:
                continue
            low, middle, high = quartiles([found[control]])[:, 0]
            at = line + 0.13 * (k - 2)
            ax.plot([low, high], [at, at], color=colour, linewidth=1.5)
            ax.plot(
                middle, at, mark, color=colour, markersize=4.5, label=control if line == 0 else None
            )
    ax.axvline(0, color=GUIDE, linewidth=1)
    ax.set_yticks(range(len(rows)), list(rows))
    ax.set(xlabel="correlation of $x$ and $y$ over the weights", ylim=(len(rows) - 0.4, -0.6))
    fig.legend(loc="outside upper center", ncols=2, columnspacing=1.0)
    return fig


update_tallies = explore(
    draw_mnist_shares,
    draw_mnist_pixels,
    name="update-tallies",
    caption=mnist_caption,
    activation=("softplus", "ReLU"),
    step_size=(1e-5, *(s for s in numbers.STEP_SIZES if s <= 3e-2)),
    labels={"activation": "activation", "step_size": "step size $\\eta$"},
    format={"step_size": decimal},
    default={"activation": "softplus", "step_size": 1e-5},
)

step_size_dependence = explore(
    draw_step_sizes,
    name="localization-against-step-size",
    caption=step_sizes_caption,
    activation=numbers.ACTIVATIONS,
    data=("MNIST", "8×8 digits"),
    labels={"activation": "activation", "data": "data"},
)
