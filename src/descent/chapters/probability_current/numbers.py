"""Chapter 2: which diffusion stochastic gradient descent follows (source 003, post 2)."""

from collections.abc import Callable
from functools import cache
from typing import Literal, NamedTuple

import numpy as np
from scipy.stats import norm

from descent.arguments import Array
from descent.fokker_planck import solve, stationary_density, total_variation, wasserstein_1
from descent.fokker_planck.diffusion_limit import (
    diffusion_limit,
    modified_equation,
    with_small_steps,
)
from descent.kept import kept
from descent.landscapes import FiniteSum, two_datapoint
from descent.markov.chain_density import chain_densities, circle_law

Calculus = Literal["ito", "stratonovich", "fick"]
CALCULI: tuple[Calculus, ...] = ("ito", "stratonovich", "fick")
NAMES = {"ito": "Itô", "stratonovich": "Stratonovich", "fick": "Fick"}

CIRCLE = np.linspace(0, 2 * np.pi, 481)


def centres(edges: Array) -> Array:
    """Return the centres of the cells."""
    return np.asarray((edges[1:] + edges[:-1]) / 2)


def gaussian(edges: Array, mean: float, deviation: float) -> Array:
    """Return the normal density, averaged over each cell, with mass 1."""
    mass = np.diff(norm.cdf(edges, mean, deviation))
    return np.asarray(mass / mass.sum() / np.diff(edges))


def moments(densities: Array, edges: Array) -> tuple[Array, Array]:
    """Return mean and standard deviation of smooth densities that are averaged over cells."""
    mass, width = densities * np.diff(edges), np.diff(edges)
    mean = mass @ centres(edges)
    square = mass @ (centres(edges) ** 2 - width**2 / 12)  # Sheppard's correction
    return mean, np.sqrt(square - mean**2)


def slope(sizes: Array, errors: Array) -> float:
    """Return the slope of a straight line through the points on logarithmic axes."""
    return float(np.polyfit(np.log(sizes), np.log(errors), 1)[0])


# The versions of the equation


class Version(NamedTuple):
    r"""One version: J = -T² (α S² P' + β S S' P) and dP/dt = T² (c₂ P'' + c₁ P' + c₀ P).

    ``equation`` maps S, S', S'' to c₂, c₁, c₀, as the source prints them; None where it
    prints none.
    """

    name: str
    alpha: float
    beta: float
    equation: Callable[[Array, Array, Array], tuple[Array, ...]] | None

    @property
    def exponent(self) -> float:
        """Power a of the stationary law S^-a at G = 0."""
        return self.beta / self.alpha


VERSIONS = (
    Version("constant $S$", 0.5, 0.0, lambda s, d, dd: (s**2 / 2, s * d, 0 * s)),
    Version("heat capacity", 0.5, 0.5, lambda s, d, dd: (s**2 / 2, s * d / 2, (d**2 + s * dd) / 2)),
    Version("in $S^2$, master", 0.5, 1.0, lambda s, d, dd: (s**2 / 2, s * d, d**2 + s * dd)),
    Version("other reading", 1.0, 1.0, lambda s, d, dd: (s**2, 3 * s * d, d**2 + s * dd)),
    Version("end state", 0.5, 0.5, None),
)
"""In the source's order. "Other reading" takes its d(S²)P as the derivative of the product."""


class Probe(NamedTuple):
    """A cloud on a line where S = 1 + ½ sin W: S, S', S'', P, P', P'' at quadrature nodes."""

    w: Array
    weight: Array
    s: tuple[Array, Array, Array]
    p: tuple[Array, Array, Array]


def probe() -> Probe:
    """Return a normal cloud beside the place where S changes fastest."""
    mean, deviation = 0.3, 0.5
    x, weight = np.polynomial.legendre.leggauss(200)
    w, weight = mean + 8 * deviation * x, 8 * deviation * weight
    z, p = (w - mean) / deviation, norm.pdf(w, mean, deviation)
    s = (1 + np.sin(w) / 2, np.cos(w) / 2, -np.sin(w) / 2)
    return Probe(w, weight, s, (p, -z / deviation * p, (z**2 - 1) / deviation**2 * p))


def rates(version: Version, printed: bool) -> tuple[float, float, float]:
    """Return how fast mass, mean and mean square of the probe's cloud change, in units of T².

    From the printed equation, or from the printed current through dP/dt = -dJ/dW.
    """
    w, weight, (s, d, dd), (p, dp, ddp) = probe()
    if printed:
        if version.equation is None:
            raise ValueError(f"the source prints no equation for {version.name!r}")
        c2, c1, c0 = version.equation(s, d, dd)
        change = c2 * ddp + c1 * dp + c0 * p
        mass, mean, square = (float(weight @ (w**k * change)) for k in range(3))
        return mass, mean, square
    current = -(version.alpha * s**2 * dp + version.beta * s * d * p)
    return 0.0, float(weight @ current), float(2 * weight @ (w * current))


def chain_rates() -> tuple[float, float, float]:
    """Return the same rates for the chain itself, from the moments of one step: 0, 0, ⟨S²⟩."""
    _, weight, (s, _, _), (p, _, _) = probe()
    return 0.0, 0.0, float(weight @ (s**2 * p))


