"""Render the executed notebooks and the pages to HTML.

The book is staged in a folder of its own, rendered and checked there; the result takes
its place only when it is whole and sound.
"""

from __future__ import annotations

import errno
import json
import os
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import nbformat
import yaml

from descent import claims
from descent.files import write_whole
from descent.publish import bundled, first_page, lite, numbering, pages, paths, reference, site
from descent.publish.authored import demand_title, read
from descent.publish.citation import edition
from descent.publish.fingerprint import digest
from descent.publish.finish import finish, public_address
from descent.publish.outputs import fit_for_page

# Beside the pages: what they were made from.
SEAL = ".made-from"
_COLOURS = re.compile(r"\x1b\[[\d;]*m")
# What Jupyter Book says of itself before and behind what Sphinx found.
_AROUND = re.compile(
    r"Running Jupyter-Book|Source Folder:|Config Path:|Output Path:|=+$|Building your book, returns"
)


class RenderFailed(RuntimeError):
    """Sphinx reported a warning or an error; its text stands above."""


def public_repository() -> str | None:
    """Return the address of the clone's origin if readers can open it in a browser."""
    command = ["git", "-C", str(paths.ROOT), "remote", "get-url", "origin"]
    try:
        found = subprocess.run(command, capture_output=True, text=True, check=False)
    except FileNotFoundError:  # no git
        return None
    match = re.fullmatch(
        r"(?:https://|git@)(github\.com|gitlab\.com)[/:]([\w.-]+/[\w.-]+?)(?:\.git)?/?",
        found.stdout.strip(),
    )
    return f"https://{match[1]}/{match[2]}" if match else None


def configuration(text: str, repository: str | None, address: str | None = None) -> str:
    """Return the book's configuration, with launch and source links if readers can reach them."""
    config = yaml.safe_load(text)
    if address is not None:
        config["sphinx"]["config"]["html_baseurl"] = address
    if repository is not None:
        config["repository"] = {"url": repository, "branch": "main", "path_to_book": ""}
        config["html"]["use_repository_button"] = True
        config["launch_buttons"] = {"binderhub_url": "https://mybinder.org"}
        if "github.com" in repository:
            config["launch_buttons"]["colab_url"] = "https://colab.research.google.com"
    return yaml.safe_dump(config, sort_keys=False)


def stage(runs: Mapping[str, Any], address: str | None) -> str:
    """Lay out all that Sphinx reads, and return the name of its content."""
    shutil.rmtree(paths.STAGE, ignore_errors=True)
    ignore = shutil.ignore_patterns("_build", "claims", "exercises", "paper", "sweeps", ".*")
    shutil.copytree(paths.BOOK, paths.STAGE / "book", ignore=ignore)
    bundled.write_licences(paths.STAGE / "book" / "_static" / "licences")
    shutil.copyfile(
        paths.ROOT / "LICENSE", paths.STAGE / "book" / "_static" / "licences" / "descent.txt"
    )
    # Each chapter links its own modules, beside which a notebook lies in a checkout.
    code = paths.ROOT / "src" / "descent" / "chapters"
    links = shutil.ignore_patterns("__pycache__")
    shutil.copytree(code, paths.STAGE / code.relative_to(paths.ROOT), ignore=links)
    style = Path(claims.__file__).with_name("claims.css")
    shutil.copyfile(style, paths.STAGE / "book" / "_static" / "claims.css")
    chapters = {}
    for chapter, run in runs.items():
        demand_title(run, f"{chapter}.ipynb")
        chapters[chapter] = fit_for_page(run, chapter, paths.STAGE / "notebooks")
    numbering.numbered(chapters)
    for chapter, page in chapters.items():
        write_whole(paths.STAGE / "notebooks" / f"{chapter}.ipynb", nbformat.writes(page))
    content = pages.generated(runs, paths.BOOK / "chapters.yml")
    by_number = {int(chapter[:2]): chapter for chapter in runs}
    for page in (paths.STAGE / "book").glob("*.md"):
        filled = pages.render(page.read_text(encoding="utf-8"), content)
        write_whole(page, numbering.linked_chapters(filled, by_number))
    reference.write(paths.STAGE / "book")
    write_whole(paths.STAGE / "book" / "_static" / "claims.csv", pages.claims_csv(runs))
    for name, picture in first_page.thumbnails(runs).items():
        write_whole(paths.STAGE / "book" / "_static" / "chapters" / name, picture)
    lite.write(runs, paths.STAGE / "book" / "_static")
    config = paths.STAGE / "book" / "_config.yml"
    text = config.read_text(encoding="utf-8")
    write_whole(config, configuration(text, public_repository(), address))
    # Whoever calls jupyter-book in the stage by hand need not name them.
    for name in ("_config.yml", "_toc.yml"):
        shutil.copyfile(paths.STAGE / "book" / name, paths.STAGE / name)
    files = sorted(path for path in paths.STAGE.rglob("*") if path.is_file())
    lock = (paths.ROOT / "requirements.lock").read_bytes()
    here = Path(__file__).parent
    programs = [path.read_bytes() for path in sorted([*here.glob("*.py"), *here.glob("*/*.js")])]
    return digest(
        part
        for path in files
        for part in (path.relative_to(paths.STAGE).as_posix().encode(), path.read_bytes())
    ) + digest([lock, sys.version.encode(), *programs])


