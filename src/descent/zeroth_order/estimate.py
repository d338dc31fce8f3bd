"""Steps along an estimated gradient, alone or through any torch optimizer."""

import copy
from typing import Any

import torch
from torch import Tensor
from torch.optim.optimizer import ParamsT

from descent.arguments import came
from descent.tensor_arguments import check_torch_generator
from descent.zeroth_order.base import Loss, ZerothOrder


class GradientEstimator(ZerothOrder):
    r"""Base of the methods that estimate a gradient and step against it.

    .. math:: x_{n+1} = x_n - \eta\, \hat g(x_n)

    A subclass defines `estimate`. An inner optimizer, if given, gets the estimate in place of
    the gradient and makes the step instead: so Adam runs on random gradients. Parameter groups
    and ``lr`` are then the inner optimizer's.

    Parameters
    ----------
    params : iterable of tensors, or of parameter groups
        What is optimized.
    lr : float
        Step size η.
    h : float
        Distance at which the loss is probed.
    generator : torch.Generator
        Source of all randomness.
    optimizer : torch.optim.Optimizer, optional
        Over the same parameters; takes the estimate and makes the step.

    Raises
    ------
    TypeError
        If optimizer is no torch.optim.Optimizer.
    """

    def __init__(
        self,
        params: ParamsT,
        *,
        lr: float = 0.1,
        h: float = 0.01,
        generator: torch.Generator,
        optimizer: torch.optim.Optimizer | None = None,
    ) -> None:
        if optimizer is not None and not isinstance(optimizer, torch.optim.Optimizer):
            raise TypeError(f"optimizer must be a torch.optim.Optimizer; got {came(optimizer)}")
        # An inner optimizer's groups are used as they are, so that a scheduler finds its lr.
        groups = params if optimizer is None else optimizer.param_groups
        check_torch_generator("generator", generator)
        super().__init__(groups, {"lr": lr, "h": h}, generator)
        self.optimizer = optimizer

    def estimate(self, loss: Loss, x: Tensor) -> tuple[Tensor, float]:
        """Return the estimated gradient at x, and the loss at x or an estimate of it."""
        raise NotImplementedError

    def update(self, loss: Loss, x: Tensor) -> tuple[Tensor, float]:
        """Return x after a step against the estimate."""
        gradient, value = self.estimate(loss, x)
        if self.optimizer is None:
            return self.shifted(x, "lr", gradient, -1.0), value
        self.vector.write(x)
        self.vector.set_gradients(gradient)
        self.optimizer.step()
        return self.vector.read(), value

    def state_dict(self) -> dict[str, Any]:
        """Return the state, with the inner optimizer's."""
        state = super().state_dict()
        if self.optimizer is not None:
            state["search"]["optimizer"] = copy.deepcopy(self.optimizer.state_dict())
        return state

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Continue from a saved state, with the inner optimizer's."""
        super().load_state_dict(state_dict)
        if self.optimizer is not None:
            self.optimizer.load_state_dict(copy.deepcopy(state_dict["search"]["optimizer"]))
            self.param_groups = self.optimizer.param_groups
