r"""Chapter 10: the problems of the race, and the counter that all racers share (source 002).

Every problem is a function of one flat vector. The landscapes are stretched so that their
usual box becomes :math:`[-5, 5]^d`, and moved so that no minimizer lies at a special place.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from itertools import pairwise

import numpy as np
import torch
from torch import Tensor

from descent.arguments import Array
from descent.landscapes import OBJECTIVES, Shifted

BOX = 5.0
"""Half the width of the box that a landscape is stretched to."""
BUDGET = 2000
"""Evaluations that a racer may spend on a problem."""
CHECKPOINTS = tuple(int(n) for n in np.unique(np.geomspace(10, BUDGET, 18).round()))
"""Numbers of evaluations after which the best loss so far is recorded."""

LANDSCAPES = ("ackley", "rosenbrock", "rastrigin")
NETWORKS = ("mlp", "digits")
PROBLEMS = LANDSCAPES + NETWORKS
"""What the methods are compared on."""
TUNING = {"landscape": ("sphere", "griewank"), "network": ("teacher", "wine")}
"""What their hyperparameters are chosen on, for each kind of problem."""


@dataclass(frozen=True, eq=False)
class Problem:
    """A function to be minimized from a start, without its gradient.

    Parameters
    ----------
    name : str
    start : torch.Tensor (d,)
        In double precision, as everything here.
    value : callable
        Points (..., d) to losses (...).
    residuals : callable
        Points (..., d) to (..., r) whose squares sum to the loss above the minimum. One
        root of the loss where no better residuals are known.
    draw : callable
        From a generator to another start (d,), drawn as this one was.
    accuracy : callable, optional
        From a point to the share of unseen data that it classifies rightly.
    """

    name: str
    start: Tensor
    value: Callable[[Tensor], Tensor]
    residuals: Callable[[Tensor], Tensor]
    draw: Callable[[np.random.Generator], Array]
    accuracy: Callable[[Tensor], float] | None = None

    @property
    def dimension(self) -> int:
        """The number d of parameters."""
        return len(self.start)

    def starts(self, n: int, seed: int) -> Array:
        """Return n starts (n, d), of which the first is the problem's own."""
        rng = np.random.default_rng(seed)
        return np.array([self.start.numpy(), *(self.draw(rng) for _ in range(n - 1))])


def kind(name: str) -> str:
    """Return whether a problem is a landscape or a network."""
    return "network" if name in (*NETWORKS, *TUNING["network"]) else "landscape"


def problem(name: str, seed: int) -> Problem:
    """Return a problem; the seed draws its start, its shift and its data.

    Parameters
    ----------
    name : str
        One of `PROBLEMS`, or of the problems in `TUNING`.
    seed : int

    Raises
    ------
    ValueError
        For a name that is not known.

    Examples
    --------
    >>> bowl = problem("sphere", seed=1)
    >>> bowl.dimension, bool(bowl.value(bowl.start) > 1)
    (10, True)
    """
    rng = np.random.default_rng(seed)
    makers: dict[str, Callable[[np.random.Generator], Problem]] = {
        "mlp": _wave,
        "teacher": _teacher,
        "digits": _digits,
        "wine": _wine,
    }
    if name in makers:
        return makers[name](rng)
    if name in OBJECTIVES:
        return landscape(name, 10, rng)
    raise ValueError(f"name must be one of {sorted({*makers, *OBJECTIVES})}; got {name!r}")


