"""A point that is led by what the coefficients of a particle swarm call a gradient."""

import numpy as np
from numpy.typing import ArrayLike

from descent.arguments import Array, check_array, check_real
from descent.zeroth_order.swarm import ParticleSwarm


def swarm_gradient(x: ArrayLike, best: ArrayLike, coefficient: float, rate: float) -> Array:
    r"""Return AdaSwarm's estimate of a gradient from a swarm's best point.

    .. math:: \hat g = \frac{c}{\eta}\, (x - b), \qquad c = c_1 r_1 + c_2 r_2

    No loss occurs in it. It is the gradient of :math:`\frac{c}{2 \eta} |x - b|^2` and of no other
    function: it is the gradient of the loss if that is such a bowl around b, whose curvature
    is c/η. For other losses it points away from b, which is uphill wherever the loss rises on
    the whole way from b, and its length says how far b is, not how steep the loss.

    Parameters
    ----------
    x, best : array_like, shape (d,)
        Where the gradient is wanted, and the swarm's best point b.
    coefficient : float
        c, zero or positive.
    rate : float
        η, positive.

    Returns
    -------
    ndarray, shape (d,)
        The estimate.

    Raises
    ------
    ValueError
        If the points have other shapes than each other, or a number is out of its range.

    Examples
    --------
    >>> swarm_gradient([3.0, 1.0], [1.0, 1.0], coefficient=0.5, rate=0.1)
    array([10.,  0.])

    Notes
    -----
    Mohapatra et al. (2022), "AdaSwarm: augmenting gradient-based optimizers in deep learning
    with swarm intelligence", theorem 1: the second paper of source 002's line on swarms.
    """
    point = check_array("x", x, ("d",))
    towards = check_array("best", best, point.shape)
    c = check_real("coefficient", coefficient, least=0)
    return np.asarray(c / check_real("rate", rate, above=0) * (point - towards))


class SwarmGradient(ParticleSwarm):
    r"""A `ParticleSwarm` with averaged momentum, one particle of which descends its gradient.

    .. math::
        m_j \leftarrow \beta m_j + (1 - \beta) v_j, \qquad
        v_j \leftarrow m_j + c_1 r_1 \odot (p_j - x_j) + c_2 r_2 \odot (b - x_j), \qquad
        x_j \leftarrow x_j + v_j

        y \leftarrow y - \lambda\, \hat g(y), \qquad
        \hat g = \frac{c_1 r_1 + c_2 r_2}{\eta} (y - b)

    with one pair of random numbers a step for y, the last particle. Whatever the loss, a step
    takes y the share λ (c₁ r₁ + c₂ r₂)/η of the way to the best point b (`swarm_gradient`).
    One evaluation a particle.

    Standard name: EMPSO, and AdaSwarm's gradient with plain descent in place of Adam.

    Parameters
    ----------
    start, spread, size, generator
        As for `Population`.
    memory : float
        β in [0, 1).
    own, social : float
        c₁ and c₂, zero or positive.
    rate : float
        η, positive.
    lr : float
        λ, positive.

    Raises
    ------
    ValueError
        If a parameter is out of its range.

    Examples
    --------
    >>> import numpy as np
    >>> search = SwarmGradient([1.0, 1.0], generator=np.random.default_rng(0))
    >>> for _ in range(100):
    ...     search.tell((search.ask() ** 2).sum(axis=1))
    >>> search.evaluations, search.best_loss < 1e-3
    (2000, True)

    Notes
    -----
    Mohapatra et al. (2022). The defaults are this book's: with β = 0.9 a swarm of this size often
    settles before it arrives.
    """

    def __init__(
        self,
        start: ArrayLike,
        *,
        spread: float = 1.0,
        size: int = 20,
        memory: float = 0.5,
        own: float = 0.8,
        social: float = 0.9,
        rate: float = 0.1,
        lr: float = 0.05,
        generator: np.random.Generator,
    ) -> None:
        super().__init__(
            start, spread=spread, size=size, own=own, social=social, generator=generator
        )
        del self.inertia  # an average of the past velocities is carried in its place
        self.memory = check_real("memory", memory, least=0, below=1)
        self.rate = check_real("rate", rate, above=0)
        self.lr = check_real("lr", lr, above=0)
        self.momentum = np.zeros_like(self.x)

    def _carried(self) -> Array:
        """Return the averaged velocities."""
        self.momentum = self.memory * self.momentum + (1 - self.memory) * self.velocity
        return self.momentum

    def _fly(self) -> None:
        """Move the swarm, and the last particle against the gradient."""
        led = self.x[-1]
        super()._fly()
        chance = self.generator.random(2)
        coefficient = float(self.own * chance[0] + self.social * chance[1])
        gradient = swarm_gradient(led, self.best, coefficient, self.rate)
        self.x[-1] = led - self.lr * gradient
