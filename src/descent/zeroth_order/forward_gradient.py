"""The exact slope of the loss along a random direction, without a step back."""

import functools
import math
import warnings
from typing import Any

import torch
from torch import Tensor
from torch.autograd import forward_ad
from torch.optim.optimizer import ParamsT

from descent.arguments import came, check_flag
from descent.zeroth_order.base import Closure, NonFiniteLoss, one_loss
from descent.zeroth_order.estimate import GradientEstimator

make_dual: Any = forward_ad.make_dual
unpack_dual: Any = forward_ad.unpack_dual


@functools.cache
def _load_derivatives() -> None:
    """Let torch load, at its first tangent, what it derives some operations by.

    That warns of torch's own compiler, which nobody here has called.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        with forward_ad.dual_level():
            make_dual(torch.zeros(1), torch.zeros(1))


class ForwardGradient(GradientEstimator):
    r"""The derivative of the loss along a normal direction, times the direction.

    .. math:: \hat g = (z \cdot \nabla L(x))\, z, \qquad z \sim N(0, I)

    Its mean is the gradient, exactly. The derivative comes with the loss, from one pass
    forwards that carries a tangent beside every number; nothing is kept for a pass back. So a
    step is one evaluation, which costs two to three plain ones, and there is no distance h to
    choose and no rounding of a difference.

    The closure is called as always. While it runs, the parameters carry the direction as their
    tangent, and what it returns must have been computed from them by torch, by operations that
    know their forward derivative. Integers have none.

    Standard name: forward gradient. Not `MeZO`, to which it is the limit of short h, and which
    holds no direction, where this one holds it as long as the step lasts.

    Parameters
    ----------
    params, lr, generator, optimizer
        As for `GradientEstimator`.
    keep_best : bool
        Whether to keep the best point so far, a copy of the parameters.

    Raises
    ------
    TypeError
        If keep_best is no bool, or a closure returns no tensor.
    ValueError
        If a parameter is an integer or a boolean, or what a closure returns carries no
        derivative.
    NotImplementedError
        If the loss contains an operation whose forward derivative torch does not know.
    NonFiniteLoss
        If the loss or its derivative is not finite, as at a corner, or where half precision
        overflows; the parameters are then where `ZerothOrder` says.

    Examples
    --------
    >>> x = torch.full((3,), 5.0)
    >>> search = ForwardGradient([x], lr=0.1, generator=torch.Generator().manual_seed(0))
    >>> for _ in range(100):
    ...     loss = search.step(lambda: (x**2).sum())
    >>> search.evaluations, bool(search.best_loss < 0.01)
    (100, True)

    Notes
    -----
    Baydin, Pearlmutter, Syme, Wood and Torr (2022), "Gradients without backpropagation",
    arXiv:2202.08587.
    """

    def __init__(
        self,
        params: ParamsT,
        *,
        lr: float | None = None,
        keep_best: bool = True,
        generator: torch.Generator,
        optimizer: torch.optim.Optimizer | None = None,
    ) -> None:
        self.keep_best = check_flag("keep_best", keep_best)
        _load_derivatives()
        super().__init__(params, lr=lr, generator=generator, optimizer=optimizer)
        if self.vector.discrete:
            raise ValueError("params must be real; got integers or booleans, which have no slope")
        for group in self.param_groups:
            group.pop("h", None)
        self.defaults.pop("h", None)

    def _advance(self, closure: Closure) -> float:
        self.vector.check_kept()
        self.keep_up(self.vector.tensors[0].detach())
        z = self.normal(self.vector.empty().new_empty(self.vector.length))
        slope = 0.0

        def along() -> Any:
            nonlocal slope
            loss, slope = self._along(closure, z)
            return loss

        try:
            value = self.evaluate(along)
            if not math.isfinite(slope):
                raise NonFiniteLoss(
                    f"the derivative of the loss is {slope}, though the loss is {value}; the "
                    "parameters are the best so far. Compute the loss in higher precision, or "
                    "use MeZO, which needs no derivative"
                )
        except NonFiniteLoss:
            if self.keep_best:
                self.restore_best()
            raise
        if self.optimizer is None:
            for part, tensor, group in zip(
                self.vector.parts(z), self.vector.tensors, self.vector.groups, strict=True
            ):
                tensor.add_(part, alpha=-float(self.param_groups[group]["lr"]) * slope)
        else:
            self.vector.set_gradients(z.mul_(slope))
            self.optimizer.step()
        return value

    def _along(self, closure: Closure, z: Tensor) -> tuple[Tensor, float]:
        """Return the loss and its derivative along a direction."""
        with forward_ad.dual_level():
            for part, tensor in zip(self.vector.parts(z), self.vector.tensors, strict=True):
                # Nothing is added but the tangent, which lasts as long as the level.
                tensor.add_(make_dual(torch.zeros_like(part), part))
            try:
                returned = closure()
            except NotImplementedError as error:
                if not any(f"forward {what}AD" in str(error) for what in ("", "mode ")):
                    raise
                raise NotImplementedError(
                    "closure must compute the loss by operations that have a forward derivative, "
                    f"or MeZO be used, which needs none; torch says: {error}"
                ) from error
            if not isinstance(returned, Tensor):
                raise TypeError(f"closure must return the loss as a tensor; got {came(returned)}")
            loss, tangent = unpack_dual(returned)
            if tangent is None:
                raise ValueError(
                    "closure must return a loss that torch computed from the params; "
                    "got one without a derivative along them"
                )
            one_loss(loss)
            return loss, float(tangent)
