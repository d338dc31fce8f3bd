"""PCGrad: remove from each gradient what conflicts with another."""

import numpy as np

from descent.aggregation.rule import Rule, generator
from descent.arguments import Array


@Rule
def pcgrad(
    losses: Array, gramian: Array, state: np.random.Generator | None
) -> tuple[Array, np.random.Generator]:
    r"""Project every gradient off those that it conflicts with, then average.

    .. math:: g_i \leftarrow g_i - \frac{g_i \cdot \nabla l_j}{|\nabla l_j|^2} \nabla l_j
              \quad\text{if } g_i \cdot \nabla l_j < 0,

    for all j in random order, with :math:`g_i = \nabla l_i` at first; Yu et al. (2020),
    algorithm 1, divided by m. Without conflict it is the equal sum. The weights need not
    sum to 1.

    Examples
    --------
    >>> import numpy as np
    >>> conflict = np.array([[1.0, 0.0], [-1.0, 1.0]])
    >>> pcgrad(np.zeros(2), conflict, np.random.default_rng(0)).gradient
    array([0.25, 0.75])
    """
    rng, m = generator(state), losses.shape[-1]
    each = np.broadcast_to(np.eye(m), gramian.shape).copy()  # row i: g_i in terms of the ∇l_j
    order = rng.permuted(np.broadcast_to(np.arange(m), gramian.shape), axis=-1)
    for k in range(m):
        j = order[..., k : k + 1]  # (..., i, 1): the loss that each row looks at now
        product = (each * np.take_along_axis(gramian, j, axis=-2)).sum(axis=-1, keepdims=True)
        square = np.take_along_axis(np.diagonal(gramian, axis1=-2, axis2=-1), j[..., 0], axis=-1)
        square = square[..., None]
        conflict = (product < 0) & (square > 0) & (j != np.arange(m)[:, None])
        step = np.where(conflict, -product / np.where(square > 0, square, 1.0), 0.0)
        np.put_along_axis(each, j, np.take_along_axis(each, j, axis=-1) + step, axis=-1)
    return each.mean(axis=-2), rng
