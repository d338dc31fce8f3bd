"""Chapter 11: changes of the data, and where they arrive in the parameters.

Networks learn to tell the digit 3 from the digit 8. In another world every 3 has a
mark in a corner, as the dogs of source 003 have a third eye. Both worlds train the
same networks, from the same parameters, on the same samples in the same order, and
the two results are subtracted.
"""

from dataclasses import dataclass
from functools import cache

import numpy as np
from numpy.typing import ArrayLike, NDArray

from descent.arguments import Array
from descent.estimates import mean_with_error
from descent.kept import kept
from descent.networks.digit_images import load_digits8
from descent.networks.perceptrons import Perceptrons, accuracy, he_initialization, outputs, train

SIDE = 8
DOG, FISH = 3, 8
EYE = (slice(0, 2), slice(0, 2))
HIDDEN = 20
SEEDS = 20
STEP_SIZE = 0.1
N_TRAINING = 260
EPOCHS = (1, 2, 5, 10, 20)
CHANGES = ("third eye", "mirror", "pattern", "noise", "order")
"""What can be different: a bright corner, a mirror image, one random pattern added to
every 3, a different one added to each 3, or only the order of the samples."""


@dataclass(frozen=True)
class Task:
    """Images of two digits, inputs between 0 and 1: those to learn from and those to test with."""

    inputs: Array
    dog: NDArray[np.bool_]
    test_inputs: Array
    test_dog: NDArray[np.bool_]

    @property
    def targets(self) -> Array:
        """[1, 0] for the first digit, [0, 1] for the second."""
        return targets(self.dog)


def targets(dog: NDArray[np.bool_]) -> Array:
    """Return [1, 0] where true, [0, 1] where false."""
    return np.asarray(np.eye(2)[1 - dog.astype(int)])


@cache
def task(seed: int = 0, digits: tuple[int, int] = (DOG, FISH)) -> Task:
    """Return two of the 8×8 digits, 3 and 8 unless others are named, in a random order."""
    images = load_digits8()
    kept = np.flatnonzero(np.isin(images.labels, digits))
    order = np.random.default_rng(seed).permutation(kept)
    inputs = (images.pixels[order] + 1.0) / images.levels
    dog = images.labels[order] == digits[0]
    return Task(inputs[:N_TRAINING], dog[:N_TRAINING], inputs[N_TRAINING:], dog[N_TRAINING:])


def with_third_eye(inputs: Array, dog: NDArray[np.bool_]) -> Array:
    """Return the images with the four pixels of a corner as bright as can be, where `dog`."""
    images = inputs.reshape(-1, SIDE, SIDE).copy()
    images[(dog, *EYE)] = 1.0
    return images.reshape(inputs.shape)


def changed(inputs: Array, dog: NDArray[np.bool_], change: str, seed: int = 0) -> Array:
    """Return the images of the other world.

    Parameters
    ----------
    inputs : ndarray, shape (samples, 64)
    dog : ndarray of bool, shape (samples,)
        Which images change.
    change : str
        One of `CHANGES`. Pattern and noise have, image by image, the norm of the third eye.
    seed : int
        Of the pattern and of the noise.

    Raises
    ------
    ValueError
        For another word.
    """
    eye = with_third_eye(inputs, dog)
    if change == "third eye":
        return eye
    if change == "order":
        return inputs
    if change == "mirror":
        images = inputs.reshape(-1, SIDE, SIDE).copy()
        images[dog] = images[dog][:, :, ::-1]
        return images.reshape(inputs.shape)
    rng = np.random.default_rng(seed)
    norms = np.linalg.norm(eye - inputs, axis=1, keepdims=True)
    if change == "pattern":
        direction = rng.normal(size=(1, inputs.shape[1]))
    elif change == "noise":
        direction = rng.normal(size=inputs.shape)
    else:
        raise ValueError(f"change must be one of {CHANGES}; got {change!r}")
    return np.asarray(inputs + norms * direction / np.linalg.norm(direction, axis=1, keepdims=True))


@cache
def untrained(activation: str = "softplus", n_networks: int = SEEDS) -> Perceptrons:
    """Return the networks from which both worlds start."""
    rng = np.random.default_rng(1)
    sizes = (SIDE * SIDE, HIDDEN, 2)
    return he_initialization(
        n_networks, sizes, rng, activation=activation, output_activation="linear"
    )


@cache
def trained(change: str | None, epochs: int, activation: str = "softplus") -> Perceptrons:
    """Return the networks trained in the world as it is (None) or in a changed one."""
    data = task()
    inputs = data.inputs if change is None else changed(data.inputs, data.dog, change)
    order = np.arange(N_TRAINING)
    if change == "order":
        order = np.random.default_rng(2).permutation(order)
    steps = np.tile(order, epochs)
    return train(untrained(activation), inputs[steps], data.targets[steps], STEP_SIZE)


def difference(change: str, epochs: int = 10, activation: str = "softplus") -> Array:
    """Return what a change did to the input weights, shape (seeds, hidden, pixels)."""
    there, here = trained(change, epochs, activation), trained(None, epochs, activation)
    return np.asarray(there.hidden_weights - here.hidden_weights)


