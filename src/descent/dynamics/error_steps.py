r"""Steps of order 8 that follow their error, at the processor's own speed.

The same steps as those of `descent.dynamics.adaptive`, Dormand and Prince's, with the same
control; each trajectory has its own clock. Between steps a frame of disturbances can be made
orthonormal, with the logarithms of its growth added up, by Gram and Schmidt's method.
"""

from typing import Any

import numpy as np
from scipy.integrate import DOP853

from descent.arguments import Array
from descent.compiled.code import LANES, Code, Module, compiled, logarithm
from descent.compiled.vectors import Mask, Place, Vector
from descent.dynamics.block import Block, Stages, weighted
from descent.dynamics.equations import Equations

SAFETY, SHRINK, GROW = 0.9, 0.2, 6.0
N_STAGES = 12
_A, _B, _C, _E3, _E5 = DOP853.A, DOP853.B, DOP853.C, DOP853.E3, DOP853.E5
FIVE, THREE, BAD = range(3)  # what is noted of the error: two estimates, whether it is finite


class _Step:
    """The code of one attempt of a group of trajectories."""

    def __init__(self, code: Code, equations: Equations, numbers: Any) -> None:
        self.code, self.equations, self.numbers = code, equations, numbers
        self.block = Block(code, equations, N_STAGES)
        self.trial = [code.array(len(free) * k) for free, k in equations.layout]
        self.size, self.noted = code.array(equations.d), code.array(3)

    def _note(self, error: Vector, which: int) -> None:
        self.noted[which] = self.noted[which].largest(error)

    def _stages(self, time: Vector, h: Vector) -> None:
        states = self.block.states
        for i in range(N_STAGES):
            s = self.block.prepare(states, self.equations.d, _A[i, :i], h) if i else states.rows
            kept, f = self.block.kept[i], states.slopes[i]
            self.equations.base(self.code, s, f, kept, time + h * float(_C[i]), self.numbers)

    def _error_of_state(self, h: Vector, tolerance: Vector) -> None:
        states = self.block.states
        new = self.block.prepare(states, self.equations.d, _B, h)

        def row(i: Any) -> None:
            scale = (tolerance * self.size[i].largest(new[i].absolute())).largest(1e-300)
            for weights, which in ((_E5, FIVE), (_E3, THREE)):
                self._note((h * weighted(weights, states.slopes, i)).absolute() / scale, which)
            self.noted[BAD] = self.noted[BAD] + (new[i] + states.slopes[0][i]) * 0.0

        self.code.each(self.equations.d, row)

    def _tangent(self, which: int, j: Any, v: Stages, h: Vector, tolerance: Vector) -> None:
        code, r = self.code, len(self.equations.layout[which][0])
        new = self.trial[which].after(code.multiply(j, r))
        for i in range(N_STAGES):
            at = self.block.prepare(v, r, _A[i, :i], h) if i else v.rows
            self.equations.linear(code, which, self.block.kept[i], at, v.slopes[i], self.numbers)
        largest = code.array(3)
        for k in range(3):
            largest[k] = code.vector(0.0)

        def row(i: Any) -> None:
            new[i] = v.rows[i] + h * weighted(_B, v.slopes, i)
            both = v.rows[i].absolute().largest(new[i].absolute())
            largest[2] = largest[2].largest(both)
            for k, weights in ((FIVE, _E5), (THREE, _E3)):
                largest[k] = largest[k].largest(weighted(weights, v.slopes, i).absolute())
            self.noted[BAD] = self.noted[BAD] + new[i] * 0.0

        code.each(r, row)
        scale = h / (tolerance * largest[2]).largest(1e-300)
        for k in (FIVE, THREE):
            self._note(largest[k] * scale, k)

    def attempt(self, time: Vector, h: Vector, tolerances: tuple[Vector, Vector]) -> Vector:
        """Write an attempt to go on by h; return its error, infinite where it is lost."""
        for k in range(3):
            self.noted[k] = self.code.vector(0.0)
        self._stages(time, h)
        self._error_of_state(h, tolerances[0])

        def tangent(which: int, j: Any, v: Stages) -> None:
            self._tangent(which, j, v, h, tolerances[1])

        self.block.each_vector(tangent)
        five, three = self.noted[FIVE], self.noted[THREE]
        below = (five * five + 0.01 * (three * three)).root()
        error = (below > 0.0).choose(five * five / below, 0.0)
        finite = self.noted[BAD].equals(0.0) & (five < np.inf) & (three < np.inf)
        return finite.choose(error, np.inf)

    def accept(self, moved: Mask) -> None:
        """Write the move of the trajectories whose error is small enough."""
        states = self.block.states

        def state(i: Any) -> None:
            states.rows[i] = moved.choose(states.stage[i], states.rows[i])
            self.size[i] = self.size[i].largest(states.rows[i].absolute())

        self.code.each(self.equations.d, state)
        for rows, trial, (free, k) in zip(
            self.block.vectors, self.trial, self.equations.layout, strict=True
        ):

            def vector(i: Any, rows: Place = rows, trial: Place = trial) -> None:
                rows[i] = moved.choose(trial[i], rows[i])

            self.code.each(len(free) * k, vector)


