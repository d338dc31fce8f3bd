"""Disturbances in the worlds X and Y, carried along many trajectories, and their ratio."""

from collections.abc import Iterator
from dataclasses import replace

import numpy as np

from descent.arguments import Array
from descent.compiled.code import available
from descent.dynamics.carrier import MANY, Carrier
from descent.dynamics.motion import Motion
from descent.dynamics.system import Flow, Map
from descent.dynamics.tangent import Tangents
from descent.influence.digits import AGREE, FED, ROUGH, SMALL, Bools, lost
from descent.influence.question import Question

BLOCK, LONG_BLOCK = 4096, 16384  # trajectories that are moved together: in the cache, or compiled
CHUNK = 64  # steps after which tangents are rescaled
LARGE = 1e60  # from which disturbances are rescaled
TRIED, UNLIKE = 256, 1e-3  # trajectories in which errors are followed; a small disturbance
TIMES = 8  # at which
LOOKS = 12  # output times at which the derivative is compared with a difference quotient


def _rescale(tangents: Tangents, log_scale: Array) -> Tangents:
    """Divide each disturbance by its largest entry, and note the logarithm, if one needs it."""
    size = np.abs(tangents.vectors).max(axis=(0, 1))
    if size.max() < LARGE and size.min() > 1 / LARGE:
        return tangents
    size[size == 0] = 1.0  # a disturbance that has died stays zero
    log_scale += np.log(size)
    return Tangents(tangents.free, tangents.vectors / size)


def _log_size(vectors: Array) -> Array:
    """Return the logarithm of the largest entry, over the axes before the last."""
    with np.errstate(divide="ignore"):
        return np.asarray(np.log(np.abs(vectors).max(axis=tuple(range(vectors.ndim - 1)))))


def block_of(system: Map | Flow) -> int:
    """Return the number of trajectories that are moved together."""
    return LONG_BLOCK if isinstance(system, Flow) and available() else BLOCK


