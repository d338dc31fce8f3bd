"""`descent-train`: optimize a test function, directly or through the weights of a network."""

import os
import shutil
import signal
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from multiprocessing import parent_process
from pathlib import Path
from typing import Any

import hydra
import torch
from hydra.core.hydra_config import HydraConfig
from hydra.experimental.callback import Callback
from hydra.types import RunMode
from omegaconf import DictConfig, OmegaConf
from tqdm import tqdm

from descent.arguments import check_count, check_real
from descent.commands import pictures
from descent.commands.folder import RunFolder, collect, outcome_of
from descent.commands.settings import (
    UsageError,
    code_digest,
    objective_of,
    run_name,
    settings_of,
    training_of,
    usage_errors,
    writing_errors,
)
from descent.files import reason
from descent.networks.models import number_of_weights
from descent.networks.reparameterization import Training

#: Seconds after which a fit of the start says that it is at work, where there is no bar; then
#: it is silent for twice as long each time.
SILENCE = 2.0
#: What tqdm is told for each wish: to hide the bar, not to, or (None) where there is no terminal.
BARS = {"auto": None, True: False, False: True}

OmegaConf.register_new_resolver("run_name", lambda *, _root_: run_name(_root_), replace=True)


def run(config: DictConfig) -> float:
    """Do one run in its folder, from its checkpoint if it was interrupted; return the last loss.

    One of several that fails leaves a note in its folder, and the others go on.
    """
    folder = RunFolder(Path(HydraConfig.get().runtime.output_dir))
    if HydraConfig.get().mode != RunMode.MULTIRUN:
        return _run(config, folder)
    try:
        return _run(config, folder)
    except Exception as error:
        expected = isinstance(error, UsageError)
        folder.failed(str(error) if expected else f"{type(error).__name__}: {error}")
        return float("nan")


def _run(config: DictConfig, folder: RunFolder) -> float:
    """Do one run in its folder."""
    settings, output = settings_of(config), config.output
    try:
        with usage_errors():
            torch.set_num_threads(max(check_count("threads", settings["threads"]), 1))
            every = check_real("output.checkpoint_seconds", output.checkpoint_seconds)
            if output.progress not in BARS:
                raise ValueError(
                    f"output.progress must be auto, true or false; got {output.progress}"
                )
            training = training_of(settings)
    except UsageError:
        folder.discard()  # Hydra has made it before it asks
        raise
    with writing_errors(), folder.held():
        outcome, news = _outcome(config, settings, training, folder, every)
    print(_summary(outcome, number_of_weights(training.network), folder.path, news), flush=True)
    return float(outcome["loss"] or "nan")


_hydra = hydra.main(version_base="1.3", config_path="configuration", config_name="config")(run)


def main() -> None:
    """Let Hydra do what the command line says."""
    _hydra()


def _outcome(
    config: DictConfig,
    settings: dict[str, Any],
    training: Training,
    folder: RunFolder,
    every: float,
) -> tuple[dict[str, str], str]:
    """Return the run's outcome and how it came about: now, before, or both."""
    output = config.output
    thrown_away = folder.open(settings, code_digest(), output.restart)
    outcome, news = folder.outcome(), "finished before"
    if outcome is None:
        news = f"started again, since {thrown_away}" if thrown_away else "finished"
        if folder.resume(training):
            news = "finished from its checkpoint"
        with _progress(output.progress, training) as bar:
            _advance(training, folder, every, bar)
        record = training.record()
        picture = pictures.png(pictures.trajectory(record, objective_of(settings)))
        folder.finish(record, settings, picture)
        outcome = {key: str(value) for key, value in outcome_of(record, settings).items()}
    return outcome, news


class Folders(Callback):
    """Say in a line if Hydra cannot make a folder; put the outcomes of a sweep into one table."""

    def on_run_start(self, config: DictConfig, **kwargs: Any) -> None:
        """Make the folder of a run."""
        _make(Path(config.hydra.run.dir))

    def on_multirun_start(self, config: DictConfig, **kwargs: Any) -> None:
        """Make the folder of several runs."""
        _make(Path(config.hydra.sweep.dir))

    def on_multirun_end(self, config: DictConfig, **kwargs: Any) -> None:
        """Write the table of the sweep's folder."""
        table, failures = collect(Path(config.hydra.sweep.dir))
        if table:
            print(f"all finished runs of this folder: {table}", flush=True)
        if failures:
            print("\n".join(["these runs failed:", *failures]), file=sys.stderr)
            sys.exit(1)


