"""Let a reader run a chapter on its own page, in the browser.

Pyodide, which is Python for the browser, and the packages come from its content delivery
network when the reader asks for them. The library, the notebooks and their claims lie
beside the page: one archive, laid out like a checkout, in a script that a page opened
from disk can load too.
"""

from __future__ import annotations

import base64
import json
import re
import sys
from collections.abc import Iterable, Mapping
from functools import cache
from pathlib import Path
from typing import Any

from descent.files import write_whole, zipped
from descent.publish import paths
from descent.publish.fingerprint import PACKAGE, code_cells, imported_names, modules

__all__ = ["PYODIDE", "archive", "offer", "runs_in_browser", "write"]

PYODIDE = "314.0.7"
INTERPRETER_MEGABYTES = 6
# By the name of the import: Pyodide's package, and its download with all that it needs.
PACKAGES = {
    "IPython": ("ipython", 3),
    "PIL": ("pillow", 1),
    "matplotlib": ("matplotlib", 9),
    "numpy": ("numpy", 3),
    "scipy": ("scipy", 14),
    "yaml": ("pyyaml", 0),
}
# Imported only by an explorer in a notebook; on the page explorers are drawn in advance.
ONLY_IN_NOTEBOOKS = {"ipywidgets"}
# A browser starts no process and no thread, and opens no socket.
NOT_IN_BROWSERS = {
    "concurrent",
    "multiprocessing",
    "socket",
    "socketserver",
    "ssl",
    "subprocess",
    "threading",
}
DATA = {".css", ".js", ".mplstyle"}
_SESSION = "import descent.publish.cells"


def imported(notebook: dict[str, Any]) -> frozenset[str]:
    """Return the top-level names that a notebook, and what it imports of the library, import."""
    return _imported(tuple(code_cells(notebook)))


@cache
def _imported(cells: tuple[str, ...]) -> frozenset[str]:
    reached = [p.read_text(encoding="utf-8") for p in modules(cells, paths.ROOT / "src")]
    names = (name for code in (*cells, *reached) for name in imported_names(code))
    return frozenset(name.partition(".")[0] for name in names)


def packages(notebook: dict[str, Any]) -> frozenset[str] | None:
    """Return the names in `PACKAGES` that a notebook needs, or None if it needs others."""
    names = imported(notebook)
    foreign = names - sys.stdlib_module_names - {PACKAGE} - ONLY_IN_NOTEBOOKS
    if names & NOT_IN_BROWSERS or not foreign <= PACKAGES.keys():
        return None
    return foreign | {"IPython"}


def runs_in_browser(notebook: dict[str, Any]) -> bool:
    """Whether Pyodide has all that a notebook imports, by way of the library too."""
    return packages(notebook) is not None


def megabytes(needed: Iterable[str]) -> int:
    """Return about how many megabytes the interpreter and the packages are, to the next five."""
    exact = INTERPRETER_MEGABYTES + sum(PACKAGES[name][1] for name in needed)
    return -5 * (-exact // 5)


def archive(chapters: Iterable[str]) -> bytes:
    """Return a small checkout as a zip file, the same bytes for the same content.

    Parameters
    ----------
    chapters
        Stems of notebooks. The archive has them, their claims, and the modules that they reach.
    """
    source = paths.ROOT / "src"
    files = {p for p in (source / PACKAGE).rglob("*") if p.suffix in DATA}
    codes = [_SESSION]
    for chapter in chapters:
        notebook = paths.NOTEBOOKS / f"{chapter}.ipynb"
        files |= {notebook, paths.BOOK / "claims" / f"{chapter}.yml"}
        codes += code_cells(_plain(notebook))
    files |= modules(codes, source)
    return zipped((path.relative_to(paths.ROOT).as_posix(), path) for path in sorted(files))


def _plain(notebook: Path) -> dict[str, Any]:
    """Return a stored notebook with each cell's source as one text."""
    content: dict[str, Any] = json.loads(notebook.read_text(encoding="utf-8"))
    for cell in content["cells"]:
        cell["source"] = "".join(cell["source"])
    return content


def write(runs: Mapping[str, Any], folder: Path) -> None:
    """Write the archive of the chapters that run in a browser as a script into a folder."""
    chapters = [chapter for chapter, run in runs.items() if runs_in_browser(run)]
    library = {"pyodide": PYODIDE, "archive": base64.b64encode(archive(chapters)).decode()}
    script = f"window.descentLibrary = {json.dumps(library)};\n"
    write_whole(folder / "lite-library.js", script)


def offer(html: str, chapter: str, run: Any) -> str:
    """Return a chapter's page with the offer to run it below its title.

    Parameters
    ----------
    html
        The rendered page.
    chapter
        Its stem.
    run
        The executed notebook.

    Raises
    ------
    ValueError
        If the page has not the title or the cells that the script looks for.
    """
    needed = packages(run)
    if needed is None:
        return html
    shown, cells = len(re.findall(r'<div class="cell[ "]', html)), len(code_cells(run))
    if shown != cells:
        raise ValueError(f"the page of {chapter} has {shown} cells, its notebook {cells}")
    names = " ".join(sorted(PACKAGES[name][0] for name in needed))
    text = (
        '\n<div class="descent-lite">'
        f'<button type="button" class="descent-lite-start" data-chapter="{chapter}"'
        f' data-packages="{names}">Run in the browser</button>'
        f"<span>needs the network: loads about {megabytes(needed)} MB"
        " from cdn.jsdelivr.net</span>"
        '<p role="status"></p></div>'
        '<link rel="stylesheet" href="../_static/lite.css">'
        '<script defer src="../_static/lite.js"></script>'
    )
    mended, found = re.subn(
        r'(<h1>(?:(?!</h1>).)*<a class="headerlink"(?:(?!</h1>).)*</h1>)',
        lambda match: match[1] + text,
        html,
        count=1,
        flags=re.DOTALL,
    )
    if not found:
        raise ValueError(f"the page of {chapter} has no title")
    return mended
