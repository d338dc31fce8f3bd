r"""Entropy and variance of two continuous variables under a linear map.

The thermostat of 003, post 6, is the linear map

.. math:: (s^{\mathrm{rm}}, s^{\mathrm{th}}) \mapsto
          (s^{\mathrm{rm}} - k s^{\mathrm{th}}, s^{\mathrm{rm}}), \qquad \det M = k.

Differential entropies are in nats. They depend on the coordinates and may be negative;
their differences under one map do not depend on the unit of temperature.
"""

from collections.abc import Callable
from typing import Literal

import numpy as np
import numpy.typing as npt

from descent.arguments import (
    Array,
    check_array,
    check_callable,
    check_choice,
    check_count,
    check_flag,
    check_generator,
    check_real,
)

Spread = Literal["determinant", "trace", "room", "thermostat"]


def thermostat_matrix(k: float) -> Array:
    """Return the map of (room, thermostat): the Jacobian of `systems.linear_thermostat`.

    Parameters
    ----------
    k : float
        Gain, positive.

    Returns
    -------
    array (2, 2)
        Its determinant is k.

    Examples
    --------
    >>> thermostat_matrix(0.3)
    array([[ 1. , -0.3],
           [ 1. ,  0. ]])
    """
    check_real("k", k, above=0)
    return np.array([[1.0, -k], [1.0, 0.0]])


def sum_of_uniforms_entropy(width: float, other: float) -> float:
    r"""Entropy of the sum of two independent uniform variables: a trapezoidal density.

    .. math:: h = \log \alpha + \frac{\beta}{2\alpha}, \qquad
              \alpha \ge \beta \text{ the two widths}

    Parameters
    ----------
    width, other : float
        Lengths of the two intervals, positive.

    Returns
    -------
    float
        Nats.

    Raises
    ------
    ValueError
        If a width is not positive.

    Examples
    --------
    >>> sum_of_uniforms_entropy(1.0, 1.0)  # a triangle
    0.5
    """
    check_real("width", width, above=0)
    check_real("other", other, above=0)
    wide, narrow = max(width, other), min(width, other)
    return float(np.log(wide) + narrow / (2 * wide))


def thermostat_entropies(k: float, width: float) -> dict[str, float]:
    r"""Entropies of the five distributions of the continuous thermostat, in closed form.

    .. math:: h_{t-1} = 2\log\varepsilon, \quad h_t = h_{t-1} + \log k, \quad
              h_{t+1} = h_t + \log k,

    .. math:: h'_t = 2 \log\varepsilon + \begin{cases} k/2 & k \le 1 \\
              \log k + 1/(2k) & k > 1 \end{cases}, \qquad h'_{t+1} = h'_t + \log k

    A linear map adds the logarithm of its determinant to every entropy: so
    :math:`h'_{t+1} - h_{t+1} = h'_t - h_t = k/2 - \log k` for k <= 1, whatever the
    width, and the adjusted measure is zero.

    Parameters
    ----------
    k : float
        Gain, positive.
    width : float
        Side ε of the square on which :math:`P_{t-1}` is uniform.

    Returns
    -------
    dict
        ``"t-1"``, ``"t"``, ``"t+1"``, ``"t decorrelated"``, ``"t+1 decorrelated"``; nats.

    Raises
    ------
    ValueError
        If a parameter is not positive.

    Notes
    -----
    Source: 003, post 6, "The Continuous Thermostat", which holds that these entropies
    are not easily computed.

    Examples
    --------
    >>> h = thermostat_entropies(0.3, 0.1)
    >>> round(h["t+1 decorrelated"] - h["t+1"], 6)
    1.353973
    """
    check_real("k", k, above=0)
    check_real("width", width, above=0)
    # h(M s) = h(s) + log |det M|: Cover and Thomas, Elements of Information Theory, section 8.6.
    start, log_k = 2 * float(np.log(width)), float(np.log(k))
    room = sum_of_uniforms_entropy(width, k * width)
    decorrelated = room + float(np.log(width))  # h(x, y) = h(x) + h(y) if independent
    return {
        "t-1": start,
        "t": start + log_k,
        "t+1": start + 2 * log_k,
        "t decorrelated": decorrelated,
        "t+1 decorrelated": decorrelated + log_k,
    }


