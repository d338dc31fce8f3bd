"""Several step lengths for each update."""

from collections.abc import Sequence

from torch import Tensor
from torch.optim import Optimizer

from descent.arguments import check_array
from descent.zeroth_order.base import Loss
from descent.zeroth_order.wrapper import Wrapper


class SeveralRates(Wrapper):
    r"""Try several multiples of the wrapped optimizer's step, take the best.

    .. math:: x_{n+1} = x_n + c_k \Delta, \qquad k = \arg\min_i L(x_n + c_i \Delta)

    A factor 0 lets the search stay where it is. One evaluation for each factor, more than the
    wrapped optimizer's.

    Standard name: a line search over a fixed grid. Not a backtracking line search, which stops
    at the first length that is good enough.

    Parameters
    ----------
    optimizer : torch.optim.Optimizer
        The wrapped optimizer.
    factors : sequence of float
        The multiples cᵢ.

    Raises
    ------
    ValueError
        If there are no factors.

    Notes
    -----
    Source 002, optimizer wrappers: "try multiple lrs for each update".
    """

    def __init__(
        self, optimizer: Optimizer, *, factors: Sequence[float] = (0.1, 0.3, 1.0, 3.0)
    ) -> None:
        super().__init__(optimizer)
        self.factors = tuple(check_array("factors", factors, ("n",)).tolist())

    def update(self, loss: Loss, x: Tensor) -> tuple[Tensor, float]:
        """Return the best multiple of the step, and the loss there."""
        moved, _ = self.inner_step(x)
        step = moved - x
        points = [x + factor * step for factor in self.factors]
        losses = [loss(point) for point in points]
        lowest = min(losses)
        return points[losses.index(lowest)], lowest
