"""An evolution strategy that follows the natural gradient, coordinate by coordinate."""

import math

import numpy as np
from numpy.typing import ArrayLike

from descent.arguments import Array, check_numbers, check_real
from descent.search_distributions import rank_utilities
from descent.zeroth_order.population import Population


def papers_size(start: ArrayLike) -> int:
    """Return the offspring that the papers draw in d dimensions, 4 + ⌊3 ln d⌋.

    Examples
    --------
    >>> papers_size(np.zeros(2)), papers_size(np.zeros(10)), papers_size(np.zeros((7, 10)))
    (6, 10, 10)
    """
    shape = check_numbers("start", start).shape
    return 4 + int(3 * math.log(max(1, shape[-1] if shape else 1)))


class NaturalEvolution(Population):
    r"""Climb the expected rank of a normal law with a width for each coordinate.

    .. math::
        x_j = \mu + \sigma \odot z_j, \quad z_j \sim N(0, I), \qquad
        \mu \leftarrow \mu + \eta_\mu\, \sigma \odot \sum_j u_j z_j, \qquad
        \sigma \leftarrow \sigma \odot \exp\Bigl(\frac{\eta_\sigma}{2}
        \sum_j u_j (z_j \odot z_j - 1)\Bigr)

    with the utilities u_j of the ranks (`search_distributions.rank_utilities`). One evaluation
    an offspring, and d numbers of memory where a full covariance takes d². It learns the units
    of the coordinates, and is blind to valleys that lie across them.

    Standard name: SNES, separable natural evolution strategy. Not xNES
    (`search_distributions.xnes`), which has the full matrix.

    Parameters
    ----------
    start, generator
        As for `Population`; the first mean is the start (or its mean).
    spread : float
        The first width of every coordinate.
    size : int, optional
        Offspring; 4 + ⌊3 ln d⌋ unless it is given, as in the paper.
    mean_rate, width_rate : float, optional
        :math:`\eta_\mu` and :math:`\eta_\sigma`; 1 and (3 + ln d)/(5 √d) unless they are given.

    Raises
    ------
    ValueError
        If a rate is not positive.

    Examples
    --------
    >>> import numpy as np
    >>> search = NaturalEvolution([3.0, 3.0], generator=np.random.default_rng(0))
    >>> for _ in range(100):
    ...     x = search.ask()
    ...     search.tell(x[:, 0] ** 2 + 1e6 * x[:, 1] ** 2)
    >>> search.evaluations, search.best_loss < 1e-8
    (600, True)

    Notes
    -----
    Wierstra et al. (2014), "Natural evolution strategies", the separable algorithm and the table of
    rates; first in Schaul, Glasmachers and Schmidhuber (2011). The last link of source 002 names
    it.
    """

    def __init__(
        self,
        start: ArrayLike,
        *,
        spread: float = 1.0,
        size: int | None = None,
        mean_rate: float = 1.0,
        width_rate: float | None = None,
        generator: np.random.Generator,
    ) -> None:
        size = papers_size(start) if size is None else size
        super().__init__(start, spread=spread, size=size, generator=generator)
        points = np.array(start, dtype=float)
        self.mean: Array = points if points.ndim == 1 else points.mean(axis=0)
        d = len(self.mean)
        self.widths = np.full(d, float(spread))
        rate = (3 + math.log(d)) / (5 * math.sqrt(d)) if width_rate is None else width_rate
        self.mean_rate = check_real("mean_rate", mean_rate, above=0)
        self.width_rate = check_real("width_rate", rate, above=0)
        self.z = (self.x - self.mean) / self.widths

    def propose(self) -> Array:
        """Return the offspring of the mean."""
        self.z = self.generator.standard_normal(self.x.shape)
        self.x = self.mean + self.widths * self.z
        return self.x

    def learn(self, candidates: Array, losses: Array) -> None:
        """Step along the natural gradient of the expected utility."""
        u = rank_utilities(-losses)
        # The separable algorithm of Wierstra et al. (2014), its gradients and its updates:
        towards = u @ self.z  # ∇_μ J = Σ u_k s_k
        wider = u @ (self.z**2 - 1)  # ∇_σ J = Σ u_k (s_k² - 1)
        self.mean = self.mean + self.mean_rate * self.widths * towards
        self.widths = self.widths * np.exp(self.width_rate / 2 * wider)

    def retreat(self) -> None:
        """Bring the mean half way back to the best point."""
        self.mean = (self.mean + self.best) / 2