def trapezoidal_density(x: npt.ArrayLike, width: float, other: float) -> Array:
    """Density of the sum of two independent uniform variables, centred at zero.

    Parameters
    ----------
    x : array (...)
        Where.
    width, other : float
        Lengths of the two intervals, positive.

    Returns
    -------
    array (...)
        Per unit of x.

    Examples
    --------
    >>> trapezoidal_density([0.0, 0.75, 1.0], 1.0, 1.0)
    array([1.  , 0.25, 0.  ])
    """
    check_real("width", width, above=0)
    check_real("other", other, above=0)
    distance = np.abs(check_array("x", x))
    overlap = np.clip((width + other) / 2 - distance, 0, min(width, other))
    return np.asarray(overlap / (width * other))


def entropy_by_quadrature(
    density: Callable[[Array], npt.ArrayLike], low: float, high: float, n: int
) -> float:
    r"""Differential entropy :math:`-\int p \log p \, dx` by the midpoint rule, in nats.

    Parameters
    ----------
    density : callable
        ``(n,) -> (n,)``, not negative, with its mass inside [low, high].
    low, high : float
        Interval, low < high.
    n : int
        Number of cells; the error falls as 1/n² for densities without jumps.

    Returns
    -------
    float
        Nats.

    Raises
    ------
    ValueError
        If the mass found in the interval differs from 1 by more than 1e-2.

    Examples
    --------
    >>> round(entropy_by_quadrature(lambda x: np.exp(-x), 0.0, 40.0, 4000), 4)
    1.0
    """
    check_callable("density", density)
    if not check_real("low", low) < check_real("high", high):
        raise ValueError(f"low must be below high; got {low!r} and {high!r}")
    cell = (high - low) / check_count("n", n, 1)
    p = check_array("density", density(low + cell * (np.arange(n, dtype=float) + 0.5)), (n,))
    mass = p.sum() * cell
    if (p < 0).any() or not abs(mass - 1) < 1e-2:
        raise ValueError(f"density must be >= 0, of mass 1 in [{low}, {high}]; got {mass:.6g}")
    p = p[p > 0]
    return float(-(p * np.log(p)).sum() * cell)


def histogram_entropy(samples: npt.ArrayLike, bins: int) -> float:
    r"""Plug-in estimate of a differential entropy from a histogram, in nats; biased.

    .. math:: \hat h = -\sum_i \hat p_i \log \frac{\hat p_i}{|\text{cell } i|}

    Two biases that do not cancel: averaging over cells raises it, empty and thinly
    filled cells lower it, by about (occupied cells - 1)/(2 N). Cells span the range of
    the samples.

    Parameters
    ----------
    samples : array (N, d)
        N points.
    bins : int
        Cells along each axis, at least 1.

    Returns
    -------
    float
        Nats.

    Raises
    ------
    ValueError
        If samples or bins are out of range.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> bool(abs(histogram_entropy(rng.random((100_000, 2)), 10)) < 0.01)
    True
    """
    points = check_array("samples", samples, ("N", "d"))
    if len(points) < 2:
        raise ValueError(f"samples must be two or more points (N, d); got {points.shape}")
    check_count("bins", bins, 1)
    count, edges = np.histogramdd(points, bins)
    cell = np.prod([e[1] - e[0] for e in edges])
    p = count[count > 0] / len(points)
    # Entropy of cells + log of their size: Cover and Thomas, 8.3; biased by thin cells, Paninski.
    return float(-(p * np.log(p)).sum() + np.log(cell))


