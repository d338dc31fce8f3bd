"""Consensus-based optimization."""

import numpy as np
from numpy.typing import ArrayLike

from descent.arguments import Array, check_real
from descent.zeroth_order.population import Population, bounded


class Consensus(Population):
    r"""Particles drift to a weighted mean, with noise in proportion to their distance from it.

    .. math::
        x_j \leftarrow x_j - \lambda \Delta t\, (x_j - m) + \sigma \sqrt{\Delta t}\,
        (x_j - m) \odot z_j, \qquad m = \frac{\sum_j x_j e^{-\alpha f_j}}{\sum_j e^{-\alpha f_j}}

    One evaluation a particle. The spread of a coordinate grows or shrinks by the factor
    :math:`(1 - \lambda \Delta t)^2 + \sigma^2 \Delta t` in variance: below one, the swarm agrees.

    Standard name: consensus-based optimization (Pinnau, Totzeck, Tse and Martin 2017) with
    noise by components (Carrillo, Jin, Li and Zhu 2021). Not `ParticleSwarm`: there is no
    memory.

    Parameters
    ----------
    start, spread, size, generator
        As for `Population`.
    drift : float
        λΔt, in (0, 1].
    noise : float
        σ√Δt.
    sharpness : float
        α, in units of one over the loss.

    Raises
    ------
    ValueError
        If drift lies outside (0, 1] or sharpness is not positive.

    Notes
    -----
    Source 002, particle-based approximation: "so you can approximate gradients as differences
    between particles, but how?"
    """

    def __init__(
        self,
        start: ArrayLike,
        *,
        spread: float = 1.0,
        size: int = 20,
        drift: float = 0.2,
        noise: float = 0.6,
        sharpness: float = 30.0,
        generator: np.random.Generator,
    ) -> None:
        super().__init__(start, spread=spread, size=size, generator=generator)
        self.drift = check_real("drift", drift, above=0, most=1)
        self.noise = check_real("noise", noise, least=0)
        self.sharpness = check_real("sharpness", sharpness, above=0)

    def propose(self) -> Array:
        """Return the particles."""
        return self.x

    def learn(self, candidates: Array, losses: Array) -> None:
        """Move the particles to and around the weighted mean."""
        losses = bounded(losses)
        weights = np.exp(-self.sharpness * (losses - losses.min()))
        away = candidates - weights @ candidates / weights.sum()
        noise = self.generator.standard_normal(candidates.shape)
        self.x = candidates + away * (self.noise * noise - self.drift)
