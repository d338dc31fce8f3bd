"""Closing page: the runs of all ways, made once and kept as tables."""

from typing import Any

import numpy as np
from numpy.random import default_rng

from descent.chapters.ways_out.numbers import LENGTHS, WAYS, Trace, starts, trace
from descent.chapters.ways_out.results import on_grid, summary
from descent.chapters.ways_out.searches import (
    NETWORKS,
    SEARCHES,
    network_paths,
    network_trace,
    same_steps,
    search_trace,
)
from descent.sweeps import Sweep

CONTROL = ", no network"
"""What follows a network's name where x itself makes steps of the same lengths."""
ALL_WAYS = (*WAYS, *SEARCHES, *NETWORKS, *(f"{name}{CONTROL}" for name in NETWORKS))
"""Every way by the name that the reader sees."""
SEED = {"report": 0, "tuning": 10_000}
"""Runs are reported on other seeds than those on which a length is chosen."""
RUNS = {"report": 200, "tuning": 20}
"""Runs of a search or of networks; the others have `Way.runs`, and 200 for the choice."""
SHOWN = 4
"""Paths that are stored for the explorer."""


def run(way: str, length: float, runs: int, seed: int, shift: float = 0.0) -> Trace:
    """Run a way from starts that a seed draws, each moved by the shift.

    The same seed gives the same draws.
    """
    if way in WAYS:
        rng = default_rng(seed)
        w0 = starts(runs, rng) + shift
        return trace(WAYS[way], length, w0, rng)
    if way in SEARCHES:
        return search_trace(way, length, starts(runs, default_rng(seed)) + shift, seed)
    path = network_paths(way.removesuffix(CONTROL), runs, seed, shift)[:, LENGTHS.index(length)]
    return network_trace(same_steps(path) if way.endswith(CONTROL) else path)


def race_once(way: str, length: float, seeds: str) -> dict[str, Any]:
    """Return the summary of many runs."""
    runs = RUNS[seeds]
    if way in WAYS:
        runs = WAYS[way].runs if seeds == "report" else 200
    return summary(run(way, length, runs, SEED[seeds]))


def path_once(way: str, length: float) -> dict[str, Any]:
    """Return a few paths at the start and at `GRID`, one after the other."""
    paths = on_grid(run(way, length, SHOWN, 77)).clip(-9, 9)
    return {"w": [round(float(v), 3) for v in paths.T.ravel()]}


DISTURBANCES = (1e-8, 1e-2)
"""Disturbances of the start."""
LEAST = 1e-12
"""What is left of a disturbance counts as this if it is less: rounding blurs it."""
OP_LENGTHS = (0.2, 1.0, 3.0)
OP_RUNS = {"way": 200, "search": 30, "network": 30}


def op_once(way: str, length: float) -> dict[str, Any]:
    """Return quartiles of Op over runs at the end, for each disturbance of the start.

    Op is minus the logarithm of the disturbance at the end in units of that at the start. In
    world Y the moves are replayed, and the disturbance stays what it was. Where rounding leaves
    nothing of the disturbance `LEAST` stands for it.
    """
    runs = OP_RUNS["way" if way in WAYS else "search" if way in SEARCHES else "network"]
    undisturbed = run(way, length, runs, 31).w[-1]
    found: dict[str, Any] = {"runs": runs}
    for size in DISTURBANCES:
        if way in NETWORKS and size < 1e-3:
            continue  # single precision
        apart = np.abs(run(way, length, runs, 31, size).w[-1] - undisturbed)
        op = -np.log(np.maximum(apart, LEAST) / size)
        found[f"op at {size:g}"] = [round(float(q), 3) for q in np.quantile(op, [0.25, 0.5, 0.75])]
        found[f"apart at {size:g}"] = int((apart > size * 1.001).sum())
    return found


RACE = Sweep(
    "13-race",
    race_once,
    [
        {"way": way, "length": length, "seeds": seeds}
        for seeds in SEED
        for way in ALL_WAYS
        for length in LENGTHS
    ],
    probes=[0, 16, 64],
    rtol=1e-2,
    version=2,
)
PATHS = Sweep(
    "13-paths",
    path_once,
    [{"way": way, "length": length} for way in ALL_WAYS for length in LENGTHS],
    probes=[0, 64],
    rtol=1e-2,
    version=2,
)
OP = Sweep(
    "13-op",
    op_once,
    [
        {"way": way, "length": length}
        for way in (*WAYS, *SEARCHES, *NETWORKS)
        for length in OP_LENGTHS
    ],
    probes=[0],
    rtol=1e-2,
    version=2,
)
