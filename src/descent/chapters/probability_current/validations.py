"""Chapter 2: the three validations, the explicit scheme, and how far the diffusion is off."""

import warnings
from functools import cache
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
from scipy.optimize import fsolve
from scipy.stats import invgamma, norm

from descent import markov
from descent.arguments import Array, Index
from descent.chapters.modelling_sgd.numbers import START, pit
from descent.chapters.probability_current.numbers import centres, gaussian
from descent.fokker_planck import DivergenceError, NegativeDensityWarning, solve
from descent.fokker_planck.diffusion_limit import diffusion_limit, linear, linear_moments
from descent.kept import kept
from descent.landscapes import FiniteSum, two_datapoint
from descent.markov.chain_density import chain_densities


class Validation(NamedTuple):
    """A model, a step size, a start and the steps at which the laws are compared."""

    model: FiniteSum
    T: float
    steps: npt.NDArray[np.integer]
    edges: Array
    mean: float
    deviation: float
    slopes: tuple[float, ...] | None
    intercepts: tuple[float, ...] | None

    @property
    def start(self) -> Array:
        """Starting density on the cells."""
        return gaussian(self.edges, self.mean, self.deviation)


def full_batch() -> FiniteSum:
    """Return the two-datapoint objective with its mean loss as the only sample: no noise.

    The mean of l0 and l1 is l1 with a pit of half the depth.
    """
    half = two_datapoint(0.5)

    def in_place_gradient(w: Array, index: Index, out: Array, work: Array) -> None:
        assert half.in_place_gradient is not None
        half.in_place_gradient(w, index + 1, out, work)

    return FiniteSum(
        losses=lambda w: half.losses(w)[1:],
        gradients=lambda w: half.gradients(w)[1:],
        curvatures=lambda w: half.curvatures(w)[1:],
        in_place_gradient=in_place_gradient,
    )


VALIDATIONS = ("drift", "spreading", "both")
LAWS = {"drift": (0.5, 0.175), "parted": (1.4, 0.25)}
"""Mean and standard deviation of two starts without noise; the saddle parts the second."""


@cache
def validation(name: str) -> Validation:
    """Return one of the source's three validations, or the first with its second start."""
    if name in LAWS:
        steps, edges = np.arange(0, 151, 10), np.linspace(-0.5, 3, 3501)
        return Validation(full_batch(), 0.02, steps, edges, *LAWS[name], None, None)
    if name == "spreading":
        slopes, intercepts, steps = (0.0, 0.0), (-1.0, 1.0), np.arange(0, 151, 10)
        T, edges, mean, deviation = 0.02, np.linspace(-2, 2, 2001), 0.0, 0.05
    else:
        slopes, intercepts, steps = (1.2, 0.8), (-2.0, -2.0), np.arange(16)
        T, edges, mean, deviation = 0.5, np.linspace(0, 6, 2001), 0.5, 0.1
    model = linear(slopes, intercepts)
    return Validation(model, T, steps, edges, mean, deviation, slopes, intercepts)


@cache
def by_fokker_planck(name: str) -> Array:
    """Return the densities of the Itô equation at the steps of a validation."""
    v = validation(name)
    return solve(*diffusion_limit(v.model, v.T), v.edges, v.start, v.steps.astype(float))


@cache
def by_operator(name: str) -> Array:
    """Return the densities of the exact chain at the steps of a validation."""
    v = validation(name)
    if name not in LAWS:
        return chain_densities(
            v.model, step_size=v.T, edges=v.edges, p0=v.start, steps=v.steps.tolist()
        )
    # In the pit a step folds the line: Ulam's method, on the centres of the cells.
    nodes = centres(v.edges)
    operator = markov.TransferOperator(v.model, step_size=v.T, grid=nodes)
    mass, rows = v.start * np.diff(v.edges), []
    for n in range(v.steps[-1] + 1):
        if n in v.steps:
            rows.append(mass / np.diff(v.edges))
        mass = operator.step(mass)
    return np.array(rows)


