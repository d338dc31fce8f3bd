"""Chapter 9: where flows end, how rules fail, and what the accumulated loss is good for."""

from dataclasses import dataclass
from functools import cache
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from descent import aggregation
from descent.arguments import Array
from descent.chapters.symphonic_losses.numbers import LAYERS, RULES, field, grid, landscape
from descent.chapters.symphonic_losses.race import CELLS, PerlinStack, Walk, distance, walk
from descent.kept import kept
from descent.perlin import Perlin, aligned_layers


def basin_lengths(n_landscapes: int, per_cell: int = 64) -> dict[str, Array]:
    """Return the length of the shared minimum's basin in one dimension, (landscapes, LAYERS).

    The basin of a flow -v ends where v first points away from 0, on either side.
    """
    found = {rule: np.empty((n_landscapes, len(LAYERS))) for rule in RULES}
    for seed in range(n_landscapes):
        layers = landscape(1, seed)
        gradient = layers.gradient(grid(layers.cells, per_cell, 1))
        middle = len(gradient) // 2
        for k, m in enumerate(LAYERS):
            for rule in RULES:
                v = field(rule, gradient[:, :m])[:, 0]
                right = np.argmax(v[middle + 1 :] <= 0)
                left = np.argmax(v[:middle][::-1] >= 0)
                found[rule][seed, k] = (left + right + 1) / per_cell
    return found


def roughness(n_landscapes: int, per_cell: int = 16) -> tuple[Array, Array]:
    """Return, for each of LAYERS, how much the mean of the layers varies far from its minimum.

    The standard deviation over the period and the mean height above the shared minimum,
    each (landscapes, LAYERS), in two dimensions.
    """
    deviation, height = np.empty((2, n_landscapes, len(LAYERS)))
    for seed in range(n_landscapes):
        layers = landscape(2, seed)
        value = layers.value(grid(layers.cells, per_cell, 2))
        for k, m in enumerate(LAYERS):
            surface = value[..., :m].mean(axis=-1)
            deviation[seed, k], height[seed, k] = surface.std(), surface.mean()
    return deviation, height


@cache
def _stack(m: int, n_landscapes: int) -> PerlinStack:
    """Return the landscapes on which all rules meet their fates."""
    layers = [
        aligned_layers(m, CELLS, 2, np.random.default_rng([55, seed]))
        for seed in range(n_landscapes)
    ]
    parts = ("lattice", "offsets", "floors")
    joined = Perlin(*(np.concatenate([getattr(one, part) for one in layers]) for part in parts))
    return PerlinStack(joined, n_landscapes)


FATES = ("shared minimum", "at rest elsewhere", "oscillating", "wandering")


@cache
@kept
def fates(
    rule: str, m: int, step_size: float = 0.05, n_landscapes: int = 8, n_starts: int = 12
) -> tuple[Array, float]:
    """Return the share of each of FATES for a rule with m losses, and how often one loss recurs.

    A run is at rest if its last 100 steps stay within 0.001 of each other, oscillates if
    they move but stay within half a cell, and wanders otherwise. One loss recurs in a run
    that fails if its weight rises above 0.8 at least twice in these steps.
    """
    rng = np.random.default_rng([5, m])
    x = rng.uniform(-2, 2, (n_starts, n_landscapes, 2))
    path = walk(
        _stack(m, n_landscapes),
        aggregation.RULES[rule],
        x,
        step_size,
        n_steps=300,
        rng=rng,
        keep=100,
    )
    extent = (path.x.max(axis=0) - path.x.min(axis=0)).max(axis=-1)
    shared = distance("perlin", path.x[-1]) < 0.1
    kinds = [shared, extent < 1e-3, extent < 0.5, np.ones_like(shared)]
    first = np.argmax(kinds, axis=0)
    share = np.array([(first == k).mean() for k in range(len(FATES))])
    above = path.weights > 0.8
    recurs = ((above[1:] & ~above[:-1]).sum(axis=0) >= 2).any(axis=-1)
    return share, float(recurs[~shared].mean()) if (~shared).any() else 0.0


@dataclass(frozen=True)
class Plateau:
    """Two losses with a shared well at 0 and, far from it, nothing but ripples of their own."""

    def value_and_gradient(self, x: npt.ArrayLike) -> tuple[Array, Array]:
        """Losses (..., 2) and gradients (..., 2, 2) at x (..., 2)."""
        x = np.asarray(x, float)
        waves = np.array([[5.0, 3.0], [-3.0, 5.0]])
        phase = x @ waves.T
        well = np.exp(-(x * x).sum(axis=-1))[..., None]
        ripple, slope = 0.1 * (1 - np.cos(phase)), 0.1 * np.sin(phase)
        return 1 - well + ripple, 2 * well[..., None] * x[..., None, :] + slope[..., None] * waves


