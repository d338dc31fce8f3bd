"""Breed and mutate optimizers together with what they remember."""

import copy
import math
from collections.abc import Callable
from typing import Any, Literal

import torch
from torch import Tensor
from torch.optim import Optimizer

from descent.arguments import came, check_callable, check_choice, check_count, check_real
from descent.tensor_arguments import check_tensor, check_torch_generator
from descent.zeroth_order.base import Loss, ZerothOrder, check_params, finite_loss
from descent.zeroth_order.inner import check_same_parameters, follow, kind_of
from descent.zeroth_order.rateless import rateless
from descent.zeroth_order.stateful import Stateful


def own_group(group: Any, without: tuple[str, ...] = ()) -> Any:
    """Return a copy of a parameter group without some entries; a tensor as it is."""
    if not isinstance(group, dict):
        return group
    return {key: value for key, value in group.items() if key not in without}


TOGETHER = ("memory", "evaluations", "best_loss", "best", "latent")
"""What comes from one parent as a whole."""


class BreedOptimizers(ZerothOrder):
    r"""A population of optimizers; the worst one dies and a child of two others takes its place.

    Each individual is a parameter vector and an optimizer with its state. A step lets each make
    one step of its own. Every ``period`` steps the individual with the highest loss is replaced:
    the child starts at the better parent's parameters; the state of each tensor (momenta and
    the like) comes from one of the parents by chance, or is the state that the dead optimizer
    had at birth. What an optimizer of this package remembers, its best point among it, comes
    from one parent as a whole; so does the state of an optimizer inside it. The child's step
    size is the better parent's, times :math:`e^{\mu \zeta}` with a
    standard normal ζ. The loss that counts is the one that an individual's last step returned.

    Evaluations: those of all individuals. After a step the parameters hold the best point so far.

    Standard name: population-based training (Jaderberg et al. 2017), with crossover of the
    optimizers' states.

    Parameters
    ----------
    params : list of tensors
        What is optimized.
    factory : callable
        ``factory(params, generator)`` makes one optimizer, of this package or of torch's.
    size : int
        Number of individuals, at least 3.
    period : int
        Steps from one death to the next, at least 1.
    mutation : float
        μ, not negative.
    rebirth : {"bred", "initial"}
        Where the child's state comes from.
    starts : Tensor, shape (size, d), optional
        Each individual's own start (`separate_starts`); by default all begin at the parameters.
    generator : torch.Generator
        Source of all randomness, the individuals' included.

    Raises
    ------
    ValueError
        If a number is out of its range, rebirth is unknown, or starts has another shape.

    Notes
    -----
    Source 002, evolution: "breed and mutate optimizers themselves, swap their state_dict values,
    kill bad ones" and "save the initial state of all optimizers and set it whenever an optimizer
    dies".
    """

    def __init__(
        self,
        params: list[Tensor],
        factory: Callable[[list[Tensor], torch.Generator], Optimizer],
        *,
        size: int = 6,
        period: int = 10,
        mutation: float = 0.3,
        rebirth: Literal["bred", "initial"] = "bred",
        starts: Tensor | None = None,
        generator: torch.Generator,
    ) -> None:
        params = check_params(params)
        check_torch_generator("generator", generator)
        check_callable("factory", factory)
        # The individuals have groups of their own, with rates of their own.
        super().__init__([own_group(each, without=("lr", "h")) for each in params], {}, generator)
        self.param_groups = rateless(self.param_groups, "breeding itself")
        check_count("size", size, 3)
        check_count("period", period, 1)
        check_real("mutation", mutation, least=0)
        check_choice("rebirth", rebirth, ("bred", "initial"))
        x = self.vector.read()
        if starts is not None:
            check_tensor("starts", starts, (size, len(x)))
        self.period, self.mutation, self.rebirth = period, mutation, rebirth
        self.members = [factory([own_group(p) for p in params], generator) for _ in range(size)]
        for member in self.members:
            if not isinstance(member, Optimizer):
                raise TypeError(f"factory must make an Optimizer; got {came(member)}")
            check_same_parameters(params, member)
        self.gradients = any(getattr(member, "gradients", True) for member in self.members)
        points = x.repeat(size, 1) if starts is None else starts.to(x, copy=True)
        self.memory = {"points": points, "losses": [0.0] * size, "steps": 0}
        self._newborn = [copy.deepcopy(member.state_dict()) for member in self.members]

    def update(self, loss: Loss, x: Tensor) -> tuple[Tensor, float]:
        """Return the best point so far, and its loss."""
        closure = self.closure
        assert closure is not None
        for i, member in enumerate(self.members):
            self.vector.write(self.memory["points"][i])
            value: Any = member.step(lambda: self.evaluate(closure))
            if getattr(member, "gradients", True) and not self.vector.has_gradients():
                raise ValueError(
                    f"closure must compute gradients for {type(member).__name__}: no parameter "
                    "has a .grad"
                )
            self.memory["losses"][i] = finite_loss(value)
            self.memory["points"][i] = self.vector.read()
        self.memory["steps"] += 1
        if self.memory["steps"] % self.period == 0:
            self._replace_worst()
        return self.best.clone(), self.best_loss

    def _replace_worst(self) -> None:
        """Let the individual with the highest loss die, and breed a child in its place."""
        losses = self.memory["losses"]
        order = sorted(range(len(losses)), key=losses.__getitem__)
        dead, candidates = order[-1], order[: len(order) // 2 + 1]
        generator = self.generator
        assert generator is not None
        drawn = torch.randperm(len(candidates), generator=generator, device=generator.device)
        chosen = drawn[:2].tolist()
        mother, father = sorted((candidates[i] for i in chosen), key=losses.__getitem__)
        if self.rebirth == "initial":
            state = copy.deepcopy(self._newborn[dead])
        else:
            state = self._crossed(mother, father, generator)
        # Individuals share the generator, which must not go back with an old state.
        randomness = generator.get_state()
        self.members[dead].load_state_dict(state)
        generator.set_state(randomness)
        zeta = torch.randn((), generator=generator, device=generator.device).item()
        factor = math.exp(self.mutation * zeta)
        groups = zip(
            self.members[dead].param_groups, self.members[mother].param_groups, strict=True
        )
        for child, parent in groups:
            if "lr" in parent:
                child["lr"] = parent["lr"] * factor
        self.memory["points"][dead] = self.memory["points"][mother]
        losses[dead] = losses[mother]

    def _crossed(self, mother: int, father: int, generator: torch.Generator) -> dict[str, Any]:
        """Return the mother's state, with the father's for about half of its entries."""
        state = copy.deepcopy(self.members[mother].state_dict())
        other = copy.deepcopy(self.members[father].state_dict())
        entries = [(part, key) for part in ("state", "search") for key in state.get(part, {})]
        from_father = {
            entry: bool(torch.rand((), generator=generator, device=generator.device) < 0.5)
            for entry in entries
            if entry[1] in other[entry[0]] and entry[1] != "kind"
        }
        for part, key in from_father:
            # A best point and its loss are one thing, and what is remembered may refer to them.
            whole = ("search", "memory") if key in TOGETHER else (part, key)
            if from_father[whole]:
                state[part][key] = other[part][key]
        return state

    @property
    def kind(self) -> str:
        """The class, with those of the individuals."""
        return f"{super().kind}({', '.join(map(kind_of, self.members))})"

    def draws_from(self, generator: torch.Generator) -> bool:
        """Whether breeding or an individual draws from a generator."""
        return generator is self.generator or any(
            isinstance(member, Stateful) and member.draws_from(generator) for member in self.members
        )

    def follow(self, like: Tensor) -> None:
        """Move what is remembered, and what torch's individuals remember."""
        super().follow(like)
        for member in self.members:
            follow(member)

    def search(self) -> dict[str, Any]:
        """Return what is carried, with the states of all individuals."""
        return super().search() | {
            "members": [member.state_dict() for member in self.members],
            "newborn": self._newborn,
        }

    def check_state(self, state: dict[str, Any]) -> None:
        """Raise a ValueError unless the state fits, those of the individuals included."""
        super().check_state(state)
        for member, own in zip(self.members, state["search"]["members"], strict=True):
            if isinstance(member, Stateful):
                member.check_state(own)

    def load(self, state: dict[str, Any]) -> None:
        """Take over a state, with those of all individuals."""
        super().load(state)
        self.param_groups = rateless(self.param_groups, "breeding itself")
        saved = copy.deepcopy(state["search"])
        self._newborn = saved["newborn"]
        for member, own in zip(self.members, saved["members"], strict=True):
            member.load_state_dict(own)
