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

from descent.arguments import (
    Array,
    check_array,
    check_count,
    check_flag,
    check_generator,
    check_real,
)
from descent.dynamics import Flow, Map
from descent.dynamics.system import Initial, Names, check_frozen, check_system, index_of, state_of
from descent.dynamics.tangent import check_derivative, check_integrator
from descent.lyapunov.protocol import Plan, measure
from descent.lyapunov.stated import growth_rates, scattered
from descent.lyapunov.verdict import check_settled, rates_of

SPREAD = 1.0  # standard deviation of the starts around the given one, if the step is stated
STATED = (100.0, 30.0, 128)  # duration, transient and trajectories, if the step is stated


def _given(system: Map | Flow, initial: Initial | None) -> Array:
    """Return one state (d,) or several (d, n)."""
    if initial is None:
        if system.start is None:
            raise ValueError("initial must be given: the system names no typical state; got None")
        initial = system.start
    state = state_of(system, initial)
    if state.ndim > 2:
        raise ValueError(f"initial must be one state or a list of them; got shape {state.shape}")
    return state


def _check_spans(
    system: Map | Flow, duration: float | None, transient: float | None, interval: float | None
) -> None:
    """Raise an error unless the spans of time are positive, and whole steps of a map."""
    if duration is not None:
        check_real("duration", duration, above=0)
    if transient is not None:
        check_real("transient", transient, least=0)
    if interval is None:
        interval = system.dt if isinstance(system, Map) else None
    else:
        check_real("interval", interval, above=0)
        if isinstance(system, Map) and abs(interval / system.dt - round(interval / system.dt)) > (
            1e-6
        ):
            raise ValueError(f"interval must be a multiple of dt={system.dt!r}; got {interval!r}")
    if interval is not None and duration is not None and round(duration / interval) < 1:
        raise ValueError(f"duration must be at least interval={interval!r}; got {duration!r}")


def planned(
    system: Map | Flow,
    frozen: Names,
    initial: Initial | None,
    duration: float | None,
    transient: float | None,
    n_trajectories: int | None,
    rng: np.random.Generator | None,
    interval: float | None,
) -> tuple[Array, Plan]:
    """Return one state (d,) or several (d, n), and what is asked; errors name what is wrong."""
    check_system(system)
    names = check_frozen(frozen)
    if n_trajectories is not None:
        check_count("n_trajectories", n_trajectories, 2)
    if rng is not None:
        check_generator("rng", rng)
    held = {index_of(system, name, "frozen") for name in names}
    free = tuple(i for i in range(len(system.names)) if i not in held)
    if not free:
        raise ValueError(f"frozen must leave a variable free; got all of {system.names}")
    _check_spans(system, duration, transient, interval)
    state = _given(system, initial)
    rng = np.random.default_rng(0) if rng is None else rng
    check_derivative(system, state[:, None] if state.ndim == 1 else state[:, :1])
    return state, Plan(free, transient, duration, interval, n_trajectories, rng)


def _stated(
    system: Flow,
    state: Array,
    free: tuple[int, ...],
    plan: Plan,
    spread: float | None,
    dt: float,
    scheme: str,
) -> tuple[Array, Array | None]:
    """Return exponents and errors with a stated step."""
    duration, transient, n = STATED
    duration = duration if plan.duration is None else plan.duration
    transient = transient if plan.transient is None else plan.transient
    interval = 0.5 if plan.interval is None else plan.interval
    _check_spans(system, duration, transient, interval)
    if state.ndim == 1:
        spread = SPREAD if spread is None else spread
        n = n if plan.n_trajectories is None else plan.n_trajectories
        state = scattered(state, n, plan.rng, spread)
    settle, measured = round(transient / interval), round(duration / interval)
    rates = growth_rates(system, state, free, settle, measured, interval, dt, scheme)
    order = np.argsort(-rates.mean(axis=1))
    if rates.shape[1] < 2:
        return rates.mean(axis=1)[order], None
    error = rates.std(axis=1, ddof=1) / np.sqrt(rates.shape[1])
    return rates.mean(axis=1)[order], error[order]