@dataclass(frozen=True)
class Gorge:
    """A gentle bowl, and a loss with steep walls along a winding line; both vanish at 0."""

    def value_and_gradient(self, x: npt.ArrayLike) -> tuple[Array, Array]:
        """Losses (..., 2) and gradients (..., 2, 2) at x (..., 2)."""
        a, b = np.moveaxis(np.asarray(x, float), -1, 0)
        wall = b - np.sin(2 * a)
        bowl = 0.05 * np.stack([a, b], axis=-1)
        steep = 20 * np.stack([-2 * np.cos(2 * a) * wall, wall], axis=-1)
        value = np.stack([0.025 * (a * a + b * b), 10 * wall**2], axis=-1)
        return value, np.stack([bowl, steep], axis=-2)


@dataclass(frozen=True)
class TwoMinds:
    """Two losses of one variable with a shared minimum at 0 and local ones near 2 and 3."""

    def value_and_gradient(self, x: npt.ArrayLike) -> tuple[Array, Array]:
        """Losses (..., 2) and gradients (..., 2, 1) at x (..., 1)."""
        x = np.asarray(x, float)
        shared = np.exp(-2 * x * x)
        offset = x - np.array([2.0, 3.0])
        local = np.exp(-2 * offset * offset)
        value = 1 - shared - 0.8 * local
        slope = 4 * x * shared + 0.8 * 4 * offset * local
        return value, slope[..., None]


class Failures(NamedTuple):
    """One run of each way to fail."""

    wandering: Walk
    walls: Walk
    oscillation: Walk


@cache
def failures() -> Failures:
    """Run gradient-norm weights on each of the three landscapes, alternation on the plateau."""
    rng = np.random.default_rng(1)
    far, side = np.array([3.0, 2.5]), np.array([2.5])
    return Failures(
        walk(Plateau(), aggregation.random_alternation, far, 1.1, 400, rng, keep=400),
        walk(Gorge(), aggregation.gradient_norm, np.array([3.0, -0.3]), 0.06, 800, rng, keep=800),
        walk(TwoMinds(), aggregation.largest_gradient, side, 0.3, 60, rng, keep=60),
    )


class Scheduled(NamedTuple):
    """A run under a plateau scheduler: values that it read, step sizes, mean loss."""

    read: Array
    step_sizes: Array
    loss: Array


def plateau_scheduler(
    accumulate: bool, m: int = 4, seed: int = 3, n_steps: int = 300, patience: int = 10
) -> Scheduled:
    """Descend with loss-slope weights; halve the step when the value read has not fallen.

    The value is the weighted sum, or the accumulated loss M. It counts as fallen when it is
    below its best so far; after ``patience`` steps without that the step is halved.
    """
    layers = aligned_layers(m, CELLS, 2, np.random.default_rng(seed))
    x, eta, state = np.array([0.9, 0.6]), 0.02, None
    accumulated, best, waited = aggregation.AccumulatedLoss(), np.inf, 0
    rows = []
    for _ in range(n_steps):
        losses, gradients = layers.value_and_gradient(x)
        step = aggregation.loss_slope(losses, gradients, state, rate=0.3)
        state = step.state
        value = accumulated.add(losses, step.weights)
        if not accumulate:
            value = float(step.weights @ losses)
        best, waited = (value, 0) if value < best - 1e-12 else (best, waited + 1)
        if waited > patience:
            eta, waited = eta / 2, 0
        rows.append((value, eta, losses.mean()))
        x = x - eta * step.gradient
    return Scheduled(*np.array(rows).T)


def false_alarms(accumulate: bool, m: int = 4, n_steps: int = 400) -> tuple[int, int]:
    """Count accepted steps that a line search refuses although the step was downhill.

    Random alternation changes the weights at each step. A search along the step compares
    the value it reads after the step with the one that it read before it: the weighted sum
    with the weights of its time, or the accumulated loss. Returns how many steps raised the
    value read, and how many steps there were, all of them short enough to fall along the
    loss that they follow.
    """
    layers = aligned_layers(m, CELLS, 2, np.random.default_rng(4))
    rng, x = np.random.default_rng(0), np.array([0.9, 0.6])
    accumulated = aggregation.AccumulatedLoss()
    refused, weights = 0, np.full(m, 1 / m)
    losses, gradients = layers.value_and_gradient(x)
    before_m = accumulated.add(losses, weights)
    before_sum = float(weights @ losses)
    for _ in range(n_steps):
        step = aggregation.random_alternation(losses, gradients, rng)
        x = x - 1e-3 * step.gradient
        losses, gradients = layers.value_and_gradient(x)
        after_m = accumulated.add(losses, step.weights)
        after_sum = float(step.weights @ losses)
        refused += after_m > before_m if accumulate else after_sum > before_sum
        before_m, before_sum = after_m, after_sum
    return int(refused), n_steps


def growth_rate(curvatures: Array, step_sizes: Array) -> Array:
    r"""Return the Lyapunov exponent of random alternation at the shared minimum, one dimension.

    .. math:: \Lambda(\eta) = \frac1m \sum_i \ln |1 - \eta h_i|

    per step, with the losses' curvatures h (m,). Negative: walks nearby are drawn in.
    """
    factor = np.abs(1 - step_sizes[:, None] * curvatures)
    return np.asarray(np.log(np.maximum(factor, 1e-300)).mean(axis=1))
