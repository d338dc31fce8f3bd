"""Chapter 1: the images of the small network as a table, and one network of more weights.

Here are the tables that are made from the data set, so that the chapter does without it.
"""

from typing import Any

import numpy as np

from descent.chapters.modelling_sgd.network import (
    DECAY,
    IMAGES,
    INPUTS,
    SHUFFLE,
    Network,
    band,
    minima,
    nearest_copy,
    newton,
)
from descent.networks.digit_images import load_digits8
from descent.sweeps import Close, Sweep

LARGER = {"inputs": 8, "hidden": 5}
"""The sizes of the network of more weights."""


def seen(inputs: int = INPUTS) -> dict[str, Any]:
    """Return IMAGES of the 8 × 8 digits in their first principal directions, and the answers."""
    images = load_digits8()
    chosen = np.random.default_rng(SHUFFLE).permutation(len(images.labels))[:IMAGES]
    pixels = images.pixels[chosen] / (images.levels - 1)
    centred = pixels - pixels.mean(axis=0)
    axes = np.linalg.svd(centred, full_matrices=False)[2][:inputs]
    axes = axes * np.sign(axes[np.arange(inputs), np.abs(axes).argmax(axis=1)])[:, None]
    x = centred @ axes.T
    y = np.where(images.labels[chosen] > 4, -1.0, 1.0)
    return {"x": (x / x.std()).tolist(), "y": y.tolist()}


SEEN = Sweep(
    name="01-network-images",
    run=seen,
    points=[{}],
    probes=[0],
    compare={"x": Close(1e-9, atol=1e-9)},
)


def larger(inputs: int, hidden: int) -> dict[str, Any]:
    """Return what a network of more weights is like: its minima, and a saddle between two."""
    data = seen(inputs)
    network = Network(np.array(data["x"]), np.array(data["y"]), hidden, DECAY)
    found = minima(network)
    deep, shallow = found[0], found[1]
    path = band(network, np.stack([shallow, nearest_copy(network, deep, shallow)]), rounds=3000)
    level = network.loss(path)
    saddle = newton(network, path[level.argmax()])
    return {
        "weights": network.size,
        "minima": len(found),
        "rise": float(network.loss(saddle[None])[0] - level[0]),
        "down": np.linalg.eigvalsh(network.hessian(saddle))[:2].tolist(),
        "flattest": float(np.linalg.eigvalsh(network.hessian(shallow))[0]),
        "copies": len(network.copies(shallow)),
    }


MORE_WEIGHTS = Sweep(
    name="01-network-larger",
    run=larger,
    points=[LARGER],
    probes=[0],
    rtol=1e-3,
)
