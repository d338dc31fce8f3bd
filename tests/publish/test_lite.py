"""Chapters in the reader's browser: which can run there, what they get, and that it is enough.

No Pyodide is at hand here. Its limits are put upon a CPython: see as_in_a_browser.py.
"""

import io
import json
import re
import subprocess
import sys
import zipfile
from pathlib import Path

import nbformat
import pytest

from descent.publish import lite, paths
from descent.publish.authored import REMOVED
from descent.publish.execute import execute

CHAPTER = "03-joint-distributions"
STORED = {path.stem: nbformat.read(path, as_version=4) for path in paths.notebooks()}


def notebook(*sources):
    return nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(s) for s in sources])


def unpacked(folder, *chapters):
    with zipfile.ZipFile(io.BytesIO(lite.archive(chapters))) as packed:
        packed.extractall(folder)
    return folder


def outputs(checkout, chapter):
    """Return the outputs of every cell of a chapter, run under the limits of a browser."""
    runner = Path(__file__).with_name("as_in_a_browser.py")
    needed = [lite.PACKAGES[name].name for name in lite.packages(STORED[CHAPTER])]
    command = [sys.executable, "-W", "error", str(runner), str(checkout), chapter, *needed]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def test_chapters_of_numpy_scipy_and_matplotlib_run_in_a_browser():
    runs = [int(stem[:2]) for stem, stored in STORED.items() if lite.runs_in_browser(stored)]
    assert runs == [1, 2, 3, 4, 5, 6]


@pytest.mark.parametrize(
    "code",
    [
        "import torch",
        "from sklearn import datasets",
        "import subprocess",
        "from concurrent.futures import ThreadPoolExecutor",
        "from descent.networks import models",  # which imports torch
    ],
)
def test_other_imports_keep_a_chapter_out_of_the_browser(code):
    assert lite.runs_in_browser(notebook("import numpy"))
    assert not lite.runs_in_browser(notebook("import numpy", code))


def test_archive_is_a_small_checkout_and_always_the_same():
    packed = lite.archive([CHAPTER])
    assert packed == lite.archive([CHAPTER])
    names = set(zipfile.ZipFile(io.BytesIO(packed)).namelist())
    assert {f"notebooks/{CHAPTER}.ipynb", f"book/claims/{CHAPTER}.yml"} <= names
    assert f"book/exercises/{CHAPTER}.yml" in names
    assert f"src/descent/chapters/{CHAPTER[3:].replace('-', '_')}/exercises.py" in names
    assert {"src/descent/publish/cells.py", "src/descent/figures/descent.mplstyle"} <= names
    assert "src/descent/models.py" not in names


def test_archive_has_the_stored_tables_of_its_chapters():
    packed = lite.archive(["06-thermostats-and-lorenz"])
    names = set(zipfile.ZipFile(io.BytesIO(packed)).namelist())
    assert {"book/sweeps/06-layers.jsonl", "book/sweeps/06-policies.jsonl"} <= names
    assert not any(name.startswith("book/sweeps/07") for name in names)


def test_a_chapter_gives_the_same_under_the_limits_of_a_browser(tmp_path):
    cells = outputs(unpacked(tmp_path, CHAPTER), CHAPTER)
    kinds = {output["kind"] for outputs in cells for output in outputs}
    assert kinds == {"html", "text", "prose", "explorer"}
    run = execute(paths.NOTEBOOKS / f"{CHAPTER}.ipynb")
    codes = [cell for cell in run.cells if cell.cell_type == "code"]
    # The page has no cell that installs the library on Colab; the next one does what it does.
    codes = [cell for cell in codes if REMOVED not in cell.metadata.get("tags", [])]
    for shown, cell in zip(cells, codes, strict=True):
        for output, stored in zip(shown, cell.outputs, strict=True):
            data = stored.get("data", {"text/plain": stored.get("text")})
            if output["kind"] == "html":  # a card brings its style along
                assert output["content"].endswith(data["text/html"])
            elif output["kind"] == "prose":
                assert output["content"] == data["text/markdown"]
            elif output["kind"] == "text":
                assert output["content"] == data["text/plain"]


def test_limits_of_a_browser_are_felt_and_reported(tmp_path):
    unpacked(tmp_path, CHAPTER)
    planted = [
        "import torch",
        "import threading; threading.Thread(target=print).start()",
        "import subprocess; subprocess.run(['true'])",
        "import os; os.fork()",
        "import socket; socket.create_connection(('127.0.0.1', 9))",
        "print('printed'); 1 / 0",
        "from descent import claims; claims.check('dumb-future', 0.5)",
        "6 * 7",
    ]
    nbformat.write(notebook(*planted), tmp_path / "notebooks" / "planted.ipynb")
    *refused, printed, missed, product = outputs(tmp_path, "planted")
    whys = ["No module named 'torch'"] + ["not in a browser"] * 4
    for (output,), why in zip(refused, whys, strict=True):
        assert output["kind"] == "error"
        assert why in output["content"]
    assert printed[0] == {"kind": "text", "content": "printed\n"}
    assert "ZeroDivisionError" in printed[1]["content"]
    assert "\x1b" not in printed[1]["content"], "colour codes of a terminal"
    assert "ClaimMismatch" in missed[0]["content"]
    assert product == [{"kind": "text", "content": "42"}]


PAGE = (
    '<section><h1>Title<a class="headerlink" href="#title">#</a></h1>'
    '<div class="cell docutils container"></div><div class="cell tag_hide-input"></div></section>'
)


def test_offer_stands_below_the_title_where_the_chapter_can_run():
    offered = lite.offer(PAGE, "01-chapter", notebook("import numpy", "import scipy"))
    assert re.search(r'</h1>\s*<div class="descent-lite">', offered)
    assert 'data-packages="ipython numpy scipy"' in offered
    assert lite.offer(PAGE, "01-chapter", notebook("import torch", "1")) == PAGE


def test_offer_refuses_a_page_that_its_script_would_not_understand():
    with pytest.raises(ValueError, match="01-chapter has 2 cells, its notebook 1"):
        lite.offer(PAGE, "01-chapter", notebook("1"))
    with pytest.raises(ValueError, match="01-chapter has no title"):
        lite.offer(PAGE.replace("h1", "h2"), "01-chapter", notebook("1", "2"))


def test_readme_says_how_much_is_loaded_and_where():
    sizes = sorted(lite.megabytes(needed) for s in STORED.values() if (needed := lite.packages(s)))
    said = f"{sizes[0]} to {sizes[-1]} MB" if sizes[0] < sizes[-1] else f"about {sizes[0]} MB"
    assert said in (paths.ROOT / "README.md").read_text()
