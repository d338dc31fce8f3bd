"""The source's optimization variable: the sum of what the weighted losses gained and lost."""

from typing import Any

from descent.arguments import check_array


class AccumulatedLoss:
    r"""A running value that hides the re-weighting of losses from who reads it.

    .. math:: M_n = M_{n-1} + \sum_i w_i^{(n)} \big( l_i^{(n)} - l_i^{(n-1)} \big)

    A change of the weights alone leaves M where it is, while it moves the weighted sum.
    With the weights and the previous losses held constant, its gradient is
    :math:`\sum_i w_i \nabla l_i`, that of the weighted sum: an optimizer that reads only
    gradients cannot tell the two apart. Source: 000, "subtracting the effect of this
    modulation from the optimization variable at each step".

    Examples
    --------
    >>> import numpy as np
    >>> m = AccumulatedLoss()
    >>> m.add(np.array([2.0, 1.0]), np.array([0.5, 0.5]))
    0.0
    >>> m.add(np.array([2.0, 1.0]), np.array([0.9, 0.1]))
    0.0
    >>> m.add(np.array([1.0, 1.0]), np.array([0.9, 0.1]))
    -0.9
    """

    def __init__(self) -> None:
        self.value: Any = 0.0
        self._previous: Any = None

    def add(self, losses: Any, weights: Any) -> Any:
        """Take a step's losses (m,) and weights (m,), and return M.

        With tensors the answer is a scalar tensor whose graph leads to the losses of this
        step only; with arrays a float. M is 0 after the first step.
        """
        if hasattr(losses, "requires_grad"):
            import torch

            factors = torch.as_tensor(weights, dtype=losses.dtype, device=losses.device).detach()
            previous = losses.detach() if self._previous is None else self._previous
            result = self.value + factors @ (losses - previous)
            self.value, self._previous = result.detach(), losses.detach().clone()
            return result
        losses, weights = check_array("losses", losses, ("m",)), check_array("weights", weights)
        if weights.shape != losses.shape:
            raise ValueError(
                f"losses and weights must share a shape (m,); got {losses.shape}, {weights.shape}"
            )
        previous = losses if self._previous is None else self._previous
        self.value += float((weights * (losses - previous)).sum())
        self._previous = losses.copy()
        return self.value
