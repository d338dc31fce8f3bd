"""Chapter 10: programs of others that the ideas are raced against."""

import math
import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
import torch

from descent.arguments import Array
from descent.chapters.without_gradients.numbers import BOX, Evaluations
from descent.chapters.without_gradients.racing import Method, Racer
from descent.sweeps import grid


def random_search(f: Evaluations, seed: int, scale: float) -> None:
    """Draw normal points around the start: the least that a method should beat."""
    generator = torch.Generator().manual_seed(seed)
    start = f.problem.start
    while True:
        f(start + scale * torch.randn(20, len(start), generator=generator, dtype=start.dtype))


def _restarted(seed: int, start: Array, round_of: Callable[[int, Array, int], None]) -> None:
    """Restart a method with a doubled population each time, as IPOP-CMA-ES does."""
    d, rng = len(start), np.random.default_rng(seed)
    population = 4 + int(3 * math.log(d))
    while True:
        round_of(population, start, int(rng.integers(1, 2**31)))
        population, start = 2 * population, start + rng.normal(0, 1, d)


def pycma(f: Evaluations, seed: int, scale: float) -> None:
    """CMA-ES by the package cma; restarts with a doubled population.

    Above 100 dimensions its covariance is diagonal: the full one takes too long.
    """
    import cma

    diagonal = f.problem.dimension > 100

    def run(population: int, start: Array, seed: int) -> None:
        options = {"seed": seed, "popsize": population, "verbose": -9, "CMA_diagonal": diagonal}
        strategy = cma.CMAEvolutionStrategy(start, scale, options)
        while not strategy.stop():
            points = strategy.ask()
            strategy.tell(points, f(torch.tensor(np.array(points))).tolist())

    _restarted(seed, f.problem.start.numpy(), run)


def cmaes(f: Evaluations, seed: int, scale: float) -> None:
    """CMA-ES by the package cmaes; restarts with a doubled population.

    Above 100 dimensions it is the separable one, whose covariance is diagonal.
    """
    import cmaes

    kind = cmaes.CMA if f.problem.dimension <= 100 else cmaes.SepCMA

    def run(population: int, start: Array, seed: int) -> None:
        strategy = kind(mean=start, sigma=scale, seed=seed, population_size=population)
        while not strategy.should_stop():
            points = [strategy.ask() for _ in range(population)]
            losses = f(torch.tensor(np.array(points))).tolist()
            strategy.tell(list(zip(points, losses, strict=True)))

    _restarted(seed, f.problem.start.numpy(), run)


def differential_evolution(f: Evaluations, seed: int, scale: float, members: int) -> None:
    """Differential evolution by SciPy, in a box of a given half-width around the start."""
    from scipy import optimize

    start = f.problem.start.numpy()
    width = scale * BOX

    def losses(points: Array) -> Array:
        return f(torch.tensor(points.T)).numpy()

    optimize.differential_evolution(
        losses,
        [(x - width, x + width) for x in start],
        init=np.random.default_rng(seed).uniform(-width, width, (members, len(start))) + start,
        maxiter=10**6,
        rng=np.random.default_rng(seed + 1),
        polish=False,
        tol=0,
        vectorized=True,
        updating="deferred",
    )


def nelder_mead(f: Evaluations, seed: int, scale: float) -> None:
    """Nelder and Mead's simplex by SciPy, with coefficients fit to the dimension."""
    from scipy import optimize

    start = f.problem.start.numpy()
    signs = np.random.default_rng(seed).choice([-1.0, 1.0], len(start))
    simplex = np.vstack([start, start + scale * np.diag(signs)])
    optimize.minimize(
        f.number,
        start,
        method="Nelder-Mead",
        options={
            "initial_simplex": simplex,
            "adaptive": True,
            "maxfev": 10 * f.budget,
            "maxiter": 10 * f.budget,
            "xatol": 0,
            "fatol": 0,
        },
    )


def nevergrad(f: Evaluations, seed: int, scale: float, name: str) -> None:
    """Run an optimizer of the package nevergrad, named by it."""
    import nevergrad as ng

    parameter = ng.p.Array(init=f.problem.start.numpy()).set_mutation(sigma=scale)
    parameter.random_state.seed(seed)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        optimizer = ng.optimizers.registry[name](parameter, budget=f.budget)
        while True:
            asked = optimizer.ask()
            optimizer.tell(asked, f.number(asked.value))


SCALES = (0.1, 0.3, 1.0, 2.5)
"""Standard deviations of the first points that are tried for the peers."""


def _peer(race: Racer, landscape: dict[str, Any], network: dict[str, Any], **tried: Any) -> Method:
    return Method(race, grid(**tried), {"landscape": landscape, "network": network})


NGOPT = {"scale": 1.0, "name": "NGOpt"}
PEERS: dict[str, Method] = {
    "random search": _peer(random_search, {"scale": 2.5}, {"scale": 1.0}, scale=SCALES),
    "cma": _peer(pycma, {"scale": 1.0}, {"scale": 0.3}, scale=SCALES),
    "cmaes": _peer(cmaes, {"scale": 0.1}, {"scale": 0.1}, scale=SCALES),
    "SciPy differential evolution": _peer(
        differential_evolution,
        {"scale": 1.0, "members": 20},
        {"scale": 0.3, "members": 20},
        scale=(0.3, 1.0),
        members=(20, 50, 150),
    ),
    "SciPy Nelder–Mead": _peer(nelder_mead, {"scale": 2.5}, {"scale": 0.3}, scale=SCALES),
    "nevergrad NGOpt": _peer(nevergrad, NGOPT, NGOPT, scale=(1.0,), name=("NGOpt",)),
}
"""Each peer with its settings."""
