"""Execute each notebook once, top to bottom, in a fresh kernel, and keep what came out.

The stored run serves the page, the claims page and the tests alike.
"""

from __future__ import annotations

import asyncio
import atexit
import os
import time
from collections.abc import Callable, Coroutine
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from pathlib import Path
from threading import Event
from typing import Any

import nbformat
from filelock import FileLock, Timeout
from jupyter_client.kernelspec import KernelSpecManager
from jupyter_client.manager import AsyncKernelManager
from jupyter_client.provisioning.local_provisioner import LocalProvisioner
from nbclient import NotebookClient
from nbclient.exceptions import CellTimeoutError

from descent.files import reason, write_whole
from descent.publish import paths
from descent.publish.fingerprint import fingerprint
from descent.publish.sentences import SentenceFailed, fill

CELL_SECONDS = 600
CLEAN_UP_SECONDS = 10
# No wait is longer, in seconds: a signal that comes to another thread does not end a wait.
TURN = 0.2


def kernel_environment() -> dict[str, str]:
    """Return the environment of a kernel, in which no setting of the user bears on the run."""
    # One thread a kernel, the same sums in the same order, unless other roundings are tried.
    threads = os.environ.get("DESCENT_THREADS", "1")
    return os.environ | {
        "DESCENT_RENDER": "static",
        "MKL_NUM_THREADS": threads,
        "OMP_NUM_THREADS": threads,
        "OPENBLAS_NUM_THREADS": threads,
        "PYTHONHASHSEED": "0",
        # The library whose files the fingerprint names, wherever the environment was made.
        "PYTHONPATH": str(Path(__file__).parents[2]),
        "PYTHONSTARTUP": "",
        "PYTHONUTF8": "1",
        # The home folder may be read-only, or hold settings of its own.
        "IPYTHONDIR": str(paths.KERNELS / "ipython"),
        "MPLBACKEND": "",
        "MPLCONFIGDIR": str(paths.KERNELS / "matplotlib"),
    }


class NotebookFailed(RuntimeError):
    """A notebook did not run to its end, or wrote a warning; the text says where and why."""


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


def execute(path: Path, stop: Event | None = None) -> Any:
    """Return the executed notebook, from the store if its inputs still stand.

    Parameters
    ----------
    path
        A notebook of the book.
    stop
        Ends the run when it is set.

    Returns
    -------
    nbformat.NotebookNode
        With ``metadata.descent.fingerprint`` and ``metadata.descent.seconds``.

    Raises
    ------
    NotebookFailed
        If a cell raises, times out or writes to stderr, the kernel dies, or `stop` is set.
    OSError
        If the run cannot be stored.
    """
    if (run := stored(path)) is not None:
        return run
    stop = stop or Event()
    paths.EXECUTED.mkdir(parents=True, exist_ok=True)
    try:
        with FileLock(paths.EXECUTED / f".{path.stem}.lock").acquire(cancel_check=stop.is_set):
            # Another process may have executed it meanwhile.
            return stored(path) or _run(path, stop)
    except Timeout as error:
        raise NotebookFailed(f"{path}: stopped") from error


class _Manager(AsyncKernelManager):
    """Never takes the process group of this process for that of its kernel."""

    async def _async_launch_kernel(self, kernel_cmd: list[str], **kw: Any) -> None:
        await super()._async_launch_kernel(kernel_cmd, **kw)
        # An interruption of the group also kills a child that has not left it yet; to end such a
        # kernel by its group would kill the driver and whatever started it.
        kernel = self.provisioner
        if isinstance(kernel, LocalProvisioner) and kernel.pgid == os.getpgrp():
            kernel.pgid = None


async def _conduct(client: NotebookClient, manager: AsyncKernelManager, stop: Event) -> None:
    """Execute a client's notebook, or as much of it as there is time for until `stop` is set."""
    task = asyncio.ensure_future(client.async_execute(env=kernel_environment(), cleanup_kc=True))
    try:
        while not (task.done() or stop.is_set()):
            await asyncio.wait([task], timeout=TURN)
        # Once only: a second time would hit the client while it ends its kernel.
        task.cancel()
        await asyncio.wait([task], timeout=CLEAN_UP_SECONDS)
    finally:
        # A client that is stopped while its kernel starts leaves the kernel to the exit handler.
        atexit.unregister(client._cleanup_kernel)
        if client.kc is not None:
            client.kc.stop_channels()
        if manager.has_kernel:
            await manager.shutdown_kernel(now=True)
    await task


