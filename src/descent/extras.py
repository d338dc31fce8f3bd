"""The packages that only parts of the library need, and the word about one that is missing."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec
from types import ModuleType

DISTRIBUTION = "descent-book"
EXTRA_OF = {
    "IPython": "figures",
    "PIL": "figures",
    "anywidget": "figures",
    "bs4": "book",
    "cma": "peers",
    "cmaes": "peers",
    "distributed": "sweeps",
    "docutils": "book",
    "filelock": "sweeps",
    "hydra": "networks,commands",
    "jinja2": "book",
    "joblib": "sweeps",
    "jupyter_client": "book",
    "llvmlite": "speed",
    "markdown_it": "book",
    "matplotlib": "figures",
    "mdit_py_plugins": "book",
    "nbclient": "book",
    "nbformat": "book",
    "nevergrad": "peers",
    "omegaconf": "networks,commands",
    "pandas": "sweeps",
    "playwright": "book",
    "pypdf": "book",
    "sklearn": "data",
    "sphinx": "book",
    "threadpoolctl": "sweeps",
    "torch": "networks",
    "tinycss2": "book",
    "tqdm": "sweeps",
    "traitlets": "figures",
    "yaml": "figures",
}
"""By the name of an import: the extra that brings it."""
# The rooms that are run as a whole ask for all that they need at once.
EXTRA_OF_ROOM = {
    "commands": "networks,commands",
    "publish": "book,chapters,networks",
    "sweeps": "sweeps",
}


def needed(part: str, package: str) -> str:
    """Return the word about a package that a module of the library imports and that is missing.

    Parameters
    ----------
    part : str
        The module's dotted name.
    package : str
        Name of the import, one of `EXTRA_OF`.

    Examples
    --------
    >>> needed("descent.claims", "yaml")
    "descent.claims needs yaml, which is not installed: pip install 'descent-book[figures]'"
    """
    extra = EXTRA_OF_ROOM.get((part + ".").split(".")[1], EXTRA_OF[package])
    install = f"pip install '{DISTRIBUTION}[{extra}]'"
    return f"{part} needs {package}, which is not installed: {install}"


def _callers() -> Iterator[str]:
    """Yield the names of the modules that are at work, from the innermost outwards."""
    frame = sys._getframe().f_back
    while frame is not None:
        if (name := frame.f_globals.get("__name__", "")) != __name__:
            yield name
        frame = frame.f_back


class _Missing(MetaPathFinder):
    """Stands behind all other finders: what comes to it is not installed."""

    def find_spec(
        self, name: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        """Raise an error that names the extra if it is the library that imports."""
        if name in EXTRA_OF:
            # Whoever only asks whether a package is there comes by importlib.util.
            part = next(who for who in _callers() if not who.startswith("importlib._"))
            if part.partition(".")[0] == "descent":
                raise ModuleNotFoundError(needed(part, name), name=name)
        return None


def name_what_is_missing() -> None:
    """Let an import of a missing package, from within the library, say what to install."""
    if not any(isinstance(finder, _Missing) for finder in sys.meta_path):
        sys.meta_path.append(_Missing())
