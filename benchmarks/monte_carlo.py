"""Speed of the sampled first passage against a plain Python loop and against plain numpy.

Run it as ``python benchmarks/monte_carlo.py``. All three sample the same event, escape from
the pit at T = 0.005, where none escapes within the run, so that every walker makes every
step. It prints a table and writes it to benchmarks/results/monte_carlo.md. The peer in the table
of speed is a loop in C whose exponentials are vectors, on the same draws.
"""

import ctypes
import math
import random
import shutil
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
from row import Row, processor_seconds

from descent.landscapes import two_datapoint
from descent.markov import sampling
from descent.markov.sampling import first_passage_times

STEP_SIZE, START, THRESHOLD = 0.005, 1.0, 1.19596
MODEL = two_datapoint()


def python_loop(n_particles: int, n_steps: int) -> float:
    """One walker at a time, one step at a time."""
    escaped = 0
    for _ in range(n_particles):
        w = START
        for _ in range(n_steps):
            gradient = 2 * (w - 2) * math.exp(-((w - 2) ** 2))
            if random.getrandbits(1):
                gradient += 200 * (w - 1) * math.exp(-100 * (w - 1) ** 2)
            w -= STEP_SIZE * gradient
            if w > THRESHOLD:
                escaped += 1
                break
    return escaped / n_particles


def plain_numpy(n_particles: int, n_steps: int) -> float:
    """All walkers at once, both gradients for each, one picked."""
    rng = np.random.default_rng(0)
    w, inside = np.full(n_particles, START), np.ones(n_particles, bool)
    for _ in range(n_steps):
        index = rng.integers(2, size=n_particles)
        w = w - STEP_SIZE * MODEL.gradients(w)[index, np.arange(n_particles)]
        inside &= w <= THRESHOLD
    return 1 - inside.mean()


def blocked(n_particles: int, n_steps: int) -> float:
    """Cache-sized blocks, no allocation, one random bit a step, the escaped dropped."""
    rng = np.random.default_rng(0)
    times = first_passage_times(
        MODEL,
        step_size=STEP_SIZE,
        n_steps=n_steps,
        start=START,
        threshold=THRESHOLD,
        n_particles=n_particles,
        rng=rng,
    )
    return float((times <= n_steps).mean())


C_WALK = """
#include <math.h>
void run(double *w, const unsigned char *drawn, long n, long steps, double T) {
  for (long s = 0; s < steps; s++, drawn += n)
    for (long i = 0; i < n; i++) {
      double x = w[i] - 1, y = w[i] - 2;
      double g = 2*y*exp(-y*y) + (drawn[i] ? 200*x*exp(-100*x*x) : 0);
      w[i] -= T*g;
    }
}
"""


def c_walk(folder: str) -> Callable[[int, int], float] | None:
    """The same draws and steps in C, or None without a compiler."""
    compiler = shutil.which("cc") or shutil.which("gcc")
    if compiler is None:
        return None
    source, binary = Path(folder, "walk.c"), Path(folder, "walk.so")
    source.write_text(C_WALK)
    options = ["-O3", "-march=native", "-ffast-math", "-shared", "-fPIC"]
    subprocess.run([compiler, *options, "-o", str(binary), str(source), "-lm"], check=True)
    step = ctypes.CDLL(str(binary)).run
    step.argtypes = [
        ctypes.c_void_p,
        ctypes.c_void_p,
        ctypes.c_long,
        ctypes.c_long,
        ctypes.c_double,
    ]

    def run(n_particles: int, n_steps: int) -> float:
        rng, highest = np.random.default_rng(0), -np.inf
        for first in range(0, n_particles, sampling.BLOCK):
            n = min(sampling.BLOCK, n_particles - first)
            w = np.full(n, START)
            for begin in range(0, n_steps, sampling.CHUNK):
                steps = min(sampling.CHUNK, n_steps - begin)
                drawn = sampling._draw(rng, MODEL, (steps, n))
                step(w.ctypes.data, drawn.ctypes.data, n, steps, STEP_SIZE)
            highest = max(highest, w.max())
        return float(highest)

    return run


def rows() -> Iterator[Row]:
    """Yield the row of the table of speed."""
    work, n, steps = "Monte Carlo of the two-datapoint model, a step of a walker", 100_000, 1000
    blocked(n, 64)  # compiles
    with tempfile.TemporaryDirectory() as folder:
        loop = c_walk(folder)
        runs = [lambda: blocked(n, steps), *([lambda: loop(n, steps)] if loop else [])]
        ours, *theirs = (1e9 * x / (n * steps) for x in processor_seconds(*runs))
    yield Row(work, "ns", ours, "C, vectors", theirs[0] if theirs else None, times=0.8)


def speed(run: Callable[[int, int], float], n_particles: int, n_steps: int) -> float:
    """Walker steps per second, the best of three runs."""
    best = math.inf
    for _ in range(3):
        begin = time.perf_counter()
        run(n_particles, n_steps)
        best = min(best, time.perf_counter() - begin)
    return n_particles * n_steps / best


def main() -> None:
    """Measure, print and write the table."""
    speeds = {
        "plain Python loop": speed(python_loop, 500, 1000),
        "plain numpy, one pass": speed(plain_numpy, 100_000, 100),
        "`first_passage_times`": speed(blocked, 200_000, 1000),
    }
    slowest = speeds["plain Python loop"]
    lines = ["| method | walker steps per second | ratio |", "| --- | ---: | ---: |"]
    lines += [f"| {name} | {value:.2e} | {value / slowest:.1f} |" for name, value in speeds.items()]
    table = "\n".join(lines) + "\n"
    print(table, end="")
    target = Path(__file__).parent / "results" / "monte_carlo.md"
    target.parent.mkdir(exist_ok=True)
    target.write_text(table)


if __name__ == "__main__":
    main()
