"""Lengths, directions and shares that no scale of the losses over- or underflows."""

from typing import NamedTuple

import numpy as np

from descent.arguments import Array


def scaled(values: Array, axis: int | tuple[int, ...] = -1) -> tuple[Array, Array]:
    """Return values times a power of two, the largest along the axes of order 1, and its log2.

    Nothing is rounded: values that differ by a power of two come out the same.

    Examples
    --------
    >>> import numpy as np
    >>> scaled(np.array([3e200, 4e200]))[0]
    array([0.4..., 0.6...])
    """
    exponent = np.frexp(np.abs(values).max(axis=axis, keepdims=True))[1]
    exponent = np.clip(exponent, -1000, 1000)  # the power of two itself must fit a float
    return values * np.ldexp(1.0, -exponent), exponent


class Directions(NamedTuple):
    """Gradients taken apart: unit vectors u_i (..., m, k), 0 for none, and lengths (..., m)."""

    units: Array
    lengths: Array


def directions(gradients: Array) -> Directions:
    """Return the directions and the lengths of the gradients (..., m, k)."""
    if not gradients.shape[-1]:
        return Directions(gradients, np.zeros(gradients.shape[:-1]))
    rows, exponent = scaled(gradients)
    length = np.sqrt((rows * rows).sum(axis=-1, keepdims=True))
    units = rows / np.where(length > 0, length, 1.0)
    return Directions(units, np.asarray(np.ldexp(length, exponent)[..., 0]))


def norms(gradients: Array) -> Array:
    """Return the lengths |∇l_i| of the gradients (..., m, k), shape (..., m)."""
    with np.errstate(over="ignore", under="ignore"):
        squares = (gradients * gradients).sum(axis=-1)
    if squares.min() > 1e-250 and squares.max() < 1e250:  # nothing over- or underflowed
        return np.asarray(np.sqrt(squares))
    return directions(gradients).lengths


def compact(units: Array) -> Array:
    """Return rows of no more than m entries with the same lengths and angles as (..., m, k).

    The factor R of the columns; it pays where there are many more entries than rows.
    """
    m, k = units.shape[-2:]
    if k <= 4 * m:
        return units
    upper: Array = np.asarray(np.linalg.qr(units.swapaxes(-1, -2), mode="r"))
    return upper.swapaxes(-1, -2)


def averaged(coefficients: Array, lengths: Array) -> Array:
    r"""Return the weights of the mean of m vectors that are given in the unit vectors.

    .. math:: \frac1m \sum_i |\nabla l_i| \sum_j c_{ij} u_j = \sum_j w_j \nabla l_j, \qquad
              w_j = \frac1m \sum_i c_{ij} \frac{|\nabla l_i|}{|\nabla l_j|}

    for coefficients c (..., m, m). A gradient of length 0 keeps its own coefficient alone.
    """
    own = np.eye(lengths.shape[-1], dtype=bool)
    below = np.where(lengths > 0, lengths, np.inf)[..., None, :]
    with np.errstate(over="ignore", invalid="ignore"):  # an infinite weight is refused by `Rule`
        ratio = np.where(own, 1.0, lengths[..., :, None] / below)
        scaled_up = np.where(coefficients == 0, 0.0, coefficients * ratio)
    return np.asarray(scaled_up.mean(axis=-2))


def shares(amounts: Array) -> Array:
    """Return each amount's share of the sum over the last axis; equal shares of nothing."""
    amounts = scaled(amounts)[0]
    total = amounts.sum(axis=-1, keepdims=True)
    empty = total <= 0
    return np.where(empty, 1 / amounts.shape[-1], amounts / np.where(empty, 1.0, total))


def inverses(lengths: Array) -> Array:
    """Return the shortest length over each, in [0, 1]; 0 where a length is 0."""
    there = lengths > 0
    least = np.where(there, lengths, np.inf).min(axis=-1, keepdims=True)
    return np.where(there, least / np.where(there, lengths, 1.0), 0.0)


def inverse_shares(amounts: Array) -> Array:
    """Return the shares of the amounts' inverses; where some are 0, these share all."""
    zero = amounts == 0
    return shares(np.where(zero.any(axis=-1, keepdims=True), zero, inverses(amounts)))


def softmax(logits: Array) -> Array:
    """Return exp(logits) divided by its sum over the last axis."""
    raised = np.exp(logits - logits.max(axis=-1, keepdims=True))
    return np.asarray(raised / raised.sum(axis=-1, keepdims=True))
