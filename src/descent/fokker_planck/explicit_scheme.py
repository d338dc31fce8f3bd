r"""The explicit central scheme for the Fokker-Planck equation, and how it falls apart."""

import warnings

import numpy as np

from descent.arguments import Array
from descent.fokker_planck.finite_volume import EXPONENT, Calculus


class DivergenceError(FloatingPointError):
    """A numerical solution is no density any more.

    Attributes
    ----------
    step : int
        Number of the time step at which this was found, from 1.
    reasons : tuple of str
        The stability conditions that the run violates.
    """

    def __init__(self, step: int, reasons: tuple[str, ...]) -> None:
        self.step, self.reasons = step, reasons
        causes = " and ".join(reasons) or "unknown reasons"
        super().__init__(
            f"the explicit scheme diverges at step {step}, because of {causes}; "
            "take a shorter time_step, or scheme='finite-volume', which has no such limit"
        )


class NegativeDensityWarning(UserWarning):
    """A numerical density has negative parts."""


def central_explicit(
    drift: Array,
    variance: Array,
    edges: Array,
    density: Array,
    times: Array,
    calculus: Calculus,
    periodic: bool,
    time_step: float,
) -> Array:
    r"""Forward Euler in time, central differences in space.

    .. math:: P_i' = P_i - \frac{\Delta t}{h_i} (J_{i+1/2} - J_{i-1/2}), \quad
              J = \beta \bar P - \tfrac12 \bar D \frac{\Delta P}{h}

    Parameters
    ----------
    drift, variance, edges, calculus
        As in `descent.fokker_planck.finite_volume.jump_rates`.
    density : array (N,)
        P at time 0.
    times : array (k,)
        Rising, the first zero or positive.
    periodic : bool
        Circle, or no flux through the ends.
    time_step : float
        Longest Δt.

    Returns
    -------
    array (k, N)

    Raises
    ------
    DivergenceError
        When the negative mass exceeds one half, or a value is not finite.

    Warns
    -----
    NegativeDensityWarning
        If the run survives, but P is negative somewhere by more than rounding.

    Notes
    -----
    Stable where D Δt/h² <= 1 and β² Δt <= D (von Neumann), free of wiggles where
    \|β\| h <= D. Where the variance vanishes the second fails for every Δt.

    Source: 003, post 2, "Validation": the scheme behind "falls apart" is not printed;
    this is the simplest that fits its description.
    """
    a, widths = EXPONENT[calculus], np.diff(edges)
    centres = (edges[:-1] + edges[1:]) / 2
    distance = np.append(np.diff(centres), (widths[0] + widths[-1]) / 2)
    right = np.roll(variance, -1)
    beta = drift[1:] - a / 4 * (right - variance) / distance
    mean = (variance + right) / 2
    from_left, from_right = beta / 2 + mean / (2 * distance), beta / 2 - mean / (2 * distance)
    if not periodic:
        from_left[-1] = from_right[-1] = 0.0
    inside = slice(None) if periodic else slice(-1)
    place = edges[1:]

    p, flux, work = density.copy(), np.empty_like(density), np.empty_like(density)
    rows, now, step, negative = [], 0.0, 0, 0.0
    for time in times:
        n = int(np.ceil((time - now) / time_step - 1e-9))
        dt = (time - now) / max(n, 1)
        for _ in range(n):
            step += 1
            with np.errstate(over="ignore", invalid="ignore"):
                np.multiply(from_left, p, out=flux)
                work[:-1], work[-1] = p[1:], p[0]
                work *= from_right
                flux += work
                work[1:], work[0] = flux[:-1], flux[-1]
                flux -= work
                flux *= dt
                flux /= widths
                p -= flux
                np.minimum(p, 0, out=work)
                work *= widths
                negative = max(negative, -float(work.sum()))
            if not negative <= 0.5 or not np.isfinite(p).all():
                reasons = _violations(beta[inside], mean[inside], distance[inside], place, dt)
                raise DivergenceError(step, reasons)
        now = time
        rows.append(p.copy())
    if negative > 1e-12:
        warnings.warn(
            f"the explicit scheme made a negative mass of {negative:.2g}; take "
            "scheme='finite-volume', or finer cells and a shorter time_step",
            NegativeDensityWarning,
            stacklevel=3,
        )
    return np.array(rows)


def _violations(
    beta: Array, variance: Array, distance: Array, place: Array, dt: float
) -> tuple[str, ...]:
    """Name the stability conditions that fail, and where they fail most."""
    diffusion, reasons = variance * dt / distance**2, []
    if diffusion.max() > 1:
        k = int(diffusion.argmax())
        reasons.append(
            f"a diffusion number D dt/h^2 = {diffusion[k]:.3g} > 1 at W = {place[k]:.4g}"
        )
    excess = beta**2 * dt - variance
    if excess.max() > 0:
        k = int(excess.argmax())
        reasons.append(
            f"too little variance for central differences of the drift, "
            f"b^2 dt = {beta[k] ** 2 * dt:.3g} > D = {variance[k]:.3g} at W = {place[k]:.4g}"
        )
    return tuple(reasons)
