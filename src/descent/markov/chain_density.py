r"""Density of stochastic gradient descent step by step, where no step folds the line."""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import scipy.sparse as sp
from scipy.interpolate import make_interp_spline
from scipy.sparse.csgraph import connected_components
from scipy.sparse.linalg import spsolve

from descent.arguments import (
    Array,
    Index,
    check_flag,
    check_rising_counts,
    check_step_size,
)
from descent.fokker_planck.arguments import check_density, check_edges
from descent.landscapes import FiniteSum, check_model


def chain_densities(
    model: FiniteSum,
    *,
    step_size: float,
    edges: npt.ArrayLike,
    p0: npt.ArrayLike,
    steps: Sequence[int],
    periodic: bool = False,
) -> Array:
    r"""Densities of the chain after given numbers of steps, from a smooth start.

    .. math:: F_{n+1}(x) = \sum_j q_j F_n(\phi_j^{-1}(x)), \qquad
              \phi_j(w) = w - T g_j(w)

    Each map rises, so that it carries the distribution function F along unchanged.
    F is kept on the edges and interpolated by a cubic spline.

    Parameters
    ----------
    model : FiniteSum
        The objective.
    step_size : float
        T > 0, with T g_j' < 1 everywhere on the edges.
    edges : array (N + 1,)
        Edges of the cells, rising. On a circle the last is the first, one turn later.
    p0 : array (N,)
        Density at the start: the mean over each cell. It should be smooth on the
        scale of a cell.
    steps : sequence of int
        Rising, zero or more.
    periodic : bool
        Circle instead of line.

    Returns
    -------
    array (len(steps), N)
        Mean density in each cell, with mass 1. Interpolation can make it slightly
        negative; such values are set to zero.

    Raises
    ------
    ValueError, TypeError
        If an argument is out of its range, a step folds the line, or mass leaves the
        edges.

    Notes
    -----
    The error falls as the fourth power of the spacing, per step. There is no diffusion
    in it: it is the exact chain, for comparison with `fokker_planck.solve`. Where a
    step folds the line, use `TransferOperator`.

    Examples
    --------
    >>> from descent.fokker_planck.diffusion_limit import linear
    >>> edges = np.linspace(0, 4, 401)
    >>> centres = (edges[1:] + edges[:-1]) / 2
    >>> p0 = np.exp(-(centres - 1) ** 2 / 0.02)
    >>> p0 /= p0 @ np.diff(edges)
    >>> p = chain_densities(
    ...     linear([1.2, 0.8], [-2, -2]), step_size=0.5, edges=edges, p0=p0, steps=[0, 1]
    ... )
    >>> (p @ (centres * np.diff(edges))).round(6)
    array([1. , 1.5])
    """
    check_model(model)
    step_size = check_step_size(step_size)
    steps = check_rising_counts("steps", steps)
    check_flag("periodic", periodic)
    edges = check_edges(edges)
    widths = np.diff(edges)
    p0 = check_density("p0", p0, widths)
    slopes = 1 - step_size * model.curvatures(edges)
    if not (slopes > 0).all():
        worst = edges[slopes.min(axis=0).argmin()]
        raise ValueError(
            f"the step folds the line at W = {worst:.6g}: step_size must be below "
            f"{step_size / (1 - slopes.min()):.6g}; got {step_size!r}"
        )
    before = np.stack([_preimage(model, step_size, edges, j) for j in range(model.n_samples)])
    low, turn = edges[0], edges[-1] - edges[0]
    boundary = "periodic" if periodic else "not-a-knot"
    if periodic:
        laps = np.floor((before - low) / turn)
        inside = before - laps * turn
    else:
        inside = np.clip(before, low, edges[-1])

    cdf = np.concatenate([[0.0], np.cumsum(p0 * widths)])
    rows = []
    for n in range(steps[-1] + 1):
        if n in steps:
            density = np.maximum(np.diff(cdf), 0)
            rows.append(density / density.sum() / widths)
        # On a circle only F minus a straight line is periodic.
        line = (edges - low) / turn if periodic else np.zeros_like(edges)
        excess = cdf - line
        if periodic:
            excess[-1] = excess[0]
        value = make_interp_spline(edges, excess, k=3, bc_type=boundary)(inside)
        if periodic:
            value += (before - low) / turn
        cdf = model.average(value)
        if periodic:
            cdf -= cdf[0]
        elif cdf[0] > 1e-6 or cdf[-1] < 1 - 1e-6:
            raise ValueError(
                f"mass leaves the edges at step {n + 1}: {cdf[0]:.2g} on the left, "
                f"{1 - cdf[-1]:.2g} on the right; widen them"
            )
    return np.array(rows)


