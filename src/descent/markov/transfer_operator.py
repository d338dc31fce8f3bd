r"""The exact law of stochastic gradient descent: Ulam's method on a grid of point masses."""

import numpy as np
import numpy.typing as npt
import scipy.sparse as sp

from descent.arguments import (
    Array,
    check_array,
    check_count,
    check_kind,
    check_real,
    check_start,
    check_step_size,
)
from descent.landscapes import FiniteSum, check_model


class TransferOperator:
    r"""Law of W from one step to the next, on a grid, killed beyond its last node.

    .. math:: p_{n+1}(x) = \frac1n \sum_j \int \delta(x - w + T g_j(w))\, p_n(w)\, dw

    The law is a set of point masses on the nodes. A step moves each to its images and
    shares it between the two nodes beside an image in proportion to nearness, which
    keeps the mass and the mean (Ulam's method with cloud-in-cell sharing). Whether an
    image has escaped is decided before it is shared, so no mass leaks over the
    threshold.

    Parameters
    ----------
    model : FiniteSum
        The objective.
    step_size : float
        T > 0.
    grid : array (N,)
        Nodes in rising order; the last is the threshold. The first must lie below
        every image of a node (see `reachable_interval`).

    Attributes
    ----------
    matrix : sparse array (N, N)
        Probability of a step from node i (row) to node k (column).
    escape : array (N,)
        Probability of leaving beyond the threshold in one step from each node.

    Raises
    ------
    ValueError, TypeError
        If an argument is out of its range, or if mass would leave on the left.

    Notes
    -----
    Sharing adds a variance of at most h²/4 a step, about h²/6 on average, for the
    spacing h. It is not the Fokker-Planck operator: there is no diffusion limit here.
    Not killing but following W beyond the threshold would give "outside at step n".

    Examples
    --------
    >>> from descent.landscapes import two_datapoint
    >>> operator = TransferOperator(
    ...     two_datapoint(), step_size=0.02, grid=np.linspace(0.8, 1.196, 1001)
    ... )
    >>> mass = operator.deposit([1.0], [1.0])
    >>> bool(np.isclose(operator.step(mass).sum() + operator.escaping(mass), 1))
    True
    """

    def __init__(self, model: FiniteSum, *, step_size: float, grid: npt.ArrayLike) -> None:
        check_model(model)
        self.model = model
        self.step_size = check_step_size(step_size)
        self.grid = grid = check_array("grid", grid)
        if grid.ndim != 1 or len(grid) < 2 or not (np.diff(grid) > 0).all():
            raise ValueError(f"grid must be rising, of shape (N,), N >= 2; got shape {grid.shape}")
        size = len(grid)
        moves = -self.step_size * model.gradients(grid)
        if not np.isfinite(moves).all():
            raise ValueError("the gradients are not finite on the grid")
        escaped = moves > grid[-1] - grid
        self.escape: Array = escaped.mean(axis=0)
        node = np.broadcast_to(np.arange(size), moves.shape)[~escaped]
        cell, right, left = self._share(grid[node], moves[~escaped])
        if (left > 1 + 1e-9).any():
            raise ValueError(
                f"mass leaves the grid on the left: the first node must be at most "
                f"{(grid + moves).min():.9g}; got {grid[0]:.9g}"
            )
        mass = np.concatenate([np.maximum(left, 0), np.maximum(right, 0)]) / len(moves)
        edges = (np.concatenate([node, node]), np.concatenate([cell, cell + 1]))
        self.matrix = sp.csr_array((mass, edges), shape=(size, size))
        self._forward = self.matrix.T.tocsr()

    def _share(self, w: Array, move: Array) -> tuple[npt.NDArray[np.intp], Array, Array]:
        """Cell that holds w + move, and the shares of its right and its left node.

        The shares are formed from differences, so that a move far below the rounding
        of w keeps its relative accuracy.
        """
        grid, image = self.grid, w + move
        from_left = np.searchsorted(grid, image, "left")
        cell = np.where(move < 0, from_left, np.searchsorted(grid, image, "right")) - 1
        cell = np.clip(cell, 0, len(grid) - 2)
        width = grid[cell + 1] - grid[cell]
        return cell, (w - grid[cell] + move) / width, (grid[cell + 1] - w - move) / width

    def deposit(self, points: npt.ArrayLike, weights: npt.ArrayLike) -> Array:
        """Share point masses (k,) inside the grid between their nodes; mass (N,)."""
        points, weights = check_array("points", points), check_array("weights", weights)
        if points.ndim != 1 or points.shape != weights.shape:
            raise ValueError(
                f"points and weights must share a shape (k,); got {points.shape}, {weights.shape}"
            )
        if len(points) and not (self.grid[0] <= points.min() <= points.max() <= self.grid[-1]):
            raise ValueError(
                f"points must lie in [{self.grid[0]}, {self.grid[-1]}]; got "
                f"{points.min()} to {points.max()}"
            )
        cell, right, left = self._share(points, np.zeros_like(points))
        nodes = np.concatenate([cell, cell + 1])
        shares = np.concatenate([left * weights, right * weights])
        return np.bincount(nodes, shares, len(self.grid)).astype(float, copy=False)

    def step(self, mass: Array) -> Array:
        """Mass (N,) one step later, without what has escaped."""
        return np.asarray(self._forward @ self._check_mass(mass))

    def escaping(self, mass: Array) -> float:
        """Mass that escapes in the next step."""
        return float(self.escape @ self._check_mass(mass))

    def _check_mass(self, mass: Array) -> Array:
        """Return mass; an error unless it is real, one number a node (it is not read)."""
        if not isinstance(mass, np.ndarray) or mass.dtype != np.float64:
            mass = check_array("mass", mass)
        if mass.shape != self.grid.shape:
            raise ValueError(f"mass must have shape {self.grid.shape}; got {mass.shape}")
        return mass


