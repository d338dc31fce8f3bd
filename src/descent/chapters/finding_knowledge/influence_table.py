"""Chapter 11: the tables of estimates of influence, and what was expected of it."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache

import numpy as np

from descent import sweeps
from descent.arguments import Array

TABLE, BALANCED, OTHER_ASKED = "11-influence", "11-influence-balanced", "11-influence-other-asked"
PASSES = (10, 40, 200)
SEEDS = tuple(range(10))
ALONE = 120
"""Images, each of which is left out in turn."""
GROUPS = 200
"""Random halves of them that are left out together."""
REMOVED = (4, 12)
"""How many images are removed that a method names."""
METHODS = (
    "leave-one-out",
    "another start",
    "unrolled",
    "Hessian",
    "EK-FAC",
    "TRAK",
    "TracIn",
    "tally",
    "tally, by label",
    "another's tally",
    "training loss",
    "pixels",
    "label alone",
)
"""What names the images: exact retraining itself; the same from another start; five estimates; the
source's tally, each weight's times what the loss depends on it, without a sign and with the
sign of equal or unequal labels; and, with this sign, the tally of another image, the
image's loss in training, the cosine of the two images, and nothing else."""
OF_WEIGHTS = ("unrolled", "Hessian", "EK-FAC", "own updates", "tally", "another's tally")
"""What says of each weight how much it changes."""


@cache
def column(name: str, passes: int) -> Array:
    """Return the results of one column, by seed; a list of numbers makes further axes."""
    table = sweeps.load(BALANCED if "balanced" in name else TABLE)
    chosen = table[table.passes == passes].sort_values("seed")
    return np.array(chosen[name].tolist(), float)


def scores(name: str, method: str, passes: int) -> Array:
    """Return how a method does by one measure, by seed.

    Measures are ``rank`` and ``rank_of_sizes``, ``groups`` and ``balanced``, and ``own`` and
    ``better`` of weights.
    """
    methods = OF_WEIGHTS if name in ("own", "better") else METHODS
    return np.asarray(column(name, passes)[:, methods.index(method)])


def other_asked(name: str, passes: int) -> Array:
    """Return a control of the tally by seed, which was added when all else was there.

    ``rank_of_sizes`` and ``balanced`` are as in `scores`, of the tally that is asked about another
    held-out image than the one whose losses are compared; ``alike`` is the share of pairs in which
    leaving out has the sign of the label.
    """
    table = sweeps.load(OTHER_ASKED)
    return np.array(table[table.passes == passes].sort_values("seed")[name], float)


def forgotten(method: str, passes: int, removed: int = REMOVED[-1]) -> Array:
    """Return the rise of a target's loss without the images that a method names, by seed."""
    place = len(METHODS) if method == "random" else METHODS.index(method)
    return np.asarray(column("forgotten", passes)[:, REMOVED.index(removed), place])


@dataclass(frozen=True)
class Prediction:
    """A sentence, and how the table decides it; written before the table was there."""

    sentence: str
    holds: Callable[[], bool]


def _mean(name: str, method: str, passes: int) -> float:
    return float(scores(name, method, passes).mean())


PREDICTIONS = (
    Prediction(
        "Unrolled differentiation orders single images best, above 0.95 at each length.",
        lambda: all(_mean("rank", "unrolled", n) > 0.95 for n in PASSES),
    ),
    Prediction(
        "The exact Hessian reaches 0.8 for single images at each length, with EK-FAC behind.",
        lambda: all(
            _mean("rank", "Hessian", n) > max(0.8, _mean("rank", "EK-FAC", n)) for n in PASSES
        ),
    ),
    Prediction(
        "For groups, leaving out one by one is no better a guide than unrolled differentiation.",
        lambda: all(
            _mean("groups", "leave-one-out", n) < _mean("groups", "unrolled", n) + 0.01
            for n in PASSES
        ),
    ),
    Prediction(
        "The tally without a sign is below 0.3 for groups at each length.",
        lambda: all(abs(_mean("groups", "tally", n)) < 0.3 for n in PASSES),
    ),
    Prediction(
        "With the label's sign it is above 0.8 for groups after 10 passes, below 0.65 after 200.",
        lambda: (
            _mean("groups", "tally, by label", 10) > 0.8
            and _mean("groups", "tally, by label", 200) < 0.65
        ),
    ),
    Prediction(
        "It beats another image's tally with this sign by 0.05 for groups at each length.",
        lambda: all(
            _mean("groups", "tally, by label", n) > _mean("groups", "another's tally", n) + 0.05
            for n in PASSES
        ),
    ),
    Prediction(
        "It is within 0.1 of the pixels' cosine with this sign for groups at each length.",
        lambda: all(
            abs(_mean("groups", "tally, by label", n) - _mean("groups", "pixels", n)) < 0.1
            for n in PASSES
        ),
    ),
    Prediction(
        "It is within 0.1 of TracIn for groups at each length.",
        lambda: all(
            abs(_mean("groups", "tally, by label", n) - _mean("groups", "TracIn", n)) < 0.1
            for n in PASSES
        ),
    ),
    Prediction(
        "Over the weights, the tally's correlation lies below the Hessian's at each length.",
        lambda: all(_mean("own", "tally", n) < _mean("own", "Hessian", n) for n in PASSES),
    ),
    Prediction(
        "After 200 passes the images that it names cost less than half of what the exact ones do.",
        lambda: (
            forgotten("tally, by label", 200).mean() < forgotten("leave-one-out", 200).mean() / 2
        ),
    ),
)
"""Written after one pilot training of 10 and one of 200 passes, whose images and starts are not in
the table, and before any other."""

LATER_PREDICTIONS = (
    Prediction(
        "After 10 passes TracIn and the tally with the label's sign fall below 0.6.",
        lambda: all(
            _mean("balanced", method, 10) < 0.6 for method in ("TracIn", "tally, by label")
        ),
    ),
    Prediction(
        "The influence function stays above 0.7 at each length, unrolled training above 0.8.",
        lambda: all(
            _mean("balanced", "Hessian", n) > 0.7 and _mean("balanced", "unrolled", n) > 0.8
            for n in PASSES
        ),
    ),
    Prediction(
        "The pixels' cosine is above the tally with the label's sign at each length.",
        lambda: all(
            _mean("balanced", "pixels", n) > _mean("balanced", "tally, by label", n) for n in PASSES
        ),
    ),
)
"""Of halves that keep the shares of the labels: written when the random ones had shown that after
10 passes the label alone tells them, and before a balanced half had been tried."""
