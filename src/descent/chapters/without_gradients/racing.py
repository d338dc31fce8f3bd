"""Chapter 10: how a method takes part in the race, and with which settings."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor
from torch.optim import Optimizer

from descent.chapters.without_gradients.numbers import Evaluations
from descent.zeroth_order.idea import Idea, Setting

Racer = Callable[..., None]
"""Takes the evaluations, a seed and hyperparameters; runs until the budget is spent."""


@dataclass(frozen=True)
class Method:
    """Something that minimizes, and its settings.

    Parameters
    ----------
    race : callable
        Runs it until the budget is spent.
    settings : sequence of dict
        What is tried.
    chosen : dict
        The setting that was best on the tuning problems, by kind of problem; what
        `best_settings` finds in the tables.
    fixed : bool
        Whether the settings are those of its documentation, which no runs chose.
    """

    race: Racer
    settings: Sequence[Setting]
    chosen: Mapping[str, Setting]
    fixed: bool = False


def stepping(make: Callable[..., Optimizer], *, gradient: bool = False, fade: bool = True) -> Racer:
    """Return the racer that steps an optimizer.

    Parameters
    ----------
    make : callable
        ``make(params, seed, **setting)``.
    gradient : bool
        Let the closure compute the gradient; that counts as one evaluation still.
    fade : bool
        Let the step size fall in a straight line to zero at the end of the budget.
    """

    def race(f: Evaluations, seed: int, **setting: Any) -> None:
        x = f.problem.start.clone().requires_grad_(gradient)
        optimizer = make([x], seed, **setting)
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

    return race


def _groups(optimizer: Optimizer) -> list[dict[str, Any]]:
    """Return the parameter groups of an optimizer and of those inside it, each once."""
    inner = getattr(optimizer, "optimizer", None)
    found = optimizer.param_groups + ([] if inner is None else _groups(inner))
    return list({id(group): group for group in found}.values())


def asking(idea: Idea) -> Racer:
    """Return the racer that asks a population and tells it what the idea wants to be told."""

    def race(f: Evaluations, seed: int, **setting: Any) -> None:
        start = f.problem.start.numpy()
        if idea.own_starts:
            start = f.problem.starts(setting.pop("size"), seed)
        population = idea.population(start, seed, **setting)
        while True:
            points = torch.from_numpy(population.ask())
            # Half the squares of what is told sum to the loss; those of `residuals`, to it.
            told = f.residuals(points) * 2**0.5 if idea.told == "residuals" else f(points)
            population.tell(told.numpy())

    return race
