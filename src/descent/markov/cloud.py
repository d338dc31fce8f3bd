r"""Point masses that the chain moves, gathered where they meet: no grid, no diffusion."""

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

from descent.arguments import Array
from descent.landscapes import FiniteSum

ROUNDING = 16 * np.finfo(float).eps


class Cloud(NamedTuple):
    """Masses at points, what has left by now, and what can never leave.

    Attributes
    ----------
    points, weights : array (k,)
        Where the masses are that still move.
    escaped, stuck : float
        Mass that has left; mass that has come to points where no sample moves it.
    """

    points: Array
    weights: Array
    escaped: float
    stuck: float


def gather(points: Array, weights: Array, width: float) -> tuple[Array, Array]:
    r"""Replace the masses in each cell by at most two of the same first four moments.

    For the mean m, the deviation σ and the skewness γ of the masses in a cell,

    .. math:: x_\pm = m + \frac\sigma2 \bigl(\gamma \pm \sqrt{\gamma^2 + 4}\bigr), \qquad
              q_\pm = \frac12 \Bigl(1 \mp \frac{\gamma}{\sqrt{\gamma^2 + 4}}\Bigr)

    which is Gauss' quadrature with two nodes: mass, mean, variance and third moment
    stay, both nodes lie among the masses, and a mass that is alone stays where it is.
    """
    cell = np.floor((points - points.min()) / width)
    if cell.max() < 8 * len(points):
        index = cell.astype(np.intp)
    else:
        index = np.unique(cell, return_inverse=True)[1]
    counts = np.bincount(index)
    if counts.max() <= 2 and width > ROUNDING * np.abs(points).max():
        return points, weights
    few = counts[index] <= 2 if width > ROUNDING * np.abs(points).max() else counts[index] <= 1
    alone, index = (points[few], weights[few]), index[~few]
    x, q = points[~few], weights[~few]
    index = np.unique(index, return_inverse=True)[1]
    mass = np.bincount(index, q).astype(float, copy=False)
    mean = x[np.unique(index, return_index=True)[1]]  # of each cell a point, near its mean
    mean = mean + np.bincount(index, q * (x - mean[index])) / mass
    offset = x - mean[index]
    deviation = np.sqrt(np.bincount(index, q * offset**2) / mass)
    third = np.bincount(index, q * offset**3) / mass
    new = _two(mass, mean, deviation, third)
    return np.concatenate([alone[0], new[0]]), np.concatenate([alone[1], new[1]])


def thin(points: Array, weights: Array, most: int) -> tuple[Array, Array]:
    """Gather neighbours until at most ``most`` masses are left: the closest and lightest first.

    Neighbours are sets of as many in a row. Of the mass beyond a point a set moves what it
    holds, with a chance in proportion to its width.
    """
    if len(points) <= most:
        return points, weights
    each = 3 * -(-len(points) // most)  # of which two are left: with a choice of sets
    order = np.argsort(points, kind="stable")  # quick where runs are in order already
    points, weights = points[order], weights[order]
    n_sets = len(points) // each
    x, q = (v[: n_sets * each].reshape(n_sets, each) for v in (points, weights))
    needed = -(-(len(points) - most) // (each - 2))
    chosen = np.zeros(n_sets, bool)
    loss = (x[:, -1] - x[:, 0]) * q.sum(axis=1)
    chosen[np.argpartition(loss, needed - 1)[:needed]] = True
    x, q = x[chosen], q[chosen]
    mass = q.sum(axis=1)
    mean = x[:, 0] + np.einsum("ij,ij->i", q, x - x[:, :1]) / mass
    offset = x - mean[:, None]
    square = q * offset**2
    deviation = np.sqrt(square.sum(axis=1) / mass)
    third = np.einsum("ij,ij->i", square, offset) / mass
    kept = np.ones(len(points), bool)
    kept[: n_sets * each] = ~np.repeat(chosen, each)
    new = _two(mass, mean, deviation, third)
    return np.concatenate([points[kept], new[0]]), np.concatenate([weights[kept], new[1]])


def _two(mass: Array, mean: Array, deviation: Array, third: Array) -> tuple[Array, Array]:
    """Return two masses in place of each set of these moments: one where it is a point."""
    point = deviation <= ROUNDING * np.abs(mean)
    skew = np.where(point, 0.0, third / np.where(point, 1.0, deviation) ** 3)
    root = np.sqrt(skew**2 + 4)
    right, left = mean + deviation / 2 * (skew + root), mean + deviation / 2 * (skew - root)
    share = (1 - skew / root) / 2
    return (
        np.concatenate([mean[point], left[~point], right[~point]]),
        np.concatenate([mass[point], (mass * (1 - share))[~point], (mass * share)[~point]]),
    )


def follow(
    model: FiniteSum,
    step_size: float,
    start: float,
    ends: tuple[float, float],
    width: float = 0.0,
    most: int | None = None,
) -> Iterator[Cloud]:
    """Yield the cloud from a point, step after step, killed outside its two ends.

    Without a width, masses are gathered where they differ by rounding alone: exact, as
    long as there are few; or, with ``most``, neighbours once there are more (`thin`). Masses
    that no sample moves are taken out.

    Raises
    ------
    FloatingPointError
        If walkers run away beyond all floats.
    """
    points, weights = np.array([start]), np.ones(1)
    escaped = stuck = 0.0
    chances = model.chances[:, None]
    while True:
        yield Cloud(points, weights, escaped, stuck)
        moves = -step_size * model.gradients(points)
        still = (moves == 0).all(axis=0)
        if still.any():
            stuck += float(weights[still].sum())
            points, weights, moves = points[~still], weights[~still], moves[:, ~still]
        images = (points + moves).ravel()
        masses = (chances * weights).ravel()
        if np.isnan(images).any():
            raise FloatingPointError(f"the gradients are not numbers at W = {points[0]:.6g}")
        outside = (images < ends[0]) | (images > ends[1])
        escaped += float(masses[outside].sum())
        points, weights = images[~outside], masses[~outside]
        if not np.isfinite(points).all():
            raise FloatingPointError("walkers run away beyond all floats")
        held = weights > 0
        points, weights = points[held], weights[held]
        if len(points) > 1:
            least = ROUNDING * float(np.abs(points).max())
            if width > least:
                points, weights = gather(points, weights, width)
            elif float(np.diff(np.sort(points)).min()) <= least:
                points, weights = gather(points, weights, least)
            if most is not None:
                points, weights = thin(points, weights, most)


__all__ = ["Cloud", "follow", "gather", "thin"]
