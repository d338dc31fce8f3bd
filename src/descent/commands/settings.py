"""From a configuration of `descent-train` to a training, with errors that say what there is."""

import hashlib
import inspect
import json
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from types import ModuleType
from typing import Any

import numpy as np
import torch
from hydra.errors import CompactHydraException
from omegaconf import DictConfig, OmegaConf

import descent.landscapes.objectives
from descent import arguments
from descent.arguments import check_array, check_choice, check_count, check_real
from descent.files import reason
from descent.landscapes import OBJECTIVES, Objective, Shifted
from descent.networks import models, reparameterization

#: Sections of the configuration that do not change the numbers.
WITHOUT_EFFECT = ("output", "hydra")

#: Modules whose code a result depends on.
CODE: tuple[ModuleType, ...] = (
    arguments,
    models,
    reparameterization,
    descent.landscapes.objectives,
)


class UsageError(CompactHydraException):
    """Something on the command line is wrong: shown as one message, without a traceback."""


@contextmanager
def usage_errors() -> Iterator[None]:
    """Turn the library's complaints about arguments into a message to the user."""
    try:
        yield
    except (TypeError, ValueError) as error:
        raise UsageError(f"{error}") from error


@contextmanager
def writing_errors() -> Iterator[None]:
    """Turn a full disk or a folder that is read-only into a message to the user."""
    try:
        yield
    except OSError as error:
        raise UsageError(reason(error)) from error


def settings_of(config: DictConfig) -> dict[str, Any]:
    """Return what determines a run's numbers, as plain values."""
    chosen = OmegaConf.masked_copy(
        config, [str(key) for key in config if key not in WITHOUT_EFFECT]
    )
    plain: dict[str, Any] = OmegaConf.to_container(chosen, resolve=True)  # type: ignore[assignment]
    return plain


def run_name(config: DictConfig) -> str:
    """Return the name of a run's folder: equal settings, equal name.

    `descent-train` makes it known to Hydra as ``${run_name:}``.
    """
    settings = settings_of(config)
    digest = _digest(json.dumps(settings, sort_keys=True))
    return f"{settings['lossfun']}-{settings['model']['name']}-{digest}"


def code_digest() -> str:
    """Return a digest of torch's version and of the code that a result depends on."""
    return _digest(torch.__version__ + "".join(inspect.getsource(module) for module in CODE))


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:8]


def objective_of(settings: dict[str, Any]) -> Objective:
    """Return the function to minimize; an error that lists those that fit if it does not."""
    objective = OBJECTIVES[check_choice("lossfun", settings["lossfun"], OBJECTIVES)]
    d, shift = settings["model"]["out_ch"], settings["shift"]
    try:
        objective.check_dimension(d)
    except ValueError as error:
        fitting = [
            f.name
            for f in OBJECTIVES.values()
            if f.dimension == d or (f.dimension is None and f.least_dimension <= d)
        ]
        raise ValueError(
            f"{error} (model.out_ch={d}); functions of dimension {d}: {', '.join(fitting)}"
        ) from None
    if not np.any(np.asarray(shift) != 0):
        return objective
    if np.shape(shift) not in ((), (d,)):
        raise ValueError(f"shift must be a number or {d} of them (model.out_ch); got {shift}")
    return Shifted(objective, shift)


def initial_of(settings: dict[str, Any]) -> list[float] | None:
    """Return the start; an error if it has not model.out_ch numbers."""
    name, d = "trainer.initialization.init_condition", settings["model"]["out_ch"]
    condition = settings["trainer"]["initialization"]["init_condition"]
    if condition is None:
        return None
    numbers = condition if isinstance(condition, list) else [condition]
    if len(numbers) != d:
        raise ValueError(
            f"{name} has {len(numbers)} numbers, {numbers}, but the model has model.out_ch={d} "
            "outputs: they must be as many"
        )
    return [check_real(name, number) for number in numbers]


def optimizer_of(trainer: dict[str, Any]) -> reparameterization.OptimizerFactory:
    """Return what makes the optimizer; an error that lists them if there is none such."""
    # Beyond it a step of single precision overflows.
    rate = check_real("trainer.learning_rate", trainer["learning_rate"], above=0, most=1e30)
    betas = check_array("trainer.betas", trainer["betas"], (2,)).tolist()
    momentum = check_real("trainer.momentum", trainer["momentum"])
    if check_choice("trainer.optimizer", trainer["optimizer"], ("adam", "sgd")) == "sgd":
        return partial(torch.optim.SGD, lr=rate, momentum=momentum)
    return partial(torch.optim.Adam, lr=rate, betas=tuple(betas), fused=True)


def _seed(value: int) -> int:
    """Return a seed that torch takes."""
    if check_count("seed", value) >= 2**64:
        raise ValueError(f"seed must be below 2^64; got {value}")
    return int(value)


def training_of(settings: dict[str, Any]) -> reparameterization.Training:
    """Return the training that the settings describe, before its first step.

    Raises
    ------
    ValueError, TypeError
        If a name is unknown, a number out of range, or shapes do not fit; the message says what
        there is, or what would fit.
    """
    model, trainer = settings["model"], settings["trainer"]
    fit = trainer["initialization"]
    check_count("model.out_ch", model["out_ch"], 1)
    objective, initial = objective_of(settings), initial_of(settings)
    epochs = check_count("trainer.epochs", trainer["epochs"], 1)
    decay = check_real("trainer.decay", trainer["decay"], least=0, most=1)
    optimizer = optimizer_of(trainer)
    generator = torch.Generator().manual_seed(_seed(settings["seed"]))
    return reparameterization.Training(
        models.build(
            model["name"], model["in_ch"], model["hidden_ch"], model["out_ch"], generator=generator
        ),
        objective,
        initial,
        epochs=epochs,
        optimizer=optimizer,
        carry_over=fit["carry_over"],
        schedule=(lambda epoch: 1 - decay * epoch / epochs) if decay else None,
        tolerance=fit["tolerance"],
        max_fit_steps=fit["max_steps"],
    )
