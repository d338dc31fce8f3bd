"""Explorers: a figure with controls, from one draw function."""

from descent.explorer.explorer import (
    MAX_BYTES,
    BudgetError,
    Explorer,
    explore,
    registry,
)
from descent.explorer.states import MAX_STATES

__all__ = [
    "MAX_BYTES",
    "MAX_STATES",
    "BudgetError",
    "Explorer",
    "explore",
    "registry",
]
