r"""Chapter 6: a network that learns to balance a pole by evolution, and its Op meanwhile.

A policy with sixteen hidden neurons sets the force on the cart of `zoo.cart_pole`,

.. math:: u = 20 \tanh\bigl(c \cdot \tanh(M s + b)\bigr),

and learns by an evolution strategy with antithetic pairs and ranks: T. Salimans and others,
Evolution Strategies as a Scalable Alternative to Reinforcement Learning (2017).
"""

from typing import Any

import numpy as np

from descent import influence
from descent.arguments import Array
from descent.chapters.thermostats_and_lorenz.zoo import growth_rate, held_force
from descent.dynamics import Map, complex_step
from descent.dynamics.system import Rows

DT = 0.02
HIDDEN, STRENGTH = 16, 20.0
SIZE = HIDDEN * 6
PAIRS, SPREAD, STEP = 24, 0.1, 0.05
STARTS, DURATION = 6, 200
GENERATIONS = (0, 10, 30, 100, 300)
"""Generations after which a policy is examined."""
TIMES = (2.0, 4.0)
"""Between these times slopes are taken, in seconds."""


def force(w: Array, state: Array) -> Array:
    """Return the force (...) that policies w (SIZE, ...) choose in states (4, ...)."""
    matrix = w[: 4 * HIDDEN].reshape(HIDDEN, 4, *w.shape[1:])
    bias, out = w[4 * HIDDEN : 5 * HIDDEN], w[5 * HIDDEN :]
    hidden = np.tanh((matrix * state).sum(axis=1) + bias)
    return np.asarray(STRENGTH * np.tanh((out * hidden).sum(axis=0)))


def starts(n: int, rng: np.random.Generator) -> Array:
    """Return states (4, n) near upright and at rest."""
    return np.asarray(rng.uniform(-1, 1, (4, n)) * np.array([[0.2], [0.2], [0.15], [0.2]]))


def cost(w: Array, first: Array) -> Array:
    """Return the mean costs (p,) of policies (SIZE, p) from states (4, n)."""
    p, n = w.shape[1], first.shape[1]
    each = np.repeat(w, n, axis=1)
    body, total = np.tile(first, (1, p)), np.zeros(p * n)
    for _ in range(DURATION):
        body = np.array(held_force(np.vstack([body, force(each, body)[None]]), DT))[:4]
        body = np.clip(body, -20.0, 20.0)  # what has fallen stays down
        total += np.minimum(body[2] ** 2 + 0.1 * body[0] ** 2, 1.0)
    return np.asarray(total.reshape(p, n).mean(axis=1) / DURATION)


def evolve(seed: int) -> dict[int, Array]:
    """Return policies (SIZE,) after each of GENERATIONS."""
    rng = np.random.default_rng(seed)
    w = np.concatenate(
        [rng.standard_normal(4 * HIDDEN) / 2, np.zeros(HIDDEN), rng.standard_normal(HIDDEN) / 40]
    )
    first_moment, second = np.zeros(SIZE), np.zeros(SIZE)
    found = {0: w}
    for generation in range(1, GENERATIONS[-1] + 1):
        z = rng.standard_normal((SIZE, PAIRS))
        both = np.concatenate([w[:, None] + SPREAD * z, w[:, None] - SPREAD * z], axis=1)
        costs = cost(both, starts(STARTS, rng))
        ranks = np.argsort(np.argsort(costs)) / (2 * PAIRS - 1) - 0.5
        slope = z @ (ranks[:PAIRS] - ranks[PAIRS:]) / (PAIRS * SPREAD)
        first_moment = 0.9 * first_moment + 0.1 * slope
        second = 0.99 * second + 0.01 * slope**2
        sizes = np.sqrt(second / (1 - 0.99**generation)) + 1e-8
        w = w - STEP * first_moment / (1 - 0.9**generation) / sizes
        if generation in GENERATIONS:
            found[generation] = w
    return found


def system(w: Array) -> Map:
    """Return cart, pole and force under one policy, as a map; the force is the fifth variable."""

    def step(state: Array, time: float) -> Rows:
        moved = np.stack(held_force(state, DT)[:4])
        policy = w.reshape(SIZE, *[1] * (np.ndim(state) - 1))
        return [*moved, force(policy, moved)]

    return Map(("position", "velocity", "angle", "turn", "force"), step, complex_step(step), DT)


def resting(w: Array) -> Array | None:
    """Return the state (5,) in which the policy holds the pole for good, if there is one."""
    moved = system(w)
    state = np.zeros(5)
    state[4] = force(w, state[:4])
    for _ in range(4000):
        state = np.array(moved.step(state, 0.0))
        if np.abs(state[2]) > 1:
            return None
    last = np.array(moved.step(state, 0.0))
    return last if np.abs(last - state).max() < 1e-9 else None


def predicted(w: Array) -> float | None:
    """Return the rate of the open loop minus that of the closed loop, where the pole rests."""
    rest = resting(w)
    if rest is None:
        return None
    jacobian = np.asarray(system(w).jacobian(rest, 0.0), np.float64)  # type: ignore[misc]
    return growth_rate(jacobian[:4, :4], DT) - growth_rate(jacobian, DT)


def once(seed: int) -> dict[str, Any]:
    """Return cost, Op at the last of TIMES, its slope and the prediction, by generation."""
    found: dict[str, Any] = {"cost": [], "op": [], "slope": [], "predicted": []}
    held_out = starts(24, np.random.default_rng(1000 + seed))
    for w in evolve(seed).values():
        first = np.vstack([held_out, force(w[:, None], held_out)[None]]).T
        op = influence.op(system(w), first, TIMES, "force", "angle", "angle")
        found["cost"].append(float(cost(w[:, None], held_out)[0]))
        found["op"].append(float(np.median(op[-1])))
        found["slope"].append(float(np.median(np.diff(op, axis=0)[0] / (TIMES[1] - TIMES[0]))))
        value = predicted(w)
        found["predicted"].append(float("nan") if value is None else value)
    return found
