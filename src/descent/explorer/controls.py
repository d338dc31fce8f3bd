"""Controls of explorers: finite lists of numbers or texts."""

import math
import re
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

__all__ = ["Control", "Value"]

Value = float | int | str


class Control:
    """A finite list of values: numbers make a slider, texts a drop-down list.

    Attributes
    ----------
    name, label : str
        The argument of the draw function, and what the reader sees (may hold formulas).
    values : list
        Strictly monotonic numbers, or distinct texts.
    texts : list of str
        The values as the reader sees them.
    default : int
        Index of the value shown first.
    """

    def __init__(
        self,
        name: str,
        values: Sequence[Value],
        label: str,
        form: str | Callable[[Any], str] | None,
        default: Value | None,
    ) -> None:
        self.name, self.label = name, label
        self.values = _checked_values(name, values)
        self.numeric = not isinstance(self.values[0], str)
        self.texts = _texts(name, self.values, form)
        self.default = 0 if default is None else self.index(default)

    def index(self, value: Value) -> int:
        """Return the position of a value; numbers may differ by rounding."""
        for position, own in enumerate(self.values):
            if own == value and isinstance(own, str) == isinstance(value, str):
                return position
        if self.numeric and not isinstance(value, str):
            for position, own in enumerate(self.values):
                if math.isclose(float(own), value, rel_tol=1e-9, abs_tol=1e-12):
                    return position
        raise ValueError(f"{self.name} = {value!r} is not one of its values {self.values}")


def _checked_values(name: str, values: Sequence[Value]) -> list[Value]:
    if isinstance(values, str | bytes) or not isinstance(values, Sequence | np.ndarray):
        raise TypeError(f"control {name} must be a list of values, got {values!r}")
    plain = [v.item() if isinstance(v, np.generic) else v for v in values]
    if not plain:
        raise ValueError(f"control {name} has no values")
    texts = [isinstance(v, str) for v in plain]
    numbers = [isinstance(v, int | float) and not isinstance(v, bool) for v in plain]
    if not (all(texts) or all(numbers)):
        raise TypeError(f"control {name} must be all numbers or all texts, got {plain}")
    if all(numbers) and not all(math.isfinite(float(v)) for v in plain):
        raise ValueError(f"control {name} must be finite, got {plain}")
    if len(set(plain)) < len(plain):
        raise ValueError(f"control {name} has a value twice: {plain}")
    if all(numbers) and plain not in (sorted(plain), sorted(plain, reverse=True)):
        raise ValueError(f"control {name} must increase or decrease, got {plain}")
    return plain


def _texts(name: str, values: list[Value], form: str | Callable[[Any], str] | None) -> list[str]:
    if callable(form):
        texts = [form(v) for v in values]
    elif form is not None:
        texts = [form.format(v) for v in values]
    elif isinstance(values[0], str):
        return [str(v) for v in values]
    else:
        texts = _decimals([float(v) for v in values])
    texts = [re.sub(r"(?<![\w.])-(?=[\d.])|(?<=e)-", "−", text) for text in texts]
    if len(set(texts)) < len(texts):
        raise ValueError(f"control {name}: the format makes two values look alike: {texts}")
    return texts


def _decimals(values: list[float]) -> list[str]:
    """Write numbers with as many decimals as they need, or else in three or more digits."""
    largest = max(map(abs, values))
    if largest < 1e6:
        for places in range(5):
            texts = [f"{v:.{places}f}" for v in values]
            rounding = [abs(float(text) - v) for text, v in zip(texts, values, strict=True)]
            exact = all(
                error <= max(1e-9 * abs(v), 1e-12 * largest)
                for error, v in zip(rounding, values, strict=True)
            )
            if exact and len(set(texts)) == len(texts):
                return texts
    for digits in range(3, 17):
        texts = [f"{v:.{digits}g}" for v in values]
        if len(set(texts)) == len(texts):
            return texts
    return texts
