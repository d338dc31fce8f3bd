"""Chapter 1: how the network of `network` walks, by draws of several kinds, and when it leaves.

A walk has left where it is beyond the saddle. How far it has got is told by the direction in which
the saddle falls: near a saddle the places from which a walk goes either way with equal chances lie
across it. A walk that has come to a third minimum is lost, and counts for no way out.

A mean time is that of the quasi-stationary law: a walk from the minimum needs a while, which is
no part of it, to spread until a constant share leaves in each step.
"""

from collections.abc import Callable
from typing import Any

import numpy as np

from descent.arguments import Array
from descent.chapters.modelling_sgd.network import Network, Places, Step
from descent.rare_events import rare_chance

DOOR = 0.6
"""Of the way to the third minimum: a walk beyond it has left by another door."""
LOST = -9.0
"""The score of a walk that has left by the door beside."""
LOW = {"shallow": -0.28, "deep": -0.65}
MOST = 100_000
"""Steps after which a walk that is still under way has come to rest where none was known."""
SPREAD = 400.0
"""The time, steps times T, after which a cloud has forgotten that it began at one place."""
APART = 100.0
"""The time, at least, for which each run watches its own walks set out: those near are alike."""
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
    until: list[int],
    rng: np.random.Generator,
    walks: int,
) -> dict[str, Any]:
    """Return how many walks left that were just followed, and how many steps they made.

    Each entry is for the steps up to one number in `until`, from the one before.
    """
    state = np.repeat(start[None], walks, axis=0)
    found: dict[str, list[int]] = {"left": [], "lost": [], "steps": []}
    for many in np.diff([0, *until]):
        left = lost = steps = 0
        for _ in range(many if len(state) else 0):
            steps += len(state)
            state = step(state, rng)
            at = score(state)
            away, aside = at >= high, at == LOST
            left, lost = left + int(away.sum()), lost + int(aside.sum())
            state = state[~(away | aside)]
            if not len(state):
                break
        for name, count in (("left", left), ("lost", lost), ("steps", steps)):
            found[name].append(count)
    return found


class Cloud:
    """Walks in the quasi-stationary law: one that leaves goes on as a copy of another one."""

    def __init__(
        self, step: Step, score: Callable[[Array], Array], start: Array, low: float, high: float,
        walks: int, rng: np.random.Generator,
    ) -> None:  # fmt: skip
        self.step, self.score, self.low, self.high, self.rng = step, score, low, high, rng
        self.states, self.inside = np.repeat(start[None], walks, axis=0), np.ones(walks, bool)
        self.seen = self.lost = 0

    def move(self) -> Array:
        """Make a step, and return the states (k, d) of the walks that set out by it."""
        self.states = self.step(self.states, self.rng)
        at = self.score(self.states)
        out = self.inside & (at >= self.low)
        self.inside = np.where(out, False, self.inside | (at < self.low))
        setting_out = self.states[out].copy()
        gone = np.flatnonzero((at >= self.high) | (at == LOST))
        if len(gone) == len(at):
            raise FloatingPointError("all walks of the cloud have left: give smaller steps")
        if len(gone):
            stay = np.setdiff1d(np.arange(len(at)), gone)
            others = self.rng.choice(stay, len(gone))
            self.states[gone], self.inside[gone] = self.states[others], self.inside[others]
        self.seen, self.lost = self.seen + len(at), self.lost + int((at == LOST).sum())
        return setting_out

    def watch(self, steps: int, enough: int) -> tuple[float, Array]:
        """Return at which rate walks set out, and where, in as many steps at least."""
        outs: list[Array] = []
        count = done = 0
        while done < steps or count < enough:
            outs.append(self.move())
            count, done = count + len(outs[-1]), done + 1
        return count / (done * len(self.states)), np.concatenate(outs)


def leaving_rate(
    setting_out: Array, chances: Array, durations: tuple[Array, ...], aside: float = 0.0
) -> float:
    r"""Return the rate at which a quasi-stationary cloud leaves, the mean over R runs.

    Those who arrive now have set out s steps ago, when the cloud was larger, so that

    .. math:: \lambda = \frac1R \sum_k r_k p_k \, \langle (1 - \lambda - \mu)^{-s} \rangle_k

    with the rate r of setting out, the chance p to arrive, the durations s of the ways that
    arrive, and the rate μ of leaving by the door beside. Without the last factor a time comes out
    too long where it is not much longer than the way.
    """
    rate, flux = 0.0, setting_out * chances
    for _ in range(1000):
        last = rate
        lags = [((1 - last - aside) ** -s).mean() if len(s) else 0.0 for s in durations]
        rate = float((flux * lags).mean())
        if abs(rate - last) <= 1e-10 * rate:
            return rate
        if rate + aside > 0.5:
            break
    raise FloatingPointError("the ways are longer than the time to leave: it is no rare event")


def leaving_error(
    setting_out: Array, chances: Array, durations: tuple[Array, ...], aside: float = 0.0
) -> float:
    """Return the relative standard error of the rate of leaving, each run left out in turn.

    It is larger than that of the mean of rate times chance, since the rate stands on both sides:
    where more leave, those who arrive now set out from a larger cloud, too.
    """
    rates = []
    for k in range(len(chances)):
        others = durations[:k] + durations[k + 1 :]
        rates.append(leaving_rate(np.delete(setting_out, k), np.delete(chances, k), others, aside))
    return float(np.std(rates) * np.sqrt(len(rates) - 1) / np.mean(rates))


def split_time(
    step: Step, score: Callable[[Array], Array], start: Array, low: float, high: float, T: float,
    rng: np.random.Generator, runs: int = 20, walks: int = 100, cloud: int = 200,
) -> dict[str, Any]:  # fmt: skip
    """Return the mean time to leave in steps, and its relative error over the runs.

    A cloud of walks that have forgotten their start sets out to `low` at some rate; each one that
    sets out arrives with the chance of splitting. Each run has a stretch of the cloud's time for
    its own, so that the spread over runs is that of the whole method.
    """
    here = Cloud(step, score, start, low, high, cloud, rng)
    for _ in range(round(SPREAD / T)):
        here.move()
    here.seen = here.lost = 0
    stretches = [here.watch(round(APART / T), walks) for _ in range(runs)]
    starts = np.stack([outs[rng.permutation(len(outs))[:walks]] for _, outs in stretches])
    found = rare_chance(
        step, score, starts, low=low, high=high, rng=rng, kill=walks // 2, max_steps=MOST
    )
    if not found.value:
        raise FloatingPointError("no walk arrived: give more walks")
    out = np.array([rate for rate, _ in stretches])
    leaving = out, found.chances, found.durations, here.lost / here.seen
    return {
        "time": 1 / leaving_rate(*leaving),
        "error": leaving_error(*leaving),
        "without_lag": float(1 / (out * found.chances).mean()),
        "duration": found.duration,
        "setting_out": out.tolist(),
        "chances": found.chances.tolist(),
        "steps": here.seen + found.steps,
    }
