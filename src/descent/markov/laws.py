r"""Laws of the walkers that have not escaped: step by step, and the one that lasts."""

import math
from collections.abc import Iterator, Sequence
from typing import Literal, overload

import numpy as np
import scipy.sparse as sp

from descent.arguments import (
    Array,
    Index,
    check_count,
    check_flag,
    check_kind,
    check_real,
    check_rising_counts,
)
from descent.landscapes import stationary_points
from descent.markov.refined_clouds import ToleranceError
from descent.markov.state_reduction import never_escaping
from descent.markov.transfer_operator import TransferOperator

RAREST = 1e-100  # rate below which masses on the way are no floats
BALANCED = 200  # steps between two balances of the wells
BEYOND = 700.0  # log of a factor that is no float
COARSER = (2, 3, 4, 5)  # of the nodes every so many, to tell what their spacing makes


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
    check_real("start", start, least=float(operator.grid[0]), most=float(operator.grid[-1]))
    mass, rows = operator.deposit([start], [1.0]), []
    for n in range(steps[-1] + 1):
        if n in steps:
            rows.append(mass)
        mass = operator.step(mass)
    return np.array(rows)


@overload
def quasi_stationary(
    operator: TransferOperator,
    *,
    max_steps: int = ...,
    tolerance: float = ...,
    return_error: Literal[False] = ...,
) -> tuple[Array, float]: ...


@overload
def quasi_stationary(
    operator: TransferOperator,
    *,
    max_steps: int = ...,
    tolerance: float = ...,
    return_error: Literal[True],
) -> tuple[Array, float, float]: ...


