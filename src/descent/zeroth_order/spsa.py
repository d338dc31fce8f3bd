"""Simultaneous perturbation stochastic approximation."""

from torch import Tensor

from descent.zeroth_order.base import Loss
from descent.zeroth_order.estimate import GradientEstimator


class SPSA(GradientEstimator):
    r"""One central difference along a random corner of the cube.

    .. math::
        \hat g_i = \frac{L(x + h \Delta) - L(x - h \Delta)}{2 h \Delta_i}, \qquad
        \Delta_i = \pm 1 \text{ with probability } \tfrac12

    Its mean is the gradient up to O(h²), exactly so for a quadratic. Two evaluations a step,
    none of them at x: the loss that is returned is their mean, and the best point so far is one
    of the probes, h away in each coordinate from where the run was.

    Standard name: SPSA (Spall 1992). Not `RandomGrad`, which keeps one bit of the difference.

    Parameters
    ----------
    params, lr, h, generator, optimizer
        As for `GradientEstimator`.

    Notes
    -----
    Source 002, gradient approximation: "SPSA approximates gradient in a different way".
    """

    def estimate(self, loss: Loss, x: Tensor) -> tuple[Tensor, float]:
        """Return the estimate, and the mean of the two losses."""
        signs = self.drawn(x, lambda empty: empty.random_(0, 2, generator=self.generator))
        signs.mul_(2).sub_(1)
        above = loss(self.shifted(x, "h", signs))
        below = loss(self.shifted(x, "h", signs, -1.0))
        return signs * ((above - below) / (2 * self.each("h"))), (above + below) / 2
