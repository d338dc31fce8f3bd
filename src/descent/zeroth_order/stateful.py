"""Saved states and copies of an optimizer that remembers more than torch asks for."""

import copy
from collections import OrderedDict
from collections.abc import Callable
from typing import Any

import torch
from torch import Generator, Tensor

from descent.zeroth_order.parameters import ParameterVector


class Stateful(torch.optim.Optimizer):
    """Base of `ZerothOrder`: its state dictionary, and what `deepcopy` and `pickle` take along.

    The state dictionary has an entry ``search`` beside torch's own two; hooks see all three.

    Attributes
    ----------
    kind : str
        The class, with those of the optimizers inside: a state of another kind is refused.
    """

    vector: ParameterVector
    generator: Generator | None
    memory: dict[str, Any]
    evaluations: int
    best_loss: float
    best: Tensor

    @property
    def kind(self) -> str:
        """What a state must come from to be loaded here."""
        return type(self).__name__

    def draws_from(self, generator: Generator) -> bool:
        """Whether the method itself, or one inside it, draws from a generator."""
        return generator is self.generator

    def keep_up(self, x: Tensor) -> None:
        """Follow the parameter vector if it has another type or device than what is remembered."""
        if x.dtype != self.best.dtype or x.device != self.best.device:
            self.follow(x)

    def follow(self, like: Tensor) -> None:
        """Move all that is remembered to the type and the device that the parameters have got."""
        self.best = self.best.to(like)
        self.memory = moved(self.memory, like)

    def state_dict(self) -> dict[str, Any]:
        """Return a copy of everything that the rest of the run depends on, but the parameters.

        Plain numbers, texts, lists and tensors, which `torch.load` reads by default.
        """
        for hook in self._optimizer_state_dict_pre_hooks.values():
            hook(self)
        state: dict[str, Any] = self._without_hooks("state_dict", super().state_dict)
        state["search"] = copy.deepcopy(self.search())
        for after in self._optimizer_state_dict_post_hooks.values():
            changed = after(self, state)
            state = state if changed is None else changed
        return state

    def search(self) -> dict[str, Any]:
        """Return what the state dictionary carries beside torch's own entries."""
        return {
            "kind": self.kind,
            "memory": self.memory,
            "generator": None if self.generator is None else self.generator.get_state(),
            "evaluations": self.evaluations,
            "best_loss": self.best_loss,
            "best": self.best,
            "latent": self.vector.read() if self.vector.discrete else None,
        }

    @torch.no_grad()
    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Continue from a copy of a saved state; the parameters are loaded by their owner."""
        state = dict(state_dict)
        for hook in self._optimizer_load_state_dict_pre_hooks.values():
            changed = hook(self, state)
            state = state if changed is None else changed
        self.check_state(state)
        self.load(state)
        for after in self._optimizer_load_state_dict_post_hooks.values():
            after(self)

    def check_state(self, state: dict[str, Any]) -> None:
        """Raise a ValueError unless a state is one of this optimizer over such parameters."""
        search = state.get("search")
        if not {"state", "param_groups"} <= state.keys() or not isinstance(search, dict):
            raise ValueError(f"state_dict must be one of {self.kind}; got keys {sorted(state)}")
        if search.get("kind") != self.kind:
            raise ValueError(f"state_dict must be one of {self.kind}; got {search.get('kind')}")
        sizes = [len(group["params"]) for group in self.param_groups]
        came_in = [len(group["params"]) for group in state["param_groups"]]
        if came_in != sizes:
            raise ValueError(f"state_dict must have groups of {sizes} tensors; got {came_in}")
        if search["best"].shape != self.best.shape:
            raise ValueError(
                f"state_dict must be of {len(self.best)} coordinates; got {len(search['best'])}"
            )
        saved = search["generator"]
        if (saved is None) != (self.generator is None) or (
            self.generator is not None and saved.shape != self.generator.get_state().shape
        ):
            raise ValueError("generator must be of the device that it was saved on")

    def load(self, state: dict[str, Any]) -> None:
        """Take over a state that was checked."""
        search = copy.deepcopy(state["search"])
        torchs = {key: value for key, value in state.items() if key != "search"}
        self._without_hooks(
            "load_state_dict", lambda: super(Stateful, self).load_state_dict(torchs)
        )
        self.memory = search["memory"]
        if self.generator is not None:
            self.generator.set_state(search["generator"].cpu())
        self.evaluations = search["evaluations"]
        self.best_loss = search["best_loss"]
        self.best = search["best"]
        if search["latent"] is not None:
            self.vector.write(search["latent"].to(self.vector.read()))
        self.keep_up(self.vector.read())

    def _without_hooks(self, of: str, call: Callable[[], Any]) -> Any:
        """Call a method of torch's whose hooks are called for the whole state instead."""
        names = [f"_optimizer_{of}_{when}_hooks" for when in ("pre", "post")]
        hooks = {name: getattr(self, name) for name in names}
        vars(self).update({name: OrderedDict() for name in names})
        try:
            return call()
        finally:
            vars(self).update(hooks)

    def __getstate__(self) -> dict[str, Any]:
        # As in torch, a copy has no hooks; and a scheduler's mark on `step` is the original's.
        return {
            name: value
            for name, value in vars(self).items()
            if name not in ("step", "closure", "_draws") and not name.startswith("_optimizer_")
        }


def moved(value: Any, like: Tensor) -> Any:
    """Return a value with all real tensors inside it of another's type and device."""
    if isinstance(value, Tensor):
        return value.to(like) if value.is_floating_point() else value.to(like.device)
    if isinstance(value, dict):
        return {key: moved(each, like) for key, each in value.items()}
    if isinstance(value, list | tuple):
        return type(value)(moved(each, like) for each in value)
    return value
