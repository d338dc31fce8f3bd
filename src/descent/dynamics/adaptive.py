r"""Integration that controls its own error, each trajectory with steps of its own length.

Two pairs of methods for states and disturbances together: Dormand and Prince's order 8
with its estimate of orders 5 and 3, and, for stiff systems, Radau IIA of order 5. The
disturbances of both are the derivative of the step.

Source: E. Hairer, S. Nørsett and G. Wanner, Solving Ordinary Differential Equations I
(1993), II.4 and II.5, and II (1996), IV.8.
"""

from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.integrate import DOP853

from descent.arguments import Array
from descent.dynamics.error_steps import GROW, SAFETY, SHRINK
from descent.dynamics.motion import Motion

Bools = npt.NDArray[np.bool_]
LOOK, LOOK_LEAST_OFTEN = 64, 1024  # steps after which stiffness is looked for
STABLE = 6.0  # the explicit method is stable for steps below this many fastest times


class TooManySteps(Exception):
    """The allowed number of calls is spent."""


class Pace:
    """Times, steps and sizes of n trajectories, which the integrator keeps between calls.

    Parameters
    ----------
    n : int
        Number of trajectories.
    tolerance, tangent_tolerance : float
        Relative error of one step: of a variable, in units of its largest size so far,
        and of a disturbance, in units of its largest entry.
    stiff : bool
        Whether the implicit method is used.
    most : float
        Number of calls of the rate after which `TooManySteps` is raised.
    leading : bool
        Whether the implicit method controls the first disturbance of a block alone: in a
        frame that is made orthonormal again, the others decay anew in each step.
    """

    def __init__(
        self,
        n: int,
        tolerance: float,
        tangent_tolerance: float,
        *,
        time: float = 0.0,
        stiff: bool = False,
        most: float = np.inf,
        leading: bool = False,
    ) -> None:
        self.t, self.h = np.full(n, time), np.full(n, np.nan)
        self.size: Array | None = None
        self.tolerance, self.tangent_tolerance = tolerance, tangent_tolerance
        self.stiff, self.most, self.leading = stiff, most, leading
        self.steps = 0
        self.look, self.wait = LOOK, LOOK  # when stiffness is looked for next

    def part(self, chosen: Any) -> "Pace":
        """Return the pace of some of the trajectories."""
        part = Pace(0, self.tolerance, self.tangent_tolerance, stiff=self.stiff, most=self.most)
        part.leading = self.leading
        part.t, part.h = self.t[chosen].copy(), self.h[chosen].copy()
        part.size = None if self.size is None else self.size[:, chosen].copy()
        return part


def _scales(motion: Motion, pace: Pace, stack: Array, new: Array) -> Array:
    """Return the error allowed to each entry in one step, (rows, n)."""
    d, n = motion.d, stack.shape[1]
    out = np.empty_like(stack)
    assert pace.size is not None
    # The estimate of the implicit method is of low order, its error far below it.
    power = 0.75 if pace.stiff else 1.0
    out[:d] = pace.tolerance**power * np.maximum(pace.size, np.abs(new[:d]))
    first = d
    for free, k in motion.layout:
        last = first + len(free) * k
        old = np.abs(stack[first:last]).reshape(len(free), k, n).max(axis=0)
        now = np.abs(new[first:last]).reshape(len(free), k, n).max(axis=0)
        size = pace.tangent_tolerance**power * np.maximum(old, now)
        out[first:last] = np.broadcast_to(size, (len(free), k, n)).reshape(last - first, n)
        first = last
    return np.maximum(out, 1e-300)


def _first_step(motion: Motion, stack: Array, rate: Array, t: Array) -> Array:
    """Return a first step (n,) from the sizes of the state, its rate, and its change."""
    d = motion.d
    s, f = stack[:d], rate[:d]
    scale = np.maximum(np.abs(s), 1e-6 * np.abs(s).max(axis=0) + 1e-300)
    speed = np.sqrt(np.mean((f / scale) ** 2, axis=0))
    speed = np.where(np.isfinite(speed) & (speed > 0), speed, 1.0)
    return np.asarray(0.01 / speed)


def _norm(error: Array) -> Array:
    """Return the largest entry of the scaled error, infinite where it is not finite."""
    size = np.abs(error).max(axis=0)
    return np.where(np.isfinite(size), size, np.inf)


_A, _B, _C = DOP853.A, DOP853.B, DOP853.C
_E3, _E5 = DOP853.E3, DOP853.E5


def _combined(weights: Array, slopes: Array) -> Array:
    return np.asarray((weights @ slopes.reshape(len(weights), -1)).reshape(slopes.shape[1:]))


