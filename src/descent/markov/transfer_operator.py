r"""The exact law of stochastic gradient descent: Ulam's method on a grid of point masses."""

from typing import Literal

import numpy as np
import numpy.typing as npt
import scipy.sparse as sp

from descent.arguments import (
    Array,
    check_array,
    check_choice,
    check_count,
    check_flag,
    check_step_size,
)
from descent.landscapes import FiniteSum, check_model
from descent.large_deviations import tilt

Absorbing = Literal["right", "left", "both"]
BENT = 3.0  # rise of φ/T in a cell that sharing is fitted to


class TransferOperator:
    r"""Law of W from one step to the next, on a grid, killed beyond its ends.

    .. math:: p_{n+1}(x) = \sum_j q_j \int \delta(x - w + T g_j(w))\, p_n(w)\, dw

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
        Nodes in rising order. An end that absorbs is a threshold: W beyond it has
        escaped. Beyond the other no image of a node may lie (see `reachable_interval`).
    absorbing : {"right", "left", "both"}
        Which ends of the grid are thresholds.
    fitted : bool
        Share an image so that not W keeps its mean but :math:`\int e^{\phi/T} dW`, with
        φ' = p* (`large_deviations.tilt`). Where escape is rare, the time that it takes then
        hangs on the spacing no more than the law does.

    Attributes
    ----------
    matrix : sparse array (N, N)
        Probability of a step from node i (row) to node k (column).
    escape : array (N,)
        Probability of leaving beyond a threshold in one step from each node.
    order : int
        Order of the error in the spacing, 2 where the law is smooth on its scale.

    Raises
    ------
    ValueError, TypeError
        If an argument is out of its range, or if mass would leave at an end that does not absorb.

    Notes
    -----
    Sharing adds a variance of at most h²/4 a step, about h²/6 on average, for the
    spacing h. In e^(-V/T) it counts V/T times, unless the sharing is fitted to the law as
    D. L. Scharfetter and H. K. Gummel (1969) fit a current. It is not the Fokker-Planck
    operator: there is no diffusion limit here. Not killing but following W beyond the
    threshold would give "outside at step n".

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

    order = 2

    def __init__(
        self,
        model: FiniteSum,
        *,
        step_size: float,
        grid: npt.ArrayLike,
        absorbing: Absorbing = "right",
        fitted: bool = False,
    ) -> None:
        check_model(model)
        check_flag("fitted", fitted)
        self.model = model
        self.fitted = fitted
        self.step_size = check_step_size(step_size)
        self.grid = grid = check_array("grid", grid)
        if grid.ndim != 1 or len(grid) < 2 or not (np.diff(grid) > 0).all():
            raise ValueError(f"grid must be rising, of shape (N,), N >= 2; got shape {grid.shape}")
        size = len(grid)
        moves = -self.step_size * model.gradients(grid)
        if not np.isfinite(moves).all():
            raise ValueError("the gradients are not finite on the grid")
        check_choice("absorbing", absorbing, ("right", "left", "both"))
        self.absorbing: Absorbing = absorbing
        # Two comparisons of moves, not of images: a move far below rounding counts.
        right, left = moves > grid[-1] - grid, moves < grid[0] - grid
        wall = {"right": left, "left": right, "both": np.zeros_like(left)}[absorbing]
        slack = 1e-9 * (grid[-1] - grid[0])
        beyond = np.maximum(grid[0] - grid - moves, grid + moves - grid[-1])
        if (wall & (beyond > slack)).any():
            images = grid + moves
            if absorbing == "right":
                needed = f"left: the first node must be at most {images.min():.9g}"
            else:
                needed = f"right: the last node must be at least {images.max():.9g}"
            raise ValueError(
                f"mass leaves the grid on the {needed}; got {grid[0]:.9g} to {grid[-1]:.9g}"
            )
        self._rise = _rise(model, grid, self.step_size) if fitted else np.zeros(size - 1)
        escaped = (right | left) & ~wall
        chances = np.broadcast_to(model.chances[:, None], moves.shape)
        self.escape: Array = model.average(escaped.astype(float))
        node = np.broadcast_to(np.arange(size), moves.shape)[~escaped]
        cell, right_share, left_share = self._share(grid[node], moves[~escaped])
        shares = np.concatenate([left_share, right_share])
        mass = np.clip(shares, 0, 1) * np.tile(chances[~escaped], 2)
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
        right, left = (w - grid[cell] + move) / width, (grid[cell + 1] - w - move) / width
        if not self._rise.any():
            return cell, right, left
        k = self._rise[cell]
        bent = np.abs(k) > 1e-12
        k = np.where(bent, k, 1.0)
        return (
            cell,
            np.where(bent, np.expm1(k * right) / np.expm1(k), right),
            np.where(bent, np.expm1(-k * left) / np.expm1(-k), left),
        )

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
        # Not by BLAS, which waits longer for its threads than it works.
        return float(np.einsum("i,i->", self.escape, self._check_mass(mass)))

    def _check_mass(self, mass: Array) -> Array:
        """Return mass; an error unless it is real, one number a node (it is not read)."""
        if not isinstance(mass, np.ndarray) or mass.dtype != np.float64:
            mass = check_array("mass", mass)
        if mass.shape != self.grid.shape:
            raise ValueError(f"mass must have shape {self.grid.shape}; got {mass.shape}")
        return mass


def _rise(model: FiniteSum, grid: Array, step_size: float) -> Array:
    """Return what φ/T rises by in each cell (N - 1,), within bounds; 0 where no draw leads up."""
    slope = tilt(model, grid)
    rise = np.diff(grid) / step_size * (slope[1:] + slope[:-1]) / 2
    return np.clip(np.where(np.isfinite(rise), rise, 0.0), -BENT, BENT)


def covering_operator(
    model: FiniteSum,
    *,
    step_size: float,
    ends: tuple[float, float],
    nodes: int,
    absorbing: Absorbing = "right",
    fitted: bool = False,
) -> TransferOperator:
    """Operator on a uniform grid over an interval, widened to cover the images of all nodes.

    Only an end that does not absorb is moved.
    """
    check_model(model)
    step_size, nodes = check_step_size(step_size), check_count("nodes", nodes, 2)
    low, high = check_array("ends", ends, (2,))
    if not low < high:
        raise ValueError(f"ends must rise; got {low!r}, {high!r}")
    check_choice("absorbing", absorbing, ("right", "left", "both"))
    for _ in range(200):
        grid = np.linspace(low, high, nodes)
        images = grid - step_size * model.gradients(grid)
        lowest, highest = float(images.min()), float(images.max())
        left = absorbing == "right" and lowest < low
        right = absorbing == "left" and highest > high
        if not (left or right):
            return TransferOperator(
                model, step_size=step_size, grid=grid, absorbing=absorbing, fitted=fitted
            )
        low = lowest - 1e-3 * (low - lowest) if left else low
        high = highest + 1e-3 * (highest - high) if right else high
    raise ValueError(f"ends={tuple(ends)!r} cannot be widened to cover the images of all nodes")