def reachable_interval(
    model: FiniteSum, *, step_size: float, start: float, threshold: float, n: int = 4001
) -> tuple[float, float]:
    """Interval that walkers from ``start`` cannot leave except beyond the threshold.

    Parameters
    ----------
    model : FiniteSum
        The objective.
    step_size, start, threshold : float
        T > 0 and start <= threshold.
    n : int
        Number of points on which the images of the interval are looked up.

    Returns
    -------
    low, high : float
        ``high`` is the threshold, or less where the chain cannot reach it.

    Raises
    ------
    ValueError, TypeError
        If an argument is out of its range, or if the interval grows without bound.

    Examples
    --------
    >>> from descent.landscapes import two_datapoint
    >>> low, high = reachable_interval(
    ...     two_datapoint(), step_size=0.02, start=1.0, threshold=1.196
    ... )
    >>> round(low, 2), high
    (0.9, 1.196)
    """
    check_model(model)
    step_size, n = check_step_size(step_size), check_count("n", n, 2)
    start, threshold = check_start(start, threshold)
    low = min(start, threshold - 1e-9 * (1 + abs(threshold)))
    furthest = threshold - 1e6 * (1 + threshold - start)
    while True:
        w = np.linspace(low, threshold, n)
        images = w - step_size * model.gradients(w)
        lowest = float(images.min())
        if lowest >= low:
            break
        if not lowest > furthest:
            raise ValueError(
                f"the interval reachable from start={start!r} grows without bound at "
                f"step_size={step_size!r}"
            )
        # A little more than needed, so that a slow approach to a fixed point ends.
        low = lowest - 0.02 * (threshold - lowest)
    # Below a point that no image from below it exceeds, the chain stays for ever.
    stuck = np.maximum.accumulate(images.max(axis=0)) <= w
    high = w[np.argmax(stuck & (w >= start))] if (stuck & (w >= start)).any() else threshold
    return float(low), float(high)


def covering_operator(
    model: FiniteSum, *, step_size: float, low: float, threshold: float, nodes: int
) -> TransferOperator:
    """Operator on a uniform grid, with a first node that covers the images of all nodes."""
    check_model(model)
    step_size, nodes = check_step_size(step_size), check_count("nodes", nodes, 2)
    if not check_real("low", low) < check_real("threshold", threshold):
        raise ValueError(f"low must be below threshold; got low={low!r}, threshold={threshold!r}")
    while True:
        grid = np.linspace(low, threshold, nodes)
        lowest = float((grid - step_size * model.gradients(grid)).min())
        if lowest >= low:
            return TransferOperator(model, step_size=step_size, grid=grid)
        low = lowest - 1e-3 * (low - lowest)


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
        Natural log of the mean time.

    Raises
    ------
    ValueError
        If from some node the walker moves nowhere.

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
    entries = operator.matrix.tocoo()
    offset = entries.col - entries.row
    rows = block + max(0, -int(offset.min(initial=0)))
    columns = rows + max(0, int(offset.max(initial=0)))
    matrix = operator.matrix.copy()
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
            if leaving < 1e-150:
                raise ValueError(
                    f"the walker is stuck at W = {operator.grid[first + k]:.6g}: the gradients "
                    "underflow to zero there, or nothing beyond can be reached"
                )
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
        if largest > 1e100:
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
