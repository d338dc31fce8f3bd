r"""Masses of a Markov chain over time: dm/dt = Q m, to order 5, positive and conserved.

The step is the stability function of the Radau IIA method with s = 3 stages, applied to
the matrix,

.. math:: R(z) = \frac{1 + \frac25 z + \frac1{20} z^2}
                      {1 - \frac35 z + \frac3{20} z^2 - \frac1{60} z^3} \tag{1}

.. math:: R(z) = \sum_i \frac{c_i}{1 - z / p_i}, \qquad
          c_i = -\frac{N(p_i)}{p_i\, D'(p_i)} \tag{2}

N and D are the numerator and the denominator of (1), and (2) is its expansion in
partial fractions. The order is 2s - 1 = 5; s = 1 is implicit Euler. Without the Butcher
tableau (table 5.6 of the source) nothing is lost, since the equation is linear.

Source: Hairer and Wanner, Solving Ordinary Differential Equations II, second edition
1996: theorem 5.3 of section IV.5 (order, and R as the (s - 1, s) Padé approximation),
theorem 3.11 of section IV.3 (its coefficients). The numbers (1) and (2) stand beside the
lines that compute them.
"""

import math
from collections.abc import Iterator

import numpy as np
import numpy.typing as npt
from scipy.linalg import lapack

from descent.arguments import Array
from descent.fokker_planck.finite_volume import JumpRates

MAX_HALVINGS = 60

_NUMERATOR = np.poly1d([1 / 20, 2 / 5, 1])  # (1)
_DENOMINATOR = np.poly1d([-1 / 60, 3 / 20, -3 / 5, 1])  # (1)
# One real pole and a conjugate pair, of which one half is held.
_, REAL, PAIR = sorted(_DENOMINATOR.roots, key=lambda pole: pole.imag)
REAL = float(REAL.real)
PAIR_WEIGHT = complex(-2 * _NUMERATOR(PAIR) / (PAIR * _DENOMINATOR.deriv()(PAIR)))  # (2)
REAL_WEIGHT = 1 - PAIR_WEIGHT.real  # R(0) = 1 to the last bit: mass is conserved


class Resolvent:
    r"""The solve :math:`y = (I - \tau Q)^{-1} m`, factorized once.

    Parameters
    ----------
    rates : JumpRates
        The generator Q.
    tau : float or complex
        The step, or a step divided by a pole.

    Notes
    -----
    The matrix is diagonally dominant by columns, so the elimination needs no pivots;
    for τ > 0 it then adds and multiplies positive numbers only. On a circle the two
    corner entries are a rank-one term (Sherman and Morrison).
    """

    def __init__(self, rates: JumpRates, tau: complex) -> None:
        kind = "z" if isinstance(tau, complex) else "d"
        factorize = getattr(lapack, kind + "gttrf")
        self._solve = getattr(lapack, kind + "gttrs")
        up, down = tau * rates.up, tau * rates.down
        diagonal = 1 + (up + down)
        if rates.periodic:
            column = np.zeros(len(up), diagonal.dtype)
            column[0], column[-1] = -diagonal[0], -down[0]
            self._corner = up[-1] / diagonal[0]
            diagonal[-1] += down[0] * up[-1] / diagonal[0]
            diagonal[0] *= 2
        *self._factors, info = factorize(-up[:-1], diagonal, -down[1:])
        if info:
            raise FloatingPointError(f"the matrix of the implicit step is singular at row {info}")
        self._column = None
        if rates.periodic:
            self.apply(column)
            self._scale = 1 / (1 + self._ends(column))
            self._column, self._scratch = column, np.empty_like(column)

    def _ends(self, y: npt.NDArray[np.inexact]) -> np.inexact:
        value: np.inexact = y[0] + self._corner * y[-1]
        return value

    def apply(self, y: npt.NDArray[np.inexact]) -> None:
        """Overwrite the right-hand side ``y`` (n,) with the solution."""
        self._solve(*self._factors, y, overwrite_b=1)
        if self._column is not None:
            np.multiply(self._column, self._ends(y) * self._scale, out=self._scratch)
            y -= self._scratch


class RadauStep:
    """One step of length ``dt``: Radau IIA of order 5, which is L-stable.

    It is not the exponential, and above order 1 no such step is positive for every
    ``dt``; `limit` repairs that.

    Attributes
    ----------
    order : int
        Order of the error over a given time, in ``dt``.
    solves : int
        Tridiagonal systems a step, a real one and a complex one.
    """

    order = 5
    solves = 2

    def __init__(self, rates: JumpRates, dt: float) -> None:
        self._rates, self._dt = rates, dt
        self._real = Resolvent(rates, dt / REAL)
        self._pair = Resolvent(rates, dt / PAIR)
        self._euler: Resolvent | None = None
        self._y = np.empty(len(rates.up))
        self._z = np.empty(len(rates.up), complex)

    def apply(self, mass: Array, out: Array) -> None:
        """Write the mass (n,) after the step to ``out``, which may be ``mass``."""
        np.copyto(self._y, mass)  # the terms of (2)
        np.multiply(mass, PAIR_WEIGHT, out=self._z)
        self._real.apply(self._y)
        self._pair.apply(self._z)
        np.multiply(self._y, REAL_WEIGHT, out=out)
        out += self._z.real

    def euler(self, mass: Array, out: Array) -> None:
        """Write the mass after an implicit Euler step, positive for every ``dt``."""
        if self._euler is None:
            self._euler = Resolvent(self._rates, self._dt)
        np.copyto(out, mass)
        self._euler.apply(out)


