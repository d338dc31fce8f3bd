"""Chapter 8: the answers to its exercises, and what comes of mistakes."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from descent.chapters.overparameterization import numbers
from descent.landscapes import qubic_1d


def speed_of_a_product() -> Callable[[float, float], float]:
    """Return the factor of -f'(x) in the motion of x, of x and the number of weights."""
    return lambda x, D: D * x ** (2 - 2 / D)


def speed_without_the_number() -> Callable[[float, float], float]:
    """Return it without the number of weights that move."""
    return lambda x, D: float(x ** (2 - 2 / D))


def speed_of_one_derivative() -> Callable[[float, float], float]:
    """Return it with the chain rule used once."""
    return lambda x, D: float(D * x ** (1 - 1 / D))


def places_and_depths() -> list[tuple[float, float]]:
    """Return x and D at which the factor is tried."""
    return [(x, D) for x in (0.5, 10.0) for D in (1.0, 2.0, 4.0)]


def share_of_long_adam() -> float:
    """Return the share of runs of Adam with falling long steps that reach the minimum."""
    begin = 0.96 + np.linspace(-0.3, 0.3, 100)[:, None]
    path, _ = numbers.adam(qubic_1d.gradient, begin, numbers.step_sizes(1.0, decay=1.0))
    return float(numbers.reached(qubic_1d, path[-1]).mean())


def solution_from_a_large_start() -> str:
    """Return which solution the weights find that start at 1."""
    found = numbers.sparse_recovery(np.random.default_rng(0), small=1.0, n_steps=4000)
    near_direct = abs(found.error(found.reparameterized) / found.error(found.direct) - 1) < 0.5
    return "that of descent in x" if near_direct else "the sparse one"
