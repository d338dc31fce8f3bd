r"""Entropy of finite systems, and how much their parts' dependence narrows the future.

A joint distribution P of thermostat and room has shape (thermostat states, room states).
P' is the product of its marginals. Logarithms have base 2: everything is in bits.

Joints may hold floats, or `fractions.Fraction` in an array of dtype object: then all
distributions are exact, and only entropies are rounded.

Source: 003, posts 5 and 6.
"""

import math
from fractions import Fraction
from typing import Any

import numpy as np
import numpy.typing as npt

from descent.arguments import came, check_kind, check_real
from descent.systems import FiniteSystem

Distribution = npt.NDArray[Any]


def _distribution(joint: npt.ArrayLike, name: str = "joint") -> Distribution:
    """Return an array of floats, or of exact numbers; an error unless it is a distribution."""
    try:
        p = np.asarray(joint)
    except ValueError:  # ragged
        raise ValueError(f"{name} must be an array of numbers; got {came(joint)}") from None
    exact = p.dtype == object
    if not exact:
        if not np.issubdtype(p.dtype, np.number) or np.iscomplexobj(p):
            raise TypeError(f"{name} must hold real numbers; got {came(joint)}")
        p = p.astype(float)
        if not np.isfinite(p).all():
            raise ValueError(f"{name} must be finite; got {came(joint)}")
    elif not all(isinstance(v, Fraction | int) for v in p.ravel()):
        raise TypeError(f"{name} of dtype object must hold Fractions; got {came(joint)}")
    if p.size == 0 or (p < 0).any():
        raise ValueError(f"{name} must not have negative entries, nor be empty; got {came(joint)}")
    total = p.sum()
    if (total != 1) if exact else abs(total - 1) > 1e-9:
        raise ValueError(f"{name} must sum to 1; got a sum of {total}")
    return p


def _joint(joint: npt.ArrayLike, system: FiniteSystem) -> Distribution:
    check_kind("system", system, FiniteSystem)
    p = _distribution(joint)
    if p.shape != system.shape:
        raise ValueError(f"joint must have shape {system.shape}, thermostat by room; got {p.shape}")
    return p


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
    p = np.sort(_distribution(distribution, "distribution").ravel())
    others = p[:-1][p[:-1] > 0]
    rest = float(others.sum()) if len(others) else 0.0
    q = others.astype(float)
    q = q[q > 0]  # a Fraction may be below the smallest float
    return float(-(q * np.log2(q)).sum() - (1 - rest) * math.log1p(-rest) / math.log(2))