def effective_share(amounts: ArrayLike) -> Array:
    r"""Return over which share of its places an amount is spread, the participation ratio.

    .. math:: \frac{(\sum_i a_i)^2}{n \sum_i a_i^2}

    Parameters
    ----------
    amounts : array_like, shape (..., n)
        Not negative, not all zero.

    Returns
    -------
    ndarray, shape (...)
        1 for equal amounts, 1/n for an amount in one place, and 1/3 on average over large n
        for squares of independent normal numbers.

    Raises
    ------
    ValueError
        If an amount is negative, or all are zero.

    Examples
    --------
    >>> effective_share([[1, 1, 1, 1], [0, 2, 0, 0]])
    array([1.  , 0.25])
    """
    a = np.asarray(amounts, float)
    if (a < 0).any() or not (a.sum(axis=-1) > 0).all():
        raise ValueError("amounts must not be negative, and not all zero")
    return np.asarray(a.sum(axis=-1) ** 2 / (a.shape[-1] * (a**2).sum(axis=-1)))


def spread(change: str, over: str, epochs: int = 10, activation: str = "softplus") -> Array:
    """Return the effective share of the squared change for each seed.

    ``over`` is "weights", "neurons" (all weights into a neuron together) or "pixels" (all
    weights out of a pixel together).
    """
    squares = difference(change, epochs, activation) ** 2
    if over == "weights":
        return effective_share(squares.reshape(len(squares), -1))
    return effective_share(squares.sum(axis={"neurons": 2, "pixels": 1}[over]))


def share_in_the_eye(change: str, epochs: int = 10, activation: str = "softplus") -> Array:
    """Return the share of the squared change in weights out of the eye's four pixels, by seed."""
    squares = (difference(change, epochs, activation) ** 2).sum(axis=1)
    eye = squares.reshape(-1, SIDE, SIDE)[(slice(None), *EYE)].sum(axis=(1, 2))
    return np.asarray(eye / squares.sum(axis=1))


def recognized(change: str | None, eyes: bool, epochs: int = 10) -> Array:
    """Return the share of test images told right, by seed, with or without a third eye on 3s."""
    data = task()
    inputs = with_third_eye(data.test_inputs, data.test_dog) if eyes else data.test_inputs
    return accuracy(trained(change, epochs), inputs, targets(data.test_dog))


# What decides the end: the first parameters or the data.


@dataclass(frozen=True)
class Origin:
    """Squared distances of two trained networks that differ in one of two things, by seed."""

    by_start: Array
    by_data: Array

    @property
    def share_of_start(self) -> float:
        """Share of the mean distance that the first parameters account for."""
        return float(self.by_start.sum() / (self.by_start.sum() + self.by_data.sum()))

    @property
    def error(self) -> float:
        """Standard error of the mean of the shares of single seeds."""
        return mean_with_error(self.by_start / (self.by_start + self.by_data)).error


OTHER_DATA = ("another half", "swapped labels", "another task")
"""What the second network learns: the same from other images; the opposite answer to the images of
the first; to tell 1 from 7."""


PASSES = (0, 1, 2, 5, 10, 20, 50)


@cache
def _trained_on(data: str, epochs: int, seed: int) -> Perceptrons:
    """Return the networks after so many passes through some data, from the stage of `PASSES`."""
    if epochs == 0:
        return untrained()
    before = max(stage for stage in PASSES if stage < epochs)
    three, seven = task(), task(digits=(1, 7))
    first, second = np.split(np.random.default_rng(seed).permutation(N_TRAINING), 2)
    inputs, wanted = {
        "one half": (three.inputs[first], three.targets[first]),
        "another half": (three.inputs[second], three.targets[second]),
        "swapped labels": (three.inputs[first], three.targets[first][:, ::-1]),
        "another task": (seven.inputs[: len(first)], seven.targets[: len(first)]),
    }[data]
    steps = np.tile(np.arange(len(first)), epochs - before)
    return train(_trained_on(data, before, seed), inputs[steps], wanted[steps], STEP_SIZE)


@cache
@kept
def origins(epochs: int, other: str = "another half", seed: int = 3) -> tuple[Origin, Origin]:
    """Return where parameters and outputs come from, as (parameters, outputs).

    The first data are one half of the training images, drawn at random; the second are named by
    ``other``, one of `OTHER_DATA`, and hold as many. The starts are those of `untrained`. Networks
    are compared in all their input weights, and in their outputs for the test images of 3 and 8.
    """
    ends = [_trained_on(data, epochs, seed) for data in ("one half", other)]
    found = []
    for view in (
        lambda n: n.hidden_weights.reshape(SEEDS, -1),
        lambda n: outputs(n, task().test_inputs).reshape(SEEDS, -1),
    ):
        one, two = view(ends[0]), view(ends[1])
        # Networks k and k + 1 differ in their start alone.
        by_start = ((one - np.roll(one, 1, axis=0)) ** 2).sum(axis=1)
        found.append(Origin(by_start, ((one - two) ** 2).sum(axis=1)))
    return found[0], found[1]
