r"""Entropy of finite distributions, and how much of it the parts have in common.

A joint distribution P has an axis for each part, such as (thermostat states, room states).
P' is the product of its marginals. Logarithms have base 2: everything is in bits.

Joints may hold floats, or `fractions.Fraction` in an array of dtype object: then all
distributions are exact, and only entropies are rounded.

Source: 003, posts 5 and 6.
"""

import math
import operator
from collections.abc import Sequence
from fractions import Fraction
from typing import Any

import numpy as np
import numpy.typing as npt

from descent.arguments import came

Distribution = npt.NDArray[Any]
Groups = Sequence[Sequence[int]]  # the axes of each part


def _rounding(dtype: np.dtype[Any]) -> float:
    """Return by how much the sum of probabilities of a dtype may be off from 1."""
    short = np.issubdtype(dtype, np.floating) and np.finfo(dtype).eps > 1e-9
    return 16 * float(np.finfo(dtype).eps) if short else 1e-9


def check_distribution(joint: npt.ArrayLike, name: str = "joint") -> Distribution:
    """Return an array of floats, or of exact numbers; an error unless it is a distribution.

    Probabilities in single precision sum to 1 to its rounding, which is divided out.
    """
    try:
        p = np.asarray(joint)
    except ValueError:  # ragged
        raise ValueError(f"{name} must be an array of numbers; got {came(joint)}") from None
    exact = p.dtype == object
    if not exact:
        if not np.issubdtype(p.dtype, np.number) or np.iscomplexobj(p):
            raise TypeError(f"{name} must hold real numbers; got {came(joint)}")
        rounding, p = _rounding(p.dtype), p.astype(float)
        if not np.isfinite(p).all():
            raise ValueError(f"{name} must be finite; got {came(joint)}")
    elif not all(isinstance(v, Fraction | int) for v in p.ravel()):
        raise TypeError(f"{name} of dtype object must hold Fractions; got {came(joint)}")
    if p.size == 0 or (p < 0).any():
        raise ValueError(f"{name} must not have negative entries, nor be empty; got {came(joint)}")
    total = p.sum()
    if (total != 1) if exact else abs(total - 1) > rounding:
        raise ValueError(f"{name} must sum to 1; got a sum of {total}")
    return p if exact or rounding <= 1e-9 else np.asarray(p / total)


def entropy(distribution: npt.ArrayLike) -> float:
    r"""Entropy of a distribution in bits.

    .. math:: \mathbb H(P) = -\sum_i P_i \log_2 P_i

    The largest probability is taken as one minus the others, so that the entropy of an
    almost certain outcome keeps its digits.

    Parameters
    ----------
    distribution : array, any shape
        Floats or Fractions, not negative, of sum 1.

    Returns
    -------
    float
        Bits. Not the differential entropy of a density.

    Raises
    ------
    ValueError, TypeError
        If it is not a distribution.

    Notes
    -----
    Source: 003, post 5, where it is written S[P].

    Examples
    --------
    >>> entropy([[0.5, 0.0], [0.25, 0.25]])
    1.5
    """
    p = np.sort(check_distribution(distribution, "distribution").ravel())
    others = p[:-1][p[:-1] > 0]
    rest = float(others.sum()) if len(others) else 0.0
    q = others.astype(float)
    q = q[q > 0]  # a Fraction may be below the smallest float
    return float(-(q * np.log2(q)).sum() - (1 - rest) * math.log1p(-rest) / math.log(2))


def _grouped(joint: npt.ArrayLike, groups: Groups | None) -> tuple[Distribution, Groups]:
    """Return a joint of two or more parts, and which axes belong to each part."""
    p = check_distribution(joint)
    if groups is None:
        groups = [(axis,) for axis in range(p.ndim)]
    try:
        axes = [int(operator.index(axis)) for group in groups for axis in group]
    except TypeError:
        raise TypeError(
            f"groups must be lists of axes, such as [(0, 1), (2,)]; got {groups!r}"
        ) from None
    if sorted(axes) != list(range(p.ndim)) or not all(len(group) for group in groups):
        raise ValueError(
            f"groups must hold each of the axes 0 … {p.ndim - 1} of joint once; got {groups!r}"
        )
    if len(groups) < 2:
        raise ValueError(
            f"joint must have two axes or more, and groups two; got shape {p.shape}, {groups!r}"
        )
    return p, groups


def decorrelate(joint: npt.ArrayLike, groups: Groups | None = None) -> Distribution:
    r"""Return the product of the marginals of a joint distribution.

    .. math:: P'(s) = \prod_k P(s_k), \qquad \text{for two parts} \quad
              P'_{ij} = \sum_l P_{il} \, \sum_l P_{lj}

    Parameters
    ----------
    joint : array, an axis for each part
        Floats or Fractions.
    groups : list of lists of int, optional
        The axes that make up each part; by default each is a part of its own. Within a
        part the dependence stays.

    Returns
    -------
    array, shape of ``joint``
        Same kind of numbers.

    Raises
    ------
    ValueError, TypeError
        If it is not a distribution of two variables or more, or an axis is in no group or
        in two.

    Notes
    -----
    Source: 003, post 5, the "uncorrelated" version of P.

    Examples
    --------
    >>> decorrelate([[0.5, 0.0], [0.0, 0.5]])
    array([[0.25, 0.25],
           [0.25, 0.25]])
    """
    p, groups = _grouped(joint, groups)
    product: Any = 1
    for group in groups:
        others = tuple(axis for axis in range(p.ndim) if axis not in group)
        product = product * p.sum(axis=others, keepdims=True)
    return np.asarray(product)


def total_correlation(joint: npt.ArrayLike, groups: Groups | None = None) -> float:
    r"""Entropy that the dependence of several parts removes, in bits.

    .. math:: \mathbb C(P) = \sum_k \mathbb H(P_k) - \mathbb H(P) = \mathbb H(P') - \mathbb H(P)

    Parameters
    ----------
    joint, groups
        As in `decorrelate`.

    Returns
    -------
    float
        Bits; zero exactly if all parts are independent, and not where only each two are. For
        two parts it is their `mutual_information`. Not the interaction information, which
        may be negative.

    Raises
    ------
    ValueError, TypeError
        As `decorrelate`.

    Notes
    -----
    Watanabe, Information theoretical analysis of multivariate correlation (1960).

    Examples
    --------
    >>> parity = np.zeros((2, 2, 2))  # each two are independent, the third is their sum
    >>> parity[[0, 0, 1, 1], [0, 1, 0, 1], [0, 1, 1, 0]] = 0.25
    >>> total_correlation(parity)
    1.0
    """
    return entropy(decorrelate(joint, groups)) - entropy(joint)


def mutual_information(joint: npt.ArrayLike) -> float:
    r"""Mutual information of the two parts in bits.

    .. math:: \mathbb I(P) = \mathbb H(P') - \mathbb H(P)

    Parameters
    ----------
    joint : array (n, m)
        Floats or Fractions.

    Returns
    -------
    float
        Bits; zero exactly if the parts are independent.

    Raises
    ------
    ValueError, TypeError
        If it is not a distribution of two variables; `total_correlation` takes more.

    Notes
    -----
    Source: 003, post 6: what the adjusted measure subtracts.

    Examples
    --------
    >>> mutual_information([[0.5, 0.0], [0.0, 0.5]])
    1.0
    """
    p = check_distribution(joint)
    if p.ndim != 2:
        raise ValueError(
            f"joint must have two axes; got shape {p.shape}, whose parts total_correlation compares"
        )
    return total_correlation(p)
