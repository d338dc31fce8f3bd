"""Exponents with times, starts and errors that come from the system itself.

1. A single trajectory goes ahead, with steps that follow its error. It tells the period of
   the system, and leaves starts on its way: one attractor, one shell of energy.
2. Frames are carried from these starts, through a transient, then block by block.
3. It goes on until the two halves of what was measured agree, a flow has its exponent
   zero, and the error is small, or until the work allowed is done.
"""

from typing import NamedTuple

import numpy as np

from descent.arguments import Array
from descent.dynamics.adaptive import Pace, TooManySteps
from descent.dynamics.motion import Motion
from descent.dynamics.quick import speed_up
from descent.dynamics.system import Flow, Map
from descent.lyapunov import accuracy
from descent.lyapunov.growth import Frames
from descent.lyapunov.scout import TOLERANCE, Scout, Scouting, scout_map

TANGENTS = 1e-5  # relative error of a disturbance in one step
KICK = 1e-4  # of the standard deviations: parts the starts from the scout's way
WORK, WORK_ONE_BY_ONE = 100_000, 300_000  # calls of the function by the ensemble
# Blocks, and the ways between starts, are no whole number of periods: their ends come by at
# every phase, so that what an oscillation adds to a rate is seen, and averages out.
GOLDEN = (1 + 5**0.5) / 2
MAP_SPACING = 800  # steps of a map between two starts, which are not kicked: no common way
RELATIVE = 0.015  # error of the largest exponent that is good enough


class Plan(NamedTuple):
    """What a call asks for; None where the system decides."""

    free: tuple[int, ...]
    transient: float | None
    duration: float | None
    interval: float | None
    n_trajectories: int | None
    rng: np.random.Generator


class Measured(NamedTuple):
    """Growth in blocks (n_blocks, k, n), the time of a block, and when measuring began."""

    growth: Array
    block: float
    begin: float
    scout: Scout
    states: Array
    overlap: float


def _motions(system: Map | Flow, free: tuple[int, ...], probe: Array) -> tuple[Motion, Motion]:
    return Motion(system, [(free, len(free))], probe), Motion(system, [], probe)


def _sample(motion: Motion, states: Array, times: Array, size: Array, plan: Plan) -> None:
    """Compare the derivative with a difference quotient at some states of the ensemble."""
    if motion.loops:
        states, times = states[:, :4], times[:4]
    t = times if motion.own_clock else float(times[0])
    motion.check_derivative(states, t, size, plan.rng)


class Ensemble:
    """Frames on many trajectories of a map or flow, moved on in blocks."""

    def __init__(self, system: Map | Flow, states: Array, times: Array, plan: Plan, scout: Scout):
        self.plan, self.scout = plan, scout
        self.motion, _ = _motions(system, plan.free, states)
        speed_up(self.motion, states, float(times[0]))
        self.system = system
        self.frames = Frames(self.motion, states)
        most: float = WORK_ONE_BY_ONE if self.motion.loops else WORK
        if plan.duration is not None:
            most = np.inf  # as long as was asked for
        self.pace = Pace(
            states.shape[1], TOLERANCE, TANGENTS, stiff=scout.stiff, most=most, leading=True
        )
        self.pace.t = times.astype(float)
        if not self.motion.own_clock:
            self.pace.t[:] = times[-1]
        self.n_done = 0

    def block(self, time: float) -> Array:
        """Move on by a block of time; return its growth (k, n)."""
        self.frames.growth[:] = 0.0
        if isinstance(self.system, Map):
            n_steps = round(time / self.system.dt)
            self.frames.iterate(n_steps, self.n_done, self.system.dt)
            self.n_done += n_steps
        else:
            self.frames.flow(self.pace, self.pace.t + time)
        _sample(self.motion, self.frames.states, self.pace.t, self.scout.size, self.plan)
        return self.frames.growth.copy()


def _scouted(system: Flow | Map, start: Array, plan: Plan) -> Scout:
    _, motion = _motions(system, plan.free, start[:, None])
    speed_up(motion, start[:, None])
    if isinstance(system, Map):
        n = plan.n_trajectories or (8 if motion.loops else 64)
        steps = 1000 if plan.transient is None else round(plan.transient / system.dt)
        return scout_map(motion, start, n, steps, MAP_SPACING)
    n = plan.n_trajectories or (5 if motion.loops else 48)
    most: float = 0.3 * WORK_ONE_BY_ONE if motion.loops else 2.5 * WORK
    if plan.transient is not None:
        most = np.inf  # as long as was asked for
    way = Scouting(motion, start, 0.0, most)
    period, at_rest = way.time_scale(3000)
    burn = 60 * period if plan.transient is None else plan.transient
    scout = way.report(period, at_rest, burn, n, GOLDEN * period)
    if at_rest and not scout.autonomous:
        # No one matrix tells its exponents: it is followed, from all phases of what drives it.
        times = np.asarray(GOLDEN * period * motion.own_clock * np.arange(n), np.float64)
        states = np.repeat(scout.starts, n, axis=1)
        scout = scout._replace(at_rest=False, starts=states, times=times)
    return scout


