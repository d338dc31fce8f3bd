"""Chapter 11: what the size of its updates says about a parameter.

Second hypothesis: the updates that a sample causes in a parameter tell how much the
parameter would have come out otherwise without the sample. Third hypothesis: neurons of two
networks that know the same are updated by the same samples.
"""

from dataclasses import dataclass, replace
from functools import cache

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import linear_sum_assignment

from descent.arguments import Array
from descent.chapters.finding_knowledge.numbers import task
from descent.kept import kept
from descent.networks.digit_images import load_digits8
from descent.networks.perceptrons import (
    Perceptrons,
    he_initialization,
    hidden_outputs,
    outputs,
    train,
    train_with_tallies,
)

FEW = 60
"""Samples that are left out one after the other."""
FEW_EPOCHS = 5
FEW_STEP_SIZE = 0.05
SEEDS = 20

N_TRAINING = 600
STEP_SIZE = 0.02
MATCHING_EPOCHS = (1, 3, 10, 20)
WIDTHS = (20, 40)
MATCHING_SEEDS = 10


@dataclass(frozen=True)
class LeaveOneOut:
    """Updates by each sample, and what the end would have been without it.

    Both arrays have the shape (seeds, samples, weights): U, the sum of the absolute updates of
    a weight in the sample's steps, and D, the absolute difference that training without the
    sample makes to the weight.
    """

    updates: Array
    differences: Array
    dog: NDArray[np.bool_]


@cache
@kept
def leave_one_out(activation: str = "softplus", seeds: int = SEEDS) -> LeaveOneOut:
    """Train once with all of the samples and once without each of them."""
    data = task()
    inputs, targets = data.inputs[:FEW], data.targets[:FEW]
    networks = he_initialization(
        seeds,
        (inputs.shape[1], 20, 2),
        np.random.default_rng(1),
        activation=activation,
        output_activation="linear",
    )
    steps = np.tile(np.arange(FEW), FEW_EPOCHS)
    everything, tallies = train_with_tallies(
        networks, inputs[steps], targets[steps], FEW_STEP_SIZE, steps, FEW
    )
    differences = []
    for left_out in range(FEW):
        rest = steps[steps != left_out]
        without = train(networks, inputs[rest], targets[rest], FEW_STEP_SIZE)
        differences.append(abs(without.hidden_weights - everything.hidden_weights))
    return LeaveOneOut(
        tallies["hidden_weights"].reshape(FEW, seeds, -1).swapaxes(0, 1),
        np.array(differences).reshape(FEW, seeds, -1).swapaxes(0, 1),
        data.dog[:FEW],
    )


def _standard(values: Array, axis: int) -> Array:
    """Return values less their mean, over their standard deviation; constants become zero."""
    centred = values - values.mean(axis=axis, keepdims=True)
    deviation = centred.std(axis=axis, keepdims=True)
    return np.asarray(centred / np.where(deviation > 1e-12, deviation, 1))


def cross_correlations(run: LeaveOneOut) -> Array:
    """Return the correlation, over the weights, of the updates by i with the loss of j.

    Shape (seeds, samples, samples); the diagonal belongs to the sample itself.
    """
    u, d = _standard(run.updates, 2), _standard(run.differences, 2)
    return np.asarray(u @ d.swapaxes(1, 2) / u.shape[2])


@dataclass(frozen=True)
class Agreement:
    """Mean correlations by seed: with the sample itself and with others."""

    own: Array
    same_digit: Array
    other_digit: Array
    rank: Array
    """Share of other samples whose correlation is below the own one; ½ by chance."""


def agreement(run: LeaveOneOut) -> Agreement:
    """Compare the correlation of each sample's updates with its own loss and with others'."""
    r = cross_correlations(run)
    own = np.diagonal(r, axis1=1, axis2=2)
    alike = run.dog[:, None] == run.dog
    others = ~np.eye(FEW, dtype=bool)
    return Agreement(
        own.mean(axis=1),
        r[:, alike & others].mean(axis=1),
        r[:, ~alike].mean(axis=1),
        ((r < own[:, :, None]) & others).sum(axis=(1, 2)) / others.sum(),
    )


# The knowledge of one class


