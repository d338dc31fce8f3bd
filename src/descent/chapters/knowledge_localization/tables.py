"""Chapter 12: its tables, and the largest standard error that stands behind one."""

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np

from descent import prose
from descent.estimates import mean_with_error
from descent.prose import fixed, percent, signed
from descent.sweeps import load

STEP_SIZES = (1e-4, 1e-3, 1e-2)
HEAD = ["$\\eta = 10^{-4}$", "$10^{-3}$", "$10^{-2}$"]


def mean(correlations: Sequence[float]) -> str:
    """Write the mean of correlations."""
    return fixed(float(np.mean(correlations)), 2)


def largest_error(lists: Iterable[Sequence[float]]) -> float:
    """Return the largest standard error of the means of lists of correlations."""
    return max(mean_with_error(correlations).error for correlations in lists)


def by_activation(rows: Iterable[Any]) -> str:
    """Return a Markdown table of rows of step sizes: the correlations of weights and biases."""
    cells = [
        [
            row.activation,
            f"{row.step_size:g}",
            percent(np.median(row.accuracy), 1),
            signed(np.mean(row.weights), 2),
            signed(np.mean(row.biases), 2),
        ]
        for row in rows
    ]
    return prose.table(["activation", "$\\eta$", "accuracy", "weights", "biases"], cells, "lrrrr")


def widths_and_batches(hundred: Sequence[Any]) -> str:
    """Return a Markdown table of correlations by width and batch.

    Parameters
    ----------
    hundred : sequence
        The rows of a hundred neurons and single images, at `STEP_SIZES`.
    """
    found = {(100, 1): list(hundred)}
    beyond = load("12-mnist-width-and-batch").set_index("step_size")
    for pair, rows in beyond.groupby(["hidden", "batch_size"], sort=False):
        found[pair] = [rows.loc[eta] for eta in STEP_SIZES]
    shown = ((10, 1), (30, 1), (100, 1), (300, 1), (100, 10), (100, 100))
    cells = [
        [str(hidden), str(batch), *(mean(row.weights) for row in found[hidden, batch])]
        for hidden, batch in shown
    ]
    return prose.table(["neurons", "batch", *HEAD], cells, "rrrrr")
