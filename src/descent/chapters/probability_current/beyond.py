"""Chapter 2: wide and narrow minima, the next order in the step size, and the plane."""

from collections.abc import Callable
from functools import cache
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from descent.arguments import Array
from descent.chapters.probability_current.numbers import centres
from descent.fokker_planck import stationary_density
from descent.fokker_planck.diffusion_limit import (
    Diffusion,
    diffusion_limit,
    linear,
    linear_moments,
    modified_equation,
)
from descent.landscapes import FiniteSum
from descent.markov.chain_density import circle_law

BARRIER, NOISE = 0.06, 1.0


def in_its_well(w: npt.ArrayLike, ratio: float) -> tuple[Array, Array]:
    """Return the width of the well that holds W, and the place in it on a scale from 0 to 1."""
    place = np.asarray(np.mod(np.asarray(w, float), 1 + ratio))
    narrow = place < 1
    return np.where(narrow, 1.0, ratio), np.where(narrow, place, (place - 1) / ratio)


def two_widths(ratio: float, wide_noise: float | None = None) -> FiniteSum:
    """Return a circle with a well of width 1 and its copy, wider by a ratio in every loss.

    The mean loss rises by BARRIER from each bottom to the tops at 0 and 1; the sample
    gradients lie NOISE above and below its slope, in the wide well `wide_noise`, which is
    NOISE divided by the ratio if it is not given.
    """

    def gradients(w: npt.ArrayLike) -> Array:
        scale, u = in_its_well(w, ratio)
        slope_of_mean = -np.pi * BARRIER * np.sin(2 * np.pi * u) / scale
        wide = NOISE / ratio if wide_noise is None else wide_noise
        noise = np.where(scale == 1, NOISE, wide)
        return np.stack([slope_of_mean + noise, slope_of_mean - noise])

    def curvatures(w: npt.ArrayLike) -> Array:
        scale, u = in_its_well(w, ratio)
        bend = -2 * np.pi**2 * BARRIER * np.cos(2 * np.pi * u) / scale**2
        return np.stack([bend, bend])

    return FiniteSum(
        losses=lambda w: np.full((2, *np.shape(w)), np.nan), gradients=gradients,
        curvatures=curvatures,
    )  # fmt: skip


class Widths(NamedTuple):
    """Stationary laws on the circle of `two_widths`."""

    edges: Array
    chain: Array
    ito: Array

    def ratio(self, law: Array) -> float:
        """Return the density at the bottom of the wide well over that of the narrow one."""
        wide = (1 + self.edges[-1]) / 2
        at = centres(self.edges)
        near = [np.abs(at - bottom) < 0.03 for bottom in (0.5, wide)]
        return float(law[near[1]].mean() / law[near[0]].mean())


@cache
def widths(ratio: float, T: float, cells: int = 3000, wide_noise: float | None = None) -> Widths:
    """Return chain and Itô law for a ratio of widths and a step size."""
    model, edges = two_widths(ratio, wide_noise), np.linspace(0, 1 + ratio, cells + 1)
    return Widths(
        edges,
        circle_law(model, step_size=T, edges=edges),
        stationary_density(*diffusion_limit(model, T), edges, "ito", "periodic"),
    )


def narrow_exponent(T: float) -> float:
    """Return Φ = ∫ 2G/(T S²) dW from the bottom of the narrow well to its top."""
    return 2 * BARRIER / (T * NOISE**2)


# The next order, and two dimensions


def next_order_errors(sizes: Array) -> dict[str, tuple[Array, Array]]:
    """Return errors of transient mean and stationary variance, for g = W ± 0.3.

    The mean at T·t = 1 from a start at 1, absolute; the variance relative. Each equation
    is linear, so its moments are known in closed form; so are those of the chain.
    """
    model = linear([1.0, 1.0], [-0.3, 0.3])
    equations: dict[str, Callable[[float], Diffusion]] = {
        "first order": lambda T: diffusion_limit(model, T),
        "next-order drift": lambda T: modified_equation(model, T),
        "next-order drift and noise": lambda T: modified_equation(model, T, noise=True),
    }
    found = {}
    for name, equation in equations.items():
        mean_errors, variance_errors = [], []
        for T in sizes:
            drift, variance = equation(T)
            rate, noise, n = -float(drift(1.0)), float(variance(0.0)), round(1 / T)
            mean, _ = linear_moments([1.0, 1.0], [-0.3, 0.3], T, 1.0, 0.0, n)
            stationary = T * 0.3**2 / (2 - T)
            mean_errors.append(abs(np.exp(-rate * n) - mean[-1]))
            variance_errors.append(abs(noise / (2 * rate) / stationary - 1))
        found[name] = np.array(mean_errors), np.array(variance_errors)
    return found


class Plane(NamedTuple):
    """SGD on the quadratic losses ½ Wᵀ A W + s_jᵀ W in the plane."""

    A: Array
    samples: Array
    T: float

    @property
    def noise(self) -> Array:
        """Covariance of the sample gradients."""
        return np.asarray(self.samples.T @ self.samples / len(self.samples))

    def covariance(self, exact: bool) -> Array:
        """Return the stationary covariance of the chain, or of its diffusion limit."""
        a = np.diag(self.A)
        product = self.T * np.outer(a, a) if exact else 0.0
        return np.asarray(self.T * self.noise / (a[:, None] + a[None, :] - product))

    def rotation(self, exact: bool) -> float:
        """Return E[W₁ ΔW₂ - W₂ ΔW₁] of a stationary step."""
        a, c = np.diag(self.A), self.covariance(exact)
        return float(self.T * (a[0] - a[1]) * c[0, 1])

    def velocity(self, w: Array) -> Array:
        """Return J/P of the stationary diffusion at points (..., 2)."""
        push = self.T / 2 * self.noise @ np.linalg.inv(self.covariance(exact=False)) - self.A
        return np.asarray(self.T * w @ push.T)

    def simulate(self, walkers: int, n_steps: int, rng: np.random.Generator) -> Array:
        """Return (n_steps + 1, walkers, 2) of a run that starts in the stationary Gaussian."""
        path = np.empty((n_steps + 1, walkers, 2))
        path[0] = rng.multivariate_normal([0, 0], self.covariance(exact=True), walkers)
        for n in range(n_steps):
            draw = self.samples[rng.integers(len(self.samples), size=walkers)]
            path[n + 1] = path[n] - self.T * (path[n] @ self.A + draw)
        return path


def plane() -> Plane:
    """Return an example in which curvature and noise do not share their axes."""
    root = np.linalg.cholesky([[1.0, 0.8], [0.8, 1.0]])
    samples = np.sqrt(2) * np.vstack([root.T, -root.T])
    return Plane(np.diag([1.0, 4.0]), samples, 0.1)
