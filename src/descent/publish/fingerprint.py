"""Name the inputs of a notebook's run, so that a stored run is believed only while they stand.

The inputs are the notebook itself, its chapter's claims, the lock file, the Python version,
those modules of the library that its imports reach, and the tables that they name.
"""

from __future__ import annotations

import ast
import hashlib
import json
import sys
import threading
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

PACKAGE = "descent"

# Python 3.11 counts the depth of a parse for all threads together, and a collection of
# garbage in the midst of one may let another thread in: then it raises a SystemError.
_PARSER = threading.Lock()


def digest(parts: Iterable[bytes]) -> str:
    """Return a SHA-256 over the parts, each with its length, so that no two lists collide."""
    total = hashlib.sha256()
    for part in parts:
        total.update(len(part).to_bytes(8, "big"))
        total.update(part)
    return total.hexdigest()


def imported_names(code: str) -> Iterator[str]:
    """Yield the dotted names that a piece of code imports, absolute imports only."""
    with _PARSER:
        tree = ast.parse(code)
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def _files(name: str, source: Path) -> Iterator[Path]:
    """Yield the files that importing a dotted name of the package runs."""
    parts = name.split(".")
    if parts[0] != PACKAGE:
        return
    for depth in range(1, len(parts) + 1):
        base = source.joinpath(*parts[:depth])
        yield from (
            path for path in (base / "__init__.py", base.with_suffix(".py")) if path.exists()
        )


def modules(codes: Iterable[str], source: Path) -> set[Path]:
    """Return every file of the library that the code, or what it imports, imports.

    Parameters
    ----------
    codes
        Python source, say the code cells of a notebook.
    source
        The folder that holds the package (``src``).
    """
    reached: set[Path] = set()
    waiting = [name for code in codes for name in imported_names(code)]
    while waiting:
        for path in _files(waiting.pop(), source):
            if path not in reached:
                reached.add(path)
                waiting.extend(imported_names(path.read_text(encoding="utf-8")))
    return reached


def code_cells(notebook: dict[str, Any]) -> list[str]:
    """Return the source of each code cell, without IPython's magics."""
    return [
        "\n".join(line for line in cell["source"].splitlines() if not line.startswith(("%", "!")))
        for cell in notebook["cells"]
        if cell["cell_type"] == "code"
    ]


def _tables(codes: Iterable[str], root: Path) -> set[Path]:
    """Return the stored tables of sweeps that a piece of code names."""
    everything = "\n".join(codes)
    return {path for path in (root / "book" / "sweeps").glob("*.jsonl") if path.stem in everything}


def fingerprint(notebook: dict[str, Any], chapter: str, root: Path) -> str:
    """Return the name of all that a run of the notebook depends on.

    Parameters
    ----------
    notebook
        The stored notebook.
    chapter
        Its stem, which names its file of claims.
    root
        The checkout.
    """
    source = root / "src"
    # Data files are read by path, not imported: any of them may matter.
    data = {p for p in (source / PACKAGE).rglob("*") if p.suffix in {".js", ".css", ".mplstyle"}}
    codes = code_cells(notebook)
    reached = modules(codes, source)
    files = reached | data
    claims = root / "book" / "claims" / f"{chapter}.yml"
    files |= {path for path in (claims, root / "requirements.lock") if path.exists()}
    files |= _tables([*codes, *(path.read_text("utf-8") for path in reached)], root)
    cells = [(cell["cell_type"], cell["source"], cell["metadata"]) for cell in notebook["cells"]]
    parts = [json.dumps(cells, sort_keys=True).encode(), sys.version.encode()]
    for path in sorted(files):
        parts += [path.relative_to(root).as_posix().encode(), path.read_bytes()]
    return digest(parts)
