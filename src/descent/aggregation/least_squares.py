"""Non-negative least squares by an active set."""

import numpy as np
from scipy.optimize import nnls

from descent.arguments import Array

ROUNDING = 1e-14
LARGE = 1e5  # sum of the x beyond which it may stand on columns that cancel but for rounding


def nonnegative(columns: Array, target: Array) -> Array:
    """Return the x >= 0 (n, m) that minimize |columns x - target|, exact but for rounding.

    The columns (n, k, m) and the targets (n, k) of n problems have lengths of order 1. The
    algorithm is that of Lawson and Hanson, "Solving Least Squares Problems" (1974), as SciPy
    has it. SciPy 1.17 returns points that are far from the minimum once in some ten thousand
    problems, where a column is orthogonal to what is left; so the conditions of optimality
    are checked, and a slower program of the same algorithm takes over where they do not hold.
    It also does where x is large, as with columns that cancel but for rounding: it takes these
    as dependent, while weights of 1e13 would make directions of what rounding has left.

    Examples
    --------
    >>> import numpy as np
    >>> nonnegative(np.eye(2)[None], np.array([[3.0, -1.0]]))
    array([[3., 0.]])
    """
    n, _, m = columns.shape
    x = np.zeros((n, m))
    for i in range(n):
        try:
            x[i] = nnls(columns[i], target[i], maxiter=30 * m)[0]
        except RuntimeError:  # it went round in circles
            x[i] = active_set(columns[i], target[i])
    doubtful = (excess(columns, target, x) > 1) | (x.sum(axis=-1) > LARGE)
    for (i,) in np.argwhere(doubtful):
        x[i] = active_set(columns[i], target[i])
        if excess(columns[i], target[i], x[i]) > 1:
            raise ArithmeticError(f"the active set of {m} gradients did not come to its end")
    return x


def excess(columns: Array, target: Array, x: Array) -> Array:
    """Return by how much more than rounding each x misses the conditions of optimality.

    With the residual r: c_j·r <= 0 for every column, and c_j·r = 0 where x_j > 0.
    """
    residual = target - (columns @ x[..., None])[..., 0]
    slope = (residual[..., None, :] @ columns)[..., 0, :]
    worst = np.where(x > 0, np.abs(slope), slope).max(axis=-1)
    return np.asarray(worst / (10 * ROUNDING * x.shape[-1] * (1 + x.sum(axis=-1))))


def active_set(columns: Array, target: Array) -> Array:
    """Return what `nonnegative` does for one problem, step by step."""
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
