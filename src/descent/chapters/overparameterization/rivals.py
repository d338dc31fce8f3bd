"""Chapter 8: searches that are made for many minima, at the evaluations that a network has."""

from collections.abc import Callable
from contextlib import suppress
from functools import cache

import numpy as np
from cmaes import CMA
from scipy import optimize

from descent.arguments import Array
from descent.chapters.overparameterization.numbers import (
    DISTANCE,
    STEPS,
    Rate,
    adam,
    gradient_descent,
    rate,
    reached,
    step_sizes,
)
from descent.landscapes import OBJECTIVES, Objective, Shifted

Search = Callable[[Objective, Array, np.random.Generator, float], Array]


class _DoneError(Exception):
    """The evaluations are used up, or the best point so far is in a global basin."""


class _Counted:
    """An objective that counts its evaluations, keeps the best point and ends the search.

    The value with its gradient counts as one evaluation, the value alone as well. A search
    reports its best point, so it can end when that one lies in a global basin.
    """

    def __init__(self, objective: Objective, budget: int = STEPS) -> None:
        self.objective, self.budget, self.used = objective, budget, 0
        self.best, self.lowest = np.empty(0), np.inf

    def value(self, x: Array) -> float:
        if self.used >= self.budget:
            raise _DoneError
        self.used += 1
        value = float(self.objective.value(x))
        if value < self.lowest:
            self.best, self.lowest = np.array(x), value
            if reached(self.objective, x):
                raise _DoneError
        return value

    def with_gradient(self, x: Array) -> tuple[float, Array]:
        return self.value(x), self.objective.gradient(x)


def direct_descent(
    objective: Objective, start: Array, rng: np.random.Generator, setting: float
) -> Array:
    """Return the end of plain descent with a step size that falls linearly from the setting."""
    del rng
    return np.asarray(gradient_descent(objective.gradient, start, step_sizes(setting, 1.0))[-1])


def direct_adam(
    objective: Objective, start: Array, rng: np.random.Generator, setting: float
) -> Array:
    """Return the end of Adam in x with a step size that falls linearly from the setting."""
    del rng
    path, _ = adam(objective.gradient, start, step_sizes(setting, 1.0))
    return np.asarray(path[-1])


def multistart(
    objective: Objective, start: Array, rng: np.random.Generator, setting: float
) -> Array:
    """Return the best end of L-BFGS-B from the start, then from uniform points around it.

    The points lie in a box that reaches as far as the setting in each coordinate.
    """
    counted, x = _Counted(objective), start
    try:
        while True:
            optimize.minimize(counted.with_gradient, x, jac=True, method="L-BFGS-B")
            x = start + rng.uniform(-setting, setting, start.shape)
    except _DoneError:
        return counted.best


def basin_hopping(
    objective: Objective, start: Array, rng: np.random.Generator, setting: float
) -> Array:
    """Return the best point of basin hopping with displacements up to the setting."""
    counted = _Counted(objective)
    with suppress(_DoneError):
        optimize.basinhopping(
            counted.with_gradient,
            start,
            niter=STEPS,
            stepsize=setting,
            minimizer_kwargs={"method": "L-BFGS-B", "jac": True},
            rng=rng,
        )
    return counted.best


def cma_es(objective: Objective, start: Array, rng: np.random.Generator, setting: float) -> Array:
    """Return the best point of CMA-ES with the setting as its first standard deviation.

    The library wants two coordinates or more; in one dimension a second one is added that f
    does not see.
    """
    d = start.size
    mean = start if d > 1 else np.append(start, start)
    search = CMA(mean=mean, sigma=setting, seed=int(rng.integers(2**31)))
    counted = _Counted(objective)
    with suppress(_DoneError):
        while not search.should_stop():
            asked = [search.ask() for _ in range(search.population_size)]
            search.tell([(x, counted.value(x[:d])) for x in asked])
    return counted.best


SEARCHES: dict[str, tuple[Search, tuple[float, ...]]] = {
    "descent, falling step": (direct_descent, (0.003, 0.01, 0.03, 0.1, 0.15, 0.2, 0.3)),
    "Adam, falling step": (direct_adam, (0.03, 0.1, 0.3, 1.0, 3.0)),
    "multistart": (multistart, (1.0, 3.0, 10.0, 30.0)),
    "basin hopping": (basin_hopping, (0.5, 1.0, 3.0, 10.0)),
    "CMA-ES": (cma_es, (0.5, 1.0, 3.0, 10.0)),
}
"""Each search with the settings that it is tuned over."""

CENTRES = {"ackley": [DISTANCE], "six_hump_camel": [2.0, 2.0], "qubic_1d": [0.96]}


def runs(search: str, setting: float, objective: str, shift: float, seeds: range) -> Rate:
    """Return how often a search reaches a global minimum, from starts near the source's.

    Starts are uniform within RADIUS of it, moved by the shift like the objective.
    """
    method, _ = SEARCHES[search]
    moved, hits = Shifted(OBJECTIVES[objective], shift), []
    for seed in seeds:
        rng = np.random.default_rng(seed)
        centre = np.array(CENTRES[objective]) + shift
        begin = centre + rng.uniform(-0.5, 0.5, centre.shape)
        with np.errstate(over="ignore", invalid="ignore"):
            hits.append(bool(reached(moved, method(moved, begin, rng, setting))))
    return rate(hits)


@cache
def tuned(search: str, objective: str) -> float:
    """Return the setting with the best rate, tuned on 20 seeds that are not reported."""
    _, settings = SEARCHES[search]
    rates = [runs(search, s, objective, 0.0, range(1000, 1020)).share for s in settings]
    return settings[int(np.argmax(rates))]
