"""What is missing is named with the line that installs it; what is installed needs no checkout."""

import importlib.util
import os
import re
import shutil
import subprocess
import sys
import tomllib
import zipfile

import nbformat
import pytest
from packaging.requirements import Requirement

import descent
from descent import book_folder, claims, extras, sweeps
from descent.publish import lite, paths
from descent.publish.fingerprint import imported_names

PROJECT = tomllib.loads((paths.ROOT / "pyproject.toml").read_text())["project"]
OF_IMPORT = {"PIL": "pillow", "bs4": "beautifulsoup4", "sklearn": "scikit-learn", "yaml": "pyyaml"}
OF_IMPORT |= {"hydra": "hydra-core", "jupyter_client": "jupyter-client"}
OF_IMPORT |= {"markdown_it": "markdown-it-py", "mdit_py_plugins": "mdit-py-plugins"}


def brought_by(extra):
    """Return the distributions that an extra asks for, by way of other extras too."""
    found = set()
    for text in PROJECT["optional-dependencies"][extra]:
        need = Requirement(text)
        if need.name == extras.DISTRIBUTION:
            found |= {name for other in need.extras for name in brought_by(other)}
        else:
            found.add(need.name.lower())
    return found


def test_every_import_is_brought_by_the_extra_that_is_named():
    for package, names in extras.EXTRA_OF.items():
        brought = {found for name in names.split(",") for found in brought_by(name)}
        assert OF_IMPORT.get(package, package).lower() in brought, package
    for names in extras.EXTRA_OF_ROOM.values():
        assert all(brought_by(name) for name in names.split(","))


def test_a_plain_install_brings_what_the_commands_of_source_001_need():
    """Its readers type `pip install -e .` and then the commands."""
    plain = PROJECT["dependencies"]
    for extra in extras.EXTRA_OF_ROOM["commands"].split(","):
        assert set(PROJECT["optional-dependencies"][extra]) <= set(plain)
    assert len({Requirement(text).name for text in plain}) == len(plain)


def test_every_import_of_the_library_has_an_extra():
    # The library itself and what it always needs, and what IPython brings.
    plain = {"descent", "numpy", "scipy", "traitlets"} | sys.stdlib_module_names
    for path in (paths.ROOT / "src").rglob("*.py"):
        tops = {name.partition(".")[0] for name in imported_names(path.read_text("utf-8"))}
        assert tops - plain <= extras.EXTRA_OF.keys(), path


# Every finder is asked before the last one, which is the library's: hide a package from them.
HIDDEN = """
import sys
class Hiding:
    def __init__(self, finder):
        self.finder = finder
    def __getattr__(self, name):
        return getattr(self.finder, name)
    def find_spec(self, name, path=None, target=None):
        hidden = name.partition(".")[0] in {hidden!r}
        return None if hidden else self.finder.find_spec(name, path, target)
sys.meta_path[:] = map(Hiding, sys.meta_path)
try:
    {code}
except ModuleNotFoundError as error:
    print(error)
"""


def said(code, *hidden):
    command = [sys.executable, "-c", HIDDEN.format(hidden=hidden, code=code)]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()


@pytest.mark.parametrize(
    ("code", "hidden", "extra"),
    [
        ("from descent import claims", "yaml", "figures"),
        ("from descent import figures", "matplotlib", "figures"),
        ("from descent.networks import models", "torch", "networks"),
        ("from descent import zeroth_order", "torch", "networks"),
        ("import descent.publish.__main__ as p; p.build()", "nbclient", "book,chapters,networks"),
        ("from descent.sweeps import compute", "filelock", "sweeps"),
        ("from descent import sweeps; sweeps.load('08-rivals')", "pandas", "sweeps"),
        ("from descent.networks import image_patches", "sklearn", "data"),
        ("from descent.commands import train", "hydra", "networks,commands"),
    ],
)
def test_a_missing_package_is_named_with_the_line_that_installs_it(code, hidden, extra):
    words = rf"descent[.\w]* needs {hidden}, which is not installed: "
    assert re.fullmatch(
        words + re.escape(f"pip install 'descent-book[{extra}]'"), said(code, hidden)
    )


def test_imports_of_others_and_mere_questions_get_pythons_own_answer():
    assert said("import descent, yaml", "yaml") == "No module named 'yaml'"
    question = "import descent, importlib.util; print(importlib.util.find_spec('yaml'))"
    assert said(question, "yaml") == "None"
    assert importlib.util.find_spec("descent_of_man") is None


def test_the_version_is_a_single_one():
    assert PROJECT["dynamic"] == ["version"]
    assert re.fullmatch(r"\d+\.\d+\.\d+", descent.__version__)
    citation = (paths.ROOT / "CITATION.cff").read_text()
    assert f"\nversion: {descent.__version__}\n" in citation


