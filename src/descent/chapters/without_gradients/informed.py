"""Chapter 10: rivals at equal information for the ideas that are told residuals.

Both are told what ensemble Kalman inversion is told, and pay one evaluation for it, too.
"""

from collections.abc import Callable

import numpy as np
import torch

from descent.arguments import Array
from descent.chapters.without_gradients.numbers import Evaluations
from descent.chapters.without_gradients.racing import Method

Residuals = Callable[[Array], Array]
"""Points (..., d) to residuals (..., r)."""


def residuals_of(f: Evaluations) -> Residuals:
    """Return what tells residuals, infinite where they are not a number, and counts each point."""

    def told(x: Array) -> Array:
        found = f.residuals(torch.from_numpy(np.asarray(x, float))).numpy()
        return np.where(np.isnan(found), np.inf, found)

    return told


def slopes(told: Residuals, x: Array) -> Array:
    """Return the derivatives (r, d) by forward differences as long as SciPy's own: d + 1 points."""
    h = np.finfo(float).eps ** 0.5 * np.maximum(1.0, np.abs(x))
    around = told(np.vstack([x, x + np.diag(h)]))
    with np.errstate(invalid="ignore"):  # of two infinities
        return np.asarray((around[1:] - around[0]).T / h)


def _restarted(f: Evaluations, seed: int, descend: Callable[[Residuals, Array], None]) -> None:
    """Descend again from elsewhere when a descent has ended, as CMA-ES does in this race."""
    rng, start, told = np.random.default_rng(seed), f.problem.start.numpy(), residuals_of(f)
    while True:
        descend(told, start)
        start = f.problem.start.numpy() + rng.normal(0, 1, len(start))


def least_squares(f: Evaluations, seed: int) -> None:
    """Least squares by SciPy, whose derivatives are differences and count."""
    from scipy import optimize

    exact = dict.fromkeys(("ftol", "xtol", "gtol"), 1e-15)

    def descend(told: Residuals, start: Array) -> None:
        optimize.least_squares(told, start, lambda x: slopes(told, x), **exact)

    _restarted(f, seed, descend)


FAILURES = 4
"""Steps in a row that lower nothing, after which the derivatives are measured anew."""


def secant_gauss_newton(f: Evaluations, seed: int) -> None:
    r"""Gauss–Newton that learns its derivatives from its own steps.

    After a step s that changed the residuals r by y, the derivatives J become
    :math:`J + (y - J s) s^T / s^T s` (Broyden), so that a step costs one evaluation where
    differences cost d. The step is damped as by Levenberg and Marquardt.
    """

    def descend(told: Residuals, start: Array) -> None:
        x, r = start, told(start)
        j, damping, failures, fresh = slopes(told, x), 1e-3, 0, True
        while np.isfinite(j).all():
            scale = max(float((j**2).sum(0).max()), 1e-300)
            normal = j.T @ j + damping * scale * np.eye(len(x))
            s = -np.linalg.solve(normal, j.T @ r)
            length = float(s @ s)
            if not np.isfinite(length) or length <= (1e-15 * max(1.0, np.abs(x).max())) ** 2:
                return
            new = told(x + s)
            if np.isfinite(new).all():
                j = j + np.outer(new - r - j @ s, s) / length
            if (new**2).sum() < (r**2).sum():
                x, r, damping, failures, fresh = x + s, new, damping / 5, 0, False
                damping = max(damping, 1e-15)
                continue
            damping, failures = 5 * damping, failures + 1
            if failures >= FAILURES:
                if fresh:
                    return
                j, failures, fresh = slopes(told, x), 0, True

    _restarted(f, seed, descend)


def _fixed(race: Callable[..., None]) -> Method:
    return Method(race, [{}], {"landscape": {}, "network": {}}, fixed=True)


LEAST_SQUARES = "SciPy least squares"
"""What an idea that is told residuals is judged against."""
INFORMED: dict[str, Method] = {
    LEAST_SQUARES: _fixed(least_squares),
    "Gauss–Newton by secants": _fixed(secant_gauss_newton),
}
"""They have nothing to be tuned: SciPy's defaults, and constants that were not searched for."""
