"""The mean over several random directions."""

import torch
from torch import Tensor
from torch.optim.optimizer import ParamsT

from descent.arguments import check_count, check_flag
from descent.zeroth_order.base import Loss
from descent.zeroth_order.estimate import GradientEstimator


class AveragedGrad(GradientEstimator):
    r"""Mean of several random directions, each times what the loss says about it.

    .. math::
        \hat g = \frac1n \sum_{i=1}^n z_i\, q\bigl(L(x + h z_i) - L(x)\bigr), \qquad
        z_i \sim N(0, I)

    with q(Δ) = sign Δ (one bit) or q(Δ) = Δ/h (the real-valued difference, whose mean is the
    gradient itself for small h). The cosine with the gradient is about √(2n/(πd)) for bits and
    √(n/d) for differences, as long as n is small against d. n + 1 evaluations a step.

    Standard name: averaged random-direction finite differences; with differences, Gaussian
    smoothing (Nesterov and Spokoiny).

    Parameters
    ----------
    params, lr, h, generator, optimizer
        As for `GradientEstimator`.
    samples : int
        Number of directions n, at least 1.
    bits : bool
        Whether only the sign of each difference counts.

    Raises
    ------
    ValueError
        If samples is below 1.

    Notes
    -----
    Source 002, other: "try smoothing random gradients".
    """

    def __init__(
        self,
        params: ParamsT,
        *,
        lr: float | None = None,
        h: float = 0.01,
        samples: int = 10,
        bits: bool = True,
        generator: torch.Generator,
        optimizer: torch.optim.Optimizer | None = None,
    ) -> None:
        super().__init__(params, lr=lr, h=h, generator=generator, optimizer=optimizer)
        check_count("samples", samples, 1)
        self.samples, self.bits = samples, check_flag("bits", bits)

    def estimate(self, loss: Loss, x: Tensor) -> tuple[Tensor, float]:
        """Return the mean over the directions, and the loss at x."""
        h = self.each("h")
        z = self.normal(x.expand(self.samples, -1))
        before = loss(x)
        change = x.new_tensor([loss(point) - before for point in x + h * z])
        weights = change.sign() if self.bits else change
        mean = weights @ z / self.samples
        return (mean if self.bits else mean / h), before
