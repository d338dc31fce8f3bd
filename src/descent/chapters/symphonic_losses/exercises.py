"""Chapter 9: the answers to its exercises, and what comes of mistakes."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
from scipy.optimize import brentq

from descent.arguments import Array
from descent.chapters.symphonic_losses import numbers
from descent.perlin import aligned_layers

SEEDS = range(5)


def _curvatures(seed: int) -> Array:
    layers = aligned_layers(8, 16, 1, np.random.default_rng(seed))
    return np.asarray(layers.hessian(np.zeros(1))[:, 0, 0])


def exponent_of_alternation() -> Callable[[Array, float], float]:
    """Return the growth rate as a function of the curvatures and the step."""
    return lambda h, eta: float(np.mean(np.log(np.abs(1 - eta * np.asarray(h)))))


def logarithm_of_the_mean() -> Callable[[Array, float], float]:
    """Return the logarithm of the mean factor, which is that of the mean walker."""
    return lambda h, eta: float(np.log(np.mean(np.abs(1 - eta * np.asarray(h)))))


def exponent_of_the_sum() -> Callable[[Array, float], float]:
    """Return the growth rate of descent in the mean of the losses."""
    return lambda h, eta: math.log(abs(1 - eta * float(np.mean(h))))


def curvatures_and_steps() -> list[tuple[Array, float]]:
    """Return curvatures and steps at which the rate is tried."""
    return [(_curvatures(seed), eta) for seed in (1, 2) for eta in (0.1, 0.25)]


def _density(m2: float, m4: float) -> float:
    return math.sqrt(m4 / m2) / (2 * math.pi)


def density_with_a_finer_layer() -> float:
    """Return the density of minima of a layer and one with a lattice four times finer."""
    m2, m4 = numbers.spectral_moments()
    return _density(m2 + 4**2 * m2, m4 + 4**4 * m4)


def mean_of_the_densities() -> float:
    """Return the mean of the two densities."""
    m2, m4 = numbers.spectral_moments()
    return (_density(m2, m4) + _density(4**2 * m2, 4**4 * m4)) / 2


def density_of_the_finer_layer() -> float:
    """Return the density of the finer layer alone."""
    m2, m4 = numbers.spectral_moments()
    return _density(4**2 * m2, 4**4 * m4)


def ratio_where_caught() -> float:
    """Return the median of minus one gradient over the other where the weights hold a walker."""
    pair = aligned_layers(2, 64, 1, np.random.default_rng(2))
    gradient = pair.gradient(numbers.grid(64, 512, 1))
    caught = numbers.stuck_points(numbers.field("gradient_norm", gradient)[:, 0])
    return float(np.median(-gradient[caught, 0, 0] / gradient[caught, 1, 0]))


def limits_of_alternation() -> tuple[float, ...]:
    """Return the step up to which random alternation is stable, for five draws."""
    rate = exponent_of_alternation()
    found = []
    for seed in SEEDS:
        h = _curvatures(seed)
        eta = np.linspace(0.01, 1, 991)
        crossed = eta[np.argmax([rate(h, step) > 0 for step in eta])]
        found.append(float(brentq(lambda step, h=h: rate(h, step), crossed - 0.001, crossed)))
    return tuple(found)


def limits_of_the_sum() -> tuple[float, ...]:
    """Return two over the mean curvature, for five draws."""
    return tuple(float(2 / _curvatures(seed).mean()) for seed in SEEDS)
