r"""Closing page: all ways out of the pit of chapter 1, at equal evaluations.

One evaluation is one loss or one gradient of one data point. The mean loss has two data
points, so its value costs two evaluations and so does its gradient. Every way has one
setting, a length λ in units of the pit's width.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache, partial
from typing import NamedTuple

import numpy as np
from scipy.optimize import brentq
from scipy.sparse import csr_array
from scipy.stats import norm

from descent import aggregation, markov
from descent.arguments import Array
from descent.chapters.modelling_sgd.numbers import pit
from descent.landscapes import FiniteSum, two_datapoint
from descent.markov.sampling import simulate

BUDGET = 2000
"""Evaluations that a run may spend."""
LENGTHS = (0.1, 0.2, 0.45, 0.7, 1.0, 2.0, 3.0, 5.0, 8.0, 12.0, 20.0, 30.0, 50.0)
"""The settings λ that are tried for every way.

The last one is a step size above 1, with which no descent comes to rest in the well, so that
each way's best setting lies inside.
"""
SPREAD = 0.02
"""Runs start uniformly within so much of W = 1."""
WELL = 2.0
NEAR = 0.05
"""A run that ends within so much of the well rests there."""
CALM = 0.01
"""Step size T of the ways whose setting is a blur: full-batch descent stays in the pit with it."""
MOMENTUM = 0.9
SUBSTEPS = 10
"""Steps in which the diffusion makes one step of the chain."""

THRESHOLD = pit().barrier
"""Escape is the first passage of this b, as in chapter 1."""
WIDTH = pit().barrier - pit().minimum
"""From the bottom of the mean loss's pit to b."""


@cache
def steepest() -> float:
    """Return the steepest slope of l1 between the pit's bottom and b."""
    w = np.linspace(pit().bottom, pit().barrier, 20_001)
    return float(np.abs(two_datapoint().gradients(w)[1]).max())


def step_size(length: float) -> float:
    """Return the T whose longest step on l1 in the pit is ``length`` times the width."""
    return length * WIDTH / steepest()


def starts(runs: int, rng: np.random.Generator) -> Array:
    """Return where runs start, (runs,)."""
    return 1 + rng.uniform(-SPREAD, SPREAD, runs)


class Answers(NamedTuple):
    """An optimizer's gradient at w in step k, and its derivative by w.

    All draws are made beforehand, so that the same k gives the same draws at any w.
    """

    gradient: Callable[[Array, int], Array]
    slope: Callable[[Array, int], Array] | None = None


Make = Callable[[FiniteSum, float, int, int, np.random.Generator], Answers]
"""From the model, the length λ, the numbers of steps and runs, and a generator."""


@dataclass(frozen=True)
class Way:
    """A way that steps along some gradient, :math:`v' = βv - T g, w' = w + v'`.

    Parameters
    ----------
    family : str
        What it relies on.
    cost : int
        Evaluations of a step.
    make : callable
    calm : bool
        Whether T is `CALM`, since λ is the length of a blur and not that of a step.
    momentum : float
        β.
    declared : bool
        Whether the cost is set by us, since the gradient is not made of evaluations.
    runs : int
        How many runs are reported from each seed.
    mean_loss : bool
        Whether it sees the mean loss alone, so that its wall ends at the saddle of that.
    """

    family: str
    cost: int
    make: Make
    calm: bool = False
    momentum: float = 0.0
    declared: bool = False
    runs: int = 100
    mean_loss: bool = False

    def step_size(self, length: float) -> float:
        """Return T, of which momentum makes an effective step size T/(1 - β), that of the λ."""
        return CALM if self.calm else (1 - self.momentum) * step_size(length)

    @property
    def wall(self) -> float:
        """Where the wall of the losses that it sees ends."""
        return pit().saddle if self.mean_loss else THRESHOLD


class Trace(NamedTuple):
    """Positions (n, runs), and the evaluations spent at each, (n, runs) or (n, 1)."""

    spent: Array
    w: Array


def full_batch(
    model: FiniteSum, length: float, steps: int, runs: int, rng: np.random.Generator
) -> Answers:
    """Return the gradient of the mean loss."""
    return Answers(lambda w, k: model.mean_gradient(w), lambda w, k: model.mean_curvature(w))


def sampled(
    model: FiniteSum, length: float, steps: int, runs: int, rng: np.random.Generator
) -> Answers:
    """Return the gradient of one data point, drawn by lot."""
    draws = rng.integers(2, size=(steps, runs), dtype=np.uint8)

    def slope(w: Array, k: int) -> Array:
        of_first, of_second = model.curvatures(w)
        return np.asarray(np.where(draws[k] == 1, of_second, of_first))

    return Answers(lambda w, k: model.sample_gradient(w, draws[k]), slope)


@cache
def pit_noise(length: float) -> float:
    """Return the root mean square of S that stochastic descent meets before it escapes."""
    rng = np.random.default_rng(0)
    path = simulate(
        two_datapoint(), step_size=step_size(length), n_steps=500, start=starts(400, rng), rng=rng
    )
    inside = np.minimum.accumulate(path <= THRESHOLD, axis=0)
    return float(np.sqrt(two_datapoint().gradient_variance(path)[inside].mean()))


