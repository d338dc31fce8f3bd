"""Closing page: the ways out that see values alone, and those behind a network."""

import math
from collections.abc import Iterable, Sequence
from functools import cache
from typing import Any
from zlib import crc32

import numpy as np
import torch

from descent.adam import FRESH, adam_step
from descent.arguments import Array
from descent.chapters.overparameterization.ensemble import Ensemble
from descent.chapters.overparameterization.numbers import with_step_lengths
from descent.chapters.ways_out.numbers import BUDGET, LENGTHS, SPREAD, WIDTH, Trace, starts
from descent.landscapes import two_datapoint
from descent.zeroth_order import NonFiniteLoss
from descent.zeroth_order.idea import Idea, Setting
from descent.zeroth_order.registry import REGISTRY

LOSS_COST = 2
"""Evaluations of one value, or one gradient, of the mean loss."""


def mean_loss(w: float) -> float:
    """Return L(w) of one number; `FiniteSum.loss` is slow on single numbers."""
    if abs(w) > 100:
        return 0.0  # all but; the square would overflow far out
    return -math.exp(-((w - 2) ** 2)) - math.exp(-100 * (w - 1) ** 2) / 2


CLOUD = {"spread": 1.0, "size": 10}
OPTIONS: dict[str, Setting] = {
    "random-grad": {"lr": 1.0, "h": 1.0},
    "undo": {"lr": 1.0, "h": 1.0},
    "spsa": {"h": 1.0},
    "order-walk": {"lr": 1.0},
    "annealing": {"lr": 1.0, "temperature": 0.1, "cooling": 0.99},
    "evolution": CLOUD,
    "particle-swarm": CLOUD,
    "gravity": CLOUD,
    "consensus": CLOUD,
    "simplex-gradient": CLOUD,
}
"""The options of each idea that searches here; lengths are in units of λ widths.

SPSA keeps its step size, `CALM` by default in the registry: its length is that of its probe.
"""
SEARCHES: dict[str, Idea] = {REGISTRY[slug].name: REGISTRY[slug] for slug in OPTIONS}
"""The searches by the name that the reader sees."""
LENGTH_OPTIONS = ("lr", "h", "spread")
NETWORKS = ("mlp5", "mlp9", "mlp17")
HIDDEN, LATENT = 8, 2
FIT_RATE, FIT_STEPS = 1e-2, 800
FITTED = SPREAD
"""A network is fitted if its x is within so much of its start: no farther than starts differ."""


def options(search: str, length: float) -> dict[str, Any]:
    """Return the options of a search at a length λ."""
    given = dict(OPTIONS[SEARCHES[search].slug])
    for name in LENGTH_OPTIONS:
        if name in given:
            given[name] *= length * WIDTH
    return given


def _groups(optimizer: Any) -> list[dict[str, Any]]:
    """Return the groups with a step size, of an optimizer and of one inside it, each once."""
    inner = getattr(optimizer, "optimizer", None)
    found = optimizer.param_groups + ([] if inner is None else inner.param_groups)
    return list({id(group): group for group in found if "lr" in group}.values())


def search_once(search: str, length: float, start: float, seed: int) -> tuple[Array, Array]:
    """Return what one run has spent after each step, and where its parameter is then.

    The parameter is what the optimizer leaves there: for a population its best point, which is
    the start until a candidate is better.
    """
    x, chosen = torch.tensor([start], dtype=torch.float64), options(search, length)
    optimizer = SEARCHES[search].optimizer([x], seed, **chosen)
    falling = _groups(optimizer) if "lr" in chosen else []
    rates = [group["lr"] for group in falling]
    spent, w = [0.0], [start]
    while True:
        try:
            optimizer.step(lambda: mean_loss(x.item()))
        except NonFiniteLoss:
            break
        if LOSS_COST * optimizer.evaluations > BUDGET:
            break  # a step that is not paid for does not count
        spent.append(float(LOSS_COST * optimizer.evaluations))
        w.append(x.item())
        for group, rate in zip(falling, rates, strict=True):  # as in chapter 10
            group["lr"] = rate * max(1 - spent[-1] / BUDGET, 1e-3)
    return np.array(spent), np.array(w)


def search_trace(search: str, length: float, w0: Array, seeds: Iterable[int]) -> Trace:
    """Run a search from each start with its seed; a shorter run is filled up with its end."""
    torch.set_num_threads(1)
    runs = [
        search_once(search, length, float(w), int(seed)) for w, seed in zip(w0, seeds, strict=True)
    ]
    longest = max(len(w) for _, w in runs)
    filled = [[np.pad(row, (0, longest - len(row)), "edge") for row in run] for run in runs]
    spent, w = np.moveaxis(np.array(filled), 0, -1)
    return Trace(spent, w)


