"""SoftAdapt: more weight to the losses that fall least."""

from functools import partial

import numpy as np

from descent.aggregation.lengths import shares, softmax
from descent.aggregation.rule import Rule, check_previous
from descent.arguments import Array, check_real


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
    },
)
def softadapt(
    losses: Array, gradients: None, state: Array | None, *, beta: float = 1.0
) -> tuple[Array, Array]:
    r"""Weigh by the change of the loss since the last step, through a softmax.

    .. math:: w = \operatorname{softmax}(\beta\, c), \qquad
              c_i = \frac{l_i - l_i^{\text{prev}}}{\sum_j |l_j - l_j^{\text{prev}}|}

    the normalized variant of Heydari, Thompson and Mehmood (2019). Positive β favours
    what falls least or rises, the opposite of `loss_slope`. The first weights are equal.

    Examples
    --------
    >>> import numpy as np
    >>> first = softadapt(np.array([1.0, 1.0]), np.eye(2))
    >>> softadapt(np.array([0.7, 0.9]), np.eye(2), first.state).weights.round(4)
    array([0.3775, 0.6225])
    """
    check_real("beta", beta)
    check_previous(state, losses)
    change = losses / 2 - (losses if state is None else state) / 2  # halves: it can't overflow
    return softmax(beta * np.sign(change) * shares(np.abs(change))), losses.copy()
