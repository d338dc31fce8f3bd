"""The equal sum of the losses: unitary scalarization."""

from functools import partial
from typing import Any

import numpy as np

from descent.aggregation.rule import Rule
from descent.arguments import Array


@partial(
    Rule,
    needs_gradients=False,
    properties={
        "sums to one",
        "not negative",
        "order does not matter",
        "scale does not matter",
        "linear under scaling",
        "rests only in balance",
        "deterministic",
        "memoryless",
    },
)
def equal_sum(losses: Array, gradients: None, state: Any) -> tuple[Array, Any]:
    r"""Follow the gradient of the mean loss.

    .. math:: w_i = 1/m

    The sum and the mean differ by a factor that belongs to the step size.

    Examples
    --------
    >>> import numpy as np
    >>> equal_sum(np.zeros(2), np.array([[1.0, 0.0], [0.0, 3.0]])).gradient
    array([0.5, 1.5])
    """
    return np.full(losses.shape, 1 / losses.shape[-1]), state
