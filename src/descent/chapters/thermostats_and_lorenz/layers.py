r"""Chapter 6: what each layer of a network does to a disturbance while it learns digits.

Full-batch descent on half of the mean square error, :math:`w' = w - \eta \nabla L(w)`, moves a
disturbance by :math:`v' = v - \eta H v`. The product with the Hessian is exact: B. A. Pearlmutter,
Fast Exact Multiplication by the Hessian, Neural Computation 6, 147 (1994). In world Y the moves of
one layer are replayed, and its part of v stays zero.
"""

from itertools import pairwise
from typing import Any, NamedTuple

import numpy as np

from descent.arguments import Array
from descent.networks.digit_images import load_digits8

IMAGES, WIDTH, STEP = 20, 32, 0.05
LAYERS = 3
DIRECTIONS = 4
LAGS = (10, 100, 1000)
"""Steps after the disturbance at which it is read off."""


class Data(NamedTuple):
    """Images (n, 65) with a column of ones, and targets (n, 10), one of which is 1."""

    x: Array
    y: Array


def digits(rng: np.random.Generator) -> tuple[Data, Data]:
    """Return images for training and as many others."""
    images = load_digits8()
    order = rng.permutation(len(images.pixels))[: 2 * IMAGES]
    pixels = images.pixels.reshape(len(images.pixels), -1)[order] / 16.0
    x, y = np.c_[np.ones(len(pixels)), pixels], np.eye(10)[images.labels[order]]
    return Data(x[:IMAGES], y[:IMAGES]), Data(x[IMAGES:], y[IMAGES:])


def network(rng: np.random.Generator) -> list[Array]:
    """Return random weights of three layers, (out, 1 + in) each, biases first."""
    sizes = (64, WIDTH, WIDTH, 10)
    return [
        rng.standard_normal((after, before + 1)) / np.sqrt(before + 1)
        for before, after in pairwise(sizes)
    ]


def _with_ones(h: Array, fill: float) -> Array:
    return np.concatenate([np.full((*h.shape[:-1], 1), fill), h], axis=-1)


def forward(w: list[Array], x: Array) -> tuple[Array, list[Array]]:
    """Return outputs (n, 10), and what enters each layer, ones included."""
    entering = [x]
    for k, matrix in enumerate(w):
        z = entering[-1] @ matrix.T
        if k < len(w) - 1:
            entering.append(_with_ones(np.tanh(z), 1.0))
    return z, entering


def forward_moved(w: list[Array], v: list[Array], entering: list[Array]) -> list[Array]:
    """Return the derivative along v, (K, out, 1 + in) each, of the hidden layers and outputs."""
    moved: list[Array] = []
    for k, (matrix, along) in enumerate(zip(w, v, strict=True)):
        z = entering[k] @ along.swapaxes(1, 2)
        if moved:
            z = z + moved[-1] @ matrix.T
        if k < len(w) - 1:
            z = _with_ones(z * (1 - entering[k + 1][:, 1:] ** 2), 0.0)
        moved.append(z)
    return moved


def gradient(
    w: list[Array], data: Data, v: list[Array] | None = None
) -> tuple[list[Array], list[Array]]:
    """Return the gradient of the loss by each layer, and the Hessian times v."""
    f, entering = forward(w, data.x)
    back, n = (f - data.y) / len(f), len(w)
    moved = [] if v is None else forward_moved(w, v, entering)
    moved_back = moved[-1] / len(f) if v is not None else np.zeros(1)
    slopes: list[Array] = [np.zeros(1)] * n
    products: list[Array] = [np.zeros(1)] * n
    for k in range(n - 1, -1, -1):
        slopes[k] = back.T @ entering[k]
        if v is not None:
            products[k] = moved_back.swapaxes(1, 2) @ entering[k]
            if k > 0:
                products[k] = products[k] + back.T @ moved[k - 1]
        if k > 0:
            h, out = entering[k][:, 1:], (back @ w[k])[:, 1:]
            if v is not None:
                turned = (moved_back @ w[k] + back @ v[k])[:, :, 1:]
                moved_back = turned * (1 - h**2) - 2 * out * h * moved[k - 1][:, :, 1:]
            back = out * (1 - h**2)
    return slopes, products


def loss(w: list[Array], data: Data) -> float:
    """Return half of the mean square error."""
    return float(((forward(w, data.x)[0] - data.y) ** 2).sum() / (2 * len(data.x)))


