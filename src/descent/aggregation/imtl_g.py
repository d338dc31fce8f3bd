"""IMTL-G: the combination that all gradients share alike."""

from functools import partial
from typing import Any

import numpy as np

from descent.aggregation.lengths import compact, directions, inverses, scaled
from descent.aggregation.pseudo_inverse import pseudo_inverse
from descent.aggregation.rule import Rule
from descent.arguments import Array

RANK = 1e-7
"""Unit vectors whose smallest singular value is below this share of the largest are dependent."""


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
def imtl_g(losses: Array, gradients: Array, state: Any) -> tuple[Array, Any]:
    r"""Take the direction with equal projections on all gradients.

    .. math:: g \cdot u_1 = \dots = g \cdot u_m, \quad \sum_i w_i = 1, \qquad
              w_i \propto c_i / |\nabla l_i|, \quad c = C^+ \mathbf 1

    with unit vectors u and their cosines C, of which :math:`C^+` is the pseudo-inverse, as in
    Quinton and Rey (2024): where the gradients are dependent, the projections are equal as
    nearly as can be. Where the unit vectors sum to zero, or the weights do, all weights are 0.

    Notes
    -----
    Liu et al., "Towards impartial multi-task learning" (2021), the part for gradients. A
    weight may be negative, and minus the direction may raise a loss. A gradient of length 0
    has the weight 0.

    Examples
    --------
    >>> import numpy as np
    >>> imtl_g(np.zeros(2), np.array([[1.0, 0.0], [0.0, 3.0]])).gradient
    array([0.75, 0.75])
    """
    directed, lengths = directions(gradients)
    units = compact(directed)
    if not units.shape[-1]:
        return np.zeros(losses.shape), state
    axes, inverse, ones = pseudo_inverse(units, RANK)
    coefficients = (axes * (ones * inverse**2)[..., None, :]).sum(axis=-1)
    amounts = scaled(coefficients * inverses(lengths))[0]
    total = amounts.sum(axis=-1, keepdims=True)
    none = np.abs(total) <= 1e-12 * np.abs(amounts).sum(axis=-1, keepdims=True)
    return np.where(none, 0.0, amounts / np.where(none, 1.0, total)), state
