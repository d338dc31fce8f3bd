r"""Chapter 1: the cheapest way of a network out of a minimum, and what it costs.

The action of a path is that of `descent.minimum_action`, with the tilt p of the draws:

.. math:: V = \min \int p \cdot dW, \qquad H(W, p) = 0, \quad H_p(W, p) \parallel dW \tag{1}

.. math:: H_{\text{drawn}} = \ln \tfrac1n \sum_j e^{-p \cdot g_j}, \qquad
    H_{\text{normal}} = -p \cdot G + \tfrac12\, p \cdot \Sigma\, p \tag{2}

`descent.minimum_action` finds such a path for any walk, one dimension after another. Here g is a
gradient, so that its derivative along p needs two networks and not two for each dimension:

.. math:: g_j'(W)\, p = \frac{g_j(W + \varepsilon p) - g_j(W - \varepsilon p)}{2 \varepsilon}

and the tilt of the last path is a good guess for the next one.
"""

from typing import Any

import numpy as np
from scipy.optimize import minimize

from descent.arguments import Array
from descent.chapters.modelling_sgd.network import Network, evenly
from descent.minimum_action import NoWay

NEWTON = 30
WALL = 1e3
"""What a trial path costs that no draws can follow."""


class Draws:
    """H of the draws of a network, or of normal noise with their mean and covariance."""

    def __init__(self, network: Network, normal: bool = False) -> None:
        self.network, self.normal = network, normal

    def moments(self, x: Array, p: Array) -> tuple[Array, Array, Array, Array]:
        """Return H, H_p, H_pp at places (m, d), and a weight for each g_j' p in H_x (m, n)."""
        g = self.network.gradients(x).transpose(1, 0, 2)
        n, exponents = g.shape[1], -(g @ p[..., None])[..., 0]
        if self.normal:
            mean = g.mean(axis=1)
            about = g - mean[:, None]
            second = about.transpose(0, 2, 1) @ about / n
            push = (second @ p[..., None])[..., 0]
            weights = (1 + exponents - exponents.mean(axis=1, keepdims=True)) / n
            return (p * (push / 2 - mean)).sum(axis=1), push - mean, second, -weights
        high = exponents.max(axis=1, keepdims=True)
        tilted = np.exp(exponents - high)
        H = np.log(tilted.mean(axis=1)) + high[:, 0]
        small = np.abs(exponents).max(axis=1) < 0.5  # near a fixed point H is far below 1
        near = np.log1p(np.expm1(np.where(small[:, None], exponents, 0.0)).mean(axis=1))
        tilted /= tilted.sum(axis=1, keepdims=True)
        first = -(tilted[:, None] @ g)[:, 0]
        about = g + first[:, None]
        second = (about * tilted[..., None]).transpose(0, 2, 1) @ about
        return np.where(small, near, H), first, second, -tilted

    def by_place(self, x: Array, p: Array) -> Array:
        """Return H_x."""
        h = 1e-5 / np.maximum(np.linalg.norm(p, axis=1), 1e-9)[:, None]
        turned = (self.network.gradients(x + h * p) - self.network.gradients(x - h * p)) / (2 * h)
        return np.asarray(np.einsum("mn,nmd->md", self.moments(x, p)[3], turned))

    def first_tilt(self, x: Array, v: Array) -> tuple[Array, Array]:
        """Return the tilt that normal noise needs to move along v, and the speed H_p = s v."""
        found = Draws(self.network, normal=True).moments(x, np.zeros_like(x))
        drift, second = found[1], found[2]
        both = np.linalg.solve(second, np.stack([v, drift], axis=2))
        by_v, by_drift = both[..., 0], both[..., 1]
        s = np.sqrt((drift * by_drift).sum(axis=1) / (v * by_v).sum(axis=1))
        return s[:, None] * by_v - by_drift, s

    def tilt(self, x: Array, v: Array, guess: tuple[Array, Array]) -> tuple[Array, Array]:
        """Return p and s with H = 0 and H_p = s v, by Newton's method; v are of length one."""
        p, s = guess
        for k in range(NEWTON):
            H, first, second, _ = self.moments(x, p)
            off = first - s[:, None] * v
            try:
                both = np.linalg.solve(second, np.stack([v, off], axis=2))
            except np.linalg.LinAlgError:
                break
            along, across = both[..., 0], both[..., 1]
            ds = ((first * across).sum(axis=1) - H) / (first * along).sum(axis=1)
            dp = along * ds[:, None] - across
            change = np.abs((self.network.gradients(x) * dp).sum(axis=2)).max(axis=0)
            part = 1 / np.maximum(1.0, change) if k < NEWTON // 2 else np.ones(len(x))
            p, s = p + part[:, None] * dp, s + part * ds
            if (np.linalg.norm(dp, axis=1) <= 1e-10 * np.linalg.norm(p, axis=1)).all():
                break
        H, first, _, _ = self.moments(x, p)
        off = np.linalg.norm(first - s[:, None] * v, axis=1)
        if not ((off <= 1e-6 * np.abs(s)) & (s > 0) & (np.abs(H) <= 1e-8)).all():
            raise NoWay("the tilt of the draws was not found: give a path nearer to the cheapest")
        return p, s


