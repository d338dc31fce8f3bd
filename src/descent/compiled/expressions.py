r"""What a function of a state computes, as a list of operations.

A rate that was written for numpy arrays is called once with symbols in place of numbers.
What it does to them is noted: a product, a sine. The list can be differentiated, and
`descent.compiled.vectors` translates it for the processor. A function that asks a symbol
for its value (``if x > 0``, ``float(x)``) cannot be noted; `Untraceable` says so, and its
caller goes on with numpy.
"""

import math
from collections.abc import Callable, Iterable, Sequence
from typing import Any

import numpy as np

__all__ = ["Expression", "Tape", "Untraceable"]

PLAIN = {0.0, 1.0, -1.0, 2.0, 0.5}  # numbers that are part of the code; others are parameters
LARGEST_POWER = 8  # up to which x**n is a product

Key = tuple[Any, ...]


class Untraceable(TypeError):
    """A function that cannot be noted as a list of operations."""


class Expression:
    """One operation of a tape, which stands for its result."""

    __slots__ = ("index", "tape")

    def __init__(self, tape: "Tape", index: int) -> None:
        self.tape, self.index = tape, index

    @property
    def key(self) -> Key:
        """The operation, and what it is applied to."""
        return self.tape.keys[self.index]

    @property
    def number(self) -> float | None:
        """The value, if it is a constant."""
        return self.tape.constant_of(self)

    def _with(self, name: str, other: Any, swapped: bool = False) -> Any:
        if isinstance(other, np.ndarray) and other.ndim:
            return NotImplemented
        a, b = self, self.tape.as_expression(other)
        return self.tape.apply(name, b, a) if swapped else self.tape.apply(name, a, b)

    def __add__(self, other: Any) -> Any:
        return self._with("add", other)

    def __radd__(self, other: Any) -> Any:
        return self._with("add", other, True)

    def __sub__(self, other: Any) -> Any:
        return self._with("subtract", other)

    def __rsub__(self, other: Any) -> Any:
        return self._with("subtract", other, True)

    def __mul__(self, other: Any) -> Any:
        return self._with("multiply", other)

    def __rmul__(self, other: Any) -> Any:
        return self._with("multiply", other, True)

    def __truediv__(self, other: Any) -> Any:
        return self._with("divide", other)

    def __rtruediv__(self, other: Any) -> Any:
        return self._with("divide", other, True)

    def __pow__(self, other: Any) -> Any:
        return self._with("power", other)

    def __neg__(self) -> "Expression":
        return self.tape.apply("negative", self)

    def __pos__(self) -> "Expression":
        return self

    def __abs__(self) -> "Expression":
        return self.tape.apply("absolute", self)

    def _refuse(self, *_: Any) -> Any:
        raise Untraceable("the function asks for the value of a variable")

    __bool__ = __float__ = __int__ = __complex__ = __index__ = _refuse
    __eq__ = __ne__ = __lt__ = __le__ = __gt__ = __ge__ = _refuse
    __hash__ = object.__hash__

    def __getattr__(self, name: str) -> Callable[[], "Expression"]:
        # numpy calls the method of this name on entries of arrays of objects.
        if name in ANALYTIC or name in ("absolute", "fabs"):
            return lambda: self.tape.apply(name.replace("fabs", "absolute"), self)
        raise AttributeError(name)

    def __array_ufunc__(self, ufunc: Any, method: str, *inputs: Any, **options: Any) -> Any:
        """Apply one of numpy's functions to a symbol, or to a symbol and an array."""
        if method != "__call__" or options or ufunc.nin > 2:
            return NotImplemented
        if any(isinstance(x, np.ndarray) and x.ndim for x in inputs):
            boxed = [_boxed(x) if isinstance(x, Expression) else np.asarray(x) for x in inputs]
            return ufunc(*(x.astype(object) for x in boxed))
        name = ALIASES.get(ufunc.__name__, ufunc.__name__)
        if name == "positive":
            return self
        if name == "square":
            return self * self
        if name == "reciprocal":
            return 1.0 / self
        return self.tape.apply(name, *(self.tape.as_expression(x) for x in inputs))


def _boxed(expression: Expression) -> Any:
    box = np.empty((), object)
    box[()] = expression
    return box


ALIASES = {"true_divide": "divide", "fabs": "absolute", "float_power": "power"}
# The functions of one variable, with their derivatives in terms of x and f(x).
ANALYTIC: dict[str, Callable[[Any, Any], Any]] = {
    "exp": lambda x, f: f,
    "log": lambda x, f: 1.0 / x,
    "sqrt": lambda x, f: 0.5 / f,
    "sin": lambda x, f: x.cos(),
    "cos": lambda x, f: -x.sin(),
    "tan": lambda x, f: 1.0 + f * f,
    "sinh": lambda x, f: x.cosh(),
    "cosh": lambda x, f: x.sinh(),
    "tanh": lambda x, f: 1.0 - f * f,
    "arctan": lambda x, f: 1.0 / (1.0 + x * x),
}
OF_NUMBERS = {name: getattr(np, name) for name in (*ANALYTIC, "absolute", "negative")} | {
    name: getattr(np, name) for name in ("add", "subtract", "multiply", "divide", "power")
}