def _explicit(motion: Motion, pace: Pace, stack: Array, first: Array, h: Array) -> Any:
    """Return the stack one step of order 8 later, its rate, and the size of the error (n,)."""
    slopes = np.empty((13, *stack.shape))
    slopes[0] = first
    common = not motion.own_clock
    for i in range(1, 12):
        stage = stack + h * _combined(_A[i, :i], slopes[:i])
        t = pace.t + _C[i] * h
        slopes[i] = motion.slopes(stage, float(t[0]) if common else t)
    new = stack + h * _combined(_B, slopes[:12])
    t = pace.t + h
    slopes[12] = motion.slopes(new, float(t[0]) if common else t)
    scale = _scales(motion, pace, stack, new)
    e5, e3 = h * _combined(_E5, slopes) / scale, h * _combined(_E3, slopes) / scale
    five, three = _norm(e5), _norm(e3)
    below = np.hypot(five, 0.1 * three)
    error = np.where(below > 0, five * five / np.where(below > 0, below, 1.0), 0.0)
    error = np.where(np.isfinite(five) & np.isfinite(three), error, np.inf)
    return new, slopes[12], error


# Radau IIA, order 5 (Hairer and Wanner, table IV.5.6), and the weights of its error.
_R = np.sqrt(6.0)
_RC = np.array([(4 - _R) / 10, (4 + _R) / 10, 1.0])
_RA = np.array(
    [
        [(88 - 7 * _R) / 360, (296 - 169 * _R) / 1800, (-2 + 3 * _R) / 225],
        [(296 + 169 * _R) / 1800, (88 + 7 * _R) / 360, (-2 - 3 * _R) / 225],
        [(16 - _R) / 36, (16 + _R) / 36, 1 / 9],
    ]
)
_RE = np.array([-13 - 7 * _R, -13 + 7 * _R, -1.0]) / 3
_GAMMA = 3 + 3 ** (2 / 3) - 3 ** (1 / 3)  # the real eigenvalue of the inverse of A


class Stages:
    """What the implicit step knows of its last accepted stages: h, J and disturbances there."""

    jacobians: Array  # (3, d, d, n)
    vectors: list[Array]  # of each block (3, r, k, n)


def _implicit(
    motion: Motion, pace: Pace, stack: Array, first: Array, h: Array, stages: Stages
) -> Any:
    """Return the stack one Radau step later, its rate, and the size of the error (n,)."""
    d, n = motion.d, stack.shape[1]
    motion.calls += 20  # linear equations take about the time of so many calls
    s, common = stack[:d], not motion.own_clock
    times = [pace.t + c * h for c in _RC]
    at = [float(t[0]) if common else t for t in times]
    z = np.zeros((3, d, n))
    ok = np.zeros(n, bool)
    assert pace.size is not None
    size = pace.tolerance**0.75 * np.maximum(pace.size, 1e-300)
    jac = np.empty((3, d, d, n))
    change = np.full(n, np.inf)
    eye = np.eye(3 * d)
    for sweep in range(10):
        f = np.empty((3, d, n))
        for i in range(3):
            f[i] = motion.value(s + z[i], at[i])
            if sweep < 4 or sweep % 3 == 0:
                jac[i] = motion.matrix(s + z[i], at[i])
        residual = z - h * np.einsum("ij,jdn->idn", _RA, f)
        big = np.einsum("ij,jabn->niajb", _RA, jac).reshape(n, 3 * d, 3 * d)
        newton = eye - h[:, None, None] * big
        bad = ~(np.isfinite(newton).all(axis=(1, 2)) & np.isfinite(residual).all(axis=(0, 1)))
        newton[bad] = eye
        residual[:, :, bad] = np.inf
        flat = np.where(np.isfinite(residual), residual, 0.0).reshape(3 * d, n).T
        step = np.linalg.solve(newton, flat[..., None])[..., 0]
        z = z - step.T.reshape(3, d, n)
        last, change = change, np.abs(step.T.reshape(3, d, n) / size).max(axis=(0, 1))
        change[bad] = np.inf
        ok = change < 1e-2
        if ok.all() or (sweep > 2 and bool((ok | (change > last) | bad).all())):
            break
    new = stack.copy()
    new[:d] = s + z[2]
    # The disturbances: (1 - h A J) V = v at the three stages, the derivative of the step.
    for i in range(3):
        jac[i] = motion.matrix(s + z[i], at[i])
    start, vectors = d, []
    for free, k in motion.layout:
        r = len(free)
        block = jac[:, list(free)][:, :, list(free)]
        big = np.einsum("ij,jabn->niajb", _RA, block).reshape(n, 3 * r, 3 * r)
        matrix = np.eye(3 * r) - h[:, None, None] * big
        matrix[~np.isfinite(matrix).all(axis=(1, 2))] = np.eye(3 * r)
        v = stack[start : start + r * k].reshape(r, k, n)
        right = np.moveaxis(np.concatenate([v, v, v]), 2, 0)
        solved = np.moveaxis(np.linalg.solve(matrix, right), 0, 2).reshape(3, r, k, n)
        vectors.append(solved)
        new[start : start + r * k] = solved[2].reshape(r * k, n)
        start += r * k
    rate = motion.slopes(new, at[2])
    # Error of the state: (gamma/h - J)^-1 (f + E z / h); of the disturbances, as theirs.
    safe = np.where(h > 0, h, 1.0)
    jacobian = np.moveaxis(motion.matrix(s, float(pace.t[0]) if common else pace.t), 2, 0)
    scale = _scales(motion, pace, stack, new)
    real = _GAMMA / safe[:, None, None] * np.eye(d) - jacobian
    real[~np.isfinite(real).all(axis=(1, 2))] = np.eye(d)
    raw = first[:d] + np.einsum("i,idn->dn", _RE, z) / safe
    raw = np.where(np.isfinite(raw), raw, 0.0)
    error = _norm(np.linalg.solve(real, raw.T[..., None])[..., 0].T / scale[:d])
    start = d
    for (free, k), solved in zip(motion.layout, vectors, strict=True):
        r = len(free)
        v = stack[start : start + r * k].reshape(r, k, n)
        raw_v = first[start : start + r * k].reshape(r, k, n)
        raw_v = raw_v + np.einsum("i,irkn->rkn", _RE, solved - v) / safe
        raw_v = np.where(np.isfinite(raw_v), raw_v, 0.0)
        block = real[:, list(free)][:, :, list(free)]
        estimate = np.moveaxis(np.linalg.solve(block, np.moveaxis(raw_v, 2, 0)), 0, 2)
        of_v = estimate / scale[start : start + r * k].reshape(r, k, n)
        of_v = of_v[:, :1] if pace.leading else of_v
        error = np.maximum(error, _norm(of_v.reshape(-1, n)))
        start += r * k
    error = np.where(ok & np.isfinite(new).all(axis=0), error, np.inf)
    stages.jacobians, stages.vectors = jac, vectors
    return new, rate, np.where(h > 0, error, 0.0)


