"""Gradients as differences between particles."""

from typing import Literal

import numpy as np
from numpy.typing import ArrayLike
from scipy import linalg

from descent.arguments import Array, check_choice, check_real
from descent.zeroth_order.population import Population, bounded


def simplex_gradient(displacements: Array, rises: Array) -> Array:
    r"""Return the gradient of the linear function that fits best.

    .. math:: \hat g = \arg\min_g \sum_j (f_j - \bar f - g \cdot (x_j - \bar x))^2

    The shortest one, if the particles do not span the space. Exact for a linear function if
    they do.

    Parameters
    ----------
    displacements : ndarray, shape (size, d)
        Particles less their mean.
    rises : ndarray, shape (size,)
        Losses less their mean.

    Returns
    -------
    ndarray, shape (d,)
        The simplex gradient.
    """
    size, d = displacements.shape
    if size > d:
        return _solve(displacements.T @ displacements, displacements.T @ rises)
    gram = displacements @ displacements.T
    # Displacements and rises sum to zero: the constant vector is a null vector of the matrix
    # and may be given any positive value.
    return displacements.T @ _solve(gram + np.trace(gram) / size**2, rises)


def _solve(gram: Array, right: Array) -> Array:
    """Solve with a Gram matrix; the shortest solution if it is singular to rounding."""
    # LAPACK itself, as scipy.linalg.solve calls it: that function of SciPy 1.17 keeps memory at
    # each singular matrix, and a cloud that has collapsed shows it one at every step.
    factor, failed = linalg.lapack.dpotrf(gram, clean=False)
    if not failed:
        norm = np.abs(gram).sum(axis=0).max()
        inverse_condition, _ = linalg.lapack.dpocon(factor, norm)
        if inverse_condition > np.finfo(float).eps:
            solution: Array = linalg.lapack.dpotrs(factor, right)[0]
            return solution
    return np.asarray(np.linalg.pinv(gram, rcond=1e-12, hermitian=True) @ right)


def covariance_step(displacements: Array, rises: Array) -> Array:
    r"""Return the covariance of position and loss, in standard deviations of the loss.

    .. math::
        s = \frac{C^{xf}}{\sqrt{C^{ff}}}, \qquad
        C^{xf} = \frac1J \sum_j (x_j - \bar x)(f_j - \bar f)

    For a linear function this is :math:`C \nabla f / \sqrt{\nabla f^T C \nabla f}`: the gradient
    preconditioned by the covariance C of the particles, one standard deviation long. It turns
    with any affine change of the coordinates, and stays in the span of the particles.

    Parameters
    ----------
    displacements, rises
        As for `simplex_gradient`.

    Returns
    -------
    ndarray, shape (d,)
        The step uphill; zero if all losses are equal.
    """
    deviation = np.sqrt(np.mean(rises**2))
    if deviation == 0:
        return np.zeros(displacements.shape[1])
    step: Array = (rises / deviation) @ displacements / len(rises)
    return step


class ParticleGradient(Population):
    r"""A cloud that moves against the gradient that its own particles show.

    .. math::
        \bar x \leftarrow \bar x - \eta\, s, \qquad
        x_j = \bar x + \sigma z_j, \quad \sigma \leftarrow \gamma \sigma, \quad z_j \sim N(0, I)

    with s either the simplex gradient, scaled to the length σ, or the covariance-preconditioned
    step, which has about that length by itself. One evaluation a particle.

    Standard name: simplex gradient (stencil gradient by linear regression); the covariance form
    is the scalar case of ensemble Kalman inversion's update.

    Parameters
    ----------
    start, spread, size, generator
        As for `Population`.
    lr : float
        Step size η, in standard deviations of the cloud.
    decay : float
        γ, in (0, 1].
    form : {"simplex", "covariance"}
        Which gradient.

    Raises
    ------
    ValueError
        If decay lies outside (0, 1], or form is neither of the two.

    Notes
    -----
    Source 002, particle-based approximation: "approximate gradients as differences between
    particles".
    """

    def __init__(
        self,
        start: ArrayLike,
        *,
        spread: float = 1.0,
        size: int = 20,
        lr: float = 1.0,
        decay: float = 0.95,
        form: Literal["simplex", "covariance"] = "simplex",
        generator: np.random.Generator,
    ) -> None:
        super().__init__(start, spread=spread, size=size, generator=generator)
        self.form = check_choice("form", form, ("simplex", "covariance"))
        self.lr = check_real("lr", lr, above=0)
        self.decay = check_real("decay", decay, above=0, most=1)
        self.sigma = float(np.std(self.x - self.x.mean(axis=0)))

    def propose(self) -> Array:
        """Return the particles."""
        return self.x

    def learn(self, candidates: Array, losses: Array) -> None:
        """Move the mean, and draw the cloud anew around it."""
        mean = candidates.mean(axis=0)
        losses = bounded(losses)
        displacements, rises = candidates - mean, losses - losses.mean()
        if self.form == "covariance":
            step = covariance_step(displacements, rises)
        else:
            step = simplex_gradient(displacements, rises)
            length = np.linalg.norm(step)
            step *= self.sigma / length if length > 0 else 0.0
        self.sigma *= self.decay
        noise = self.generator.standard_normal(self.x.shape)
        self.x = mean - self.lr * step + self.sigma * noise
