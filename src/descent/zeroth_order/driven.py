"""A population that drives torch parameters."""

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.optim.optimizer import ParamsT

from descent.arguments import Array, came, check_callable
from descent.zeroth_order.base import Loss, NonFiniteLoss, ZerothOrder, check_params, one_loss
from descent.zeroth_order.population import Population
from descent.zeroth_order.rateless import rateless


class Driven(ZerothOrder):
    """Drive parameters by a population: a step is one ask, its evaluations, one tell.

    The first step begins with one evaluation at the start, before the population leaves it.
    After a step the parameters hold the best point so far, which is the start until a
    candidate is better. Where the population takes residuals (`EnsembleKalman`), the closure
    returns them as a tensor. Integers and booleans are decoded from the candidates' reals, as
    `ParameterVector` says. A loss of plus infinity counts as worse than any other, which is how
    a closure says that a candidate is not allowed.

    Parameters
    ----------
    params : iterable of tensors, or of parameter groups
        What is optimized. Groups have no rates here.
    population : callable
        Makes the population from the start: ``lambda x: ParticleSwarm(x, generator=…)``, where
        x is the parameter vector, shape (d,).

    Attributes
    ----------
    look : bool
        Whether the start is to be evaluated; True until it has been. Set it to False for a loss
        at the start that is known or not wanted.

    Raises
    ------
    TypeError
        If population makes no `Population`.
    ValueError
        If a group has a learning rate or a distance, which nothing would use.
    NonFiniteLoss
        By `step`, if a loss is NaN or minus infinity, or if all have been infinite so far.

    Examples
    --------
    >>> import numpy as np
    >>> from descent.zeroth_order import ParticleSwarm
    >>> x = torch.full((2,), 3.0)
    >>> search = Driven([x], lambda x: ParticleSwarm(x, generator=np.random.default_rng(0)))
    >>> for _ in range(50):
    ...     loss = search.step(lambda: (x**2).sum())
    >>> search.evaluations, bool((x**2).sum() < 1e-4)
    (1001, True)
    """

    def __init__(self, params: ParamsT, population: Callable[[Array], Population]) -> None:
        params = check_params(params)
        for group in params:
            if isinstance(group, dict) and group.keys() & {"lr", "h"}:
                raise ValueError("params of a population must have no lr or h: it has none itself")
        super().__init__(params, {}, None)
        self.param_groups = rateless(self.param_groups, "a population")
        check_callable("population", population)
        self.population = population(self.vector.read().double().numpy(force=True))
        if not isinstance(self.population, Population):
            raise TypeError(f"population must make a Population; got {came(self.population)}")
        self.look = True
        self._told: list[Array] = []

    @property
    def kind(self) -> str:
        """The class, and that of the population."""
        return f"{super().kind}({type(self.population).__name__})"

    def update(self, loss: Loss, x: Tensor) -> tuple[Tensor, float]:
        """Return the best point so far, and its loss."""
        if self.look:
            loss(x)
            self.look = False
        candidates = torch.from_numpy(self.population.ask()).to(x)
        self._told = []
        losses = [loss(candidate) for candidate in candidates]
        self.population.tell(self._told if self.population.residuals else losses)
        if self.best_loss == math.inf:  # unless the start was not looked at
            raise NonFiniteLoss("all losses so far are inf; start where the loss is finite")
        return self.best.clone(), self.best_loss

    def loss_of(self, returned: Any) -> float:
        """Return the loss; half the squared length of residuals, which are kept."""
        if self.population.residuals:
            if not isinstance(returned, Tensor):
                raise TypeError(f"closure must return residuals, a tensor; got {returned!r}")
            # A copy: a closure may return its own buffer, or the parameters themselves.
            residuals = returned.detach().double().flatten().numpy(force=True).copy()
            self._told.append(residuals)
            with np.errstate(over="ignore"):
                loss = 0.5 * float(residuals @ residuals)
        else:
            loss = one_loss(returned)
        if math.isnan(loss) or loss == -math.inf:
            raise NonFiniteLoss(f"the loss is {loss}; the parameters are the best before it")
        return loss

    def search(self) -> dict[str, Any]:
        """Return what is carried, with the population's state as plain numbers and tensors."""
        population = tensors(self.population.state_dict())
        return super().search() | {"population": population, "look": self.look}

    def check_state(self, state: dict[str, Any]) -> None:
        """Raise a ValueError unless the state fits, the population's included."""
        super().check_state(state)
        self.population.check_state(arrays(state["search"]["population"]))

    def load(self, state: dict[str, Any]) -> None:
        """Take over a state, with the population's."""
        super().load(state)
        self.param_groups = rateless(self.param_groups, "a population")
        self.look = state["search"]["look"]
        self.population.load_state_dict(arrays(state["search"]["population"]))


def tensors(value: Any) -> Any:
    """Return a state with tensors in place of arrays, and Python's numbers in place of NumPy's."""
    if isinstance(value, np.ndarray):
        return torch.from_numpy(value.copy())
    if isinstance(value, np.generic):
        return value.item()
    if isinstance(value, dict):
        return {key: tensors(each) for key, each in value.items()}
    return value


def arrays(value: Any) -> Any:
    """Return a state with arrays in place of tensors: the inverse of `tensors`."""
    if isinstance(value, Tensor):
        return value.numpy(force=True).copy()
    if isinstance(value, dict):
        return {key: arrays(each) for key, each in value.items()}
    return value
