"""Chapter 4: thermostats from independent, ever narrower starts (source 003, post 6)."""

import math
from collections.abc import Callable
from fractions import Fraction
from functools import cache
from typing import Any, NamedTuple

import numpy as np
from scipy.integrate import solve_ivp

from descent import information
from descent.arguments import Array
from descent.chapters.joint_distributions.numbers import THERMOSTATS
from descent.information import Distribution, differential_entropy
from descent.information.differential_entropy import Spread
from descent.systems import FiniteSystem

SIDE, GAIN, CENTRE = 0.1, 0.3, 10.0
"""The source's continuous thermostat: side ε of the square, gain k, centre of the square."""


def cycles(system: FiniteSystem) -> list[list[tuple[int, int]]]:
    """Return the cycles that the states end in, shortest first."""
    found: dict[frozenset[tuple[int, int]], list[tuple[int, int]]] = {}
    for state in np.ndindex(system.shape):
        trail = [state]
        while trail.count(trail[-1]) == 1:
            i, j = system.step(*trail[-1])
            trail.append((int(i), int(j)))
        ring = trail[trail.index(trail[-1]) : -1]
        found.setdefault(frozenset(ring), ring)
    return sorted(found.values(), key=len)


def erased_step_by_step(joint: Distribution, system: FiniteSystem, n_steps: int) -> list[float]:
    """Return the entropy that each of n steps erases, in bits."""
    erased = []
    for _ in range(n_steps):
        erased.append(information.erased_entropy(joint, system))
        joint = information.push_forward(joint, system)
    return erased


# The narrow starts.


class Narrow(NamedTuple):
    """One member of the ε-family, in bits: the entropy of the start and both strengths."""

    start: float
    strength: float
    adjusted: float


def narrow(epsilon: float | Fraction, system: FiniteSystem) -> Narrow:
    """Return the strengths of the narrow start after one step, and the start's entropy."""
    start = information.narrow_start(epsilon)
    joint = information.push_forward(start, system)
    return Narrow(
        information.entropy(start),
        information.optimizing_strength(joint, system),
        information.adjusted_optimizing_strength(joint, system),
    )


def next_term(epsilon: float) -> float:
    """Return the ratio of adjusted strength and start's entropy to first order in ε."""
    log = -math.log(epsilon)
    slope = (7 * log + 6 + 5 * math.log(2)) / (log + 1 + math.log(2)) / 4
    return 0.5 - slope * epsilon


def instant_thermostat() -> FiniteSystem:
    """Return a thermostat that brings every state to (low, warm) in one step."""
    centre = np.full((3, 3), 1)
    dumb = THERMOSTATS["dumb"]
    return FiniteSystem(dumb.thermostat, dumb.room, centre, centre)


def naive_entropy(distribution: Distribution) -> float:
    """Return -Σ p log₂ p as it stands, in bits: no digits are left of a nearly certain outcome."""
    p = np.asarray(distribution, float)
    p = p[p > 0]
    return float(-(p * np.log2(p)).sum())


def naive_adjusted(epsilon: float, system: FiniteSystem) -> float:
    """Return the adjusted strength of the narrow start with the entropies taken naively."""
    joint = information.push_forward(information.narrow_start(epsilon), system)
    mixed = information.decorrelate(joint)
    after, after_mixed = (information.push_forward(p, system) for p in (joint, mixed))
    return (
        naive_entropy(after_mixed)
        - naive_entropy(after)
        - naive_entropy(mixed)
        + naive_entropy(joint)
    )


def printed_family(epsilon: Fraction) -> tuple[Distribution, Distribution]:
    """Return the source's tables of P_t and P_{t+1} for the smart thermostat."""
    e = epsilon
    side, corner = e * (1 - e) / 2, e * (1 - e) / 2 + e**2 / 4
    zero = Fraction(0)
    now = [[zero, zero, corner], [side, (1 - e) ** 2 + e**2 / 2, side], [corner, zero, zero]]
    after = [[zero, zero, side], [zero, 1 - e * (1 - e), zero], [side, zero, zero]]
    return np.array(now, dtype=object), np.array(after, dtype=object)


