"""Weights in proportion to the length of the gradient."""

from functools import partial
from typing import Any

from descent.aggregation.lengths import norms, shares
from descent.aggregation.rule import Rule
from descent.arguments import Array


@partial(
    Rule,
    properties={
        "sums to one",
        "not negative",
        "order does not matter",
        "scale does not matter",
        "rests only in balance",
        "deterministic",
        "memoryless",
    },
)
def gradient_norm(losses: Array, gradients: Array, state: Any) -> tuple[Array, Any]:
    r"""Weigh each loss by the length of its gradient, so that what has bottomed out is ignored.

    .. math:: w_i = \frac{|\nabla l_i|}{\sum_j |\nabla l_j|}

    Source: 000, "weighted by the gradient magnitude", read in the space of parameters.
    Not `loss_slope`, which reads the magnitude from the history of the loss.

    Examples
    --------
    >>> import numpy as np
    >>> gradient_norm(np.zeros(2), np.array([[1.0, 0.0], [0.0, 3.0]])).weights
    array([0.25, 0.75])
    """
    return shares(norms(gradients)), state
