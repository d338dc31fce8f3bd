"""How the exponents of a call came to be what they are: the estimate that ran along."""

from typing import NamedTuple

import numpy as np

from descent.arguments import Array
from descent.dynamics import Flow, Map
from descent.dynamics.system import Initial, Names
from descent.lyapunov.exponents import planned
from descent.lyapunov.protocol import measure
from descent.lyapunov.verdict import rates_of


class Convergence(NamedTuple):
    """Exponents (n, r), largest first, as they stood at each time (n,), and their errors."""

    times: Array
    values: Array
    errors: Array


def convergence(
    system: Map | Flow,
    frozen: Names = (),
    initial: Initial | None = None,
    *,
    duration: float | None = None,
    transient: float | None = None,
    n_trajectories: int | None = None,
    rng: np.random.Generator | None = None,
    interval: float | None = None,
) -> Convergence:
    r"""Return the running estimate of the exponents, with the protocol of `spectrum`.

    .. math:: \Lambda_i(t) = \frac{1}{t - t_0} \sum_{\text{blocks from } t_0 \text{ to } t} G_i

    Parameters
    ----------
    system, frozen, initial, duration, transient, n_trajectories, rng, interval
        As in `conditional_exponents`; nothing frozen is the full spectrum.

    Returns
    -------
    Convergence
        Times at the ends of blocks, on the clock of the ensemble, whose transient begins at 0;
        the estimates and their errors had one stopped there. The last are what `spectrum` or
        `conditional_exponents` return.

    Raises
    ------
    ValueError, TypeError, FloatingPointError, RuntimeError
        As `conditional_exponents`. No ArithmeticError: what contradicts itself is what one
        wants to look at.

    Examples
    --------
    >>> from descent.systems import linear_thermostat
    >>> ran = convergence(linear_thermostat(0.24, 25.0), duration=60.0, n_trajectories=2)
    >>> ran.values[-1].round(6)  # log(0.6), log(0.4)
    array([-0.510826, -0.916291])
    """
    state, plan = planned(
        system, frozen, initial, duration, transient, n_trajectories, rng, interval
    )
    with np.errstate(all="ignore"):  # what overflows is reported by `measure`
        measured = measure(system, state[:, None] if state.ndim == 1 else state, plan)
    n = len(measured.growth)
    stopped = [
        rates_of(measured._replace(growth=measured.growth[:m]), duration is not None)
        for m in range(1, n + 1)
    ]
    return Convergence(
        measured.begin + measured.block * np.arange(1, n + 1, dtype=np.float64),
        np.array([rates.values for rates in stopped]),
        np.array([rates.errors for rates in stopped]),
    )
