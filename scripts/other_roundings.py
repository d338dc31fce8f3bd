"""Run a command under settings that change the last digits of sums, as other processors would.

    python scripts/other_roundings.py [--only NAME ...] -- COMMAND [ARGUMENT ...]

One line a setting, and the end of what the command printed where it fails. The exit status is 0
if the command succeeded under every setting, 1 if it failed under one, and 2 for a wrong call.

A stored number, a claim or a sentence that holds under one of them alone is rounding. The book's
kernels and its tests take the variables over, DESCENT_THREADS for the number of threads.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence

LAST_LINES = 30
SWITCHES = {
    "ATEN_CPU_CAPABILITY",
    "DESCENT_PROCESSOR",
    "MKL_CBWR",
    "NPY_DISABLE_CPU_FEATURES",
    "OPENBLAS_CORETYPE",
}
THREADS = ("DESCENT", "MKL", "OMP", "OPENBLAS")

DISPATCHED = """
from numpy._core._multiarray_umath import __cpu_dispatch__, __cpu_features__
print(*[name for name in __cpu_dispatch__ if __cpu_features__.get(name)])
"""
"""Prints numpy's names for what this processor has and numpy can do without."""


def threads(count: int) -> dict[str, str]:
    """Return the variables that set the number of threads of every library."""
    variables = {f"{library}_NUM_THREADS": str(count) for library in THREADS[1:]}
    return variables | {"DESCENT_THREADS": str(count)}


def dispatched(python: str = sys.executable) -> str:
    """Return the names of what numpy dispatches here, "" if there is none."""
    plain = {k: v for k, v in os.environ.items() if k != "NPY_DISABLE_CPU_FEATURES"}
    asked = subprocess.run(
        [python, "-c", DISPATCHED], env=plain, capture_output=True, text=True, check=True
    )
    return asked.stdout.strip()


def settings() -> dict[str, tuple[str, dict[str, str]]]:
    """Return what each setting is in words and in variables, by its name."""
    names = dispatched()
    return {
        "plain": ("as it is, on one thread", {}),
        "torch": ("torch without vector instructions", {"ATEN_CPU_CAPABILITY": "default"}),
        "mkl": ("MKL in its compatible mode", {"MKL_CBWR": "COMPATIBLE"}),
        "numpy": (
            f"numpy without {names or 'what it dispatches, which is nothing here'}",
            {"NPY_DISABLE_CPU_FEATURES": names},
        ),
        "openblas": ("OpenBLAS with its oldest kernels", {"OPENBLAS_CORETYPE": "Prescott"}),
        "compiled": ("compiled loops for any processor", {"DESCENT_PROCESSOR": "generic"}),
        "threads": ("two threads", threads(2)),
    }


def environment(variables: Mapping[str, str]) -> dict[str, str]:
    """Return this process's environment with one setting's variables and no other's."""
    kept = {name: value for name, value in os.environ.items() if name not in SWITCHES}
    return kept | threads(1) | dict(variables)


def attempt(name: str, words: str, variables: Mapping[str, str], command: Sequence[str]) -> bool:
    """Run the command under one setting, say how it went, and return whether it succeeded."""
    begin = time.monotonic()
    done = subprocess.run(
        command,
        env=environment(variables),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    )
    seconds = time.monotonic() - begin
    if done.returncode == 0:
        print(f"ok      {name}: {words} ({seconds:.0f} s)", flush=True)
        return True
    print(f"FAILED  {name}: {words} ({seconds:.0f} s), exit status {done.returncode}")
    text = done.stdout.decode(errors="replace")
    print(*(f"        {line}" for line in text.splitlines()[-LAST_LINES:]), sep="\n", flush=True)
    return False


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command under the chosen settings and return the exit status."""
    known = settings()
    parser = argparse.ArgumentParser(
        description="Run a command under settings that change the last digits of sums.",
        epilog="settings: " + "; ".join(f"{name} ({words})" for name, (words, _) in known.items()),
    )
    parser.add_argument(
        "--only", action="append", choices=list(known), metavar="NAME", help="a setting; repeatable"
    )
    parser.add_argument("command", nargs="+", metavar="COMMAND", help="after --")
    chosen = parser.parse_args(arguments)
    names = list(dict.fromkeys(chosen.only or known))
    try:
        return 0 if all([attempt(name, *known[name], chosen.command) for name in names]) else 1
    except OSError as error:
        parser.error(f"cannot run {chosen.command[0]}: {error.strerror}")


if __name__ == "__main__":
    sys.exit(main())
