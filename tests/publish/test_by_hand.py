"""Jupyter Book called by hand over the book's sources makes the book, or says where to call it."""

import os
import shutil
import subprocess
import sys

import pytest

from descent.publish import paths

# The press itself has its own tests: here it is called, and its exit status handed on.
CALL = """
import sys
from pathlib import Path
from jupyter_book.cli.main import main
from descent.publish import __main__ as press
from descent.publish import paths
before, root = paths.ROOT, Path(sys.argv[1])
for name in ("ROOT", "BOOK", "NOTEBOOKS", "BUILD", "EXECUTED", "KERNELS", "STAGE", "HTML"):
    setattr(paths, name, root / getattr(paths, name).relative_to(before))
press.main = lambda: print("THE PRESS") or 7
main(["build", *sys.argv[2:]])
"""


@pytest.fixture
def checkout(tmp_path):
    """The book's configuration, in a folder that is reached by a link as well."""
    root = tmp_path / "a book"
    (root / "book").mkdir(parents=True)
    for name in ("_config.yml", "_toc.yml"):
        shutil.copyfile(paths.BOOK / name, root / "book" / name)
    return root


def called(root, folder, *arguments):
    """Call Jupyter Book in a folder of a checkout."""
    return subprocess.run(
        [sys.executable, "-c", CALL, str(root), *arguments],
        cwd=root / folder,
        env=os.environ | {"PYTHONPATH": str(paths.ROOT / "src")},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )


def test_it_makes_the_book_and_says_where_the_executed_notebooks_lie(checkout, tmp_path):
    link = tmp_path / "link"
    link.symlink_to(checkout)
    done = called(link, "book", ".")
    assert done.returncode == 7, done.stdout
    assert done.stdout.rstrip().endswith("THE PRESS")
    assert f"executed notebooks lie in {link / 'book' / '_build' / 'executed'}" in done.stdout


@pytest.mark.parametrize(
    "arguments",
    [
        ["book", "--builder", "singlehtml"],
        [".", "--config", "book/_config.yml", "--toc", "book/_toc.yml"],
    ],
)
def test_what_the_press_does_not_make_is_refused_with_what_to_call(checkout, arguments):
    done = called(checkout, ".", *arguments)
    assert done.returncode not in (0, 7), done.stdout
    assert "THE PRESS" not in done.stdout
    said = " ".join(done.stdout.split())
    assert f"call `jupyter-book build {checkout / 'book'}`" in said
    assert f"executed notebooks in {checkout / 'book' / '_build' / 'stage'}" in said


def test_over_other_folders_jupyter_book_does_its_own_work(checkout):
    stage = checkout / "book" / "_build" / "stage"
    shutil.copytree(checkout / "book", stage, ignore=shutil.ignore_patterns("_build"))
    done = called(checkout, ".", str(stage))
    assert "THE PRESS" not in done.stdout
    assert done.returncode == 1, "the stage of this test has no pages"
    assert "root document" in done.stdout or "intro" in done.stdout, done.stdout
