"""What the optimizers without gradients share: evaluations, the best point, saved states."""

import copy
import math
from collections.abc import Callable, Iterable
from typing import Any

import torch
from torch import Tensor
from torch.optim.optimizer import ParamsT

from descent.arguments import came, check_real
from descent.tensor_arguments import check_torch_generator
from descent.zeroth_order.parameters import ParameterVector

Closure = Callable[[], Any]
Loss = Callable[[Tensor], float]


class NonFiniteLoss(FloatingPointError):
    """A loss was NaN or infinite; the parameters hold the best point found before it."""


def finite_loss(value: Any) -> float:
    """Return what a closure returned as a float; an error unless it is one finite real."""
    if isinstance(value, Tensor):
        if value.numel() != 1:
            raise ValueError(f"closure must return one loss; got shape {tuple(value.shape)}")
        value = value.item()
    try:
        loss = float(value)
    except (TypeError, ValueError):
        raise TypeError(f"closure must return the loss, a real scalar; got {value!r}") from None
    if not math.isfinite(loss):
        raise NonFiniteLoss(f"the loss is {loss}; the parameters are the best before it")
    return loss


def check_hyperparameter(name: str, value: Any) -> None:
    """Raise an error unless a step size or a distance is positive; it may be a tensor."""
    check_real(name, value.item() if isinstance(value, Tensor) else value, above=0)


def check_params(params: Any) -> list[Any]:
    """Return tensors or groups of them as a list; an error unless there are some."""
    if isinstance(params, str | bytes | Tensor) or not isinstance(params, Iterable):
        raise TypeError(f"params must be an iterable of tensors or groups; got {came(params)}")
    listed: list[Any] = list(params)
    if not listed:
        raise ValueError("params must hold at least one coordinate; got none")
    for each in listed:
        if not isinstance(each, Tensor | dict | tuple):
            raise TypeError(f"params must hold tensors or groups; got {came(each)}")
    return listed


