"""What the optimizers without gradients share: evaluations, the best point, saved states."""

import math
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any

import torch
from torch import Generator, Tensor
from torch.optim.optimizer import (
    ParamsT,
    _global_optimizer_post_hooks,
    _global_optimizer_pre_hooks,
)

from descent.arguments import came, check_real
from descent.tensor_arguments import check_torch_generator
from descent.zeroth_order.common_draws import Draws, torchs_own, unchanged
from descent.zeroth_order.parameters import ParameterVector
from descent.zeroth_order.stateful import Stateful

Closure = Callable[[], Any]
Loss = Callable[[Tensor], float]


class NonFiniteLoss(FloatingPointError):
    """A loss, or its slope, was NaN or infinite; the parameters hold the best point before it."""


def one_loss(value: Any) -> float:
    """Return what a closure returned as a float; an error unless it is one real number."""
    if isinstance(value, Tensor):
        if value.numel() != 1:
            raise ValueError(f"closure must return one loss; got shape {tuple(value.shape)}")
        value = value.item()
    try:
        return float(value)
    except (TypeError, ValueError):
        raise TypeError(f"closure must return the loss, a real scalar; got {value!r}") from None


def finite_loss(value: Any) -> float:
    """Return what a closure returned as a float; an error unless it is one finite real."""
    loss = one_loss(value)
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
        if isinstance(each, dict) and isinstance(each.get("params"), Iterator):
            each["params"] = list(each["params"])  # it serves more than once
    return listed


