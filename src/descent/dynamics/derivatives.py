r"""Jacobians of a reader's own function: by complex step, by finite differences, and their check.

A complex step is exact to rounding where the function is analytic, and wrong without a
sign of it where it is not: ``abs``, ``sign``, ``float`` and their like drop the
imaginary part. `check_derivative` finds that by a difference quotient, and says which
of numpy's functions did it.
"""

import contextlib
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from descent.arguments import Array, came, check_array, check_callable, check_real

Rows = Sequence[Any]  # d entries, each a number or an array (...)
Function = Callable[[Array, float], Rows]
STEP = 1e-100  # of the complex step: nothing cancels, so it can be tiny

# numpy's functions that are not analytic: those that only bend, and those that jump.
BENDS = {"absolute", "fabs", "hypot", "maximum", "minimum", "fmax", "fmin", "clip", "logaddexp"}
JUMPS = {"sign", "heaviside", "floor", "ceil", "rint", "trunc", "remainder", "mod", "fmod"} | {
    "floor_divide",
    "copysign",
    "modf",
    "divmod",
}
OTHERS = {"arctan2", "real", "imag", "angle", "conjugate", "signbit", "cbrt"}


class _Traced(np.ndarray):
    """An array that notes which of numpy's functions it meets."""

    met: set[str]

    def __array_finalize__(self, other: Any) -> None:
        self.met = getattr(other, "met", set())

    def __array_ufunc__(self, ufunc: Any, method: str, *inputs: Any, **kwargs: Any) -> Any:
        self.met.add(ufunc.__name__)
        plain = [np.asarray(x) if isinstance(x, _Traced) else x for x in inputs]
        kwargs.pop("out", None)
        result = getattr(ufunc, method)(*plain, **kwargs)
        if not isinstance(result, np.ndarray | np.generic):
            return result
        traced = np.asarray(result).view(_Traced)
        traced.met = self.met
        return traced

    @property  # type: ignore[misc]  # which numpy lets be set
    def real(self) -> Any:
        """Note that the real part was asked for."""
        self.met.add("real")
        return self

    def astype(self, dtype: Any, *more: Any, **options: Any) -> Any:
        """Note a cast to real numbers."""
        self.met.add("float")
        return super().astype(dtype, *more, **options)

    def __float__(self) -> float:
        self.met.add("float")
        return float(np.asarray(self).item())


def met_functions(function: Function, state: Array, time: float) -> set[str]:
    """Return the names of numpy's functions, not analytic ones, that a function uses."""
    # With an axis, or the rows of the state would be plain numbers.
    traced = np.array(state, float).reshape(len(state), -1)[:, :1].view(_Traced)
    traced.met = set()
    with contextlib.suppress(Exception):  # what it met until then still counts
        function(traced, time)
    return traced.met & (BENDS | JUMPS | OTHERS | {"float"})


def advice(met: set[str]) -> str:
    """Return what to do about functions that have no complex step."""
    if met & JUMPS:
        return (
            "A disturbance that meets a jump follows no Jacobian: replace the jump by a smooth "
            "function, such as tanh(x/width); of a map that jumps between its branches alone, "
            "give jacobian= by hand"
        )
    bends = " (right for functions that only bend)" if met & BENDS else ""
    return f"Give jacobian= by hand, or by dynamics.finite_differences{bends}"


