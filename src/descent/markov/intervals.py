"""Where walkers can go: thresholds on either side, and the interval that they do not leave."""

import math

import numpy as np

from descent.arguments import Array, came, check_count, check_real, check_step_size
from descent.landscapes import FiniteSum, check_model
from descent.markov.transfer_operator import Absorbing

Threshold = float | tuple[float, float]
"""A number, beyond which walkers escape on the side away from the start, or both ends."""


def check_exits(start: float, threshold: Threshold) -> tuple[float, tuple[float, float]]:
    """Return the start and the interval that walkers escape from; an error if it is outside.

    One threshold is the right end if the start is not beyond it, else the left end. A pair
    is both ends, one of which may be infinite.
    """
    start = check_real("start", start)
    if not isinstance(threshold, tuple | list):
        end = check_real("threshold", threshold)
        return start, (-math.inf, end) if start <= end else (end, math.inf)
    if len(threshold) != 2 or any(isinstance(end, bool) for end in threshold):
        raise TypeError(f"threshold must be a number or a pair of them; got {came(threshold)}")
    low, high = (
        end if end in (-math.inf, math.inf) else check_real("threshold", end) for end in threshold
    )
    if not low < high or (low, high) == (-math.inf, math.inf) or math.inf in (low, -high):
        raise ValueError(
            f"threshold must rise, with a finite end at least; got {came(tuple(threshold))}"
        )
    if not low <= start <= high:
        raise ValueError(f"start must not lie beyond threshold={tuple(threshold)!r}; got {start!r}")
    return start, (float(low), float(high))


def absorbing_sides(ends: tuple[float, float]) -> Absorbing:
    """Name the sides on which an interval has a finite end."""
    if math.isinf(ends[0]):
        return "right"
    return "left" if math.isinf(ends[1]) else "both"


def reachable_interval(
    model: FiniteSum, *, step_size: float, start: float, threshold: Threshold, n: int = 4001
) -> tuple[float, float]:
    """Interval that walkers from ``start`` cannot leave except beyond a threshold.

    Parameters
    ----------
    model : FiniteSum
        The objective.
    step_size : float
        T > 0.
    start : float
        Where all walkers start.
    threshold : float or pair of float
        Beyond it walkers have escaped: on the right if the start is not beyond it, else
        on the left. A pair is both ends of an interval.
    n : int
        Number of points on which the images of the interval are looked up.

    Returns
    -------
    low, high : float
        A threshold itself, or a point this side of it where the chain cannot reach it.

    Raises
    ------
    ValueError, TypeError
        If an argument is out of its range, or if the interval grows without bound.

    Examples
    --------
    >>> from descent.landscapes import two_datapoint
    >>> low, high = reachable_interval(
    ...     two_datapoint(), step_size=0.02, start=1.0, threshold=1.196
    ... )
    >>> round(low, 2), high
    (0.91, 1.196)
    """
    check_model(model)
    step_size, n = check_step_size(step_size), check_count("n", n, 2)
    start, ends = check_exits(start, threshold)
    if not math.isinf(ends[0]) and not math.isinf(ends[1]):
        low, high = ends
    else:
        low, high = _grown(model, step_size, start, ends, n)
    w = np.linspace(low, high, n)
    images = w - step_size * model.gradients(w)
    for _ in range(4):
        high = _trap(w, images.max(axis=0), start, low, high)
        mirror = _trap(-w[::-1], -images.min(axis=0)[::-1], -start, -high, -low)
        if mirror == -low:
            break
        low = -mirror
    return float(low), float(high)


def _grown(
    model: FiniteSum, step_size: float, start: float, ends: tuple[float, float], n: int
) -> tuple[float, float]:
    """Move the infinite end out until no image lies beyond it."""
    right = math.isinf(ends[0])
    wall = ends[1] if right else ends[0]
    way = 1.0 if right else -1.0
    open_end = start if start != wall else wall - way * 1e-9 * (1 + abs(wall))
    furthest = 1e6 * (abs(wall - start) + float(np.abs(model.gradients(start)).max()) * step_size)
    furthest = furthest or 1e6
    for _ in range(10_000):
        w = np.linspace(open_end, wall, n)
        images = way * (w - step_size * model.gradients(w))
        lowest = float(images.min())
        if lowest >= way * open_end:
            return (open_end, wall) if right else (wall, open_end)
        if not lowest > way * wall - furthest:
            break
        # A little more than needed, so that a slow approach to a fixed point ends.
        open_end = way * (lowest - 0.02 * (way * wall - lowest))
    raise ValueError(
        f"the interval reachable from start={start!r} grows without bound at "
        f"step_size={step_size!r}"
    )


def _trap(w: Array, highest: Array, start: float, low: float, high: float) -> float:
    """Return the first point from the start on that no image from below it exceeds."""
    inside = (w >= low) & (w <= high)
    w, highest = w[inside], highest[inside]
    stuck = (np.maximum.accumulate(highest) <= w) & (w >= start)
    return float(w[np.argmax(stuck)]) if stuck.any() else high


def unreachable(span: tuple[float, float], ends: tuple[float, float]) -> bool:
    """Say whether the interval that walkers stay in ends before each finite threshold."""
    return (span[0] > ends[0]) and (span[1] < ends[1])


def largest_step(model: FiniteSum, step_size: float, span: tuple[float, float]) -> float:
    """Return the largest move T |g_j| on an interval."""
    return step_size * float(np.abs(model.gradients(np.linspace(*span, 4001))).max())
