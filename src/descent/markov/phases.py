"""What a grid forgets of walkers that come back without noise: the phase of their steps.

Where all samples agree, as on a flat, a walker moves as if it were drawn along a line, and
comes back at one place. By steps shorter than the spacing of a grid, it comes back on the grid
anywhere within a step, since sharing adds a variance to each. Where it goes then may hang on
the place: a pit may throw it over the threshold, or back to the flat.
"""

from collections.abc import Callable

import numpy as np
import numpy.typing as npt

from descent.arguments import Array
from descent.markov.transfer_operator import TransferOperator

SILENT = 1e-3  # noise of a step, as a part of it, that counts as none
RESOLVED = 16.0  # spacings to a step from which a grid knows where the walker comes
TRIED = np.linspace(0.0, 0.8, 5)  # phases, as parts of a step


def unknown_part(
    operator: TransferOperator,
    points: Array,
    weights: Array,
    log_time: Callable[[Array], float],
) -> float:
    """Return ln of the part of a mean time that hangs on phases; -inf where none does.

    Parameters
    ----------
    operator : TransferOperator
        On the grid that the time comes from.
    points, weights : array (k,)
        Where the walkers are.
    log_time : callable
        ln of the mean time of a mass on the grid.
    """
    grid, step = operator.grid, operator.step_size
    spacing = float(np.diff(grid).max())

    def known(w: Array) -> npt.NDArray[np.bool_]:
        mean, noise = np.abs(operator.model.mean_gradient(w)), operator.model.gradient_variance(w)
        noisy = np.sqrt(noise) > SILENT * mean
        return np.asarray(noisy | (step * mean >= RESOLVED * spacing), bool)

    lone = ~known(points)
    if not lone.any():
        return -np.inf
    met = known(grid)
    onward = -np.sign(operator.model.mean_gradient(points[lone]))
    back: dict[tuple[int, float], float] = {}  # the mass that comes back at a node
    for point, weight, way in zip(points[lone], weights[lone], onward, strict=True):
        ahead = np.nonzero(met & (way * (grid - point) > 0))[0]
        if len(ahead):
            at = (int(ahead[0] if way > 0 else ahead[-1]), float(way))
            back[at] = back.get(at, 0.0) + float(weight)
    parts = [-np.inf]
    for (node, way), weight in back.items():
        length = step * abs(float(operator.model.mean_gradient(grid[node])))
        places = np.clip(grid[node] + way * TRIED * length, grid[0], grid[-1])
        times = [log_time(operator.deposit(np.array([w]), np.ones(1))) for w in places]
        most, least = max(times), min(times)
        if most > least:
            parts.append(np.log(weight) + most + np.log1p(-np.exp(least - most)))
    return float(np.logaddexp.reduce(parts))
