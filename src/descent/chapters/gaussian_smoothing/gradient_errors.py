r"""Chapter 7: the error of the score-function gradient, in closed form and measured.

The search distribution is N(0, I) in d dimensions. The mean's gradient is tested on
f = x₁ + c, the covariance's on f = (|x|² - d)/2 + c: the true gradients are the first
unit vector and I/2, and c is what a perfect baseline would take away.
"""

from collections.abc import Callable

import numpy as np

from descent.arguments import Array
from descent.kept import kept
from descent.search_distributions import leave_one_out, score_function_gradient


def mean_gradient_error(d: int, n: int, offset: float = 0.0) -> float:
    r"""Relative root-mean-square error of the gradient by μ from n samples.

    .. math:: \sqrt{(d + 1 + c^2 d)/n}

    Examples
    --------
    >>> mean_gradient_error(3, 100)
    0.2
    """
    return float(np.sqrt((d + 1 + offset**2 * d) / n))


def covariance_gradient_error(d: int, n: int, offset: float = 0.0) -> float:
    r"""Relative root-mean-square error of the gradient by Σ from n samples.

    .. math:: \sqrt{\big(\tfrac12 d^2 + \tfrac{13}2 d + 7 + (4 c + c^2)(d + 1)\big)/n}

    From the central moments 2d, 8d and 12d² + 48d of the chi-squared law of |x|².

    Examples
    --------
    >>> covariance_gradient_error(1, 14)
    1.0
    """
    square = d**2 / 2 + 13 * d / 2 + 7 + (4 * offset + offset**2) * (d + 1)
    return float(np.sqrt(square / n))


@kept
def measured_errors(
    d: int, n: int, rng: np.random.Generator, offset: float = 0.0, repeats: int = 400
) -> tuple[float, float]:
    """Return the two relative errors as measured over repeated estimates."""
    origin, unit = np.zeros(d), np.eye(d)
    by_mean = by_covariance = 0.0
    for _ in range(repeats):
        x = rng.standard_normal((n, d))
        mean = score_function_gradient(x[:, 0] + offset, x, origin, unit).mean
        bowl = ((x * x).sum(axis=1) - d) / 2 + offset
        covariance = score_function_gradient(bowl, x, origin, unit).covariance
        by_mean += float(((mean - unit[0]) ** 2).sum())
        by_covariance += float(((covariance - unit / 2) ** 2).sum())
    return float(np.sqrt(by_mean / repeats)), float(np.sqrt(by_covariance / repeats / (d / 4)))


def expected_gradient(
    f: Callable[[Array], Array], mean: Array, covariance: Array, n: int, baseline: bool = False
) -> tuple[Array, Array]:
    """Return the exact expectation of the estimator from n samples, for polynomials in 1-D.

    Every sample runs over the nodes of a Gauss–Hermite rule, all combinations of n
    samples with their weights: no random number is drawn.
    """
    nodes, weights = np.polynomial.hermite_e.hermegauss(6)
    x = mean[0] + np.sqrt(covariance[0, 0]) * nodes
    weights = weights / weights.sum()
    index = np.stack(np.meshgrid(*[np.arange(6)] * n, indexing="ij"), -1).reshape(-1, n)
    totals = [np.zeros(1), np.zeros((1, 1))]
    for row in index:
        samples = x[row][:, None]
        values = f(samples)
        gradient = score_function_gradient(
            leave_one_out(values) if baseline else values, samples, mean, covariance
        )
        chance = weights[row].prod()
        totals[0] = totals[0] + chance * gradient.mean
        totals[1] = totals[1] + chance * gradient.covariance
    return totals[0], totals[1]
