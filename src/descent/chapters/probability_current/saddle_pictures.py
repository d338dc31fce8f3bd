"""Chapter 2: the ways over a saddle in the plane, to take hold of."""

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from descent import figures
from descent.arguments import Array
from descent.chapters.probability_current import double_well
from descent.chapters.probability_current.double_well import CORRELATIONS, price
from descent.explorer import Handle, explore
from descent.figures import BLUE, EXACT, GOLD, GUIDE, RED, SKY
from descent.prose import fixed

LEVELS = (0.02, 0.08, 0.16, 0.25, 0.4)


def _arrows(ax: Axes, correlation: float) -> None:
    """Draw how the law near the bottom circulates."""
    angles = np.linspace(0, 2 * np.pi, 12, endpoint=False)
    at, velocity = double_well.circulation(correlation, angles, 0.8)
    if np.abs(velocity).max() > 1e-9:
        ax.quiver(*at.T, *velocity.T, color=SKY, angles="xy", scale_units="xy", scale=0.6)


def draw_saddle(correlation: float) -> Figure:
    """Draw the two wells, the way in from the saddle, and the cheapest ways out to it."""
    fig, ax = figures.figure(width=4.2, height=3.2)
    x, y = np.linspace(-1.5, 1.4, 120), np.linspace(-1.15, 1.0, 100)
    heights = double_well.loss(*np.meshgrid(x, y))
    ax.contour(x, y, heights, levels=LEVELS, colors=GUIDE, linewidths=0.6)
    _arrows(ax, correlation)
    found = price(correlation)
    ax.plot(*double_well.way_in()[::3].T, color=BLUE, label="way in")
    ax.plot(*found.path.T, color=RED, label="way out")
    ax.plot(
        *found.of_diffusion.T, color=GOLD, linewidth=1, linestyle="--", label="way out, diffusion"
    )
    ax.plot(*double_well.START, "o", color=EXACT, markersize=4)
    ax.plot(0, 0, "x", color=EXACT, markersize=5)
    ax.set(xlabel="first parameter $W_1$", ylabel="second parameter $W_2$")
    ax.set(xlim=(x[0], x[-1]), ylim=(y[0], y[-1]))
    fig.legend(loc="outside upper center", ncols=3)
    return fig


def draw_saddle_prices(correlation: float) -> Figure:
    """Draw the price of the saddle against the correlation, by action and by times."""
    fig, ax = figures.figure(width=3.2, height=3.2)
    found = [price(c) for c in CORRELATIONS]

    def of(name: str) -> Array:
        return np.array([getattr(each, name) for each in found])

    ax.plot(CORRELATIONS, of("action"), color=RED, label="action")
    ax.plot(CORRELATIONS, of("times"), "o", color=EXACT, markersize=3, label="exact times")
    ax.plot(
        CORRELATIONS, of("diffusion"), color=GOLD, linewidth=1, linestyle="--", label="diffusion"
    )
    ax.plot(CORRELATIONS, of("back"), color=BLUE, linewidth=1, label="way in, back")
    ax.plot(*at_price(correlation), "o", color=RED, markersize=6)
    ax.set(xlabel="correlation $c$ of a draw", ylabel="price $V$ of the saddle", ylim=(0, None))
    ax.legend(loc="upper right")
    return fig


def at_price(correlation: float) -> tuple[float, float]:
    """Return where the handle of the correlation stands."""
    return correlation, float(price(correlation).action)


def saddle_caption(correlation: float) -> str:
    """Say what the saddle costs, by both methods, and along the way in reversed."""
    found = price(correlation)
    said = "" if correlation else " No current circulates here."
    return (
        f"At $c$ = {fixed(correlation, 1)} the cheapest way to the saddle (cross) costs "
        f"{fixed(found.action, 3)}, the exact times say {fixed(found.times, 3)}, the diffusion "
        f"{fixed(found.diffusion, 3)}. The way in, reversed, costs "
        f"{fixed(found.back / found.action, 2)} times as much.{said}"
    )


over_the_saddle = explore(
    draw_saddle,
    draw_saddle_prices,
    name="over-the-saddle",
    caption=saddle_caption,
    correlation=CORRELATIONS,
    labels={"correlation": "correlation $c$ of the draws"},
    default={"correlation": -0.6},
    format={"correlation": "{:g}"},
    grab={"correlation": Handle(at_price, axes=0, panel=1)},
)
