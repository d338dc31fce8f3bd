"""A notebook as its author left it: read it, and say what is wrong before it runs.

What IPython accepts as a cell is accepted here. What cannot be parsed is left to the kernel,
which tells the error better.
"""

from __future__ import annotations

import ast
import json
import threading
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from IPython.core.inputtransformer2 import TransformerManager

from descent.publish.headings import Heading, headings, with_marks

__all__ = [
    "NotebookFailed",
    "code_cells",
    "demand_title",
    "page_sources",
    "parsed",
    "python",
    "read",
    "title",
    "titles",
]

REMOVED = "remove-cell"
# Magics of a whole cell whose body is Python.
_AROUND_PYTHON = {"capture", "prun", "time", "timeit"}

# Python 3.11 counts the depth of a parse for all threads together, and a collection of
# garbage in the midst of one may let another thread in: then it raises a SystemError.
_PARSER = threading.Lock()


class NotebookFailed(RuntimeError):
    """A notebook did not run to its end, or wrote a warning; the text says where and why."""


def parsed(code: str) -> ast.Module | None:
    """Return the tree of a piece of Python, or None if it is none."""
    with _PARSER:
        try:
            return ast.parse(code)
        except (SyntaxError, ValueError):  # a ValueError if it holds a null character
            return None


def python(source: str) -> str:
    r"""Return what a cell means as plain Python: magics are calls, ``!`` lines and ``?`` too.

    Examples
    --------
    >>> python("files = !ls")
    "files = get_ipython().getoutput('ls')\n"
    >>> python("%%time\nimport numpy")
    'import numpy\n'
    """
    first, _, body = source.lstrip("\n").partition("\n")
    if first.startswith("%%") and first[2:].partition(" ")[0] in _AROUND_PYTHON:
        return python(body)
    try:
        return str(TransformerManager().transform_cell(source))  # type: ignore[no-untyped-call]
    except SyntaxError:  # the tokens of a cell with a typo
        return source


def code_cells(notebook: Mapping[str, Any]) -> list[str]:
    """Return each code cell as plain Python; what is not even that is empty."""
    codes = [python(c["source"]) for c in notebook["cells"] if c["cell_type"] == "code"]
    return [code if parsed(code) else "" for code in codes]


def page_sources(cells: Sequence[Mapping[str, Any]]) -> list[str]:
    """Return the source of each code cell that a page shows.

    A page shows neither empty cells nor those tagged ``remove-cell``; what such a cell computes
    goes before the next one that is shown.
    """
    sources: list[str] = []
    removed = ""
    for cell in cells:
        source = "".join(cell["source"])  # a text, or a list of lines in a file
        if cell["cell_type"] != "code" or not source.strip():
            continue
        if REMOVED in cell["metadata"].get("tags", []):
            removed += source + "\n\n"
        else:
            sources.append(removed + source)
            removed = ""
    return sources


def titles(notebook: Mapping[str, Any]) -> Iterator[tuple[int, Heading]]:
    """Yield the headings of the first level, each with the number of its cell."""
    for number, cell in enumerate(notebook["cells"], start=1):
        if cell["cell_type"] == "markdown":
            for heading in headings(cell["source"]):
                if heading.level == 1:
                    yield number, heading


def title(notebook: Mapping[str, Any]) -> str:
    """Return the first heading of the first level, empty if there is none."""
    return next((heading.words for _, heading in titles(notebook)), "")


def demand_title(notebook: Mapping[str, Any], name: str) -> None:
    """Raise an error unless a notebook has one title, which its page is listed under.

    Raises
    ------
    NotebookFailed
        With the name of the file, and the cell of a second one.
    """
    found = list(titles(notebook))
    if not found or not found[0][1].words:
        raise NotebookFailed(f"{name}: no cell has a heading of the first level, '# Title'")
    for number, heading in found[1:]:
        raise NotebookFailed(
            f"{name}: cell {number} has a second heading of the first level, '# {heading.words}'; "
            "a chapter has one"
        )


def _why(text: str) -> str:
    """Return why a text is no notebook, with the line if it is one line's fault."""
    if not text.strip():
        return "the file is empty"
    for number, line in enumerate(text.splitlines(), start=1):
        if line.startswith(("<<<<<<< ", ">>>>>>> ")):
            return f"line {number} is a mark of a merge: {line!r}"
    try:
        content = json.loads(text)
    except json.JSONDecodeError as error:
        return f"line {error.lineno}: {error.msg}"
    if not isinstance(content, dict) or "nbformat" not in content:
        return "it has no nbformat"
    return "its cells are not those of a notebook"


def read(path: Path) -> Any:
    """Return a chapter's notebook, in the fourth format, whose headings begin with marks.

    Raises
    ------
    NotebookFailed
        If the file is no notebook.
    OSError
        If it cannot be read.
    """
    import nbformat  # not at hand in a browser, which gets the cells alone

    text = path.read_text(encoding="utf-8", errors="replace")
    try:
        # From a dictionary: what was converted from an older format is none of nbformat's nodes.
        notebook = nbformat.from_dict(nbformat.reads(text, as_version=4))
        title(notebook)
    except (nbformat.ValidationError, ValueError, KeyError, AttributeError, TypeError) as error:
        raise NotebookFailed(f"cannot read {path}: {_why(text)}") from error
    for cell in notebook["cells"]:
        if cell["cell_type"] == "markdown":
            cell["source"] = with_marks(cell["source"])
    return notebook
