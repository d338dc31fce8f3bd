"""A group of trajectories in memory, one in each lane, and the stages of their steps."""

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from descent.arguments import Array
from descent.compiled.code import LANES, Code
from descent.compiled.vectors import Place, Vector
from descent.dynamics.equations import Equations

Weights = Array | list[float]


class Stages(NamedTuple):
    """The rows that a step begins with, the slopes at its stages, and the stage at hand."""

    rows: Place
    slopes: list[Place]
    stage: Place


def weighted(weights: Weights, slopes: list[Place], row: Any) -> Vector:
    """Write the weighted sum of a row of slopes."""
    terms = [slope[row] * float(w) for w, slope in zip(weights, slopes, strict=False) if w != 0]
    return sum(terms[1:], terms[0])


class Block:
    """States of `LANES` trajectories, their disturbances, and the slopes of their stages.

    Vectors lie one after another: row i of the j-th vector of a block of r variables is
    the row j r + i of its place.
    """

    def __init__(self, code: Code, equations: Equations, n_stages: int) -> None:
        self.code, self.equations = code, equations
        longest = max([len(free) for free, _ in equations.layout] or [1])

        def stages(rows: int) -> Stages:
            slopes = [code.array(rows) for _ in range(n_stages)]
            return Stages(code.array(rows), slopes, code.array(rows))

        self.states, self.tangents = stages(equations.d), stages(longest)
        kept = max(len(equations.coefficients), 1)
        self.kept = [code.array(kept) for _ in range(n_stages)]
        self.vectors = [code.array(len(free) * k) for free, k in equations.layout]

    @property
    def n_rows(self) -> int:
        """Rows of Python's stack: states, and disturbances below them."""
        return self.equations.d + sum(len(free) * k for free, k in self.equations.layout)

    def _each_row(self, act: Callable[[Place, Any, Any], None]) -> None:
        """Call act with a place, a row of it, and the row of Python's stack."""
        code, first = self.code, self.equations.d
        code.each(first, lambda i: act(self.states.rows, i, i))
        for (free, k), place in zip(self.equations.layout, self.vectors, strict=True):
            r = len(free)
            for i in range(r):
                start = first + i * k

                def one(
                    j: Any, i: int = i, start: int = start, r: int = r, at: Place = place
                ) -> None:
                    act(at, code.add(code.multiply(j, r), i), code.add(j, start))

                code.each(k, one)
            first += r * k

    def load(self, stack: Place) -> None:
        """Write the reading of states and disturbances."""

        def read(place: Place, i: Any, row: Any) -> None:
            place[i] = stack[row]

        self._each_row(read)

    def save(self, stack: Place) -> None:
        """Write the writing of states and disturbances."""

        def write(place: Place, i: Any, row: Any) -> None:
            stack[row] = place[i]

        self._each_row(write)

    def prepare(self, of: Stages, n: int, weights: Weights, h: Vector) -> Place:
        """Write the state of a stage, and return where it is."""

        def one(row: Any) -> None:
            of.stage[row] = of.rows[row] + h * weighted(weights, of.slopes, row)

        self.code.each(n, one)
        return of.stage

    def advance(self, of: Stages, n: int, weights: Weights, h: Vector) -> None:
        """Write the step itself."""

        def one(row: Any) -> None:
            of.rows[row] = of.rows[row] + h * weighted(weights, of.slopes, row)

        self.code.each(n, one)

    def each_vector(self, act: Callable[[int, Any, Stages], None]) -> None:
        """Write what is to be done with the j-th disturbance of each block."""
        for block, ((free, k), place) in enumerate(
            zip(self.equations.layout, self.vectors, strict=True)
        ):

            def one(j: Any, block: int = block, r: int = len(free), at: Place = place) -> None:
                rows = at.after(self.code.multiply(j, r))
                act(block, j, Stages(rows, self.tangents.slopes, self.tangents.stage))

            self.code.each(k, one, unrolled=2)


def padded(array: Array) -> Array:
    """Return a copy with as many columns as lanes are filled: the last one is repeated."""
    n = array.shape[-1]
    wanted = -(-n // LANES) * LANES
    if n == wanted:
        return np.array(array, np.float64, order="C")
    return np.concatenate([array, np.repeat(array[..., -1:], wanted - n, axis=-1)], axis=-1)
