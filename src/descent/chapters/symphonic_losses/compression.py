"""Chapter 9, the compression task: one small autoencoder, many losses, rules side by side."""

import math
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from typing import Any, NamedTuple

import numpy as np
import pandas
import torch
from torch import Tensor

from descent import aggregation
from descent.arguments import check_count, check_step_size
from descent.kept import kept
from descent.networks import image_patches
from descent.networks import variational_autoencoder as autoencoder
from descent.networks.variational_autoencoder import LATENT, PIXELS, VariationalAutoencoder

BATCH = 64
STEPS = 200
LONG_STEPS = 1000
TUNING_SEED = 100
STEP_SIZES = (1e-3, 3e-3, 1e-2)
COLLAPSE = 0.9  # of the mean image's error: what lies above has learnt nothing of the image

BOUND_WEIGHTS = {"reconstruction": 1.0, "KL": 1.0}  # the evidence bound; other losses weigh 0.1
MEANS_RULES = ("equal_sum", "loss_slope", "gradient_norm", "inverse_gradient_norm")
RULES = {
    "equal_sum": "equal sum",
    "fixed_weights": "fixed weights",
    "gradient_norm": "gradient norm (source)",
    "loss_slope": "loss slope (source's program)",
    "largest_gradient": "largest gradient",
    "inverse_gradient_norm": "inverse gradient norm",
    "random_alternation": "random alternation",
    "upgrad": "UPGrad",
    "slope_average": "loss slope's average, fixed",
}


class Setting(NamedTuple):
    """Which losses are combined, and in which units they are written."""

    label: str
    higher_moments: bool
    units: str


SETTINGS = {
    "five": Setting("five losses, likelihood units", False, "likelihood"),
    "seven": Setting("seven losses, likelihood units", True, "likelihood"),
    "means": Setting("seven losses, plain means", True, "means"),
}
PLAIN_MEANS = {
    "reconstruction": 2 * autoencoder.DECODER_SD**2 * LATENT / PIXELS,
    "gradient domain": 8 * autoencoder.DECODER_SD**2 * LATENT / (2 * 3 * 31 * 32),
}
"""Factors that turn losses in units of the likelihood into means of squares."""


class Data(NamedTuple):
    """The images as torch wants them, (n, 3, 32, 32), and the errors of two simple answers."""

    train: Tensor
    test: Tensor
    source: str

    @property
    def mean_image(self) -> Tensor:
        """The mean of the training images."""
        return self.train.mean(0)

    @property
    def mean_image_error(self) -> float:
        """Mean square error on the test images of answering with the mean image."""
        return float((self.test - self.mean_image).square().mean())

    @property
    def mean_colour_error(self) -> float:
        """The same for three numbers an image: its own mean colour."""
        return float((self.test - self.test.mean((2, 3), keepdim=True)).square().mean())


@cache
def data(images: str = "photographs") -> Data:
    """Load the images of a source; see `descent.networks.image_patches.load`."""
    sets = image_patches.load(images)
    tensors = [
        torch.from_numpy(part.transpose(0, 3, 1, 2).copy()) for part in (sets.train, sets.test)
    ]
    return Data(tensors[0], tensors[1], sets.source)


@cache
def principal_component_errors(counts: tuple[int, ...], every: int = 6) -> tuple[float, ...]:
    """Return the test error of a linear compression to so many numbers, for each count.

    The principal components are those of every sixth training image, from the eigenvectors of
    the images' inner products.
    """
    sets = data()
    train, test = (
        part.flatten(1) - sets.mean_image.flatten() for part in (sets.train[::every], sets.test)
    )
    values, vectors = torch.linalg.eigh(train @ train.T)
    best = slice(-max(counts), None)
    axes = train.T @ (vectors[:, best] / values[best].sqrt())
    kept = (test @ axes).square().mean(0).flip(0).cumsum(0) / PIXELS
    return tuple(float(test.square().mean() - kept[count - 1]) for count in counts)


def decibels(error: float) -> float:
    """Peak signal-to-noise ratio -10 log10(mean square error) of colours in [0, 1]."""
    return -10 * math.log10(error)


