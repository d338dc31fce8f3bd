"""The house: which room may import which, and that every door opens by itself."""

import ast
import pkgutil
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest
import yaml

import descent
from descent.publish import paths
from descent.publish.fingerprint import imported_names

PACKAGE = paths.ROOT / "src" / "descent"

FLOORS = (
    # checks and what every room needs
    {"arguments", "extras"},
    {"adam", "book_folder", "compiled", "estimates", "files", "prose", "tensor_arguments"},
    # what the methods act on
    {"dynamics", "kept", "landscapes", "perlin"},
    {"systems"},
    # the methods
    {
        "aggregation",
        "causal",
        "fokker_planck",
        "influence",
        "information",
        "large_deviations",
        "lyapunov",
        "minimum_action",
        "rare_events",
        "search_distributions",
    },
    {"markov", "networks", "smoothing", "zeroth_order"},
    # what a page shows
    {"figures", "sweeps"},
    {"claims", "exercises", "explorer"},
    # what a reader meets
    {"chapters", "commands"},
    {"publish"},
)
"""From the ground up. A room imports rooms of lower floors, and nothing of its own floor."""

WITH_TORCH = {"aggregation", "chapters", "commands", "networks", "tensor_arguments", "zeroth_order"}
WITH_PICTURES = {"chapters", "claims", "commands", "explorer", "figures", "publish"}
PICTURES = {"IPython", "PIL", "anywidget", "matplotlib"}
AT_THE_TOP = 18
LONGEST = 400

FLOOR_OF = {room: level for level, rooms in enumerate(FLOORS) for room in rooms}
FILES = sorted(PACKAGE.rglob("*.py"))


def room_of(path):
    return path.relative_to(PACKAGE).parts[0].removesuffix(".py")


def complaints(path, code):
    """Return what is wrong with the imports of a file of the package."""
    room, found = room_of(path), set()
    for name in imported_names(code):
        package, _, rest = name.partition(".")
        target = rest.partition(".")[0]
        if package == "descent" and target in FLOOR_OF and target != room:
            if FLOOR_OF[target] >= FLOOR_OF[room]:
                found.add(f"{room} imports {target}, which is not below it")
        elif package == "torch" and room not in WITH_TORCH:
            found.add(f"{room} imports torch, and has no network")
        elif package in PICTURES and room not in WITH_PICTURES:
            found.add(f"{room} imports {package}, and draws nothing")
    return sorted(found)


def test_every_room_has_its_floor():
    rooms = {room_of(path) for path in FILES} - {"__init__"}
    assert rooms == set(FLOOR_OF), "name the new room in FLOORS, above all that it imports"


def test_imports_run_downwards_only():
    wrong = {
        str(path.relative_to(PACKAGE)): found
        for path in FILES
        if room_of(path) != "__init__" and (found := complaints(path, path.read_text()))
    }
    assert wrong == {}


@pytest.mark.parametrize(
    ("room", "code"),
    [
        ("landscapes/x.py", "from descent.markov import laws"),
        ("fokker_planck/deep/x.py", "from descent import markov"),
        ("influence/x.py", "import descent.lyapunov"),
        ("markov/x.py", "def late():\n    import torch"),
        ("markov/x.py", "from matplotlib.figure import Figure"),
        ("sweeps/x.py", "from descent.publish import paths"),
    ],
)
def test_an_arrow_that_runs_up_is_noticed(room, code):
    assert complaints(PACKAGE / room, code)


def test_an_arrow_that_runs_down_is_none():
    assert complaints(PACKAGE / "markov" / "x.py", "from descent import fokker_planck") == []


def test_a_chapter_imports_earlier_chapters_only():
    order = [
        entry["file"].partition("-")[2].replace("-", "_")
        for entry in yaml.safe_load((paths.BOOK / "chapters.yml").read_text())
    ]
    folders = {path.parent.name for path in (PACKAGE / "chapters").glob("*/__init__.py")}
    assert folders == set(order)
    for chapter in order:
        for path in (PACKAGE / "chapters" / chapter).rglob("*.py"):
            for name in imported_names(path.read_text()):
                if name.startswith("descent.chapters."):
                    other = name.split(".")[2]
                    assert order.index(other) <= order.index(chapter), f"{path} imports {name}"


def test_faces_are_thin():
    for path in PACKAGE.rglob("__init__.py"):
        made = [
            node.name
            for node in ast.parse(path.read_text()).body
            if isinstance(node, ast.FunctionDef | ast.ClassDef)
        ]
        assert made == [], f"{path} is a face: put {made} into a module beside it"


def test_few_modules_stand_at_the_top():
    assert len([path for path in PACKAGE.glob("*.py") if path.stem != "__init__"]) <= AT_THE_TOP


def test_no_module_is_long():
    long = {str(p): n for p in FILES if (n := len(p.read_text().splitlines())) > LONGEST}
    assert long == {}


ALONE = """
import importlib, os, sys
# What others made is loaded once; each module of the package is then imported in a process of
# its own, in which no other module has opened a door for it.
for name in {outside!r}:
    importlib.import_module(name)
for name in {modules!r}:
    child = os.fork()
    if child == 0:
        try:
            importlib.import_module(name)
        except BaseException as error:
            print(f"{{name}}: {{type(error).__name__}}: {{error}}", flush=True)
            os._exit(1)
        os._exit(0)
    os.waitpid(child, 0)
"""


def imported_alone(modules, outside=(), source=None):
    """Return the complaints of modules that are imported each in a process of its own."""
    code = ALONE.format(modules=list(modules), outside=list(outside))
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", code],
        capture_output=True,
        text=True,
        cwd=source or paths.ROOT,
        check=True,
    )
    return done.stdout.splitlines()


def test_every_module_is_imported_alone():
    modules = [found.name for found in pkgutil.walk_packages(descent.__path__, "descent.")]
    runs = {name for name in modules if name.endswith("__main__")}
    assert len(modules) > 150
    outside = ("numpy", "scipy.stats", "scipy.optimize", "torch", "matplotlib.figure", "pandas")
    assert imported_alone([name for name in modules if name not in runs], outside) == []


def test_a_circle_is_noticed(tmp_path: Path):
    circle = {
        "upper/__init__.py": "from lower import thing",
        "upper/inner.py": "value = 1",
        "lower.py": "from upper.inner import value\nthing = value",
    }
    for name, code in circle.items():
        place = tmp_path / name
        place.parent.mkdir(exist_ok=True)
        place.write_text(textwrap.dedent(code))
    found = imported_alone(["upper", "lower"], source=tmp_path)
    assert len(found) == 1
    assert found[0].startswith("lower: ImportError")