@cache
def ratio_curve(system_name: str, points: int = 200) -> tuple[Array, Array]:
    """Return ε from 2/3 down to 1e-10, and adjusted strength over entropy of the start."""
    system = THERMOSTATS[system_name]
    epsilons = np.geomspace(1e-10, 2 / 3, points)
    values = [narrow(float(epsilon), system) for epsilon in epsilons]
    return epsilons, np.array([value.adjusted / value.start for value in values])


# The continuous thermostat.


def corners(k: float, side: float, steps: int, centre: float = CENTRE) -> Array:
    """Return the corners (room, thermostat) of the square after some steps, in order round it."""
    offsets = side / 2 * np.array([[1, 1], [-1, 1], [-1, -1], [1, -1]])
    power = np.linalg.matrix_power(differential_entropy.thermostat_matrix(k), steps)
    return np.asarray((centre + offsets) @ power.T)


def strips(k: float, side: float, steps: int, n: int = 24) -> tuple[Array, Array]:
    """Return the decorrelated distribution at time t as strips, carried on some steps.

    Returns
    -------
    corners : array (n, 4, 2)
        Room and thermostat, relative to the centre of the distribution.
    density : array (n,)
        Of the room at time t in the middle of each strip, in units of its peak.
    """
    half = (1 + k) * side / 2
    edges = np.linspace(-half, half, n + 1)
    low, high = edges[:-1], edges[1:]
    across = np.full(n, side / 2)
    quads = np.stack([[low, -across], [high, -across], [high, across], [low, across]])
    density = differential_entropy.trapezoidal_density((low + high) / 2, side, k * side)
    power = np.linalg.matrix_power(differential_entropy.thermostat_matrix(k), steps)
    return np.moveaxis(quads, 2, 0) @ power.T, density * max(side, k * side)


def room_entropy_error(n: int, k: float = GAIN, side: float = SIDE) -> float:
    """Return the error of the midpoint rule for the entropy of the room at t, in nats."""
    half = (1 + k) * side / 2
    found = differential_entropy.entropy_by_quadrature(
        lambda x: differential_entropy.trapezoidal_density(x, side, k * side), -half, half, n
    )
    return abs(found - differential_entropy.sum_of_uniforms_entropy(side, k * side))


def histogram_errors(bins: list[int], n: int, rng: np.random.Generator) -> Array:
    """Return histogram entropy minus exact entropy of the decorrelated t + 1, in nats."""
    panel = "t+1 decorrelated"
    samples = differential_entropy.thermostat_samples(GAIN, SIDE, n, rng)[panel]
    exact = differential_entropy.thermostat_entropies(GAIN, SIDE)[panel]
    return np.array(
        [differential_entropy.histogram_entropy(samples, count) - exact for count in bins]
    )


def covariance_at_t(k: float) -> Array:
    """Return the covariance of (room, thermostat) at t from a round start of unit variance."""
    m = differential_entropy.thermostat_matrix(k)
    return np.asarray(m @ m.T)


def spread_strength(k: float, measure: Spread, adjusted: bool) -> float:
    """Return the log-variance strength from a round start, for one way to measure the spread."""
    return differential_entropy.log_variance_strength(
        covariance_at_t(k), differential_entropy.thermostat_matrix(k), measure, adjusted
    )


def sampled_spread_strengths(k: float, widths: Array, n: int, rng: np.random.Generator) -> Array:
    """Return unadjusted log-determinant strengths from n Gaussian samples, one for each width."""
    m = differential_entropy.thermostat_matrix(k)
    found = []
    for width in widths:
        now = width * rng.standard_normal((n, 2)) @ m.T
        mixed = np.stack([now[:, 0], rng.permutation(now[:, 1])], axis=1)
        spreads = [differential_entropy.log_spread(np.cov((p @ m.T).T)) for p in (mixed, now)]
        found.append(spreads[0] - spreads[1])
    return np.array(found)


