"""Chapter 6: its tables."""

from collections.abc import Mapping

import numpy as np

from descent import prose
from descent.arguments import Array
from descent.chapters.thermostats_and_lorenz import numbers
from descent.prose import fixed


def _with_error(value: float, error: float) -> str:
    """Return a value with its error, or alone where the error is rounding."""
    return f"{fixed(value, 3)}\u00a0±\u00a0{fixed(error, 3)}" if error > 1e-9 else fixed(value, 3)


def exponents(
    rates: numbers.Exponents, times: Array, curves: Mapping[str, Array], since: float = 5.0
) -> str:
    """Return a Markdown table of conditional exponents beside the slopes of an ensemble.

    Parameters
    ----------
    rates : Exponents
    times : array (n_times,)
    curves : mapping
        Op, (n_times, starts), by the part A.
    since : float
        Slopes are of the times from here on.
    """
    late = times >= since
    rows = []
    for A, values in curves.items():
        both = ", ".join(_with_error(*pair) for pair in rates.conditional[A].T)
        measured = numbers.mean_slope(times[late], np.asarray(values)[late])
        rows.append([A, both, _with_error(*rates.slope(A)), _with_error(*measured)])
    head = ["$A$", "conditional exponents", "predicted slope", "slope in the ensemble"]
    return prose.table(head, rows, "llll")
