"""Weights that pursue each loss's share of the recent change."""

from functools import partial
from typing import NamedTuple

import numpy as np

from descent.aggregation.lengths import shares
from descent.aggregation.rule import Rule
from descent.arguments import Array, check_count, check_real


class SlopeState(NamedTuple):
    """The weights so far and the last losses, oldest first."""

    weights: Array
    history: tuple[Array, ...]


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
def loss_slope(
    losses: Array,
    gradients: None,
    state: SlopeState | None,
    *,
    rate: float = 0.1,
    window: int = 1,
) -> tuple[Array, SlopeState]:
    r"""Let the weights pursue the share of each loss in how fast the losses change.

    .. math:: w_i \leftarrow w_i + r \Big( \frac{s_i}{\sum_j s_j} - w_i \Big), \qquad
              s_i = \frac1k \sum_{n' = n-k+1}^{n} |l_i^{(n')} - l_i^{(n'-1)}|

    Parameters
    ----------
    rate : float
        Pursuit rate r, in (0, 1]. At 1 the weights are the shares.
    window : int
        Steps k over which the slew s_i is averaged, at least 1; fewer at the start.

    Notes
    -----
    The slew counts falls and rises alike. The first weights are equal. Source: 000, whose
    program reads "gradient magnitude" as the slope of the loss over time; the pursuit
    rate and the windows are its parameters. Not `gradient_norm`.

    Examples
    --------
    >>> import numpy as np
    >>> first = loss_slope(np.array([1.0, 1.0]), np.eye(2))
    >>> loss_slope(np.array([0.7, 0.9]), np.eye(2), first.state, rate=1.0).weights
    array([0.75, 0.25])
    """
    rate, window = check_real("rate", rate, above=0, most=1), check_count("window", window, 1)
    if state is None:
        equal = np.full(losses.shape, 1 / losses.shape[-1])
        return equal, SlopeState(equal, (losses.copy(),))
    history = (*state.history, losses.copy())[-window - 1 :]
    halves = np.stack(history) / 2  # whose differences can't overflow; shares don't see the 2
    slew = np.abs(np.diff(halves, axis=0)).mean(axis=0)
    weights = state.weights + rate * (shares(slew) - state.weights)
    return weights, SlopeState(weights, history)
