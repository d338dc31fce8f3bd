"""What is asked of a system: the part A, the disturbance n, and where it is read off, m."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from descent.arguments import Array, check_array
from descent.dynamics.derivatives import STEP, Rows, entries_of
from descent.dynamics.system import Flow, Map, Names, check_frozen, index_of
from descent.influence.digits import ROUNDING

Varied = str | npt.ArrayLike | Callable[[Array, float], Rows]
Measured = str | npt.ArrayLike | Callable[[Array], Any]
PARAMETER = "parameter"  # the variable that stands for a parameter that is varied


class Reading(NamedTuple):
    """What is measured of a disturbance: its value, the error of the reading, and its terms.

    Attributes
    ----------
    value, error, whole : array (n,)
        The whole is what the value could be without cancellation.
    """

    value: Array
    error: Array
    whole: Array


@dataclass(frozen=True)
class Question:
    """A checked question.

    ``free`` are the variables that respond in Y, of the system with a parameter added if one
    is varied; ``direction`` is the disturbance, ``covector`` or ``function`` what is measured.
    """

    system: Map | Flow
    free: tuple[int, ...]
    direction: Array
    covector: Array | None
    function: Callable[[Array], Any] | None
    words: str
    differ: bool  # whether n does not reach m at first

    def states(self, state: Array) -> Array:
        """Return states (d, n) with a row for the parameter, if there is one."""
        extra = len(self.direction) - len(state)
        return np.concatenate([state, np.zeros((extra, state.shape[1]))]) if extra else state

    def read(self, state: Array, v: Array) -> Reading:
        """Return what is measured of one disturbance (d, n) of each state."""
        if self.covector is not None:
            terms = np.abs(self.covector) @ np.abs(v)
            value = np.asarray(self.covector @ v, float)
            whole = np.abs(self.covector).sum() * np.abs(v).max(axis=0)
            return Reading(value, ROUNDING * terms, whole)
        assert self.function is not None
        return _along(self.function, state[: len(v)], v)


def _along(function: Callable[[Array], Any], state: Array, v: Array) -> Reading:
    """Return the derivative of a function of the state along v.

    It is that of a complex step where this agrees with difference quotients, asked along
    the entries of v with other signs, too: along v itself little may be left of it.
    """
    size = np.maximum(np.abs(state).max(axis=0), 1e-12) / np.maximum(np.abs(v).max(axis=0), 1e-300)

    def value(u: Array, h: float) -> Array:
        values: Array = np.asarray(function(state + h * size * u), np.float64)
        return np.asarray(values / size)

    def quotient(u: Array) -> Array:
        coarse, fine = ((value(u, h) - value(u, -h)) / (2 * h) for h in (1e-3, 5e-4))
        return np.asarray((4 * fine - coarse) / 3)  # Richardson: of order 4

    def step(u: Array) -> Array:
        return np.asarray(np.imag(function(state + 1j * STEP * u)) / STEP)

    # Any two entries, which may cancel in v, have different signs in one direction at least.
    bits = np.arange(max(1, (len(v) - 1).bit_length()))[:, None]
    signs = (1.0 - 2.0 * (np.arange(len(v)) >> bits & 1))[:, :, None]
    rough = np.array([quotient(u) for u in (v, *(signs * v))])
    whole = np.abs(rough).max(axis=0)
    # A quotient is good to about 1e-9 of the change along the largest of the directions.
    blurred = Reading(rough[0], 1e-9 * whole, whole)
    if not np.isfinite(whole).all():
        first = state[:, ~np.isfinite(whole)][:, 0]
        raise FloatingPointError(f"measured, or its derivative, is not finite at the state {first}")
    try:
        exact = np.array([step(u) for u in (v, *(signs * v))])
    except TypeError:
        return blurred
    agrees = (np.abs(exact - rough) <= 1e-6 * (whole + whole.max())).all(axis=0)
    chosen = np.where(agrees, exact[0], rough[0])
    return Reading(chosen, np.where(agrees, ROUNDING, 1e-9) * whole, whole)


def _with_parameter(system: Map | Flow, derivative: Callable[[Array, float], Rows]) -> Map | Flow:
    """Return the system with a further variable that adds the derivative by a parameter."""
    d = len(system.names)
    flow = isinstance(system, Flow)
    function = system.rate if isinstance(system, Flow) else system.step

    def moved(state: Array, time: float) -> Rows:
        # To first order in p, which is zero and stays: its rate is zero, its step the identity.
        p = state[d]
        push = derivative(state[:d], time)
        rows = [f + p * g for f, g in zip(function(state[:d], time), push, strict=True)]
        return (*rows, 0.0 * p if flow else p)

    def product(state: Array, v: Array, time: float) -> Rows:
        push = derivative(state[:d], time)
        if system.jvp is not None:
            rows = system.jvp(state[:d], v[:d], time)
        else:
            assert system.jacobian is not None
            entries = entries_of(system.jacobian)(state[:d], time)
            rows = [sum(entries[i][j] * v[j] for j in range(d)) for i in range(d)]
        moved = [row + p * v[d] for row, p in zip(rows, push, strict=True)]
        return (*moved, 0.0 * v[d] if flow else v[d])

    names = (*system.names, PARAMETER)
    if isinstance(system, Flow):
        return Flow(names, moved, jvp=product, dt=system.dt)
    return Map(names, moved, jvp=product, dt=system.dt)


def _vector(system: Map | Flow, value: Any, argument: str, held: set[int]) -> tuple[Array, str]:
    """Return a direction or covector (d,), and how errors call it."""
    d = len(system.names)
    if isinstance(value, str) or value is None or np.ndim(value) == 0:
        index = index_of(system, value, argument)
        if index in held:
            names = tuple(system.names[i] for i in sorted(held))
            raise ValueError(f"{argument} must not be in frozen={names}; got {value!r}")
        return np.eye(d)[index], repr(value)
    if all(isinstance(entry, str) for entry in np.ravel(np.asarray(value, object))):
        index_of(system, value, argument)
    vector = check_array(argument, value, (d,))
    if not vector.any():
        raise ValueError(f"{argument} must not be zero; got {value!r}")
    return vector.copy(), "a direction"


def ask(
    system: Map | Flow, frozen: Names, varied: Varied, measured: Measured, state: Array
) -> Question:
    """Return a checked question; errors name the argument that is wrong."""
    names = check_frozen(frozen)
    if not names:
        raise ValueError("frozen must name at least one variable; got none")
    held = {index_of(system, name, "frozen") for name in names}
    free = tuple(i for i in range(len(system.names)) if i not in held)
    covector, function, read = None, None, "a function"
    direction, moved = np.zeros(len(system.names)), "a parameter"
    if not callable(varied):
        direction, moved = _vector(system, varied, "varied", held)
    if callable(measured):
        function = measured
        shape = np.shape(measured(state[:, :1]))
        if shape not in ((1,), ()):
            raise ValueError(
                "measured must return one number for each state, (d, ...) -> (...); got shape "
                f"{shape} for one state"
            )
    else:
        covector, read = _vector(system, measured, "measured", held)
    if callable(varied):
        larger = _with_parameter(system, varied)
        direction = np.eye(len(larger.names))[-1]
        if covector is not None:
            covector = np.append(covector, 0.0)
        words = f"varied={moved} disturbs measured={read}"
        return Question(
            larger, (*free, len(system.names)), direction, covector, function, words, True
        )
    if direction[list(held)].any():
        raise ValueError(
            f"varied must be zero in the part frozen={names}, which does not respond; "
            f"got {varied!r}"
        )
    differ = covector is not None and not (covector * direction).any()
    words = f"varied={moved} disturbs measured={read}"
    return Question(system, free, direction, covector, function, words, differ)


__all__ = ["Measured", "Question", "Varied", "ask"]
