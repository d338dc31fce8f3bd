r"""Runge-Kutta steps of equal length at the processor's own speed.

The same steps as `descent.dynamics.tangent` makes with numpy, and the same numbers to
rounding. A group of trajectories goes all of its steps before the next one begins.
"""

from typing import Any

import numpy as np

from descent.arguments import Array
from descent.compiled.code import LANES, Module, compiled
from descent.compiled.vectors import Vector
from descent.dynamics.block import Block, Stages, padded
from descent.dynamics.equations import Equations


def _write(module: Module, equations: Equations, scheme: Any) -> int:
    a, b, c = scheme
    equations.write(module)
    code = module.function("run", "piiddipp")
    stack, n_groups, stride, begin, step, n_steps, numbers, code.scratch = code.arguments
    block = Block(code, equations, len(b))
    states, h = block.states, code.vector(step)

    def stages(time: Vector) -> None:
        for i in range(len(b)):
            s = block.prepare(states, equations.d, a[i, :i], h) if i else states.rows
            equations.base(code, s, states.slopes[i], block.kept[i], time + h * c[i], numbers)

    def tangent(which: int, j: Any, v: Stages) -> None:
        r = len(equations.layout[which][0])
        for i in range(len(b)):
            at = block.prepare(v, r, a[i, :i], h) if i else v.rows
            equations.linear(code, which, block.kept[i], at, v.slopes[i], numbers)
        block.advance(v, r, b, h)

    def one_step(index: Any) -> None:
        count = code.vector(code.builder.sitofp(code.integer(index), code.ir.DoubleType()))
        stages(code.vector(begin) + count * h)
        block.each_vector(tangent)
        block.advance(states, equations.d, b, h)

    def group(index: Any) -> None:
        place = code.rows(stack, code.multiply(index, LANES), stride)
        block.load(place)
        code.each(n_steps, one_step)
        block.save(place)

    code.each(n_groups, group)
    code.end()
    return code.taken


class FixedSteps:
    """Steps of equal length of a flow and its disturbances, compiled."""

    def __init__(self, equations: Equations, scheme: Any, name: str) -> None:
        self.parameters = equations.parameters
        functions, rows = compiled(
            ("fixed", name, equations.key), lambda module: _write(module, equations, scheme)
        )
        self.run = functions["run"]
        self.scratch = np.empty((max(rows, 1), LANES))

    def __call__(self, stack: Array, time: float, h: float, n_steps: int) -> Array:
        """Return the stack (rows, n) after some steps."""
        n = stack.shape[1]
        out = padded(stack)
        self.run(
            out.ctypes.data,
            out.shape[1] // LANES,
            out.shape[1],
            time,
            h,
            n_steps,
            self.parameters.ctypes.data,
            self.scratch.ctypes.data,
        )
        return out if out.shape[1] == n else np.ascontiguousarray(out[:, :n])
