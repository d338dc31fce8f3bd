"""What the cells of a notebook showed: what a page cannot show is an error, not a gap."""

from __future__ import annotations

import base64
import copy
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from descent.files import write_whole
from descent.publish import words
from descent.publish.markup import left_open
from descent.publish.site import PAGE_BYTES
from descent.publish.terminal import for_page
from descent.publish.words import with_pasted

__all__ = ["complaint", "fit_for_page"]

MEANT_TO_FAIL = "raises-exception"
WIDGET = "application/vnd.jupyter.widget-view+json"
# What a page shows of an output; a widget and a script need a kernel or a notebook around them.
_SHOWN = {
    "image/gif",
    "image/jpeg",
    "image/png",
    "image/svg+xml",
    "text/html",
    "text/latex",
    "text/markdown",
    "text/plain",
}
_NEEDS_NOTEBOOK = {WIDGET: "an ipywidgets widget", "application/javascript": "a script"}
_COLOURS = re.compile(r"\x1b\[[\d;]*m")
# What Python says of the place of a typo: IPython compiles each cell as a file.
_OF_FILE = re.compile(r" \(\d+\.py, line \d+\)$")
_LINE = re.compile(r"(?:Cell In\s?\[\d+\]|File <ipython-input[^>]*>), line (\d+)")


def _bare(text: str) -> str:
    return _COLOURS.sub("", text)


def _unshown(data: Mapping[str, Any]) -> str | None:
    """Return what a page would leave out of an output, or None if it shows it."""
    for mime, what in _NEEDS_NOTEBOOK.items():
        if mime in data and "text/html" not in data:
            return f"{what}, which a page without a kernel cannot run"
    others = data.keys() - _SHOWN
    # The plain text beside what a page cannot show says what it would be, and not what it is.
    if not data or (others and data.keys() - others <= {"text/plain"}):
        what = ", ".join(sorted(others)) or "an empty output"
        return f"nothing but {what}, which a page cannot show"
    return None


def _written(output: Mapping[str, Any]) -> int:
    """Return how many characters of an output stand in the page itself; a picture is a file."""
    data = output.get("data", {})
    drawn = any(mime.startswith("image/") for mime in data) and "text/html" not in data
    shown = "" if drawn else data.get("text/html", data.get("text/plain", ""))
    return len("".join(output.get("text", ""))) + len("".join(shown))


def _wrong(cell: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Yield what is wrong with the outputs of a cell, in a line, and the whole of it."""
    meant = MEANT_TO_FAIL in cell["metadata"].get("tags", [])
    outputs = cell.get("outputs", [])
    if (size := sum(map(_written, outputs))) > PAGE_BYTES:
        yield f"writes {size} characters, and a page may have {PAGE_BYTES} bytes", ""
    for output in outputs:
        kind = output["output_type"]
        if kind == "error" and not meant:
            trace = "\n".join(output["traceback"])
            line = _LINE.search(_bare(trace))
            where = f" in line {line[1]}" if line else ""
            why = _OF_FILE.sub("", output["evalue"])
            yield f"failed{where}: {output['ename']}: {why}", trace
        elif kind == "stream" and output["name"] == "stderr":
            first = _bare(output["text"]).strip().partition("\n")[0]
            yield f"failed: the cell wrote to stderr: {first}", output["text"]
        elif kind in ("display_data", "execute_result"):
            text = str(output["data"].get("text/plain", ""))
            if what := _unshown(output["data"]):
                yield f"shows {what}; show an explorer, a figure or a text", text
            elif what := left_open("".join(output["data"].get("text/html", ""))):
                yield f"shows HTML in which {what}, so the page below would be lost in it", text
    if meant and not any(output["output_type"] == "error" for output in outputs):
        yield f"is tagged {MEANT_TO_FAIL}, and raised nothing", ""


def complaint(path: Path, notebook: Mapping[str, Any]) -> str | None:
    """Return the first thing that is wrong with an executed notebook, with its cell.

    Parameters
    ----------
    path
        Where the notebook lies.
    notebook
        Executed.

    Returns
    -------
    str or None
        An error that was not meant, text on stderr, an output that no page can show or that
        would swallow the page below it, or what is wrong with its words.
    """
    for number, cell in enumerate(notebook["cells"], start=1):
        if cell["cell_type"] == "code":
            for line, whole in _wrong(cell):
                return f"{path}: cell {number} {line}\n\n{cell['source']}\n\n{whole}".rstrip()
    return words.complaint(path, notebook)


def _describe(cell: Any, output: Mapping[str, Any]) -> None:
    """Give a picture its plain text to be read out, unless the cell's author gave it one."""
    data = output.get("data", {})
    text = data.get("text/plain", "").strip("<>")
    if text and any(mime.startswith("image/") for mime in data):
        options = cell["metadata"].setdefault("mystnb", {})
        options.setdefault("image", {}).setdefault("alt", text)


def fit_for_page(run: Mapping[str, Any], chapter: str, folder: Path) -> Any:
    """Return an executed notebook as Sphinx can render it.

    Pictures that were pasted into a cell become files, colours of terminals those that pages
    know; of an output what a page shows is kept, and pictures have a text for those who hear it.

    Parameters
    ----------
    run
        Executed.
    chapter
        Its stem.
    folder
        Where its page is made.
    """
    page = copy.deepcopy(run)
    for number, cell in enumerate(page["cells"], start=1):
        places = {}
        for name, picture in cell.get("attachments", {}).items():
            for content in list(picture.values())[:1]:
                clean = re.sub(r"[^\w.-]", "-", name)
                places[name] = f"pasted/{chapter}-{number}-{clean}"
                write_whole(folder / places[name], base64.b64decode(content))
        cell["source"] = with_pasted(cell, places)
        for output in cell.get("outputs", []):
            for mime in output.get("data", {}).keys() - _SHOWN:
                del output["data"][mime]
            _describe(cell, output)
            if output["output_type"] == "stream":
                output["text"] = for_page(output["text"])
            elif output["output_type"] == "error":
                output["traceback"] = [for_page(line) for line in output["traceback"]]
            elif "text/plain" in output.get("data", {}):
                output["data"]["text/plain"] = for_page(output["data"]["text/plain"])
    return page
