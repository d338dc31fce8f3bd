r"""Stochastic gradient descent as a Markov chain: sampled, and as an exact operator.

One step draws a sample j uniformly and moves :math:`W' = W - T g_j(W)`. *Escape* is
the first passage of W beyond a threshold b: W = b is inside, W > b has escaped and
does not return. "Outside at step n" is another event, since W may come back.

Source: 003, post 1. It calls the step size T a temperature.
"""

import math
from collections.abc import Iterator, Sequence

import numpy as np

from descent.arguments import (
    Array,
    check_count,
    check_kind,
    check_rising_counts,
    check_start,
    check_step_size,
)
from descent.landscapes import FiniteSum, check_model
from descent.markov.transfer_operator import (
    TransferOperator,
    covering_operator,
    log_mean_absorption_time,
    reachable_interval,
)

ATOMS = 4096  # point masses that are followed exactly before they are put on a grid


def _atoms(
    model: FiniteSum, step_size: float, start: float, threshold: float, n_steps: int
) -> tuple[Array, Array, Array]:
    """Follow the point mass at ``start`` exactly while it has at most ATOMS images.

    Returns points (k,), their weights (k,), and the mass not escaped before each step.
    """
    points, weight, survival = np.array([start]), 1.0, [1.0]
    n = model.n_samples
    while len(survival) <= n_steps and len(points) > 0 and len(points) * n <= ATOMS:
        points = (points - step_size * model.gradients(points)).ravel()
        points, weight = points[points <= threshold], weight / n
        survival.append(len(points) * weight)
    if weight == 0:  # a point that escapes with even chances, until its weight underflows
        points = points[:0]
    return points, np.full(len(points), weight), np.array(survival)


def _operator(
    model: FiniteSum, step_size: float, low: float, threshold: float, per_step: int, least: int
) -> TransferOperator:
    """Operator on a grid of at least so many nodes, and so many to the step size."""
    nodes = max(least, math.ceil(per_step * (threshold - low) / step_size))
    return covering_operator(model, step_size=step_size, low=low, threshold=threshold, nodes=nodes)


def escape_curve(
    model: FiniteSum,
    *,
    step_size: float,
    n_steps: int,
    start: float,
    threshold: float,
    nodes: int = 20_000,
) -> Array:
    r"""Probability of having escaped by each step: P(min {k : W_k > b} <= n).

    The first steps, while the start has at most ATOMS images, are exact; the others
    use the transfer operator. Once the law of the survivors no longer changes, a
    constant fraction escapes each step and the rest of the curve is a geometric sum.

    Parameters
    ----------
    model : FiniteSum
        The objective.
    step_size : float
        T > 0, in units of w² per loss.
    n_steps : int
        Number of steps, zero or more.
    start, threshold : float
        start <= threshold = b.
    nodes : int
        Least number of nodes of the grid; small step sizes use more.

    Returns
    -------
    array (n_steps + 1,)
        The probabilities at steps 0 … ``n_steps``; zero where the threshold cannot be reached.

    Raises
    ------
    ValueError, TypeError
        If an argument is out of its range, or walkers run away to the left.

    Notes
    -----
    This is the chance of a first passage, not of being outside at step n. Small
    probabilities are sums of escaping mass, never one minus a survival.

    Source: 003, post 1, "Monte Carlo" (there estimated by sampling).

    Examples
    --------
    >>> from descent.landscapes import two_datapoint
    >>> curve = escape_curve(
    ...     two_datapoint(), step_size=0.02, n_steps=100, start=1.0, threshold=1.196
    ... )
    >>> float(curve[100].round(2))
    0.5
    """
    check_model(model)
    step_size, n_steps = check_step_size(step_size), check_count("n_steps", n_steps)
    nodes = check_count("nodes", nodes, 2)
    start, threshold = check_start(start, threshold)
    points, weights, survival = _atoms(model, step_size, start, threshold, n_steps)
    curve = np.empty(n_steps + 1)
    known = len(survival)
    curve[:known] = 1 - survival
    if known > n_steps:
        return curve
    curve[known:] = curve[known - 1]
    low, high = reachable_interval(model, step_size=step_size, start=start, threshold=threshold)
    if len(points) == 0 or high < threshold:
        return curve
    operator = _operator(model, step_size, low, threshold, 40, nodes)
    steps = _settle(operator, operator.deposit(points, weights))
    for n, (mass, rate, settled) in enumerate(steps, start=known):
        survivors = mass.sum()
        if settled:
            escaped = -survivors * np.expm1(np.arange(1, n_steps - n + 2) * np.log1p(-rate))
            curve[n:] = curve[n - 1] + escaped
            break
        curve[n:] = curve[n - 1] + survivors * rate
        if n == n_steps:
            break
    return np.minimum(curve, 1.0)  # the sum may pass 1 by a rounding error


