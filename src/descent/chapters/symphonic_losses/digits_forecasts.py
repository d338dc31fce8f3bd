"""Chapter 9: what was expected of the digits before the table was computed.

Each forecast is a sentence and its test on the table; a failed one stays as it was written.
"""

from collections.abc import Callable
from functools import partial
from typing import Any, NamedTuple

import numpy as np
import pandas

from descent.arguments import Array
from descent.chapters.symphonic_losses import digits
from descent.chapters.symphonic_losses.digits_sweeps import CODES, STRENGTH, STRENGTHS

COLLAPSE = 0.8
"""Share of the variance above which a network has learnt next to nothing of the images."""


def row(table: pandas.DataFrame, setting: str, rule: str, **at: float) -> pandas.Series:
    """Return the row of a rule; the strength is 100 and the code 6 where not said."""
    strength, code = at.get("strength", STRENGTH), at.get("code", digits.CODE)
    strength = 1.0 if rule == "plain" else strength
    full = table[table.budget == table.budget.max()]
    found = full[
        (full.setting == setting) & (full.rule == rule)
        & (full.strength == strength) & (full.code == code)
    ]  # fmt: skip
    if len(found) != 1:
        raise KeyError(f"{setting}, {rule}, strength {strength}, code {code}: {len(found)} rows")
    return found.iloc[0]


def errors(table: pandas.DataFrame, setting: str, rule: str, **at: float) -> Array:
    """Return the shares of the test images' variance that are lost, one a seed."""
    return np.array(row(table, setting, rule, **at).error)


def linear(code: int = digits.CODE) -> float:
    """Return what principal components lose at that size of the code."""
    return digits.principal_component_error(code)


def keeps(table: pandas.DataFrame, setting: str, rule: str, **at: float) -> Array:
    """Say which networks keep all four moments, within three times what chance gives a sample.

    Root mean squares of normal numbers are 1/√n for mean and covariance, √(6/n) for the
    skewness and √(24/n) for the kurtosis.
    """
    found, n = row(table, setting, rule, **at), len(digits.data().test)
    limits = {"mean": 1, "covariance": 1, "skewness": 6, "kurtosis": 24}
    within = [np.array(found[name]) < 3 * np.sqrt(k / n) for name, k in limits.items()]
    return np.asarray(np.all(within, axis=0))


class Forecast(NamedTuple):
    """A sentence, and what it says of the table."""

    words: str
    holds: Callable[[Any], bool]


def _both(table: pandas.DataFrame, setting: str, rule: str, **at: float) -> bool:
    beats = errors(table, setting, rule, **at) < linear()
    return bool(beats.all() and keeps(table, setting, rule, **at).all())


def _worse(table: pandas.DataFrame, setting: str, rule: str, than: str) -> bool:
    ours, theirs = (np.median(errors(table, setting, name)) for name in (rule, than))
    return bool(ours > theirs)


def _near(table: pandas.DataFrame, rule: str, to: str, within: float) -> bool:
    ours, theirs = (np.median(errors(table, "moments", name)) for name in (rule, to))
    return bool(abs(ours - theirs) < within)


FORECASTS = (
    Forecast(
        "Without constraints the autoencoder beats principal components at every size of the code.",
        lambda t: all(
            np.median(errors(t, "moments", "plain", code=code)) < linear(code)
            for code in (*CODES, digits.CODE)
        ),
    ),
    Forecast(
        "Strong moments, equal sum: worse than principal components at four seeds or more.",
        lambda t: bool((errors(t, "moments", "equal_sum") > linear()).sum() >= 4),
    ),
    Forecast(
        "Strong moments, inverse gradient norm: better than principal components, and the "
        "moments kept, at every seed.",
        partial(_both, setting="moments", rule="inverse_gradient_norm"),
    ),
    Forecast(
        "Strong moments: gradient norm, the source's words, loses more than the equal sum.",
        partial(_worse, setting="moments", rule="gradient_norm", than="equal_sum"),
    ),
    Forecast(
        "Strong moments: loss slope, the source's program, loses more than the equal sum.",
        partial(_worse, setting="moments", rule="loss_slope", than="equal_sum"),
    ),
    Forecast(
        "Strong moments: MGDA beats principal components at every seed.",
        lambda t: bool((errors(t, "moments", "mgda") < linear()).all()),
    ),
    Forecast(
        "Strong moments: UPGrad loses less than the equal sum.",
        partial(_worse, setting="moments", rule="equal_sum", than="upgrad"),
    ),
    Forecast(
        "Strong moments: random alternation is within 0.05 of the equal sum.",
        partial(_near, rule="random_alternation", to="equal_sum", within=0.05),
    ),
    Forecast(
        "Strong moments: the largest gradient loses more than 0.6.",
        lambda t: bool(np.median(errors(t, "moments", "largest_gradient")) > 0.6),
    ),
    Forecast(
        "Strong moments: fixed weights of a tenth beat principal components at every seed.",
        lambda t: bool((errors(t, "moments", "fixed_weights") < linear()).all()),
    ),
    Forecast(
        "Strong moments: the average weights of inverse gradient norm, held constant, are within "
        "0.02 of it.",
        partial(_near, rule="inverse_average", to="inverse_gradient_norm", within=0.02),
    ),
    Forecast(
        "Strong KL divergence and moments, equal sum: collapse at every seed.",
        lambda t: bool((errors(t, "noisy", "equal_sum") > COLLAPSE).all()),
    ),
    Forecast(
        "With a KL divergence inverse gradient norm collapses at every seed and strength.",
        lambda t: all(
            (errors(t, "noisy", "inverse_gradient_norm", strength=s) > COLLAPSE).all()
            for s in STRENGTHS["noisy"]
        ),
    ),
    Forecast(
        "Strong KL divergence: gradient norm does not collapse, and loses more than principal "
        "components, at every seed.",
        lambda t: bool(
            (errors(t, "noisy", "gradient_norm") < COLLAPSE).all()
            and (errors(t, "noisy", "gradient_norm") > linear()).all()
        ),
    ),
    Forecast(
        "Strong KL divergence: loss slope does not collapse at any seed.",
        lambda t: bool((errors(t, "noisy", "loss_slope") < COLLAPSE).all()),
    ),
    Forecast(
        "With a KL divergence MGDA collapses up to the strength 10, and beats principal "
        "components at 100, at every seed.",
        lambda t: bool(
            all(
                (errors(t, "noisy", "mgda", strength=s) > COLLAPSE).all()
                for s in STRENGTHS["noisy"] if s < STRENGTH
            )
            and (errors(t, "noisy", "mgda") < linear()).all()
        ),
    ),
    Forecast(
        "With a weak KL divergence (0.1) the equal sum beats principal components at every seed.",
        lambda t: bool((errors(t, "noisy", "equal_sum", strength=0.1) < linear()).all()),
    ),
    Forecast(
        "Why the sum fails: the kurtosis's gradient is 50 times the reconstruction's or longer, "
        "and the direction has a cosine below 0.1 with the reconstruction's.",
        lambda t: bool(
            row(t, "moments", "equal_sum").lengths[-1]
            > 50 * row(t, "moments", "equal_sum").lengths[0]
            and abs(row(t, "moments", "equal_sum").along[0]) < 0.1
        ),
    ),
    Forecast(
        "Why inverse gradient norm collapses with a weak KL divergence (0.1): the KL divergence, "
        "whose gradient ends at the collapse, holds most of the weight.",
        lambda t: int(
            np.argmax(row(t, "noisy", "inverse_gradient_norm", strength=0.1).weights)
        ) == 1,
    ),
)  # fmt: skip
