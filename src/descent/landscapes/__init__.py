"""Landscapes: what the methods descend.

Sums over data, and test functions of several variables.
"""

from descent.landscapes.finite_sum import (
    FiniteSum,
    SampleGradient,
    stationary_points,
    two_datapoint,
)
from descent.landscapes.objectives import (
    OBJECTIVES,
    Objective,
    Shifted,
    ackley,
    griewank,
    himmelblau,
    qubic_1d,
    rastrigin,
    rosenbrock,
    six_hump_camel,
    sphere,
)
from descent.landscapes.peaks import floored_sinc, sinc

__all__ = [
    "OBJECTIVES",
    "FiniteSum",
    "Objective",
    "SampleGradient",
    "Shifted",
    "ackley",
    "floored_sinc",
    "griewank",
    "himmelblau",
    "qubic_1d",
    "rastrigin",
    "rosenbrock",
    "sinc",
    "six_hump_camel",
    "sphere",
    "stationary_points",
    "two_datapoint",
]