class Tape:
    """A list of operations; equal ones are noted once."""

    def __init__(self) -> None:
        self.keys: list[Key] = []
        self.parameters: list[float] = []
        self._index: dict[Key, int] = {}
        self._slots: dict[float, int] = {}

    def _note(self, *key: Any) -> Expression:
        if key not in self._index:
            self._index[key] = len(self.keys)
            self.keys.append(key)
        return Expression(self, self._index[key])

    def variable(self, kind: str, index: int = 0) -> Expression:
        """Return a symbol that stands for an input."""
        return self._note(kind, index)

    def variables(self, kind: str, indices: Iterable[int], size: int) -> Any:
        """Return symbols as an array of objects (size,), zero but at the indices."""
        out = np.full(size, 0.0, object)
        for i in indices:
            out[i] = self.variable(kind, i)
        return out

    def constant(self, value: float) -> Expression:
        """Return a number as an expression."""
        if value in PLAIN:
            return self._note("number", value + 0.0)
        if value not in self._slots:
            self._slots[value] = len(self.parameters)
            self.parameters.append(value)
        return self._note("parameter", self._slots[value])

    def constant_of(self, expression: Expression) -> float | None:
        """Return the value of an expression that is a number."""
        kind, value = expression.key[0], expression.key[-1]
        if kind == "number":
            return float(value)
        return self.parameters[value] if kind == "parameter" else None

    def as_expression(self, value: Any) -> Expression:
        """Return what a function has made, a number or an expression, as an expression."""
        if isinstance(value, np.ndarray) and value.ndim == 0:
            value = value.item()
        if isinstance(value, Expression):
            return value
        if isinstance(value, bool | np.bool_) or not isinstance(value, int | float | np.number):
            raise Untraceable(f"an entry is no number: {type(value).__name__}")
        if not math.isfinite(value):
            raise Untraceable("a number is not finite")
        return self.constant(float(value))

    def apply(self, name: str, *parts: Expression) -> Expression:
        """Note an operation, simplified where it is one with 0, 1 or -1, or with numbers alone."""
        if name not in OF_NUMBERS or any(p.tape is not self for p in parts):
            raise Untraceable(f"{name} is not translated")
        numbers = [p.number for p in parts]
        if None not in numbers:
            with np.errstate(all="ignore"):
                return self.as_expression(float(OF_NUMBERS[name](*numbers)))
        if name == "power":
            return self._power(parts[0], numbers[1])
        if name == "negative" and parts[0].key[0] == "negative":
            return Expression(self, parts[0].key[1])
        simple = self._simple(name, parts, numbers)
        return self._note(name, *(p.index for p in parts)) if simple is None else simple

    def _simple(
        self, name: str, parts: Sequence[Expression], numbers: Sequence[float | None]
    ) -> Expression | None:
        if len(parts) < 2:
            return None
        (a, b), (x, y) = parts, numbers
        if name == "add" and 0 in (x, y):
            return b if x == 0 else a
        if name == "subtract" and 0 in (x, y):
            return a if y == 0 else -b
        if name == "multiply":
            if 0 in (x, y):
                return self.constant(0.0)
            if 1 in (x, y):
                return b if x == 1 else a
            if -1 in (x, y):
                return -b if x == -1 else -a
        if name == "divide" and (x == 0 or y == 1):
            return a
        return None

    def _power(self, base: Expression, exponent: float | None) -> Expression:
        if exponent is None:
            raise Untraceable("an exponent is no number")
        if exponent == 0.5:
            return self.apply("sqrt", base)
        if exponent != int(exponent) or abs(exponent) > LARGEST_POWER:
            raise Untraceable(f"the power {exponent} is not translated")
        product = self.constant(1.0)
        for _ in range(abs(int(exponent))):
            product = product * base
        return product if exponent >= 0 else 1.0 / product

    def reached(self, roots: Iterable[Expression]) -> list[int]:
        """Return the indices of the operations that roots need, in the order of the tape."""
        wanted, todo = set(), [r.index for r in roots]
        while todo:
            index = todo.pop()
            if index not in wanted:
                wanted.add(index)
                todo.extend(self.parts(index))
        return sorted(wanted)

    def parts(self, index: int) -> tuple[int, ...]:
        """Return the indices that an operation is applied to."""
        key = self.keys[index]
        return key[1:] if key[0] in OF_NUMBERS else ()

    def derivative(
        self, roots: Sequence[Expression], along: Sequence[Expression]
    ) -> list[Expression]:
        r"""Return the derivatives of roots along a direction of the state, by the chain rule.

        .. math:: \dot z = \sum_k \frac{\partial z}{\partial x_k} \dot x_k
        """
        zero = self.constant(0.0)
        moved: dict[int, Expression] = {}
        for index in self.reached(roots):
            kind, *rest = self.keys[index]
            if kind == "state":
                moved[index] = along[rest[0]]
            elif kind in OF_NUMBERS:
                here = Expression(self, index)
                parts = [Expression(self, p) for p in rest]
                moved[index] = self._chain(kind, here, parts, [moved[p] for p in rest])
            else:
                moved[index] = zero
        return [moved[r.index] for r in roots]

    def _chain(
        self, name: str, f: Expression, parts: list[Expression], dots: list[Expression]
    ) -> Expression:
        if name in ANALYTIC:
            (x,), (dx,) = parts, dots
            return dx if dx.number == 0 else self.as_expression(ANALYTIC[name](x, f)) * dx
        if name == "absolute":
            raise Untraceable("abs is not analytic")
        if name == "negative":
            return -dots[0]
        (x, y), (dx, dy) = parts, dots
        terms: dict[str, Callable[[], Any]] = {
            "add": lambda: dx + dy,
            "subtract": lambda: dx - dy,
            "multiply": lambda: dx * y + x * dy,
            "divide": lambda: (dx - f * dy) / y,
        }
        return self.as_expression(terms[name]())
