"""A random gradient that is judged by the loss after the optimizer's step."""

import copy
from typing import Any

import torch
from torch import Tensor
from torch.optim import Optimizer

from descent.tensor_arguments import check_torch_generator
from descent.zeroth_order.base import Loss
from descent.zeroth_order.inner import check_steps_alone
from descent.zeroth_order.wrapper import Wrapper


class AfterStepGrad(Wrapper):
    r"""Of two opposite random gradients, the one whose step leads to the lower loss.

    .. math::
        x_{n+1} = \arg\min_{y \in \{A(x_n, z),\, A(x_n, -z)\}} L(y), \qquad z \sim N(0, I)

    where A(x, g) is the step of the wrapped optimizer with the gradient g, momenta and all. Its
    state goes with the step that is taken. Two evaluations a step, none of them at x.

    Standard name: none; a symmetric one-bit search through the optimizer's step. Not
    `RandomGrad` with an inner optimizer, which judges the direction before the step.

    Parameters
    ----------
    optimizer : torch.optim.Optimizer
        One that uses gradients, such as `torch.optim.Adam`.
    generator : torch.Generator
        Source of all randomness.

    Raises
    ------
    TypeError
        If the step of the wrapped optimizer needs a closure.

    Notes
    -----
    Source 002, gradient approximation: "the error is defined as loss after optimizer step".
    """

    def __init__(self, optimizer: Optimizer, *, generator: torch.Generator) -> None:
        check_steps_alone(optimizer)
        check_torch_generator("generator", generator)
        super().__init__(optimizer, generator=generator)
        self.gradients = False

    def update(self, loss: Loss, x: Tensor) -> tuple[Tensor, float]:
        """Return the better of two points, and the loss there."""
        z = self.normal(x)
        start = copy_state(self.optimizer)
        plus = self._stepped(x, z)
        after_plus, state_plus = loss(plus), copy_state(self.optimizer)
        set_state(self.optimizer, start)
        minus = self._stepped(x, -z)
        after_minus = loss(minus)
        if after_minus < after_plus:
            return minus, after_minus
        set_state(self.optimizer, state_plus)
        return plus, after_plus

    def _stepped(self, x: Tensor, gradient: Tensor) -> Tensor:
        self.vector.write(x)
        self.vector.set_gradients(gradient)
        self.optimizer.step()
        return self.vector.read()


def copy_state(optimizer: Optimizer) -> dict[Any, Any]:
    """Return a copy of what an optimizer remembers about each parameter."""
    return {key: copy.deepcopy(value) for key, value in optimizer.state.items()}


def set_state(optimizer: Optimizer, state: dict[Any, Any]) -> None:
    """Let an optimizer remember a state from `copy_state`."""
    optimizer.state.clear()
    optimizer.state.update(state)
