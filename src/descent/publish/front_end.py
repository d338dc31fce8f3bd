"""What a cell asks of the program around the kernel: JupyterLab does it, and so a build has to."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from nbformat.v4 import new_output

__all__ = ["FrontEndFailed", "answer"]

_ASKED = {
    "ask_exit": "it ends its kernel, by exit or quit: no cell below would run",
    "set_next_input": "it writes a cell, as %load does: put the text there yourself",
    "edit": "it opens an editor, which a build has not",
}


class FrontEndFailed(RuntimeError):
    """A cell asks for what only somebody before a screen can have."""


def answer(asked: Iterable[Mapping[str, Any]]) -> list[Any]:
    """Return what a front end shows below a cell for what it asked.

    Parameters
    ----------
    asked
        The payload of the kernel's reply to the cell.

    Returns
    -------
    list
        An output for each text that is to be paged, such as that of ``len?``.

    Raises
    ------
    FrontEndFailed
        If the cell ends its kernel, writes another cell or opens an editor.
    """
    shown = []
    for one in asked:
        source = str(one.get("source"))
        if source != "page":
            raise FrontEndFailed(_ASKED.get(source, f"it asks a front end for {source}"))
        shown.append(new_output("display_data", data=dict(one["data"])))
    return shown
