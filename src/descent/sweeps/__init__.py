"""Sweeps: tables of results that take longer to compute than a chapter may run.

A sweep runs one function at many points of its parameters, all randomness from a seed among
them. ``python -m descent.sweeps`` computes what is missing and stores each table in
``book/sweeps``; a chapter loads it. A test computes a sample of every table's rows anew.
"""

from descent.sweeps.table import Sweep, grid, load, registry

__all__ = ["Sweep", "grid", "load", "registry"]
