"""MGDA: the shortest convex combination of the gradients."""

from typing import Any

import numpy as np

from descent.aggregation.rule import Rule
from descent.arguments import Array, check_count


@Rule
def mgda(losses: Array, gramian: Array, state: Any, *, iterations: int = 100) -> tuple[Array, Any]:
    r"""Take the point of the gradients' convex hull that is nearest to zero.

    .. math:: w = \arg\min \Big\{ \big|\textstyle\sum_i w_i \nabla l_i\big|^2 :
              w_i \ge 0,\ \sum_i w_i = 1 \Big\}

    Minus the direction descends on every loss, or is 0 where none does (Désidéri 2012).
    Frank–Wolfe steps with exact line search from equal weights, as in Sener and Koltun
    (2018); their error falls like one over the number of steps, and with two losses the
    first step is exact.

    Examples
    --------
    >>> import numpy as np
    >>> mgda(np.zeros(2), np.array([[1.0, 0.0], [0.0, 2.0]])).gradient
    array([0.8, 0.4])
    """
    check_count("iterations", iterations, 1)
    m = losses.shape[-1]
    weights = np.full(losses.shape, 1 / m)
    for _ in range(iterations):
        slope = (gramian @ weights[..., None])[..., 0]
        vertex = np.argmin(slope, axis=-1)[..., None]
        a = np.take_along_axis(slope, vertex, axis=-1)
        b = (weights * slope).sum(axis=-1, keepdims=True)
        c = np.take_along_axis(np.diagonal(gramian, axis1=-2, axis2=-1), vertex, axis=-1)
        curvature = b + c - 2 * a  # |vertex - point|², zero if they are the same
        share = np.where(
            c <= a, 1.0, np.maximum(b - a, 0) / np.where(curvature > 0, curvature, 1.0)
        )
        weights = (1 - share) * weights
        np.put_along_axis(
            weights, vertex, np.take_along_axis(weights, vertex, axis=-1) + share, axis=-1
        )
        if (share < 1e-12).all():
            break
    return weights, state
