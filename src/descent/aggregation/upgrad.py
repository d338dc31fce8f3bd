"""UPGrad: project each gradient onto the directions that harm no loss."""

from typing import Any

import numpy as np

from descent.aggregation.rule import Rule
from descent.arguments import Array, check_count, check_real


@Rule
def upgrad(
    losses: Array, gramian: Array, state: Any, *, sweeps: int = 200, tolerance: float = 1e-9
) -> tuple[Array, Any]:
    r"""Project every gradient onto the dual cone of all of them, then average.

    .. math:: w = \frac1m \sum_i \arg\min \{ v^T J J^T v : v_j \ge \delta_{ij} \}

    of Quinton and Rey (2024). To first order no loss rises along minus the direction, and
    without conflict it is the equal sum. Coordinate descent on the m quadratic programs.
    The weights need not sum to 1.

    Examples
    --------
    >>> import numpy as np
    >>> upgrad(np.zeros(2), np.array([[1.0, 0.0], [-1.0, 1.0]])).gradient.round(6)
    array([0.25, 0.75])
    """
    check_count("sweeps", sweeps, 1)
    check_real("tolerance", tolerance, above=0)
    m = losses.shape[-1]
    least = np.eye(m)
    v = np.broadcast_to(least, gramian.shape).copy()  # row i belongs to gradient i
    slope = gramian.copy()  # v @ gramian, kept up to date
    square = np.diagonal(gramian, axis1=-2, axis2=-1)
    for _ in range(sweeps):
        moved = 0.0
        for j in range(m):
            length = square[..., j, None]
            step = -slope[..., j] / np.where(length > 0, length, 1.0)
            step = np.maximum(step, least[:, j] - v[..., j])
            v[..., j] += step
            slope += step[..., None] * gramian[..., None, j, :]
            moved = max(moved, float(np.abs(step).max()))
        if moved < tolerance:
            break
    return v.mean(axis=-2), state
