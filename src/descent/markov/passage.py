r"""How long walkers take to escape: mean first passage times, as logarithms."""

import math
from typing import Literal, overload

import numpy as np

from descent.arguments import Array, check_flag, check_real, check_step_size
from descent.landscapes import FiniteSum, check_model
from descent.markov.cloud import follow
from descent.markov.escape import ATOMS, Beginning, beginning
from descent.markov.intervals import (
    Threshold,
    absorbing_sides,
    check_exits,
    largest_step,
    reachable_interval,
    unreachable,
)
from descent.markov.lasting import Lasting
from descent.markov.phases import unknown_part
from descent.markov.refined_clouds import ToleranceError
from descent.markov.state_reduction import log_mean_absorption_time
from descent.markov.transfer_operator import TransferOperator, covering_operator

MOST_OPERATIONS = 2e11  # of the finest grid's elimination
EASY = 5e9  # and where a grid before it was good enough
PER_NODE = 1e5  # operations that the rest of a node's elimination takes as long as
MOST_STEPS = 20_000  # that a cloud is followed
MOST_MASSES = 100_000  # of a cloud
PER_ENTRY = 5.0  # operations that one entry of the matrix takes as long as, in a step
LEAST_LEFT = 1e-290  # share of walkers below which none left means an underflow
QUICK = 100.0  # mean times below it are summed over a cloud


@overload
def log_mean_first_passage_time(
    model: FiniteSum,
    *,
    step_size: float,
    start: float,
    threshold: Threshold,
    tolerance: float = ...,
    return_error: Literal[False] = ...,
) -> float: ...


@overload
def log_mean_first_passage_time(
    model: FiniteSum,
    *,
    step_size: float,
    start: float,
    threshold: Threshold,
    tolerance: float = ...,
    return_error: Literal[True],
) -> tuple[float, float]: ...


