"""Chapter 6: the columns of its stored tables as arrays."""

from collections.abc import Callable

import numpy as np

from descent.arguments import Array
from descent.sweeps import load


def columns(name: str, *keys: str) -> Callable[[str], Array]:
    """Return what gives a table's columns; rows are sorted by keys, a list makes a further axis."""
    table = load(name).sort_values(list(keys))
    return lambda column: np.array(table[column].tolist(), np.float64)
