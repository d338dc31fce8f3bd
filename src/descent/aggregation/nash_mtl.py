"""Nash-MTL: what the losses agree on when they bargain about the direction."""

import math
from functools import partial
from typing import Any

import numpy as np

from descent.aggregation.lengths import compact, directions, inverses, shares
from descent.aggregation.mgda import mgda
from descent.aggregation.rule import Rule
from descent.arguments import Array

APART = 1e-6
"""Unit vectors with a mean, however weighed, that is shorter than this have no bargain."""
STEPS = 1000
"""More steps than a damped Newton's method takes for any gradients that are further apart."""


@partial(
    Rule,
    properties={
        "non-conflicting",
        "descends on every loss",
        "sums to one",
        "not negative",
        "order does not matter",
        "scale does not matter",
        "deterministic",
        "memoryless",
    },
)
def nash_mtl(losses: Array, gradients: Array, state: Any) -> tuple[Array, Any]:
    r"""Take the direction in which the product of all losses' gains is largest.

    .. math:: w_i\, \nabla l_i \cdot g = \frac{|g|^2}{m}, \qquad w_i > 0,\ \sum_i w_i = 1

    so that every loss has the same part in g. Up to their length the weights are the solution
    of :math:`J J^{\mathsf T} \alpha = 1/\alpha`, with :math:`\alpha > 0` and the gradients as
    the rows of J, which maximizes :math:`\prod_i \nabla l_i \cdot g` on a ball. It is there,
    and is the only one, where a direction is downhill on every loss; the gradients may depend
    on each other. Where none is, nothing can be agreed on and g is 0, with weights that make
    it so. The direction does not change when a loss is multiplied by a number. Of two losses it
    halves the angle.

    Notes
    -----
    Navon et al., "Multi-task learning as a bargaining game" (2022), the step of algorithm 1.
    There it has the length :math:`|J^{\mathsf T} \alpha| = \sqrt m` however short the gradients
    are; weights that sum to 1 let it rest at a shared minimum. With unit vectors u and their
    cosines C, :math:`\beta_i = \alpha_i |\nabla l_i|` minimizes the convex
    :math:`\frac12 \beta^{\mathsf T} C \beta - \sum_i \ln \beta_i`, which Newton's method,
    damped, finds to rounding error. Its values fall for ever where a mean of the unit vectors
    is 0; one shorter than a millionth counts as 0. Not `imtl_g`, which is the same for two
    losses alone and may raise one of more.

    Examples
    --------
    >>> import numpy as np
    >>> nash_mtl(np.zeros(2), np.array([[1.0, 0.0], [0.0, 3.0]])).gradient.round(12)
    array([0.75, 0.75])
    """
    m = losses.shape[-1]
    directed, lengths = directions(gradients)
    units = compact(directed).reshape(math.prod(losses.shape[:-1]), m, -1)
    amounts = mgda.weights(np.zeros(units.shape[:-1]), units, None)[0]
    shortest = (amounts[:, None] @ units)[:, 0]
    agreed = (shortest * shortest).sum(axis=-1) > APART**2
    if agreed.any():
        amounts[agreed] = bargain(units[agreed])
    at_rest = lengths == 0
    weighed = amounts.reshape(losses.shape) * inverses(lengths)
    return shares(np.where(at_rest.any(axis=-1, keepdims=True), at_rest, weighed)), state


def bargain(units: Array) -> Array:
    r"""Return the β > 0 (n, m) with :math:`\beta_i\, u_i \cdot \sum_j \beta_j u_j = 1`.

    For unit vectors u (n, m, k) with a direction that is uphill on all, else it does not end.
    """
    n, m, _ = units.shape
    cosines, total = units @ units.swapaxes(-1, -2), units.sum(axis=-2)
    beta = np.full((n, m), np.sqrt(m)) / np.sqrt((total * total).sum(axis=-1, keepdims=True))
    left, before = np.arange(n), np.full(n, np.inf)  # those not yet at the minimum
    for _ in range(STEPS):
        b, u = beta[left], units[left]
        direction = b[:, None] @ u
        slope = b * (u @ direction.swapaxes(-1, -2))[..., 0] - 1  # by ln β
        curvature = b[:, :, None] * cosines[left] * b[:, None] + np.eye(m)
        step = np.linalg.solve(curvature, slope[..., None])[..., 0]
        decrement = np.sqrt(np.maximum((slope * step).sum(axis=-1), 0))
        near = decrement < 0.25  # Newton's steps converge from here on
        beta[left] = b * (1 - step / np.where(near, 1.0, 1 + decrement)[:, None])
        # the next step would be below rounding, or rounding is all that is left
        ended = near & ((decrement < 1e-8) | (decrement > before / 2))
        left, before = left[~ended], np.where(near, decrement, np.inf)[~ended]
        if not len(left):
            return np.asarray(beta)
    raise ArithmeticError(f"Newton's method did not come to the bargain of {m} gradients")
