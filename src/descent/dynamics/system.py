r"""Dynamics of named variables: maps (discrete time) and flows (differential equations).

States have the variable on the first axis: shape ``(d, ...)``. Concrete systems are in
`descent.systems`.
"""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from descent.arguments import (
    Array,
    came,
    check_array,
    check_callable,
    check_numbers,
    check_real,
)
from descent.dynamics.derivatives import Function as Function
from descent.dynamics.derivatives import Rows as Rows

Initial = npt.ArrayLike | Mapping[str, npt.ArrayLike]
Names = str | Collection[str]
Jacobian = Callable[[Array, float], Any]  # d rows of d entries
Product = Callable[[Array, Array, float], Rows]  # J v from a state and v


def _check_system(
    names: Sequence[str],
    function: object,
    jacobian: object,
    jvp: object,
    dt: float,
    start: Sequence[float] | None,
    called: str,
) -> None:
    """Raise an error that names the field of a map or flow that is wrong."""
    check_names("names", names)
    check_callable(called, function)
    if jacobian is not None:
        check_callable("jacobian", jacobian)
    if jvp is not None:
        check_callable("jvp", jvp)
    check_real("dt", dt, above=0)
    if start is not None:
        check_array("start", start, (len(names),))


def check_names(name: str, value: Sequence[str]) -> tuple[str, ...]:
    """Return different texts as a tuple; an error if they are none."""
    if not isinstance(value, tuple | list) or not all(isinstance(v, str) for v in value):
        raise TypeError(f"{name} must be a tuple of str; got {came(value)}")
    if not value or len(set(value)) != len(value):
        raise ValueError(f"{name} must be different, one at least; got {value!r}")
    return tuple(value)


def check_system(system: object) -> None:
    """Raise a TypeError unless the system is a map or a flow."""
    if not isinstance(system, Map | Flow):
        kind = type(system).__name__
        finite = kind in ("FiniteSystem", "FiniteKernel")
        advice = "; descent.information.optimizing_strength takes it" if finite else ""
        raise TypeError(
            f"system must be a Map or a Flow; got {kind}, which has no Jacobian{advice}"
        )


@dataclass(frozen=True)
class Map:
    r"""Discrete time: :math:`s_{t+\Delta t} = F(s_t, t)`.

    Parameters
    ----------
    names : tuple of str
        The d variables.
    step : callable
        ``(state (d, ...), time) -> d rows``.
    jacobian : callable or None
        ``(state, time) -> d rows of d entries``, ``∂F_i/∂s_j``;
        each entry a number or an array ``(...)``. `complex_step` makes one.
    dt : float
        Time that one step takes.
    start : tuple of float, optional
        A typical state.
    jvp : callable, optional
        ``(state, vectors (d, ...), time) -> d rows``, the product of the Jacobian with a
        vector at each state: for large systems, in place of ``jacobian``.
    """

    names: tuple[str, ...]
    step: Function
    jacobian: Jacobian | None = None
    dt: float = 1.0
    start: tuple[float, ...] | None = None
    jvp: Product | None = None

    def __post_init__(self) -> None:
        _check_system(self.names, self.step, self.jacobian, self.jvp, self.dt, self.start, "step")


@dataclass(frozen=True)
class Flow:
    r"""Continuous time: :math:`\dot s = f(s, t)`.

    Parameters
    ----------
    names : tuple of str
        The d variables.
    rate : callable
        ``(state (d, ...), time) -> d rows``.
    jacobian : callable or None
        ``(state, time) -> d rows of d entries``, ``∂f_i/∂s_j``;
        each entry a number or an array ``(...)``. `complex_step` makes one.
    dt : float
        Fixed step of `step`. Where a function takes ``dt``, its own default is steps
        that follow the error.
    start : tuple of float, optional
        A typical state, from which the way to the attractor begins.
    jvp : callable, optional
        ``(state, vectors (d, ...), time) -> d rows``, the product of the Jacobian with a
        vector at each state: for large systems, in place of ``jacobian``.
    """

    names: tuple[str, ...]
    rate: Function
    jacobian: Jacobian | None = None
    dt: float = 0.01
    start: tuple[float, ...] | None = None
    jvp: Product | None = None

    def __post_init__(self) -> None:
        _check_system(self.names, self.rate, self.jacobian, self.jvp, self.dt, self.start, "rate")

    def step(self, state: npt.ArrayLike, time: float = 0.0, dt: float | None = None) -> Array:
        """Return the state one Runge-Kutta step (classical, order 4) later."""
        s, time = check_array("state", state), check_real("time", time)
        h = self.dt if dt is None else check_real("dt", dt, above=0)
        if not s.ndim or len(s) != len(self.names):
            raise ValueError(f"state must have {len(self.names)} rows; got shape {s.shape}")

        def rate(s: Array, time: float) -> Array:
            return np.stack(np.broadcast_arrays(*self.rate(s, time)))

        k1 = rate(s, time)
        k2 = rate(s + h / 2 * k1, time + h / 2)
        k3 = rate(s + h / 2 * k2, time + h / 2)
        k4 = rate(s + h * k3, time + h)
        return np.asarray(s + h / 6 * (k1 + 2 * k2 + 2 * k3 + k4))


