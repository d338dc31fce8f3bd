"""Compute the rows that a sweep's table lacks, on local processes or on a Dask cluster."""

from __future__ import annotations

import json
import os
import re
import signal
import time
from asyncio import CancelledError
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures.process import BrokenProcessPool
from pathlib import Path
from tempfile import TemporaryDirectory
from threading import Thread
from typing import Any

from filelock import FileLock
from joblib import Parallel, delayed, parallel_config
from threadpoolctl import threadpool_limits
from tqdm import tqdm

from descent.files import held, write_whole
from descent.sweeps.table import (
    Row,
    Scalar,
    Sweep,
    folder,
    header,
    key,
    results,
    rows,
    table_text,
    versions,
)

CONNECTION_SECONDS = 10


class SweepFailed(RuntimeError):
    """Some rows raised; the text says which and why. The others are stored."""


def unfinished(name: str) -> Path:
    """Return the file to which rows are appended until a table is whole."""
    return folder().parent / "_build" / "sweeps" / f"{name}.jsonl"


def known(sweep: Sweep) -> dict[str, Row]:
    """Return the rows of a sweep that are stored, by the key of their point."""
    table = folder() / f"{sweep.name}.jsonl"
    head = header(table)
    stored = list(rows(table)) if head and head["version"] == sweep.version else []
    stored += [row for row in rows(unfinished(sweep.name)) if row.get("version") == sweep.version]
    wanted = set(sweep.keys)
    return {key(row["point"]): row for row in stored if key(row["point"]) in wanted}


def compute_row(
    run: Callable[..., Mapping[str, Any]],
    point: Mapping[str, Scalar],
    version: int,
    note: Path | None = None,
) -> Row:
    """Return one row, computed on one thread; an error is a row, too.

    That the row is begun is noted by an empty file, if one is named.
    """
    if note is not None:
        note.touch()
    begin = time.perf_counter()
    row: Row = {"point": dict(point), "version": version}
    # Sums in the same order on every machine, and no two rows on one core.
    with threadpool_limits(1):
        try:
            row["result"] = results(run, point)
        except (Exception, SystemExit) as error:
            row["error"] = f"{type(error).__name__}: {error}"
    row["seconds"] = round(time.perf_counter() - begin, 3)
    row["made_with"] = versions()
    return row


def end_with(parent: int) -> None:
    """Let this process, a worker, end soon after its parent, which alone hears interruptions."""
    if os.getpid() == parent:
        return
    signal.signal(signal.SIGINT, signal.SIG_IGN)

    def watch() -> None:
        while os.getppid() == parent:
            time.sleep(0.5)
        os._exit(1)

    Thread(target=watch, daemon=True).start()


def complete(
    sweep: Sweep,
    jobs: int | None = None,
    dask: str | None = None,
    fresh: bool = False,
    show: Callable[[str], None] = print,
) -> int:
    """Compute the missing rows of a sweep and store its table.

    Each row is appended to a file as soon as it is there, so that an interruption, of
    whatever kind, loses the rows at work and no others. The table replaces the former one
    when all rows are there.

    Parameters
    ----------
    sweep : Sweep
    jobs : int, optional
        Number of local processes; by default one a core.
    dask : str, optional
        Address of a Dask scheduler, ``tcp://host:port``, in place of local processes.
    fresh : bool
        Forget the stored rows.
    show : callable
        Where a line about the outcome goes.

    Returns
    -------
    int
        Number of rows that were computed.

    Raises
    ------
    SweepFailed
        If rows raised.
    OSError
        If a row or the table cannot be written; the rows before it are stored.
    """
    journal = unfinished(sweep.name)
    journal.parent.mkdir(parents=True, exist_ok=True)
    lock = FileLock(journal.with_suffix(".lock"))
    with held(lock, f"{journal.stem}: another process computes it", show):
        table = folder() / f"{sweep.name}.jsonl"
        if fresh:
            journal.unlink(missing_ok=True)
            table.unlink(missing_ok=True)
        done = known(sweep)
        missing = [i for i, k in enumerate(sweep.keys) if k not in done]
        if failures := _compute(sweep, missing, journal, done, jobs, dask):
            raise SweepFailed("\n".join(failures))
        if [key(row["point"]) for row in rows(table)] != sweep.keys or missing:
            made_with = _environments(header(table), done.values())
            write_whole(table, table_text(sweep, done, made_with))
        journal.unlink(missing_ok=True)
        show(f"{sweep.name}: {len(sweep.keys)} rows, {len(missing)} of them computed now")
    return len(missing)


def _on_cluster(sweep: Sweep, indices: Sequence[int], address: str) -> Iterator[Row]:
    """Yield the rows that a Dask cluster computes; what stops the cluster itself is told."""
    try:
        yield from _from_cluster(sweep, indices, address)
    except OSError:
        raise
    # The error of a row is a row. What comes here is of the cluster: its scheduler has gone, its
    # workers lack this package, its versions or certificates are others.
    except (Exception, CancelledError) as error:
        words = [line.strip() for line in str(error).splitlines() if line.strip()]
        why = ": ".join([type(error).__name__, *words[:1]])
        raise SweepFailed(f"{sweep.name}: the cluster at {address} failed ({why})") from error


