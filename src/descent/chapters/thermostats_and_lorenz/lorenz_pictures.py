"""Chapter 6: the Lorenz attractor from all sides, and landscapes of Op and Comp."""

from typing import Any

import numpy as np
from matplotlib.collections import LineCollection
from matplotlib.colors import AsinhNorm, LinearSegmentedColormap, Normalize, to_hex
from matplotlib.figure import Figure

from descent import figures
from descent.arguments import Array
from descent.chapters.thermostats_and_lorenz import numbers
from descent.explorer import MOVING, explore, live
from descent.figures import RED, VIOLET

# Red: amplified; violet: optimized; grey, which shows on light and dark, in between.
DIVERGING = LinearSegmentedColormap.from_list("op", ["#8a3703", RED, "0.8", VIOLET, "#45164a"])

ELEVATION = np.radians(20)
MIDDLE = 24.0
OP_RANGE = 5.0


def seen(view: int, a: Array, b: Array, c: Array) -> tuple[Array, Array, Array]:
    """Return places in the picture, across and upwards, and their depth behind it."""
    turn = np.radians(view)
    across = np.cos(turn) * a + np.sin(turn) * b
    depth = -np.sin(turn) * a + np.cos(turn) * b
    return across, np.cos(ELEVATION) * (c - MIDDLE) + np.sin(ELEVATION) * depth, depth


def draw_attractor(view: int) -> Figure:
    """Draw the attractor from one side, coloured by Op over the next half unit of time."""
    pieces, op = numbers.local_op(0.5)
    a, b, c = np.moveaxis(pieces, 2, 0)
    across, height, depth = seen(view, a, b, c)
    order = np.argsort(-depth.mean(axis=1))  # far pieces first
    fig, ax = figures.figure(width=4.8, height=4.2)
    lines = LineCollection(
        list(np.stack([across, height], axis=2)[order]),
        array=op[order],
        cmap=DIVERGING,
        norm=Normalize(-OP_RANGE, OP_RANGE),
        linewidths=1.4,
        capstyle="round",
        gid=MOVING,
    )
    ax.add_collection(lines)
    ax.set(
        xlim=(-32, 32),
        ylim=(-24, 28),
        xlabel="horizontal distance from the axis",
        ylabel="height in the picture",
        aspect="equal",
    )
    fig.colorbar(
        lines,
        ax=ax,
        label="Op of b by a over 0.5 units of time (nats)",
        extend="both",
        location="top",
        shrink=0.8,
    )
    return fig


def attractor_caption(view: int | str) -> str:
    """Say how much of the attractor is optimized."""
    _, op = numbers.local_op(0.5)
    return (
        f"The Lorenz attractor, seen from {view}° around its vertical axis c. From "
        f"{100 * np.mean(op > 0):.0f} % of its points a shrinks a disturbance of b over the next "
        f"half unit of time, from the others it amplifies it; the median is {np.median(op):.2f} "
        "nats."
    ).replace("-", "−")


def attractor_constants() -> dict[str, Any]:
    """Return what the page turns: pieces of the path, each with the colour of its Op."""
    pieces, op = numbers.local_op(0.5)
    colours = DIVERGING(Normalize(-OP_RANGE, OP_RANGE)(op))
    return {
        "pieces": pieces.round(2).tolist(),
        "colours": [to_hex(colour) for colour in colours],
        "elevation": ELEVATION,
        "middle": MIDDLE,
        "said": attractor_caption("#"),
    }


attractor = live(
    draw_attractor,
    model="attractor",
    name="lorenz-attractor",
    caption=attractor_caption,
    view=tuple(range(360)),
    labels={"view": "viewing angle"},
    format={"view": "{}°"},
    default={"view": 40},
    play="view",
    grab=[("view", 0)],
    constants=attractor_constants,
)


# Landscapes


def draw_landscape(rho: float, t: float) -> Figure:
    """Draw Op and Comp over initial a and b."""
    sign, log = (v[numbers.LANDSCAPE_TIMES.index(t)] for v in numbers.landscape(rho))
    ratio = sign * np.exp(np.minimum(log, 6.0))
    fig, axes = figures.figure(1, 2, height=3.3)
    edges = (numbers.GRID[0], numbers.GRID[-1])
    for ax, values, norm, name, ticks in (
        (axes[0], -log, Normalize(-10, 10), "Op of b by a (nats)", [-10, -5, 0, 5, 10]),
        (axes[1], ratio, AsinhNorm(0.5, -50, 50), "Comp", [-50, -5, -1, 0, 1, 5, 50]),
    ):
        image = ax.imshow(
            values,
            origin="lower",
            extent=(*edges, *edges),
            norm=norm,
            cmap=DIVERGING if ax is axes[0] else "cividis",
            interpolation="nearest",
        )
        ax.set(xlabel="initial b", ylabel="initial a")
        bar = fig.colorbar(image, ax=ax, label=name, extend="both", location="top", shrink=0.9)
        bar.set_ticks(ticks, labels=[f"{tick:g}".replace("-", "−") for tick in ticks])
        bar.minorticks_off()
    return fig


def landscape_caption(rho: float, t: float) -> str:
    """Say what share of the starts is optimized, and where Comp is negative."""
    sign, log = (v[numbers.LANDSCAPE_TIMES.index(t)] for v in numbers.landscape(rho))
    return (
        f"$\\rho_\\mathrm{{L}} = {rho:g}$, initial c {numbers.plane(rho):g}, $t = {t:g}$. Op is "
        f"positive for {100 * np.mean(log < 0):.3g} % of the starts, its median is "
        f"{-np.median(log):.2f} nats; Comp is negative for {100 * np.mean(sign < 0):.3g} %."
    ).replace("-", "−")


lorenz_landscape = explore(
    draw_landscape,
    name="lorenz-landscape",
    caption=landscape_caption,
    rho=(0.8, 28.0),
    t=numbers.LANDSCAPE_TIMES,
    labels={"rho": "$\\rho_\\mathrm{L}$", "t": "time $t$"},
    default={"rho": 28.0, "t": 0.5},
    play="t",
    render="curves",
)
