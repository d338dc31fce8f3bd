"""Weights inverse to the length of the gradient."""

from typing import Any

import numpy as np

from descent.aggregation.rule import Rule, norms, shares
from descent.arguments import Array

_SMALLEST = 1e-9  # of the longest gradient: a loss that is at rest takes nearly all the weight


@Rule
def inverse_gradient_norm(losses: Array, gramian: Array, state: Any) -> tuple[Array, Any]:
    r"""Give every loss a push of the same length.

    .. math:: w_i = \frac{1/|\nabla l_i|}{\sum_j 1/|\nabla l_j|}

    All :math:`w_i \nabla l_i` have one length, the harmonic mean of the lengths divided
    by m. The direction therefore vanishes wherever a single loss is stationary.

    Examples
    --------
    >>> import numpy as np
    >>> inverse_gradient_norm(np.zeros(2), np.array([[1.0, 0.0], [0.0, 3.0]])).gradient
    array([0.75, 0.75])
    """
    lengths = norms(gramian)
    longest = lengths.max(axis=-1, keepdims=True)
    relative = lengths / np.where(longest > 0, longest, 1.0)
    return shares(1 / np.maximum(relative, _SMALLEST)), state
