"""Chapter 5: the worlds W, X and Y, and a linear thermostat in them (source 003, post 7)."""

from collections.abc import Collection, Mapping, Sequence
from fractions import Fraction
from functools import cache
from typing import NamedTuple

import numpy as np
from scipy.linalg import expm

from descent import causal, influence
from descent.arguments import Array
from descent.causal.network import Edge
from descent.dynamics import Map
from descent.dynamics.system import Rows
from descent.influence import linear_thermostat_comp, worlds
from descent.systems import linear_thermostat, saturated_thermostat

START = (35.0, 10.0)
"""Room and thermostat at time 0."""
TARGET = 25.0
THERMOSTAT = ("thermostat", "room", "room")
"""The part that is replayed, the variable that is disturbed, the one that is measured."""
FREQUENCY = 0.1
"""Angular frequency of the forcing, radians per step."""


# The causal network.


class Network(NamedTuple):
    """A causal network: places of the nodes, the nodes of part A, and the arrows."""

    places: dict[str, tuple[float, float]]
    part: frozenset[str]
    arrows: tuple[tuple[str, str], ...]


WEIGHTS = {
    ("a2", "a2"): 1,
    ("a1", "a2"): 1,
    ("a1", "a1"): -1,
    ("b1", "a1"): 1,
    ("a2", "b2"): -1,
    ("b1", "b1"): 2,
    ("b2", "b2"): 1,
    ("b2", "b1"): 1,
    ("a1", "b1"): -2,
}
"""By how much an effect changes with its cause: b1 doubles by itself, and a1 works against it."""
FIRST_VALUES = {"a2": 0, "a1": 1, "b1": 1, "b2": 2}
"""The numbers of the nodes that have no causes."""


def general_network(steps: int = 4) -> Network:
    """Return a network of four variables: a1 and a2 form the part A, b1 and b2 the rest."""
    rows = {"a2": 3.0, "a1": 2.0, "b1": 1.0, "b2": 0.0}
    places = {f"{name}{t}": (float(t), row) for name, row in rows.items() for t in range(steps)}
    arrows = tuple(
        (f"{source}{t}", f"{target}{t + 1}") for source, target in WEIGHTS for t in range(steps - 1)
    )
    return Network(places, frozenset(n for n in places if n.startswith("a")), arrows)


def downstream(network: Network, node: str, held: Collection[str] = ()) -> frozenset[str]:
    """Return what a change of a node reaches, itself included, when held nodes do not respond."""
    reached, frontier = {node}, [node]
    while frontier:
        source = frontier.pop()
        new = {b for a, b in network.arrows if a == source and b not in held} - reached
        reached |= new
        frontier += new
    return frozenset(reached)


def values_in_y(network: Network, node: str) -> dict[str, str]:
    """Return the world whose value each node has in Y: W, X, or Y if it has its own.

    A node has its own value if its value in X came through the part A: A is replayed, so
    that this influence is missing.
    """
    changed = downstream(network, node)
    corrected = frozenset(
        n
        for a in changed & network.part
        for n in downstream(network, a, network.part)
        if n not in network.part
    )
    reached = downstream(network, node, network.part)
    named = {n: "Y" if n in corrected else ("X" if n in reached else "W") for n in network.places}
    # What only A would have disturbed keeps the value of W.
    return {n: "W" if n not in reached else world for n, world in named.items()}


def responses(
    network: Network,
    node: str,
    held: Collection[str] = (),
    weights: Mapping[tuple[str, str], int] = WEIGHTS,
) -> dict[str, Fraction]:
    """Return by how much each node changes with one of them, a part A being held or not."""
    edges: dict[Edge, int] = {(a, b): weights[a[:-1], b[:-1]] for a, b in network.arrows}
    found = causal.responses(causal.Network(edges), node, held)
    return {n: Fraction(found[n]) for n in network.places}


def values(
    network: Network,
    node: str,
    delta: int = 1,
    weights: Mapping[tuple[str, str], int] = WEIGHTS,
) -> dict[str, dict[str, Fraction]]:
    """Return the number at each node in W, in X and in Y, where ``node`` is larger by delta.

    The nodes without causes begin at `FIRST_VALUES`.
    """
    w = dict.fromkeys(network.places, Fraction(0))
    for first, value in FIRST_VALUES.items():
        for n, response in responses(network, f"{first}0", weights=weights).items():
            w[n] += value * response
    told = {"W": w}
    for name, held in (("X", frozenset()), ("Y", network.part)):
        moved = responses(network, node, held, weights)
        told[name] = {n: w[n] + delta * moved[n] for n in w}
    return told