class _Action:
    """The action of a path by the midpoint rule, its derivative, and the last tilts."""

    def __init__(self, draws: Draws) -> None:
        self.draws = draws
        self.last: tuple[Array, Array] | None = None

    def __call__(self, path: Array) -> tuple[float, Array]:
        x, moves = (path[1:] + path[:-1]) / 2, np.diff(path, axis=0)
        length = np.linalg.norm(moves, axis=1)
        v = moves / length[:, None]
        guesses = [] if self.last is None else [self.last]
        for guess in (*guesses, self.draws.first_tilt(x, v)):
            try:
                p, s = self.draws.tilt(x, v, guess)
                break
            except NoWay:
                continue
        else:
            self.last = None
            raise NoWay("no draws follow the path")
        self.last = p, s
        by_place = -(length / s)[:, None] * self.draws.by_place(x, p)
        slope = np.zeros_like(path)
        slope[1:] += p + by_place / 2
        slope[:-1] += -p + by_place / 2
        return float((p * moves).sum()), slope


def cheapest(
    draws: Draws, path: Array, n: int, tolerance: float = 1e-5, rounds: int = 60
) -> tuple[Array, float]:
    """Return the path of n pieces whose action is least near a path, and its action."""
    path, action, before = evenly(path, n), _Action(draws), np.inf
    for _ in range(rounds):
        tangent = path[2:] - path[:-2]
        tangent = tangent / np.linalg.norm(tangent, axis=1)[:, None]
        normals = np.linalg.svd(tangent[:, None])[2][:, 1:]

        def moved(y: Array, base: Array = path, normals: Array = normals) -> Array:
            new = base.copy()
            new[1:-1] += np.einsum("mke,mk->me", normals, y.reshape(len(base) - 2, -1))
            return new

        def aim(y: Array, moved: Any = moved, normals: Array = normals) -> tuple[float, Array]:
            try:
                value, slope = action(moved(y))
            except NoWay:  # too far a trial: a wall, from which the search turns back
                return WALL, np.zeros_like(y)
            return value, np.einsum("mke,me->mk", normals, slope[1:-1]).ravel()

        start = np.zeros(normals.shape[0] * normals.shape[1])
        options = {"maxiter": 60, "ftol": 1e-12, "gtol": 1e-9}
        found = minimize(aim, start, jac=True, method="L-BFGS-B", options=options)
        path = evenly(moved(found.x), n)
        now = action(path)[0]
        if abs(before - now) <= tolerance * now:
            return path, now
        before = now
    raise FloatingPointError(f"the path did not settle: its action was {before:.8g}")


def price_along(network: Network, path: Array) -> float:
    """Return ∫ 2 G·t / (t·Σt) uphill: what one dimension would pay that is cut out of the rest."""
    x, moves = (path[1:] + path[:-1]) / 2, np.diff(path, axis=0)
    length = np.linalg.norm(moves, axis=1)
    g = (network.gradients(x) * (moves / length[:, None])).sum(axis=2)
    uphill = np.maximum(g.mean(axis=0), 0)
    return float((2 * uphill / g.var(axis=0) * length).sum())
