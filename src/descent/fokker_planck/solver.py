r"""The Fokker-Planck equation in one dimension: how a probability density flows.

.. math:: \frac{\partial P}{\partial t} = -\frac{\partial J}{\partial W}, \qquad
          J = \mu P - \tfrac12 s^{2-a} \frac{\partial (s^a P)}{\partial W}, \qquad D = s^2

with a = 2 for the Itô, 1 for the Stratonovich, 0 for the Fick reading of the noise.
All three follow from the same drift μ and variance per unit time D; where D is constant
they agree.
"""

import math
import warnings
from typing import Literal, NamedTuple, overload

import numpy as np
import numpy.typing as npt

from descent.arguments import Array, check_flag, check_real
from descent.fokker_planck.arguments import (
    Field,
    check_choice,
    check_density,
    check_edges,
    check_field,
    check_times,
    check_variance,
)
from descent.fokker_planck.explicit_scheme import (
    central_explicit,
)
from descent.fokker_planck.finite_volume import (
    EXPONENT,
    Boundary,
    Calculus,
    JumpRates,
    jump_rates,
    log_mean,
)
from descent.fokker_planck.radau import RadauStep, integrate

Scheme = Literal["finite-volume", "explicit"]


class Order(NamedTuple):
    """How fast a scheme converges, and what a time step costs.

    Attributes
    ----------
    time, space : int
        Orders of the error in the time step and in the width of the cells, for smooth laws.
    space_without_variance : int
        Order in the width of the cells where the variance vanishes.
    solves : int
        Tridiagonal systems solved in a time step; none if it is explicit.
    """

    time: int
    space: int
    space_without_variance: int
    solves: int


ORDERS: dict[str, Order] = {
    "finite-volume": Order(RadauStep.order, 2, 1, RadauStep.solves),
    "explicit": Order(1, 2, 2, 0),
}
"""The schemes of `solve`, by name."""


class CoarseGridWarning(UserWarning):
    """The cells are so wide that the scheme adds much variance of its own."""


@overload
def solve(
    drift: Field,
    variance: Field,
    edges: npt.ArrayLike,
    p0: npt.ArrayLike,
    times: npt.ArrayLike,
    calculus: Calculus = ...,
    *,
    scheme: Scheme = ...,
    boundary: Boundary | tuple[Boundary, Boundary] = ...,
    tolerance: float = ...,
    time_step: float = ...,
    return_absorbed: Literal[False] = ...,
) -> Array: ...


@overload
def solve(
    drift: Field,
    variance: Field,
    edges: npt.ArrayLike,
    p0: npt.ArrayLike,
    times: npt.ArrayLike,
    calculus: Calculus = ...,
    *,
    scheme: Scheme = ...,
    boundary: Boundary | tuple[Boundary, Boundary] = ...,
    tolerance: float = ...,
    time_step: float = ...,
    return_absorbed: Literal[True],
) -> tuple[Array, Array]: ...


