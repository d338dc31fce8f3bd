r"""Paths between two places, and the cheapest of them.

Points are moved across the path until the action is least, by L-BFGS with the action's own
derivative, and spread out evenly again: along the path there is nothing to gain.
"""

from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from scipy.optimize import minimize

from descent.arguments import Array, check_array, check_count, check_kind, check_real
from descent.minimum_action.hamiltonian import Hamiltonian, NoWay, momentum


class MinimumAction(NamedTuple):
    """A cheapest path: its points, the tilt of the draws on each piece, and its action.

    Attributes
    ----------
    path : array (n + 1, d)
        At equal distances, with both ends.
    momenta : array (n, d)
        p* between neighbours.
    action : float
        Extrapolated from this path and the one with half as many points.
    error : float
        What the extrapolation changed.
    """

    path: Array
    momenta: Array
    action: float
    error: float


def _evenly(path: Array, n: int) -> Array:
    """Return n + 1 points at equal distances along a path."""
    along = np.concatenate([[0.0], np.linalg.norm(np.diff(path, axis=0), axis=1).cumsum()])
    at = np.linspace(0, along[-1], n + 1)
    return np.stack([np.interp(at, along, column) for column in path.T], axis=1)


def _pieces(path: Array) -> tuple[Array, Array]:
    """Return the middle of each piece of a path, and the move along it."""
    return (path[1:] + path[:-1]) / 2, np.diff(path, axis=0)


def action(hamiltonian: Hamiltonian, path: npt.ArrayLike) -> float:
    r"""Return the action of a path through points, by the midpoint rule.

    .. math:: S = \sum_k p^*\big(\tfrac12(\varphi_k + \varphi_{k+1}),
        \varphi_{k+1} - \varphi_k\big) \cdot (\varphi_{k+1} - \varphi_k)

    Parameters
    ----------
    hamiltonian : Hamiltonian
    path : array_like (n + 1, d)
        Points, at least two, no two neighbours the same.

    Returns
    -------
    float
        It does not depend on how fast the path is passed.

    Examples
    --------
    >>> from descent.minimum_action import of_diffusion
    >>> H = of_diffusion(lambda x: -x)
    >>> round(action(H, [[0.0], [0.5], [1.0]]), 12)  # 2 ΔU with U = x²/2
    1.0
    """
    points = check_array("path", path, ("n + 1", "d"))
    if len(points) < 2:
        raise ValueError(f"path must have two points at least; got {len(points)}")
    middle, moves = _pieces(points)
    return float((momentum(hamiltonian, middle, moves) * moves).sum())


def _action_and_slope(hamiltonian: Hamiltonian, path: Array) -> tuple[float, Array]:
    """Return the action and its derivative by the points."""
    middle, moves = _pieces(path)
    p = momentum(hamiltonian, middle, moves)
    _, first, _ = hamiltonian.moments(middle, p)
    # By the envelope theorem dF = p·dv - μ H_x·dx, where v = μ H_p.
    mu = (moves * first).sum(axis=1) / np.maximum((first * first).sum(axis=1), 1e-300)
    by_place = np.empty_like(middle)
    h = 1e-5 * max(1.0, float(np.abs(path).max()))
    for k in range(path.shape[1]):
        shift = np.zeros(path.shape[1])
        shift[k] = h
        up, down = (hamiltonian.moments(middle + sign * shift, p)[0] for sign in (1, -1))
        by_place[:, k] = -mu * (up - down) / (2 * h)
    slope = np.zeros_like(path)
    slope[1:] += p + by_place / 2
    slope[:-1] += -p + by_place / 2
    return float((p * moves).sum()), slope


def _normals(path: Array) -> Array:
    """Return an orthonormal basis of the directions across the path at each inner point."""
    tangent = path[2:] - path[:-2]
    tangent = tangent / np.linalg.norm(tangent, axis=1)[:, None]
    _, _, basis = np.linalg.svd(tangent[:, None])
    return np.asarray(basis[:, 1:])


WALL = 1e3
"""Of how many actions of the first path a trial costs that no draw can follow."""


