"""Chapter 8: many networks of one shape, trained side by side in one batch."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import torch

from descent.adam import FRESH, adam_step
from descent.arguments import Array
from descent.chapters.overparameterization.numbers import LEARNING_RATE, STEPS
from descent.kept import kept
from descent.landscapes import OBJECTIVES, Shifted
from descent.networks import models

TOLERANCE = 1e-6
MAX_FIT_STEPS = 3000


class Ensemble:
    """Networks of one shape, one for each seed, with their weights stacked.

    Calling it returns x, shape (seeds, d), with the sums of `descent.networks.models.SkipNetwork`.
    """

    def __init__(
        self, model: str, in_ch: int, hidden_ch: int, out_ch: int, seeds: Sequence[int]
    ) -> None:
        made = [
            models.build(
                model, in_ch, hidden_ch, out_ch, generator=torch.Generator().manual_seed(s)
            )
            for s in seeds
        ]
        named = [dict(network.named_parameters()) for network in made]
        self.weights = {
            name: torch.stack([network[name].detach() for network in named]).requires_grad_()
            for name in named[0]
        }
        # Each layer of a group is a weight-normalized linear map and a ReLU.
        self.groups = [
            [f"groups.{k}.{i}" for i in range(0, len(group), 2)]
            for k, group in enumerate(made[0].groups)  # type: ignore[arg-type]
        ]

    def __call__(self) -> torch.Tensor:
        """Return x of every network."""
        w = self.weights
        features = [w["latent"]]
        for group in self.groups:
            h = torch.cat(features, dim=-1)
            for layer in group:
                length = w[f"{layer}.parametrizations.weight.original0"]
                along = w[f"{layer}.parametrizations.weight.original1"]
                # length · along/|along|, but the features are scaled, as there are fewer of them.
                scale = length / along.square().sum(-1, keepdim=True).sqrt()
                h = (h @ along.mT) * scale.mT + w[f"{layer}.bias"][:, None]
                h = torch.relu(h)
            features.append(h)
        return (features[-1] @ w["head.weight"].mT + w["head.bias"][:, None]).squeeze(1)


class Outcome(NamedTuple):
    """What the trainings of an ensemble did.

    Paths: x (steps, seeds, d) before each step. Steps of the fits, (seeds,). And Σ (∂x/∂w)² and
    Σ |∂x/∂w| at the start of the main run, (seeds, 2): what `sweeps.tangent_size` says of one.
    """

    x: Array
    fit_steps: Array
    tangents: Array


def _tangents(x: torch.Tensor, weights: list[torch.Tensor]) -> Array:
    """Return Σ (∂x/∂w)² and Σ |∂x/∂w| of each network, (seeds, 2); x keeps its graph."""
    sums = torch.zeros(len(x), 2, dtype=torch.float64)
    for k in range(x.shape[1]):
        for g in torch.autograd.grad(x[:, k].sum(), weights, retain_graph=True):
            flat = g.flatten(1).double()
            sums += torch.stack([flat.square().sum(1), flat.abs().sum(1)], dim=1)
    return np.asarray(sums)


@kept
def train_ensemble(
    model: str,
    in_ch: int,
    hidden_ch: int,
    objective: str,
    start: npt.ArrayLike,
    seeds: Sequence[int],
    shift: float = 0.0,
    learning_rate: float = LEARNING_RATE,
    decay: float = 0.0,
    optimizer: str = "adam",
    epochs: int = STEPS,
) -> Outcome:
    """Do what `descent.networks.reparameterization.train` does, for all seeds at once.

    Each network goes from its fit to its main run when it has arrived, so at one time some
    of them fit and others descend. Adam's moments are carried over.

    Parameters
    ----------
    start
        Shape (d,), or (seeds, d) when the networks do not share it. In the coordinates of the
        shifted objective.
    seeds
        Of the initial weights. A seed may come more than once, from a start beside the other:
        that repeats its run as another processor would, which rounds otherwise.
    learning_rate
        Of the main run; the fit has the source's.
    decay
        Share of the learning rate that is lost linearly in the main run.
    optimizer
        "adam", or "sgd" for plain descent in the main run.
    """
    if optimizer not in ("adam", "sgd"):
        raise ValueError(f"optimizer must be 'adam' or 'sgd'; got {optimizer!r}")
    begin = np.atleast_1d(np.asarray(start, float))
    if begin.ndim > 2 or (begin.ndim == 2 and len(begin) != len(seeds)):
        raise ValueError(f"start must have shape (d,) or ({len(seeds)}, d); got {begin.shape}")
    f, d = Shifted(OBJECTIVES[objective], shift), begin.shape[-1]
    target = torch.tensor(begin, dtype=torch.float32)
    networks = Ensemble(model, in_ch, hidden_ch, d, seeds)
    weights = list(networks.weights.values())
    moments = [FRESH] * len(weights)
    n = len(seeds)
    paths, tangents = np.full((epochs, n, d), np.nan), np.empty((n, 2))
    fit_steps, count = np.full(n, -1), 0
    while True:
        x = networks()
        errors = (x - target).square().mean(-1)
        arrived = (errors.detach().numpy() < TOLERANCE) | (count >= MAX_FIT_STEPS)
        begins = (fit_steps < 0) & arrived
        if begins.any():
            tangents[begins] = _tangents(x, weights)[begins]
        fit_steps = np.where(begins, count, fit_steps)
        epoch = count - fit_steps
        descending = (fit_steps >= 0) & (epoch < epochs)
        paths[epoch[descending], descending] = x.detach().numpy()[descending]
        if (fit_steps >= 0).all() and (epoch >= epochs - 1).all():
            return Outcome(paths, fit_steps, tangents)
        main = torch.tensor(fit_steps >= 0)
        losses = torch.where(main, f.value(x), errors)
        gradients = torch.autograd.grad(losses.sum(), weights)
        count += 1
        falling = learning_rate * (1 - decay * epoch.clip(0, epochs) / epochs)
        sizes = np.where(
            fit_steps < 0,
            LEARNING_RATE,
            falling,
        )
        size = torch.tensor(sizes, dtype=torch.float32)
        plain = main & (optimizer == "sgd")
        with torch.no_grad():
            for i, (w, g) in enumerate(zip(weights, gradients, strict=True)):
                shape = (n,) + (1,) * (w.ndim - 1)
                step, moments[i] = adam_step(g, moments[i])
                if plain.any():
                    step = torch.where(plain.view(shape), g, step)
                w -= size.view(shape) * step
