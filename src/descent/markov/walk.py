r"""Steps of many walkers in compiled code, until one of them is beyond a threshold.

.. math:: W' = W - T g_j(W)

The samples j are given, so that the walkers go where numpy's would, to rounding.
"""

from typing import Any

import numpy as np
import numpy.typing as npt

from descent.arguments import Array
from descent.compiled.code import LANES, Module, available, compiled
from descent.compiled.expressions import Tape, Untraceable
from descent.compiled.vectors import Place, Vector
from descent.landscapes import FiniteSum

MOST_SAMPLES = 16  # beyond, computing all gradients costs more than numpy's choice of one
AGREE = 1e-9

Bytes = npt.NDArray[np.uint8]


def _write(module: Module, tape: Tape, rows: list[Any]) -> int:
    code = module.function("run", "pppiiiddp")
    walkers, drawn, done, n_groups, stride, n_steps, size, limit, numbers = code.arguments
    b, double = code.builder, code.ir.DoubleType()
    step_size, threshold = code.vector(size), code.vector(limit)
    bytes_type = code.ir.VectorType(code.ir.IntType(8), LANES)
    escaped, step = code.variable(code.bit(False)), code.variable(code.integer(0))
    w = Place(code, walkers, code.vectors)

    def inputs(kind: str, index: int, here: Vector) -> Vector:
        if kind == "state":
            return here
        at = b.gep(numbers, [code.integer(index)], source_etype=double)
        return code.vector(b.load(at, typ=double))

    def group(i: Any) -> None:
        here = w[i]
        made = code.expressions(tape, tape.reached(rows), lambda k, n: inputs(k, n, here))
        first = code.add(code.multiply(code.get(step), stride), code.multiply(i, LANES))
        at = b.gep(drawn, [first], source_etype=code.ir.IntType(8))
        index = b.load(at, typ=bytes_type, align=1)
        gradient = made[rows[0].index].value
        for j, row in enumerate(rows[1:], start=1):
            chosen = b.icmp_unsigned("==", index, code.ir.Constant(bytes_type, [j] * LANES))
            gradient = b.select(chosen, made[row.index].value, gradient)
        w[i] = here - step_size * Vector(code, gradient)
        code.set(escaped, b.or_(code.get(escaped), (w[i] > threshold).any()))

    def one() -> None:
        code.each(n_groups, group)
        code.set(step, code.add(code.get(step), 1))

    def goes_on() -> Any:
        late = b.icmp_signed("<", code.get(step), n_steps)
        return b.and_(late, b.not_(code.get(escaped)))

    code.repeat(goes_on, one)
    code.set(done, code.get(step))
    code.end()
    return 0


class Walk:
    """Compiled steps of walkers on a finite sum; see `walk_on`."""

    def __init__(self, model: FiniteSum, step_size: float, threshold: float) -> None:
        tape = Tape()
        try:
            rows = [tape.as_expression(r) for r in model.gradients(tape.variable("state"))]  # type: ignore[arg-type]
        except Exception as error:  # whatever it says that was given a symbol
            raise Untraceable(str(error)) from error
        self.numbers = np.array([*tape.parameters, 0.0])
        key = ("walk", tuple(tape.keys), tuple(row.index for row in rows))
        self.run = compiled(key, lambda module: _write(module, tape, rows))[0]["run"]
        self.step_size, self.threshold = step_size, threshold

    def __call__(self, w: Array, index: Bytes, first: int, n_steps: int, alive: int) -> int:
        """Move ``w[:alive]`` by up to n steps, until one is beyond; return the steps made.

        ``w`` has room for full lanes, and so has each row of ``index`` (steps, walkers).
        """
        groups = -(-alive // LANES)
        w[alive : groups * LANES] = np.nan  # which is beyond nothing
        done = np.zeros(1, np.int64)
        row = index[first:]
        self.run(
            w.ctypes.data,
            row.ctypes.data,
            done.ctypes.data,
            groups,
            index.shape[1],
            n_steps,
            self.step_size,
            self.threshold,
            self.numbers.ctypes.data,
        )
        return int(done[0])


def walk_on(model: FiniteSum, step_size: float, start: float, threshold: float) -> Walk | None:
    """Return compiled steps, or None where numpy has to do: tried on some walkers first."""
    if model.n_samples > MOST_SAMPLES or not available():
        return None
    try:
        walk = Walk(model, step_size, np.inf)
    except (Untraceable, LookupError):
        return None
    n = 8 * LANES
    w = np.linspace(2 * start - threshold - 1e-3, threshold + 1e-3, n)
    index = (np.arange(n, dtype=np.uint8) % model.n_samples)[None]
    wanted = w - step_size * model.sample_gradient(w, index[0])
    walk(w, index, 0, 1, n)
    walk.threshold = threshold
    return walk if np.allclose(w, wanted, AGREE, AGREE) else None
