r"""Chapter 1: a small network on digits, two of its minima, and the band between them.

.. math:: f(x) = v \cdot \tanh(U x + b) + c, \qquad
    l_j = \tfrac12 (f(x_j) - y_j)^2 + \tfrac{\lambda}{2} |W|^2 \tag{1}

says of an image whether its digit is above four. The minima are found by descent, the band by the
string method, and the saddle by Newton's method from the top of the band.

The band is that of E, Ren and Vanden-Eijnden, Journal of Chemical Physics 126 (2007) 164103, a
relative of the nudged elastic band of Henkelman and Jónsson, Journal of Chemical Physics 113
(2000) 9978.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from itertools import permutations, product
from typing import NamedTuple

import numpy as np
from scipy.optimize import minimize

from descent.arguments import Array
from descent.sweeps import load

INPUTS, HIDDEN, IMAGES, DECAY = 4, 3, 120, 0.02
SHUFFLE = 2
"""Seed that chooses the images."""
STARTS = 12
"""Random networks from which the minima are looked for."""

Step = Callable[[Array, np.random.Generator], Array]


@dataclass(frozen=True)
class Network:
    """The network of (1) on fixed images; its parameters W are a vector (U, b, v, c).

    Parameters
    ----------
    x : array (n, inputs)
    y : array (n,)
    hidden : int
    decay : float
        λ.
    """

    x: Array
    y: Array
    hidden: int
    decay: float

    @property
    def size(self) -> int:
        """Number of parameters."""
        return int(self.hidden * (self.x.shape[1] + 2) + 1)

    def layers(self, w: Array) -> tuple[Array, Array, Array, Array]:
        """Return U, b, v, c of networks (m, d)."""
        h, cut = self.hidden, self.hidden * self.x.shape[1]
        u = w[:, :cut].reshape(len(w), h, -1)
        return u, w[:, cut : cut + h], w[:, cut + h : cut + 2 * h], w[:, -1]

    def _forward(self, w: Array, x: Array) -> tuple[Array, Array]:
        """Return hidden outputs (m, n, h) and outputs (m, n) for images (n, k) or (m, n, k)."""
        u, b, v, c = self.layers(w)
        hidden = np.tanh(x @ u.transpose(0, 2, 1) + b[:, None])
        return hidden, (hidden @ v[..., None])[..., 0] + c[:, None]

    def outputs(self, w: Array) -> Array:
        """Return the outputs (m, n) of networks (m, d)."""
        return self._forward(w, self.x)[1]

    def loss(self, w: Array) -> Array:
        """Return L (m,)."""
        error = self.outputs(w) - self.y
        return np.asarray((error**2).mean(axis=1) / 2 + self.decay / 2 * (w**2).sum(axis=1))

    def gradients(self, w: Array) -> Array:
        """Return the gradients of all images, (n, m, d)."""
        hidden, out = self._forward(w, self.x)
        error = out - self.y
        into = error[..., None] * self.layers(w)[2][:, None] * (1 - hidden**2)
        by_u = into[..., None] * self.x[None, :, None, :]
        flat = by_u.reshape(len(w), len(self.x), -1)
        parts = [flat, into, error[..., None] * hidden, error[..., None]]
        g = np.concatenate(parts, axis=2) + self.decay * w[:, None]
        return np.asarray(g.transpose(1, 0, 2))

    def weighted_gradient(self, w: Array, x: Array, y: Array, weights: Array | float) -> Array:
        """Return the gradient with a weight for each image of each network: x is (m, B, k)."""
        hidden, out = self._forward(w, x)
        error = (out - y) * weights
        into = error[..., None] * self.layers(w)[2][:, None] * (1 - hidden**2)
        by_u = (into.transpose(0, 2, 1) @ x).reshape(len(w), -1)
        by_v = (error[:, None] @ hidden)[:, 0]
        total = error.sum(axis=1, keepdims=True)
        return np.concatenate([by_u, into.sum(axis=1), by_v, total], axis=1) + self.decay * w

    def gradient(self, w: Array) -> Array:
        """Return the gradient of L, (m, d)."""
        x = np.broadcast_to(self.x, (len(w), *self.x.shape))
        return self.weighted_gradient(w, x, self.y, 1 / len(self.y))

    def hessian(self, w: Array) -> Array:
        """Return the second derivatives of L at one W (d,), by central differences."""
        h = 1e-5 * np.eye(self.size)
        second = (self.gradient(w + h) - self.gradient(w - h)) / 2e-5
        return np.asarray((second + second.T) / 2)

    def noise(self, w: Array) -> Array:
        """Return the covariance (d, d) of the gradient of one image drawn at W (d,)."""
        g = self.gradients(w[None])[:, 0]
        return np.asarray(np.cov(g.T, bias=True))

    def copies(self, w: Array) -> Array:
        """Return the networks that compute the same as W: units exchanged or turned over."""
        u, b, v, c = (part[0] for part in self.layers(w[None]))
        units = np.column_stack([u, b, v])
        found = []
        for order in permutations(range(self.hidden)):
            for signs in product((1, -1), repeat=self.hidden):
                new = units[list(order)] * np.array(signs)[:, None]
                found.append(np.concatenate([new[:, :-2].ravel(), new[:, -2], new[:, -1], [c]]))
        return np.array(found)


@cache
def digits() -> Network:
    """Return the network on IMAGES of the 8 × 8 digits, which it sees in INPUTS directions."""
    row = load("01-network-images").iloc[0]
    return Network(np.array(row["x"]), np.array(row["y"]), HIDDEN, DECAY)


def newton(network: Network, w: Array, rounds: int = 20) -> Array:
    """Return the place near W (d,) where the gradient is zero."""
    for _ in range(rounds):
        w = w - np.linalg.solve(network.hessian(w), network.gradient(w[None])[0])
    return w


def settle(network: Network, w: Array) -> Array:
    """Return the minimum to which a descent from W (d,) leads."""
    found = minimize(
        lambda w: (network.loss(w[None])[0], network.gradient(w[None])[0]),
        w,
        jac=True,
        method="L-BFGS-B",
        options={"maxiter": 5000, "ftol": 1e-15, "gtol": 1e-7},
    )
    return newton(network, found.x, 4)


def minima(network: Network, starts: int = STARTS) -> list[Array]:
    """Return the minima that descents from random networks find, the lowest loss first."""
    rng = np.random.default_rng(1)
    found: dict[float, Array] = {}
    for _ in range(starts):
        start = rng.normal(size=network.size) / np.sqrt(network.hidden)
        w = settle(network, start)
        found.setdefault(round(float(network.loss(w[None])[0]), 6), w)
    return [found[level] for level in sorted(found)]


def nearest_copy(network: Network, w: Array, to: Array) -> Array:
    """Return the copy of a network that is the nearest to another one."""
    copies = network.copies(w)
    return np.asarray(copies[np.linalg.norm(copies - to, axis=1).argmin()])


def evenly(path: Array, n: int) -> Array:
    """Return n + 1 points at equal distances along a path."""
    along = np.concatenate([[0.0], np.linalg.norm(np.diff(path, axis=0), axis=1).cumsum()])
    at = np.linspace(0, along[-1], n + 1)
    return np.stack([np.interp(at, along, column) for column in path.T], axis=1)


def band(network: Network, path: Array, n: int = 40, rounds: int = 6000) -> Array:
    """Return the elastic band (n + 1, d): points roll down the loss and keep their distances."""
    path = evenly(path, n)
    for _ in range(rounds):
        moved = path.copy()
        moved[1:-1] -= 0.2 * network.gradient(path[1:-1])
        path = evenly(moved, n)
    return path


class Places(NamedTuple):
    """Two minima of the network, the saddle between them, a third minimum beside, the band."""

    shallow: Array
    saddle: Array
    deep: Array
    third: Array
    path: Array


def find_places() -> Places:
    """Return the minima, the saddle and the band of the network, from random networks."""
    network = digits()
    lowest, deep, shallow = minima(network)
    deep = nearest_copy(network, deep, shallow)
    third = nearest_copy(network, lowest, shallow)
    path = band(network, np.stack([shallow, deep]))
    saddle = newton(network, path[network.loss(path).argmax()])
    return Places(shallow, saddle, deep, third, path)
