"""Chapter 6, beyond the source: a small network trained as a thermostat."""

from collections.abc import Iterable, Sequence
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


def train_together(
    networks: Sequence[Network], steps: int, rngs: Sequence[np.random.Generator]
) -> list[list[Network]]:
    """Return networks before and after each step of training as a thermostat, by network.

    The loss is the mean square of r over runs of 10 units of time from random starts in
    [-5, 5]. Its gradient comes from the adjoint equation of the closed loop; the step is Adam's.
    """
    w, b, v = (np.stack([getattr(each, name) for each in networks]) for name in "wbv")
    p = np.array([each.p for each in networks])[:, None]
    moments, histories = FRESH, [[each] for each in networks]
    for _ in range(steps):
        r, path = np.stack([rng.uniform(-5, 5, 16) for rng in rngs]), []
        for _ in range(STEPS):
            hidden = np.tanh(r[:, :, None] * w[:, None] + b[:, None])
            out = np.tanh((hidden @ v[:, :, None])[:, :, 0])
            path.append((r, hidden, out))
            r = r + DT * p * out
        adjoint, gradient = 2 * r, np.zeros((3, *w.shape))
        for r, hidden, out in reversed(path):
            pull = adjoint * DT * p * (1 - out**2)  # by the output before its tanh
            inner = pull[:, :, None] * (1 - hidden**2) * v[:, None]
            gradient[0] += (r[:, None] @ inner)[:, 0]
            gradient[1] += inner.sum(axis=1)
            gradient[2] += (pull[:, None] @ hidden)[:, 0]
            adjoint = 2 * r + adjoint + (inner @ w[:, :, None])[:, :, 0]
        step, moments = adam_step(gradient / (16 * STEPS), moments, 0.03, betas=(0.9, 0.99))
        w, b, v = np.stack([w, b, v]) - step
        for k, history in enumerate(histories):
            history.append(Network(w[k], b[k], v[k], history[0].p))
    return histories


@cache
def trained_together(seeds: tuple[int, ...]) -> list[dict[int, Network]]:
    """Return the networks of a training run for each seed, by the number of steps in TRAINING."""
    rngs = [np.random.default_rng([seed, 1]) for seed in seeds]
    histories = train_together([untrained(seed) for seed in seeds], TRAINING[-1], rngs)
    return [{steps: history[steps] for steps in TRAINING} for history in histories]


def trained(seed: int = 0) -> dict[int, Network]:
    """Return the networks of one training run, by the number of steps, for those in TRAINING."""
    return trained_together((seed,))[0]


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
    ends = trained_together(tuple(seeds))
    before, after = (
        [float(np.median(op(history[steps], room))) for history in ends]
        for steps in (TRAINING[0], TRAINING[-1])
    )
    return before, after


def swapped(seed: int) -> dict[str, float]:
    """Train a network, swap heating and cooling, let it learn on; return Op at the target."""
    learned = trained(seed)[TRAINING[-1]]
    other = learned._replace(p=-learned.p)
    later = train_together([other], TRAINING[-1], [np.random.default_rng([seed, 2])])[0][-1]
    networks = {"before": learned, "swapped": other, "after": later}
    return {name: float(op(network, np.zeros(1))[0]) for name, network in networks.items()}
