"""Chapter 1: the images of the small network as a table, for where no data set is at hand."""

from typing import Any

import numpy as np

from descent.chapters.modelling_sgd.network import IMAGES, INPUTS, SHUFFLE
from descent.networks.digit_images import load_digits8
from descent.sweeps import Close, Sweep


def seen() -> dict[str, Any]:
    """Return IMAGES of the 8 × 8 digits in their INPUTS principal directions, and the answers."""
    images = load_digits8()
    chosen = np.random.default_rng(SHUFFLE).permutation(len(images.labels))[:IMAGES]
    pixels = images.pixels[chosen] / (images.levels - 1)
    centred = pixels - pixels.mean(axis=0)
    axes = np.linalg.svd(centred, full_matrices=False)[2][:INPUTS]
    axes = axes * np.sign(axes[np.arange(INPUTS), np.abs(axes).argmax(axis=1)])[:, None]
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
