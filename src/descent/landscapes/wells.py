"""The objective of source 003: a wide well that two samples share, a pit in one of them."""

from collections.abc import Callable

import numpy as np
import numpy.typing as npt

from descent.arguments import Array, Index, check_real
from descent.landscapes.finite_sum import FiniteSum


def two_datapoint(depth: float = 1.0) -> FiniteSum:
    r"""Two samples that share a well at 2; the second has a narrow pit at 1.

    .. math:: l_0(W) = -e^{-(W-2)^2}, \qquad l_1(W) = l_0(W) - d\, e^{-100 (W-1)^2}

    Parameters
    ----------
    depth : float
        Depth d of the pit in the second loss, zero or positive.

    Returns
    -------
    FiniteSum
        The objective :math:`(l_0 + l_1)/2`, with n = 2.

    Raises
    ------
    ValueError, TypeError
        If the depth is negative, not finite or not a scalar.

    Notes
    -----
    Source: 003, post 1, "SGD and Local Minima", which has d = 1 and d = 2.

    Examples
    --------
    >>> from descent.landscapes import stationary_points
    >>> model = two_datapoint()
    >>> stationary_points(lambda w: model.gradients(w)[1], 0.5, 1.5).round(3)
    array([1.004, 1.196])
    """
    check_real("depth", depth, least=0)

    def losses(w: npt.ArrayLike) -> Array:
        x, y = np.asarray(w, float) - 1, np.asarray(w, float) - 2
        well = -np.exp(-y * y)
        return np.stack([well, well - depth * np.exp(-100 * x * x)])

    def gradients(w: npt.ArrayLike) -> Array:
        # Not by float: `descent.compiled` hands in a symbol.
        x, y = np.asarray(w) - np.float64(1), np.asarray(w) - np.float64(2)
        well = 2 * y * np.exp(-y * y)
        return np.stack([well, well + 200 * depth * x * np.exp(-100 * x * x)])

    def curvatures(w: npt.ArrayLike) -> Array:
        x, y = np.asarray(w, float) - 1, np.asarray(w, float) - 2
        well = (2 - 4 * y * y) * np.exp(-y * y)
        pit = 200 * depth * (1 - 200 * x * x) * np.exp(-100 * x * x)
        return np.stack([well, well + pit])

    def in_place_gradient(w: Array, index: Index, out: Array, work: Array) -> None:
        offset, pit = work[0, ...], work[1, ...]
        np.subtract(w, 2, out=offset)
        np.multiply(offset, offset, out=out)
        np.negative(out, out=out)
        np.exp(out, out=out)
        out *= offset
        out *= 2
        np.subtract(w, 1, out=offset)
        np.multiply(offset, offset, out=pit)
        pit *= -100
        np.exp(pit, out=pit)
        pit *= offset
        pit *= 200 * depth
        np.multiply(pit, index, out=pit)
        out += pit

    return FiniteSum(losses, gradients, curvatures, in_place_gradient)


FINITE_SUMS: dict[str, Callable[..., FiniteSum]] = {"two_datapoint": two_datapoint}
"""Every finite sum of the library by its name: a row here, and its derivatives are tested."""
