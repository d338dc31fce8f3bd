"""An evolution strategy that learns the shape of the valley."""

import math

import numpy as np
from numpy.typing import ArrayLike

from descent.arguments import Array, check_flag
from descent.zeroth_order.natural_evolution import papers_size
from descent.zeroth_order.population import Population


class CovarianceAdaptation(Population):
    r"""Draw from a normal law, and let its mean, its width and its shape follow the better half.

    .. math::
        x_j = m + \sigma y_j, \quad y_j \sim N(0, C), \qquad
        \langle y \rangle = \sum_{i \le \mu} w_i y_{i:\lambda}, \qquad
        m \leftarrow m + \sigma \langle y \rangle

        C \leftarrow \Bigl(1 - c_1 - c_\mu \sum_i w_i\Bigr) C + c_1\, p_c p_c^\top
        + c_\mu \sum_{i \le \lambda} w_i^\circ\, y_{i:\lambda} y_{i:\lambda}^\top

    with σ by cumulative step-size adaptation, as in `EvolutionStrategy`, and p_c the fading sum
    of the mean's steps. Worse than half get negative weights, which shorten C where it leads
    uphill. One evaluation an offspring; only the ranks of the losses count, and no turn, shift
    or unit of the coordinates changes the run.

    Standard name: CMA-ES, (μ/μ_w, λ) with active update, and without restarts. All constants
    are the tutorial's. Not `EvolutionStrategy`, which keeps C = I.

    Parameters
    ----------
    start, spread, generator
        As for `Population`; the first mean is the start (or its mean), the first σ the spread.
    size : int, optional
        Offspring λ; 4 + ⌊3 ln d⌋ unless it is given.
    active : bool
        Whether the worse half counts against its directions.

    Raises
    ------
    TypeError
        If active is no bool.

    Examples
    --------
    >>> import numpy as np
    >>> search = CovarianceAdaptation([3.0, 3.0], generator=np.random.default_rng(0))
    >>> for _ in range(100):
    ...     x = search.ask()
    ...     search.tell(x[:, 0] ** 2 + 1e6 * x[:, 1] ** 2)
    >>> search.evaluations, search.best_loss < 1e-8
    (600, True)

    Notes
    -----
    Hansen (2016), "The CMA evolution strategy: a tutorial", arXiv:1604.00772,
    equations 41 to 58 and table 1. The list of source 002 lacks it.
    """

    def __init__(
        self,
        start: ArrayLike,
        *,
        spread: float = 1.0,
        size: int | None = None,
        active: bool = True,
        generator: np.random.Generator,
    ) -> None:
        size = papers_size(start) if size is None else size
        super().__init__(start, spread=spread, size=size, generator=generator)
        check_flag("active", active)
        points = np.array(start, dtype=float)
        self.mean: Array = points if points.ndim == 1 else points.mean(axis=0)
        self.sigma = float(spread)
        size, d = self.x.shape
        raw = np.log((size + 1) / 2) - np.log(np.arange(1, size + 1))  # (49)
        best = raw[: size // 2]
        self.parents = size // 2
        effective = float(best.sum() ** 2 / (best**2).sum())  # table 1, μ_eff
        self.path_rate = (4 + effective / d) / (d + 4 + 2 * effective / d)  # (56), c_c
        self.rank_one = 2 / ((d + 1.3) ** 2 + effective)  # (57), c_1
        self.rank_mu = min(  # (58), c_μ
            1 - self.rank_one,
            2 * (0.25 + effective + 1 / effective - 2) / ((d + 2) ** 2 + effective),
        )
        self.weights: Array = np.where(raw >= 0, raw / best.sum(), 0.0)  # (53), first case
        worse = np.minimum(raw, 0.0)
        worse[: self.parents] = 0.0
        self.weights[self.parents :] = 0.0
        if active and worse.any():
            against = float(worse.sum() ** 2 / (worse**2).sum())  # table 1, μ_eff⁻
            total = min(  # (53), second case
                1 + self.rank_one / self.rank_mu,  # (50)
                1 + 2 * against / (effective + 2),  # (51)
                (1 - self.rank_one - self.rank_mu) / (d * self.rank_mu),  # (52)
            )
            self.weights += total * worse / -worse.sum()
        self.rate = (effective + 2) / (d + effective + 5)  # (55), c_σ
        self.damping = 1 + 2 * max(0.0, math.sqrt((effective - 1) / (d + 1)) - 1) + self.rate
        self.effective = effective
        self.expected = math.sqrt(2) * math.exp(math.lgamma((d + 1) / 2) - math.lgamma(d / 2))
        self.covariance = np.eye(d)
        self.axes, self.lengths = np.eye(d), np.ones(d)
        self.path, self.shape_path = np.zeros(d), np.zeros(d)
        self.generations = 0
        # An eigendecomposition each few generations: C hardly changes in between.
        self.lazy = max(1, int(1 / (10 * d * (self.rank_one + self.rank_mu))))
        self.y = (self.x - self.mean) / self.sigma

    def propose(self) -> Array:
        """Return the offspring of the mean."""
        z = self.generator.standard_normal(self.x.shape)
        # With the symmetric root of C in place of B D: the law is the same, and no choice
        # of eigenvectors, which is rounding where two lengths are equal, changes the run.
        self.y = ((z @ self.axes) * self.lengths) @ self.axes.T
        self.x = self.mean + self.sigma * self.y
        return self.x

    def learn(self, candidates: Array, losses: Array) -> None:
        """Move the mean, then adapt the width and the shape."""
        d = len(self.mean)
        y = self.y[np.argsort(losses, kind="stable")]
        self.generations += 1
        step = self.weights[: self.parents] @ y[: self.parents]  # (41)
        self.mean = self.mean + self.sigma * step  # (42)
        gain = math.sqrt(self.rate * (2 - self.rate) * self.effective)
        self.path = (1 - self.rate) * self.path + gain * self._whitened(step)  # (43)
        length = float(np.linalg.norm(self.path))
        # (44); bounded, as in the author's own code: no generation widens more than e-fold.
        grown = self.rate / self.damping * (length / self.expected - 1)
        self.sigma *= math.exp(min(1.0, grown))
        # h_σ: the path of C waits while the step size grows fast.
        fading = math.sqrt(1 - (1 - self.rate) ** (2 * self.generations))
        waits = length / fading >= (1.4 + 2 / (d + 1)) * self.expected
        keep = self.path_rate * (2 - self.path_rate)
        self.shape_path = (1 - self.path_rate) * self.shape_path  # (45)
        if not waits:
            self.shape_path = self.shape_path + math.sqrt(keep * self.effective) * step
        weights = self.weights.copy()  # (46)
        worse = weights < 0
        if worse.any():
            squared = (self._whitened(y[worse]) ** 2).sum(axis=1)
            weights[worse] *= d / np.maximum(squared, np.finfo(float).tiny)
        old = 1 - self.rank_one - self.rank_mu * self.weights.sum()  # (47)
        old += self.rank_one * keep * waits
        self.covariance = (
            old * self.covariance
            + self.rank_one * np.outer(self.shape_path, self.shape_path)
            + self.rank_mu * (y.T * weights) @ y
        )
        if self.generations % self.lazy == 0:
            self._decompose()

    def _whitened(self, y: Array) -> Array:
        """Return C^(-1/2) y, for one y or for rows of them."""
        whitened: Array = (y @ self.axes / self.lengths) @ self.axes.T
        return whitened

    def _decompose(self) -> None:
        """Take the axes and lengths of C anew; what rounding made negative is held above zero."""
        self.covariance = (self.covariance + self.covariance.T) / 2
        squares, self.axes = np.linalg.eigh(self.covariance)
        least = 1e-14 * squares[-1]
        if squares[0] < least:
            squares = np.maximum(squares, least)
            self.covariance = (self.axes * squares) @ self.axes.T
        self.lengths = np.sqrt(squares)

    def retreat(self) -> None:
        """Bring the mean half way back to the best point."""
        self.mean = (self.mean + self.best) / 2
