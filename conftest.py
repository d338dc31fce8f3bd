"""Where torch is not to be had, what needs it is left out: tests, modules, notebooks."""

import importlib.util
import json
from pathlib import Path

import pytest

ROOT = Path(__file__).parent
collect_ignore: list[str] = []


def needing_torch() -> list[str]:
    """Return the files of Python and the notebooks that import torch, by way of others too."""
    from descent.publish.authored import code_cells
    from descent.publish.fingerprint import files_of, imported_names

    imports = {
        path: set(imported_names(path.read_text("utf-8")))
        for folder in ("src", "tests")
        for path in (ROOT / folder).rglob("*.py")
    }
    for path in (ROOT / "notebooks").glob("*.ipynb"):
        cells = json.loads(path.read_text("utf-8"))["cells"]
        whole = [cell | {"source": "".join(cell["source"])} for cell in cells]
        imports[path] = {n for code in code_cells({"cells": whole}) for n in imported_names(code)}
    needing = {path for path, names in imports.items() if "torch" in names}
    while True:
        more = {
            path
            for path, names in imports.items()
            if path not in needing
            and any(file in needing for name in names for file in files_of(name, ROOT / "src"))
        }
        if not more:
            return sorted(map(str, needing))
        needing |= more


if importlib.util.find_spec("torch") is None:
    collect_ignore = needing_torch()


def pytest_configure(config: pytest.Config) -> None:
    """Leave out also what is named: pytest ignores no file that a command names."""
    left_out = set(collect_ignore)
    config.args[:] = [
        name for name in config.args if str(Path(name.partition("::")[0]).resolve()) not in left_out
    ]


def pytest_report_header() -> str | None:
    """Say what is left out."""
    count = len(collect_ignore)
    return f"torch is not installed: {count} files that need it are left out" if count else None
