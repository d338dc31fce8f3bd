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
MOST = 100_000
"""Steps after which a walk that is still under way has come to rest where none was known."""
SETTING_OUT = 4
"""How many more walks are seen to set out than are split: those near in time are alike."""
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
    """Return steps of size T on B images drawn with replacement."""

    def step(w: Array, rng: np.random.Generator) -> Array:
        chosen = rng.integers(len(network.y), size=(len(w), B))
        x, y = network.x[chosen], network.y[chosen]
        return w - T * network.weighted_gradient(w, x, y, 1 / B)

    return step


def dealt(network: Network, T: float, B: int) -> Step:
    """Return steps on B images that this epoch has not used; the state is (W, which are used)."""
    n, d = len(network.y), network.size
    if n % B:
        raise ValueError(f"B must divide the number of images, {n}; got {B}")

    def step(state: Array, rng: np.random.Generator) -> Array:
        w, used = state[:, :d], state[:, d:]
        used = np.where(used.all(axis=1, keepdims=True), 0.0, used)
        order = rng.random(used.shape) + 2 * used
        chosen = np.argpartition(order, B - 1, axis=1)[:, :B]
        used = used.copy()
        np.put_along_axis(used, chosen, 1.0, axis=1)
        x, y = network.x[chosen], network.y[chosen]
        return np.hstack([w - T * network.weighted_gradient(w, x, y, 1 / B), used])

    return step


def normal(network: Network, T: float, B: int) -> Step:
    r"""Return steps with normal noise of the covariance that B draws have at each place.

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
    """Return steps with normal noise alike in all directions, of a given variance for B = 1."""

    def step(w: Array, rng: np.random.Generator) -> Array:
        noise = np.sqrt(variance / B) * rng.standard_normal(w.shape)
        return np.asarray(w - T * (network.gradient(w) + noise))

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


def _followed(
    step: Step, score: Callable[[Array], Array], states: Array, low: float, high: float,
    rng: np.random.Generator,
) -> tuple[list[Array], list[Array]]:  # fmt: skip
    """Return the states and the scores that walks pass until they fall below low or arrive."""
    paths, marks = [[state] for state in states], [[at] for at in score(states)]
    at, running, now = score(states), np.arange(len(states)), states
    for _ in range(MOST):
        on = (at >= low) & (at < high)
        running, now = running[on], now[on]
        if not len(running):
            return [np.array(path) for path in paths], [np.array(mark) for mark in marks]
        now = step(now, rng)
        at = score(now)
        for k, state, mark in zip(running, now, at, strict=True):
            paths[k].append(state)
            marks[k].append(mark)
    raise FloatingPointError(f"{len(running)} walks did not end in {MOST} steps: they found a rest")


def split(
    step: Step, score: Callable[[Array], Array], starts: Array, low: float, high: float,
    rng: np.random.Generator,
) -> Array:  # fmt: skip
    """Return the chance to arrive by each of R independent runs of splitting, starts (R, n, d).

    `descent.rare_events.rare_chance` with half of the walks given up in a round. The runs move
    side by side here, because a step costs the same for one network as for many.
    """
    runs, n = starts.shape[:2]
    flat = starts.reshape(runs * n, -1)
    paths, marks = _followed(step, score, flat, low, high, rng)
    chances, going = np.ones(runs), np.ones(runs, dtype=bool)
    while going.any():
        tops = np.minimum([mark.max() for mark in marks], high).reshape(runs, n)
        given, heads = [], []
        for r in np.flatnonzero(going):
            worst = np.partition(tops[r], n // 2 - 1)[n // 2 - 1]
            last, better = np.flatnonzero(tops[r] <= worst), np.flatnonzero(tops[r] > worst)
            if worst >= high or not len(better):
                chances[r] *= (tops[r] >= high).mean()
                going[r] = False
                continue
            chances[r] *= 1 - len(last) / n
            for k, parent in zip(last, rng.choice(better, len(last)), strict=True):
                until = int((marks[r * n + parent] > worst).argmax()) + 1
                given.append(r * n + int(k))
                heads.append((paths[r * n + parent][:until], marks[r * n + parent][:until]))
        if not given:
            break
        ends = np.array([path[-1] for path, _ in heads])
        tails, tail_marks = _followed(step, score, ends, low, high, rng)
        for k, head, tail, mark in zip(given, heads, tails, tail_marks, strict=True):
            paths[k] = np.concatenate([head[0], tail[1:]])
            marks[k] = np.concatenate([head[1], mark[1:]])
    return chances


def split_time(
    step: Step, score: Callable[[Array], Array], start: Array, low: float, high: float, burn: int,
    rng: np.random.Generator, runs: int = 20, walks: int = 40, cloud: int = 200,
) -> dict[str, Any]:  # fmt: skip
    """Return the mean time to leave in steps, and its relative error over the runs.

    A cloud of walks that have forgotten their start sets out to `low` at some rate; each one that
    sets out arrives with the chance of `split`; the rate times the chance is that of leaving.
    """
    states, inside, seen = np.repeat(start[None], cloud, axis=0), np.ones(cloud, bool), 0
    outs: list[Array] = []
    while len(outs) < SETTING_OUT * runs * walks:
        states = step(states, rng)
        at = score(states)
        burn, out = burn - 1, inside & (at >= low)
        inside = np.where(out, False, inside | (at < low))
        if burn < 0:
            seen += cloud
            outs += [state.copy() for state in states[out]]
        gone = np.flatnonzero((at >= high) | (at == LOST))
        if len(gone) == cloud:
            raise FloatingPointError("all walks of the cloud have left: give smaller steps")
        if len(gone):
            others = rng.choice(np.setdiff1d(np.arange(cloud), gone), len(gone))
            states[gone], inside[gone] = states[others], inside[others]
    rate = len(outs) / seen
    chosen = rng.permutation(len(outs))[: runs * walks]
    starts = np.array(outs)[chosen].reshape(runs, walks, -1)
    chances = split(step, score, starts, low, high, rng)
    if not chances.any():
        raise FloatingPointError("no walk arrived: give more walks")
    error = chances.std(ddof=1) / np.sqrt(runs) / chances.mean()
    return {
        "time": float(1 / (rate * chances.mean())),
        "error": float(np.hypot(error, 1 / np.sqrt(len(outs)))),
        "rate": rate,
        "chances": chances.tolist(),
    }
