"""Explorers: a figure with controls, from one draw function."""

from descent.explorer.explorer import (
    MAX_BYTES,
    BudgetError,
    Explorer,
    explore,
    live_models,
    registry,
)
from descent.explorer.grab import Handle
from descent.explorer.live_model import MOVING, LiveModel, live, span
from descent.explorer.states import MAX_STATES

__all__ = [
    "MAX_BYTES",
    "MAX_STATES",
    "MOVING",
    "BudgetError",
    "Explorer",
    "Handle",
    "LiveModel",
    "explore",
    "live",
    "live_models",
    "registry",
    "span",
]
