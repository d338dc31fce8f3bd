"""The closing chapter: the answers to its exercises, and what comes of mistakes."""

import math

import numpy as np

from descent.arguments import Array
from descent.chapters.modelling_sgd import exercises as of_the_pit
from descent.chapters.modelling_sgd.numbers import pit
from descent.chapters.ways_out import numbers, results
from descent.landscapes import FiniteSum, two_datapoint


def length_of_the_first_crossing() -> float:
    """Return the setting at which full-batch descent can first cross the saddle."""
    return of_the_pit.first_crossing() / numbers.step_size(1.0)


def step_size_of_the_first_crossing() -> float:
    """Return the step size instead of the setting."""
    return of_the_pit.first_crossing()


def length_of_unrest() -> float:
    """Return the setting above which the descent no longer rests in the pit."""
    return of_the_pit.no_longer_at_rest() / numbers.step_size(1.0)


def _cooled(
    model: FiniteSum, length: float, steps: int, runs: int, rng: np.random.Generator
) -> numbers.Answers:
    size = numbers.pit_noise(length) * (1 - np.arange(steps) / steps)
    noise = size[:, None] * rng.standard_normal((steps, runs))

    def gradient(w: Array, k: int) -> Array:
        return np.asarray(model.mean_gradient(w) + noise[k])

    return numbers.Answers(gradient)


def share_that_rests_when_cooled() -> float:
    """Return the share of runs that rest in the well when the noise falls to zero."""
    rng = np.random.default_rng(1)
    way = numbers.Way(numbers.NOISE, 2, _cooled)
    found = numbers.trace(way, 1.0, numbers.starts(1000, rng), rng)
    return float(results.outcome(found).at_well.mean())


def best_and_twice() -> tuple[float, float]:
    """Return the step size at which Op is infinite, and Op per step at twice of it."""
    best = 1 / float(two_datapoint().mean_curvature(pit().minimum))
    return best, 0.0


def twice_and_infinite() -> tuple[float, float]:
    """Return the edge of stability in place of the best step size."""
    return 2 * best_and_twice()[0], 0.0


def fall_by_a_factor_of_ten() -> float:
    """Return by how much Op falls when the disturbance is ten times as small."""
    return math.log(10)


def step_and_share_of_a_draw() -> tuple[float, float]:
    """Return T of λ = 1 with momentum, and the share of a move made in its first ten steps."""
    beta = numbers.MOMENTUM
    return float((1 - beta) * numbers.step_size(1.0)), 1 - beta**10


def step_of_plain_descent_and_share() -> tuple[float, float]:
    """Return the same with the step size of descent without momentum."""
    return float(numbers.step_size(1.0)), step_and_share_of_a_draw()[1]


def step_and_what_is_left() -> tuple[float, float]:
    """Return the same with the share that is still to come."""
    step, share = step_and_share_of_a_draw()
    return step, 1 - share