def quasi_stationary(
    operator: TransferOperator,
    *,
    max_steps: int = 100_000,
    tolerance: float = 0.1,
    return_error: bool = False,
) -> tuple[Array, float] | tuple[Array, float, float]:
    r"""Law that keeps its shape while it escapes: :math:`p Q = (1 - \kappa) p`, sum p = 1.

    Steps of the chain smooth the law within each well of the mean loss. Between wells they
    would take as long as the walkers do; there the masses of the wells are solved for
    directly, from the rates between them under the present law (aggregation and
    disaggregation), and smoothed again.

    Parameters
    ----------
    operator : TransferOperator
        The killed chain Q.
    max_steps : int
        Most steps of the chain.
    tolerance : float
        Largest part of the rate that the spacing of the nodes may make, positive; inf takes
        any grid.
    return_error : bool
        Return what the spacing of the nodes may make of the rate, too, however large.

    Returns
    -------
    law : array (N,)
        The leading left eigenvector, normalized to sum 1.
    rate : float
        Escape probability κ per step; 1/κ is the mean time of escape from this law.
    error : float
        By the differences of ln κ to those on every second, third, fourth and fifth node; three
        times the error where this falls as the square of the spacing. inf where so few nodes have
        no such law. Only with ``return_error``.

    Raises
    ------
    ToleranceError
        If the error is larger than the tolerance and was not asked for.
    RuntimeError
        If some walkers never escape, if the rate or that between two wells is below the
        least float, if the law still changes after ``max_steps``, or if all mass escapes.

    Notes
    -----
    It is the law given survival, the limit of Yaglom. It is not the stationary law of
    the chain, which lies wholly outside the pit. With several wells it is the slowest
    one: that of the well that is left last; its rate is then good to about 1e-6.

    It is the rate of the operator, whose nodes are the caller's. Where escape is rare it hangs
    on them: sharing adds to the variance :math:`T^2 S^2` of a step about h²/6, and a rate of
    :math:`e^{-V/T}` gains a factor of about :math:`e^{(V/T)\, h^2/(6 T^2 S^2)}`.

    Source: Koury, McAllister and Stewart, SIAM Journal on Algebraic and Discrete Methods
    5 (1984) 164, for chains that nothing leaves.

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
    check_flag("return_error", return_error)
    if not (any_grid := isinstance(tolerance, float) and tolerance == math.inf):
        tolerance = check_real("tolerance", tolerance, above=0)
    law, rate = _slowest(operator, max_steps)
    if any_grid and not return_error:
        return law, rate
    off = _of_spacing(operator, rate, max_steps)
    share = math.expm1(off) if off < BEYOND else math.inf
    if return_error:
        return law, rate, rate * share
    if share > tolerance:
        raise _too_coarse(operator, rate, off, tolerance)
    return law, rate


def _of_spacing(operator: TransferOperator, rate: float, max_steps: int) -> float:
    """Return by how much the spacing of the nodes may move ln κ; inf where that is unknown.

    Where it counts as its square, a grid of every k-th node is off by k² - 1 errors more. Three
    errors are taken, and the largest that any of the coarser grids calls for: two of them may
    agree by chance, fitted ones above all.
    """
    grid, off = operator.grid, 0.0
    for every in COARSER:
        nodes = np.append(grid[:-1:every], grid[-1])
        if len(nodes) < 3:
            return math.inf
        coarse = TransferOperator(
            operator.model,
            step_size=operator.step_size,
            grid=nodes,
            absorbing=operator.absorbing,
            fitted=operator.fitted,
        )
        try:
            moved = abs(math.log(_slowest(coarse, max_steps)[1] / rate))
        except RuntimeError:
            return math.inf
        off = max(off, 3 * moved / (every**2 - 1))
    return off


def _too_coarse(
    operator: TransferOperator, rate: float, off: float, tolerance: float
) -> ToleranceError:
    nodes = len(operator.grid)
    more = nodes * math.sqrt(off / math.log1p(tolerance)) if off < math.inf else 0
    return ToleranceError(
        f"tolerance={tolerance!r} cannot be met on a grid of {nodes} nodes: their spacing may move "
        f"the log of the rate, {rate:.3g}, by {off:.2g}. Take a grid of about "
        f"{max(math.ceil(more), 2 * nodes)} nodes, return_error=True to have the error beside the "
        "rate, or markov.log_mean_first_passage_time, which refines its own grid"
    )


def _slowest(operator: TransferOperator, max_steps: int) -> tuple[Array, float]:
    _check_exits(operator)
    wells = _wells(operator)
    mass, done = np.full(len(operator.grid), 1 / len(operator.grid)), 0
    if len(np.unique(wells)) == 1:
        return _settled(operator, mass, max_steps)
    previous = 0.0
    while done < max_steps:
        for _ in range(min(BALANCED, max_steps - done)):
            mass = operator.step(mass)
            if (total := mass.sum()) <= 0:
                raise RuntimeError("no quasi-stationary law found: all mass escapes")
            mass /= total
        done += BALANCED
        with np.errstate(over="ignore", invalid="ignore"):
            mass = _balanced(operator, mass, wells)
        if not np.isfinite(mass).all():
            raise _unsettled(0.0, done)
        after = operator.step(mass)
        rate = operator.escaping(mass) / mass.sum()
        # The change of the rate falls to about two thirds from one balance to the next.
        steady = 0 < rate < 1 and abs(rate - previous) <= 1e-7 * rate
        if steady and np.abs(after / (1 - rate) - mass).sum() <= 1e-9 * mass.sum():
            return mass / mass.sum(), rate
        previous = rate
    raise _unsettled(rate, max_steps)


def _settled(operator: TransferOperator, mass: Array, max_steps: int) -> tuple[Array, float]:
    """Return the law that steps alone lead to, and its rate."""
    for n, (law, rate, settled) in enumerate(settle(operator, mass)):
        if settled:
            return law / law.sum(), rate
        if n == max_steps:
            raise _unsettled(rate, max_steps)
    raise RuntimeError("no quasi-stationary law found: all mass escapes")


def _check_exits(operator: TransferOperator) -> None:
    """Raise a RuntimeError if walkers come to where nothing escapes: the law would rest there."""
    grid = operator.grid
    if (closed := never_escaping(operator, np.ones(len(grid)))).size:
        raise RuntimeError(
            f"no quasi-stationary law found: walkers at {len(closed)} of {len(grid)} nodes never "
            f"escape, between {grid[closed[0]]:.6g} and {grid[closed[-1]]:.6g}, as no step is long "
            "enough. Take a nearer threshold, that is a shorter grid, or a larger step_size"
        )


def _unsettled(rate: float, max_steps: int) -> RuntimeError:
    """Return the error of a law that still changes, which says why."""
    what = f"no quasi-stationary law found in max_steps={max_steps} steps"
    if rate < RAREST:
        return RuntimeError(
            f"{what}: escape, or the way between two wells, is rarer than floats can tell, a rate "
            f"of {rate:.2g}. Take a larger step_size, or ask markov.log_mean_first_passage_time or "
            "large_deviations.log_escape_time for the logarithm of the time"
        )
    return RuntimeError(f"{what}: the law still changes, at a rate of escape of {rate:.3g}")


def _wells(operator: TransferOperator) -> Index:
    """Return the number of the well of each node; maxima of the mean loss part the wells."""
    model, grid = operator.model, operator.grid
    zeros = stationary_points(model.mean_gradient, float(grid[0]), float(grid[-1]))
    tops = zeros[model.mean_curvature(zeros) < 0] if len(zeros) else zeros
    return np.searchsorted(tops, grid)


def _balanced(operator: TransferOperator, mass: Array, wells: Index) -> Array:
    """Give each well the mass that its rates to the others call for; the shapes stay."""
    count = int(wells.max()) + 1
    held = np.bincount(wells, mass, count)
    if not (held > 0).all():
        return mass
    entries = operator.matrix.tocoo()
    between = wells[entries.row] != wells[entries.col]
    row, column = entries.row[between], entries.col[between]
    flow = sp.coo_array(
        (mass[row] * entries.data[between], (wells[row], wells[column])), shape=(count, count)
    ).toarray()
    rates = flow / held[:, None]
    escape = np.bincount(wells, mass * operator.escape, count) / held
    law = held / held.sum()
    for _ in range(1000):  # inverse iteration: the slowest of all modes is what remains
        after = _absorbed(rates, escape, law)
        after /= after.sum()
        # Each well by itself: the rate may hang on one that holds 1e-12 of the mass.
        if (np.abs(after - law) <= 1e-13 * after).all():
            break
        law = after
    return np.asarray(mass / held[wells] * law[wells])


def _absorbed(rates: Array, escape: Array, law: Array) -> Array:
    """Solve x G = -law for a killed chain in continuous time, without subtraction."""
    size = len(law)
    a, out, x = rates.copy(), escape.copy(), law.copy()
    leaving = np.empty(size)
    np.fill_diagonal(a, 0.0)
    for k in range(size):  # state k gives way to the paths through it
        rest = slice(k + 1, size)
        leaving[k] = a[k, rest].sum() + out[k]
        if leaving[k] == 0:
            return law
        share = a[k, rest] / leaving[k]
        into = a[rest, k].copy()
        a[rest, rest] += np.outer(into, share)
        out[rest] += into * out[k] / leaving[k]
        x[rest] += x[k] * share
        for i in range(k + 1, size):
            a[i, i] = 0.0
    for k in range(size - 1, -1, -1):
        x[k] = (x[k] + x[k + 1 :] @ a[k + 1 :, k]) / leaving[k]
    return x


def settle(operator: TransferOperator, mass: Array) -> Iterator[tuple[Array, float, bool]]:
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
