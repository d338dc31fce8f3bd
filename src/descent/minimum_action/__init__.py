r"""Cheapest ways out of a pit in several dimensions: the geometric minimum action.

A walk of small steps, or a diffusion of little noise, leaves along the path that costs least.
Its cost is the action, and the quasi-potential is the least one between two places:

.. math:: V(a, b) = \inf_{\varphi: a \to b} \int p^*(\varphi, \dot\varphi) \cdot d\varphi \tag{1}

.. math:: H(x, p^*) = 0, \qquad H_p(x, p^*) = s\, \dot\varphi, \quad s \ge 0 \tag{2}

H(x, p) is the logarithm of the mean of exp(p · move), of one draw in units of the step size
(`of_draws`) or per unit of time (`of_diffusion`). Where the noise is that of a gradient flow the
path is the way in, reversed; where a current circulates it is not.

Source: 003, post 1, asks how a walk leaves a pit, in one dimension. The geometric form of the
action is that of Heymann and Vanden-Eijnden, Communications on Pure and Applied Mathematics 61
(2008) 1052; the theory Freidlin and Wentzell's, Random Perturbations of Dynamical Systems.
"""

from descent.minimum_action.hamiltonian import (
    Hamiltonian,
    NoWay,
    momentum,
    of_diffusion,
    of_draws,
)
from descent.minimum_action.path import MinimumAction, action, minimum_action

__all__ = [
    "Hamiltonian",
    "MinimumAction",
    "NoWay",
    "action",
    "minimum_action",
    "momentum",
    "of_diffusion",
    "of_draws",
]
