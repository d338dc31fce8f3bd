"""Entropies and optimizing strength: `finite` systems here, continuous ones beside them.

`descent.information.differential_entropy` has the continuous case.
"""

from descent.information.distributions import (
    Distribution,
    decorrelate,
    entropy,
    mutual_information,
    total_correlation,
)
from descent.information.finite import (
    adjusted_optimizing_strength,
    created_entropy,
    erased_entropy,
    narrow_start,
    optimizing_strength,
    push_forward,
)
from descent.information.kernel import FiniteKernel, kernel_of

__all__ = [
    "Distribution",
    "FiniteKernel",
    "adjusted_optimizing_strength",
    "created_entropy",
    "decorrelate",
    "entropy",
    "erased_entropy",
    "kernel_of",
    "mutual_information",
    "narrow_start",
    "optimizing_strength",
    "push_forward",
    "total_correlation",
]
