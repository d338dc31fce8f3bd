"""Explorers: a figure with controls, from one draw function."""

from descent.explorer.explorer import (
    MAX_BYTES,
    MAX_STATES,
    BudgetError,
    Explorer,
    explore,
    registry,
)

__all__ = [
    "MAX_BYTES",
    "MAX_STATES",
    "BudgetError",
    "Explorer",
    "explore",
    "registry",
]
