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

from descent.arguments import Array, check_callable, check_real

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


class ComplexStep:
    """The Jacobian that `complex_step` returns, and its products with vectors."""

    def __init__(self, function: Function) -> None:
        self.function = function

    def __call__(self, state: Array, time: float) -> Array:
        """Return the Jacobian (d, d, ...) at a state (d, ...)."""
        columns = []
        for j in range(len(state)):
            shifted = np.array(state, complex)
            shifted[j] += 1j * STEP
            columns.append(self._value(shifted, time).imag / STEP)
        # + 0.0 turns -0.0 into 0.0
        return np.stack(columns, axis=1) + 0.0

    def _value(self, state: Array, time: float) -> Array:
        try:
            return np.stack(np.broadcast_arrays(*self.function(state, time)))
        except TypeError as error:
            met = met_functions(self.function, state.real, time)
            named = f"; it uses {', '.join(sorted(met))}" if met else ""
            raise TypeError(
                "complex_step needs a function that takes complex numbers, made of numpy's "
                f"analytic functions{named}. Give jacobian= by hand or by "
                f"dynamics.finite_differences instead ({error})"
            ) from None


def complex_step(function: Function) -> ComplexStep:
    r"""Return the Jacobian of an analytic function, exact to rounding.

    .. math:: \partial f_i / \partial s_j = \operatorname{Im} f_i(s + i h e_j) / h,
              \quad h = 10^{-100}

    Not a finite difference: nothing cancels, so h can be tiny. The function must be
    made of analytic operations (not ``abs``, ``sign``, ``float``): elsewhere the result is
    wrong. `descent.lyapunov` and `descent.influence` compare it with a difference quotient
    and refuse it then; `finite_differences` is for such functions.

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
    TypeError
        When called, if the function does not take complex numbers.

    Examples
    --------
    >>> pendulum = lambda s, time: (s[1], -np.sin(s[0]))
    >>> complex_step(pendulum)(np.array([0.0, 1.0]), 0.0)
    array([[ 0.,  1.],
           [-1.,  0.]])
    """
    check_callable("function", function)
    return ComplexStep(function)


def finite_differences(function: Function, step: float = 6e-6) -> Callable[[Array, float], Array]:
    r"""Return the Jacobian of a function that need not be analytic, to about ten digits.

    .. math:: \partial f_i / \partial s_j \approx
              \frac{f_i(s + h e_j) - f_i(s - h e_j)}{2 h}, \qquad h = \epsilon \max(|s_j|, 1)

    For functions that bend (``abs``, ``maximum``) it is right but within h of the bend.
    Where a function jumps, no derivative exists.

    Parameters
    ----------
    function : callable
        A ``step`` or ``rate``: ``(state (d, ...), time) -> d rows``.
    step : float
        :math:`\epsilon`, positive; the default is the cube root of the rounding error.

    Returns
    -------
    callable
        ``(state, time) -> array (d, d, ...)``.

    Examples
    --------
    >>> bent = lambda s, time: (np.abs(s[0]),)
    >>> finite_differences(bent)(np.array([-2.0]), 0.0).round(9)
    array([[-1.]])
    """
    check_callable("function", function)
    check_real("step", step, above=0)

    def jacobian(state: Array, time: float) -> Array:
        columns = []
        for j in range(len(state)):
            size = step * np.maximum(np.abs(state[j]), 1.0)
            up, down = np.array(state, float), np.array(state, float)
            up[j] += size
            down[j] -= size
            rows = zip(function(up, time), function(down, time), strict=True)
            width = up[j] - down[j]
            columns.append(np.stack(np.broadcast_arrays(*((a - b) / width for a, b in rows))))
        return np.stack(columns, axis=1) + 0.0

    return jacobian
