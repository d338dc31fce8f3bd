"""Chapter 10: the racers, each with the settings that are tried for it."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
import torch
from torch import Generator, Tensor
from torch.optim import SGD, Adam, Optimizer

from descent import zeroth_order as library
from descent.chapters.without_gradients.numbers import Evaluations
from descent.chapters.without_gradients.peers import PEERS, Racer

Setting = Mapping[str, Any]
Build = Callable[..., Optimizer]
"""From a list of one vector, a generator and options to an optimizer."""


@dataclass(frozen=True)
class Method:
    """Something that minimizes, and the settings that are tried for it.

    Parameters
    ----------
    race : callable
        Runs it until the budget is spent.
    settings : sequence of dict
    build : callable, optional
        Makes it; a `torch.optim.Optimizer` of the parameters, or a population of the start.
    """

    race: Racer
    settings: Sequence[Setting]
    build: Callable[..., Any] | None = None

    def setting(self, text: str) -> Setting:
        """Return the setting that a text of `described` stands for."""
        return next(setting for setting in self.settings if described(setting) == text)


def described(setting: Setting) -> str:
    """Return a setting as a text, by which the tables name it.

    Examples
    --------
    >>> described({"lr": 0.1, "h": 0.01})
    'lr=0.1 h=0.01'
    """
    return " ".join(f"{name}={value}" for name, value in setting.items())


def stepping(
    build: Build, settings: Sequence[Setting], *, gradient: bool = False, fade: bool = True
) -> Method:
    """Return the method that steps an optimizer.

    Parameters
    ----------
    build : callable
        ``build(params, generator=, **setting)``.
    settings : sequence of dict
    gradient : bool
        Let the closure compute the gradient; that counts as one evaluation still.
    fade : bool
        Let the step size fall in a straight line to zero at the end of the budget.
    """

    def race(f: Evaluations, seed: int, **setting: Any) -> None:
        x = f.problem.start.clone().requires_grad_(gradient)
        optimizer = build([x], generator=Generator().manual_seed(seed), **setting)
        groups = [group for group in _groups(optimizer) if fade and "lr" in group]
        rates = [group["lr"] for group in groups]

        def closure() -> Tensor:
            loss = f(x)
            if gradient and torch.is_grad_enabled():
                (x.grad,) = torch.autograd.grad(loss, x)
            return loss

        while True:
            optimizer.step(closure)  # type: ignore[arg-type]
            for group, rate in zip(groups, rates, strict=True):
                group["lr"] = rate * max(1 - f.count / f.budget, 1e-3)

    return Method(race, settings, build)


def _groups(optimizer: Optimizer) -> list[dict[str, Any]]:
    """Return the parameter groups of an optimizer and of those inside it, each once."""
    inner = getattr(optimizer, "optimizer", None)
    found = optimizer.param_groups + ([] if inner is None else _groups(inner))
    return list({id(group): group for group in found}.values())


def asking(
    build: Callable[..., library.Population],
    settings: Sequence[Setting],
    *,
    residuals: bool = False,
    apart: bool = False,
) -> Method:
    """Return the method that asks a population and tells it the losses.

    Parameters
    ----------
    build : callable
        ``build(start, generator=, **setting)``.
    settings : sequence of dict
    residuals : bool
        Tell residuals whose half squares sum to the loss, in place of losses.
    apart : bool
        Give each member a start of its own, drawn as the problem's start was.
    """

    def race(f: Evaluations, seed: int, **setting: Any) -> None:
        start = f.problem.start.numpy()
        if apart:
            start = f.problem.starts(setting.pop("size"), seed)
        population = build(start, generator=np.random.default_rng(seed), **setting)
        while True:
            points = torch.from_numpy(population.ask())
            told = f.residuals(points) * 2**0.5 if residuals else f(points)
            population.tell(told.numpy())

    return Method(race, settings, build)


def grid(**lists: Sequence[Any]) -> list[Setting]:
    """Return all combinations of some lists of options.

    Examples
    --------
    >>> grid(lr=[1, 2], h=[3])
    [{'lr': 1, 'h': 3}, {'lr': 2, 'h': 3}]
    """
    made: list[dict[str, Any]] = [{}]
    for name, values in lists.items():
        made = [{**setting, name: value} for setting in made for value in values]
    return list(made)


def with_adam(kind: Callable[..., Optimizer], **fixed: Any) -> Build:
    """Return an estimator whose estimates go to Adam; ``lr`` is Adam's."""

    def build(params: list[Tensor], *, lr: float, h: float, generator: Generator) -> Optimizer:
        inner = Adam(params, lr=lr)
        return kind(params, h=h, generator=generator, optimizer=inner, **fixed)

    return build


