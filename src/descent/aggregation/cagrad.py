"""CAGrad: near the mean gradient, the direction that serves the worst loss best."""

import math
from functools import partial
from typing import Any

import numpy as np
import numpy.typing as npt

from descent.aggregation.least_squares import nonnegative
from descent.aggregation.lengths import compact, directions, inverses, norms, scaled
from descent.aggregation.mgda import mgda
from descent.aggregation.rule import Rule
from descent.arguments import Array, check_real

LARGE = 1e6
"""Sum of what is added, in steps of the ball's radius, beyond which it cancels but for rounding."""
SMALL, FAR = 1e-250, 1e100
"""Radius of a ball that is a point, for gradients of order 1, and one that is all of space."""
ROUNDS = 300
"""Halvings of the interval of μ on a logarithmic scale, where nothing better is known."""


@partial(
    Rule,
    properties={
        "not negative",
        "order does not matter",
        "scale does not matter",
        "rests only in balance",
        "deterministic",
        "memoryless",
    },
)
def cagrad(
    losses: Array, gradients: Array, state: Any, *, radius: float = 0.5
) -> tuple[Array, Any]:
    r"""Take the direction near the mean along which the loss that gains least gains most.

    .. math:: (1 + c)\, g = \arg\max_d \Big\{ \min_i d \cdot \nabla l_i :
              |d - \bar g| \le c\, |\bar g| \Big\}, \qquad
              d = \bar g + \frac{c\, |\bar g|}{|g_v|}\, g_v

    with the mean gradient :math:`\bar g`, and :math:`g_v = \sum_i v_i \nabla l_i` the convex
    combination that minimizes :math:`g_v \cdot \bar g + c\, |\bar g|\, |g_v|`. At c = 0 it is
    the equal sum; from c = 1 on no loss rises. The weights need not sum to 1, but do where
    all gradients agree.

    Parameters
    ----------
    radius : float
        c >= 0, how far d may be from the mean gradient, in the mean gradient's lengths.

    Notes
    -----
    Liu et al., "Conflict-averse gradient descent for multi-task learning" (2021), algorithm 1,
    divided by 1 + c. With :math:`\mu = |g_v| / (c |\bar g|)` the combination is that of MGDA
    for the gradients :math:`\nabla l_i + \mu \bar g`, and on the losses that count in it μ
    follows from a quadratic equation; so the program is solved exactly, in a few rounds. Where
    :math:`g_v = 0`, several directions do as well: no loss gains, and the nearest to the mean
    is taken that raises none.

    Examples
    --------
    >>> import numpy as np
    >>> conflict = np.array([[1.0, 0.0], [-1.0, 1.0]])
    >>> cagrad(np.zeros(2), conflict, radius=1.0).gradient.round(12)
    array([0.2, 0.4])
    """
    radius = min(check_real("radius", radius, least=0), FAR)
    m, n = losses.shape[-1], math.prod(losses.shape[:-1])
    added = np.zeros((n, m))
    if gradients.shape[-1]:
        rows = compact(scaled(gradients, (-2, -1))[0]).reshape(n, m, -1)
        mean = rows.mean(axis=-2)
        length = norms(mean[:, None])[:, 0]
        reach = radius * length
        # a mean that is nothing but rounding has no ball, and a ball may be too small
        free = (reach > SMALL) & (length > 1e-14 * norms(rows).mean(axis=-1))
        if free.any():
            added[free] = within(rows[free], mean[free], reach[free])
    return (1 / m + added.reshape(losses.shape)) / (1 + radius), state


