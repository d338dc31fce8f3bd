"""Deterministic systems with named variables: maps, flows and their derivatives."""

from descent.dynamics.derivatives import complex_step, finite_differences
from descent.dynamics.system import Flow, Map

__all__ = [
    "Flow",
    "Map",
    "complex_step",
    "finite_differences",
]
