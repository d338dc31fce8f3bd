"""`pytest --nbmake notebooks` takes the book's own run of a chapter, or makes it.

A chapter runs once: what nbmake tests is what the pages show. With another kernel, or an option
that writes into the notebook, nbmake runs it by itself.
"""

from typing import Any

import pytest
from nbmake import pytest_items
from nbmake.nb_result import NotebookError, NotebookResult
from nbmake.nb_run import NotebookRun

from descent.publish.execute import NotebookFailed, execute


class BookRun(NotebookRun):
    """A notebook's run as the book has it."""

    def execute(self) -> NotebookResult:
        try:
            return NotebookResult(nb=execute(self.filename), error=None)
        except NotebookFailed as failure:
            first = str(failure).partition("\n")[0]
            return NotebookResult(
                nb=None, error=NotebookError(first, str(failure), -1)
            )


def pytest_collection_modifyitems(config: pytest.Config) -> None:
    options: Any = config.option
    own = (
        options.nbmake_kernel
        or options.overwrite
        or options.nbmake_find_import_errors
    )
    pytest_items.NotebookRun = NotebookRun if own else BookRun
