r"""Dynamics of named variables: maps (discrete time) and flows (differential equations).

States have the variable on the first axis: shape ``(d, ...)``. Concrete systems are in
`descent.systems`.
"""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.float64]
Rows = Sequence[Any]  # d entries, each a number or an array (...)
Function = Callable[[Array, float], Rows]
Initial = npt.ArrayLike | Mapping[str, npt.ArrayLike]
Names = str | Collection[str]
Jacobian = Callable[[Array, float], Any]  # d rows of d entries


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
        ``(state, time) -> d rows of d entries``, :math:`\partial F_i/\partial s_j`;
        each entry a number or an array ``(...)``. `complex_step` makes one.
    dt : float
        Time that one step takes.
    start : tuple of float, optional
        A typical state.
    """

    names: tuple[str, ...]
    step: Function
    jacobian: Jacobian | None = None
    dt: float = 1.0
    start: tuple[float, ...] | None = None


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
        ``(state, time) -> d rows of d entries``, :math:`\partial f_i/\partial s_j`;
        each entry a number or an array ``(...)``. `complex_step` makes one.
    dt : float
        Step of the integrator unless another is asked for: an upper bound, so that
        steps end on the times of output.
    start : tuple of float, optional
        A typical state, from which the way to the attractor begins.
    """

    names: tuple[str, ...]
    rate: Function
    jacobian: Jacobian | None = None
    dt: float = 0.01
    start: tuple[float, ...] | None = None

    def step(self, state: npt.ArrayLike, time: float = 0.0, dt: float | None = None) -> Array:
        """Return the state one Runge-Kutta step (classical, order 4) later."""
        s, h = np.asarray(state, float), self.dt if dt is None else dt

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
        If variables are missing, unknown, or not finite.

    Examples
    --------
    >>> from descent.systems import lorenz
    >>> state_of(lorenz(), {"a": np.zeros((4, 1)), "b": np.ones(3), "c": 2.0}).shape
    (3, 4, 3)
    """
    names = system.names
    if isinstance(initial, Mapping):
        if set(initial) != set(names):
            raise ValueError(f"{name} must give each of {names}; got {tuple(initial)}")
        rows = np.broadcast_arrays(*(np.asarray(initial[n], float) for n in names))
        state = np.stack(rows)
    else:
        values = np.asarray(initial, float)
        if values.ndim == 0 or values.shape[-1] != len(names):
            raise ValueError(
                f"{name} must have {len(names)} entries on its last axis, {names}; "
                f"got shape {values.shape}"
            )
        state = np.moveaxis(values, -1, 0).copy()
    if not np.isfinite(state).all():
        raise ValueError(f"{name} must be finite; got {initial!r}")
    return state


def index_of(system: Map | Flow, name: str, argument: str) -> int:
    """Return the position of a variable; a ValueError that lists the names if there is none."""
    if name not in system.names:
        raise ValueError(f"{argument} must be one of {system.names}; got {name!r}")
    return system.names.index(name)


def check_times(system: Map | Flow, times: npt.ArrayLike, until: float) -> tuple[Array, float]:
    """Return times and until as floats, on whole steps of a map; an error if out of range."""
    t = np.asarray(times, float)
    if t.ndim != 1 or not np.isfinite(t).all() or (t < 0).any() or (np.diff(t) < 0).any():
        raise ValueError(f"times must be one-dimensional, from 0 on and ascending; got {times!r}")
    if not until >= 0:
        raise ValueError(f"until must be zero or positive; got {until!r}")
    if isinstance(system, Map):
        steps = t / system.dt
        if (np.abs(steps - np.rint(steps)) > 1e-6).any():
            raise ValueError(f"times must be multiples of the step dt={system.dt!r}; got {times!r}")
        t = np.rint(steps) * system.dt
        if np.isfinite(until):
            until = float(np.floor(until / system.dt + 1e-6) * system.dt)
    return t, until


def check_variables(
    system: Map | Flow, frozen: Names, varied: str, measured: str
) -> tuple[tuple[int, ...], int, int]:
    """Return the free variables, the varied and the measured one, as indices."""
    names = (frozen,) if isinstance(frozen, str) else tuple(frozen)
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


def complex_step(function: Function) -> Jacobian:
    r"""Return the Jacobian of an analytic function, exact to rounding.

    .. math:: \partial f_i / \partial s_j = \operatorname{Im} f_i(s + i h e_j) / h,
              \quad h = 10^{-100}

    Not a finite difference: nothing cancels, so h can be tiny. The function must be
    made of analytic operations (not ``abs``, ``clip``, ``maximum``).

    Parameters
    ----------
    function : callable
        A ``step`` or ``rate``: ``(state (d, ...), time) -> d rows``.

    Returns
    -------
    callable
        ``(state, time) -> array (d, d, ...)``.

    Examples
    --------
    >>> pendulum = lambda s, time: (s[1], -np.sin(s[0]))
    >>> complex_step(pendulum)(np.array([0.0, 1.0]), 0.0)
    array([[ 0.,  1.],
           [-1.,  0.]])
    """
    h = 1e-100

    def jacobian(state: Array, time: float) -> Array:
        columns = []
        for j in range(len(state)):
            shifted = np.array(state, complex)
            shifted[j] += 1j * h
            rows = np.broadcast_arrays(*function(shifted, time))
            columns.append(np.stack(rows).imag / h)
        # + 0.0 turns -0.0 into 0.0
        return np.stack(columns, axis=1) + 0.0

    return jacobian
