"""Non-negative least squares by an active set."""

import numpy as np
from scipy.optimize import nnls

from descent.arguments import Array

ROUNDING = 1e-14


def nonnegative(columns: Array, target: Array) -> Array:
    """Return the x >= 0 that minimizes |columns x - target|, exact but for rounding.

    Columns and target have lengths of order 1. The algorithm is that of Lawson and Hanson,
    "Solving Least Squares Problems" (1974), as SciPy has it. SciPy 1.17 returns points that
    are far from the minimum once in some ten thousand problems, where a column is orthogonal
    to what is left; so the conditions of optimality are checked, and a slower program of the
    same algorithm takes over where they do not hold.

    Examples
    --------
    >>> import numpy as np
    >>> nonnegative(np.eye(2), np.array([3.0, -1.0]))
    array([3., 0.])
    """
    m = columns.shape[-1]
    try:
        x = np.asarray(nnls(columns, target, maxiter=30 * m)[0])
        if excess(columns, target, x) <= 1:
            return x
    except RuntimeError:  # it went round in circles
        pass
    x = active_set(columns, target)
    if excess(columns, target, x) > 1:
        raise ArithmeticError(f"the active set of {m} gradients did not come to its end")
    return x


def excess(columns: Array, target: Array, x: Array) -> float:
    """Return by how much more than rounding x misses the conditions of optimality.

    With the residual r: c_j·r <= 0 for every column, and c_j·r = 0 where x_j > 0.
    """
    slope = (target - columns @ x) @ columns
    worst = max(slope.max(), np.abs(slope[x > 0]).max(initial=0.0))
    return float(worst / (10 * ROUNDING * len(x) * (1 + x.sum())))


def active_set(columns: Array, target: Array) -> Array:
    """Return what `nonnegative` does, by Lawson and Hanson's algorithm step by step."""
    m = columns.shape[-1]
    x, free = np.zeros(m), np.zeros(m, dtype=bool)
    for _ in range(30 * m):
        slope = (target - columns @ x) @ columns
        slope[free] = 0.0
        entering = int(slope.argmax())
        if slope[entering] <= ROUNDING * m * (1 + x.sum()):
            break
        free[entering] = True
        while True:
            z = np.zeros(m)
            z[free] = np.linalg.lstsq(columns[:, free], target, rcond=None)[0]
            leaving = free & (z <= 0)
            if not leaving.any():
                break
            part = x[leaving] / (x[leaving] - z[leaving])  # of the way, until one is 0
            x = x + part.min() * (z - x)
            free[np.flatnonzero(leaving)[part == part.min()]] = False
            x[~free] = 0.0
        x = z
    return x
