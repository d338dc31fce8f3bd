"""Chapter 12: what the correlation of x and y over the weights is made of."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.stats import f as f_distribution

from descent.arguments import Array
from descent.chapters.knowledge_localization.numbers import Phases
from descent.networks import localization
from descent.networks.localization import Localization, Samples
from descent.networks.perceptrons import Perceptrons
from descent.networks.small_steps import small_step_limit
from descent.networks.update_shares import split_correlation

PARTS = ("pixels", "neurons", "rest")
"""The exact parts of a correlation over the weights, which add up to it."""


def parts(x: Array, y: Array) -> Array:
    """Return the parts of the correlation of each network, shape (networks, 3)."""
    return np.array([split_correlation(a, b) for a, b in zip(x, y, strict=True)])


def varying(samples: Phases) -> NDArray[np.bool_]:
    """Return which pixels vary over the images of the four digits."""
    used = np.concatenate([samples.first.inputs, samples.rest.inputs])
    return np.asarray(np.ptp(used, axis=0) > 0)


def heat_map_statements(by_pixel: Array, vary: NDArray[np.bool_]) -> dict[str, Array]:
    """Return what the source says of its heat map, in numbers, for each network.

    Parameters
    ----------
    by_pixel : ndarray, shape (networks, pixels)
        Correlations over the neurons.
    vary : ndarray of bool, shape (pixels,)

    Returns
    -------
    dict of ndarray
        ``positive`` and ``negative``, the shares of the varying pixels above 0 and below -0.1;
        ``edges``, the mean |correlation| of the pixels that never vary over that of the others.
    """
    inner, edge = by_pixel[:, vary], by_pixel[:, ~vary]
    return {
        "positive": (inner > 0).mean(axis=1),
        "negative": (inner < -0.1).mean(axis=1),
        "edges": np.abs(edge).mean(axis=1) / np.abs(inner).mean(axis=1),
    }


def composition(found: Localization, samples: Phases) -> dict[str, Array]:
    """Return both correlations and what that of the weights is made of, arrays over networks.

    Keys: ``weights``, ``biases`` (hidden layer), `PARTS`, ``within`` (given the pixel),
    ``partial`` (given the pixel's shares of activity and contrast), and those of
    `heat_map_statements`. In single precision small steps leave a few weights without a share;
    their neurons are left out of `PARTS`, which then miss ``weights`` by about 0.01 at most.
    """
    x, y = found.updating["hidden_weights"], found.difference["hidden_weights"]
    given = localization.activity_share(samples.first), localization.contrast_share(samples.rest)
    pairs = list(zip(x, y, strict=True))
    by_pixel = np.array([localization.pixel_correlations(a, b) for a, b in pairs])
    return {
        "weights": found.correlations("hidden_weights"),
        "biases": found.correlations("hidden_biases"),
        **dict(zip(PARTS, parts(x, y).T, strict=True)),
        "within": np.array([localization.within_pixel_correlation(a, b) for a, b in pairs]),
        "partial": np.array([localization.partial_correlation(a, b, *given) for a, b in pairs]),
        **heat_map_statements(by_pixel, varying(samples)),
    }


def group_mean(signal: Array) -> Array:
    """Put the mean over the samples of a group in place of each sample's signal."""
    return np.broadcast_to(signal.mean(axis=1, keepdims=True), signal.shape)


LIMITS: dict[str, dict[str, Any]] = {
    "as they are": {},
    "equal slopes": {"slopes": np.ones_like},
    "mean errors": {"errors": group_mean},
    "both": {"errors": group_mean, "slopes": np.ones_like},
}
"""What is taken from the signals of the first network: an image opens all neurons alike (equal
slopes), all images of a group are wrong by the same (mean errors), or both."""


def limit(networks: Perceptrons, samples: Phases, variant: str = "as they are") -> Localization:
    """Return tallies and forks of vanishing step size, with a signal replaced; see `LIMITS`."""
    return small_step_limit(networks, samples.first, samples.rest, **LIMITS[variant])


def pull_share(networks: Perceptrons, samples: Samples) -> Array:
    """Return side 0's share in the pull of the outputs' mean errors on each hidden neuron.

    The pull of a side on neuron i is ``|Σ_k ē_k v_ki|``, with the errors ē of the outputs in the
    mean over its images: five numbers a neuron, none of them about a pixel. Shape (K, hidden).
    """
    found = small_step_limit(
        networks, samples, samples, tally_from=0.0, errors=group_mean, slopes=np.ones_like
    )
    means = found.tallies["hidden_biases"] / np.array(
        [(samples.side == side).sum() for side in (0, 1)]
    ).reshape(2, 1, 1)
    return localization.share(*means)


def interval(values: Sequence[float]) -> tuple[float, float]:
    """Return the middle 90 % of networks."""
    low, high = np.quantile(values, (0.05, 0.95))
    return float(low), float(high)


def chance_of_a_pair(pairs: Array, pair: Sequence[float]) -> float:
    """Return how probable a network is that lies as far from the others as a given pair does.

    Parameters
    ----------
    pairs : ndarray, shape (networks, 2)
        Of networks that are taken as draws from one normal distribution.
    pair : sequence of float
        Two numbers of one more network.

    Notes
    -----
    Hotelling's T² of a new observation: ``T² n / (n + 1)`` has, up to a factor, the F distribution
    with 2 and n - 2 degrees of freedom.
    """
    n = len(pairs)
    away = np.asarray(pair) - pairs.mean(axis=0)
    t2 = n / (n + 1) * away @ np.linalg.solve(np.cov(pairs.T), away)
    return float(f_distribution.sf(t2 * (n - 2) / (2 * (n - 1)), 2, n - 2))
