r"""Why the log of the escape time grows like 1/T: large deviations of the chain.

For small steps the chain leaves a minimum along the cheapest path, and the mean time is
:math:`\ln\tau = V/T + \ln(C/T) + O(T)` (WKB, or Freidlin-Wentzell theory). The draws
are a fair choice among n gradients, not Gaussian, so V is not the exponent of the
diffusion approximation (`diffusion_exponent`).

Write :math:`M(W, p) = \frac1n \sum_j e^{-p g_j(W)}`, the generating function of one
displacement in units of T. Then H = ln M, and H(W, p*) = 0 is the zero-energy condition
of the cheapest path.

Source: 003, post 1, last section, asks for the reason. The theory is standard: Freidlin
and Wentzell, Random Perturbations of Dynamical Systems; for chains with discrete steps
Knessl, Matkowsky, Schuss and Tier, SIAM Journal on Applied Mathematics 45 (1985) 1006.
"""

from collections.abc import Callable
from itertools import pairwise

import numpy as np
import numpy.typing as npt

from descent.arguments import Array, check_array, check_kind, check_real, check_step_size
from descent.landscapes import FiniteSum, stationary_points


def tilt(model: FiniteSum, w: npt.ArrayLike) -> Array:
    r"""Tilt p*(W) ≠ 0 that makes the mean move vanish in cost: mean_j exp(-p* g_j) = 1.

    Draws weighted by exp(-p* g_j) move the walker up the mean slope; p* has the sign
    of the mean gradient G. Near G = 0 it is 2G/S², the diffusion approximation.

    Parameters
    ----------
    model : FiniteSum
        The objective.
    w : array (...)
        Parameters.

    Returns
    -------
    array (...)
        p*, zero where G = 0, and ±inf where all gradients share a sign, so that no draw
        moves against the drift.

    Examples
    --------
    >>> from descent.landscapes import two_datapoint
    >>> tilt(two_datapoint(), [0.9, 1.1])
    array([      -inf, 0.86345529])
    """
    check_kind("model", model, FiniteSum)
    gradients = np.asarray(model.gradients(check_array("w", w)), float)
    if not np.isfinite(gradients).all():
        raise ValueError(f"w must be where the gradients are finite; got {w!r}")
    mean = gradients.mean(axis=0)
    sign = np.sign(mean)
    g = sign * gradients  # now the drift is downwards everywhere, and p >= 0
    lowest = g.min(axis=0)
    solvable = (lowest < 0) & (sign != 0)
    # M is convex in p, with M(0) = 1 and M'(0) = -G < 0; at ln n / -min g it is at
    # least 1. Newton's method from there falls to the root without overshooting.
    p = np.where(solvable, np.log(len(g)) / np.where(solvable, -lowest, 1.0), 0.0)
    for _ in range(100):
        weights = np.exp(-p * np.where(solvable, g, 0.0))
        slope = np.where(solvable, -(g * weights).mean(axis=0), 1.0)
        excess = np.expm1(-p * np.where(solvable, g, 0.0)).mean(axis=0)
        move = np.where(slope > 0, excess / np.where(slope > 0, slope, 1.0), 0.0)
        p = np.maximum(p - move, 0.0)
        if (np.abs(move) <= 1e-15 * p + 1e-300).all():
            break
    return np.asarray(np.where(solvable | (sign == 0), sign * p, np.copysign(np.inf, sign)))


def _integral(f: Callable[[Array], Array], low: float, high: float) -> float:
    """Gauss-Legendre quadrature of an analytic f on 16 panels of 24 nodes."""
    x, weight = np.polynomial.legendre.leggauss(24)
    edges = np.linspace(low, high, 17)
    half = np.diff(edges)[:, None] / 2
    nodes = edges[:-1, None] + half * (1 + x)
    return float((half * weight * f(nodes.ravel()).reshape(nodes.shape)).sum())


def _uphill(model: FiniteSum, cost: Callable[[Array], Array], start: float, end: float) -> float:
    """Integral of a cost with the sign of G over the stretches where G opposes the path."""
    if start == end:
        return 0.0
    direction = np.sign(end - start)
    low, high = sorted((start, end))
    ends = [low, *stationary_points(model.mean_gradient, low, high), high]
    total = 0.0
    for a, b in pairwise(ends):
        if b - a > 1e-12 and direction * model.mean_gradient((a + b) / 2) > 0:
            total += _integral(lambda w: direction * cost(w), a, b)
    return float(total)


def quasi_potential(model: FiniteSum, start: float, end: float) -> float:
    r"""Cost of the cheapest path from start to end, the exponent V of the escape time.

    .. math:: V = \int_{\text{uphill}} |p^*(W)|\, |dW|

    Stretches along which the mean gradient helps cost nothing.

    Parameters
    ----------
    model : FiniteSum
        The objective.
    start, end : float
        For an escape, a minimum of the mean loss and the maximum beside it.

    Returns
    -------
    float
        V, in the unit of T (w² per loss); inf where no draw moves uphill. The accuracy
        is about 1e-12 where the gradients are smooth on the scale of the stretch.

    Raises
    ------
    ValueError, TypeError
        If an end is not a finite scalar.

    Notes
    -----
    Not the barrier of the loss: that would be L(end) - L(start), in another unit.

    Examples
    --------
    >>> from descent.landscapes import two_datapoint
    >>> model = two_datapoint()
    >>> minimum, saddle = stationary_points(model.mean_gradient, 0.9, 1.3)
    >>> round(quasi_potential(model, minimum, saddle), 4), quasi_potential(model, saddle, 1.5)
    (0.1324, 0.0)
    """
    check_kind("model", model, FiniteSum)
    start, end = check_real("start", start), check_real("end", end)
    return _uphill(model, lambda w: tilt(model, w), start, end)