def thermostat_samples(
    k: float, width: float, n: int, rng: np.random.Generator, centre: float = 10.0
) -> dict[str, Array]:
    """Sample the five distributions of the continuous thermostat.

    Parameters
    ----------
    k, width
        As in `thermostat_entropies`.
    n : int
        Number of points.
    rng : numpy.random.Generator
        Source of the points, and of the permutation that decorrelates them.
    centre : float
        Centre of the square, in both coordinates.

    Returns
    -------
    dict of array (n, 2)
        Room and thermostat, with the keys of `thermostat_entropies`.

    Raises
    ------
    ValueError
        If a parameter is out of range.

    Examples
    --------
    >>> panels = thermostat_samples(0.3, 0.1, 5, np.random.default_rng(0))
    >>> panels["t"].shape
    (5, 2)
    """
    check_real("width", width, above=0)
    check_count("n", n, 1)
    check_generator("rng", rng)
    check_real("centre", centre)
    m = thermostat_matrix(k)
    before = centre + width * (rng.random((n, 2)) - 0.5)
    now = before @ m.T
    mixed = np.stack([now[:, 0], rng.permutation(now[:, 1])], axis=1)
    return {
        "t-1": before,
        "t": now,
        "t+1": now @ m.T,
        "t decorrelated": mixed,
        "t+1 decorrelated": mixed @ m.T,
    }


def log_spread(covariance: npt.ArrayLike, measure: Spread = "determinant") -> float:
    r"""Logarithm of a spread V of two variables.

    V is the determinant of the covariance, its trace, or the variance of one variable.
    Only the determinant transforms under a linear map by a factor that is the same for
    all distributions; half its logarithm is the entropy of a Gaussian up to a constant.

    Parameters
    ----------
    covariance : array (2, 2)
        Of room and thermostat.
    measure : {"determinant", "trace", "room", "thermostat"}
        Which V.

    Returns
    -------
    float
        log V.

    Raises
    ------
    ValueError
        If the measure is unknown or V is not positive.

    Examples
    --------
    >>> log_spread([[1.0, 0.0], [0.0, 1.0]])
    0.0
    """
    c = check_array("covariance", covariance, (2, 2))
    # With the determinant it is 2 h - 2 log(2πe) of a Gaussian: Cover and Thomas, section 8.4.
    spreads = {
        "determinant": c[0, 0] * c[1, 1] - c[0, 1] * c[1, 0],
        "trace": c[0, 0] + c[1, 1],
        "room": c[0, 0],
        "thermostat": c[1, 1],
    }
    check_choice("measure", measure, spreads)
    if not spreads[measure] > 0 or np.diag(c).min() < 0:
        raise ValueError(f"covariance must have a positive {measure}; got {c.tolist()}")
    return float(np.log(spreads[measure]))


def log_variance_strength(
    covariance: npt.ArrayLike,
    matrix: npt.ArrayLike,
    measure: Spread = "determinant",
    adjusted: bool = False,
) -> float:
    r"""Log-variance analogue of the optimizing strength, for a linear map M.

    .. math:: \log V(M C' M^\top) - \log V(M C M^\top), \qquad
              C' = \operatorname{diag}(C)

    and adjusted, minus :math:`\log V(C') - \log V(C)`. With V the determinant the
    adjusted one is zero for every M and C. With the trace or one variance it is not.

    Parameters
    ----------
    covariance : array (2, 2)
        C at time t, of room and thermostat.
    matrix : array (2, 2)
        M, for instance `thermostat_matrix`.
    measure : {"determinant", "trace", "room", "thermostat"}
        Which V.
    adjusted : bool
        Subtract the difference at time t.

    Returns
    -------
    float
        Natural logarithm.

    Raises
    ------
    ValueError
        If matrices have the wrong shape, or a spread is not positive.

    Notes
    -----
    From a circular Gaussian at t - 1 the unadjusted one, with the determinant, is
    :math:`\log((1 + k^2)/k^2)`. Source: 003, post 6, end of "The Continuous Thermostat",
    which does not say what V is.

    Examples
    --------
    >>> m = thermostat_matrix(0.5)
    >>> c = m @ m.T
    >>> round(log_variance_strength(c, m) - float(np.log(5)), 12)
    0.0
    """
    m, c = (check_array(*a, (2, 2)) for a in (("matrix", matrix), ("covariance", covariance)))
    check_flag("adjusted", adjusted)
    mixed = np.diag(np.diag(c))
    strength = log_spread(m @ mixed @ m.T, measure) - log_spread(m @ c @ m.T, measure)
    if adjusted:
        strength -= log_spread(mixed, measure) - log_spread(c, measure)
    return strength
