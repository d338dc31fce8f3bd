"""Dynamic weight average: more weight to the losses that shrink least, as a ratio."""

from functools import partial

import numpy as np

from descent.aggregation.rule import Rule, check_previous, softmax
from descent.arguments import Array, check_real

_SMALLEST = 1e-12  # keeps the ratio finite once a loss has reached 0


@partial(Rule, needs_gradients=False)
def dwa(
    losses: Array, gramian: None, state: Array | None, *, temperature: float = 2.0
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
    floored = np.maximum(losses, _SMALLEST)
    return softmax(floored / (floored if state is None else state) / temperature), floored
