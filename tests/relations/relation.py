"""What a relation is: a function that asserts what must hold between several calls."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np


@dataclass(frozen=True)
class Relation:
    """A check, and the public functions that it speaks for."""

    check: Callable[[], None]
    names: tuple[str, ...]


RELATIONS: dict[str, Relation] = {}


def relation(*names: str) -> Callable[[Callable[[], None]], Callable[[], None]]:
    """Enter a check into the table, for the public functions of these names."""

    def enter(check: Callable[[], None]) -> Callable[[], None]:
        RELATIONS[f"{Path(check.__code__.co_filename).stem}.{check.__name__}"] = Relation(
            check, names
        )
        return check

    return enter


def same(found, expected, rtol=1e-10, atol=0.0):
    """Assert that two results are equal, part by part, to a relative or absolute error."""
    if isinstance(found, dict):
        found, expected = list(found.values()), list(expected.values())
    if isinstance(found, tuple | list):
        assert len(found) == len(expected)
        for one, other in zip(found, expected, strict=True):
            same(one, other, rtol, atol)
        return
    np.testing.assert_allclose(found, expected, rtol=rtol, atol=atol)
