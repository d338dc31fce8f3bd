"""How much a part of a system narrows an interval of starts: the integral of 1 - Comp."""

from collections.abc import Callable

import numpy as np
import numpy.typing as npt

from descent.arguments import Array, check_real
from descent.dynamics import Flow, Map
from descent.dynamics.system import Initial, Names, index_of, state_of
from descent.influence.measures import comp, slog_comp

POLES = 0.25  # part of the integral of |1 - Comp| that may depend on half of the starts
HALVED = 10  # times that an interval is halved in search of a pole
GROWN = 32.0  # factor by which Comp grows then, at least: it would be about 1000


def removed_width(
    system: Map | Flow,
    initial: Initial,
    time: float,
    frozen: Names,
    varied: str,
    *,
    dt: float | None = None,
    scheme: str = "dop853",
) -> float:
    r"""Return how much A narrows an interval of starts.

    .. math:: \int (1 - \operatorname{Comp}(s_0))\, ds_0

    The measured variable is the varied one. Trapezoidal rule over the starts; where Comp
    jumps, its error is of the order of their spacing.

    Parameters
    ----------
    system, time, frozen, varied, dt, scheme
        As in `slog_comp`.
    initial : array (n, d) or mapping
        n >= 2 starts that differ in ``varied``, ascending.

    Returns
    -------
    float
        In units of ``varied``. For the saturated thermostat, with ends that stay
        saturated, 2 p (t - dt) whatever the width of its band.

    Raises
    ------
    ValueError, TypeError, FloatingPointError
        As `slog_comp`; or if the starts do not ascend.
    ArithmeticError
        If Comp has a pole between two starts, so that the integral diverges, or if half of
        the starts give another integral.

    Notes
    -----
    Source: 003, post 8, "Point 1".

    Examples
    --------
    >>> from descent.systems import saturated_thermostat
    >>> start = {"room": np.linspace(5, 45, 2000), "thermostat": 0.0}
    >>> thermostat = saturated_thermostat(theta=1.0, p=1.0, target=25.0)
    >>> width = removed_width(thermostat, start, 10.0, "thermostat", "room")
    >>> bool(abs(width - 2 * 1.0 * (10.0 - 0.02)) < 0.02)
    True
    """
    check_real("time", time, least=0)

    def signed(states: Array) -> tuple[Array, Array]:
        starts = dict(zip(system.names, states, strict=True))
        sign, log = slog_comp(system, starts, [time], frozen, varied, varied, dt=dt, scheme=scheme)
        return sign[0], log[0]

    ratio = comp(system, initial, [time], frozen, varied, varied, dt=dt, scheme=scheme)[0]
    states = state_of(system, initial)
    s0 = states[index_of(system, varied, "varied")]
    if s0.ndim != 1 or len(s0) < 2 or (np.diff(s0) <= 0).any():
        raise ValueError(f"initial must be two or more starts with ascending {varied!r}; got {s0}")
    if (poles := _poles(signed, states, ratio)).any():
        near = s0[:-1][poles][0], s0[1:][poles][0]
        raise ArithmeticError(
            f"Comp has a pole, where nothing of the disturbance arrives in Y, in {poles.sum()} "
            f"of {len(poles)} intervals, the first from {near[0]:.6g} to {near[1]:.6g}: the "
            "integral diverges. Take starts in initial on one side of it, or an earlier time"
        )
    width = float(np.trapezoid(1 - ratio, s0))
    if len(s0) >= 9:
        few = np.append(np.arange(0, len(s0) - 1, 2), len(s0) - 1)
        coarse = float(np.trapezoid((1 - ratio)[few], s0[few]))
        if abs(width - coarse) > POLES * float(np.trapezoid(np.abs(1 - ratio), s0)):
            raise ArithmeticError(
                f"the integral over {len(s0)} starts is {width:.4g}, over half of them "
                f"{coarse:.4g}: Comp has poles, where it diverges, or the starts in initial "
                "are too few"
            )
    return width


def _poles(
    signed: Callable[[Array], tuple[Array, Array]], states: Array, ratio: Array
) -> npt.NDArray[np.bool_]:
    """Say between which neighbours (n - 1,) of the states (d, n) Comp changes sign by a pole.

    Towards a pole it grows as the interval is halved; towards a zero it falls, and at a jump
    it does neither.
    """
    sign, log = np.sign(ratio), np.log(np.maximum(np.abs(ratio), 1e-300))
    (turns,) = np.nonzero(sign[:-1] * sign[1:] < 0)
    poles = np.zeros(len(ratio) - 1, bool)
    if not turns.size:
        return poles
    low, high = states[:, turns], states[:, turns + 1]
    first = sign[turns]
    log_low, log_high = log[turns], log[turns + 1]
    before = np.maximum(log_low, log_high)
    for _ in range(HALVED):
        middle = (low + high) / 2
        sign_middle, log_middle = signed(middle)
        right = sign_middle == first  # the change lies right of the middle
        low, high = np.where(right, middle, low), np.where(right, high, middle)
        log_low = np.where(right, log_middle, log_low)
        log_high = np.where(right, log_high, log_middle)
    poles[turns] = np.minimum(log_low, log_high) > before + np.log(GROWN)
    return poles
