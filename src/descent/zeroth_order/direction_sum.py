"""Estimates that are a sum of random directions, weighted by what the loss says about each."""

import math
from collections.abc import Sequence
from typing import ClassVar

import torch
from torch import Generator, Tensor

from descent.zeroth_order import directions
from descent.zeroth_order.base import Closure, Loss, NonFiniteLoss
from descent.zeroth_order.estimate import GradientEstimator


class DirectionSum(GradientEstimator):
    r"""Base of the estimates that are a weighted sum of random directions.

    .. math:: \hat g = \sum_{i=1}^n w_i z_i

    where the weights follow from the losses at x + s h z, with s among `sides`. A subclass
    defines `weigh`, and `fill` if its directions are not normal.

    Up to 65,536 parameters the directions are vectors, and the parameters are set to the
    points. Beyond, no vector is made: the parameters walk from point to point in place, block
    by block, along directions that are drawn anew from the states of the generator, and then
    to where the step ends. So the memory beside the parameters is one copy of them, the best
    point, and a block; an inner optimizer takes a gradient besides. The numbers drawn are
    others than a single draw would give, their law is the same. A point is then off by a few
    roundings of its coordinates or of the step to it, and so are the parameters that an error
    in the closure leaves; types of half precision, of which that would be too much, walk in
    place only if no best point is kept. Tensors that are not contiguous, overlap, or are
    integers are never walked in place.

    Attributes
    ----------
    samples : int
        Number of directions n.
    sides : tuple of float
        Where the loss is taken along each direction, in units of h.
    looks : bool
        Whether the loss is taken at x as well, before all others.
    differences : bool
        Whether the weights are differences of the loss, which are to be divided by h.
    shaped : bool
        Whether a direction depends on the shapes of the parameters, each of which is then
        filled as a whole.
    """

    samples = 1
    sides: ClassVar[tuple[float, ...]] = (1.0,)
    looks = True
    differences = False
    shaped = False

    def weigh(self, before: float, losses: list[list[float]]) -> tuple[Sequence[float], float]:
        """Return the weights, and the loss at x or an estimate of it.

        Parameters
        ----------
        before : float
            The loss at x; NaN unless it was looked at.
        losses : list of lists of float
            For each direction the losses at its sides.
        """
        raise NotImplementedError

    def fill(self, empty: Tensor, generator: Generator | None) -> Tensor:
        """Draw directions into an empty tensor: standard normal ones."""
        return empty.normal_(generator=generator)

    def estimate(self, loss: Loss, x: Tensor) -> tuple[Tensor, float]:
        """Return the estimated gradient, and the loss at x or an estimate of it."""
        z = self.drawn(x.expand(self.samples, -1), self._fill_all)
        before = loss(x) if self.looks else math.nan
        losses = [[loss(self.shifted(x, "h", each, s)) for s in self.sides] for each in z]
        weights, value = self.weigh(before, losses)
        total = z[0] * weights[0] if len(weights) == 1 else x.new_tensor(weights) @ z
        return (total / self.each("h") if self.differences else total), value

    def _fill_all(self, empty: Tensor) -> Tensor:
        """Draw directions into an empty matrix, one a row."""
        if not self.shaped:
            return self.fill(empty, self.generator)
        for row in empty:
            for part in self.vector.parts(row):
                self.fill(part, self.generator)
        return empty

    def walks(self) -> bool:
        """Whether the parameters are so many that they walk in place."""
        tensors = self.vector.tensors
        if self.vector.discrete or self.vector.length <= directions.BLOCK:
            return False
        fine = not self.keep_best or torch.finfo(tensors[0].dtype).bits > 16
        return fine and directions.apart(tensors)

    def _advance(self, closure: Closure) -> float:
        if not self.walks():
            return super()._advance(closure)
        self.vector.check_kept()
        self.keep_up(self.vector.tensors[0])
        assert self.generator is not None
        walk = directions.Walk(
            self.vector.tensors, self.vector.groups, self.generator, self.fill, self.shaped
        )
        h = [float(group["h"]) for group in self.param_groups]

        def probe(i: int, side: float) -> float:
            walk.move({i: [side * each for each in h]})
            return self.evaluate(closure)

        try:
            before = self.evaluate(closure) if self.looks else math.nan
            losses = [[probe(i, s) for s in self.sides] for i in range(self.samples)]
            weights, value = self.weigh(before, losses)
            scale = [1 / each if self.differences else 1.0 for each in h]
            self._follow(walk, {i: [w * s for s in scale] for i, w in enumerate(weights) if w})
        except NonFiniteLoss:
            walk.move({})
            if self.keep_best:
                self.restore_best()
            raise
        except BaseException:
            walk.move({})
            raise
        return value

    def _follow(self, walk: directions.Walk, gradient: directions.Sum) -> None:
        """Step against a gradient, or let the inner optimizer do so."""
        if self.optimizer is None:
            rates = [float(group["lr"]) for group in self.param_groups]
            walk.move(
                {
                    i: [-lr * g for lr, g in zip(rates, factors, strict=True)]
                    for i, factors in gradient.items()
                }
            )
            return
        walk.move({})
        blocks = walk.sums(gradient)
        vector = self.vector.empty().new_empty(self.vector.length)
        done = 0
        for block in blocks:
            vector[done : done + block.numel()] = block.view(-1)
            done += block.numel()
        self.vector.set_gradients(vector)
        self.optimizer.step()