def within(rows: Array, mean: Array, reach: Array) -> Array:
    """Return the y >= 0 (n, m) of the best d = mean + Σ y_i ∇l_i in the ball of that radius."""
    n, m, _ = rows.shape
    units, lengths = directions(rows)
    vertex = (rows @ mean[..., None])[..., 0] + reach[:, None] * lengths
    first = np.take_along_axis(lengths, vertex.argmin(axis=-1)[:, None], -1)[:, 0]
    mu = np.where(first > 0, first, lengths.max(axis=-1)) / reach
    low, high, added = np.zeros(n), np.full(n, np.inf), np.zeros((n, m))
    left = np.arange(n)
    for _ in range(ROUNDS):
        at, r, g = mu[left], reach[left], rows[left]
        v = mgda.weights(np.zeros((len(left), m)), g + (at[:, None] * mean[left])[:, None], None)[0]
        combined = (v[:, None] @ g)[:, 0]
        length = np.sqrt((combined * combined).sum(axis=-1))
        short = length < at * r  # d = mean + combined / μ is inside the ball: μ is too large
        high[left], low[left] = np.where(short, at, high[left]), np.where(short, low[left], at)
        amount = (v * lengths[left]).sum(axis=-1)
        resting = ((v > 0) & (lengths[left] == 0)).any(axis=-1)  # a loss that cannot gain counts
        flat = short & (resting | (amount > LARGE * at * r))
        better = on_these(units[left], lengths[left], mean[left], r, v > 0)
        ended = (np.abs(better - at) <= 1e-12 * at) & (np.abs(length - at * r) <= 1e-9 * at * r)
        ended |= high[left] <= low[left] * (1 + 1e-14)
        ended &= ~flat
        added[left[ended]] = v[ended] * (r[ended] / length[ended])[:, None]
        added[left[flat]] = nearest(units[left[flat]], lengths[left[flat]], mean[left[flat]])
        outside = ~((better > low[left]) & (better < high[left]))
        far = np.where(np.isinf(high[left]), at * 16, np.where(low[left] > 0, 0, at / 256))
        bounded = np.where(np.isinf(high[left]), 1.0, high[left])
        middle = np.where(far > 0, far, np.sqrt(low[left]) * np.sqrt(bounded))
        mu[left] = np.where(outside, middle, better)
        left = left[~(ended | flat)]
        if not len(left):
            return added
    raise ArithmeticError(f"the ball of {m} gradients was not reached in {ROUNDS} rounds")


def on_these(
    units: Array, lengths: Array, mean: Array, reach: Array, chosen: npt.NDArray[np.bool_]
) -> Array:
    r"""Return μ if these losses gain alike and the others do not count; nan where they cannot.

    Of the level t that all gain, :math:`C z = t / |\nabla l| - u \cdot \bar g` has the length
    of the ball's radius, and μ is one over the sum of :math:`z_i / |\nabla l_i|`.
    """
    chosen = chosen & (lengths > 0)
    both = chosen[:, :, None] & chosen[:, None]
    inverse = np.linalg.pinv(
        np.where(both, units @ units.swapaxes(-1, -2), 0.0), rcond=1e-13, hermitian=True
    )
    shortest = np.where(chosen, lengths, np.inf).min(axis=-1)
    level = inverses(np.where(chosen, lengths, 0.0))
    along = np.where(chosen, (units @ mean[..., None])[..., 0], 0.0)
    a, b, c = (
        (x[:, None] @ inverse @ y[..., None])[:, 0, 0]
        for x, y in ((level, level), (level, along), (along, along))
    )
    with np.errstate(invalid="ignore", divide="ignore"):
        t = (b + np.sqrt(b * b - a * (c - reach * reach))) / a
        z = (inverse @ (t[:, None] * level - along)[..., None])[..., 0]
        return np.asarray(shortest / (z * level).sum(axis=-1))


def nearest(units: Array, lengths: Array, mean: Array) -> Array:
    """Return the y of the vector nearest to the mean that raises no loss."""
    size = np.sqrt((mean * mean).sum(axis=-1, keepdims=True))
    z = nonnegative(units.swapaxes(-1, -2), -mean / size) * size
    return np.asarray(np.where(lengths > 0, z / np.where(lengths > 0, lengths, 1.0), 0.0))