def _from_cluster(sweep: Sweep, indices: Sequence[int], address: str) -> Iterator[Row]:
    """Yield the rows of some points as they come from the Dask cluster at an address.

    A worker that ends takes along what waited there, and the scheduler gives a point up when
    it was there several times. Each of these by itself tells which of them did it.
    """
    from distributed import Client, as_completed
    from distributed.scheduler import KilledWorker

    with Client(address, timeout=CONNECTION_SECONDS) as client:

        def begun(i: int) -> Any:
            task = sweep.run, sweep.points[i], sweep.version
            return client.submit(compute_row, *task, pure=False)

        futures, suspects = {begun(i): i for i in indices}, []
        for future in as_completed(futures):
            if isinstance(future.exception(), KilledWorker):
                suspects.append(futures[future])
            else:
                yield future.result()
        for i in suspects:
            future = begun(i)
            if isinstance(future.exception(), KilledWorker):
                how = "it ended one worker of the cluster after another; out of memory?"
                yield {"point": dict(sweep.points[i]), "error": how}
            else:
                yield future.result()


def _rows(
    sweep: Sweep, indices: Sequence[int], jobs: int | None, notes: Path | None
) -> Iterator[Row]:
    """Yield the rows of some points as they come; an error of theirs is a row, too."""
    end = {"initializer": end_with, "initargs": (os.getpid(),)}
    with parallel_config(backend="loky", n_jobs=jobs or os.cpu_count(), **end):
        tasks = (
            delayed(compute_row)(
                sweep.run, sweep.points[i], sweep.version, notes and notes / str(i)
            )
            for i in indices
        )
        yield from Parallel(return_as="generator_unordered", batch_size=1)(tasks)


def _rows_or_words(sweep: Sweep, indices: list[int], jobs: int | None) -> Iterator[Row]:
    """Yield the rows of some points; where a point ends its process, a row says so.

    The end of one process ends its companions on this machine. Which point it was is found by
    giving a process of its own to each that was at work.
    """
    left = dict.fromkeys(indices)
    while left:
        with TemporaryDirectory() as place:
            try:
                for row in _rows(sweep, list(left), jobs, Path(place)):
                    left.pop(sweep.keys.index(key(row["point"])))
                    yield row
            except BrokenProcessPool as error:
                begun = [i for i in left if (Path(place) / str(i)).exists()]
                if not begun:
                    raise SweepFailed(f"{sweep.name}: {error}") from error
                for i in begun:
                    left.pop(i)
                    yield _alone(sweep, i)


def _alone(sweep: Sweep, index: int) -> Row:
    """Return the row of a point that has a process of its own, or that this process ended."""
    try:
        (row,) = _rows(sweep, [index], 2, None)  # one of two: with one there is no process
    except BrokenProcessPool as error:
        codes = re.findall(r"(SIG\w+|EXIT)\((-?\d+)\)", str(error))
        how = ", ".join(f"{name} {number}" for name, number in codes) or "no reason known"
        killed = "; out of memory?" if "SIGKILL" in how else ""
        row = {"point": dict(sweep.points[index]), "error": f"the process ended ({how}{killed})"}
    return row


def _compute(
    sweep: Sweep,
    missing: list[int],
    journal: Path,
    done: dict[str, Row],
    jobs: int | None,
    dask: str | None,
) -> list[str]:
    """Add the missing rows to ``done`` and to the journal; return what failed."""
    failures: list[str] = []
    if not missing:
        return failures
    _end_line(journal)
    come = _on_cluster(sweep, missing, dask) if dask else _rows_or_words(sweep, missing, jobs)
    for row in tqdm(come, sweep.name, len(missing), disable=None):
        if "error" in row:
            failures.append(f"{sweep.name} at {row['point']}: {row['error']}")
            continue
        _append(journal, json.dumps(row) + "\n")
        done[key(row["point"])] = row
    return failures


def _environments(head: Row | None, stored: Iterable[Row]) -> list[Row]:
    """Return every set of versions that made a row: the table's so far, and the new rows'."""
    found: list[Row] = list(head["made_with"]) if head else []
    for row in stored:
        if "made_with" in row and row["made_with"] not in found:
            found.append(row["made_with"])
    return found


def _append(journal: Path, text: str) -> None:
    """Append a line to the journal and to the disk; an error names the file."""
    try:
        with journal.open("ab") as out:
            out.write(text.encode())
            out.flush()
            os.fsync(out.fileno())
    except OSError as error:
        error.filename = str(journal)
        raise


def _end_line(journal: Path) -> None:
    """End a line that an interruption cut off, so that the next row has its own."""
    if journal.exists() and (text := journal.read_bytes()) and not text.endswith(b"\n"):
        _append(journal, "\n")
