"""Files that are whole or absent, one process at a time, and the reason when one fails."""

import errno
import os
import shutil
from collections.abc import Callable, Container, Iterable, Iterator
from contextlib import contextmanager, suppress
from io import BytesIO
from pathlib import Path
from zipfile import ZIP_DEFLATED, ZIP_STORED, ZipFile, ZipInfo

from filelock import FileLock, Timeout

_WRITING = (
    errno.ENOSPC,
    errno.EDQUOT,
    errno.EFBIG,
    errno.EROFS,
    errno.EACCES,
    errno.EPERM,
)


def write_whole(path: Path, content: str | bytes) -> None:
    """Write a file so that neither a reader nor a crash ever sees half of it.

    The content goes to a file beside it, to the disk, and then takes the file's place. Two
    processes that may write the same file need a lock.

    Parameters
    ----------
    path : Path
        Folders above it are made.
    content : str or bytes
        Text is stored as UTF-8.

    Raises
    ------
    OSError
        With the name of the file. It is as it was before.

    Examples
    --------
    >>> from tempfile import TemporaryDirectory
    >>> with TemporaryDirectory() as folder:
    ...     write_whole(Path(folder) / "a" / "b.txt", "whole")
    ...     (Path(folder) / "a" / "b.txt").read_text()
    'whole'
    """
    data = content.encode("utf-8") if isinstance(content, str) else content
    beside = path.with_name(path.name + ".part")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with beside.open("wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        os.replace(beside, path)
    except OSError as error:
        # Where space is short, what is there of it must not take more.
        with suppress(OSError):
            beside.unlink(missing_ok=True)
        error.filename = str(path)
        raise


def zipped(files: Iterable[tuple[str, bytes]], plain: Container[str] = ()) -> bytes:
    """Return files as a zip archive, the same bytes for the same names and contents.

    Parameters
    ----------
    files : iterable of (str, bytes)
        Names in the archive, in their order there, and what each file holds.
    plain : container of str
        Names of files that are not compressed.
    """
    packed = BytesIO()
    with ZipFile(packed, "w", ZIP_DEFLATED) as archive:
        for name, content in files:
            entry = ZipInfo(name)  # of the year 1980
            entry.compress_type = ZIP_STORED if name in plain else ZIP_DEFLATED
            entry.create_system = 3
            entry.external_attr = 0o644 << 16
            archive.writestr(entry, content)
    return packed.getvalue()


def say(text: str) -> None:
    """Print a line at once, also where it goes to a file or a pipe."""
    print(text, flush=True)


@contextmanager
def held(lock: FileLock, waiting: str, show: Callable[[str], None] = say) -> Iterator[None]:
    """Hold a lock, and show a line if another process has it and must be waited for."""
    try:
        lock.acquire(blocking=False)
    except Timeout:
        show(f"{waiting}; waiting for it to end ...")
        lock.acquire()
    try:
        yield
    finally:
        lock.release()


def reason(error: OSError) -> str:
    """Return in one line which file could not be used, and why.

    Examples
    --------
    >>> reason(OSError(errno.ENOSPC, "No space left on device", "book/_build/stage"))
    'cannot write book/_build/stage: No space left on device'
    """
    if isinstance(error, shutil.Error):  # of a tree of files: name the first
        _, target, why = error.args[0][0]
        return f"cannot write {target}: {why}"
    place = error.filename2 or error.filename
    if place is None:
        return str(error)
    why = error.strerror or str(error)
    return f"cannot write {place}: {why}" if error.errno in _WRITING else f"{place}: {why}"
