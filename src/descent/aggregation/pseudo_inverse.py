"""The pseudo-inverse of m gradients, where dependent ones are told apart from rounding."""

from typing import NamedTuple

import numpy as np

from descent.arguments import Array


class PseudoInverse(NamedTuple):
    r"""What is needed of :math:`U S^+ V^{\mathsf T}`, the pseudo-inverse of the rows' transpose.

    Attributes
    ----------
    axes : array (..., m, r)
        U, a column for each singular value.
    values : array (..., r)
        Inverses of the singular values, 0 for those that count as 0.
    ones : array (..., r)
        :math:`U^{\mathsf T} \mathbf 1`; 0 where nothing but rounding is left of it.
    """

    axes: Array
    values: Array
    ones: Array


def pseudo_inverse(rows: Array, rank: float) -> PseudoInverse:
    """Return it of rows (..., m, k) of order 1.

    Singular values below the share ``rank`` of the largest count as 0.

    Examples
    --------
    >>> import numpy as np
    >>> pseudo_inverse(np.diag([4.0, 2.0, 1e-9]), 1e-6).values
    array([0.25, 0.5 , 0.  ])
    """
    axes, values, _ = np.linalg.svd(rows, full_matrices=False)
    kept = values > rank * values.max(axis=-1, keepdims=True)
    ones = axes.sum(axis=-2)
    ones = np.where(np.abs(ones) < 1e-13, 0.0, ones)  # where the rows sum to 0
    return PseudoInverse(axes, np.where(kept, 1 / np.where(kept, values, 1.0), 0.0), ones)
