"""Chapter 6: the answers to its exercises, and what comes of mistakes."""

import math

import numpy as np

from descent.arguments import Array
from descent.chapters.thermostats_and_lorenz import numbers, zoo

DURATION = 10.0


def area_of_a_soft_thermostat() -> float:
    """Return the area under 1 - Comp with the law tanh, as a difference of two final rooms."""
    room, reading = np.array([numbers.LOW, numbers.HIGH]), np.zeros(2)
    for _ in range(round(DURATION / numbers.DT)):
        room, reading = room - numbers.DT * np.tanh(reading), room - numbers.TARGET
    return float(numbers.HIGH - numbers.LOW - (room[1] - room[0]))


def slope_of_a_pair() -> float:
    """Return the slope of Op of c with a and b replayed: -beta minus the largest exponent."""
    return -numbers.BETA - numbers.PUBLISHED_EXPONENT


def slope_with_a_growing_disturbance() -> float:
    """Return the slope with the wrong sign of the decay of c."""
    return numbers.BETA - numbers.PUBLISHED_EXPONENT


def slope_of_the_world_without() -> float:
    """Return the decay of c alone."""
    return -numbers.BETA


def _second_optimizes_first(M: Array) -> float:
    """Return the long-run slope of Op of the second player on the first."""
    return float(M[0, 0]) - numbers.largest_rate(M)


def two_players() -> Array:
    """Return a matrix of motion in which the second player optimizes the first."""
    return np.array([[0.5, -1.0], [1.5, -1.0]])


def is_optimized(M: Array) -> bool:
    """Whether the second player optimizes the first."""
    return _second_optimizes_first(M) > 1e-9


def two_players_exchanged() -> Array:
    """Return the matrix in which they have changed their places."""
    return two_players()[::-1, ::-1].copy()


def a_loss_for_both() -> Array:
    """Return the matrix of a descent on one loss, which is symmetric."""
    return np.array([[0.5, -1.0], [-1.0, -1.0]])


def integral_of_the_unstable_plant() -> float:
    """Return the integral of log |S| over the positive frequencies."""
    return zoo.bode_integral(gain=3.0, lag=0.2, pole=1.0)


def integral_of_a_stable_plant() -> float:
    """Return it for a plant without an unstable pole."""
    return zoo.bode_integral(gain=3.0, lag=0.2, pole=0.0)


def rate_of_the_pole() -> float:
    """Return the integral over pi."""
    return integral_of_the_unstable_plant() / math.pi
