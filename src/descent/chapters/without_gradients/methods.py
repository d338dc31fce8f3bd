"""Chapter 10: the racers by the names that the reader sees; the ideas are the registry's."""

from collections.abc import Mapping
from typing import Any

from torch import Tensor
from torch.optim import SGD, Optimizer

from descent.chapters.without_gradients.beside import BESIDE
from descent.chapters.without_gradients.informed import INFORMED
from descent.chapters.without_gradients.peers import PEERS
from descent.chapters.without_gradients.racing import Method, asking, stepping
from descent.sweeps import grid
from descent.zeroth_order import SeveralRates, UndoIncrease
from descent.zeroth_order.idea import Idea
from descent.zeroth_order.registry import REGISTRY

STEADY = ("line-parabola",)
"""Ideas whose step size does not fall along the budget: they find its length themselves."""


def raced(ideas: Mapping[str, Idea]) -> dict[str, Method]:
    """Return the methods of all ideas that have settings to be tried, by their names."""
    return {
        idea.name: Method(
            asking(idea)
            if idea.kind == "population"
            else stepping(idea.optimizer, fade=idea.slug not in STEADY),
            grid(**idea.trials.tried),
            {"landscape": idea.trials.landscape, "network": idea.trials.network},
        )
        for idea in ideas.values()
        if idea.trials is not None
    }


def descent(params: list[Tensor], seed: int, *, lr: float) -> Optimizer:
    """Return gradient descent, which draws nothing."""
    return SGD(params, lr=lr)


def descent_undone(params: list[Tensor], seed: int, *, lr: float) -> Optimizer:
    """Return gradient descent that undoes a step that raised the loss."""
    return UndoIncrease(SGD(params, lr=lr))


def descent_at_several_rates(params: list[Tensor], seed: int, *, lr: float) -> Optimizer:
    """Return gradient descent that tries several rates for each step."""
    return SeveralRates(SGD(params, lr=lr), factors=(0.01, 0.1, 1.0, 10.0))


def _with_gradient(make: Any, network: float) -> Method:
    settings = grid(lr=(0.0001, 0.001, 0.01, 0.1, 1.0, 10.0))
    return Method(stepping(make, gradient=True), settings, {"network": {"lr": network}})


GRADIENTS: dict[str, Method] = {
    "gradient": _with_gradient(descent, 0.1),
    "gradient, undo": _with_gradient(descent_undone, 1.0),
    "gradient, several rates": _with_gradient(descent_at_several_rates, 10.0),
}
"""What the wrappers do for a true gradient; not racers, since they see more than values."""

OURS = raced(REGISTRY)
METHODS: dict[str, Method] = {**OURS, **PEERS, **INFORMED, **GRADIENTS, **BESIDE}
"""Every method by the name that the reader sees."""
SETTINGS_EACH = 6
"""As many settings are tried for every method that is tuned, whatever they set."""


def racers(kind: str) -> list[str]:
    """Return who takes part on one kind of problem.

    nevergrad's overhead is larger than all other costs of the race together, and the methods
    with a gradient are a side look; both run on the networks alone.
    """
    apart = {"nevergrad NGOpt", *GRADIENTS} if kind == "landscape" else set()
    return [name for name in METHODS if name not in {*apart, *BESIDE}]


def on_coco() -> list[str]:
    """Return who runs on COCO's functions: all that are told a loss and nothing else."""
    residuals = {idea.name for idea in REGISTRY.values() if idea.told == "residuals"}
    told_more = {*residuals, *INFORMED}
    return [name for name in (*racers("landscape"), *BESIDE) if name not in told_more]


def tuned(kind: str) -> list[str]:
    """Return whose settings are chosen by runs; the others have one, their documentation's."""
    beside = BESIDE if kind == "landscape" else ()
    return [name for name in (*racers(kind), *beside) if not METHODS[name].fixed]
