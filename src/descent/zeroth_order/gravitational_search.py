"""Gravity between all particles, with masses by their losses."""

import math

import numpy as np
from numpy.typing import ArrayLike

from descent.arguments import Array, check_count, check_real
from descent.zeroth_order.population import Population


def masses_of(losses: Array) -> Array:
    """Return masses of sum 1; the worst has none, nor has what is not allowed.

    Examples
    --------
    >>> masses_of(np.array([1.0, 3.0, 2.0, np.inf]))
    array([0.66666667, 0.        , 0.33333333, 0.        ])
    """
    allowed = np.isfinite(losses)
    low, high = losses[allowed].min(), losses[allowed].max()
    heavy = np.where(allowed, 1.0, 0.0)
    if high > low:
        heavy[allowed] = (high - losses[allowed]) / (high - low)  # (15)
    return np.asarray(heavy / heavy.sum())  # (16)


class GravitationalSearch(Population):
    r"""All particles attract each other, the better ones with the larger mass.

    .. math::
        m_j = \frac{\max f - f_j}{\max f - \min f}, \qquad M_j = \frac{m_j}{\sum_i m_i}, \qquad
        a_i = G(t) \sum_{j \in K(t)} r_{ij}\, M_j\, \frac{x_j - x_i}{|x_j - x_i| + \epsilon}

        v_i \leftarrow \rho_i \odot v_i + a_i, \qquad x_i \leftarrow x_i + v_i, \qquad
        G(t) = G_0\, e^{-\alpha t / T}

    with :math:`r_{ij}` and :math:`\rho_i` uniform on [0, 1] for each coordinate, and K(t) the
    best particles, from all at t = 0 down to one at T. A force does not depend on the distance
    and the pulled mass falls out, as in the paper. After T steps G and K stay. One evaluation a
    particle.

    Standard name: gravitational search algorithm (GSA). Not `Gravity`, in which one centre
    pulls, nobody has a velocity, and only falls are kept.

    Parameters
    ----------
    start, spread, size, generator
        As for `Population`.
    strength : float
        G₀ in units of the spread; √3 is the paper's 100 on a box from -100 to 100.
    decay : float
        α, zero or positive.
    steps : int
        T, at least 1: the steps that will be made; with too few it freezes on its way.

    Raises
    ------
    ValueError
        If strength is not positive, decay is negative, or steps is below 1.

    Examples
    --------
    >>> import numpy as np
    >>> search = GravitationalSearch([1.0, 1.0], generator=np.random.default_rng(0))
    >>> for _ in range(200):
    ...     search.tell((search.ask() ** 2).sum(axis=1))
    >>> search.evaluations, search.best_loss < 1e-4
    (4000, True)

    Notes
    -----
    Rashedi, Nezamabadi-pour and Saryazdi (2009), "GSA: a gravitational search algorithm",
    equations 7 to 28.
    Source 002, swarms, mentions gravity only in passing.
    """

    def __init__(
        self,
        start: ArrayLike,
        *,
        spread: float = 1.0,
        size: int = 20,
        strength: float = math.sqrt(3),
        decay: float = 20.0,
        steps: int = 200,
        generator: np.random.Generator,
    ) -> None:
        super().__init__(start, spread=spread, size=size, generator=generator)
        self.strength = check_real("strength", strength, above=0) * spread
        self.decay = check_real("decay", decay, least=0)
        self.steps = check_count("steps", steps, 1)
        self.velocity = np.zeros_like(self.x)
        self.made = 0

    def propose(self) -> Array:
        """Return the particles."""
        return self.x

    def learn(self, candidates: Array, losses: Array) -> None:
        """Pull each particle by the best ones, and let it fly."""
        x, time = self.x, min(1.0, self.made / self.steps)
        n = len(x)
        masses = masses_of(losses)
        pulling = np.argsort(losses, kind="stable")[: max(1, round(n + (1 - n) * time))]  # (21)
        strength = self.strength * math.exp(-self.decay * time)  # (28)
        way = x[pulling] - x[:, None]
        distance = np.linalg.norm(way, axis=2, keepdims=True) + np.finfo(float).tiny
        chance = self.generator.random(way.shape)
        pull = strength * (chance * masses[pulling, None] * way / distance).sum(axis=1)  # (7)–(10)
        self.velocity = self.generator.random(x.shape) * self.velocity + pull  # (11)
        self.x = x + self.velocity  # (12)
        self.made += 1