def orthonormalize(code: Code, vectors: Place, r: int, k: int, growth: Place) -> None:
    """Write Gram and Schmidt's method for k vectors of r rows, one after another."""
    total = code.array(1)

    def product(a: Place, b: Place) -> Vector:
        total[0] = code.vector(0.0)

        def row(i: Any) -> None:
            total[0] = total[0] + a[i] * b[i]

        code.each(r, row)
        return total[0]

    def one(j: Any) -> None:
        v = vectors.after(code.multiply(j, r))

        def other(i: Any) -> None:
            q = vectors.after(code.multiply(i, r))
            share = product(q, v)

            def row(m: Any) -> None:
                v[m] = v[m] - share * q[m]

            code.each(r, row)

        code.each(j, other)
        length = product(v, v).root()
        growth[j] = growth[j] + logarithm(length)
        inverse = 1.0 / length

        def scale(m: Any) -> None:
            v[m] = v[m] * inverse

        code.each(r, scale)

    code.each(k, one)


def _write(module: Module, equations: Equations) -> int:
    equations.write(module)
    code = module.function("run", "pppppppiiiiidddpp")
    (stack, clock, steps, sizes, ends, growths, done) = code.arguments[:7]
    (n_groups, stride, most, since, every) = code.arguments[7:12]
    (tolerance, of_vectors, largest_h, numbers, code.scratch) = code.arguments[12:]
    step, b = _Step(code, equations, numbers), code.builder
    tolerances = code.vector(tolerance), code.vector(of_vectors)
    now, pace, end = (code.array(1) for _ in range(3))
    tiny = code.vector(largest_h) * 1e-12
    free, k = equations.layout[0] if equations.layout else ((), 0)
    growth = code.array(max(k, 1))
    count, going = code.variable(code.integer(0)), code.variable(code.bit(True))

    def attempt() -> None:
        t, h, left = now[0], pace[0], end[0] - now[0]
        short = h.smallest(left)
        # A rest that is tiny would only cost a step: halve the way instead.
        short = ((short < left) & (left < 1.5 * short)).choose(left * 0.5, short)
        error = step.attempt(t, short, tolerances)
        moved = error <= 1.0
        factor = SAFETY / error.largest(1e-12).root().root().root()
        factor = factor.largest(SHRINK).smallest(moved.choose(GROW, SAFETY))
        proposal = short * factor
        new_h = (moved & (short < h)).choose(h.largest(proposal), proposal)
        pace[0] = new_h
        now[0] = moved.choose(short.equals(left).choose(end[0], t + short), t)
        step.accept(moved)
        lost = ~moved & (new_h < 1e-14 * t.absolute().largest(tiny)) & (left > 0.0)
        code.set(count, code.add(code.get(count), 1))
        late = (now[0] < end[0]).any()
        code.set(going, b.and_(late, b.not_(lost.any())))
        if k:
            total = code.add(since, code.get(count))
            due = b.icmp_signed("==", b.srem(total, every), code.integer(0))
            with b.if_then(due):
                orthonormalize(code, step.block.vectors[0], len(free), k, growth)

    def group(index: Any) -> None:
        column = code.multiply(index, LANES)
        place = code.rows(stack, column, stride)
        step.block.load(place)
        ways = [
            (now, clock, 1),
            (pace, steps, 1),
            (end, ends, 1),
            (step.size, sizes, equations.d),
            (growth, growths, k),
        ]
        for here, there, rows in ways:
            outside = code.rows(there, column, stride)
            code.each(rows, lambda i, a=here, b=outside: a.__setitem__(i, b[i]))  # type: ignore
        code.set(count, code.integer(0))
        code.set(going, (now[0] < end[0]).any())

        def goes_on() -> Any:
            few = b.icmp_signed("<", code.get(count), most)
            return b.and_(few, code.get(going))

        code.repeat(goes_on, attempt)
        step.block.save(place)
        for here, there, rows in ways:
            outside = code.rows(there, column, stride)
            code.each(rows, lambda i, a=here, b=outside: b.__setitem__(i, a[i]))  # type: ignore
        code.set(done, code.larger(code.get(done), code.get(count)))

    code.each(n_groups, group)
    code.end()
    taken = code.taken
    if k:
        _write_frames(module, equations, len(free), k)
    return taken


