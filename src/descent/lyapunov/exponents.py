r"""Lyapunov exponents: the rates at which disturbances of a trajectory grow.

.. math:: \Lambda_i = \lim_{t\to\infty} \frac1t \log |R_{ii}(t)|

R is the triangular factor of the tangent map in Benettin's method: disturbances are
made orthonormal again and again, by QR, and the logarithms of their lengths add up.
Natural logarithm, per unit of the system's time.

The *conditional* exponents (Pecora and Carroll, 1990) are those of the rest of a system
that is driven by the recorded motion of a part A. They are not the exponents of the
full system with A left out.
"""

import numpy as np

from descent.arguments import Array, check_count, check_flag, check_generator, check_real
from descent.dynamics import Flow, Map
from descent.dynamics.system import Initial, Names, check_frozen, check_system, index_of, state_of
from descent.dynamics.tangent import Tangents, advance, check_integrator, check_jacobian

SPREAD = 1.0  # standard deviation of the starts around the given one


def _starts(
    system: Map | Flow,
    initial: Initial | None,
    n_trajectories: int,
    rng: np.random.Generator | None,
) -> Array:
    if initial is None:
        if system.start is None:
            raise ValueError("initial must be given: the system names no typical state; got None")
        initial = system.start
    state = state_of(system, initial)
    if state.ndim > 2:
        raise ValueError(f"initial must be one state or a list of them; got shape {state.shape}")
    if state.ndim == 2:
        return state
    rng = np.random.default_rng(0) if rng is None else rng
    return state[:, None] + SPREAD * rng.standard_normal((len(state), n_trajectories))


def _growth(
    system: Map | Flow,
    state: Array,
    free: tuple[int, ...],
    n_settle: int,
    n_measure: int,
    interval: float,
    dt: float,
    scheme: str,
) -> Array:
    """Return the growth rates (r, n) over ``n_measure`` intervals, by Benettin's method."""
    r, n = len(free), state.shape[1]
    frame = np.broadcast_to(np.eye(r)[:, :, None], (r, r, n)).copy()
    total = np.zeros((r, n))
    for i in range(n_settle + n_measure):
        now, end = i * interval, (i + 1) * interval
        state, (t,) = advance(system, state, [Tangents(free, frame)], now, end, dt, scheme)
        q, upper = np.linalg.qr(np.moveaxis(t.vectors, 2, 0))  # (n, r, r)
        frame = np.ascontiguousarray(np.moveaxis(q, 0, 2))
        if i >= n_settle:
            size = np.abs(np.diagonal(upper, axis1=1, axis2=2)).T
            if not (size > 0).all():
                raise ValueError(
                    "an exponent is minus infinity: the Jacobian of the system is singular "
                    f"between times {now:g} and {end:g}"
                )
            total += np.log(size)
    return total / (n_measure * interval)