def losses_of(setting: Setting, images: Tensor, passed: autoencoder.Pass) -> dict[str, Tensor]:
    """Return the losses of a setting by name, in its units."""
    values = autoencoder.losses(images, passed, higher_moments=setting.higher_moments)
    if setting.units == "means":
        values = {name: PLAIN_MEANS.get(name, 1.0) * value for name, value in values.items()}
    return values


class Training(NamedTuple):
    """A trained autoencoder, its losses (steps, m) by name, the rule's weights, and its end."""

    network: VariationalAutoencoder
    losses: dict[str, list[float]]
    weights: list[np.ndarray[Any, Any]]
    finite: bool


@kept
def train(
    setting: str, rule: str, step_size: float, steps: int, seed: int, images: str = "photographs"
) -> Training:
    """Train an autoencoder with Adam on the direction that a rule of aggregation gives.

    All rules see the same first weights and the same batches at the same seed.

    Parameters
    ----------
    setting : {"five", "seven", "means"}
        A name in `SETTINGS`.
    rule : str
        A name in `RULES`.
    step_size : float
        Adam's, positive.
    steps : int
        Number of batches of 64.
    seed : int
        Of everything that is random.
    images : str
        A source that `descent.networks.image_patches.load` knows.

    Raises
    ------
    ValueError, TypeError
        If an argument is out of its range.
    """
    check_step_size(step_size)
    if setting not in SETTINGS or rule not in RULES:
        raise ValueError(
            f"setting must be in {list(SETTINGS)} and rule in {list(RULES)}; "
            f"got {setting!r}, {rule!r}"
        )
    sets, chosen = data(images), SETTINGS[setting]
    constant = constant_weights(setting, rule)
    follow = aggregation.RULES[rule if constant is None else "fixed_weights"]
    generator = torch.Generator().manual_seed(seed)
    history: dict[str, list[float]] = {}
    weights = []
    finite = True
    with one_thread():
        network = VariationalAutoencoder(sets.mean_image, generator)
        parameters = list(network.parameters())
        adam = torch.optim.Adam(parameters, step_size)
        state: Any = np.random.default_rng(seed) if rule == "random_alternation" else None
        for _ in range(check_count("steps", steps)):
            batch = sets.train[torch.randint(len(sets.train), (BATCH,), generator=generator)]
            values = losses_of(chosen, batch, network(batch, generator))
            stacked = torch.stack(list(values.values()))
            finite = bool(stacked.isfinite().all())
            if not finite:
                break
            for name, value in values.items():
                history.setdefault(name, []).append(float(value.detach()))
            options = {}
            if constant is not None:
                options["weights"] = constant
            combined = follow(stacked, parameters, state, **options)
            state = combined.state
            weights.append(combined.weights)
            for parameter, gradient in zip(parameters, combined.gradient, strict=True):
                parameter.grad = gradient
            adam.step()
    return Training(network, history, weights, finite)


@cache
def constant_weights(setting: str, rule: str) -> tuple[float, ...] | None:
    """Return the weights of a rule with constant ones: None for the others.

    "slope_average" holds the weights at what "loss_slope" gives on average in a training with
    a seed of its own: the control for whether it matters that they move.
    """
    if rule == "fixed_weights":
        chosen = SETTINGS[setting]
        names = autoencoder.LOSSES + autoencoder.HIGHER_MOMENTS * chosen.higher_moments
        return tuple(BOUND_WEIGHTS.get(name, 0.1) for name in names)
    if rule == "slope_average":
        moving = train(setting, "loss_slope", STEP_SIZES[1], STEPS, TUNING_SEED)
        return tuple(float(w) for w in np.mean(moving.weights, axis=0))
    return None