class ZerothOrder(Stateful):
    """Base of the optimizers that only evaluate the loss.

    A subclass defines `update`, which maps the parameter vector to the next one. Everything
    that it has to remember between steps lies in the dictionary `memory`; the state dictionary
    carries it together with the generator, the count of evaluations and the best point.

    All evaluations within one step see the same random numbers: torch's generators, of the CPU
    and of the parameters' device, are set back before each of them. So a loss with dropout, or
    with a batch that is drawn in the closure, is compared with itself at two points, and not
    one draw with another. The next step sees another draw. NumPy's and Python's generators are
    not set back: draw what is random in a loss with torch's. What a closure updates besides, such
    as the running statistics of a batch normalization, moves on with each evaluation; to keep
    them, evaluate the loss with that layer in its ``eval`` mode, or with ``momentum=0``.

    Parameters
    ----------
    params : iterable of tensors, or of parameter groups
        Real, integer or boolean tensors (`ParameterVector`). They need not require a gradient;
        where one of the real ones does, those that do not are frozen and stay.
    defaults : dict
        Positive hyperparameters that act on coordinates (``lr``, ``h``), which a group may
        override and a scheduler may change.
    generator : torch.Generator
        Source of all randomness. If it is torch's own, that one is not set back.

    Attributes
    ----------
    evaluations : int
        How often a closure has been called.
    best_loss : float
        The lowest loss so far; of a loss that is drawn, the lowest draw.
    best : Tensor, shape (d,)
        Where it was found.
    gradients : bool
        Whether closures are to compute gradients, for an optimizer that is wrapped.
    common_random_numbers : bool
        Whether all evaluations of a step see the same draw; True unless it is set.
    loss_generators : sequence of torch.Generator
        Further generators that the closure draws from, to be set back with torch's own.
    keep_best : bool
        Whether the best point is kept, which is one copy of the parameters. If not, `best` is
        empty, and a loss that is not finite leaves the parameters where the step began.
    closure : callable or None
        The closure, while a step is being made.

    Raises
    ------
    TypeError
        If generator is no torch.Generator, or a closure returns no number.
    ValueError
        If a hyperparameter is not positive, or a closure returns several numbers; by
        `load_state_dict`, if the state is another optimizer's, before anything changes.
    NonFiniteLoss
        By `step`, if the loss is NaN or infinite. The parameters are then at the best point;
        after any other error they are where the step began.
    """

    gradients = False
    common_random_numbers = True
    loss_generators: Sequence[Generator] = ()
    keep_best = True
    closure: Closure | None = None
    _draws: Draws = []  # noqa: RUF012 - never changed in place

    def __init__(
        self, params: ParamsT, defaults: dict[str, Any], generator: Generator | None
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
        self.evaluations = 0
        self.best_loss = math.inf
        self.best = self.vector.read() if self.keep_best else self.vector.empty()

    def update(self, loss: Loss, x: Tensor) -> tuple[Tensor, float]:
        """Return the next parameter vector, and the loss at x or an estimate of it."""
        raise NotImplementedError

    def step(self, closure: Closure) -> float:  # type: ignore[override]
        """Make one step; closure evaluates the loss at the present parameters.

        Returns the loss where the step began, or the method's estimate of it.
        """
        if (
            self._optimizer_step_pre_hooks
            or self._optimizer_step_post_hooks
            or _global_optimizer_pre_hooks
            or _global_optimizer_post_hooks
        ):
            return self._step_with_hooks(closure)
        return self._step(closure)

    # Torch would wrap `step` for its profiler, which takes longer than a step in few
    # dimensions; this keeps it from doing so, and `step` looks after the hooks itself.
    step.hooked = True  # type: ignore[attr-defined]

    def _step(self, closure: Closure) -> float:
        if not callable(closure):
            raise TypeError(f"step needs a closure that returns the loss; got {came(closure)}")
        self.closure = closure
        if self.common_random_numbers:
            for source in self.loss_generators:
                check_torch_generator("loss_generators", source)
            self._draws = [
                (source, source.get_state())
                for source in (*torchs_own(self.vector.device), *self.loss_generators)
                if not self.draws_from(source)
            ]
        with_gradients = torch.is_grad_enabled()
        torch.set_grad_enabled(False)
        try:
            return self._advance(closure)
        finally:
            torch.set_grad_enabled(with_gradients)
            self.closure, self._draws = None, []

    def _advance(self, closure: Closure) -> float:
        """Make the step on copies of the parameter vector, which an error puts back."""
        start = self.vector.read()
        self.keep_up(start)
        written: Tensor | None = None
        write = self.vector.write

        def loss(x: Tensor) -> float:
            nonlocal written
            written = x
            write(x)
            return self.evaluate(closure, x)

        try:
            x, value = self.update(loss, start)
            if x is not written:
                write(x)
        except NonFiniteLoss:
            write(self.best if self.keep_best and self.best_loss < math.inf else start)
            raise
        except BaseException:
            write(start)
            raise
        return value

    def _any_step(self, closure: Closure) -> float:
        return self._step(closure)

    _step_with_hooks = torch.optim.Optimizer.profile_hook_step(_any_step)

    def add_param_group(self, param_group: dict[str, Any]) -> None:
        """Add a group of parameters, before the search begins."""
        if hasattr(self, "vector"):
            raise ValueError("all params must be given at the start; got a further group")
        # Torch's decorator imports its compiler, 70 MB that no search uses.
        add = torch.optim.Optimizer.add_param_group
        getattr(add, "__wrapped__", add)(self, param_group)

    def evaluate(self, closure: Closure, x: Tensor | None = None) -> float:
        """Return a closure's loss at the present parameters; count it, keep the best point.

        Gradients are on if a wrapped optimizer needs them; x is the vector of the present
        parameters, if it is at hand.
        """
        self.evaluations += 1
        for generator, state in self._draws:
            generator.set_state(state)
        if self.gradients:
            with torch.enable_grad():
                value = self.loss_of(closure())
        else:
            try:
                value = self.loss_of(closure())
            except RuntimeError as error:
                raise _no_backward(error) from error.__cause__
        if value < self.best_loss:
            self.best_loss = value
            if self.keep_best:
                if x is None:
                    self.best = self.best.new_empty(0)  # two copies are never held
                self.best = self.vector.read() if x is None else x.clone()
        return value

    def loss_of(self, returned: Any) -> float:
        """Return the loss that a closure's result stands for."""
        return finite_loss(returned)

    @torch.no_grad()
    def restore_best(self) -> None:
        """Set the parameters to the best point so far, if there is one.

        A RuntimeError if none is kept.
        """
        if not self.keep_best:
            raise RuntimeError("no best point is kept; make the optimizer with keep_best=True")
        if self.best_loss < math.inf:
            self.vector.write(self.best)

    def end(self, x: Tensor, loss: float) -> tuple[Tensor, float]:
        """Remember the loss where a step ends, and return both."""
        self.memory["end"], self.memory["loss"] = x, loss
        self.memory["drawn"] = not unchanged(self._draws)
        return x, loss

    def loss_at_end(self, loss: Loss, x: Tensor) -> float:
        """Return the loss at x, from memory if the last step ended there.

        Not if random numbers were drawn for it: this step's are others.
        """
        end = self.memory.get("end")
        if end is not None and not self.memory["drawn"] and torch.equal(x, end):
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

    def drawn(self, like: Tensor, fill: Callable[[Tensor], Tensor]) -> Tensor:
        """Return what fills a tensor like another, drawn where the generator is.

        So parameters on any device may be searched with a generator of the CPU, and see the
        same draws everywhere.
        """
        device = like.device if self.generator is None else self.generator.device
        return fill(torch.empty_like(like, device=device)).to(like.device)

    def normal(self, like: Tensor) -> Tensor:
        """Return a standard normal vector of the shape and type of another."""
        if self.generator is None or self.generator.device == like.device:
            return torch.empty_like(like).normal_(generator=self.generator)
        return self.drawn(like, lambda empty: empty.normal_(generator=self.generator))


def _no_backward(error: RuntimeError) -> RuntimeError:
    """Return torch's error about a closure that calls backward in words of its own."""
    if "does not require grad" not in str(error):
        return error
    return RuntimeError(
        "the closure asked for a gradient, and this optimizer only evaluates the loss: return "
        "it without backward, or compute under torch.enable_grad() what needs a gradient"
    )
