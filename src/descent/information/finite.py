r"""How much the dependence of a finite system's parts narrows the future.

P' is the product of the marginals of P. Logarithms have base 2: everything is in bits.
The step is a table (`descent.systems.FiniteSystem`) or, with noise or more parts than two,
a `descent.information.FiniteKernel`.

Source: 003, posts 5 and 6.
"""

from fractions import Fraction
from typing import Any

import numpy as np
import numpy.typing as npt

from descent.arguments import came, check_real
from descent.information.distributions import (
    Distribution,
    Groups,
    check_distribution,
    decorrelate,
    entropy,
    total_correlation,
)
from descent.information.kernel import FiniteKernel, matched
from descent.systems import FiniteSystem

System = FiniteSystem | FiniteKernel


def _joint(joint: npt.ArrayLike, system: System) -> Distribution:
    p = check_distribution(joint)
    sides = ", ".join(map(str, p.shape * 2))
    if not isinstance(system, FiniteSystem | FiniteKernel):
        raise TypeError(
            "system must be a FiniteSystem, or a FiniteKernel, which a transition matrix becomes "
            f"by FiniteKernel(matrix.reshape({sides})); got {came(system)}"
        )
    if p.shape != system.shape:
        order, advice = ", thermostat by room" if isinstance(system, FiniteSystem) else "", ""
        if system.shape == (p.size,):
            advice = f", which a kernel has that is reshaped to ({sides})"
        raise ValueError(
            f"joint must have shape {system.shape}, an axis for each part{order}; "
            f"got {p.shape}{advice}"
        )
    return p


def push_forward(joint: npt.ArrayLike, system: System) -> Distribution:
    r"""Return the joint distribution one step later.

    .. math:: P_{t+1}(s') = \sum_{s:\, F(s) = s'} P_t(s), \qquad \text{with noise} \quad
              \sum_s P_t(s) K(s, s')

    Parameters
    ----------
    joint : array (n_thermostat, n_room), or an axis for each part of a kernel
        P_t; floats or Fractions.
    system : FiniteSystem or FiniteKernel
        The step F of all parts at once, or the probabilities K of its outcomes.

    Returns
    -------
    array, shape of ``joint``
        :math:`P_{t+1}`; same kind of numbers.

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
    if isinstance(system, FiniteKernel):
        flat, kernel = matched(p, system)
        return np.asarray((flat @ kernel).reshape(p.shape))
    after = np.zeros_like(p)
    if p.dtype == object:
        after[...] = Fraction(0)
    np.add.at(after, system.step(*np.indices(p.shape)), p)
    return after


def optimizing_strength(
    joint: npt.ArrayLike, system: System, groups: Groups | None = None
) -> float:
    r"""Entropy that the dependence of the parts removes from the next state, in bits.

    .. math:: \mathbb H(F P'_t) - \mathbb H(F P_t)

    F P is the push-forward. Not the mutual information of the parts, neither before nor
    after the step; that is `mutual_information`.

    Parameters
    ----------
    joint : array (n_thermostat, n_room), or an axis for each part of a kernel
        :math:`P_t`; floats or Fractions. In post 6 of the source it is itself the push-forward
        of an independent start :math:`P_{t-1}`.
    system : FiniteSystem or FiniteKernel
        The step.
    groups : list of lists of int, optional
        The axes that make up each part, as in `decorrelate`: [(0, 1), (2,)] asks what two
        thermostats together do to a room. The source has two parts.

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
    mixed = decorrelate(p, groups)
    return entropy(push_forward(mixed, system)) - entropy(push_forward(p, system))


def adjusted_optimizing_strength(
    joint: npt.ArrayLike, system: System, groups: Groups | None = None
) -> float:
    r"""Optimizing strength minus the total correlation before the step, in bits.

    .. math:: \bigl[\mathbb H(F P'_t) - \mathbb H(F P_t)\bigr]
              - \bigl[\mathbb H(P'_t) - \mathbb H(P_t)\bigr]

    It equals the difference of two `erased_entropy`, that of P minus that of P', and so
    it is zero for every one-to-one step. With noise the difference of two `created_entropy`,
    that of P minus that of P', is taken away from it.

    Parameters
    ----------
    joint, system, groups
        As in `optimizing_strength`. For two parts the total correlation is their mutual
        information.

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
    return optimizing_strength(joint, system, groups) - total_correlation(joint, groups)


def erased_entropy(joint: npt.ArrayLike, system: System) -> float:
    r"""Entropy of the present state given the next: what a step forgets, in bits.

    .. math:: \mathbb H(s_t \mid s_{t+1}) = \sum_{s'} P_{t+1}(s')\,
              \mathbb H(s_t \mid s_{t+1} = s')

    Computed state by state. For a deterministic step it equals
    :math:`\mathbb H(P_t) - \mathbb H(P_{t+1})`; with noise, that and the `created_entropy`.

    Parameters
    ----------
    joint, system
        As in `push_forward`.

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
    if isinstance(system, FiniteKernel):
        flat, kernel = matched(p, system)
        masses = zip((flat[:, None] * kernel).T, after.ravel(), strict=True)
        return float(sum(float(mass) * entropy(way / mass) for way, mass in masses if mass > 0))
    code = np.ravel_multi_index(system.step(*np.indices(p.shape)), p.shape)
    erased = 0.0
    for image, mass in enumerate(after.ravel()):
        if mass > 0:
            erased += float(mass) * entropy(p[code == image] / mass)
    return erased


def created_entropy(joint: npt.ArrayLike, system: System) -> float:
    r"""Entropy of the next state given the present: what the noise of a step adds, in bits.

    .. math:: \mathbb H(s_{t+1} \mid s_t) = \sum_s P_t(s)\, \mathbb H(K(s, \cdot))

    Parameters
    ----------
    joint, system
        As in `push_forward`.

    Returns
    -------
    float
        Bits, not negative; zero for a deterministic step.

    Raises
    ------
    ValueError, TypeError
        If the joint is not a distribution over the system's states.

    Notes
    -----
    The counterpart of `erased_entropy`: the entropy after a step is that before it, less what
    the step erases, and what it creates. Cover and Thomas, Elements of Information Theory,
    section 2.2 (the chain rule, in both orders).

    Examples
    --------
    >>> from descent.information import FiniteKernel
    >>> coins = FiniteKernel(np.full((2, 2, 2, 2), 0.25))  # two parts, each tossed anew
    >>> created_entropy(np.full((2, 2), 0.25), coins)
    2.0
    """
    p = _joint(joint, system)
    if not isinstance(system, FiniteKernel):
        return 0.0
    rows = zip(*matched(p, system), strict=True)
    return float(sum(float(mass) * entropy(row) for mass, row in rows if mass > 0))


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