class ComplexStep:
    """The Jacobian that `complex_step` returns, and its products with vectors."""

    def __init__(self, function: Function) -> None:
        self.function = function

    def __call__(self, state: Array, time: float) -> Array:
        """Return the Jacobian (d, d, ...) at a state (d, ...), once it is checked there."""
        state = np.asarray(state)
        jacobian = self.unchecked(state, time)
        return np.where(self.check(state, time, jacobian), jacobian, np.nan)

    def unchecked(self, state: Array, time: float) -> Array:
        """Return the Jacobian for a caller that checks it, but not at each state."""
        columns = []
        for j in range(len(state)):
            shifted = np.array(state, complex)
            shifted[j] += 1j * STEP
            columns.append(self._value(shifted, time).imag / STEP)
        # + 0.0 turns -0.0 into 0.0
        return np.stack(columns, axis=1) + 0.0

    def check(
        self, state: Array, time: float, jacobian: Array | None = None
    ) -> npt.NDArray[np.bool_]:
        """Raise a ValueError unless J v is the difference quotient along some v.

        At a bend, the quotient of one side will do. Return where the function is finite, and
        so has a derivative: the complex log is finite left of zero, where the log is not.
        """
        if jacobian is None:
            jacobian = self.unchecked(state, time)
        weights = np.cos(1.0 + np.arange(len(state)))  # a direction in which nothing cancels
        size = np.maximum(np.abs(state), 1e-6 * np.abs(state).max(axis=0, initial=0.0))
        v = weights.reshape(-1, *[1] * (state.ndim - 1)) * np.where(size > 0, size, 1.0)
        with np.errstate(all="ignore"):
            here = self._real(state, time)
            exact = np.einsum("ij...,j...->i...", jacobian, v)
            terms = np.einsum("ij...,j...->i...", np.abs(jacobian), np.abs(v))
            wrong = np.ones(here.shape[1:], bool)
            for h in (1e-5, 1e-6, 1e-8):
                up, down = self._real(state + h * v, time), self._real(state - h * v, time)
                for quotient in ((up - down) / (2 * h), (up - here) / h, (here - down) / h):
                    limit = 1e-3 * (terms + np.abs(quotient)) + 1e-13 / h * np.abs(here)
                    wrong &= (np.abs(exact - quotient) > limit).any(axis=0)
                if not wrong.any():
                    return np.asarray(np.isfinite(here).all(axis=0))
        raise ValueError(self._complaint(state, time, wrong))

    def _real(self, state: Array, time: float) -> Array:
        """Return the function of real states, from rows that may be complex."""
        rows = np.stack(np.broadcast_arrays(*self.function(state, time)))
        return np.asarray(np.broadcast_to(rows.real, (len(rows), *state.shape[1:])))

    def _complaint(self, state: Array, time: float, wrong: Any) -> str:
        first = state.reshape(len(state), -1)[:, np.flatnonzero(wrong)[0]]
        met = met_functions(self.function, first, time)
        named = f"it uses {', '.join(sorted(met))}" if met else "abs, sign, real or float inside"
        return (
            f"complex_step needs an analytic function; its derivative is not the difference "
            f"quotient at the state {first}: {named}. {advice(met)}"
        )

    def _value(self, state: Array, time: float) -> Array:
        try:
            return np.stack(np.broadcast_arrays(*self.function(state, time)))
        except (TypeError, ValueError, np.exceptions.ComplexWarning) as error:
            if isinstance(error, ValueError) and "truth value" not in str(error):
                raise
            met = met_functions(self.function, state.real, time)
            named = f"; it uses {', '.join(sorted(met))}" if met else ""
            raise TypeError(
                "complex_step needs a function that takes complex numbers, made of numpy's "
                f"analytic functions, np.where in the place of if{named}. {advice(met)} ({error})"
            ) from None


def complex_step(function: Function) -> ComplexStep:
    r"""Return the Jacobian of an analytic function, exact to rounding.

    .. math:: \partial f_i / \partial s_j = \operatorname{Im} f_i(s + i h e_j) / h,
              \quad h = 10^{-100}

    Not a finite difference: nothing cancels, so h can be tiny. The function must be
    made of analytic operations (not ``abs``, ``sign``, ``float``): elsewhere the result would
    be wrong, so that it is compared with a difference quotient along one direction, here at
    each call, by `descent.lyapunov` and `descent.influence` at some states.
    `finite_differences` is for such functions.

    Parameters
    ----------
    function : callable
        A ``step`` or ``rate``: ``(state (d, ...), time) -> d rows``.

    Returns
    -------
    callable
        ``(state, time) -> array (d, d, ...)``.

    Raises
    ------
    TypeError, ValueError
        When called, if the function does not take complex numbers, or is not analytic.

    Examples
    --------
    >>> pendulum = lambda s, time: (s[1], -np.sin(s[0]))
    >>> complex_step(pendulum)(np.array([0.0, 1.0]), 0.0)
    array([[ 0.,  1.],
           [-1.,  0.]])
    """
    check_callable("function", function)
    return ComplexStep(function)


