"""Chapter 12: update tallies and forks of a digit classifier.

The network has one hidden layer of 100 neurons and two outputs, and learns to tell
1 and 7 from 6 and 8, one sample a step. What the source leaves out, the step size and
the activation of the outputs, are parameters here.
"""

import functools
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from descent import localization
from descent.digit_images import DigitImages, load_digit_images
from descent.localization import Localization, Samples
from descent.perceptrons import accuracy, he_initialization, mean_loss

Array = NDArray[np.float64]

SIDES = ((1, 7), (6, 8))
ACTIVATIONS = ("softplus", "ReLU", "GELU", "tanh", "sigmoid")
STEP_SIZES = (1e-5, 3e-5, 1e-4, 3e-4, 1e-3, 3e-3, 1e-2, 3e-2, 1e-1, 3e-1)
SOURCE_R2 = {"biases": 0.17, "weights": 0.28}


@dataclass(frozen=True)
class Phases:
    """The samples of an experiment.

    Attributes
    ----------
    first, rest, test : Samples
        Of the first phase, of the forks, and held out.
    side : int
        Width of an image in pixels.
    """

    first: Samples
    rest: Samples
    test: Samples
    side: int


def split(images: DigitImages, n_first: int) -> Phases:
    """Return the four digits among the first images, the other training images, the test images."""
    cuts = (slice(0, n_first), slice(n_first, images.n_training), slice(images.n_training, None))
    first, rest, test = (
        localization.questions(images.inputs(cut), images.labels[cut], SIDES) for cut in cuts
    )
    return Phases(first, rest, test, images.side)


@functools.cache
def phases(data: str, n_first: int) -> Phases:
    """Return the phases of ``"mnist"`` or ``"digits"``; FileNotFoundError where MNIST is not."""
    return split(load_digit_images(data), n_first)


def controlled(samples: Phases, control: str, rng: np.random.Generator) -> Phases:
    """Return the samples as they are or with their groups dealt out anew.

    ``control`` is ``"none"``, ``"random halves"`` (the parts of each side) or
    ``"shuffled digits"`` (sides and parts).
    """
    if control == "none":
        return samples
    shuffle = {
        "random halves": localization.shuffled_parts,
        "shuffled digits": localization.shuffled_digits,
    }[control]
    return Phases(
        shuffle(samples.first, rng), shuffle(samples.rest, rng), samples.test, samples.side
    )


def experiment(
    samples: Phases,
    step_size: float,
    *,
    activation: str = "softplus",
    output: str = "same",
    hidden: int = 100,
    batch_size: int = 1,
    n_networks: int = 1,
    seed: int = 0,
) -> Localization:
    """Run both phases. ``output`` is ``"same"``, the hidden activation, or ``"linear"``."""
    networks = he_initialization(
        n_networks,
        (samples.side**2, hidden, 2),
        np.random.default_rng(seed),
        activation=activation,
        output_activation=activation if output == "same" else output,
    )
    return localization.localize(
        networks, samples.first, samples.rest, step_size, batch_size=batch_size
    )


def permuted(x: Array, y: Array, rng: np.random.Generator, repeats: int = 5) -> float:
    """Return the mean correlation of x with y when the hidden neurons of y change places."""
    return float(
        np.mean([localization.correlation(x, y[rng.permutation(len(y))]) for _ in range(repeats)])
    )


def statistics(found: Localization, samples: Phases, rng: np.random.Generator) -> dict[str, Array]:
    """Return the correlations and their controls, an array over the networks each.

    Keys: ``weights``, ``biases`` (hidden layer), ``all biases`` (with those of the outputs),
    ``output weights``; ``weights throughout``, ``biases throughout`` with updates tallied over the
    whole first phase; ``permuted`` (neurons exchanged), ``within`` (given the pixel),
    ``partial`` (given the pixel's mean activities), ``between`` (means over the neurons).
    """
    x, y = found.updating["hidden_weights"], found.difference["hidden_weights"]
    activity = localization.activity_share(samples.first)
    contrast = localization.contrast_share(samples.rest)
    every = [
        np.concatenate([part["hidden_biases"], part["output_biases"]], axis=1)
        for part in (found.updating, found.difference)
    ]
    pairs = list(zip(x, y, strict=True))
    correlation = localization.correlation
    return {
        "weights": found.correlations("hidden_weights"),
        "biases": found.correlations("hidden_biases"),
        "all biases": np.array([correlation(a, b) for a, b in zip(*every, strict=True)]),
        "output weights": found.correlations("output_weights"),
        "weights throughout": found.correlations("hidden_weights", throughout=True),
        "biases throughout": found.correlations("hidden_biases", throughout=True),
        "permuted": np.array([permuted(a, b, rng) for a, b in pairs]),
        "within": np.array([localization.within_pixel_correlation(a, b) for a, b in pairs]),
        "partial": np.array(
            [localization.partial_correlation(a, b, activity, contrast) for a, b in pairs]
        ),
        "between": np.array([correlation(_mean(a), _mean(b)) for a, b in pairs]),
        "accuracy": accuracy(found.trained, samples.test.inputs, samples.test.targets),
        "loss": mean_loss(found.trained, samples.test.inputs, samples.test.targets),
    }


def _mean(v: Array) -> Array:
    """Return the mean over the neurons for each input, without the dead ones."""
    finite = np.isfinite(v)
    total = np.where(finite, v, 0).sum(axis=0)
    return np.divide(
        total, finite.sum(axis=0), out=np.full(v.shape[1], np.nan), where=finite.any(axis=0)
    )
