"""Aligned-MTL: gradients turned until they are orthogonal and of one length."""

from functools import partial
from typing import Any

import numpy as np

from descent.aggregation.lengths import compact, scaled
from descent.aggregation.pseudo_inverse import pseudo_inverse
from descent.aggregation.rule import Rule
from descent.arguments import Array

RANK = 1e-6
"""Singular values below this share of the largest count as 0."""


@partial(
    Rule,
    properties={
        "order does not matter",
        "scale does not matter",
        "rests only in balance",
        "deterministic",
        "memoryless",
    },
)
def aligned_mtl(losses: Array, gradients: Array, state: Any) -> tuple[Array, Any]:
    r"""Average the nearest orthogonal set of gradients, each as long as the least direction.

    .. math:: g = \frac1m \sum_i \hat g_i, \quad \hat J = \sigma_{\min}\, U V^{\mathsf T},
              \qquad w = \frac{\sigma_{\min}}m\, U S^{-1} U^{\mathsf T} \mathbf 1

    for the Jacobian :math:`J = U S V^{\mathsf T}` of rank r with :math:`\sigma_{\min}` its
    least singular value that is not 0.

    Notes
    -----
    Senushkin et al., "Independent component alignment for multi-task learning" (2023),
    algorithm 1 with equal preferences. All gradients count alike whatever their lengths, as
    long as these are independent, and the step is as short as the least direction.

    Examples
    --------
    >>> import numpy as np
    >>> aligned_mtl(np.zeros(2), np.array([[1.0, 0.0], [0.0, 3.0]])).gradient
    array([0.5, 0.5])
    """
    m = losses.shape[-1]
    rows = compact(scaled(gradients, (-2, -1))[0]) if gradients.shape[-1] else gradients
    if not rows.shape[-1]:
        return np.full(losses.shape, 1 / m), state
    axes, inverse, ones = pseudo_inverse(rows, RANK)
    largest = inverse.max(axis=-1, keepdims=True)  # 1 / σ_min
    ratio = inverse / np.where(largest > 0, largest, 1.0)
    weights = (axes * (ratio * ones)[..., None, :]).sum(axis=-1) / m
    return np.where(largest > 0, weights, 1 / m), state
