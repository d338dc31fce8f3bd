"""Random walks whose noise enters at a derivative of the position."""

import itertools
from collections.abc import Sequence

import torch
from torch import Tensor
from torch.optim.optimizer import ParamsT

from descent.arguments import check_count
from descent.tensor_arguments import check_torch_generator
from descent.zeroth_order.base import Loss, ZerothOrder


def push(levels: Sequence[Tensor], noise: Tensor) -> list[Tensor]:
    """Add noise at the highest level and integrate it down to the position, level 0."""
    moved = list(levels)
    moved[-1] = levels[-1] + noise
    for i in range(len(levels) - 2, -1, -1):
        moved[i] = levels[i] + moved[i + 1]
    return moved


def undo(levels: Sequence[Tensor], noise: Tensor) -> list[Tensor]:
    """Invert `push`: the position first, so that no level is taken back with a changed one."""
    restored = [low - high for low, high in itertools.pairwise(levels)]
    return [*restored, levels[-1] - noise]


class OrderWalk(ZerothOrder):
    r"""A random walk of order k: noise in the position, its velocity, its acceleration or higher.

    .. math::
        x^{(k-1)} \leftarrow x^{(k-1)} + \eta z, \qquad
        x^{(i)} \leftarrow x^{(i)} + x^{(i+1)} \quad (i = k-2, \dots, 0), \qquad z \sim N(0, I)

    with x⁽⁰⁾ the position. A move that does not lower the loss is undone, level by level, the
    position first; then the opposite noise is tried; if that fails as well, it is undone and
    all derivatives are halved, since otherwise an overshooting velocity would block the walk.
    One or two evaluations a step.

    Standard name: order 1 is a (1+1) random search with mirrored sampling; higher orders have
    none.

    Parameters
    ----------
    params : iterable of tensors, or of parameter groups
        What is optimized.
    lr : float
        Standard deviation η of the noise.
    order : int
        k, at least 1.
    generator : torch.Generator
        Source of all randomness.

    Raises
    ------
    ValueError
        If order is below 1.

    Notes
    -----
    Source 002, random walk: "move orders opposite in reverse order".
    """

    def __init__(
        self, params: ParamsT, *, lr: float = 0.1, order: int = 2, generator: torch.Generator
    ) -> None:
        check_torch_generator("generator", generator)
        super().__init__(params, {"lr": lr}, generator)
        self.order = check_count("order", order, 1)

    def update(self, loss: Loss, x: Tensor) -> tuple[Tensor, float]:
        """Return the position after the step, and the loss there."""
        before = self.loss_at_end(loss, x)
        levels, after = self.attempt(loss, [x, *self.derivatives(x)], before)
        if after is None:
            levels, after = [x, *(level / 2 for level in levels[1:])], before
        self.memory["derivatives"] = levels[1:]
        return self.end(levels[0], after)

    def derivatives(self, x: Tensor) -> list[Tensor]:
        """Return velocity, acceleration and so on; all zero at the start."""
        if "derivatives" in self.memory:
            return list(self.memory["derivatives"])
        return [torch.zeros_like(x)] * (self.order - 1)

    def attempt(
        self, loss: Loss, levels: list[Tensor], before: float
    ) -> tuple[list[Tensor], float | None]:
        """Try noise and its opposite; return the levels, and the loss if it fell."""
        noise = self.each("lr") * self.normal(levels[0])
        for signed in (noise, -noise):
            moved = push(levels, signed)
            after = loss(moved[0])
            if after < before:
                return moved, after
            # The position comes from before, free of rounding.
            levels = [levels[0], *undo(moved, signed)[1:]]
        return levels, None
