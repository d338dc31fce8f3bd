"""Particles whose gradients, not positions, attract each other."""

import numpy as np
from numpy.typing import ArrayLike

from descent.arguments import Array, check_real
from descent.zeroth_order.gravity import attraction
from descent.zeroth_order.population import Population, bounded


class GradientGravity(Population):
    r"""Each particle's estimated gradient is pulled to that of the best particle.

    .. math::
        g_j = \frac{L(x_j + h \Delta_j) - L(x_j - h \Delta_j)}{2h} \Delta_j, \qquad
        g_j \leftarrow g_j + \kappa |d_j|^{p-1} d_j, \quad d_j = g_b - g_j, \qquad
        x_j \leftarrow x_j - \eta g_j

    with random signs Δ as in `SPSA`, and b the particle whose two losses have the lowest mean.
    At κ = 0 the particles run independent SPSA, at κ = p = 1 all follow one gradient. Two
    evaluations a particle.

    Standard name: none.

    Parameters
    ----------
    start, spread, size, generator
        As for `Population`.
    lr : float
        Step size η.
    h : float
        Distance at which the loss is probed.
    pull, power : float
        κ and p.

    Notes
    -----
    Source 002, swarms: "gravity could operate on gradients instead of parameters".
    """

    def __init__(
        self,
        start: ArrayLike,
        *,
        spread: float = 1.0,
        size: int = 20,
        lr: float = 0.02,
        h: float = 0.01,
        pull: float = 0.3,
        power: float = 1.0,
        generator: np.random.Generator,
    ) -> None:
        super().__init__(start, spread=spread, size=size, generator=generator)
        self.lr, self.h = check_real("lr", lr, above=0), check_real("h", h, above=0)
        self.pull, self.power = check_real("pull", pull), check_real("power", power)
        self.signs: Array = np.ones_like(self.x)

    def propose(self) -> Array:
        """Return both probes of each particle, all upper ones first."""
        self.signs = self.generator.choice([-1.0, 1.0], self.x.shape)
        return np.concatenate([self.x + self.h * self.signs, self.x - self.h * self.signs])

    def learn(self, candidates: Array, losses: Array) -> None:
        """Estimate the gradients, let them attract each other, and step against them."""
        above, below = np.split(bounded(losses), 2)
        gradients: Array = ((above - below) / (2 * self.h))[:, None] * self.signs
        best = gradients[np.argmin(above + below)].copy()
        gradients += self.pull * attraction(best - gradients, self.power)
        self.x = self.x - self.lr * gradients