def diffusion_exponent(model: FiniteSum, start: float, end: float) -> float:
    r"""Exponent that the diffusion approximation gives in place of V: ∫ 2G/S² dW uphill.

    Parameters and errors are those of `quasi_potential`. The two exponents agree only
    where p* is small; the chain follows `quasi_potential`.

    Returns
    -------
    float
        The exponent, in the unit of T.

    Examples
    --------
    >>> from descent.landscapes import two_datapoint
    >>> model = two_datapoint()
    >>> minimum, saddle = stationary_points(model.mean_gradient, 0.9, 1.3)
    >>> round(diffusion_exponent(model, minimum, saddle), 4)
    0.0786
    """
    check_kind("model", model, FiniteSum)
    start, end = check_real("start", start), check_real("end", end)

    def cost(w: Array) -> Array:
        return 2 * model.mean_gradient(w) / model.gradient_variance(w)

    return _uphill(model, cost, start, end)


def _check_escape(model: FiniteSum, minimum: float, saddle: float) -> tuple[float, float]:
    check_kind("model", model, FiniteSum)
    ends = np.array([check_real("minimum", minimum), check_real("saddle", saddle)])
    noise = np.sqrt(model.gradient_variance(ends))
    if not (np.abs(model.mean_gradient(ends)) <= 1e-6 * noise).all():
        raise ValueError(
            f"minimum and saddle must be zeros of the mean gradient; "
            f"got {minimum!r}, {saddle!r} with gradients {model.mean_gradient(ends)}"
        )
    if not (model.mean_curvature(minimum) > 0 > model.mean_curvature(saddle)):
        raise ValueError(
            f"the mean loss must be convex at the minimum and concave at the saddle; "
            f"got curvatures {model.mean_curvature(ends)}"
        )
    return float(minimum), float(saddle)


def prefactor(model: FiniteSum, minimum: float, saddle: float) -> float:
    r"""Constant C of the escape time, τ ≈ (C/T) exp(V/T) for T → 0.

    .. math::
        C = 2\pi \frac{K_m S_m}{K_s S_s} \frac{1}{\sqrt{\lambda_m |\lambda_s|}}, \qquad
        \frac{d \ln K}{dW} = -\frac{M_{pW} + \frac12 p' M_{pp}}{M_p} \Big|_{p = p^*(W)}

    K is the amplitude of the law :math:`K(W) e^{-\phi(W)/T}`, φ' = p*, in the forward
    equation of the chain at the first order in T; λ = L''. The flux over the saddle and
    the mass in the well are Gaussian integrals.

    Parameters
    ----------
    model : FiniteSum
        The objective.
    minimum, saddle : float
        Neighbouring minimum and maximum of the mean loss, in either order on the axis.

    Returns
    -------
    float
        C, in the unit of T.

    Raises
    ------
    ValueError, TypeError
        If the ends are not such points.

    Notes
    -----
    Not Kramers' prefactor 2π/sqrt(λ_m |λ_s|): K and S differ at the two ends.

    Examples
    --------
    >>> from descent.landscapes import two_datapoint
    >>> model = two_datapoint()
    >>> minimum, saddle = stationary_points(model.mean_gradient, 0.9, 1.3)
    >>> round(prefactor(model, minimum, saddle), 4)
    0.1362
    """
    minimum, saddle = _check_escape(model, minimum, saddle)

    def log_amplitude_slope(w: Array) -> Array:
        g, curvature, p = model.gradients(w), model.curvatures(w), tilt(model, w)
        weights = np.exp(-p * g)
        m_p = -(g * weights).mean(axis=0)
        m_pp = (g * g * weights).mean(axis=0)
        m_w = -(p * curvature * weights).mean(axis=0)
        m_pw = ((p * g - 1) * curvature * weights).mean(axis=0)
        return np.asarray(-(m_pw - 0.5 * m_w / m_p * m_pp) / m_p)  # p' = -M_W / M_p

    variance = model.gradient_variance(np.array([minimum, saddle]))
    curvatures = model.mean_curvature(np.array([minimum, saddle]))
    amplitude_ratio = np.exp(-_integral(log_amplitude_slope, minimum, saddle))  # K_m / K_s
    ratio = amplitude_ratio * np.sqrt(variance[0] / variance[1])
    return float(2 * np.pi * ratio / np.sqrt(-curvatures[0] * curvatures[1]))


def log_escape_time(model: FiniteSum, *, step_size: float, minimum: float, saddle: float) -> float:
    """Natural log of the mean escape time for small T: V/T + ln(C/T).

    Parameters
    ----------
    model : FiniteSum
        The objective.
    step_size : float
        T > 0, in units of w² per loss. The error falls in proportion to T.
    minimum, saddle : float
        As in `prefactor`.

    Returns
    -------
    float
        The WKB estimate of ln τ.

    Raises
    ------
    ValueError, TypeError
        If an argument is out of its range.

    Notes
    -----
    `descent.markov.log_mean_first_passage_time` is the exact value at any T.

    Examples
    --------
    >>> from descent.landscapes import two_datapoint
    >>> model = two_datapoint()
    >>> minimum, saddle = stationary_points(model.mean_gradient, 0.9, 1.3)
    >>> round(log_escape_time(model, step_size=0.001, minimum=minimum, saddle=saddle))
    137
    """
    step_size = check_step_size(step_size)
    c = prefactor(model, minimum, saddle)
    return float(quasi_potential(model, minimum, saddle) / step_size + np.log(c / step_size))