# The linear thermostat.


def forced_thermostat(k: float, amplitude: float | Array) -> Map:
    """Return the linear thermostat in a room with sinusoidal heat; amplitudes may be an array."""
    return linear_thermostat(k, TARGET, lambda t: amplitude * np.sin(FREQUENCY * t))


def misprinted_thermostat(k: float) -> Map:
    """Return the thermostat as the source prints it: it measures itself, not the room."""

    def step(state: Array, time: float) -> Rows:
        room, thermostat = state
        return room - k * thermostat, thermostat - TARGET

    return Map(("room", "thermostat"), step)


def simulate_forced(k: float, delta: float, amplitudes: Sequence[float], n_steps: int) -> Array:
    """Return the rooms of W, X and Y, shape (3, n_steps + 1, len(amplitudes))."""
    start = np.tile(START, (len(amplitudes), 1))
    system = forced_thermostat(k, np.asarray(amplitudes, float))
    part, varied, _ = THERMOSTAT
    paths = worlds.simulate(system, start, np.arange(n_steps + 1), part, varied, delta)
    return np.asarray(paths[:, :, 0])


def horizons(k: float, deltas: Sequence[float], amplitudes: Sequence[float], n_steps: int) -> Array:
    """Return when the finite difference is off by 0.1 nat, (len(deltas), len(amplitudes))."""
    t = np.arange(n_steps + 1)
    exact = linear_thermostat_comp(k, t)
    found = []
    for delta in deltas:
        w, x, y = simulate_forced(k, delta, amplitudes, n_steps)
        with np.errstate(divide="ignore", invalid="ignore"):
            ratios = (x - w) / (y - w)
        found.append([worlds.horizon(t, exact, ratio) for ratio in ratios.T])
    return np.array(found)


def predicted_horizon(k: float, delta: float, largest: float, tolerance: float = 0.1) -> float:
    """Return when the disturbance has shrunk to the spacing of floats near the largest room.

    Valid for 0 < k < 1/4: the slower root alone counts.
    """
    rate = -np.log((1 + np.sqrt(1 - 4 * k)) / 2)
    return float(np.log(tolerance * delta / np.spacing(largest)) / rate)


def exact_comp(k: Fraction, delta: Fraction, amplitude: Fraction, n_steps: int) -> Fraction:
    """Return Comp after n steps from W, X and Y in rational arithmetic: nothing is rounded.

    Only the sine of the forcing is a float, the same in all three worlds.
    """
    room, thermostat = (Fraction(value) for value in START)
    w, x, y = [room, thermostat], [room + delta, thermostat], [room + delta, thermostat]
    for t in range(n_steps):
        heat = amplitude * Fraction(float(np.sin(FREQUENCY * t)))
        y[1] = w[1]  # the thermostat of Y is a recording of W's
        w, x, y = ([s - k * th + heat, s - Fraction(TARGET)] for s, th in (w, x, y))
    return (x[0] - w[0]) / (y[0] - w[0])


def rate(k: float | Array) -> Array:
    """Return the long-run slope of Op of the thermostat, nats per step: -log |larger root|."""
    root = np.sqrt(np.asarray(1 - 4 * np.asarray(k), complex))
    return np.asarray(-np.log(np.maximum(np.abs(1 + root), np.abs(1 - root)) / 2))


def op_at(k: float, step: int) -> float:
    """Return Op of the unforced thermostat after some steps, by tangent dynamics."""
    return float(influence.op(linear_thermostat(k, TARGET), START, [step], *THERMOSTAT)[0])


def op_of_forced_saturated(amplitude: float, times: Array) -> Array:
    """Return Op of a saturated thermostat that starts inside its band, under sinusoidal heat."""
    base = saturated_thermostat(1.0, 1.0, TARGET)

    def step(state: Array, time: float) -> Rows:
        room, thermostat = base.step(state, time)
        return room + base.dt * amplitude * np.sin(time), thermostat

    system = Map(base.names, step, base.jacobian, base.dt)
    return influence.op(system, (TARGET + 0.5, 0.5), times, *THERMOSTAT)


