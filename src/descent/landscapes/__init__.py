"""Landscapes: what the methods descend, in three kinds.

`FiniteSum`
    The mean of sample losses of *one* parameter, each with its gradient and curvature:
    what stochastic descent draws from. The chains (`descent.markov`), the theory of their
    escapes (`descent.large_deviations`) and their diffusions
    (`descent.fokker_planck.diffusion_limit`) take it under the name ``model``.
    `two_datapoint` is the one of source 003.
`Objective`
    A test function of *several* variables with its gradient and its known minimizers, for
    arrays and tensors: what optimizers and networks are tried on. It has no samples;
    `FiniteSum.of` makes a finite sum of those defined for one variable, with noise of a
    given size or with one sample for each of several objectives.
Functions such as `sinc` and `floored_sinc`
    Plain functions of one variable with many peaks, to be *maximized*: what
    `descent.smoothing` and the search distributions climb. They have no gradient of their
    own, since the second has none.
"""

from descent.landscapes.finite_sum import FiniteSum, SampleGradient, check_model
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
from descent.landscapes.stationary import stationary_points
from descent.landscapes.wells import FINITE_SUMS, two_datapoint

__all__ = [
    "FINITE_SUMS",
    "OBJECTIVES",
    "FiniteSum",
    "Objective",
    "SampleGradient",
    "Shifted",
    "ackley",
    "check_model",
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
