"""Chapter 9: autoencoders of digits under constraints of stated strength, stored.

What was seen before the forecasts and the tables: a pilot of two networks (seeds 100 and 101)
with one step size, the equal sum, inverse gradient norm, gradient norm and MGDA, at strengths
from 0.01 to 100.
"""

from functools import cache
from typing import Any

import numpy as np

from descent.arguments import Array
from descent.chapters.symphonic_losses import digits
from descent.sweeps import Sweep

BUDGET = 3600
"""Gradients in a training: as many steps of a rule that asks for one, fewer for others."""
STEP_SIZES = (1e-3, 3e-3, 1e-2)
TUNING_SEED = 200
SEEDS = tuple(range(5))
STRENGTH = 100.0
STRENGTHS = {"moments": (1.0, 10.0, 100.0, 1000.0), "noisy": (0.1, 1.0, 10.0, 100.0)}
CODES = (2, 4, 12)
RULES = (
    "equal_sum", "fixed_weights", "gradient_norm", "loss_slope", "largest_gradient",
    "inverse_gradient_norm", "pcgrad", "mgda", "upgrad", "imtl_g", "aligned_mtl", "cagrad",
    "nash_mtl", "random_alternation", "inverse_average",
)  # fmt: skip
CURVES = ("equal_sum", "gradient_norm", "inverse_gradient_norm", "mgda")


@cache
def constant_weights(setting: str, rule: str, strength: float, budget: int) -> Array | None:
    """Return the weights of a rule with constant ones, None for the others.

    Fixed weights count each constraint a tenth of the reconstruction. "inverse_average" are
    the averages of inverse gradient norm in a training with a seed of its own: the control for
    whether it matters that they move.
    """
    if rule == "fixed_weights":
        m = len(digits.LOSSES[setting])
        return np.append(1.0, np.full(m - 1, 0.1))
    if rule == "inverse_average":
        seed = (TUNING_SEED,)
        moving = digits.train(
            setting, "inverse_gradient_norm", strength, STEP_SIZES[1:2], budget, seed
        )
        return np.asarray(moving.weights.mean(axis=(0, 1)))
    return None


def run(setting: str, rule: str, strength: float, code: int, budget: int) -> dict[str, Any]:
    """Choose a step size on the tuning seed, train five networks, and measure."""
    weights = constant_weights(setting, rule, strength, budget)
    name = "fixed_weights" if rule == "inverse_average" else rule
    tried = digits.train(
        setting, name, strength, STEP_SIZES, budget, (TUNING_SEED,) * 3, code, weights
    )
    errors = digits.measure(tried, setting)["error"]
    chosen = STEP_SIZES[int(np.nanargmin(errors))]
    trained = digits.train(
        setting, name, strength, (chosen,) * len(SEEDS), budget, SEEDS, code, weights
    )
    late = slice(len(trained.weights) // 2, None)
    return digits.measure(trained, setting) | {
        "step_size": chosen,
        "finite": bool(trained.finite.all()),
        "weights": trained.weights[late].mean(axis=(0, 1)),
        "lengths": np.median(trained.lengths[late], axis=(0, 1)),
        "cosines": np.median(trained.cosines[late, :, 0], axis=(0, 1)),
        "first_lengths": trained.lengths[0].mean(axis=0),
        "along": np.median(along(trained)[late], axis=(0, 1)),
    }


def along(trained: digits.Training) -> Array:
    """Return the cosine of each loss's gradient and the direction that is followed, (t, S, m)."""
    weighed = trained.weights * trained.lengths
    product = (trained.cosines * weighed[..., None, :]).sum(axis=-1)
    square = (product * weighed).sum(axis=-1)
    return np.asarray(product / np.sqrt(np.maximum(square, 1e-300))[..., None])


def point(setting: str, rule: str, strength: float, code: int = digits.CODE) -> dict[str, Any]:
    """Return the point of a training."""
    return {
        "setting": setting, "rule": rule, "strength": strength, "code": code, "budget": BUDGET,
    }  # fmt: skip


SHORT = point("noisy", "gradient_norm", STRENGTH) | {"budget": 60}

DIGITS = Sweep(
    name="09-digits",
    run=run,
    points=[
        SHORT,
        *(point(setting, rule, STRENGTH) for setting in STRENGTHS for rule in RULES),
        *(point("moments", "plain", 1.0, code) for code in (*CODES, digits.CODE)),
        *(
            point(setting, rule, strength)
            for setting, strengths in STRENGTHS.items()
            for strength in strengths
            for rule in CURVES
            if strength != STRENGTH
        ),
        *(
            point("moments", rule, STRENGTH, code)
            for code in CODES
            for rule in ("equal_sum", "inverse_gradient_norm")
        ),
    ],
    probes=[0],
    rtol=1e-3,
)
