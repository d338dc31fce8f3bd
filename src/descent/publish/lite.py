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
from typing import Any, NamedTuple

from descent.files import write_whole, zipped
from descent.publish import paths, policy
from descent.publish.authored import code_cells, page_sources
from descent.publish.fingerprint import PACKAGE, imported_names, modules, of_exercises

__all__ = ["PYODIDE", "archive", "offer", "runs_in_browser", "write"]

PYODIDE = "314.0.7"
PYTHON = "3.14.2"
HOME = f"https://cdn.jsdelivr.net/pyodide/v{PYODIDE}/full/"
INTERPRETER_MEGABYTES = 6


class Package(NamedTuple):
    """What Pyodide's lock has of a package."""

    name: str
    version: str
    megabytes: int  # of its download with all that it needs


# By the name of the import.
PACKAGES = {
    "IPython": Package("ipython", "9.12.0", 3),
    "PIL": Package("pillow", "12.2.0", 1),
    "matplotlib": Package("matplotlib", "3.10.8", 9),
    "numpy": Package("numpy", "2.4.6", 3),
    "pandas": Package("pandas", "3.0.2", 6),
    "scipy": Package("scipy", "1.18.0", 14),
    "yaml": Package("pyyaml", "6.0.3", 0),
}
# Imported only by an explorer in a notebook; on the page explorers are drawn in advance.
ONLY_IN_NOTEBOOKS = {"anywidget", "traitlets"}
# Without them numpy computes the same.
ONLY_FOR_SPEED = {"llvmlite", "threadpoolctl"}
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
_STYLE = '<link rel="stylesheet" href="../_static/lite.css">'
_CHECKED = re.compile(r"""exercises\.check\(\s*["'](\d+)\.""")
_SESSION = "import descent.publish.cells"
# The document in which Python runs. Only it may load from another place than the book's.
_FRAME = (
    '<!DOCTYPE html><html lang="en"><head><meta charset="utf-8"><title>Python</title>'
    f'<script src="lite-frame.js" data-home="{HOME}"></script></head><body></body></html>\n'
)


def imported(notebook: dict[str, Any]) -> frozenset[str]:
    """Return the top-level names that a notebook, and what it imports of the library, import."""
    cells = code_cells(notebook)
    asked = {int(number) for cell in cells for number in _CHECKED.findall(cell)}
    # An answer is imported when it is asked for, by the number of its exercise alone.
    answers = [
        line
        for path in paths.notebooks()
        if int(path.stem[:2]) in asked
        for line in of_exercises(path.stem, paths.ROOT)[0]
    ]
    return _imported((*cells, *answers))


@cache
def _imported(cells: tuple[str, ...]) -> frozenset[str]:
    reached = [p.read_text(encoding="utf-8") for p in modules(cells, paths.ROOT / "src")]
    names = (name for code in (*cells, *reached) for name in imported_names(code))
    return frozenset(name.partition(".")[0] for name in names)


def packages(notebook: dict[str, Any]) -> frozenset[str] | None:
    """Return the names in `PACKAGES` that a notebook needs, or None if it needs others."""
    names = imported(notebook)
    foreign = names - sys.stdlib_module_names - {PACKAGE} - ONLY_IN_NOTEBOOKS - ONLY_FOR_SPEED
    if names & NOT_IN_BROWSERS or not foreign <= PACKAGES.keys():
        return None
    return foreign | {"IPython"}


def runs_in_browser(notebook: dict[str, Any]) -> bool:
    """Whether Pyodide has all that a notebook imports, by way of the library too."""
    return packages(notebook) is not None


def megabytes(needed: Iterable[str]) -> int:
    """Return about how many megabytes the interpreter and the packages are, to the next five."""
    exact = INTERPRETER_MEGABYTES + sum(PACKAGES[name].megabytes for name in needed)
    return -5 * (-exact // 5)


def archive(chapters: Iterable[str]) -> bytes:
    """Return a small checkout as a zip file, the same bytes for the same content.

    Parameters
    ----------
    chapters
        Stems of notebooks. The archive has them, their claims, exercises and stored tables,
        and the modules that they reach.
    """
    source = paths.ROOT / "src"
    files = {p for p in (source / PACKAGE).rglob("*") if p.suffix in DATA}
    codes = [_SESSION]
    for chapter in chapters:
        notebook = paths.NOTEBOOKS / f"{chapter}.ipynb"
        claims = paths.BOOK / "claims" / f"{chapter}.yml"
        files |= {path for path in (notebook, claims) if path.exists()}
        files |= {*(paths.BOOK / "sweeps").glob(f"{chapter[:2]}-*.jsonl")}
        answers, asked = of_exercises(chapter, paths.ROOT)
        files |= {*asked}
        codes += code_cells(_plain(notebook)) + answers
    files |= modules(codes, source)
    return zipped(
        (path.relative_to(paths.ROOT).as_posix(), path.read_bytes()) for path in sorted(files)
    )


def _plain(notebook: Path) -> dict[str, Any]:
    """Return a stored notebook with each cell's source as one text."""
    content: dict[str, Any] = json.loads(notebook.read_text(encoding="utf-8"))
    for cell in content["cells"]:
        cell["source"] = "".join(cell["source"])
    return content


def versions(needed: Iterable[str]) -> str:
    """Return in words which Python and which packages a chapter runs with."""
    names = sorted((PACKAGES[name] for name in needed), key=lambda package: package.name)
    named = ", ".join(f"{package.name} {package.version}" for package in names)
    return f"Python {PYTHON} (Pyodide {PYODIDE}), {named}"


def write(runs: Mapping[str, Any], folder: Path) -> None:
    """Write what the chapters that run in a browser need into a folder.

    That is the archive, as a script, and the document in which Python runs.
    """
    chapters = [chapter for chapter, run in runs.items() if runs_in_browser(run)]
    library = {"archive": base64.b64encode(archive(chapters)).decode()}
    script = f"window.descentLibrary = {json.dumps(library)};\n"
    write_whole(folder / "lite-library.js", script)
    write_whole(folder / "lite-frame.html", policy.with_policy(_FRAME, policy.frame(HOME)))


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
    shown, cells = len(re.findall(r'<div class="cell[ "]', html)), len(page_sources(run["cells"]))
    if shown != cells:
        raise ValueError(f"the page of {chapter} has {shown} cells, its notebook {cells}")
    names = " ".join(sorted(PACKAGES[name].name for name in needed))
    text = (
        '\n<div class="descent-lite">'
        f'<button type="button" class="descent-lite-start" data-chapter="{chapter}"'
        f' data-packages="{names}">Run in the browser</button>'
        f"<span>needs the network: loads about {megabytes(needed)} MB"
        " from cdn.jsdelivr.net</span>"
        f"<details><summary>versions</summary>{versions(needed)}</details>"
        '<p role="status"></p></div>'
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
    # In the head, so that nothing moves when it comes.
    return mended.replace("</head>", f"{_STYLE}</head>", 1)
