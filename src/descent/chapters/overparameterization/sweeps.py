"""Chapter 8: its trainings of networks, each a row of a stored table."""

from collections.abc import Mapping
from functools import partial
from typing import Any

import numpy as np
import numpy.typing as npt
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
from descent.kept import kept
from descent.landscapes import OBJECTIVES, Objective, Shifted
from descent.networks import models
from descent.networks.reparameterization import Record, Training
from descent.sweeps import (
    Comparison,
    CountWithin,
    MedianWithin,
    NotCompared,
    ShareWithin,
    Sweep,
)

STARTS = {"ackley": [DISTANCE], "qubic_1d": [0.96], "six_hump_camel": [2.0, 2.0]}
"""Where the source starts, for each of its objectives."""
KEPT = np.r_[:20, 20:STEPS:20]
"""The steps of a path that are stored: the first twenty, in which a network is thrown, and every
twentieth after them."""
SEEDS = 20
"""Networks of a row, each with initial weights of its own."""
REPEATS = 3
"""Runs of each network of a row, from starts NUDGE apart."""
NUDGE = 1e-5
"""The repeats' distance at the start: about the smallest that single precision still tells apart
at |x| = 40, and a hundredth of what the fit to the start is allowed to miss it by."""
FAR = float(np.finfo(np.float32).max)
"""Where a diverged run is: as far off as single precision goes."""
RIVAL_RUNS = 40
"""Starts of a search in x itself."""
SHOWN = 8
"""Paths of an ensemble that are stored."""
CALM = 0
"""The seed of a calm problem that is repeated all the same, to show that it is calm."""

Point = dict[str, str | int | float]


def tangent_size(network: torch.nn.Module) -> tuple[float, float]:
    """Return Σ (∂x/∂w)², the trace of the tangent kernel J Jᵀ, and Σ |∂x/∂w|.

    The first is how far gradient descent moves x per unit of step size and of slope, the second
    how far a first step of Adam moves it per unit of step size (in one dimension).
    """
    x = network()
    squares = absolutes = 0.0
    for k in range(len(x)):
        grads = torch.autograd.grad(x[k], list(network.parameters()), retain_graph=True)
        squares += sum(float((g.double() ** 2).sum()) for g in grads)
        absolutes += sum(float(g.double().abs().sum()) for g in grads)
    return squares, absolutes


@kept
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
    repeat: int = 0,
) -> tuple[Record, tuple[float, float]]:
    """Train a network on an objective moved by a shift, from a start that moves with it.

    Adam fits the start, at the source's learning rate. It goes on with its moments at the given
    rate, or plain descent takes over. A repeat starts NUDGE beside the one before it: where the
    path is chaotic that draws its end anew, as another processor would.

    Returns
    -------
    Record, (float, float)
        The record, and `tangent_size` at the start of the main run.
    """
    start = np.array(STARTS[objective]) + shift + NUDGE * repeat
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
    return row


def _matched(objective: Objective, x: Array, lengths: Array) -> list[bool]:
    """Return whether descents in x itself with the same lengths of steps and momentum reach."""
    path = with_step_lengths(objective.gradient, x[0], lengths[..., None], momentum=0.9)
    return [bool(hit) for hit in reached(objective, path[-1])]


def _thrown(point: Mapping[str, Any]) -> tuple[Array, Array]:
    """Train SEEDS networks REPEATS times each, from starts NUDGE apart.

    Returns
    -------
    array (steps, SEEDS * REPEATS, d), array (SEEDS * REPEATS,)
        The paths, relative to the shift, and the steps of the fits to the start.
    """
    settings = dict(point)
    seeds = range(settings.pop("first_seed"), point["first_seed"] + SEEDS)
    shift = point["shift"]
    start = np.array(STARTS[point["objective"]]) + shift
    nudged = start + NUDGE * np.arange(REPEATS)[:, None]
    settings["in_ch"] = settings["hidden_ch"] // 4
    outcome = train_ensemble(
        start=np.tile(nudged, (SEEDS, 1)), seeds=np.repeat(seeds, REPEATS).tolist(), **settings
    )
    return np.nan_to_num(outcome.x, nan=FAR, posinf=FAR, neginf=-FAR) - shift, outcome.fit_steps


def _told(point: Mapping[str, Any], x: Array, fit_steps: Array) -> dict[str, Any]:
    """Return what trainings did, each (network, repeat); positions are relative to the shift."""
    objective = OBJECTIVES[point["objective"]]
    lengths = np.linalg.norm(np.diff(x, axis=0), axis=-1)

    def by_network(values: npt.ArrayLike) -> Any:
        return np.reshape(values, (SEEDS, REPEATS)).tolist()

    row: dict[str, Any] = {
        "reached": by_network(reached(objective, x[-1])),
        "end": by_network(x[-1, :, 0].round(4)),
        "fit_steps": by_network(fit_steps),
        "longest_step": by_network(lengths.max(0).round(4)),
    }
    if x.shape[2] == 1:
        row["matched"] = by_network(_matched(objective, x, lengths))
    return row


