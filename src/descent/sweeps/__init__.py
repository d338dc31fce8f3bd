"""Sweeps: tables of results that take longer to compute than a chapter may run.

A sweep runs one function at many points of its parameters, all randomness from a seed among
them. ``python -m descent.sweeps`` computes what is missing and stores each table in
``book/sweeps``; a chapter loads it. A test computes a sample of every table's rows anew and
compares what another processor leaves of them.
"""

from descent.sweeps.comparison import (
    Close,
    Comparison,
    CountWithin,
    MedianWithin,
    MostAgree,
    NotCompared,
    ShareWithin,
)
from descent.sweeps.table import Sweep, grid, load, registry

__all__ = [
    "Close",
    "Comparison",
    "CountWithin",
    "MedianWithin",
    "MostAgree",
    "NotCompared",
    "ShareWithin",
    "Sweep",
    "grid",
    "load",
    "registry",
]