def by_exact_moments(name: str, truncated: bool = False) -> tuple[Array, Array]:
    """Return mean and standard deviation of the chain, without a grid and without sampling.

    "drift" moves quadrature nodes; the others use the recursion of the moments.
    ``truncated`` starts "drift" from a normal law cut off at 0, with the same mean and
    standard deviation.
    """
    v = validation(name)
    if v.slopes is not None and v.intercepts is not None:
        mean, variance = linear_moments(
            v.slopes, v.intercepts, v.T, v.mean, v.deviation**2, int(v.steps[-1])
        )
        return mean[v.steps], np.sqrt(variance[v.steps])
    centre, scale = cut_off(v.mean, v.deviation) if truncated else (v.mean, v.deviation)
    low, high = (0.0 if truncated else centre - 6 * scale), centre + 6 * scale
    x, weight = np.polynomial.legendre.leggauss(2000)
    w = low + (high - low) * (x + 1) / 2
    weight = weight * norm.pdf(w, centre, scale)
    weight /= weight.sum()
    means, deviations = [], []
    for n in range(v.steps[-1] + 1):
        if n in v.steps:
            means.append(weight @ w)
            deviations.append(np.sqrt(weight @ (w - means[-1]) ** 2))
        w = w - v.T * v.model.mean_gradient(w)
    return np.array(means), np.array(deviations)


def beyond_the_saddle(name: str) -> tuple[float, float]:
    """Return the share that starts beyond the saddle, and the share that the equation ends with."""
    v = validation(name)
    start = float(norm.sf(pit().saddle, v.mean, v.deviation))
    mass = by_fokker_planck(name)[-1] * np.diff(v.edges)
    return start, float(mass[centres(v.edges) > pit().saddle].sum())


def narrowed(width: float) -> float:
    """Return by what share a normal law's standard deviation falls when it is cut off.

    The cuts are at the distance ``width`` from its mean, in standard deviations.
    """
    lost = 2 * width * norm.pdf(width) / (1 - 2 * norm.sf(width))
    return float(lost / (1 + np.sqrt(1 - lost)))  # 1 - √(1 - lost), without cancellation


def cut_off(mean: float, deviation: float) -> tuple[float, float]:
    """Return centre and scale of the normal law that, cut off at 0, has these moments."""

    def mismatch(centre_and_scale: Array) -> tuple[float, float]:
        centre, scale = centre_and_scale
        z = centre / scale
        hazard = norm.pdf(z) / norm.cdf(z)  # E w = c + s h, var w = s² (1 - z h - h²)
        return (
            centre + scale * hazard - mean,
            scale * np.sqrt(1 - z * hazard - hazard**2) - deviation,
        )

    centre, scale = fsolve(mismatch, (mean, deviation), xtol=1e-12)
    return float(centre), float(scale)


@kept
def by_monte_carlo(name: str, walkers: int, seed: int = 0) -> tuple[Array, Array, list[Array]]:
    """Return mean, standard deviation and density on every tenth edge, of simulated walkers."""
    v, rng = validation(name), np.random.default_rng(seed)
    w, rows = rng.normal(v.mean, v.deviation, walkers), []
    bins = v.edges[::10]
    for before, after in zip(v.steps, [*v.steps[1:], None], strict=True):
        counts = np.histogram(w, bins)[0] / walkers / np.diff(bins)
        rows.append((w.mean(), w.std(), counts))
        for _ in range(0 if after is None else after - before):
            w = markov.simulate(v.model, step_size=v.T, n_steps=1, start=w, rng=rng)[-1]
    mean, deviation, densities = zip(*rows, strict=True)
    return np.array(mean), np.array(deviation), list(densities)


@cache
def sampled(name: str) -> list[Array]:
    """Return densities of 50,000 simulated walkers, for the explorer."""
    return by_monte_carlo(name, 50_000)[2]


def singular_law(edges: Array) -> Array:
    """Return the third chain's own stationary law, as its distribution function on edges.

    The two steps W → 1 + 0.4 W and W → 1 + 0.6 W map [5/3, 5/2] onto [5/3, 2] and
    [2, 5/2], with half of the mass each.
    """
    value, weight, w = np.zeros_like(edges), np.ones_like(edges), np.clip(edges, 5 / 3, 5 / 2)
    for _ in range(60):
        right = w >= 2
        weight /= 2
        value += weight * right
        w = np.clip(np.where(right, (w - 1) / 0.6, (w - 1) / 0.4), 5 / 3, 5 / 2)
    return value + weight * (w >= 5 / 2)


