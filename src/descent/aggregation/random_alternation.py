"""One loss at a time, drawn at random: mini-batches of size one."""

from functools import partial

import numpy as np

from descent.aggregation.rule import Rule, generator
from descent.arguments import Array


@partial(
    Rule,
    needs_gradients=False,
    properties={
        "sums to one",
        "not negative",
        "scale does not matter",
        "linear under scaling",
        "memoryless",
    },
)
def random_alternation(
    losses: Array, gradients: None, state: np.random.Generator
) -> tuple[Array, np.random.Generator]:
    r"""Follow one loss, drawn anew at each step with equal chances.

    .. math:: w = e_I, \quad I \sim \text{uniform on } 1..m

    Its mean is the equal sum, and its noise has covariance
    :math:`\frac1m \sum_i \nabla l_i \nabla l_i^T - \bar g \bar g^T`, which vanishes only
    where all gradients agree. `matched_noise` is the control with the same covariance.

    Examples
    --------
    >>> import numpy as np
    >>> random_alternation(np.zeros(2), np.eye(2), np.random.default_rng(0)).weights
    array([0., 1.])
    """
    rng, m = generator(state, "random_alternation"), losses.shape[-1]
    return np.eye(m)[rng.integers(m, size=losses.shape[:-1])], rng
