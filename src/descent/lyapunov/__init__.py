"""Lyapunov exponents of maps and flows, of the whole and of a driven part."""

from descent.lyapunov.covariant import CovariantVectors, covariant_vectors
from descent.lyapunov.exponents import conditional_exponents, kaplan_yorke_dimension, spectrum
from descent.lyapunov.history import Convergence, convergence

__all__ = [
    "Convergence",
    "CovariantVectors",
    "conditional_exponents",
    "convergence",
    "covariant_vectors",
    "kaplan_yorke_dimension",
    "spectrum",
]
