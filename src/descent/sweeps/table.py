"""What a sweep is, and the tables in which its rows are stored."""

from __future__ import annotations

import importlib
import json
import pkgutil
import platform
import re
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from importlib import metadata
from itertools import product
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from descent.book_folder import book_folder
from descent.sweeps.comparison import Comparison, differences

if TYPE_CHECKING:
    import pandas

Scalar = bool | int | float | str | None
Row = dict[str, Any]
LIBRARIES = ("numpy", "scipy", "torch", "scikit-learn")


def plain(value: Any) -> Any:
    """Return a number, a string or a list of numbers as JSON holds it; a TypeError otherwise."""
    if isinstance(value, np.generic | np.ndarray):
        return value.tolist()
    if isinstance(value, list | tuple):
        return [plain(entry) for entry in value]
    if isinstance(value, bool | int | float | str) or value is None:
        return value
    raise TypeError(f"a sweep stores numbers, strings and lists of numbers; got {value!r}")


def key(point: Mapping[str, Scalar]) -> str:
    """Return a point as a text that is the same for equal points."""
    return json.dumps(point, sort_keys=True)


@dataclass(frozen=True)
class Sweep:
    """A function to be run at many points.

    Parameters
    ----------
    name : str
        Chapter number, then what the table holds: ``08-shifted-optimum``.
    run : callable
        Takes a point's values by name and returns a dictionary of numbers, strings or lists of
        numbers. It lives at the top level of its module, so that another process
        can import it.
    points : sequence of dict
        One a row. Two may not be equal.
    probes : sequence of int
        The rows that a test computes anew: few and cheap ones.
    rtol : float
        Relative agreement that is asked of a recomputed number. Truth values and strings agree
        exactly.
    compare : mapping of str to Comparison
        How columns of results are compared of which less survives another processor, each
        with its reason (`descent.sweeps.comparison`).
    version : int
        Raise it when `run` gives other results than before: rows of another version do not
        count.

    Raises
    ------
    ValueError
        If the name is malformed, there is no point, two are equal, or a probe is no row.

    Examples
    --------
    >>> def square(x):
    ...     return {"square": x * x}
    >>> Sweep("01-squares", square, [{"x": 1}, {"x": 2}], probes=[1]).name
    '01-squares'
    """

    name: str
    run: Callable[..., Mapping[str, Any]]
    points: Sequence[Mapping[str, Scalar]]
    probes: Sequence[int]
    rtol: float = 1e-9
    version: int = 1
    compare: Mapping[str, Comparison] = field(default_factory=dict)
    keys: list[str] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        """Check what was given."""
        if not re.fullmatch(r"\d\d-[a-z0-9]+(-[a-z0-9]+)*", self.name):
            raise ValueError(
                f"a sweep's name is a chapter's number and words in lower case; got {self.name!r}"
            )
        object.__setattr__(self, "keys", [key(point) for point in self.points])
        if not self.keys:
            raise ValueError(f"sweep {self.name} has no points")
        if len(set(self.keys)) < len(self.keys):
            twice = next(k for i, k in enumerate(self.keys) if k in self.keys[:i])
            raise ValueError(f"sweep {self.name} has a point twice: {twice}")
        if outside := [i for i in self.probes if not 0 <= i < len(self.keys)]:
            raise ValueError(f"sweep {self.name} has {len(self.keys)} points; got probes {outside}")

    def compute(self, index: int) -> Row:
        """Return the results at one point, as they are stored."""
        return results(self.run, self.points[index])

    def differences(self, stored: Mapping[str, Any], new: Mapping[str, Any]) -> list[str]:
        """Return how results differ from the stored ones where they may not, a line a column.

        Raises
        ------
        ValueError
            If nothing is compared, or a comparison is for no column.
        """
        return differences(stored, new, self.rtol, self.compare)


def grid(**lists: Iterable[Any]) -> list[dict[str, Any]]:
    """Return all combinations of some lists of values, the last one varying fastest.

    Examples
    --------
    >>> grid(lr=[1, 2], h=[3])
    [{'lr': 1, 'h': 3}, {'lr': 2, 'h': 3}]
    """
    names = lists.keys()
    return [dict(zip(names, values, strict=True)) for values in product(*lists.values())]


