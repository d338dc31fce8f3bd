"""A folder of results, by the name of what made them and of all that it could see.

Nothing is kept unless the press says where: it names the folder in ``DESCENT_KEPT``, and in
``DESCENT_SEEN`` all files of the library, which no module can see for itself.
"""

import hashlib
import os
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

from descent.kept.seen import Unknown, name_of


def _folder() -> Path | None:
    place = os.environ.get("DESCENT_KEPT")
    return Path(place) if place and os.environ.get("DESCENT_SEEN") else None


def place_of(name: str, functions: list[Callable[..., Any]], *values: Any) -> Path | None:
    """Return the file of a result; None if none is to be kept, or it cannot be known by a name."""
    folder = _folder()
    if folder is None:
        return None
    try:
        seen = name_of(functions, *values)
    except Unknown:
        return None
    key = hashlib.sha256(f"{os.environ['DESCENT_SEEN']} {name} {seen}".encode()).hexdigest()
    return folder / re.sub(r"[^\w.-]", "_", name) / key[:32]


def fetch(place: Path | None) -> bytes | None:
    """Return what is kept in a place, whole, or None."""
    if place is None:
        return None
    try:
        stored = place.read_bytes()
    except OSError:
        return None
    check, data = stored[:32], stored[32:]
    return data if hashlib.sha256(data).digest() == check else None


def keep(place: Path | None, data: bytes, former: int) -> None:
    """Keep a result in its place, if it has one; of its name only so many of the newest."""
    if place is None:
        return
    place.parent.mkdir(parents=True, exist_ok=True)
    # Half a file would be noticed; two kernels that keep the same write the same.
    place.write_bytes(hashlib.sha256(data).digest() + data)
    kept = sorted(place.parent.iterdir(), key=lambda path: path.stat().st_mtime)
    for old in kept[:-former]:
        old.unlink(missing_ok=True)
