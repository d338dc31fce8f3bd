"""Chapter 6: Op of an operator in the Lorenz flow, and the direction that a part gives up."""

from typing import NamedTuple

import numpy as np
from matplotlib.collections import LineCollection
from matplotlib.colors import Normalize
from matplotlib.figure import Figure

from descent import figures, influence, lyapunov
from descent.arguments import Array
from descent.chapters.thermostats_and_lorenz import numbers
from descent.estimates import mean_with_error
from descent.figures import EXACT, GUIDE, VIOLET
from descent.kept import kept
from descent.systems import lorenz

END = 12.0
TIMES = np.linspace(0.02, END, 600)
SIZE = 256
"""Starts on the attractor from which slopes are taken."""


class Curves(NamedTuple):
    """Op of b by a along one path: of a pair of variables, and of the singular values."""

    x: Array  # (600,), the disturbance of b in X after one of b
    y: Array
    values: Array  # (600, 2)

    @property
    def pair(self) -> Array:
        """Op of b for b."""
        return np.log(np.abs(self.y)) - np.log(np.abs(self.x))

    @property
    def poles(self) -> int:
        """How often the disturbance passes zero between two of the times, in X or in Y."""
        return sum(int((np.diff(np.sign(world)) != 0).sum()) for world in (self.x, self.y))


@kept
def curves() -> Curves:
    """Return both from the far start."""
    values = influence.op_spectrum(lorenz(), numbers.FAR, TIMES, "a", dt=0.02)
    return Curves(*numbers.pair(28.0, numbers.FAR, tuple(TIMES), "a", "b", "b"), values)


@kept
def slopes(A: str, size: int = SIZE) -> list[tuple[float, float]]:
    """Return the slopes of Op by singular values between 5 and 20, and of volumes, with errors."""
    values = influence.op_spectrum(lorenz(), numbers.on_attractor(size), [5.0, 20.0], A, dt=0.02)
    found = (values[1] - values[0]) / 15
    return [mean_with_error(row) for row in (*found, found.sum(axis=0))]


def draw_curves() -> Figure:
    """Draw Op of a pair and of the singular values, and the slopes of the theorem."""
    fig, ax = figures.figure(height=3.2)
    found, rates, times = curves(), numbers.exponents(28.0), TIMES
    values = found.values
    ax.plot(times, found.pair, color=GUIDE, linewidth=1, label="of b for b")
    for k, colour in ((0, EXACT), (1, VIOLET)):
        name = ("of the largest growth", "of the second")[k]
        ax.plot(times, values[:, k], color=colour, label=name)
        slope = rates.conditional["a"][0, k] - rates.full[0, k]
        ax.plot(times, values[-1, k] + slope * (times - END), "--", color=colour, linewidth=1)
    ax.set(xlabel="time $t$", ylabel="Op by a (nats)", xlim=(0, END), ylim=(-45, 5))
    ax.legend(loc="lower left")
    return fig


class Leading(NamedTuple):
    """Pieces of a path (n, 2, 3), and the leading covariant vector (n, 3) at each."""

    pieces: Array
    vector: Array

    def angle(self, A: str) -> Array:
        """Return the angles (n,) in degrees between the vector and the plane of the others."""
        share = np.abs(self.vector[:, numbers.VARIABLES.index(A)])
        return np.asarray(np.degrees(np.arcsin(np.minimum(share, 1.0))))


@kept
def leading(n: int = 300) -> Leading:
    """Return the direction in which disturbances grow in the end, along the attractor."""
    found = lyapunov.covariant_vectors(lorenz(), n=n + 1, interval=0.05, transient=12.0)
    pieces = np.stack([found.states[:-1], found.states[1:]], axis=1)
    return Leading(pieces, found.vectors[:-1, :, 0])


def draw_angles() -> Figure:
    """Draw the attractor three times, coloured by the angle to the plane of the rest."""
    found = leading()
    fig, axes = figures.figure(1, 3, width=7.2, height=3.0)
    for ax, A in zip(axes, numbers.VARIABLES, strict=True):
        lines = LineCollection(
            list(found.pieces[:, :, (0, 2)]),
            array=found.angle(A),
            cmap="viridis",
            norm=Normalize(0, 90),
            linewidths=1.2,
            capstyle="round",
        )
        ax.add_collection(lines)
        ax.set(xlim=(-22, 22), ylim=(0, 50), xlabel="a", title=f"$A$ = {A}")
    axes[0].set(ylabel="c")
    fig.colorbar(lines, ax=axes, label="angle to the plane of $B$ (degrees)")
    return fig
