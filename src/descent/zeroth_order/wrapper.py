"""What the wrappers share: one step of any optimizer, and what they do with it."""

from typing import Any

from torch import Generator, Tensor
from torch.optim import Optimizer

from descent.zeroth_order.base import ZerothOrder, finite_loss
from descent.zeroth_order.inner import Nested, check_optimizer


class Wrapper(Nested, ZerothOrder):
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

    Raises
    ------
    TypeError
        If optimizer is no torch.optim.Optimizer.
    ValueError
        By `step`, if the wrapped optimizer uses gradients and the closure computes none.
    """

    optimizer: Optimizer

    def __init__(self, optimizer: Optimizer, *, generator: Generator | None = None) -> None:
        check_optimizer(optimizer)
        super().__init__(optimizer.param_groups, optimizer.defaults, generator)
        self.optimizer = optimizer
        self.gradients = getattr(optimizer, "gradients", True)

    def inner_step(self, x: Tensor) -> tuple[Tensor, float]:
        """Return where one step of the wrapped optimizer leads from x, and what it returned."""
        closure = self.closure
        assert closure is not None
        self.vector.write(x)
        value: Any = self.optimizer.step(lambda: self.evaluate(closure))
        if self.gradients:
            self.check_gradients()
        return self.vector.read(), finite_loss(value)

    def check_gradients(self) -> None:
        """Raise a ValueError if no parameter has a gradient after the closure was called."""
        if not self.vector.has_gradients():
            raise ValueError(
                f"closure must compute gradients for {type(self.optimizer).__name__}: it returned "
                "the loss, and no parameter has a .grad"
            )
