"""Chapter 8: descent in x itself, with the steps that a network would take (source 001)."""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from scipy.optimize import brentq

from descent.adam import FRESH, Moments, adam_step
from descent.arguments import Array, check_count, check_real, check_step_size
from descent.estimates import clustered_rate, wilson
from descent.kept import kept
from descent.landscapes import Objective, Shifted, ackley, six_hump_camel

Gradient = Callable[[Array], Array]

DISTANCE = 10.0
"""How far right of Ackley's minimum the source starts."""
STEPS = 500
"""Steps of the source's optimizations."""
LEARNING_RATE = 5e-4
"""The source's step size for Adam."""
RADIUS = 0.5
"""A run has succeeded if it ends this close to a global minimizer in every coordinate."""


def reached(objective: Objective, x: npt.ArrayLike) -> npt.NDArray[np.bool_]:
    """Return whether points (..., d) lie within RADIUS of a global minimizer, shape (...)."""
    points = np.asarray(x, float)
    gaps = np.abs(points[..., None, :] - objective.minimizers(points.shape[-1]))
    return np.asarray((gaps.max(-1) < RADIUS).any(-1))


class Rate(NamedTuple):
    """A success rate with its 95 % interval, and how much of its variance is between seeds."""

    successes: int
    runs: int
    low: float
    high: float
    between: float = 1.0

    @property
    def share(self) -> float:
        """Successes by runs."""
        return self.successes / self.runs

    @property
    def interval(self) -> str:
        """The interval in percent, for a sentence."""
        return f"{100 * self.low:.0f} to {100 * self.high:.0f} %"

    def __str__(self) -> str:
        return f"{self.successes} of {self.runs}"


def rate(outcomes: npt.ArrayLike) -> Rate:
    """Return the success rate of runs, with Wilson's interval.

    Parameters
    ----------
    outcomes
        Whether each run succeeds, (runs,); or (seeds, repeats), if the repeats of a seed differ
        by their rounding alone. They are alike then, and the interval takes that into account
        (`descent.estimates.clustered_rate`).

    Raises
    ------
    ValueError
        If there are none.

    Examples
    --------
    >>> str(rate([True, True, False, True]))
    '3 of 4'
    >>> rate([[True, True], [False, False]]).interval == rate([True, False]).interval
    True
    """
    hits = np.asarray(outcomes, bool)
    if not hits.size:
        raise ValueError("outcomes must hold at least one outcome; got none")
    k, n = int(hits.sum()), hits.size
    if hits.ndim == 1:
        return Rate(k, n, *wilson(k, n))
    clustered = clustered_rate(hits)
    return Rate(k, n, clustered.low, clustered.high, clustered.between)


class Repeats(NamedTuple):
    """How many seeds succeed in all their repeats, in some, and in none."""

    always: int
    sometimes: int
    never: int


def repeats(outcomes: npt.ArrayLike) -> Repeats:
    """Count the seeds of outcomes (seeds, repeats) by what their repeats do.

    Examples
    --------
    >>> repeats([[True, True], [False, True], [True, True]])
    Repeats(always=2, sometimes=1, never=0)
    """
    hits = np.asarray(outcomes, bool)
    every, some = int(hits.all(axis=1).sum()), int(hits.any(axis=1).sum())
    return Repeats(every, some - every, len(hits) - some)


# Descent in x.


def step_sizes(first: float, decay: float, n_steps: int = STEPS) -> Array:
    """Return a linear schedule: first · (1 - decay · k/n), k = 0 … n - 1.

    Parameters
    ----------
    first
        The first step size, positive.
    decay
        Share of it that is lost by the end, in [0, 1].
    """
    first, n_steps = check_step_size(first), check_count("n_steps", n_steps)
    if not 0 <= check_real("decay", decay) <= 1:
        raise ValueError(f"decay must lie in [0, 1]; got {decay!r}")
    return first * (1 - decay * np.arange(n_steps) / max(n_steps, 1))


def gradient_descent(gradient: Gradient, start: npt.ArrayLike, sizes: Array) -> Array:
    """Return x_{k+1} = x_k - η_k ∇f(x_k), shape (n + 1, ..., d), for starts (..., d)."""
    path = [np.asarray(start, float)]
    for size in sizes:
        path.append(path[-1] - size * gradient(path[-1]))
    return np.array(path)