def langevin(
    model: FiniteSum, length: float, steps: int, runs: int, rng: np.random.Generator
) -> Answers:
    """Return the mean gradient with noise of one size everywhere, that of `pit_noise`."""
    noise = pit_noise(length) * rng.standard_normal((steps, runs))
    return Answers(
        lambda w, k: model.mean_gradient(w) + noise[k], lambda w, k: model.mean_curvature(w)
    )


def normal_noise(
    model: FiniteSum, length: float, steps: int, runs: int, rng: np.random.Generator
) -> Answers:
    """Return the mean gradient with normal noise of the variance S² at the place.

    With two data points S is half the difference of their gradients.
    """
    xi = rng.standard_normal((steps, runs))

    def combined(values: Array, k: int) -> Array:
        return np.asarray(values.mean(axis=0) + xi[k] * (values[1] - values[0]) / 2)

    return Answers(
        lambda w, k: combined(model.gradients(w), k), lambda w, k: combined(model.curvatures(w), k)
    )


def diffusion(
    model: FiniteSum, length: float, steps: int, runs: int, rng: np.random.Generator
) -> Answers:
    """Return the step of Itô's diffusion over unit time, by Euler and Maruyama's method."""
    T = step_size(length)
    xi = rng.standard_normal((steps, SUBSTEPS, runs), dtype=np.float32)

    def gradient(w: Array, k: int) -> Array:
        moved = w
        for noise in xi[k]:
            g = model.gradients(moved)
            S = (g[1] - g[0]) / 2
            moved = moved - T * (g.mean(axis=0) / SUBSTEPS + S * noise / np.sqrt(SUBSTEPS))
        return np.asarray((w - moved) / T)

    return Answers(gradient)


def blind(
    model: FiniteSum, length: float, steps: int, runs: int, rng: np.random.Generator
) -> Answers:
    """Return noise that knows nothing of the loss; T times it has the standard deviation λ."""
    noise = length * WIDTH / step_size(length) * rng.standard_normal((steps, runs))
    return Answers(lambda w, k: noise[k], lambda w, k: np.zeros_like(w))


GAUSSIANS = ((1.0, 2.0, 1 / 2), (1 / 2, 1.0, 1 / 200))
"""Depth, centre and variance of the Gaussians whose sum is -L."""


def smoothed(w: Array, sigma: float) -> tuple[Array, Array]:
    r"""Return the first and second derivative of the mean loss under a Gaussian blur.

    A Gaussian of variance s² becomes one of variance s² + σ² and the same area.
    """
    first, second = np.zeros_like(w), np.zeros_like(w)
    for depth, centre, variance in GAUSSIANS:
        wide, x = variance + sigma**2, w - centre
        value = depth * np.sqrt(variance / wide) * np.exp(-x * x / (2 * wide)) / wide
        first, second = first + x * value, second + (1 - x * x / wide) * value
    return first, second


def blurred(
    model: FiniteSum, length: float, steps: int, runs: int, rng: np.random.Generator
) -> Answers:
    """Return the gradient of the exactly smoothed mean loss; σ falls from λ widths to zero."""
    sigmas = length * WIDTH * (1 - np.arange(steps) / steps)
    return Answers(lambda w, k: smoothed(w, sigmas[k])[0], lambda w, k: smoothed(w, sigmas[k])[1])


def score_function(
    model: FiniteSum, length: float, steps: int, runs: int, rng: np.random.Generator
) -> Answers:
    """Return the score-function gradient from two samples of the mean loss, with baseline."""
    z = rng.standard_normal((steps, 2, runs))
    sigmas = length * WIDTH * (1 - np.arange(steps) / steps)

    def of(function: Callable[[Array], Array]) -> Callable[[Array, int], Array]:
        def estimate(w: Array, k: int) -> Array:
            values = function(w + sigmas[k] * z[k])
            # The baseline of a sample is the value of the other one.
            return np.asarray(((values - values[::-1]) * z[k]).mean(axis=0) / sigmas[k])

        return estimate

    return Answers(of(model.loss), of(model.mean_gradient))


def aggregated(
    rule: str, model: FiniteSum, length: float, steps: int, runs: int, rng: np.random.Generator
) -> Answers:
    """Return what a rule of chapter 9 makes of the two data points' gradients."""
    combine = aggregation.RULES[rule]
    state: object = rng if rule == "pcgrad" else None

    def gradient(w: Array, k: int) -> Array:
        nonlocal state
        gradients = model.gradients(w)
        losses = model.losses(w) if rule in READS_LOSSES else np.zeros_like(gradients)
        combined = combine(losses.T, gradients.T[..., None], state)
        state = combined.state
        return np.asarray(combined.gradient[..., 0])

    return Answers(gradient)


