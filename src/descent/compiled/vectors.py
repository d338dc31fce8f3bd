r"""Vectors: values of several trajectories at once, in code that is being written.

They are combined by ``+ - * /`` like numbers; each operation adds an instruction to the
`descent.compiled.code.Code` that they belong to.
"""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from descent.compiled.code import Code

FLAGS = ("contract", "reassoc", "nsz", "arcp")  # not "nnan", "ninf": those are looked for


class Vector:
    """A value of each lane, in code that is being written."""

    def __init__(self, code: "Code", value: Any) -> None:
        self.code, self.value = code, value

    def _do(self, name: str, other: "Vector | float", swapped: bool = False) -> "Vector":
        a, b = self.value, self.code.vector(other).value
        operation = getattr(self.code.builder, name)
        made = operation(b, a, flags=FLAGS) if swapped else operation(a, b, flags=FLAGS)
        return Vector(self.code, made)

    def exactly(self, name: str, other: "Vector | float") -> "Vector":
        """Do an operation in this order, whatever could be simplified."""
        b = self.code.vector(other).value
        return Vector(self.code, getattr(self.code.builder, name)(self.value, b))

    def __add__(self, other: "Vector | float") -> "Vector":
        return self._do("fadd", other)

    def __sub__(self, other: "Vector | float") -> "Vector":
        return self._do("fsub", other)

    def __mul__(self, other: "Vector | float") -> "Vector":
        return self._do("fmul", other)

    def __truediv__(self, other: "Vector | float") -> "Vector":
        return self._do("fdiv", other)

    def __radd__(self, other: "Vector | float") -> "Vector":
        return self._do("fadd", other, True)

    def __rsub__(self, other: "Vector | float") -> "Vector":
        return self._do("fsub", other, True)

    def __rmul__(self, other: "Vector | float") -> "Vector":
        return self._do("fmul", other, True)

    def __rtruediv__(self, other: "Vector | float") -> "Vector":
        return self._do("fdiv", other, True)

    def __neg__(self) -> "Vector":
        return Vector(self.code, self.code.builder.fneg(self.value))

    def _compare(self, sign: str, other: "Vector | float") -> "Mask":
        other = self.code.vector(other)
        return Mask(self.code, self.code.builder.fcmp_ordered(sign, self.value, other.value))

    def __lt__(self, other: "Vector | float") -> "Mask":
        return self._compare("<", other)

    def __le__(self, other: "Vector | float") -> "Mask":
        return self._compare("<=", other)

    def __gt__(self, other: "Vector | float") -> "Mask":
        return self._compare(">", other)

    def equals(self, other: "Vector | float") -> "Mask":
        """Say where two values are the same; not where one is no number."""
        return self._compare("==", other)

    def absolute(self) -> "Vector":
        """Return the size without the sign."""
        return self.code.intrinsic("fabs", self)

    def root(self) -> "Vector":
        """Return the square root."""
        return self.code.intrinsic("sqrt", self)

    def largest(self, other: "Vector | float") -> "Vector":
        """Return the larger of two values; the other one where self is no number."""
        return (self > other).choose(self, other)

    def smallest(self, other: "Vector | float") -> "Vector":
        """Return the smaller of two values; the other one where self is no number."""
        return (self < other).choose(self, other)


class Mask:
    """True or false in each lane."""

    def __init__(self, code: "Code", value: Any) -> None:
        self.code, self.value = code, value

    def __and__(self, other: "Mask") -> "Mask":
        return Mask(self.code, self.code.builder.and_(self.value, other.value))

    def __invert__(self) -> "Mask":
        return Mask(self.code, self.code.builder.not_(self.value))

    def choose(self, this: Vector | float, that: Vector | float) -> Vector:
        """Return this where true, that elsewhere."""
        a, b = self.code.vector(this).value, self.code.vector(that).value
        return Vector(self.code, self.code.builder.select(self.value, a, b))

    def any(self) -> Any:
        """Return whether it is true in a lane, as a bit of the code."""
        return self.code.any(self.value)


class Place:
    """An array of vectors in memory, read and written by their index, in units of ``stride``."""

    def __init__(self, code: "Code", pointer: Any, element: Any, stride: Any = None) -> None:
        self.code, self.pointer, self.element, self.stride = code, pointer, element, stride

    def _at(self, index: Any) -> Any:
        index, builder = self.code.integer(index), self.code.builder
        if self.stride is not None:
            index = builder.mul(index, self.stride)
        return builder.gep(self.pointer, [index], source_etype=self.element)

    def after(self, index: Any) -> "Place":
        """Return the rows from an index on."""
        return Place(self.code, self._at(index), self.element, self.stride)

    def __getitem__(self, index: Any) -> Vector:
        loaded = self.code.builder.load(self._at(index), typ=self.code.vectors, align=8)
        return Vector(self.code, loaded)

    def __setitem__(self, index: Any, value: Vector | float) -> None:
        self.code.builder.store(self.code.vector(value).value, self._at(index), align=8)
