"""What the wrappers share: one step of any optimizer, and what they do with it."""

import copy
from typing import Any

import torch
from torch import Tensor

from descent.arguments import came
from descent.zeroth_order.base import ZerothOrder, finite_loss


class Wrapper(ZerothOrder):
    """Base of the wrappers: they take the step of another optimizer and judge it by the loss.

    The wrapped optimizer is any `torch.optim.Optimizer`, one of this package or one that uses
    gradients; for the latter the closure computes them, as usual in torch. A call of the
    closure counts as one evaluation, with or without a gradient. Parameter groups are the
    wrapped optimizer's, so a scheduler may hold either.

    A subclass defines `update`, and calls `inner_step` in it.

    Parameters
    ----------
    optimizer : torch.optim.Optimizer
        The wrapped optimizer.
    generator : torch.Generator, optional
        Source of the wrapper's own randomness, if it has any.
    """

    def __init__(
        self, optimizer: torch.optim.Optimizer, *, generator: torch.Generator | None = None
    ) -> None:
        if not isinstance(optimizer, torch.optim.Optimizer):
            raise TypeError(f"optimizer must be a torch.optim.Optimizer; got {came(optimizer)}")
        super().__init__(optimizer.param_groups, optimizer.defaults, generator)
        self.optimizer = optimizer
        self.gradients = getattr(optimizer, "gradients", True)

    def inner_step(self, x: Tensor) -> tuple[Tensor, float]:
        """Return where one step of the wrapped optimizer leads from x, and what it returned."""
        closure = self.closure
        assert closure is not None
        self.vector.write(x)
        value: Any = self.optimizer.step(lambda: self.evaluate(closure))
        return self.vector.read(), finite_loss(value)

    def state_dict(self) -> dict[str, Any]:
        """Return the state, with the wrapped optimizer's."""
        state = super().state_dict()
        state["search"]["optimizer"] = copy.deepcopy(self.optimizer.state_dict())
        return state

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Continue from a saved state, with the wrapped optimizer's."""
        super().load_state_dict(state_dict)
        self.optimizer.load_state_dict(copy.deepcopy(state_dict["search"]["optimizer"]))
        self.param_groups = self.optimizer.param_groups