def around_random_grad(kind: Callable[..., Optimizer], **fixed: Any) -> Build:
    """Return a wrapper of RandomGrad."""

    def build(
        params: list[Tensor], *, lr: float, h: float, generator: Generator, **options: Any
    ) -> Optimizer:
        inner = library.RandomGrad(params, lr=lr, h=h, generator=generator)
        return kind(inner, **fixed, **options)

    return build


def accumulated(
    params: list[Tensor], *, lr: float, h: float, generator: Generator, decay: float = 1.0
) -> Optimizer:
    """Return RandomGrad whose estimates are summed up and never set to zero."""
    total = library.Accumulated(SGD(params, lr=lr), decay=decay)
    return library.RandomGrad(params, h=h, generator=generator, optimizer=total)


def after_step(params: list[Tensor], *, lr: float, generator: Generator) -> Optimizer:
    """Return the random gradient that is judged after a step with momentum."""
    return library.AfterStepGrad(SGD(params, lr=lr, momentum=0.9), generator=generator)


def breeding(params: list[Tensor], *, lr: float, generator: Generator, **options: Any) -> Optimizer:
    """Return a population of Adams on random gradients."""

    def member(shared: list[Tensor], source: Generator) -> Optimizer:
        return library.RandomGrad(shared, h=0.1, generator=source, optimizer=Adam(shared, lr=lr))

    return library.BreedOptimizers(params, member, generator=generator, **options)


def descent(params: list[Tensor], *, lr: float, generator: Generator) -> Optimizer:
    """Return gradient descent; it draws nothing from the generator."""
    return SGD(params, lr=lr)


NEAR = (0.01,)
STEPS = grid(lr=(0.01, 0.03, 0.1, 0.3, 1.0), h=NEAR)
WIDE = grid(lr=(0.03, 0.1, 0.3, 1.0, 3.0), h=NEAR)
WALK = grid(lr=(0.003, 0.01, 0.03, 0.1, 0.3))
RISING = grid(lr=(0.003, 0.01, 0.03, 0.1), retries=(2, 5))
DESCENT = grid(lr=(0.0001, 0.001, 0.01, 0.1, 1.0))
SPREADS = (0.1, 0.5, 2.0)
BRED = grid(lr=(0.03, 0.1, 0.3), period=(5, 20))

ESTIMATORS: dict[str, Method] = {
    "RandomGrad": stepping(library.RandomGrad, STEPS),
    "RandomGrad, Adam": stepping(with_adam(library.RandomGrad), STEPS),
    "ten signs": stepping(library.AveragedGrad, WIDE),
    "ten differences, Adam": stepping(with_adam(library.AveragedGrad, bits=False), STEPS),
    "best of ten": stepping(library.RandomBestGrad, STEPS),
    "smoothed estimate": stepping(library.SmoothedGrad, WIDE),
    "smoothed direction": stepping(partial(library.SmoothedGrad, smooth="direction"), STEPS),
    "signs of ±1 noise": stepping(
        partial(library.SmoothedGrad, decay=0.0, noise="rademacher"), STEPS
    ),
    "SPSA": stepping(library.SPSA, grid(lr=(0.001, 0.01, 0.03, 0.1, 0.3), h=NEAR)),
    "SPSA, Adam": stepping(with_adam(library.SPSA), STEPS),
    "judged after the step": stepping(after_step, grid(lr=(0.003, 0.01, 0.03, 0.1, 0.3))),
    "parabola on a line": stepping(
        library.LineParabola, grid(h=(0.02, 0.1, 0.5), reach=(2.0, 10.0)), fade=False
    ),
    "never zeroed": stepping(
        accumulated, grid(lr=(0.000003, 0.00003, 0.0003, 0.003, 0.03), h=NEAR)
    ),
}
"""Gradients from values."""

