"""Files that are whole or absent, and the reason in a line when one cannot be written."""

import errno
import os
import shutil
from contextlib import suppress
from pathlib import Path

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
