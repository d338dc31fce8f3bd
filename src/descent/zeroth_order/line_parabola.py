"""A parabola through three points on a random line."""

import torch
from torch import Tensor
from torch.optim.optimizer import ParamsT

from descent.arguments import check_real
from descent.tensor_arguments import check_torch_generator
from descent.zeroth_order.base import Loss, ZerothOrder


class LineParabola(ZerothOrder):
    r"""Go to the lowest point of a parabola through three points on a random line.

    .. math::
        t = -\frac{s}{c}, \quad s = \tfrac12 (L_+ - L_-), \quad c = L_+ - 2 L_0 + L_-, \qquad
        x \leftarrow x + \eta\, t\, h z, \quad z \sim N(0, I)

    with :math:`L_\pm = L(x \pm h z)` and :math:`L_0 = L(x)`. ``|t|`` is at most ``reach``; where
    the parabola has no minimum, c ≤ 0, the step goes downhill by ``reach``. With η = 1 a step is
    the exact line minimum of a quadratic. Three evaluations a step.

    Standard name: parabolic interpolation on random lines (random-subspace Newton, dimension
    one).

    Parameters
    ----------
    params : iterable of tensors, or of parameter groups
        What is optimized.
    lr : float
        Factor η of the step, 1 for the minimum of the parabola.
    h : float
        Distance of the outer points.
    reach : float
        Longest step, in units of ``h |z|``.
    generator : torch.Generator
        Source of all randomness.

    Raises
    ------
    ValueError
        If reach is not positive.

    Notes
    -----
    Source 002, gradient approximation: "make 3 steps along a line to approximate curvature".
    """

    def __init__(
        self,
        params: ParamsT,
        *,
        lr: float = 1.0,
        h: float = 0.1,
        reach: float = 10.0,
        generator: torch.Generator,
    ) -> None:
        check_torch_generator("generator", generator)
        super().__init__(params, {"lr": lr, "h": h}, generator)
        self.reach = check_real("reach", reach, above=0)

    def update(self, loss: Loss, x: Tensor) -> tuple[Tensor, float]:
        """Return x after the step, and the loss where it began."""
        z = self.normal(x)
        here, end = loss(x), self.shifted(x, "h", z)
        above, below = loss(end), loss(self.shifted(x, "h", z, -1.0))
        slope, curvature = (above - below) / 2, above - 2 * here + below
        if abs(slope) < self.reach * curvature:
            t = -slope / curvature
        else:
            t = -self.reach if slope > 0 else self.reach if slope < 0 else 0.0
        return torch.lerp(x, end, t * self.each("lr")), here
