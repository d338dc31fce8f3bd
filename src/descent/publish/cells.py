"""Run the cells of a chapter where no Jupyter is: in the reader's browser.

The page sends the source of a cell and gets its outputs as plain data. IPython does the
work, so a cell means what it means in a notebook.
"""

from __future__ import annotations

import io
import json
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path
from typing import Any

from IPython.core.displayhook import DisplayHook
from IPython.core.displaypub import CapturingDisplayPublisher
from IPython.core.interactiveshell import InteractiveShell
from traitlets import Type
from traitlets.config import Config

from descent.explorer import Explorer, page
from descent.publish.authored import page_sources

__all__ = ["Session"]

# No history: it would be kept by a thread, and a browser has none.
_CONFIG = Config(
    InteractiveShell={"colors": "nocolor"},
    HistoryManager={"enabled": False, "hist_file": ":memory:"},
)


class _Hook(DisplayHook):
    """Publishes the value of a cell's last line, as `display` would."""

    def __call__(self, result: Any = None) -> None:
        if result is not None:
            hook: Any = self
            hook.shell.display_pub.publish(*hook.compute_format_data(result))


class _Shell(InteractiveShell):
    """IPython without a terminal; keeps the traceback of the last cell instead of printing it."""

    displayhook_class = Type(_Hook)
    display_pub_class = Type(CapturingDisplayPublisher)
    failure = ""

    def _showtraceback(self, etype: Any, evalue: Any, stb: list[str]) -> None:
        self.failure = "\n".join(stb)


def _still(explorer: Explorer) -> tuple[dict[str, str], dict[str, Any]]:
    """Return an explorer in its default state: the page has all states drawn already."""
    shown = {"text/html": page.state_html(explorer, explorer.default), "text/plain": explorer.name}
    return shown, {"descent": {"explorer": explorer.name}}


class Session:
    """A chapter, its code cells, and the namespace in which they run.

    Parameters
    ----------
    notebook
        The chapter's notebook.
    """

    def __init__(self, notebook: Path) -> None:
        cells = json.loads(notebook.read_text(encoding="utf-8"))["cells"]
        self.sources = page_sources(cells)
        shell: Any = _Shell.instance(config=_CONFIG)
        shell.display_formatter.mimebundle_formatter.for_type(Explorer, _still)
        self._shell = shell

    def run(self, source: str) -> list[dict[str, str]]:
        """Run the source of a cell and return what it shows.

        Returns
        -------
        list of dict
            Each with a ``kind`` (``text``, ``html``, ``prose``, ``explorer`` or ``error``)
            and its ``content``. Markdown is ``prose``; of an explorer its default state.
        """
        shown = self._shell.display_pub.outputs
        shown.clear()
        self._shell.failure = ""
        with redirect_stdout(io.StringIO()) as out, redirect_stderr(io.StringIO()) as err:
            self._shell.run_cell(source)
        written = (out.getvalue(), err.getvalue())
        outputs = [{"kind": "text", "content": text} for text in written if text]
        outputs += [_output(one["data"], one["metadata"] or {}) for one in shown]
        if self._shell.failure:
            outputs.append({"kind": "error", "content": self._shell.failure})
        return outputs


def _output(data: dict[str, str], metadata: dict[str, Any]) -> dict[str, str]:
    if "explorer" in metadata.get("descent", {}):
        return {"kind": "explorer", "content": data["text/html"]}
    for mime, kind in (("text/html", "html"), ("text/markdown", "prose"), ("text/plain", "text")):
        if mime in data:
            return {"kind": kind, "content": data[mime]}
    return {"kind": "text", "content": f"[{', '.join(data)}]"}