def adam(
    gradient: Gradient,
    start: npt.ArrayLike,
    sizes: Array,
    state: Moments = FRESH,
    stop: Callable[[Array], bool] = lambda x: False,
) -> tuple[Array, Moments]:
    """Return Adam's path, shape (n + 1, ..., d), and its state at the end.

    Parameters
    ----------
    gradient
        Of points (..., d).
    start
        Shape (..., d).
    sizes
        Step size of each step.
    state
        From an earlier run, which this one then continues.
    stop
        Ends the run before a step.
    """
    path = [np.asarray(start, float)]
    for size in sizes:
        x = path[-1]
        if stop(x):
            break
        step, state = adam_step(gradient(x), state, size)
        path.append(x - step)
    return np.array(path), state


@kept
def source_direct(
    objective: Objective, condition: npt.ArrayLike, n_steps: int, seed: int = 0
) -> tuple[Array, int]:
    """Return the source's direct optimization, and how many steps reached its start.

    As with a network, Adam first fits x ~ 0.01 N(0, I) to the initial condition, until the mean
    square of the difference is below 1e-6; then it goes on, with its state, on the objective.
    """
    target = np.atleast_1d(np.asarray(condition, float))
    begin = 0.01 * np.random.default_rng(seed).normal(size=target.shape)
    fitted, state = adam(
        lambda x: 2 * (x - target) / target.size,
        begin,
        step_sizes(LEARNING_RATE, 0.0, 100_000),
        stop=lambda x: bool(np.mean((x - target) ** 2) < 1e-6),
    )
    sizes = step_sizes(LEARNING_RATE, 0.0, n_steps)
    path, _ = adam(objective.gradient, fitted[-1], sizes, state)
    return path, len(fitted) - 1


def with_step_lengths(
    gradient: Gradient, start: npt.ArrayLike, lengths: Array, momentum: float = 0.0
) -> Array:
    """Return a descent whose k-th step has a given length, that of a step of another run.

    x_{k+1} = x_k - ℓ_k m_k/|m_k| with m_k = momentum · m_{k-1} + (1 - momentum) ∇f(x_k).
    """
    if not 0 <= check_real("momentum", momentum) < 1:
        raise ValueError(f"momentum must lie in [0, 1); got {momentum!r}")
    path, mean = [np.asarray(start, float)], np.zeros(np.shape(start))
    for length in lengths:
        mean = momentum * mean + (1 - momentum) * gradient(path[-1])
        size = np.linalg.norm(mean, axis=-1, keepdims=True)
        path.append(path[-1] - length * mean / np.where(size > 0, size, 1))
    return np.array(path)


def sum_of_weights(
    gradient: Gradient, start: float, n_weights: int, sizes: Array, optimizer: str = "adam"
) -> Array:
    """Return the path of x = Σ w_i (n + 1, 1) when Adam or descent moves the w_i.

    The plainest overparameterization: all w_i have the derivative f'(x), so x moves as under
    the same optimizer with a step size that is n_weights times as large.

    Raises
    ------
    ValueError
        If the optimizer is neither "adam" nor "descent".
    """

    def lifted(w: Array) -> Array:
        return np.broadcast_to(gradient(w.sum(-1, keepdims=True)), w.shape)

    weights = np.full(n_weights, start / n_weights)
    if optimizer == "adam":
        path, _ = adam(lifted, weights, sizes)
    elif optimizer == "descent":
        path = gradient_descent(lifted, weights, sizes)
    else:
        raise ValueError(f"optimizer must be 'adam' or 'descent'; got {optimizer!r}")
    return np.asarray(path.sum(-1, keepdims=True))


def product_of_weights(gradient: Gradient, start: float, depth: int, sizes: Array) -> Array:
    """Return the path of x = w^depth (n + 1, 1) under descent in depth equal weights.

    A deep linear network of width 1 in balance. In small steps
    dx/dt = -depth · x^(2 - 2/depth) · f'(x): the step grows with x and vanishes at 0.
    """
    if not start > 0:
        raise ValueError(f"start must be positive; got {start!r}")

    def lifted(w: Array) -> Array:
        return np.asarray(gradient(w**depth) * w ** (depth - 1))

    path = gradient_descent(lifted, np.array([start ** (1 / depth)]), sizes)
    return np.asarray(path**depth)


