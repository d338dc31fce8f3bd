r"""A system and its disturbances as one large system, whatever way its function is written.

.. math:: \dot s = f(s, t), \qquad \dot v = M J(s, t)\, v

`Motion` finds out by trial how the functions of a system may be called: with many states
at once (the contract) or one by one, and with one time for each state or one for all.
"""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from descent.arguments import Array
from descent.dynamics.derivatives import (
    JUMPS,
    STEP,
    ComplexStep,
    FiniteDifferences,
    Rows,
    advice,
    entries_of,
    finite_differences,
    met_functions,
)
from descent.dynamics.error_steps import ErrorSteps
from descent.dynamics.system import Flow, Map
from descent.dynamics.tangent import Tangents, _apply, _unstack


def _repeated(t: Any, k: int) -> Any:
    """Return times (n,) k times over, or the one time of all."""
    return np.broadcast_to(t, (k, len(t))).reshape(-1) if np.ndim(t) else t


def _rows(rows: Rows, shape: tuple[int, ...]) -> Array:
    """Return d rows, each a number or an array, as one array."""
    out = np.empty(shape, np.result_type(*rows, np.float64))
    for i, row in enumerate(rows):
        out[i] = row
    return out


UNREAL = 1e-60  # what a complex step of length 1e-100 seldom leaves of a real function
GROWTH = 1e20  # of a disturbance in a unit of time: none is faster


Block = tuple[tuple[int, ...], int]  # of disturbances: free variables, number of vectors


