"""Simultaneous perturbation with the gains of its author."""

import torch
from torch import Tensor
from torch.optim.optimizer import ParamsT

from descent.arguments import check_real
from descent.tensor_arguments import check_torch_generator
from descent.zeroth_order.base import Loss, ZerothOrder


class SpallSPSA(ZerothOrder):
    r"""SPSA whose steps and whose probes shrink by the rule under which it converges.

    .. math::
        x_{k+1} = x_k - a_k\, \frac{L(x_k + c_k \Delta) - L(x_k - c_k \Delta)}{2 c_k}\,
        \Delta^{-1}, \qquad
        a_k = \frac{a}{(A + k)^{\alpha}}, \quad c_k = \frac{c}{k^{\gamma}}, \quad k = 1, 2, \dots

    The sum of all a_k is infinite, so that it comes from everywhere; the sum of
    :math:`(a_k / c_k)^2` is finite, so that noise in the loss is averaged away. Two evaluations
    a step.

    Standard name: SPSA with Spall's gain sequences. Not `SPSA`, whose lr and h stay.

    Parameters
    ----------
    params, generator
        As for `ZerothOrder`.
    lr : float
        a.
    h : float
        c; about the standard deviation of the loss, where it is noisy.
    stability : float
        A, zero or positive; the source advises a tenth of the steps that will be made.
    fall, narrowing : float
        α and γ, zero or positive: 0.602 and 0.101, the least that the theory allows with noise;
        1 and 1/6 are best in the limit.

    Raises
    ------
    ValueError
        If a gain is out of its range.

    Examples
    --------
    >>> x = torch.full((3,), 5.0)
    >>> search = SpallSPSA([x], lr=0.3, generator=torch.Generator().manual_seed(0))
    >>> for _ in range(200):
    ...     loss = search.step(lambda: (x**2).sum())
    >>> search.evaluations, bool((x**2).sum() < 0.1)
    (400, True)

    Notes
    -----
    Spall (1998), "Implementation of the simultaneous perturbation algorithm for stochastic
    optimization", the gains that it advises; source 002, gradient approximation, names the method
    alone.
    """

    def __init__(
        self,
        params: ParamsT,
        *,
        lr: float = 0.1,
        h: float = 0.01,
        stability: float = 10.0,
        fall: float = 0.602,
        narrowing: float = 0.101,
        generator: torch.Generator,
    ) -> None:
        check_torch_generator("generator", generator)
        self.stability = check_real("stability", stability, least=0)
        self.fall = check_real("fall", fall, least=0)
        self.narrowing = check_real("narrowing", narrowing, least=0)
        super().__init__(params, {"lr": lr, "h": h}, generator)

    def _gains(self, k: int) -> tuple[float, float]:
        """Return a_k / a and c_k / c of step k = 1, 2, …."""
        return (self.stability + k) ** -self.fall, k**-self.narrowing

    def update(self, loss: Loss, x: Tensor) -> tuple[Tensor, float]:
        """Return x after a step of the next gains, and the mean of the two losses."""
        k = self.memory["steps"] = self.memory.get("steps", 0) + 1
        a, c = self._gains(k)
        corner = self._corner(x)
        above, below = (loss(self.shifted(x, "h", corner, side * c)) for side in (1.0, -1.0))
        # Corners have entries ±1, so that 1/Δ is Δ.
        gradient = corner * ((above - below) / (2 * c)) / self.each("h")
        return self.shifted(x, "lr", gradient, -a), (above + below) / 2

    def _corner(self, x: Tensor) -> Tensor:
        """Draw random signs of the shape of x."""
        return self.drawn(
            x, lambda empty: empty.random_(0, 2, generator=self.generator).mul_(2).sub_(1)
        )
