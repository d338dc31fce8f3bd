"""Simulated annealing."""

import math

import torch
from torch import Tensor
from torch.optim.optimizer import ParamsT

from descent.arguments import check_real
from descent.tensor_arguments import check_torch_generator
from descent.zeroth_order.base import Loss, ZerothOrder


class SimulatedAnnealing(ZerothOrder):
    r"""A random walk that accepts a rise of the loss with a chance that falls as it cools.

    .. math::
        x' = x + \eta z, \qquad P(\text{accept}) = \min\bigl(1, e^{-(L(x') - L(x))/\Theta}\bigr),
        \qquad \Theta \leftarrow \alpha\, \Theta

    At a fixed temperature Θ the walk samples the density in proportion to exp(-L/Θ). One
    evaluation a step, and one at the start.

    Standard name: Metropolis walk with geometric cooling. Θ is a temperature in units of the
    loss; it is not the step size that source 003 calls temperature.

    Parameters
    ----------
    params : iterable of tensors, or of parameter groups
        What is optimized.
    lr : float
        Standard deviation η of a proposal.
    temperature : float
        Θ at the start, in units of the loss.
    cooling : float
        α, in (0, 1].
    generator : torch.Generator
        Source of all randomness.

    Raises
    ------
    ValueError
        If temperature is not positive or cooling lies outside (0, 1].

    Notes
    -----
    Source 002, simulated annealing: "its extremely simple".
    """

    def __init__(
        self,
        params: ParamsT,
        *,
        lr: float = 0.1,
        temperature: float = 1.0,
        cooling: float = 0.99,
        generator: torch.Generator,
    ) -> None:
        check_torch_generator("generator", generator)
        super().__init__(params, {"lr": lr}, generator)
        self.cooling = check_real("cooling", cooling, above=0, most=1)
        self.memory["temperature"] = check_real("temperature", temperature, above=0)
        self._uniform = torch.empty((), device=generator.device)

    def update(self, loss: Loss, x: Tensor) -> tuple[Tensor, float]:
        """Return the next point of the walk, and the loss there."""
        before = self.loss_at_end(loss, x)
        proposal = self.shifted(x, "lr", self.normal(x))
        after = loss(proposal)
        temperature = self.memory["temperature"]
        if after > before:
            chance = self._uniform.uniform_(generator=self.generator).item()
            if chance > 0 and temperature * math.log(chance) >= before - after:
                proposal, after = x, before
        self.memory["temperature"] = temperature * self.cooling
        return self.end(proposal, after)
