"""A step that raised the loss is undone, or made in the opposite direction."""

from typing import Literal

from torch import Tensor
from torch.optim import Optimizer

from descent.arguments import check_choice
from descent.zeroth_order.base import Loss
from descent.zeroth_order.wrapper import Wrapper


class UndoIncrease(Wrapper):
    r"""Take back a step that raised the loss, or try its opposite.

    .. math::
        x_{n+1} = \begin{cases} x_n + \Delta & L(x_n + \Delta) \le L(x_n) \\
        x_n - \Delta & \text{else, if this lowers } L \text{ (reverse)} \\
        x_n & \text{else} \end{cases}

    The wrapped optimizer keeps its state when its step is taken back; otherwise a deterministic
    one would propose the same step for ever. One evaluation a step more than the wrapped
    optimizer's, two where the opposite is tried. The loss must be the same function throughout.

    Standard name: greedy acceptance (monotone descent).

    Parameters
    ----------
    optimizer : torch.optim.Optimizer
        The wrapped optimizer.
    otherwise : {"undo", "reverse"}
        What follows a step that raised the loss.

    Raises
    ------
    ValueError
        If otherwise is neither of the two.

    Notes
    -----
    Source 002, optimizer wrappers: "if loss after step increases, undo the step, or do opposite
    of that step".
    """

    def __init__(
        self,
        optimizer: Optimizer,
        *,
        otherwise: Literal["undo", "reverse"] = "undo",
    ) -> None:
        super().__init__(optimizer)
        check_choice("otherwise", otherwise, ("undo", "reverse"))
        self.otherwise = otherwise

    def update(self, loss: Loss, x: Tensor) -> tuple[Tensor, float]:
        """Return x after the step, its opposite, or none; and the loss there."""
        before = self.loss_at_end(loss, x)
        proposal, _ = self.inner_step(x)
        after = loss(proposal)
        if after > before and self.otherwise == "reverse":
            proposal = 2 * x - proposal
            after = loss(proposal)
        if after > before:
            proposal, after = x, before
        return self.end(proposal, after)
