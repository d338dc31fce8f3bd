"""A run's folder: its settings, its checkpoint, its results; every file is whole or absent."""

import csv
import io
import json
import shutil
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import torch
from filelock import FileLock

from descent.commands.settings import UsageError
from descent.files import held, write_whole
from descent.networks.reparameterization import Record, Training

SETTINGS, CHECKPOINT, RESULT = "settings.json", "checkpoint.pt", "result.csv"
#: Why a run of several did not come to an end.
FAILURE = "error.txt"


@contextmanager
def _readable(path: Path) -> Iterator[None]:
    """Turn whatever a file that broke off makes of its reader into a line with the remedy."""
    try:
        yield
    except Exception as error:  # torch and json have no common error for it
        what = f"{type(error).__name__}: {error}".splitlines()[0][:120]
        raise UsageError(
            f"{path} is damaged ({what}); throw that run away with output.restart=true"
        ) from error


class RunFolder:
    """The files of one run.

    What it was asked to do and by which code, the state of an unfinished run, the path and its
    picture, and the outcome, one row. A run is finished when its outcome is there.

    Parameters
    ----------
    path : Path
        The folder.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.settings, self.checkpoint = path / SETTINGS, path / CHECKPOINT
        self.result = path / RESULT

    @contextmanager
    def held(self) -> Iterator[None]:
        """Wait until no other process is at work in the folder, and keep others waiting."""
        self.path.mkdir(parents=True, exist_ok=True)
        lock = self.path / ".lock"
        with held(FileLock(lock), f"another process is at work in {self.path}"):
            try:
                yield
            finally:
                lock.unlink(missing_ok=True)

    def open(self, settings: dict[str, Any], code: str, restart: bool) -> str | None:
        """Make the folder ready for a run; return why results that it held were thrown away.

        Raises
        ------
        UsageError
            If the folder holds a run with other settings.
        """
        why = "output.restart=true" if restart else None
        if self.settings.exists() and not restart:
            with _readable(self.settings):
                before = json.loads(self.settings.read_text())
                if not isinstance(before["settings"], dict) or not isinstance(before["code"], str):
                    raise ValueError("it holds no settings")
            if before["settings"] != settings:
                raise UsageError(
                    f"{self.path} holds a run with other settings "
                    f"({'; '.join(differences(before['settings'], settings))}); choose another "
                    "folder with hydra.run.dir=..., or throw that run away with output.restart=true"
                )
            if before["code"] != code:
                why = "other code made them"
        for part in self.path.glob("*.part"):
            part.unlink()
        if why:
            self.result.unlink(missing_ok=True)
            self.checkpoint.unlink(missing_ok=True)
        (self.path / FAILURE).unlink(missing_ok=True)
        self.path.mkdir(parents=True, exist_ok=True)
        content = json.dumps({"settings": settings, "code": code}, indent=2)
        write_whole(self.settings, content.encode())
        return why

    def discard(self) -> None:
        """Remove the folder, and one that it leaves empty, if there are Hydra's notes alone."""
        alone = {path.name for path in self.path.iterdir()} == {".hydra"}
        if alone and self.path.resolve() != Path.cwd():
            shutil.rmtree(self.path)
            with suppress(OSError):
                self.path.parent.rmdir()

    def save(self, training: Training) -> None:
        """Write a checkpoint."""
        buffer = io.BytesIO()
        torch.save(training.state(), buffer)
        write_whole(self.checkpoint, buffer.getvalue())

    def resume(self, training: Training) -> bool:
        """Go on from the checkpoint if there is one; return whether there is."""
        if not self.checkpoint.exists():
            return False
        with _readable(self.checkpoint):
            training.load_state(torch.load(self.checkpoint, weights_only=True))
        return True

    def finish(self, record: Record, settings: dict[str, Any], picture: bytes) -> None:
        """Write the results, the outcome last, and drop the checkpoint."""
        d = record.x.shape[1]
        header = ["epoch", "loss", *(f"x{i + 1}" for i in range(d))]
        rows = zip(range(len(record.loss)), record.loss, *record.x.T, strict=True)
        write_whole(self.path / "trajectory.csv", _table(header, rows))
        write_whole(self.path / "trajectory.png", picture)
        outcome = outcome_of(record, settings)
        write_whole(self.result, _table(list(outcome), [list(outcome.values())]))
        self.checkpoint.unlink(missing_ok=True)

    def outcome(self) -> dict[str, str] | None:
        """Return the finished run's outcome as written, or None if it is not finished."""
        if not self.result.exists():
            return None
        with _readable(self.result):
            (outcome,) = csv.DictReader(self.result.read_text().splitlines())
            if None in outcome or None in outcome.values():
                raise ValueError("its row and its header differ in length")
        return outcome

    def failed(self, why: str) -> None:
        """Note why a run of several did not come to an end."""
        write_whole(self.path / FAILURE, why.rstrip() + "\n")


def collect(parent: Path) -> tuple[Path | None, list[str]]:
    """Write one table of all finished runs whose folders lie in a folder.

    Returns
    -------
    Path or None
        The table, if a run is finished.
    list of str
        The runs that have none, with the reason, a line each.
    """
    outcomes: list[dict[str, str]] = []
    failures: list[str] = []
    for path in sorted(parent.glob(f"*/{RESULT}")):
        run = RunFolder(path.parent)
        try:
            if outcome := run.outcome():
                outcomes.append({"folder": run.path.name, **outcome})
        except UsageError as error:
            failures.append(str(error))
    for path in sorted(parent.glob(f"*/{FAILURE}")):
        failures.append(f"{path.parent}: {path.read_text(errors='replace').strip()}")
    if not outcomes:
        return None, failures
    table = parent / "results.csv"
    header = list(dict.fromkeys(name for row in outcomes for name in row))
    write_whole(table, _table(header, [[row.get(n, "") for n in header] for row in outcomes]))
    return table, failures


def outcome_of(record: Record, settings: dict[str, Any]) -> dict[str, Any]:
    """Return the row of the result table."""
    model, trainer = settings["model"], settings["trainer"]
    ended = len(record.loss) > 0
    return {
        "lossfun": settings["lossfun"],
        "shift": settings["shift"],
        "model": model["name"],
        **{name: model[name] for name in ("in_ch", "hidden_ch", "out_ch")},
        "seed": settings["seed"],
        **{name: trainer[name] for name in ("optimizer", "learning_rate", "epochs")},
        "epochs_done": len(record.loss),
        **{
            name: getattr(record, name) for name in ("fit_steps", "fit_error", "fitted", "diverged")
        },
        "x": " ".join(repr(float(x)) for x in record.final_x) if ended else "",
        "loss": record.final_loss if ended else "",
        "best_epoch": record.best if ended else "",
        "best_loss": float(record.loss[record.best]) if ended else "",
    }


def differences(before: dict[str, Any], now: dict[str, Any], prefix: str = "") -> list[str]:
    """Return ``key=old, now new`` for each value in which two nested dictionaries differ."""
    found = []
    for key in {**before, **now}:
        old, new = before.get(key), now.get(key)
        if isinstance(old, dict) and isinstance(new, dict):
            found += differences(old, new, f"{prefix}{key}.")
        elif old != new:
            found.append(f"{prefix}{key}={old}, now {new}")
    return found


def _table(header: Sequence[str], rows: Iterable[Sequence[Any]]) -> bytes:
    """Return a CSV table; numbers have all their digits."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(header)
    for row in rows:
        writer.writerow([repr(float(cell)) if isinstance(cell, float) else cell for cell in row])
    return text.getvalue().encode()