class Pair:
    """States (d, n) with a disturbance in X and one in Y each, from the time ``begin`` on.

    ``again``: with other rounding and a tenth of the error, to see what is left of it.
    """

    def __init__(
        self,
        question: Question,
        state: Array,
        begin: float,
        until: float,
        dt: float | None,
        scheme: str,
        again: bool = False,
    ) -> None:
        self.question, self.begin, self.until, self.dt = question, begin, until, dt
        self.system, self.state = question.system, question.states(state)
        d, size = self.state.shape
        self.every = tuple(range(d))
        directions = question.direction.reshape(d, -1)  # one, or several beside each other
        vectors = np.repeat(directions[:, :, None], size, axis=2) / (3.0 if again else 1.0)
        self.x = Tangents(self.every, vectors)
        self.y = Tangents(question.free, vectors[list(question.free)])
        self.log_x, self.log_y = np.zeros(size), np.zeros(size)
        # Of a few trajectories, two with other rounding are compared: steps as numpy makes them.
        self.carrier = Carrier(self.system, dt, scheme, long=False)
        if again:
            self.carrier.tolerance /= 10
        self.begun = state, begin, until, scheme
        self.rows = len(state)  # less than d, if a parameter is varied
        self.sizes: list[tuple[Array, Array]] = []  # logarithms of the disturbances X and Y
        self.motion: Motion | None = None
        self.looks = True  # whether derivatives are compared with difference quotients
        self.rng = np.random.default_rng(0)

    def _segments(self, times: Array) -> Iterator[tuple[float, float, bool, bool]]:
        """Yield (start, end, A is replayed, output at end), each CHUNK steps or less."""
        longest = CHUNK * (self.system.dt if self.dt is None else self.dt)
        if self.carrier.by_error:
            longest = np.inf
        elif isinstance(self.system, Map):
            longest = CHUNK * self.system.dt
        now = self.begin
        for time in times:
            stops = [self.until, time] if now < self.until < time else [time]
            for stop in stops:
                count = max(1, int(np.ceil((stop - now) / longest * (1 - 1e-12))))
                start = now
                for i in range(1, count + 1):
                    # A map must stop on whole steps; CHUNK steps from the start are.
                    end = stop if i == count else start + i * longest
                    yield now, end, end <= self.until, i == count and stop == time
                    now = end

    def _carry(self, start: float, end: float) -> None:
        while True:
            self.state, (self.x, self.y) = self.carrier.to(
                self.state, [self.x, self.y], start, end, CHUNK
            )
            self.x, self.y = _rescale(self.x, self.log_x), _rescale(self.y, self.log_y)
            if self.carrier.arrived(end):
                return

    def _log_sizes(self) -> tuple[Array, Array]:
        y = self.y.vectors[[row for row, i in enumerate(self.y.free) if i < self.rows]]
        return (
            _log_size(self.x.vectors[: self.rows]) + self.log_x,
            _log_size(y) + self.log_y,
        )

    def _look(self, time: float) -> None:
        """Compare the Jacobian with a difference quotient at some of the states."""
        if not self.looks:
            return
        few = np.linspace(0, self.state.shape[1] - 1, min(16, self.state.shape[1])).astype(int)
        s = self.state[:, few]
        if self.motion is None:
            self.motion = Motion(self.system, [(self.every, 1)], s)
        self.motion.check_derivative(s, time, np.abs(s), self.rng)

    def comp(self, times: Array) -> tuple[Array, Array, Bools]:
        """Return sign and logarithm of |Comp|, and whether it is in doubt, (len(times), n)."""
        rows = zip(*(self._ratio(time) for time in self.along(times)), strict=True)
        sign, log, doubtful = (np.array(row) for row in rows)
        return sign, log, doubtful

    def fed(self, times: Array) -> Bools:
        r"""Say where errors may have outgrown the disturbance v, (len(times), n); after `along`.

        A random disturbance w of the variables that v reaches is carried roughly, and tells how
        an error of v grows: it is in doubt where
        :math:`|w(t)|/|w(0)| > \text{FED} \cdot |v(t)|/|v(0)|`. A parameter disturbs all the
        time; the largest |v| so far is in the place of |v(0)| then. With fixed steps, where that
        would take as long as `along`, of many trajectories those are tried in which v is small
        beside the others, and some; if it grew there, all.
        """
        n, v = self.state.shape[1], np.array(self.sizes)
        out = np.zeros((len(times), n), bool)
        if self.carrier.by_error:
            return self._fed(times, v, np.ones(n, bool))
        chosen = np.zeros(n, bool)
        chosen[np.linspace(0, n - 1, min(TRIED, n)).astype(int)] = True
        with np.errstate(invalid="ignore"):
            small = v < np.median(v, axis=2, keepdims=True) + np.log(UNLIKE)
        for part in (chosen, small.any(axis=(0, 1)) & ~chosen):
            out[:, part] = self._fed(times, v, part)
        if out[:, chosen].any() and not chosen.all():
            rest = ~(chosen | small.any(axis=(0, 1)))
            out[:, rest] = self._fed(times, v, rest)
        return out

    def _fed(self, times: Array, v: Array, part: Bools) -> Bools:
        if not part.any():
            return np.zeros((len(times), 0), bool)
        reached = np.asarray(self.x.vectors.any(axis=(1, 2)))
        reached[list(self.y.free)] |= self.y.vectors.any(axis=(1, 2))
        reached[self.rows :] = False
        kick = np.where(reached, self.rng.choice([-1.0, 1.0], len(reached)), 0.0)
        question, (state, begin, until, scheme) = replace(self.question, direction=kick), self.begun
        compiled = self.carrier.compiled or (not self.carrier.by_error and state.shape[1] >= MANY)
        same = compiled or isinstance(self.system, Map)  # the steps that there are
        rough = Pair(question, state[:, part], begin, until, self.dt if same else None, scheme)
        rough.looks = False
        if same:
            rough.carrier = self.carrier
        else:
            rough.carrier.tolerance = ROUGH
            rough.carrier.motion = self.carrier.motion
        few = np.unique(np.linspace(0, len(times) - 1, min(TIMES, len(times))).astype(int))
        try:
            for _ in rough.along(times[few]):
                pass
        except ArithmeticError:  # nothing is known, so all are carried twice
            return np.ones((len(times), int(part.sum())), bool)
        first = np.abs(self.question.direction[: self.rows]).max()
        v = v[:, :, part]
        lead = np.log(first) if first > 0 else np.maximum.accumulate(v)
        # Between the times tried, w is as large as at the next.
        w = np.array(rough.sizes)[np.searchsorted(few, np.arange(len(times)))]
        with np.errstate(invalid="ignore"):  # both still zero, -inf less -inf: nothing is fed
            return np.asarray((w - v + lead > np.log(FED)).any(axis=1))

    def along(self, times: Array) -> Iterator[float]:
        """Yield the times, when the disturbances have been carried there."""
        looked = -1.0
        free, d = list(self.question.free), len(self.every)
        self._look(self.begin)
        for start, end, replayed, output in self._segments(times):
            if not replayed and self.y.free != self.every:
                whole = np.zeros((d, *self.y.vectors.shape[1:]))
                whole[free] = self.y.vectors
                self.y = Tangents(self.every, whole)
            if end > start:
                self._carry(start, end)
            if output:
                share = (end - self.begin) / max(times[-1] - self.begin, 1e-300)
                if share >= looked + 1 / LOOKS and end > self.begin:
                    self._look(end)
                    looked = share
                self.sizes.append(self._log_sizes())
                yield end

    def _read(self, tangents: Tangents, time: float) -> tuple[Array, Bools]:
        """Return what is read off (n,), and whether it is small beside the disturbance."""
        v = tangents.vectors[:, 0]
        if len(tangents.free) < len(self.every):
            v = np.zeros((len(self.every), self.state.shape[1]))
            v[list(tangents.free)] = tangents.vectors[:, 0]
        if self.question.function is not None and self.system.names[-1:] == ("parameter",):
            v = v[:-1]
        value, error, whole = self.question.read(self.state, v)
        size = np.abs(value)
        rounding = (size > 0) & (error > AGREE * size)
        if rounding.any():
            raise lost(time, int(rounding.sum()), len(value), self.question.words)
        return value, (size < SMALL * whole) & ((size > 0) | (error > 0))

    def _ratio(self, time: float) -> tuple[Array, Array, Bools]:
        if time == self.begin and self.question.differ:
            # The limit: at first both worlds respond alike, as A has not yet acted.
            n = self.state.shape[1]
            return np.ones(n), np.zeros(n), np.zeros(n, bool)
        (dx, small_x), (dy, small_y) = self._read(self.x, time), self._read(self.y, time)
        neither = (dx == 0) & (dy == 0)
        if (cancelled := neither & small_x & small_y).any():
            raise lost(time, int(cancelled.sum()), len(dx), self.question.words)
        unreached = int(neither.sum())
        if unreached:
            raise ValueError(
                f"Comp is undefined at time {time:g} for {unreached} of {len(dx)} trajectories: "
                f"{self.question.words} in neither world"
            )
        with np.errstate(divide="ignore"):
            log = np.log(np.abs(dx)) + self.log_x - (np.log(np.abs(dy)) + self.log_y)
        # At the beginning nothing has been carried yet.
        doubtful = (small_x | small_y) & (time > self.begin)
        return np.sign(dx) * np.where(dy < 0, -1.0, 1.0), log, doubtful