WALKS: dict[str, Method] = {
    "walk of order 1": stepping(partial(library.OrderWalk, order=1), WALK),
    "walk of order 2": stepping(partial(library.OrderWalk, order=2), WALK),
    "walk of order 3": stepping(partial(library.OrderWalk, order=3), WALK),
    "walk of rising order": stepping(library.VariableOrderWalk, RISING),
    "walk of rising order, convex": stepping(
        partial(library.VariableOrderWalk, convex=True), RISING
    ),
    "simulated annealing": stepping(
        partial(library.SimulatedAnnealing, cooling=0.995),
        grid(lr=(0.03, 0.1, 0.3), temperature=(0.01, 0.1, 1.0)),
    ),
}
"""Random walks that accept or reject."""

WRAPPERS: dict[str, Method] = {
    "undo": stepping(around_random_grad(library.UndoIncrease), STEPS),
    "undo or reverse": stepping(
        around_random_grad(library.UndoIncrease, otherwise="reverse"), STEPS
    ),
    "several rates": stepping(around_random_grad(library.SeveralRates), STEPS),
    "momentum to the best": stepping(
        around_random_grad(library.BestMomentum), grid(lr=(0.003, 0.01, 0.03, 0.1, 0.3), h=NEAR)
    ),
    "breeding": stepping(breeding, BRED),
    "breeding, initial state": stepping(partial(breeding, rebirth="initial"), BRED),
}
"""Optimizers around others: here RandomGrad, or Adams on it."""

KALMAN = grid(spread=(0.5, 2.0), noise=(0.1, 0.5), regularization=(1e-3, 1e-1))
POPULATIONS: dict[str, Method] = {
    "simplex gradient": asking(library.ParticleGradient, grid(spread=SPREADS, decay=(0.95, 0.99))),
    "covariance gradient": asking(
        partial(library.ParticleGradient, form="covariance"),
        grid(spread=SPREADS, decay=(0.95, 0.99)),
    ),
    "ensemble Kalman, noise": asking(
        partial(library.EnsembleKalman, explore="noise", decay=0.95), KALMAN, residuals=True
    ),
    "ensemble Kalman, redrawn": asking(library.EnsembleKalman, KALMAN, residuals=True),
    "ensemble Kalman, growing": asking(
        partial(library.EnsembleKalman, size=8, growth=4), KALMAN, residuals=True
    ),
    "consensus": asking(library.Consensus, grid(spread=(0.5, 2.0, 5.0), sharpness=(1.0, 30.0))),
    "gravity": asking(library.Gravity, grid(spread=(0.5, 2.0, 5.0), power=(0.5, 1.0))),
    "gravity on gradients": asking(
        library.GradientGravity, grid(spread=(0.1, 1.0), lr=(0.01, 0.1, 0.5))
    ),
    "evolution strategy": asking(library.EvolutionStrategy, grid(spread=SPREADS, size=(10, 20))),
    "particle swarm": asking(library.ParticleSwarm, grid(spread=SPREADS, size=(10, 30))),
    "particle swarm, own starts": asking(
        library.ParticleSwarm, grid(size=(10, 20, 30, 60)), apart=True
    ),
}
"""Many points at once."""

GRADIENTS: dict[str, Method] = {
    "gradient": stepping(descent, DESCENT, gradient=True),
    "gradient, undo": stepping(
        lambda params, generator, lr: library.UndoIncrease(SGD(params, lr=lr)),
        DESCENT,
        gradient=True,
    ),
    "gradient, several rates": stepping(
        lambda params, generator, lr: library.SeveralRates(
            SGD(params, lr=lr), factors=(0.01, 0.1, 1.0, 10.0)
        ),
        DESCENT,
        gradient=True,
    ),
}
"""What the wrappers do for a true gradient; not racers, since they see more than values."""

OURS = {**ESTIMATORS, **WALKS, **WRAPPERS, **POPULATIONS}
METHODS: dict[str, Method] = {
    **OURS,
    **{name: Method(race, settings) for name, (race, settings) in PEERS.items()},
    **GRADIENTS,
}
"""Every method by the name that the reader sees."""


def racers(kind: str) -> list[str]:
    """Return who takes part on one kind of problem.

    nevergrad's overhead is larger than all other costs of the race together, and the methods
    with a gradient are a side look; both run on the networks alone.
    """
    apart = {"nevergrad NGOpt", *GRADIENTS} if kind == "landscape" else set()
    return [name for name in METHODS if name not in apart]
