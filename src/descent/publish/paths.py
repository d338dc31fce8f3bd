"""Where the parts of a checkout of the book lie."""

from __future__ import annotations

from pathlib import Path

ROOT = Path(__file__).parents[3]
BOOK = ROOT / "book"
NOTEBOOKS = ROOT / "notebooks"
BUILD = BOOK / "_build"
EXECUTED = BUILD / "executed"
KERNELS = BUILD / "kernels"
STAGE = BUILD / "stage"
HTML = BUILD / "html"


def notebooks() -> list[Path]:
    """Return the chapters' notebooks in the order of their numbers."""
    return sorted(NOTEBOOKS.glob("[0-9][0-9]-*.ipynb"))
