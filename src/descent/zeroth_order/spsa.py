"""Simultaneous perturbation stochastic approximation."""

from collections.abc import Sequence

from torch import Generator, Tensor

from descent.zeroth_order.direction_sum import DirectionSum


class SPSA(DirectionSum):
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

    sides = (1.0, -1.0)
    looks = False
    differences = True

    def fill(self, empty: Tensor, generator: Generator | None) -> Tensor:
        """Draw random signs."""
        return empty.random_(0, 2, generator=generator).mul_(2).sub_(1)

    def weigh(self, before: float, losses: list[list[float]]) -> tuple[Sequence[float], float]:
        """Return half the difference, and the mean of the two losses."""
        ((above, below),) = losses
        return [(above - below) / 2], (above + below) / 2
