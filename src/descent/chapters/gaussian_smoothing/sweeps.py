"""Chapter 7: its heavy computations, rows of tables that `make sweeps` fills."""

from collections import Counter
from typing import Any

import numpy as np

from descent.chapters.gaussian_smoothing import expensive, race
from descent.chapters.gaussian_smoothing.sampled_ascent import (
    N_STARTS,
    STEP_SIZES,
    reached,
    sampled_ascent,
)
from descent.sweeps import MedianWithin, Sweep

TUNING_STARTS = 20
BLOCK = 25  # starts of a row of the race
EXPENSIVE_BLOCK = 5


def _summary(problem: race.Problem, outcomes: list[race.Outcome]) -> dict[str, Any]:
    ends = Counter(outcome.status for outcome in outcomes)
    return {
        "found": int(problem.found(np.array([outcome.answer for outcome in outcomes])).sum()),
        "starts": len(outcomes),
        "singular": ends["singular"],
        "indefinite": ends["indefinite"],
        "diverged": ends["diverged"],
        "evaluations": float(np.mean([outcome.evaluations for outcome in outcomes])),
    }


def _generators(kind: int, function: str, first: int, n: int) -> list[np.random.Generator]:
    """One generator a start: the same starts for every method."""
    which = list(race.PROBLEMS).index(function)
    return [np.random.default_rng([kind, which, first + k]) for k in range(n)]


def tune(method: str, function: str, step_size: float) -> dict[str, Any]:
    """Count the starts from which one step size succeeds, and how the runs end."""
    problem = race.PROBLEMS[function]
    outcomes = [
        race.climb(method, problem, problem.start(rng), rng, step_size)
        for rng in _generators(0, function, 0, TUNING_STARTS)
    ]
    return _summary(problem, outcomes)


def compete(method: str, function: str, block: int) -> dict[str, Any]:
    """Count the starts of a block from which a method succeeds, and how the runs end."""
    problem = race.PROBLEMS[function]
    generators = _generators(1, function, block * BLOCK, BLOCK)
    starts = [problem.start(rng) for rng in generators]
    if method == "simulated annealing":
        best = race.simulated_annealing(problem, np.array(starts), generators[0])
        outcomes = [race.Outcome(x, "completed", race.EVALUATIONS) for x in best]
    else:
        outcomes = [
            race.search(method, problem, start, rng)
            for start, rng in zip(starts, generators, strict=True)
        ]
    return _summary(problem, outcomes)


def climb_sampled(
    function: str, step: str, baseline: bool, sigma: float, seed: int
) -> dict[str, Any]:
    """Climb from each start with sampled gradients; which starts end on the highest peak."""
    starts = np.linspace(-20, 20, N_STARTS)
    x, sigmas = sampled_ascent(
        function,
        starts,
        sigma,
        STEP_SIZES[step][function],
        np.random.default_rng([2, seed]),
        baseline=baseline,
    )
    return {
        "reached": [int(there) for there in reached(function, x)],
        "median_sigma": float(np.median(sigmas)),
    }


def search_at_a_price(method: str, function: str, block: int) -> dict[str, Any]:
    """Count, for each budget, the starts of a block that have found a maximum by then."""
    problem = race.PROBLEMS[function]
    found = [
        expensive.search(method, problem, rng)
        for rng in _generators(3, function, block * EXPENSIVE_BLOCK, EXPENSIVE_BLOCK)
    ]
    counts = np.sum(found, axis=0).tolist()
    return {"found": counts, "evaluations": list(expensive.BUDGETS[: len(counts)])}


STEPS = Sweep(
    name="07-step-sizes",
    run=tune,
    points=[
        {"method": method, "function": function, "step_size": step_size}
        for method, sizes in race.STEP_SIZES.items()
        for function in race.PROBLEMS
        for step_size in sizes
    ],
    probes=[34, 255],
    rtol=1e-6,
    version=1,
)

RACE = Sweep(
    name="07-search-race",
    run=compete,
    points=[
        {"method": method, "function": function, "block": block}
        for method in race.METHODS
        for function in race.PROBLEMS
        for block in range(4)
    ],
    probes=[4, 128, 156, 192],
    rtol=1e-6,
    compare={
        "evaluations": MedianWithin(
            0.02, "xNES stops where its spread is at rounding, and rounding says in which step"
        )
    },
    version=1,
)

SAMPLED = Sweep(
    name="07-sampled-ascent",
    run=climb_sampled,
    points=[
        {"function": function, "step": step, "baseline": baseline, "sigma": sigma, "seed": seed}
        for function in ("sinc", "floored")
        for step in STEP_SIZES
        for baseline in (False, True)
        for sigma in (0.1, 0.5, 1.0, 2.0, 5.0, 10.0)
        for seed in range(4)
    ],
    probes=[0],
    rtol=1e-6,
    version=1,
)

EXPENSIVE = Sweep(
    name="07-expensive",
    run=search_at_a_price,
    points=[
        {"method": method, "function": function, "block": block}
        for method in expensive.SEARCHERS
        for function in race.PROBLEMS
        for block in range(3)
    ],
    probes=[72],
    rtol=1e-6,
    version=1,
)
