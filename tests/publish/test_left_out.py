"""A chapter whose package is not to be had stands without results, and the others run."""

import importlib.util
import os
import subprocess
import sys
from types import SimpleNamespace

import nbformat
import pytest

from descent.publish import course, execute, left_out, numbering, paths

# What a driver says first to be a machine without torch: nothing finds it.
WITHOUT_TORCH = """
import sys

class Without:
    @staticmethod
    def find_spec(name, path=None, target=None):
        if name == "torch":
            raise ModuleNotFoundError("No module named 'torch'", name="torch")

import importlib.metadata, importlib.util
found, version = importlib.util.find_spec, importlib.metadata.version
def as_installed(name):
    if name == "torch":
        raise importlib.metadata.PackageNotFoundError(name)
    return version(name)
importlib.util.find_spec = lambda name, *a: None if name == "torch" else found(name, *a)
importlib.metadata.version = as_installed
sys.meta_path.insert(0, Without)
"""


def said_without_torch(program):
    """Return what a program prints on a machine without torch."""
    done = subprocess.run(
        [sys.executable, "-c", WITHOUT_TORCH + program],
        env=os.environ | {"PYTHONPATH": str(paths.ROOT / "src")},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.fixture
def checkout(tmp_path, monkeypatch):
    for name in ("ROOT", "NOTEBOOKS", "EXECUTED", "KERNELS"):
        monkeypatch.setattr(paths, name, tmp_path / name.lower())
    paths.NOTEBOOKS.mkdir()
    return tmp_path


def chapter(name, code):
    title = nbformat.v4.new_markdown_cell("# Title\n\nHalf is {eval}`half` of it.")
    cells = [title, nbformat.v4.new_code_cell(code)]
    path = paths.NOTEBOOKS / name
    nbformat.write(nbformat.v4.new_notebook(cells=cells), path)
    return path


def test_what_cannot_run_is_shown_with_a_note_and_the_rest_runs(checkout, monkeypatch, capfd):
    without = chapter("01-a.ipynb", "print('ran')")
    nbformat.write(nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell("6")]), without)
    network = chapter("02-b.ipynb", "import torch\nhalf = 'a half'")
    assert left_out.lacking(network) == []
    found = importlib.util.find_spec
    monkeypatch.setattr(
        importlib.util, "find_spec", lambda name: None if name == "torch" else found(name)
    )
    runs = execute.execute_all([without, network])
    assert runs["01-a"].cells[0].outputs
    first, code = runs["02-b"].cells
    assert first.source.startswith("# Title\n\n**Not run.** ")
    assert "PyTorch" in first.source
    assert "Half is … of it." in first.source
    assert code.outputs == []
    assert "left out, since torch is not installed: 02-b.ipynb" in capfd.readouterr().out


def test_the_note_stands_below_the_title_wherever_that_is(checkout):
    cells = [nbformat.v4.new_code_cell("import torch\n"), nbformat.v4.new_markdown_cell("T\n=")]
    path = paths.NOTEBOOKS / "03-c.ipynb"
    nbformat.write(nbformat.v4.new_notebook(cells=cells), path)
    code, title = left_out.unrun(path, ["torch"]).cells
    assert code.source == "import torch\n"
    assert title.source.startswith("# T\n\n**Not run.** ")


def test_files_that_need_it_are_left_out_though_a_command_names_them(monkeypatch):
    """As `make quick` does; pytest by itself ignores no file that is named."""
    place = paths.ROOT / "conftest.py"
    spec = importlib.util.spec_from_file_location("root_conftest", place)
    conftest = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(conftest)
    needing, other = paths.ROOT / "tests/test_adam.py", paths.ROOT / "tests/test_systems.py"
    assert str(needing) in conftest.needing_torch()
    conftest.collect_ignore = conftest.needing_torch()
    config = SimpleNamespace(args=[str(needing), f"{needing}::test_x", str(other), "-q"])
    conftest.pytest_configure(config)
    assert config.args == [str(other), "-q"]


def referring(cell_id):
    text = f"# T\n\n[The figure](02-b.ipynb#cell-id={cell_id}) shows it."
    return nbformat.v4.new_notebook(cells=[nbformat.v4.new_markdown_cell(text)])


def test_what_refers_to_a_chapter_that_was_not_run_keeps_its_words(checkout):
    network = nbformat.read(chapter("02-b.ipynb", "import torch"), as_version=4)
    cell = network.cells[1].id
    unrun = left_out.unrun(paths.NOTEBOOKS / "02-b.ipynb", ["torch"])
    assert left_out.is_unrun(unrun)
    assert not left_out.is_unrun(network)
    pages = {"01-a": referring(cell), "02-b": unrun}
    numbering.numbered(pages)
    assert pages["01-a"].cells[0].source == "# T\n\nThe figure shows it."
    with pytest.raises(ValueError, match="02-b has no figure"):  # one that was run must show it
        numbering.numbered({"01-a": referring(cell), "02-b": network})


def test_a_session_says_that_its_chapter_was_not_run(checkout):
    chapter("02-b.ipynb", "import torch")
    session = course.Session("02-b", (1, 1, 1, 1), (), ())
    run = nbformat.read(paths.NOTEBOOKS / "02-b.ipynb", as_version=4)
    assert "checks no claim" in course.details([session], {"02-b": run}, {})
    unrun = left_out.unrun(paths.NOTEBOOKS / "02-b.ipynb", ["torch"])
    assert "was not run" in course.details([session], {"02-b": unrun}, {})


def test_the_reference_and_the_status_are_written_without_torch():
    program = """
from descent.publish import pages, reference
assert "torch" not in sys.modules
print(reference.page("zeroth_order"))
print(reference.listing())
print(pages.versions())
"""
    said = said_without_torch(program)
    assert said.startswith("# descent.zeroth_order\n")
    assert "made without PyTorch, which this part needs" in said
    assert "- [`descent.networks`](api/networks.md): " in said
    assert "| torch | not installed |" in said
    with pytest.raises(AssertionError, match="PackageNotFoundError"):  # only torch may be absent
        said_without_torch("from descent.publish import pages; pages.version('torch')")