def landscape(name: str, d: int, rng: np.random.Generator) -> Problem:
    r"""Return a landscape with its minimizer drawn from the inner half of the box.

    :math:`u \mapsto f(x^* + w (u - o))`, with the stretch w that makes the box
    :math:`[-5, 5]^d` and with o the minimizer.
    """
    f = OBJECTIVES[name]
    low, high = (-50.0, 50.0) if name == "griewank" else f.box  # where its ripples matter
    stretch = (high - low) / (2 * BOX)
    place = rng.uniform(-BOX / 2, BOX / 2, d)
    moved = Shifted(f, stretch * place - f.minimizers(d)[0])

    def draw(rng: np.random.Generator) -> Array:
        return rng.uniform(-0.8 * BOX, 0.8 * BOX, d)

    def value(u: Tensor) -> Tensor:
        if not u.requires_grad:  # NumPy is faster on short vectors
            return torch.as_tensor(moved.value(stretch * u.numpy()))
        return moved.value(stretch * u)  # type: ignore[no-any-return]

    def root(u: Tensor) -> Tensor:
        return (value(u) - f.minimum).clamp_min(0).sqrt()[..., None]

    def valley(u: Tensor) -> Tensor:
        x = 1 + stretch * (u - torch.as_tensor(place))
        a, b = x[..., :-1], x[..., 1:]
        return torch.cat([10 * (b - a**2), 1 - a], -1)

    def distance(u: Tensor) -> Tensor:
        return stretch * (u - torch.as_tensor(place))

    residuals = {"rosenbrock": valley, "sphere": distance}.get(name, root)
    return Problem(name, torch.tensor(draw(rng)), value, residuals, draw)


# Networks


def _layers(theta: Tensor, sizes: tuple[int, ...]) -> list[tuple[Tensor, Tensor]]:
    """Cut flat parameters (..., d) into weights (..., out, in) and biases (..., out)."""
    made, at = [], 0
    for n_in, n_out in pairwise(sizes):
        flat = theta[..., at : at + n_in * n_out]
        weight = flat.reshape(*theta.shape[:-1], n_out, n_in)
        at += n_in * n_out
        made.append((weight, theta[..., at : at + n_out]))
        at += n_out
    return made


def network(theta: Tensor, x: Tensor, sizes: tuple[int, ...]) -> Tensor:
    """Return the outputs (..., n, out) of a tanh network with flat parameters (..., d)."""
    for depth, (weight, bias) in enumerate(_layers(theta, sizes)):
        x = torch.matmul(x, weight.mT) + bias[..., None, :]
        if depth < len(sizes) - 2:
            x = torch.tanh(x)
    return x


def _initial(sizes: tuple[int, ...], rng: np.random.Generator) -> Array:
    """Draw flat parameters: weights and biases of variance 1/in, as is usual for tanh."""
    parts = [rng.normal(0, n_in**-0.5, (n_in + 1) * n_out) for n_in, n_out in pairwise(sizes)]
    return np.asarray(np.concatenate(parts))


def _regression(
    name: str, x: Array, y: Array, sizes: tuple[int, ...], rng: np.random.Generator
) -> Problem:
    inputs, targets = torch.tensor(x), torch.tensor(y)

    def residuals(theta: Tensor) -> Tensor:
        return (network(theta, inputs, sizes) - targets).flatten(-2) / math.sqrt(targets.numel())

    return Problem(
        name,
        torch.tensor(_initial(sizes, rng)),
        lambda theta: residuals(theta).square().sum(-1),
        residuals,
        lambda rng: _initial(sizes, rng),
    )


def _wave(rng: np.random.Generator) -> Problem:
    """Let a 1-8-1 network learn a wave of random phase from 32 points: 25 parameters."""
    x = np.linspace(-1, 1, 32)[:, None]
    y = np.sin(1.5 * np.pi * x + rng.uniform(0, 2 * np.pi))
    return _regression("mlp", x, y, (1, 8, 1), rng)


def _teacher(rng: np.random.Generator) -> Problem:
    """Let a 2-5-1 network learn another one with random weights: 21 parameters."""
    x = rng.normal(size=(40, 2))
    truth = torch.tensor(2 * _initial((2, 5, 1), rng))
    y = network(truth, torch.tensor(x), (2, 5, 1)).numpy()
    return _regression("teacher", x, y, (2, 5, 1), rng)


