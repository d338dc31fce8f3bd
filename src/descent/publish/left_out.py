"""Chapters that cannot run here: their pages stand without results, and say so.

There is no torch for Macs with Intel processors; the chapters without networks work there.
"""

from __future__ import annotations

import importlib.util
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from descent.publish.authored import read, titles
from descent.publish.lite import imported
from descent.publish.sentences import ROLE

# What is not to be had on every system that the book supports.
NOT_EVERYWHERE = {"torch": "PyTorch"}


def absent() -> list[str]:
    """Return which of the packages that are not to be had everywhere this system has not."""
    return [name for name in NOT_EVERYWHERE if importlib.util.find_spec(name) is None]


def lacking(path: Path) -> list[str]:
    """Return what a chapter needs and this system has not.

    Raises
    ------
    NotebookFailed, OSError
        If the file cannot be read or is no notebook.
    """
    missing = absent()
    return sorted(set(missing) & imported(read(path))) if missing else []


def unrun(path: Path, names: list[str]) -> Any:
    """Return a chapter's notebook as a page can show it that was not run.

    Sentences have a mark in place of their numbers, and a note below the title says why.
    """
    notebook = read(path)
    words = " and ".join(NOT_EVERYWHERE[name] for name in names)
    note = (
        f"**Not run.** This copy of the book was made on a machine without {words}, which this "
        "chapter needs: its figures are missing, and so are the numbers of its sentences (…)."
    )
    for cell in notebook.cells:
        if cell.cell_type == "markdown":
            cell.source = ROLE.sub("…", cell.source)
    for number, heading in titles(notebook):
        cell = notebook.cells[number - 1]
        lines = cell.source.split("\n")
        lines[heading.end : heading.end] = ["", note]
        cell.source = "\n".join(lines)
    notebook.metadata["descent"] = {"seconds": 0.0, "lacking": names}
    return notebook


def is_unrun(run: Mapping[str, Any]) -> bool:
    """Whether a chapter's notebook is one that was not run."""
    return bool(run.get("metadata", {}).get("descent", {}).get("lacking"))
