"""Chapter 4: the answers to its exercises, and what comes of mistakes."""

from fractions import Fraction

import numpy as np
from scipy.special import lambertw

from descent import information
from descent.arguments import Array
from descent.chapters.without_uncertainty.numbers import GAIN
from descent.systems import smart_thermostat


def limit_of_lopsided_starts() -> float:
    """Return the limit of adjusted strength over entropy, from tiny starts."""
    ratios = []
    for n in (20, 40, 80):
        e = Fraction(1, 10**n)
        room, thermostat = (
            np.array([p / 2, 1 - p, p / 2]) for p in (e, e**2)
        )  # fmt: skip
        start = np.multiply.outer(thermostat, room)
        joint = information.push_forward(start, smart_thermostat())
        strength = information.adjusted_optimizing_strength(joint, smart_thermostat())
        ratios.append(float(strength) / float(information.entropy(start)))
    # What is missing falls like 1/n: extrapolate it away.
    return 2 * ratios[2] - ratios[1]


def gain_without_widening() -> float:
    """Return the gain at which k/2 + log k = 0, by Lambert's function."""
    return float(2 * lambertw(0.5).real)


def gain_with_a_whole_side() -> float:
    """Return the gain at which k + log k = 0."""
    return float(lambertw(1.0).real)


def strength_of_the_scaled_memory() -> float:
    """Return the adjusted strength of exercise 4, by quadrature over the square."""
    m, k = 1 / 20, GAIN
    nodes, weights = np.polynomial.legendre.leggauss(16)
    r, s = (axis.ravel() for axis in np.meshgrid(*[10 + 2.5 * nodes] * 2))
    share = np.outer(weights, weights).ravel() / 4
    room, thermostat = r - k * s, r * (1 + m * s)

    def log_jacobian(room: Array, thermostat: Array) -> Array:
        return np.log(m * room + k * (1 + m * thermostat))

    tied = share @ log_jacobian(room, thermostat)
    apart = share @ log_jacobian(room[:, None], thermostat[None, :]) @ share
    return float(apart - tied)
