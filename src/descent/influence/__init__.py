"""Comparing worlds: what a part of a system does to a disturbance elsewhere."""

from descent.influence.measures import comp, linear_thermostat_comp, op, slog_comp
from descent.influence.norm import op_norm
from descent.influence.spectrum import op_spectrum
from descent.influence.width import removed_width

__all__ = [
    "comp",
    "linear_thermostat_comp",
    "op",
    "op_norm",
    "op_spectrum",
    "removed_width",
    "slog_comp",
]
