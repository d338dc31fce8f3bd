"""One row of the table of speed, and the ways to measure one.

A file of this folder that has a function ``rows``, which yields them, is part of the table:
`table.py` asks each for its rows. Times are processor times of one process, the smallest of
several runs, contenders taking turns, so that a busy machine slows all alike.
"""

import os
import subprocess
import sys
import tarfile
import tempfile
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path

ROOT = Path(__file__).parents[1]
RESULTS = ROOT / "benchmarks" / "results"
EARLIER = "bfbe1bb"  # the state of the library that is compared with where there is no peer
ONE_THREAD = {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1", "MKL_NUM_THREADS": "1"}


@dataclass(frozen=True)
class Row:
    """What was measured, of us and of a peer, and what is to be reached.

    ``theirs`` is None where the peer is not installed: the table then shows what it took
    when it last was. ``at_most`` bounds our own number, ``times`` the ratio theirs / ours.
    """

    work: str
    unit: str
    ours: float
    peer: str = ""
    theirs: float | None = None
    at_most: float | None = None
    times: float | None = None

    @property
    def ratio(self) -> float | None:
        """How many times more the peer takes."""
        return None if self.theirs is None else self.theirs / self.ours

    @property
    def reached(self) -> bool | None:
        """Whether the target is reached; None where there is none, or no peer."""
        if self.at_most is not None:
            return self.ours <= self.at_most
        if self.times is None or self.ratio is None:
            return None
        return self.ratio >= self.times

    @property
    def target(self) -> str:
        """The target in words."""
        if self.at_most is not None:
            return f"at most {self.at_most:g} {self.unit}"
        return "" if self.times is None else f"ratio at least {self.times:g}"


def show(name: str, lines: Iterable[str]) -> None:
    """Print the lines of a table, and write them to the file of this name in `RESULTS`."""
    table = "\n".join(lines) + "\n"
    print(table, end="")
    RESULTS.mkdir(exist_ok=True)
    (RESULTS / f"{name}.md").write_text(table, encoding="utf-8")


def processor_seconds(*runs: Callable[[], object], rounds: int = 3) -> list[float]:
    """Return the smallest processor time of each, taking turns."""
    best = [float("inf")] * len(runs)
    for _ in range(rounds):
        for i, run in enumerate(runs):
            begin = time.process_time()
            run()
            best[i] = min(best[i], time.process_time() - begin)
    return best


def in_another(code: str, python: str = sys.executable, source: Path | None = None) -> str | None:
    """Return the last line that code prints in another interpreter; None if it fails."""
    environment = os.environ | ONE_THREAD
    if source is not None:
        environment["PYTHONPATH"] = str(source)
    done = subprocess.run(
        [python, "-W", "ignore", "-c", code], capture_output=True, text=True, env=environment
    )
    return done.stdout.splitlines()[-1] if done.returncode == 0 and done.stdout else None


TIMED = """
import time
def seconds(run, rounds=3):
    best = float("inf")
    for _ in range(rounds):
        begin = time.process_time()
        run()
        best = min(best, time.process_time() - begin)
    return best
"""


def earlier(code: str) -> float | None:
    """Return the number that code prints with the library of `EARLIER`; None without it.

    ``seconds(run)`` is defined there. The library comes from this repository's history.
    """
    command = ["git", "-C", str(ROOT), "archive", "--format=tar", EARLIER, "src"]
    found = subprocess.run(command, capture_output=True)
    if found.returncode:
        return None
    with tempfile.TemporaryDirectory() as folder:
        with tarfile.open(fileobj=BytesIO(found.stdout)) as archive:
            archive.extractall(folder, filter="data")
        line = in_another(TIMED + code, source=Path(folder, "src"))
    return None if line is None else float(line)