class ZerothOrder(torch.optim.Optimizer):
    """Base of the optimizers that only evaluate the loss.

    A subclass defines `update`, which maps the parameter vector to the next one. Everything
    that it has to remember between steps lies in the dictionary `memory`; the state dictionary
    carries it together with the generator, the count of evaluations and the best point.

    Parameters
    ----------
    params : iterable of tensors, or of parameter groups
        Real, integer or boolean tensors (`ParameterVector`). They need not require a gradient.
    defaults : dict
        Positive hyperparameters that act on coordinates (``lr``, ``h``), which a group may
        override and a scheduler may change.
    generator : torch.Generator
        Source of all randomness.

    Attributes
    ----------
    evaluations : int
        How often a closure has been called.
    best_loss : float
        The lowest loss so far.
    best : Tensor, shape (d,)
        Where it was found.
    gradients : bool
        Whether closures are to compute gradients, for an optimizer that is wrapped.
    closure : callable or None
        The closure, while a step is being made.

    Raises
    ------
    TypeError
        If generator is no torch.Generator, or a closure returns no number.
    ValueError
        If a hyperparameter is not positive, or a closure returns several numbers.
    NonFiniteLoss
        By `step`, if the loss is NaN or infinite. The parameters are then at the best point.
    """

    gradients = False

    def __init__(
        self, params: ParamsT, defaults: dict[str, Any], generator: torch.Generator | None
    ) -> None:
        if generator is not None:
            check_torch_generator("generator", generator)
        for name in ("lr", "h"):
            if name in defaults:
                check_hyperparameter(name, defaults[name])
        super().__init__(check_params(params), defaults)
        for group in self.param_groups:
            for name in defaults.keys() & {"lr", "h"}:
                check_hyperparameter(name, group[name])
        self.vector = ParameterVector(self.param_groups)
        self.generator = generator
        self.memory: dict[str, Any] = {}
        self.closure: Closure | None = None
        self.evaluations = 0
        self.best_loss = math.inf
        self.best = self.vector.read()

    def update(self, loss: Loss, x: Tensor) -> tuple[Tensor, float]:
        """Return the next parameter vector, and the loss at x or an estimate of it."""
        raise NotImplementedError

    def step(self, closure: Closure) -> float:  # type: ignore[override]
        """Make one step; closure evaluates the loss at the present parameters.

        Returns the loss where the step began, or the method's estimate of it.
        """
        if self._optimizer_step_pre_hooks or self._optimizer_step_post_hooks:
            return self._step_with_hooks(closure)
        return self._step(closure)

    # Torch would wrap `step` for its profiler, which takes longer than a step in few
    # dimensions; this keeps it from doing so, and `step` looks after the hooks itself.
    step.hooked = True  # type: ignore[attr-defined]

    def _step(self, closure: Closure) -> float:
        if not callable(closure):
            raise TypeError(f"step needs a closure that returns the loss; got {came(closure)}")
        written: Tensor | None = None
        write = self.vector.write

        def loss(x: Tensor) -> float:
            nonlocal written
            written = x
            write(x)
            return self.evaluate(closure)

        self.closure = closure
        with_gradients = torch.is_grad_enabled()
        torch.set_grad_enabled(False)
        try:
            x, value = self.update(loss, self.vector.read())
            if x is not written:
                write(x)
        except NonFiniteLoss:
            self.restore_best()
            raise
        finally:
            torch.set_grad_enabled(with_gradients)
            self.closure = None
        return value

    _step_with_hooks = torch.optim.Optimizer.profile_hook_step(_step)

    def add_param_group(self, param_group: dict[str, Any]) -> None:
        """Add a group of parameters, before the search begins."""
        if hasattr(self, "vector"):
            raise ValueError("all params must be given at the start; got a further group")
        super().add_param_group(param_group)

    def evaluate(self, closure: Closure) -> float:
        """Return a closure's loss at the present parameters; count it, keep the best point.

        Gradients are on if a wrapped optimizer needs them.
        """
        self.evaluations += 1
        if self.gradients:
            with torch.enable_grad():
                value = self.loss_of(closure())
        else:
            value = self.loss_of(closure())
        if value < self.best_loss:
            self.best_loss = value
            self.best.copy_(self.vector.values)
        return value

    def loss_of(self, returned: Any) -> float:
        """Return the loss that a closure's result stands for."""
        return finite_loss(returned)

    @torch.no_grad()
    def restore_best(self) -> None:
        """Set the parameters to the best point so far."""
        self.vector.write(self.best)

    def end(self, x: Tensor, loss: float) -> tuple[Tensor, float]:
        """Remember the loss where a step ends, and return both."""
        self.memory["end"], self.memory["loss"] = x, loss
        return x, loss

    def loss_at_end(self, loss: Loss, x: Tensor) -> float:
        """Return the loss at x, from memory if the last step ended there."""
        end = self.memory.get("end")
        if end is not None and torch.equal(x, end):
            return float(self.memory["loss"])
        return loss(x)

    def each(self, name: str) -> Any:
        """Return a hyperparameter: a number, or one per coordinate if there are several groups."""
        if len(self.param_groups) == 1:
            return self.param_groups[0][name]
        return self.vector.per_coordinate([group[name] for group in self.param_groups])

    def shifted(self, x: Tensor, name: str, direction: Tensor, factor: float = 1.0) -> Tensor:
        """Return x plus a direction times a hyperparameter, and times a factor."""
        if len(self.param_groups) == 1:
            return x.add(direction, alpha=factor * self.param_groups[0][name])
        return x.addcmul(self.each(name), direction, value=factor)

    def normal(self, like: Tensor) -> Tensor:
        """Return a standard normal vector of the shape and type of another."""
        return torch.empty_like(like).normal_(generator=self.generator)

    def state_dict(self) -> dict[str, Any]:
        """Return a copy of everything that the rest of the run depends on, but the parameters."""
        state = super().state_dict()
        state["search"] = copy.deepcopy(
            {
                "memory": self.memory,
                "generator": None if self.generator is None else self.generator.get_state(),
                "evaluations": self.evaluations,
                "best_loss": self.best_loss,
                "best": self.best,
                "latent": self.vector.read() if self.vector.discrete else None,
            }
        )
        return state

    @torch.no_grad()
    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Continue from a copy of a saved state; the parameters are loaded by their owner."""
        search = copy.deepcopy(state_dict["search"])
        super().load_state_dict({k: v for k, v in state_dict.items() if k != "search"})
        self.memory = search["memory"]
        if self.generator is not None:
            self.generator.set_state(search["generator"])
        self.evaluations = search["evaluations"]
        self.best_loss = search["best_loss"]
        self.best = search["best"]
        if search["latent"] is not None:
            self.vector.write(search["latent"])
