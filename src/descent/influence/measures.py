r"""Does one part of a system optimize another? Comp and Op, by tangent dynamics.

A small change of the initial value of the variable n is followed in two worlds. In X
everything responds. In Y the part A is replayed from the undisturbed world W, so that
no disturbance passes through it. For a variable m,

.. math:: \operatorname{Comp}(A; n, m) =
          \lim_{\delta \to 0} \frac{s^m_t[X] - s^m_t[W]}{s^m_t[Y] - s^m_t[W]}, \qquad
          \operatorname{Op} = -\log |\operatorname{Comp}| \ \text{(nats)}.

The limit is a ratio of derivatives. They come from `descent.dynamics.tangent`: X has the full
Jacobian, Y the Jacobian with the rows of A set to zero. Op > 0: A makes the disturbance
of m smaller than it would be without A's response.

Source: 003, posts 7 ("The Setup") and 8. Both formulas are garbled in print.
"""

import numpy as np
import numpy.typing as npt

from descent.arguments import Array, check_indices, check_real
from descent.dynamics import Flow, Map
from descent.dynamics.system import (
    Initial,
    Names,
    check_system,
    check_times,
    state_of,
)
from descent.dynamics.tangent import check_derivative, check_integrator
from descent.influence.digits import Bools, compare
from descent.influence.pair import Pair, block_of
from descent.influence.question import Measured, Varied, ask


def slog_comp(
    system: Map | Flow,
    initial: Initial,
    times: npt.ArrayLike,
    frozen: Names,
    varied: Varied,
    measured: Measured,
    *,
    until: float = np.inf,
    begin: float = 0.0,
    dt: float | None = None,
    scheme: str = "dop853",
) -> tuple[Array, Array]:
    r"""Return the sign of Comp and :math:`\log |\operatorname{Comp}|`, which cannot overflow.

    Where the sign is negative, the disturbances in X and Y point in opposite directions:
    the source calls Op complex there. At each change of sign Op has a pole.

    Parameters
    ----------
    system : Map or Flow
        The dynamics, with a Jacobian.
    initial : array (..., d) or mapping of name to array (...)
        Start of the undisturbed trajectory; many starts make a landscape.
    times : array (n_times,)
        Ascending, from ``begin`` on; for a map, multiples of its dt.
    frozen : str or collection of str
        The part A that is replayed in Y.
    varied : str, array (d,) or callable
        The variable n whose initial value is disturbed, not in A; or the direction of the
        disturbance, zero in A; or a parameter p, by the derivative of the rate (or step) by
        it, ``(state (d, ...), time) -> d rows``, which disturbs all the time.
    measured : str, array (d,) or callable
        The variable m where the disturbance is read off, not in A; or a covector; or a
        function of the state, ``state (d, ...) -> (...)``, whose derivative is taken.
    until : float
        A is replayed up to this time only, and responds from then on.
    begin : float
        Time at which the initial state holds and the disturbance is made.
    dt : float, optional
        For flows: upper bound of fixed steps; by default steps follow the error, which stays
        below 1e-12 of the size in each, by an implicit method if the system is stiff.
    scheme : {"dop853", "rk4"}
        For fixed steps: order 8, for accurate curves, or 4, which with dt = 0.005 is quick on
        large grids of the Lorenz system.

    Returns
    -------
    sign, log : arrays (n_times, ...)
        Comp = sign * exp(log). Where Y is not disturbed, ``log`` is inf; where X is not,
        ``sign`` is 0 and ``log`` is -inf. At ``begin`` both worlds agree and Comp is 1.

    Raises
    ------
    ValueError, TypeError
        If the system has no Jacobian, names do not exist or overlap, times are not
        ascending, or the disturbance reaches ``measured`` in neither world.
    FloatingPointError
        If a trajectory leaves the finite numbers, or ``dt`` is too long for the system.
    ArithmeticError
        If what is measured is so small a part of the disturbance, as where it lies across the
        direction in which a disturbance lasts, that rounding moves the value by 1e-3.

    Notes
    -----
    Source: 003, post 8. A landscape is the source's wish there; it needs no function of
    its own: give ``initial`` as a mapping of orthogonal axes.

    Examples
    --------
    >>> from descent.systems import lorenz
    >>> axis = np.linspace(-20, 20, 5)
    >>> start = {"a": axis[:, None], "b": axis + 1, "c": 27.0}
    >>> sign, log = slog_comp(lorenz(), start, [1.0], "a", "b", "b")
    >>> log.shape
    (1, 5, 5)
    """
    check_system(system)
    check_integrator(dt, scheme)
    begin = check_real("begin", begin)
    t, until = check_times(system, times, until, begin)
    state = state_of(system, initial)
    flat = state.reshape(len(state), -1)
    question = ask(system, frozen, varied, measured, flat)
    check_derivative(question.system, question.states(flat[:, :1]))
    sign, log = np.empty((2, len(t), flat.shape[1]))
    block = block_of(system)
    for first in range(0, flat.shape[1] if len(t) else 0, block):
        part = slice(first, first + block)
        pair = Pair(question, flat[:, part], begin, until, dt, scheme)

        def again(chosen: Bools, starts: Array = flat[:, part]) -> tuple[Array, Array, Array]:
            second = Pair(question, starts[:, chosen], begin, until, dt, scheme, again=True)
            other_sign, other_log, _ = second.comp(t)
            return other_sign, other_log, second.state

        *values, doubtful = pair.comp(t)
        first_time = values[0], values[1]
        sign[:, part], log[:, part] = compare(
            first_time,
            again,
            doubtful,
            pair.fed(t),
            question.states(flat[:, part]),
            pair.state,
            t,
            question.words,
        )
    shape = (len(t), *state.shape[1:])
    return sign.reshape(shape), log.reshape(shape)