def inverse_gamma(T: float) -> Any:
    """Return the stationary law of the Itô limit of the third chain: an inverse gamma law."""
    rate = 2 / (0.04 * T)
    return invgamma(1 + rate, scale=2 * rate)


# Where the explicit scheme falls apart


def explicit_run(T: float, cells: int, steps: int) -> tuple[Array, int | None, tuple[str, ...]]:
    """Return the explicit densities step by step, the step of divergence, and its causes."""
    edges, p0 = window(cells)
    drift, variance = diffusion_limit(two_datapoint(), T)
    rows, p = [p0], p0
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", NegativeDensityWarning)
        try:
            rows = list(solve(drift, variance, edges, p, np.arange(steps + 1.0), scheme="explicit"))
        except DivergenceError as error:
            last, reasons = error.step, error.reasons
        else:
            return np.array(rows), None, ()
        rows = list(solve(drift, variance, edges, p0, np.arange(float(last)), scheme="explicit"))
    return np.array(rows), last, reasons


def window(cells: int) -> tuple[Array, Array]:
    """Return edges over pit and well, and the source's starting density on them."""
    edges = np.linspace(-0.5, 3.5, cells + 1)
    return edges, gaussian(edges, 0.5, 0.175)


# How far the diffusion is from the chain


def diffusion_escape(T: float, n_steps: int, cells: int = 1200) -> float:
    """Return the probability that the diffusion has passed the barrier, from W = START."""
    edges = np.linspace(START - 1e-3, pit().barrier, cells + 1)
    p0 = np.zeros(cells)
    cell = int(np.searchsorted(edges, START, "right")) - 1
    p0[cell] = 1 / np.diff(edges)[cell]
    _, absorbed = solve(
        *diffusion_limit(two_datapoint(), T), edges, p0, [float(n_steps)],
        boundary=("no-flux", "absorbing"), return_absorbed=True,
    )  # fmt: skip
    return float(absorbed[0, 1])


def two_datapoint_laws(T: float, n_steps: int, cells: int = 4000) -> tuple[Array, Array, Array]:
    """Return edges, and the densities of chain and diffusion after n steps."""
    model = two_datapoint()
    edges = np.linspace(-0.5, 3.5, cells + 1)
    p0 = gaussian(edges, 0.5, 0.175)
    operator = markov.TransferOperator(model, step_size=T, grid=centres(edges))
    mass = p0 * np.diff(edges)
    for _ in range(n_steps):
        mass = operator.step(mass)
    diffusion = solve(*diffusion_limit(model, T), edges, p0, [float(n_steps)])[0]
    return edges, mass / np.diff(edges), diffusion


class Quasi(NamedTuple):
    """Quasi-stationary laws in the pit on common cells, and the chain's escape rate."""

    edges: Array
    chain: Array
    diffusion: Array
    rate: float


@cache
def quasi_stationary(T: float) -> Quasi:
    """Return the law of the survivors in the pit: of the chain, and of the diffusion."""
    model, barrier = two_datapoint(), pit().barrier
    low, _ = markov.reachable_interval(model, step_size=T, start=START, threshold=barrier)
    operator = markov.TransferOperator(model, step_size=T, grid=np.linspace(low, barrier, 8001))
    law, rate = markov.quasi_stationary(operator)
    edges = np.linspace(min(low, 1.0) - 1e-3, barrier, 1001)
    chain = np.histogram(operator.grid, edges, weights=law)[0] / np.diff(edges)
    p0 = gaussian(edges, pit().minimum, 0.01)
    late = solve(
        *diffusion_limit(model, T), edges, p0, [3.0 / T], boundary=("no-flux", "absorbing")
    )[0]
    return Quasi(edges, chain, late / (late @ np.diff(edges)), rate)
