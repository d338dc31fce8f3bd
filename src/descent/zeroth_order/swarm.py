"""Particle swarm optimization."""

import numpy as np
from numpy.typing import ArrayLike

from descent.arguments import Array, check_real
from descent.zeroth_order.population import Population


class ParticleSwarm(Population):
    r"""Particles with inertia, drawn to their own best point and to the swarm's.

    .. math::
        v_j \leftarrow w v_j + c_1 r_1 \odot (p_j - x_j) + c_2 r_2 \odot (b - x_j), \qquad
        x_j \leftarrow x_j + v_j

    with :math:`p_j` the best point of particle j, b the best of all, and :math:`r_1, r_2`
    uniform on [0, 1] for each coordinate. One evaluation a particle.

    Standard name: global-best particle swarm with inertia weight (Shi and Eberhart); the
    default coefficients are the constriction values of Clerc and Kennedy.

    Parameters
    ----------
    start, spread, size, generator
        As for `Population`.
    inertia : float
        w, below 1.
    own, social : float
        c₁ and c₂.

    Examples
    --------
    >>> import numpy as np
    >>> swarm = ParticleSwarm([3.0, 3.0], generator=np.random.default_rng(0))
    >>> for _ in range(50):
    ...     swarm.tell((swarm.ask() ** 2).sum(axis=1))
    >>> swarm.evaluations, swarm.best_loss < 1e-4
    (1000, True)

    Notes
    -----
    Source 002, particle swarm: "should be easy to implement".
    """

    def __init__(
        self,
        start: ArrayLike,
        *,
        spread: float = 1.0,
        size: int = 20,
        inertia: float = 0.7298,
        own: float = 1.4962,
        social: float = 1.4962,
        generator: np.random.Generator,
    ) -> None:
        super().__init__(start, spread=spread, size=size, generator=generator)
        self.inertia = check_real("inertia", inertia, least=0, below=1)
        self.own = check_real("own", own, least=0)
        self.social = check_real("social", social, least=0)
        self.velocity = np.zeros_like(self.x)
        self.own_best = self.x.copy()
        self.own_loss = np.full(len(self.x), np.inf)

    def propose(self) -> Array:
        """Return the particles."""
        return self.x

    def learn(self, candidates: Array, losses: Array) -> None:
        """Update the best points, then velocities and positions."""
        better = losses < self.own_loss
        self.own_best[better] = candidates[better]
        self.own_loss[better] = losses[better]
        self._fly()

    def _carried(self) -> Array:
        """Return what is left of the velocities."""
        return self.inertia * self.velocity

    def _fly(self) -> None:
        """Draw the particles to the best points, and move them."""
        pull = self.generator.random((2, *self.x.shape))
        self.velocity = (
            self._carried()
            + self.own * pull[0] * (self.own_best - self.x)
            + self.social * pull[1] * (self.best - self.x)
        )
        self.x = self.x + self.velocity

    def retreat(self) -> None:
        """Fly on: each particle is drawn to the best points anyway."""
        self._fly()
