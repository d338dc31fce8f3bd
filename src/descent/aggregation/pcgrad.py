"""PCGrad: remove from each gradient what conflicts with another."""

from functools import partial

import numpy as np

from descent.aggregation.lengths import averaged, directions
from descent.aggregation.rule import Rule, generator
from descent.arguments import Array


@partial(
    Rule,
    properties={
        "not negative",
        "scale does not matter",
        "linear under scaling",
        "rests only in balance",
        "memoryless",
    },
)
def pcgrad(
    losses: Array, gradients: Array, state: np.random.Generator
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
    >>> pcgrad(np.zeros(2), conflict, np.random.default_rng(0)).gradient.round(12)
    array([0.25, 0.75])
    """
    rng, m = generator(state, "pcgrad"), losses.shape[-1]
    units, lengths = directions(gradients)
    cosines = units @ units.swapaxes(-1, -2)
    each = np.broadcast_to(np.eye(m), cosines.shape).copy()  # row i: g_i / |∇l_i| in the u_j
    order = rng.permuted(np.broadcast_to(np.arange(m), cosines.shape), axis=-1)
    for k in range(m):
        j = order[..., k : k + 1]  # (..., i, 1): the loss that each row looks at now
        product = (each * np.take_along_axis(cosines, j, axis=-2)).sum(axis=-1, keepdims=True)
        conflict = (product < 0) & (j != np.arange(m)[:, None])
        step = np.where(conflict, -product, 0.0)
        np.put_along_axis(each, j, np.take_along_axis(each, j, axis=-1) + step, axis=-1)
    return averaged(each, lengths), rng
