"""Execute each notebook once, top to bottom, in a fresh kernel, and keep what came out.

The stored run serves the page, the claims page and the tests alike.
"""

from __future__ import annotations

import asyncio
import atexit
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Coroutine
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from importlib.metadata import version
from pathlib import Path
from threading import Event
from typing import Any

import nbformat
from filelock import FileLock, Timeout
from jupyter_client.kernelspec import KernelSpecManager
from nbclient.exceptions import CellTimeoutError

from descent.files import reason, write_whole
from descent.publish import left_out, paths, words
from descent.publish.authored import NotebookFailed, read
from descent.publish.fingerprint import fingerprint, library
from descent.publish.front_end import FrontEndFailed, answer
from descent.publish.kernel import Client, Manager
from descent.publish.lite import imported
from descent.publish.outputs import complaint
from descent.publish.sentences import SentenceFailed, fill, put

CELL_SECONDS = 600
CLEAN_UP_SECONDS = 10
# A debugger that is not attached lets a breakpoint pass; Python's own asks somebody, and fails.
BREAKPOINTS = "__import__('sys').breakpointhook = __import__('sys').__breakpointhook__"
# No wait is longer, in seconds: a signal that comes to another thread does not end a wait.
TURN = 0.2


def kernel_environment() -> dict[str, str]:
    """Return the environment of a kernel, in which no setting of the user bears on the run."""
    # One thread a kernel, the same sums in the same order, unless other roundings are tried.
    threads = os.environ.get("DESCENT_THREADS", "1")
    return os.environ | {
        "DESCENT_RENDER": "static",
        # What former runs drew and computed, as long as the library is the same.
        "DESCENT_KEPT": str(paths.BUILD / "kept"),
        "DESCENT_SEEN": library(paths.ROOT),
        "MKL_NUM_THREADS": threads,
        "OMP_NUM_THREADS": threads,
        "OPENBLAS_NUM_THREADS": threads,
        "PYTHONBREAKPOINT": "",
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


def stored(path: Path) -> Any | None:
    """Return the stored run of a notebook if its inputs still stand, else None.

    Raises
    ------
    NotebookFailed
        If there is a run, and the notebook is none any more.
    """
    kept = paths.EXECUTED / path.name
    if not kept.exists():
        return None
    try:
        run = nbformat.read(kept, as_version=4)
    except ValueError:  # not a whole notebook: as good as none
        return None
    notebook = read(path)
    print_of_now = fingerprint(notebook, path.stem, paths.ROOT)
    if run.metadata.get("descent", {}).get("fingerprint") != print_of_now:
        return None
    demand_words(path, notebook)  # they may be others than those of the run
    return around(notebook, run)


def demand_words(path: Path, notebook: Any) -> None:
    """Raise an error if something is wrong with a notebook's words, which a run cannot mend."""
    if (wrong := words.complaint(path, notebook)) is not None:
        raise NotebookFailed(wrong)


def around(notebook: Any, run: Any) -> Any:
    """Return a run's outputs and computed texts with the words of a notebook around them.

    Parameters
    ----------
    notebook
        As it is stored.
    run
        Of a notebook that asked the same of its kernel.
    """
    code = [cell for cell in run.cells if cell.cell_type == "code"]
    asked = [cell for cell in notebook.cells if cell.cell_type == "code"]
    for cell, ran in zip(asked, code, strict=True):
        cell.update(outputs=ran.outputs, execution_count=ran.execution_count)
        cell.metadata = ran.metadata
    texts = iter(run.metadata.descent.texts)
    for cell in notebook.cells:
        put(cell, texts)
    notebook.metadata = run.metadata
    return notebook


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


async def _conduct(client: Client, manager: Manager, stop: Event) -> None:
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


def find_fonts(notebook: Any) -> None:
    """Let matplotlib list the fonts before the kernel of a notebook that needs it starts.

    On a slow machine it says on stderr that this may take a moment, and what a cell writes
    there is a failure.
    """
    folder = paths.KERNELS / "matplotlib"
    if "matplotlib" not in imported(notebook):
        return
    done = folder / f".fonts-{version('matplotlib')}"
    with FileLock(folder / ".fonts.lock"):
        if not done.exists():
            command = [sys.executable, "-c", "import matplotlib.font_manager"]
            listed = subprocess.run(
                command, env=kernel_environment(), capture_output=True, check=False
            )
            if listed.returncode == 0:  # else the kernel says what is wrong
                done.touch()


def _run(path: Path, stop: Event) -> Any:
    """Execute a notebook, store the run and return it; errors are those of `execute`."""
    notebook = read(path)
    demand_words(path, notebook)
    at, texts = 0, []

    async def entered(cell: Any, cell_index: int) -> None:
        nonlocal at
        at = cell_index + 1
        texts.extend(await fill(client, cell))

    async def left(cell: Any, cell_index: int, execute_reply: Any) -> None:
        cell.outputs += answer(execute_reply["content"].get("payload", ()))

    name = fingerprint(notebook, path.stem, paths.ROOT)
    for folder in (paths.KERNELS / "ipython", paths.KERNELS / "matplotlib"):
        folder.mkdir(parents=True, exist_ok=True)
    find_fonts(notebook)
    manager = Manager(
        kernel_name="python3",
        # Without folders to look in it is the kernel of this Python.
        kernel_spec_manager=KernelSpecManager(kernel_dirs=[]),
        connection_file=str(paths.KERNELS / f"{path.stem}.json"),
    )
    client = Client(
        notebook,
        km=manager,
        timeout=CELL_SECONDS,
        allow_errors=True,
        coalesce_streams=True,  # how often a cell's output was flushed is chance
        on_cell_start=entered,
        on_cell_executed=left,
        extra_arguments=[
            "--IPKernelApp.log_level=ERROR",
            f"--IPKernelApp.exec_lines={BREAKPOINTS}",
        ],
        resources={"metadata": {"path": str(path.parent)}},
        shutdown_kernel="immediate",
    )
    print(f"  executing {path.name} ({len(notebook.cells)} cells)", flush=True)
    begin = time.perf_counter()
    try:
        _in_own_thread(lambda: _conduct(client, manager, stop), stop)
    except (SentenceFailed, FrontEndFailed) as error:
        # What a cell before it wrote, an error for instance, is the better reason.
        raise NotebookFailed(
            complaint(path, notebook)
            or f"{path}: cell {at}: {error}\n\n{notebook.cells[at - 1].source}"
        ) from error
    except (CellTimeoutError, RuntimeError) as error:  # a dead kernel is a RuntimeError
        raise NotebookFailed(f"{path}: stopped in cell {at}: {error}") from error
    except asyncio.CancelledError as error:
        raise NotebookFailed(f"{path}: stopped in cell {at}") from error
    if (wrong := complaint(path, notebook)) is not None:
        raise NotebookFailed(wrong)
    seconds = time.perf_counter() - begin
    facts = {"fingerprint": name, "seconds": round(seconds, 1), "texts": texts}
    notebook.metadata["descent"] = nbformat.from_dict(facts)
    write_whole(paths.EXECUTED / path.name, nbformat.writes(notebook))
    return notebook


def forget(pattern: str) -> None:
    """Forget the stored runs of the notebooks whose names match a pattern, and all that is kept.

    Parameters
    ----------
    pattern
        As for files, such as ``01-modelling-sgd`` or ``0*``.

    Raises
    ------
    NotebookFailed
        If no notebook has such a name.
    """
    found = [path for path in paths.notebooks() if path.match(f"{pattern}.ipynb")]
    if not found:
        names = ", ".join(path.stem for path in paths.notebooks())
        raise NotebookFailed(f"FORCE={pattern} matches no notebook; there are {names}")
    for path in found:
        (paths.EXECUTED / path.name).unlink(missing_ok=True)
    shutil.rmtree(paths.BUILD / "kept", ignore_errors=True)


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
    runs: dict[str, Any] = {}
    failures: list[str] = []
    for path in wanted:
        try:
            if names := left_out.lacking(path):
                print(f"  left out, since {', '.join(names)} is not installed: {path.name}")
                runs[path.stem] = left_out.unrun(path, names)
            else:
                runs[path.stem] = stored(path)
        except NotebookFailed as failure:
            failures.append(str(failure))
    fresh = [path for path in wanted if runs.get(path.stem, path) is None]
    unchanged = sum(run is not None for run in runs.values())
    print(f"notebooks: {len(wanted)}, unchanged: {unchanged}", flush=True)
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
