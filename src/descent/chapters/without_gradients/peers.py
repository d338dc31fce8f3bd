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


def told(f: Evaluations, points: Array) -> Array:
    """Return the losses (...) of points (..., d), infinite where they are not a number.

    Our own methods stop at a loss that is not a number. SciPy's differential evolution would
    keep it as its best for good, and the others would each do something else.
    """
    losses = f(torch.as_tensor(np.asarray(points, float))).numpy()
    return np.where(np.isnan(losses), np.inf, losses)


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
            strategy.tell(points, told(f, np.array(points)).tolist())

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
            losses = told(f, np.array(points)).tolist()
            strategy.tell(list(zip(points, losses, strict=True)))

    _restarted(seed, f.problem.start.numpy(), run)


def differential_evolution(f: Evaluations, seed: int, scale: float, members: int) -> None:
    """Differential evolution by SciPy, in a box of a given half-width around the start.

    On a plateau, where all its members have one value, it goes on, as the others do.
    """
    from scipy import optimize

    start = f.problem.start.numpy()
    width = scale * BOX

    optimize.differential_evolution(
        lambda points: told(f, points.T),
        [(x - width, x + width) for x in start],
        init=np.random.default_rng(seed).uniform(-width, width, (members, len(start))) + start,
        maxiter=10**6,
        rng=np.random.default_rng(seed + 1),
        polish=False,
        tol=0,
        atol=-1,  # a spread of 0 is no reason to stop: the budget ends the run
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
        lambda x: float(told(f, x)),
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
    """Run an optimizer of the package nevergrad, named by it.

    Raises
    ------
    ValueError
        If what nevergrad chooses for this budget fails before the budget is spent.
    """
    import nevergrad as ng

    parameter = ng.p.Array(init=f.problem.start.numpy()).set_mutation(sigma=scale)
    parameter.random_state.seed(seed)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        optimizer = ng.optimizers.registry[name](parameter, budget=f.budget)
        while True:
            try:
                asked = optimizer.ask()
            except TypeError as error:  # its model of the losses does not know NumPy 2
                raise ValueError(
                    f"budget must be one that nevergrad's {name} can spend; got {f.budget}, for "
                    f"which it is {behind(optimizer)} in {f.problem.dimension} dimensions and "
                    f"fails after {f.count} evaluations: {error}"
                ) from error
            optimizer.tell(asked, float(told(f, asked.value)))


def behind(optimizer: Any) -> str:
    """Return the name of what an optimizer of nevergrad hands its work to, or its own."""
    return str(getattr(optimizer, "optim", optimizer).name)


NGOPT_IS = {"mlp": "CMA", "digits": "MetaModelOnePlusOne"}
"""What NGOpt of nevergrad 1.0.12 is, by its own choice, on the problems that it is raced on."""
SCALES = (0.1, 0.3, 0.6, 1.0, 2.5, 5.0)
"""Standard deviations of the first points that are tried for the peers."""
DOCUMENTED = {"landscape": {"scale": BOX / 2}, "network": {"scale": 1.0}}
"""How CMA-ES is to begin by the documentation of cma: about a quarter of the domain's width, and
the optimum within three standard deviations, in units in which one is useful for all variables.
"""


def _peer(race: Racer, landscape: dict[str, Any], network: dict[str, Any], **tried: Any) -> Method:
    return Method(race, grid(**tried), {"landscape": landscape, "network": network})


AS_DOCUMENTED = "cma, documented start"
NGOPT = {"scale": 1.0, "name": "NGOpt"}
PEERS: dict[str, Method] = {
    "random search": _peer(random_search, {"scale": 2.5}, {"scale": 1.0}, scale=SCALES),
    "cma": _peer(pycma, {"scale": 1.0}, {"scale": 0.6}, scale=SCALES),
    AS_DOCUMENTED: Method(pycma, list(DOCUMENTED.values()), DOCUMENTED, fixed=True),
    "cmaes": _peer(cmaes, {"scale": 0.3}, {"scale": 0.3}, scale=SCALES),
    "SciPy differential evolution": _peer(
        differential_evolution,
        {"scale": 1.0, "members": 20},
        {"scale": 0.3, "members": 20},
        scale=(0.3, 1.0),
        members=(20, 50, 150),
    ),
    "SciPy Nelder–Mead": _peer(nelder_mead, {"scale": 5.0}, {"scale": 5.0}, scale=SCALES),
    "nevergrad NGOpt": Method(
        nevergrad, [NGOPT], {"landscape": NGOPT, "network": NGOPT}, fixed=True
    ),
}
"""Each peer with its settings; NGOpt's scale is its own default, for it sees no other."""
