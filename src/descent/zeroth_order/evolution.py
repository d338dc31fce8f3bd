"""A plain evolution strategy."""

import math

import numpy as np
from numpy.typing import ArrayLike

from descent.arguments import Array
from descent.zeroth_order.population import Population


class EvolutionStrategy(Population):
    r"""Mutate the mean, recombine the better half, adapt the step size.

    .. math::
        x_j = m + \sigma z_j, \quad z_j \sim N(0, I), \qquad
        \langle z \rangle = \sum_{i \le \mu} w_i z_{i:\lambda}, \qquad m \leftarrow m + \sigma
        \langle z \rangle

        p \leftarrow (1 - c) p + \sqrt{c (2 - c) \mu_w}\, \langle z \rangle, \qquad
        \sigma \leftarrow \sigma \exp\Bigl(\frac{c}{D} \Bigl(\frac{|p|}{E |z|} - 1\Bigr)\Bigr)

    One evaluation an offspring. Only the ranks of the losses count.

    Standard name: (μ/μ_w, λ)-ES with cumulative step-size adaptation: CMA-ES without the
    covariance matrix, with its constants (Hansen 2016, arXiv:1604.00772).

    Parameters
    ----------
    start, spread, size, generator
        As for `Population`; the first mean is the start (or its mean), the first σ the spread.

    Notes
    -----
    Source 002, evolution: "implement normal evolutionary algorithm".
    """

    def __init__(
        self,
        start: ArrayLike,
        *,
        spread: float = 1.0,
        size: int = 20,
        generator: np.random.Generator,
    ) -> None:
        super().__init__(start, spread=spread, size=size, generator=generator)
        points = np.array(start, dtype=float)
        self.mean: Array = points if points.ndim == 1 else points.mean(axis=0)
        self.sigma = spread
        size, d = self.x.shape
        weights = np.log((size + 1) / 2) - np.log(np.arange(1, size // 2 + 1))
        self.weights: Array = weights / weights.sum()
        effective = 1 / float(np.sum(self.weights**2))
        self.rate = (effective + 2) / (d + effective + 5)
        self.damping = 1 + 2 * max(0.0, math.sqrt((effective - 1) / (d + 1)) - 1) + self.rate
        self.path_gain = math.sqrt(self.rate * (2 - self.rate) * effective)
        self.expected = math.sqrt(2) * math.exp(math.lgamma((d + 1) / 2) - math.lgamma(d / 2))
        self.path = np.zeros(d)
        self.z = (self.x - self.mean) / self.sigma

    def propose(self) -> Array:
        """Return the mutants of the mean."""
        self.z = self.generator.standard_normal(self.x.shape)
        self.x = self.mean + self.sigma * self.z
        return self.x

    def learn(self, candidates: Array, losses: Array) -> None:
        """Recombine the better half and adapt the step size."""
        parents = np.argsort(losses, kind="stable")[: len(self.weights)]
        mutation = self.weights @ self.z[parents]
        self.mean = self.mean + self.sigma * mutation
        self.path = (1 - self.rate) * self.path + self.path_gain * mutation
        length = math.sqrt(float(self.path @ self.path))
        self.sigma *= math.exp(self.rate / self.damping * (length / self.expected - 1))

    def retreat(self) -> None:
        """Bring the mean half way back to the best point."""
        self.mean = (self.mean + self.best) / 2
