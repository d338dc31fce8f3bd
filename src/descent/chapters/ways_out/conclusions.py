"""Closing page: what it concludes from its tables, in numbers that the register holds."""

import numpy as np

from descent.chapters.ways_out import pictures, results
from descent.chapters.ways_out.numbers import LENGTHS, WAYS
from descent.chapters.ways_out.sweeps import ALL_WAYS, CONTROL


def share(way: str, length: float, what: str) -> float:
    """Return the share of runs that have "escaped", or that are "at_well"."""
    return float(results.share(pictures.reported(way, length), what).value)


def spread_by_chance() -> float:
    """Return the spread over seeds in units of the binomial one, the median over all rows."""
    ratios = [
        pictures.spread_of(way, length) / chance
        for way in WAYS
        for length in LENGTHS
        if (chance := pictures.by_chance(way, length)) > 0.01
    ]
    return float(np.median(ratios))


def network_over_control(network: str) -> float:
    """Return how many more runs rest in the well than of descents with the same lengths."""
    best = pictures.chosen()
    return share(network, best[network], "at_well") - share(
        network + CONTROL, best[network + CONTROL], "at_well"
    )


def best_at_an_end() -> int:
    """Return how many ways have their best length at an end of those that are tried."""
    ends = (LENGTHS[0], LENGTHS[-1])
    best = pictures.chosen().items()
    return sum(length in ends and share(way, length, "at_well") > 0 for way, length in best)


def stays_up_to(way: str) -> float:
    """Return the longest length up to which no run leaves."""
    left = [share(way, length, "escaped") > 0 for length in LENGTHS]
    return LENGTHS[left.index(True) - 1]


def op_per_step(phase: str, way: str, length: float) -> float:
    """Return what Op gains a step in a phase, of all runs together."""
    found = pictures.op_phases()[way, length][phase].per_step()
    assert found is not None
    return found.value


def sign_of_op_goes_with_leaving(length: float) -> float:
    """Return the share of ways that leave in most runs with a positive Op, or stay without."""
    ways = [way for way in ALL_WAYS if not way.endswith(CONTROL)]
    op = np.array([pictures.op_row(way, length)[pictures.LARGE][1] for way in ways])
    left = np.array([share(way, length, "escaped") for way in ways])
    return float(((op > pictures.ALL_BUT_ZERO) == (left > 0.5)).mean())