def op(
    system: Map | Flow,
    initial: Initial,
    times: npt.ArrayLike,
    frozen: Names,
    varied: Varied,
    measured: Measured,
    *,
    until: float = np.inf,
    begin: float = 0.0,
    dt: float | None = None,
    scheme: str = "dop853",
) -> Array:
    r"""Optimization of a variable by a part.

    .. math:: \operatorname{Op}(A; n, m) = -\log |\operatorname{Comp}(A; n, m)|

    Natural logarithm. Not a rate: in chaos it falls linearly, with the slope
    :math:`\Lambda_c - \Lambda_1` of `descent.lyapunov`.

    Parameters
    ----------
    system, initial, times, frozen, varied, measured, until, begin, dt, scheme
        As in `slog_comp`.

    Returns
    -------
    array (n_times, ...)
        Nats. Positive: A shrinks the disturbance; negative: A amplifies it; inf where
        nothing is left of it in X, -inf where nothing arrives in Y.

    Raises
    ------
    ValueError, TypeError, ArithmeticError
        As `slog_comp`.

    Notes
    -----
    Source: 003, post 8, "Op(A; n, m)".

    Examples
    --------
    >>> from descent.systems import linear_thermostat
    >>> op(linear_thermostat(0.19, 25.0), [35.0, 10.0], [0, 1, 2], "thermostat", "room", "room")
    array([0.        , 0.        , 0.21072103])
    """
    _, log = slog_comp(
        system,
        initial,
        times,
        frozen,
        varied,
        measured,
        until=until,
        begin=begin,
        dt=dt,
        scheme=scheme,
    )
    return 0.0 - log


def comp(
    system: Map | Flow,
    initial: Initial,
    times: npt.ArrayLike,
    frozen: Names,
    varied: Varied,
    measured: Measured,
    *,
    until: float = np.inf,
    begin: float = 0.0,
    dt: float | None = None,
    scheme: str = "dop853",
) -> Array:
    r"""Compression of a disturbance: the signed ratio of its sizes in worlds X and Y.

    Not a compression rate, and not the absolute value that the source's second formula
    has: the sign tells where the source's Op turns complex.

    Parameters
    ----------
    system, initial, times, frozen, varied, measured, until, begin, dt, scheme
        As in `slog_comp`.

    Returns
    -------
    array (n_times, ...)
        Signed ratio; inf where Y is not disturbed. Below about 1e-308 it is 0: use
        `slog_comp` then.

    Raises
    ------
    ValueError, TypeError
        As `slog_comp`.
    FloatingPointError
        If a trajectory leaves the finite numbers, or a finite ratio does not fit a float.

    Notes
    -----
    Source: 003, post 8, "Comp(A; n, m)".

    Examples
    --------
    >>> from descent.systems import linear_thermostat
    >>> comp(linear_thermostat(0.19, 25.0), [35.0, 10.0], [0, 1, 2], "thermostat", "room", "room")
    array([1.  , 1.  , 0.81])
    """
    sign, log = slog_comp(
        system,
        initial,
        times,
        frozen,
        varied,
        measured,
        until=until,
        begin=begin,
        dt=dt,
        scheme=scheme,
    )
    with np.errstate(over="ignore", under="ignore"):
        ratio = np.exp(log)
    if (np.isinf(ratio) & np.isfinite(log)).any():
        raise FloatingPointError(
            f"Comp overflows: log|Comp| reaches {log.max():g}; use slog_comp or op"
        )
    return np.asarray(np.copysign(ratio, sign))


def linear_thermostat_comp(k: float, steps: npt.ArrayLike) -> Array:
    r"""Comp of the linear thermostat in closed form.

    .. math:: \operatorname{Comp}(t) =
              \frac{\lambda_+^{t+1} - \lambda_-^{t+1}}{\lambda_+ - \lambda_-}, \qquad
              \lambda_\pm = \tfrac12 \left(1 \pm \sqrt{1 - 4k}\right)

    It depends neither on the state nor on the forcing. For k > 1/4 it oscillates.

    Parameters
    ----------
    k : float
        Gain of `descent.systems.linear_thermostat`. At 1/4 both roots are 1/2, and Comp
        is :math:`(t + 1)/2^t`.
    steps : integer array
        t.

    Returns
    -------
    array, shape of ``steps``
        Comp(thermostat; room, room).

    Examples
    --------
    >>> linear_thermostat_comp(0.19, [0, 1, 2]).round(12)
    array([1.  , 1.  , 0.81])
    """
    t, k = check_indices("steps", steps), check_real("k", k)
    if (t < 0).any():
        raise ValueError(f"steps must not be negative; got {steps!r}")
    if k == 0.25:
        return np.asarray((t + 1) * 0.5**t)
    root = np.sqrt(complex(1 - 4 * k))
    plus, minus = (1 + root) / 2, (1 - root) / 2
    return np.asarray(((plus ** (t + 1) - minus ** (t + 1)) / root).real)
