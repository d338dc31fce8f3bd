"""Chapter 10: the answers to its exercises, and what comes of mistakes."""

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from scipy import stats

from descent import zeroth_order
from descent.chapters.without_gradients import theory

SIZES = (10, 100, 1000, 10_000)


def largest_over_root() -> tuple[float, ...]:
    """Return the mean of the largest of n over the root of 2 ln n, for the SIZES."""
    return tuple(theory.largest_of(n) / math.sqrt(2 * math.log(n)) for n in SIZES)


def largest_over_root_in_decades() -> tuple[float, ...]:
    """Return it with the logarithm to the base ten."""
    return tuple(theory.largest_of(n) / math.sqrt(2 * math.log10(n)) for n in SIZES)


def largest_over_root_without_two() -> tuple[float, ...]:
    """Return it without the factor of two below the root."""
    return tuple(theory.largest_of(n) / math.sqrt(math.log(n)) for n in SIZES)


def differences_over_signs() -> float:
    """Return the cosine of averaged differences over that of averaged signs: 1/E|a|."""
    return 1 / float(np.mean(np.abs(stats.norm.ppf((np.arange(10**6) + 0.5) / 10**6))))


def what_converges() -> str:
    """Return which of three optimizers gets on with a step size that is too large."""

    def final_loss(wrap: Callable[[Any], Any]) -> float:
        x = torch.full((10,), 1.0, requires_grad=True)
        curvatures = torch.logspace(0, 2, 10)
        optimizer = wrap(torch.optim.SGD([x], lr=0.03))

        def closure() -> torch.Tensor:
            optimizer.zero_grad()
            loss = (curvatures * x**2).sum() / 2
            if torch.is_grad_enabled():
                loss.backward()  # type: ignore[no-untyped-call]
            return loss

        for _ in range(50):
            optimizer.step(closure)
        return float(closure().item())

    ways: dict[str, Callable[[Any], Any]] = {
        "descent": lambda sgd: sgd,
        "UndoIncrease": zeroth_order.UndoIncrease,
        "SeveralRates": zeroth_order.SeveralRates,
    }
    losses = {name: final_loss(wrap) for name, wrap in ways.items()}
    return min(losses, key=losses.__getitem__)
