"""The loss with the longest gradient alone."""

from functools import partial
from typing import Any

import numpy as np

from descent.aggregation.lengths import norms
from descent.aggregation.rule import Rule
from descent.arguments import Array


@partial(
    Rule,
    properties={
        "sums to one",
        "not negative",
        "scale does not matter",
        "rests only in balance",
        "deterministic",
        "memoryless",
    },
)
def largest_gradient(losses: Array, gradients: Array, state: Any) -> tuple[Array, Any]:
    r"""Follow the loss with the longest gradient.

    .. math:: w_i = 1 \text{ for } i = \arg\max_j |\nabla l_j|, \text{ else } 0

    The first of several equal ones counts. The direction jumps where the longest
    gradient changes: a switching system. Source: 000, last paragraph, "the layer with
    the largest gradient at each point".

    Examples
    --------
    >>> import numpy as np
    >>> largest_gradient(np.zeros(2), np.array([[1.0, 0.0], [0.0, 3.0]])).gradient
    array([0., 3.])
    """
    chosen = np.argmax(norms(gradients), axis=-1)
    return np.eye(losses.shape[-1])[chosen], state
