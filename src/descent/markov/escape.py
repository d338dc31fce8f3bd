r"""How likely walkers escape: stochastic gradient descent as a killed Markov chain.

One step draws a sample j and moves :math:`W' = W - T g_j(W)`. *Escape* is the first
passage of W beyond a threshold b: W = b is inside, beyond it W has escaped and does not
return. "Outside at step n" is another event, since W may come back.

Source: 003, post 1. It calls the step size T a temperature.
"""

import itertools
import math
from typing import Literal, NamedTuple, overload

import numpy as np

from descent.arguments import Array, check_count, check_flag, check_real, check_step_size
from descent.landscapes import FiniteSum, check_model
from descent.large_deviations import quasi_potential
from descent.markov.cloud import follow
from descent.markov.intervals import (
    Threshold,
    absorbing_sides,
    check_exits,
    largest_step,
    reachable_interval,
    unreachable,
)
from descent.markov.laws import settle
from descent.markov.refined_clouds import Allowed, ToleranceError, by_clouds
from descent.markov.transfer_operator import TransferOperator, covering_operator

ATOMS = 4096  # point masses that are followed exactly before they are put on a grid
MOST_NODES = 160_000  # of the finest grid


class Beginning(NamedTuple):
    """The first steps, exact: who is still inside, and the mass inside before each step."""

    points: Array
    weights: Array
    stuck: float
    survival: Array


def beginning(
    model: FiniteSum, step_size: float, start: float, ends: tuple[float, float], n_steps: int
) -> Beginning:
    """Follow the point mass at ``start`` while it has at most ATOMS images that differ."""
    survival: list[float] = []
    for cloud in follow(model, step_size, start, ends):
        survival.append(1 - cloud.escaped)
        many = len(cloud.points) * model.n_samples > ATOMS
        if len(cloud.points) == 0 or many or len(survival) > n_steps:
            break
    return Beginning(cloud.points, cloud.weights, cloud.stuck, np.array(survival))


@overload
def escape_curve(
    model: FiniteSum,
    *,
    step_size: float,
    n_steps: int,
    start: float,
    threshold: Threshold,
    tolerance: float = ...,
    nodes: int | None = ...,
    return_error: Literal[False] = ...,
) -> Array: ...


@overload
def escape_curve(
    model: FiniteSum,
    *,
    step_size: float,
    n_steps: int,
    start: float,
    threshold: Threshold,
    tolerance: float = ...,
    nodes: int | None = ...,
    return_error: Literal[True],
) -> tuple[Array, float]: ...


