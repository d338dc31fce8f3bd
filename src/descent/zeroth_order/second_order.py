"""Simultaneous perturbation with a Hessian of its own."""

import math
from typing import Any

import torch
from torch import Tensor
from torch.optim.optimizer import ParamsT

from descent.arguments import check_real
from descent.zeroth_order.base import Loss, check_params
from descent.zeroth_order.spall import SpallSPSA


def distance_of(params: list[Any]) -> float:
    """Return the distance for second differences in the type of the first real parameter.

    Examples
    --------
    >>> distance_of([torch.ones(2)]), distance_of([{"params": [torch.ones(2).half()]}])
    (0.018581361171917516, 0.1767766952966369)
    """
    for each in params:
        held = each["params"] if isinstance(each, dict) else [each]
        for tensor in [held] if isinstance(held, Tensor) else held:
            tensor = tensor[1] if isinstance(tensor, tuple) else tensor
            if isinstance(tensor, Tensor) and tensor.is_floating_point():
                return max(0.01, float(torch.finfo(tensor.dtype).eps ** 0.25))
    return max(0.01, float(torch.finfo(torch.get_default_dtype()).eps ** 0.25))


class SecondOrderSPSA(SpallSPSA):
    r"""Newton's step with gradient and Hessian from four losses.

    .. math::
        \delta L = \bigl[L(x + c \Delta + \tilde c \tilde\Delta) - L(x + c \Delta)\bigr]
        - \bigl[L(x - c \Delta + \tilde c \tilde\Delta) - L(x - c \Delta)\bigr], \qquad
        \hat H = \frac{\delta L}{2 c \tilde c}\,
        \frac{\Delta \tilde\Delta^\top + \tilde\Delta \Delta^\top}{2}

        \bar H_k = \frac{k}{k + 1} \bar H_{k-1} + \frac{1}{k + 1} \hat H_k, \qquad
        x_{k+1} = x_k - a_k \bigl(\bar H_k^2 + \delta I\bigr)^{-1/2} \hat g_k

    Both corners have entries ±1 with equal chance, so the mean of :math:`\hat H` is the Hessian,
    exactly so for a quadratic. :math:`\bar H_0 = I`, and :math:`\tilde c = c`. Four evaluations
    a step, d² numbers of memory and d³ operations.

    A second difference holds nothing but the rounding of the loss once h is below √ε times the
    size of x, with ε the spacing of the parameters' type at 1. Such an h is refused, where the
    parameters are at the time of the step; ε^(1/4) times that size is the best.

    Standard name: 2-SPSA, adaptive simultaneous perturbation.

    Parameters
    ----------
    params, stability, fall, narrowing, generator
        As for `SpallSPSA`.
    lr : float
        a, a pure number: 1 with A = 0 and α = 1 averages as well as anything can.
    h : float, optional
        c; 0.01 or ε^(1/4), the larger one, unless it is given.
    damping : float
        δ, positive, in squared units of the Hessian.
    reach : float
        The longest step; longer ones are cut, where the paper would leave them out. Without it
        the first Hessians, of few directions, throw a run far away.

    Raises
    ------
    ValueError
        If h is lost in rounding, or a gain is out of its range.

    Examples
    --------
    >>> x = torch.full((2,), 3.0, dtype=torch.float64)
    >>> search = SecondOrderSPSA([x], generator=torch.Generator().manual_seed(0))
    >>> for _ in range(600):
    ...     loss = search.step(lambda: x[0] ** 2 + 9 * x[1] ** 2)
    >>> search.evaluations, bool(x[0] ** 2 + 9 * x[1] ** 2 < 1e-6)
    (2400, True)

    Notes
    -----
    Spall (2000), "Adaptive stochastic approximation by the simultaneous perturbation method",
    the update and the estimate of the Hessian by four losses. The last link of source 002 names it.
    """

    def __init__(
        self,
        params: ParamsT,
        *,
        lr: float = 1.0,
        h: float | None = None,
        stability: float = 10.0,
        fall: float = 0.602,
        narrowing: float = 0.101,
        damping: float = 1e-3,
        reach: float = 1.0,
        generator: torch.Generator,
    ) -> None:
        self.damping = check_real("damping", damping, above=0)
        self.reach = check_real("reach", reach, above=0)
        params = check_params(params)
        super().__init__(
            params,
            lr=lr,
            h=distance_of(params) if h is None else h,
            stability=stability,
            fall=fall,
            narrowing=narrowing,
            generator=generator,
        )
        self._check_distance(self.vector.read())

    def _check_distance(self, x: Tensor, factor: float = 1.0) -> None:
        """Raise a ValueError if second differences over h are rounding where the parameters are."""
        h = self.each("h") * factor
        epsilon = torch.finfo(x.dtype).eps
        lost = h < math.sqrt(epsilon) * x.abs()
        if bool(lost.any()):
            at = float(x.abs()[lost].max())
            raise ValueError(
                f"h must be at least {math.sqrt(epsilon) * at:.2g} at a coordinate of size "
                f"{at:.3g} in {str(x.dtype).removeprefix('torch.')}, else second differences are "
                f"rounding, and best about {epsilon**0.25 * at:.2g}; got "
                f"{float(torch.as_tensor(h).min()):.2g}"
            )

    def update(self, loss: Loss, x: Tensor) -> tuple[Tensor, float]:
        """Return x after a step by the averaged Hessian, and the mean of the two central losses."""
        k = self.memory.get("steps", 0) + 1
        a, c = self._gains(k)
        self._check_distance(x, c)
        corner, other = self._corner(x), self._corner(x)
        above, below = (self.shifted(x, "h", corner, side * c) for side in (1.0, -1.0))
        losses = [loss(above), loss(below)]
        beyond = [loss(self.shifted(point, "h", other, c)) for point in (above, below)]
        h = self.each("h") * c
        gradient = corner * ((losses[0] - losses[1]) / 2) / h
        change = (beyond[0] - losses[0]) - (beyond[1] - losses[1])
        rows, columns = (corner / h).double(), (other / h).double()
        hessian = change / 4 * (torch.outer(rows, columns) + torch.outer(columns, rows))
        before = self.memory.get("hessian")
        if before is None:
            before = torch.eye(len(x), dtype=torch.float64, device=x.device)
        average = (k * before.double() + hessian) / (k + 1)  # of all estimates so far
        self.memory["steps"], self.memory["hessian"] = k, average
        values, axes = torch.linalg.eigh(average)
        damped = (values**2 + self.damping).sqrt()  # made positive
        newton = axes @ ((axes.T @ gradient.double()) / damped)
        length = float((newton * a * self.each("lr")).norm())
        newton = newton * min(1.0, self.reach / length) if length > 0 else newton
        return self.shifted(x, "lr", newton.to(x), -a), (losses[0] + losses[1]) / 2
