"""Every idea of the list, made the same way: a module and a row here are all it takes."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import partial
from typing import Any, Literal

import numpy as np
import torch
from numpy.typing import ArrayLike
from torch import Tensor
from torch.optim import SGD, Adam

from descent.arguments import check_count
from descent.zeroth_order.accumulated import Accumulated
from descent.zeroth_order.after_step import AfterStepGrad
from descent.zeroth_order.annealing import SimulatedAnnealing
from descent.zeroth_order.averaged import AveragedGrad
from descent.zeroth_order.base import ZerothOrder, check_params
from descent.zeroth_order.best_momentum import BestMomentum
from descent.zeroth_order.best_of_n import RandomBestGrad
from descent.zeroth_order.breeding import BreedOptimizers
from descent.zeroth_order.consensus import Consensus
from descent.zeroth_order.driven import Driven
from descent.zeroth_order.ensemble_kalman import EnsembleKalman
from descent.zeroth_order.estimate import GradientEstimator
from descent.zeroth_order.evolution import EvolutionStrategy
from descent.zeroth_order.gradient_gravity import GradientGravity
from descent.zeroth_order.gravity import Gravity
from descent.zeroth_order.line_parabola import LineParabola
from descent.zeroth_order.order_walk import OrderWalk
from descent.zeroth_order.particle_gradients import ParticleGradient
from descent.zeroth_order.population import Population
from descent.zeroth_order.random_grad import RandomGrad
from descent.zeroth_order.several_rates import SeveralRates
from descent.zeroth_order.smoothed import SmoothedGrad
from descent.zeroth_order.spsa import SPSA
from descent.zeroth_order.swarm import ParticleSwarm
from descent.zeroth_order.undo import UndoIncrease
from descent.zeroth_order.variable_order import VariableOrderWalk
from descent.zeroth_order.wrapper import Wrapper


@dataclass(frozen=True)
class Idea:
    """One idea of source 002.

    Parameters
    ----------
    kind : {"estimator", "walk", "wrapper", "population"}
        What sort of method it is.
    heading : str
        The heading of the list under which the idea stands.
    build : callable
        ``build(params, generator=…, **options)``; for populations ``params`` is the start.
    """

    kind: Literal["estimator", "walk", "wrapper", "population"]
    heading: str
    build: Callable[..., Any]

    def optimizer(self, params: Iterable[Tensor], seed: int, **options: Any) -> ZerothOrder:
        """Return the idea as an optimizer of parameters; populations are driven."""
        check_count("seed", seed)
        if self.kind == "population":
            return Driven(params, lambda start: self.population(start, seed, **options))
        generator = torch.Generator().manual_seed(seed)
        built: ZerothOrder = self.build(check_params(params), generator=generator, **options)
        return built

    def population(self, start: ArrayLike, seed: int, **options: Any) -> Population:
        """Return a population by ask and tell."""
        check_count("seed", seed)
        if self.kind != "population":
            raise ValueError(f"this idea is no population but one {self.kind}; use optimizer")
        made: Population = self.build(start, generator=np.random.default_rng(seed), **options)
        return made


def wrapping(wrapper: Callable[..., Wrapper]) -> Callable[..., Wrapper]:
    """Return a builder of a wrapper around `RandomGrad`."""

    def build(
        params: list[Tensor],
        *,
        lr: float = 0.1,
        h: float = 0.01,
        generator: torch.Generator,
        **options: Any,
    ) -> Wrapper:
        return wrapper(RandomGrad(params, lr=lr, h=h, generator=generator), **options)

    return build


def accumulated(
    params: list[Tensor],
    *,
    lr: float = 0.002,
    h: float = 0.01,
    decay: float = 1.0,
    generator: torch.Generator,
) -> RandomGrad:
    """Return `RandomGrad` whose gradients are never set to zero."""
    inner = Accumulated(SGD(params, lr=lr), decay=decay)
    return RandomGrad(params, h=h, generator=generator, optimizer=inner)


def after_step(
    params: list[Tensor], *, lr: float = 0.05, generator: torch.Generator
) -> AfterStepGrad:
    """Return random gradients that are judged after the step of Adam."""
    return AfterStepGrad(Adam(params, lr=lr), generator=generator)


def adam(
    params: list[Tensor],
    *,
    estimator: Callable[..., GradientEstimator] = RandomGrad,
    lr: float = 0.05,
    h: float = 0.01,
    generator: torch.Generator,
    **options: Any,
) -> GradientEstimator:
    """Return an estimator whose gradients go to Adam."""
    inner = Adam(params, lr=lr)
    return estimator(params, h=h, generator=generator, optimizer=inner, **options)


def breeding(
    params: list[Tensor],
    *,
    lr: float = 0.05,
    h: float = 0.01,
    generator: torch.Generator,
    **options: Any,
) -> BreedOptimizers:
    """Return a population of Adams on random gradients."""

    def factory(shared: list[Tensor], source: torch.Generator) -> RandomGrad:
        inner = Adam(shared, lr=lr)
        return RandomGrad(shared, h=h, generator=source, optimizer=inner)

    return BreedOptimizers(params, factory, generator=generator, **options)


REGISTRY: dict[str, Idea] = {
    "order-walk": Idea("walk", "random walk", OrderWalk),
    "variable-order": Idea("walk", "random walk", VariableOrderWalk),
    "convex-order": Idea("walk", "random walk", partial(VariableOrderWalk, convex=True)),
    "simplex-gradient": Idea("population", "particle-based gradients", ParticleGradient),
    "covariance-gradient": Idea(
        "population", "particle-based gradients", partial(ParticleGradient, form="covariance")
    ),
    "ensemble-kalman": Idea("population", "particle-based gradients", EnsembleKalman),
    "consensus": Idea("population", "particle-based gradients", Consensus),
    "gravity": Idea("population", "swarms", Gravity),
    "gradient-gravity": Idea("population", "swarms", GradientGravity),
    "best-momentum": Idea("wrapper", "momentum", wrapping(BestMomentum)),
    "accumulated": Idea("estimator", "momentum", accumulated),
    "after-step": Idea("wrapper", "gradient approximation", after_step),
    "spsa": Idea("estimator", "gradient approximation", partial(SPSA, lr=0.01)),
    "line-parabola": Idea("walk", "gradient approximation", LineParabola),
    "undo": Idea("wrapper", "optimizer wrappers", wrapping(UndoIncrease)),
    "reverse": Idea(
        "wrapper", "optimizer wrappers", wrapping(partial(UndoIncrease, otherwise="reverse"))
    ),
    "several-rates": Idea("wrapper", "optimizer wrappers", wrapping(SeveralRates)),
    "breeding": Idea("wrapper", "evolution", breeding),
    "rebirth": Idea("wrapper", "evolution", partial(breeding, rebirth="initial")),
    "evolution": Idea("population", "evolution", EvolutionStrategy),
    "particle-swarm": Idea("population", "particle swarm", ParticleSwarm),
    "annealing": Idea("walk", "simulated annealing", SimulatedAnnealing),
    "random-grad": Idea("estimator", "other", RandomGrad),
    "random-grad-adam": Idea("estimator", "other", adam),
    "averaged": Idea("estimator", "other", AveragedGrad),
    "averaged-differences": Idea("estimator", "other", partial(AveragedGrad, bits=False, lr=0.02)),
    "best-of-n": Idea("estimator", "other", RandomBestGrad),
    "smoothed": Idea("estimator", "other", SmoothedGrad),
    "smoothed-direction": Idea("estimator", "other", partial(SmoothedGrad, smooth="direction")),
}
