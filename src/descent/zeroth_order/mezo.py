"""A gradient-free step in the memory that the parameters take."""

from collections.abc import Sequence

import torch
from torch.optim.optimizer import ParamsT

from descent.arguments import check_flag
from descent.zeroth_order.direction_sum import DirectionSum


class MeZO(DirectionSum):
    r"""One central difference along a normal direction, which is drawn again and not stored.

    .. math::
        \hat g = \frac{L(x + h z) - L(x - h z)}{2 h}\, z, \qquad z \sim N(0, I)

    Its mean is the gradient of the loss averaged over normal shifts of size h. Two evaluations
    a step. Many parameters go to both points and to the end of the step in place, and no copy
    of them is kept unless `keep_best` asks for one: beside them there is a block of the
    direction, and so one may tune whatever one can evaluate.

    Standard name: MeZO, the memory-efficient zeroth-order optimizer; its estimate is Gaussian
    SPSA. Not `SPSA`, whose directions are corners of the cube, and which keeps the best point.

    Parameters
    ----------
    params, lr, h, generator, optimizer
        As for `GradientEstimator`. An inner optimizer takes the memory of a gradient.
    keep_best : bool
        Whether to keep the best point so far, a copy of the parameters.

    Raises
    ------
    TypeError
        If keep_best is no bool.
    RuntimeError
        By `restore_best`, if no best point is kept.

    Examples
    --------
    >>> x = torch.full((3,), 5.0)
    >>> search = MeZO([x], lr=0.1, generator=torch.Generator().manual_seed(0))
    >>> for _ in range(100):
    ...     loss = search.step(lambda: (x**2).sum())
    >>> bool(search.best_loss < 0.01), search.best
    (True, tensor([]))

    Notes
    -----
    Malladi, Gao, Nichani, Damian, Lee, Chen and Arora (2023), algorithm 1 and definition 1.
    Their batch is redrawn with each step and the same at both points, as here
    (`ZerothOrder`).
    """

    sides = (1.0, -1.0)
    looks = False
    differences = True

    def __init__(
        self,
        params: ParamsT,
        *,
        lr: float | None = None,
        h: float = 0.01,
        keep_best: bool = False,
        generator: torch.Generator,
        optimizer: torch.optim.Optimizer | None = None,
    ) -> None:
        self.keep_best = check_flag("keep_best", keep_best)
        super().__init__(params, lr=lr, h=h, generator=generator, optimizer=optimizer)

    def weigh(self, before: float, losses: list[list[float]]) -> tuple[Sequence[float], float]:
        """Return half the difference, and the mean of the two losses."""
        ((above, below),) = losses
        return [(above - below) / 2], (above + below) / 2
