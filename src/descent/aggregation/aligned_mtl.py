"""Aligned-MTL: gradients turned until they are orthogonal and of one length."""

from functools import partial
from typing import Any

import numpy as np

from descent.aggregation.lengths import compact, scaled
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
    left, values, _ = np.linalg.svd(rows, full_matrices=False)
    kept = (values > RANK * values.max(axis=-1, keepdims=True)) & (values > 0)
    least = np.where(kept, values, np.inf).min(axis=-1, keepdims=True)
    ratio = np.where(kept, least / np.where(kept, values, 1.0), 0.0)
    ones = left.sum(axis=-2)  # of each direction's entries
    ones = np.where(np.abs(ones) < 1e-13, 0.0, ones)  # rounding, where the gradients sum to 0
    weights = (left * (ratio * ones)[..., None, :]).sum(axis=-1) / m
    return np.where(kept.any(axis=-1, keepdims=True), weights, 1 / m), state
