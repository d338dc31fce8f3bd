"""The mean over several random directions."""

from collections.abc import Sequence

import torch
from torch.optim.optimizer import ParamsT

from descent.arguments import check_count, check_flag
from descent.zeroth_order.direction_sum import DirectionSum


class AveragedGrad(DirectionSum):
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

    @property
    def differences(self) -> bool:  # type: ignore[override]
        """Whether the differences themselves count."""
        return not self.bits

    def weigh(self, before: float, losses: list[list[float]]) -> tuple[Sequence[float], float]:
        """Return each difference or its sign, by the number of them, and the loss at x."""
        changes = [after - before for (after,) in losses]
        if self.bits:
            changes = [float((change > 0) - (change < 0)) for change in changes]
        return [change / self.samples for change in changes], before
