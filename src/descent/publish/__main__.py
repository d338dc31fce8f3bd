"""``python -m descent.publish``: execute, render and check the book, and say where it lies.

``--force PATTERN`` executes the notebooks of such names anew, whatever is stored of them.
"""

from __future__ import annotations

import argparse
import signal
import sys
import time
from collections.abc import Callable, Sequence
from functools import partial
from itertools import pairwise
from pathlib import Path

from descent.files import reason

INTERRUPTED = 128 + signal.SIGINT


def chapters() -> list[Path]:
    """Return the notebooks of the book, and say which beside them are none of it.

    Raises
    ------
    NotebookFailed
        If two have the same number: what refers to a chapter would mean both.
    """
    from descent.publish import paths
    from descent.publish.authored import NotebookFailed

    found = paths.notebooks()
    for other in sorted({*paths.NOTEBOOKS.glob("*.ipynb")} - {*found}):
        print(f"  no chapter, for its name does not begin like 07-: {other.name}", flush=True)
    for one, next_one in pairwise(found):
        if one.name[:2] == next_one.name[:2]:
            raise NotebookFailed(f"{one} and {next_one.name} have the same number")
    return found


def build(force: str = "") -> None:
    """Make the book, while no other process does.

    Parameters
    ----------
    force
        A pattern of names: these notebooks are executed anew.

    Raises
    ------
    NotebookFailed, RenderFailed, OSError
        With the place and the reason.
    """
    from descent.publish import paths
    from descent.publish.execute import execute_all, forget
    from descent.publish.render import render

    begin = time.perf_counter()
    if force:
        forget(force)
    runs = execute_all(chapters())
    print("rendering ...", flush=True)
    if render(runs):
        print("rendered and checked.", end=" ")
    else:
        print("nothing to render: all as it was, and checked.", end=" ")
    print(f"The book lies at {paths.HTML / 'index.html'}")
    print(f"({time.perf_counter() - begin:.1f} s)")


def exit_status(make: Callable[[], None]) -> int:
    """Make something of the book, one process at a time, and return the exit status."""
    # Imported here, so that an interruption at any time ends in a line.
    try:
        from descent.publish import paths
        from descent.publish.authored import NotebookFailed
        from descent.publish.lock import only_build
        from descent.publish.render import RenderFailed

        if not paths.NOTEBOOKS.is_dir():  # an installed package, say
            print(
                f"{paths.ROOT} is no checkout of the book, from which it is made", file=sys.stderr
            )
            return 1
        try:
            with only_build():
                make()
        except (NotebookFailed, RenderFailed) as failure:
            print(f"\n{failure}", file=sys.stderr)
            return 1
    except OSError as error:
        print(f"\n{reason(error)}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("\ninterrupted; finished chapters are kept", file=sys.stderr)
        return INTERRUPTED
    return 0


def main(arguments: Sequence[str] = ()) -> int:
    """Make the book and return the exit status."""
    parser = argparse.ArgumentParser(prog="descent.publish", description="Make the book.")
    parser.add_argument("--force", metavar="PATTERN", default="", help="notebooks to run anew")
    return exit_status(partial(build, parser.parse_args(arguments).force))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
