"""Closing page: what a run out of the pit came to, and which setting is the best."""

from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np

from descent.arguments import Array
from descent.chapters.modelling_sgd.numbers import pit
from descent.chapters.ways_out.numbers import BUDGET, NEAR, THRESHOLD, WELL, WIDTH, Trace
from descent.estimates import Mean, mean_with_error, wilson

GRID = np.unique(np.geomspace(1, BUDGET, 34).round())
"""Evaluations at which paths are shown."""


class Outcome(NamedTuple):
    """What many runs came to; arrays (runs,).

    Attributes
    ----------
    escape : array
        Evaluations spent when a run first lies beyond b, infinite if it never does.
    leap : array
        Length of the move that passed the end of the wall; NaN for a run that does not escape.
    at_well, in_pit : bool array
        Whether it ends within `NEAR` of the well, or no farther from the bottom than b is.
    """

    escape: Array
    leap: Array
    at_well: Array
    in_pit: Array


def outcome(found: Trace, wall: float = THRESHOLD) -> Outcome:
    """Return what the runs of a trace came to, where the wall of what they see ends at `wall`."""
    w = found.w
    runs = np.arange(w.shape[1])
    beyond = w > THRESHOLD
    escaped, first = beyond.any(axis=0), beyond.argmax(axis=0)
    spent = np.broadcast_to(found.spent, w.shape)[first, runs]
    over = (w > wall).argmax(axis=0)
    leap = np.abs(w[over, runs] - w[np.maximum(over - 1, 0), runs])
    return Outcome(
        np.where(escaped, spent, np.inf),
        np.where(escaped, leap, np.nan),
        np.abs(w[-1] - WELL) < NEAR,
        np.abs(w[-1] - pit().minimum) <= WIDTH,
    )


def summary(found: Trace, wall: float = THRESHOLD, seeds: int = 1) -> dict[str, Any]:
    """Return the counts and medians of a trace that a table stores.

    The median number of evaluations is over all runs, and null if half of them or more stay.
    The runs stand seed by seed, as many of each; the counts of each seed are kept.
    """
    escape, leap, at_well, in_pit = outcome(found, wall)
    escaped = np.isfinite(escape)
    middle = float(np.median(escape))
    return {
        "runs": len(escape),
        "escaped": int(escaped.sum()),
        "at_well": int(at_well.sum()),
        "escaped by seed": escaped.reshape(seeds, -1).sum(axis=1).tolist(),
        "at_well by seed": at_well.reshape(seeds, -1).sum(axis=1).tolist(),
        "in_pit": int(in_pit.sum()),
        "median": middle if np.isfinite(middle) else None,
        "leap": round(float(np.median(leap[escaped])), 5) if escaped.any() else None,
    }


def on_grid(found: Trace) -> Array:
    """Return the positions at the start and at `GRID`, (1 + len(GRID), runs)."""
    spent = np.broadcast_to(found.spent, found.w.shape)
    at = np.concatenate([[0.0], GRID])
    return np.array(
        [
            row[np.searchsorted(times, at, side="right") - 1]
            for row, times in zip(found.w.T, spent.T, strict=True)
        ]
    ).T


class Share(NamedTuple):
    """A share of runs with its 95 % Wilson interval."""

    value: float
    low: float
    high: float

    def __str__(self) -> str:
        return f"{percent(self.value)}\u00a0% ({percent(self.low)}–{percent(self.high)})"


def percent(share: float) -> str:
    """Return a share in percent; with one digit more where it would read 0 or 100 and is not.

    Examples
    --------
    >>> percent(0.123), percent(0.996), percent(1.0)
    ('12', '99.6', '100')
    """
    near_end = 0.0005 <= share < 0.01 or 0.99 < share < 0.9995
    return f"{100 * share:.1f}" if near_end else f"{100 * share:.0f}"


def share(row: Mapping[str, Any], what: str) -> Share:
    """Return a stored count as a share of the runs."""
    return Share(row[what] / row["runs"], *wilson(row[what], row["runs"]))


def spread(row: Mapping[str, Any], what: str) -> float:
    """Return the standard deviation of a share of runs from seed to seed."""
    counts = np.array(row[f"{what} by seed"], dtype=float)
    return float((counts / (row["runs"] / len(counts))).std(ddof=1))


def half_way(lengths: Array, counts: Array, runs: int) -> Mean:
    """Return the length at which half of the runs escape, with its standard error over seeds.

    Parameters
    ----------
    lengths : array (m,)
        Ascending.
    counts : array (m, seeds)
        How many of each seed's `runs` escaped at each length. For each seed the share is a
        straight line between the two lengths where all seeds together pass one half.
    """
    shares = np.asarray(counts, dtype=float) / runs
    beyond = shares.mean(axis=1) >= 0.5
    if beyond[0] or not beyond[-1]:
        raise ValueError(f"lengths must bracket one half; got shares {shares.mean(axis=1)}")
    k = int(beyond.argmax())
    low, high = shares[k - 1], shares[k]
    slope = (high - low).mean()
    return mean_with_error(lengths[k - 1] + (lengths[k] - lengths[k - 1]) * (0.5 - low) / slope)


def best_lengths(tuning: Any) -> dict[str, float]:
    """Return each way's best length on the tuning runs.

    Most runs at rest in the well; among equals most that escaped, then the fewest evaluations,
    then the shortest length.
    """
    ordered = tuning.assign(
        at_well=tuning["at_well"] / tuning["runs"],
        escaped=tuning["escaped"] / tuning["runs"],
        median=tuning["median"].fillna(np.inf),
    ).sort_values(["at_well", "escaped", "median", "length"], ascending=[False, False, True, True])
    return {str(way): float(rows.iloc[0]["length"]) for way, rows in ordered.groupby("way")}
