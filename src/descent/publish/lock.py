"""One build at a time in a checkout."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager

from filelock import FileLock

from descent.files import held
from descent.publish import paths


@contextmanager
def only_build() -> Iterator[None]:
    """Wait until no other process builds here, and keep others waiting meanwhile.

    The lock ends with the last process that holds it, however that ends. The process that
    renders inherits it: when its parent is killed, it goes on writing for a while.
    """
    paths.BUILD.mkdir(parents=True, exist_ok=True)
    lock = FileLock(paths.BUILD / ".lock", on_acquired=lambda file: os.set_inheritable(file, True))
    with held(lock, f"another build is at work in {paths.BUILD}"):
        yield
