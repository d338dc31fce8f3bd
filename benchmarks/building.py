"""How long a reader waits who builds the book, and a writer who changes it.

Run it as ``python benchmarks/table.py building``, on an idle machine: it takes half an hour.
Seconds by the clock, in a clone of its own with this interpreter's packages.
"""

import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from row import ROOT, Row

CHAPTER = "07-gaussian-smoothing"
"""The chapter that takes the longest."""


def rows() -> Iterator[Row]:
    """Yield the rows of the table of speed."""
    with tempfile.TemporaryDirectory() as folder:
        clone = Path(folder, "descent")
        subprocess.run(["git", "clone", "-q", str(ROOT), str(clone)], check=True)
        (clone / ".venv").symlink_to(ROOT / ".venv")
        (clone / ".venv" / ".ready").touch()  # newer than the clone's list of packages
        yield Row("make book, nothing there", "s", made(clone, "book"), at_most=120)
        yield Row("make book, one word changed", "s", edited(clone, "markdown", "So. "), at_most=8)
        yield Row("make book, one cell changed", "s", edited(clone, "code", "1\n"), at_most=15)
        yield Row("make quick", "s", made(clone, "quick"), at_most=60)
        yield Row("make test", "s", made(clone, "test"), at_most=360)


def made(clone: Path, target: str) -> float:
    """Return the seconds that a target of the Makefile takes."""
    begin = time.perf_counter()
    subprocess.run(
        ["make", target],
        cwd=clone,
        env=os.environ | {"PYTHONPATH": str(clone / "src")},
        check=True,
        stdout=sys.stderr,
    )
    return time.perf_counter() - begin


def edited(clone: Path, kind: str, more: str) -> float:
    """Return the seconds that the book takes after more stands before a cell of a kind."""
    path = clone / "notebooks" / f"{CHAPTER}.ipynb"
    notebook = json.loads(path.read_text(encoding="utf-8"))
    cells = [cell for cell in notebook["cells"] if cell["cell_type"] == kind]
    cells[len(cells) // 2]["source"].insert(0, more)
    path.write_text(json.dumps(notebook, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    return made(clone, "book")
