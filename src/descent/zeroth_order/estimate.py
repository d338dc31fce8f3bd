"""Steps along an estimated gradient, alone or through any torch optimizer."""

import torch
from torch import Tensor
from torch.optim.optimizer import ParamsT

from descent.tensor_arguments import check_torch_generator
from descent.zeroth_order.base import Loss, ZerothOrder, check_params
from descent.zeroth_order.inner import Nested, check_same_parameters, check_steps_alone


class GradientEstimator(Nested, ZerothOrder):
    r"""Base of the methods that estimate a gradient and step against it.

    .. math:: x_{n+1} = x_n - \eta\, \hat g(x_n)

    A subclass defines `estimate`. An inner optimizer, if given, gets the estimate in place of
    the gradient and makes the step instead: so Adam runs on random gradients. Parameter groups
    and ``lr`` are then the inner optimizer's.

    Parameters
    ----------
    params : iterable of tensors, or of parameter groups
        What is optimized.
    lr : float, optional
        Step size η, 0.1 unless it is given; not beside an inner optimizer, which has its own.
    h : float
        Distance at which the loss is probed.
    generator : torch.Generator
        Source of all randomness.
    optimizer : torch.optim.Optimizer, optional
        Over the same parameters; takes the estimate and makes the step.

    Raises
    ------
    TypeError
        If optimizer is no torch.optim.Optimizer, or one whose step needs a closure.
    ValueError
        If optimizer is over other parameters, or lr is given beside it.
    """

    def __init__(
        self,
        params: ParamsT,
        *,
        lr: float | None = None,
        h: float = 0.01,
        generator: torch.Generator,
        optimizer: torch.optim.Optimizer | None = None,
    ) -> None:
        check_torch_generator("generator", generator)
        if optimizer is None:
            super().__init__(params, {"lr": 0.1 if lr is None else lr, "h": h}, generator)
        else:
            check_steps_alone(optimizer)
            check_same_parameters(check_params(params), optimizer)
            if lr is not None:
                raise ValueError(f"lr must be left to the optimizer that is given; got {lr}")
            # An inner optimizer's groups are used as they are, so that a scheduler finds its lr.
            super().__init__(optimizer.param_groups, {"h": h}, generator)
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
