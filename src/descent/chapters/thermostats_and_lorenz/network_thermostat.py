"""Chapter 6, beyond the source: a small network trained as a thermostat."""

from collections.abc import Iterable
from functools import cache
from typing import NamedTuple

import numpy as np

from descent import influence
from descent.adam import FRESH, adam_step
from descent.arguments import Array
from descent.dynamics import Map
from descent.dynamics.system import Rows
from descent.kept import kept


class Network(NamedTuple):
    """A network with one hidden layer: output p tanh(v . tanh(w r + b)), r = room - target."""

    w: Array
    b: Array
    v: Array
    p: float = 1.0

    def output(self, room: Array) -> Array:
        """Return the heating per unit of time."""
        hidden = np.tanh(np.multiply.outer(room, self.w) + self.b)
        return np.asarray(self.p * np.tanh(hidden @ self.v))

    def slope(self, room: Array) -> Array:
        """Return the derivative of the output by the room's temperature."""
        hidden = np.tanh(np.multiply.outer(room, self.w) + self.b)
        outer = 1 - np.tanh(hidden @ self.v) ** 2
        return np.asarray(self.p * outer * ((1 - hidden**2) @ (self.v * self.w)))


DT = 0.1
STEPS = 100
TRAINING = (0, 5, 10, 20, 40, 80, 160)


def untrained(seed: int, hidden: int = 8) -> Network:
    """Return a network with small random weights."""
    rng = np.random.default_rng(seed)
    return Network(*(0.3 * rng.standard_normal((3, hidden))))


def train(network: Network, steps: int, rng: np.random.Generator) -> list[Network]:
    """Return the network before and after each step of training as a thermostat.

    The loss is the mean square of r over runs of 10 units of time from random starts in
    [-5, 5]. Its gradient comes from the adjoint equation of the closed loop; the step is Adam's.
    """
    w, b, v, p = network
    moments, history = FRESH, [network]
    for _ in range(steps):
        r = rng.uniform(-5, 5, 16)
        path = []
        for _ in range(STEPS):
            path.append(r)
            r = r + DT * Network(w, b, v, p).output(r)
        adjoint, gradient = 2 * r, np.zeros((3, len(w)))
        for r in reversed(path):
            hidden = np.tanh(np.multiply.outer(r, w) + b)
            out = np.tanh(hidden @ v)
            pull = adjoint * DT * p * (1 - out**2)  # by the output before its tanh
            inner = pull[:, None] * (1 - hidden**2) * v
            gradient += np.stack([r @ inner, inner.sum(axis=0), pull @ hidden])
            adjoint = 2 * r + adjoint + inner @ w
        step, moments = adam_step(gradient / (16 * STEPS), moments, 0.03, betas=(0.9, 0.99))
        w, b, v = np.stack([w, b, v]) - step
        history.append(Network(w, b, v, p))
    return history


@cache
def trained(seed: int = 0) -> dict[int, Network]:
    """Return the networks of one training run, by the number of steps, for those in TRAINING."""
    history = train(untrained(seed), TRAINING[-1], np.random.default_rng([seed, 1]))
    return {steps: history[steps] for steps in TRAINING}


def system(network: Network) -> Map:
    r"""Room that a network heats: :math:`r' = r + \Delta t\, u, u' = N(r')`."""

    def step(state: Array, time: float) -> Rows:
        room = state[0] + DT * state[1]
        return room, network.output(room)

    def jacobian(state: Array, time: float) -> list[Rows]:
        slope = network.slope(state[0] + DT * state[1])
        return [(1.0, DT), (slope, DT * slope)]

    return Map(("room", "output"), step, jacobian, DT)


def initial(network: Network, room: Array) -> dict[str, Array]:
    """Return a start in which the output fits the room."""
    return {"room": room, "output": network.output(room)}


def op(network: Network, room: Array, time: float = 10.0) -> Array:
    """Return Op(output; room, room) by tangent dynamics."""
    names = ("output", "room", "room")
    values = influence.op(system(network), initial(network, room), [time], *names)
    return np.asarray(values[0])


def op_by_identity(network: Network, room: Array, time: float = 10.0) -> Array:
    r"""Return the same as :math:`-\sum_t \ln(1 + \Delta t\, N'(r_t))`, without the first step.

    The recorded output at time 0 is not disturbed, so the network acts from step 1 on.
    """
    total = np.zeros_like(room)
    r = room + DT * network.output(room)
    for _ in range(round(time / DT) - 1):
        total -= np.log(1 + DT * network.slope(r))
        r = r + DT * network.output(r)
    return np.asarray(total)


def long_run_rate(network: Network) -> float:
    """Return the limit of Op/t, from the slope at the temperature where the room settles."""
    r = np.array(0.0)
    for _ in range(2000):
        r = r + DT * network.output(r)
    return float(-np.log(1 + DT * network.slope(r)) / DT)


def gap_to_identity(room: Array) -> float:
    """Return the largest difference of Op by tangent dynamics and by the identity, in nats."""
    gaps = [op(network, room) - op_by_identity(network, room) for network in trained().values()]
    return float(np.abs(gaps).max())


@kept
def median_op(room: Array, seeds: Iterable[int]) -> tuple[list[float], list[float]]:
    """Return the median of Op over starts before and after training, a number a seed."""
    ends = [trained(seed) for seed in seeds]
    before, after = (
        [float(np.median(op(history[steps], room))) for history in ends]
        for steps in (TRAINING[0], TRAINING[-1])
    )
    return before, after


def swapped(seed: int) -> dict[str, float]:
    """Train a network, swap heating and cooling, let it learn on; return Op at the target."""
    learned = trained(seed)[TRAINING[-1]]
    other = learned._replace(p=-learned.p)
    later = train(other, TRAINING[-1], np.random.default_rng([seed, 2]))[-1]
    networks = {"before": learned, "swapped": other, "after": later}
    return {name: float(op(network, np.zeros(1))[0]) for name, network in networks.items()}
