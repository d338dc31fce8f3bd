r"""Climbing a smoothed objective: in x and sigma together, or in x while sigma is lowered.

Both take ``smoothed(x, sigma) -> (value, d/dx, d/dsigma)``, as in `descent.smoothing`.
"""

from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from descent.arguments import (
    Array,
    check_array,
    check_callable,
    check_count,
    check_flag,
    check_real,
)

Smoother = Callable[[Array, Array], tuple[Array, Array, Array]]

_SHORTEST = 1e-7  # a climb ends where no step of this length leads uphill


class Climb(NamedTuple):
    """Ends of the climbs, arrays ``(k,)``, and their paths, ``(n + 1, k)``."""

    x: Array
    sigma: Array
    value: Array
    x_path: Array
    sigma_path: Array


def ascend(
    smoothed: Smoother,
    x: npt.ArrayLike,
    sigma: npt.ArrayLike,
    *,
    max_step: float = 0.1,
    least_sigma: float = 1e-3,
    n_steps: int = 3000,
    hold_sigma: bool = False,
) -> Climb:
    r"""Climb f_σ(x) along its gradient in the plane of x and σ, without overshooting.

    .. math:: (x, \sigma) \leftarrow (x, \sigma)
              + s\, \nabla f_\sigma(x) / \lVert\nabla f_\sigma(x)\rVert

    The length s grows by half after each step uphill, up to ``max_step``, and is halved
    after a step that would not lead uphill, which is not taken. So the value never falls,
    and the path follows the curve of steepest ascent, whatever the scale of f.

    Parameters
    ----------
    smoothed : callable
        The smoothed objective with its derivatives.
    x, sigma : array (k,)
        Starts; broadcast against each other.
    max_step : float
        Longest step, in the unit of x.
    least_sigma : float
        σ is not lowered beyond this, which is positive.
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
        If an argument is out of its range.

    Notes
    -----
    Source: 004, "Problem of Hard Functions": gradient descent "in this space".

    Examples
    --------
    >>> from descent.smoothing import smoothed_sinc
    >>> ascend(smoothed_sinc, [10.0, 10.0], [0.1, 5.0]).x.round(2)
    array([7.73, 0.  ])
    """
    check_callable("smoothed", smoothed)
    longest = check_real("max_step", max_step, above=0)
    least = check_real("least_sigma", least_sigma, above=0)
    hold_sigma = check_flag("hold_sigma", hold_sigma)
    x, sigma = check_array("x", x), check_array("sigma", sigma)
    x, sigma = (a.flatten() for a in np.broadcast_arrays(x, sigma))
    if (sigma < least).any():
        raise ValueError(
            f"sigma must start at least_sigma = {least_sigma!r} or above it; got {sigma.min()}"
        )
    n_steps = check_count("n_steps", n_steps)
    value, dx, dsigma = (np.array(part) for part in smoothed(x, sigma))
    length = np.full(x.shape, longest)
    x_path, sigma_path = [x.copy()], [sigma.copy()]
    live = np.arange(len(x))
    for _ in range(n_steps):
        along_sigma = np.zeros(len(live)) if hold_sigma else dsigma[live]
        steepness = np.hypot(dx[live], along_sigma)
        rising = (steepness > 1e-200) & (length[live] > _SHORTEST)
        live, along_sigma, steepness = live[rising], along_sigma[rising], steepness[rising]
        if not len(live):
            break
        stride = length[live] / steepness
        there = x[live] + stride * dx[live]
        width = np.maximum(sigma[live] + stride * along_sigma, least)
        new = np.array(smoothed(there, width))
        up = new[0] > value[live]
        taken = live[up]
        x[taken], sigma[taken] = there[up], width[up]
        value[taken], dx[taken], dsigma[taken] = new[:, up]
        length[live] = np.where(up, np.minimum(1.5 * length[live], longest), length[live] / 2)
        x_path.append(x.copy())
        sigma_path.append(sigma.copy())
    return Climb(x, sigma, value, np.array(x_path), np.array(sigma_path))


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
        ``max_step`` and ``n_steps`` of `ascend`.

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
