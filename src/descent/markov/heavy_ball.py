r"""Stochastic gradient descent with momentum: the exact chain on W and its velocity.

.. math:: v' = \beta v - T g_j(W), \qquad W' = W + v'

A draw moves W by T g_j at once and by :math:`T g_j / (1 - \beta)` in the end, the *effective
step*. With :math:`z = W + v\,\beta / (1 - \beta)` the chain reads

.. math:: z' = z - \frac{T}{1 - \beta}\, g_j(W)

so that for T → 0 at a given β, where W and z differ by O(T), it escapes as plain descent of
the effective step does: with the same quasi-potential. At a finite step the two differ, and
the law on the plane (W, v) says how.

Source: 003, post 1, for plain descent; momentum is Polyak's heavy ball (1964).
"""

from typing import Literal, NamedTuple, overload

import numpy as np
import numpy.typing as npt

from descent.arguments import (
    Array,
    check_count,
    check_flag,
    check_generator,
    check_real,
    check_step_size,
)
from descent.landscapes import FiniteSum, check_model
from descent.markov.intervals import check_exits
from descent.markov.killed_plane import Images, KilledPlane, killed_plane, survival
from descent.markov.refined_clouds import ToleranceError

GRIDS = ((120, 60), (240, 120), (480, 240), (960, 480))  # nodes of W and of v
SCOUTS = 2000  # walkers that find the region
SCOUTED = 1000  # steps that they go


class _Walk(NamedTuple):
    """A walk to the right: another side is its mirror image."""

    model: FiniteSum
    way: float
    step_size: float
    momentum: float
    start: float
    threshold: float

    def gradients(self, w: Array) -> Array:
        return self.way * self.model.gradients(self.way * w)


def _walk(
    model: FiniteSum, step_size: float, momentum: float, start: float, threshold: float
) -> _Walk:
    """Return the checked walk, turned to the right."""
    check_model(model)
    step_size = check_step_size(step_size)
    momentum = check_real("momentum", momentum, least=0, below=1)
    threshold = check_real("threshold", threshold)
    start, ends = check_exits(start, threshold)
    way = 1.0 if np.isinf(ends[0]) else -1.0
    return _Walk(model, way, step_size, momentum, way * start, way * threshold)


def _scouted(walk: _Walk) -> tuple[Array, Array]:
    """Return the ranges of W and v that sampled walkers meet, with room to spare."""
    rng, n = np.random.default_rng(0), walk.model.n_samples
    w, v = np.full(SCOUTS, walk.start), np.zeros(SCOUTS)
    low, least, most = walk.start, 0.0, 0.0
    for _ in range(SCOUTED):
        j = rng.choice(n, size=len(w), p=walk.model.chances)
        v = walk.momentum * v - walk.step_size * walk.gradients(w)[j, np.arange(len(w))]
        w = w + v
        least, most = min(least, v.min()), max(most, v.max())
        inside = w <= walk.threshold
        if not inside.any():
            break
        w, v = w[inside], v[inside]
        low = min(low, w.min())
    room = 0.3 * (walk.threshold - low) + 1e-12
    speed = 0.3 * (most - least) + 1e-12
    return np.array([low - room, walk.threshold]), np.array([least - speed, most + speed])


def _plane(walk: _Walk, box: tuple[Array, Array], shape: tuple[int, int]) -> KilledPlane:
    """Return the walk on nodes of (W, v)."""

    def images(w: Array, v: Array) -> Images:
        for chance, g in zip(walk.model.chances, walk.gradients(w), strict=True):
            moved = walk.momentum * v - walk.step_size * g
            yield chance, (w + moved, moved)

    low, high = (np.linspace(ends[0], ends[1], n) for ends, n in zip(box, shape, strict=True))
    return killed_plane(
        images, lambda w, v: w > walk.threshold, axes=(low, high), start=(walk.start, 0.0)
    )


@overload
def momentum_escape_curve(
    model: FiniteSum, *, step_size: float, momentum: float, n_steps: int, start: float,
    threshold: float, tolerance: float = ..., return_error: Literal[False] = ...,
) -> Array: ...  # fmt: skip


@overload
def momentum_escape_curve(
    model: FiniteSum, *, step_size: float, momentum: float, n_steps: int, start: float,
    threshold: float, tolerance: float = ..., return_error: Literal[True],
) -> tuple[Array, float]: ...  # fmt: skip


