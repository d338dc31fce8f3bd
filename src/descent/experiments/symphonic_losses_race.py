"""Chapter 9: rules of aggregation on problems whose losses share one minimum."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NamedTuple, Protocol

import numpy as np
import numpy.typing as npt

from descent import aggregation
from descent.perlin import Perlin, aligned_layers

Array = npt.NDArray[np.float64]

CELLS = 4
"""Lattice cells in a period of the two-dimensional Perlin problem."""
RADIUS = 0.1
"""A run succeeds when it ends this close to the shared minimum."""
STEP_SIZES = (0.05, 0.08, 0.12, 0.16, 0.2, 0.25, 0.4, 0.65, 1.0)
"""The list that every rule chooses from."""


class Problem(Protocol):
    """Losses l_i >= 0 of x that all vanish at x = 0."""

    @property
    def dimension(self) -> int:
        """Dimension d of x."""

    def value_and_gradient(self, x: npt.ArrayLike) -> tuple[Array, Array]:
        """Losses (..., m) and their gradients (..., m, d) at x (..., d)."""


@dataclass(frozen=True)
class Ripples:
    r"""Losses that ripple in every direction and share the minimum 0 at x = 0.

    .. math:: l_i(x) = \frac{c}{2} |x|^2 + \frac1K \sum_{k=1}^K \big(1 - \cos q_{ik} \cdot x\big)

    with wave vectors q of their own in every loss: a weak bowl, and local minima that no
    two losses have in common.
    """

    waves: Array  # q, (m, K, d)
    bowl: float

    @property
    def dimension(self) -> int:
        """Dimension d of x."""
        return int(self.waves.shape[-1])

    def value_and_gradient(self, x: npt.ArrayLike) -> tuple[Array, Array]:
        """Losses (..., m) and their gradients (..., m, d) at x (..., d)."""
        x, (m, k, d) = np.asarray(x, float), self.waves.shape
        phase = (x @ self.waves.reshape(m * k, d).T).reshape(*x.shape[:-1], m, k)
        bowl = self.bowl / 2 * (x * x).sum(axis=-1)[..., None]
        slopes = (np.sin(phase)[..., None, :] @ self.waves)[..., 0, :] / k
        return bowl + (1 - np.cos(phase)).mean(axis=-1), slopes + self.bowl * x[..., None, :]


def ripples(m: int, d: int, rng: np.random.Generator) -> Ripples:
    """Return losses in d dimensions with 2d standard normal wave vectors each."""
    return Ripples(3 * rng.standard_normal((m, 2 * d, d)) / np.sqrt(d / 2), bowl=0.02)


def problem(name: str, m: int, seed: int) -> Problem:
    """Return the problem of that name: ``perlin`` in 2 dimensions, ``ripples`` in 10."""
    rng = np.random.default_rng([9, seed])
    return aligned_layers(m, CELLS, 2, rng) if name == "perlin" else ripples(m, 10, rng)


def starts(problem: Problem, n: int, rng: np.random.Generator) -> Array:
    """Return n starts, uniform on the period or on the cube of side 4 around the minimum."""
    return rng.uniform(-2, 2, (n, problem.dimension))


def distance(problem: Problem, x: Array) -> Array:
    """Return the distance to the shared minimum, on the torus for Perlin noise."""
    if isinstance(problem, Perlin):
        x = (x + problem.cells / 2) % problem.cells - problem.cells / 2
    return np.asarray(np.linalg.norm(x, axis=-1))


class Walk(NamedTuple):
    """Where descents went: positions (steps kept, ..., d) and weights (steps kept, ..., m)."""

    x: Array
    weights: Array


def walk(
    problem: Problem,
    rule: aggregation.Rule,
    x: Array,
    step_size: npt.ArrayLike,
    n_steps: int,
    rng: np.random.Generator,
    keep: int = 1,
    **options: Any,
) -> Walk:
    """Follow a rule with plain steps, x ← x - η Σ w_i ∇l_i, and return the last ``keep`` steps."""
    state = rng if rule in RANDOM else None
    positions, weights = [], []
    for n in range(n_steps):
        losses, gradients = problem.value_and_gradient(x)
        step = rule(np.maximum(losses, 0), gradients, state, **options)  # 0 up to rounding
        state = step.state
        x = x - np.asarray(step_size) * step.gradient
        if n >= n_steps - keep:
            positions.append(x)
            weights.append(step.weights)
    return Walk(np.array(positions), np.array(weights))


RANDOM = (aggregation.random_alternation, aggregation.matched_noise, aggregation.pcgrad)

OPTIONS: dict[str, Callable[[int], dict[str, Any]]] = {
    # one loss counts for half, the others share the rest
    "fixed_weights": lambda m: {"weights": np.append(0.5, np.full(m - 1, 0.5 / (m - 1)))},
    "mgda": lambda m: {"iterations": 20},
    "upgrad": lambda m: {"sweeps": 15},
}


def successes(
    name: str, m: int, rule: str, seed: int, n_starts: int = 8, n_steps: int = 1000
) -> list[int]:
    """Return how many of the starts end at the shared minimum, for each of STEP_SIZES."""
    rng = np.random.default_rng([90, seed])
    landscape = problem(name, m, seed)
    x = np.broadcast_to(
        starts(landscape, n_starts, rng), (len(STEP_SIZES), n_starts, landscape.dimension)
    )
    options = OPTIONS.get(rule, lambda m: {})(m)
    eta = np.array(STEP_SIZES)[:, None, None]
    ends = walk(landscape, aggregation.RULES[rule], x, eta, n_steps, rng, **options).x[-1]
    return [int(k) for k in (distance(landscape, ends) < RADIUS).sum(axis=1)]