def limit(low: Array, high: Array, flux: Array, share: Array) -> None:
    r"""Move ``low`` towards ``high`` as far as every state stays positive (in place).

    The difference of the two is a set of fluxes between neighbours; those out of a
    state are scaled so that together they do not exceed its mass (flux-corrected
    transport, Zalesak 1979). Mass is conserved.

    Parameters
    ----------
    low : array (n,)
        Masses, zero or positive; overwritten with the result.
    high : array (n,)
        Masses of the same sum.
    flux, share : array (n + 1,), array (n,)
        Scratch.
    """
    flux[0] = 0.0
    np.subtract(low, high, out=share)
    np.cumsum(share, out=flux[1:])
    flux[-1] = 0.0
    np.maximum(flux[1:], 0, out=share)
    share -= np.minimum(flux[:-1], 0)
    full = share <= low
    np.divide(low, share, out=share, where=~full)
    share[full] = 1.0
    np.multiply(flux[1:-1], np.where(flux[1:-1] > 0, share[:-1], share[1:]), out=flux[1:-1])
    low += flux[:-1]
    low -= flux[1:]
    np.maximum(low, 0, out=low)  # rounding


class _StepDoubling:
    """Steps of length gap / 2**level, each checked against its two halves."""

    def __init__(self, rates: JumpRates, gap: float) -> None:
        self._rates, self._gap = rates, gap
        self._steps: dict[int, RadauStep] = {}
        self._coarse, self._low, self._share = np.empty((3, len(rates.up)))
        self._flux = np.empty(len(rates.up) + 1)

    def _step(self, level: int) -> RadauStep:
        if level not in self._steps:
            self._steps[level] = RadauStep(self._rates, self._gap / 2**level)
        return self._steps[level]

    def attempt(self, mass: Array, level: int, out: Array) -> float:
        """Write the mass after a step to ``out``; return its error in total variation."""
        self._step(level).apply(mass, self._coarse)
        half = self._step(level + 1)
        half.apply(mass, out)
        half.apply(out, out)
        error = self._distance(out)
        if out.min() < 0:
            half.euler(mass, self._low)
            half.euler(self._low, self._low)
            np.copyto(self._coarse, out)
            limit(self._low, out, self._flux, self._share)
            np.copyto(out, self._low)
            error = max(error, self._distance(out))
        return error

    def _distance(self, mass: Array) -> float:
        np.subtract(mass, self._coarse, out=self._coarse)
        return float(np.abs(self._coarse, out=self._coarse).sum()) / 2


def integrate(rates: JumpRates, mass: Array, times: Array, tolerance: float) -> Iterator[Array]:
    r"""Yield the masses at each time, in an array that the next time overwrites.

    A step is done once whole and once as two halves; their distance, in total
    variation, is held below ``tolerance``, and the halves are kept. Steps are binary
    fractions of the time between two outputs, so factorizations are reused.

    Parameters
    ----------
    rates : JumpRates
        The generator.
    mass : array (n,)
        Masses at time 0, zero or positive; overwritten.
    times : array (k,)
        Rising, the first zero or positive.
    tolerance : float
        Error allowed a step, in total variation.

    Raises
    ------
    FloatingPointError
        If no step is short enough.
    """
    after = np.empty_like(mass)
    last = 1 / max(float((rates.up + rates.down).max()), 1e-300)  # the first step to try
    now, gap, level = 0.0, 0.0, 0
    for time in times:
        if time > now:
            if abs(time - now - gap) > 1e-12 * time:
                gap = time - now
                stepper = _StepDoubling(rates, gap)
                level = max(0, math.ceil(math.log2(gap / last)))
            done = 0  # steps of length gap / 2**level
            while done < 2**level:
                error = stepper.attempt(mass, level, after)
                if error > tolerance:
                    level, done = level + 1, 2 * done
                    if level > MAX_HALVINGS:
                        raise FloatingPointError(f"no time step is short enough at time {now}")
                    continue
                mass, after, done = after, mass, done + 1
                # The error of a step, dt^6, grows 64-fold with twice the step; 2 for safety.
                if error < tolerance / 2 ** (RadauStep.order + 2) and done % 2 == 0 and level > 0:
                    level, done = level - 1, done // 2
            last, now = gap / 2**level, time
        yield mass
