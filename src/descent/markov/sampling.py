"""Trajectories of stochastic gradient descent, sampled: W' = W - T g_j(W), j drawn."""

from collections.abc import Callable

import numpy as np
import numpy.typing as npt

from descent.arguments import (
    Array,
    Index,
    check_array,
    check_callable,
    check_count,
    check_generator,
    check_step_size,
)
from descent.compiled.code import LANES
from descent.landscapes import FiniteSum, check_model
from descent.markov.intervals import Threshold, check_exits
from descent.markov.walk import walk_on

BLOCK = 8192  # particles that are moved together: their arrays stay in the cache
MANY = 1_000_000  # steps of walkers from which compiling pays
CHUNK = 256  # steps for which random samples are drawn at once


def _draw(
    rng: np.random.Generator, model: FiniteSum, shape: tuple[int, ...]
) -> npt.NDArray[np.integer]:
    """Draw sample indices on 0 … n-1; one random bit each where two are equally likely."""
    n = model.n_samples
    if model.weights is not None:
        return rng.choice(n, size=shape, p=model.chances)
    if n == 2:
        count = int(np.prod(shape))
        return np.unpackbits(rng.integers(256, size=-(-count // 8), dtype=np.uint8))[
            :count
        ].reshape(shape)
    return rng.integers(n, size=shape)


def _in_bytes(index: npt.NDArray[np.integer]) -> npt.NDArray[np.uint8]:
    """Return sample indices as bytes, in rows that have room for full lanes."""
    room = np.zeros((len(index), index.shape[1] + LANES), np.uint8)
    room[:, : index.shape[1]] = index
    return room


def _trajectory(step: Callable[[Array], Array], start: npt.ArrayLike, n_steps: int) -> Array:
    w = check_array("start", start)
    path = np.empty((check_count("n_steps", n_steps) + 1, *w.shape))
    path[0] = w
    with np.errstate(over="ignore", invalid="ignore"):
        for k in range(n_steps):
            path[k + 1] = step(path[k])
    if not np.isfinite(path[-1]).all():
        first = int(np.argmin(np.isfinite(path.reshape(n_steps + 1, -1)).all(axis=1)))
        raise FloatingPointError(f"the descent diverges: not finite at step {first}")
    return path


def gradient_descent(
    gradient: Callable[[Array], npt.ArrayLike],
    *,
    step_size: float,
    n_steps: int,
    start: npt.ArrayLike,
) -> Array:
    """Full-batch descent: w' = w - T gradient(w).

    Parameters
    ----------
    gradient : callable
        Maps the shape of ``start`` to itself, for instance ``model.mean_gradient``.
    step_size : float
        T > 0, in units of w² per loss.
    n_steps : int
        Number of steps, zero or more.
    start : array (...)
        Start, or many starts.

    Returns
    -------
    array (n_steps + 1, ...)
        The trajectory, with the start first.

    Raises
    ------
    ValueError, TypeError
        If an argument is out of its range.
    FloatingPointError
        If the descent diverges.

    Examples
    --------
    >>> gradient_descent(lambda w: 2 * w, step_size=0.25, n_steps=3, start=1.0)
    array([1.   , 0.5  , 0.25 , 0.125])
    """
    check_callable("gradient", gradient)
    step_size, start = check_step_size(step_size), check_array("start", start)
    check_array("gradient", gradient(start), start.shape, finite=False)
    return _trajectory(lambda w: w - step_size * np.asarray(gradient(w)), start, n_steps)


def simulate(
    model: FiniteSum,
    *,
    step_size: float,
    n_steps: int,
    start: npt.ArrayLike,
    rng: np.random.Generator,
) -> Array:
    """Sample trajectories of stochastic gradient descent: w' = w - T g_j(w).

    The sample j of each step is drawn by the model's weights.

    Parameters
    ----------
    model : FiniteSum
        The objective.
    step_size, n_steps
        As in `gradient_descent`.
    start : array (...)
        Starts; each entry is a walker with its own draws.
    rng : numpy.random.Generator
        Source of the draws.

    Returns
    -------
    array (n_steps + 1, ...)
        The trajectories, with the starts first.

    Raises
    ------
    ValueError, TypeError, FloatingPointError
        As in `gradient_descent`.

    Examples
    --------
    >>> from descent.landscapes import two_datapoint
    >>> rng = np.random.default_rng(0)
    >>> path = simulate(two_datapoint(), step_size=0.05, n_steps=100, start=[0.0, 4.0], rng=rng)
    >>> path.shape
    (101, 2)
    """
    check_model(model)
    check_generator("rng", rng)
    step_size = check_step_size(step_size)

    def step(w: Array) -> Array:
        return w - step_size * model.sample_gradient(w, _draw(rng, model, w.shape))

    return _trajectory(step, start, n_steps)


def _mirrored(model: FiniteSum) -> FiniteSum:
    """Return the objective of -w, whose walkers go right where those of w go left."""

    def gradient(w: Array, index: Index, out: Array, work: Array) -> None:
        np.negative(model.sample_gradient(-w, index, out, work), out=out)

    return FiniteSum(
        losses=lambda w: model.losses(-np.asarray(w)),
        gradients=lambda w: -model.gradients(-w),  # type: ignore[operator]  # arrays, or symbols
        curvatures=lambda w: model.curvatures(-np.asarray(w)),
        in_place_gradient=gradient,
        weights=model.weights,
    )


def first_passage_times(
    model: FiniteSum,
    *,
    step_size: float,
    n_steps: int,
    start: float,
    threshold: Threshold,
    n_particles: int,
    rng: np.random.Generator,
) -> npt.NDArray[np.int64]:
    """Sample the step of escape: min {n : W_n > b}, for many walkers from one start.

    The walkers are moved in blocks that fit the cache, without allocation, and those
    that have escaped are dropped.

    Parameters
    ----------
    model : FiniteSum
        The objective.
    step_size, n_steps
        As in `gradient_descent`.
    start : float
        Where all walkers start.
    threshold : float or pair of float
        b. Walkers escape beyond it: to the right if start <= b, else to the left. A pair
        is both ends of an interval that is left on either side; one may be infinite.
    n_particles : int
        Number of walkers.
    rng : numpy.random.Generator
        Source of the draws.

    Returns
    -------
    integer array (n_particles,)
        The step of escape, from 1 to ``n_steps``; ``n_steps + 1`` stands for walkers
        that have not escaped by then.

    Raises
    ------
    ValueError, TypeError
        If an argument is out of its range.
    FloatingPointError
        If a walker diverges to where no threshold is.

    Notes
    -----
    Source: 003, post 1, "Monte Carlo".

    Examples
    --------
    >>> from descent.landscapes import two_datapoint
    >>> rng = np.random.default_rng(0)
    >>> times = first_passage_times(
    ...     two_datapoint(), step_size=0.02, n_steps=100, start=1.0, threshold=1.196,
    ...     n_particles=10_000, rng=rng,
    ... )
    >>> bool(0.4 < (times <= 100).mean() < 0.6)
    True
    """
    check_model(model)
    check_generator("rng", rng)
    step_size = check_step_size(step_size)
    start, (low, high) = check_exits(start, threshold)
    if np.isinf(high):  # turned to the right
        model, start, low, high = _mirrored(model), -start, -high, -low
    n_steps, n_particles = check_count("n_steps", n_steps), check_count("n_particles", n_particles)
    times = np.full(n_particles, n_steps + 1)
    gradient, work = np.empty(BLOCK), np.empty((2, BLOCK))
    compile_it = n_particles * n_steps >= MANY and np.isinf(low)
    walk = walk_on(model, step_size, start, high) if compile_it else None
    for first in range(0, n_particles, BLOCK):
        alive = min(BLOCK, n_particles - first)
        particle = np.arange(first, first + alive)
        w, step = np.full(BLOCK, start), 0
        while step < n_steps:
            if step % CHUNK == 0:
                index = _draw(rng, model, (min(CHUNK, n_steps - step), alive))
                drawn = None if walk is None else _in_bytes(index)
            live = w[:alive]
            if walk is not None and drawn is not None:
                row = step % CHUNK
                step += walk(w, drawn, row, min(CHUNK, n_steps - step + row) - row, alive)
            else:
                g = gradient[:alive]
                model.sample_gradient(live, index[step % CHUNK, :alive], g, work[:, :alive])
                g *= step_size
                live -= g
                step += 1
            if live.max() <= high and live.min() >= low:
                continue
            out = (live > high) | (live < low)
            (gone,) = np.nonzero(out)
            times[particle[gone]] = step
            # The last walkers that remain fill the holes of those that have gone.
            kept = alive - len(gone)
            movers = kept + np.nonzero(~out[kept:])[0]
            holes = gone[gone < kept]
            w[holes], particle[holes] = w[movers], particle[movers]
            alive = kept
            if alive == 0:
                break
        if not np.isfinite(w[:alive]).all():
            raise FloatingPointError("a walker diverges before it escapes")
    return times