def escape_probability(
    model: FiniteSum, *, step_size: float, n_steps: int, start: float, threshold: float
) -> float:
    """Probability of having escaped within n steps: the end of `escape_curve`.

    Parameters, errors and method are those of `escape_curve`.

    Returns
    -------
    float
        P(min {k : W_k > threshold} <= n_steps).

    Examples
    --------
    >>> from descent.landscapes import two_datapoint
    >>> escape_probability(
    ...     two_datapoint(), step_size=0.05, n_steps=5, start=1.0, threshold=1.19596
    ... )
    0.0625
    """
    return float(
        escape_curve(model, step_size=step_size, n_steps=n_steps, start=start, threshold=threshold)[
            -1
        ]
    )


def laws(operator: TransferOperator, *, start: float, steps: Sequence[int]) -> Array:
    """Law of the walkers that have not escaped, after given numbers of steps.

    Parameters
    ----------
    operator : TransferOperator
        The killed chain.
    start : float
        Where all walkers start, on the grid.
    steps : sequence of int
        Rising numbers of steps.

    Returns
    -------
    array (len(steps), N)
        Mass on each node; row sums are the probabilities of survival. Divide by the
        spacing of the nodes for a density.

    Raises
    ------
    ValueError, TypeError
        If ``steps`` does not rise or the start lies off the grid.

    Examples
    --------
    >>> from descent.landscapes import two_datapoint
    >>> operator = TransferOperator(
    ...     two_datapoint(), step_size=0.02, grid=np.linspace(0.8, 1.196, 1001)
    ... )
    >>> laws(operator, start=1.0, steps=[0, 100]).sum(axis=1).round(2)
    array([1. , 0.5])
    """
    check_kind("operator", operator, TransferOperator)
    steps = check_rising_counts("steps", steps)
    check_start(start, float(operator.grid[-1]))
    mass, rows = operator.deposit([start], [1.0]), []
    for n in range(steps[-1] + 1):
        if n in steps:
            rows.append(mass)
        mass = operator.step(mass)
    return np.array(rows)


def quasi_stationary(
    operator: TransferOperator, *, max_steps: int = 100_000
) -> tuple[Array, float]:
    r"""Law that keeps its shape while it escapes: :math:`p Q = (1 - \kappa) p`, sum p = 1.

    Parameters
    ----------
    operator : TransferOperator
        The killed chain Q.
    max_steps : int
        Longest power iteration.

    Returns
    -------
    law : array (N,)
        The leading left eigenvector, normalized to sum 1.
    rate : float
        Escape probability κ per step; 1/κ is the mean time of escape from this law.

    Raises
    ------
    RuntimeError
        If the law still changes after ``max_steps``, or nothing escapes.

    Notes
    -----
    It is the law given survival, the limit of Yaglom. It is not the stationary law of
    the chain, which lies wholly outside the pit.

    Examples
    --------
    >>> from descent.landscapes import two_datapoint
    >>> operator = TransferOperator(
    ...     two_datapoint(), step_size=0.02, grid=np.linspace(0.8, 1.196, 1001)
    ... )
    >>> law, rate = quasi_stationary(operator)
    >>> round(1 / rate)
    132
    """
    check_kind("operator", operator, TransferOperator)
    check_count("max_steps", max_steps, 1)
    size = len(operator.grid)
    for n, (mass, rate, settled) in enumerate(_settle(operator, np.full(size, 1 / size))):
        if settled:
            return mass / mass.sum(), rate
        if n == max_steps:
            break
    raise RuntimeError(f"no quasi-stationary law found in {max_steps} steps")


