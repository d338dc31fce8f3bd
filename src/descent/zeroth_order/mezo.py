"""A gradient-free step in the memory that the parameters take."""

from collections.abc import Sequence

import torch
from torch import Generator, Tensor
from torch.optim.optimizer import ParamsT

from descent.arguments import check_choice, check_count, check_flag, check_real
from descent.zeroth_order.direction_sum import DirectionSum
from descent.zeroth_order.directions import low_rank, sparse

DIRECTIONS = ("normal", "sparse", "low-rank")


class MeZO(DirectionSum):
    r"""One central difference along a random direction, which is drawn again and not stored.

    .. math::
        \hat g = \frac{L(x + h z) - L(x - h z)}{2 h}\, z, \qquad
        \mathbb E z = 0, \quad \mathbb E z z^\top = I

    For small h its mean is the gradient; with normal z it is that of the loss averaged over
    normal shifts of size h. Two evaluations
    a step. Many parameters go to both points and to the end of the step in place, and no copy
    of them is kept unless `keep_best` asks for one: beside them there is a block of the
    direction, and so one may tune whatever one can evaluate.

    Standard name: MeZO, the memory-efficient zeroth-order optimizer; its estimate is Gaussian
    SPSA. Not `SPSA`, whose directions are corners of the cube, and which keeps the best point.

    Parameters
    ----------
    params, lr, h, generator, optimizer
        As for `GradientEstimator`. An inner optimizer takes the memory of a gradient.
    directions : {"normal", "sparse", "low-rank"}
        The law of z: all coordinates standard normal; a few of them
        (`descent.zeroth_order.directions.sparse`); or matrices of low rank, of each parameter
        with two dimensions or more (`descent.zeroth_order.directions.low_rank`). The latter two
        draw fewer numbers. For the last a block is a whole parameter.
    share : float
        In (0, 1]. Of sparse directions, how many coordinates are drawn for a step, as a share of
        all. One may be drawn twice, so that fewer move; at least one is drawn, and where many
        parameters move in place, at least one of each tensor.
    rank : int
        Of low-rank directions, at least 1.
    keep_best : bool
        Whether to keep the best point so far, a copy of the parameters.

    Raises
    ------
    TypeError
        If keep_best is no bool.
    ValueError
        If directions is none of the three, or share or rank is out of its range.
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
    (`ZerothOrder`). Sparse MeZO (Liu et al. 2024) keeps to coordinates of small size, where
    here each step draws others; LOZO (Chen et al. 2024, equation 4) keeps V for many steps.
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
        directions: str = "normal",
        share: float = 0.01,
        rank: int = 1,
        keep_best: bool = False,
        generator: torch.Generator,
        optimizer: torch.optim.Optimizer | None = None,
    ) -> None:
        self.keep_best = check_flag("keep_best", keep_best)
        share, rank = check_real("share", share, above=0, most=1), check_count("rank", rank, 1)
        check_choice("directions", directions, DIRECTIONS)
        self.directions, self.share, self.rank = directions, share, rank
        self.shaped = directions == "low-rank"
        super().__init__(params, lr=lr, h=h, generator=generator, optimizer=optimizer)

    def fill(self, empty: Tensor, generator: Generator | None) -> Tensor:
        """Draw a direction of the chosen law into an empty tensor."""
        assert generator is not None
        if self.directions == "sparse":
            return sparse(self.share)(empty, generator)
        if self.directions == "low-rank":
            return low_rank(self.rank)(empty, generator)
        return super().fill(empty, generator)

    def weigh(self, before: float, losses: list[list[float]]) -> tuple[Sequence[float], float]:
        """Return half the difference, and the mean of the two losses."""
        ((above, below),) = losses
        return [(above - below) / 2], (above + below) / 2
