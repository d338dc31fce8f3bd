r"""Climbing a smoothed objective: in x and sigma together, or in x while sigma is lowered.

Both take ``smoothed(x, sigma) -> (value, d/dx, d/dsigma)``, as in `descent.smoothing`.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from descent.arguments import (
    Array,
    came,
    check_array,
    check_callable,
    check_count,
    check_flag,
    check_real,
)

Smoother = Callable[[Array, Array], tuple[Array, Array, Array]]

_SHORTEST = 1e-7  # of σ: a top is found when it is at most so far ahead
# As shares of the size of f:
_FLAT = 1e-13  # a slope that gains less within a distance σ is lost in rounding
_NOISE = 4 * np.finfo(float).eps  # what rounding may take from a value
_STEEP = 1e-3  # a slope that gains more within a distance σ is not that of a top
_TRUST = 1e-9  # a fall by more, where the slope leads up, is no rounding
_SUBNORMAL = 1e-290  # smaller numbers have few digits


class Climb(NamedTuple):
    """Ends of the climbs, arrays ``(k,)``, and their paths, ``(n + 1, k)``."""

    x: Array
    sigma: Array
    value: Array
    x_path: Array
    sigma_path: Array


class _Points(NamedTuple):
    """Where climbs are, with the objective and its derivatives there, arrays ``(k,)``."""

    x: Array
    sigma: Array
    value: Array
    dx: Array
    dsigma: Array


class _Step(NamedTuple):
    """Where a step ends, its error in units of σ, and the slopes along its first direction."""

    end: _Points
    error: Array
    slope_at_start: Array
    slope_at_end: Array


@dataclass(frozen=True)
class _Flow:
    """The field of steepest ascent of a smoothed objective, at σ no lower than the least."""

    smoothed: Smoother
    least: float
    tolerance: float
    hold_sigma: bool

    def at(self, x: Array, sigma: Array) -> _Points:
        """Return the objective there; an error unless it is finite and has the shape of x."""
        parts = self.smoothed(x, sigma)
        if not isinstance(parts, tuple | list) or len(parts) != 3:
            raise TypeError(f"smoothed must return value, d/dx and d/dsigma; got {came(parts)}")
        arrays = [
            np.array(check_array(f"what smoothed returns ({name})", part, finite=False))
            for name, part in zip(("value", "d/dx", "d/dsigma"), parts, strict=True)
        ]
        if any(array.shape != x.shape for array in arrays):
            raise ValueError(
                f"smoothed must return three arrays of shape {x.shape}; "
                f"got {[array.shape for array in arrays]}"
            )
        hole = ~np.isfinite(arrays).all(axis=0)
        if hole.any():
            raise ValueError(
                "smoothed must return finite numbers; "
                f"got {', '.join(str(array[hole][0]) for array in arrays)} "
                f"at x = {x[hole][0]}, sigma = {sigma[hole][0]}"
            )
        return _Points(x, sigma, *arrays)

    def floored(self, points: _Points) -> npt.NDArray[np.bool_]:
        """Say where σ is least and would fall."""
        return np.asarray((points.sigma <= self.least) & (points.dsigma < 0))

    def gradient(self, points: _Points, floored: npt.NDArray[np.bool_]) -> Array:
        """Return the gradient ``(2, k)`` without what leads out of the range of σ."""
        if self.hold_sigma:
            return np.array([points.dx, np.zeros_like(points.dx)])
        along_sigma = np.where(floored, np.maximum(points.dsigma, 0), points.dsigma)
        return np.array([points.dx, along_sigma])

    def gain(self, points: _Points) -> Array:
        """Return what the slope gains within a distance σ."""
        slope = np.hypot(*self.gradient(points, self.floored(points)))
        return np.asarray(slope * points.sigma)

    def step(self, start: _Points, share: Array) -> _Step:
        """Take a step as long as a share of σ."""
        floored = self.floored(start)

        def unit(points: _Points) -> tuple[Array, Array]:
            gradient = self.gradient(points, floored)
            slope = np.maximum(np.hypot(*gradient), np.finfo(float).tiny)
            return np.asarray(gradient / slope), slope

        at, length = np.array([start.x, start.sigma]), share * start.sigma
        k1, slope = unit(start)
        k2, _ = unit(self.at(*(at + length * k1 / 2)))
        k3, _ = unit(self.at(*(at + length * k2 * 3 / 4)))
        x, sigma = at + length * (2 * k1 + 3 * k2 + 4 * k3) / 9
        grazes = sigma > self.least * (1 - self.tolerance)
        end = self.at(x, np.where(grazes, np.maximum(sigma, self.least), sigma))
        k4, last = unit(end)
        error = share * np.hypot(*(-5 * k1 + 6 * k2 + 8 * k3 - 9 * k4)) / 72
        return _Step(end, np.asarray(error), slope, last * (k1 * k4).sum(axis=0))


def ascend(
    smoothed: Smoother,
    x: npt.ArrayLike,
    sigma: npt.ArrayLike,
    *,
    max_step: float = 0.5,
    tolerance: float = 1e-4,
    least_sigma: float = 1e-3,
    n_steps: int = 20_000,
    hold_sigma: bool = False,
) -> Climb:
    r"""Follow the curve of steepest ascent of f_σ(x) in the plane of x and σ to its end.

    .. math:: \frac{d(x, \sigma)}{ds}
              = \frac{\nabla f_\sigma(x)}{\lVert\nabla f_\sigma(x)\rVert}

    s is the length along the curve. Steps of a Runge–Kutta pair of orders 3 and 2 estimate
    their own error and are repeated, shorter, where it is too large; so are those that
    would step over a top, or lower the value. As f_σ changes over distances of about σ, no
    step is longer than a share of σ, and no jump of f is passed unseen.

    A climb ends on a top, found to 1e-7 σ, or where f_σ is flat to rounding: a slope that
    gains less than 1e-13 of the size of f within a distance σ leads nowhere. Between two jumps
    that are many σ apart this happens, and the climb freezes there. Where on such a terrace is
    for rounding and the steps to say: with another ``max_step`` or ``tolerance`` x rests up to
    0.05 σ away, of another σ by up to a fifth, and of the same value to 1e-13.

    Parameters
    ----------
    smoothed : callable
        The smoothed objective with its derivatives, of which any scale will do.
    x, sigma : array (k,)
        Starts; broadcast against each other.
    max_step : float
        Longest step, as a share of σ, at most 1/2.
    tolerance : float
        Error of a step, as a share of σ; at least 1e-6.
    least_sigma : float
        σ is not lowered beyond this, which is positive. A climb goes on in x alone there.
    n_steps : int
        At most so many trials of a step.
    hold_sigma : bool
        Move x alone.

    Returns
    -------
    Climb

    Raises
    ------
    ValueError, TypeError
        If an argument is out of its range, or ``smoothed`` returns what is not finite.
    RuntimeError
        If a climb has not arrived after ``n_steps`` trials, as where there is no top; if the
        derivatives are not those of the value; or if the slope turns too fast for any step.

    Notes
    -----
    Source: 004, "Problem of Hard Functions": gradient descent "in this space". The pair is
    that of Bogacki and Shampine, Appl. Math. Lett. 2 (1989).

    Examples
    --------
    >>> from descent.smoothing import smoothed_sinc
    >>> ascend(smoothed_sinc, [10.0, 10.0], [0.1, 5.0]).x.round(2) + 0.0
    array([7.73, 0.  ])
    """
    check_callable("smoothed", smoothed)
    longest = check_real("max_step", max_step, above=0, most=0.5)
    tolerance = check_real("tolerance", tolerance, least=1e-6, below=1)
    least = check_real("least_sigma", least_sigma, above=0)
    hold_sigma = check_flag("hold_sigma", hold_sigma)
    x, sigma = check_array("x", x), check_array("sigma", sigma)
    x, sigma = (a.flatten() for a in np.broadcast_arrays(x, sigma))
    if (sigma < least).any():
        raise ValueError(
            f"sigma must start at least_sigma = {least!r} or above it; got {sigma.min()}"
        )
    n_steps = check_count("n_steps", n_steps)
    flow = _Flow(smoothed, least, tolerance, hold_sigma)
    here = flow.at(x, sigma)
    share = np.full(x.shape, longest)  # of σ: the length of the next step
    top = np.full(x.shape, np.inf)  # in σ: where a step has gone over the top
    size = np.full(x.shape, _SUBNORMAL)  # of f, as far as it was seen
    x_path, sigma_path = [x.copy()], [sigma.copy()]
    for trial in range(n_steps + 1):
        gain = flow.gain(here)
        size = np.maximum(size, np.maximum(np.abs(here.value), gain))
        lost = (share < _SHORTEST) & (gain > _STEEP * size)
        if lost.any():
            i = np.argmax(lost)
            raise RuntimeError(
                "smoothed must be smooth over distances of sigma; its slope turns within 1e-7 of "
                f"it at x = {here.x[i]}, sigma = {here.sigma[i]}"
            )
        (live,) = np.nonzero((share >= _SHORTEST) & (gain > _FLAT * size))
        if not len(live):
            break
        if trial == n_steps:
            raise RuntimeError(
                f"{len(live)} of {x.size} climbs have not arrived after n_steps = {n_steps}; "
                f"one is at x = {here.x[live[0]]}, sigma = {here.sigma[live[0]]}"
            )
        start = _Points(*(part[live] for part in here))
        step = flow.step(start, share[live])
        taken, length, top[live] = _judge(flow, start, step, share[live], top[live], size[live])
        share[live] = np.minimum(length, longest)
        for part, new in zip(here, step.end, strict=True):
            part[live[taken]] = new[taken]
        x_path.append(here.x.copy())
        sigma_path.append(here.sigma.copy())
    return Climb(*here[:3], np.array(x_path), np.array(sigma_path))


def _judge(
    flow: _Flow, start: _Points, step: _Step, share: Array, top: Array, size: Array
) -> tuple[npt.NDArray[np.bool_], Array, Array]:
    """Say which steps stand, how long the next ones are, and where a top lies, in units of σ.

    A step may not be inexact, nor go over a top, nor below the least σ, nor lose value.
    """
    end, error = step.end, step.error / flow.tolerance
    inexact, over, below = error > 1, step.slope_at_end < 0, end.sigma < flow.least
    loss = start.value - end.value
    stands = ~inexact & ~over & ~below
    false = stands & (loss > _TRUST * size)
    if false.any():
        i = np.argmax(false)
        raise RuntimeError(
            "smoothed must return the derivatives of its value, which falls along its gradient "
            f"at x = {start.x[i]}, sigma = {start.sigma[i]}"
        )
    taken = stands & (loss <= _NOISE * size)
    by_error = share * np.clip(0.9 * np.maximum(error, 1e-9) ** (-1 / 3), 0.2, 1.5)
    # Where the slope along the step would be zero, were it a line.
    fallen = 1 - step.slope_at_end / step.slope_at_start
    summit = share / np.maximum(fallen, _TRUST)
    # Where the least σ would be reached, were the step a line; to graze it is enough.
    graze = flow.tolerance * flow.least
    floor = share * np.minimum(
        np.maximum(start.sigma - flow.least, graze / 2)
        / np.maximum(start.sigma - end.sigma, graze),
        0.9,
    )
    # The summit, or half-way where it was looked for in vain.
    below_top = np.where(
        share > 0.9 * top, share / 2, np.minimum(summit - _SHORTEST / 2, 0.9 * share)
    )
    shorter = np.select(
        [over, inexact, below],
        [below_top, np.minimum(by_error, share / 2), floor],
        share / 2,
    )
    top = np.where(taken, top - share, np.where(over, share, top))
    top[top <= 0] = np.inf
    # Only a step over the top ends a climb, so that it does not end on a ridge.
    rest = np.maximum(np.minimum(summit - share, 0.9 * top), 2 * _SHORTEST)
    onward = np.where(np.isinf(top), by_error, np.minimum(rest, by_error))
    return taken, np.where(taken, onward, shorter), top


def graduated_ascent(
    smoothed: Smoother, x: npt.ArrayLike, sigmas: Sequence[float], **options: float
) -> Climb:
    r"""Graduated optimization: climb f_σ in x at one σ after another, each from the last end.

    Parameters
    ----------
    smoothed : callable
        The smoothed objective with its derivatives.
    x : array (k,)
        Starts.
    sigmas : sequence of float
        Falling, positive; usually a geometric sequence.
    **options
        ``max_step``, ``tolerance`` and ``n_steps`` of `ascend`.

    Returns
    -------
    Climb
        The paths hold one row a σ, and the starts.

    Raises
    ------
    ValueError, TypeError
        If the sigmas do not fall, or an argument is out of its range.

    Notes
    -----
    Also called graduated non-convexity, continuation or homotopy. The schedule is given;
    in `ascend` the gradient chooses it.

    Examples
    --------
    >>> from descent.smoothing import smoothed_sinc
    >>> graduated_ascent(smoothed_sinc, [10.0], [4.0, 2.0, 1.0, 0.5, 0.1]).x.round(3)
    array([0.])
    """
    schedule = check_array("sigmas", sigmas)
    if schedule.ndim != 1 or not schedule.size or (np.diff(schedule) >= 0).any():
        raise ValueError(f"sigmas must fall, from one at least; got {sigmas!r}")
    if schedule[-1] <= 0:
        raise ValueError(f"sigmas must be positive; got {sigmas!r}")
    x = check_array("x", x).flatten()
    x_path, sigma_path = [x], [np.full(x.shape, float(sigmas[0]))]
    for sigma in sigmas:
        end = ascend(
            smoothed,
            x,
            sigma,
            least_sigma=min(sigmas),
            hold_sigma=True,
            **options,  # type: ignore[arg-type]
        )
        x = end.x
        x_path.append(end.x)
        sigma_path.append(end.sigma)
    return Climb(x, end.sigma, end.value, np.array(x_path), np.array(sigma_path))
