"""Optimizers that only evaluate the loss: one idea a module (source 002)."""

from descent.zeroth_order.base import NonFiniteLoss, ZerothOrder
from descent.zeroth_order.driven import Driven
from descent.zeroth_order.parameters import ParameterVector
from descent.zeroth_order.population import Population
from descent.zeroth_order.random_grad import RandomGrad
from descent.zeroth_order.registry import REGISTRY, Idea
from descent.zeroth_order.swarm import ParticleSwarm
from descent.zeroth_order.undo import UndoIncrease

__all__ = [
    "REGISTRY",
    "Driven",
    "Idea",
    "NonFiniteLoss",
    "ParameterVector",
    "ParticleSwarm",
    "Population",
    "RandomGrad",
    "UndoIncrease",
    "ZerothOrder",
]
