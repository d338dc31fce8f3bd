"""``python -m descent.book``: execute, render and check the book, and say where it lies."""

from __future__ import annotations

import sys
import time

from filelock import FileLock, Timeout

from descent.book import paths, site
from descent.book.execute import NotebookFailed, execute_all
from descent.book.render import RenderFailed, render


def build() -> None:
    """Make the book.

    Raises
    ------
    NotebookFailed, RenderFailed
        With the place and the reason.
    """
    begin = time.perf_counter()
    runs = execute_all(paths.notebooks())
    print("rendering …", flush=True)
    print("rendered" if render(runs) else "nothing to render: all as it was", flush=True)
    if found := site.complaints(paths.HTML):
        raise RenderFailed("the rendered pages are not sound:\n" + "\n".join(found))
    print(f"checked. The book lies at {paths.HTML / 'index.html'}")
    print(f"({time.perf_counter() - begin:.1f} s)")


def main() -> int:
    """Make the book, one build at a time, and return the exit status."""
    paths.BUILD.mkdir(parents=True, exist_ok=True)
    lock = FileLock(paths.BUILD / ".lock")
    try:
        lock.acquire(blocking=False)
    except Timeout:
        print("another build is at work here; waiting for it …", flush=True)
        lock.acquire()
    try:
        build()
    except (NotebookFailed, RenderFailed) as failure:
        print(f"\n{failure}", file=sys.stderr)
        return 1
    finally:
        lock.release()
    return 0


if __name__ == "__main__":
    sys.exit(main())
