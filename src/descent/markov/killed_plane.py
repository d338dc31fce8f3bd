r"""The law of a walk in the plane until it has escaped, on nodes of a grid.

A step moves a node to one place for each draw. The mass that comes there is shared between the
four nodes around it, in proportion to the distances, as `TransferOperator` shares between two.
That keeps the mean of a law and adds :math:`f (1 - f) h^2` to its variance along each axis, where
f is the place within a cell of width h: an error of order h² in the logarithm of a mean time.

Source: Ulam's method, in two dimensions; 003, post 1, for the walk.
"""

from collections.abc import Callable, Iterable
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import scipy.sparse as sp

from descent.arguments import Array
from descent.markov.refined_clouds import ToleranceError

Flags = npt.NDArray[np.bool_]
Images = Iterable[tuple[float, tuple[Array, Array]]]
"""For each draw its chance, and where it leads to from the nodes."""


class KilledPlane(NamedTuple):
    """A walk on nodes: its moves, the chance to escape, to come off the nodes, and its start."""

    forward: sp.csr_array
    escape: Array
    lost: Array
    start: Array


class _Nodes(NamedTuple):
    """A grid of two axes, and the number of each of its nodes that is kept, else -1."""

    axes: tuple[Array, Array]
    number: npt.NDArray[np.intp]

    def around(self, x: Array, y: Array) -> Iterable[tuple[npt.NDArray[np.intp], Array]]:
        """Yield the four nodes around places, and their shares."""
        (i, a), (k, b) = (
            self._cell(place, axis) for place, axis in zip((x, y), self.axes, strict=True)
        )
        for di in (0, 1):
            for dk in (0, 1):
                share = (a if di else 1 - a) * (b if dk else 1 - b)
                yield self.number[i + di, k + dk], share

    def off(self, x: Array, y: Array) -> Flags:
        """Return which places are beyond the axes."""
        (u, v) = self.axes
        return np.asarray((x < u[0]) | (x > u[-1]) | (y < v[0]) | (y > v[-1]))

    @staticmethod
    def _cell(at: Array, axis: Array) -> tuple[npt.NDArray[np.intp], Array]:
        cells = (at - axis[0]) / (axis[1] - axis[0])
        cell = np.clip(np.floor(cells), 0, len(axis) - 2)
        return cell.astype(np.intp), np.clip(cells - cell, 0, 1)


def killed_plane(
    images: Callable[[Array, Array], Images],
    escaped: Callable[[Array, Array], Flags],
    *,
    axes: tuple[Array, Array],
    start: tuple[float, float],
    kept: Callable[[Array, Array], Flags] | None = None,
) -> KilledPlane:
    """Return the walk on the nodes of a grid.

    Parameters
    ----------
    images : callable
        From nodes (x, y) to the chance of each draw and the places that it leads to.
    escaped : callable
        From places to where a walk has escaped.
    axes : two arrays
        Nodes along x and y, evenly spaced.
    start : two floats
        Where all walkers start.
    kept : callable, optional
        From nodes to those that are needed; by default all are.
    """
    x, y = (each.ravel() for each in np.meshgrid(*axes, indexing="ij"))
    needed = np.ones(len(x), bool) if kept is None else kept(x, y)
    number = np.full(len(x), -1)
    number[needed] = np.arange(needed.sum())
    nodes = _Nodes(axes, number.reshape(len(axes[0]), len(axes[1])))
    x, y = x[needed], y[needed]
    size, node = len(x), np.arange(len(x))
    escape, lost = np.zeros(size), np.zeros(size)
    rows, columns, shares = [], [], []
    for chance, (to_x, to_y) in images(x, y):
        out = escaped(to_x, to_y)
        off = ~out & nodes.off(to_x, to_y)
        escape += chance * out
        lost += chance * off
        on = ~out & ~off
        for column, share in nodes.around(to_x[on], to_y[on]):
            known = column >= 0
            rows.append(node[on][known])
            columns.append(column[known])
            shares.append(chance * share[known])
            lost[node[on][~known]] += chance * share[~known]
    matrix = sp.coo_array(
        (np.concatenate(shares), (np.concatenate(columns), np.concatenate(rows))),
        shape=(size, size),
    ).tocsr()
    first = np.zeros(size)
    for column, share in nodes.around(np.array([start[0]]), np.array([start[1]])):
        if column[0] < 0:
            raise ValueError(f"start must be among the nodes that are kept; got {start}")
        first[column] += share
    return KilledPlane(matrix, escape, lost, first)


def survival(walk: KilledPlane, n_steps: int, tail: bool) -> tuple[Array, float, float]:
    """Return the escape at each step, the sum of the survival, and the mass off the nodes.

    With ``tail`` it goes on until a constant share escapes, and adds the rest of the sum.
    """
    mass, escaped, lost, total, before = walk.start, [0.0], 0.0, 0.0, np.inf
    for n in range(n_steps):
        inside = float(mass.sum())
        total += inside
        gone = float(np.einsum("i,i->", walk.escape, mass))
        lost += float(np.einsum("i,i->", walk.lost, mass))
        escaped.append(gone)
        if tail and inside <= 0.0:
            return np.array(escaped), total, lost  # all have escaped
        if tail and n % 50 == 49:
            rate = gone / inside
            if inside < 1e-12 or (rate > 0 and abs(rate - before) < 1e-9 * rate):
                total += inside / rate - inside if inside >= 1e-12 else 0.0
                return np.array(escaped), total, lost
            before = rate
        mass = np.asarray(walk.forward @ mass)
    if tail:
        raise ToleranceError(f"the law still changes after {n_steps} steps")
    return np.array(escaped), total, lost