class Networks:
    """Networks of one shape, each fitted to a start of its own, and ready to descend.

    Parameters
    ----------
    model : str
        One of `NETWORKS`.
    w0 : array (runs,)
        What each network is fitted to, by Adam on the squared distance: no evaluations.
    seeds : sequence of int
        One for each network's first weights.
    """

    def __init__(self, model: str, w0: Array, seeds: Sequence[int]) -> None:
        torch.set_num_threads(1)
        self.ensemble = Ensemble(model, LATENT, HIDDEN, 1, seeds)
        weights = list(self.ensemble.weights.values())
        target = torch.tensor(w0, dtype=torch.float32)
        adam = torch.optim.Adam(weights, lr=FIT_RATE)
        for step in range(FIT_STEPS):
            adam.param_groups[0]["lr"] = FIT_RATE * (1 - step / FIT_STEPS)
            gradients = torch.autograd.grad((self.x - target).square().sum(), weights)
            for weight, gradient in zip(weights, gradients, strict=True):
                weight.grad = gradient
            adam.step()
        self.fitted = {name: w.detach() for name, w in self.ensemble.weights.items()}
        self.misfit = float((self.x.detach() - target).abs().max())
        gradients = torch.autograd.grad(self.x.sum(), weights)
        rows = [g.abs().flatten(1).sum(1) for g in gradients]
        self.first_move: Array = torch.stack(rows).sum(0).double().numpy()
        """How far a first step of Adam moves each x, per unit of the learning rate."""

    @property
    def x(self) -> torch.Tensor:
        """The coordinate that each network holds, (runs,)."""
        return self.ensemble()[:, 0]

    def descend(self, lengths: Sequence[float], shift: float = 0.0) -> Array:
        """Return the paths of x, (steps + 1, lengths, runs), under a fresh Adam on L.

        The rate of a length λ makes the median first move λ widths long. The shift is added
        to the last layer's bias, and so to x. All lengths are trained side by side.
        """
        n, runs = len(lengths), len(self.first_move)
        copies = {
            name: w.repeat(n, *(1,) * (w.ndim - 1)).requires_grad_()
            for name, w in self.fitted.items()
        }
        self.ensemble.weights = copies
        weights = list(copies.values())
        with torch.no_grad():
            copies["head.bias"] += shift
        per_length = np.array(lengths) * WIDTH / np.median(self.first_move)
        rates = torch.tensor(np.repeat(per_length, runs), dtype=torch.float32)
        moments = [FRESH] * len(weights)
        gradient, path = two_datapoint().mean_gradient, []
        for _ in range(BUDGET // LOSS_COST):
            x = self.x
            path.append(x.detach().double().numpy())
            slopes = torch.tensor(gradient(path[-1]), dtype=torch.float32)
            gradients = torch.autograd.grad(x, weights, slopes)
            with torch.no_grad():  # each network has its own rate
                for i, (w, g) in enumerate(zip(weights, gradients, strict=True)):
                    step, moments[i] = adam_step(
                        g, moments[i], rates.view(-1, *(1,) * (w.ndim - 1))
                    )
                    w -= step
        path.append(self.x.detach().double().numpy())
        return np.array(path).reshape(len(path), n, runs)


@cache
def network_paths(model: str, runs: int, seeds: tuple[int, ...], shift: float = 0.0) -> Array:
    """Return the paths (steps + 1, lengths, runs of each seed) of networks at all `LENGTHS`."""
    w0 = [starts(runs, np.random.default_rng((seed, crc32(model.encode())))) for seed in seeds]
    weights = [runs * seed + i for seed in seeds for i in range(runs)]
    networks = Networks(model, np.concatenate(w0), weights)
    if networks.misfit > FITTED:
        raise ValueError(f"a network of {model} misses its start by {networks.misfit:.2g}")
    return networks.descend(LENGTHS, shift)


def network_trace(path: Array) -> Trace:
    """Return a path of networks with what it costs."""
    return Trace(LOSS_COST * np.arange(float(len(path)))[:, None], path)


def same_steps(path: Array) -> Array:
    """Return descents in x itself whose steps have the lengths of another path's steps."""
    lengths = np.abs(np.diff(path, axis=0))[..., None]
    start = path[0][:, None]
    return with_step_lengths(two_datapoint().mean_gradient, start, lengths, momentum=0.9)[..., 0]
