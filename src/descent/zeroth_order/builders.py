"""Methods around others and inside of them: from a class to what builds it on parameters.

Each builder that is returned is called as ``build(params, generator=…, **options)``.
"""

from collections.abc import Callable
from typing import Any

from torch import Generator, Tensor
from torch.optim import SGD, Adam

from descent.zeroth_order.accumulated import Accumulated
from descent.zeroth_order.after_step import AfterStepGrad
from descent.zeroth_order.breeding import BreedOptimizers
from descent.zeroth_order.estimate import GradientEstimator
from descent.zeroth_order.random_grad import RandomGrad
from descent.zeroth_order.wrapper import Wrapper


def with_adam(estimator: Callable[..., GradientEstimator]) -> Callable[..., GradientEstimator]:
    """Return the builder of an estimator whose estimates go to Adam; ``lr`` is Adam's."""

    def build(
        params: list[Tensor],
        *,
        lr: float = 0.05,
        h: float = 0.01,
        generator: Generator,
        **options: Any,
    ) -> GradientEstimator:
        inner = Adam(params, lr=lr)
        return estimator(params, h=h, generator=generator, optimizer=inner, **options)

    return build


def around_random_grad(wrapper: Callable[..., Wrapper]) -> Callable[..., Wrapper]:
    """Return the builder of a wrapper around `RandomGrad`."""

    def build(
        params: list[Tensor],
        *,
        lr: float = 0.1,
        h: float = 0.01,
        generator: Generator,
        **options: Any,
    ) -> Wrapper:
        return wrapper(RandomGrad(params, lr=lr, h=h, generator=generator), **options)

    return build


def inside_random_grad(wrapper: Callable[..., Accumulated]) -> Callable[..., RandomGrad]:
    """Return the builder of `RandomGrad` whose estimates a wrapper of descent takes."""

    def build(
        params: list[Tensor],
        *,
        lr: float = 0.002,
        h: float = 0.01,
        generator: Generator,
        **options: Any,
    ) -> RandomGrad:
        inner = wrapper(SGD(params, lr=lr), **options)
        return RandomGrad(params, h=h, generator=generator, optimizer=inner)

    return build


def around_adam(wrapper: Callable[..., AfterStepGrad]) -> Callable[..., AfterStepGrad]:
    """Return the builder of a wrapper around the step of Adam."""

    def build(params: list[Tensor], *, lr: float = 0.05, generator: Generator) -> AfterStepGrad:
        return wrapper(Adam(params, lr=lr), generator=generator)

    return build


def around_momentum(wrapper: Callable[..., AfterStepGrad]) -> Callable[..., AfterStepGrad]:
    """Return the builder of a wrapper around a step of descent with momentum 0.9."""

    def build(params: list[Tensor], *, lr: float = 0.05, generator: Generator) -> AfterStepGrad:
        return wrapper(SGD(params, lr=lr, momentum=0.9), generator=generator)

    return build


def of_adams(breeder: Callable[..., BreedOptimizers]) -> Callable[..., BreedOptimizers]:
    """Return the builder of a population of Adams, each on random gradients of its own."""

    def build(
        params: list[Tensor],
        *,
        lr: float = 0.05,
        h: float = 0.1,
        generator: Generator,
        **options: Any,
    ) -> BreedOptimizers:
        def member(shared: list[Tensor], source: Generator) -> RandomGrad:
            inner = Adam(shared, lr=lr)
            return RandomGrad(shared, h=h, generator=source, optimizer=inner)

        return breeder(params, member, generator=generator, **options)

    return build
