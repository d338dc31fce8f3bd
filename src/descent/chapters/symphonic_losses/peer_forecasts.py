"""Chapter 9: what was expected of four rules before their rows of two tables were computed.

In the race CAGrad and Nash-MTL, on the digits these and IMTL-G and Aligned-MTL. The rows of the
other rules were known, and so were the race's rows of IMTL-G and Aligned-MTL.
"""

from collections.abc import Mapping

import numpy as np
import pandas

from descent.chapters.symphonic_losses.digits_forecasts import Forecast, errors, keeps, linear
from descent.estimates import Mean

NEW = ("imtl_g", "aligned_mtl", "cagrad", "nash_mtl")
Rates = Mapping[str, Mapping[str, Mean]]
"""Success rates by problem and rule."""


def _rate(rates: Rates, problem: str, rule: str) -> float:
    return float(rates[problem][rule].value)


def _lost(table: pandas.DataFrame, setting: str, rule: str) -> float:
    return float(np.median(errors(table, setting, rule)))


def _near_inverse(table: pandas.DataFrame, setting: str, rule: str, within: float) -> bool:
    inverse = _lost(table, setting, "inverse_gradient_norm")
    return abs(_lost(table, setting, rule) - inverse) < within


RACE_FORECASTS = (
    Forecast(
        "Perlin noise: CAGrad is within 0.1 of the equal sum.",
        lambda r: abs(_rate(r, "perlin", "cagrad") - _rate(r, "perlin", "equal_sum")) < 0.1,
    ),
    Forecast(
        "Perlin noise: Nash-MTL is within 0.05 of MGDA, since both stand still where nothing is "
        "downhill on all.",
        lambda r: abs(_rate(r, "perlin", "nash_mtl") - _rate(r, "perlin", "mgda")) < 0.05,
    ),
    Forecast(
        "Perlin noise: neither CAGrad nor Nash-MTL has half the rate of random alternation.",
        lambda r: (
            max(_rate(r, "perlin", rule) for rule in ("cagrad", "nash_mtl"))
            < _rate(r, "perlin", "random_alternation") / 2
        ),
    ),
    Forecast(
        "Ripples: neither CAGrad nor Nash-MTL is more than 0.1 better than the equal sum.",
        lambda r: (
            max(_rate(r, "ripples", rule) for rule in ("cagrad", "nash_mtl"))
            < _rate(r, "ripples", "equal_sum") + 0.1
        ),
    ),
)
DIGITS_FORECASTS = (
    Forecast(
        "Strong moments: IMTL-G is within 0.03 of inverse gradient norm, since five gradients in "
        "so many dimensions are nearly orthogonal.",
        lambda t: _near_inverse(t, "moments", "imtl_g", 0.03),
    ),
    Forecast(
        "Strong moments: Nash-MTL is within 0.03 of inverse gradient norm.",
        lambda t: _near_inverse(t, "moments", "nash_mtl", 0.03),
    ),
    Forecast(
        "Strong moments: Aligned-MTL is within 0.05 of inverse gradient norm.",
        lambda t: _near_inverse(t, "moments", "aligned_mtl", 0.05),
    ),
    Forecast(
        "Strong moments: Nash-MTL keeps the moments at every seed.",
        lambda t: bool(keeps(t, "moments", "nash_mtl").all()),
    ),
    Forecast(
        "Strong moments: CAGrad loses less than the equal sum by more than 0.1, since what it "
        "adds to the mean is the shortest gradient, the reconstruction's.",
        lambda t: _lost(t, "moments", "cagrad") < _lost(t, "moments", "equal_sum") - 0.1,
    ),
    Forecast(
        "Strong moments: CAGrad beats principal components at every seed.",
        lambda t: bool((errors(t, "moments", "cagrad") < linear()).all()),
    ),
    Forecast(
        "Strong moments: the average weights of inverse gradient norm, held constant, lose less "
        "than any of the four.",
        lambda t: (
            _lost(t, "moments", "inverse_average") < min(_lost(t, "moments", rule) for rule in NEW)
        ),
    ),
    Forecast(
        "Strong KL divergence: IMTL-G and Nash-MTL are within 0.05 of inverse gradient norm.",
        lambda t: all(_near_inverse(t, "noisy", rule, 0.05) for rule in ("imtl_g", "nash_mtl")),
    ),
    Forecast(
        "Strong KL divergence: CAGrad loses less than the equal sum.",
        lambda t: _lost(t, "noisy", "cagrad") < _lost(t, "noisy", "equal_sum"),
    ),
    Forecast(
        "Strong KL divergence: none of the four beats principal components at every seed.",
        lambda t: not any((errors(t, "noisy", rule) < linear()).all() for rule in NEW),
    ),
)