def _settle(operator: TransferOperator, mass: Array) -> Iterator[tuple[Array, float, bool]]:
    """Yield the mass, its escape rate, and whether its law is final, step after step."""
    rate = 0.0
    while (total := mass.sum()) > 0:
        previous, rate = rate, operator.escaping(mass) / total
        after = operator.step(mass)
        # The rate is watched as well as the law: it lives in the far tail of the law.
        settled = 0 < rate < 1 and abs(rate - previous) <= 1e-12 * rate
        settled = settled and np.abs(after / (1 - rate) - mass).sum() <= 1e-11 * total
        yield mass, rate, settled
        mass = after


def log_mean_first_passage_time(
    model: FiniteSum, *, step_size: float, start: float, threshold: float
) -> float:
    r"""Natural log of the mean step of escape, ln E min {n : W_n > b}.

    .. math:: \tau(W) = 1 + \frac1n \sum_j \tau(W - T g_j(W)), \qquad \tau = 0 \text{ beyond } b

    Solved on the transfer operator without subtraction (`log_mean_absorption_time`),
    on two grids that are extrapolated in the square of the spacing; the first steps,
    while the start has at most ATOMS images, are exact. The result is a logarithm
    because the time itself overflows for small T.

    Parameters
    ----------
    model : FiniteSum
        The objective.
    step_size : float
        T > 0, in units of w² per loss.
    start, threshold : float
        start <= threshold = b.

    Returns
    -------
    float
        ln τ.

    Raises
    ------
    ValueError, TypeError
        If an argument is out of its range, the threshold cannot be reached, walkers run
        away to the left, or they reach points whose gradients underflow to zero.

    Notes
    -----
    The error is below 0.002 for the two-datapoint objective and T from 0.0005 to 0.05.
    Above that the chain is chaotic: the grid resolves ln τ to about 0.01 at T = 0.3, and
    to a few tenths at T = 1 for starts from which walkers are thrown far to the left.

    Source: 003, post 1, asks why the log of the number of steps looks like a function
    of T; `descent.large_deviations` has the law.

    Examples
    --------
    >>> from descent.landscapes import two_datapoint
    >>> log_time = log_mean_first_passage_time(
    ...     two_datapoint(), step_size=0.01, start=1.0, threshold=1.19596
    ... )
    >>> round(log_time, 2)
    15.16
    """
    check_model(model)
    step_size = check_step_size(step_size)
    start, threshold = check_start(start, threshold)
    points, weights, survival = _atoms(model, step_size, start, threshold, ATOMS)
    exact = survival[:-1].sum()
    if len(points) == 0:
        return float(np.log(exact))
    low, high = reachable_interval(model, step_size=step_size, start=start, threshold=threshold)
    if high < threshold:
        raise ValueError(
            f"threshold={threshold!r} cannot be reached from start={start!r}: "
            f"the chain stays below {high:.9g}"
        )
    estimates = []
    for per_step, least in ((20, 750), (40, 1500)):
        operator = _operator(model, step_size, low, threshold, per_step, least)
        estimates.append(log_mean_absorption_time(operator, operator.deposit(points, weights)))
    coarse, fine = estimates
    return float(np.logaddexp(np.log(exact), fine + (fine - coarse) / 3))


def mean_first_passage_time(
    model: FiniteSum, *, step_size: float, start: float, threshold: float
) -> float:
    """Mean step of escape, E min {n : W_n > threshold}.

    Parameters, method and errors are those of `log_mean_first_passage_time`.

    Returns
    -------
    float
        τ in steps.

    Raises
    ------
    OverflowError
        If τ exceeds the range of a float; its logarithm does not.

    Examples
    --------
    >>> from descent.landscapes import two_datapoint
    >>> time = mean_first_passage_time(
    ...     two_datapoint(), step_size=0.01, start=1.0, threshold=1.19596
    ... )
    >>> round(time, -3)
    3820000.0
    """
    return math.exp(
        log_mean_first_passage_time(model, step_size=step_size, start=start, threshold=threshold)
    )
