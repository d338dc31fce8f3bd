"""Deterministic systems with named variables: maps, flows and their derivatives."""

from descent.dynamics.system import Flow, Map, complex_step

__all__ = [
    "Flow",
    "Map",
    "complex_step",
]