def adjusted_from_jacobian(log_jacobian: Any, now: Array, rng: np.random.Generator) -> float:
    r"""Return the adjusted strength of a smooth one-to-one step, in nats, from samples of P_t.

    .. math:: \mathbb E_{P'}[\log|\det J|] - \mathbb E_P[\log|\det J|]
    """
    mixed = np.stack([now[:, 0], rng.permutation(now[:, 1])], axis=1)
    return float(np.mean(log_jacobian(*mixed.T)) - np.mean(log_jacobian(*now.T)))


def nose_hoover_strength(correlation: float, time: float, nodes: int = 16) -> float:
    r"""Return the adjusted strength of a reversible thermostat, in nats.

    .. math:: \dot x = p, \qquad \dot p = -x - \zeta p, \qquad \dot\zeta = p^2 - 1

    A is the thermostat ζ (S. Nosé, 1984; W. G. Hoover, 1985), B an oscillator. At the start
    all are standard normal, p and ζ correlated. Since the divergence is −ζ, the logarithm of
    the Jacobian is minus the integral of ζ. For short times the strength is
    :math:`c^2 t^4/3`. Averages by Gauss-Hermite quadrature with ``nodes`` an axis.
    """
    points, weights = np.polynomial.hermite_e.hermegauss(nodes)
    x, p, free = (axis.ravel() for axis in np.meshgrid(points, points, points))
    weight = np.prod(np.meshgrid(weights, weights, weights), axis=0).ravel()
    weight /= weight.sum()

    def rate(t: float, flat: Array) -> Array:
        x, p, zeta, _ = flat.reshape(4, -1)
        return np.concatenate([p, -x - zeta * p, p**2 - 1, zeta])

    integrals = []
    for c in (0.0, correlation):
        zeta = c * p + np.sqrt(1 - c * c) * free
        start = np.concatenate([x, p, zeta, np.zeros_like(x)])
        end = solve_ivp(rate, (0.0, time), start, "DOP853", [time], rtol=1e-9, atol=1e-9).y[:, -1]
        integrals.append(weight @ end.reshape(4, -1)[3])
    # E over P' of log|J| minus E over P, with log|J| = -∫ζ dt.
    return float(integrals[1] - integrals[0])


# The metric.

METRICS: dict[str, Callable[[Array], Array]] = {
    "the difference": np.zeros_like,
    "the ratio": lambda s: -np.log(s),
    "the difference of squares": lambda s: np.log(2 * s),
}
"""Distances D(s, s') = |φ(s) - φ(s')| with φ = s, log s and s²: the logarithm of φ'."""


def strength_by_metric(gain: float, side: float, metric: str, nodes: int = 40) -> float:
    r"""Return the adjusted strength of the linear thermostat if a metric counts the volume, nats.

    .. math:: h_D(P) = h(P) + \mathbb E_P \log \varphi'(s^{\mathrm{rm}})
              + \mathbb E_P \log \varphi'(s^{\mathrm{th}})

    At t the marginals of P and P' agree, and at t + 1 those of the thermostat: what is left is
    the room's. By Gauss's rule in room, thermostat and decorrelated thermostat.
    """
    at, weight = np.polynomial.legendre.leggauss(nodes)
    places, weight = CENTRE + side * at / 2, weight / 2
    room, shown, other = places[:, None, None], places[None, :, None], places[None, None, :]
    measure = weight[:, None, None] * weight[None, :, None] * weight[None, None, :]
    now = room - gain * shown
    futures = (now - gain * other, now - gain * room + 0 * other)  # decorrelated, and joint
    apart, together = (float((measure * METRICS[metric](s)).sum()) for s in futures)
    return apart - together
