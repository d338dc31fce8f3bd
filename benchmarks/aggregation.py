"""Speed and exactness of MGDA and UPGrad against steps that come closer, and against TorchJD.

Run it as ``python benchmarks/aggregation.py``. Random gradients, m of them in ten dimensions
and in the plane, two hundred sets at once as in the race of chapter 9. The conflict is by how
much of the longest gradient's square the worst loss rises along minus the direction. It
prints a table and writes it to benchmarks/results/aggregation.md.
"""

import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

import numpy as np
import torch
from torchjd import aggregation as torchjd

from descent.aggregation import mgda, upgrad
from descent.arguments import Array

Method = Callable[[Array], Array]  # gradients (n, m, d) to directions (n, d)


def frank_wolfe(gradients: Array, steps: int) -> Array:
    """MGDA by steps to the vertex of steepest fall, with exact line search."""
    gramian = gradients @ gradients.swapaxes(-1, -2)
    n, m = gradients.shape[:2]
    weights, each = np.full((n, m), 1 / m), np.arange(n)
    for _ in range(steps):
        slope = (gramian @ weights[..., None])[..., 0]
        vertex = slope.argmin(axis=-1)
        a, b, c = slope[each, vertex], (weights * slope).sum(-1), gramian[each, vertex, vertex]
        curvature = b + c - 2 * a
        share = np.where(c <= a, 1.0, np.maximum(b - a, 0) / np.where(curvature > 0, curvature, 1))
        weights *= 1 - share[:, None]
        weights[each, vertex] += share
    return np.asarray((weights[:, None] @ gradients)[:, 0])


def coordinate_descent(gradients: Array, sweeps: int) -> Array:
    """UPGrad by minimizing its quadratic programs along one coordinate after another."""
    gramian = gradients @ gradients.swapaxes(-1, -2)
    m = gradients.shape[1]
    v, slope = np.broadcast_to(np.eye(m), gramian.shape).copy(), gramian.copy()
    for _ in range(sweeps):
        for j in range(m):
            step = np.maximum(-slope[..., j] / gramian[:, j, j, None], np.eye(m)[:, j] - v[..., j])
            v[..., j] += step
            slope += step[..., None] * gramian[:, None, j, :]
    return np.asarray((v.mean(axis=1)[:, None] @ gradients)[:, 0])


def one_by_one(aggregator: torchjd.Aggregator, gradients: Array) -> Array:
    """TorchJD takes one set of gradients at a time."""
    return np.array([aggregator(torch.as_tensor(one)).numpy() for one in gradients])


METHODS: dict[str, Method] = {
    "`mgda`": lambda g: np.asarray(mgda(np.zeros(g.shape[:2]), g).gradient),
    "20 steps of Frank and Wolfe": partial(frank_wolfe, steps=20),
    "100 steps of Frank and Wolfe": partial(frank_wolfe, steps=100),
    "TorchJD's MGDA": partial(one_by_one, torchjd.MGDA()),
    "`upgrad`": lambda g: np.asarray(upgrad(np.zeros(g.shape[:2]), g).gradient),
    "15 sweeps": partial(coordinate_descent, sweeps=15),
    "200 sweeps": partial(coordinate_descent, sweeps=200),
    "TorchJD's UPGrad": partial(one_by_one, torchjd.UPGrad()),
}


def measure(method: Method, gradients: Array) -> tuple[float, float]:
    """Return microseconds a set of gradients, the best of two runs, and the worst conflict."""
    method(gradients[:10])
    seconds = []
    for _ in range(2):
        begin = time.process_time()
        direction = method(gradients)
        seconds.append(time.process_time() - begin)
    slopes = (gradients @ direction[..., None])[..., 0].min(axis=-1)
    conflict = -slopes / (gradients**2).sum(axis=-1).max(axis=-1)
    return 1e6 * min(seconds) / len(gradients), max(0.0, float(conflict.max()))


def main() -> None:
    """Measure, print and write the table."""
    sizes = [(m, d) for d in (10, 2) for m in (2, 4, 8, 16)]
    head = ["method", *(f"m = {m}, d = {d}" for m, d in sizes)]
    lines = [f"| {' | '.join(head)} |", f"| --- |{' ---: |' * len(sizes)}"]
    for name, method in METHODS.items():
        cells = []
        for m, d in sizes:
            n = 20 if "TorchJD" in name else 200
            gradients = np.random.default_rng(m).standard_normal((n, m, d))
            time_, conflict = measure(method, gradients)
            cells.append(f"{time_:.1f} µs, {conflict:.0e}")
        lines.append(f"| {name} | {' | '.join(cells)} |")
    table = "\n".join(lines) + "\n"
    print(table, end="")
    target = Path(__file__).parent / "results" / "aggregation.md"
    target.parent.mkdir(exist_ok=True)
    target.write_text(table, encoding="utf-8")


if __name__ == "__main__":
    main()
