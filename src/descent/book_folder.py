"""Where the book's claims, exercises and stored tables lie: a checkout, or what is installed."""

from __future__ import annotations

import os
from pathlib import Path

_PACKAGE = Path(__file__).parent
CHECKOUT = _PACKAGE.parents[1] / "book"
INSTALLED = _PACKAGE / "_book"


def book_folder(name: str, variable: str) -> Path:
    """Return a folder of the book; nothing is said of whether it is there.

    Parameters
    ----------
    name : str
        Its name in ``book/`` of a checkout.
    variable : str
        Environment variable that names another one.

    Returns
    -------
    Path
        What the variable names, else the checkout's, else what was installed with the library.

    Examples
    --------
    >>> book_folder("claims", "DESCENT_CLAIMS").name
    'claims'
    """
    if named := os.environ.get(variable):
        return Path(named)
    here = CHECKOUT / name
    return here if here.is_dir() else INSTALLED / name
