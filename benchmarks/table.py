"""The table of speed: every row of every benchmark here, with its target.

Run it as ``python benchmarks/table.py``, or ``make bench``. It prints the table and stores it
with its machine in book/benchmarks.json, which the status page of the book shows; commit it.
Of a peer that is not installed the row shows what the stored table has. A part:
``python benchmarks/table.py dynamics``, which leaves the other rows as they are stored.
The book's own building and its tests take half an hour: they are measured by name alone,
``python benchmarks/table.py building``, on a machine that does nothing else.
"""
# ruff: noqa: E402

import os

for variable in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ[variable] = "1"  # before numpy loads its BLAS

import datetime
import importlib
import json
import platform
import sys
from collections.abc import Iterator
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

FOLDER = Path(__file__).parent
STORED = FOLDER.parent / "book" / "benchmarks.json"
BY_NAME_ALONE = {"building"}
PACKAGES = ("numpy", "scipy", "llvmlite", "torch", "heyoka", "torchzero", "cma", "nevergrad")
sys.path.insert(0, str(FOLDER))

from row import Row


def versions() -> dict[str, str]:
    """Return the versions that bear on the numbers."""
    found = {"Python": platform.python_version()}
    for name in PACKAGES:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            continue
    return found


def processor() -> str:
    """Return what kind of processor this is."""
    information = Path("/proc/cpuinfo")
    if information.exists():
        for line in information.read_text().splitlines():
            if line.startswith("model name"):
                return f"{line.partition(':')[2].strip()}, {os.cpu_count()} cores"
    return f"{platform.processor() or platform.machine()}, {os.cpu_count()} cores"


def stored() -> dict[str, dict]:
    """Return the rows of the last table, by their work and peer."""
    if not STORED.exists():
        return {}
    rows = json.loads(STORED.read_text(encoding="utf-8"))["rows"]
    return {f"{row['work']}/{row['peer'].split(' ')[0]}": row for row in rows}


def asked(file: str, names: list[str]) -> bool:
    """Say whether the rows of a file are to be measured."""
    return file in names if names else file not in BY_NAME_ALONE


def measured(names: list[str]) -> Iterator[tuple[str, Row]]:
    """Yield every row of the benchmarks of these names, or of all."""
    for path in sorted(FOLDER.glob("*.py")):
        if path.stem in ("row", "table") or not asked(path.stem, names):
            continue
        if "def rows(" in path.read_text(encoding="utf-8"):
            for row in importlib.import_module(path.stem).rows():
                yield path.stem, row


def as_stored(file: str, row: Row, before: dict[str, dict]) -> dict:
    """Return a row as it is stored; a peer that is not there has its last number."""
    out = {"file": file, "work": row.work, "unit": row.unit, "ours": row.ours, "peer": row.peer}
    out |= {"theirs": row.theirs, "ratio": row.ratio, "target": row.target, "reached": row.reached}
    last = before.get(f"{row.work}/{row.peer.split(' ')[0]}")
    if row.peer and row.theirs is None:
        out["peer"] = f"{row.peer.split(' ')[0]} (not installed)"
        if last is not None and last["theirs"] is not None:
            known = last["peer"].removesuffix(" (its last run)").removesuffix(" (not installed)")
            out |= {"peer": f"{known} (its last run)", "theirs": last["theirs"]}
    return out


def line(row: dict) -> str:
    """Return a row of the table."""

    def number(value: float | None) -> str:
        return "" if value is None else f"{value:.3g}"

    reached = {True: "yes", False: "no", None: ""}[row["reached"]]
    cells = [row["work"], row["unit"], number(row["ours"]), row["peer"], number(row["theirs"])]
    return "| " + " | ".join([*cells, number(row["ratio"]), row["target"], reached]) + " |"


def main() -> None:
    """Measure, print and store the table."""
    names, before = sys.argv[1:], stored()
    print("| work | unit | ours | peer | theirs | theirs / ours | target | reached |")
    print("| :-- | :-- | --: | :-- | --: | --: | :-- | :-- |")
    rows = [row for row in before.values() if not asked(row["file"], names)]
    for row in rows:
        print(line(row))
    for file, row in measured(names):
        rows.append(as_stored(file, row, before))
        print(line(rows[-1]), flush=True)
    table = {
        "date": datetime.date.today().isoformat(),
        "processor": processor(),
        "versions": versions(),
        "rows": rows,
    }
    text = json.dumps(table, indent=1, ensure_ascii=False)
    STORED.write_text(text + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
