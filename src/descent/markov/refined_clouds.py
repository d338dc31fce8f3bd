"""How likely walkers escape, by ever finer clouds, and the error that is allowed."""

import itertools
import math
from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np

from descent.arguments import Array
from descent.landscapes import FiniteSum
from descent.markov.cloud import follow

FEWEST_MASSES, MOST_MASSES = 1024, 400_000  # of the coarsest and the finest cloud
PATIENCE = 6e7  # masses times steps of the finest cloud
OFTEN = 0.01  # share of escaped walkers below which tails of the law decide
CHANCE = 4  # by which a difference may fall from one refinement to the next, not by chance


class ToleranceError(ArithmeticError):
    """The asked accuracy cannot be had."""


class Allowed(NamedTuple):
    """The error that is allowed, as a share of the last value: of all of a curve, or its end."""

    share: float
    whole: bool

    def error(self, *curves: Array) -> float:
        """Return the error of the last of some curves, each of which refines the one before."""
        apart = np.abs(curves[-1] - curves[-2])
        if self.whole:
            return float(apart.max())
        # Two ends may agree by chance, and so may three on grids that all miss a law of few
        # points; the curves that lead there hardly do: more differences count.
        ends = [float(curve[-1]) for curve in curves[-3:]]
        moves = [abs(b - a) for a, b in itertools.pairwise(ends)]
        late = float(apart[len(apart) // 2 :].max())
        return max(moves[-1], moves[0] / CHANCE, late / CHANCE)

    def doubt(self, grids: Sequence[Array]) -> float:
        """Return what an extrapolation adds: nothing where grids converge as the square."""
        if self.whole:
            return 0.0
        first, second = np.diff([float(grid[-1]) for grid in grids[-3:]])
        smooth = 3 < first / (second or 1e-300) < 5
        return 0.0 if smooth else abs(float(second))

    def met(self, error: float, curve: Array) -> bool:
        """Say whether an error is allowed."""
        return error <= self.share * float(curve[-1])


def by_clouds(
    model: FiniteSum,
    step_size: float,
    n_steps: int,
    start: float,
    ends: tuple[float, float],
    allowed: Allowed,
) -> tuple[Array, float]:
    """Return the curve by ever finer clouds until two agree, and its error.

    A law of few points stays one for long where the steps stretch it, as in a pit that is
    too narrow for them: so many masses are followed as they are, without a cell. Where few
    walkers escape, light masses in the tails decide, and cells of one width keep them; these
    are tried too where so many masses do not suffice.
    """
    w = np.linspace(max(ends[0], start - 1), min(ends[1], start + 1), 4001)
    widest = step_size * float(np.abs(model.gradients(w)).max()) / 64
    thinned = ((0.0, most) for most in _geometric(FEWEST_MASSES, MOST_MASSES))
    cells = ((widest / 4**k, None) for k in itertools.count())
    best = math.inf
    for finer in (thinned, cells):
        curves: list[Array] = []
        for width, most in finer:
            curve = _by_a_cloud(model, step_size, n_steps, start, ends, width, most)
            if curve is None:
                break
            curves.append(curve)
            if len(curves) > 1:
                error = allowed.error(*curves)
                if allowed.met(error, curve):
                    return curve, error
                best = min(best, error)
            if most is not None and curve[-1] < OFTEN:
                break
    raise ToleranceError(
        f"tolerance={allowed.share!r} cannot be met: the best that {n_steps} steps allow is an "
        f"error of {best:.2g}; got step_size={step_size!r}, n_steps={n_steps}"
    )


def _geometric(first: int, last: int) -> Iterator[int]:
    """Yield numbers, each four times the one before."""
    while first <= last:
        yield first
        first *= 4


def _by_a_cloud(
    model: FiniteSum,
    step_size: float,
    n_steps: int,
    start: float,
    ends: tuple[float, float],
    width: float,
    most: int | None,
) -> Array | None:
    """Return the curve by one cloud; None if it takes too much work."""
    curve, work = np.empty(n_steps + 1), 0
    for n, cloud in enumerate(follow(model, step_size, start, ends, width, most)):
        curve[n:], work = cloud.escaped, work + len(cloud.points) + 1000
        if n == n_steps or len(cloud.points) == 0:
            return curve
        if work > PATIENCE or len(cloud.points) > MOST_MASSES:
            return None
    return None
