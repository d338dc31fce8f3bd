"""``jupyter-book build book`` makes the book as ``make book`` does.

Jupyter Book alone would find notebooks without outputs, and pages without claims. This module is
a Sphinx extension, named in ``book/_config.yml``: called over the book's sources, it lets
`descent.publish` execute, render and check all, and ends Jupyter Book. Over the stage, in which
the executed notebooks lie, it does nothing.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from sphinx.application import Sphinx
from sphinx.errors import ExtensionError

from descent.publish import __main__ as press
from descent.publish import paths


def setup(app: Sphinx) -> dict[str, Any]:
    """Make the book instead of Sphinx where Sphinx was called over the book's sources.

    Raises
    ------
    ExtensionError
        If another folder or another kind of output is wanted than `descent.publish` makes.
    SystemExit
        With the exit status of the press, when it is done.
    """
    if Path(app.srcdir) not in (paths.BOOK.resolve(), paths.ROOT.resolve()):
        return {"parallel_read_safe": True, "parallel_write_safe": True}
    if Path(app.outdir) != paths.HTML.resolve():
        raise ExtensionError(
            f"the book's pages go to {paths.HTML}: call `jupyter-book build {paths.BOOK}`. For "
            f"other folders and kinds call it over the executed notebooks in {paths.STAGE}, which "
            "lie there after `make book`"
        )
    print(
        "The chapters are executed first, as by `make book`; the executed notebooks lie in "
        f"{paths.EXECUTED}, and all that Sphinx reads in {paths.STAGE}.",
        flush=True,
    )
    raise SystemExit(press.main())
