"""Speed of flows and their disturbances: Op, landscapes, Lyapunov exponents.

The peer is a loop in C, compiled here, heyoka where it is installed (in this interpreter, or
in the one that HEYOKA_PYTHON names), or the library as it was before it compiled anything.
"""

import os
import sys
import tempfile
from collections.abc import Iterator

import numpy as np
from influence import AXIS, C_LANES, DT, c_loop, library, strip
from row import Row, earlier, in_another, processor_seconds

from descent import lyapunov, systems
from descent.dynamics import Flow

N, STEPS = 16_384, 1000
TIME = 10_000.0  # units of time in which an exponent of Lorenz or Rössler is known to 0.002
TRUE = {"Lorenz": 0.9056, "Rössler": 0.0714}  # Sprott (2003)


def roessler() -> Flow:
    """The system of Rössler (1976) with its usual parameters, a = b = 0.2, c = 5.7."""

    def rate(state, time):
        x, y, z = state
        return -y - z, x + 0.2 * y, 0.2 + z * (x - 5.7)

    def jacobian(state, time):
        x, _, z = state
        return (0.0, -1.0, -1.0), (1.0, 0.2, 0.0), (z, 0.0, x - 5.7)

    return Flow(("x", "y", "z"), rate, jacobian, start=(1.0, 1.0, 0.0))


def lorenz96(n: int = 40, forcing: float = 8.0) -> Flow:
    """The system of Lorenz (1996), a ring of n variables."""

    def rate(s, time):
        return (np.roll(s, -1, 0) - np.roll(s, 2, 0)) * np.roll(s, 1, 0) - s + forcing

    def jvp(s, v, time):
        ahead, behind = np.roll(s, -1, 0), np.roll(s, 2, 0)
        moved = np.roll(v, -1, 0) - np.roll(v, 2, 0)
        return moved * np.roll(s, 1, 0) + (ahead - behind) * np.roll(v, 1, 0) - v

    start = tuple(forcing + 0.01 * np.sin(np.arange(n)))
    return Flow(tuple(f"x{i}" for i in range(n)), rate, jvp=jvp, start=start)


HEYOKA = """
import time
import heyoka as hy
import numpy as np

def spectrum(equations, state, total, every):
    larger = hy.var_ode_sys(equations, hy.var_args.vars)
    ta = hy.taylor_adaptive(larger, state, tol=1e-9, compact_mode=len(state) > 3)
    d, growth = len(state), np.zeros(len(state))
    begin = time.process_time()
    for i in range(round(1.1 * total / every)):
        ta.propagate_for(every)
        q, r = np.linalg.qr(ta.state[d:].reshape(d, d))
        ta.state[d:] = q.ravel()
        if i * every >= 0.1 * total:
            growth += np.log(np.abs(np.diag(r)))
    return (time.process_time() - begin) / (1.1 * total), growth[0] / total

x, y, z = hy.make_vars("x", "y", "z")
lorenz = [(x, 10 * (y - x)), (y, x * (28 - z) - y), (z, x * y - 8 / 3 * z)]
roessler = [(x, -y - z), (y, x + 0.2 * y), (z, 0.2 + z * (x - 5.7))]
ring = hy.make_vars(*(f"x{i}" for i in range(40)))
lorenz96 = [
    (ring[i], (ring[(i + 1) % 40] - ring[i - 2]) * ring[i - 1] - ring[i] + 8.0) for i in range(40)
]
found = [
    spectrum(lorenz, [1.0, 1.0, 1.0], 3000, 1.0)[0],
    spectrum(roessler, [1.0, 1.0, 0.0], 3000, 2.0)[0],
    spectrum(lorenz96, list(8 + 0.01 * np.sin(np.arange(40))), 60, 0.5)[0],
]
print(hy.__version__, *found)
"""


