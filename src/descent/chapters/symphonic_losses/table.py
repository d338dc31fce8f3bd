"""Chapter 9: success rates from the stored table."""

from functools import cache

import numpy as np

from descent.arguments import Array
from descent.chapters.symphonic_losses.race import STARTS, STEP_SIZES
from descent.chapters.symphonic_losses.sweeps import REPORTED, TUNING
from descent.estimates import Mean, mean_with_error
from descent.sweeps import load


@cache
def rates(problem: str, m: int, rule: str) -> Array:
    """Return the share of starts that succeed, (step sizes, landscapes), tuning ones first."""
    table = load("09-success")
    row = table[(table.problem == problem) & (table.m == m) & (table.rule == rule)]
    counts = np.array(row.successes.iloc[0], float)
    return counts.reshape(len(STEP_SIZES), -1) / STARTS


def best_step(problem: str, m: int, rule: str) -> int:
    """Return the index of the step size with most successes on the tuning landscapes."""
    return int(rates(problem, m, rule)[:, : len(TUNING)].mean(axis=1).argmax())


def per_landscape(problem: str, m: int, rule: str) -> Array:
    """Return the success rate on each reported landscape at the step size chosen on the others."""
    found = rates(problem, m, rule)[best_step(problem, m, rule), len(TUNING) :]
    assert len(found) == len(REPORTED)
    return np.asarray(found)


def success(problem: str, m: int, rule: str) -> Mean:
    """Return the mean success rate over the reported landscapes with its standard error.

    The landscape is the unit: starts on one landscape share its basins.
    """
    return mean_with_error(per_landscape(problem, m, rule))


def advantage(problem: str, m: int, rule: str, over: str) -> Mean:
    """Return the difference of two rules' success rates, landscape by landscape."""
    return mean_with_error(per_landscape(problem, m, rule) - per_landscape(problem, m, over))