def _make(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        sys.exit(reason(error))


def _advance(training: Training, folder: RunFolder, every: float, bar: "tqdm[None]") -> None:
    """Take all steps, with a checkpoint now and then and on being told to stop."""
    saved = shown = time.monotonic()
    speaks, silence = saved + SILENCE, SILENCE
    with _stop_signals() as told_to_stop:
        while not training.done:
            phase = training.phase
            training.step()
            now = time.monotonic()
            if phase == "fit" and bar.disable and now > speaks:
                silence *= 2
                speaks = now + silence
                print(
                    f"  the start is fitted first: mean square {training.fit_error:.1e} after "
                    f"{training.fit_steps:,} steps (trainer.initialization)",
                    flush=True,
                )
            if _orphaned():
                told_to_stop.append(signal.SIGTERM)
            if now - shown > 0.2 or training.done:
                shown = now
                _show(bar, training)
            if told_to_stop or now - saved >= every:
                folder.save(training)
                saved = now
            if told_to_stop:
                where = f"epoch {training.epoch}" if phase == "main" else "the fit of the start"
                print(
                    f"stopped in {where}; the same command goes on from there ({folder.path})",
                    file=sys.stderr,
                )
                raise SystemExit(128 + told_to_stop[0])


def _orphaned() -> bool:
    """Return whether this is a worker of several runs whose parent has ended without it."""
    parent = parent_process()
    return parent is not None and parent.pid != os.getppid()


@contextmanager
def _stop_signals() -> Iterator[list[int]]:
    """Collect SIGINT and SIGTERM in a list, so that they take effect between two steps only."""
    received: list[int] = []
    if threading.current_thread() is not threading.main_thread():
        yield received
        return
    kinds = (signal.SIGINT, signal.SIGTERM)
    before = [signal.signal(kind, lambda number, _: received.append(number)) for kind in kinds]
    try:
        yield received
    finally:
        for kind, handler in zip(kinds, before, strict=True):
            signal.signal(kind, handler)


@contextmanager
def _progress(wish: Any, training: Training) -> Iterator["tqdm[None]"]:
    """Give a progress bar on stderr; with "auto" only where that is a terminal."""
    disable = BARS[wish]
    if disable is None and HydraConfig.get().mode == RunMode.MULTIRUN:
        # Bars of parallel runs would overwrite each other.
        disable = True if "Basic" not in HydraConfig.get().launcher["_target_"] else None
    # Some terminals say that they have no rows; then tqdm alone would show nothing.
    columns, rows = shutil.get_terminal_size()
    with tqdm(
        total=training.epochs,
        disable=disable,
        file=sys.stderr,
        unit=" epochs",
        ncols=min(columns - 1, 99),
        nrows=rows,
    ) as bar:
        yield bar


def _show(bar: "tqdm[None]", training: Training) -> None:
    """Bring the progress bar up to date."""
    if training.phase == "fit":
        bar.set_description(f"fit, mean square {training.fit_error:.2e}")
        return
    bar.set_description(f"loss {training.loss:.5f}", refresh=False)
    bar.update(training.epoch - bar.n)


def _summary(outcome: dict[str, str], weights: int, folder: Path, news: str) -> str:
    """Return what a run has to say, as lines to print."""
    lines = [
        f"{outcome['lossfun']}, {outcome['model']} "
        f"({weights:,} weight{'s' if weights > 1 else ''}), "
        f"seed {outcome['seed']}: {news}"
    ]
    if outcome["x"]:
        x = ", ".join(f"{float(number):.5f}" for number in outcome["x"].split())
        lines.append(f"  x = ({x})  loss = {float(outcome['loss']):.5f}")
        lines.append(f"  best: {float(outcome['best_loss']):.5f} at epoch {outcome['best_epoch']}")
    if outcome["diverged"] == "True":
        lines.append(
            f"  DIVERGED after {outcome['epochs_done']} epochs: the numbers left the finite"
        )
    elif outcome["fitted"] == "False":
        lines.append(
            f"  the start was not reached: mean square {float(outcome['fit_error']):.2e} "
            f"after {outcome['fit_steps']} steps (trainer.initialization.max_steps)"
        )
    lines.append(f"  tables and plot in {folder}")
    return "\n".join(lines)
