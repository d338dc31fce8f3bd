"""Chapter 12: update tallies of deeper networks, and of other optimizers.

The same phases as in `descent.networks.localization.localize`, for any number of hidden layers
and any torch optimizer. An update is what a step does to a parameter, whatever rule makes it.
"""

import copy
from itertools import pairwise
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.nn.functional import softplus

from descent.chapters.knowledge_localization.numbers import Phases
from descent.networks.localization import Samples, correlation, share

OPTIMIZERS: dict[str, Any] = {
    "SGD": torch.optim.SGD,
    "momentum": lambda params, lr: torch.optim.SGD(params, lr=lr, momentum=0.9),
    "RMSprop": torch.optim.RMSprop,
    "Adam": torch.optim.Adam,
}


class Layers:
    """K networks of softplus layers at their He initialization, with an optimizer.

    Optimizers act on each number by itself, so that K networks in one tensor do not meet.

    Parameters
    ----------
    sizes : tuple of int
        Neurons of each layer, inputs first.
    n_networks : int
        K.
    optimizer : str
        A name in `OPTIMIZERS`.
    step_size : float
        η > 0.
    rng : numpy.random.Generator
        Networks are drawn one after the other, weights before biases, as in
        `descent.networks.perceptrons.he_initialization`.
    """

    def __init__(
        self,
        sizes: tuple[int, ...],
        n_networks: int,
        optimizer: str,
        step_size: float,
        rng: np.random.Generator,
    ) -> None:
        drawn: list[list[Any]] = [[] for _ in range(2 * (len(sizes) - 1))]
        for _ in range(n_networks):
            for k, (fan_in, width) in enumerate(pairwise(sizes)):
                drawn[2 * k].append(rng.normal(0, np.sqrt(2 / fan_in), (width, fan_in)))
                drawn[2 * k + 1].append(rng.normal(0, np.sqrt(2 / fan_in), (width, 1)))
        self.parameters = [torch.tensor(np.stack(d), requires_grad=True) for d in drawn]
        self.optimizer = OPTIMIZERS[optimizer](self.parameters, lr=step_size)

    def outputs(self, inputs: Tensor) -> Tensor:
        """Return the outputs for inputs of shape (inputs, samples), shape (K, 2, samples)."""
        h = inputs
        for weights, biases in zip(self.parameters[::2], self.parameters[1::2], strict=True):
            h = softplus(weights @ h + biases, threshold=100)
        return h

    def train(self, samples: Samples) -> tuple[Tensor, Tensor]:
        """Make one step a sample; return the tallies of the first weights for both sides."""
        weights = self.parameters[0]
        tallies = torch.zeros(2, *weights.shape, dtype=weights.dtype)
        x, y = torch.tensor(samples.inputs), torch.tensor(samples.targets)
        for k, side in enumerate(samples.side):
            before = weights.detach().clone()
            self.optimizer.zero_grad()
            loss = 0.5 * ((self.outputs(x[k, :, None]) - y[k, :, None]) ** 2).sum()
            loss.backward()  # type: ignore[no-untyped-call]
            self.optimizer.step()
            tallies[int(side)] += (weights.detach() - before).abs()
        return tallies[0], tallies[1]

    def accuracy(self, samples: Samples) -> float:
        """Return the share of samples that the networks tell right."""
        with torch.no_grad():
            found = self.outputs(torch.tensor(samples.inputs.T)).argmax(dim=1)
        return float((found.numpy() == samples.side).mean())


def deep_localization(
    samples: Phases,
    step_size: float,
    *,
    depth: int = 1,
    optimizer: str = "SGD",
    hidden: int = 100,
    n_networks: int = 8,
    seed: int = 0,
) -> dict[str, Any]:
    """Return the correlation of x and y over the first weights, by network, and the accuracy.

    Parameters
    ----------
    samples : Phases
    step_size : float
        η > 0.
    depth : int
        Number of hidden layers, at least 1.
    optimizer : str
        A name in `OPTIMIZERS`; its state is forked with the networks.
    hidden : int
        Neurons a layer.
    n_networks, seed : int

    Raises
    ------
    ValueError
        If the optimizer has no such name or there is no hidden layer.
    FloatingPointError
        If the training diverges.
    """
    if optimizer not in OPTIMIZERS:
        raise ValueError(f"optimizer must be one of {sorted(OPTIMIZERS)}; got {optimizer!r}")
    if depth < 1:
        raise ValueError(f"depth must be at least 1; got {depth!r}")
    sizes = (samples.first.inputs.shape[1], *[hidden] * depth, 2)
    layers = Layers(sizes, n_networks, optimizer, step_size, np.random.default_rng(seed))
    half = round(len(samples.first) / 2)
    layers.train(samples.first[:half])
    updating = share(*(tally.numpy() for tally in layers.train(samples.first[half:])))
    accuracy = layers.accuracy(samples.test)
    ends = {}
    for side, part in ((0, 1), (0, 0), (1, 1), (1, 0)):
        fork = copy.deepcopy(layers)
        fork.train(samples.rest.without(side, part))
        ends[side, part] = fork.parameters[0].detach().numpy()
        if not np.isfinite(ends[side, part]).all():
            raise FloatingPointError(f"training diverged at step_size={step_size!r}")
    difference = share(*(abs(ends[side, 1] - ends[side, 0]) for side in (0, 1)))
    r = [correlation(x, y) for x, y in zip(updating, difference, strict=True)]
    return {"weights": r, "accuracy": accuracy}
