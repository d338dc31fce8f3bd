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
    mass = np.bincount(index, q)
    mean = x[np.unique(index, return_index=True)[1]]  # of each cell a point, near its mean
    mean = mean + np.bincount(index, q * (x - mean[index])) / mass
    offset = x - mean[index]
    deviation = np.sqrt(np.bincount(index, q * offset**2) / mass)
    point = deviation <= ROUNDING * np.abs(mean)  # a single point, up to rounding
    third = np.bincount(index, q * offset**3) / mass
    skew = np.where(point, 0.0, third / np.where(point, 1.0, deviation) ** 3)
    root = np.sqrt(skew**2 + 4)
    right, left = mean + deviation / 2 * (skew + root), mean + deviation / 2 * (skew - root)
    share = (1 - skew / root) / 2
    return (
        np.concatenate([alone[0], mean[point], right[~point], left[~point]]),
        np.concatenate(
            [alone[1], mass[point], (mass * share)[~point], (mass * (1 - share))[~point]]
        ),
    )


def follow(
    model: FiniteSum,
    step_size: float,
    start: float,
    ends: tuple[float, float],
    width: float = 0.0,
) -> Iterator[Cloud]:
    """Yield the cloud from a point, step after step, killed outside its two ends.

    Without a width, masses are gathered where they differ by rounding alone: exact, as
    long as there are few. Masses that no sample moves are taken out.

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


__all__ = ["Cloud", "follow", "gather"]
