"""Weights inverse to the length of the gradient."""

from functools import partial
from typing import Any

from descent.aggregation.lengths import inverse_shares, norms
from descent.aggregation.rule import Rule
from descent.arguments import Array


@partial(
    Rule,
    properties={
        "sums to one",
        "not negative",
        "order does not matter",
        "scale does not matter",
        "deterministic",
        "memoryless",
    },
)
def inverse_gradient_norm(losses: Array, gradients: Array, state: Any) -> tuple[Array, Any]:
    r"""Give every loss a push of the same length.

    .. math:: w_i = \frac{1/|\nabla l_i|}{\sum_j 1/|\nabla l_j|}

    All :math:`w_i \nabla l_i` have one length, the harmonic mean of the lengths divided
    by m. The direction therefore vanishes wherever a single loss is stationary: that
    loss takes all the weight.

    Examples
    --------
    >>> import numpy as np
    >>> inverse_gradient_norm(np.zeros(2), np.array([[1.0, 0.0], [0.0, 3.0]])).gradient
    array([0.75, 0.75])
    """
    return inverse_shares(norms(gradients)), state
