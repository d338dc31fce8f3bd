r"""Mean times of escape from one well, by the law that lasts, in units of its own tails.

The survivors' law falls like :math:`e^{-\phi(W)/T}`, φ' = p* (`large_deviations.tilt`), far
below the least float. Its masses are therefore held as

.. math:: p_i = u_i\, e^{-\phi(w_i)/T}

which changes the matrix to a similar one. Nothing is subtracted, so that a rate of escape of
:math:`e^{-1000}` has all its digits.
"""

import math

import numpy as np
import scipy.sparse as sp
from scipy.special import logsumexp

from descent.arguments import Array
from descent.landscapes import stationary_points
from descent.large_deviations import tilt
from descent.markov.state_reduction import sojourns
from descent.markov.transfer_operator import TransferOperator

STEEPEST = 30.0  # change of φ/T in one step: beyond, the law ends rather than falls
NEGLIGIBLE = 35.0  # log of how much longer than the way to it the lasting law lasts
FARTHEST = 300.0  # φ/T of a start from which its mass may be carried
GONE, OFTEN = 1e-200, 16  # part of a law that is nothing, and steps after which it is dropped
STEADY, SETTLED = 1e-12, 1e-10  # changes in one step of a rate and a law that are final


class Lasting:
    """The law that lasts on one grid after another: the first guess for the next is the last."""

    def __init__(self) -> None:
        self.grid: Array | None = None
        self.law: Array | None = None
        self.late = False

    def log_time(self, operator: TransferOperator, mass: Array, most_steps: int) -> float:
        """Return ln of the mean time of escape of a mass, or nan where it takes more steps.

        The law that lasts must be the slowest to escape of all: there is one well, and no
        drift in it is slower than a cell in some steps. Else the result is nan.
        """
        if self.late:  # on a coarser grid
            return math.nan
        model, grid = operator.model, operator.grid
        zeros = stationary_points(model.mean_gradient, float(grid[0]), float(grid[-1]))
        bottoms = zeros[model.mean_curvature(zeros) > 0]
        if len(bottoms) != 1:
            return math.nan
        # What is left of another law falls in each step by the curvature, of bottom or top.
        falls = operator.step_size * float(np.abs(model.mean_curvature(zeros)).min())
        if most_steps * falls < -math.log(STEADY):
            self.late = True
            return math.nan
        if (sojourns(operator) != operator.matrix).nnz or not operator.escape.any():
            return math.nan
        height = _height(operator, float(bottoms[0]))
        held = mass > 0
        low = float(logsumexp(height[held], b=mass[held]))
        ways = operator.escape > 0
        least = float(height[ways].min())
        weight = np.exp(-height)
        out = np.where(ways, operator.escape * np.exp(np.minimum(least - height, 0.0)), 0.0)
        moves = operator.matrix.tocoo()
        data = moves.data * np.exp(height[moves.col] - height[moves.row])
        forward = sp.csr_array((data, (moves.col, moves.row)), shape=moves.shape)
        # A start far below the exits forgets where it was long before anything escapes.
        forgets = least - low > NEGLIGIBLE + math.log(most_steps)
        if forgets and self.law is not None and self.grid is not None:
            law = np.interp(grid, self.grid, self.law)
        elif forgets:
            law = np.ones(len(grid))
        elif low > FARTHEST:
            return math.nan
        else:
            law = mass * np.exp(height)
        total, before = 0.0, math.inf
        for step in range(most_steps):
            if step % OFTEN == 0:
                law[law < GONE * law.max()] = 0.0  # numbers below the least float are slow
            left, leaving = _dot(weight, law), _dot(out, law)
            if left <= 0:
                return math.log(total) if total > 0 and not forgets else math.nan
            rate = leaving / left
            after = forward @ law
            if leaving > 0 and abs(rate - before) <= STEADY * rate:
                kept = 1 - rate * math.exp(-least)
                if kept > 0 and np.abs(after / kept - law).sum() <= SETTLED * law.sum():
                    self.grid, self.law = grid, law / left
                    log_rest = math.log(left) - math.log(rate) + least
                    return log_rest - math.log(left) if forgets else _log_add(total, log_rest)
            before = rate
            total += left
            law = after / left if forgets else after
        self.late = True
        return math.nan


def _dot(a: Array, b: Array) -> float:
    """Return a · b on one thread: BLAS shares it out, and waits longer than it works."""
    return float(np.einsum("i,i->", a, b))


def _log_add(total: float, log_rest: float) -> float:
    return float(np.logaddexp(math.log(total), log_rest)) if total > 0 else log_rest


def _height(operator: TransferOperator, bottom: float) -> Array:
    """Return φ/T on the nodes, zero at the bottom of the well; level beyond its edge.

    A mass that has come over the edge runs down at no cost. The slope is bounded.
    """
    grid, model = operator.grid, operator.model
    bound = STEEPEST / max(float(np.abs(model.gradients(grid)).max()), 1e-300)
    least = np.where(grid >= bottom, 0.0, -bound)
    slope = np.clip(tilt(model, grid), least, least + bound)
    steps = np.diff(grid) / operator.step_size * (slope[1:] + slope[:-1]) / 2
    height = np.concatenate([[0.0], np.cumsum(steps)])
    return np.asarray(height - height.min())
