"""Chapter 9: the exact chain of random alternation beside walks, and the knobs, stored."""

from typing import Any

import numpy as np

from descent.chapters.symphonic_losses import alternation
from descent.sweeps import MostAgree, NotCompared, Sweep

BUDGETS = (125, 500, 1000, 4000, 16_000)
WALKERS = 32
SEEDS = {1: range(6), 2: range(4)}
SETTINGS = ((1, 0.2), (2, 0.2), (4, 0.2), (8, 0.2), (16, 0.2), (8, 0.1))
"""Numbers of losses and step sizes."""
KNOB_SEEDS = range(20, 28)
CORRELATIONS = (0.0, 0.25, 0.5, 0.75, 1.0)
MISALIGNMENTS = (0.05, 0.1, 0.2, 0.4)
RULES = ("equal_sum", "random_alternation", "matched_noise")


def beside(dimension: int, m: int, step_size: float, longest: int) -> dict[str, Any]:
    """Return what the chain predicts after each budget, and walkers do: budgets by landscapes."""
    seeds, budgets = SEEDS[dimension], tuple(n for n in BUDGETS if n <= longest)
    rng = np.random.default_rng([94, dimension, m])
    each = [alternation.landscapes(dimension, m, (seed,)) for seed in seeds]
    chances = [alternation.predicted(problem, step_size, budgets) for problem in each]
    problem = alternation.landscapes(dimension, m, seeds)
    shares = alternation.walked(problem, step_size, budgets, WALKERS, rng)
    return {"predicted": np.transpose(chances), "walked": shares}


def turned(m: int, rule: str, correlation: float, misalignment: float) -> dict[str, Any]:
    """Return the success rate on each landscape in the plane, within 1000 steps of 0.2."""
    problem = alternation.landscapes(2, m, KNOB_SEEDS, correlation, misalignment)
    rng = np.random.default_rng([95, m])
    return {"rates": alternation.walked(problem, 0.2, (1000,), WALKERS, rng, rule)[0]}


STEPS = (0.05, 0.07, 0.1, 0.14, 0.2, 0.28)
"""Step sizes that each rule chooses from at each correlation."""
STEP_SEEDS, STEP_TUNING, STEP_WALKERS = range(40, 52), 4, 16
"""Landscapes, the first of which choose the step size, and walkers on each."""
MOVED = 0.5
"""Of its spacing, how far a grid is moved."""


def own_steps(rule: str, correlation: float) -> dict[str, Any]:
    """Return the success rates within 1000 steps of eight losses: step sizes by landscapes."""
    problem = alternation.landscapes(2, 8, STEP_SEEDS, correlation)
    rng = np.random.default_rng([96, 8])
    steps = np.array(STEPS)
    return {"rates": alternation.walked(problem, steps, (1000,), STEP_WALKERS, rng, rule)[0]}


def moved(dimension: int, m: int, step_size: float, longest: int) -> dict[str, Any]:
    """Return what the chain on moved grids predicts, budgets by landscapes."""
    budgets = tuple(n for n in BUDGETS if n <= longest)
    each = [alternation.landscapes(dimension, m, (seed,)) for seed in SEEDS[dimension]]
    chances = [alternation.predicted(problem, step_size, budgets, MOVED) for problem in each]
    return {"predicted": np.transpose(chances)}


CHAOTIC = "a walk near the edge of a basin is decided by the last digit"

BESIDE = Sweep(
    name="09-alternation",
    run=beside,
    points=[
        {"dimension": 1, "m": 2, "step_size": 0.2, "longest": 125},
        *(
            {"dimension": d, "m": m, "step_size": eta, "longest": BUDGETS[-1]}
            for d in SEEDS
            for m, eta in SETTINGS
        ),
    ],
    probes=[0],
    rtol=1e-6,
    compare={"walked": NotCompared(CHAOTIC)},
)

KNOBS = Sweep(
    name="09-knobs",
    run=turned,
    points=[
        {"m": m, "rule": rule, "correlation": rho, "misalignment": delta}
        for m, rule, rho, delta in (
            *((8, rule, rho, 0.0) for rule in RULES for rho in CORRELATIONS),
            *((8, rule, 0.0, delta) for rule in RULES for delta in MISALIGNMENTS),
            *((m, RULES[1], rho, 0.0) for m in (2, 16) for rho in CORRELATIONS[:-1]),
        )
    ],
    probes=[0],
    compare={"rates": MostAgree(0.75, CHAOTIC)},
)

OWN_STEPS = Sweep(
    name="09-knobs-steps",
    run=own_steps,
    points=[{"rule": rule, "correlation": rho} for rule in RULES for rho in CORRELATIONS],
    probes=[0],
    compare={"rates": MostAgree(0.75, CHAOTIC)},
)

MOVED_GRIDS = Sweep(
    name="09-alternation-moved",
    run=moved,
    points=[
        {"dimension": 1, "m": 2, "step_size": 0.2, "longest": 125},
        *(
            {"dimension": d, "m": m, "step_size": eta, "longest": 4000}
            for d in SEEDS
            for m, eta in SETTINGS
        ),
    ],
    probes=[0],
    rtol=1e-6,
)