def escape_curve(
    model: FiniteSum,
    *,
    step_size: float,
    n_steps: int,
    start: float,
    threshold: Threshold,
    tolerance: float = 1e-4,
    nodes: int | None = None,
    return_error: bool = False,
) -> Array | tuple[Array, float]:
    r"""Probability of having escaped by each step: P(min {k : W_k > b} <= n).

    The first steps, while the start has at most ATOMS images, are exact. The others use
    the transfer operator on three grids, extrapolated in the square of the spacing; once
    the law of the survivors no longer changes, a constant fraction escapes each step and
    the rest of the curve is a geometric sum. Where finer grids do not agree, as where a
    law of few points crosses a flat, the masses are followed without a grid
    (`markov.cloud`), four times as many each time until two clouds agree.

    Parameters
    ----------
    model : FiniteSum
        The objective. For batches take those of `FiniteSum.batches`.
    step_size : float
        T > 0, in units of w² per loss.
    n_steps : int
        Number of steps, zero or more.
    start : float
        Where all walkers start.
    threshold : float or pair of float
        b. Walkers escape beyond it: to the right if start <= b, else to the left. A pair
        is both ends of an interval that is left on either side; one may be infinite.
    tolerance : float
        Largest error, as a share of the last value of the curve.
    nodes : int, optional
        Use one grid of at least so many nodes instead, as fine as it may be: for
        pictures. Without ``return_error`` nothing is said of its error.
    return_error : bool
        Return an estimate of the error, too.

    Returns
    -------
    curve : array (n_steps + 1,)
        The probabilities at steps 0 … ``n_steps``; zero where the threshold cannot be
        reached within them.
    error : float
        Largest difference to the next coarser grid or cloud, over all steps: zero where
        the curve is exact up to rounding. Only with ``return_error``.

    Raises
    ------
    ValueError, TypeError
        If an argument is out of its range.
    ArithmeticError
        If the tolerance cannot be met, or walkers run away beyond all floats.

    Notes
    -----
    This is the chance of a first passage, not of being outside at step n. Small
    probabilities are sums of escaping mass, never one minus a survival.

    Source: 003, post 1, "Monte Carlo" (there estimated by sampling).

    Examples
    --------
    >>> from descent.landscapes import two_datapoint
    >>> curve, error = escape_curve(
    ...     two_datapoint(), step_size=0.02, n_steps=100, start=1.0, threshold=1.196,
    ...     return_error=True,
    ... )
    >>> float(curve[100].round(3)), error < 1e-4
    (0.497, True)
    """
    check_model(model)
    step_size, n_steps = check_step_size(step_size), check_count("n_steps", n_steps)
    tolerance = check_real("tolerance", tolerance, above=0)
    check_flag("return_error", return_error)
    nodes = None if nodes is None else check_count("nodes", nodes, 2)
    start, ends = check_exits(start, threshold)
    allowed = Allowed(tolerance, whole=True)
    curve, error = _curve(model, step_size, n_steps, start, ends, allowed, nodes, return_error)
    return (curve, error) if return_error else curve


