"""Chapter 7: how far a blur moves a function, and what blurs by other distributions do.

An average of sin(x)/x under x + σz damps each of its waves cos kx by the characteristic function
φ(σk) of z, and so f_σ(x) = ∫ cos(kx) φ(σk) dk over [0, 1], whatever the distribution of z.
"""

from collections.abc import Callable
from functools import cache
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from scipy.special import ndtr

from descent.arguments import Array
from descent.kept import kept
from descent.smoothing import Smoothed, smoothed_sinc

SLOPE, BEND = 0.43618181727, 1 / 3
"""The steepest slope of sin(x)/x and its largest second derivative, which is that at 0."""
_NODES, _WEIGHTS = np.polynomial.legendre.leggauss(64)
_K, _DK = (_NODES + 1) / 2, _WEIGHTS / 2
_SIDE = np.sqrt(3)  # half the width of the uniform distribution of variance 1


class Blur(NamedTuple):
    """A symmetric distribution: characteristic function φ and its slope, density, and P(z < u)."""

    damps: Callable[[Array], Array]
    slope: Callable[[Array], Array]
    density: Callable[[Array], Array]
    below: Callable[[Array], Array]


def _box(u: Array) -> Array:
    return np.asarray(np.sinc(_SIDE * u / np.pi))


def _box_slope(u: Array) -> Array:
    small = np.abs(u) < 1e-4
    safe = np.where(small, 1.0, u)
    return np.where(small, -u, (np.cos(_SIDE * safe) - _box(safe)) / safe)


BLURS = {
    "Gaussian": Blur(
        lambda u: np.exp(-u * u / 2),
        lambda u: -u * np.exp(-u * u / 2),
        lambda u: np.exp(-u * u / 2) / np.sqrt(2 * np.pi),
        ndtr,
    ),
    "uniform": Blur(
        _box,
        _box_slope,
        lambda u: (np.abs(u) < _SIDE) / (2 * _SIDE),
        lambda u: np.clip(0.5 + u / (2 * _SIDE), 0, 1),
    ),
    "Laplace": Blur(
        lambda u: 1 / (1 + u * u / 2),
        lambda u: -u / (1 + u * u / 2) ** 2,
        lambda u: np.exp(-np.sqrt(2) * np.abs(u)) / np.sqrt(2),
        lambda u: 0.5 + np.sign(u) * (1 - np.exp(-np.sqrt(2) * np.abs(u))) / 2,
    ),
    "Cauchy": Blur(
        lambda u: np.exp(-np.abs(u)),
        lambda u: -np.sign(u) * np.exp(-np.abs(u)),
        lambda u: 1 / (np.pi * (1 + u * u)),
        lambda u: 0.5 + np.arctan(u) / np.pi,
    ),
}
"""Of variance 1, but for Cauchy's distribution, which has none; there σ is half the width at half
the height."""


def blurred_sinc(blur: str) -> Callable[[npt.ArrayLike, npt.ArrayLike], Smoothed]:
    """Return sin(x)/x blurred by a distribution, with its derivatives by x and by σ."""
    damps, slope = BLURS[blur][:2]

    def smoothed(x: npt.ArrayLike, sigma: npt.ArrayLike) -> Smoothed:
        x, sigma = np.broadcast_arrays(np.asarray(x, float), np.asarray(sigma, float))
        kx, u = x[..., None] * _K, sigma[..., None] * _K
        wave, damped = np.cos(kx), _DK * damps(u)
        return Smoothed(
            (wave * damped).sum(-1),
            -(np.sin(kx) * _K * damped).sum(-1),
            (wave * _K * _DK * slope(u)).sum(-1),
        )

    return smoothed


