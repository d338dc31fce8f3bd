r"""Closing page: is an optimizer an optimizer? Op of chapter 6, applied to the ways out.

The optimizer is a system of two variables, the parameter w and the move v that the
optimizer's rule answers,

.. math:: w_{k+1} = w_k + v_k, \qquad v_{k+1} = \beta v_k - T\, g_{k+1}(w_{k+1}).

In world Y the moves are replayed, and a disturbance of the start stays what it was. With
the same draws in all worlds and β = 0,

.. math:: \operatorname{Op}(t) = -\sum_{k=1}^{t-1} \ln \lvert 1 - T g_k'(w_k) \rvert .
"""

from typing import NamedTuple

import numpy as np

from descent.arguments import Array
from descent.chapters.modelling_sgd.numbers import pit
from descent.chapters.ways_out.numbers import THRESHOLD, WAYS, WELL, Answers, Way, answers, starts
from descent.dynamics import Map
from descent.estimates import Mean

CONVEX = 1 / np.sqrt(2)
"""Half the width of the part of the well that curves upwards."""


def system(made: Answers, T: float, momentum: float) -> Map:
    """Return an optimizer as a system of a parameter and the move that it is given."""
    assert made.slope is not None
    slope = made.slope

    def step(state: Array, time: float) -> tuple[Array, Array]:
        w = state[0] + state[1]
        return w, momentum * state[1] - T * made.gradient(w, round(time) + 1)

    def jacobian(state: Array, time: float) -> tuple[tuple[float, float], tuple[Array, Array]]:
        bend = -T * slope(state[0] + state[1], round(time) + 1)
        return (1.0, 1.0), (bend, momentum + bend)

    return Map(("parameter", "move"), step, jacobian)


class Measured(NamedTuple):
    """Op of many runs, (steps, runs), at the positions w (steps, runs)."""

    op: Array
    w: Array


def measure(name: str, length: float, runs: int, seed: int = 0) -> Measured:
    """Return Op of a way of `WAYS` after each step, and where the undisturbed runs are.

    The tangent map of `system`, for all runs side by side, each with its own draws. In Y the
    disturbance stays 1, so Op is minus the log of what is left of it in X.
    """
    way: Way = WAYS[name]
    rng = np.random.default_rng(seed)
    w = starts(runs, rng)
    made, steps = answers(way, length, runs, rng)
    assert made.slope is not None
    T = way.step_size(length)
    v = -T * made.gradient(w, 0)
    dw, dv, scale = np.ones(runs), np.zeros(runs), np.zeros(runs)
    path, op = [w], [np.zeros(runs)]
    # The last answer is not asked for: it would move beyond the budget.
    for k in range(1, steps - 1):
        w, dw = w + v, dw + dv
        v = way.momentum * v - T * made.gradient(w, k)
        dv = way.momentum * dv - T * made.slope(w, k) * dw
        size = np.hypot(dw, dv)
        scale += np.log(size)
        dw, dv = dw / size, dv / size
        path.append(w)
        with np.errstate(divide="ignore"):  # nothing left: Op is infinite
            op.append(-np.log(np.abs(dw)) - scale)
    return Measured(np.array(op), np.array(path))


PHASES = ("in the pit", "over the wall", "in the well")


class Gained(NamedTuple):
    """What Op of each run grows by in a phase, and in how many steps; arrays (runs,)."""

    op: Array
    steps: Array

    def per_step(self) -> Mean | None:
        r"""Return Op per step of all runs together; None where fewer than three have a step.

        .. math:: r = \frac{\sum_i g_i}{\sum_i n_i}, \qquad
            s_r^2 = \frac{R}{R - 1} \frac{\sum_i (g_i - r n_i)^2}{(\sum_i n_i)^2}

        for the gains and steps of R runs. It is not the mean of each run's own quotient, in
        which a run of two steps counts as much as one of two hundred.
        """
        there = self.steps > 0
        g, n, runs = self.op[there], self.steps[there], int(there.sum())
        if runs < 3:
            return None
        r = g.sum() / n.sum()
        variance = ((g - r * n) ** 2).sum() * runs / (runs - 1)
        return Mean(float(r), float(np.sqrt(variance) / n.sum()))


def phases(found: Measured) -> dict[str, Gained]:
    """Return what Op gains in each phase.

    Over the wall: from the last time at or left of the pit's bottom to the step that ends
    beyond b. In the well: where it curves upwards, after the escape. The first move is the same
    in both worlds, by the definition, so that the first step is none of the measured ones.
    """
    gain, w = np.diff(found.op, axis=0), found.w[:-1]
    steps = np.arange(len(w))[:, None]
    beyond = found.w > THRESHOLD
    first = np.where(beyond.any(axis=0), beyond.argmax(axis=0), len(found.w))
    left = (w <= pit().minimum) & (steps < first)
    takeoff = np.where(left.any(axis=0), len(w) - 1 - left[::-1].argmax(axis=0), 0)
    escaped = first < len(found.w)
    where = {
        PHASES[0]: steps < np.where(escaped, takeoff, first),
        PHASES[1]: (steps >= takeoff) & (steps < first) & escaped,
        PHASES[2]: (steps >= first) & (np.abs(w - WELL) < CONVEX),
    }
    answered = steps > 0
    return {
        name: Gained((gain * here * answered).sum(axis=0), (here & answered).sum(axis=0))
        for name, here in where.items()
    }


def closed_form(made: Answers, w: Array, T: float) -> Array:
    """Return Op after each step without momentum, from the positions w (steps, runs)."""
    assert made.slope is not None
    factors = np.array([1 - T * made.slope(w[k], k) for k in range(1, len(w))])
    zero = np.zeros((1, w.shape[1]))
    return np.concatenate([zero, zero, -np.log(np.abs(factors)).cumsum(axis=0)])[: len(w)]
