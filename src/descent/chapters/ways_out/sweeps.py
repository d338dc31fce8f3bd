"""Closing page: the runs of all ways, made once and kept as tables."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any
from zlib import crc32

import numpy as np
from numpy.random import SeedSequence, default_rng

from descent.chapters.modelling_sgd.numbers import pit
from descent.chapters.ways_out.numbers import BUDGET, LENGTHS, WAYS, Trace, starts, trace
from descent.chapters.ways_out.results import on_grid, outcome, summary
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
SEEDS = {"report": range(20), "tuning": range(100, 104)}
"""Runs are reported on other seeds than those on which a length is chosen."""
RUNS = {"report": 10, "tuning": 5}
"""Runs from each seed, of a search or of networks; the others have `Way.runs`, and 50."""
SHOWN = 4
"""Paths that are stored for the explorer."""


def run(way: str, length: float, runs: int, seeds: Sequence[int], shift: float = 0.0) -> Trace:
    """Run a way from starts that the seeds draw, `runs` for each, each start moved by the shift.

    The same arguments give the same draws. Another way, and another length but for networks,
    has draws of its own, so that no row repeats the luck of another one.
    """
    if way not in WAYS and way not in SEARCHES:
        path = network_paths(way.removesuffix(CONTROL), runs, tuple(seeds), shift)
        path = path[:, LENGTHS.index(length)]
        return network_trace(same_steps(path) if way.endswith(CONTROL) else path)
    own = [SeedSequence((seed, crc32(way.encode()), round(1000 * length))) for seed in seeds]
    if way in SEARCHES:
        w0 = np.concatenate([starts(runs, default_rng(seed)) for seed in own])
        one_each = np.concatenate([seed.generate_state(runs) for seed in own])
        return search_trace(way, length, w0 + shift, one_each)
    traces = []
    for seed in own:
        rng = default_rng(seed)
        traces.append(trace(WAYS[way], length, starts(runs, rng) + shift, rng))
    return Trace(traces[0].spent, np.concatenate([one.w for one in traces], axis=1))


def race_once(way: str, length: float, seeds: str) -> dict[str, Any]:
    """Return the summary of many runs."""
    runs, wall = RUNS[seeds], pit().saddle
    if way in WAYS:
        runs, wall = (WAYS[way].runs if seeds == "report" else 50), WAYS[way].wall
    return summary(run(way, length, runs, SEEDS[seeds]), wall, len(SEEDS[seeds]))


def path_once(way: str, length: float) -> dict[str, Any]:
    """Return a few paths at the start and at `GRID`, one after the other."""
    paths = on_grid(run(way, length, SHOWN, [77])).clip(-9, 9)
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
    undisturbed = run(way, length, runs, [31]).w[-1]
    found: dict[str, Any] = {"runs": runs}
    for size in DISTURBANCES:
        if way in NETWORKS and size < 1e-3:
            continue  # single precision
        apart = np.abs(run(way, length, runs, [31], size).w[-1] - undisturbed)
        op = -np.log(np.maximum(apart, LEAST) / size)
        found[f"op at {size:g}"] = [round(float(q), 3) for q in np.quantile(op, [0.25, 0.5, 0.75])]
        found[f"apart at {size:g}"] = int((apart > size * 1.001).sum())
    return found


MOMENTA = (0.0, 0.5, 0.9, 0.97)
EFFECTIVE = (0.5, 0.55, 0.6, 0.65, 0.7, 0.75, 0.8, 0.85, 0.9, 0.95, 1.0, 1.1, 1.2)
"""Settings λ at which momenta are compared, all of them effective."""
LONGER = 4
"""Of how many budgets the control has."""


def momentum_once(momentum: float, length: float, budgets: int) -> dict[str, Any]:
    """Return how many of 100 runs from each of twenty seeds stochastic descent takes out.

    The step size is (1 - β) times that of the length: what a constant slope gives is the same
    for each momentum β.
    """
    way, escaped = replace(WAYS["SGD"], momentum=momentum), []
    for seed in SEEDS["report"]:
        rng = default_rng((seed, round(100 * momentum), round(1000 * length), budgets))
        found = trace(way, length, starts(100, rng), rng, budget=budgets * BUDGET)
        escaped.append(int(np.isfinite(outcome(found).escape).sum()))
    return {"runs": 100 * len(escaped), "escaped": sum(escaped), "escaped by seed": escaped}


MOMENTUM = Sweep(
    "13-momentum",
    momentum_once,
    [
        *(
            {"momentum": momentum, "length": length, "budgets": 1}
            for momentum in MOMENTA
            for length in EFFECTIVE
        ),
        *({"momentum": 0.9, "length": length, "budgets": LONGER} for length in EFFECTIVE[:8]),
    ],
    probes=[2, 32],
    rtol=1e-2,
)
RACE = Sweep(
    "13-race",
    race_once,
    [
        {"way": way, "length": length, "seeds": seeds}
        for seeds in SEEDS
        for way in ALL_WAYS
        for length in LENGTHS
    ],
    probes=[0, 16, 64],
    rtol=1e-2,
    version=3,
)
PATHS = Sweep(
    "13-paths",
    path_once,
    [{"way": way, "length": length} for way in ALL_WAYS for length in LENGTHS],
    probes=[0, 64],
    rtol=1e-2,
    version=3,
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
    version=3,
)
