"""Name the inputs of a notebook's run, so that a stored run is believed only while they stand.

The inputs are the code of the notebook and the expressions in its sentences, the files beside
it, its chapter's claims and exercises, the lock file, the Python version, those modules of the
library that its imports and its exercises reach, all data of the library, the tables that they
name, and the variables by which other roundings are tried. The words of a notebook are none: a
run gives them no outputs.
"""

from __future__ import annotations

import ast
import hashlib
import json
import os
import re
import sys
from collections.abc import Iterable, Iterator
from functools import cache
from pathlib import Path
from typing import Any

from descent.exercises import module_of
from descent.publish.authored import code_cells, parsed
from descent.publish.sentences import ROLE

PACKAGE = "descent"
ROUNDINGS = (
    "ATEN_CPU_CAPABILITY",
    "DESCENT_PROCESSOR",
    "DESCENT_THREADS",
    "MKL_CBWR",
    "NPY_DISABLE_CPU_FEATURES",
    "OPENBLAS_CORETYPE",
)
"""What `scripts/other_roundings.py` sets: a run of one setting says nothing of another."""

_MODULE = re.compile(rf"{PACKAGE}(\.\w+)+")


def digest(parts: Iterable[bytes]) -> str:
    """Return a SHA-256 over the parts, each with its length, so that no two lists collide."""
    total = hashlib.sha256()
    for part in parts:
        total.update(len(part).to_bytes(8, "big"))
        total.update(part)
    return total.hexdigest()


def _parsed(code: str) -> Iterator[ast.AST]:
    """Yield the nodes of a piece of code; of what is no Python none, for its run says why."""
    return ast.walk(parsed(code) or ast.Module([], []))


@cache  # every chapter reaches the same modules
def imported_names(code: str, package: str = "") -> tuple[str, ...]:
    """Return the dotted names that a piece of code imports.

    Parameters
    ----------
    code
        Python source.
    package
        Where it stands, for its relative imports; without one they are left out.
    """
    names = []
    for node in _parsed(code):
        if isinstance(node, ast.Import):
            names += [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and (package or not node.level):
            above = package.split(".")[: 1 - node.level or None] if node.level else []
            base = ".".join(filter(None, [*above, node.module]))
            names += [base, *(f"{base}.{alias.name}" for alias in node.names)]
    return tuple(names)


@cache
def _reached(code: str, package: str = "") -> tuple[str, ...]:
    """Return the names that a piece of code imports, and those that a text in it names."""
    texts = (node.value for node in _parsed(code) if isinstance(node, ast.Constant))
    named = (text for text in texts if isinstance(text, str) and _MODULE.fullmatch(text))
    return (*imported_names(code, package), *named)  # it may be imported by that name


def files_of(name: str, source: Path) -> Iterator[Path]:
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
    waiting = [name for code in codes for name in _reached(code)]
    while waiting:
        for path in files_of(waiting.pop(), source):
            if path not in reached:
                reached.add(path)
                package = ".".join(path.relative_to(source).parts[:-1])
                waiting.extend(_reached(path.read_text(encoding="utf-8"), package))
    return reached


def of_exercises(chapter: str, root: Path) -> tuple[list[str], list[Path]]:
    """Return the code that imports the answers to a chapter's exercises, and their file.

    Both are empty where there are none. The answers are found by name, so no import says it.
    """
    path = root / "book" / "exercises" / f"{chapter}.yml"
    if not path.exists():
        return [], []
    return [f"import {module_of(chapter)}"], [path]


def _tables(codes: Iterable[str], root: Path) -> set[Path]:
    """Return the stored tables of sweeps that a piece of code names."""
    everything = "\n".join(codes)
    return {path for path in (root / "book" / "sweeps").glob("*.jsonl") if path.stem in everything}


def _data(folder: Path) -> Iterator[Path]:
    """Yield the files of a folder that are neither code of the library nor notebooks."""
    for path in folder.rglob("*"):
        hidden = any(part.startswith(".") for part in path.relative_to(folder).parts)
        made = path.suffix == ".pyc" or path.name == "ruff.toml"
        code = path.suffix == ".ipynb" or (path.suffix == ".py" and folder.name == PACKAGE)
        if path.is_file() and not (hidden or made or code):
            yield path


def _asked(notebook: dict[str, Any]) -> list[Any]:
    """Return all that a notebook asks of its kernel, in order."""
    asked: list[Any] = []
    for cell in notebook["cells"]:
        if cell["cell_type"] == "code":
            asked.append([cell["source"], cell["metadata"]])
        elif cell["cell_type"] == "markdown":
            asked.extend(ROLE.findall(cell["source"]))
    return asked


def library(root: Path) -> str:
    """Return the name of all files of a checkout that the library can read, and of its Python."""
    folders = [root / "src", *(root / "book" / name for name in ("sweeps", "claims", "exercises"))]
    files = {path for folder in folders for path in folder.rglob("*") if path.is_file()}
    files = {path for path in files if path.suffix != ".pyc"} | {*_data(root / "notebooks")}
    files |= {path for path in [root / "requirements.lock"] if path.exists()}
    return _over([sys.version.encode()], files, root)


def _over(parts: list[bytes], files: Iterable[Path], root: Path) -> str:
    for path in sorted(files):
        parts += [path.relative_to(root).as_posix().encode(), path.read_bytes()]
    return digest(parts)


def fingerprint(notebook: dict[str, Any], chapter: str, root: Path) -> str:
    """Return the name of all that a run of the notebook depends on.

    Parameters
    ----------
    notebook
        The stored notebook.
    chapter
        Its stem, which names its files of claims and of exercises.
    root
        The checkout.
    """
    source = root / "src"
    # Data files are read by path, not imported: any of them may matter.
    data = {*_data(source / PACKAGE), *_data(root / "notebooks")}
    answers, asked = of_exercises(chapter, root)
    codes = [*code_cells(notebook), *answers]
    reached = modules(codes, source)
    files = reached | data | {*asked}
    claims = root / "book" / "claims" / f"{chapter}.yml"
    files |= {path for path in (claims, root / "requirements.lock") if path.exists()}
    files |= _tables([*codes, *(path.read_text("utf-8") for path in reached)], root)
    settings = {name: os.environ[name] for name in ROUNDINGS if name in os.environ}
    asked_for = json.dumps([_asked(notebook), settings], sort_keys=True)
    parts = [asked_for.encode(), sys.version.encode()]
    return _over(parts, files, root)
