"""Lyapunov exponents of maps and flows, of the whole and of a driven part."""

from descent.lyapunov.exponents import conditional_exponents, kaplan_yorke_dimension, spectrum

__all__ = [
    "conditional_exponents",
    "kaplan_yorke_dimension",
    "spectrum",
]
