"""Chapter 10: the computations that are made once and kept as tables."""

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import torch

from descent.chapters.without_gradients import numbers
from descent.chapters.without_gradients.methods import METHODS, racers
from descent.landscapes import two_datapoint
from descent.sweeps import Sweep
from descent.zeroth_order import REGISTRY, NonFiniteLoss

SEEDS = range(20)
"""Seeds of the reported runs."""
TUNING_SEEDS = (1000,)
"""Seeds of the runs that hyperparameters are chosen by."""
FLOOR = 1e-8
"""Losses below this share of the start's count as this share when settings are compared."""


def run(problem: str, method: str, seed: int, **setting: Any) -> numbers.Evaluations:
    """Run a method on a problem until the budget is spent, or the method fails."""
    torch.set_num_threads(1)
    counted = numbers.Evaluations(numbers.problem(problem, seed))
    try:
        METHODS[method].race(counted, seed, **setting)
    except (numbers.BudgetSpent, NonFiniteLoss):
        return counted
    return counted


def _rounded(value: float) -> float:
    return float(f"{value:.4g}")


def race_once(problem: str, method: str, seed: int, **setting: Any) -> dict[str, Any]:
    """Return the loss at the start, the best after each checkpoint, and the accuracy reached."""
    counted = run(problem, method, seed, **setting)
    measure = counted.problem.accuracy
    return {
        "start": _rounded(counted.start_loss),
        "best": [_rounded(value) for value in counted.curve()],
        "accuracy": None if measure is None else _rounded(measure(counted.best_point)),
    }


def tune_once(problem: str, method: str, **setting: Any) -> dict[str, Any]:
    """Return the mean logarithm (base 10) of the share of the start's loss that is left."""
    logs = []
    for seed in TUNING_SEEDS:
        counted = run(problem, method, seed, **setting)
        logs.append(math.log10(max(counted.best / counted.start_loss, FLOOR)))
    return {"left": round(float(np.mean(logs)), 4)}


def best_settings(frame: Any) -> dict[str, dict[str, Any]]:
    """Return each method's best setting on one kind of problem."""
    options = frame.columns.difference(["problem", "method", "left"])
    best = {}
    for method, rows in frame.groupby("method", sort=False):
        own = [name for name in options if rows[name].notna().all()]
        means = rows.groupby(own, sort=False)["left"].mean().reset_index()
        best[method] = means.loc[means["left"].idxmin(), own].to_dict()
    return best


def tuning(kind: str) -> Sweep:
    """Return the sweep that tries all settings on the tuning problems of one kind."""
    return Sweep(
        name=f"10-tuning-{kind}s",
        run=tune_once,
        points=[
            {"problem": problem, "method": method, **setting}
            for method, entry in METHODS.items()
            for setting in entry.settings
            for problem in numbers.TUNING[kind]
        ],
        probes=[0],
        rtol=1e-6,
    )


def race(problem: str) -> Sweep:
    """Return the sweep of all reported runs on one problem."""
    kind = numbers.kind(problem)
    return Sweep(
        name=f"10-race-{problem}",
        run=race_once,
        points=[
            {"problem": problem, "method": method, **METHODS[method].chosen[kind], "seed": seed}
            for method in racers(kind)
            for seed in SEEDS
        ],
        probes=[0],
        rtol=1e-6,
    )


LENGTHS = (0.02, 0.05, 0.1, 0.2, 0.4)
"""Lengths of a first move out of chapter 1's pit."""
LEAVING: dict[str, Callable[[float], dict[str, float]]] = {
    REGISTRY[slug].name: options
    for slug, options in {
        "random-grad": lambda s: {"lr": s, "h": s},
        "order-walk": lambda s: {"lr": s},
        "variable-order": lambda s: {"lr": s},
        "annealing": lambda s: {"lr": s, "temperature": 0.1},
        "gravity": lambda s: {"spread": s},
        "evolution": lambda s: {"spread": s},
        "particle-swarm": lambda s: {"spread": s},
    }.items()
}
"""Who tries to leave the pit, with the options that set the length."""


def leave_once(method: str, length: float) -> dict[str, Any]:
    """Return in how many of 20 runs of 400 evaluations a method finds the well of chapter 1."""
    torch.set_num_threads(1)
    model, found = two_datapoint(), 0

    def loss(w: torch.Tensor) -> torch.Tensor:
        return torch.as_tensor(model.loss(w.numpy()[..., 0]))

    pit = numbers.Problem(
        "pit",
        torch.ones(1, dtype=torch.float64),
        loss,
        lambda w: (loss(w) + 2).sqrt()[..., None],
        lambda rng: rng.normal(1, length, 1),
    )
    for seed in SEEDS:
        counted = numbers.Evaluations(pit, budget=400)
        try:
            METHODS[method].race(counted, seed, **LEAVING[method](length))
        except (numbers.BudgetSpent, NonFiniteLoss):
            found += abs(float(counted.best_point[0]) - 2) < 0.5
    return {"found": found}


PIT = Sweep(
    name="10-pit",
    run=leave_once,
    points=[{"method": m, "length": s} for m in LEAVING for s in LENGTHS],
    probes=[5],
    rtol=1e-9,
)
TUNING_LANDSCAPES, TUNING_NETWORKS = tuning("landscape"), tuning("network")
ACKLEY, ROSENBROCK, RASTRIGIN = race("ackley"), race("rosenbrock"), race("rastrigin")
MLP, DIGITS = race("mlp"), race("digits")
