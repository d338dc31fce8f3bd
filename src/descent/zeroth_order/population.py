"""Populations: ask for candidates, tell their losses; and how one drives torch parameters."""

import copy
import math
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from descent.arguments import (
    Array,
    check_array,
    check_count,
    check_generator,
    check_numbers,
    check_real,
)
from descent.zeroth_order.base import NonFiniteLoss


class Population:
    """Base of the methods that move many points at once.

    A subclass defines `propose`, which returns candidates, and `learn`, which takes their
    losses. All state lies in attributes, so `copy.deepcopy` and `pickle` continue a run.

    A loss of plus infinity counts as worse than any other: tell it for a candidate that is not
    allowed. Where none is allowed, the particles come half way back to the best point. The start
    itself is no candidate unless each particle has its own; `Driven` looks at it first.

    Parameters
    ----------
    start : array_like, shape (d,) or (size, d)
        The centre of a normal cloud of particles, or each particle's own start.
    spread : float
        Standard deviation of the cloud; unused if each particle has its own start.
    size : int
        Number of particles.
    generator : numpy.random.Generator
        Source of all randomness.

    Attributes
    ----------
    x : ndarray, shape (size, d)
        The particles.
    best, best_loss, evaluations
        The best candidate so far, its loss, and how many have been evaluated.
    residuals : bool
        Whether `tell` takes a vector of residuals for each candidate instead of a loss.

    Raises
    ------
    TypeError
        If generator is no numpy.random.Generator.
    ValueError
        If the start is not finite, or spread or size are not positive, or the losses that are
        told do not fit the candidates that were asked for; by `load_state_dict`, if the state
        is another population's, before anything changes.
    NonFiniteLoss
        By `tell`, if a loss is NaN or minus infinity, or if all losses so far are infinite; the
        best point is kept, and nothing else moves.
    """

    residuals = False

    def __init__(
        self,
        start: ArrayLike,
        *,
        spread: float = 1.0,
        size: int = 20,
        generator: np.random.Generator,
    ) -> None:
        check_generator("generator", generator)
        check_real("spread", spread, above=0)
        check_count("size", size, 2)
        points = check_array("start", start).copy()
        if points.ndim not in (1, 2) or not points.size or (points.ndim == 2 and len(points) < 2):
            raise ValueError(f"start must be (d,) or (size, d), size > 1; got shape {points.shape}")
        self.generator = generator
        if points.ndim == 1:
            points = points + spread * generator.standard_normal((size, points.size))
        self.x: Array = points
        self.best: Array = points[0].copy()
        self.best_loss = math.inf
        self.evaluations = 0
        self._asked: Array | None = None

    def propose(self) -> Array:
        """Return candidates, shape (n, d)."""
        raise NotImplementedError

    def learn(self, candidates: Array, losses: Array) -> None:
        """Move the particles, knowing the losses of the candidates."""
        raise NotImplementedError

    def ask(self) -> Array:
        """Return candidates, shape (n, d); asking twice returns the same."""
        if self._asked is None:
            self._asked = self.propose()
        return self._asked.copy()

    def tell(self, losses: ArrayLike) -> None:
        """Take the losses of the candidates, shape (n,), in the order in which they came."""
        if self._asked is None:
            raise ValueError("losses are told after ask; got them before")
        told = check_numbers("losses", losses)
        scalars = self.scalar(told)
        if scalars.shape != (len(self._asked),):
            raise ValueError(
                f"losses must be {len(self._asked)}, one a candidate; got shape {told.shape}"
            )
        self.evaluations += len(scalars)
        finite = np.isfinite(scalars)
        if finite.any():
            lowest = int(np.argmin(np.where(finite, scalars, np.inf)))
            if scalars[lowest] < self.best_loss:
                self.best_loss = float(scalars[lowest])
                self.best = self._asked[lowest].copy()
        wrong = np.count_nonzero(~finite & ~np.isposinf(scalars))
        if wrong:
            raise NonFiniteLoss(
                f"{wrong} losses are not finite, NaN or -inf; the best is {self.best_loss}. "
                "Tell inf for a candidate that is not allowed"
            )
        if self.best_loss == math.inf:
            raise NonFiniteLoss("all losses so far are inf; start where the loss is finite")
        candidates, self._asked = self._asked, None
        if finite.any():
            self.learn(candidates, told)
        else:
            self.retreat()

    def retreat(self) -> None:
        """Bring the particles half way back to the best point, as none of them is allowed."""
        self.x = (self.x + self.best) / 2

    def scalar(self, told: Array) -> Array:
        """Return the losses; a method that is told residuals makes losses of them."""
        return told

    def state_dict(self) -> dict[str, Any]:
        """Return a copy of all attributes and of the generator's state."""
        attributes = {name: value for name, value in vars(self).items() if name != "generator"}
        return copy.deepcopy(attributes | {"bit_generator": self.generator.bit_generator.state})

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Continue from a copy of a saved state."""
        self.check_state(state_dict)
        state = copy.deepcopy(state_dict)
        self.generator.bit_generator.state = state.pop("bit_generator")
        vars(self).update(state)

    def check_state(self, state: dict[str, Any]) -> None:
        """Raise a ValueError unless a state is one of this population in as many dimensions."""
        own = self.state_dict()
        if state.keys() != own.keys():
            raise ValueError(
                f"state_dict must be one of {type(self).__name__}; got keys {sorted(state)}"
            )
        if state["x"].shape[1:] != self.x.shape[1:]:
            raise ValueError(
                f"state_dict must be of {self.x.shape[1]} coordinates; got {state['x'].shape[1]}"
            )
        named = [each["bit_generator"]["bit_generator"] for each in (own, state)]
        if named[0] != named[1]:
            raise ValueError(f"generator must be a {named[1]}, as it was saved; got {named[0]}")


def bounded(losses: Array) -> Array:
    """Return losses with the worst finite one in place of infinity, for sums of them.

    Examples
    --------
    >>> bounded(np.array([1.0, np.inf, 3.0]))
    array([1., 3., 3.])
    """
    allowed = np.isfinite(losses)
    return losses if allowed.all() else np.where(allowed, losses, losses[allowed].max())