def balancing_coefficient(version: Version) -> float:
    """Return the factor on S S' P' with which the printed equation keeps the mass."""
    if version.equation is None:
        raise ValueError(f"the source prints no equation for {version.name!r}")
    _, weight, (s, d, dd), (p, dp, ddp) = probe()
    c2, _, c0 = version.equation(s, d, dd)
    return float(-(weight @ (c2 * ddp + c0 * p)) / (weight @ (s * d * dp)))


# The circle


def circle_walk() -> FiniteSum:
    """Return the driftless walk on a circle: g = ±(1 + ½ sin W), G = 0."""

    def pair(value: Array) -> Array:
        return np.stack([value, -value])

    return FiniteSum(
        losses=lambda w: pair(np.asarray(w, float) - np.cos(w) / 2),
        gradients=lambda w: pair(1 + np.sin(w) / 2),
        curvatures=lambda w: pair(np.cos(w) / 2),
    )


def circle_stationary(T: float, calculus: Calculus) -> Array:
    """Return the stationary law of a calculus on CIRCLE."""
    return stationary_density(*diffusion_limit(circle_walk(), T), CIRCLE, calculus, "periodic")


@cache
def circle_chain(T: float, per_draw: int) -> Array:
    """Return the exact stationary law of the chain on CIRCLE, with small steps per draw."""
    return circle_law(with_small_steps(circle_walk(), T, per_draw), step_size=T, edges=CIRCLE)


@cache
def circle_sample(T: float, per_draw: int, bins: int = 48, walkers: int = 10_000) -> Array:
    """Return the density of simulated walkers in equal bins, averaged over a late stretch."""
    rng = np.random.default_rng(2)
    w, counts = rng.uniform(0, 2 * np.pi, walkers), np.zeros(bins)
    settle = max(12, int(6 / T**2))
    for n in range(2 * settle):
        size = T / per_draw * rng.choice([-1.0, 1.0], walkers)
        for _ in range(per_draw):
            w -= size * (1 + np.sin(w) / 2)
        if n >= settle:
            counts += np.histogram(w % (2 * np.pi), bins, (0, 2 * np.pi))[0]
    return np.asarray(counts / counts.sum() * bins / (2 * np.pi))


def binned(density: Array, size: int) -> Array:
    """Return a density on equal cells averaged over groups of so many cells."""
    return np.asarray(density.reshape(-1, size).mean(axis=1))


def circle_contrast(T: float, cells: int) -> float:
    """Return the greatest over the least density of the chain's law in 48 equal bins."""
    law = circle_law(circle_walk(), step_size=T, edges=np.linspace(0, 2 * np.pi, cells + 1))
    in_bins = binned(law, cells // 48)
    return float(in_bins.max() / in_bins.min())


def chain_exponent(T: float) -> float:
    """Return the power a with which the chain's law on the circle falls with S."""
    law, s = binned(circle_chain(T, 1), 10), 1 + np.sin(centres(CIRCLE[::10])) / 2
    return -slope(s, law)


@cache
@kept
def circle_distances(remedied: bool) -> tuple[Array, dict[str, Array]]:
    """Return step sizes and total variation to the chain at fixed T²t = 4, per calculus."""
    sizes = np.array([0.4, 0.2, 0.1, 0.05])
    p0 = np.exp(np.cos(centres(CIRCLE) - 2))
    p0 /= p0 @ np.diff(CIRCLE)
    found: dict[str, list[float]] = {name: [] for name in CALCULI}
    for T in sizes:
        n, small = round(4 / T**2), round(3.2 / T) if remedied else 1
        model = with_small_steps(circle_walk(), T, small)
        chain = chain_densities(model, step_size=T, edges=CIRCLE, p0=p0, steps=[n], periodic=True)[
            0
        ]
        for name in CALCULI:
            law = solve(
                *diffusion_limit(circle_walk(), T), CIRCLE, p0, [n], name, boundary="periodic"
            )[0]
            found[name].append(total_variation(chain, law, CIRCLE))
    return sizes, {name: np.array(row) for name, row in found.items()}


# The pit, at fixed T·t


class Distances(NamedTuple):
    """Distances to the exact chain at several step sizes."""

    sizes: Array
    wasserstein: dict[tuple[int, str], Array]
    variation: dict[tuple[int, str], Array]


@cache
def pit_distances() -> Distances:
    """Return distances at T·t = 0.04 in the pit, by order of the equation and calculus."""
    sizes, model = np.array([0.004, 0.002, 0.001, 0.0005]), two_datapoint()
    edges = np.linspace(0.6, 1.4, 1601)
    p0 = gaussian(edges, 1.05, 0.03)
    far: dict[tuple[int, str], list[float]] = {}
    near: dict[tuple[int, str], list[float]] = {}
    for T in sizes:
        n = round(0.04 / T)
        chain = chain_densities(model, step_size=T, edges=edges, p0=p0, steps=[n])[0]
        for order, diffusion in ((1, diffusion_limit), (2, modified_equation)):
            for name in CALCULI:
                law = solve(*diffusion(model, T), edges, p0, [n], name)[0]
                far.setdefault((order, name), []).append(wasserstein_1(chain, law, edges))
                near.setdefault((order, name), []).append(total_variation(chain, law, edges))
    return Distances(
        sizes,
        {key: np.array(row) for key, row in far.items()},
        {key: np.array(row) for key, row in near.items()},
    )
