"""Chapter 1: thousands of walkers and their law, computed where they are shown."""

import numpy as np
from matplotlib.figure import Figure

from descent import figures
from descent.chapters.modelling_sgd.numbers import pit
from descent.explorer import MOVING, live, span
from descent.figures import GUIDE, RED
from descent.landscapes import two_datapoint

WALKERS = 4000
SHOWN = 400
"""Walkers on paper."""


def after(T: float, start: float, depth: float, n: int) -> np.ndarray:
    """Return SHOWN walkers after n steps."""
    model, rng = two_datapoint(depth), np.random.default_rng(0)
    w = np.full(SHOWN, start)
    for _ in range(n):
        w = w - T * model.gradients(w)[rng.integers(2, size=SHOWN), np.arange(SHOWN)]
    return w


def draw_walkers(T: float, start: float, depth: float, n: int) -> Figure:
    """Draw walkers on their loss, and the density of their places."""
    fig, (left, right) = figures.figure(1, 2)
    model, w = two_datapoint(depth), np.linspace(-0.6, 4.1, 471)
    places = after(T, start, depth, n)
    left.plot(w, model.loss(w), color=GUIDE, gid=MOVING)
    left.plot(places, model.loss(places) + 0.05, ".", color=RED, markersize=2, gid=MOVING)
    left.set(xlim=(-0.6, 4.1), ylim=(-1.5, 0.15), xlabel="parameter $W$", ylabel="loss $L$")
    right.hist(places, bins=95, range=(-0.625, 4.125), density=True, color=RED, gid=MOVING)
    right.set(yscale="log", xlim=(-0.6, 4.1), ylim=(1e-3, 30))
    right.set(xlabel="parameter $W$", ylabel="density (per unit of $W$)")
    return fig


def walkers_caption(T: float, start: float, depth: float, n: int) -> str:
    """Say how many are beyond the barrier."""
    beyond = np.mean(after(T, start, depth, n) > pit(depth).barrier)
    return (
        f"$T = {T:g}$, after {n} steps: {100 * beyond:.1f} % of {SHOWN} walkers that began at "
        f"$W = {start:g}$ are beyond the barrier of a pit of depth {depth:g}."
    )


walkers = live(
    draw_walkers,
    model="walk",
    name="walkers-and-their-law",
    caption=walkers_caption,
    T=span(0.005, 0.5, 401, log=True),
    start=span(-0.5, 4.0, 451),
    depth=span(0.2, 2.0, 181),
    n=tuple(range(301)),
    labels={
        "T": "step size $T$",
        "start": "start $W_0$",
        "depth": "depth of the pit",
        "n": "step $n$",
    },
    default={"T": 0.05, "start": 1.0, "depth": 1.0, "n": 40},
    format={"T": "{:.3g}"},
    play="n",
    grab=[("start", 0), ("depth", 0)],
    constants={"walkers": WALKERS},
)
