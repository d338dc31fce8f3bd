"""Whether what was measured are the exponents of one attractor, and how well they are known."""

from typing import NamedTuple

import numpy as np

from descent.arguments import Array
from descent.dynamics.system import Flow, Map
from descent.lyapunov import accuracy
from descent.lyapunov.protocol import Measured

FEW_NATS = 10.0  # below this total growth, chaos cannot be told from growth like log t
INTEGRATION = 1e-5  # relative error of rates from the steps of a flow
APART = 8.0  # populations: the ratio of variances that no sample of one motion reaches


class Rates(NamedTuple):
    """Exponents (k,), largest first, and their standard errors."""

    values: Array
    errors: Array


def rates_of(measured: Measured, fixed_duration: bool) -> Rates:
    """Return mean growth rates and their errors, largest first."""
    growth, block = measured.growth, measured.block
    values = growth.mean(axis=(0, 2)) / block
    errors = accuracy.standard_error(growth, block) * np.sqrt(measured.overlap)
    time = len(growth) * block
    if 0 < values.max() < FEW_NATS / time and not measured.scout.at_rest:
        errors = np.maximum(errors, 2.0 / time)
    if measured.scout.cost > 0 and not measured.scout.at_rest:
        errors = np.maximum(errors, INTEGRATION * np.abs(values).max())
    if fixed_duration and len(growth) >= 2:
        change, _ = accuracy.difference_of_halves(growth, block)
        errors = np.maximum(errors, np.abs(change) / 4)
    order = np.argsort(-values, kind="stable")
    return Rates(values[order], errors[order])


def check_settled(system: Map | Flow, measured: Measured, rates: Rates, whole: bool) -> None:
    """Raise an ArithmeticError that says what the measured growth contradicts."""
    growth, block = measured.growth, measured.block
    if len(growth) < 4:
        return
    time = len(growth) * block
    change, of_change = accuracy.difference_of_halves(growth, block)
    floor = 1e-6 * np.abs(rates.values).max() + 1.0 / time
    of_change = of_change * np.sqrt(measured.overlap)
    if (np.abs(change) > 5.5 * of_change + floor).any():
        i = int(np.argmax(np.abs(change) / (of_change + 1e-300)))
        mean = float(growth.mean(axis=(0, 2))[i]) / block
        raise ArithmeticError(
            f"the growth rate {mean:.3g} changes by {change[i]:.2g} +- {of_change[i]:.1g} from the "
            f"first to the second half of the measured time, {measured.begin:.4g} to "
            f"{measured.begin + time:.4g}: the system has not settled, or its chaos is transient. "
            "Give a longer transient=; or a duration= for the exponents of a finite time"
        )
    # At rest under a drive, all are at one place, and differ in its phase alone.
    together = not measured.scout.autonomous and not np.ptp(measured.states, axis=1).any()
    parted = 1.0 if together else accuracy.populations(growth)
    # Of regular motion there are as many kinds as orbits, and all have exponents zero.
    if parted > APART and rates.values[0] * time > FEW_NATS:
        raise ArithmeticError(
            f"the trajectories have parted: their rates differ {np.sqrt(parted):.1f} times more "
            "from each other than each does in time, as on several attractors. Give initial= "
            "as a list of states on one of them, and duration= and transient="
        )
    # Of a driven flow, a shift in time is no disturbance: none of its exponents need be zero.
    flow = isinstance(system, Flow) and measured.scout.autonomous and not measured.scout.at_rest
    nearest = int(np.argmin(np.abs(rates.values)))
    value, error = float(rates.values[nearest]), float(rates.errors[nearest])
    if whole and flow and abs(value) > 5 * error + 2.0 / time:
        raise ArithmeticError(
            f"no exponent is zero, as one of a flow without a clock must be: the nearest is "
            f"{value:.3g} +- {error:.1g}. The rate jumps, the jacobian is not its derivative, or "
            f"the time, {time:.4g}, is too short: give a longer transient= and duration="
        )
