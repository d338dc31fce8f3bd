"""``python -m descent.book.archive``: the rendered book as one file to hand on.

The same pages give the same file, byte for byte: entries are sorted, and their times fixed.
"""

from __future__ import annotations

import sys
from pathlib import Path
from zipfile import ZIP_DEFLATED, ZipFile, ZipInfo

from descent.book import paths
from descent.book.__main__ import main as make_book

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
    scratch = target.with_suffix(".part")
    with ZipFile(scratch, "w", ZIP_DEFLATED) as packed:
        for path in files:
            entry = ZipInfo(f"descent/{path.relative_to(html).as_posix()}")  # of the year 1980
            entry.compress_type = ZIP_DEFLATED
            entry.create_system = 3
            entry.external_attr = 0o644 << 16
            packed.writestr(entry, path.read_bytes())
    scratch.replace(target)


def main() -> int:
    """Make the book and pack it; return the exit status."""
    if status := make_book():
        return status
    archive(paths.HTML, ARCHIVE)
    print(f"The archive lies at {ARCHIVE} ({ARCHIVE.stat().st_size / 1e6:.1f} MB)")
    return 0


if __name__ == "__main__":
    sys.exit(main())
