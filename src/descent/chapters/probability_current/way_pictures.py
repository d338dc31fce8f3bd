"""Chapter 2: the ways in and out of a bowl in the plane, to take hold of."""

from functools import cache

import numpy as np
from matplotlib.figure import Figure

from descent import figures
from descent.arguments import Array
from descent.chapters.probability_current import ways
from descent.explorer import Handle, explore
from descent.figures import BLUE, EXACT, GOLD, GUIDE, RED
from descent.minimum_action import NoWay, action
from descent.prose import fixed


@cache
def _prices() -> Array:
    """Return the action of the walk and of the diffusion to each place, (angles, 2)."""
    return np.array(
        [[ways.way_out(angle).action, ways.price_of_diffusion(angle)] for angle in ways.ANGLES]
    )


@cache
def reversed_price(angle: int) -> float:
    """Return what the way in costs as a way out; infinite where no draws lead along it."""
    try:
        return action(ways.walk(), ways.way_in(angle)[::-1])
    except NoWay:
        return np.inf


def draw_ways(angle: int) -> Figure:
    """Draw the rim, the way in from a place on it, and the cheapest ways out to it."""
    fig, ax = figures.figure(width=4.2, height=3.2)
    turn = np.linspace(0, 360, 181)
    ax.plot(*np.array([ways.place(t) for t in turn]).T, color=EXACT, linewidth=1)
    ax.plot(*ways.way_in(angle).T, color=BLUE, label="way in")
    ax.plot(*ways.way_out(angle).path.T, color=RED, label="way out")
    ax.plot(
        *ways.way_of_diffusion(angle).T, color=GOLD, linewidth=1, linestyle="--",
        label="way out, diffusion",
    )  # fmt: skip
    ax.plot(0, 0, "o", color=EXACT, markersize=4)
    ax.plot(*ways.place(angle), "o", color=RED, markersize=5)
    ax.set(xlabel="first parameter $W_1$", ylabel="second parameter $W_2$")
    ax.set(xlim=(-0.48, 0.48), ylim=(-0.17, 0.17))
    fig.legend(loc="outside upper center", ncols=3)
    return fig


def draw_prices(angle: int) -> Figure:
    """Draw what each place on the rim costs, for the walk and for the diffusion."""
    fig, ax = figures.figure(width=3.2, height=3.2)
    at = [*ways.ANGLES, 360]
    walk, diffusion = np.concatenate([_prices(), _prices()[:1]]).T
    ax.plot(at, walk, color=RED, label="draws")
    ax.plot(at, diffusion, color=GOLD, linewidth=1, linestyle="--", label="diffusion")
    ax.axvline(angle, color=GUIDE, linewidth=0.8)
    ax.plot(angle, ways.way_out(angle).action, "o", color=RED, markersize=5)
    ax.set(xlabel="place on the rim (degrees)", ylabel="price $V$ of the way out")
    ax.set(xticks=[0, 90, 180, 270, 360], ylim=(0, None))
    fig.legend(loc="outside upper center", ncols=2)
    return fig


def ways_caption(angle: int) -> str:
    """Say what the ways out of this place cost."""
    back = reversed_price(angle)
    price = ways.way_out(angle).action
    said = (
        f"{fixed(back / price, 2)} times as much" if np.isfinite(back) else "no sequence of draws"
    )
    return (
        f"To the place at {angle}° on the rim the walk's cheapest way out costs $V$ = "
        f"{fixed(price, 3)}, by the diffusion {fixed(ways.price_of_diffusion(angle), 3)}. The way "
        f"in, reversed, takes {said}."
    )


way_out = explore(
    draw_ways,
    draw_prices,
    name="way-out",
    caption=ways_caption,
    angle=ways.ANGLES,
    labels={"angle": "place on the rim (degrees)"},
    default={"angle": 60},
    format={"angle": "{:g}"},
    grab={
        "angle": Handle(lambda angle: (float(ways.place(angle)[0]), float(ways.place(angle)[1])))
    },
)