def _relaxed(hamiltonian: Hamiltonian, path: Array, tolerance: float, rounds: int) -> Array:
    """Return the path after its points have moved across it until the action is least."""
    before, before_all = np.inf, action(hamiltonian, path)
    for _ in range(rounds):
        if path.shape[1] == 1:
            return path
        normals = _normals(path)

        def moved(y: Array, base: Array = path, normals: Array = normals) -> Array:
            new = base.copy()
            new[1:-1] += np.einsum("mke,mk->me", normals, y.reshape(len(base) - 2, -1))
            return new

        def aim(y: Array, normals: Array = normals) -> tuple[float, Array]:
            try:
                value, slope = _action_and_slope(hamiltonian, moved(y))
            except NoWay:  # too far a trial: a wall, from which the search turns back
                return WALL * before_all, np.zeros_like(y)
            return value, np.einsum("mke,me->mk", normals, slope[1:-1]).ravel()

        found = minimize(
            aim,
            np.zeros(normals.shape[0] * normals.shape[1]),
            jac=True,
            method="L-BFGS-B",
            options={"maxiter": 60, "ftol": 1e-14, "gtol": 1e-10},
        )
        path = _evenly(moved(found.x), len(path) - 1)
        now = action(hamiltonian, path)
        if abs(before - now) <= tolerance * max(abs(now), 1e-300):
            return path
        before = now
    raise FloatingPointError(
        f"the path did not settle in {rounds} rounds (its action was {before:.8g}, then "
        f"{now:.8g}): raise tolerance or rounds, or give a path nearer to the cheapest one"
    )


def minimum_action(
    hamiltonian: Hamiltonian,
    start: npt.ArrayLike,
    end: npt.ArrayLike,
    *,
    path: npt.ArrayLike | None = None,
    n_pieces: int = 100,
    tolerance: float = 1e-6,
    rounds: int = 100,
) -> MinimumAction:
    r"""Return the cheapest path between two places, and the quasi-potential along it.

    .. math:: V(a, b) = \inf_{\varphi: a \to b} \int p^*(\varphi, \dot\varphi) \cdot d\varphi

    Parameters
    ----------
    hamiltonian : Hamiltonian
        From `of_draws` or `of_diffusion`.
    start, end : array_like (d,)
        Two places, such as the bottom of a pit and a saddle of its rim.
    path : array_like (k, d), optional
        A path to begin with, from start to end; the straight line by default. Of several cheapest
        paths the one near it is found.
    n_pieces : int
        Pieces of the path, even; the action is found with half as many, too.
    tolerance : float
        How much a round may still change the action, relative to it.
    rounds : int
        How often the points are moved and spread out again, at most.

    Returns
    -------
    MinimumAction
        Action in units in which the mean time to leave is exp(V/T) or exp(V/ε).

    Raises
    ------
    ValueError
        If a place has the wrong shape, or the draws cannot follow a path.
    FloatingPointError
        If the path does not settle.

    Examples
    --------
    >>> from descent.minimum_action import of_diffusion
    >>> H = of_diffusion(lambda x: np.stack([-x[:, 0] + 2 * x[:, 1], -x[:, 1] - 2 * x[:, 0]], 1))
    >>> round(minimum_action(H, [0, 0], [1, 0]).action, 3)  # |x|², whatever the rotation
    1.0

    Notes
    -----
    Heymann and Vanden-Eijnden (2008). Not the string method, which finds the path of least
    energy: that has the same height in a gradient flow alone.
    """
    check_kind("hamiltonian", hamiltonian, Hamiltonian)
    a = check_array("start", start, ("d",))
    b = check_array("end", end, a.shape)
    if (a == b).all():
        raise ValueError(f"start and end must differ; got {a} twice")
    n = check_count("n_pieces", n_pieces, 4)
    if n % 2:
        raise ValueError(f"n_pieces must be even; got {n}")
    tolerance, rounds = (
        check_real("tolerance", tolerance, above=0),
        check_count("rounds", rounds, 1),
    )
    first = np.stack([a, b]) if path is None else check_array("path", path, ("k", len(a)))
    if len(first) < 2 or not (np.allclose(first[0], a) and np.allclose(first[-1], b)):
        raise ValueError(f"path must lead from start {a} to end {b}; got {first[0]} to {first[-1]}")
    coarse = _relaxed(hamiltonian, _evenly(first, n // 2), tolerance, rounds)
    fine = _relaxed(hamiltonian, _evenly(coarse, n), tolerance, rounds)
    rough, close = action(hamiltonian, coarse), action(hamiltonian, fine)
    p = momentum(hamiltonian, *_pieces(fine))
    # The midpoint rule is of order two.
    return MinimumAction(fine, p, close + (close - rough) / 3, abs(close - rough) / 3)
