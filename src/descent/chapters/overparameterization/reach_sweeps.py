"""Chapter 8: runs of many kinds, with how far each steps, and whether it succeeds."""

from typing import Any

import numpy as np
import pandas
import torch

from descent import sweeps
from descent.arguments import Array
from descent.chapters.overparameterization.ensemble import train_ensemble
from descent.chapters.overparameterization.numbers import adam, reached, step_sizes
from descent.chapters.overparameterization.reach import PERIODS, measures, ripple
from descent.chapters.overparameterization.sweeps import FAR, NUDGE
from descent.landscapes import OBJECTIVES, Shifted
from descent.networks import models
from descent.sweeps import (
    Comparison,
    MedianWithin,
    MostAgree,
    NotCompared,
    ShareWithin,
    Sweep,
    grid,
)

SEEDS = 20
"""Networks of a row."""
REPEATS = 2
"""Runs of each of them, from starts NUDGE apart: rounding is a variable like the seed."""
STARTS = {"ackley": 10.0, "rastrigin": 10.0, "griewank": 20.0}
"""Distance of the start from the minimum: ten ripples, or three of Griewank's."""
NO_NETWORK = "x"
"""The model of a run in x itself; its width is the number of weights that x is the sum of."""


def run_once(
    model: str,
    hidden_ch: int,
    learning_rate: float,
    optimizer: str = "adam",
    decay: float = 0.0,
    objective: str = "ackley",
    shift: float = 0.0,
    first_seed: int = 0,
    seeds: int = SEEDS,
) -> dict[str, Any]:
    """Return for each run, (seeds, repeats), whether it succeeds and how far it steps.

    ``effective`` is what is known before a run: the length of its first step if the optimizer
    had no memory, η Σ |∂x/∂w| for Adam and η Σ (∂x/∂w)² |f'(x)| for descent, in periods.
    """
    f = Shifted(OBJECTIVES[objective], shift)
    begin = np.full(seeds, STARTS[objective] + shift)
    if model == NO_NETWORK:
        begin += _spread(seeds)
    start = np.add.outer(begin, NUDGE * np.arange(REPEATS)).reshape(-1, 1)
    which = np.repeat(range(first_seed, first_seed + seeds), REPEATS).tolist()
    weights = hidden_ch
    if model == NO_NETWORK:
        x, tangents = _plain(f.gradient, start, hidden_ch, learning_rate, decay, optimizer)
    else:
        shape = (model, hidden_ch // 4, hidden_ch)
        made = models.build(*shape, 1, generator=torch.Generator())
        weights = models.number_of_weights(made)
        with np.errstate(over="ignore", invalid="ignore"):
            outcome = train_ensemble(
                *shape,
                objective,
                start,
                which,
                shift=shift,
                learning_rate=learning_rate,
                decay=decay,
                optimizer=optimizer,
            )
        x, tangents = outcome.x, outcome.tangents
    x = np.clip(np.nan_to_num(x, nan=FAR, posinf=FAR, neginf=-FAR), -FAR, FAR)
    period = PERIODS[objective]
    slope = 1.0 if optimizer == "adam" else np.abs(f.gradient(x[0]))[:, 0]
    first = tangents[:, 1] if optimizer == "adam" else tangents[:, 0]
    found = measures(x[..., 0], period) | {"effective": learning_rate * first * slope / period}
    return {
        "weights": weights,
        "reached": reached(f, x[-1]).reshape(seeds, REPEATS),
        "end": (x[-1, :, 0] - shift).round(4).reshape(seeds, REPEATS),
        **{name: _digits(values.reshape(seeds, REPEATS)) for name, values in found.items()},
    }


def _plain(
    gradient: Any, start: Array, n: int, rate: float, decay: float, optimizer: str
) -> tuple[Array, Array]:
    """Return paths of x = Σ w_i with n equal weights, and their tangent sizes.

    They are those of x itself with a rate that is n times as large; the notebook shows that.
    """
    sizes = n * step_sizes(rate, decay)
    path = [start]
    with np.errstate(over="ignore", invalid="ignore"):
        if optimizer == "adam":
            path = list(adam(gradient, start, sizes)[0])
        else:
            for size in sizes:
                path.append(path[-1] - size * gradient(path[-1]))
    return np.array(path[: len(sizes)]), np.full((len(start), 2), float(n))


def _digits(values: Array) -> Array:
    """Return numbers with five digits."""
    return np.array([[float(f"{v:.5g}") for v in row] for row in values])


DRAWN = "long steps among ripples are chaotic: one run is a draw of the rounding"
ENDS = "a fit ends a step sooner or later, and where one does its first steps are others"
SURVIVES: dict[str, Comparison] = {
    "reached": ShareWithin(0.25, DRAWN),
    "end": NotCompared(DRAWN),
    "reach": MostAgree(0.75, ENDS, rtol=0.02),
    "first": MostAgree(0.75, ENDS, rtol=0.02),
    "longest": MostAgree(0.75, ENDS, rtol=0.02),
    "path": NotCompared(DRAWN),
    "effective": MedianWithin(0.01, "of forty networks, each fitted to its start"),
}
"""What another processor leaves of a row whose first steps are short."""

FOUND = Sweep(
    "08-reach-found",
    run_once,
    grid(
        model=("mlp5", "mlp9"),
        hidden_ch=(16, 32),
        learning_rate=(5e-4, 1e-3, 2e-3, 4e-3, 8e-3, 1.6e-2, 3.2e-2),
    ),
    probes=[0],
    compare=SURVIVES,
)
"""The runs on which the law is found: Adam at a constant rate, two depths, two widths."""

NETWORK: dict[str, Any] = {"model": "mlp9", "hidden_ch": 16}
OTHER_SEEDS = 100
"""First seed of the runs that the law has not seen."""


def _held_out() -> list[dict[str, Any]]:
    """Return settings of kinds that were not used to find the law."""
    networks: list[dict[str, Any]] = [
        {"model": model, "hidden_ch": width, "learning_rate": rate}
        for model, width, rates in (
            ("mlp17", 16, (1e-3, 4e-3, 1.6e-2)),
            ("mlp9", 8, (4e-3, 1.6e-2, 6.4e-2)),
            ("mlp9", 64, (1e-3, 4e-3)),
        )
        for rate in rates
    ]
    networks += [
        NETWORK | {"optimizer": "sgd", "learning_rate": rate, "decay": decay}
        for decay in (0.0, 1.0)
        for rate in (3e-4, 2e-3)
    ]
    networks += [NETWORK | {"learning_rate": rate, "decay": 1.0} for rate in (1e-3, 4e-3, 1.6e-2)]
    networks += [
        NETWORK | {"objective": objective, "learning_rate": rate}
        for objective in ("rastrigin", "griewank")
        for rate in (1e-3, 4e-3, 1.6e-2)
    ]
    plain: list[dict[str, Any]] = [
        {
            "model": NO_NETWORK,
            "hidden_ch": n,
            "learning_rate": 5e-4,
            "optimizer": "sgd",
            "decay": 1.0,
        }
        for n in (2, 6, 20, 60, 200, 600, 2000)
    ]
    plain += [
        {
            "model": NO_NETWORK,
            "hidden_ch": 1,
            "learning_rate": rate,
            "optimizer": kind,
            "decay": decay,
        }
        for kind, rates in (
            ("sgd", (0.003, 0.01, 0.03, 0.1, 0.3, 1.0)),
            ("adam", (0.03, 0.1, 0.3, 1.0, 3.0, 10.0)),
        )
        for decay in (0.0, 1.0)
        for rate in rates
    ]
    return [point | {"first_seed": OTHER_SEEDS} for point in plain + networks]


HELD_OUT = Sweep("08-reach-held-out", run_once, _held_out(), probes=[0], compare=SURVIVES)
"""Other depths, widths, optimizers, schedules, ripples and seeds, and no network at all."""

MAP_SHIFTS = (-10.0, -3.0, 0.0, 2.0, 5.0, 10.0)
MAP_RATES = (2e-3, 6e-3, 2e-2)
MAP = Sweep(
    "08-reach-map",
    run_once,
    [
        NETWORK | {"shift": shift, "learning_rate": rate, "first_seed": OTHER_SEEDS, "seeds": 8}
        for rate in MAP_RATES
        for shift in MAP_SHIFTS
    ],
    probes=[0],
    compare=SURVIVES,
)
"""Success against the minimum's place and the learning rate."""


def load(name: str) -> Any:
    """Return a stored table with another column, whether a run has ``left``: (seeds, repeats).

    It has if it ends in another ripple than the one that it began in (`reach.ripple`). A sum of N
    weights and x itself at N times the rate are one setting, to the last digit, and stand in the
    table once: as the sum, which is kinder to the number of weights.
    """
    frame = sweeps.load(name)
    for column, value in (("optimizer", "adam"), ("objective", "ackley"), ("decay", 0.0)):
        there = frame[column] if column in frame else [None] * len(frame)
        frame[column] = [value if pandas.isna(entry) else entry for entry in there]
    frame["left"] = [_left(row) for _, row in frame.iterrows()]
    return frame[[not again for again in _again(frame)]].reset_index(drop=True)


def _again(frame: Any) -> Any:
    """Say which rows are runs in x that a row above has as well, with other weights."""
    names = ["model", "objective", "optimizer", "decay", "hidden_ch", "learning_rate"]
    settings = frame[names + (["shift"] if "shift" in frame else [])].copy()
    plain = settings["model"] == NO_NETWORK
    rates = (settings["learning_rate"] * settings["hidden_ch"])[plain]
    settings.loc[plain, "learning_rate"] = [float(f"{rate:.9g}") for rate in rates]
    settings.loc[plain, "hidden_ch"] = 1
    return settings.duplicated()


def _left(row: Any) -> Any:
    end, period = np.array(row["end"]), PERIODS[row["objective"]]
    begin = np.full(len(end), STARTS[row["objective"]]) + (row["model"] == NO_NETWORK) * _spread(
        len(end)
    )
    gradient = OBJECTIVES[row["objective"]].gradient
    return (ripple(gradient, end, period) != ripple(gradient, begin, period)[:, None]).tolist()


def _spread(n: int) -> Array:
    """Return starts over one ripple, about its middle, which stand in place of seeds."""
    return np.asarray((np.arange(n) + 0.5) / n - 0.5)
