r"""Tangent dynamics: infinitesimal disturbances, carried along with a trajectory.

.. math:: \dot s = f(s), \qquad \dot v = M J(s)\, v

J is the Jacobian. M sets the rows of frozen variables to zero: these variables are
replayed from the undisturbed trajectory, so that no disturbance enters them. The
derivative of a Runge-Kutta step is the Runge-Kutta step of this pair, hence tangents
are exact derivatives of the numerical trajectory.
"""

import math
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from scipy.integrate import DOP853

from descent.arguments import Array, came, check_array, check_choice, check_kind, check_real
from descent.dynamics.derivatives import ComplexStep, entries_of
from descent.dynamics.fixed_steps import FixedSteps
from descent.dynamics.system import Flow, Map, check_system

__all__ = ["Tangents", "advance"]


class Tableau(NamedTuple):
    """Coefficients of an explicit Runge-Kutta scheme of s stages: a (s, s), b (s,), c (s,)."""

    a: Array
    b: Array
    c: Array


SCHEMES = {
    # The classical scheme, order 4.
    "rk4": Tableau(
        np.array([[0, 0, 0, 0], [1 / 2, 0, 0, 0], [0, 1 / 2, 0, 0], [0, 0, 1, 0]]),
        np.array([1, 2, 2, 1]) / 6,
        np.array([0, 1 / 2, 1 / 2, 1]),
    ),
    # Dormand and Prince's order 8, with fixed steps; the coefficients are scipy's.
    "dop853": Tableau(DOP853.A, DOP853.B, DOP853.C),
}


class Tangents(NamedTuple):
    """Disturbances ``vectors`` (r, k, n) of the r variables ``free``, k to each trajectory."""

    free: tuple[int, ...]
    vectors: Array


def check_derivative(system: Map | Flow, state: Array) -> None:
    """Raise an error unless the system has a jvp, or a Jacobian of the right shape at ``state``."""
    d = len(system.names)
    function = system.rate if isinstance(system, Flow) else system.step
    called = "rate" if isinstance(system, Flow) else "step"
    rows = function(state[:, 0], 0.0)
    if len(rows) != d:
        raise ValueError(
            f"{called} must return {d} rows, one for each of {system.names}; got {len(rows)}"
        )
    if system.jvp is not None:
        return
    if system.jacobian is None:
        raise ValueError(
            f"the system with variables {system.names} has no Jacobian, which tangent "
            "dynamics needs; give one, or make it by dynamics.complex_step or "
            "dynamics.finite_differences"
        )
    rows = system.jacobian(state[:, 0], 0.0)
    if len(rows) != d or any(len(row) != d for row in rows):
        raise ValueError(
            f"the Jacobian must have {d} rows of {d} entries; got rows of "
            f"{[len(row) for row in rows]}"
        )


def check_tangents(tangents: Sequence[Tangents], state: Array) -> None:
    """Raise an error unless the tangents belong to the variables and trajectories of a state."""
    if not isinstance(tangents, list | tuple):
        raise TypeError(f"tangents must be a list of Tangents; got {came(tangents)}")
    for each in tangents:
        check_kind("each of tangents", each, Tangents)
        if not set(each.free) <= set(range(len(state))):
            raise ValueError(f"tangents must be of variables 0 … {len(state) - 1}; got {each.free}")
        check_array("vectors of tangents", each.vectors, (len(each.free), "k", state.shape[1]))


def check_integrator(dt: float | None, scheme: str) -> None:
    """Raise an error unless step and scheme are usable."""
    check_choice("scheme", scheme, SCHEMES)
    if dt is not None:
        check_real("dt", dt, above=0)


NUMBER = (float, int)  # a union would be made anew at each entry


def _apply(jacobian: Any, tangents: Tangents, out: Array) -> None:
    """Write the product of the free block of the Jacobian with the tangents into out."""
    free, v = tangents
    alone = isinstance(jacobian, np.ndarray) and jacobian.shape[2:] == v.shape[2:] == (1,)
    if alone and len(free) > 2:  # one trajectory: a product of matrices takes less time
        block = jacobian[np.ix_(free, free)]
        np.matmul(block[:, :, 0], v[:, :, 0], out=out[:, :, 0])
        return
    for i, row in zip(free, out, strict=True):
        empty = True
        for j, column in zip(free, v, strict=True):
            entry = jacobian[i][j]
            if isinstance(entry, NUMBER):
                if entry == 0:
                    continue
                if entry == -1 and not empty:
                    row -= column
                    continue
            if empty:
                np.multiply(entry, column, out=row)
                empty = False
            else:
                row += entry * column
        if empty:
            row[...] = 0.0


