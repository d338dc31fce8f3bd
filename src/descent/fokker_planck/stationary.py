r"""Stationary densities of one-dimensional diffusions, in three calculi."""

from collections.abc import Callable

import numpy as np
import numpy.typing as npt
from numpy.polynomial import legendre
from scipy.special import logsumexp

from descent.arguments import Array, check_callable
from descent.fokker_planck.arguments import check_choice, check_edges, check_field
from descent.fokker_planck.finite_volume import EXPONENT, Calculus

NODES = 6  # Gauss points between two centres


def _collocation() -> tuple[Array, Array, Array]:
    """Gauss nodes and weights on [0, 1], and the integrals from 0 to each node."""
    nodes, weights = legendre.leggauss(NODES)
    integral = legendre.legval(
        nodes, np.array([legendre.legint(row, lbnd=-1) for row in np.eye(NODES)]).T
    )
    to_nodes = np.linalg.solve(legendre.legvander(nodes, NODES - 1).T, integral).T
    return (nodes + 1) / 2, weights / 2, to_nodes / 2


def stationary_density(
    drift: Callable[[Array], npt.ArrayLike],
    variance: Callable[[Array], npt.ArrayLike],
    edges: npt.ArrayLike,
    calculus: Calculus = "ito",
    boundary: str = "no-flux",
) -> Array:
    r"""Density that the Fokker-Planck equation leaves unchanged.

    Without a current,

    .. math:: P \propto s^{-a} e^{\psi}, \qquad \psi(W) = \int^W \frac{2 \mu}{D}\, dW,
              \qquad D = s^2

    with a = 2 (Itô), 1 (Stratonovich), 0 (Fick). On a circle of length L, where ψ need
    not return to its value, a current flows and

    .. math:: P \propto s^{-a}(W)\, e^{\psi(W)}
              \int_W^{W+L} s^{a-2}(y)\, e^{-\psi(y)}\, dy

    Parameters
    ----------
    drift, variance : callable
        μ and D > 0 per unit time: array (k,) to array (k,). Smooth between the centres
        of neighbouring cells.
    edges : array (N + 1,)
        Edges of the cells, rising. On a circle the last is the first, one turn later.
    calculus : {"ito", "stratonovich", "fick"}
        How the noise is read.
    boundary : {"no-flux", "periodic"}
        Line or circle.

    Returns
    -------
    array (N,)
        P at the centres, scaled so that ``P @ np.diff(edges)`` is 1.

    Raises
    ------
    ValueError, TypeError
        If an argument is out of its range. A variance that vanishes is one such case:
        there is then no normalizable density in general, and probability may gather in
        a point.

    Notes
    -----
    The integrals are Gauss sums of 6 points a cell. It is not the long-time limit of
    `solve` to rounding, but up to the error of its grid.

    Source: 003, post 2, "Solving for End-States", where the exponent of S is wrong;
    van Kampen, Stochastic Processes in Physics and Chemistry, section IX.4.

    Examples
    --------
    >>> edges = np.linspace(-4, 4, 801)
    >>> p = stationary_density(lambda w: -w, lambda w: 2 + 0 * w, edges)
    >>> centres = (edges[1:] + edges[:-1]) / 2
    >>> bool(np.allclose(p, np.exp(-centres**2 / 2) / np.sqrt(2 * np.pi), atol=1e-4))
    True
    """
    edges = check_edges(edges)
    check_choice("calculus", calculus, tuple(EXPONENT))
    check_choice("boundary", boundary, ("no-flux", "periodic"))
    for name, field in (("drift", drift), ("variance", variance)):
        check_callable(name, field)
    a, widths = EXPONENT[calculus], np.diff(edges)
    centres = (edges[:-1] + edges[1:]) / 2
    ends = centres[1:]
    if boundary == "periodic":
        ends = np.append(ends, centres[0] + edges[-1] - edges[0])
    starts = centres[: len(ends)]
    nodes, weights, to_nodes = _collocation()
    steps = (ends - starts)[:, None]
    w = starts[:, None] + steps * nodes
    if boundary == "periodic":
        w = np.where(w > edges[-1], w - (edges[-1] - edges[0]), w)

    def positive(points: Array) -> Array:
        value = check_field("variance", variance, points)
        if not (value > 0).all():
            raise ValueError(
                f"variance must be positive; got {value.min():.6g}; it vanishes at W = "
                f"{points[value <= 0][0]:.6g}, where a stationary density need not exist; "
                "choose edges that leave this point out"
            )
        return value

    log_variance = np.log(positive(centres))
    slope = 2 * check_field("drift", drift, w.ravel()) / positive(w.ravel())
    slope = steps * slope.reshape(w.shape)
    psi = np.concatenate([[0.0], np.cumsum(slope @ weights)])
    log_p = psi[: len(centres)] - a / 2 * log_variance
    if boundary == "periodic":
        to_node = psi[:-1, None] + slope @ to_nodes.T
        log_value = (a - 2) / 2 * np.log(positive(w.ravel()).reshape(w.shape)) - to_node
        pieces = logsumexp(log_value, b=steps * weights, axis=1)
        # The integral over a turn from each centre: the pieces that follow it, then
        # those before it one turn later, where ψ has grown by its gain over a turn.
        after = np.logaddexp.accumulate(pieces[::-1])[::-1]
        before = np.concatenate([[-np.inf], np.logaddexp.accumulate(pieces[:-1])]) - psi[-1]
        log_p += np.logaddexp(after, before)
    p = np.exp(log_p - log_p.max())
    return np.asarray(p / (p @ widths))
