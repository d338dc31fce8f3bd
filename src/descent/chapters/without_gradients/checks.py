"""Chapter 10: small experiments behind single statements of the list."""

import ast
import inspect
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import torch
from torch import Generator, Tensor

from descent import zeroth_order as library
from descent.arguments import Array
from descent.chapters.without_gradients import numbers, sweeps
from descent.chapters.without_gradients.methods import METHODS
from descent.chapters.without_gradients.theory import Estimator, cosines
from descent.kept import kept
from descent.zeroth_order.order_walk import push, undo


def estimator(kind: Callable[..., Any], repeats: int = 1, **options: Any) -> Any:
    """Return a maker of estimates for `cosines`: the mean of some estimates of the library."""

    def make(generator: Generator, x: Tensor) -> Estimator:
        method = kind([x.clone()], h=1.0, generator=generator, **options)

        def estimate(loss: Callable[[Any], float], x: Tensor) -> Tensor:
            drawn = [method.estimate(loss, x)[0] for _ in range(repeats)]
            return torch.stack(drawn).mean(0)

        return estimate

    return make


def kalman(generator: Generator, x: Tensor, size: int = 10) -> Estimator:
    """Return minus the way of an ensemble's mean in one Kalman step, as an estimate."""
    seed = int(torch.randint(2**31, (), generator=generator))

    def estimate(loss: Callable[[Any], float], x: Tensor) -> Tensor:
        ensemble = library.EnsembleKalman(
            x.numpy(), size=size, explore="none", generator=np.random.default_rng(seed)
        )
        before = ensemble.x.mean(0)
        residuals = [[10 + loss(torch.from_numpy(u))] for u in ensemble.ask()]
        ensemble.tell(residuals)
        return torch.from_numpy(before - ensemble.x.mean(0))

    return estimate


def simplex(size: int) -> Callable[[Generator, Tensor], Estimator]:
    """Return a maker of simplex gradients from ``size`` particles."""
    from descent.zeroth_order.particle_gradients import simplex_gradient

    def make(generator: Generator, x: Tensor) -> Estimator:
        cloud = torch.randn(size, len(x), generator=generator, dtype=x.dtype)

        def estimate(loss: Callable[[Any], float], x: Tensor) -> Tensor:
            rises = np.array([loss(point) for point in x + cloud])
            points = cloud.numpy()
            return torch.from_numpy(simplex_gradient(points - points.mean(0), rises - rises.mean()))

        return estimate

    return make


def gain_of_differences(n: int, d: int, repetitions: int, seed: int) -> float:
    """Return the mean cosine of n averaged SPSA estimates over that of n one-bit estimates."""
    spsa, _ = cosines(estimator(library.SPSA, n), d, repetitions, seed)
    bits, _ = cosines(estimator(library.RandomGrad, n), d, repetitions, seed + 1)
    return float(spsa.mean() / bits.mean())


def gain_of_kalman(n: int, d: int, repetitions: int, seed: int) -> float:
    """Return the mean cosine of a Kalman step of n particles over that of the best of n."""

    def ensemble(generator: Generator, x: Tensor) -> Estimator:
        return kalman(generator, x, n)

    step, _ = cosines(ensemble, d, repetitions, seed)
    best, _ = cosines(estimator(library.RandomBestGrad, samples=n), d, repetitions, seed + 1)
    return float(step.mean() / best.mean())


def left_after_undo(order: int, reverse: bool, seed: int = 0) -> float:
    """Return how far a walk stands from where it was, after a push that is taken back.

    ``reverse`` takes the position back first, then its derivatives; otherwise the highest
    derivative comes first, and what it changes propagates to the others.
    """
    generator = torch.Generator().manual_seed(seed)
    levels = [torch.randn(5, generator=generator, dtype=torch.float64) for _ in range(order)]
    noise = torch.randn(5, generator=generator, dtype=torch.float64)
    moved = push(levels, noise)
    if reverse:
        restored = undo(moved, noise)
    else:
        restored = list(moved)
        restored[-1] = moved[-1] - noise
        for i in range(order - 2, -1, -1):
            restored[i] = moved[i] - restored[i + 1]
    return max(float((a - b).abs().max()) for a, b in zip(restored, levels, strict=True))