def decorrelate(joint: npt.ArrayLike) -> Distribution:
    r"""Return the product of the marginals of a joint distribution.

    .. math:: P'_{ij} = \sum_l P_{il} \, \sum_l P_{lj}

    Parameters
    ----------
    joint : array (n, m)
        Floats or Fractions.

    Returns
    -------
    array (n, m)
        Same kind of numbers.

    Raises
    ------
    ValueError, TypeError
        If it is not a distribution of two variables.

    Notes
    -----
    Source: 003, post 5, the "uncorrelated" version of P.

    Examples
    --------
    >>> decorrelate([[0.5, 0.0], [0.0, 0.5]])
    array([[0.25, 0.25],
           [0.25, 0.25]])
    """
    p = _distribution(joint)
    if p.ndim != 2:
        raise ValueError(f"joint must have two axes; got shape {p.shape}")
    return np.asarray(np.multiply.outer(p.sum(axis=1), p.sum(axis=0)))


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
        If it is not a distribution of two variables.

    Notes
    -----
    Source: 003, post 6: what the adjusted measure subtracts.

    Examples
    --------
    >>> mutual_information([[0.5, 0.0], [0.0, 0.5]])
    1.0
    """
    return entropy(decorrelate(joint)) - entropy(joint)


def push_forward(joint: npt.ArrayLike, system: FiniteSystem) -> Distribution:
    r"""Return the joint distribution one step later.

    .. math:: P_{t+1}(s') = \sum_{s:\, F(s) = s'} P_t(s)

    Parameters
    ----------
    joint : array (n_thermostat, n_room)
        P_t; floats or Fractions.
    system : FiniteSystem
        The step F of both parts at once.

    Returns
    -------
    array (n_thermostat, n_room)
        P_{t+1}; same kind of numbers.

    Raises
    ------
    ValueError, TypeError
        If the joint is not a distribution over the system's states.

    Notes
    -----
    Source: 003, post 5, "Attempt one".

    Examples
    --------
    >>> from descent.systems import smart_thermostat
    >>> push_forward(np.eye(3)[::-1] / 3, smart_thermostat())
    array([[0., 0., 0.],
           [0., 1., 0.],
           [0., 0., 0.]])
    """
    p = _joint(joint, system)
    after = np.zeros_like(p)
    if p.dtype == object:
        after[...] = Fraction(0)
    np.add.at(after, system.step(*np.indices(p.shape)), p)
    return after


def optimizing_strength(joint: npt.ArrayLike, system: FiniteSystem) -> float:
    r"""Entropy that the dependence of the parts removes from the next state, in bits.

    .. math:: \mathbb H(F P'_t) - \mathbb H(F P_t)

    F P is the push-forward. Not the mutual information of the parts, neither before nor
    after the step; that is `mutual_information`.

    Parameters
    ----------
    joint : array (n_thermostat, n_room)
        P_t; floats or Fractions. In post 6 of the source it is itself the push-forward
        of an independent start P_{t-1}.
    system : FiniteSystem
        The step.

    Returns
    -------
    float
        Bits; positive if the dependence narrows the future.

    Raises
    ------
    ValueError, TypeError
        If the joint is not a distribution over the system's states.

    Notes
    -----
    Source: 003, post 5, "Attempt one", and post 6, "optimizing-ness".

    Examples
    --------
    >>> from descent.systems import smart_thermostat
    >>> round(optimizing_strength(np.eye(3)[::-1] / 3, smart_thermostat()), 4)
    2.1972
    """
    p = _joint(joint, system)
    return entropy(push_forward(decorrelate(p), system)) - entropy(push_forward(p, system))


def adjusted_optimizing_strength(joint: npt.ArrayLike, system: FiniteSystem) -> float:
    r"""Optimizing strength minus the mutual information before the step, in bits.

    .. math:: \bigl[\mathbb H(F P'_t) - \mathbb H(F P_t)\bigr]
              - \bigl[\mathbb H(P'_t) - \mathbb H(P_t)\bigr]

    It equals the difference of two `erased_entropy`, that of P minus that of P', and so
    it is zero for every one-to-one step.

    Parameters
    ----------
    joint : array (n_thermostat, n_room)
        P_t; floats or Fractions.
    system : FiniteSystem
        The step.

    Returns
    -------
    float
        Bits; of either sign.

    Raises
    ------
    ValueError, TypeError
        If the joint is not a distribution over the system's states.

    Notes
    -----
    Source: 003, post 6, "adjusted optimizing-ness".

    Examples
    --------
    >>> from descent.systems import dumb_thermostat
    >>> uniform = np.full((3, 3), 1 / 9)
    >>> joint = push_forward(uniform, dumb_thermostat())
    >>> round(adjusted_optimizing_strength(joint, dumb_thermostat()), 6)
    -0.444444
    """
    return optimizing_strength(joint, system) - mutual_information(joint)


def erased_entropy(joint: npt.ArrayLike, system: FiniteSystem) -> float:
    r"""Entropy of the present state given the next: what a step forgets, in bits.

    .. math:: \mathbb H(s_t \mid s_{t+1}) = \sum_{s'} P_{t+1}(s')\,
              \mathbb H(s_t \mid s_{t+1} = s')

    Computed state by state. As the step is deterministic, it equals
    :math:`\mathbb H(P_t) - \mathbb H(P_{t+1})`.

    Parameters
    ----------
    joint : array (n_thermostat, n_room)
        P_t; floats or Fractions.
    system : FiniteSystem
        The step.

    Returns
    -------
    float
        Bits, not negative; zero if the step is one-to-one where P_t is positive.

    Raises
    ------
    ValueError, TypeError
        If the joint is not a distribution over the system's states.

    Notes
    -----
    The identity answers what the adjusted measure of 003, post 6, means.

    Examples
    --------
    >>> from descent.systems import dumb_thermostat
    >>> round(erased_entropy(np.full((3, 3), 1 / 9), dumb_thermostat()), 6)
    0.444444
    """
    p = _joint(joint, system)
    after = push_forward(p, system)
    code = np.ravel_multi_index(system.step(*np.indices(p.shape)), p.shape)
    erased = 0.0
    for image, mass in enumerate(after.ravel()):
        if mass > 0:
            erased += float(mass) * entropy(p[code == image] / mass)
    return erased


def narrow_start(epsilon: Any) -> Distribution:
    r"""Independent start near (low, warm): both parts have probabilities (ε/2, 1 - ε, ε/2).

    Parameters
    ----------
    epsilon : float or Fraction
        Probability of not being in the middle, from 0 to 1.

    Returns
    -------
    array (3, 3)
        The product; of dtype object for a Fraction.

    Raises
    ------
    ValueError
        If epsilon is outside its range.

    Notes
    -----
    For the smart thermostat and small ε the adjusted strength of the pushed-forward
    start, divided by the entropy of the start, is

    .. math:: \frac12 - \frac{\varepsilon}{4}\,
              \frac{7 L + 6 + 5 \log 2}{L + 1 + \log 2} + O(\varepsilon^2),
              \qquad L = \log \frac1\varepsilon

    (natural logarithms). Source: 003, post 6, "Quantitative Data".

    Examples
    --------
    >>> narrow_start(0.5)[0]
    array([0.0625, 0.125 , 0.0625])
    """
    if not isinstance(epsilon, Fraction):
        check_real("epsilon", epsilon)
    if not 0 <= epsilon <= 1:
        raise ValueError(f"epsilon must lie from 0 to 1; got {epsilon!r}")
    part = np.array([epsilon / 2, 1 - epsilon, epsilon / 2])
    return np.asarray(np.multiply.outer(part, part))