@cache
def ten_digits(seed: int = 0) -> tuple[Array, NDArray[np.intp]]:
    """Return all 8×8 digits, inputs and labels, in a random order."""
    images = load_digits8()
    order = np.random.default_rng(seed).permutation(len(images.labels))
    return (images.pixels[order] + 1.0) / images.levels, images.labels[order]


@dataclass(frozen=True)
class History:
    """Networks before and after training, and the updates of the last pass by sample."""

    before: Perceptrons
    after: Perceptrons
    weight_updates: Array
    """By digit, shape (10, K, hidden, pixels), summed over all passes."""
    profiles: Array
    """Updates of the hidden biases in the last pass, shape (samples, K, hidden)."""


@cache
def history(width: int, epochs: int, activation: str = "softplus", seed: int = 1) -> History:
    """Train networks of one width to tell ten digits, and keep their history."""
    x, labels = ten_digits()
    x, labels = x[:N_TRAINING], labels[:N_TRAINING]
    y = np.eye(10)[labels]
    before = he_initialization(
        MATCHING_SEEDS,
        (x.shape[1], width, 10),
        np.random.default_rng([seed, width]),
        activation=activation,
        output_activation="linear",
    )
    steps = np.tile(np.arange(N_TRAINING), epochs - 1)
    networks, by_digit = before, np.zeros((10, *before.hidden_weights.shape))
    if epochs > 1:
        networks, tallies = train_with_tallies(
            before, x[steps], y[steps], STEP_SIZE, labels[steps], 10
        )
        by_digit += tallies["hidden_weights"]
    after, tallies = train_with_tallies(
        networks, x, y, STEP_SIZE, np.arange(N_TRAINING), N_TRAINING
    )
    for digit in range(10):
        by_digit[digit] += tallies["hidden_weights"][labels == digit].sum(axis=0)
    return History(before, after, by_digit, tallies["hidden_biases"])


def recall(networks: Perceptrons) -> Array:
    """Return the share of each digit's test images told right, shape (K, 10)."""
    x, labels = ten_digits()
    found = outputs(networks, x[N_TRAINING:]).argmax(axis=2)
    labels = labels[N_TRAINING:]
    return np.stack([(found[:, labels == digit] == digit).mean(axis=1) for digit in range(10)], 1)


def largest(values: Array, fraction: float) -> NDArray[np.bool_]:
    """Return which weights of each network have the largest values, a fraction of them.

    Of equal values the first are taken: a sort that is not stable takes others on each processor.
    """
    flat = values.reshape(len(values), -1)
    count = round(fraction * flat.shape[1])
    chosen = np.zeros(flat.shape, bool)
    order = np.argsort(-flat, axis=1, kind="stable")
    np.put_along_axis(chosen, order[:, :count], True, axis=1)
    return chosen.reshape(values.shape)


RULES = ("share of updating", "pixels alone", "same pixels, other neurons", "updating", "at random")


@kept
def forgetting(rule: str, fraction: float, width: int = 40, epochs: int = 5) -> tuple[Array, Array]:
    """Reset weights to their values before training, and return the recall that is lost.

    Parameters
    ----------
    rule : str
        Which weights: those with the largest share of updating by one digit; those out of the
        pixels whose mean share is largest, whatever the neuron; as many out of each pixel as the
        first rule takes, but into other neurons; those with the largest updating; random ones.
    fraction : float
        How many of the input weights, 0 to 1.

    Returns
    -------
    own, others : ndarray, shape (K,)
        Mean loss of recall of the digit that chose the weights, and of the other nine; each of
        the ten digits chooses in turn.
    """
    run = history(width, epochs)
    rng = np.random.default_rng(5)
    whole = recall(run.after)
    own, others = [], []
    for digit in range(10):
        share = run.weight_updates[digit] / run.weight_updates.sum(axis=0)
        values = {
            "share of updating": share,
            "pixels alone": np.broadcast_to(share.mean(axis=1, keepdims=True), share.shape),
            # The places that the first rule takes, in the rows of other neurons.
            "same pixels, other neurons": share[:, rng.permutation(share.shape[1])],
            "updating": run.weight_updates[digit],
            "at random": rng.random(run.after.hidden_weights.shape),
        }[rule]
        reset = np.where(
            largest(values, fraction), run.before.hidden_weights, run.after.hidden_weights
        )
        lost = whole - recall(replace(run.after, hidden_weights=reset))
        own.append(lost[:, digit])
        others.append(np.delete(lost, digit, axis=1).mean(axis=1))
    return np.mean(own, axis=0), np.mean(others, axis=0)


