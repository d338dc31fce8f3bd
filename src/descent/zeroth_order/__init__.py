"""Optimizers that only evaluate the loss: one idea a module (source 002)."""

from descent.zeroth_order.accumulated import Accumulated
from descent.zeroth_order.after_step import AfterStepGrad
from descent.zeroth_order.annealing import SimulatedAnnealing
from descent.zeroth_order.averaged import AveragedGrad
from descent.zeroth_order.base import NonFiniteLoss, ZerothOrder
from descent.zeroth_order.best_momentum import BestMomentum
from descent.zeroth_order.best_of_n import RandomBestGrad
from descent.zeroth_order.breeding import BreedOptimizers
from descent.zeroth_order.consensus import Consensus
from descent.zeroth_order.covariance_adaptation import CovarianceAdaptation
from descent.zeroth_order.driven import Driven
from descent.zeroth_order.ensemble_kalman import EnsembleKalman
from descent.zeroth_order.evolution import EvolutionStrategy
from descent.zeroth_order.forward_gradient import ForwardGradient
from descent.zeroth_order.gradient_gravity import GradientGravity
from descent.zeroth_order.gravitational_search import GravitationalSearch
from descent.zeroth_order.gravity import Gravity
from descent.zeroth_order.guided import GuidedEvolution
from descent.zeroth_order.line_parabola import LineParabola
from descent.zeroth_order.mezo import MeZO
from descent.zeroth_order.natural_evolution import NaturalEvolution
from descent.zeroth_order.order_walk import OrderWalk
from descent.zeroth_order.parameters import ParameterVector
from descent.zeroth_order.particle_gradients import ParticleGradient
from descent.zeroth_order.population import Population
from descent.zeroth_order.random_grad import RandomGrad
from descent.zeroth_order.registry import REGISTRY, Idea
from descent.zeroth_order.second_order import SecondOrderSPSA
from descent.zeroth_order.separate import separate_starts
from descent.zeroth_order.several_rates import SeveralRates
from descent.zeroth_order.smoothed import SmoothedGrad
from descent.zeroth_order.spall import SpallSPSA
from descent.zeroth_order.spsa import SPSA
from descent.zeroth_order.swarm import ParticleSwarm
from descent.zeroth_order.swarm_gradient import SwarmGradient, swarm_gradient
from descent.zeroth_order.undo import UndoIncrease
from descent.zeroth_order.variable_order import VariableOrderWalk

__all__ = [
    "REGISTRY",
    "SPSA",
    "Accumulated",
    "AfterStepGrad",
    "AveragedGrad",
    "BestMomentum",
    "BreedOptimizers",
    "Consensus",
    "CovarianceAdaptation",
    "Driven",
    "EnsembleKalman",
    "EvolutionStrategy",
    "ForwardGradient",
    "GradientGravity",
    "GravitationalSearch",
    "Gravity",
    "GuidedEvolution",
    "Idea",
    "LineParabola",
    "MeZO",
    "NaturalEvolution",
    "NonFiniteLoss",
    "OrderWalk",
    "ParameterVector",
    "ParticleGradient",
    "ParticleSwarm",
    "Population",
    "RandomBestGrad",
    "RandomGrad",
    "SecondOrderSPSA",
    "SeveralRates",
    "SimulatedAnnealing",
    "SmoothedGrad",
    "SpallSPSA",
    "SwarmGradient",
    "UndoIncrease",
    "VariableOrderWalk",
    "ZerothOrder",
    "separate_starts",
    "swarm_gradient",
]
