"""Every idea of the list, made the same way: a module and a row here are all it takes."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import torch
from numpy.typing import ArrayLike
from torch import Tensor

from descent.zeroth_order.base import ZerothOrder
from descent.zeroth_order.driven import Driven
from descent.zeroth_order.population import Population
from descent.zeroth_order.random_grad import RandomGrad
from descent.zeroth_order.swarm import ParticleSwarm
from descent.zeroth_order.undo import UndoIncrease
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
        if self.kind == "population":
            return Driven(params, lambda start: self.population(start, seed, **options))
        generator = torch.Generator().manual_seed(seed)
        built: ZerothOrder = self.build(list(params), generator=generator, **options)
        return built

    def population(self, start: ArrayLike, seed: int, **options: Any) -> Population:
        """Return a population by ask and tell."""
        if self.kind != "population":
            raise ValueError(f"this idea is no population but one {self.kind}; use optimizer")
        made: Population = self.build(start, generator=np.random.default_rng(seed), **options)
        return made


def wrapping(wrapper: type[Wrapper]) -> Callable[..., Wrapper]:
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


REGISTRY: dict[str, Idea] = {
    "random-grad": Idea("estimator", "other", RandomGrad),
    "undo-increase": Idea("wrapper", "optimizer wrappers", wrapping(UndoIncrease)),
    "particle-swarm": Idea("population", "particle swarm", ParticleSwarm),
}
