"""Chapter 8: its trainings of networks, each a row of a stored table."""

from functools import partial
from typing import Any

import numpy as np
import torch

from descent.arguments import Array
from descent.chapters.overparameterization.ensemble import train_ensemble
from descent.chapters.overparameterization.numbers import (
    DISTANCE,
    LEARNING_RATE,
    STEPS,
    reached,
    with_step_lengths,
)
from descent.chapters.overparameterization.rivals import SEARCHES, runs, tuned
from descent.landscapes import OBJECTIVES, Objective, Shifted
from descent.networks import models
from descent.networks.reparameterization import Record, Training
from descent.sweeps import Sweep

STARTS = {"ackley": [DISTANCE], "qubic_1d": [0.96], "six_hump_camel": [2.0, 2.0]}
"""Where the source starts, for each of its objectives."""
KEPT = 20
"""The path of a run is stored every so many steps."""
SEEDS = 20
"""Trainings of a row of an ensemble."""
RIVAL_RUNS = 40
"""Starts of a search in x itself."""
SHOWN = 8
"""Paths of an ensemble that are stored."""


def tangent_size(model: torch.nn.Module) -> tuple[float, float]:
    """Return Σ (∂x/∂w)², the trace of the tangent kernel J Jᵀ, and Σ |∂x/∂w|.

    The first is how far gradient descent moves x per unit of step size and of slope, the second
    how far a first step of Adam moves it per unit of step size (in one dimension).
    """
    x = model()
    squares = absolutes = 0.0
    for k in range(len(x)):
        grads = torch.autograd.grad(x[k], list(model.parameters()), retain_graph=True)
        squares += sum(float((g.double() ** 2).sum()) for g in grads)
        absolutes += sum(float(g.double().abs().sum()) for g in grads)
    return squares, absolutes


def trained(
    model: str,
    in_ch: int,
    hidden_ch: int,
    objective: str,
    shift: float,
    seed: int,
    learning_rate: float = LEARNING_RATE,
    optimizer: str = "adam",
    bits: int = 32,
    epochs: int = STEPS,
) -> tuple[Record, tuple[float, float]]:
    """Train a network on an objective moved by a shift, from a start that moves with it.

    Adam fits the start, at the source's learning rate. It goes on with its moments at the given
    rate, or plain descent takes over.

    Returns
    -------
    Record, (float, float)
        The record, and `tangent_size` at the start of the main run.
    """
    start = np.array(STARTS[objective]) + shift
    made = models.build(
        model, in_ch, hidden_ch, len(start), generator=torch.Generator().manual_seed(seed)
    )
    made = made.double() if bits == 64 else made
    training = Training(
        made,
        Shifted(OBJECTIVES[objective], shift),
        start,
        epochs=epochs,
        main_optimizer=partial(torch.optim.SGD, lr=learning_rate) if optimizer == "sgd" else None,
        schedule=lambda epoch: 1.0 if optimizer == "sgd" else learning_rate / LEARNING_RATE,
        max_fit_steps=5000,
    )
    while training.phase == "fit" and not training.done:
        training.step()
    sizes = tangent_size(made)
    return training.run(), sizes


def train_once(**point: Any) -> dict[str, Any]:
    """Return what one training did; positions are relative to the shift."""
    record, (squares, absolutes) = trained(**point)
    objective, shift = OBJECTIVES[point["objective"]], point["shift"]
    x = record.x - shift
    lengths = np.linalg.norm(np.diff(x, axis=0), axis=-1)
    row: dict[str, Any] = {
        "x": [float(v) for v in x[-1]],
        "loss": record.final_loss,
        "reached": bool(reached(objective, x[-1])),
        "fit_steps": record.fit_steps,
        "tangent_kernel": squares,
        "tangent_l1": absolutes,
        "first_step": float(lengths[0]),
        "longest_step": float(lengths.max()),
    }
    if x.shape[1] == 1:
        row["matched"] = _matched(objective, x[:, None], lengths[:, None])[0]
        row["path"] = [round(float(v), 3) for v in x[::KEPT, 0]]
    return row


def _matched(objective: Objective, x: Array, lengths: Array) -> list[bool]:
    """Return whether descents in x itself with the same lengths of steps and momentum reach."""
    path = with_step_lengths(objective.gradient, x[0], lengths[..., None], momentum=0.9)
    return [bool(hit) for hit in reached(objective, path[-1])]


