"""Mistakes that are easily made: what they turn a right answer into.

Each takes the right answer, a number, several or a function, and returns the wrong one.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

Transform = Callable[[float], float]


def on_each(transform: Transform) -> Callable[[Any], Any]:
    """Return the slip that does the same to a number, to each of several, to what is returned."""

    def slip(right: Any) -> Any:
        if callable(right):
            return lambda *arguments: transform(right(*arguments))
        if isinstance(right, tuple):
            return tuple(transform(one) for one in right)
        return transform(right)

    return slip


SLIPS: dict[str, Callable[[Any], Any]] = {
    "doubled": on_each(lambda x: 2 * x),
    "halved": on_each(lambda x: x / 2),
    "negated": on_each(lambda x: -x),
    "inverted": on_each(lambda x: 1 / x),
    "squared": on_each(lambda x: x * x),
    "complement": on_each(lambda x: 1 - x),
    "one more": on_each(lambda x: x + 1),
    "one less": on_each(lambda x: x - 1),
    "logarithm": on_each(math.log),
    "in bits": on_each(lambda x: x / math.log(2)),
    "in decades": on_each(lambda x: x / math.log(10)),
    "reversed": lambda right: right[::-1],
}
"""By the name that a chapter's file gives them."""