def _in_own_thread(work: Callable[[], Coroutine[Any, Any, None]], stop: Event) -> None:
    """Run a coroutine where no other event loop is; the caller may stand in one."""
    with ThreadPoolExecutor(1) as own:
        try:
            future = own.submit(lambda: asyncio.run(work()))
            while not future.done():
                wait([future], timeout=TURN)
            future.result()
        except KeyboardInterrupt:
            stop.set()
            raise


def _run(path: Path, stop: Event) -> Any:
    """Execute a notebook, store the run and return it; errors are those of `execute`."""
    notebook = nbformat.read(path, as_version=4)
    at = 0

    async def entered(cell: Any, cell_index: int) -> None:
        nonlocal at
        at = cell_index + 1
        await fill(client, cell)

    name = fingerprint(notebook, path.stem, paths.ROOT)
    for folder in (paths.KERNELS / "ipython", paths.KERNELS / "matplotlib"):
        folder.mkdir(parents=True, exist_ok=True)
    manager = _Manager(
        kernel_name="python3",
        # Without folders to look in it is the kernel of this Python.
        kernel_spec_manager=KernelSpecManager(kernel_dirs=[]),
        connection_file=str(paths.KERNELS / f"{path.stem}.json"),
    )
    client = NotebookClient(
        notebook,
        km=manager,
        timeout=CELL_SECONDS,
        allow_errors=True,
        coalesce_streams=True,  # how often a cell's output was flushed is chance
        on_cell_start=entered,
        extra_arguments=["--IPKernelApp.log_level=ERROR"],
        resources={"metadata": {"path": str(path.parent)}},
        shutdown_kernel="immediate",
    )
    print(f"  executing {path.name} ({len(notebook.cells)} cells)", flush=True)
    begin = time.perf_counter()
    try:
        _in_own_thread(lambda: _conduct(client, manager, stop), stop)
    except SentenceFailed as error:
        # What a cell before it wrote, an error for instance, is the better reason.
        raise NotebookFailed(
            _complaint(path, notebook)
            or f"{path}: cell {at}: {error}\n\n{notebook.cells[at - 1].source}"
        ) from error
    except (CellTimeoutError, RuntimeError) as error:  # a dead kernel is a RuntimeError
        raise NotebookFailed(f"{path}: stopped in cell {at}: {error}") from error
    except asyncio.CancelledError as error:
        raise NotebookFailed(f"{path}: stopped in cell {at}") from error
    if (complaint := _complaint(path, notebook)) is not None:
        raise NotebookFailed(complaint)
    seconds = time.perf_counter() - begin
    notebook.metadata["descent"] = {"fingerprint": name, "seconds": round(seconds, 1)}
    write_whole(paths.EXECUTED / path.name, nbformat.writes(notebook))
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
    stop = Event()
    waiting: dict[Future[Any], Path] = {}
    with ThreadPoolExecutor(max_workers=os.cpu_count() or 1) as pool:
        try:
            waiting |= {pool.submit(execute, path, stop): path for path in fresh}
            while waiting:
                for future in wait(waiting, TURN, FIRST_COMPLETED).done:
                    path = waiting.pop(future)
                    try:
                        runs[path.stem] = future.result()
                    except (NotebookFailed, OSError) as failure:
                        failures.append(
                            reason(failure) if isinstance(failure, OSError) else str(failure)
                        )
                        how = "FAILED"
                    else:
                        how = f"{runs[path.stem].metadata.descent.seconds} s"
                    done = len(fresh) - len(waiting)
                    print(f"  [{done}/{len(fresh)}] {path.name} {how}", flush=True)
        except BaseException:  # an interruption: let the kernels end, and start no more
            stop.set()
            pool.shutdown(wait=False, cancel_futures=True)
            raise
    if failures:
        raise NotebookFailed("\n\n".join(failures))
    return runs
