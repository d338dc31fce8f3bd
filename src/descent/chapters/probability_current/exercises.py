"""Chapter 2: the answers to its exercises, and what comes of mistakes."""

import numpy as np

from descent.arguments import Array
from descent.chapters.probability_current import beyond, double_well, numbers


def mean_of_the_inverse_gamma_law(k: float, a: float) -> float:
    """Return the stationary mean of the third model in the calculus a."""
    shape, scale = k + a - 1, 2 * k
    return scale / (shape - 1)


def its_mode(k: float, a: float) -> float:
    """Return the most probable place instead of the mean."""
    return 2 * k / (k + a)


def it_with_calculi_exchanged(k: float, a: float) -> float:
    """Return the mean with Itô and Fick exchanged."""
    return mean_of_the_inverse_gamma_law(k, 2 - a)


def third_model() -> object:
    """Return the answer to exercise 1, a function."""
    return mean_of_the_inverse_gamma_law


def third_model_mode() -> object:
    """Return the function that takes the mode for the mean."""
    return its_mode


def third_model_exchanged() -> object:
    """Return the function that counts the calculi from the other end."""
    return it_with_calculi_exchanged


def powers_and_calculi() -> list[tuple[float, float]]:
    """Return k and a at which the mean of exercise 1 is tried."""
    return [(k, a) for k in (5.0, 40.0, 100.0) for a in (0.0, 0.5, 1.0, 2.0)]


def _unevenness(per_draw: int) -> float:
    """Return the greatest over the least density in the coordinate of exercise 2."""
    edges = numbers.CIRCLE[::10]
    fine = np.linspace(0, 2 * np.pi, 4801)
    pieces = np.diff(fine) / (1 + np.sin(numbers.centres(fine)) / 2)
    turn: Array = np.interp(edges, fine, np.concatenate([[0], np.cumsum(pieces)]))
    mass = numbers.binned(numbers.circle_chain(0.5, per_draw), 10) * np.diff(edges)
    density = mass / np.diff(turn)
    return float(density.max() / density.min())


def chain_that_is_uniform_in_arc_length() -> str:
    """Return which chain has the more even law in the coordinate of exercise 2."""
    sizes = {"one step a draw": 1, "many small steps a draw": 32}
    return min(sizes, key=lambda name: _unevenness(sizes[name]))


def share_in_the_wide_well() -> float:
    """Return the probability of the well that is twice as wide, at T = 0.2."""
    wells = beyond.widths(2.0, 0.2)
    mass = wells.chain * np.diff(wells.edges)
    return float(mass[numbers.centres(wells.edges) > 1].sum())


def odds_of_the_wide_well() -> float:
    """Return how many times as likely as the narrow well the wide one is."""
    share = share_in_the_wide_well()
    return share / (1 - share)


def prices_without_a_current() -> tuple[float, float]:
    """Return the price of the saddle at c = 0, by the diffusion, and with noise of twice the size.

    Where the noise is the same in all directions it is 2 ΔL over its variance.
    """
    height = float(double_well.loss(np.zeros(1), np.zeros(1))[0])
    return 2 * height, 2 * height / 4


def heights_for_prices() -> tuple[float, float]:
    """Return the height of the saddle in place of the price."""
    return prices_without_a_current()[0] / 2, prices_without_a_current()[1] / 2


def price_of_twice_the_variance() -> tuple[float, float]:
    """Return the second price as if the variance were doubled."""
    return prices_without_a_current()[0], prices_without_a_current()[0] / 2
