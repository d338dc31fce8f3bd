"""Momentum that points to the best point so far."""

import torch
from torch import Tensor
from torch.optim import Optimizer

from descent.arguments import check_real
from descent.zeroth_order.base import Loss, ZerothOrder
from descent.zeroth_order.inner import check_steps_alone
from descent.zeroth_order.wrapper import Wrapper


class BestMomentum(Wrapper):
    r"""Keep the length of the momentum, turn it to the best point so far.

    .. math::
        v_{n+1} = \beta\, |v_n|\, \frac{x^\star - x_n}{|x^\star - x_n|} + \Delta_n, \qquad
        x_{n+1} = x_n + v_{n+1}

    where Δ is the step of the wrapped optimizer and x* the best point evaluated so far; at x*
    itself the momentum is zero. One evaluation a step more than the wrapped optimizer's.

    Standard name: none. Not the pull of `ParticleSwarm`, which grows with the distance.

    Parameters
    ----------
    optimizer : torch.optim.Optimizer
        The wrapped optimizer.
    momentum : float
        β, in [0, 1).

    Raises
    ------
    ValueError
        If momentum lies outside [0, 1).
    TypeError
        If the wrapped optimizer is one like torch.optim.LBFGS, which takes its curvature from
        the gradients where its own steps ended: momentum leads elsewhere, and the run away.

    Notes
    -----
    Source 002, momentum: "make momentum always point to the best loss parameters".
    """

    def __init__(self, optimizer: Optimizer, *, momentum: float = 0.9) -> None:
        super().__init__(optimizer)
        innermost = optimizer
        while isinstance(getattr(innermost, "optimizer", None), Optimizer):
            innermost = innermost.optimizer  # type: ignore[attr-defined]
        if not isinstance(innermost, ZerothOrder):
            check_steps_alone(innermost)
        self.momentum = check_real("momentum", momentum, least=0, below=1)

    def update(self, loss: Loss, x: Tensor) -> tuple[Tensor, float]:
        """Return x after step and momentum, and the loss there."""
        moved, _ = self.inner_step(x)
        velocity = moved - x
        if self.memory:
            to_best = self.best - x
            distance = torch.linalg.vector_norm(to_best)
            if distance > 0:
                speed = self.momentum * self.memory["speed"]
                velocity += to_best * (speed / distance)
        self.memory = {"speed": torch.linalg.vector_norm(velocity)}
        x = x + velocity
        return x, loss(x)