def begin(motion: Motion, pace: Pace, stack: Array, rate: Array | None) -> Array:
    """Return the rate, and give the pace its first steps and sizes."""
    if motion.calls > pace.most:
        raise TooManySteps
    if rate is None:
        rate = motion.slopes(stack, pace.t if motion.own_clock else float(pace.t[0]))
    if pace.size is None:
        pace.size = np.abs(stack[: motion.d]).copy()
        check_defined(motion, pace, stack, rate)
    fresh = np.isnan(pace.h)
    if fresh.any():
        pace.h = np.where(fresh, _first_step(motion, stack, rate, pace.t), pace.h)
    return rate


def check_defined(motion: Motion, pace: Pace, stack: Array, rate: Array) -> None:
    """Raise a FloatingPointError unless rate and derivative are finite where a motion begins."""
    lost: Bools = np.asarray(~np.isfinite(rate).all(axis=0))
    if lost.any():
        first = int(lost.argmax())
        what = "derivative" if np.isfinite(rate[: motion.d, first]).all() else "rate"
        raise FloatingPointError(
            f"the {what} is not finite at {int(lost.sum())} of {len(lost)} initial states, such as "
            f"{stack[: motion.d, first]} at time {pace.t[first]:g}: initial must be where it is"
        )


def check_steps(pace: Pace, lost: Bools) -> None:
    """Raise a FloatingPointError if a step becomes too short to move its trajectory."""
    small = (pace.h < 1e-14 * np.maximum(np.abs(pace.t), 1e-12 * pace.h.max())) & lost
    if small.any():
        raise FloatingPointError(
            f"{int(small.sum())} of {len(small)} trajectories leave the finite numbers at time "
            f"{pace.t[small].min():g}, or the states where the rate is defined, or the rate jumps "
            "there (sign, heaviside): no step is short enough. A jump must be made smooth, such "
            "as by tanh(x/width)"
        )


