"""``python -m descent.sweeps``: compute the tables that chapters load."""

from __future__ import annotations

import argparse
import re
import signal
import sys
from fnmatch import fnmatch

from descent.book_folder import INSTALLED
from descent.files import reason
from descent.sweeps.compute import SweepFailed, complete, known
from descent.sweeps.table import folder, registry


def _processes(text: str) -> int:
    """Return a number of processes, as it is typed."""
    if not text.isdecimal() or int(text) == 0:
        raise argparse.ArgumentTypeError(f"must be a whole number from 1, got {text!r}")
    return int(text)


def _scheduler(text: str) -> str:
    """Return the address of a scheduler, as it is typed."""
    if not re.fullmatch(r"(?:(?:tcp|tls|ucx|wss?)://)?[^/\s]+:\d+", text):
        raise argparse.ArgumentTypeError(f"must be like tcp://host:8786, got {text!r}")
    return text


def main(arguments: list[str] | None = None) -> int:
    """Compute what is missing and return the exit status."""
    try:
        return _main(arguments)
    except KeyboardInterrupt:
        print("\ninterrupted; finished rows are kept", file=sys.stderr)
        return 128 + signal.SIGINT


def _main(arguments: list[str] | None) -> int:
    parser = argparse.ArgumentParser(prog="python -m descent.sweeps", description=__doc__)
    parser.add_argument(
        "--only", nargs="+", metavar="NAME", help="sweeps by name or pattern, like '08-*'"
    )
    parser.add_argument("--jobs", type=_processes, help="local processes (one a core by default)")
    parser.add_argument(
        "--dask", type=_scheduler, metavar="ADDRESS", help="a Dask scheduler, tcp://host:port"
    )
    parser.add_argument("--fresh", action="store_true", help="forget the stored rows")
    parser.add_argument("--list", action="store_true", help="say what there is and stop")
    chosen = parser.parse_args(arguments)
    sweeps = registry()
    if chosen.only:
        patterns = chosen.only
        sweeps = [s for s in sweeps if any(fnmatch(s.name, pattern) for pattern in patterns)]
        if not sweeps:
            names = ", ".join(s.name for s in registry()) or "none"
            parser.error(f"no sweep is named like {' or '.join(patterns)}; there are: {names}")
    if chosen.list:
        for sweep in sweeps:
            print(f"{sweep.name}: {len(known(sweep))} of {len(sweep.keys)} rows stored")
        return 0
    if folder() == INSTALLED / "sweeps":
        parser.error(
            f"the tables in {folder()} belong to an installed package: name a folder of your own "
            "in DESCENT_SWEEPS, or work in a checkout of the book"
        )
    failures = []
    for sweep in sweeps:
        try:
            complete(sweep, chosen.jobs, chosen.dask, chosen.fresh)
        except SweepFailed as error:
            failures.append(str(error))
        except OSError as error:
            failures.append(reason(error))
    for failure in dict.fromkeys(failures):  # a folder that is read-only fails each
        print(failure, file=sys.stderr)
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
