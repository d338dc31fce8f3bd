"""Dynamic weight average: more weight to the losses that shrink least, as a ratio."""

from functools import partial

import numpy as np

from descent.aggregation.lengths import softmax
from descent.aggregation.rule import Rule, check_previous
from descent.arguments import Array, check_array, check_real

_SMALLEST = 1e-12  # of the largest loss: keeps the ratio finite once a loss has reached 0


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
def dwa(
    losses: Array, gradients: None, state: Array | None, *, temperature: float = 2.0
) -> tuple[Array, Array]:
    r"""Weigh by the ratio of the loss to what it was a step before, through a softmax.

    .. math:: w = \operatorname{softmax}(r / \tau), \qquad r_i = l_i / l_i^{\text{prev}}

    of Liu, Johns and Davison (2019), whose weights sum to m instead of 1, and whose
    steps are epochs. Losses must not be negative. The first weights are equal.

    Examples
    --------
    >>> import numpy as np
    >>> first = dwa(np.array([1.0, 1.0]), np.eye(2))
    >>> dwa(np.array([0.5, 1.0]), np.eye(2), first.state).weights.round(4)
    array([0.4378, 0.5622])
    """
    check_real("temperature", temperature, above=0)
    check_previous(state, losses)
    if (losses < 0).any():
        raise ValueError(f"losses must not be negative; got {losses.min()}")
    before = losses if state is None else check_array("state", state)
    largest = np.maximum(losses, before).max(axis=-1, keepdims=True)
    # the second floor counts where even the largest loss is 0
    least = np.maximum(_SMALLEST * largest, np.finfo(float).tiny)
    ratio = np.maximum(losses, least) / np.maximum(before, least)
    return softmax(ratio / temperature), losses.copy()
