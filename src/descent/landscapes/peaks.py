"""Two functions of one variable with many peaks, to be maximized."""

import numpy as np
import numpy.typing as npt

from descent.arguments import Array, check_numbers


def sinc(x: npt.ArrayLike) -> Array:
    r"""Return the cardinal sine, highest at 0.

    .. math:: \operatorname{sinc} x = \frac{\sin x}{x}, \qquad \operatorname{sinc} 0 = 1

    Parameters
    ----------
    x : array of any shape

    Returns
    -------
    array of the shape of ``x``

    Notes
    -----
    Not ``numpy.sinc``, which is sin(πx)/(πx).

    Source: 004, "Problem of Hard Functions".

    Examples
    --------
    >>> sinc([0.0, np.pi / 2]).round(6)
    array([1.     , 0.63662])
    """
    return np.asarray(np.sinc(check_numbers("x", x) / np.pi))


def floored_sinc(x: npt.ArrayLike) -> Array:
    r"""Return a staircase with thin peaks.

    .. math:: f(x) = \lfloor 10 \operatorname{sinc} x + 4 \sin x \rfloor

    Parameters
    ----------
    x : array of any shape

    Returns
    -------
    array of the shape of ``x``
        Whole numbers, as floats. The slope is zero wherever it exists.

    Notes
    -----
    Source: 004, "Problem of Hard Functions".

    Examples
    --------
    >>> floored_sinc([0.0, 0.5, 3.2])
    array([10., 11., -1.])
    """
    x = check_numbers("x", x)
    return np.asarray(np.floor(10 * sinc(x) + 4 * np.sin(x)))
