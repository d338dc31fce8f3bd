"""Compiled steps in place of numpy's: where they can be had, and agree with them on trial."""

import numpy as np

from descent.arguments import Array
from descent.dynamics.adaptive import Pace, TooManySteps, begin, check_steps, step
from descent.dynamics.equations import equations_of
from descent.dynamics.error_steps import ErrorSteps
from descent.dynamics.motion import Motion

AGREE = 1e-9  # of the size, in the step that is tried


def speed_up(motion: Motion, states: Array, time: float = 0.0) -> None:
    """Let a motion take compiled steps from here on, if they can be had and agree with numpy's.

    They are tried on some states (d, n). Without a compiler nothing changes.
    """
    if not motion.own_clock or (equations := equations_of(motion.system, motion.layout)) is None:
        return
    few = states[:, np.linspace(0, states.shape[1] - 1, min(4, states.shape[1])).astype(int)]
    n, spread = few.shape[1], np.random.default_rng(0)
    vectors = [spread.standard_normal((len(free) * k, n)) for free, k in motion.layout]
    stack, calls = np.concatenate([few, *vectors]), motion.calls
    try:
        quick = ErrorSteps(equations)
    except LookupError:  # a function of C's library that is not there
        return
    pace = Pace(n, 1e-7, 1e-7, time=time)
    with np.errstate(all="ignore"):
        begin(motion, pace, stack, None)
        motion.per_slope = (motion.calls - calls) / (n if motion.loops else 1)
        other = pace.part(slice(None))
        mine = quick(stack, other.t, other.h, *_sized(other), np.inf, (1e-7, 1e-7), 1)
        theirs = step(motion, pace, stack, None, np.inf)
    motion.calls = calls
    size = np.abs(stack).max(axis=0) + np.abs(theirs[0]).max(axis=0)
    if (np.abs(mine[0] - theirs[0]) <= AGREE * size).all():
        motion.quick = quick


def _sized(pace: Pace) -> tuple[Array]:
    assert pace.size is not None
    return (pace.size,)


def quick_steps(
    motion: Motion,
    pace: Pace,
    stack: Array,
    end: float | Array,
    most: float = np.inf,
    *,
    every: int = 0,
    growth: Array | None = None,
) -> Array:
    """Take compiled steps up to the end, or to where stiffness is looked for; return the stack."""
    assert motion.quick is not None
    n = stack.shape[1]
    if motion.calls > pace.most:
        raise TooManySteps
    if pace.size is None or np.isnan(pace.h).any():
        begin(motion, pace, stack, None)
    cost = motion.per_slope * (n if motion.loops else 1)
    left = (pace.most - motion.calls) / (12 * cost) + 1
    count = int(min(pace.look - pace.steps, most, left))
    stack, done = motion.quick(
        stack,
        pace.t,
        pace.h,
        *_sized(pace),
        end,
        (pace.tolerance, pace.tangent_tolerance),
        count,
        since=pace.steps,
        every=every,
        growth=growth,
    )
    pace.steps += done
    motion.calls += round(12 * cost * done)
    check_steps(pace, pace.t < end)
    return stack