def test_claims_and_tables_are_the_checkouts_else_those_installed(tmp_path, monkeypatch):
    assert claims.register_path() == paths.BOOK / "claims"
    assert sweeps.table.folder() == paths.BOOK / "sweeps"
    for name in ("claims", "sweeps"):
        (tmp_path / name).mkdir()
    monkeypatch.setattr(book_folder, "CHECKOUT", tmp_path / "nowhere")
    monkeypatch.setattr(book_folder, "INSTALLED", tmp_path)
    assert claims.register_path() == tmp_path / "claims"
    assert sweeps.table.folder() == tmp_path / "sweeps"
    monkeypatch.setattr(book_folder, "INSTALLED", tmp_path / "nowhere")
    with pytest.raises(FileNotFoundError, match="DESCENT_CLAIMS"):
        claims.load()


def test_installed_tables_are_not_written(tmp_path, monkeypatch, capsys):
    from descent.sweeps import __main__ as command

    monkeypatch.setattr(command, "INSTALLED", tmp_path)
    monkeypatch.setenv("DESCENT_SWEEPS", str(tmp_path / "sweeps"))
    with pytest.raises(SystemExit):
        command.main(["--only", "13-op"])
    assert "name a folder of your own in DESCENT_SWEEPS" in capsys.readouterr().err


def test_a_notebook_asks_on_colab_for_what_it_imports():
    for path in paths.notebooks():
        notebook = nbformat.read(path, as_version=4)
        cell = next(cell for cell in notebook.cells if cell.cell_type == "code")
        assert cell.metadata.tags == ["remove-cell"], path
        (asked,) = re.findall(r'"descent-book\[([\w,]+)\]"', cell.source)
        assert cell.source.splitlines()[-2:] == [
            'if "google.colab" in sys.modules:',
            f'    %pip install --quiet "descent-book[{asked}]"',
        ]
        foreign = lite.imported(notebook) & extras.EXTRA_OF.keys()
        brought = {found for name in asked.split(",") for found in brought_by(name)}
        needed = {OF_IMPORT.get(name, name).lower() for name in foreign}
        assert needed <= brought, path


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    """Built as CONTRIBUTING says, from a copy, since setuptools leaves its folders behind."""
    (line,) = re.findall(
        r"`(\.venv/bin/python -m pip wheel [^`]+)`", (paths.ROOT / "CONTRIBUTING.md").read_text()
    )
    copy = tmp_path_factory.mktemp("wheel") / "copy"
    ignore = shutil.ignore_patterns(".*", "_build", "__pycache__", "*.egg-info", "tests")
    shutil.copytree(paths.ROOT, copy, ignore=ignore)
    former = copy / "build" / "lib" / "descent" / "removed_since.py"
    former.parent.mkdir(parents=True)
    former.touch()
    command = [sys.executable, *line.split()[1:], "--quiet"]
    subprocess.run(command, check=True, capture_output=True, cwd=copy)
    (made,) = copy.glob("descent_book-*.whl")
    return made


@pytest.mark.slow
def test_a_wheel_holds_all_that_the_chapters_read(wheel):
    held = set(zipfile.ZipFile(wheel).namelist())
    for folder in ("claims", "exercises", "sweeps"):
        for path in (paths.BOOK / folder).iterdir():
            assert f"descent/_book/{folder}/{path.name}" in held
    for path in (paths.ROOT / "src").rglob("*.*"):
        if path.is_file() and "__pycache__" not in path.parts and ".egg-info" not in str(path):
            assert path.relative_to(paths.ROOT / "src").as_posix() in held, path
    assert "descent/removed_since.py" not in held, "what a former build left"


# It asks where the library, the claims and the tables come from, behind all cells.
ASK = """
import descent
from descent import claims, sweeps

print(descent.__file__, claims.register_path(), sweeps.table.folder(), sep="\\n")
"""


@pytest.mark.slow
def test_a_notebook_alone_runs_beside_the_wheel(wheel, tmp_path):
    """In an empty folder, by a kernel that knows no checkout: one with claims and tables."""
    installed, empty = tmp_path / "installed", tmp_path / "empty"
    empty.mkdir()
    command = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--no-index"]
    subprocess.run([*command, "--target", str(installed), str(wheel)], check=True)
    notebook = nbformat.read(paths.NOTEBOOKS / "12-knowledge-localization.ipynb", as_version=4)
    notebook.cells.append(nbformat.v4.new_code_cell(ASK))
    nbformat.write(notebook, empty / "chapter.ipynb")
    command = [sys.executable, "-m", "nbconvert", "--to", "notebook", "--execute", "--inplace"]
    clean = {k: v for k, v in os.environ.items() if not k.startswith(("DESCENT_", "PYTEST_"))}
    done = subprocess.run(
        [*command, "--ExecutePreprocessor.kernel_name=python3", "chapter.ipynb"],
        cwd=empty,
        env=clean | {"PYTHONPATH": str(installed), "IPYTHONDIR": str(tmp_path / "ipython")},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert [path.name for path in empty.iterdir()] == ["chapter.ipynb"]
    *cells, last = nbformat.read(empty / "chapter.ipynb", as_version=4).cells
    for place in last.outputs[0].text.split():
        assert place.startswith(str(installed)), place
    assert "descent-claim" in "".join(str(cell.get("outputs", "")) for cell in cells)