# Ackley from the right.


def starts(shift: float = 0.0, n: int = 100) -> Array:
    """Return starts (n, 1) spread over one ripple around DISTANCE right of the minimum."""
    return (shift + DISTANCE - 0.5 + (np.arange(n) + 0.5) / n)[:, None]


def direct_rate(first: float, decay: float, shift: float = 0.0, n: int = 100) -> Rate:
    """Return how often plain descent reaches the minimum of the shifted Ackley function."""
    objective = Shifted(ackley, shift)
    path = gradient_descent(objective.gradient, starts(shift, n), step_sizes(first, decay))
    return rate(reached(objective, path[-1]))


def adam_rate(first: float, decay: float, shift: float = 0.0, n: int = 100) -> Rate:
    """Return the same for Adam in x."""
    objective = Shifted(ackley, shift)
    path, _ = adam(objective.gradient, starts(shift, n), step_sizes(first, decay))
    return rate(reached(objective, path[-1]))


def local_minimum(gradient: Gradient, low: float, high: float) -> float:
    """Return the zero of f' between two points of one dimension, to rounding."""
    return float(
        brentq(lambda x: float(gradient(np.array([x]))[0]), low, high, xtol=1e-15, rtol=1e-15)
    )


# Where reparameterization helps: sparse solutions of too few equations.


class Sparse(NamedTuple):
    """Solutions of A x = y with fewer equations than unknowns, and the sparse truth."""

    truth: Array
    direct: Array
    reparameterized: Array

    def error(self, x: Array) -> float:
        """Relative distance of x from the truth."""
        return float(np.linalg.norm(x - self.truth) / np.linalg.norm(self.truth))


def sparse_recovery(
    rng: np.random.Generator,
    n_unknowns: int = 100,
    n_equations: int = 40,
    n_nonzero: int = 5,
    small: float = 1e-3,
    n_steps: int = 20_000,
) -> Sparse:
    """Descend on ½|A x - y|² in x from 0, and in (u, v) with x = u∘u - v∘v from small u = v.

    Both losses have the same minimizers. The first descent ends at the one of least Euclidean
    norm, the second near the one of least ℓ1 norm, the closer the smaller the start.
    """
    A = rng.normal(size=(n_equations, n_unknowns)) / np.sqrt(n_equations)
    truth = np.zeros(n_unknowns)
    truth[rng.choice(n_unknowns, n_nonzero, replace=False)] = rng.choice([-1.0, 1.0], n_nonzero)
    y = A @ truth
    x, u, v = np.zeros(n_unknowns), *np.full((2, n_unknowns), small)
    for _ in range(n_steps):
        x = x - 0.1 * A.T @ (A @ x - y)
        g = A.T @ (A @ (u * u - v * v) - y)
        u, v = u - 0.05 * 2 * u * g, v + 0.05 * 2 * v * g
    return Sparse(truth, x, u * u - v * v)


def camel_minima() -> Array:
    """Return all minima of the six-hump camel, (k, 2), by Newton's method from a grid."""
    grid = np.linspace(-2.2, 2.2, 23)
    x = np.stack(np.meshgrid(grid, grid / 2), -1).reshape(-1, 2)
    for _ in range(60):
        u, v = x.T
        a, b = 8 - 25.2 * u**2 + 10 * u**4, 48 * v**2 - 8
        g = six_hump_camel.gradient(x)
        determinant = a * b - 1
        step = np.stack([b * g[:, 0] - g[:, 1], a * g[:, 1] - g[:, 0]], -1)
        x = np.clip(x - step / determinant[:, None], -4, 4)
    u, v = x.T
    a, b = 8 - 25.2 * u**2 + 10 * u**4, 48 * v**2 - 8
    slope = np.linalg.norm(six_hump_camel.gradient(x), axis=-1)
    minimum = (a * b > 1) & (a > 0) & (slope < 1e-9)
    return np.unique(x[minimum].round(9), axis=0)