def step(
    motion: Motion, pace: Pace, stack: Array, rate: Array | None, end: Array | float
) -> tuple[Array, Array, Bools, Stages]:
    """Try one step of each trajectory, not beyond ``end``; keep those that are accurate.

    Returns
    -------
    array, array, array of bool (n,), Stages
        States and disturbances, their rates, which trajectories have moved, and what the
        implicit method knows of its stages. The lengths of the steps are ``pace.t`` less before.
    """
    common = not motion.own_clock
    rate = begin(motion, pace, stack, rate)
    assert pace.size is not None
    if common:
        pace.h[:] = pace.h.min()
    left = end - pace.t
    h = np.minimum(pace.h, left)
    # A rest that is tiny would only cost a step: halve the way instead.
    h = np.where((h < left) & (left < 1.5 * h), left / 2, h)
    stages = Stages()
    if pace.stiff:
        new, new_rate, error = _implicit(motion, pace, stack, rate, h, stages)
        order = 4.0
    else:
        new, new_rate, error = _explicit(motion, pace, stack, rate, h)
        order = 8.0
    if common:
        error[:] = error.max()
    moved = (error <= 1.0) & np.isfinite(new).all(axis=0)
    with np.errstate(divide="ignore"):
        factor = SAFETY * np.maximum(error, 1e-12) ** (-1.0 / order)
    factor = np.clip(factor, SHRINK, np.where(moved, GROW, SAFETY))
    clipped = h < pace.h
    proposal = h * factor
    pace.h = np.where(moved & clipped, np.maximum(pace.h, proposal), proposal)
    pace.t = np.where(moved, np.where(h == left, end, pace.t + h), pace.t)
    pace.steps += 1
    stack = np.where(moved, new, stack)
    rate = np.where(moved, new_rate, rate)
    pace.size = np.maximum(pace.size, np.abs(stack[: motion.d]))
    check_steps(pace, ~moved & (left > 0))
    return stack, rate, moved, stages


def _is_stiff(motion: Motion, pace: Pace, stack: Array) -> bool:
    """Say whether the implicit method goes three times as far with a step, tried on a few.

    Each time the next trial comes after twice as many steps.
    """
    pace.look, pace.wait = pace.steps + pace.wait, min(2 * pace.wait, LOOK_LEAST_OFTEN)
    chosen = np.linspace(0, stack.shape[1] - 1, min(8, stack.shape[1])).astype(int)
    part, few = pace.part(chosen), stack[:, chosen]
    if not np.isfinite(part.h).all():
        return False
    common = not motion.own_clock
    with np.errstate(all="ignore"):
        matrices = motion.matrix(few[: motion.d], float(part.t[0]) if common else part.t)
    if not np.isfinite(matrices).all():
        return False
    fastest = np.abs(np.linalg.eigvals(np.moveaxis(matrices, 2, 0))).max(axis=1)
    if np.median(part.h * fastest) < STABLE / 2:
        return False
    explicit = np.median(part.h)
    part.stiff, begin, rate = True, part.t, None
    try:
        for attempt in range(12):
            if attempt == 6:
                begin = part.t
            few, rate, _, _ = step(motion, part, few, rate, np.inf)
    except FloatingPointError:
        return False
    return bool(np.median(part.t - begin) / 6 > 3 * explicit)


def carry(
    motion: Motion,
    pace: Pace,
    stack: Array,
    end: float | Array,
    rate: Array | None = None,
    most_steps: float = np.inf,
) -> tuple[Array, Array | None]:
    """Integrate to one time, or ``most_steps`` far; return the stack and its rate.

    The method becomes the implicit one for good where that is much faster.
    """
    limit = pace.steps + most_steps
    while (pace.t < end).any() and pace.steps < limit:
        if motion.quick is not None and not pace.stiff:
            from descent.dynamics.quick import quick_steps  # which uses this module

            with np.errstate(all="ignore"):
                stack = quick_steps(motion, pace, stack, end, limit - pace.steps)
                rate = None
                if pace.look <= pace.steps and _is_stiff(motion, pace, stack):
                    pace.stiff = True
            continue
        waiting = pace.t >= end
        if waiting.mean() >= 0.5 and motion.own_clock:
            # Most have arrived: the rest go on without them.
            (late,) = np.nonzero(~waiting)
            part = pace.part(late)
            ends = np.broadcast_to(end, waiting.shape)[late]
            few, _ = carry(motion, part, stack[:, late], ends, None, limit - pace.steps)
            stack, rate = stack.copy(), None
            stack[:, late], pace.t[late], pace.h[late] = few, part.t, part.h
            assert pace.size is not None
            assert part.size is not None
            pace.size[:, late] = part.size
            pace.steps += part.steps
            continue
        with np.errstate(all="ignore"):
            stack, rate, _, _ = step(motion, pace, stack, rate, end)
            if not pace.stiff and pace.look <= pace.steps and _is_stiff(motion, pace, stack):
                pace.stiff = True
    return stack, rate