def _classification(
    name: str, data: tuple[Array, Array], n_train: int, rng: np.random.Generator
) -> Problem:
    """Softmax regression from zero weights on a random part of the data."""
    inputs, labels = data
    order = rng.permutation(len(inputs))
    x, y = torch.tensor(inputs[order]), torch.tensor(labels[order])
    sizes = (x.shape[1], int(y.max()) + 1)
    seen, unseen = slice(None, n_train), slice(n_train, None)

    def losses(theta: Tensor) -> Tensor:
        scores = network(theta, x[seen], sizes).log_softmax(-1)
        own: Tensor = -scores.gather(-1, y[seen, None].expand(*scores.shape[:-1], 1))
        return own.squeeze(-1)

    def accuracy(theta: Tensor) -> float:
        return float((network(theta, x[unseen], sizes).argmax(-1) == y[unseen]).double().mean())

    return Problem(
        name,
        torch.zeros((sizes[0] + 1) * sizes[1], dtype=torch.float64),
        lambda theta: losses(theta).mean(-1),
        lambda theta: (losses(theta) / n_train).sqrt(),
        lambda rng: _initial(sizes, rng),
        accuracy,
    )


@cache
def _small_digits() -> tuple[Array, Array]:
    """Scikit-learn's digits at 4 by 4 pixels, in standard units."""
    from sklearn.datasets import load_digits  # slow to import

    images, labels = load_digits(return_X_y=True)
    pixels = images.reshape(-1, 4, 2, 4, 2).mean((2, 4)).reshape(-1, 16)
    return (pixels - pixels.mean()) / pixels.std(), labels


def _digits(rng: np.random.Generator) -> Problem:
    """Softmax regression of 300 digits of 4 by 4 pixels: 170 parameters."""
    return _classification("digits", _small_digits(), 300, rng)


def _wine(rng: np.random.Generator) -> Problem:
    """Softmax regression of 120 wines, a fifth of them mislabelled: 42 parameters.

    Rightly labelled wines can be told apart without error, and the loss has no minimum.
    """
    from sklearn.datasets import load_wine

    inputs, labels = load_wine(return_X_y=True)
    labels = np.where(rng.random(len(labels)) < 0.2, rng.permutation(labels), labels)
    return _classification("wine", ((inputs - inputs.mean(0)) / inputs.std(0), labels), 120, rng)


# Counting


class BudgetSpent(Exception):
    """All evaluations are spent."""


class Evaluations:
    """A problem that counts its evaluations and keeps the best.

    The loss at the start is known to all and not counted. Called with points (..., d), it
    returns their losses (...), and raises `BudgetSpent` when it is asked for more than the
    budget; those within it are counted still. A loss that is not a number counts as infinite.

    Attributes
    ----------
    count : int
    start_loss : float
    best : float
    best_point : torch.Tensor (d,)
    """

    def __init__(self, problem: Problem, budget: int = BUDGET) -> None:
        self.problem, self.budget = problem, budget
        self.count, self.start_loss = 0, float(problem.value(problem.start))
        self.best = self.start_loss
        self.best_point = problem.start.clone()
        self._losses = np.full(budget, np.inf)

    def __call__(self, x: Tensor) -> Tensor:
        """Return the losses of points."""
        return self._count(x, self.problem.value(x))

    def residuals(self, x: Tensor) -> Tensor:
        """Return the residuals of points; costs as much as their losses do."""
        residuals = self.problem.residuals(x)
        self._count(x, self.problem.value(x))
        return residuals

    def number(self, x: Array) -> float:
        """Return the loss of one array, for programs that know no tensors."""
        return float(self(torch.as_tensor(np.asarray(x, float))))

    def _count(self, x: Tensor, losses: Tensor) -> Tensor:
        room = self.budget - self.count
        values = losses.detach().numpy().reshape(-1)[:room]
        if len(values):
            finite = np.where(np.isnan(values), np.inf, values)
            self._losses[self.count : self.count + len(finite)] = finite
            self.count += len(finite)
            leader = int(finite.argmin())
            if finite[leader] < self.best:
                self.best = float(finite[leader])
                self.best_point = x.detach().reshape(-1, x.shape[-1])[leader].clone()
        if losses.numel() > room:
            raise BudgetSpent
        return losses

    def curve(self, checkpoints: tuple[int, ...] = CHECKPOINTS) -> Array:
        """Return the best loss after each number of evaluations."""
        best: Array = np.minimum(np.minimum.accumulate(self._losses), self.start_loss)
        return np.asarray(best[np.array(checkpoints) - 1])
