"""Chapter 8: the quartic and the six-hump camel, with where descents begin and end on them."""

import numpy as np
from matplotlib.figure import Figure

from descent import figures
from descent.arguments import Array
from descent.figures import BLUE, GREEN, GUIDE, RED
from descent.landscapes import qubic_1d, six_hump_camel


def draw_quartic(direct: Array, left: float, right: float, top: float) -> Figure:
    """Draw the quartic with its minima, its barrier, and Adam on x that stays."""
    fig, ax = figures.figure(width=4.8, height=3.0)
    x = np.linspace(-1.6, 1.6, 401)
    ax.plot(x, qubic_1d(x[:, None]), color=GUIDE)
    for at, colour, words in (
        (left, GREEN, "global minimum"),
        (right, RED, "local minimum"),
        (top, GUIDE, "barrier"),
    ):
        ax.plot(at, qubic_1d(np.array([at])), "o", color=colour, label=words)
    ax.plot(direct[:, 0], qubic_1d(direct), ".", color=BLUE, markersize=3, label="Adam on $x$")
    ax.set(xlabel="$x$", ylabel="$f(x)$", xlim=(-1.6, 1.6), ylim=(-1.6, 1.5))
    ax.legend(loc="upper center", ncols=2)
    return fig


def draw_camel(direct: Array, minima: Array, ends: Array) -> Figure:
    """Draw the camel's level lines and minima, Adam on x, and where the networks end."""
    fig, ax = figures.figure(width=5.6, height=3.6)
    u, v = np.linspace(-2.3, 2.3, 231), np.linspace(-1.3, 2.2, 211)
    value = six_hump_camel(np.stack(np.meshgrid(u, v), -1))
    levels = np.concatenate([np.arange(-1, 3, 0.5), np.geomspace(3.5, 60, 8)])
    ax.contour(u, v, value, levels=levels, linewidths=0.7, cmap="cividis")
    ax.plot(*minima.T, "o", color=GREEN, markersize=4, label="minima")
    ax.plot(*direct.T, color=BLUE, label="Adam on $x$")
    ax.plot(*ends.T, "x", color=RED, markersize=7, label="networks end")
    ax.set(xlabel="$x_1$", ylabel="$x_2$", xlim=(-2.3, 2.3), ylim=(-1.3, 2.2))
    ax.legend(loc="upper left")
    return fig
