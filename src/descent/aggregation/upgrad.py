"""UPGrad: project each gradient onto the directions that harm no loss."""

import math
from functools import partial
from typing import Any

import numpy as np

from descent.aggregation.least_squares import nonnegative
from descent.aggregation.lengths import averaged, compact, directions
from descent.aggregation.rule import Rule
from descent.arguments import Array


@partial(
    Rule,
    properties={
        "non-conflicting",
        "not negative",
        "order does not matter",
        "scale does not matter",
        "linear under scaling",
        "rests only in balance",
        "deterministic",
        "memoryless",
    },
)
def upgrad(losses: Array, gradients: Array, state: Any) -> tuple[Array, Any]:
    r"""Project every gradient onto the dual cone of all of them, then average.

    .. math:: g = \frac1m \sum_i \arg\min \{ |v - \nabla l_i|^2 :
              v \cdot \nabla l_j \ge 0 \text{ for all } j \}

    of Quinton and Rey (2024). To first order no loss rises along minus the direction, and
    without conflict it is the equal sum. The weights need not sum to 1; each is at
    least 1/m.

    Notes
    -----
    The projection is :math:`\nabla l_i + \sum_j y_j \nabla l_j` with the y >= 0 that make it
    shortest, a non-negative least-squares problem that an active set solves exactly. It does
    not change when other gradients change their lengths, so that unit vectors are enough.

    Examples
    --------
    >>> import numpy as np
    >>> upgrad(np.zeros(2), np.array([[1.0, 0.0], [-1.0, 1.0]])).gradient
    array([0.25, 0.75])
    """
    m = losses.shape[-1]
    directed, lengths = directions(gradients)
    units = compact(directed).reshape(math.prod(lengths.shape[:-1]), m, -1)
    cosines = units @ units.swapaxes(-1, -2)
    coefficients = np.broadcast_to(np.eye(m), cosines.shape).copy()
    if m == 2:  # the projection on the other's complement, as in PCGrad
        coefficients += np.maximum(-cosines, 0)
    else:
        run, i = np.nonzero((cosines < 0).any(axis=-1))  # in conflict with another
        coefficients[run, i] += nonnegative(units[run].swapaxes(-1, -2), -units[run, i])
    return averaged(coefficients.reshape(*lengths.shape, m), lengths), state
