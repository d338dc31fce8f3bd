"""Chapter 9: what was expected of own step sizes and of moved grids before their tables.

Seen before: all rates at the step 0.2, where the shared minimum of correlated losses is too
steep, and one landscape of two losses on a moved grid.
"""

import numpy as np
import pandas

from descent.arguments import Array
from descent.chapters.symphonic_losses.alternation_forecasts import CLOSE, beside
from descent.chapters.symphonic_losses.alternation_sweeps import (
    BUDGETS,
    CORRELATIONS,
    RULES,
    SEEDS,
    SETTINGS,
    STEP_TUNING,
    STEPS,
    WALKERS,
)
from descent.chapters.symphonic_losses.digits_forecasts import Forecast
from descent.estimates import Mean, mean_with_error

MOVED_BUDGETS = BUDGETS[:-1]
"""Budgets of the moved grids: all but the longest."""


def _rates(table: pandas.DataFrame, rule: str, rho: float) -> Array:
    row = table[(table.rule == rule) & (table.correlation == rho)].iloc[0]
    return np.array(row.rates)


def own_step(table: pandas.DataFrame, rule: str, rho: float) -> float:
    """Return the step size with most successes on the tuning landscapes."""
    return STEPS[int(_rates(table, rule, rho)[:, :STEP_TUNING].mean(axis=1).argmax())]


def _reported(table: pandas.DataFrame, rule: str, rho: float) -> Array:
    chosen = STEPS.index(own_step(table, rule, rho))
    return np.asarray(_rates(table, rule, rho)[chosen, STEP_TUNING:])


def at_own_step(table: pandas.DataFrame, rule: str, rho: float) -> Mean:
    """Return the success rate at that step size on the other landscapes."""
    return mean_with_error(_reported(table, rule, rho))


def gain(table: pandas.DataFrame, rule: str, rho: float) -> Mean:
    """Return what a rule gains there on the equal sum, with the error over landscapes."""
    return mean_with_error(_reported(table, rule, rho) - _reported(table, "equal_sum", rho))


def _gain(table: pandas.DataFrame, rho: float) -> float:
    noisy, level = (
        at_own_step(table, rule, rho).value for rule in ("random_alternation", "equal_sum")
    )
    return float(noisy - level)


def moved(table: pandas.DataFrame, dimension: int, m: int, step_size: float) -> Array:
    """Return the mean chance over landscapes after each budget, on moved grids."""
    row = table[
        (table.longest == MOVED_BUDGETS[-1]) & (table.dimension == dimension)
        & (table.m == m) & (table.step_size == step_size)
    ].iloc[0]  # fmt: skip
    return np.asarray(np.array(row.predicted).mean(axis=1))


def change(
    grids: tuple[pandas.DataFrame, pandas.DataFrame], dimension: int, m: int, step_size: float
) -> float:
    """Return by how much moving the grid changes the mean prediction, at most over budgets."""
    fixed = beside(grids[0], dimension, m, step_size)[0].mean(axis=1)[: len(MOVED_BUDGETS)]
    return float(np.abs(moved(grids[1], dimension, m, step_size) - fixed).max())


def agreement(
    grids: tuple[pandas.DataFrame, pandas.DataFrame], dimension: int
) -> tuple[Array, Array]:
    """Say where the chain agrees with the walkers: on its own grids, and on moved ones.

    Within CLOSE and two standard errors of the walks, (settings, budgets).
    """
    last, n = len(MOVED_BUDGETS), WALKERS * len(SEEDS[dimension])
    found = []
    for m, eta in SETTINGS:
        resting, share = (part.mean(axis=1)[:last] for part in beside(grids[0], dimension, m, eta))
        for chance in (resting, moved(grids[1], dimension, m, eta)):
            error = np.sqrt(chance * (1 - chance) / n)
            found.append(np.abs(chance - share) < CLOSE + 2 * error)
    return np.array(found[::2]), np.array(found[1::2])


def _off(grids: tuple[pandas.DataFrame, pandas.DataFrame], moving: bool) -> float:
    chance, share = (part.mean(axis=1) for part in beside(grids[0], 2, 2, 0.2))
    last = len(MOVED_BUDGETS) - 1
    said = moved(grids[1], 2, 2, 0.2)[last] if moving else chance[last]
    return float(abs(said - share[last]))


STEP_FORECASTS = (
    Forecast(
        "At its own step alternation succeeds in more than a fifth of the runs at the correlation "
        "0.25.",
        lambda t: at_own_step(t, "random_alternation", 0.25).value > 0.2,
    ),
    Forecast(
        "Its rate still falls with every step of the correlation up to 0.75.",
        lambda t: bool(
            (
                np.diff([at_own_step(t, "random_alternation", r).value for r in CORRELATIONS[:-1]])
                < 0
            ).all()
        ),
    ),
    Forecast(
        "At the correlation 0.25 less than half of its gain on the equal sum is left.",
        lambda t: _gain(t, 0.25) < _gain(t, 0.0) / 2,
    ),
    Forecast(
        "At the correlation 0.5 it gains less than 0.1.",
        lambda t: _gain(t, 0.5) < 0.1,
    ),
    Forecast(
        "The equal sum at its own step succeeds in 0.1 to 0.3 at every correlation.",
        lambda t: all(0.1 < at_own_step(t, "equal_sum", r).value < 0.3 for r in CORRELATIONS),
    ),
    Forecast(
        "Alternation chooses shorter steps at 0.5 than at 0.",
        lambda t: own_step(t, "random_alternation", 0.5) < own_step(t, "random_alternation", 0.0),
    ),
    Forecast(
        "Matched noise is within 0.1 of alternation at every correlation.",
        lambda t: all(
            abs(at_own_step(t, RULES[1], r).value - at_own_step(t, RULES[2], r).value) < 0.1
            for r in CORRELATIONS
        ),
    ),
)
GRID_FORECASTS = (
    Forecast(
        "On a line a moved grid changes no mean chance by 0.02.",
        lambda g: all(change(g, 1, m, eta) < 0.02 for m, eta in SETTINGS),
    ),
    Forecast(
        "In the plane, with four losses or more, it changes none by 0.05.",
        lambda g: all(change(g, 2, m, eta) < 0.05 for m, eta in SETTINGS if m >= 4),
    ),
    Forecast(
        "In the plane with two losses the moved grid is nearer to the walkers.",
        lambda g: _off(g, moving=True) < _off(g, moving=False),
    ),
)  # fmt: skip
