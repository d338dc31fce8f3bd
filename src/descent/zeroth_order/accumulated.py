"""Gradients that are never set to zero."""

from typing import Any

from torch import Tensor
from torch.optim import Optimizer

from descent.arguments import check_real
from descent.zeroth_order.base import Closure, Loss
from descent.zeroth_order.inner import check_steps_alone
from descent.zeroth_order.wrapper import Wrapper


class Accumulated(Wrapper):
    r"""Hand on the sum of all gradients so far (the source's "no zero-grad at all").

    .. math:: s_n = \beta s_{n-1} + g_n, \qquad g_n \text{ replaced by } s_n

    With β = 1 and plain descent inside this is momentum without damping: the position obeys
    x'' = -∇L in leapfrog form, so the energy ½|s|² + L/η does not decay, and the search keeps
    oscillating around a minimum. No evaluations of its own.

    `step` takes the gradients that are there, or those that a closure computes; so it can
    stand as the inner optimizer of an estimator.

    Standard name: heavy-ball momentum with coefficient β = 1. Not gradient accumulation over
    micro-batches, which sets the sum to zero after each step.

    Parameters
    ----------
    optimizer : torch.optim.Optimizer
        One that uses gradients.
    decay : float
        β, in (0, 1]; 1 never forgets.

    Raises
    ------
    TypeError
        If the step of the wrapped optimizer needs a closure.
    ValueError
        If decay lies outside (0, 1].

    Notes
    -----
    Source 002, momentum: "long term momentum".
    """

    def __init__(self, optimizer: Optimizer, *, decay: float = 1.0) -> None:
        check_steps_alone(optimizer)
        super().__init__(optimizer)
        self.decay = check_real("decay", decay, above=0, most=1)

    def step(self, closure: Closure | None = None) -> Any:
        """Make one step with the gradients that are there, or that the closure computes."""
        return super().step(closure)  # type: ignore[arg-type]

    step.hooked = True  # type: ignore[attr-defined]

    def _step(self, closure: Closure | None) -> Any:
        if closure is not None:
            return super()._step(closure)
        self._add_and_step()
        return None

    def update(self, loss: Loss, x: Tensor) -> tuple[Tensor, float]:
        """Return x after a step along the sum, and the loss at x."""
        assert self.closure is not None
        value = self.evaluate(self.closure)
        self.check_gradients()
        self._add_and_step()
        return self.vector.read(), value

    def _add_and_step(self) -> None:
        total = self.vector.gradients()
        if self.memory:
            total = total.add_(self.memory["sum"].to(total), alpha=self.decay)
        self.memory = {"sum": total}
        self.vector.set_gradients(total.clone())
        self.optimizer.step()
