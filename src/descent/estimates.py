"""What a sample tells: a mean with its standard error, a success rate with its interval."""

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike
from scipy.stats import binomtest, norm

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


class ClusteredRate(NamedTuple):
    """A success rate of runs in groups, with its interval and what lies between the groups."""

    share: float
    low: float
    high: float
    between: float


def clustered_rate(outcomes: ArrayLike) -> ClusteredRate:
    r"""Return the success rate of groups of runs, with a 95 % interval that respects the groups.

    Runs of one group are alike, so n runs tell less than n independent ones:

    .. math:: n_e = \frac{n}{1 + (m - 1) \rho}, \qquad
        \rho = \frac{B - W}{B + (m - 1) W},

    with m runs a group and the mean squares B between and W within the groups (Kish 1965;
    the estimate of ρ by analysis of variance, cut to 0 … 1). The interval is Wilson's for nₑ
    runs. Where all outcomes are the same ρ cannot be seen, and each group counts as one run.

    Parameters
    ----------
    outcomes : array_like of bool, shape (groups, m)
        The runs of each group; m ≥ 1, two groups at least.

    Returns
    -------
    ClusteredRate
        The share of successes, the ends of its interval, and ρ: the share of the variance of an
        outcome that lies between the groups. It is 1 where the repeats of a group always agree.

    Raises
    ------
    ValueError
        If there are fewer than two groups, or no runs.

    Examples
    --------
    >>> agree = clustered_rate([[True, True], [False, False], [True, True], [True, True]])
    >>> agree.share, agree.between
    (0.75, 1.0)
    >>> round(agree.low, 6) == round(wilson(3, 4)[0], 6)
    True
    """
    hits = check_array("outcomes", outcomes, ("groups", "runs"))
    if len(hits) < 2 or not hits.size:
        raise ValueError(f"outcomes must be runs of two groups at least; got shape {hits.shape}")
    if not np.isin(hits, (0, 1)).all():
        raise ValueError(f"outcomes must be true or false; got {hits!r}")
    groups, m = hits.shape
    share, means = hits.mean(), hits.mean(axis=1)
    between = m * np.sum((means - share) ** 2) / (groups - 1)
    within = np.sum((hits - means[:, None]) ** 2) / (groups * max(m - 1, 1))
    total = between + (m - 1) * within
    rho = float(np.clip((between - within) / total, 0, 1)) if total > 0 and m > 1 else 1.0
    n = hits.size / (1 + (m - 1) * rho)
    z = norm.ppf(0.975)
    middle = (share + z**2 / (2 * n)) / (1 + z**2 / n)
    half = z / (1 + z**2 / n) * np.sqrt(share * (1 - share) / n + z**2 / (4 * n**2))
    # Where all runs agree, one end is the share itself, which rounding misses by a digit.
    low = min(max(float(middle - half), 0.0), float(share))
    high = max(min(float(middle + half), 1.0), float(share))
    return ClusteredRate(float(share), low, high, rho)
