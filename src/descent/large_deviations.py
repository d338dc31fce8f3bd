r"""Why the log of the escape time grows like 1/T: large deviations of the chain.

For small steps the chain leaves a minimum along the cheapest path, and the mean time is

.. math:: \ln\tau = V/T + \ln(C/T) + O(T) \tag{1}

(WKB, or Freidlin-Wentzell theory). The draws are a choice among n gradients, not Gaussian,
so V is not the exponent of the diffusion approximation (`diffusion_exponent`). Write

.. math:: M(W, p) = \sum_j q_j\, e^{-p g_j(W)} \tag{2}

for the generating function of one displacement in units of T, with the chances
:math:`q_j` of a draw. Then H = ln M, and the cheapest path has no energy:

.. math:: H(W, p^*) = 0, \quad p^* \ne 0 \tag{3}

.. math:: V = \int_{\text{uphill}} |p^*(W)|\, |dW| \tag{4}

.. math::
    C = 2\pi \frac{K_m S_m}{K_s S_s} \frac{1}{\sqrt{\lambda_m |\lambda_s|}} \tag{5}

.. math::
    \frac{d \ln K}{dW} = -\frac{M_{pW} + \frac12 p' M_{pp}}{M_p} \Big|_{p = p^*(W)},
    \qquad p' = -\frac{M_W}{M_p} \tag{6}

K is the amplitude of the law :math:`K(W) e^{-\phi(W)/T}`, φ' = p*, in the forward
equation of the chain at the first order in T; λ = L'' at the minimum m and the saddle s.
The flux over the saddle and the mass in the well are Gaussian integrals.

The numbers stand beside the lines that compute them.

Source: 003, post 1, last section, asks for the reason. The theory is standard: Freidlin
and Wentzell, Random Perturbations of Dynamical Systems, chapter 4 (escape) and chapter 5
(processes that jump, H as in (2)); for chains with discrete steps Knessl, Matkowsky,
Schuss and Tier, SIAM Journal on Applied Mathematics 45 (1985) 1006.
"""

from collections.abc import Callable
from itertools import pairwise

import numpy as np
import numpy.typing as npt

from descent.arguments import Array, check_array, check_count, check_real, check_step_size
from descent.landscapes import FiniteSum, check_model, stationary_points