def _cell_of(chapter: str, text: str) -> str:
    """Return which cell of a chapter's notebook has a text in it or shows it, such as ``: cell 2``.

    Empty if none has.
    """
    path = paths.EXECUTED / f"{chapter}.ipynb"
    path = path if path.exists() else paths.NOTEBOOKS / path.name
    for number, cell in enumerate(read(path).cells, start=1):
        if text in cell.source or text in json.dumps(cell.get("outputs", []), ensure_ascii=False):
            return f": cell {number}"
    return ""


def at_the_authors(said: str) -> str:
    """Return what Sphinx said, with places in the author's notebooks rather than in the stage's.

    MyST-NB counts the lines of a notebook's second cell from 20001, one too far. Of a picture it
    says no line.
    """

    def place(found: re.Match[str]) -> str:
        cell, line = divmod(int(found[2]), 10_000)
        return f"{paths.NOTEBOOKS / found[1]}: cell {cell}, line {max(line - 1, 1)}"

    def picture(found: re.Match[str]) -> str:
        where = _cell_of(Path(found[1]).stem, Path(found[3]).name)
        return f"{paths.NOTEBOOKS / found[1]}{where}{found[2]}{found[3]}"

    stage = re.escape(str(paths.STAGE))
    notebook = rf"{stage}/notebooks/([^/\n]+?\.ipynb):"
    said = re.sub(rf"{notebook}(\d{{5,}})", place, said)
    said = re.sub(rf"{notebook}(: WARNING: image file not readable: )(\S+)", picture, said)
    return re.sub(f"{notebook}:", rf"{paths.NOTEBOOKS}/\1:", said)


def faults(said: str) -> str:
    """Return what Sphinx found, without what Jupyter Book says around it, and without colours."""
    plain = _COLOURS.sub("", said)
    lines = [line for line in plain.splitlines() if line.strip() and not _AROUND.match(line)]
    return at_the_authors("\n".join(lines) or plain)


def at_the_cells(complaint: str) -> str:
    """Return a complaint about a chapter's page with the cell that has the address in it."""
    found = re.fullmatch(r"notebooks/([^/]+)\.html: ((?:loads )?(\S+).*)", complaint)
    if found is None or not (where := _cell_of(found[1], found[3])):
        return complaint
    return f"{paths.NOTEBOOKS / found[1]}.ipynb{where}: {found[2]}"


def sphinx(output: Path, *options: str) -> None:
    """Run Sphinx over the stage, warnings as errors, into an empty folder.

    Raises
    ------
    RenderFailed
        If Sphinx warns or fails.
    OSError
        If the disk is full.
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
        encoding="utf-8",
        errors="replace",
        # The extensions of this library, wherever the environment was made.
        env=os.environ | {"PYTHONPATH": str(Path(__file__).parents[2]), "PYTHONUTF8": "1"},
        # It keeps the lock of `only_build`, should this process be killed before it.
        close_fds=False,
        check=False,
    )
    if done.returncode or not any((output / "_build").glob("*/index.html")):
        for number in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG):
            if os.strerror(number) in done.stdout:
                raise OSError(number, os.strerror(number), str(output))
        raise RenderFailed(f"rendering failed ({done.returncode}):\n{faults(done.stdout)}")


def seal(html: Path, name: str) -> str:
    """Return the name of what a folder of pages was made from, and of its files and their sizes."""
    files = sorted(path for path in html.rglob("*") if path.is_file() and path != html / SEAL)
    return digest(
        [name.encode(), *(f"{p.relative_to(html)} {p.stat().st_size}".encode() for p in files)]
    )


def stands(name: str) -> bool:
    """Return whether the pages lie there whole, made from what the name stands for."""
    made_from = paths.HTML / SEAL
    return made_from.exists() and made_from.read_text(encoding="utf-8") == seal(paths.HTML, name)


def put_in_place(fresh: Path) -> None:
    """Let a folder of pages take the place of the former one, which stays whole until then."""
    if paths.HTML.exists():
        paths.HTML.rename(former())
    fresh.rename(paths.HTML)
    shutil.rmtree(former(), ignore_errors=True)


def former() -> Path:
    """Return where the former pages lie while the new ones take their place."""
    return paths.HTML.with_name("html.former")


def clean_up() -> None:
    """Finish or undo what `put_in_place` was at when it was killed."""
    if former().exists() and not paths.HTML.exists():
        former().rename(paths.HTML)
    shutil.rmtree(former(), ignore_errors=True)


def render(runs: Mapping[str, Any]) -> bool:
    """Render the book to HTML; return False if it stands already as it would be made.

    Raises
    ------
    RenderFailed
        If Sphinx warns or fails, the public address is none, a page is not sound, or a sentence
        refers to nothing. The former pages stay.
    OSError
        If a file cannot be written.
    """
    clean_up()
    book = edition()
    try:
        address = public_address()
        name = stage(runs, address) + digest([repr(book).encode()])
    except ValueError as error:
        raise RenderFailed(str(error)) from error
    if stands(name):
        return False
    scratch = paths.BUILD / "render"
    begin = time.perf_counter()
    sphinx(scratch)
    fresh = scratch / "_build" / "html"
    for chapter, run in runs.items():
        page = fresh / "notebooks" / f"{chapter}.html"
        try:
            offered = lite.offer(page.read_text(encoding="utf-8"), chapter, run)
        except ValueError as error:
            raise RenderFailed(str(error)) from error
        write_whole(page, offered)
    finish(fresh, time.perf_counter() - begin, book, address)
    if found := site.complaints(fresh):
        lines = map(at_the_cells, found)
        raise RenderFailed("the rendered pages are not sound:\n" + "\n".join(lines))
    write_whole(fresh / SEAL, seal(fresh, name))
    put_in_place(fresh)
    return True
