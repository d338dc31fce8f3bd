"""Where the gradient of a function of one variable vanishes."""

from collections.abc import Callable

import numpy as np
import numpy.typing as npt
from scipy.optimize import brentq

from descent.arguments import Array, check_array, check_callable, check_count, check_real


def stationary_points(
    gradient: Callable[[npt.ArrayLike], npt.ArrayLike], low: float, high: float, n: int = 2001
) -> Array:
    """Zeros of a gradient on an interval, sorted: gradient(w) = 0.

    The interval is scanned on ``n`` equal points and every change of sign is
    refined by Brent's method. Zeros without a change of sign, and pairs of zeros
    closer than the scan, are missed.

    Parameters
    ----------
    gradient : callable
        Takes an array ``(n,)`` or a scalar, returns the same shape.
    low, high : float
        Ends of the interval, low < high.
    n : int
        Number of points of the scan, at least 2.

    Returns
    -------
    array (k,)
        The zeros. A zero where the gradient rises is a minimum, where it falls a
        maximum.

    Raises
    ------
    ValueError, TypeError
        If the interval is empty or not finite, the gradient is not finite on it, or
        n < 2.

    Examples
    --------
    >>> stationary_points(np.sin, -4, 4)
    array([-3.14159265,  0.        ,  3.14159265])
    """
    check_callable("gradient", gradient)
    if not check_real("low", low) < check_real("high", high):
        raise ValueError(f"low must be less than high; got low={low!r}, high={high!r}")
    w = np.linspace(low, high, check_count("n", n, 2))
    value = check_array("gradient", gradient(w), w.shape)
    # Points of the scan that are zeros themselves are skipped over: the sign changes
    # between their neighbours.
    (nonzero,) = np.nonzero(value)
    (change,) = np.nonzero(np.diff(np.sign(value[nonzero])))
    return np.array(
        [brentq(gradient, w[nonzero[k]], w[nonzero[k + 1]], xtol=1e-15, rtol=1e-15) for k in change]
    )
