"""Execute each notebook once, top to bottom, in a fresh kernel, and keep what came out.

The stored run serves the page, the claims page and the tests alike.
"""

from __future__ import annotations

import asyncio
import os
import time
from concurrent.futures import ThreadPoolExecutor, as_completed
from pathlib import Path
from typing import Any

import nbformat
from nbclient import NotebookClient
from nbclient.exceptions import CellTimeoutError

from descent.book import paths
from descent.book.fingerprint import fingerprint

CELL_SECONDS = 600
# One thread a kernel: the same sums in the same order on every machine.
KERNEL_ENVIRONMENT = {
    "DESCENT_RENDER": "static",
    "JUPYTER_PREFER_ENV_PATH": "1",
    "MKL_NUM_THREADS": "1",
    "OMP_NUM_THREADS": "1",
    "OPENBLAS_NUM_THREADS": "1",
    "PYTHONHASHSEED": "0",
}


class NotebookFailed(RuntimeError):
    """A notebook did not run to its end, or wrote a warning; the text says where and why."""


def write_atomically(path: Path, text: str) -> None:
    """Write a file so that no reader, and no crash, ever sees half of it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    scratch = path.with_name(f".{path.name}.{os.getpid()}")
    scratch.write_text(text, encoding="utf-8")
    scratch.replace(path)


def _complaint(path: Path, notebook: Any) -> str | None:
    """Return what went wrong in an executed notebook: an error, or text on stderr."""
    for number, cell in enumerate(notebook.cells, start=1):
        for output in cell.get("outputs", []):
            if output.output_type == "error":
                trace, kind = "\n".join(output.traceback), f"{output.ename}: {output.evalue}"
            elif output.output_type == "stream" and output.name == "stderr":
                trace, kind = output.text, "the cell wrote to stderr"
            else:
                continue
            return f"{path}: cell {number} failed: {kind}\n\n{cell.source}\n\n{trace}"
    return None


def stored(path: Path) -> Any | None:
    """Return the stored run of a notebook if its inputs still stand, else None."""
    kept = paths.EXECUTED / path.name
    if not kept.exists():
        return None
    try:
        run = nbformat.read(kept, as_version=4)
    except ValueError:  # not a whole notebook: as good as none
        return None
    print_of_now = fingerprint(nbformat.read(path, as_version=4), path.stem, paths.ROOT)
    return run if run.metadata.get("descent", {}).get("fingerprint") == print_of_now else None


def execute(path: Path) -> Any:
    """Return the executed notebook, from the store if its inputs still stand.

    Parameters
    ----------
    path
        A notebook of the book.

    Returns
    -------
    nbformat.NotebookNode
        With ``metadata.descent.fingerprint`` and ``metadata.descent.seconds``.

    Raises
    ------
    NotebookFailed
        If a cell raises, times out or writes to stderr, or the kernel dies.
    """
    return stored(path) or _run(path)


def _run(path: Path) -> Any:
    """Execute a notebook, store the run and return it; errors are those of `execute`."""
    notebook = nbformat.read(path, as_version=4)
    at = 0

    def entered(cell: Any, cell_index: int) -> None:
        nonlocal at
        at = cell_index + 1

    name = fingerprint(notebook, path.stem, paths.ROOT)
    client = NotebookClient(
        notebook,
        timeout=CELL_SECONDS,
        allow_errors=True,
        kernel_name="python3",
        on_cell_execute=entered,
        extra_arguments=["--IPKernelApp.log_level=ERROR"],
        resources={"metadata": {"path": str(path.parent)}},
    )
    print(f"  executing {path.name} ({len(notebook.cells)} cells)", flush=True)
    begin = time.perf_counter()
    try:
        asyncio.run(client.async_execute(env=os.environ | KERNEL_ENVIRONMENT))
    except (CellTimeoutError, RuntimeError) as error:  # a dead kernel is a RuntimeError
        raise NotebookFailed(f"{path}: stopped in cell {at}: {error}") from error
    if (complaint := _complaint(path, notebook)) is not None:
        raise NotebookFailed(complaint)
    seconds = time.perf_counter() - begin
    notebook.metadata["descent"] = {"fingerprint": name, "seconds": round(seconds, 1)}
    write_atomically(paths.EXECUTED / path.name, nbformat.writes(notebook))
    return notebook


def execute_all(wanted: list[Path]) -> dict[str, Any]:
    """Execute the notebooks, as many at a time as there are cores, and say how each went.

    Returns
    -------
    dict
        Executed notebooks by stem.

    Raises
    ------
    NotebookFailed
        After all have run, if any failed; its text has every failure.
    """
    runs: dict[str, Any] = {path.stem: stored(path) for path in wanted}
    fresh = [path for path in wanted if runs[path.stem] is None]
    print(f"notebooks: {len(wanted)}, unchanged: {len(wanted) - len(fresh)}", flush=True)
    failures: list[str] = []
    with ThreadPoolExecutor(max_workers=os.cpu_count() or 1) as pool:
        waiting = {pool.submit(_run, path): path for path in fresh}
        for done, future in enumerate(as_completed(waiting), start=1):
            path = waiting[future]
            try:
                runs[path.stem] = future.result()
            except NotebookFailed as failure:
                failures.append(str(failure))
                how = "FAILED"
            else:
                how = f"{runs[path.stem].metadata.descent.seconds} s"
            print(f"  [{done}/{len(fresh)}] {path.name} {how}", flush=True)
    if failures:
        raise NotebookFailed("\n\n".join(failures))
    return runs
