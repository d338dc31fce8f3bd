"""Optimizers inside others: what is asked of them."""

import copy
import inspect
from collections.abc import Iterable
from typing import Any

from torch import Generator, Tensor
from torch.optim import Optimizer

from descent.arguments import came
from descent.zeroth_order.stateful import Stateful


def check_optimizer(optimizer: Any) -> None:
    """Raise a TypeError unless the value is a torch.optim.Optimizer."""
    if not isinstance(optimizer, Optimizer):
        raise TypeError(f"optimizer must be a torch.optim.Optimizer; got {came(optimizer)}")


def check_steps_alone(optimizer: Any) -> None:
    """Raise a TypeError unless an optimizer steps with the gradients that are there."""
    check_optimizer(optimizer)
    parameters = inspect.signature(type(optimizer).step).parameters
    closure = parameters.get("closure")
    if closure is not None and closure.default is inspect.Parameter.empty:
        raise TypeError(
            "optimizer must be one that takes gradients and steps without a closure, such as "
            f"torch.optim.Adam; got {type(optimizer).__name__}"
        )


def check_same_parameters(params: list[Any], optimizer: Optimizer) -> None:
    """Raise a ValueError unless an optimizer holds exactly these parameters."""
    given = {id(tensor) for tensor in _tensors(params)}
    held = {id(tensor) for group in optimizer.param_groups for tensor in group["params"]}
    if given != held:
        raise ValueError(
            "optimizer must be over the same params; got one over "
            f"{len(held - given)} others, without {len(given - held)} of these"
        )


def _tensors(params: Iterable[Any]) -> list[Tensor]:
    """Return the tensors of parameters, named parameters or groups."""
    found: list[Tensor] = []
    for each in params:
        if isinstance(each, dict):
            inside = each["params"]
            found += _tensors([inside] if isinstance(inside, Tensor) else inside)
        else:
            found.append(each[1] if isinstance(each, tuple) else each)
    return found


def kind_of(optimizer: Any) -> str:
    """Return the name of an optimizer's class, with those of the optimizers inside it."""
    return str(getattr(optimizer, "kind", type(optimizer).__name__))


class Nested(Stateful):
    """An optimizer that may hold another one, `optimizer`, whose groups it shares.

    The groups stand once in the state: a learning rate that is edited there counts for both.
    """

    optimizer: Optimizer | None = None

    @property
    def kind(self) -> str:
        """The class, and that of the inner optimizer."""
        name = super().kind
        return name if self.optimizer is None else f"{name}({kind_of(self.optimizer)})"

    def draws_from(self, generator: Generator) -> bool:
        """Whether this optimizer or the one inside it draws from a generator."""
        return generator is self.generator or (
            isinstance(self.optimizer, Stateful) and self.optimizer.draws_from(generator)
        )

    def follow(self, like: Tensor) -> None:
        """Move what is remembered, and what torch's inner optimizer remembers."""
        super().follow(like)
        follow(self.optimizer)

    def search(self) -> dict[str, Any]:
        """Return what is carried, with the inner optimizer's state less its groups."""
        if self.optimizer is None:
            return super().search()
        state = self.optimizer.state_dict()
        inner = {key: value for key, value in state.items() if key != "param_groups"}
        return super().search() | {"optimizer": inner}

    def check_state(self, state: dict[str, Any]) -> None:
        """Raise a ValueError unless the state fits, the inner optimizer's included."""
        super().check_state(state)
        if isinstance(self.optimizer, Stateful):
            self.optimizer.check_state(self._inner(state))

    def load(self, state: dict[str, Any]) -> None:
        """Take over a state, with the inner optimizer's."""
        if self.optimizer is None:
            super().load(state)
            return
        self.optimizer.load_state_dict(self._inner(state))
        super().load(state)
        self.param_groups = self.optimizer.param_groups

    def _inner(self, state: dict[str, Any]) -> dict[str, Any]:
        groups = {"param_groups": state["param_groups"]}
        return copy.deepcopy({**state["search"]["optimizer"], **groups})


def follow(optimizer: Optimizer | None) -> None:
    """Let one of torch's optimizers move its state to the type of its parameters."""
    if optimizer is not None and not isinstance(optimizer, Stateful):
        groups = optimizer.param_groups
        optimizer.load_state_dict(optimizer.state_dict())
        optimizer.param_groups = groups  # those that the outer optimizer and schedulers share