def heyoka() -> tuple[str, list[float | None]]:
    """Return heyoka's name and version, and its seconds for a unit of time."""
    python = os.environ.get("HEYOKA_PYTHON", sys.executable)
    line = in_another(HEYOKA, python)
    if line is None:
        return "heyoka", [None] * 3
    name, *numbers = line.split()
    return f"heyoka {name}", [float(number) for number in numbers]


def tangent_rows() -> Iterator[Row]:
    """Yield the rows of steps with tangents, and of a landscape."""
    rng = np.random.default_rng(0)
    starts = np.array([0.0, 0.0, 25.0]) + 5 * rng.standard_normal((N, 3))
    library(starts, 100)  # compiles
    work = f"Op of Lorenz, {N:,} starts, a step of RK4 with tangents"
    scale = 1e9 / (N * STEPS)
    with tempfile.TemporaryDirectory() as folder:
        loop = c_loop(folder, "lanes", C_LANES)
        if loop is None:
            (ours,), theirs = processor_seconds(lambda: library(starts, STEPS)), None
        else:
            ours, theirs = processor_seconds(
                lambda: library(starts, STEPS), lambda: loop(starts, STEPS)
            )
            theirs *= scale
    yield Row(work, "ns", ours * scale, "C, blocks of 16", theirs, times=1 / 1.5)
    before = earlier(
        f"""
import numpy as np
from descent import influence, systems
rng = np.random.default_rng(0)
starts = np.array([0.0, 0.0, 25.0]) + 5 * rng.standard_normal(({N}, 3))
run = lambda: influence.op(
    systems.lorenz(), starts, [{100 * DT}], "a", "b", "b", dt={DT}, scheme="rk4")
print(seconds(run, 2) * 1e9 / ({N} * 100))
"""
    )
    yield Row(work, "ns", ours * scale, "descent bfbe1bb", before, times=14)
    (seconds,) = processor_seconds(lambda: strip(AXIS), rounds=2)
    yield Row("landscape of Op, 256 x 256 starts to t = 10", "s", seconds, at_most=1.0)


def spectrum_rows() -> Iterator[Row]:
    """Yield the rows of Lyapunov exponents."""
    name, (lorenz, roessler_unit, ring) = heyoka()

    def exponents(system: Flow, n: int, transient: float, total: float) -> np.ndarray:
        return lyapunov.spectrum(
            system,
            n_trajectories=n,
            duration=total / n,
            transient=transient,
            interval=total / n / 16,
            return_error=True,
        )

    def theirs(unit: float | None, factor: float) -> float | None:
        return None if unit is None else unit * factor

    cases = (
        ("Lorenz", systems.lorenz(), 64, 10.0, lorenz, 0.5),
        ("Rössler", roessler(), 32, 100.0, roessler_unit, None),
    )
    for system, flow, n, transient, unit, most in cases:
        found = exponents(flow, n, transient, TIME)  # compiles
        if abs(found[0, 0] - TRUE[system]) > 4 * 0.002:
            raise AssertionError(f"{system}: {found}")
        (seconds,) = processor_seconds(lambda f=flow, n=n, t=transient: exponents(f, n, t, TIME))
        work = f"{system}, 10,000 units of time: all exponents, the largest to 0.002"
        other = theirs(unit, TIME)
        yield Row(work, "s", seconds, name, other, times=1)
        if most is not None:
            yield Row(f"{system}, all exponents over 10,000 units", "s", seconds, at_most=most)
    flow, part = lorenz96(), 500.0
    exponents(flow, 16, 5.0, part)
    (seconds,) = processor_seconds(lambda: exponents(flow, 16, 5.0, part), rounds=2)
    work = "Lorenz-96 of 40 variables, all exponents over 10,000 units"
    other = theirs(ring, TIME)
    yield Row(work, "s", seconds * TIME / part, name, other, at_most=20.0)


def rows() -> Iterator[Row]:
    """Yield all rows."""
    yield from tangent_rows()
    yield from spectrum_rows()


if __name__ == "__main__":
    for row in rows():
        print(row, row.ratio, row.reached)
