"""Chapter 6: its stored tables, read without what computes them, which no browser has."""

import json
from typing import Any

import numpy as np

from descent.arguments import Array
from descent.book_folder import book_folder


class Table:
    """A table's rows, sorted by the columns of its points."""

    def __init__(self, name: str, *keys: str) -> None:
        path = book_folder("sweeps", "DESCENT_SWEEPS") / f"{name}.jsonl"
        if not path.exists():
            raise FileNotFoundError(f"no table {path}: `make sweeps` computes it")
        lines = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
        rows: list[dict[str, Any]] = [x["point"] | x["result"] for x in lines if "point" in x]
        self.rows = sorted(rows, key=lambda row: [row[key] for key in keys])

    def column(self, name: str) -> Array:
        """Return a column; a list in each row makes a further axis."""
        return np.array([row[name] for row in self.rows], np.float64)
