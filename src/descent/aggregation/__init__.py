"""Aggregation: rules that turn several losses into one step.

Each rule is called as ``rule(losses, parameters, state)`` and returns the combined gradient,
the weights and the next state, or as ``rule.backward(...)``, which writes ``.grad``; see
`Rule`. What holds for which rule: `Rule.properties`. One rule a file.
"""

from descent.aggregation.accumulated import AccumulatedLoss
from descent.aggregation.aligned_mtl import aligned_mtl
from descent.aggregation.cagrad import cagrad
from descent.aggregation.dwa import dwa
from descent.aggregation.equal_sum import equal_sum
from descent.aggregation.fixed_weights import fixed_weights
from descent.aggregation.gradient_norm import gradient_norm
from descent.aggregation.imtl_g import imtl_g
from descent.aggregation.inverse_gradient_norm import inverse_gradient_norm
from descent.aggregation.largest_gradient import largest_gradient
from descent.aggregation.loss_slope import loss_slope
from descent.aggregation.matched_noise import matched_noise
from descent.aggregation.mgda import mgda
from descent.aggregation.nash_mtl import nash_mtl
from descent.aggregation.pcgrad import pcgrad
from descent.aggregation.random_alternation import random_alternation
from descent.aggregation.rule import PROPERTIES, Combined, Rule
from descent.aggregation.softadapt import softadapt
from descent.aggregation.upgrad import upgrad

RULES: dict[str, Rule] = {
    rule.weights.__name__: rule
    for rule in (
        equal_sum,
        fixed_weights,
        gradient_norm,
        inverse_gradient_norm,
        largest_gradient,
        loss_slope,
        softadapt,
        dwa,
        pcgrad,
        mgda,
        upgrad,
        imtl_g,
        aligned_mtl,
        cagrad,
        nash_mtl,
        random_alternation,
        matched_noise,
    )
}
"""Every rule by its name."""

__all__ = [
    "PROPERTIES",
    "RULES",
    "AccumulatedLoss",
    "Combined",
    "Rule",
    "aligned_mtl",
    "cagrad",
    "dwa",
    "equal_sum",
    "fixed_weights",
    "gradient_norm",
    "imtl_g",
    "inverse_gradient_norm",
    "largest_gradient",
    "loss_slope",
    "matched_noise",
    "mgda",
    "nash_mtl",
    "pcgrad",
    "random_alternation",
    "softadapt",
    "upgrad",
]
