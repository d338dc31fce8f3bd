"""Chapter 10: the computations that are made once and kept as tables."""

import math
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import torch

from descent.arguments import Array
from descent.chapters.without_gradients import five_seeds, numbers
from descent.chapters.without_gradients.methods import METHODS, racers, tuned
from descent.landscapes import two_datapoint
from descent.sweeps import Sweep
from descent.zeroth_order import REGISTRY, NonFiniteLoss

SEEDS = range(20)
"""Seeds of the reported runs."""
TUNING_SEEDS = range(1000, 1010)
"""Seeds of the runs that settings are chosen by."""
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
    """Return the logarithms (base 10) of the share of the start's loss that is left, by seed."""
    logs = []
    for seed in TUNING_SEEDS:
        counted = run(problem, method, seed, **setting)
        logs.append(round(math.log10(max(counted.best / counted.start_loss, FLOOR)), 3))
    return {"left": logs}


def margin(frame: Any, method: str) -> float:
    """Return by how many decades a method's best setting is ahead of the next, in the mean."""
    left = next(left for name, _, left in _by(frame) if name == method)
    best, second = np.sort(left.mean(0))[:2]
    return float(second - best)


def best_settings(frame: Any) -> dict[str, dict[str, Any]]:
    """Return each method's best setting on one kind of problem: the lowest mean logarithm."""
    return {name: settings[int(np.argmin(left.mean(0)))] for name, settings, left in _by(frame)}


def stable_choices(frame: Any) -> dict[str, int]:
    """Return for how many seeds, each taken alone, a method's choice is that of all of them."""
    return {
        name: int((left.argmin(1) == left.mean(0).argmin()).sum()) for name, _, left in _by(frame)
    }


def at_the_edge(frame: Any) -> tuple[int, int]:
    """Return how many options of the methods got their first or last value, and of how many.

    Counted are those options of which three values or more were tried.
    """
    chosen, edges = best_settings(frame), []
    for name, settings, _ in _by(frame):
        for option, value in chosen[name].items():
            tried = {setting[option] for setting in settings}
            if len(tried) > 2:
                edges.append(value in (min(tried), max(tried)))
    return sum(edges), len(edges)


def _by(frame: Any) -> Iterator[tuple[str, list[dict[str, Any]], Array]]:
    """Yield methods, their settings, and the logarithms (seeds, settings), over the problems."""
    options = frame.columns.difference(["problem", "method", "left"])
    for method, rows in frame.groupby("method", sort=False):
        own = [name for name in options if rows[name].notna().all()]
        each = [(s[own].iloc[0].to_dict(), s["left"]) for _, s in rows.groupby(own, sort=False)]
        left = [np.mean(logs.tolist(), axis=0) for _, logs in each]
        yield method, [setting for setting, _ in each], np.transpose(left)


def tuning(kind: str) -> Sweep:
    """Return the sweep that tries all settings on the tuning problems of one kind."""
    return Sweep(
        name=f"10-tuning-{kind}s",
        run=tune_once,
        points=[
            {"problem": problem, "method": method, **setting}
            for method in tuned(kind)
            for setting in METHODS[method].settings
            for problem in numbers.TUNING[kind]
        ],
        probes=[0],
        rtol=1e-6,
        version={"landscape": 2, "network": 3}[kind],
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
BY_FIVE = Sweep(
    name="10-race-by-five",
    run=race_once,
    points=[
        {"problem": problem, "method": method, **setting, "seed": seed}
        for problem in numbers.NETWORKS
        for method, setting in five_seeds.CHOSEN.items()
        for seed in SEEDS
    ],
    probes=[0],
    rtol=1e-6,
)
"""The runs with the choices of five seeds, where those of ten are others."""