def sensitivity(k: float, omega: Array) -> Array:
    """Return |S(exp(i omega))|, the thermostat's gain on a disturbance of the room's temperature.

    S(z) = z (z - 1) / (z² - z + k), for 0 < k < 1.
    """
    z = np.exp(1j * np.asarray(omega))
    return np.asarray(np.abs(z * (z - 1) / (z**2 - z + k)))


# Linear systems.


class LinearSystem(NamedTuple):
    """A linear flow with its part A, and the variable that is disturbed and measured."""

    label: str
    matrix: Array
    names: tuple[str, ...]
    part: str
    varied: str


def _thermostat(label: str, k: float) -> LinearSystem:
    # One Euler step of length 1 of this flow is the linear thermostat.
    matrix = np.array([[0.0, -k], [1.0, -1.0]])
    return LinearSystem(label, matrix, ("room", "thermostat"), "thermostat", "room")


def _oscillator(label: str, damping: float, part: str) -> LinearSystem:
    matrix = np.array([[0.0, 1.0], [-1.0, -2 * damping]])
    names = ("position", "velocity")
    return LinearSystem(label, matrix, names, part, names[part == "position"])


def candidates() -> list[LinearSystem]:
    """Return the linear systems that the chapter ranks."""
    bucket = ("level", "tap")
    return [
        _thermostat("thermostat, best gain, k = 1/4", 0.25),
        _thermostat("thermostat, weak, k = 0.01", 0.01),
        _thermostat("thermostat, strong, k = 1", 1.0),
        _thermostat("thermostat, wired backwards, k = −1/4", -0.25),
        LinearSystem(
            "leaking bucket, a tap that does not react",
            np.array([[-1.0, 1.0], [0.0, -1.0]]),
            *(bucket, "tap", "level"),
        ),
        LinearSystem(
            "leaking bucket, a tap on a float",
            np.array([[-1.0, -0.25], [1.0, -1.0]]),
            *(bucket, "tap", "level"),
        ),
        LinearSystem(
            "leaking bucket, outflow that follows the level with a lag",
            np.array([[0.0, -1.0], [0.25, -1.0]]),
            *(("level", "outflow"), "outflow", "level"),
        ),
        _oscillator("damped oscillator, velocity on position", 0.1, "velocity"),
        _oscillator("damped oscillator, position on velocity", 0.1, "position"),
        _oscillator("oscillator without damping, velocity on position", 0.0, "velocity"),
    ]


def fastest_rate(matrix: Array) -> Array:
    """Return the modulus of the largest eigenvalue of matrices (..., d, d)."""
    return np.asarray(np.abs(np.linalg.eigvals(matrix)).max(axis=-1))


def growth_rate(matrix: Array) -> Array:
    """Return the spectral abscissa of matrices (..., d, d): the largest real part."""
    return np.asarray(np.linalg.eigvals(matrix).real.max(axis=-1))


def op_slope(matrix: Array, part: int) -> Array:
    """Return the long-run slope of Op of one variable, in nats per unit of time.

    It is the growth rate of the rest alone minus that of the whole. For matrices
    (..., d, d); generic in that the disturbance has a share in the leading mode.
    """
    rest = np.delete(np.delete(matrix, part, axis=-1), part, axis=-2)
    return growth_rate(rest) - growth_rate(matrix)


def linear_op(matrix: Array, part: int, variable: int, time: float) -> Array:
    """Return Op(part; variable, variable) from the two matrix exponentials, (..., d, d)."""
    rest = np.delete(np.delete(matrix, part, axis=-1), part, axis=-2)
    inner = variable - (variable > part)
    x = expm(time * matrix)[..., variable, variable]
    y = expm(time * rest)[..., inner, inner]
    return np.asarray(np.log(np.abs(y)) - np.log(np.abs(x)))


@cache
def random_systems(d: int, n: int, seed: int) -> Array:
    """Return n Gaussian matrices (n, d, d) in units of time in which the fastest rate is 1."""
    matrices = np.random.default_rng(seed).normal(size=(n, d, d))
    return np.asarray(matrices / fastest_rate(matrices)[:, None, None])