def log_mean_first_passage_time(
    model: FiniteSum,
    *,
    step_size: float,
    start: float,
    threshold: Threshold,
    tolerance: float = 1e-2,
    return_error: bool = False,
) -> float | tuple[float, float]:
    r"""Natural log of the mean step of escape, ln E min {n : W_n > b}.

    .. math:: \tau(W) = 1 + \sum_j q_j \tau(W - T g_j(W)), \qquad \tau = 0 \text{ beyond } b

    Solved on the transfer operator without subtraction (`log_mean_absorption_time`), on
    grids that are fitted to the law and refined until the extrapolations in the square of the
    spacing agree;
    the first steps, while the start has at most ATOMS images, are exact. Where the grids
    do not agree and escape is quick, the survival of a cloud (`markov.cloud`) is summed.
    The result is a logarithm because the time itself overflows for small T.

    Parameters
    ----------
    model : FiniteSum
        The objective. For batches take those of `FiniteSum.batches`.
    step_size : float
        T > 0, in units of w² per loss.
    start : float
        Where all walkers start.
    threshold : float or pair of float
        b. Walkers escape beyond it: to the right if start <= b, else to the left. A pair
        is both ends of an interval that is left on either side; one may be infinite.
    tolerance : float
        Largest error of ln τ. The work goes on to a tenth of it where that takes little.
    return_error : bool
        Return an estimate of the error, too.

    Returns
    -------
    log_time : float
        ln τ; inf where the threshold cannot be reached, or where walkers come, with a
        positive chance, to points that they do not leave, among them points where all
        gradients underflow to zero.
    error : float
        Difference of the last two estimates. Only with ``return_error``.

    Raises
    ------
    ValueError, TypeError
        If an argument is out of its range, or walkers run away to where no threshold is.
    ArithmeticError
        If the tolerance cannot be met.

    Notes
    -----
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
    tolerance = check_real("tolerance", tolerance, above=0)
    check_flag("return_error", return_error)
    start, ends = check_exits(start, threshold)
    result = _log_time(model, step_size, start, ends, tolerance)
    return result if return_error else result[0]


def _log_time(
    model: FiniteSum, step_size: float, start: float, ends: tuple[float, float], tolerance: float
) -> tuple[float, float]:
    """Return ln τ and its error; the arguments are checked."""
    exact = beginning(model, step_size, start, ends, ATOMS)
    if exact.stuck > 0:
        return math.inf, 0.0
    before = float(exact.survival[:-1].sum())
    emptied = len(exact.points) == 0
    if emptied and exact.survival[-2] > LEAST_LEFT:
        return math.log(before), 0.0
    span = reachable_interval(model, step_size=step_size, start=start, threshold=ends)
    if emptied:
        if span[0] == span[1]:  # who is left has stayed on the spot
            return math.log(before), 0.0
        # Those left are fewer than floats hold, and may come back to a well for long.
        exact, before = Beginning(np.array([start]), np.ones(1), 0.0, np.ones(1)), 0.0
    log_before = math.log(before) if before > 0 else -math.inf
    if unreachable(span, ends):
        return math.inf, 0.0
    length = largest_step(model, step_size, span)
    slope = step_size * float(np.abs(model.curvatures(np.linspace(*span, 4001))).max())
    goal, best = tolerance / 10, (math.nan, math.inf)
    per_step = 20.0

    def size(per_step: float) -> tuple[int, float]:
        nodes = math.ceil((span[1] - span[0]) * max(per_step, per_step / 4 * slope) / length)
        nodes = max(nodes, math.ceil(375 * per_step / 40))
        return nodes, nodes * length / (span[1] - span[0])

    finest, wide = size(4 * per_step)  # the third: with two there is no estimate
    too_fine = finest * (wide**2 + PER_NODE) > MOST_OPERATIONS
    unmet = ToleranceError(
        f"tolerance={tolerance!r} cannot be met at step_size={step_size!r}: steps of at most "
        f"{length:.2g} take grids of {finest} nodes. For small step sizes "
        "large_deviations.log_escape_time has an error in proportion to them"
    )
    if too_fine and min(abs(end - start) for end in ends) > QUICK * length:
        raise unmet
    estimates: list[float] = []
    lasting = Lasting()
    while True:
        nodes, band = size(per_step)
        # What is good enough already is made better where that takes little.
        most_operations = EASY if best[1] <= tolerance else MOST_OPERATIONS
        if nodes * (band**2 + PER_NODE) > most_operations:
            break
        operator = covering_operator(
            model,
            step_size=step_size,
            ends=span,
            nodes=nodes,
            absorbing=absorbing_sides(ends),
            fitted=True,
        )
        mass = operator.deposit(exact.points, exact.weights)
        most = nodes * (band**2 + PER_NODE) / (PER_ENTRY * operator.matrix.nnz)
        time = lasting.log_time(operator, mass, math.ceil(most))
        if math.isnan(time):
            time = log_mean_absorption_time(operator, mass)
        if time == math.inf:
            return math.inf, 0.0
        estimates.append(float(np.logaddexp(log_before, time)))
        if len(estimates) == 1 and time < math.log(QUICK):
            best = _by_clouds(model, step_size, start, ends, goal, length)
            if best[1] <= goal:
                return best
        elif too_fine:
            raise unmet
        if len(estimates) > 2:
            weight = 2**TransferOperator.order - 1
            a, b, c = estimates[-3:]
            last, previous = c + (c - b) / weight, b + (b - a) / weight
            error = abs(last - previous) + abs(c - b) * _doubt(a, b, c)
            if error <= tolerance:
                error += _blurred(operator, exact, last)
            best = min(best, (last, error), key=lambda pair: pair[1])
            if error <= goal:
                return last, error
        per_step *= 2
    if best[1] <= tolerance:
        return best
    raise ToleranceError(
        f"tolerance={tolerance!r} cannot be met at step_size={step_size!r}: the best is an error "
        f"of {best[1]:.2g} in the log of the time. For small step sizes "
        "large_deviations.log_escape_time has an error in proportion to them"
    )


def _blurred(operator: TransferOperator, exact: Beginning, log_time: float) -> float:
    """Return what ln τ hangs on that the grid has forgotten of the walkers of the beginning."""

    def time_of(mass: Array) -> float:
        return log_mean_absorption_time(operator, mass)

    part = unknown_part(operator, exact.points, exact.weights, time_of)
    return math.inf if part - log_time > 50 else math.exp(part - log_time)


def _doubt(a: float, b: float, c: float) -> float:
    """Return the part of the last difference of three estimates that extrapolation may miss.

    Where they converge as h², it misses far less than that. Differences that fall by a factor r
    leave 1/(r - 1) of the last one, of which it has taken a third.
    """
    r = (b - a) / (c - b) if c != b else 0.0
    if 3 < abs(r) < 5:
        return 0.0
    return abs(1 / (r - 1) - 1 / 3) if 2 < r < 8 else 1.0


def _by_clouds(
    model: FiniteSum,
    step_size: float,
    start: float,
    ends: tuple[float, float],
    tolerance: float,
    length: float,
) -> tuple[float, float]:
    """Return ln of the sum of the survival, by clouds that are refined until two agree."""
    width, before, error = length / 64, math.inf, math.inf
    while True:
        total = 0.0
        for n, cloud in enumerate(follow(model, step_size, start, ends, width)):
            inside = float(cloud.weights.sum())
            total += inside
            if inside * MOST_STEPS <= tolerance * total / 10:
                break
            if n > MOST_STEPS or len(cloud.points) > MOST_MASSES:
                return before, error
        time = math.log(total)
        # Two agree by chance now and then: half of the tolerance is left for that.
        error, before = 2 * abs(time - before), time
        if error <= tolerance:
            return time, error
        width /= 4


@overload
def mean_first_passage_time(
    model: FiniteSum,
    *,
    step_size: float,
    start: float,
    threshold: Threshold,
    tolerance: float = ...,
    return_error: Literal[False] = ...,
) -> float: ...


@overload
def mean_first_passage_time(
    model: FiniteSum,
    *,
    step_size: float,
    start: float,
    threshold: Threshold,
    tolerance: float = ...,
    return_error: Literal[True],
) -> tuple[float, float]: ...


def mean_first_passage_time(
    model: FiniteSum,
    *,
    step_size: float,
    start: float,
    threshold: Threshold,
    tolerance: float = 1e-2,
    return_error: bool = False,
) -> float | tuple[float, float]:
    """Mean step of escape, E min {n : W_n > threshold}.

    Parameters, method and errors are those of `log_mean_first_passage_time`; the tolerance
    is relative.

    Returns
    -------
    time : float
        τ in steps; inf as there.
    error : float
        An estimate of its error; only with ``return_error``.

    Raises
    ------
    OverflowError
        If τ is finite and exceeds the range of a float; its logarithm does not.

    Examples
    --------
    >>> from descent.landscapes import two_datapoint
    >>> time = mean_first_passage_time(
    ...     two_datapoint(), step_size=0.01, start=1.0, threshold=1.19596
    ... )
    >>> round(time, -3)
    3820000.0
    """
    log_time, error = log_mean_first_passage_time(
        model,
        step_size=step_size,
        start=start,
        threshold=threshold,
        tolerance=tolerance,
        return_error=True,
    )
    check_flag("return_error", return_error)
    time = math.exp(log_time)
    return (time, time * error) if return_error else time
