r"""Dynamical systems of named variables: thermostats, linear systems, the Lorenz system.

The thermostats are a `FiniteSystem` (two parts with finitely many states) or a
`descent.dynamics.Map`; linear systems and the Lorenz system are a
`descent.dynamics.Flow`.

Source: 003, posts 5 to 8.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from descent.arguments import Array, Index, check_array, check_callable, check_indices, check_real
from descent.dynamics import Flow, Map
from descent.dynamics.system import Rows, check_names


def _inside(indices: Index, n: int) -> bool:
    """Say whether all indices lie in 0 … n - 1."""
    return bool(((indices >= 0) & (indices < n)).all())


@dataclass(frozen=True)
class FiniteSystem:
    """Thermostat and room with finitely many states, and a deterministic step of both.

    Parameters
    ----------
    thermostat, room : tuple of str
        Names of the states.
    step_thermostat, step_room : integer array (len(thermostat), len(room))
        Index of the next state of each part, given the present pair.

    Notes
    -----
    Not a Markov chain: a step has one outcome. Source: 003, post 5, "Attempt one".
    """

    thermostat: tuple[str, ...]
    room: tuple[str, ...]
    step_thermostat: Index
    step_room: Index

    def __post_init__(self) -> None:
        check_names("room", self.room)
        for name in ("thermostat", "room"):
            states = check_names(name, getattr(self, name))
            step = check_indices(f"step_{name}", getattr(self, f"step_{name}"))
            if step.shape != self.shape or not _inside(step, len(states)):
                raise ValueError(
                    f"step_{name} must have shape {self.shape} and lie in 0 … {len(states) - 1}, "
                    f"states of {name}; got shape {step.shape}, {step.min()} to {step.max()}"
                )

    @property
    def shape(self) -> tuple[int, int]:
        """Numbers of states of thermostat and room: the shape of a joint distribution."""
        return len(self.thermostat), len(self.room)

    def step(self, thermostat: npt.ArrayLike, room: npt.ArrayLike) -> tuple[Index, Index]:
        """Return the next pair of state indices; arrays of any shape, broadcast.

        Examples
        --------
        >>> system = dumb_thermostat()
        >>> i, j = system.step(2, 0)  # off, hot
        >>> system.thermostat[i], system.room[j]
        ('off', 'warm')
        """
        pair = check_indices("thermostat", thermostat), check_indices("room", room)
        for name, indices, n in zip(("thermostat", "room"), pair, self.shape, strict=True):
            if not _inside(indices, n):
                raise ValueError(f"{name} must lie in 0 … {n - 1}; got {indices}")
        try:
            np.broadcast_shapes(*(indices.shape for indices in pair))
        except ValueError:
            raise ValueError(
                f"thermostat and room must broadcast; got {pair[0].shape}, {pair[1].shape}"
            ) from None
        return self.step_thermostat[pair], self.step_room[pair]


# O^T[thermostat]: the next room, by present room (hot, warm, cold).
_ROOM = np.array([[0, 0, 1], [0, 1, 2], [1, 2, 2]])


def _finite_thermostat(step_thermostat: Sequence[Sequence[int]]) -> FiniteSystem:
    return FiniteSystem(
        ("high", "low", "off"), ("hot", "warm", "cold"), np.array(step_thermostat), _ROOM.copy()
    )


def dumb_thermostat() -> FiniteSystem:
    """Thermostat that shows the room: hot turns it off, warm to low, cold to high.

    Returns
    -------
    FiniteSystem
        Three by three states. High warms the room by one state, off cools it by one.

    Notes
    -----
    Source: 003, post 5, the rules O^T and O^R. The (off, hot) entries of its two flow
    tables are swapped there; here (off, hot) leads to (off, warm).

    Examples
    --------
    >>> dumb_thermostat().step(0, 2)  # high, cold
    (np.int64(0), np.int64(1))
    """
    return _finite_thermostat([[2, 1, 0]] * 3)


def smart_thermostat() -> FiniteSystem:
    """Thermostat that switches one step ahead: it shows the room that comes next.

    Returns
    -------
    FiniteSystem
        As `dumb_thermostat`, but the next setting depends on the present one too.

    Notes
    -----
    Source: 003, post 5, the second O^R.

    Examples
    --------
    >>> smart_thermostat().step(0, 2)  # high, cold
    (np.int64(1), np.int64(1))
    """
    return _finite_thermostat([[2, 1, 1], [2, 1, 0], [1, 1, 0]])


def _check_numbers(positive: bool = False, **values: float) -> None:
    for name, value in values.items():
        check_real(name, value, above=0 if positive else -math.inf)


def linear_thermostat(
    k: float, target: float, forcing: Callable[[float], float] | None = None
) -> Map:
    r"""Thermostat that measures the room and cools it in proportion.

    .. math:: s^{\mathrm{rm}}_t = s^{\mathrm{rm}}_{t-1} - k\, s^{\mathrm{th}}_{t-1}
              + f(t-1), \qquad s^{\mathrm{th}}_t = s^{\mathrm{rm}}_{t-1} - s^\star

    Parameters
    ----------
    k : float
        Gain, finite. Stable for 0 < k < 1, without oscillation for k <= 1/4.
    target : float
        Temperature :math:`s^\star` that it aims at.
    forcing : callable, optional
        f(t), heat that enters the room in the step from t; zero by default.

    Returns
    -------
    Map
        Variables ``("room", "thermostat")``; one step takes one unit of time.

    Raises
    ------
    ValueError, TypeError
        If a parameter is not a finite number.

    Notes
    -----
    The map is affine with determinant k. Source: 003, post 6, "The Continuous
    Thermostat" (target 0), and post 7, "Example", whose printed first equation has the
    thermostat measure itself, and then it diverges.

    Examples
    --------
    >>> linear_thermostat(0.5, 25.0).step(np.array([35.0, 10.0]), 0.0)
    (np.float64(30.0), np.float64(10.0))
    """
    _check_numbers(k=k, target=target)
    if forcing is not None:
        check_callable("forcing", forcing)

    def step(state: Array, time: float) -> Rows:
        room, thermostat = state
        heat = 0.0 if forcing is None else forcing(time)
        return room - k * thermostat + heat, room - target

    def jacobian(state: Array, time: float) -> Sequence[Rows]:
        return (1.0, -k), (1.0, 0.0)

    return Map(("room", "thermostat"), step, jacobian, start=(target + 10.0, 10.0))


def saturated_thermostat(theta: float, p: float, target: float, dt: float = 0.02) -> Map:
    r"""Thermostat whose cooling is limited to p per unit of time.

    .. math:: s^{\mathrm{rm}}_{t+\Delta t} = s^{\mathrm{rm}}_t
              - \Delta t\, p \operatorname{clip}(s^{\mathrm{th}}_t/\theta, -1, 1), \qquad
              s^{\mathrm{th}}_{t+\Delta t} = s^{\mathrm{rm}}_t - s^\star

    Parameters
    ----------
    theta : float
        Half-width of the band where it is linear, positive.
    p : float
        Largest cooling per unit of time, positive.
    target : float
        Temperature that it aims at.
    dt : float
        Time of one step, positive. The source does not give it; its integrals are
        those of 0.02.

    Returns
    -------
    Map
        Variables ``("room", "thermostat")``.

    Raises
    ------
    ValueError, TypeError
        If a parameter is out of its range.

    Notes
    -----
    On the edges of the band the Jacobian is that of the saturated side. Source: 003,
    post 8, "A Better Thermostat Model", whose print has no cooling inside the band:
    then disturbances would persist almost everywhere.

    Examples
    --------
    >>> cooled, measured = saturated_thermostat(1.0, 1.0, 25.0).step(np.array([35.0, 9.0]), 0.0)
    >>> float(cooled), float(measured)
    (34.98, 10.0)
    """
    _check_numbers(positive=True, theta=theta, p=p, dt=dt)
    _check_numbers(target=target)

    def step(state: Array, time: float) -> Rows:
        room, thermostat = state
        share = np.minimum(np.maximum(thermostat / theta, -1), 1)  # faster than np.clip
        return room - dt * p * share, room - target

    def jacobian(state: Array, time: float) -> Sequence[Rows]:
        in_band = np.abs(state[1]) < theta
        return (1.0, np.where(in_band, -dt * p / theta, 0.0)), (1.0, 0.0)

    return Map(("room", "thermostat"), step, jacobian, dt, start=(target + 10.0, 10.0))


def _letters(names: Sequence[str]) -> Sequence[str]:
    return tuple(names) if isinstance(names, str) else names


def linear_flow(matrix: npt.ArrayLike, names: Sequence[str]) -> Flow:
    r"""Linear system with constant coefficients.

    .. math:: \dot s = J s

    Parameters
    ----------
    matrix : array (d, d)
        J, finite.
    names : sequence of str
        The d variables, all different.

    Returns
    -------
    Flow
        Its Jacobian is J everywhere.

    Raises
    ------
    ValueError
        If the matrix is not square, not finite, or does not fit the names.

    Examples
    --------
    >>> oscillator = linear_flow([[0.0, 1.0], [-1.0, -0.2]], ["position", "velocity"])
    >>> [float(r) for r in oscillator.rate(np.array([1.0, 2.0]), 0.0)]
    [2.0, -1.4]
    """
    J, variables = (
        check_array("matrix", matrix, ("d", "d")).copy(),
        check_names("names", _letters(names)),
    )
    if J.shape[0] != J.shape[1]:
        raise ValueError(f"matrix must be square; got shape {J.shape}")
    if len(variables) != len(J):
        raise ValueError(f"names must be one a row of matrix, {len(J)}; got {names!r}")
    entries = J.tolist()

    def rate(state: Array, time: float) -> Rows:
        return list(np.tensordot(J, state, axes=1))

    return Flow(variables, rate, lambda state, time: entries)


def lorenz(sigma: float = 10.0, rho: float = 28.0, beta: float = 8 / 3) -> Flow:
    r"""Lorenz system.

    .. math:: \dot a = \sigma (b - a), \qquad \dot b = a (\rho - c) - b, \qquad
              \dot c = a b - \beta c

    Parameters
    ----------
    sigma, rho, beta : float
        Parameters, finite. With the default sigma and beta: one stable equilibrium
        for rho < 1; two stable ones and a saddle for 1 < rho < 24.74; chaos on the
        strange attractor at rho = 28.

    Returns
    -------
    Flow
        Variables ``("a", "b", "c")``.

    Raises
    ------
    ValueError, TypeError
        If a parameter is not a finite number.

    Notes
    -----
    Source: 003, post 8, "The Lorenz System"; the sign of its first equation is
    reversed there.

    Examples
    --------
    >>> [float(r) for r in lorenz(rho=28).rate(np.array([1.0, 2.0, 3.0]), 0.0)]
    [10.0, 23.0, -6.0]
    """
    _check_numbers(sigma=sigma, rho=rho, beta=beta)

    def rate(state: Array, time: float) -> Rows:
        a, b, c = state
        return sigma * (b - a), a * (rho - c) - b, a * b - beta * c

    def jacobian(state: Array, time: float) -> Sequence[Rows]:
        a, b, c = state
        return (-sigma, sigma, 0.0), (rho - c, -1.0, -a), (b, a, -beta)

    return Flow(("a", "b", "c"), rate, jacobian, start=(1.0, 1.0, 1.0))


def equilibria(rho: float, beta: float = 8 / 3) -> Array:
    r"""Return the equilibria of the Lorenz system.

    .. math:: (0, 0, 0), \qquad (\pm\sqrt{\beta(\rho-1)}, \pm\sqrt{\beta(\rho-1)}, \rho - 1)

    Parameters
    ----------
    rho, beta : float
        Parameters of `lorenz`.

    Returns
    -------
    array (1 or 3, 3)
        The origin; beyond rho = 1 the other two as well.

    Examples
    --------
    >>> len(equilibria(0.8)), len(equilibria(28.0))
    (1, 3)
    """
    _check_numbers(rho=rho)
    _check_numbers(positive=True, beta=beta)
    origin = [0.0, 0.0, 0.0]
    if rho <= 1:
        return np.array([origin])
    r = math.sqrt(beta * (rho - 1))
    return np.array([origin, [r, r, rho - 1], [-r, -r, rho - 1]])