@contextmanager
def one_thread() -> Iterator[None]:
    """Let torch use one thread: the order of its sums, and so the numbers, stay the same."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before)


def measure(trained: Training, seed: int, images: str = "photographs") -> dict[str, Any]:
    """Measure a trained autoencoder on the test images.

    Returns
    -------
    dict
        ``error`` the mean square error of the images decoded from the latent's mean; the root
        mean square over entries of the batch mean (``mean_error``) and of C - I
        (``covariance_error``) of the sampled latent, over all test images as one batch;
        ``skewness``, ``kurtosis`` and ``kl`` as the losses of these names; ``failure``: "not
        finite", "collapse" where the error is above 0.9 of the mean image's, or "".
    """
    sets = data(images)
    with torch.no_grad(), one_thread():
        passed = trained.network(sets.test, torch.Generator().manual_seed(seed))
        error = float((trained.network.decode(passed.mean) - sets.test).square().mean())
        values = autoencoder.losses(sets.test, passed, higher_moments=True)
    measured = {
        "error": error,
        "mean_error": math.sqrt(float(values["batch mean"])),
        "covariance_error": math.sqrt(float(values["batch covariance"]) / LATENT),
        "skewness": float(values["skewness"]),
        "kurtosis": float(values["kurtosis"]),
        "kl": float(values["KL"]),
    }
    if not (trained.finite and all(map(math.isfinite, measured.values()))):
        return dict.fromkeys(measured, -1.0) | {"failure": "not finite"}
    collapsed = error > COLLAPSE * sets.mean_image_error
    return measured | {"failure": "collapse" if collapsed else ""}


def train_once(
    setting: str, rule: str, step_size: float, steps: int, seed: int, images: str = "photographs"
) -> dict[str, Any]:
    """Train and measure: a row of the sweep."""
    return measure(train(setting, rule, step_size, steps, seed, images), seed, images)


SHOWN = (216, 648, 1332)  # test patches: a roof against the sky, a roof, petals
PICTURED = (
    ("seven", "equal_sum", STEPS),
    ("seven", "equal_sum", LONG_STEPS),
    ("seven", "loss_slope", LONG_STEPS),
)


def reconstruct_once(
    setting: str, rule: str, step_size: float, steps: int, seed: int, patches: int
) -> dict[str, Any]:
    """Train, and return some test patches as decoded: (patches, 32, 32, 3), flat.

    The levels run from 100 to 355: a rounding apart is then within one in a hundred.
    """
    network = train(setting, rule, step_size, steps, seed).network
    with torch.no_grad(), one_thread():
        made = network.decode(network.encode(data().test[list(SHOWN[:patches])])[0])
    return {"levels": (100 + as_bytes(made).astype(int)).ravel().tolist()}


def as_bytes(images: Tensor) -> np.ndarray[Any, Any]:
    """Return images (n, 3, 32, 32) as bytes (n, 32, 32, 3)."""
    scaled = (255 * images.clamp(0, 1)).round().to(torch.uint8)
    return scaled.permute(0, 2, 3, 1).numpy()


def chosen_steps(tuning: pandas.DataFrame) -> pandas.Series:
    """Return for each setting and rule the step size of the least error.

    The middle one stays unless another is better by more than one in a hundred.
    """
    errors = tuning.set_index(["setting", "rule", "step_size"]).error.unstack()
    errors[STEP_SIZES[1]] *= 0.99
    return errors.idxmin(axis=1)


def summary(frame: pandas.DataFrame) -> pandas.DataFrame:
    """Return medians by setting and rule: error, in decibels and not, statistics, failures."""
    groups = frame.groupby(["setting", "rule"], sort=False)
    table = groups[["error", "mean_error", "covariance_error", "skewness", "kurtosis"]].median()
    table["decibels"] = table.error.map(decibels)
    table["failures"] = groups.failure.agg(lambda column: int((column != "").sum()))
    table["trainings"] = groups.size()
    return table


def gain(frame: pandas.DataFrame, setting: str, rule: str) -> tuple[float, float]:
    """Return by how many decibels a rule beats the equal sum, seed by seed, and its error."""
    part = frame[frame.setting == setting].pivot(index="seed", columns="rule", values="error")
    differences = part[rule].map(decibels) - part["equal_sum"].map(decibels)
    return float(differences.mean()), float(differences.sem())


def pictures(frame: pandas.DataFrame) -> dict[str, np.ndarray[Any, Any]]:
    """Return rows of patches (n, 32, 32, 3) by label: the originals, then what was stored."""
    rows = {"original": as_bytes(data().test[list(SHOWN)])}
    by_point = frame.set_index(["setting", "rule", "steps"])["levels"]
    for setting, rule, steps in PICTURED:
        label = f"{RULES[rule].split(' (')[0]},\n{steps} steps"
        levels = np.array(by_point[setting, rule, steps]) - 100
        rows[label] = levels.astype(np.uint8).reshape(rows["original"].shape)
    return rows
