"""Descent on the weights of a network instead of on the decision variable itself.

With x = F(W), one step of gradient descent on f(F(W)) moves x by -η J Jᵀ ∇f(x) + O(η²), where
J = ∂F/∂W. Training has two phases: the *fit* moves F(W) to the start x0 by descending the mean
square of F(W) - x0; the *main run* then descends f(F(W)) for a number of epochs. By default the
optimizer of the fit goes on into the main run together with its moments.
"""

import copy
import inspect
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import nn

from descent.arguments import (
    came,
    check_array,
    check_callable,
    check_count,
    check_flag,
    check_kind,
    check_real,
)

OptimizerFactory = Callable[[Iterable[nn.Parameter]], torch.optim.Optimizer]

#: Adam as the source has it. The fused implementation does the same sums in one loop.
ADAM: OptimizerFactory = partial(torch.optim.Adam, lr=5e-4, betas=(0.9, 0.999), fused=True)


@dataclass(frozen=True)
class Record:
    """What a training did. Row i of `x` and `loss` is from *before* step i of the main run.

    Attributes
    ----------
    x : ndarray, shape (steps, d)
        The decision variable.
    loss : ndarray, shape (steps,)
        The objective at x.
    fit_steps : int
        Steps that the fit of the start took.
    fit_error : float
        Mean square of F(W) - x0 at the end of the fit; NaN without a fit.
    fitted : bool
        Whether that is below the tolerance; true without a fit.
    diverged : bool
        Whether x, the loss or the fit's error left the finite numbers. Training stops there: the
        last row is then the first that is not finite, or there is no row if the fit diverged.
    finished : bool
        Whether the main run took all its steps.
    """

    x: npt.NDArray[np.float64]
    loss: npt.NDArray[np.float64]
    fit_steps: int
    fit_error: float
    fitted: bool
    diverged: bool
    finished: bool

    @property
    def final_x(self) -> npt.NDArray[np.float64]:
        """The last x, shape (d,): the value that a run reports."""
        last: npt.NDArray[np.float64] = self.x[-1]
        return last

    @property
    def final_loss(self) -> float:
        """The last loss: the value that a run reports."""
        return float(self.loss[-1])

    @property
    def best(self) -> int:
        """The row of the lowest finite loss."""
        return int(np.argmin(np.where(np.isfinite(self.loss), self.loss, np.inf)))