def train_many(**point: Any) -> dict[str, Any]:
    """Return what SEEDS trainings did; positions are relative to the shift."""
    settings = dict(point)
    seeds = range(settings.pop("first_seed"), point["first_seed"] + SEEDS)
    objective, shift = OBJECTIVES[point["objective"]], point["shift"]
    start = [value + shift for value in STARTS[point["objective"]]]
    settings["in_ch"] = settings["hidden_ch"] // 4
    outcome = train_ensemble(start=start, seeds=seeds, **settings)
    x = outcome.x - shift
    lengths = np.linalg.norm(np.diff(x, axis=0), axis=-1)
    row: dict[str, Any] = {
        "reached": [bool(hit) for hit in reached(objective, x[-1])],
        "end": [round(float(v), 4) for v in x[-1, :, 0]],
        "fit_steps": [int(n) for n in outcome.fit_steps],
        "longest_step": [round(float(v), 4) for v in lengths.max(0)],
    }
    if x.shape[2] == 1:
        row["matched"] = _matched(objective, x, lengths)
        if point["first_seed"] == 0:
            row["paths"] = [round(float(v), 2) for v in x[::KEPT, :SHOWN, 0].ravel()]
    return row


def _networks() -> list[dict[str, Any]]:
    """Return the source's networks, and a small one that a test can train anew."""
    wide = {"model": "mlp9", "in_ch": 128, "hidden_ch": 512}
    rows = [
        {**wide, "objective": "ackley", "shift": shift, "seed": seed}
        for seed in range(SEEDS)
        for shift in (0.0, -10.0)
    ]
    rows += [
        {**wide, "objective": "six_hump_camel", "shift": 0.0, "seed": seed} for seed in range(SEEDS)
    ]
    quartic = {"model": "mlp17", "objective": "qubic_1d", "shift": 0.0, "seed": 0}
    rows.append({**quartic, "in_ch": 128, "hidden_ch": 1024})
    rows.append({**quartic, "model": "mlp9", "in_ch": 4, "hidden_ch": 16})
    return rows


Point = dict[str, str | int | float]
ACKLEY: Point = {"objective": "ackley", "shift": 0.0, "first_seed": 0}

SOURCE_NETWORKS = Sweep(
    "08-source-networks", train_once, _networks(), probes=[len(_networks()) - 1], rtol=1e-3
)
"""One training a row, in single precision; the calm one is recomputed."""

SHIFTED = Sweep(
    "08-shifted-optimum",
    train_many,
    [
        ACKLEY
        | {"model": "mlp9", "hidden_ch": 32, "learning_rate": 8e-3}
        | {"shift": float(shift), "first_seed": first}
        for first in (0, 20, 40)
        for shift in (0, -10, -20, 3, 10, -40, -5, 20, -30, 5, 30, -15, -3)
    ],
    probes=[1],
    rtol=1e-2,
)

SIZE = Sweep(
    "08-network-size",
    train_many,
    [
        ACKLEY | {"model": model, "hidden_ch": hidden, "learning_rate": rate}
        for hidden in (16, 64)
        for model in ("mlp5", "mlp9", "mlp17")
        for rate in (5e-4, 2e-3, 8e-3, 3.2e-2)
    ],
    probes=[0],
    rtol=1e-2,
)

PLAIN = Sweep(
    "08-plain-descent",
    train_many,
    [
        ACKLEY
        | {"model": "mlp9", "hidden_ch": 32, "optimizer": "sgd"}
        | {"learning_rate": rate, "decay": decay}
        for decay in (0.0, 1.0)
        for rate in (3e-5, 1e-4, 3e-4, 1e-3)
    ],
    probes=[0],
    rtol=1e-2,
)


def _others() -> list[dict[str, Any]]:
    """Return small networks on the quartic and on the camel."""
    quartic = {"objective": "qubic_1d", "model": "mlp17", "hidden_ch": 32, "first_seed": 0}
    camel = {"objective": "six_hump_camel", "model": "mlp9", "hidden_ch": 32, "first_seed": 0}
    return [{**quartic, "shift": 0.0, "learning_rate": rate} for rate in (5e-4, 2e-2)] + [
        {**camel, "shift": shift, "learning_rate": rate}
        for rate in (5e-4, 8e-3)
        for shift in (0.0, -2.0, 10.0)
    ]


OTHERS = Sweep("08-other-objectives", train_many, _others(), probes=[2], rtol=1e-2)


def search_once(search: str, objective: str, shift: float) -> dict[str, Any]:
    """Return how often a tuned search in x reaches a global minimum in 500 evaluations."""
    setting = tuned(search, objective)
    result = runs(search, setting, objective, shift, range(RIVAL_RUNS))
    return {"setting": setting, "successes": result.successes, "runs": result.runs}


RIVALS = Sweep(
    "08-rivals",
    search_once,
    [
        {"search": search, "objective": objective, "shift": shift}
        for objective, shift in (
            ("ackley", 0.0),
            ("ackley", -10.0),
            ("six_hump_camel", 0.0),
            ("qubic_1d", 0.0),
        )
        for search in SEARCHES
    ],
    probes=[5],
)
