"""Chapter 6: maps of what layers do to outputs and weights, and the theorems in steps."""

from functools import cache
from typing import NamedTuple

import numpy as np
from matplotlib.colors import Normalize
from matplotlib.figure import Figure

from descent import figures
from descent.arguments import Array
from descent.chapters.thermostats_and_lorenz.lorenz_pictures import DIVERGING
from descent.chapters.thermostats_and_lorenz.stored import columns

COLUMNS = ("outputs", "held out", "weights")
LAYERS, LAGS = 3, 3


class Maps(NamedTuple):
    """Op (seeds, begins, lags, layers) of each of COLUMNS, and what the kernel predicts."""

    begins: Array
    loss: Array  # (seeds, begins), at the disturbance
    op: dict[str, Array]
    kernel: Array  # (seeds, begins, layers), after the last lag

    def median(self, column: str, begin: int) -> Array:
        """Return the medians over seeds (layers,) after the last lag."""
        place = int(np.flatnonzero(self.begins == begin)[0])
        return np.asarray(np.median(self.op[column][:, place, -1], axis=0))

    def positive(self, column: str, begin: int) -> int:
        """Return for how many pairs of a seed and a layer Op is positive after the last lag."""
        place = int(np.flatnonzero(self.begins == begin)[0])
        return int((self.op[column][:, place, -1] > 0).sum())


@cache
def maps() -> Maps:
    """Return the stored runs."""
    column = columns("06-layers", "seed", "begin")
    begins = np.unique(column("begin"))
    shape = (len(np.unique(column("seed"))), len(begins))

    def array(name: str, *rest: int) -> Array:
        return column(name).reshape(*shape, *rest)

    op = {name: array(name, LAGS, LAYERS) for name in COLUMNS}
    return Maps(begins, array("loss"), op, array("kernel", LAYERS))


def draw_maps() -> Figure:
    """Draw median Op after a thousand steps, by layer and by the step of the disturbance."""
    found = maps()
    fig, axes = figures.figure(1, 3, width=7.2, height=2.5, sharey=True)
    titles = ("outputs, trained on", "outputs, held out", "weights")
    for ax, column, title in zip(axes, COLUMNS, titles, strict=True):
        op = found.op[column][:, :, -1]  # (seeds, begins, layers)
        image = ax.imshow(
            np.median(op, axis=0).T,
            cmap=DIVERGING,
            norm=Normalize(-0.6, 0.6),
            aspect="auto",
            interpolation="nearest",
        )
        ax.set_yticks(range(LAYERS), ["first", "second", "third"])
        places = range(0, len(found.begins), 2)
        ax.set_xticks(places, [f"{found.begins[k]:,.0f}" for k in places], fontsize=7)
        ax.set(title=title, xlabel="steps before")
        divided = np.argwhere(np.abs((op > 0).mean(axis=0) - 0.5) < 0.5)
        ax.plot(*divided.T, ".", color="0.2", markersize=3)
        ax.tick_params(length=0)
    axes[0].set(ylabel="replayed layer")
    fig.colorbar(image, ax=axes, label="Op (nats)", extend="both")
    return fig


# The two theorems in steps


def log_rate(eigenvalues: Array, step: float, momentum: float = 0.0) -> Array:
    r"""Return the logarithm of the factor by which modes change in a step of descent.

    The largest root of :math:`z^2 - (1 + \beta - \eta\lambda) z + \beta`; :math:`\beta = 0` is
    descent without momentum.
    """
    half = (1 + momentum - step * np.asarray(eigenvalues, np.complex128)) / 2
    root = np.sqrt(half**2 - momentum)
    return np.asarray(np.log(np.maximum(np.abs(half + root), np.abs(half - root))))


class Slopes(NamedTuple):
    """Slopes of Op a step, one for each of many random systems."""

    weights: Array
    outputs: Array
    slow: Array  # whether the slowest mode is the last to die, in each


def slopes_in_steps(n: int, momentum: float, rng: np.random.Generator) -> Slopes:
    """Return slopes of Op by part of the weights, and by a layer for the outputs."""
    found = []
    for _ in range(n):
        entries = rng.standard_normal((6, 6))
        hessian = entries + entries.T
        whole, block = _eigenvalues(hessian), _eigenvalues(hessian[3:, 3:])
        step = rng.uniform(0, 3) / np.abs(whole).max()
        of_weights = _largest(block, step, momentum) - _largest(whole, step, momentum)
        parts = [j @ j.T for j in rng.standard_normal((2, 4, 6))]
        rates, left = _eigenvalues(parts[0] + parts[1]), _eigenvalues(parts[1])
        step = rng.uniform(0, 2.2) * (1 + momentum) / rates[-1]
        ends = log_rate(rates[[0, -1]], step, momentum)
        of_outputs = _largest(left, step, momentum) - _largest(rates, step, momentum)
        found.append((of_weights, of_outputs, ends[0] >= ends[1] - 1e-12))
    weights, outputs, slow = zip(*found, strict=True)
    return Slopes(np.array(weights), np.array(outputs), np.array(slow))


def slopes_of_outputs(n: int, weights: int, rng: np.random.Generator) -> Array:
    r"""Return slopes (n,) of Op of three outputs by a layer of four weights, random derivatives.

    The disturbance lies in another layer of so many ``weights``. What it moves of the outputs is
    the image of its derivative J, and in Y stays there:

    .. math:: \lambda_{\min}(J_A J_A^\top + J J^\top) - \lambda_{\min}(J^\top J)
              \quad\text{with } J^\top J \text{ on the image of } J^\top
    """
    found = []
    for _ in range(n):
        own, other = rng.standard_normal((3, 4)), rng.standard_normal((3, weights))
        felt = np.linalg.svd(other, compute_uv=False) ** 2  # as many as J has dimensions
        found.append(_eigenvalues(own @ own.T + other @ other.T)[0] - felt[-1])
    return np.array(found)


def _eigenvalues(matrix: Array) -> Array:
    return np.asarray(np.linalg.eigvalsh(matrix), np.float64)


def _largest(eigenvalues: Array, step: float, momentum: float) -> float:
    return float(log_rate(eigenvalues, step, momentum).max())
