r"""Growth of an orthonormal frame along many trajectories, in blocks of time.

.. math:: G_i = \sum \log R_{ii} \quad\text{or, for stiff systems,}\quad
          G_i = \int q_i^\top J q_i\, dt

The two are the same: the second, the continuous QR method, keeps rates that are too fast
for the steps.
"""

import numpy as np

from descent.arguments import Array, Index
from descent.dynamics.adaptive import _RA, Bools, Pace, Stages, _is_stiff, step
from descent.dynamics.motion import Motion
from descent.dynamics.quick import quick_steps
from descent.dynamics.tangent import Tangents, _unstack

EVERY = 3  # steps between two orthonormalizations


class Frames:
    """States (d, n) with a frame (r, k, n) each, and the logarithms of their growth."""

    def __init__(self, motion: Motion, states: Array, frame: Array | None = None) -> None:
        self.motion = motion
        (self.free, self.k), *_ = motion.layout
        n, r = states.shape[1], len(self.free)
        if frame is None:
            frame = np.broadcast_to(np.eye(r)[:, : self.k, None], (r, self.k, n))
        self.stack = np.concatenate([states, frame.reshape(r * self.k, n)])
        self.growth = np.zeros((self.k, n))
        self.rate: Array | None = None

    @property
    def states(self) -> Array:
        """The states (d, n), a view."""
        return self.stack[: self.motion.d]

    @property
    def frame(self) -> Array:
        """The disturbances (r, k, n), a view."""
        n = self.stack.shape[1]
        empty = Tangents(self.free, np.empty((len(self.free), self.k, n)))
        return _unstack(self.stack, self.motion.d, [empty])[1][0].vectors

    def orthonormalize(self, chosen: Array | slice = slice(None)) -> Array:
        """Make the frames orthonormal, add the logarithms; return the factors R (n, k, k)."""
        v = self.frame[:, :, chosen]
        q, upper = np.linalg.qr(np.moveaxis(v, 2, 0))
        size = np.abs(np.diagonal(upper, axis1=1, axis2=2)).T
        if not (size > 0).all():
            raise ValueError(
                "an exponent is minus infinity: the Jacobian of the system is singular on the "
                "way of a trajectory, so that a disturbance vanishes in finite time"
            )
        self.growth[:, chosen] += np.log(size)
        self.frame[:, :, chosen] = np.moveaxis(q, 0, 2)
        self.rate = None
        return np.asarray(upper)

    def iterate(self, n_steps: int, first: int, dt: float) -> None:
        """Move on by steps of a map."""
        for i in range(first, first + n_steps):
            self.stack = self.motion.slopes(self.stack, i * dt)
            if not np.isfinite(self.stack).all():
                lost = int((~np.isfinite(self.stack).all(axis=0)).sum())
                raise FloatingPointError(
                    f"{lost} of {self.stack.shape[1]} trajectories leave the finite numbers at "
                    f"time {(i + 1) * dt:g}; give initial states in the basin of an attractor"
                )
            self.orthonormalize()

    def flow(self, pace: Pace, ends: Array) -> None:
        """Move each trajectory on to its end, and leave its frame orthonormal there."""
        while self.motion.quick is not None and not pace.stiff and (pace.t < ends).any():
            self._quick(pace, ends)
        while True:
            late = pace.t < ends
            if not late.any():
                break
            if not late.all() and late.mean() <= 0.5 and self.motion.own_clock:
                self._rest(pace, ends, np.flatnonzero(late))
                break
            with np.errstate(all="ignore"):
                self._step(pace, ends)
        if not pace.stiff:
            self.orthonormalize()

    def _quick(self, pace: Pace, ends: Array) -> None:
        """Take compiled steps; the frames become orthonormal on the way, as in `_step`."""
        with np.errstate(all="ignore"):
            self.stack = quick_steps(
                self.motion, pace, self.stack, ends, every=EVERY, growth=self.growth
            )
            self.rate = None
            if pace.look <= pace.steps and _is_stiff(self.motion, pace, self.stack):
                self.orthonormalize()
                pace.stiff = True

    def _rest(self, pace: Pace, ends: Array, late: Index) -> None:
        few = Frames(self.motion, self.states[:, late], self.frame[:, :, late])
        part = pace.part(late)
        few.flow(part, ends[late])
        self.stack[:, late], pace.t[late], pace.h[late] = few.stack, part.t, part.h
        assert pace.size is not None
        assert part.size is not None
        pace.size[:, late] = part.size
        self.growth[:, late] += few.growth
        pace.steps += part.steps
        self.rate = None

    def _step(self, pace: Pace, ends: Array) -> None:
        before, old = pace.t, self.stack
        was_stiff = pace.stiff
        self.stack, self.rate, moved, stages = step(self.motion, pace, old, self.rate, ends)
        if was_stiff:
            self._continuous(pace.t - before, moved, stages)
        elif pace.steps % EVERY == 0:
            self.orthonormalize()
        if not was_stiff and pace.look <= pace.steps and _is_stiff(self.motion, pace, self.stack):
            self.orthonormalize()
            pace.stiff = True

    def _continuous(self, h: Array, moved: Bools, stages: Stages) -> None:
        """Add the integral of q J q over the implicit step, by its own quadrature."""
        (chosen,) = np.nonzero(moved & (h > 0))
        if not len(chosen):
            return
        free = list(self.free)
        for i in range(3):
            v = np.moveaxis(stages.vectors[0][i][:, :, chosen], 2, 0)
            q, _ = np.linalg.qr(v)
            j = np.moveaxis(stages.jacobians[i][free][:, free][:, :, chosen], 2, 0)
            rates = np.einsum("nik,nij,njk->kn", q, j, q)
            self.growth[:, chosen] += h[chosen] * _RA[2, i] * rates
        self.frame[:, :, chosen] = np.moveaxis(q, 0, 2)
        self.rate = None
