r"""The Fokker-Planck equation on cells: a Markov chain that jumps between neighbours.

The current of the probability density P is, for the exponent a = 2 (Itô), 1
(Stratonovich) or 0 (Fick),

.. math:: J = \mu P - \tfrac12 s^{2-a} \frac{d(s^a P)}{dW}
            = \beta P - \tfrac12 D \frac{dP}{dW},
          \qquad D = s^2, \quad \beta = \mu - \tfrac a4 D'
"""

from dataclasses import dataclass
from typing import Literal

import numpy as np

from descent.arguments import Array

Calculus = Literal["ito", "stratonovich", "fick"]
Boundary = Literal["no-flux", "absorbing", "periodic"]

EXPONENT: dict[str, int] = {"ito": 2, "stratonovich": 1, "fick": 0}
STEEPEST = 700.0  # largest Péclet number whose exponential is a float


@dataclass(frozen=True)
class JumpRates:
    r"""Rates at which probability jumps from a cell to its neighbours, per unit time.

    .. math:: \dot m_i = u_{i-1} m_{i-1} + d_{i+1} m_{i+1} - (u_i + d_i) m_i

    Parameters
    ----------
    up, down : array (n,)
        Rates to the next and to the previous state, zero or positive. On a line there
        are n = N + 2 states: before and behind the N cells stands a reservoir that
        collects what is absorbed on its side. On a circle n = N and the last state is
        the neighbour of the first.
    periodic : bool
        Whether the states form a circle.

    Notes
    -----
    The columns of the generator sum to zero and its off-diagonal entries are not
    negative, so that exp(Q t) conserves mass and keeps it positive.
    """

    up: Array
    down: Array
    periodic: bool

    def current(self, mass: Array) -> Array:
        """Net current out of each state to the next, shape of ``mass`` (n,)."""
        return np.asarray(self.up * mass - np.roll(self.down * mass, -1))


def log_mean(a: Array, b: Array) -> Array:
    """Logarithmic mean (b - a) / ln(b / a) of positive numbers; 0 if either is 0."""
    positive = (a > 0) & (b > 0)
    a, b = np.where(positive, a, 1.0), np.where(positive, b, 1.0)
    ratio = np.log(b) - np.log(a)
    near = np.abs(ratio) < 1e-3
    # Near ratio 1 the quotient cancels; there sqrt(ab) sinh(r/2)/(r/2) is expanded.
    mean = np.where(
        near,
        np.sqrt(a) * np.sqrt(b) * (1 + np.where(near, ratio, 0) ** 2 / 24),
        (b - a) / np.where(near, 1.0, ratio),
    )
    return np.where(positive, mean, 0.0)


def fitted_flux(effective_drift: Array, variance: Array, width: Array) -> tuple[Array, Array]:
    r"""Coefficients of the exponentially fitted flux J = f P_left - b P_right.

    .. math:: f = \frac{D}{2h} B(-z), \quad b = \frac{D}{2h} B(z), \quad
              z = \frac{2 \beta h}{D}, \quad B(z) = \frac{z}{e^z - 1}

    Both are positive, and the flux is exact for constant β and D (Scharfetter and
    Gummel 1969; Chang and Cooper 1970). Without variance it is the upwind flux.

    Parameters
    ----------
    effective_drift, variance, width : array (k,)
        β, D and the distance h between the two points, at each edge.

    Returns
    -------
    forward, backward : array (k,)
    """
    speed = 2 * np.abs(effective_drift) * width
    z = np.full_like(speed, STEEPEST)
    np.divide(speed, variance, out=z, where=variance * STEEPEST > speed)
    against = np.where(z > 0, z / np.expm1(np.where(z > 0, z, 1.0)), 1.0)
    against = np.where(z < STEEPEST, variance * against, 0.0) / (2 * width)
    along = against + np.abs(effective_drift)
    forward = effective_drift >= 0
    return np.where(forward, along, against), np.where(forward, against, along)


def jump_rates(
    drift: Array,
    variance: Array,
    edges: Array,
    calculus: Calculus,
    boundary: tuple[Boundary, Boundary],
) -> JumpRates:
    r"""Conservative, positive discretization of the Fokker-Planck equation.

    Parameters
    ----------
    drift : array (N + 1,)
        μ at the edges.
    variance : array (N,)
        D, zero or positive, at the centres of the cells.
    edges : array (N + 1,)
        Edges of the cells, rising.
    calculus : {"ito", "stratonovich", "fick"}
        Selects a = 2, 1 or 0.
    boundary : pair
        Left and right boundary; both "periodic" or neither.

    Returns
    -------
    JumpRates

    Notes
    -----
    Between two cells D is the logarithmic mean of its values at the centres. Then the
    flux of a driftless process is exact in the calculus: the Itô flux becomes
    -½ Δ(DP)/h, under which W is a martingale also on the grid, and the Stratonovich
    flux becomes -½ s̄ Δ(sP)/h. A cell with D = 0 receives and does not diffuse.
    """
    a = EXPONENT[calculus]
    widths, centres = np.diff(edges), (edges[:-1] + edges[1:]) / 2
    if boundary[0] == "periodic":
        right, distance = np.roll(variance, -1), np.append(np.diff(centres), 0.0)
        distance[-1] = (widths[0] + widths[-1]) / 2
        beta = drift[1:] - a / 4 * (right - variance) / distance
        forward, backward = fitted_flux(beta, log_mean(variance, right), distance)
        return JumpRates(forward / widths, np.roll(backward, 1) / widths, True)
    distance = np.diff(centres)
    beta = drift[1:-1] - a / 4 * np.diff(variance) / distance
    forward, backward = fitted_flux(beta, log_mean(variance[:-1], variance[1:]), distance)
    # An absorbing edge is a point with P = 0 half a cell away.
    out, _ = fitted_flux(
        np.array([-drift[0], drift[-1]]), variance[[0, -1]], widths[[0, -1]] / 2
    ) * np.array([[side == "absorbing" for side in boundary]])
    up, down = np.zeros((2, len(widths) + 2))
    up[1:-1] = np.append(forward, out[1]) / widths
    down[1:-1] = np.insert(backward, 0, out[0]) / widths
    return JumpRates(up, down, False)