def solve(
    drift: Field,
    variance: Field,
    edges: npt.ArrayLike,
    p0: npt.ArrayLike,
    times: npt.ArrayLike,
    calculus: Calculus = "ito",
    *,
    scheme: Scheme = "finite-volume",
    boundary: Boundary | tuple[Boundary, Boundary] = "no-flux",
    tolerance: float = 1e-8,
    time_step: float = 1.0,
    return_absorbed: bool = False,
) -> Array | tuple[Array, Array]:
    r"""Densities at given times of a diffusion with drift μ and variance D per unit time.

    Parameters
    ----------
    drift : callable or array (N + 1,)
        μ in units of W per time; an array holds it at the edges.
    variance : callable or array (N,)
        D >= 0 in units of W² per time, not halved; an array holds it at the centres of
        the cells. Callables map an array (k,) to an array (k,).
    edges : array (N + 1,)
        Edges of the cells, rising; they may be uneven.
    p0 : array (N,)
        Density at time 0: the mean over each cell, with ``p0 @ np.diff(edges)`` = 1.
    times : array (k,)
        Rising, the first zero or positive.
    calculus : {"ito", "stratonovich", "fick"}
        How the noise is read: a = 2, 1, 0.
    scheme : {"finite-volume", "explicit"}
        "finite-volume" is exponentially fitted in space and Radau IIA in time, with
        adaptive steps. "explicit" is forward Euler with central differences, which falls
        apart (`descent.fokker_planck.explicit_scheme`). `ORDERS` holds their orders.
    boundary : {"no-flux", "absorbing", "periodic"} or a pair of the first two
        Left and right end. On a circle the last edge is the first, one turn later.
    tolerance : float
        Error allowed a time step of "finite-volume", in total variation.
    time_step : float
        Longest time step of "explicit".
    return_absorbed : bool
        Return what has been absorbed, too.

    Returns
    -------
    densities : array (k, N)
    absorbed : array (k, 2)
        Mass absorbed on the left and on the right by each time; only with
        ``return_absorbed``.

    Raises
    ------
    ValueError, TypeError
        If an argument is out of its range, has another shape, or is not finite.
    DivergenceError
        If the explicit scheme diverges.

    Warns
    -----
    CoarseGridWarning
        If the scheme itself adds more than a twentieth to the variance of the law.
    NegativeDensityWarning
        If the explicit scheme makes negative densities.

    Notes
    -----
    "finite-volume" conserves mass, absorbed mass included, to rounding (1e-9 is
    guaranteed, else a FloatingPointError is raised) and no value is negative. Total
    variation is half the L1 distance. The equation describes a diffusion, not the
    chain of SGD itself: for that see `descent.markov`.

    Source: 003, post 2, with the factors corrected.

    Examples
    --------
    >>> edges = np.linspace(-8, 8, 801)
    >>> p0 = np.zeros(800); p0[400] = 1 / 0.02
    >>> p = solve(lambda w: -w, lambda w: 2 + 0 * w, edges, p0, [0.5, 20.0])
    >>> centres = (edges[1:] + edges[:-1]) / 2
    >>> (p @ centres**2 * 0.02).round(3)      # 1 - exp(-2 t)
    array([0.632, 1.   ])
    """
    edges, times = check_edges(edges), check_times(times)
    check_choice("calculus", calculus, tuple(EXPONENT))
    check_choice("scheme", scheme, ("finite-volume", "explicit"))
    sides = boundary if isinstance(boundary, tuple) else (boundary, boundary)
    for side in sides:
        check_choice("boundary", side, ("no-flux", "absorbing", "periodic"))
    if len(sides) != 2 or (sides[0] == "periodic") != (sides[1] == "periodic"):
        raise ValueError(f"boundary must be one, or a pair without 'periodic'; got {boundary!r}")
    check_real("tolerance", tolerance, above=0)
    check_real("time_step", time_step, above=0)
    check_flag("return_absorbed", return_absorbed)
    widths, centres = np.diff(edges), (edges[:-1] + edges[1:]) / 2
    mu = check_field("drift", drift, edges)
    d = check_variance(variance, centres)
    density = check_density("p0", p0, widths)
    if sides[0] == "periodic" and not np.isclose(mu[0], mu[-1], rtol=1e-6, atol=1e-9):
        raise ValueError(
            f"on a circle drift must agree at both ends; got {mu[0]:.9g} and {mu[-1]:.9g}"
        )
    if scheme == "explicit":
        if "absorbing" in sides or return_absorbed:
            raise ValueError("scheme='explicit' has no absorbing boundary; take 'finite-volume'")
        periodic = sides[0] == "periodic"
        return central_explicit(mu, d, edges, density, times, calculus, periodic, time_step)

    rates = jump_rates(mu, d, edges, calculus, sides)
    inside = slice(None) if rates.periodic else slice(1, -1)
    mass = np.zeros(len(rates.up))
    mass[inside] = density * widths
    rows = np.array([m.copy() for m in integrate(rates, mass, times, tolerance)])
    lost = np.abs(rows.sum(axis=1) - density @ widths).max()
    if lost > max(1e-9, tolerance / 10):
        raise FloatingPointError(
            f"mass is conserved only to {lost:.2g}, as rounding adds up over many jumps between "
            f"cells: allow it by tolerance={1000 * lost:.0e}, or take shorter times, or fewer, "
            "wider cells; stationary_density is what long times come to"
        )
    densities = rows[:, inside] / widths
    _check_grid(rates, d, edges, np.vstack([density, densities]), np.append(0.0, times))
    if return_absorbed:
        absorbed = np.zeros((len(times), 2)) if rates.periodic else rows[:, [0, -1]]
        return densities, absorbed
    return densities


