"""Chapter 10: the race on COCO's 24 functions, whose targets are fixed in advance.

The functions come from the package coco-experiment, which the stored table does not need.
"""

import contextlib
import importlib
import tempfile
from collections.abc import Callable
from functools import cache
from typing import Any

import numpy as np
import torch
from torch import Tensor

from descent.arguments import Array
from descent.chapters.without_gradients.methods import METHODS
from descent.chapters.without_gradients.numbers import BOX, BudgetSpent, Evaluations, Problem
from descent.zeroth_order import NonFiniteLoss

Function = Callable[[Array], float]
"""From a point (d,) to its loss above the minimum."""

GROUPS = {
    "separable": range(1, 6),
    "moderate": range(6, 10),
    "ill-conditioned": range(10, 15),
    "many minima": range(15, 20),
    "many minima, no trend": range(20, 25),
}
"""The functions of each of COCO's groups, by their numbers."""
FUNCTIONS = tuple(n for group in GROUPS.values() for n in group)
DIMENSIONS = (2, 3, 5, 10, 20)
INSTANCES = (1, 2, 3, 4, 5)
"""Each draws the place of the minimum, its height and the turns of the axes; one run on each."""
TARGETS = 10.0 ** np.linspace(2, -8, 51)
"""Losses above the minimum that count as reached."""
PER_VARIABLE = 200
"""Evaluations that a run may spend, by variable."""
SPENT = (1, 2, 3, 5, 8, 13, 20, 32, 50, 80, 126, 200)
"""Evaluations by variable at which the reached targets are counted."""
VERSION = "2.8.2"


def cocoex() -> Any:
    """Return the package with COCO's functions.

    Raises
    ------
    ModuleNotFoundError
        Where it is not installed.
    """
    try:
        return importlib.import_module("cocoex")
    except ModuleNotFoundError as missing:
        raise ModuleNotFoundError(
            f"COCO's functions have a package of their own: pip install coco-experiment=={VERSION}",
            name="cocoex",
        ) from missing


@cache
def _suite() -> Any:
    numbers = {"instances": INSTANCES, "dimensions": DIMENSIONS}
    texts = {name: f"{name}: {','.join(map(str, values))}" for name, values in numbers.items()}
    return cocoex().Suite("bbob", texts["instances"], texts["dimensions"])


@cache
def function(number: int, d: int, instance: int) -> Function:
    """Return one of COCO's functions, less its minimum."""
    made = _suite().get_problem_by_function_dimension_instance(number, d, instance)
    with tempfile.TemporaryDirectory() as folder, contextlib.chdir(folder):
        made._best_parameter("print")  # writes it to a file; there is no other way to it
        with open("._bbob_problem_best_parameter.txt") as best:
            minimum = made(np.array(best.read().split(), float))
    return lambda x: float(made(x) - minimum)


def problem(f: Function, d: int, seed: int) -> Problem:
    """Return a function as a problem of the race, with a start from the inner box."""

    def draw(rng: np.random.Generator) -> Array:
        return rng.uniform(-0.8 * BOX, 0.8 * BOX, d)

    def value(x: Tensor) -> Tensor:
        flat = x.detach().numpy().reshape(-1, d)
        return torch.tensor([f(row) for row in flat], dtype=torch.float64).reshape(x.shape[:-1])

    def root(x: Tensor) -> Tensor:
        return value(x).clamp_min(0).sqrt()[..., None]

    start = torch.tensor(draw(np.random.default_rng(seed)))
    return Problem("coco", start, value, root, draw)


def hits(f: Function, d: int, seed: int, method: str, **setting: Any) -> Array:
    """Return how many of `TARGETS` a run has reached after each of `SPENT` times d evaluations."""
    torch.set_num_threads(1)
    counted = Evaluations(problem(f, d, seed), PER_VARIABLE * d)
    with contextlib.suppress(BudgetSpent, NonFiniteLoss):
        METHODS[method].race(counted, seed, **setting)
    best = counted.curve(tuple(n * d for n in SPENT))
    return np.asarray((best[:, None] <= TARGETS).sum(1))


def reach(method: str, instance: int, **setting: Any) -> dict[str, Any]:
    """Return the numbers of targets that runs on one instance of all functions reach.

    ``spent``, (dimensions, spent): after each budget, summed over the functions; ``ended``,
    (dimensions, functions): at the end.
    """
    found = np.array(
        [
            [hits(function(n, d, instance), d, instance, method, **setting) for n in FUNCTIONS]
            for d in DIMENSIONS
        ]
    )
    return {"spent": found.sum(1).tolist(), "ended": found[..., -1].tolist()}
