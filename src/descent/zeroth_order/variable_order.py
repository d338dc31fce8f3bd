"""A random walk that changes its order."""

import torch
from torch import Tensor
from torch.optim.optimizer import ParamsT

from descent.arguments import check_count, check_flag
from descent.zeroth_order.base import Loss
from descent.zeroth_order.order_walk import OrderWalk


class VariableOrderWalk(OrderWalk):
    r"""Raise the order while the loss falls, lower it after m failures ("inf-order").

    The step is `OrderWalk`'s. After a success the order grows by one (a new derivative starts
    at zero); in the convex variant only if the highest derivative has become shorter by the
    move, :math:`|x^{(k-1)}_{n+1}| < |x^{(k-1)}_n|`, which is our reading of "increases the order
    if nth order delta lr decreases". After m failures in a row the highest derivative is
    dropped. One or two evaluations a step.

    Standard name: none.

    Parameters
    ----------
    params, lr, generator
        As for `OrderWalk`.
    retries : int
        m, at least 1.
    max_order : int
        No order above this.
    convex : bool
        Whether the convex variant is meant.

    Raises
    ------
    ValueError
        If retries or max_order are below 1.

    Notes
    -----
    Source 002, random walk: "general inf-order random walk" and "convex inf-order random walk".
    """

    def __init__(
        self,
        params: ParamsT,
        *,
        lr: float = 0.1,
        retries: int = 2,
        max_order: int = 10,
        convex: bool = False,
        generator: torch.Generator,
    ) -> None:
        super().__init__(params, lr=lr, order=1, generator=generator)
        self.retries = check_count("retries", retries, 1)
        self.max_order = check_count("max_order", max_order, 1)
        self.convex = check_flag("convex", convex)

    def update(self, loss: Loss, x: Tensor) -> tuple[Tensor, float]:
        """Return the position after the step, and the loss there."""
        before = self.loss_at_end(loss, x)
        levels = [x, *self.derivatives(x)]
        length = torch.linalg.vector_norm(levels[-1]) if len(levels) > 1 else torch.inf
        levels, after = self.attempt(loss, levels, before)
        failures = 0
        if after is None:
            after = before
            failures = self.memory.get("failures", 0) + 1
            if failures >= self.retries and len(levels) > 1:
                levels, failures = levels[:-1], 0
        elif len(levels) < self.max_order and not (
            self.convex and torch.linalg.vector_norm(levels[-1]) >= length
        ):
            levels = [*levels, torch.zeros_like(x)]
        self.memory |= {"derivatives": levels[1:], "failures": failures}
        return self.end(levels[0], after)
