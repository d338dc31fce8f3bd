"""Chapter 5: the answers to its exercises, and what comes of mistakes."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from descent import influence
from descent.systems import dumb_thermostat, linear_flow

GAINS = (0.24, 0.4)
TIMES = (1.0, 5.0, 20.0)


def period_of_the_cycle() -> int:
    """Return after how many steps the dumb thermostat is where it was."""
    thermostat = dumb_thermostat()
    level, room = first = (0, 2)
    for step in range(1, 10):
        level, room = (int(part) for part in thermostat.step(level, room))
        if (level, room) == first:
            return step
    raise AssertionError("nine states, and none came back")


def first_step_for_good() -> int:
    """Return the step from which on the weaker gain is better at every step."""
    # Comp of a gain by its recursion Comp(t+1) = Comp(t) - k Comp(t-1), in which nothing cancels.
    logs = []
    for k in GAINS:
        before, now, scale, found = 1.0, 1.0, 0.0, [0.0, 0.0]
        for _ in range(400):
            before, now = now, now - k * before
            found.append(scale + np.log(abs(now)))
            if abs(now) < 1e-100:
                before, now, scale = before * 1e100, now * 1e100, scale - 100 * np.log(10)
        logs.append(np.array(found))
    weak, strong = logs
    return int(np.flatnonzero(weak > strong).max()) + 1


def op_without_lag() -> Callable[[float, float], float]:
    """Return Op as a function of the gain and the number of steps."""
    return lambda k, t: -t * float(np.log1p(-k))


def op_to_first_order() -> Callable[[float, float], float]:
    """Return what holds for small gains only."""
    return lambda k, t: t * k


def gains_and_steps() -> list[tuple[float, float]]:
    """Return gains and steps at which Op is tried."""
    return [(k, t) for k in (0.01, 0.3, 0.9) for t in (1.0, 5.0)]


def room_as_optimizer() -> tuple[float, ...]:
    """Return Op with the room as A in the flow of the table, at three times."""
    flow = linear_flow([[0.0, -0.25], [1.0, -1.0]], ["room", "thermostat"])
    values = influence.op(flow, [0.0, 0.0], TIMES, "room", "thermostat", "thermostat")
    return tuple(float(value) for value in values)


def thermostat_as_optimizer() -> tuple[float, ...]:
    """Return Op with the thermostat as A."""
    flow = linear_flow([[0.0, -0.25], [1.0, -1.0]], ["room", "thermostat"])
    values = influence.op(flow, [0.0, 0.0], TIMES, "thermostat", "room", "room")
    return tuple(float(value) for value in values)


def greatest_leak() -> float:
    """Return the leak up to which the slope is positive, where 1 - leak = sqrt(k)."""
    return 1 - float(np.sqrt(0.2))


def halved_period() -> int:
    """Return the steps until the signs are turned."""
    return period_of_the_cycle() // 2