def tilt(model: FiniteSum, w: npt.ArrayLike) -> Array:
    r"""Tilt p*(W) ≠ 0 that makes the mean move vanish in cost: E exp(-p* g_j) = 1.

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
    check_model(model)
    gradients = np.asarray(model.gradients(check_array("w", w)), float)
    if not np.isfinite(gradients).all():
        raise ValueError(f"w must be where the gradients are finite; got {w!r}")
    q = model.chances.reshape(-1, *(1,) * (gradients.ndim - 1))
    gradients, q = gradients[model.chances > 0], q[model.chances > 0]
    sign = np.sign((q * gradients).sum(axis=0))
    g = sign * gradients  # now the drift is downwards everywhere, and p >= 0
    lowest = g.min(axis=0)
    solvable = (lowest < 0) & (sign != 0)
    # M is convex in p, with M(0) = 1 and M'(0) = -G < 0; at -ln q / -min g it is at
    # least 1. Newton's method from there falls to the root without overshooting.
    chance = np.take_along_axis(np.broadcast_to(q, g.shape), g.argmin(axis=0)[None], 0)[0]
    p = np.where(solvable, -np.log(chance) / np.where(solvable, -lowest, 1.0), 0.0)
    g = np.where(solvable, g, 0.0)
    for _ in range(100):  # (3)
        slope = np.where(solvable, -(q * g * np.exp(-p * g)).sum(axis=0), 1.0)
        excess = (q * np.expm1(-p * g)).sum(axis=0)
        move = np.where(slope > 0, excess / np.where(slope > 0, slope, 1.0), 0.0)
        p = np.maximum(p - move, 0.0)
        if (np.abs(move) <= 1e-15 * p + 1e-300).all():
            break
    return np.asarray(np.where(solvable | (sign == 0), sign * p, np.copysign(np.inf, sign)))


def _gauss(f: Callable[[Array], Array], left: Array, right: Array) -> Array:
    """Gauss-Legendre sums of 24 nodes over each panel from left to right (k,)."""
    x, weight = np.polynomial.legendre.leggauss(24)
    half = (right - left)[:, None] / 2
    nodes = left[:, None] + half * (1 + x)
    return np.asarray((half * weight * f(nodes.ravel()).reshape(nodes.shape)).sum(axis=1))


def _integral(f: Callable[[Array], Array], low: float, high: float, tolerance: float) -> float:
    """Integral of f; panels are halved until each agrees with its halves to the tolerance.

    The tolerance is relative to the integral of |f|.
    """
    edges = np.linspace(low, high, 17)
    left, right = edges[:-1], edges[1:]
    whole = _gauss(f, left, right)
    scale, total = np.abs(whole).sum(), 0.0
    for _ in range(60):
        middle = (left + right) / 2
        halves = np.array([_gauss(f, left, middle), _gauss(f, middle, right)])
        allowed = tolerance * scale * np.abs((right - left) / (high - low))
        rough = np.abs(halves.sum(axis=0) - whole) > allowed
        total += float(halves[:, ~rough].sum())
        if not rough.any():
            return total
        left, right = (
            np.concatenate([left[rough], middle[rough]]),
            np.concatenate([middle[rough], right[rough]]),
        )
        whole = halves[:, rough].ravel()
    raise FloatingPointError(
        f"the integral from {low:.6g} to {high:.6g} is not known to {tolerance:.0e}: "
        "the gradients are too rough there"
    )


def _zeros(model: FiniteSum, low: float, high: float) -> Array:
    """Zeros of the mean gradient, on scans that are refined until two find as many."""
    found = stationary_points(model.mean_gradient, low, high)
    for n in (16_001, 128_001):
        before, found = found, stationary_points(model.mean_gradient, low, high, n)
        if len(found) == len(before):
            return found
    raise ValueError(
        f"the mean gradient has too many zeros between {low:.6g} and {high:.6g} to be found on "
        f"a scan; got {len(before)} and {len(found)} on two scans"
    )


def _uphill(model: FiniteSum, cost: Callable[[Array], Array], start: float, end: float) -> float:
    """Integral of a cost with the sign of G over the stretches where G opposes the path."""
    if start == end:
        return 0.0
    direction = np.sign(end - start)
    low, high = sorted((start, end))
    ends = [low, *_zeros(model, low, high), high]
    total = 0.0
    for a, b in pairwise(ends):
        if b - a > 1e-12 * (high - low) and direction * model.mean_gradient((a + b) / 2) > 0:
            scan = cost(np.linspace(a, b, 1001)[1:-1])
            if np.isinf(scan).any():
                return np.inf
            total += _integral(lambda w: direction * cost(w), a, b, 1e-12)
    return float(total)


def quasi_potential(model: FiniteSum, start: float, end: float, batch_size: int = 1) -> float:
    r"""Cost of the cheapest path from start to end, the exponent V of the escape time.

    .. math:: V = \int_{\text{uphill}} |p^*(W)|\, |dW|

    Stretches along which the mean gradient helps cost nothing.

    Parameters
    ----------
    model : FiniteSum
        The objective.
    start, end : float
        For an escape, a minimum of the mean loss and the maximum beside it.
    batch_size : int
        Number B of samples whose mean gradient makes a step, drawn independently. Then
        :math:`M_B(p) = M(p/B)^B`, so that p* and V are B times those of one sample.

    Returns
    -------
    float
        V, in the unit of T (w² per loss); inf where no draw moves uphill. The quadrature
        is good to 1e-12 of V.

    Raises
    ------
    ValueError, TypeError
        If an end is not a finite scalar, or the batch size not a positive integer.
    FloatingPointError
        If the gradients are too rough for the quadrature.

    Notes
    -----
    Not the barrier of the loss: that would be L(end) - L(start), in another unit. The
    minima and maxima on the way are found by scans of up to 128,001 points: a pit much
    narrower than that is not seen. Batches without replacement are samples of
    `FiniteSum.batches`.

    Examples
    --------
    >>> from descent.landscapes import two_datapoint
    >>> model = two_datapoint()
    >>> minimum, saddle = stationary_points(model.mean_gradient, 0.9, 1.3)
    >>> round(quasi_potential(model, minimum, saddle), 4), quasi_potential(model, saddle, 1.5)
    (0.1324, 0.0)
    """
    check_model(model)
    start, end = check_real("start", start), check_real("end", end)
    batch_size = check_count("batch_size", batch_size, 1)
    return batch_size * _uphill(model, lambda w: tilt(model, w), start, end)  # (4)


def diffusion_exponent(model: FiniteSum, start: float, end: float, batch_size: int = 1) -> float:
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
    check_model(model)
    start, end = check_real("start", start), check_real("end", end)

    def cost(w: Array) -> Array:
        with np.errstate(divide="ignore"):  # without noise no draw moves uphill
            return np.asarray(2 * model.mean_gradient(w) / model.gradient_variance(w))

    return check_count("batch_size", batch_size, 1) * _uphill(model, cost, start, end)


def _check_escape(model: FiniteSum, minimum: float, saddle: float) -> tuple[float, float]:
    """Return the ends; an error unless they are a minimum and a maximum, side by side."""
    check_model(model)
    ends = np.array([check_real("minimum", minimum), check_real("saddle", saddle)])
    noise = np.sqrt(model.gradient_variance(ends))
    for name, end, size in zip(("minimum", "saddle"), ends, noise, strict=True):
        if not size > 1e-12 * np.sqrt(model.average(model.gradients(ends) ** 2).max()):
            raise ValueError(
                f"{name} must be where the samples' gradients differ; got {end:.9g}, where their "
                f"variance is {size**2:.3g}: without noise nothing leaves"
            )
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
    low, high = sorted(ends)
    margin = 1e-6 * (high - low)
    between = _zeros(model, low + margin, high - margin)
    if len(between):
        raise ValueError(
            f"minimum and saddle must be neighbours; got {minimum!r} and {saddle!r} with other "
            f"zeros of the mean gradient between them: {between}; the highest way out of "
            "several wells is their slowest"
        )
    return float(minimum), float(saddle)


def prefactor(model: FiniteSum, minimum: float, saddle: float) -> float:
    r"""Constant C of the escape time, τ ≈ (C/T) exp(V/T) for T → 0: (5) and (6) above.

    .. math:: C = 2\pi \frac{K_m S_m}{K_s S_s} \frac{1}{\sqrt{\lambda_m |\lambda_s|}}

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
        If the ends are not such points, are not neighbours, or lie where the gradients of
        all samples agree; or if somewhere between them no draw leads towards the saddle.

    Notes
    -----
    Not Kramers' prefactor ``2π / sqrt(λ_m |λ_s|)``: K and S differ at the two ends.

    Examples
    --------
    >>> from descent.landscapes import two_datapoint
    >>> model = two_datapoint()
    >>> minimum, saddle = stationary_points(model.mean_gradient, 0.9, 1.3)
    >>> round(prefactor(model, minimum, saddle), 4)
    0.1362
    """
    minimum, saddle = _check_escape(model, minimum, saddle)
    way = np.linspace(minimum, saddle, 1001)[1:-1]
    stuck = np.isinf(tilt(model, way))
    if stuck.any():
        raise ValueError(
            "minimum and saddle must be joined by steps that are drawn; got a way on which "
            f"no sample leads towards the saddle, at W = {way[stuck.argmax()]:.6g}"
        )

    def log_amplitude_slope(w: Array) -> Array:
        g, curvature, p = model.gradients(w), model.curvatures(w), tilt(model, w)
        weights = np.exp(-p * g)
        # Derivatives of (2), at p = p*
        m_p = -model.average(g * weights)
        m_pp = model.average(g * g * weights)
        m_w = -model.average(p * curvature * weights)
        m_pw = model.average((p * g - 1) * curvature * weights)
        return np.asarray(-(m_pw - 0.5 * m_w / m_p * m_pp) / m_p)  # (6)

    variance = model.gradient_variance(np.array([minimum, saddle]))
    curvatures = model.mean_curvature(np.array([minimum, saddle]))
    # K_m / K_s, from (6)
    amplitude_ratio = np.exp(-_integral(log_amplitude_slope, minimum, saddle, 1e-10))
    ratio = amplitude_ratio * np.sqrt(variance[0] / variance[1])
    return float(2 * np.pi * ratio / np.sqrt(-curvatures[0] * curvatures[1]))  # (5)


def log_escape_time(model: FiniteSum, *, step_size: float, minimum: float, saddle: float) -> float:
    """Natural log of the mean time to pass beyond the saddle, for small T: V/T + ln(C/T).

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
        The WKB estimate of ln τ; inf where no draw moves uphill.

    Raises
    ------
    ValueError, TypeError
        If an argument is out of its range.

    Notes
    -----
    `descent.markov.log_mean_first_passage_time` is the exact value at any T. Its
    threshold must lie beyond the saddle, where the mean gradient leads away: with a
    threshold at the saddle itself every other walker that arrives there falls back, and
    the exact value is lower by about ln 2.

    Examples
    --------
    >>> from descent.landscapes import two_datapoint
    >>> model = two_datapoint()
    >>> minimum, saddle = stationary_points(model.mean_gradient, 0.9, 1.3)
    >>> round(log_escape_time(model, step_size=0.001, minimum=minimum, saddle=saddle))
    137
    """
    step_size = check_step_size(step_size)
    minimum, saddle = _check_escape(model, minimum, saddle)
    v = quasi_potential(model, minimum, saddle)
    if v == np.inf:
        return v
    return v / step_size + float(np.log(prefactor(model, minimum, saddle) / step_size))  # (1)