def _curve(
    model: FiniteSum,
    step_size: float,
    n_steps: int,
    start: float,
    ends: tuple[float, float],
    allowed: Allowed,
    nodes: int | None = None,
    compare: bool = True,
) -> tuple[Array, float]:
    """Return the curve and its error; the arguments are checked."""
    exact = beginning(model, step_size, start, ends, n_steps)
    known = len(exact.survival)
    curve = np.empty(n_steps + 1)
    curve[:known] = 1 - exact.survival
    curve[known:] = curve[known - 1]
    if known > n_steps or len(exact.points) == 0:
        return curve, 0.0
    span = _span(model, step_size, start, ends)
    if span is not None and unreachable(span, ends):
        return curve, 0.0
    if span is not None and _hopeless(model, step_size, n_steps, start, span, ends):
        return curve, 0.0
    size = None if span is None else _nodes(model, step_size, span)
    grids: list[Array] = []

    def on_grid(count: int) -> Array:
        assert span is not None
        operator = covering_operator(
            model, step_size=step_size, ends=span, nodes=count, absorbing=absorbing_sides(ends)
        )
        return _on_grid(operator, exact, curve, known)

    if nodes is not None:
        if size is None:
            raise ToleranceError(
                f"nodes={nodes} cannot be placed: walkers run far away at step_size={step_size!r}; "
                "leave nodes out"
            )
        count = max(nodes, 8 * size)
        fine = on_grid(count)
        return fine, float(np.abs(fine - on_grid(count // 2)).max()) if compare else 0.0
    if size is not None:
        count = max(2500, size)
        while len(grids) < 6 and count <= MOST_NODES:
            grids.append(on_grid(count))
            count *= 2
            if len(grids) >= 3:
                better = [_extrapolated(*pair) for pair in itertools.pairwise(grids)]
                error = allowed.error(*better) + allowed.doubt(grids)
                if allowed.met(error, better[-1]):
                    return better[-1], error
    return by_clouds(model, step_size, n_steps, start, ends, allowed)


def _extrapolated(coarse: Array, fine: Array) -> Array:
    """Extrapolate a curve in the square of the spacing; it still rises, from 0 to 1."""
    curve = fine + (fine - coarse) / (2**TransferOperator.order - 1)
    return np.clip(np.maximum.accumulate(curve), 0.0, 1.0)


def _span(
    model: FiniteSum, step_size: float, start: float, ends: tuple[float, float]
) -> tuple[float, float] | None:
    """Return the interval that walkers stay in; None if it is too wide to be known."""
    try:
        return reachable_interval(model, step_size=step_size, start=start, threshold=ends)
    except ValueError:
        return None


def _hopeless(
    model: FiniteSum,
    step_size: float,
    n_steps: int,
    start: float,
    span: tuple[float, float],
    ends: tuple[float, float],
) -> bool:
    """Say whether the chance of an escape within n steps is far below the least float.

    It is if n steps are too short, or by the supermartingale exp(φ(W)/T), φ' = p*, whose
    mean grows by a factor of at most about 1 + T |g'| in a step.
    """
    ways = [end for end, met in zip(ends, span, strict=True) if end == met]
    if n_steps * largest_step(model, step_size, span) < min(abs(end - start) for end in ways):
        return True
    growth = step_size * float(np.abs(model.curvatures(np.linspace(*span, 4001))).max())
    if growth > 0.01:
        return False
    cost = min(quasi_potential(model, start, end) for end in ways) / step_size
    return math.isfinite(cost) and cost - math.log(n_steps + 1) - growth * n_steps > 2000


def _nodes(model: FiniteSum, step_size: float, span: tuple[float, float]) -> int | None:
    """Return the nodes of the coarsest grid: it resolves the steps and the gradients' slopes."""
    w = np.linspace(*span, 4001)
    length, slope = largest_step(model, step_size, span), np.abs(model.curvatures(w)).max()
    if length == 0:
        return 2
    finest = length / max(40.0, 16 * step_size * slope)
    count = math.ceil((span[1] - span[0]) / finest)
    return count if count <= MOST_NODES / 4 else None


def _on_grid(operator: TransferOperator, exact: Beginning, start: Array, known: int) -> Array:
    """Return the whole curve on one grid."""
    curve, n_steps = start.copy(), len(start) - 1
    steps = settle(operator, operator.deposit(exact.points, exact.weights))
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


@overload
def escape_probability(
    model: FiniteSum,
    *,
    step_size: float,
    n_steps: int,
    start: float,
    threshold: Threshold,
    tolerance: float = ...,
    return_error: Literal[False] = ...,
) -> float: ...


@overload
def escape_probability(
    model: FiniteSum,
    *,
    step_size: float,
    n_steps: int,
    start: float,
    threshold: Threshold,
    tolerance: float = ...,
    return_error: Literal[True],
) -> tuple[float, float]: ...


def escape_probability(
    model: FiniteSum,
    *,
    step_size: float,
    n_steps: int,
    start: float,
    threshold: Threshold,
    tolerance: float = 1e-4,
    return_error: bool = False,
) -> float | tuple[float, float]:
    """Probability of having escaped within n steps: the end of `escape_curve`.

    Parameters, errors and method are those of `escape_curve`, but the tolerance is asked of
    the end alone: on the way a jump of few walkers together may be harder to know.

    Returns
    -------
    probability : float
        P(min {k : W_k > threshold} <= n_steps).
    error : float
        An estimate of its error; only with ``return_error``.

    Examples
    --------
    >>> from descent.landscapes import two_datapoint
    >>> escape_probability(
    ...     two_datapoint(), step_size=0.05, n_steps=5, start=1.0, threshold=1.19596
    ... )
    0.0625
    """
    check_model(model)
    step_size, n_steps = check_step_size(step_size), check_count("n_steps", n_steps)
    allowed = Allowed(check_real("tolerance", tolerance, above=0), whole=False)
    check_flag("return_error", return_error)
    start, ends = check_exits(start, threshold)
    curve, error = _curve(model, step_size, n_steps, start, ends, allowed)
    return (float(curve[-1]), error) if return_error else float(curve[-1])
