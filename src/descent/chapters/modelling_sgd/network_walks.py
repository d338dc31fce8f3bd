"""Chapter 1: how the network of `network` walks, by draws of several kinds, and when it leaves.

A walk has left where it is beyond the saddle. How far it has got is told by the direction in which
the saddle falls: near a saddle the places from which a walk goes either way with equal chances lie
across it. A walk that has come to a third minimum is lost, and counts for no way out.
"""

from collections.abc import Callable
from typing import Any

import numpy as np

from descent.arguments import Array
from descent.chapters.modelling_sgd.network import Network, Places, Step

DOOR = 0.6
"""Of the way to the third minimum: a walk beyond it has left by another door."""
LOST = -9.0
"""The score of a walk that has left by the door beside."""
LOW = {"shallow": -0.28, "deep": -0.65}
HIGH = {"shallow": 0.4, "deep": 0.3}
"""Scores at which a walk is under way, and at which it has left."""


def outward(network: Network, places: Places) -> Array:
    """Return the direction in which the saddle falls towards the deep minimum, of length one."""
    direction = np.linalg.eigh(network.hessian(places.saddle))[1][:, 0]
    return np.asarray(direction * np.sign(direction @ (places.deep - places.saddle)))


def score(network: Network, places: Places, start: str) -> Callable[[Array], Array]:
    """Return how far walks from the shallow or the deep minimum have got."""
    towards = outward(network, places) * (1 if start == "shallow" else -1)
    beside = places.third - getattr(places, start)
    beside = beside / (beside @ beside)

    def found(state: Array) -> Array:
        w = state[:, : network.size]
        aside = (w - getattr(places, start)) @ beside
        return np.asarray(np.where(aside > DOOR, LOST, (w - places.saddle) @ towards))

    return found


def drawn(network: Network, T: float, B: int) -> Step:
    """Steps of size T on B images drawn with replacement."""

    def step(w: Array, rng: np.random.Generator) -> Array:
        chosen = rng.integers(len(network.y), size=(len(w), B))
        x, y = network.x[chosen], network.y[chosen]
        return w - T * network.weighted_gradient(w, x, y, 1 / B)

    return step


def dealt(network: Network, T: float, B: int) -> Step:
    """Steps on B images that this epoch has not used; the state is (W, which are used)."""
    n, d = len(network.y), network.size
    if n % B:
        raise ValueError(f"B must divide the number of images, {n}; got {B}")

    def step(state: Array, rng: np.random.Generator) -> Array:
        w, used = state[:, :d], state[:, d:]
        used = np.where(used.all(axis=1)[:, None], 0.0, used)
        order = rng.random(used.shape) + 2 * used
        chosen = np.argpartition(order, B - 1, axis=1)[:, :B]
        used = used.copy()
        np.put_along_axis(used, chosen, 1.0, axis=1)
        x, y = network.x[chosen], network.y[chosen]
        return np.hstack([w - T * network.weighted_gradient(w, x, y, 1 / B), used])

    return step


def normal(network: Network, T: float, B: int) -> Step:
    r"""Steps with normal noise of the covariance that B draws have at each place.

    .. math:: G + \sum_j (z_j - \bar z)\, g_j / \sqrt{nB}, \qquad z_j \sim N(0, 1)
    """
    n = len(network.y)

    def step(w: Array, rng: np.random.Generator) -> Array:
        z = rng.standard_normal((len(w), n))
        weights = (1 + (z - z.mean(axis=1, keepdims=True)) * np.sqrt(n / B)) / n
        x = np.broadcast_to(network.x, (len(w), *network.x.shape))
        return w - T * network.weighted_gradient(w, x, network.y, weights)

    return step


def round_noise(network: Network, T: float, B: int, variance: float) -> Step:
    """Steps with normal noise that is alike in all directions, of a given variance for B = 1."""

    def step(w: Array, rng: np.random.Generator) -> Array:
        noise = np.sqrt(variance / B) * rng.standard_normal(w.shape)
        return w - T * (network.gradient(w) + noise)

    return step


def plain_times(
    step: Step,
    score: Callable[[Array], Array],
    start: Array,
    high: float,
    burn: int,
    most: int,
    rng: np.random.Generator,
    walks: int = 200,
) -> dict[str, Any]:
    """Return how often walks left that were just followed, and the steps that they made."""
    state, left, lost, steps = np.repeat(start[None], walks, axis=0), 0, 0, 0
    for k in range(most):
        state = step(state, rng)
        at = score(state)
        away, aside = at >= high, at == LOST
        if k >= burn:
            left, lost = left + int(away.sum()), lost + int(aside.sum())
            steps += len(state)
        state = state[~(away | aside)]
        if len(state) < walks // 5:
            break
    return {"left": left, "lost": lost, "steps": steps}