class Staircase(NamedTuple):
    """A function that is 0 far out and jumps by ``heights`` at ``places``."""

    places: Array
    heights: Array

    def __call__(self, x: Array) -> Array:
        """Return its values."""
        return np.asarray(((x[..., None] > self.places) * self.heights).sum(-1))

    def blurred(self, x: Array, sigma: float, blur: str) -> Array:
        """Return the average of its values under x + σz."""
        below = BLURS[blur].below((x[..., None] - self.places) / sigma)
        return np.asarray(below @ self.heights)

    def maxima(self, x: Array, sigma: float, blur: str) -> int:
        """Count the maxima of its blurred copy on a grid, plateaus as one."""
        slope = BLURS[blur].density((x[:, None] - self.places) / sigma) @ self.heights
        sign = np.sign(np.where(np.abs(slope) < 1e-10 * np.abs(self.heights).max(), 0, slope))
        sign = sign[sign != 0]
        return int(((sign[:-1] > 0) & (sign[1:] < 0)).sum())

    def peaks(self) -> int:
        """Count its own maxima."""
        sign = np.sign(self.heights[self.heights != 0])
        return int(((sign[:-1] > 0) & (sign[1:] < 0)).sum())


SPIKE = Staircase(np.array([-0.2, 0.0, 14.0]), np.array([9.0, -8.0, -1.0]))
"""One peak with a long shelf behind it."""


def random_staircase(rng: np.random.Generator, n: int = 8) -> Staircase:
    """Draw n steps on [0, 10], their ends and their heights uniform."""
    levels = np.concatenate([[0.0], rng.uniform(size=n), [0.0]])
    return Staircase(np.sort(rng.uniform(0, 10, n + 1)), np.diff(levels))


class Bred(NamedTuple):
    """How many staircases a blur gave more maxima than they had, and than a narrower blur left."""

    more_than_before: int
    more_than_narrower: int


@cache
@kept
def breeding(blur: str, n: int = 100) -> Bred:
    """Count the staircases among ``n`` whose maxima become more, at any of twelve widths."""
    x = np.linspace(-15, 25, 3001)
    before = narrower = 0
    for seed in range(n):
        stairs = random_staircase(np.random.default_rng([7, seed]))
        counts = [stairs.maxima(x, sigma, blur) for sigma in np.geomspace(0.05, 5, 12)]
        before += max(counts) > stairs.peaks()
        narrower += bool((np.diff(counts) > 0).any())
    return Bred(before, narrower)


def home(blur: str, sigma: float, reach: float = 100.0) -> float:
    """Return from how far to the right of 0 a climb in x alone comes home to 0 on sin(x)/x.

    0 if 0 is no top; infinite if there is no valley up to ``reach``.
    """
    x = np.arange(0.01, reach, 0.02)
    (up,) = np.nonzero(blurred_sinc(blur)(x, sigma).dx > 0)
    if not len(up):
        return np.inf
    return float(x[up[0]]) if up[0] else 0.0


def semigroup_gap(blur: str) -> float:
    """Return how far a blur of a blur is from the nearest blur of the kind, relative to it.

    Two blurs with σ = 1 damp the wave k by φ(k)². The nearest is that width s which makes
    the largest difference from φ(sk) over all k least.
    """
    k = np.linspace(0, 12, 2401)
    damps = BLURS[blur].damps
    return float(min(np.abs(damps(k) ** 2 - damps(s * k)).max() for s in np.linspace(1, 2.5, 1501)))


def distances(sigmas: Array) -> Array:
    """Return, for each σ, how far f_σ is from f at most, for sin(x)/x and for |x|."""
    x = np.linspace(-20, 20, 4001)
    flat = np.sinc(x / np.pi)
    gaps = [np.abs(smoothed_sinc(x, np.full_like(x, s)).value - flat).max() for s in sigmas]
    z = x / sigmas[:, None]
    blurred = sigmas[:, None] * (
        2 * np.exp(-z * z / 2) / np.sqrt(2 * np.pi) + z * (2 * ndtr(z) - 1)
    )
    return np.array([gaps, np.abs(blurred - np.abs(x)).max(axis=1)])
