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
    losses. All state lies in attributes.

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
        told do not fit the candidates that were asked for.
    NonFiniteLoss
        By `tell`, if a loss is NaN or infinite; the best point is kept, and nothing else moves.
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
        if not finite.all():
            raise NonFiniteLoss(
                f"{np.count_nonzero(~finite)} losses are not finite; the best is {self.best_loss}"
            )
        candidates, self._asked = self._asked, None
        self.learn(candidates, told)

    def scalar(self, told: Array) -> Array:
        """Return the losses; a method that is told residuals makes losses of them."""
        return told

    def state_dict(self) -> dict[str, Any]:
        """Return a copy of all attributes and of the generator's state."""
        attributes = {name: value for name, value in vars(self).items() if name != "generator"}
        return copy.deepcopy(attributes | {"bit_generator": self.generator.bit_generator.state})

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Continue from a copy of a saved state."""
        state = copy.deepcopy(state_dict)
        self.generator.bit_generator.state = state.pop("bit_generator")
        vars(self).update(state)
