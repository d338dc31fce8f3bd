"""A population that drives torch parameters."""

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor
from torch.optim.optimizer import ParamsT

from descent.arguments import Array, came, check_callable
from descent.zeroth_order.base import Loss, ZerothOrder, finite_loss
from descent.zeroth_order.population import Population


class Driven(ZerothOrder):
    """Drive parameters by a population: a step is one ask, its evaluations, one tell.

    After a step the parameters hold the best point so far. Where the population takes residuals
    (`EnsembleKalman`), the closure returns them as a tensor. Integers and booleans are decoded
    from the candidates' reals, as `ParameterVector` says.

    Parameters
    ----------
    params : iterable of tensors, or of parameter groups
        What is optimized.
    population : callable
        Makes the population from the start: ``lambda x: ParticleSwarm(x, generator=…)``, where
        x is the parameter vector, shape (d,).

    Examples
    --------
    >>> import numpy as np
    >>> from descent.zeroth_order import ParticleSwarm
    >>> x = torch.full((2,), 3.0)
    >>> search = Driven([x], lambda x: ParticleSwarm(x, generator=np.random.default_rng(0)))
    >>> for _ in range(50):
    ...     loss = search.step(lambda: (x**2).sum())
    >>> search.evaluations, bool((x**2).sum() < 1e-4)
    (1000, True)
    """

    def __init__(self, params: ParamsT, population: Callable[[Array], Population]) -> None:
        super().__init__(params, {}, None)
        check_callable("population", population)
        self.population = population(self.vector.read().double().numpy(force=True))
        if not isinstance(self.population, Population):
            raise TypeError(f"population must make a Population; got {came(self.population)}")
        self._told: list[Array] = []

    def update(self, loss: Loss, x: Tensor) -> tuple[Tensor, float]:
        """Return the best point so far, and its loss."""
        candidates = torch.from_numpy(self.population.ask()).to(x)
        self._told = []
        losses = [loss(candidate) for candidate in candidates]
        self.population.tell(self._told if self.population.residuals else losses)
        return self.best.clone(), self.best_loss

    def loss_of(self, returned: Any) -> float:
        """Return the loss; half the squared length of residuals, which are kept."""
        if not self.population.residuals:
            return finite_loss(returned)
        if not isinstance(returned, Tensor):
            raise TypeError(f"closure must return residuals, a tensor; got {returned!r}")
        residuals = returned.detach().double().ravel()
        self._told.append(residuals.numpy(force=True))
        return finite_loss(0.5 * residuals.dot(residuals))

    def state_dict(self) -> dict[str, Any]:
        """Return the state, with the population's."""
        state = super().state_dict()
        state["search"]["population"] = self.population.state_dict()
        return state

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Continue from a saved state, with the population's."""
        super().load_state_dict(state_dict)
        self.population.load_state_dict(state_dict["search"]["population"])
