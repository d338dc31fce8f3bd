"""Chapter 12: the diagonal of the Fisher information, empirical and true, beside the tallies.

A squared error ½ |o - q|² is the negative log-likelihood of a normal q around o with variance one.
The true Fisher information takes the mean over labels q drawn from the model, the empirical one
puts the labels of the data in their place (Kunstner, Hennig and Balles 2019)::

    F_true = Σ_n Σ_k (∂o_k(n)/∂θ)²,        F_empirical = Σ_n (Σ_k (o_k(n) - q_k(n)) ∂o_k(n)/∂θ)².
"""

import numpy as np

from descent.arguments import Array
from descent.networks.activations import ACTIVATIONS
from descent.networks.localization import Samples, share
from descent.networks.perceptrons import Perceptrons


def _by_side(networks: Perceptrons, samples: Samples, empirical: bool) -> Array:
    x = samples.inputs
    hidden, bias, final, final_bias = networks.parameters().values()
    h, slope = ACTIVATIONS[networks.activation](x @ hidden.swapaxes(1, 2) + bias[:, None])
    o, final_slope = ACTIVATIONS[networks.output_activation](
        h @ final.swapaxes(1, 2) + final_bias[:, None]
    )
    if empirical:
        squares = (((o - samples.targets) * final_slope) @ final) ** 2
    else:
        squares = final_slope**2 @ final**2
    signals = squares * slope**2
    return np.stack(
        [
            signals[:, samples.side == side].swapaxes(1, 2) @ x[samples.side == side] ** 2
            for side in (0, 1)
        ]
    )


def fisher_share(networks: Perceptrons, samples: Samples, *, empirical: bool) -> Array:
    """Return side 0's share of the Fisher information of the hidden weights, at one place.

    Shape (K, hidden, inputs). With ``empirical`` the labels are those of the data, else they are
    drawn from the model: the mean over them is exact.
    """
    return share(*_by_side(networks, samples, empirical))
