r"""Chapter 6: from which starts, and against which disturbances, a part is an optimizer.

A disturbance v of the variables outside of A is left smaller by A where
:math:`|Y v| > |X v|`. With two such variables the share of directions for which that holds is
known from the eigenvalues :math:`\mu_1 \ge \mu_2` of the form :math:`Y^\top Y - X^\top X`.
"""

from itertools import product

import numpy as np
from matplotlib.figure import Figure

from descent import figures, influence
from descent.arguments import Array
from descent.chapters.thermostats_and_lorenz.numbers import BETA, VARIABLES
from descent.dynamics.tangent import Tangents, advance
from descent.figures import EXACT
from descent.kept import kept
from descent.systems import equilibria, lorenz

SIDE = 48
TIME = 5.0
RHOS = (0.8, 5.0, 15.0, 28.0)
PLANES = ("ab", "ac", "bc")
RANGES = {"a": (-20.0, 20.0), "b": (-20.0, 20.0), "c": (0.0, 45.0)}


def share_of_directions(x: Array, y: Array) -> Array:
    r"""Return the share (n,) of directions v in a plane with :math:`|Y v| > |X v|`.

    .. math:: \tfrac2\pi \arctan \sqrt{-\mu_1 / \mu_2}

    between 0, where neither eigenvalue is positive, and 1, where both are.

    Parameters
    ----------
    x, y : arrays (n, ..., 2)
        Maps of the plane.
    """
    form = y.swapaxes(1, 2) @ y - x.swapaxes(1, 2) @ x
    low, high = np.linalg.eigvalsh(form).T
    with np.errstate(divide="ignore", invalid="ignore"):
        between = 2 / np.pi * np.arctan(np.sqrt(np.maximum(-high / low, 0.0)))
    return np.where(low >= 0, np.where(high > 0, 1.0, 0.0), np.where(high <= 0, 0.0, between))


def starts(plane: str, rho: float, side: int = SIDE) -> Array:
    """Return starts (3, side²) on a plane through an equilibrium, first variable across."""
    rest = equilibria(rho, BETA)[-1]
    across, up = (np.linspace(*RANGES[name], side) for name in plane)
    found = np.repeat(rest[:, None], side * side, axis=1)
    found[VARIABLES.index(plane[0])] = np.tile(across, side)
    found[VARIABLES.index(plane[1])] = np.repeat(up, side)
    return found


def share_at(state: Array, rho: float, A: str, time: float = TIME) -> Array:
    """Return the share of optimized directions (n,) of starts (3, n)."""
    free = tuple(i for i in range(3) if VARIABLES[i] != A)
    n = state.shape[1]
    x = np.repeat(np.eye(3)[:, free, None], n, axis=2)
    y = np.repeat(np.eye(2)[:, :, None], n, axis=2)
    worlds = [Tangents((0, 1, 2), x), Tangents(free, y)]
    _, moved = advance(lorenz(rho=rho), state, worlds, 0.0, time, dt=0.01, scheme="rk4")
    return share_of_directions(*(np.moveaxis(world.vectors, 2, 0) for world in moved))


@kept
def share(rho: float, plane: str, A: str) -> Array:
    """Return the shares (SIDE, SIDE) over a plane."""
    return share_at(starts(plane, rho), rho, A).reshape(SIDE, SIDE)


def means(rho: float, A: str) -> tuple[float, ...]:
    """Return the mean shares over the three planes."""
    return tuple(float(share(rho, plane, A).mean()) for plane in PLANES)


def draw_basins(A: str = "c") -> Figure:
    """Draw the share of optimized directions over three planes at several rho."""
    fig, axes = figures.figure(len(PLANES), len(RHOS), width=7.2, height=5.6)
    for (row, plane), (column, rho) in product(enumerate(PLANES), enumerate(RHOS)):
        ax = axes[row, column]
        image = ax.imshow(
            100 * share(rho, plane, A),
            origin="lower",
            extent=(*RANGES[plane[0]], *RANGES[plane[1]]),
            cmap="viridis",
            vmin=0,
            vmax=100,
            aspect="auto",
            interpolation="nearest",
        )
        ax.set(xlabel=plane[0])
        if column == 0:
            ax.set(ylabel=plane[1])
        if row == 0:
            ax.set(title=f"$\\rho_\\mathrm{{L}}$ = {rho:g}")
    fig.colorbar(image, ax=axes, label="directions of disturbance that are optimized (%)")
    return fig


# The amount, and where there is none


def amounts(counts: tuple[int, ...], rho: float, time: float) -> list[float]:
    """Return the integrals of 1 - Comp(a; b, b) over n initial b, by the rule of trapezia."""
    found = []
    for n in counts:
        b = np.linspace(-20, 20, n)
        initial = {"a": np.ones(n), "b": b, "c": np.full(n, 27.0)}
        comp = influence.comp(lorenz(rho=rho), initial, [time], "a", "b", "b", dt=0.01)[0]
        found.append(float(np.trapezoid(1 - comp, b)))
    return found


COUNTS = tuple(round(50 * 2 ** (k / 2)) for k in range(15))
QUIET, POLES = (0.8, 0.3), (28.0, 1.0)
"""rho and time of a line of starts without poles of Comp, and of one with them."""


def draw_amounts() -> Figure:
    """Draw both integrals against the number of starts."""
    fig, ax = figures.figure(width=5.0, height=2.8)
    for (rho, time), colour, name in ((QUIET, EXACT, "no poles"), (POLES, figures.RED, "poles")):
        values = np.abs(amounts(COUNTS, rho, time))
        ax.plot(
            COUNTS, values, ".-", color=colour, label=f"$\\rho_\\mathrm{{L}}$ = {rho:g}: {name}"
        )
    ax.set(xscale="log", yscale="log", xlabel="starts", ylabel="|∫ (1 − Comp) db|")
    ax.legend(loc="upper left")
    return fig
