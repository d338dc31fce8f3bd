"""The accuracy of growth rates that are averaged over trajectories and time."""

import numpy as np

from descent.arguments import Array

BATCHES = 8


def _spread(values: Array) -> Array:
    """Return the standard error of the mean over the last axis."""
    return np.asarray(values.std(axis=-1, ddof=1) / np.sqrt(values.shape[-1]))


def batches(growth: Array, n_batches: int = BATCHES) -> Array:
    """Return means over stretches of time, (n_batches, ...), of growth (n_blocks, ...)."""
    return np.array([part.mean(axis=0) for part in np.array_split(growth, n_batches)])


def standard_error(growth: Array, block: float) -> Array:
    r"""Return the standard errors (k,) of mean rates, from growth (n_blocks, k, n) per block.

    The larger of two: the spread between trajectories, and the wandering of their mean
    growth around a straight line, over the time. The latter is all that there is for
    periodic motion; and it sees what the trajectories have in common: if their mean varies in
    time more than that of independent ones, it is taken as a Brownian bridge, whose variance
    around its own mean is a twelfth of that of the free end (Watson 1961).
    """
    n_blocks, k, n = growth.shape
    time = n_blocks * block
    together = growth.mean(axis=2)  # (n_blocks, k)
    between = _spread(growth.mean(axis=0) / block) if n > 1 else np.zeros(k)
    wander = np.cumsum(together - together.mean(axis=0), axis=0).std(axis=0) / time
    if n_blocks < 4:
        return np.asarray(between)
    alone = growth.var(axis=0, ddof=1).mean(axis=-1) / n
    common = (together.var(axis=0, ddof=1) > 2.5 * alone) | (n == 1)
    return np.asarray(np.maximum(between, wander * np.where(common, np.sqrt(12.0), np.sqrt(2.0))))


def difference_of_halves(growth: Array, block: float) -> tuple[Array, Array]:
    """Return the second half's mean rate less the first's, (k,), and its standard error."""
    half = len(growth) // 2
    first, second = growth[:half], growth[half:]
    rate = second.mean(axis=(0, 2)) - first.mean(axis=(0, 2))
    return rate / block, np.hypot(standard_error(first, block), standard_error(second, block))


def populations(growth: Array) -> float:
    """Return how many times more trajectories differ than one of them does in time.

    One if each is a sample of the same motion; large if they have parted for good, on several
    attractors, or shells of energy.
    """
    n_blocks, _, n = growth.shape
    if n < 4 or n_blocks < 2 * BATCHES:
        return 1.0
    first = batches(growth)[:, 0]  # (BATCHES, n) of the largest exponent
    within = first.var(axis=0, ddof=1).mean() / BATCHES
    between = first.mean(axis=0).var(ddof=1)
    floor = 1e-12 + 1e-6 * float(np.square(first).mean())
    return float(between / (within + floor))