def momentum_escape_curve(
    model: FiniteSum,
    *,
    step_size: float,
    momentum: float,
    n_steps: int,
    start: float,
    threshold: float,
    tolerance: float = 1e-2,
    return_error: bool = False,
) -> Array | tuple[Array, float]:
    r"""Probability of having escaped by each step, with momentum, from rest.

    The law on nodes of (W, v) is moved by sharing each image between the four nodes around
    it, as `TransferOperator` does between two, on grids that are doubled until two
    extrapolations in the square of the spacing agree.

    Parameters
    ----------
    model : FiniteSum
        The objective.
    step_size : float
        T > 0, in units of w² per loss. The effective step is T / (1 - β).
    momentum : float
        β in [0, 1).
    n_steps : int
        Number of steps, zero or more.
    start, threshold : float
        Where all walkers start, at rest, and beyond which they have escaped: on the right
        if start <= threshold, else on the left.
    tolerance : float
        Largest error of a probability.
    return_error : bool
        Return an estimate of the error, too.

    Returns
    -------
    curve : array (n_steps + 1,)
        The probabilities at the steps 0 … ``n_steps``.
    error : float
        Difference of the last two estimates, and the mass that has come to the edges of the
        grid. Only with ``return_error``.

    Raises
    ------
    ValueError, TypeError
        If an argument is out of its range.
    ArithmeticError
        If the tolerance cannot be met.

    Notes
    -----
    With β = 0 it is `escape_curve`, which is far more accurate there. The edges of the grid
    are where sampled walkers do not come.

    Examples
    --------
    >>> from descent.landscapes import two_datapoint
    >>> curve = momentum_escape_curve(
    ...     two_datapoint(), step_size=0.01, momentum=0.5, n_steps=200, start=1.0, threshold=1.196
    ... )
    >>> bool(0.05 < curve[-1] < 0.5)
    True
    """
    walk = _walk(model, step_size, momentum, start, threshold)
    n_steps = check_count("n_steps", n_steps)
    tolerance = check_real("tolerance", tolerance, above=0)
    check_flag("return_error", return_error)
    box = _scouted(walk)
    curves: list[Array] = []
    better: list[Array] = []
    error = np.inf
    for shape in GRIDS:
        escaped, _, lost = survival(_plane(walk, box, shape), n_steps, tail=False)
        curves.append(np.cumsum(escaped))
        if len(curves) > 1:
            better.append(curves[-1] + (curves[-1] - curves[-2]) / 3)
        if len(better) > 1:
            error = float(np.abs(better[-1] - better[-2]).max()) + lost
            if error <= tolerance:
                curve = np.clip(np.maximum.accumulate(better[-1]), 0.0, 1.0)
                return (curve, error) if return_error else curve
    raise ToleranceError(f"tolerance={tolerance!r} cannot be met: the best is {error:.2g}")


def log_mean_momentum_time(
    model: FiniteSum,
    *,
    step_size: float,
    momentum: float,
    start: float,
    threshold: float,
    tolerance: float = 0.05,
) -> float:
    """Natural log of the mean step of escape with momentum, from rest.

    Parameters
    ----------
    model, step_size, momentum, start, threshold
        As in `momentum_escape_curve`.
    tolerance : float
        Largest error of the logarithm.

    Returns
    -------
    float
        ln E min {n : W_n beyond the threshold}, in steps.

    Raises
    ------
    ValueError, TypeError
        If an argument is out of its range.
    ArithmeticError
        If the tolerance cannot be met, as for very small steps.

    Notes
    -----
    The survival is summed until a constant share escapes in each step.

    Examples
    --------
    >>> from descent.landscapes import two_datapoint
    >>> time = log_mean_momentum_time(
    ...     two_datapoint(), step_size=0.02, momentum=0.5, start=1.0, threshold=1.196
    ... )
    >>> bool(2 < time < 6)
    True
    """
    walk = _walk(model, step_size, momentum, start, threshold)
    tolerance = check_real("tolerance", tolerance, above=0)
    box = _scouted(walk)
    logs: list[float] = []
    error = np.inf
    for shape in GRIDS:
        _, total, lost = survival(_plane(walk, box, shape), 100_000, tail=True)
        logs.append(float(np.log(total)))
        if len(logs) > 2:
            a, b, c = logs[-3:]
            last, previous = c + (c - b) / 3, b + (b - a) / 3
            error = abs(last - previous) + lost
            if error <= tolerance:
                return last
    raise ToleranceError(f"tolerance={tolerance!r} cannot be met: the best is {error:.2g}")


def momentum_passage_times(
    model: FiniteSum,
    *,
    step_size: float,
    momentum: float,
    n_steps: int,
    start: float,
    threshold: float,
    n_particles: int,
    rng: np.random.Generator,
) -> npt.NDArray[np.int64]:
    """Sample the step of escape with momentum, for many walkers that start at rest.

    Parameters
    ----------
    model, step_size, momentum, n_steps, start, threshold
        As in `momentum_escape_curve`.
    n_particles : int
        Number of walkers.
    rng : numpy.random.Generator
        Source of the draws.

    Returns
    -------
    integer array (n_particles,)
        The step of escape, from 1 to ``n_steps``; ``n_steps + 1`` stands for walkers that
        have not escaped by then.

    Raises
    ------
    ValueError, TypeError
        If an argument is out of its range.

    Notes
    -----
    With β = 0 it is `first_passage_times`, from other draws.

    Examples
    --------
    >>> from descent.landscapes import two_datapoint
    >>> times = momentum_passage_times(
    ...     two_datapoint(), step_size=0.02, momentum=0.5, n_steps=100, start=1.0,
    ...     threshold=1.196, n_particles=1000, rng=np.random.default_rng(0),
    ... )
    >>> bool(0.5 < (times <= 100).mean() < 1)
    True
    """
    walk = _walk(model, step_size, momentum, start, threshold)
    check_generator("rng", rng)
    n_steps, n_particles = check_count("n_steps", n_steps), check_count("n_particles", n_particles)
    times = np.full(n_particles, n_steps + 1)
    alive, w, v = np.arange(n_particles), np.full(n_particles, walk.start), np.zeros(n_particles)
    for step in range(n_steps):
        j = rng.choice(model.n_samples, size=len(w), p=model.chances)
        v = walk.momentum * v - walk.step_size * walk.gradients(w)[j, np.arange(len(w))]
        w = w + v
        out = w > walk.threshold
        if out.any():
            times[alive[out]] = step + 1
            alive, w, v = alive[~out], w[~out], v[~out]
            if len(w) == 0:
                break
    return times