def conditional_exponents(
    system: Map | Flow,
    frozen: Names,
    initial: Initial | None = None,
    *,
    duration: float = 100.0,
    transient: float = 30.0,
    n_trajectories: int = 128,
    rng: np.random.Generator | None = None,
    interval: float | None = None,
    dt: float | None = None,
    scheme: str = "dop853",
    return_error: bool = False,
) -> Array:
    r"""Lyapunov exponents of the rest of a system, driven by a part's recorded motion.

    .. math:: \dot v = J_{BB}(s(t))\, v

    B are the variables that are not frozen. Also called transverse or sub-Lyapunov
    exponents. In chaos Op(A; n, m) falls as :math:`(\Lambda_c - \Lambda_1)\, t`, with
    the largest conditional exponent and the largest exponent of the full system.

    Parameters
    ----------
    system : Map or Flow
        The dynamics, with a Jacobian.
    frozen : str or collection of str
        The part A: not all of the variables, and none for the full spectrum.
    initial : array (d,) or (n, d), or mapping, optional
        One start, around which ``n_trajectories`` are scattered, or all starts; by
        default the system's typical state.
    duration, transient : float
        Time over which growth is measured, and time before, in which the trajectories
        settle on the attractor and the disturbances align. Rounded to whole intervals.
    n_trajectories : int
        Number of independent trajectories, two or more.
    rng : numpy.random.Generator, optional
        Scatters the starts; by default one with a fixed seed.
    interval : float, optional
        Time between two orthonormalizations; by default 1/2 for flows, one step for maps.
        Within it a disturbance must not grow or shrink by more than about 1e8.
    dt, scheme
        Integrator of flows; see `descent.dynamics.tangent.advance`. Default step: twice the
        system's.
    return_error : bool
        Return a second row with the standard errors.

    Returns
    -------
    array (r,), or (2, r) with ``return_error``
        Mean over the trajectories for the r free variables, largest first; and its
        standard error, the standard deviation over the trajectories divided by the
        square root of their number.

    Raises
    ------
    ValueError, TypeError
        If the system has no Jacobian, names do not exist, or a span of time is not
        positive.
    FloatingPointError
        If a trajectory leaves the finite numbers.

    Notes
    -----
    For the Lorenz system the sum is the trace of :math:`J_{BB}`, a constant:
    :math:`-(1 + \beta)` with A = a.

    Examples
    --------
    >>> from descent.systems import lorenz
    >>> rates = conditional_exponents(lorenz(), "b", duration=5.0, n_trajectories=2)
    >>> rates.round(6)  # exactly -beta and -sigma
    array([ -2.666667, -10.      ])
    """
    check_system(system)
    names = check_frozen(frozen)
    check_count("n_trajectories", n_trajectories, 2)
    check_flag("return_error", return_error)
    check_integrator(dt, scheme)
    if rng is not None:
        check_generator("rng", rng)
    held = {index_of(system, name, "frozen") for name in names}
    free = tuple(i for i in range(len(system.names)) if i not in held)
    if not free:
        raise ValueError(f"frozen must leave a variable free; got all of {system.names}")
    if interval is None:
        interval = system.dt if isinstance(system, Map) else 0.5
    # Averages need less accuracy than single trajectories.
    dt = 2 * system.dt if dt is None else dt
    check_real("duration", duration, above=0)
    check_real("interval", interval, above=0)
    check_real("transient", transient, least=0)
    if isinstance(system, Map) and abs(interval / system.dt - round(interval / system.dt)) > 1e-6:
        raise ValueError(f"interval must be a multiple of dt={system.dt!r}; got {interval!r}")
    n_settle, n_measure = round(transient / interval), round(duration / interval)
    if n_measure < 1:
        raise ValueError(f"duration must be at least interval={interval!r}; got {duration!r}")
    state = _starts(system, initial, n_trajectories, rng)
    check_jacobian(system, state[:, :1])
    rates = _growth(system, state, free, n_settle, n_measure, interval, dt, scheme)
    order = np.argsort(-rates.mean(axis=1))
    mean = rates.mean(axis=1)[order]
    if not return_error:
        return np.asarray(mean)
    n = rates.shape[1]
    if n < 2:
        raise ValueError("return_error needs two or more starts in initial; got 1")
    return np.stack([mean, rates.std(axis=1, ddof=1)[order] / np.sqrt(n)])


def spectrum(
    system: Map | Flow,
    initial: Initial | None = None,
    *,
    duration: float = 100.0,
    transient: float = 30.0,
    n_trajectories: int = 128,
    rng: np.random.Generator | None = None,
    interval: float | None = None,
    dt: float | None = None,
    scheme: str = "dop853",
    return_error: bool = False,
) -> Array:
    r"""All Lyapunov exponents, largest first, by Benettin's method.

    .. math:: \dot v = J(s(t))\, v

    Parameters
    ----------
    system, initial, duration, transient, n_trajectories, rng, interval, dt, scheme, return_error
        As in `conditional_exponents`.

    Returns
    -------
    array (d,), or (2, d) with ``return_error``
        Exponents; standard errors.

    Raises
    ------
    ValueError, TypeError, FloatingPointError
        As `conditional_exponents`.

    Notes
    -----
    The standard errors cover the spread between trajectories, not the error of the
    integrator. The Lorenz system with its default parameters has 0.9056, 0 and -14.572
    (Sprott, Chaos and Time-Series Analysis, 2003).

    Examples
    --------
    >>> from descent.systems import linear_thermostat
    >>> rates = spectrum(linear_thermostat(0.25 - 0.01, 25.0))
    >>> rates.round(6)  # log(0.6), log(0.4)
    array([-0.510826, -0.916291])
    """
    return conditional_exponents(
        system,
        (),
        initial,
        duration=duration,
        transient=transient,
        n_trajectories=n_trajectories,
        rng=rng,
        interval=interval,
        dt=dt,
        scheme=scheme,
        return_error=return_error,
    )
