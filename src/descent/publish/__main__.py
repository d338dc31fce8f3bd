"""``python -m descent.publish``: execute, render and check the book, and say where it lies."""

from __future__ import annotations

import signal
import sys
import time
from collections.abc import Callable

from descent.files import reason

INTERRUPTED = 128 + signal.SIGINT


def build() -> None:
    """Make the book, while no other process does.

    Raises
    ------
    NotebookFailed, RenderFailed, OSError
        With the place and the reason.
    """
    from descent.publish import paths, site
    from descent.publish.execute import execute_all
    from descent.publish.render import RenderFailed, render

    begin = time.perf_counter()
    runs = execute_all(paths.notebooks())
    print("rendering ...", flush=True)
    print("rendered" if render(runs) else "nothing to render: all as it was", flush=True)
    if found := site.complaints(paths.HTML):
        raise RenderFailed("the rendered pages are not sound:\n" + "\n".join(found))
    print(f"checked. The book lies at {paths.HTML / 'index.html'}")
    print(f"({time.perf_counter() - begin:.1f} s)")


def exit_status(make: Callable[[], None]) -> int:
    """Make something of the book, one process at a time, and return the exit status."""
    # Imported here, so that an interruption at any time ends in a line.
    try:
        from descent.publish.execute import NotebookFailed
        from descent.publish.lock import only_build
        from descent.publish.render import RenderFailed

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


def main() -> int:
    """Make the book and return the exit status."""
    return exit_status(build)


if __name__ == "__main__":
    sys.exit(main())
