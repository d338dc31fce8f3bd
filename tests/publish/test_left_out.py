"""A chapter whose package is not to be had stands without results, and the others run."""

import importlib.util
from types import SimpleNamespace

import nbformat
import pytest

from descent.publish import execute, left_out, paths


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