def _check_grid(
    rates: JumpRates, variance: Array, edges: Array, densities: Array, times: Array
) -> None:
    """Warn if the fitted flux diffuses much more than the equation does."""
    widths, centres = np.diff(edges), (edges[:-1] + edges[1:]) / 2
    inside = slice(None) if rates.periodic else slice(1, -1)
    distance = np.diff(centres)
    forward, backward = (rates.up[inside] * widths)[:-1], (rates.down[inside] * widths)[1:]
    # J = (f - b) P - (f + b)/2 dP: the flux diffuses with the variance (f + b) h.
    added = (forward + backward) * distance - log_mean(variance[:-1], variance[1:])
    between = (densities[:, :-1] + densities[:, 1:]) / 2 * distance
    added_growth = np.trapezoid(between @ added, times)
    true_growth = np.trapezoid(densities @ (variance * widths), times)
    path = np.trapezoid(between @ np.abs(forward - backward), times)
    if not (added_growth > 0.05 * true_growth and path > 0):
        return
    mass = densities * widths
    mass /= np.maximum(mass.sum(axis=1, keepdims=True), 1e-300)
    mean = mass @ centres
    deviation = np.sqrt((mass @ (centres**2 + widths**2 / 12) - mean**2).max())
    # The times may be few: take the ratio from them, the way from the means.
    way = np.abs(np.diff(mean)).sum() + deviation
    share = min(added_growth / path * way / deviation**2, added_growth / max(true_growth, 1e-300))
    if share > 0.05:
        warnings.warn(
            f"the grid is too coarse: the scheme adds about {100 * share:.2g} % to the variance "
            f"of the law; divide the cells by about {math.ceil(share / 0.02)}",
            CoarseGridWarning,
            stacklevel=3,
        )


def probability_current(
    drift: Field,
    variance: Field,
    edges: npt.ArrayLike,
    density: npt.ArrayLike,
    calculus: Calculus = "ito",
    *,
    boundary: Literal["no-flux", "periodic"] = "no-flux",
) -> Array:
    r"""Return the current of a density through the edges, J = μ P - ½ s^(2-a) d(s^a P)/dW.

    Parameters
    ----------
    drift, variance, edges, calculus
        As in `solve`.
    density : array (N,)
        P on the cells.
    boundary : {"no-flux", "periodic"}
        Line or circle.

    Returns
    -------
    array (N + 1,)
        J in units of probability per time, positive to the right.

    Raises
    ------
    ValueError
        If an argument is out of its range.

    Notes
    -----
    The source writes ρ for it. It is not a density.

    Source: 003, post 2, "Gradient Variance".

    Examples
    --------
    >>> edges = np.linspace(-4, 4, 9)
    >>> p = np.full(8, 1 / 8)
    >>> probability_current(lambda w: 1 + 0 * w, lambda w: 1 + 0 * w, edges, p)[3:6]
    array([0.125, 0.125, 0.125])
    """
    edges = check_edges(edges)
    check_choice("calculus", calculus, tuple(EXPONENT))
    check_choice("boundary", boundary, ("no-flux", "periodic"))
    widths, centres = np.diff(edges), (edges[:-1] + edges[1:]) / 2
    mu, d = check_field("drift", drift, edges), check_variance(variance, centres)
    mass = check_density("density", density, widths) * widths
    rates = jump_rates(mu, d, edges, calculus, (boundary, boundary))
    if rates.periodic:
        current = rates.current(mass)
        return np.append(current[-1], current)
    return rates.current(np.concatenate([[0.0], mass, [0.0]]))[:-1]
