r"""The equations of a flow and of its disturbances as machine code.

.. math:: \dot s = f(s, t), \qquad \dot v = M J(s, t)\, v

f is traced from ``rate``, J v from ``jvp``, ``jacobian``, or, for `complex_step`, by
differentiating f. What J v needs of the state, its coefficients, is computed once for all
disturbances of a state.
"""

from typing import Any

import numpy as np

from descent.arguments import Array
from descent.compiled.code import SMALL, Code, Module, available
from descent.compiled.expressions import Expression, Tape, Untraceable
from descent.compiled.vectors import Place, Vector
from descent.dynamics.derivatives import ComplexStep
from descent.dynamics.system import Flow, Map

Layout = tuple[tuple[tuple[int, ...], int], ...]  # of each block: free variables, vectors
STATE, VECTOR, TIME = "state", "vector", "time"


class Equations:
    """A traced flow.

    Parameters
    ----------
    system : Flow
        With a Jacobian or a jvp, if there are disturbances.
    layout : sequence of (free variables, number of vectors)
        The blocks of disturbances.

    Raises
    ------
    Untraceable
        If one of its functions cannot be noted as a list of operations.
    """

    def __init__(self, system: Flow, layout: Layout) -> None:
        self.tape, self.d, self.layout = Tape(), len(system.names), layout
        self.time = self.tape.variable(TIME)
        self.state = self.tape.variables(STATE, range(self.d), self.d)
        try:
            self.rates = self._rows(system.rate(self.state, self.time))  # type: ignore[arg-type]
            self.moved = [self._linear(system, free) for free, _ in self.layout]
        except Exception as error:  # whatever a function says that was given symbols
            raise Untraceable(str(error)) from error
        self._split()

    def _rows(self, rows: Any) -> list[Expression]:
        made = [self.tape.as_expression(row) for row in rows]
        if len(made) != self.d:
            raise Untraceable("the number of rows")
        return made

    def _linear(self, system: Flow, free: tuple[int, ...]) -> list[Expression]:
        """Return the free rows of J v for a v that is zero elsewhere."""
        v = self.tape.variables(VECTOR, free, self.d)
        derivative: Any = system.jacobian
        if system.jvp is not None:
            rows = self._rows(system.jvp(self.state, v, self.time))  # type: ignore[arg-type]
        elif isinstance(derivative, ComplexStep) and derivative.function == system.rate:
            along = [self.tape.as_expression(x) for x in v]
            rows = self.tape.derivative(self.rates, along)
        else:
            entries = derivative(self.state, self.time)
            made = [self._rows(row) for row in entries]
            rows = self._rows([sum(e * x for e, x in zip(row, v, strict=True)) for row in made])
        return [rows[i] for i in free]

    def _split(self) -> None:
        """Find what depends on the vectors, and what these parts need of the state."""
        tape, roots = self.tape, [row for rows in self.moved for row in rows]
        wanted = tape.reached(roots)
        moving: set[int] = set()
        for index in wanted:
            if tape.keys[index][0] == VECTOR or any(p in moving for p in tape.parts(index)):
                moving.add(index)
        needed = {p for index in moving for p in tape.parts(index)} | {r.index for r in roots}
        fixed = sorted(i for i in needed - moving if Expression(tape, i).number is None)
        self.moving, self.coefficients = moving, fixed

    @property
    def parameters(self) -> Array:
        """The numbers that the code is given, one at least."""
        return np.array([*self.tape.parameters, 0.0])

    @property
    def key(self) -> tuple[Any, ...]:
        """What tells equations apart whose code differs."""
        roots = tuple(tuple(r.index for r in rows) for rows in (self.rates, *self.moved))
        return self.d, self.layout, tuple(self.tape.keys), roots

    # Code

    def write(self, module: Module) -> None:
        """Write the functions ``base`` and ``linear0``, ``linear1`` … of a module."""
        tape = self.tape
        wanted = tape.reached([*self.rates, *(Expression(tape, i) for i in self.coefficients)])
        code = module.function("base", "pppvp", inlined=len(wanted) <= SMALL)
        s, f, kept, time, numbers = code.arguments
        state, rate, store = (Place(code, p, code.vectors) for p in (s, f, kept))

        def known(kind: str, index: int) -> Vector:
            if kind == STATE:
                return state[index]
            return Vector(code, time) if kind == TIME else parameter(code, numbers, index)

        made = code.expressions(tape, wanted, known)
        for i, row in enumerate(self.rates):
            rate[i] = made[row.index]
        for i, index in enumerate(self.coefficients):
            store[i] = made[index]
        code.end()
        for block in range(len(self.moved)):
            self._write_linear(module, block)

    def _write_linear(self, module: Module, block: int) -> None:
        tape, rows, (free, _) = self.tape, self.moved[block], self.layout[block]
        wanted = tape.reached(rows)
        code = module.function(f"linear{block}", "pppp", inlined=len(wanted) <= SMALL)
        kept, v, out, numbers = code.arguments
        store, vector, moved = (Place(code, p, code.vectors) for p in (kept, v, out))
        stored = {index: i for i, index in enumerate(self.coefficients)}
        made: dict[int, Vector] = {}
        for index in wanted:
            kind, *rest = tape.keys[index]
            if index in stored:
                made[index] = store[stored[index]]
            elif index in self.moving and kind == VECTOR:
                made[index] = vector[free.index(rest[0])]
            elif index in self.moving:
                made[index] = code.operation(kind, *(made[p] for p in rest))
            elif kind == "number":
                made[index] = code.vector(rest[0])
            elif kind == "parameter":
                made[index] = parameter(code, numbers, rest[0])
        for i, row in enumerate(rows):
            moved[i] = made[row.index]
        code.end()

    def base(self, code: Code, s: Place, f: Place, kept: Place, time: Vector, numbers: Any) -> None:
        """Call the rate and the coefficients at a state."""
        pointers = [place.pointer for place in (s, f, kept)]
        callee = code.module.module.get_global("base")
        code.builder.call(callee, [*pointers, time.value, numbers])

    def linear(
        self, code: Code, block: int, kept: Place, v: Place, out: Place, numbers: Any
    ) -> None:
        """Call J v for a vector of a block."""
        pointers = [place.pointer for place in (kept, v, out)]
        code.builder.call(code.module.module.get_global(f"linear{block}"), [*pointers, numbers])


def parameter(code: Code, numbers: Any, index: int) -> Vector:
    """Return a number of Python's, the same in each lane."""
    double = code.ir.DoubleType()
    address = code.builder.gep(numbers, [code.integer(index)], source_etype=double)
    return code.vector(code.builder.load(address, typ=double))


MOST_OPERATIONS = 20_000  # beyond, compiling takes long


def equations_of(system: Map | Flow, layout: Layout) -> Equations | None:
    """Return the traced equations of a flow, or None where numpy has to do."""
    if not isinstance(system, Flow) or not available():
        return None
    try:
        equations = Equations(system, layout)
    except Untraceable:
        return None
    return equations if len(equations.tape.keys) <= MOST_OPERATIONS else None