def _stack(state: Array, tangents: Sequence[Tangents]) -> Array:
    """Return states and tangents below each other: (rows, n)."""
    n = state.shape[1]
    # In rows, whatever the order of what came: `_combine` writes into a flat view.
    parts = [state, *(t.vectors.reshape(-1, n) for t in tangents)]
    return np.ascontiguousarray(np.concatenate(parts))


def _unstack(stack: Array, d: int, tangents: Sequence[Tangents]) -> tuple[Array, list[Tangents]]:
    """Undo `_stack`, as views."""
    views, first = [], d
    for free, vectors in tangents:
        last = first + vectors.shape[0] * vectors.shape[1]
        views.append(Tangents(free, stack[first:last].reshape(vectors.shape)))
        first = last
    return stack[:d], views


def _combine(weights: Array, slopes: Array, out: Array) -> None:
    """Write the weighted sum of slopes into out."""
    (used,) = np.nonzero(weights)
    if len(used) == 1:
        np.multiply(slopes[used[0]], weights[used[0]], out=out)
    else:
        np.dot(weights, slopes.reshape(len(weights), -1), out=out.reshape(-1))


def _integrate(
    system: Flow,
    state: Array,
    tangents: Sequence[Tangents],
    time: float,
    end: float,
    dt: float,
    scheme: str,
    quick: FixedSteps | None = None,
) -> tuple[Array, list[Tangents]]:
    """Integrate the pair by a Runge-Kutta scheme, with equal steps of at most dt."""
    a, b, c = SCHEMES[scheme]
    n_steps = math.ceil((end - time) / dt * (1 - 1e-12))
    h = (end - time) / max(n_steps, 1)
    d, jacobian = len(system.names), entries_of(system.jacobian)
    stack = _stack(state, tangents)
    if quick is not None:
        return _unstack(quick(stack, time, h, n_steps), d, tangents)
    stage, slopes = np.empty_like(stack), np.empty((len(b), *stack.shape))
    # The same memory by variable, so that no views are made inside the loop.
    now, at_stage = _unstack(stack, d, tangents), _unstack(stage, d, tangents)
    rates = [_unstack(slope, d, tangents) for slope in slopes]
    ha, hb = h * a, h * b
    for step in range(n_steps):
        for i in range(len(b)):
            if i > 0:
                _combine(ha[i, :i], slopes[:i], stage)
                stage += stack
            (s, vectors), t = (at_stage if i > 0 else now), time + (step + c[i]) * h
            s_rate, vector_rates = rates[i]
            for row, value in zip(s_rate, system.rate(s, t), strict=True):
                row[...] = value
            if vectors:
                if system.jvp is not None:
                    for v, v_rate in zip(vectors, vector_rates, strict=True):
                        v_rate.vectors[...] = _moved(system, v, s, t).vectors
                    continue
                entries = jacobian(s, t)
                for v, v_rate in zip(vectors, vector_rates, strict=True):
                    _apply(entries, v, v_rate.vectors)
        _combine(hb, slopes, stage)
        stack += stage
    return now


def _iterate(
    system: Map, state: Array, tangents: Sequence[Tangents], time: float, end: float
) -> tuple[Array, list[Tangents]]:
    """Carry a state and its tangents by the steps of a map."""
    first, last = round(time / system.dt), round(end / system.dt)
    if first >= last:
        return state, list(tangents)
    jacobian = entries_of(system.jacobian) if system.jvp is None and tangents else None
    # Two of each in turn, of the results and of what they come from.
    states = [np.empty(state.shape), np.empty(state.shape)]
    rooms = [[Tangents(t.free, np.empty_like(t.vectors)) for t in tangents] for _ in range(2)]
    after = list(tangents)
    for index in range(first, last):
        now, turn = index * system.dt, index % 2
        if jacobian is not None:
            entries = jacobian(state, now)
            for old, new in zip(after, rooms[turn], strict=True):
                _apply(entries, old, new.vectors)
            after = rooms[turn]
        elif after:
            after = [_moved(system, t, state, now) for t in after]
        for row, value in zip(states[turn], system.step(state, now), strict=True):
            row[...] = value
        state = states[turn]
    return state, after


def _moved(system: Map | Flow, tangents: Tangents, state: Array, time: float) -> Tangents:
    """Return M J v by the system's jvp."""
    assert system.jvp is not None
    free, v = tangents
    out = np.empty_like(v)
    for k in range(v.shape[1]):
        whole = np.zeros_like(state)
        whole[list(free)] = v[:, k]
        rows = system.jvp(state, whole, time)
        for i, target in zip(free, out[:, k], strict=True):
            target[...] = rows[i]
    return Tangents(free, out)


