"""One random direction a step, and one bit about it."""

from collections.abc import Sequence

from descent.zeroth_order.direction_sum import DirectionSum


class RandomGrad(DirectionSum):
    r"""A random direction with the sign that the loss gives it (the source's RandomGrad).

    .. math:: \hat g = z\, \operatorname{sign}\bigl(L(x + h z) - L(x)\bigr), \qquad z \sim N(0, I)

    For small h its mean is :math:`\sqrt{2/\pi}\, \nabla L / |\nabla L|`, whatever the size of
    the gradient, and its cosine with the gradient has the mean :math:`\sqrt{2 / (\pi d)}` for
    large d. Two evaluations a step.

    Standard name: one-bit (sign) directional estimate. Not the random-direction finite
    difference, which multiplies z by the difference itself.

    Parameters
    ----------
    params, lr, h, generator, optimizer
        As for `GradientEstimator`.

    Examples
    --------
    >>> import torch
    >>> x = torch.full((3,), 5.0)
    >>> search = RandomGrad([x], lr=0.2, generator=torch.Generator().manual_seed(0))
    >>> for _ in range(100):
    ...     loss = search.step(lambda: (x**2).sum())
    >>> search.evaluations, bool(search.best_loss < 1.0)
    (200, True)

    Notes
    -----
    Source 002, where the name is used throughout the list.
    """

    def weigh(self, before: float, losses: list[list[float]]) -> tuple[Sequence[float], float]:
        """Return the sign of the difference, and the loss at x."""
        ((after,),) = losses
        return [1.0 if after > before else -1.0], before