def results(run: Callable[..., Mapping[str, Any]], point: Mapping[str, Scalar]) -> Row:
    """Return what a function gives at a point, as JSON holds it."""
    return {name: plain(value) for name, value in run(**point).items()}


def folder() -> Path:
    """Return where the tables lie: ``DESCENT_SWEEPS``, else the book's own."""
    return book_folder("sweeps", "DESCENT_SWEEPS")


def lines(path: Path) -> Iterator[Row]:
    """Yield the whole lines of a file, if it is there; one cut off or damaged is none."""
    if path.exists():
        for line in path.read_text(encoding="utf-8", errors="replace").splitlines():
            try:
                yield dict(json.loads(line))
            except (ValueError, TypeError):
                continue


def rows(path: Path) -> Iterator[Row]:
    """Yield the rows of a table."""
    return (
        line
        for line in lines(path)
        if isinstance(line.get("point"), dict)
        and isinstance(line.get("result"), dict)
        and "seconds" in line
    )


def header(path: Path) -> Row | None:
    """Return a table's first line, on what made it; None if there is no table."""
    of_it = {"sweep", "version", "made_with"}
    return next((line for line in lines(path) if of_it <= line.keys()), None)


def versions() -> Row:
    """Return the versions that results depend on."""
    found = {"python": platform.python_version(), "machine": platform.machine()}
    for name in LIBRARIES:
        if name.replace("scikit-learn", "sklearn") in sys.modules:
            found[name] = metadata.version(name)
    return found


def table_text(sweep: Sweep, done: Mapping[str, Row], made_with: Sequence[Row]) -> str:
    """Return the file of a finished sweep: a line on what made it, then a line a row."""
    ordered = [done[k] for k in sweep.keys]
    head = {
        "sweep": sweep.name,
        "run": f"{sweep.run.__module__}.{sweep.run.__qualname__}",
        "version": sweep.version,
        "made_with": list(made_with),
        "rows": len(ordered),
        "seconds": round(sum(row["seconds"] for row in ordered), 1),
    }
    kept = [{name: row[name] for name in ("point", "result", "seconds")} for row in ordered]
    return "".join(json.dumps(line) + "\n" for line in [head, *kept])


def load(name: str) -> pandas.DataFrame:
    """Return a stored table, one row a point.

    Parameters
    ----------
    name : str
        The sweep's name.

    Returns
    -------
    pandas.DataFrame
        The columns of the points and of the results. A list of numbers is a list in its cell.

    Raises
    ------
    FileNotFoundError
        If the table is not there.
    ValueError
        If it has not the rows that its first line counts.
    """
    import pandas

    path = folder() / f"{name}.jsonl"
    if not path.exists():
        raise FileNotFoundError(f"no table {path}: `make sweeps` computes it")
    there, head = list(rows(path)), header(path)
    wanted = None if head is None else head.get("rows")
    if len(there) != wanted:
        raise ValueError(
            f"{path} is damaged: it has {len(there)} rows, and its first line says {wanted}; "
            f"`make sweeps ONLY={name}` mends it"
        )
    return pandas.DataFrame([row["point"] | row["result"] for row in there])


def registry() -> list[Sweep]:
    """Return every sweep of every chapter, in the order of their names.

    They are the sweeps at the top level of the modules named ``…sweeps`` in `descent.chapters`.

    Raises
    ------
    ValueError
        When two share a name.
    """
    found: dict[str, Sweep] = {}
    for sweep in _declared():
        if found.setdefault(sweep.name, sweep) is not sweep:
            raise ValueError(f"two sweeps are named {sweep.name}")
    return [found[name] for name in sorted(found)]


def _declared() -> Iterable[Sweep]:
    package = importlib.import_module("descent.chapters")
    for module in pkgutil.walk_packages(package.__path__, package.__name__ + "."):
        if module.name.endswith("sweeps"):
            for value in vars(importlib.import_module(module.name)).values():
                if isinstance(value, Sweep):
                    yield value