def _write_frames(module: Module, equations: Equations, r: int, k: int) -> None:
    """Write the orthonormalization of frames alone."""
    code = module.function("orthonormalize", "ppiip")
    stack, growths, n_groups, stride, code.scratch = code.arguments
    block, growth = Block(code, equations, 1), code.array(k)

    def group(index: Any) -> None:
        column = code.multiply(index, LANES)
        place, outside = (code.rows(p, column, stride) for p in (stack, growths))
        block.load(place)
        code.each(k, lambda i: growth.__setitem__(i, outside[i]))
        orthonormalize(code, block.vectors[0], r, k, growth)
        block.save(place)
        code.each(k, lambda i: outside.__setitem__(i, growth[i]))

    code.each(n_groups, group)
    code.end()


class ErrorSteps:
    """Steps of a flow and its disturbances that follow their error, compiled."""

    def __init__(self, equations: Equations) -> None:
        self.equations, self.parameters = equations, equations.parameters
        self.functions, rows = compiled(
            ("error", equations.key), lambda module: _write(module, equations)
        )
        self.scratch = np.empty((max(rows, 1), LANES))
        self.done = np.zeros(1, np.int64)
        self.n = -1

    def _make_room(self, n: int) -> None:
        """Make arrays for n trajectories, and as many more as fill the lanes."""
        self.n, self.width = n, -(-n // LANES) * LANES
        layout = self.equations.layout
        rows = self.equations.d + sum(len(free) * k for free, k in layout)
        n_grown = layout[0][1] if layout else 1
        heights = (rows, 1, 1, self.equations.d, 1, n_grown)
        self.room = [np.zeros((height, self.width)) for height in heights]
        self.addresses = [place.ctypes.data for place in (*self.room, self.done)]
        self.last = [self.parameters.ctypes.data, self.scratch.ctypes.data]

    def _put(self, place: Array, values: Array | float) -> None:
        place[:, : self.n] = values
        if self.width > self.n:
            place[:, self.n :] = place[:, self.n - 1 : self.n]  # the last one, again

    def __call__(
        self,
        stack: Array,
        clock: Array,
        steps: Array,
        sizes: Array,
        ends: Array | float,
        tolerances: tuple[float, float],
        most: int,
        *,
        since: int = 0,
        every: int = 0,
        growth: Array | None = None,
    ) -> tuple[Array, int]:
        """Go on to the ends, or ``most`` steps; return the stack and the number of steps.

        Times, steps, sizes and growth are changed where they stand. Every ``every`` steps,
        counted from ``since`` on, the frame is made orthonormal.
        """
        n = stack.shape[1]
        if n != self.n:
            self._make_room(n)
        given = (stack, clock, steps, sizes, ends, 0.0 if growth is None else growth)
        for place, values in zip(self.room, given, strict=True):
            self._put(place, values)
        self.done[0] = 0
        often = every if every else 2**62
        counts = (self.width // LANES, self.width, most, since, often)
        self.functions["run"](*self.addresses, *counts, *tolerances, float(steps.max()), *self.last)
        clock[:], steps[:], sizes[:] = (place[:, :n] for place in self.room[1:4])
        if growth is not None:
            growth[:] = self.room[5][:, :n]
        return self.room[0][:, :n].copy(), int(self.done[0])

    def orthonormalize(self, stack: Array, growth: Array) -> Array:
        """Make the frame orthonormal; return the stack, and add to the growth (k, n)."""
        n = stack.shape[1]
        if n != self.n:
            self._make_room(n)
        self._put(self.room[0], stack)
        self._put(self.room[5], growth)
        self.functions["orthonormalize"](
            self.addresses[0], self.addresses[5], self.width // LANES, self.width, self.last[1]
        )
        growth[:] = self.room[5][:, :n]
        return self.room[0][:, :n].copy()
