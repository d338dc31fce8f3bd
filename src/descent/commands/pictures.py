"""Pictures for the command line: a landscape in one or two dimensions, and a path on it."""

from typing import TYPE_CHECKING

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from descent import figures
from descent.arguments import Array
from descent.figures import BLUE, GREEN, GUIDE, RED
from descent.landscapes import Objective

if TYPE_CHECKING:  # it needs torch, which the pictures of landscapes do without
    from descent.networks.reparameterization import Record

_LEVELS = 24


def line(objective: Objective, reach: float, n: int) -> Figure:
    """Draw an objective of one variable on [-reach, reach] from n samples."""
    figure, axes = figures.figure()
    x = np.linspace(-reach, reach, n)
    axes.plot(x, objective(x[:, None]), color="black")
    axes.set(xlabel="$x$", ylabel=_label(objective), xlim=(-reach, reach))
    return figure


def surface(objective: Objective, reach: float, n: int) -> Figure:
    """Draw an objective of two variables as a surface over [-reach, reach]² from n² samples."""
    with figures.style():
        figure = Figure(figsize=(5.6, 4.6))
        axes = figure.add_subplot(projection="3d")
        x = np.linspace(-reach, reach, n)
        grid = np.meshgrid(x, x, indexing="ij")
        axes.plot_surface(
            *grid,
            objective(np.stack(grid, -1)),
            cmap="cividis",
            rcount=n,
            ccount=n,
            antialiased=False,
        )
        axes.set(xlabel="$x_1$", ylabel="$x_2$", zlabel=_label(objective))
    return figure


def trajectory(record: "Record", objective: Objective) -> Figure:
    """Draw the loss against the epoch, and the path on the objective.

    One variable: the graph of the objective; two: its contour lines; more: the coordinates
    against the epoch.
    """
    figure, (left, right) = figures.figure(ncols=2)
    with figures.style():
        finite = np.isfinite(record.loss) & np.isfinite(record.x).all(axis=1)
        epochs, loss, x = np.flatnonzero(finite), record.loss[finite], record.x[finite]
        left.plot(epochs, loss, color=BLUE)
        left.set(xlabel="Epoch", ylabel=_label(objective))
        left.ticklabel_format(useOffset=False)
        if len(x) and x.shape[1] == 1:
            _path_on_line(right, x[:, 0], loss, objective)
        elif len(x) and x.shape[1] == 2:
            _path_on_contours(right, x, objective)
        else:
            for i, coordinate in enumerate(x.T):
                right.plot(epochs, coordinate, label=f"$x_{{{i + 1}}}$" if i < 6 else None)
            right.set(xlabel="Epoch", ylabel="Coordinates of $x$")
    return figure


def png(figure: Figure) -> bytes:
    """Encode a figure as PNG."""
    with figures.style():
        return figures.png(figures.pixels(figure))


def _path_on_line(axes: Axes, x: Array, loss: Array, objective: Objective) -> None:
    low, high = _frame(x, objective.minimizers(1)[:, 0])
    grid = np.linspace(low, high, 1000)
    axes.plot(grid, objective(grid[:, None]), color=GUIDE, linewidth=1)
    axes.plot(x, loss, ".", color=BLUE, markersize=3)
    _mark_ends(axes, np.stack([x, loss], 1))
    axes.set(xlabel="$x$", ylabel=_label(objective))
    axes.legend()


def _path_on_contours(axes: Axes, x: Array, objective: Objective) -> None:
    minimizers = objective.minimizers(2)
    sides = [np.linspace(*_frame(x[:, i], minimizers[:, i]), 160) for i in range(2)]
    values = objective(np.stack(np.meshgrid(*sides), -1))
    levels = np.unique(np.quantile(values, np.linspace(0, 1, _LEVELS)))
    axes.contour(*sides, values, levels=levels, linewidths=0.6, cmap="cividis")
    axes.plot(*x.T, ".-", color=BLUE, markersize=3, linewidth=0.8)
    _mark_ends(axes, x)
    axes.set(xlabel="$x_1$", ylabel="$x_2$")
    axes.legend()


def _mark_ends(axes: Axes, path: Array) -> None:
    for row, name, marker in ((0, "start", "o"), (-1, "end", "D")):
        colour = RED if row else GREEN
        axes.plot(*path[row], marker, color=colour, label=name, zorder=3)


def _frame(*coordinates: Array) -> tuple[float, float]:
    """Return an interval around all of the points."""
    everything = np.concatenate(coordinates)
    margin = 0.1 * float(np.ptp(everything)) or 1.0
    return float(everything.min()) - margin, float(everything.max()) + margin


def _label(objective: Objective) -> str:
    return f"$f(x)$, {objective.name.replace('_', ' ')}"
