"""A weighted sum whose weights never change."""

from functools import partial
from typing import Any

import numpy as np
import numpy.typing as npt

from descent.aggregation.rule import Rule
from descent.arguments import Array, check_array


@partial(
    Rule,
    needs_gradients=False,
    properties={
        "not negative",
        "scale does not matter",
        "linear under scaling",
        "deterministic",
        "memoryless",
    },
)
def fixed_weights(
    losses: Array, gradients: None, state: Any, *, weights: npt.ArrayLike
) -> tuple[Array, Any]:
    r"""Follow the gradient of a weighted sum, :math:`\sum_i w_i l_i`.

    The weights (m,) are taken as they are: positive, of any sum.

    Examples
    --------
    >>> import numpy as np
    >>> fixed_weights(np.zeros(2), np.eye(2), weights=[0.9, 0.1]).gradient
    array([0.9, 0.1])
    """
    given = check_array("weights", weights)
    if given.shape != losses.shape[-1:] or not (given >= 0).all():
        raise ValueError(
            f"weights must be {losses.shape[-1]} numbers that are not negative; got {weights!r}"
        )
    return np.broadcast_to(given, losses.shape).copy(), state
