"""What a sample tells: a mean with its standard error, a success rate with its interval."""

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike
from scipy.stats import binomtest

from descent.arguments import check_array, check_count


class Mean(NamedTuple):
    """A mean of independent numbers and its standard error."""

    value: float
    error: float


def mean_with_error(samples: ArrayLike) -> Mean:
    r"""Return the mean of independent numbers and its standard error.

    .. math:: \bar x \pm \frac{s}{\sqrt n}, \qquad s^2 = \frac{1}{n - 1} \sum_i (x_i - \bar x)^2

    Parameters
    ----------
    samples : array_like, shape (n,)
        At least two numbers.

    Examples
    --------
    >>> mean_with_error([1.0, 2.0, 3.0, 6.0]).value
    3.0
    """
    x = check_array("samples", samples, ("n",))
    if len(x) < 2:
        raise ValueError(f"samples must be two numbers at least; got {len(x)}")
    return Mean(float(x.mean()), float(x.std(ddof=1) / np.sqrt(len(x))))


def wilson(successes: int, runs: int) -> tuple[float, float]:
    """Return the ends of the 95 % Wilson interval of a success rate.

    Parameters
    ----------
    successes, runs : int
        0 ≤ successes ≤ runs, runs ≥ 1.

    Notes
    -----
    Unlike share ± two standard errors it stays between 0 and 1, and has a width where all
    runs or none succeed. Wilson (1927).

    Examples
    --------
    >>> low, high = wilson(20, 20)
    >>> round(low, 3), high
    (0.839, 1.0)
    """
    successes, runs = check_count("successes", successes), check_count("runs", runs, 1)
    if successes > runs:
        raise ValueError(f"successes must not exceed runs={runs}; got {successes}")
    interval = binomtest(successes, runs).proportion_ci(method="wilson")
    return float(interval.low), float(interval.high)
