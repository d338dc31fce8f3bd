"""Chapter 1: the answers to its exercises, and what comes of mistakes."""

import math

import numpy as np
from scipy.optimize import brentq, minimize_scalar

from descent import large_deviations
from descent.arguments import Array
from descent.chapters.modelling_sgd import numbers
from descent.landscapes import FiniteSum, two_datapoint

STEP_SIZE = 0.05


def _run() -> int:
    return numbers.l0_steps_to_leave(STEP_SIZE, start=numbers.pit().bottom)


def run_and_escape() -> tuple[float, float]:
    """Return the mean number of draws until the run, and the mean escape time."""
    return 2.0 ** (_run() + 1) - 2, math.exp(numbers.log_escape_times([STEP_SIZE])[0])


def inverse_chance_and_escape() -> tuple[float, float]:
    """Return the same with the inverse of the chance of one run in place of the mean wait."""
    return 2.0 ** _run(), run_and_escape()[1]


def run_and_logarithm() -> tuple[float, float]:
    """Return the same with the logarithm of the escape time."""
    return run_and_escape()[0], math.log(run_and_escape()[1])


def first_crossing() -> float:
    """Return the step size at which full-batch descent can first cross the saddle."""
    model, pit = two_datapoint(), numbers.pit()

    def landing(w: Array, T: float) -> Array:
        return w - T * model.mean_gradient(w)

    def landed(w: float, T: float) -> float:
        return float(landing(np.array(w), T))

    def extreme(low: float, high: float, T: float, sign: int) -> float:
        grid = np.linspace(low, high, 2001)
        best = int(np.argmin(sign * landing(grid, T)))
        ends = grid[max(best - 1, 0)], grid[min(best + 1, 2000)]
        found = minimize_scalar(
            lambda w: sign * landed(w, T), bounds=ends, method="bounded",
            options={"xatol": 1e-12},
        )  # fmt: skip
        return float(found.x)

    def beyond(T: float) -> float:
        # Right of the minimum a step leads left: the steepest place leads lowest.
        lowest = landed(extreme(pit.minimum, pit.saddle, T, 1), T)
        return landed(extreme(lowest, pit.minimum, T, -1), T) - pit.saddle

    return float(brentq(beyond, 0.03, 0.06))


def no_longer_at_rest() -> float:
    """Return the step size 2/L'' above which the minimum itself is unstable."""
    return float(2 / two_datapoint().mean_curvature(numbers.pit().minimum))


def exponent_of_the_rare_pit() -> float:
    """Return V where one data point of four has the pit and the mean loss is the same."""
    deep = two_datapoint(depth=2.0)
    rare = FiniteSum(
        losses=lambda w: deep.losses(w)[[0, 0, 0, 1]],
        gradients=lambda w: deep.gradients(w)[[0, 0, 0, 1]],
        curvatures=lambda w: deep.curvatures(w)[[0, 0, 0, 1]],
    )
    pit = numbers.pit()
    return large_deviations.quasi_potential(rare, pit.minimum, pit.saddle)


def exponent_of_the_pit() -> float:
    """Return V of the chapter's own pit."""
    return numbers.large_deviation().quasi_potential


def _miss_of(size: float, low: float, high: float) -> float:
    """Return the step size at which the law is off by an amount; it grows with the step size."""
    T = np.linspace(low, high, 3)
    law: Array = np.asarray(numbers.large_deviation().log_time(T))
    miss = law - np.asarray(numbers.log_escape_times(T.tolist()))
    return float(np.interp(size, miss, T))


def law_misses_by_one() -> float:
    """Return the step size at which the law is off by 1 in the natural logarithm."""
    return _miss_of(1.0, 0.0100, 0.0108)


def law_misses_by_half() -> float:
    """Return the step size at which it is off by half as much."""
    return _miss_of(0.5, 0.0092, 0.0100)


def exponent_of_a_batch_of_two() -> float:
    """Return V where a step takes the mean of two draws with replacement: twice that of one."""
    return 2 * numbers.large_deviation().quasi_potential


BETA, DEALT_STEP = 0.9, 0.005


def smallest_epoch_that_leaves() -> int:
    """Return the least even n for which the luckiest two epochs lead over the barrier."""
    gradients, pit = two_datapoint().gradients, numbers.pit()
    for half in range(1, 200):
        w = numbers.START
        for j in [1] * half + [0] * (2 * half):
            w = w - DEALT_STEP * float(gradients(np.array(w))[j])
            if w > pit.barrier:
                return 2 * half
    raise AssertionError("no epoch of up to 400 data points leaves")


def smallest_epoch_by_itself() -> int:
    """Return the same where one epoch has to do it alone."""
    gradients, pit = two_datapoint().gradients, numbers.pit()
    for half in range(1, 200):
        w = numbers.START
        for j in [1] * half + [0] * half:
            w = w - DEALT_STEP * float(gradients(np.array(w))[j])
            if w > pit.barrier:
                return 2 * half
    raise AssertionError("no epoch of up to 400 data points leaves")


def settling_with_momentum() -> float:
    """Return the effective step up to which steps on l1 settle where β is 0.9."""
    return numbers.onset() * (1 + BETA) / (1 - BETA)


def its_step_size() -> float:
    """Return the step size T instead of the effective step."""
    return numbers.onset() * (1 + BETA)


def settling_by_plain_descent() -> float:
    """Return the limit of plain descent, in effective steps, as if momentum did not move it."""
    return numbers.onset() / (1 - BETA)
