"""One trajectory sent ahead: the time scale of a system, its sizes, and starts on its attractor."""

from typing import NamedTuple

import numpy as np

from descent.arguments import Array
from descent.dynamics.adaptive import Pace, carry
from descent.dynamics.motion import Motion

TOLERANCE = 1e-7
REST = 1e-9  # of the largest size: a motion that counts as none
PERIODS = 12.0  # that the time scale is taken from
LEAST = 0.1  # of the way wanted, below which the way is too long


class Scout(NamedTuple):
    """What one trajectory tells of a system."""

    period: float  # time of a typical oscillation, or the slowest time at rest
    size: Array  # (d,) by which the variables move in a period
    at_rest: bool  # whether it has come to a fixed point
    starts: Array  # (d, n) states on the attractor
    times: Array  # (n,) when it was there
    stiff: bool
    spacing: float  # time between two starts
    cost: float = 0.0  # calls of the function in a unit of time
    autonomous: bool = True  # whether time does not enter


def _period(times: Array, path: Array, least: Array) -> float | None:
    """Return the median over the variables of the time between upward crossings of the mean."""
    found = []
    for row in path[np.ptp(path, axis=1) > least]:
        mean = np.trapezoid(row, times) / (times[-1] - times[0])
        up = np.flatnonzero((row[:-1] < mean) & (row[1:] >= mean))
        if len(up) >= 4:
            found.append((times[up[-1]] - times[up[0]]) / (len(up) - 1))
    return float(np.median(found)) if found else None


def scout_map(motion: Motion, start: Array, n: int, burn: int, spacing: int) -> Scout:
    """Iterate a map from one state; starts are ``spacing`` steps apart."""
    assert motion.called == "step"
    state, dt, path = start[:, None], motion.system.dt, []
    for i in range(burn + spacing * n):
        state = motion.value(state, i * dt)
        path.append(state[:, 0])
        if i % 1000 == 0 and not np.isfinite(state).all():
            break
    whole = np.array(path).T
    clock = np.asarray((np.arange(len(path)) + 1.0) * dt, np.float64)
    check_bounded(whole, clock)
    settled = whole[:, burn:]
    at = np.arange(n) * spacing
    return Scout(
        dt,
        np.minimum(settled.std(axis=1), np.diff(settled, axis=1).std(axis=1)),
        False,
        settled[:, at].copy(),
        clock[burn + at],
        False,
        spacing * dt,
    )


def check_bounded(path: Array, times: Array) -> None:
    """Raise a FloatingPointError that says when a path (d, n) has left the finite numbers."""
    finite = np.isfinite(path).all(axis=0)
    if not finite.all():
        raise FloatingPointError(
            "the trajectory from initial leaves the finite numbers at time "
            f"{times[int(np.argmin(finite))]:g}; give an initial state in the basin of a bounded "
            "attractor, or a shorter transient and duration"
        )


