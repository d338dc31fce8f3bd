"""The best of several random directions."""

from collections.abc import Sequence

import torch
from torch.optim.optimizer import ParamsT

from descent.arguments import check_count
from descent.zeroth_order.direction_sum import DirectionSum


class RandomBestGrad(DirectionSum):
    r"""Against the gradient stands the best of n random directions (the source's RandomBestGrad).

    .. math::
        \hat g = -z_k, \qquad k = \arg\min_i L(x + h z_i), \qquad z_i \sim N(0, I)

    and zero if even the best raises the loss. The cosine with the gradient is about
    :math:`E \max_{i \le n} \zeta_i / \sqrt d` with standard normal ζ, 1.54/√d for ten: less than
    their average has at the same cost (`AveragedGrad`). n + 1 evaluations a step.

    Standard name: best-of-n random search direction. Not random search, which moves to the
    best point itself.

    Parameters
    ----------
    params, lr, h, generator, optimizer
        As for `GradientEstimator`.
    samples : int
        Number of directions n, at least 1.

    Raises
    ------
    ValueError
        If samples is below 1.

    Notes
    -----
    Source 002, named beside ensemble Kalman inversion, in particle-based approximation.
    """

    def __init__(
        self,
        params: ParamsT,
        *,
        lr: float | None = None,
        h: float = 0.01,
        samples: int = 10,
        generator: torch.Generator,
        optimizer: torch.optim.Optimizer | None = None,
    ) -> None:
        super().__init__(params, lr=lr, h=h, generator=generator, optimizer=optimizer)
        check_count("samples", samples, 1)
        self.samples = samples

    def weigh(self, before: float, losses: list[list[float]]) -> tuple[Sequence[float], float]:
        """Return minus one for the best direction if it lowers the loss, and the loss at x."""
        after = [each for (each,) in losses]
        lowest = min(after)
        best = after.index(lowest) if lowest < before else None
        return [-float(i == best) for i in range(self.samples)], before
