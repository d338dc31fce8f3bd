r"""Mean times of absorption without subtraction: state reduction."""

import math

import numpy as np
import numpy.typing as npt
import scipy.sparse as sp
from scipy.sparse.csgraph import breadth_first_order

from descent.arguments import Array, Index, check_array, check_kind
from descent.markov.transfer_operator import TransferOperator


def log_mean_absorption_time(operator: TransferOperator, mass: Array) -> float:
    r"""Log of the mean number of steps until a walker escapes: (I - Q) t = 1, log(mass · t).

    The nodes are eliminated from left to right by state reduction (Grassmann,
    Taksar and Heyman): each is replaced by the paths that lead through it, and the
    time spent there is added to those that lead there. Every operation adds,
    multiplies or divides positive numbers; no 1 - q is ever formed. So the result
    keeps its relative accuracy however long the time is, where an ordinary solve of
    (I - Q) t = 1 fails once t nears 1e16. The times carry a common exponent, so that
    they do not overflow.

    Parameters
    ----------
    operator : TransferOperator
        The killed chain.
    mass : array (N,)
        The starting law.

    Returns
    -------
    float
        Natural log of the mean time; inf where the walker comes, with a positive chance,
        to nodes that it does not leave.

    Raises
    ------
    ValueError, TypeError
        If the mass is negative or none, or an argument of another kind.

    Notes
    -----
    Source: Grassmann, Taksar and Heyman, Operations Research 33 (1985) 1107; for
    killed chains Alfa, Xue and Ye, Mathematics of Computation 71 (2002) 217. The chain
    moves no further than a band of nodes, so only a window of the matrix is held.

    Examples
    --------
    >>> from descent.landscapes import FiniteSum
    >>> walk = FiniteSum(  # one node right, always: it leaves the nodes 0 … 9 in ten steps
    ...     losses=lambda w: -np.asarray(w)[None],
    ...     gradients=lambda w: -np.ones_like(w)[None],
    ...     curvatures=lambda w: np.zeros_like(w)[None],
    ... )
    >>> operator = TransferOperator(walk, step_size=1.0, grid=np.arange(10.0))
    >>> float(np.exp(log_mean_absorption_time(operator, np.eye(10)[0])).round(12))
    10.0
    """
    check_kind("operator", operator, TransferOperator)
    size, block = len(operator.grid), 32
    if ((mass := check_array("mass", mass, (size,))) < 0).any():
        raise ValueError(f"mass must not be negative; got {mass.min()}")
    if not mass.any():
        raise ValueError("mass must not be zero everywhere; got zeros alone")
    if never_escaping(operator, mass).size:
        return math.inf
    entries = operator.matrix.tocoo()
    offset = entries.col - entries.row
    rows = block + max(0, -int(offset.min(initial=0)))
    columns = rows + max(0, int(offset.max(initial=0)))
    matrix = sojourns(operator)
    matrix.resize(size + rows + block, size + columns + block)
    escape = np.concatenate([operator.escape, np.zeros(rows + block)])
    mass = np.concatenate([mass, np.zeros(columns + block)])

    # The window: nodes from `first` on, and the starting law as one more row, which is
    # never eliminated. Its last two columns are the escape and the time.
    window = np.zeros((rows + 1, columns + 2))
    window[:rows, :columns] = matrix[:rows, :columns].toarray()
    window[:rows, -2], window[:rows, -1] = escape[:rows], 1.0
    window[rows, :columns] = mass[:columns]
    log_scale = 0.0
    for first in range(0, size, block):
        count = min(block, size - first)
        for k in range(count):
            leaving = window[k, k + 1 : -1].sum()
            if leaving == 0:  # a node that nobody reaches
                window[k + 1 :, k] = 0.0
                continue
            window[k + 1 :, k] /= leaving
            into = window[k + 1 :, k, None]
            window[k + 1 :, k + 1 : count] += into * window[k, k + 1 : count]
            window[k + 1 : count, count:] += into[: count - k - 1] * window[k, count:]
        # In pieces too small for BLAS to share among threads: waiting for a thread takes
        # longer than the product.
        piece = max(1, 250_000 // (count * columns))
        for row in range(count, rows + 1, piece):
            part = slice(row, row + piece)
            window[part, count:] += window[part, :count] @ window[:count, count:]
        if count < block:
            break
        largest = window[:, -1].max()
        # Beyond a saddle times fall as far as they rose before it.
        if largest > 1e100 or 0 < largest < 1e-100:
            window[:, -1] /= largest
            log_scale += np.log(largest)
        # Shift the window by a block of nodes.
        kept, new = slice(0, rows - block), slice(first + rows, first + rows + block)
        window[kept, : columns - block] = window[block:rows, block:columns]
        window[kept, columns - block : columns] = 0
        window[kept, -2:] = window[block:rows, -2:]
        across = slice(first + block, first + block + columns)
        window[rows - block : rows, :columns] = matrix[new, across].toarray()
        window[rows - block : rows, -2] = escape[new]
        window[rows - block : rows, -1] = np.exp(-log_scale)
        window[rows, : columns - block] = window[rows, block:columns]
        window[rows, columns - block : columns] = mass[first + columns : first + columns + block]
    return float(np.log(window[rows, -1]) + log_scale)


def never_escaping(operator: TransferOperator, mass: Array) -> Index:
    """Return the nodes that some of the mass comes to and nothing escapes from."""
    size, moves = len(mass), operator.matrix.tocoo()
    held = moves.data > 0
    row, column = moves.row[held], moves.col[held]
    starts, exits = np.flatnonzero(mass), np.flatnonzero(operator.escape)

    def reached(row: Index, column: Index, first: Index) -> Index:
        """Nodes that are reached from the first ones, by way of one more node."""
        source = np.full(len(first), size)
        edges = (np.concatenate([row, source]), np.concatenate([column, first]))
        graph = sp.csr_array((np.ones(len(edges[0])), edges), shape=(size + 1, size + 1))
        return np.asarray(breadth_first_order(graph, size, return_predecessors=False))

    forward = reached(row, column, starts)
    backward = reached(column, row, exits)
    return np.asarray(np.setdiff1d(forward, backward))


def sojourns(operator: TransferOperator) -> sp.csr_array:
    r"""Chances of moving, with the time between two nodes that a slow drift takes.

    Where all samples move a walker the same way, by less than a cell, the node passes a
    share v/h of its mass on, which makes the time in a cell h/v of its first node: a sum
    of order 1. It is replaced by

    .. math:: \int_0^h \frac{dw}{v(w)} + \frac12 \ln \frac{v(h)}{v(0)}

    with v taken as exponential between the nodes. The second term is the difference
    between steps and a flow.
    """
    grid, model = operator.grid, operator.model
    moves = -operator.step_size * model.gradients(grid)
    drift = np.abs(model.average(moves))
    width = np.diff(grid)
    matrix = operator.matrix.tocsr(copy=True)
    factor = np.ones(len(grid))
    for way in (1, -1):
        here = slice(0, -1) if way > 0 else slice(1, None)
        next_ = slice(1, None) if way > 0 else slice(0, -1)
        slow: npt.NDArray[np.bool_] = np.asarray((way * moves > 0).all(axis=0))
        small = slow[here] & slow[next_]
        small &= (np.abs(moves).max(axis=0)[here] < width / 4) & (
            np.abs(moves).max(axis=0)[next_] < width / 4
        )
        v0, v1 = np.where(small, drift[here], 1.0), np.where(small, drift[next_], 1.0)
        ratio = np.log(v1) - np.log(v0)
        near = np.abs(ratio) < 1e-6
        # The integral in units of h / v0; near ratio 0 it is expanded.
        share = np.where(near, 1 - ratio / 2, -np.expm1(-ratio) / np.where(near, 1.0, ratio))
        time = share + 0.5 * ratio * v0 / width
        factor[here] = np.where(small & (time > 0), 1 / np.where(time > 0, time, 1.0), factor[here])
    rows = np.repeat(np.arange(len(grid)), np.diff(matrix.indptr))
    matrix.data = matrix.data * np.where(rows == matrix.indices, 1.0, factor[rows])
    return matrix