class Training:
    """The two phases, one step at a time, so that a run can be watched, stopped and resumed.

    Parameters are those of `train`. `state` is all that a later process needs to go on from here
    with the same numbers.

    Examples
    --------
    >>> from descent.networks import models
    >>> def seed():
    ...     return torch.Generator().manual_seed(0)
    >>> def square(x):
    ...     return (x**2).sum(-1)
    >>> first = Training(models.parameter(generator=seed()), square, [0.1], epochs=5)
    >>> for _ in range(230):
    ...     first.step()
    >>> second = Training(models.parameter(generator=seed()), square, [0.1], epochs=5)
    >>> second.load_state(first.state())
    >>> bool((second.run().x == first.run().x).all())
    True
    """

    def __init__(
        self,
        network: nn.Module,
        objective: Callable[[torch.Tensor], torch.Tensor],
        initial: Sequence[float] | npt.NDArray[np.float64] | None = None,
        *,
        epochs: int = 500,
        optimizer: OptimizerFactory = ADAM,
        main_optimizer: OptimizerFactory | None = None,
        carry_over: bool = True,
        schedule: Callable[[int], float] | None = None,
        tolerance: float = 1e-6,
        max_fit_steps: int = 100_000,
    ) -> None:
        check_kind("network", network, nn.Module)
        check_callable("objective", objective)
        check_callable("optimizer", optimizer)
        for name, maker in (("main_optimizer", main_optimizer), ("schedule", schedule)):
            if maker is not None:
                check_callable(name, maker)
        check_flag("carry_over", carry_over)
        self.network, self.objective = network, objective
        self.epochs = check_count("epochs", epochs)
        self.max_fit_steps = check_count("max_fit_steps", max_fit_steps)
        self.tolerance = check_real("tolerance", tolerance, above=0)
        x = _check_point(network())
        _check_objective(objective, x)
        x = x.detach()
        self._d = len(x)
        self.initial = None if initial is None else _check_initial(initial, x)

        self._main_factory = main_optimizer or optimizer
        self._carry_over = carry_over and main_optimizer is None
        self._schedule = schedule
        self.phase = "main" if self.initial is None else "fit"
        first = self._main_factory if self.initial is None else optimizer
        which = (
            "optimizer" if self.initial is not None or main_optimizer is None else "main_optimizer"
        )
        self.optimizer = _made(which, first(network.parameters()))
        self._base_rates = [group["lr"] for group in self.optimizer.param_groups]
        self.fit_steps, self.fit_error, self.diverged = 0, float("nan"), False
        self._x: list[list[float]] = []
        self._loss: list[float] = []

    @property
    def epoch(self) -> int:
        """Steps that the main run has taken."""
        return len(self._loss)

    @property
    def loss(self) -> float:
        """The last loss of the main run; NaN before its first step."""
        return self._loss[-1] if self._loss else float("nan")

    @property
    def done(self) -> bool:
        """Whether there is nothing left to do."""
        return self.diverged or (self.phase == "main" and self.epoch >= self.epochs)

    def step(self) -> None:
        """Take one step of the phase that training is in."""
        if self.done:
            return
        if self.phase == "fit":
            self._fit()
        else:
            self._descend()

    def run(self) -> Record:
        """Take all steps that are left, and return the record."""
        while not self.done:
            self.step()
        return self.record()

    def record(self) -> Record:
        """Return what has happened so far."""
        return Record(
            x=np.array(self._x, dtype=np.float64).reshape(len(self._x), self._d),
            loss=np.array(self._loss, dtype=np.float64),
            fit_steps=self.fit_steps,
            fit_error=self.fit_error,
            fitted=self.initial is None or self.fit_error < self.tolerance,
            diverged=self.diverged,
            finished=self.epoch >= self.epochs and not self.diverged,
        )

    def state(self) -> dict[str, Any]:
        """Return a copy of the state, plain values and tensors, fit for `torch.save`."""
        return copy.deepcopy(
            {
                "model": self.network.state_dict(),
                "optimizer": self.optimizer.state_dict(),
                "phase": self.phase,
                "fit_steps": self.fit_steps,
                "fit_error": self.fit_error,
                "diverged": self.diverged,
                "x": self._x,
                "loss": self._loss,
            }
        )

    def load_state(self, state: dict[str, Any]) -> None:
        """Go back to a state that `state` returned, of a training with the same arguments."""
        state = copy.deepcopy(state)
        self.network.load_state_dict(state["model"])
        if state["phase"] != self.phase:
            self._start_main()
        self.optimizer.load_state_dict(state["optimizer"])
        self.fit_steps, self.fit_error = state["fit_steps"], state["fit_error"]
        self.diverged = state["diverged"]
        self._x, self._loss = state["x"], state["loss"]

    def _fit(self) -> None:
        """Move F(W) one step towards the start, or begin the main run if it is there."""
        self.optimizer.zero_grad()
        loss = (self.network() - self.initial).square().mean()
        self.fit_error = loss.item()
        if not np.isfinite(self.fit_error):
            self.diverged = True
        elif self.fit_error < self.tolerance or self.fit_steps >= self.max_fit_steps:
            self._start_main()
        else:
            loss.backward()
            self.optimizer.step()
            self.fit_steps += 1

    def _start_main(self) -> None:
        """Begin the main run, with the fit's optimizer or with a new one."""
        self.phase = "main"
        if not self._carry_over:
            made = self._main_factory(self.network.parameters())
            self.optimizer = _made("main_optimizer", made)
            self._base_rates = [group["lr"] for group in self.optimizer.param_groups]

    def _descend(self) -> None:
        """Record x and f(x), then take one step of the main run."""
        self.optimizer.zero_grad()
        x = self.network()
        loss = self.objective(x)
        self._x.append(x.detach().tolist())
        self._loss.append(loss.item())
        if not np.isfinite([*self._x[-1], self._loss[-1]]).all():
            self.diverged = True
            return
        if self._schedule is not None:
            factor = self._schedule(self.epoch - 1)
            for group, rate in zip(self.optimizer.param_groups, self._base_rates, strict=True):
                group["lr"] = rate * factor
        loss.backward()  # type: ignore[no-untyped-call]
        self.optimizer.step()


