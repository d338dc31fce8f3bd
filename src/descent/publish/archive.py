"""``python -m descent.publish.archive``: the rendered book as one file to hand on.

The same pages give the same file, byte for byte: entries are sorted, and their times fixed.
"""

from __future__ import annotations

import sys
from pathlib import Path

from descent.files import write_whole, zipped
from descent.publish import paths
from descent.publish.__main__ import build, exit_status

ARCHIVE = paths.BUILD / "descent.zip"


def archive(html: Path, target: Path) -> None:
    """Pack a folder of pages into a zip file that unpacks to a folder ``descent``.

    Parameters
    ----------
    html
        The rendered book. Files whose names begin with a dot stay out.
    target
        The file to write; it appears only when it is whole.
    """
    files = sorted(
        path
        for path in html.rglob("*")
        if path.is_file() and not any(part.startswith(".") for part in path.relative_to(html).parts)
    )
    named = ((f"descent/{path.relative_to(html).as_posix()}", path.read_bytes()) for path in files)
    write_whole(target, zipped(named))


def pack_book() -> None:
    """Make the book and pack it; errors are those of its parts."""
    build()
    archive(paths.HTML, ARCHIVE)
    print(f"The archive lies at {ARCHIVE} ({ARCHIVE.stat().st_size / 1e6:.1f} MB)")


def main() -> int:
    """Make the book, pack it and return the exit status."""
    return exit_status(pack_book)


if __name__ == "__main__":
    sys.exit(main())