def check_finite(state: Array, tangents: Sequence[Tangents], time: float, end: float) -> None:
    """Raise a FloatingPointError that says what has left the finite numbers."""
    if not (np.isfinite(state).all() and all(np.isfinite(t.vectors).all() for t in tangents)):
        lost = int((~np.isfinite(state).all(axis=0)).sum())
        what = f"{lost} of {state.shape[1]} trajectories leave" if lost else "a disturbance leaves"
        raise FloatingPointError(f"{what} the finite numbers between times {time:g} and {end:g}")


def move(
    system: Map | Flow,
    state: Array,
    tangents: Sequence[Tangents],
    time: float,
    end: float,
    dt: float,
    scheme: str,
    quick: FixedSteps | None = None,
) -> tuple[Array, list[Tangents]]:
    """Do what `advance` does with a fixed step, for arguments that were checked before."""
    with np.errstate(over="ignore", invalid="ignore"):
        if isinstance(system, Flow):
            state, after = _integrate(system, state, tangents, time, end, dt, scheme, quick)
        else:
            state, after = _iterate(system, state, tangents, time, end)
    check_finite(state, after, time, end)
    return state, after


COARSE = 1e-2  # relative error of one step from which a fixed step is refused


def check_step(
    system: Flow,
    state: Array,
    tangents: Sequence[Tangents],
    time: float,
    h: float,
    scheme: str,
    quick: FixedSteps | None = None,
) -> None:
    """Raise a FloatingPointError if a step and two half steps differ: it is too long."""
    if h <= 0 or not np.isfinite(state).all():
        return
    few = np.linspace(0, state.shape[1] - 1, min(16, state.shape[1])).astype(int)
    state = state[:, few]
    tangents = [Tangents(t.free, t.vectors[:, :, few]) for t in tangents]
    once = _stack(*_integrate(system, state, tangents, time, time + h, h, scheme, quick))
    twice = _stack(*_integrate(system, state, tangents, time, time + h, h / 2, scheme, quick))
    d, before = len(state), _stack(state, tangents)
    off = np.abs(once - twice)
    sizes = [slice(0, d)]
    first = d
    for t in tangents:
        for k in range(t.vectors.shape[1]):
            last = first + t.vectors.shape[0] * t.vectors.shape[1]
            sizes.append(slice(first + k, last, t.vectors.shape[1]))
        first = last
    for rows in sizes:
        size = np.abs(before[rows]).max(axis=0) + np.abs(twice[rows]).max(axis=0)
        if (off[rows].max(axis=0) > COARSE * size).any():
            raise FloatingPointError(
                f"dt={h:g} is too long at time {time:g}: a step and two half steps differ by "
                f"{float((off[rows].max(axis=0) / np.where(size > 0, size, 1)).max()):.1g} of the "
                "size. Leave dt out for steps that follow the error, or make it smaller"
            )


def advance(
    system: Map | Flow,
    state: Array,
    tangents: Sequence[Tangents],
    time: float,
    end: float,
    dt: float | None = None,
    scheme: str = "dop853",
) -> tuple[Array, list[Tangents]]:
    """Carry a state and its tangents from one time to another.

    Parameters
    ----------
    system : Map or Flow
        The dynamics.
    state : array (d, n)
        n trajectories.
    tangents : sequence of Tangents
        Disturbances; those of different entries do not influence each other.
    time, end : float
        Span of time; for a map, multiples of its dt.
    dt, scheme
        Fixed step and scheme of the integrator, for flows; by default steps follow the error.

    Returns
    -------
    array (d, n), list of Tangents
        State and tangents at ``end``; new arrays.

    Raises
    ------
    FloatingPointError
        If a trajectory or a tangent leaves the finite numbers, or ``dt`` is too long.
    ValueError, TypeError
        If the complex step of the system is no derivative at the start or the end.

    Examples
    --------
    >>> from descent.systems import linear_thermostat
    >>> start = np.array([[35.0], [10.0]])
    >>> unit = Tangents((0, 1), np.eye(2)[:, :, None])
    >>> state, (v,) = advance(linear_thermostat(0.25, 25.0), start, [unit], 0, 2)
    >>> state[:, 0], v.vectors[:, :, 0]
    (array([30. ,  7.5]), array([[ 0.75, -0.25],
           [ 1.  , -0.25]]))
    """
    from descent.dynamics.carrier import Carrier  # which uses this module

    check_system(system)
    check_integrator(dt, scheme)
    state = check_array("state", state, (len(system.names), "n"))
    check_tangents(tangents, state)
    if not check_real("time", time) <= check_real("end", end):
        raise ValueError(f"time must not lie beyond end; got {time!r} and {end!r}")
    carrier = Carrier(system, dt, scheme)
    if tangents and isinstance(system.jacobian, ComplexStep):
        system.jacobian.check(state, time)
    last, after = carrier.to(state, list(tangents), time, end)
    if tangents and isinstance(system.jacobian, ComplexStep):
        system.jacobian.check(last, end)
    return last, after