def measure(system: Map | Flow, states: Array, plan: Plan) -> Measured:
    """Return the growth along trajectories; see the module. ``states`` are one, or all."""
    alone = states.shape[1] == 1
    scout = _scouted(system, states[:, 0], plan)
    times = np.zeros(states.shape[1])
    if alone and scout.at_rest:
        return _at_rest(system, plan, scout)
    if alone:
        states, times = scout.starts, scout.times
        if isinstance(system, Flow) and scout.spacing > 0:
            kick = KICK * scout.size[:, None] * plan.rng.standard_normal(states.shape)
            states = states + kick
    ensemble = Ensemble(system, states, times, plan, scout)
    if isinstance(system, Map):
        block, first, least, longest = 20 * system.dt, 10, 32, 256
    else:
        # Of an expensive system, the transient takes a quarter of the work.
        calls = scout.cost * scout.period
        calls *= states.shape[1] * len(plan.free) * 1.3 if ensemble.motion.loops else 1.1
        affordable = int(min(ensemble.pace.most / (2 * calls + 1e-300), 1e9))
        block, first, least, longest = GOLDEN * scout.period, min(18, affordable // 4), 24, 480
    if plan.interval is not None:
        block = plan.interval
    if plan.transient is not None:
        first = round(plan.transient / block)
    if plan.duration is not None:
        block = min(block, plan.duration)
        least = longest = max(1, round(plan.duration / block))
        block = plan.duration / least if isinstance(system, Flow) else block
    grown: list[Array] = []
    try:
        for done in range(1, first + 1):
            ensemble.block(block)
            # So it does where the ensemble, whose members wait for each other, takes more.
            blocks = ensemble.pace.most / max(ensemble.motion.calls, 1) * done
            if plan.transient is None and done >= max(blocks / 4, blocks - least):
                break
        settled = done if first else 0
        while True:
            grown.append(ensemble.block(block))
            n = len(grown)
            if n >= longest:
                break
            # The latter two thirds count.
            if n >= least and n % 8 == 0 and _good(np.array(grown[n // 3 :]), block):
                break
    except TooManySteps:
        if len(grown) < 8:
            raise _spent(ensemble, scout) from None
    skip = len(grown) // 3 if plan.duration is None else 0
    growth = np.array(grown[skip:])
    return Measured(
        growth,
        block,
        (settled + skip) * block,
        scout,
        ensemble.frames.states,
        _overlap(growth, block, settled + skip, scout, isinstance(system, Flow)) if alone else 1.0,
    )


def _spent(ensemble: Ensemble, scout: Scout) -> ArithmeticError | RuntimeError:
    """Return an error that says why all the work was done before anything was measured."""
    steps = ensemble.pace.h
    typical = float(np.median(steps))
    lost = int((steps < 1e-3 * typical).sum())
    if lost:
        return ArithmeticError(
            f"{lost} of {len(steps)} trajectories take steps a thousand times shorter than the "
            f"others, whose are about {typical:.1g}: they have left the attractor, as chaos may be "
            "transient, or meet a bend or a jump of the rate again and again. Give transient= and "
            "duration= for a stated length, or another initial state"
        )
    return RuntimeError(
        "the work allowed is done before anything is measured: the steps that the error asks "
        f"for are about {typical:.2g} long, and the period is {scout.period:.3g}. Give duration= "
        "and transient= for a stated length, dt= for fixed steps, or fewer n_trajectories="
    )


def _at_rest(system: Map | Flow, plan: Plan, scout: Scout) -> Measured:
    """Return the growth at a fixed point: the real parts of the eigenvalues there."""
    _, motion = _motions(system, plan.free, scout.starts)
    state, free = scout.starts[:, :1], list(plan.free)
    _sample(motion, state, scout.times[:1], scout.size, plan)
    matrix = motion.matrix(state, float(scout.times[0]))[:, :, 0]
    rates = np.linalg.eigvals(matrix[np.ix_(free, free)]).real
    growth = np.repeat(rates[None, :, None], 2, axis=2)
    return Measured(growth, 1.0, 0.0, scout, scout.starts, 1.0)


def _good(growth: Array, block: float) -> bool:
    """Say whether what was measured agrees with itself, and is accurate enough."""
    rates = growth.mean(axis=(0, 2)) / block
    error = accuracy.standard_error(growth, block)
    change, of_change = accuracy.difference_of_halves(growth, block)
    top = np.argmax(rates)
    if (np.abs(change) > 2.5 * of_change + 1e-9 * np.abs(rates).max()).any():
        return False
    if rates[top] > 0 and rates[top] * block * len(growth) < 10:
        return False
    return bool(error[top] < RELATIVE * np.abs(rates[top]) + 1e-9 * np.abs(rates).max())


def _overlap(growth: Array, block: float, skipped: int, scout: Scout, kicked: bool) -> float:
    """Return how many times the same stretch of the way is counted, before starts part."""
    largest = float(growth.mean(axis=(0, 2)).max()) / block
    n = growth.shape[2]
    time, before = len(growth) * block, skipped * block
    if largest <= 0 or scout.spacing <= 0 or time <= scout.spacing:
        return 1.0
    # The time in which the starts part from the way of the scout.
    forgets = np.log(1 / KICK) / largest if kicked else np.inf
    common = float(np.clip(forgets - before, 0.0, time))
    different = min(n * common, n * scout.spacing + common) + n * (time - common)
    return float(n * time / different)
