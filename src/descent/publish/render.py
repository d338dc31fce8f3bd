"""Render the executed notebooks and the pages to HTML.

The book is staged in a folder of its own and rendered there; the result takes
its place only when it is whole.
"""

from __future__ import annotations

import errno
import importlib.util
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

from descent.files import write_whole
from descent.publish import bundled, lite, pages, paths
from descent.publish.fingerprint import digest
from descent.publish.finish import finish, public_address

# What a page needs of MathJax: one script and its fonts.
MATHJAX = ("tex-mml-chtml.js", "output/chtml/fonts/woff-v2")


# Beside the pages: what they were made from.
SEAL = ".made-from"


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


def stage(runs: Mapping[str, Any], address: str | None) -> str:
    """Lay out all that Sphinx reads, and return the name of its content."""
    shutil.rmtree(paths.STAGE, ignore_errors=True)
    ignore = shutil.ignore_patterns("_build", "claims", "sweeps", ".*")
    shutil.copytree(paths.BOOK, paths.STAGE / "book", ignore=ignore)
    _mathjax(paths.STAGE / "book" / "_static" / "mathjax")
    bundled.write_licences(paths.STAGE / "book" / "_static" / "licences")
    shutil.copyfile(
        paths.ROOT / "LICENSE", paths.STAGE / "book" / "_static" / "licences" / "descent.txt"
    )
    # Each chapter links its own modules, beside which a notebook lies in a checkout.
    code = paths.ROOT / "src" / "descent" / "chapters"
    links = shutil.ignore_patterns("__pycache__")
    shutil.copytree(code, paths.STAGE / code.relative_to(paths.ROOT), ignore=links)
    style = Path(pages.__file__).parents[1] / "claims.css"
    shutil.copyfile(style, paths.STAGE / "book" / "_static" / "claims.css")
    for chapter, run in runs.items():
        write_whole(paths.STAGE / "notebooks" / f"{chapter}.ipynb", nbformat.writes(run))
    content = pages.generated(runs, paths.BOOK / "chapters.yml")
    for page in (paths.STAGE / "book").glob("*.md"):
        filled = pages.render(page.read_text(encoding="utf-8"), content)
        write_whole(page, filled)
    write_whole(paths.STAGE / "book" / "_static" / "claims.csv", pages.claims_csv(runs))
    lite.write(runs, paths.STAGE / "book" / "_static")
    config = paths.STAGE / "book" / "_config.yml"
    text = config.read_text(encoding="utf-8")
    write_whole(config, configuration(text, public_repository(), address))
    files = sorted(path for path in paths.STAGE.rglob("*") if path.is_file())
    lock = (paths.ROOT / "requirements.lock").read_bytes()
    programs = [path.read_bytes() for path in sorted(Path(__file__).parent.glob("*.py"))]
    return digest(
        part
        for path in files
        for part in (path.relative_to(paths.STAGE).as_posix().encode(), path.read_bytes())
    ) + digest([lock, sys.version.encode(), *programs])


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
        env=os.environ | {"PYTHONUTF8": "1"},
        # It keeps the lock of `only_build`, should this process be killed before it.
        close_fds=False,
        check=False,
    )
    if done.returncode or not any((output / "_build").glob("*/index.html")):
        for number in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG):
            if os.strerror(number) in done.stdout:
                raise OSError(number, os.strerror(number), str(output))
        raise RenderFailed(f"rendering failed ({done.returncode}):\n{done.stdout}")


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
        If Sphinx warns or fails, or the public address is none.
    OSError
        If a file cannot be written.
    """
    try:
        address = public_address()
    except ValueError as error:
        raise RenderFailed(str(error)) from error
    clean_up()
    name = stage(runs, address)
    if stands(name):
        return False
    scratch = paths.BUILD / "render"
    begin = time.perf_counter()
    sphinx(scratch)
    fresh = scratch / "_build" / "html"
    for chapter, run in runs.items():
        page = fresh / "notebooks" / f"{chapter}.html"
        write_whole(page, lite.offer(page.read_text(encoding="utf-8"), chapter, run))
    finish(fresh, time.perf_counter() - begin, address)
    write_whole(fresh / SEAL, seal(fresh, name))
    put_in_place(fresh)
    return True