@kept
def same_rate(name: str, seeds: Sequence[int], lr: float) -> Array:
    """Return the losses above the minimum (seeds, budget) of a method on the sphere."""
    runs = []
    for seed in seeds:
        counted = numbers.Evaluations(numbers.problem("sphere", seed), budget=1000)
        try:
            METHODS[name].race(counted, seed, lr=lr, h=0.01)
        except numbers.BudgetSpent:
            runs.append(counted.curve(tuple(range(1, 1001))) / counted.start_loss)
    return np.array(runs)


def first_below(curves: Array, share: float) -> Array:
    """Return after how many evaluations each curve first is at or below a value; or infinity."""
    reached = curves <= share
    return np.where(reached.any(1), reached.argmax(1) + 1.0, np.inf)


def takes_gradient(dtype: torch.dtype) -> bool:
    """Return whether torch lets a tensor of a type require a gradient."""
    try:
        torch.zeros(1, dtype=dtype, requires_grad=True)
    except RuntimeError:
        return False
    return True


DISCRETE = (torch.bool, torch.uint8, torch.int8, torch.int16, torch.int32, torch.int64)
"""The types of integer and boolean tensors."""


FACTOR, POWER = -1.7, 3
"""Of the curve that `mixed_fit` is to find."""


def mixed_fit(seed: int, steps: int = 600) -> tuple[float, int, bool, float]:
    r"""Fit a real, an integer and a boolean by one search; return them and the loss.

    The data are FACTOR times x to the POWER; the parameters are the size of the factor, the
    power, and whether the sign is turned.
    """
    x = torch.linspace(-1.2, 1.2, 25)
    y = FACTOR * x**POWER
    factor, power, turned = torch.tensor([1.0]), torch.tensor([0]), torch.tensor([False])
    groups: list[dict[str, Any]] = [{"params": [factor]}, {"params": [power, turned], "lr": 1.0}]
    search = library.OrderWalk(
        groups,
        lr=0.2,
        order=1,
        generator=torch.Generator().manual_seed(seed),
    )

    def closure() -> Tensor:
        sign = -1 if bool(turned) else 1
        return (sign * factor * x ** power.clamp(0, 8) - y).square().mean()

    for _ in range(steps):
        search.step(closure)
    return float(factor), int(power), bool(turned), search.best_loss


@kept
def right_fits(seeds: Sequence[int]) -> int:
    """Return for how many seeds `mixed_fit` finds the power and the sign."""
    fits = [mixed_fit(seed) for seed in seeds]
    return sum(power == 3 and (factor < 0) != turned for factor, power, turned, _ in fits)


def statements(name: str) -> int:
    """Return how many statements a class of the library has, docstrings not counted."""
    tree = ast.parse(inspect.getsource(getattr(library, name)))
    return sum(
        isinstance(node, ast.stmt)
        and not (isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant))
        for node in ast.walk(tree)
    )


def damping(lr: float, curvature: float, momentum: float) -> float:
    r"""Return the factor by which a heavy ball's swing shrinks in each step, 1 for none.

    The largest absolute eigenvalue of the step :math:`v \to \beta v - \eta k x`,
    :math:`x \to x + v` on the loss :math:`\tfrac12 k x^2`.
    """
    step = np.array([[momentum, -lr * curvature], [momentum, 1 - lr * curvature]])
    return float(np.abs(np.linalg.eigvals(step)).max())


def free_walks(
    orders: Sequence[int], n_steps: int, walks: int, seed: int
) -> tuple[Array, list[Array]]:
    """Return steps and, for each order, how far walks that accept everything have gone.

    Root mean square of one coordinate over the walks, in units of one kick.
    """
    steps = np.arange(1, n_steps + 1.0)
    path: Array = np.random.default_rng(seed).normal(size=(walks, n_steps))
    spread: list[Array] = []
    for order in range(1, max(orders) + 1):
        path = np.cumsum(path, axis=1)
        if order in orders:
            spread.append(np.sqrt((path**2).mean(0)))
    return steps, spread


@kept
def swarm_ends(name: str, spread: float, seeds: Sequence[int]) -> Array:
    """Return where particle swarms of ten around one start end (seeds,), at a spread not chosen."""
    runs = [sweeps.run(name, "particle swarm", seed, spread=spread, size=10) for seed in seeds]
    return np.array([run.best for run in runs])
