"""Cost of the transfer operator against the number of nodes: building it, and one step.

Run it as ``python benchmarks/transfer_operator.py``. It prints a table with the growth of
both costs from row to row (2 is linear, since the nodes double), and the order fitted over
all rows, and writes it to benchmarks/results/transfer_operator.md.
"""

import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

from descent.landscapes import two_datapoint
from descent.markov.transfer_operator import TransferOperator

STEP_SIZE, LOW, THRESHOLD = 0.02, 0.8, 1.19596
NODES = [25_000 * 2**k for k in range(7)]
STEPS = 50


def best(run: Callable[[], object], rounds: int = 5) -> float:
    """Seconds of the best of several runs."""
    times = []
    for _ in range(rounds):
        start = time.perf_counter()
        run()
        times.append(time.perf_counter() - start)
    return min(times)


def costs(nodes: int) -> tuple[float, float]:
    """Seconds to build the operator and seconds for a step, at this number of nodes."""
    model, grid = two_datapoint(), np.linspace(LOW, THRESHOLD, nodes)
    build = best(lambda: TransferOperator(model, step_size=STEP_SIZE, grid=grid))
    operator = TransferOperator(model, step_size=STEP_SIZE, grid=grid)
    start = operator.deposit([1.0], [1.0])

    def steps() -> None:
        mass = start
        for _ in range(STEPS):
            mass = operator.step(mass)

    return build, best(steps) / STEPS


def main() -> None:
    """Measure, print and write the table."""
    measured = np.array([costs(nodes) for nodes in NODES])
    order = np.polyfit(np.log(NODES), np.log(measured), 1)[0]
    lines = [
        "| nodes | build (ms) | growth | step (ms) | growth |",
        "| ---: | ---: | ---: | ---: | ---: |",
    ]
    for row, (nodes, (build, step)) in enumerate(zip(NODES, measured, strict=True)):
        grown = [f"{g:.2f}" for g in measured[row] / measured[row - 1]] if row else ["", ""]
        lines.append(
            f"| {nodes:,} | {1e3 * build:.1f} | {grown[0]} | {1e3 * step:.3f} | {grown[1]} |"
        )
    lines.append(f"\nFitted order in the nodes: build {order[0]:.2f}, step {order[1]:.2f}.")
    text = "\n".join(lines)
    print(text)
    results = Path(__file__).parent / "results"
    results.mkdir(exist_ok=True)
    (results / "transfer_operator.md").write_text(text + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