def state_of(system: Map | Flow, initial: Initial, name: str = "initial") -> Array:
    """Return a state ``(d, ...)`` from rows ``(..., d)`` or from a mapping by variable.

    Parameters
    ----------
    system : Map or Flow
        Whose variables.
    initial : array (..., d) or mapping
        Values in the order of ``system.names``, or name to array; these are broadcast
        against each other, so that two orthogonal axes make a grid.
    name : str
        What errors call it.

    Returns
    -------
    array (d, ...)
        A new array.

    Raises
    ------
    ValueError
        If variables are missing, unknown, or not finite, or there is no state.

    Examples
    --------
    >>> from descent.systems import lorenz
    >>> state_of(lorenz(), {"a": np.zeros((4, 1)), "b": np.ones(3), "c": 2.0}).shape
    (3, 4, 3)
    """
    check_system(system)
    names = system.names
    if isinstance(initial, Mapping):
        if set(initial) != set(names):
            raise ValueError(f"{name} must give each of {names}; got {tuple(initial)}")
        rows = [check_numbers(name, initial[n]) for n in names]
        try:
            state = np.stack(np.broadcast_arrays(*rows))
        except ValueError:
            shapes = {n: row.shape for n, row in zip(names, rows, strict=True)}
            raise ValueError(f"{name} must broadcast; got shapes {shapes}") from None
    else:
        values = check_numbers(name, initial)
        if values.ndim == 0 or values.shape[-1] != len(names):
            raise ValueError(
                f"{name} must have {len(names)} entries on its last axis, {names}; "
                f"got shape {values.shape}"
            )
        state = np.moveaxis(values, -1, 0).copy()
    if not state.size:
        raise ValueError(f"{name} must hold at least one state; got shape {state.shape[1:]}")
    if not np.isfinite(state).all():
        raise ValueError(f"{name} must be finite; got {came(initial)}")
    return state


def index_of(system: Map | Flow, name: str, argument: str) -> int:
    """Return the position of a variable; a ValueError that lists the names if there is none."""
    check_system(system)
    if not isinstance(name, str) or name not in system.names:
        raise ValueError(f"{argument} must be one of {system.names}; got {came(name)}")
    return system.names.index(name)


def _is_infinity(value: float) -> bool:
    return isinstance(value, float) and value == np.inf


def check_times(
    system: Map | Flow, times: npt.ArrayLike, until: float, begin: float = 0.0
) -> tuple[Array, float]:
    """Return times and until as floats, on whole steps of a map; an error if out of range."""
    t = check_array("times", times)
    since = f"begin={begin:g}" if begin else "0"
    if t.ndim != 1 or (t < begin).any() or (np.diff(t) < 0).any():
        raise ValueError(
            f"times must be one-dimensional, from {since} on and ascending; got {came(times)}"
        )
    until = until if _is_infinity(until) else check_real("until", until, least=begin)
    if isinstance(system, Map):
        if abs(begin / system.dt - round(begin / system.dt)) > 1e-6:
            raise ValueError(
                f"begin must be a multiple of the step dt={system.dt!r}; got {begin!r}"
            )
        steps = t / system.dt
        if (np.abs(steps - np.rint(steps)) > 1e-6).any():
            raise ValueError(
                f"times must be multiples of the step dt={system.dt!r}; got {came(times)}"
            )
        t = np.rint(steps) * system.dt
        if np.isfinite(until):
            until = float(np.floor(until / system.dt + 1e-6) * system.dt)
    return t, until


def check_frozen(frozen: Names, argument: str = "frozen") -> tuple[str, ...]:
    """Return the names of a part; a TypeError if these are no names."""
    if not isinstance(frozen, Collection):
        raise TypeError(f"{argument} must be a name or several; got {came(frozen)}")
    return (frozen,) if isinstance(frozen, str) else tuple(frozen)


def check_variables(
    system: Map | Flow, frozen: Names, varied: str, measured: str
) -> tuple[tuple[int, ...], int, int]:
    """Return the free variables, the varied and the measured one, as indices."""
    names = check_frozen(frozen)
    if not names:
        raise ValueError("frozen must name at least one variable; got none")
    held = {index_of(system, name, "frozen") for name in names}
    n, m = index_of(system, varied, "varied"), index_of(system, measured, "measured")
    for argument, index in (("varied", n), ("measured", m)):
        if index in held:
            raise ValueError(
                f"{argument} must not be in frozen={names}; got {system.names[index]!r}"
            )
    return tuple(i for i in range(len(system.names)) if i not in held), n, m