def circle_law(model: FiniteSum, *, step_size: float, edges: npt.ArrayLike) -> Array:
    r"""Stationary density of the chain on a circle: the law that one step leaves unchanged.

    .. math:: p(x) = \sum_j q_j \int \delta(x - w + T g_j(w))\, p(w)\, dw

    The law is a set of point masses at the centres of the cells. Each image is shared
    between the two centres beside it (Ulam's method, as in `TransferOperator`), and the
    linear equations are solved directly, so that a slow passage over barriers costs
    nothing.

    Parameters
    ----------
    model : FiniteSum
        The objective, of the period of the circle.
    step_size : float
        T > 0. Steps may fold the circle.
    edges : array (N + 1,)
        Edges of equal cells; the last is the first, one turn later.

    Returns
    -------
    array (N,)
        Mean density in each cell, with mass 1.

    Raises
    ------
    ValueError, TypeError
        If an argument is out of its range, or the chain on the cells has more than one
        stationary law.

    Notes
    -----
    Sharing adds a variance of about h²/6 a step, for the width h. It also smooths the
    law over a few cells: where the exact one is singular, see only its averages.

    Examples
    --------
    >>> from descent.fokker_planck.diffusion_limit import linear
    >>> walk = linear([0, 0], [-1, 1])
    >>> circle_law(walk, step_size=0.31, edges=np.linspace(0, 1, 51)).round(9)[:3]
    array([1., 1., 1.])
    """
    check_model(model)
    step_size, edges = check_step_size(step_size), check_edges(edges)
    size, low, turn = len(edges) - 1, edges[0], edges[-1] - edges[0]
    width = turn / size
    if not np.allclose(np.diff(edges), width, rtol=1e-6):
        raise ValueError("edges must be equally spaced")
    centres = (edges[:-1] + edges[1:]) / 2
    images = centres - step_size * model.gradients(centres)
    if not np.isfinite(images).all():
        raise ValueError("the gradients are not finite on the circle")
    place = (images - low) / width - 0.5
    left = np.floor(place)
    share, cell = place - left, left.astype(int)
    source = np.broadcast_to(np.arange(size), cell.shape)
    target = np.concatenate([cell % size, (cell + 1) % size]).ravel()
    chances = model.chances[:, None]
    weight = np.concatenate([chances * (1 - share), chances * share]).ravel()
    source = np.concatenate([source, source]).ravel()
    if (classes := _closed_classes(source, target, weight, size)) > 1:
        raise ValueError(
            f"the stationary law is not unique: with step_size={step_size!r} the cells fall into "
            f"{classes} sets that the chain does not leave; take another number of cells"
        )
    inside = target < size - 1  # the equations are dependent: the last gives way to the mass
    source, target, weight = source[inside], target[inside], weight[inside]
    first, every = np.arange(size - 1), np.arange(size)
    equations = sp.csc_array(
        (
            np.concatenate([weight, -np.ones(size - 1), np.ones(size)]),
            (
                np.concatenate([target, first, np.full(size, size - 1)]),
                np.concatenate([source, first, every]),
            ),
        ),
        shape=(size, size),
    )
    mass = np.maximum(spsolve(equations, np.append(np.zeros(size - 1), 1.0)), 0)
    return np.asarray(mass / mass.sum() / width)


def _closed_classes(source: Index, target: Index, weight: Array, size: int) -> int:
    """Count the sets of cells that the chain does not leave, and within which it goes about."""
    moves = weight > 1e-9
    source, target = source[moves], target[moves]
    links = sp.csr_array((np.ones(len(source)), (source, target)), shape=(size, size))
    count, label = connected_components(links, connection="strong")
    left = np.unique(label[source[label[source] != label[target]]])
    return int(count) - len(left)


def _preimage(model: FiniteSum, step_size: float, x: Array, sample: int) -> Array:
    """Solve w - T g_j(w) = x by Newton's method."""
    w = x + step_size * model.gradients(x)[sample]
    for _ in range(60):
        slope = 1 - step_size * model.curvatures(w)[sample]
        change = (w - step_size * model.gradients(w)[sample] - x) / np.maximum(slope, 0.05)
        w -= change
        if np.abs(change).max() <= 1e-14 * (1 + np.abs(x).max()):
            return np.asarray(w)
    raise ValueError("the step cannot be inverted; the gradients are too rough")
