"""Where a network keeps what it learnt: update tallies against differences of forks.

The samples belong to two *sides*, which the network learns to tell apart, and each
side has two *parts*, which it is never asked to tell apart. With the sides {1, 7}
and {6, 8} the parts are the single digits.

While a network trains, the absolute updates of each parameter are summed, a over
the samples of side 0 and b over those of side 1. Then four forks of it train on,
each without one of the parts, and each parameter gets::

    c = |θ(without part 1 of side 0) - θ(without part 0 of side 0)|,
    d = |θ(without part 1 of side 1) - θ(without part 0 of side 1)|.

The *share of updating* is x = a / (a + b), the *share of difference*
y = c / (c + d). That the two are correlated over the parameters is the hypothesis
of source 003, posts 3 and 4: what a parameter knows about a part of the data shows
in the updates that this part caused.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from descent.arguments import (
    Array,
    check_array,
    check_choice,
    check_count,
    check_flag,
    check_generator,
    check_indices,
    check_kind,
    check_numbers,
    check_real,
    check_step_size,
)
from descent.networks.perceptrons import PARAMETERS, Perceptrons, train, train_with_tallies
from descent.networks.update_shares import (
    correlation,
    partial_correlation,
    pixel_correlations,
    share,
    within_pixel_correlation,
)

__all__ = [
    "Localization",
    "Samples",
    "activity_share",
    "contrast_share",
    "correlation",
    "localize",
    "partial_correlation",
    "pixel_correlations",
    "questions",
    "share",
    "shuffled_digits",
    "shuffled_parts",
    "within_pixel_correlation",
]


@dataclass(frozen=True)
class Samples:
    """Samples in the order of training, with their side and their part of it.

    Attributes
    ----------
    inputs : ndarray, shape (samples, inputs)
        What the network sees.
    side : ndarray of int, shape (samples,)
        0 or 1, what the network learns to tell.
    part : ndarray of int, shape (samples,)
        0 or 1, which half of its side a sample belongs to.
    """

    inputs: Array
    side: NDArray[np.integer]
    part: NDArray[np.integer]

    def __post_init__(self) -> None:
        check_numbers("inputs", self.inputs)  # the training refuses what is not finite
        if np.ndim(self.inputs) != 2:
            raise ValueError(f"inputs must have shape (samples, n); got {np.shape(self.inputs)}")
        for name in ("side", "part"):
            values = check_indices(name, getattr(self, name))
            if values.shape != (len(self.inputs),):
                raise ValueError(
                    f"{name} must have shape {(len(self.inputs),)}, one for each of inputs; "
                    f"got {values.shape}"
                )
            if not np.isin(values, (0, 1)).all():
                raise ValueError(f"{name} must be 0 or 1; got {np.unique(values)}")

    def __len__(self) -> int:
        return len(self.inputs)

    def __getitem__(self, which: slice | NDArray[np.bool_] | NDArray[np.integer]) -> "Samples":
        return Samples(self.inputs[which], self.side[which], self.part[which])

    @property
    def targets(self) -> Array:
        """[1, 0] for side 0, [0, 1] for side 1."""
        return np.asarray(np.eye(2)[self.side])

    def without(self, side: int, part: int) -> "Samples":
        """Return the samples that are not in this part."""
        for name, value in (("side", side), ("part", part)):
            if check_count(name, value) > 1:
                raise ValueError(f"{name} must be 0 or 1; got {value!r}")
        return self[(self.side != side) | (self.part != part)]


def questions(
    inputs: Array, labels: ArrayLike, sides: Sequence[Sequence[int]] = ((1, 7), (6, 8))
) -> Samples:
    """Select the samples of four labels, in their order.

    Parameters
    ----------
    inputs : ndarray, shape (samples, inputs)
        All samples.
    labels : array_like of int, shape (samples,)
        Their labels.
    sides : ((int, int), (int, int))
        The labels of the two parts of the two sides.

    Returns
    -------
    Samples

    Raises
    ------
    ValueError
        When the four labels are not different or one of them does not occur.

    Examples
    --------
    >>> found = questions(np.eye(5), [7, 1, 3, 8, 6])
    >>> found.side, found.part
    (array([0, 0, 1, 1]), array([1, 0, 1, 0]))
    """
    check_array("inputs", inputs, ("samples", "n"))
    inputs, labels = np.asarray(inputs), check_indices("labels", labels)
    if labels.shape != (len(inputs),):
        raise ValueError(
            f"labels must hold one for each of {len(inputs)} inputs; got {labels.shape}"
        )
    chosen = check_indices("sides", sides)
    if chosen.shape != (2, 2) or len(np.unique(chosen)) != 4:
        raise ValueError(f"sides must hold two pairs of different labels; got {sides!r}")
    missing = [int(label) for label in chosen.ravel() if label not in labels]
    if missing:
        raise ValueError(
            f"sides name the labels {missing}, which no sample has; got {np.unique(labels)}"
        )
    kept = np.isin(labels, chosen)
    matches = labels[kept][:, None, None] == chosen
    return Samples(inputs[kept], matches[:, 1].any(axis=1) * 1, matches[:, :, 1].any(axis=1) * 1)


def shuffled_parts(samples: Samples, rng: np.random.Generator) -> Samples:
    """Return the samples with the parts dealt out anew within each side: random halves."""
    check_kind("samples", samples, Samples)
    check_generator("rng", rng)
    part = samples.part.copy()
    for side in (0, 1):
        mine = samples.side == side
        part[mine] = rng.permutation(part[mine])
    return Samples(samples.inputs, samples.side, part)


def shuffled_digits(samples: Samples, rng: np.random.Generator) -> Samples:
    """Return the samples with side and part dealt out anew: nothing is left to learn."""
    check_kind("samples", samples, Samples)
    check_generator("rng", rng)
    order = rng.permutation(len(samples))
    return Samples(samples.inputs, samples.side[order], samples.part[order])


@dataclass(frozen=True)
class Localization:
    """What `localize` measured, for each of K networks.

    Attributes
    ----------
    updating : dict of ndarray
        x = a / (a + b), by name of the parameter, shape (K, …).
    updating_throughout : dict of ndarray
        The same from the tallies of the whole first phase.
    difference : dict of ndarray
        y = c / (c + d), likewise.
    tallies : dict of ndarray
        a and b, shape (2, K, …).
    differences : dict of ndarray
        c and d, shape (2, K, …).
    trained : Perceptrons
        The networks before they are forked.
    forks : tuple of Perceptrons
        Those that trained without (side, part) = (0, 1), (0, 0), (1, 1), (1, 0).
    """

    updating: dict[str, Array]
    updating_throughout: dict[str, Array]
    difference: dict[str, Array]
    tallies: dict[str, Array]
    differences: dict[str, Array]
    trained: Perceptrons
    forks: tuple[Perceptrons, ...]

    def correlations(self, parameter: str, *, throughout: bool = False) -> Array:
        """Return the correlation of x and y over a kind of parameter, shape (K,).

        With ``throughout`` x comes from the whole first phase.
        """
        check_choice("parameter", parameter, PARAMETERS)
        check_flag("throughout", throughout)
        updating = self.updating_throughout if throughout else self.updating
        pairs = zip(updating[parameter], self.difference[parameter], strict=True)
        return np.array([correlation(x, y) for x, y in pairs])


def localize(
    networks: Perceptrons,
    first: Samples,
    rest: Samples,
    step_size: float,
    *,
    tally_from: float = 0.5,
    power: int = 1,
    batch_size: int = 1,
) -> Localization:
    """Train with tallies, fork, and compare the forks.

    Parameters
    ----------
    networks : Perceptrons
        K networks with two outputs, at their initialization.
    first : Samples
        Samples of the first phase.
    rest : Samples
        Samples that the forks train on.
    step_size : float
        η > 0, the same in both phases.
    tally_from : float
        Share of the first phase that passes before updates are tallied, 0 ≤ share < 1.
    power : int
        1 tallies absolute updates, 2 their squares.
    batch_size : int
        Samples a step.

    Returns
    -------
    Localization

    Notes
    -----
    Source: 003, post 4, "Methods". The tally there is over the second half of the phase.

    Examples
    --------
    >>> from descent.networks.perceptrons import he_initialization
    >>> rng = np.random.default_rng(0)
    >>> samples = questions(rng.random((80, 6)), np.resize([1, 6, 7, 8], 80))
    >>> networks = he_initialization(3, (6, 5, 2), rng)
    >>> localize(networks, samples[:40], samples[40:], 0.05).updating["hidden_weights"].shape
    (3, 5, 6)
    """
    check_kind("networks", networks, Perceptrons)
    check_kind("first", first, Samples)
    check_kind("rest", rest, Samples)
    check_step_size(step_size)
    check_real("tally_from", tally_from, least=0, below=1)
    check_count("power", power, 1)
    check_count("batch_size", batch_size, 1)
    late = np.arange(len(first)) >= round(tally_from * len(first))
    trained, by_group = train_with_tallies(
        networks,
        first.inputs,
        first.targets,
        step_size,
        np.where(late, first.side, first.side + 2),
        4,
        power=power,
        batch_size=batch_size,
    )
    forks = tuple(
        train(trained, kept.inputs, kept.targets, step_size, batch_size=batch_size)
        for kept in (rest.without(side, part) for side in (0, 1) for part in (1, 0))
    )
    ends = [fork.parameters() for fork in forks]
    differences = {
        name: np.stack([abs(ends[0][name] - ends[1][name]), abs(ends[2][name] - ends[3][name])])
        for name in PARAMETERS
    }
    tallies = {name: tally[:2] for name, tally in by_group.items()}
    return Localization(
        updating={name: share(*tally) for name, tally in tallies.items()},
        updating_throughout={
            name: share(*(tally[:2] + tally[2:])) for name, tally in by_group.items()
        },
        difference={name: share(*pair) for name, pair in differences.items()},
        tallies=tallies,
        differences=differences,
        trained=trained,
        forks=forks,
    )


def activity_share(samples: Samples) -> Array:
    """Return, for each input, side 0's share of its summed activity: what x is without a network.

    If δ had the same distribution for all samples, x would be this share for every neuron.
    """
    check_kind("samples", samples, Samples)
    return share(*(np.abs(samples.inputs[samples.side == side]).sum(axis=0) for side in (0, 1)))


def contrast_share(samples: Samples) -> Array:
    """Return, for each input, the part that the contrast within side 0 has in both contrasts.

    The contrast is the absolute difference between the mean inputs of the two parts of a
    side: what y would be if the forks differed by the difference of their mean images.
    """
    check_kind("samples", samples, Samples)
    contrast = []
    for side in (0, 1):
        parts = [samples.inputs[(samples.side == side) & (samples.part == p)] for p in (0, 1)]
        for p, images in enumerate(parts):
            if not len(images):
                raise ValueError(
                    "samples must hold both parts of both sides; "
                    f"got none of part {p} of side {side}"
                )
        contrast.append(np.abs(parts[0].mean(axis=0) - parts[1].mean(axis=0)))
    return share(*contrast)
