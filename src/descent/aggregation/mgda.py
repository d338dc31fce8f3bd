"""MGDA: the shortest convex combination of the gradients."""

from functools import partial
from typing import Any

import numpy as np

from descent.aggregation.least_squares import nonnegative
from descent.aggregation.lengths import compact, directions, inverses, scaled, shares
from descent.aggregation.rule import Rule
from descent.arguments import Array


@partial(
    Rule,
    properties={
        "non-conflicting",
        "descends on every loss",
        "sums to one",
        "not negative",
        "order does not matter",
        "scale does not matter",
        "deterministic",
        "memoryless",
    },
)
def mgda(losses: Array, gradients: Array, state: Any) -> tuple[Array, Any]:
    r"""Take the point of the gradients' convex hull that is nearest to zero.

    .. math:: w = \arg\min \Big\{ \big|\textstyle\sum_i w_i \nabla l_i\big|^2 :
              w_i \ge 0,\ \sum_i w_i = 1 \Big\}

    Minus the direction g descends on every loss, :math:`g \cdot \nabla l_i \ge |g|^2`, or is
    0 where none does (Désidéri 2012). The program is solved exactly: in closed form for two
    losses, else by an active set. What rounding leaves in g is small beside the shortest
    gradient, however long the others are.

    Notes
    -----
    Up to its length, w is the solution of a non-negative least-squares problem:
    :math:`\min_{y \ge 0} |\sum_i y_i \nabla l_i|^2 + (\sum_i y_i - 1)^2` equals, for
    y = s w, :math:`s^2 |g|^2 + (s - 1)^2`, and its minimum over s grows with :math:`|g|`.
    Where several weights make the same g, one of them is returned. Sener and Koltun (2018)
    take steps of Frank and Wolfe instead, whose error falls like one over their number.

    Examples
    --------
    >>> import numpy as np
    >>> mgda(np.zeros(2), np.array([[1.0, 0.0], [0.0, 2.0]])).gradient
    array([0.8, 0.4])
    """
    m = losses.shape[-1]
    if m == 2 and gradients.shape[-1]:
        return shares(_two(scaled(gradients, (-2, -1))[0])), state
    units, lengths = directions(gradients)
    units = compact(units)
    inverse = inverses(lengths)
    # |Σ y_i ∇l_i|² + (Σ y_i - 1)² in the variables z_i = y_i |∇l_i|, to a factor
    columns = np.concatenate([units, inverse[..., None]], axis=-1).swapaxes(-1, -2)
    columns = columns.reshape(-1, *columns.shape[-2:])
    target = np.broadcast_to(np.append(np.zeros(units.shape[-1]), 1.0), columns.shape[:2])
    z = nonnegative(columns, target).reshape(losses.shape)
    at_rest = lengths == 0
    return shares(np.where(at_rest.any(axis=-1, keepdims=True), at_rest, z * inverse)), state


def _two(gradients: Array) -> Array:
    """Return (∇l_2 - ∇l_1)·∇l_2 and its mirror image, in proportion to the two weights."""
    apart = gradients[..., ::-1, :] - gradients
    amounts = np.maximum((apart * gradients[..., ::-1, :]).sum(axis=-1), 0)
    return np.asarray(amounts)