READS_LOSSES = ("softadapt", "loss_slope")
NOISE, INERTIA, BLUR = "noise", "inertia", "blur"
PLAIN, SEVERAL, VALUES, NETWORK = "plain", "several losses", "values alone", "a network"
FAMILIES = (PLAIN, NOISE, INERTIA, BLUR, SEVERAL, VALUES, NETWORK)

WAYS: dict[str, Way] = {
    "full batch": Way(PLAIN, 2, full_batch, mean_loss=True),
    "blind walk": Way(PLAIN, 1, blind, declared=True),
    "SGD": Way(NOISE, 1, sampled),
    "Langevin": Way(NOISE, 2, langevin, mean_loss=True),
    "normal noise": Way(NOISE, 2, normal_noise),
    "Itô diffusion": Way(NOISE, 1, diffusion, declared=True, runs=25),
    "heavy ball": Way(INERTIA, 2, full_batch, momentum=MOMENTUM, mean_loss=True),
    "SGD, momentum": Way(INERTIA, 1, sampled, momentum=MOMENTUM),
    "exact blur": Way(BLUR, 2, blurred, calm=True, declared=True, mean_loss=True),
    "sampled blur": Way(BLUR, 4, score_function, calm=True, mean_loss=True),
    **{
        name: Way(SEVERAL, 4 if name in READS_LOSSES else 2, partial(aggregated, name), runs=50)
        for name in (
            "gradient_norm",
            "inverse_gradient_norm",
            "largest_gradient",
            "mgda",
            "pcgrad",
            "softadapt",
            "loss_slope",
        )
    },
}
"""The ways that step along a gradient. The equal sum is the full batch, random alternation SGD."""


def answers(
    way: Way,
    length: float,
    runs: int,
    rng: np.random.Generator,
    model: FiniteSum | None = None,
    budget: int = BUDGET,
) -> tuple[Answers, int]:
    """Return what a way answers in each step, and the number of steps."""
    steps = budget // way.cost
    return way.make(model or two_datapoint(), length, steps, runs, rng), steps


def trace(
    way: Way,
    length: float,
    w0: Array,
    rng: np.random.Generator,
    model: FiniteSum | None = None,
    budget: int = BUDGET,
) -> Trace:
    """Run a way from starts (runs,) until the budget is spent."""
    made, steps = answers(way, length, len(w0), rng, model, budget)
    T = way.step_size(length)
    path, velocity = np.empty((steps + 1, len(w0))), np.zeros(len(w0))
    path[0] = w0
    for k in range(steps):
        velocity = way.momentum * velocity - T * made.gradient(path[k], k)
        path[k + 1] = path[k] + velocity
    return Trace(way.cost * np.arange(steps + 1.0)[:, None], path)


def exact_escape(length: float, nodes: int = 8, budget: int = BUDGET) -> float:
    """Return the chance that stochastic descent escapes, from the transfer operator.

    Averaged over the starts by Gauss and Legendre's rule; no sampling.
    """
    x, weights = np.polynomial.legendre.leggauss(nodes)
    chances = [
        markov.escape_probability(
            two_datapoint(),
            step_size=step_size(length),
            n_steps=budget,
            start=1 + SPREAD * at,
            threshold=THRESHOLD,
        )
        for at in x
    ]
    return float(weights @ chances / 2)


@cache
def constant_noise_rests(length: float, nodes: int = 1501) -> float:
    r"""Return the share of runs that end within `NEAR` of the well under noise of one size.

    The density after a step is a sum of bells about the places where descent moves,

    .. math:: \rho_{k+1}(w) = \int \rho_k(u)\, \varphi_{T S}\big(w - u + T L'(u)\big)\, du ,

    by the trapezoidal rule, which is exact to rounding for bells wider than its spacing. No
    sampling.
    """
    model, T = two_datapoint(), step_size(length)
    w, h = np.linspace(WELL - 7.5, WELL + 7.5, nodes, retstep=True)
    wide = T * pit_noise(length)

    def bells(u: Array) -> Array:
        return np.asarray(norm.pdf(w[:, None], u - T * model.mean_gradient(u), wide))

    x, weights = np.polynomial.legendre.leggauss(8)
    density = bells(1 + SPREAD * x) @ (weights / 2)
    step = csr_array(h * np.where((kernel := bells(w)) > 1e-18, kernel, 0.0))
    for _ in range(BUDGET // 2 - 1):
        density = step @ density
    distance = np.abs(np.abs(w - WELL) - NEAR) < h / 2
    near = np.where(distance, 0.5, np.abs(w - WELL) < NEAR)
    return float(h * near @ density)


def blur_without_pit() -> float:
    """Return the least blur, in widths, under which the mean loss has no minimum but the well's."""
    w = np.linspace(0.7, 1.6, 2001)

    def lowest_push(length: float) -> float:
        """Where the slope is negative everywhere left of the well, nothing stops a run."""
        return float(smoothed(w, length * WIDTH)[0].max())

    return float(brentq(lowest_push, 0.0, 5.0))