class Motion:
    """The function of a map or flow, and that of its disturbances, for many states.

    Parameters
    ----------
    system : Map or Flow
        With a Jacobian, or a jvp, if there are disturbances.
    layout : sequence of (free variables, number of vectors)
        The blocks of disturbances.
    probe : array (d, m)
        States at which the calls are tried.
    """

    def __init__(self, system: Map | Flow, layout: Sequence[Block], probe: Array) -> None:
        self.system = system
        self.function = system.rate if isinstance(system, Flow) else system.step
        self.called = "rate" if isinstance(system, Flow) else "step"
        self.layout = tuple(layout)
        self.d = len(system.names)
        self.calls = 0
        self._seen, self._bad, self._rough = 0, 0, 0
        derivative = system.jacobian
        self.complex = isinstance(derivative, ComplexStep) and derivative.function == self.function
        self.loops, self.own_clock = False, True
        self.quick: ErrorSteps | None = None  # compiled steps; see `quick.speed_up`
        self.per_slope = 1.0  # calls that a rate with disturbances counts for
        # Good enough for Newton's method and for eigenvalues.
        self._differences = finite_differences(self.function, 1e-7)
        self._try(np.asarray(probe, float))

    # How the functions may be called

    def _try(self, probe: Array) -> None:
        s = np.repeat(probe, 1 if probe.shape[1] > 2 else 3, axis=1)[:, :16]
        n = s.shape[1]
        spread = np.linspace(0.37, 23.1, n)
        single = [self._one(self.function, s[:, j], 0.0) for j in range(n)]
        late = [self._one(self.function, s[:, j], float(spread[j])) for j in range(n)]
        self.loops = not self._agrees(s, 0.0, single)
        self.autonomous = np.array_equal(single, late)
        self.own_clock = self.loops or self._agrees(s, spread, late)
        if self.layout and self.system.jvp is None and not self.complex and not self.loops:
            jacobian = entries_of(self.system.jacobian)
            each = [self._square(jacobian(s[:, j], 0.0), ()) for j in range(n)]
            try:
                matrix = self._square(jacobian(s, 0.0), (n,))
                self.loops = not np.allclose(matrix, np.stack(each, -1), 1e-9, equal_nan=True)
            except Exception:  # whatever it says: it takes no more than one state
                self.loops = True
            if self.own_clock and not self.loops:
                each = [self._square(jacobian(s[:, j], float(spread[j])), ()) for j in range(n)]
                try:
                    clocks: Any = spread
                    matrix = self._square(jacobian(s, clocks), (n,))
                    self.own_clock = np.allclose(matrix, np.stack(each, -1), 1e-9, equal_nan=True)
                except Exception:
                    self.own_clock = False

    def _one(self, function: Callable[..., Rows], state: Array, time: float) -> Array:
        rows = function(state, time)
        if len(rows) != self.d:
            raise ValueError(
                f"{self.called} must return {self.d} rows, one for each of {self.system.names}; "
                f"got {len(rows)}"
            )
        return _rows(rows, (self.d,))

    def _agrees(self, s: Array, time: Any, each: list[Array]) -> bool:
        try:
            with np.errstate(all="ignore"):
                together = _rows(self.function(s, time), s.shape)
        except Exception:  # whatever it says: it does not take such arrays
            return False
        return bool(np.allclose(together, np.stack(each, -1), 1e-9, 1e-300, equal_nan=True))

    def _square(self, entries: Any, shape: tuple[int, ...]) -> Array:
        if isinstance(entries, np.ndarray) and entries.shape == (self.d, self.d, *shape):
            return entries
        out = np.empty((self.d, self.d, *shape))
        for i, row in enumerate(entries):
            for j, entry in enumerate(row):
                out[i, j] = entry
        return out

    # The functions

    def _columns(self, function: Callable[..., Rows], s: Array, *more: Any, t: Any) -> Array:
        """Call a function with states (d, n) and times, together or one by one."""
        if not self.loops:
            self.calls += 1
            return _rows(function(s, *more, t), s.shape)
        n = s.shape[1]
        self.calls += n
        out = np.empty_like(s)
        times = np.broadcast_to(t, (n,))
        for j in range(n):
            out[:, j] = function(s[:, j], *(m[:, j] for m in more), float(times[j]))
        return out

    def value(self, s: Array, t: Any) -> Array:
        """Return f (d, n)."""
        return self._columns(self.function, s, t=t)

    def _complex(self, s: Array, v: Array, t: Any) -> tuple[Array, Array]:
        """Return f (d, n) and J v (d, k, n) by a complex step along v."""
        d, k, n = v.shape
        shifted = np.empty((d, k, n), complex)
        shifted.real = s[:, None]
        np.multiply(v, STEP, out=shifted.imag)
        columns, times = shifted.reshape(d, k * n), _repeated(t, k)
        try:
            both = self._columns(self.function, columns, t=times).reshape(d, k, n)
        except TypeError:
            assert isinstance(self.system.jacobian, ComplexStep)
            self.system.jacobian._value(columns, 0.0)  # says what is wrong, by name
            raise
        value, moved = np.ascontiguousarray(both[:, 0].real), both.imag / STEP
        if max(both.imag.max(), -both.imag.min()) > UNREAL:
            # The complex log is finite left of zero, where the function itself is not.
            large = np.abs(both.imag).max(axis=0)
            real = np.abs(both.real).max(axis=0)
            unreal = (large > 1e-12 * real) & (large > GROWTH * STEP * np.abs(v).max(axis=0))
            value[:, unreal.any(axis=0)] = np.nan
        return value, moved

    def product(self, s: Array, v: Array, t: Any) -> Array:
        """Return J v (d, k, n) for vectors v (d, k, n)."""
        d, k, n = v.shape
        if self.system.jvp is not None:
            base = np.broadcast_to(s[:, None, :], v.shape).reshape(d, k * n)
            times = _repeated(t, k)
            return self._columns(self.system.jvp, base, v.reshape(d, k * n), t=times).reshape(
                d, k, n
            )
        if self.complex:
            return self._complex(s, v, t)[1]
        return np.asarray(np.einsum("ijn,jkn->ikn", self.matrix(s, t), v))

    def matrix(self, s: Array, t: Any) -> Array:
        """Return the Jacobian (d, d, n)."""
        d, n = s.shape
        if self.system.jvp is not None or self.complex:
            unit = np.broadcast_to(np.eye(d)[:, :, None], (d, d, n))
            return self.product(s, unit, t)
        jacobian = entries_of(self.system.jacobian or self._differences)
        if not self.loops:
            self.calls += 1
            return self._square(jacobian(s, t), (n,))
        self.calls += n
        times = np.broadcast_to(t, (n,))
        each = [self._square(jacobian(s[:, j], float(times[j])), ()) for j in range(n)]
        return np.stack(each, axis=-1)

    def slopes(self, stack: Array, t: Any) -> Array:
        """Return f and M J v of states and disturbances below each other, (rows, n)."""
        s = stack[: self.d]
        if not self.layout:
            return self.value(s, t)
        n = stack.shape[1]
        if self.complex and len(self.layout) == 1 and len(self.layout[0][0]) == self.d:
            # The most frequent case, without copies.
            value, moved = self._complex(s, stack[self.d :].reshape(self.d, -1, n), t)
            return np.concatenate([value, moved.reshape(-1, n)])
        # In rows, so that the blocks of disturbances are views.
        stack, out = np.ascontiguousarray(stack), np.empty(stack.shape)
        sized = [Tangents(free, np.empty((len(free), k, n))) for free, k in self.layout]
        _, vectors = _unstack(stack, self.d, sized)
        _, rates = _unstack(out, self.d, sized)
        direct = self.system.jvp is None and not self.complex and not self.loops
        if direct:
            out[: self.d] = self.value(s, t)
            jacobian = entries_of(self.system.jacobian)
            entries = jacobian(s, t)
            for block, rate in zip(vectors, rates, strict=True):
                _apply(entries, block, rate.vectors)
            return out
        whole = []
        for free, v in vectors:
            full = np.zeros((self.d, v.shape[1], n))
            full[list(free)] = v
            whole.append(full)
        together = np.concatenate(whole, axis=1)
        if self.complex:
            out[: self.d], moved = self._complex(s, together, t)
        else:
            out[: self.d], moved = self.value(s, t), self.product(s, together, t)
        first = 0
        for (free, v), rate in zip(vectors, rates, strict=True):
            rate.vectors[...] = moved[list(free), first : first + v.shape[1]]
            first += v.shape[1]
        return out

    # Whether the derivative is one

    def check_derivative(self, s: Array, t: Any, size: Array, rng: np.random.Generator) -> None:
        r"""Compare J v with a difference quotient along a random v; an error if it is not that.

        ``size`` (d,) or (d, n) are typical sizes of the variables. A bend of the function on
        the way spoils one point in a million; a wrong derivative, all points of a region.
        """
        size = np.broadcast_to(size[:, None] if size.ndim == 1 else size, s.shape)
        # A variable that rests is moved too, by more than rounding: the second try.
        largest = np.maximum(np.abs(s), size).max(axis=0)
        floor = np.where(largest > 0, 1e-6 * largest, 1.0)
        wrong = np.ones(s.shape[1], bool)
        with np.errstate(all="ignore"):
            for sizes in (size, np.maximum(size, floor)):
                v = sizes * rng.standard_normal(s.shape)
                wrong &= self._differs(s, t, v)
            self._check_accurate(s, t, v)
        self._seen += s.shape[1]
        self._bad += int(wrong.sum())
        if self._bad > 1e-3 * self._seen:
            raise ValueError(self._complaint(s[:, np.flatnonzero(wrong)[:1]]))

    def _check_accurate(self, s: Array, t: Any, v: Array) -> None:
        """Raise a ValueError if finite differences have too long steps, at more than a bend."""
        own = self.system.jacobian
        if self.system.jvp is not None or not isinstance(own, FiniteDifferences):
            return
        if self.loops:
            times = np.broadcast_to(t, s.shape[1:])
            each = zip(s.T, v.T, times, strict=True)
            rough = np.array([bool(own.inaccurate(*one)) for one in each])
        else:
            rough = own.inaccurate(s, v, t)
        self._rough += int(rough.sum())
        if self._rough > 1 + 0.05 * (self._seen + s.shape[1]):
            state = dict(zip(self.system.names, s[:, int(rough.argmax())], strict=True))
            where = {name: float(f"{x:.3g}") for name, x in state.items()}
            raise ValueError(
                f"the steps of dynamics.finite_differences are too long for {self.called} at "
                f"{self._rough} of {self._seen + s.shape[1]} states tried, such as {where}: give "
                "it sizes=, the typical sizes of the variables, or a shorter step="
                f"{self._across(s[:, rough])}"
            )

    def _differs(self, s: Array, t: Any, v: Array) -> npt.NDArray[np.bool_]:
        """Say where J v is no difference quotient, of any length or side."""
        wrong = np.ones(s.shape[1], bool)
        exact = self.product(s, v[:, None, :], t)[:, 0]
        here = self.value(s, t)
        for h in (1e-5, 1e-6, 1e-8):
            up, down = self.value(s + h * v, t), self.value(s - h * v, t)
            # At a bend, the derivative of one of its sides will do.
            for quotient in ((up - down) / (2 * h), (up - here) / h, (here - down) / h):
                typical = np.abs(quotient).mean(axis=1, keepdims=True)
                limit = 1e-3 * (np.abs(exact) + np.abs(quotient)) + 1e-4 * typical
                limit += 1e-13 / h * np.abs(here)
                wrong &= (np.abs(exact - quotient) > limit).any(axis=0)
        return wrong

    def _across(self, state: Array) -> str:
        """Return what to do where the function jumps, of which differences know nothing."""
        jumps = met_functions(self.function, state[:, 0], 0.0) & JUMPS
        if not jumps:
            return ""
        return (
            f". It jumps, by {', '.join(sorted(jumps))}: a difference across the jump is no "
            "derivative, so give jacobian= by hand"
        )

    def _complaint(self, state: Array) -> str:
        met = met_functions(self.function, state[:, 0], 0.0)
        where = dict(zip(self.system.names, (float(f"{x:.3g}") for x in state[:, 0]), strict=True))
        says = (
            f"the derivative of {self.called} is not its difference quotient at {self._bad} of "
            f"{self._seen} states tried, such as {where}"
        )
        if isinstance(self.system.jacobian, FiniteDifferences) and self.system.jvp is None:
            return (
                f"{says}: jacobian must be the derivative of {self.called}; the steps of "
                "dynamics.finite_differences may be too long, so give it sizes=, the typical "
                f"sizes of the variables{self._across(state)}"
            )
        if not self.complex:
            jumps = ", ".join(sorted(met & JUMPS))
            beside = (
                f". It jumps, by {jumps}, and next to a jump no difference tells: another "
                "initial state may not come there"
            )
            return (
                f"{says}: jacobian (or jvp) must be the derivative of {self.called}"
                f"{beside if jumps else ''}"
            )
        if met & JUMPS:
            return (
                f"{says}: {self.called} is not smooth, it uses {', '.join(sorted(met))}, "
                f"whose complex step is no derivative. {advice(met)}"
            )
        named = f"it uses {', '.join(sorted(met))}, " if met else "abs, sign or float inside? "
        return (
            f"{says}: {self.called} is not analytic, {named}and its complex step is no "
            f"derivative. {advice(met)}"
        )
