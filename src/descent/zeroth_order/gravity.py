"""Particles that fall towards the best one, or towards their mean."""

from typing import Literal

import numpy as np
from numpy.typing import ArrayLike

from descent.arguments import Array, check_choice, check_real
from descent.zeroth_order.population import Population


def attraction(displacement: Array, power: float) -> Array:
    """Return d |d|^(power - 1) for each row d of an array; zero stays zero."""
    distance = np.linalg.norm(displacement, axis=-1, keepdims=True)
    safe = np.where(distance > 0, distance, 1.0)
    return displacement * safe ** (power - 1)


class Gravity(Population):
    r"""Each particle is pulled with ``|d|^p``, and stays there only if that lowers its loss.

    .. math::
        x_j' = x_j + \kappa\, |d_j|^{p-1} d_j + \nu\, \rho\, z, \qquad d_j = c - x_j, \qquad
        z \sim N(0, I)

    with c the best particle or the mean of all, and ρ the root mean square distance of a
    particle to the mean, divided by √d; so the noise shrinks with the swarm. p = 1 is a spring,
    p = -2 Newton's law. One evaluation a particle.

    The swarm cannot travel: only falls are kept and the noise shrinks with it, so it contracts
    within a few spreads of its start, whether or not a minimum lies there. Let the spread be as
    wide as the region that is searched.

    Standard name: none; related to the gravitational search algorithm, in which all pairs
    attract each other. Not `ParticleSwarm`: there is no velocity.

    Parameters
    ----------
    start, spread, size, generator
        As for `Population`.
    pull : float
        κ.
    power : float
        p.
    noise : float
        ν.
    centre : {"best", "mean"}
        What attracts.

    Raises
    ------
    ValueError
        If centre is neither of the two.

    Notes
    -----
    Source 002, swarms; the list mentions gravity only in passing.
    """

    def __init__(
        self,
        start: ArrayLike,
        *,
        spread: float = 1.0,
        size: int = 20,
        pull: float = 0.3,
        power: float = 1.0,
        noise: float = 0.5,
        centre: Literal["best", "mean"] = "best",
        generator: np.random.Generator,
    ) -> None:
        super().__init__(start, spread=spread, size=size, generator=generator)
        self.centre = check_choice("centre", centre, ("best", "mean"))
        self.pull, self.power = check_real("pull", pull), check_real("power", power)
        self.noise = check_real("noise", noise, least=0)
        self.losses = np.full(len(self.x), np.inf)
        self.fallen = False

    def propose(self) -> Array:
        """Return the starts, and later where each particle falls."""
        if not self.fallen:
            return self.x
        mean = self.x.mean(axis=0)
        centre = self.best if self.centre == "best" else mean
        radius = np.sqrt(np.mean((self.x - mean) ** 2))
        fallen = self.x + self.pull * attraction(centre - self.x, self.power)
        fallen += self.noise * radius * self.generator.standard_normal(self.x.shape)
        return fallen

    def learn(self, candidates: Array, losses: Array) -> None:
        """Keep the falls that lowered the loss."""
        self.fallen = True
        better = losses < self.losses
        self.x = np.where(better[:, None], candidates, self.x)
        self.losses = np.minimum(losses, self.losses)

    def retreat(self) -> None:
        """Stay, as none of the falls lowered a loss."""