def train_many(**point: Any) -> dict[str, Any]:
    """Return what the trainings of SEEDS networks did.

    Long steps among ripples are chaotic and amplify the rounding, so a network is trained
    REPEATS times, from starts NUDGE apart: what one run of it does is a draw, and the repeats
    tell how much of a rate is.
    """
    return _told(point, *_thrown(point))


def train_shown(**point: Any) -> dict[str, Any]:
    """Return what `train_many` returns, and the paths of the first SHOWN networks at KEPT."""
    x, fit_steps = _thrown(point)
    firsts = x[KEPT, : SHOWN * REPEATS : REPEATS, 0]
    return _told(point, x, fit_steps) | {"paths": firsts.round(2).tolist()}


def _networks() -> list[dict[str, Any]]:
    """Return the source's networks, and a small one that a test can train anew.

    The chaotic ones, from Ackley's slope, are repeated. At c = -10, on the camel and on the
    quartic a path is calm at the source's rate: its repeats end alike (see CALM).
    """
    wide: Point = {"model": "mlp9", "in_ch": 128, "hidden_ch": 512}
    ackley: Point = wide | {"objective": "ackley"}
    camel: Point = wide | {"objective": "six_hump_camel"}
    rows = [
        ackley | {"shift": 0.0, "seed": seed, "repeat": repeat}
        for seed in range(SEEDS)
        for repeat in range(REPEATS)
    ]
    rows += [
        calm | {"shift": shift, "seed": seed, "repeat": repeat}
        for calm, shift in ((ackley, -10.0), (camel, 0.0))
        for seed in range(SEEDS)
        for repeat in range(REPEATS if seed == CALM else 1)
    ]
    quartic: Point = {"model": "mlp17", "objective": "qubic_1d", "shift": 0.0, "seed": 0}
    quartic |= {"repeat": 0}
    rows.append(quartic | {"in_ch": 128, "hidden_ch": 1024})
    rows += [
        quartic | {"model": "mlp9", "in_ch": 4, "hidden_ch": 16, "repeat": repeat}
        for repeat in range(REPEATS)
    ]
    return rows


ACKLEY: Point = {"objective": "ackley", "shift": 0.0, "first_seed": 0}

SOURCE_NETWORKS = Sweep(
    "08-source-networks", train_once, _networks(), probes=[len(_networks()) - 1], rtol=1e-3
)
"""One training a row, in single precision; a calm one is recomputed, all its digits."""

DRAWN = "long steps among ripples are chaotic: one run is a draw of the rounding"
SURVIVES: dict[str, Comparison] = {
    "reached": ShareWithin(0.25, DRAWN),
    "matched": ShareWithin(0.25, DRAWN),
    "end": NotCompared(DRAWN),
    "longest_step": MedianWithin(0.1, "the step that ends a fit is one of several alike"),
    "fit_steps": MedianWithin(0.02, "a fit ends a step sooner or later"),
}
"""What another processor leaves of a row: rates, how long the steps are, how long a fit takes."""
THROWN = SURVIVES | {"longest_step": NotCompared("where a network is thrown far is a draw")}
"""The same where sixty longest steps span decades: their median moves by a fifth with rounding."""
FLAT = {name: way for name, way in SURVIVES.items() if name != "matched"}
"""The same in two dimensions."""

SHIFTED = Sweep(
    "08-shifted-optimum",
    train_shown,
    [
        ACKLEY
        | {"model": "mlp9", "hidden_ch": 32, "learning_rate": 8e-3}
        | {"shift": float(shift), "first_seed": first}
        for first, shifts in (
            (20, (0, -10, 3)),  # other seeds than those that the learning rate was chosen on
            (0, (0, -10, 3, -20, 10, -40, -5, 20, 30, 5, -3)),
        )
        for shift in shifts
    ],
    probes=[3],
    version=3,
    compare=THROWN | {"paths": NotCompared(DRAWN)},
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


OTHERS = Sweep("08-other-objectives", train_many, _others(), probes=[2], version=2, compare=FLAT)


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
    probes=[5, 8],
    compare={
        "setting": NotCompared("settings that succeed alike tie, and a chaotic path decides"),
        "successes": CountWithin(8, "long steps among ripples are chaotic; of 40 starts"),
    },
)
