"""Entropies and optimizing strength: `finite` systems here, continuous ones beside them.

`descent.information.differential_entropy` has the continuous case.
"""

from descent.information.finite import (
    Distribution,
    adjusted_optimizing_strength,
    decorrelate,
    entropy,
    erased_entropy,
    mutual_information,
    narrow_start,
    optimizing_strength,
    push_forward,
)

__all__ = [
    "Distribution",
    "adjusted_optimizing_strength",
    "decorrelate",
    "entropy",
    "erased_entropy",
    "mutual_information",
    "narrow_start",
    "optimizing_strength",
    "push_forward",
]
