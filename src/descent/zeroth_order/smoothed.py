"""Random gradients that are smoothed from step to step, and other laws of directions."""

from typing import Literal

import torch
from torch import Tensor
from torch.optim.optimizer import ParamsT

from descent.arguments import check_choice, check_real
from descent.zeroth_order.base import Loss
from descent.zeroth_order.estimate import GradientEstimator


class SmoothedGrad(GradientEstimator):
    r"""A one-bit estimate with memory, in the estimate or in the direction.

    .. math::
        \text{estimate:} \quad & m \leftarrow \beta m + (1 - \beta)\,
        z\, \operatorname{sign}\bigl(L(x + h z) - L(x)\bigr), & \hat g &= m \\
        \text{direction:} \quad & z \leftarrow \beta z + \sqrt{1 - \beta^2}\, \xi, & \hat g &=
        z\, \operatorname{sign}\bigl(L(x + h z) - L(x)\bigr)

    The fresh noise has independent coordinates of mean 0 and variance 1: normal, ±1
    (Rademacher), or uniform. A smoothed direction keeps mean 0 and variance 1. Two evaluations
    a step.

    Standard name: exponential moving average of the estimate; first-order autoregressive
    directions.

    Parameters
    ----------
    params, lr, h, generator, optimizer
        As for `GradientEstimator`.
    decay : float
        β, in [0, 1).
    smooth : {"estimate", "direction"}
        What remembers.
    noise : {"normal", "rademacher", "uniform"}
        Law of the fresh noise.

    Raises
    ------
    ValueError
        If an option is none of those named.

    Notes
    -----
    Source 002, other: "try smoothing random gradients and other random generators".
    """

    def __init__(
        self,
        params: ParamsT,
        *,
        lr: float | None = None,
        h: float = 0.01,
        decay: float = 0.9,
        smooth: Literal["estimate", "direction"] = "estimate",
        noise: Literal["normal", "rademacher", "uniform"] = "normal",
        generator: torch.Generator,
        optimizer: torch.optim.Optimizer | None = None,
    ) -> None:
        super().__init__(params, lr=lr, h=h, generator=generator, optimizer=optimizer)
        check_real("decay", decay, least=0, below=1)
        check_choice("smooth", smooth, ("estimate", "direction"))
        check_choice("noise", noise, ("normal", "rademacher", "uniform"))
        self.decay, self.smooth, self.noise = decay, smooth, noise

    @property
    def kind(self) -> str:
        """The class and what remembers: the two remember different things."""
        return f"{super().kind} of {self.smooth}"

    def draw(self, like: Tensor) -> Tensor:
        """Return fresh noise of mean 0 and variance 1 in each coordinate."""
        if self.noise == "normal":
            return self.normal(like)
        uniform = self.drawn(
            like, lambda empty: empty.uniform_(-0.5, 0.5, generator=self.generator)
        )
        return uniform.sign() if self.noise == "rademacher" else uniform * 12**0.5

    def estimate(self, loss: Loss, x: Tensor) -> tuple[Tensor, float]:
        """Return the smoothed estimate, and the loss at x."""
        z = self.draw(x)
        if self.smooth == "direction" and self.memory:
            z = self.decay * self.memory["z"] + (1 - self.decay**2) ** 0.5 * z
        before = loss(x)
        g = z if loss(self.shifted(x, "h", z)) > before else -z
        if self.smooth == "direction":
            self.memory = {"z": z}
            return g, before
        g = (1 - self.decay) * g
        if self.memory:
            g += self.decay * self.memory["m"]
        self.memory = {"m": g}
        return g, before