def disturb(w: list[Array], rng: np.random.Generator) -> list[Array]:
    """Return disturbances, (2, LAYERS, DIRECTIONS, out, 1 + in) each, in worlds X and Y.

    Those of A = layer l lie in the other layers; they are the same in both worlds.
    """
    size = sum(matrix.size for matrix in w)
    drawn = [
        rng.standard_normal((LAYERS, DIRECTIONS, *matrix.shape)) / np.sqrt(size) for matrix in w
    ]
    for layer, own in enumerate(drawn):
        own[layer] = 0.0
    return [np.stack([own, own]) for own in drawn]


def _flat(v: list[Array]) -> list[Array]:
    return [own.reshape(-1, *own.shape[-2:]) for own in v]


def _log_ratio(squares: Array) -> list[float]:
    """Return the logarithms of root mean squares in Y over those in X, by layer."""
    mean = squares.mean(axis=2)
    return [float(value) for value in np.log(mean[1] / mean[0]) / 2]


def of_outputs(w: list[Array], v: list[Array], data: Data) -> list[float]:
    """Return Op of the outputs on data, by layer."""
    moved = forward_moved(w, _flat(v), forward(w, data.x)[1])[-1]
    squares = (moved**2).sum(axis=(1, 2)).reshape(2, LAYERS, DIRECTIONS)
    return _log_ratio(squares)


def of_weights(v: list[Array]) -> list[float]:
    """Return Op of the weights of the other layers, by layer."""
    squares = np.zeros((2, LAYERS, DIRECTIONS))
    for layer, own in enumerate(v):
        others = [k for k in range(LAYERS) if k != layer]
        squares[:, others] += (own[:, others] ** 2).sum(axis=(3, 4))
    return _log_ratio(squares)


def derivatives(w: list[Array], data: Data) -> list[Array]:
    """Return the derivative of all outputs by each layer, (outputs, parameters)."""
    entering, found = forward(w, data.x)[1], []
    for layer, matrix in enumerate(w):
        units = [np.zeros((matrix.size, *own.shape)) for own in w]
        units[layer] = np.eye(matrix.size).reshape(matrix.size, *matrix.shape)
        moved = forward_moved(w, units, entering)[-1]
        found.append(moved.reshape(matrix.size, -1).T)
    return found


def by_kernel(w: list[Array], v: list[Array], data: Data, steps: int) -> list[float]:
    r"""Return Op of the outputs if the kernel stayed as it is and all errors were zero.

    .. math:: \delta f = (1 - \eta K / n)^t J \delta, \qquad K = \sum_l J_l J_l^\top
    """
    parts = derivatives(w, data)
    squares = np.zeros((2, LAYERS, DIRECTIONS))
    kernels = [part @ part.T / len(data.x) for part in parts]
    for layer in range(LAYERS):
        start = sum(
            part @ own[0, layer].reshape(DIRECTIONS, -1).T
            for part, own in zip(parts, v, strict=True)
        )
        for world, kernel in enumerate((sum(kernels), sum(kernels) - kernels[layer])):
            rates, axes = np.linalg.eigh(kernel)
            left = axes.T @ start * ((1 - STEP * rates) ** steps)[:, None]
            squares[world, layer] = (left**2).sum(axis=0)
    return _log_ratio(squares)


def once(seed: int, begin: int) -> dict[str, Any]:
    """Train for ``begin`` steps, disturb, and return Op of each layer at LAGS, and the loss."""
    rng = np.random.default_rng(seed)
    (train, held_out), w = digits(rng), network(rng)
    v = disturb(w, rng)
    for _ in range(begin):
        w = [own - STEP * slope for own, slope in zip(w, gradient(w, train)[0], strict=True)]
    found: dict[str, Any] = {
        "loss": loss(w, train),
        "kernel": by_kernel(w, v, train, LAGS[-1]),
        "outputs": [],
        "held out": [],
        "weights": [],
    }
    for step in range(1, LAGS[-1] + 1):
        slopes, products = gradient(w, train, _flat(v))
        w = [own - STEP * slope for own, slope in zip(w, slopes, strict=True)]
        v = [own - STEP * p.reshape(own.shape) for own, p in zip(v, products, strict=True)]
        for layer, own in enumerate(v):
            own[1, layer] = 0.0
        if step in LAGS:
            found["outputs"] += of_outputs(w, v, train)
            found["held out"] += of_outputs(w, v, held_out)
            found["weights"] += of_weights(v)
    found["loss at the end"] = loss(w, train)
    return found
