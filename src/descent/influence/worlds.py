"""The worlds W, X and Y simulated with a finite disturbance, and how far that can be trusted.

W is undisturbed. In X one initial value is changed. Y has the same change, but the part
A is replayed from W. `descent.influence` takes the limit of small changes exactly; here
it is approached as the source does, with a finite difference.

Source: 003, posts 7 and 8.
"""

import numpy as np
import numpy.typing as npt

from descent.arguments import Array, check_array, check_real
from descent.dynamics import Flow, Map
from descent.dynamics.carrier import Carrier
from descent.dynamics.system import (
    Function,
    Initial,
    Names,
    Rows,
    check_system,
    check_times,
    check_variables,
    index_of,
    state_of,
)
from descent.dynamics.tangent import check_integrator


def _replay(system: Map | Flow, held: list[int]) -> Map | Flow:
    """Return the worlds W, X, Y as one system of 3 d variables; A in Y is W's."""
    d = len(system.names)
    names = tuple(f"{name}[{world}]" for world in "WXY" for name in system.names)

    def together(function: Function, state: Array, time: float) -> Rows:
        worlds = np.stack([state[:d], state[d : 2 * d], state[2 * d :]], axis=1)
        worlds[held, 2] = worlds[held, 0]
        moved = np.stack(np.broadcast_arrays(*function(worlds, time)))
        moved[held, 2] = moved[held, 0]
        return list(np.concatenate([moved[:, 0], moved[:, 1], moved[:, 2]]))

    if isinstance(system, Flow):
        return Flow(names, lambda s, t: together(system.rate, s, t), dt=system.dt)
    return Map(names, lambda s, t: together(system.step, s, t), dt=system.dt)


def simulate(
    system: Map | Flow,
    initial: Initial,
    times: npt.ArrayLike,
    frozen: Names,
    varied: str,
    delta: float,
    *,
    dt: float | None = None,
    scheme: str = "dop853",
) -> Array:
    """Simulate the worlds W, X and Y with a finite disturbance.

    Parameters
    ----------
    system, initial, times, frozen, varied, dt, scheme
        As in `descent.influence.slog_comp`; a Jacobian is not needed.
    delta : float
        Change of the initial value of ``varied`` in X and Y, not zero.

    Returns
    -------
    array (3, n_times, d, ...)
        Trajectories of W, X, Y.

    Raises
    ------
    ValueError, TypeError, FloatingPointError
        As `descent.influence.slog_comp`.

    Notes
    -----
    Source: 003, post 7, "The Setup".

    Examples
    --------
    >>> from descent.systems import linear_thermostat
    >>> thermostat = linear_thermostat(0.5, 25.0)
    >>> w, x, y = simulate(thermostat, [35.0, 10.0], [0, 2], "thermostat", "room", 1.0)
    >>> x[:, 0] - w[:, 0], y[:, 0] - w[:, 0]  # the room in X, and in Y
    (array([1. , 0.5]), array([1., 1.]))
    """
    check_system(system)
    free, n, _ = check_variables(system, frozen, varied, varied)
    t, _ = check_times(system, times, np.inf)
    check_integrator(dt, scheme)
    if check_real("delta", delta) == 0:
        raise ValueError(f"delta must be finite and not zero; got {delta!r}")
    start = state_of(system, initial)
    d, shape = len(start), start.shape[1:]
    flat = start.reshape(d, -1)
    moved = flat.copy()
    moved[n] += delta
    state = np.concatenate([flat, moved, moved])
    replay = _replay(system, [i for i in range(d) if i not in free])
    paths, now = [], 0.0
    carrier = Carrier(replay, dt, scheme)
    for time in t:
        state, _ = carrier.to(state, [], now, time)
        paths.append(state.reshape(3, d, *shape))
        now = time
    return np.stack(paths, axis=1)


def finite_difference_comp(
    system: Map | Flow,
    initial: Initial,
    times: npt.ArrayLike,
    frozen: Names,
    varied: str,
    measured: str,
    delta: float,
    *,
    dt: float | None = None,
    scheme: str = "dop853",
) -> Array:
    """Comp from a finite disturbance, as the source computes it.

    It approaches `descent.influence.comp` as delta falls, until the rounding of the
    states shows. Both errors grow with time: X saturates at the size of the attractor,
    and Y sinks below the rounding. See `horizon`.

    Parameters
    ----------
    system, initial, times, frozen, varied, measured, dt, scheme
        As in `descent.influence.slog_comp`; a Jacobian is not needed.
    delta : float
        Size of the disturbance, not zero.

    Returns
    -------
    array (n_times, ...)
        Signed ratio; inf where the disturbance in Y is lost to rounding, and NaN where
        that in X is lost too, or at time 0 for two different variables.

    Raises
    ------
    ValueError, TypeError, FloatingPointError
        As `descent.influence.slog_comp`.

    Notes
    -----
    Source: 003, posts 7 and 8, with delta from 1e-3 to 1e-7.

    Examples
    --------
    >>> from descent.systems import linear_thermostat
    >>> start, thermostat = [35.0, 10.0], linear_thermostat(0.5, 25.0)
    >>> finite_difference_comp(thermostat, start, [2], "thermostat", "room", "room", 0.5)
    array([0.5])
    """
    check_system(system)
    check_variables(system, frozen, varied, measured)
    m = index_of(system, measured, "measured")
    w, x, y = simulate(system, initial, times, frozen, varied, delta, dt=dt, scheme=scheme)[:, :, m]
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.asarray((x - w) / (y - w))


def _check_as_times(name: str, value: npt.ArrayLike, times: Array) -> Array:
    array = check_array(name, value, ("n",), finite=False)
    if array.shape != times.shape:
        raise ValueError(f"{name} and times must share a shape; got {array.shape}, {times.shape}")
    return array


def horizon(
    times: npt.ArrayLike, comp: npt.ArrayLike, approximation: npt.ArrayLike, tolerance: float = 0.1
) -> float:
    """Return the time from which an approximation of Comp, and so of Op, is wrong.

    Parameters
    ----------
    times : array (n_times,)
        Ascending.
    comp, approximation : array (n_times,)
        Comp, for instance by tangent dynamics, and an approximation of it. NaN counts as
        wrong, except at time 0.
    tolerance : float
        Largest error of Op that counts as agreement, in nats; the signs must agree too.

    Returns
    -------
    float
        The time that best parts the times of agreement from those of disagreement; inf
        if there are too few of these. So neither a pole of Op, where Comp passes zero,
        nor a later agreement by chance decides.

    Examples
    --------
    >>> horizon([0, 1, 2, 3], [1, 0.5, 0.25, 0.125], [1, 0.5, 0.4, 0.4])
    2.0
    """
    t = check_array("times", times, ("n",))
    if (np.diff(t) < 0).any():
        raise ValueError(f"times must be ascending; got {times!r}")
    exact = _check_as_times("comp", comp, t)
    other = _check_as_times("approximation", approximation, t)
    check_real("tolerance", tolerance, least=0)
    with np.errstate(divide="ignore", invalid="ignore"):
        off = np.abs(np.log(np.abs(other)) - np.log(np.abs(exact)))
    agree = (off <= tolerance) & (np.sign(other) == np.sign(exact))
    wrong = ~agree & (t > 0)
    # For each possible horizon: times before it that are wrong, and after it that agree.
    misfit = np.append(0, np.cumsum(wrong)) + np.append(np.cumsum(~wrong[::-1])[::-1], 0)
    best = int(np.argmin(misfit))
    return float(t[best]) if best < len(t) else float("inf")
