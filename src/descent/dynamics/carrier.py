"""States and disturbances carried from time to time: by a map, fixed steps, or the error."""

import numpy as np

from descent.arguments import Array
from descent.dynamics.adaptive import Pace, carry
from descent.dynamics.equations import Layout, equations_of
from descent.dynamics.fixed_steps import FixedSteps
from descent.dynamics.motion import Motion
from descent.dynamics.quick import AGREE, speed_up
from descent.dynamics.system import Flow, Map
from descent.dynamics.tangent import (
    SCHEMES,
    Tangents,
    _integrate,
    _stack,
    _unstack,
    check_finite,
    check_step,
    move,
)

TOLERANCE = 1e-12  # relative error of one step, if the caller states no dt
MANY = 256  # trajectories from which compiling pays
LONG = 64  # steps from which it pays for a few
LOOK = 64  # fixed steps after which their length is checked again


class Carrier:
    """Carries states (d, n) and tangents on, and remembers the length of its steps.

    Parameters
    ----------
    system : Map or Flow
        The dynamics.
    dt : float or None
        A fixed step of flows; None for steps that follow the error.
    scheme : str
        Of fixed steps.
    long : bool
        Whether steps by the error are compiled for a few trajectories, too, once they are many.
    """

    def __init__(
        self, system: Map | Flow, dt: float | None, scheme: str, *, long: bool = True
    ) -> None:
        self.system, self.dt, self.scheme, self.long = system, dt, scheme, long
        self.tolerance = TOLERANCE
        self.by_error = isinstance(system, Flow) and dt is None
        self.motion: Motion | None = None
        self.pace: Pace | None = None
        self._since = LOOK
        self._quick: dict[Layout, FixedSteps | None] = {}
        self._steps = 0  # of equal length, so far
        self._asked = False  # whether steps by the error are compiled, if they can be

    def to(
        self,
        state: Array,
        tangents: list[Tangents],
        time: float,
        end: float,
        most_steps: float = np.inf,
    ) -> tuple[Array, list[Tangents]]:
        """Return state and tangents at ``end``, or ``most_steps`` further; see `now`."""
        if not self.by_error:
            step = self.system.dt if self.dt is None else self.dt
            self._steps += int(np.ceil(max(end - time, 0.0) / step))
            quick = self._compiled(state, tangents, time, step)
            state, after = move(self.system, state, tangents, time, end, step, self.scheme, quick)
            if isinstance(self.system, Flow) and end > time:
                self._since += int(np.ceil((end - time) / step))
                if self._since >= LOOK:
                    h = min(step, end - time)
                    with np.errstate(over="ignore", invalid="ignore"):
                        check_step(self.system, state, after, end, h, self.scheme, quick)
                    self._since = 0
            return state, after
        layout = tuple((t.free, t.vectors.shape[1]) for t in tangents)
        if self.motion is None or self.motion.layout != layout:
            self.motion, self._asked = Motion(self.system, layout, state[:, :16]), False
        if self.pace is None:
            self.pace = Pace(state.shape[1], self.tolerance, self.tolerance, time=time)
        stack = self._by_error(self.motion, self.pace, _stack(state, tangents), end, most_steps)
        state, after = _unstack(stack, len(state), tangents)
        check_finite(state, after, time, end)
        return state, after

    def _by_error(
        self, motion: Motion, pace: Pace, stack: Array, end: float, most_steps: float
    ) -> Array:
        """Return the stack at ``end``; many trajectories, and long ones, by compiled steps."""
        limit = pace.steps + most_steps
        pays = 0.0 if stack.shape[1] >= MANY else LONG if self.long else np.inf
        while True:
            if not self._asked and pace.steps >= pays:
                speed_up(motion, stack[: motion.d], float(pace.t.min()))
                self._asked = True
            left = limit - pace.steps
            most = left if self._asked else min(left, pays - pace.steps)
            stack, _ = carry(motion, pace, stack, end, most_steps=most)
            if pace.steps >= limit or self.arrived(end):
                return stack

    @property
    def compiled(self) -> bool:
        """Whether steps of equal length have been compiled."""
        return any(quick is not None for quick in self._quick.values())

    def _compiled(
        self, state: Array, tangents: list[Tangents], time: float, step: float
    ) -> FixedSteps | None:
        """Return compiled steps where they pay, if they agree with those of numpy."""
        few = state.shape[1] < MANY and self._steps < LONG
        if few or not isinstance(self.system, Flow):
            return None
        layout = tuple((t.free, t.vectors.shape[1]) for t in tangents)
        if layout not in self._quick:
            self._quick[layout] = self._tried(layout, state, time, step)
        return self._quick[layout]

    def _tried(self, layout: Layout, state: Array, time: float, step: float) -> FixedSteps | None:
        assert isinstance(self.system, Flow)
        if (equations := equations_of(self.system, layout)) is None:
            return None
        try:
            quick = FixedSteps(equations, SCHEMES[self.scheme], self.scheme)
        except LookupError:  # a function of C's library that is not there
            return None
        few = state[:, np.linspace(0, state.shape[1] - 1, 4).astype(int)]
        vectors = np.random.default_rng(0).standard_normal
        tangents = [Tangents(free, vectors((len(free), k, 4))) for free, k in layout]
        with np.errstate(all="ignore"):
            mine, theirs = (
                _stack(*_integrate(self.system, few, tangents, time, time + step, step, *how))
                for how in ((self.scheme, quick), (self.scheme,))
            )
        size = np.abs(few).max(axis=0) + np.abs(theirs).max(axis=0)
        return quick if (np.abs(mine - theirs) <= AGREE * size).all() else None

    def arrived(self, end: float) -> bool:
        """Say whether all trajectories have come to the end."""
        return self.pace is None or bool((self.pace.t >= end).all())
