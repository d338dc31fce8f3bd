"""Chapter 7: the noise of four estimates of the gradient of the smoothed sinc, without sampling.

With score s, which is z/σ for x and (z² − 1)/σ for σ, the gradient is E f s. What an estimate of
it from N values of f varies by is a few averages over one Gaussian, taken here by quadrature.
"""

from typing import NamedTuple

import numpy as np

from descent.arguments import Array
from descent.landscapes import sinc

N = 50  # values of f, or of its derivative
_Z, _DZ = np.linspace(-10, 10, 8001, retstep=True)
_P = np.exp(-_Z * _Z / 2) / np.sqrt(2 * np.pi) * _DZ
_NODES, _WEIGHTS = np.polynomial.legendre.leggauss(64)


class Noise(NamedTuple):
    """Standard deviations of estimates from N values, by x and by σ, over the slope's size."""

    plain: Array
    baseline: Array
    pairs: Array
    pairs_with_baseline: Array
    derivatives: Array


def mean(values: Array) -> float:
    """Return an average over N(0, 1)."""
    return float(values @ _P)


def _variance(values: Array) -> float:
    return mean(values**2) - mean(values) ** 2


def _of_covariance(f: Array, s: Array, n: int) -> float:
    """Return the variance of the sample covariance of f and s over n draws."""
    f, s = f - mean(f), s - mean(s)
    c = mean(f * s)
    rest = mean(f * f) * mean(s * s) - (n - 2) * c * c
    return (mean((f * s) ** 2) + rest / (n - 1)) / n


def derivatives(x: Array) -> tuple[Array, Array]:
    """Return f' and f'' of sin(x)/x, as the integrals of its waves."""
    k, weights = (_NODES + 1) / 2, _WEIGHTS / 2
    kx = np.asarray(x)[..., None] * k
    return -np.sin(kx) @ (weights * k), -np.cos(kx) @ (weights * k * k)


def noise(x: float, sigma: float, offset: float = 0.0) -> Noise:
    """Return the noise of the estimates at a place, for sin(x)/x plus an offset."""
    f = sinc(x + sigma * _Z) + offset
    odd, even = (f - f[::-1]) / 2, (f + f[::-1]) / 2
    scores = np.array([_Z, _Z * _Z - 1]) / sigma
    first, second = derivatives(x + sigma * _Z)
    variances = [
        [_variance(f * s) / N for s in scores],
        [_of_covariance(f, s, N) for s in scores],
        [2 * _variance(part * s) / N for part, s in zip((odd, even), scores, strict=True)],
        [2 * _variance(odd * scores[0]) / N, _of_covariance(even, scores[1], N // 2)],
        [_variance(first) / N, _variance(sigma * second) / N],
    ]
    slope = np.hypot(mean(f * scores[0]), mean(f * scores[1]))
    return Noise(*(np.sqrt(v) / slope for v in variances))
