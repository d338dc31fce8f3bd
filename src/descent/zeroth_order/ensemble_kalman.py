"""Ensemble Kalman inversion."""

from typing import Literal

import numpy as np
from numpy.typing import ArrayLike

from descent.arguments import Array, check_choice, check_count, check_real
from descent.zeroth_order.population import Population


class EnsembleKalman(Population):
    r"""Fit residuals by the covariances of an ensemble; no derivative is taken.

    .. math::
        u_j \leftarrow u_j - C^{ur} (C^{rr} + \gamma I)^{-1} r_j, \qquad
        C^{ur} = \frac1J \sum_j (u_j - \bar u)(r_j - \bar r)^T

    for the loss ½|r|², r(u) the residuals (model less data) and γ the variance of the data's
    noise. The step is a linear combination of the :math:`u_j - \bar u`, so the ensemble stays in
    the span in which it began; what gets it out is noise added to each particle at each step, or
    an ensemble drawn anew around its mean every few steps, which may then be larger. One
    evaluation of the residuals a particle: `tell` takes shape (J, m).

    For a linear r and J → ∞ one step maps the mean of the prior to that of the posterior
    (Kalman). The matrix that is solved has the smaller of J and m rows; d may be large.

    Standard name: ensemble Kalman inversion (Iglesias, Law and Stuart 2013; with noise and
    reshuffling, Kovachki and Stuart 2018, arXiv:1808.03620).

    Parameters
    ----------
    start, spread, size, generator
        As for `Population`.
    regularization : float
        γ, positive, in squared units of the residuals.
    explore : {"noise", "resample", "none"}
        What leads out of the span.
    noise : float
        Standard deviation of the noise, or of the redrawn ensemble; in units of u.
    decay : float
        Factor of the noise from one use to the next, in (0, 1].
    epoch : int
        Steps between two redrawn ensembles.
    growth : int
        Particles added whenever the ensemble is redrawn.

    Raises
    ------
    ValueError
        If regularization is not positive, decay lies outside (0, 1], explore is unknown, epoch
        is below 1 or growth is negative; by `tell`, unless there is a row of residuals for each
        candidate.

    Notes
    -----
    Source 002, particle-based approximation and swarms: noise at each step, randomizing around
    the mean, and ensemble size scheduling.
    """

    residuals = True

    def __init__(
        self,
        start: ArrayLike,
        *,
        spread: float = 1.0,
        size: int = 20,
        regularization: float = 1e-3,
        explore: Literal["noise", "resample", "none"] = "resample",
        noise: float = 0.3,
        decay: float = 0.8,
        epoch: int = 3,
        growth: int = 0,
        generator: np.random.Generator,
    ) -> None:
        super().__init__(start, spread=spread, size=size, generator=generator)
        self.explore = check_choice("explore", explore, ("noise", "resample", "none"))
        self.regularization = check_real("regularization", regularization, above=0)
        self.noise = check_real("noise", noise, least=0)
        self.decay = check_real("decay", decay, above=0, most=1)
        self.epoch, self.growth = check_count("epoch", epoch, 1), check_count("growth", growth)
        self.steps = 0

    def propose(self) -> Array:
        """Return the particles."""
        return self.x

    def scalar(self, told: Array) -> Array:
        """Return half the squared length of each row of residuals."""
        if told.ndim != 2:
            raise ValueError(f"losses must be residuals, shape (size, m); got {told.shape}")
        with np.errstate(over="ignore", invalid="ignore"):
            halves: Array = 0.5 * np.einsum("jm,jm->j", told, told)
        return halves

    def learn(self, candidates: Array, losses: Array) -> None:
        """Make one Kalman step, and add noise or draw anew if it is time."""
        size = len(candidates)
        losses = self._allowed(losses)
        u, r = candidates - candidates.mean(axis=0), losses - losses.mean(axis=0)
        gamma = self.regularization
        if losses.shape[1] < size:
            kernel = r.T @ r / size + gamma * np.eye(losses.shape[1])
            self.x = candidates - np.linalg.solve(kernel, losses.T).T @ (r.T @ u / size)
        else:
            # C^ur (C^rr + γ)^-1 = U^T (R R^T / J + γ)^-1 R / J, by the push-through identity.
            kernel = r @ r.T / size + gamma * np.eye(size)
            self.x = candidates - np.linalg.solve(kernel, r @ losses.T).T @ (u / size)
        self.steps += 1
        if self.explore == "noise":
            self.x = self.x + self._fresh(size)
        elif self.explore == "resample" and self.steps % self.epoch == 0:
            self.x = self.x.mean(axis=0) + self._fresh(size + self.growth)

    def _allowed(self, residuals: Array) -> Array:
        """Return residuals with the longest finite row in place of rows that are not finite."""
        halves = self.scalar(residuals)
        allowed = np.isfinite(halves)
        if allowed.all():
            return residuals
        worst = residuals[np.argmax(np.where(allowed, halves, -1.0))]
        return np.where(allowed[:, None], residuals, worst)

    def _fresh(self, size: int) -> Array:
        """Return noise for an ensemble, and lower its level for the next time."""
        noise = self.noise * self.generator.standard_normal((size, self.x.shape[1]))
        self.noise *= self.decay
        return noise
