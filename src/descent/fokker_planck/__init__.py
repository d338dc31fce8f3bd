"""The Fokker-Planck equation in one dimension: solver, stationary density, distances."""

from descent.fokker_planck.distances import total_variation, wasserstein_1
from descent.fokker_planck.explicit_scheme import DivergenceError, NegativeDensityWarning
from descent.fokker_planck.solver import (
    ORDERS,
    CoarseGridWarning,
    Order,
    probability_current,
    solve,
)
from descent.fokker_planck.stationary import stationary_density

__all__ = [
    "ORDERS",
    "CoarseGridWarning",
    "DivergenceError",
    "NegativeDensityWarning",
    "Order",
    "probability_current",
    "solve",
    "stationary_density",
    "total_variation",
    "wasserstein_1",
]
