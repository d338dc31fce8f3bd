"""Chapter 9: rules of aggregation on problems whose losses share one minimum."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any, NamedTuple, Protocol

import numpy as np
import numpy.typing as npt

from descent import aggregation
from descent.arguments import Array
from descent.kept import kept
from descent.perlin import Perlin, aligned_layers

CELLS = 4
"""Lattice cells in a period of the two-dimensional Perlin problem."""
RADIUS = 0.1
"""A run succeeds when it ends this close to the shared minimum."""
STARTS = 8
"""Starts on each landscape."""
BUDGETS = (125, 500, 1000, 2000, 4000)
"""Numbers of steps after which a walk is looked at."""
STEP_SIZES = (0.05, 0.08, 0.12, 0.16, 0.2, 0.25, 0.4, 0.65, 1.0)
"""The list that every rule chooses from."""


class Problem(Protocol):
    """Losses l_i >= 0 of x that all vanish at x = 0."""

    def value_and_gradient(self, x: npt.ArrayLike) -> tuple[Array, Array]:
        """Losses (..., m) and their gradients (..., m, d) at x (..., d)."""


@dataclass(frozen=True)
class PerlinStack:
    """Several landscapes of aligned Perlin layers, walked on at once: x of shape (..., S, d)."""

    layers: Perlin  # the m layers of the first landscape, then those of the next
    n_landscapes: int

    def value_and_gradient(self, x: npt.ArrayLike) -> tuple[Array, Array]:
        """Losses (..., S, m) and their gradients (..., S, m, d)."""
        x = np.asarray(x, float)
        m = self.layers.n_layers // self.n_landscapes
        value, gradient = self.layers.each(np.repeat(x, m, axis=-2))
        shape = (*x.shape[:-1], m)
        return value.reshape(shape), gradient.reshape(*shape, x.shape[-1])


@dataclass(frozen=True)
class Ripples:
    r"""Losses that ripple in every direction and share the minimum 0 at x = 0.

    .. math:: l_i(x) = \frac{c}{2} |x|^2 + \frac1K \sum_{k=1}^K \big(1 - \cos q_{ik} \cdot x\big)

    with wave vectors q of their own in every loss: a weak bowl, and local minima that no
    two losses have in common. Several such landscapes at once: x of shape (..., S, d).
    """

    waves: Array  # q, (S, m, K, d)
    bowl: float = 0.02

    def value_and_gradient(self, x: npt.ArrayLike) -> tuple[Array, Array]:
        """Losses (..., S, m) and their gradients (..., S, m, d)."""
        x, (n, m, k, d) = np.asarray(x, float), self.waves.shape
        rows = np.moveaxis(x.reshape(-1, n, d), 1, 0)  # (S, rows, d)
        phase = rows[:, None] @ self.waves.swapaxes(-1, -2)  # (S, m, rows, K)
        ripple = np.moveaxis((1 - np.cos(phase)).mean(axis=-1), -1, 0)
        slopes = np.moveaxis(np.sin(phase) @ self.waves / k, 2, 0)
        shape = (*x.shape[:-1], m)
        bowl = self.bowl / 2 * (x * x).sum(axis=-1)[..., None]
        return (
            bowl + ripple.reshape(shape),
            slopes.reshape(*shape, d) + self.bowl * x[..., None, :],
        )


DIMENSION = {"perlin": 2, "ripples": 10}


def problem(name: str, m: int, seeds: Sequence[int]) -> Problem:
    """Return landscapes of that name with m losses: ``perlin`` in 2 dimensions, ``ripples`` in 10.

    The ripples have d wave vectors each.
    """
    return _problem(name, m, tuple(seeds))


@cache
def _problem(name: str, m: int, seeds: tuple[int, ...]) -> Problem:
    generators = [np.random.default_rng([9, seed]) for seed in seeds]
    if name == "perlin":
        each = [aligned_layers(m, CELLS, 2, rng) for rng in generators]
        joined = [
            np.concatenate([getattr(layers, part) for layers in each])
            for part in ("lattice", "offsets", "floors")
        ]
        return PerlinStack(Perlin(*joined), len(seeds))
    d = DIMENSION[name]
    waves = [rng.standard_normal((m, d, d)) for rng in generators]
    return Ripples(3 / np.sqrt(d / 2) * np.array(waves))


def distance(name: str, x: Array) -> Array:
    """Return the distance to the shared minimum, on the torus for Perlin noise."""
    if name == "perlin":
        x = (x + CELLS / 2) % CELLS - CELLS / 2
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
}


def successes(
    name: str, m: int, rule: str, seeds: Sequence[int], n_starts: int = STARTS, n_steps: int = 1000
) -> Array:
    """Count the starts that end at the shared minimum; (len(STEP_SIZES), len(seeds)).

    Starts are uniform on the cube of side 4 around the minimum, the period of the noise.
    """
    rng = np.random.default_rng([90, m])
    shape = (n_starts, len(seeds), DIMENSION[name])
    x = np.broadcast_to(rng.uniform(-2, 2, shape), (len(STEP_SIZES), *shape))
    options = OPTIONS[rule](m) if rule in OPTIONS else {}
    eta = np.array(STEP_SIZES)[:, None, None, None]
    landscapes = problem(name, m, seeds)
    ends = walk(landscapes, aggregation.RULES[rule], x, eta, n_steps, rng, **options).x[-1]
    return np.asarray((distance(name, ends) < RADIUS).sum(axis=1))


@kept
def arrivals(
    m: int, rule: str, step_size: float, seeds: Sequence[int], budgets: Sequence[int] = BUDGETS
) -> Array:
    """Return the share of starts on Perlin noise that are at the shared minimum after n steps.

    One walk of each start, looked at after each of the budgets, which rise.
    """
    rng = np.random.default_rng([91, m])
    x = rng.uniform(-2, 2, (STARTS, len(seeds), DIMENSION["perlin"]))
    landscapes, follow = problem("perlin", m, seeds), aggregation.RULES[rule]
    path = walk(landscapes, follow, x, step_size, budgets[-1], rng, keep=budgets[-1])
    at_rest = distance("perlin", path.x[np.array(budgets) - 1]) < RADIUS
    return np.asarray(at_rest.mean(axis=(1, 2)))


def jumps(
    rule: str, m: int, step_size: float, seeds: Sequence[int], n_steps: int = 100
) -> tuple[float, float]:
    """Return how often a rule goes uphill on Perlin noise, and how long its longest steps are.

    The share of steps that point uphill on the mean of the losses, and the 99 % quantile of
    the lengths over their median, more than three radii away from the shared minimum.
    """
    rng = np.random.default_rng([92, m])
    x = rng.uniform(-2, 2, (STARTS, len(seeds), DIMENSION["perlin"]))
    landscapes, uphill, lengths = problem("perlin", m, seeds), [], []
    for _ in range(n_steps):
        losses, gradients = landscapes.value_and_gradient(x)
        step = aggregation.RULES[rule](np.maximum(losses, 0), gradients)
        away = distance("perlin", x) > 3 * RADIUS
        uphill.append(((step.gradient * gradients.mean(axis=-2)).sum(axis=-1) < 0)[away])
        lengths.append(np.linalg.norm(step.gradient, axis=-1)[away])
        x = x - step_size * step.gradient
    length = np.concatenate(lengths)
    return float(np.concatenate(uphill).mean()), float(
        np.quantile(length, 0.99) / np.median(length)
    )


def standing(rule: str, m: int, seeds: Sequence[int]) -> float:
    """Return the share of starts on Perlin noise at which a rule makes no step at all."""
    rng = np.random.default_rng([92, m])
    x = rng.uniform(-2, 2, (STARTS, len(seeds), DIMENSION["perlin"]))
    losses, gradients = problem("perlin", m, seeds).value_and_gradient(x)
    length = np.linalg.norm(
        aggregation.RULES[rule](np.maximum(losses, 0), gradients).gradient, axis=-1
    )
    return float((length < 1e-9).mean())
