r"""Distances between two densities on the same cells."""

import numpy as np
import numpy.typing as npt

from descent.arguments import Array
from descent.fokker_planck.arguments import check_density, check_edges


def _checked(p: npt.ArrayLike, q: npt.ArrayLike, edges: npt.ArrayLike) -> tuple[Array, Array]:
    """Return the signed mass p - q in each cell (N,), and the widths (N,)."""
    widths = np.diff(check_edges(edges))
    return (check_density("p", p, widths) - check_density("q", q, widths)) * widths, widths


def wasserstein_1(p: npt.ArrayLike, q: npt.ArrayLike, edges: npt.ArrayLike) -> float:
    r"""Earth mover's distance: :math:`W_1 = \int |F_p - F_q|\, dW`.

    Parameters
    ----------
    p, q : array (N,)
        Densities, constant on each cell, of mass 1.
    edges : array (N + 1,)
        Edges of the cells, rising.

    Returns
    -------
    float
        In units of W.

    Raises
    ------
    ValueError
        If an argument is out of its range.

    Notes
    -----
    Exact for such densities, on a line. `scipy.stats.wasserstein_distance` is the
    distance of two sets of points, which differs by the width of a cell.

    Examples
    --------
    >>> edges = np.linspace(0, 4, 5)
    >>> wasserstein_1([1, 0, 0, 0], [0, 0, 0, 1], edges)
    3.0
    """
    difference, widths = _checked(p, q, edges)
    right = np.cumsum(difference)
    left = right - difference
    size = np.abs(left) + np.abs(right)
    # F_p - F_q is linear on a cell: a trapezium, or two triangles where it changes sign.
    crossing = left * right < 0
    squares = left**2 + right**2
    area = np.where(crossing, squares / np.where(crossing, size, 1.0), size)
    return float(area @ widths / 2)


def total_variation(p: npt.ArrayLike, q: npt.ArrayLike, edges: npt.ArrayLike) -> float:
    r"""Total variation: :math:`\tfrac12 \int |p - q|\, dW`, between 0 and 1.

    Parameters
    ----------
    p, q : array (N,)
        Densities, constant on each cell, of mass 1.
    edges : array (N + 1,)
        Edges of the cells, rising.

    Returns
    -------
    float

    Raises
    ------
    ValueError
        If an argument is out of its range.

    Notes
    -----
    Some authors leave out the factor ½. Unlike `wasserstein_1` it does not see how far
    mass has to move.

    Examples
    --------
    >>> edges = np.linspace(0, 4, 5)
    >>> total_variation([0.5, 0.5, 0, 0], [0, 0.5, 0.5, 0], edges)
    0.5
    """
    difference, _ = _checked(p, q, edges)
    return float(np.abs(difference).sum() / 2)
