r"""Chapter 5: a damped oscillator whose part A is written in other coordinates.

.. math:: \dot x = v, \quad \dot v = -x - \gamma v, \qquad A = u = v + s x, \qquad
          \operatorname{Op}_x(t) = (\tfrac\gamma2 - s)\, t
          - \log \Big| \cos \omega t + \frac{\gamma/2 - s}{\omega} \sin \omega t \Big|,
          \qquad \omega^2 = 1 - \tfrac{\gamma^2}{4}

A change that mixes A with x turns the verdict at :math:`s = \gamma/2`; recoding x alone, or A
alone, changes nothing.
"""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from matplotlib.figure import Figure

from descent import figures, influence
from descent.arguments import Array
from descent.dynamics import Flow, complex_step
from descent.explorer import MOVING, live, span
from descent.figures import EXACT, GUIDE, RED, W, X, Y
from descent.prose import fixed

TIME, DELTA = 20.0, 0.3
NAMES = ("x", "A")
PART = ("A", "x", "x")


class Recoding(NamedTuple):
    """A variable written as an invertible function of itself, and back."""

    to: Callable[[npt.ArrayLike], Array]
    back: Callable[[npt.ArrayLike], Array]
    slope: Callable[[npt.ArrayLike], Array]  # of `to`, at the variable itself


PLAIN = Recoding(np.asarray, np.asarray, np.ones_like)
EXPONENTIAL = Recoding(np.exp, np.log, np.exp)
HYPERBOLIC = Recoding(np.sinh, np.arcsinh, np.cosh)
RECODINGS = {
    "x and A as they are": (PLAIN, PLAIN),
    "exp x in place of x": (EXPONENTIAL, PLAIN),
    "sinh A in place of A": (PLAIN, HYPERBOLIC),
    "exp x and sinh A": (EXPONENTIAL, HYPERBOLIC),
}


def oscillator(mixture: float, damping: float, recoding: str) -> Flow:
    """Return the oscillator in x and A = v + s x, each recoded for itself."""
    of_x, of_part = RECODINGS[recoding]

    def rate(state: Array, time: float) -> list[Array]:
        x, u = of_x.back(state[0]), of_part.back(state[1])
        v = u - mixture * x
        return [of_x.slope(x) * v, of_part.slope(u) * (-x - damping * v + mixture * v)]

    return Flow(NAMES, rate, complex_step(rate))


def start(mixture: float, recoding: str) -> list[float]:
    """Return the start x = 1, v = 0 in the coordinates of `oscillator`."""
    of_x, of_part = RECODINGS[recoding]
    return [float(of_x.to(1.0)), float(of_part.to(mixture))]


def closed_form(times: npt.ArrayLike, mixture: float, damping: float) -> Array:
    """Return Op of x by A = v + s x, for a damping below 2."""
    t, slope = np.asarray(times, np.float64), damping / 2 - mixture
    omega = np.sqrt(1 - damping**2 / 4)
    left = np.cos(omega * t) + slope / omega * np.sin(omega * t)
    return np.asarray(slope * t - np.log(np.abs(left)))


def by_tangents(times: npt.ArrayLike, mixture: float, damping: float, recoding: str) -> Array:
    """Return the same along a trajectory in recoded coordinates."""
    system = oscillator(mixture, damping, recoding)
    return np.asarray(influence.op(system, start(mixture, recoding), times, *PART))


def position(t: Array, damping: float, x: float, v: float) -> tuple[Array, Array]:
    """Return place and velocity of the oscillator from a start."""
    omega = np.sqrt(1 - damping**2 / 4)
    swing = (v + damping * x / 2) / omega
    cos, sin, fade = np.cos(omega * t), np.sin(omega * t), np.exp(-damping * t / 2)
    turned = -damping / 2 * (x * cos + swing * sin) + omega * (swing * cos - x * sin)
    return fade * (x * cos + swing * sin), fade * turned


def worlds(times: Array, mixture: float, damping: float) -> Array:
    """Return x and A, (3, 2, times), in the worlds W, X and Y; x begins DELTA away."""
    x, v = position(times, damping, 1.0, 0.0)
    away, moved = position(times, damping, 1 + DELTA, -mixture * DELTA)
    part = v + mixture * x
    kept = x + DELTA * np.exp(-mixture * times)
    return np.array([[x, part], [away, moved + mixture * away], [kept, part]])


def draw_oscillator(mixture: float, damping: float, recoding: str) -> Figure:
    """Draw the three worlds over x and A, and Op of x."""
    fig, (first, second) = figures.figure(1, 2)  # on a telephone Op stands below the controls
    times, (of_x, of_part) = np.linspace(0, TIME, 801), RECODINGS[recoding]
    paths = worlds(times[:321], mixture, damping)
    for (x, part), colour in zip(paths[::-1], (Y, X, W), strict=True):
        second.plot(of_x.to(x), of_part.to(part), color=colour, gid=MOVING)
    second.set(
        xlim=(-1.7, 4.0),
        ylim=(-2.2, 2.2),
        yticks=range(-2, 3),
        xlabel="x, as written",
        ylabel="A, as written",
    )
    slope = damping / 2 - mixture
    first.axhline(0, color=GUIDE, linewidth=1, zorder=0)
    first.plot([0, TIME], [0, slope * TIME], "--", color=RED, gid=MOVING)
    first.plot(times, closed_form(times, mixture, damping), color=EXACT, gid=MOVING)
    first.set(
        xlim=(0, TIME + 1),
        ylim=(-11, 11),
        yticks=range(-10, 11, 5),
        xlabel="time $t$",
        ylabel="Op of x (nats)",
    )
    return fig


def oscillator_caption(mixture: float, damping: float, recoding: str) -> str:
    """Say the slope, where it turns, and Op by both methods."""
    slope = damping / 2 - mixture
    verdict = "optimizes" if slope > 1e-9 else "amplifies" if slope < -1e-9 else "leaves alone"
    exact = closed_form([TIME], mixture, damping)[0]
    found = by_tangents([TIME], mixture, damping, recoding)[0]
    return (
        f"$A = v + s\\,x$ with $s = {fixed(mixture, 2)}$ {verdict} x: the long-run slope of Op is "
        f"{fixed(slope, 2)}, and turns at $s = {fixed(damping / 2, 2)}$. At $t = {TIME:g}$ Op is "
        f"{fixed(exact, 3)} nats by the closed form, and {fixed(found, 3)} nats by tangents, "
        f"computed with {recoding}."
    )


oscillator_by_hand = live(
    draw_oscillator,
    model="oscillator",
    name="oscillator-by-hand",
    caption=oscillator_caption,
    mixture=span(-0.4, 0.6, 101),
    damping=span(0.0, 1.0, 101),
    recoding=tuple(RECODINGS),
    labels={"mixture": "mixture $s$", "damping": "damping $\\gamma$", "recoding": "written with"},
    default={"mixture": 0.0, "damping": 0.2, "recoding": "x and A as they are"},
    format={"mixture": "{:.2f}", "damping": "{:.2f}"},
    grab=[("mixture", 0)],
    constants={"span": TIME, "delta": DELTA, "recodings": tuple(RECODINGS)},
)