# Matching neurons of two networks


def likeness(first: Array, second: Array) -> Array:
    """Return the correlations of two sets of columns, shape (first's, second's)."""
    return np.asarray(_standard(first, 0).T @ _standard(second, 0) / len(first))


PAIRINGS = ("update profiles", "input weights", "answers in training", "shuffled profiles")
"""What two neurons are compared by; none of them sees the images on which pairs are judged."""


@dataclass(frozen=True)
class Matching:
    """How alike matched neurons answer to new images, by pair of networks.

    Attributes
    ----------
    alike : dict of ndarray
        Mean absolute correlation of the answers of matched neurons, by pairing.
    best, at_random : ndarray
        The same for the pairs that are best by this measure, and for all pairs.
    read : dict of ndarray
        Share of the larger network's matched neurons whose digit is that of their partner, by
        pairing, with "best pairs" and "any pairs".
    """

    alike: dict[str, Array]
    best: Array
    at_random: Array
    read: dict[str, Array]

    def score(self, pairing: str) -> Array:
        """Return 0 for random pairs and 1 for the best possible ones."""
        return np.asarray((self.alike[pairing] - self.at_random) / (self.best - self.at_random))


def preferred_digit(answers: Array, labels: NDArray[np.intp]) -> NDArray[np.intp]:
    """Return the digit to which each neuron answers most, in the mean over its images.

    ``answers`` has the shape (samples, neurons). It is what a reader of a network would write
    beside a neuron, and it needs labels.
    """
    means = np.array([answers[labels == digit].mean(axis=0) for digit in range(10)])
    return np.asarray(means.argmax(axis=0))


@cache
@kept
def matching(epochs: int, activation: str = "softplus") -> Matching:
    """Pair the neurons of a narrow and a wide network in several ways, and judge the pairs.

    The pairs maximize the sum of correlations (linear assignment): of the neurons' profiles, the
    share of the network's updating that each sample causes in them; of their input weights; of
    their answers to the images of the training.
    """
    runs = [history(width, epochs, activation) for width in WIDTHS]
    x, labels = ten_digits()
    profiles = []
    for run in runs:
        total = run.profiles.sum(axis=2, keepdims=True)
        profiles.append(run.profiles / np.where(total > 0, total, 1))
    known = [hidden_outputs(run.after, x[:N_TRAINING]) for run in runs]
    answers = [hidden_outputs(run.after, x[N_TRAINING:]) for run in runs]
    shuffle = np.random.default_rng(7).permutation(N_TRAINING)
    alike: dict[str, list[float]] = {name: [] for name in PAIRINGS}
    read: dict[str, list[float]] = {name: [] for name in (*PAIRINGS, "best pairs", "any pairs")}
    ends = []
    for k in range(MATCHING_SEEDS):
        judged = abs(likeness(answers[0][k], answers[1][k]))
        digits = [preferred_digit(a[k], labels[N_TRAINING:]) for a in answers]
        same = digits[0][:, None] == digits[1]
        likenesses = {
            "update profiles": likeness(profiles[0][:, k], profiles[1][:, k]),
            "input weights": likeness(*(run.after.hidden_weights[k].T for run in runs)),
            "answers in training": likeness(known[0][k], known[1][k]),
            "shuffled profiles": likeness(profiles[0][shuffle, k], profiles[1][:, k]),
        }
        for name, values in likenesses.items():
            pairs = linear_sum_assignment(-values)
            alike[name].append(judged[pairs].mean())
            read[name].append(same[pairs].mean())
        best = linear_sum_assignment(-judged)
        ends.append((judged[best].mean(), judged.mean()))
        read["best pairs"].append(same[best].mean())
        read["any pairs"].append(same.mean())
    highest, lowest = np.array(ends).T
    return Matching(
        {name: np.array(values) for name, values in alike.items()},
        highest,
        lowest,
        {name: np.array(values) for name, values in read.items()},
    )