def entries_of(jacobian: Any) -> Callable[[Array, float], Any]:
    """Return a Jacobian for a caller that checks it at some states, not at each."""
    return jacobian.unchecked if isinstance(jacobian, ComplexStep) else jacobian


class FiniteDifferences:
    """The Jacobian that `finite_differences` returns."""

    def __init__(self, function: Function, step: float, sizes: Array | None) -> None:
        self.function, self.step, self.sizes = function, step, sizes

    def __call__(self, state: Array, time: float) -> Array:
        """Return the Jacobian (d, d, ...) at a state (d, ...)."""
        return self.at(state, time, self.step)

    def at(self, state: Array, time: Any, step: float) -> Array:
        """Return the Jacobian by a step of another length."""
        columns = []
        widths = step * self._sizes(np.asarray(state))
        for j, size in enumerate(widths):
            up, down = np.array(state, float), np.array(state, float)
            up[j] += size
            down[j] -= size
            rows = zip(self.function(up, time), self.function(down, time), strict=True)
            width = up[j] - down[j]
            columns.append(np.stack(np.broadcast_arrays(*((a - b) / width for a, b in rows))))
        return np.stack(columns, axis=1) + 0.0

    def _sizes(self, state: Array) -> Array:
        """Return what the step is a share of, (d, ...)."""
        if self.sizes is not None:
            own = self.sizes.reshape(-1, *[1] * (state.ndim - 1))
        else:
            largest = np.abs(state).max(axis=0)
            own = np.minimum(np.where(largest > 0, largest / 10, 1.0), 1.0)
        return np.asarray(np.maximum(np.abs(state), own))

    def inaccurate(self, state: Array, v: Array, time: Any) -> npt.NDArray[np.bool_]:
        """Say where J v is another with a tenth of the step, by more than rounding, (n,)."""
        long, short = (self.at(state, time, h) for h in (self.step, self.step / 10))
        change = np.abs(np.einsum("ij...,j...->i...", long - short, v))
        terms = np.einsum("ij...,j...->i...", np.abs(short), np.abs(v))
        here = np.abs(np.stack(np.broadcast_arrays(*self.function(state, time))))
        share = (np.abs(v) / self._sizes(state)).max(axis=0)
        noise = 1e-14 / self.step * share * here
        return np.asarray((change > 1e-6 * terms + noise).any(axis=0))


def finite_differences(
    function: Function, step: float = 6e-6, sizes: npt.ArrayLike | None = None
) -> FiniteDifferences:
    r"""Return the Jacobian of a function that need not be analytic, to about ten digits.

    .. math:: \partial f_i / \partial s_j \approx
              \frac{f_i(s + h e_j) - f_i(s - h e_j)}{2 h}, \qquad h = \epsilon \max(|s_j|, u_j)

    For functions that bend (``abs``, ``maximum``) it is right but within h of the bend.
    Where a function jumps, no derivative exists. Where h is too long for the function,
    `descent.lyapunov` and `descent.influence` notice.

    Parameters
    ----------
    function : callable
        A ``step`` or ``rate``: ``(state (d, ...), time) -> d rows``.
    step : float
        :math:`\epsilon`, positive; the default is the cube root of the rounding error.
    sizes : array (d,), optional
        :math:`u_j`, positive: typical sizes of the variables. By default a tenth of the largest
        :math:`|s_k|` of the state, and at most 1: too long a step for a variable whose own unit
        is far smaller, and too short for one that is zero and whose unit is far larger.

    Returns
    -------
    callable
        ``(state, time) -> array (d, d, ...)``.

    Raises
    ------
    ValueError, TypeError
        If an argument is out of its range.

    Examples
    --------
    >>> bent = lambda s, time: (np.abs(s[0]),)
    >>> finite_differences(bent)(np.array([-2.0]), 0.0).round(9)
    array([[-1.]])
    """
    check_callable("function", function)
    check_real("step", step, above=0)
    if sizes is not None:
        sizes = check_array("sizes", sizes, ("d",))
        if not (sizes > 0).all():
            raise ValueError(f"sizes must be positive; got {came(sizes)}")
    return FiniteDifferences(function, step, sizes)