class Scouting:
    """The trajectory that is sent ahead in a flow."""

    def __init__(self, motion: Motion, start: Array, time: float, most: float) -> None:
        self.motion = motion
        self.most = most
        self.pace = Pace(1, TOLERANCE, 1.0, time=time)
        self.stack = start[:, None].copy()
        self.rate: Array | None = None
        self.times, self.path = [time], [start.copy()]

    def _to(self, end: float, most_steps: float) -> None:
        try:
            self.stack, self.rate = carry(
                self.motion, self.pace, self.stack, end, self.rate, most_steps
            )
        except FloatingPointError as error:
            raise FloatingPointError(
                f"the trajectory from initial is lost: {error}. Give an initial state in the "
                "basin of a bounded attractor, or a shorter transient and duration"
            ) from None
        if self.pace.t[0] > self.times[-1]:
            self.times.append(float(self.pace.t[0]))
            self.path.append(self.stack[:, 0].copy())

    def _recent(self, share: float) -> tuple[Array, Array]:
        first = int(len(self.times) * share)
        times, path = np.array(self.times), np.array(self.path).T
        keep = times >= times[min(first, len(times) - 3)]
        return times[keep], path[:, keep]

    def time_scale(self, most_steps: int) -> tuple[float, bool]:
        """Return the period, and whether the system has come to rest."""
        reach = np.abs(self.path[0])
        while True:
            self._to(np.inf, 1)
            reach = np.maximum(reach, np.abs(self.path[-1]))
            if self.pace.steps >= 40 and self.pace.steps % 10 == 0:
                typical = np.maximum(reach, reach.max() * 1e-3)
                move = np.ptp(self.path[-10:], axis=0)
                still = np.abs(self._speed()[:, 0]) * self.times[-1]
                if (np.maximum(move, still / 1e3) <= REST * typical).all():
                    return self._slowest(), True
            if self.pace.steps % 200 == 0 or self.pace.steps >= most_steps:
                times, path = self._recent(0.5)
                period = _period(times, path, REST * reach)
                if period is not None and times[-1] - times[0] > PERIODS * period:
                    return period, False
                if self.pace.steps >= most_steps:
                    return (period or (times[-1] - times[0]) / 4), False

    def _speed(self) -> Array:
        if self.rate is None:
            clock = self.pace.t if self.motion.own_clock else float(self.pace.t[0])
            self.rate = self.motion.value(self.stack, clock)
        return self.rate

    def _autonomous(self, states: Array, period: float) -> bool:
        """Say whether neither the rate nor, where it rests, its derivative hangs on the time."""
        if not self.motion.autonomous:
            return False
        clocks = self.times[0] + period * np.array([0.0, 0.061, 0.37, 1.9, 11.7])
        with np.errstate(all="ignore"):
            rates = [self.motion.value(states[:, :1], float(clock)) for clock in clocks]
            matrices = [self.motion.matrix(states[:, :1], float(clock)) for clock in clocks]
        return all(
            np.array_equal(each[0], other, equal_nan=True)
            for each in (rates, matrices)
            for other in each
        )

    def _slowest(self) -> float:
        """Return the slowest time of the linear motion around a fixed point."""
        matrix = self.motion.matrix(self.stack, float(self.pace.t[0]))[:, :, 0]
        rates = np.abs(np.linalg.eigvals(matrix))
        rates = rates[rates > 1e-9 * rates.max()] if rates.max() > 0 else np.ones(1)
        return float(2 * np.pi / rates.min())

    def report(self, period: float, at_rest: bool, burn: float, n: int, spacing: float) -> Scout:
        """Go on for ``burn``, then note a start every ``spacing``; less far if that is long."""
        starts, times = [], []
        if at_rest:
            n, burn, spacing = 1, 0.0, 0.0
        cost = self.motion.calls / (self.times[-1] - self.times[0])
        part = (self.most - self.motion.calls) / (1.2 * cost * (burn + n * spacing) + 1e-300)
        if part < LEAST:
            raise RuntimeError(
                f"one period, about {period:.3g}, takes {cost * period:.2g} calls of rate, too "
                "many to follow the system for long. Give transient= and duration= for a shorter "
                "time, and n_trajectories=; or dt= for fixed steps"
            )
        burn, spacing = burn * min(1.0, part), spacing * min(1.0, part)
        self._to(self.pace.t[0] + burn, np.inf)
        for _ in range(n):
            self._to(self.pace.t[0] + spacing, np.inf)
            starts.append(self.stack[:, 0].copy())
            times.append(float(self.pace.t[0]))
        states = np.array(starts).T
        clock = np.array(times) if self.motion.own_clock else times[0]
        # Sizes from speeds: a phase that grows for ever has no other.
        speed = np.sqrt(np.mean(self.motion.value(states, clock) ** 2, axis=1))
        _, path = self._recent(0.5)
        size = np.minimum(path.std(axis=1), speed * period / (2 * np.pi))
        return Scout(
            period,
            np.abs(path).max(axis=1) * 1e-3 if at_rest else size,
            at_rest,
            states,
            np.array(times),
            self.pace.stiff,
            spacing,
            cost,
            self._autonomous(states, period),
        )