def conditional_exponents(
    system: Map | Flow,
    frozen: Names,
    initial: Initial | None = None,
    *,
    duration: float | None = None,
    transient: float | None = None,
    n_trajectories: int | None = None,
    rng: np.random.Generator | None = None,
    interval: float | None = None,
    dt: float | None = None,
    scheme: str = "dop853",
    spread: float | None = None,
    return_error: bool = False,
) -> Array:
    r"""Lyapunov exponents of the rest of a system, driven by a part's recorded motion.

    .. math:: \dot v = J_{BB}(s(t))\, v

    B are the variables that are not frozen. Also called transverse or sub-Lyapunov
    exponents. In chaos Op(A; n, m) falls as :math:`(\Lambda_c - \Lambda_1)\, t`, with
    the largest conditional exponent and the largest exponent of the full system.

    By itself it takes all scales from the system: one trajectory goes ahead from
    ``initial`` and finds the period and an attractor; frames follow it from many places on
    its way, with steps that follow the error, explicit or implicit; and measuring goes on
    until the result agrees with itself. With ``dt`` the protocol is the caller's: fixed
    steps, and a cloud of starts around ``initial``.

    Parameters
    ----------
    system : Map or Flow
        The dynamics, with a Jacobian or a jvp.
    frozen : str or collection of str
        The part A: not all of the variables, and none for the full spectrum.
    initial : array (d,) or (n, d), or mapping, optional
        One state in the basin of an attractor, or all starts, which are then used as they
        are; by default the system's typical state.
    duration, transient : float, optional
        Time over which growth is measured, and time before, in which the trajectories
        settle on the attractor and the disturbances align. By default as long as it takes.
        With ``dt``: 100 and 30.
    n_trajectories : int, optional
        Number of trajectories, two or more; by default 48 for flows, 64 for maps, fewer if
        the functions take one state at a time. With ``dt``: 128.
    rng : numpy.random.Generator, optional
        Parts the starts; by default one with a fixed seed.
    interval : float, optional
        Time of a block in which growth is added up; a multiple of dt for maps. With ``dt``:
        time between two orthonormalizations, by default 1/2, within which a disturbance must
        not grow or shrink by more than about 1e8.
    dt, scheme
        Fixed step and scheme of the integrator of flows; see
        `descent.dynamics.tangent.advance`.
    spread : float, optional
        With ``dt``: standard deviation of the starts around ``initial``, in every variable;
        by default 1.
    return_error : bool
        Return a second row with the standard errors.

    Returns
    -------
    array (r,), or (2, r) with ``return_error``
        Mean over the trajectories for the r free variables, largest first; and its
        standard error. That is the largest of the spread between trajectories, the spread
        between stretches of time, and the wandering of the mean growth around a straight
        line, corrected for starts that have not parted; with ``dt`` the first alone.

    Raises
    ------
    ValueError, TypeError
        If the system has no Jacobian or a wrong one (a complex step of a function that is
        not analytic), names do not exist, or a span of time is not positive.
    FloatingPointError
        If a trajectory leaves the finite numbers.
    ArithmeticError
        If what was measured contradicts itself: the halves of the time differ (transient
        chaos), the trajectories part, or a flow has no exponent zero.
    RuntimeError
        If the steps are so short that nothing can be measured.

    Notes
    -----
    For the Lorenz system the sum is the trace of :math:`J_{BB}`, a constant:
    :math:`-(1 + \beta)` with A = a.

    Examples
    --------
    >>> from descent.systems import lorenz
    >>> rates = conditional_exponents(lorenz(), "b", duration=5.0, n_trajectories=2)
    >>> rates.round(3)  # exactly -beta and -sigma
    array([ -2.667, -10.   ])
    """
    check_flag("return_error", return_error)
    check_integrator(dt, scheme)
    if spread is not None:
        check_real("spread", spread, least=0)
        if isinstance(system, Flow) and dt is None:
            raise ValueError(f"spread needs dt, a stated step; got {spread!r} without it")
    state, plan = planned(
        system, frozen, initial, duration, transient, n_trajectories, rng, interval
    )
    errors: Array | None
    if isinstance(system, Flow) and dt is not None:
        values, errors = _stated(system, state, plan.free, plan, spread, dt, scheme)
    else:
        # What overflows on the way is reported by `measure`.
        with np.errstate(all="ignore"):
            measured = measure(system, state[:, None] if state.ndim == 1 else state, plan)
        values, errors = rates = rates_of(measured, duration is not None)
        if duration is None:
            check_settled(system, measured, rates, len(plan.free) == len(system.names))
        errors = None if state.ndim == 2 and state.shape[1] < 2 else errors
    if not return_error:
        return np.asarray(values)
    if errors is None:
        raise ValueError("return_error needs two or more starts in initial; got 1")
    return np.stack([values, errors])


def spectrum(
    system: Map | Flow,
    initial: Initial | None = None,
    *,
    duration: float | None = None,
    transient: float | None = None,
    n_trajectories: int | None = None,
    rng: np.random.Generator | None = None,
    interval: float | None = None,
    dt: float | None = None,
    scheme: str = "dop853",
    spread: float | None = None,
    return_error: bool = False,
) -> Array:
    r"""All Lyapunov exponents, largest first, by Benettin's method.

    .. math:: \dot v = J(s(t))\, v

    Parameters
    ----------
    system, initial, duration, transient, n_trajectories, rng
        As in `conditional_exponents`.
    interval, dt, scheme, spread, return_error
        As there.

    Returns
    -------
    array (d,), or (2, d) with ``return_error``
        Exponents; standard errors.

    Raises
    ------
    ValueError, TypeError, FloatingPointError, ArithmeticError, RuntimeError
        As `conditional_exponents`.

    Notes
    -----
    A rate that jumps (``sign``, ``heaviside``) has no tangent dynamics by its Jacobian
    alone. The Lorenz system with its default parameters has 0.9056, 0 and -14.572 (Sprott,
    Chaos and Time-Series Analysis, 2003).

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
        spread=spread,
        return_error=return_error,
    )


def kaplan_yorke_dimension(exponents: Array) -> float:
    r"""Return the Kaplan-Yorke dimension of a spectrum.

    .. math:: D = k + \frac{\Lambda_1 + \dots + \Lambda_k}{|\Lambda_{k+1}|}

    k is the largest number of exponents whose sum is not negative.

    Parameters
    ----------
    exponents : array (d,)
        In any order.

    Returns
    -------
    float
        From 0 to d; d if no sum is negative.

    Examples
    --------
    >>> round(kaplan_yorke_dimension([0.9056, 0.0, -14.5723]), 3)
    2.062
    """
    sorted_ = np.sort(check_array("exponents", exponents, ("d",)))[::-1]
    sums = np.cumsum(sorted_)
    (negative,) = np.nonzero(sums < 0)
    if not len(negative):
        return float(len(sorted_))
    k = int(negative[0])
    before = sums[k - 1] if k else 0.0
    return float(k + before / abs(sorted_[k])) if k else 0.0
