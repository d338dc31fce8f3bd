"""Render the executed notebooks and the pages to HTML.

The book is staged in a folder of its own and rendered there; the result takes
its place only when it is whole.
"""

from __future__ import annotations

import importlib.util
import re
import shutil
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import nbformat
import yaml

from descent.book import lite, pages, paths
from descent.book.execute import write_atomically
from descent.book.fingerprint import digest

# What a page needs of MathJax: one script and its fonts.
MATHJAX = ("tex-mml-chtml.js", "output/chtml/fonts/woff-v2")


class RenderFailed(RuntimeError):
    """Sphinx reported a warning or an error; its text stands above."""


def public_repository() -> str | None:
    """Return the address of the clone's origin if readers can open it in a browser."""
    command = ["git", "-C", str(paths.ROOT), "remote", "get-url", "origin"]
    found = subprocess.run(command, capture_output=True, text=True, check=False)
    match = re.fullmatch(
        r"(?:https://|git@)(github\.com|gitlab\.com)[/:]([\w.-]+/[\w.-]+?)(?:\.git)?/?",
        found.stdout.strip(),
    )
    return f"https://{match[1]}/{match[2]}" if match else None


def configuration(text: str, repository: str | None) -> str:
    """Return the book's configuration, with launch and source links if readers can reach them."""
    config = yaml.safe_load(text)
    if repository is not None:
        config["repository"] = {"url": repository, "branch": "main", "path_to_book": ""}
        config["html"]["use_repository_button"] = True
        config["launch_buttons"] = {"binderhub_url": "https://mybinder.org"}
        if "github.com" in repository:
            config["launch_buttons"]["colab_url"] = "https://colab.research.google.com"
    return yaml.safe_dump(config, sort_keys=False)


def _mathjax(target: Path) -> None:
    spec = importlib.util.find_spec("sphinx-mathjax-offline")
    if spec is None or spec.origin is None:
        raise RenderFailed("package sphinx-mathjax-offline is not installed: run make again")
    source = Path(spec.origin).parent / "static" / "mathjax"
    for name in MATHJAX:
        place = target / name
        place.parent.mkdir(parents=True, exist_ok=True)
        if (source / name).is_dir():
            shutil.copytree(source / name, place)
        else:
            shutil.copyfile(source / name, place)


def stage(runs: Mapping[str, Any]) -> str:
    """Lay out all that Sphinx reads, and return the name of its content."""
    shutil.rmtree(paths.STAGE, ignore_errors=True)
    ignore = shutil.ignore_patterns("_build", "claims", "sweeps", ".*")
    shutil.copytree(paths.BOOK, paths.STAGE / "book", ignore=ignore)
    _mathjax(paths.STAGE / "book" / "_static" / "mathjax")
    style = Path(pages.__file__).parents[1] / "claims.css"
    shutil.copyfile(style, paths.STAGE / "book" / "_static" / "claims.css")
    for chapter, run in runs.items():
        write_atomically(paths.STAGE / "notebooks" / f"{chapter}.ipynb", nbformat.writes(run))
    content = pages.generated(runs, paths.BOOK / "chapters.yml")
    for page in (paths.STAGE / "book").glob("*.md"):
        filled = pages.render(page.read_text(encoding="utf-8"), content)
        page.write_text(filled, encoding="utf-8")
    table = paths.STAGE / "book" / "_static" / "claims.csv"
    table.write_text(pages.claims_csv(runs), encoding="utf-8")
    lite.write(runs, paths.STAGE / "book" / "_static")
    config = paths.STAGE / "book" / "_config.yml"
    config.write_text(configuration(config.read_text(encoding="utf-8"), public_repository()))
    files = sorted(path for path in paths.STAGE.rglob("*") if path.is_file())
    lock = (paths.ROOT / "requirements.lock").read_bytes()
    return digest(
        part
        for path in files
        for part in (path.relative_to(paths.STAGE).as_posix().encode(), path.read_bytes())
    ) + digest([lock, sys.version.encode()])


def mend(html: Path) -> None:
    """Take out what the theme's pages have wrong for a screen reader."""
    for page in html.rglob("*.html"):
        text = page.read_text(encoding="utf-8")
        # A list whose children are no list items.
        mended = text.replace(
            '<div role="list" class="citation-list">', "<div class='citation-list'>"
        )
        # A region that scrolls and cannot be reached by keys.
        mended = mended.replace(
            '<div class="pst-scrollable-table-container">',
            '<div class="pst-scrollable-table-container" tabindex="0">',
        )
        if mended != text:
            page.write_text(mended, encoding="utf-8")


def sphinx(output: Path, *options: str) -> None:
    """Run Sphinx over the stage, warnings as errors, into an empty folder.

    Raises
    ------
    RenderFailed
        If Sphinx warns or fails.
    """
    # A page whose warning was reported once is not reported again by an
    # incremental run: start from nothing each time.
    shutil.rmtree(output, ignore_errors=True)
    output.mkdir(parents=True)
    command = [
        *(str(Path(sys.executable).with_name("jupyter-book")), "build", "--quiet", *options),
        *("--config", str(paths.STAGE / "book" / "_config.yml")),
        *("--toc", str(paths.STAGE / "book" / "_toc.yml")),
        *("--path-output", str(output)),
        *("-n", "-W", "--keep-going", str(paths.STAGE)),
    ]
    done = subprocess.run(
        command,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    if done.returncode or not any((output / "_build").glob("*/index.html")):
        raise RenderFailed(f"rendering failed ({done.returncode}):\n{done.stdout}")


def render(runs: Mapping[str, Any]) -> bool:
    """Render the book to HTML; return False if it stands already as it would be made.

    Raises
    ------
    RenderFailed
        If Sphinx warns or fails.
    """
    name = stage(runs)
    made_from = paths.HTML / ".made-from"
    if made_from.exists() and made_from.read_text() == name:
        return False
    scratch = paths.BUILD / "render"
    sphinx(scratch)
    fresh = scratch / "_build" / "html"
    mend(fresh)
    for chapter, run in runs.items():
        page = fresh / "notebooks" / f"{chapter}.html"
        page.write_text(
            lite.offer(page.read_text(encoding="utf-8"), chapter, run), encoding="utf-8"
        )
    (fresh / ".made-from").write_text(name)
    shutil.rmtree(paths.HTML, ignore_errors=True)
    fresh.rename(paths.HTML)
    return True
