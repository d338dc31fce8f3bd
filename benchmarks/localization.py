"""Speed of training twenty networks together against a plain numpy loop, one sample at a time.

Run it as ``python benchmarks/localization.py``. Both train networks with 784 inputs, 100 hidden
neurons and 2 outputs sample by sample, with the same updates. The images are random, for the
time does not depend on them. It prints a table and writes it to benchmarks/results/localization.md.
"""

import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
from threadpoolctl import threadpool_limits

from descent.networks.activations import softplus
from descent.networks.perceptrons import Perceptrons, he_initialization, train

SIZES, N_NETWORKS, STEP_SIZE = (784, 100, 2), 20, 0.01


def plain_loop(networks: Perceptrons, inputs: np.ndarray, targets: np.ndarray) -> list[np.ndarray]:
    """One network after the other, one sample after the other."""
    trained = []
    for k in range(len(networks)):
        w, b, v, c = (array[k].copy() for array in networks.parameters().values())
        for x, y in zip(inputs, targets, strict=True):
            h, slope = softplus(w @ x + b)
            o, output_slope = softplus(v @ h + c)
            e = (o - y) * output_slope
            delta = (v.T @ e) * slope
            v -= STEP_SIZE * np.outer(e, h)
            c -= STEP_SIZE * e
            w -= STEP_SIZE * np.outer(delta, x)
            b -= STEP_SIZE * delta
        trained.append(w)
    return trained


def seconds(run: Callable[[], object]) -> float:
    """Return the shortest of three times."""
    times = []
    for _ in range(3):
        begin = time.perf_counter()
        run()
        times.append(time.perf_counter() - begin)
    return min(times)


def main() -> None:
    """Measure, print and write the table."""
    rng = np.random.default_rng(0)
    n = 1000
    inputs, targets = rng.random((n, SIZES[0])), np.eye(2)[rng.integers(2, size=n)]
    networks = {
        dtype: he_initialization(N_NETWORKS, SIZES, np.random.default_rng(1), dtype=dtype)
        for dtype in (np.float64, np.float32)
    }
    few = 100  # the loop's time is proportional to the number of samples
    with threadpool_limits(1):
        exact = plain_loop(networks[np.float64], inputs[:few], targets[:few])
        plain = seconds(lambda: plain_loop(networks[np.float64], inputs[:few], targets[:few])) / few
        rows = [("plain numpy loop", plain, 0.0)]
        for dtype, start in networks.items():
            found = train(start, inputs[:few], targets[:few], STEP_SIZE).hidden_weights
            error = max(abs(a - b).max() for a, b in zip(found, exact, strict=True))
            took = seconds(lambda start=start: train(start, inputs, targets, STEP_SIZE)) / n
            rows.append((f"`train`, {np.dtype(dtype).name}", took, error))
    lines = [
        f"{N_NETWORKS} networks together, one core.\n",
        "| method | µs per network and sample | ratio | largest difference of a weight |",
        "| --- | ---: | ---: | ---: |",
    ]
    lines += [
        f"| {name} | {1e6 * took / N_NETWORKS:.1f} | {plain / took:.1f} | {error:.1e} |"
        for name, took, error in rows
    ]
    table = "\n".join(lines) + "\n"
    print(table, end="")
    target = Path(__file__).parent / "results" / "localization.md"
    target.parent.mkdir(exist_ok=True)
    target.write_text(table)


if __name__ == "__main__":
    main()