def train(
    network: nn.Module,
    objective: Callable[[torch.Tensor], torch.Tensor],
    initial: Sequence[float] | npt.NDArray[np.float64] | None = None,
    *,
    epochs: int = 500,
    optimizer: OptimizerFactory = ADAM,
    main_optimizer: OptimizerFactory | None = None,
    carry_over: bool = True,
    schedule: Callable[[int], float] | None = None,
    tolerance: float = 1e-6,
    max_fit_steps: int = 100_000,
) -> Record:
    """Descend ``objective(network())`` on the weights of the network, from x = initial.

    The network is changed in place. All randomness is in its weights, so the same network gives
    the same record.

    Parameters
    ----------
    network : torch.nn.Module
        ``network()`` is x, of shape (d,); see `descent.networks.models`.
    objective : callable
        ``objective(x)`` is a scalar tensor for x of shape (d,), for instance an objective of
        `descent.landscapes`.
    initial : sequence of d floats, optional
        The start x0. Without it the main run begins where the network's weights put x.
    epochs : int
        Steps of the main run.
    optimizer : callable
        Makes the optimizer from the parameters: ``partial(torch.optim.SGD, lr=0.1)``. The default
        is Adam with learning rate 5e-4 and β = (0.9, 0.999).
    main_optimizer : callable, optional
        Makes another optimizer for the main run; nothing is carried over then.
    carry_over : bool
        Whether the main run goes on with the optimizer of the fit and its moments. Otherwise it
        begins with a new one.
    schedule : callable, optional
        ``schedule(epoch)`` multiplies the learning rate in the main run.
    tolerance : float
        The fit ends when the mean square of F(W) - x0 is below it.
    max_fit_steps : int
        The fit ends after so many steps in any case; `Record.fitted` says whether it arrived.

    Returns
    -------
    Record
        With x and the loss before each step of the main run.

    Raises
    ------
    ValueError, TypeError
        If a number is out of range, `initial` has not d finite numbers, the network makes no point
        that its weights move, the objective is not defined for it or has no derivative, or an
        optimizer needs a closure, as LBFGS does.

    Examples
    --------
    >>> from descent.networks import models
    >>> network = models.parameter(out_ch=1, generator=torch.Generator().manual_seed(0))
    >>> record = train(network, lambda x: (x**2).sum(-1), [0.1], epochs=3)
    >>> record.x.shape, record.fitted, bool(abs(record.x[0, 0] - 0.1) < 1e-3)
    ((3, 1), True, True)

    Notes
    -----
    Source: document 001, "Example results".
    """
    return Training(
        network,
        objective,
        initial,
        epochs=epochs,
        optimizer=optimizer,
        main_optimizer=main_optimizer,
        carry_over=carry_over,
        schedule=schedule,
        tolerance=tolerance,
        max_fit_steps=max_fit_steps,
    ).run()


def _made(name: str, optimizer: object) -> torch.optim.Optimizer:
    """Return an optimizer; a TypeError if a factory made something else."""
    if not isinstance(optimizer, torch.optim.Optimizer):
        raise TypeError(f"{name} must make a torch.optim.Optimizer; got {came(optimizer)}")
    closure = inspect.signature(type(optimizer).step).parameters.get("closure")
    if closure is not None and closure.default is closure.empty:
        raise TypeError(
            f"{name} must make an optimizer that steps without a closure; "
            f"got {type(optimizer).__name__}"
        )
    return optimizer


def _check_point(x: object) -> torch.Tensor:
    """Return what a network makes; an error unless it is a point (d,) that its weights move."""
    if not isinstance(x, torch.Tensor) or not x.is_floating_point():
        raise TypeError(f"network() must be a tensor of floats; got {came(x)}")
    if x.ndim != 1 or not len(x):
        raise ValueError(f"network() must have shape (d,); got {tuple(x.shape)}")
    if not x.requires_grad:
        raise ValueError("network() must depend on weights that require a gradient; got none")
    return x


def _check_initial(
    initial: Sequence[float] | npt.NDArray[np.float64], x: torch.Tensor
) -> torch.Tensor:
    """Return the start as a tensor like x; a ValueError if it is not d finite numbers."""
    values = check_array("initial", initial, finite=False)
    start = torch.as_tensor(values, dtype=x.dtype, device=x.device)
    if start.shape != x.shape or not torch.isfinite(start).all():
        raise ValueError(
            f"initial must be {len(x)} finite number{'s' if len(x) > 1 else ''}, "
            f"one for each output of the network; got {came(initial)}"
        )
    return start


def _check_objective(
    objective: Callable[[torch.Tensor], torch.Tensor], x: torch.Tensor
) -> torch.Tensor:
    """Call the objective once; a TypeError if its value is not a scalar tensor."""
    value = objective(x)
    if not isinstance(value, torch.Tensor) or value.shape != ():
        came = f"shape {tuple(value.shape)}" if isinstance(value, torch.Tensor) else repr(value)
        raise TypeError(
            f"objective(x) must be a scalar tensor for x of shape {tuple(x.shape)}; got {came}"
        )
    if not value.requires_grad:
        raise ValueError(
            "objective(x) must depend on x by operations that torch differentiates; "
            f"got {value!r}, which does not require a gradient"
        )
    return value
