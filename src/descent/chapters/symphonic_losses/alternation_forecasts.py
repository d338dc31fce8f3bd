"""Chapter 9: what was expected of chains, walks and knobs before their tables were computed.

Each forecast is a sentence and its test; a failed one stays as it was written. Seen before: the
chain in one landscape of two and of eight losses in each dimension, and that walks do not
leave everything in one dimension at a step of 0.2.
"""

import numpy as np
import pandas

from descent.arguments import Array
from descent.chapters.symphonic_losses.alternation_sweeps import (
    BUDGETS,
    CORRELATIONS,
    SETTINGS,
    WALKERS,
)
from descent.chapters.symphonic_losses.digits_forecasts import Forecast

CLOSE = 0.03
"""How near a share of walks comes to its chance, beyond their errors, to agree with it."""


def beside(
    table: pandas.DataFrame, dimension: int, m: int, step_size: float
) -> tuple[Array, Array]:
    """Return predicted and walked success, each (budgets, landscapes)."""
    row = table[
        (table.longest == BUDGETS[-1]) & (table.dimension == dimension)
        & (table.m == m) & (table.step_size == step_size)
    ].iloc[0]  # fmt: skip
    return np.array(row.predicted), np.array(row.walked)


def agreement(table: pandas.DataFrame, dimension: int) -> Array:
    """Say where prediction and walks agree: within CLOSE and two standard errors of the walks."""
    found = []
    for m, eta in SETTINGS:
        chance, share = (part.mean(axis=1) for part in beside(table, dimension, m, eta))
        n = WALKERS * len(beside(table, dimension, m, eta)[0][0])
        found.append(np.abs(chance - share) < CLOSE + 2 * np.sqrt(chance * (1 - chance) / n))
    return np.array(found)


def on_fresh_landscapes(table: pandas.DataFrame) -> Array:
    """Say where predictions on one half of the landscapes agree with walks on the other.

    Within two standard errors of the difference of the two means, over landscapes.
    """
    found = []
    for dimension in (1, 2):
        for m, eta in SETTINGS:
            chance, share = beside(table, dimension, m, eta)
            half = chance.shape[1] // 2
            ours, fresh = chance[:, :half], share[:, half:]
            variance = (ours.var(axis=1, ddof=1) + fresh.var(axis=1, ddof=1)) / half
            off = np.abs(ours.mean(axis=1) - fresh.mean(axis=1))
            found.append(off < 2 * np.sqrt(variance) + CLOSE)
    return np.array(found)


def waiting(table: pandas.DataFrame, dimension: int, m: int, step_size: float) -> float:
    """Return the time in which walks arrive, from the predictions after 500 and 1000 steps.

    As if the share that is still away fell by one factor a step.
    """
    away = 1 - beside(table, dimension, m, step_size)[0].mean(axis=1)
    early, late = BUDGETS.index(500), BUDGETS.index(1000)
    return float(500 / np.log(away[early] / away[late]))


def knob(
    table: pandas.DataFrame, rule: str, m: int = 8, rho: float = 0.0, delta: float = 0.0
) -> float:
    """Return the mean success rate of a rule with the knobs turned."""
    row = table[
        (table.m == m) & (table.rule == rule)
        & (table.correlation == rho) & (table.misalignment == delta)
    ].iloc[0]  # fmt: skip
    return float(np.mean(row.rates))


def _gain(table: pandas.DataFrame, rho: float) -> float:
    return knob(table, "random_alternation", 16, rho) - knob(table, "random_alternation", 2, rho)


BESIDE_FORECASTS = (
    Forecast(
        "On a line the chain says what walks do, after every budget in every setting.",
        lambda t: bool(agreement(t, 1).all()),
    ),
    Forecast(
        "In the plane it does in nine of ten.",
        lambda t: bool(agreement(t, 2).mean() >= 0.9),
    ),
    Forecast(
        "Predictions on some landscapes hold for walks on others in eight of ten.",
        lambda t: bool(on_fresh_landscapes(t).mean() >= 0.8),
    ),
    Forecast(
        "On a line, with up to eight losses, what has not arrived after 4000 steps of 0.2 does "
        "not: less than 0.02 arrives up to 16,000.",
        lambda t: all(
            beside(t, 1, m, 0.2)[0].mean(axis=1)[-1] - beside(t, 1, m, 0.2)[0].mean(axis=1)[-2]
            < 0.02
            for m in (1, 2, 4, 8)
        ),
    ),
    Forecast(
        "In the plane more than 0.9 arrive within 16,000 steps of 0.2, with 8 losses and with 16.",
        lambda t: all(beside(t, 2, m, 0.2)[0].mean(axis=1)[-1] > 0.9 for m in (8, 16)),
    ),
    Forecast(
        "In the plane, with eight losses, half the step takes more than three times as long.",
        lambda t: waiting(t, 2, 8, 0.1) > 3 * waiting(t, 2, 8, 0.2),
    ),
    Forecast(
        "In the plane, at 0.2, sixteen losses take less time than eight, and these than four.",
        lambda t: waiting(t, 2, 16, 0.2) < waiting(t, 2, 8, 0.2) < waiting(t, 2, 4, 0.2),
    ),
)
KNOB_FORECASTS = (
    Forecast(
        "With the correlation 1 alternation is the equal sum: the rates are within 0.05.",
        lambda t: abs(knob(t, "random_alternation", rho=1.0) - knob(t, "equal_sum", rho=1.0))
        < 0.05,
    ),
    Forecast(
        "Success of alternation falls with every step of the correlation.",
        lambda t: bool(
            (np.diff([knob(t, "random_alternation", rho=rho) for rho in CORRELATIONS]) < 0).all()
        ),
    ),
    Forecast(
        "At the correlation 0.5 less than half of alternation's gain on the equal sum is left.",
        lambda t: knob(t, "random_alternation", rho=0.5) - knob(t, "equal_sum", rho=0.5)
        < (knob(t, "random_alternation") - knob(t, "equal_sum")) / 2,
    ),
    Forecast(
        "At the correlation 0.5 sixteen losses instead of two gain less than half of what they "
        "gain at 0.",
        lambda t: _gain(t, 0.5) < _gain(t, 0.0) / 2,
    ),
    Forecast(
        "Minima a tenth of a cell from the middle cost alternation less than 0.1.",
        lambda t: knob(t, "random_alternation", delta=0.1)
        > knob(t, "random_alternation") - 0.1,
    ),
    Forecast(
        "Minima two tenths away leave alternation between a fifth and a half of its success.",
        lambda t: 0.2
        < knob(t, "random_alternation", delta=0.2) / knob(t, "random_alternation")
        < 0.5,
    ),
    Forecast(
        "Matched noise is within 0.1 of alternation wherever a knob is turned, less 0.4 of a cell.",
        lambda t: all(
            abs(knob(t, "matched_noise", rho=rho, delta=delta)
                - knob(t, "random_alternation", rho=rho, delta=delta)) < 0.1
            for rho, delta in (*((rho, 0.0) for rho in CORRELATIONS), (0.0, 0.1), (0.0, 0.2))
        ),
    ),
)  # fmt: skip
