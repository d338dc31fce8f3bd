r"""Chapter 10: how well an estimate points along the gradient, and what theory says about it.

The loss is linear over the distance that the methods probe, with a gradient of length 1.
Then a perturbation z raises it by the component of z along the gradient, a standard normal
variable, and everything follows from the statistics of such variables.
"""

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from scipy import integrate, special, stats

from descent.arguments import Array


def largest_of(n: int) -> float:
    r"""Return the mean of the largest of n standard normal variables.

    .. math:: e_n = n \int x\, \varphi(x)\, \Phi(x)^{n-1}\, dx

    Examples
    --------
    >>> round(largest_of(2), 6) == round(1 / math.sqrt(math.pi), 6)
    True
    """
    density = stats.norm.pdf
    value, _ = integrate.quad(
        lambda x: n * x * density(x) * stats.norm.cdf(x) ** (n - 1), -9, 9, epsabs=1e-12
    )
    return float(value)


def mean_size() -> float:
    r"""Return the mean of the absolute value of a standard normal variable, √(2/π)."""
    value, _ = integrate.quad(lambda x: 2 * x * stats.norm.pdf(x), 0, np.inf, epsabs=1e-12)
    return float(value)


def one_direction(d: int) -> float:
    r"""Return the mean cosine of a random direction with the right sign; exact.

    .. math:: \frac{\Gamma(d/2)}{\sqrt{\pi}\, \Gamma((d+1)/2)}
              \approx \sqrt{\frac{2}{\pi d}}
    """
    return float(np.exp(special.gammaln(d / 2) - special.gammaln((d + 1) / 2)) / math.sqrt(math.pi))


def best_of(n: int, d: int) -> float:
    r"""Return the mean cosine of the best of n random directions; for large d about e_n/√d.

    The best has the component a, the largest of n normal variables, and at right angles to the
    gradient a squared length R, a chi-squared variable of d - 1 degrees of freedom: the mean of
    :math:`a / \sqrt{a^2 + R}`. It counts as zero where even the best raises the loss.
    """
    a = (np.arange(4000) + 0.5) / 400
    density = n * stats.norm.pdf(a) * stats.norm.cdf(a) ** (n - 1) / 400
    r = stats.chi2.ppf((np.arange(200) + 0.5) / 200, d - 1)
    return float(density @ (a[:, None] / np.sqrt(a[:, None] ** 2 + r)).mean(1))


def average_of_signs(n: int, d: int) -> float:
    r"""Return the cosine of the mean of n directions, each with the right sign.

    The mean's component along the gradient is :math:`\sqrt{2/\pi}`, and the variance 1/n of
    each of the other d - 1 makes up the rest. For large d it is
    :math:`\sqrt{2 n / (\pi d)}`.
    """
    along = n * mean_size() ** 2
    return math.sqrt(along / (along + d - 1))


def root_of_beta(a: float, b: float) -> float:
    """Return the mean of the root of a variable with a beta distribution."""
    logs = special.gammaln([a + 0.5, a + b, a, a + b + 0.5])
    return float(np.exp(logs[0] + logs[1] - logs[2] - logs[3]))


def average_of_differences(n: int, d: int) -> float:
    r"""Return the mean cosine of the mean of n directions, each times its difference; exact.

    With S the sum of the squares of the n differences, the sum has the component S along the
    gradient and a variance S in every other coordinate. So the squared cosine is
    :math:`S / (S + R)` with chi-squared variables of n and d - 1 degrees of freedom, which has
    a beta distribution. For large d the mean cosine is :math:`\mathbb E \chi_n / \sqrt d`, a
    little below :math:`\sqrt{n/d}`.
    """
    return root_of_beta(n / 2, (d - 1) / 2)


def subspace(n: int, d: int) -> float:
    r"""Return the mean cosine of the gradient with its projection on n random directions; exact.

    The best that n differences allow. The squared cosine has a beta distribution with the
    parameters n/2 and (d - n)/2; it is 1 from n = d on.
    """
    return root_of_beta(n / 2, (d - n) / 2) if n < d else 1.0


def constants(n: int = 10) -> dict[str, float]:
    """Return the mean cosine times the root of d, for large d, of each use of n directions."""
    length = math.sqrt(2) * math.exp(math.lgamma((n + 1) / 2) - math.lgamma(n / 2))  # E chi_n
    return {
        "one direction, its sign": mean_size(),
        f"best of {n}": largest_of(n),
        f"{n} signs averaged": mean_size() * math.sqrt(n),
        f"{n} differences averaged": length,
    }


Estimator = Callable[[Callable[[Any], float], torch.Tensor], torch.Tensor]
"""From a loss and a point to an estimate of the gradient."""


def cosines(
    estimator: Callable[[torch.Generator, torch.Tensor], Estimator],
    d: int,
    repetitions: int,
    seed: int,
) -> tuple[Array, float]:
    """Measure the cosine of an estimator with the gradient of a linear loss.

    Parameters
    ----------
    estimator : callable
        Makes the estimator for a generator and a point.
    d, repetitions, seed : int
        The gradient's direction is drawn anew each time. An estimate of zero has cosine 0.

    Returns
    -------
    cosines : array (repetitions,)
    evaluations : float
        Mean number of evaluations of an estimate.
    """
    generator = torch.Generator().manual_seed(seed)
    made, count = [], 0
    for _ in range(repetitions):
        gradient = torch.randn(d, generator=generator, dtype=torch.float64)
        gradient /= gradient.norm()
        x = torch.zeros(d, dtype=torch.float64)

        def loss(x: torch.Tensor, gradient: torch.Tensor = gradient) -> float:
            nonlocal count
            count += 1
            return float(gradient @ x)

        estimate = estimator(generator, x)(loss, x)
        made.append(float(estimate @ gradient / estimate.norm().clamp_min(1e-300)))
    return np.array(made), count / repetitions
