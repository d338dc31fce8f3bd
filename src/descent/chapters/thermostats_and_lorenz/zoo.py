"""Chapter 6, beyond the source: systems that are optimizers by Op, and systems that are not."""

from collections.abc import Callable
from functools import cache
from typing import NamedTuple

import numpy as np
from scipy.integrate import quad
from scipy.linalg import expm, solve_discrete_are

from descent import influence
from descent.arguments import Array
from descent.chapters.thermostats_and_lorenz import network_thermostat
from descent.chapters.thermostats_and_lorenz.numbers import on_attractor
from descent.dynamics import Flow, Map, complex_step
from descent.dynamics.derivatives import STEP, ComplexStep
from descent.dynamics.system import Initial, Rows
from descent.influence.question import Measured
from descent.systems import lorenz, saturated_thermostat

TIME = 10.0


def leaking_bucket(dt: float = 0.02) -> Map:
    r"""Bucket with a hole: a level h, and the outflow q that Torricelli's law gives it.

    .. math:: h_{t+\Delta t} = h_t - \Delta t\, q_t, \qquad q_t = \sqrt{h_t}
    """

    def step(state: Array, time: float) -> Rows:
        level = state[0] - dt * state[1]
        return level, np.sqrt(level)

    return Map(("level", "outflow"), step, complex_step(step), dt, start=(100.0, 10.0))


def pumped_bucket(dt: float = 0.02) -> Map:
    """Bucket that a pump empties at a constant rate, whatever the level."""

    def step(state: Array, time: float) -> Rows:
        return state[0] - dt * state[1], state[1]

    return Map(("level", "outflow"), step, complex_step(step), dt, start=(100.0, 5.0))


def pendulum(damping: float) -> Flow:
    r"""Pendulum: :math:`\dot\varphi = \omega, \dot\omega = -\sin\varphi - \gamma\omega`."""

    def rate(state: Array, time: float) -> Rows:
        angle, velocity = state
        return velocity, -np.sin(angle) - damping * velocity

    return Flow(("angle", "velocity"), rate, complex_step(rate), 0.1, start=(0.5, 0.0))


def plughole() -> Flow:
    r"""Water that runs into a plughole: :math:`\dot r = -r, \dot\varphi = 1/r^2`."""

    def rate(state: Array, time: float) -> Rows:
        radius, _ = state
        return -radius, radius**-2

    return Flow(("radius", "angle"), rate, complex_step(rate), 0.1, start=(1.0, 0.0))


def descent_on_two_layers() -> Flow:
    r"""Gradient flow on :math:`\tfrac12 (w_1 w_2 - 1)^2`, a linear network of two layers."""

    def rate(state: Array, time: float) -> Rows:
        first, second = state
        error = first * second - 1
        return -error * second, -error * first

    return Flow(("w1", "w2"), rate, complex_step(rate), 0.1, start=(0.5, 1.0))


def product(state: Array) -> Array:
    """Return what the network of two layers computes: f = w1 w2."""
    return np.asarray(state[0] * state[1])


def descent_on_quadratic(hessian: Array) -> Flow:
    """Gradient flow on half of w' H w; variables w1, w2, ..."""
    h = np.array(hessian, float)

    def rate(state: Array, time: float) -> Rows:
        return [sum(h[i, j] * state[j] for j in range(len(h))) * -1.0 for i in range(len(h))]

    names = tuple(f"w{i + 1}" for i in range(len(h)))
    return Flow(names, rate, complex_step(rate), 0.1, start=(1.0,) * len(h))


def two_layer_limits(start: tuple[float, float] = (0.5, 1.0)) -> tuple[float, float]:
    r"""Return the limits of ln|dX| and of the rate of ln|dY| for the two layers, in closed form.

    The flow keeps :math:`c = w_1^2 - w_2^2` and ends where :math:`w_1 w_2 = 1`. Hence in X
    the disturbance of w1 tends to :math:`w_1(0) / (w_1 + w_1^{-3})`, and in Y it decays at
    the rate :math:`w_2^2`, all at the end point.
    """
    c = start[0] ** 2 - start[1] ** 2
    square = (c + np.sqrt(c * c + 4)) / 2
    end = np.sqrt(square)
    return float(np.log(start[0] / (end + end**-3))), float(-1 / square)


@cache
def random_linear(n_systems: int = 400, dimension: int = 6, seed: int = 0) -> tuple[Array, Array]:
    """Return Op(TIME) and its long-run rate for random linear flows.

    Entries are normal with variance 1/dimension. A is the first half of the variables;
    n is the first of the rest and m the second. A multiple of the identity added to the
    matrix would change nothing.
    """
    rng = np.random.default_rng(seed)
    half = dimension // 2
    values, rates = [], []
    for _ in range(n_systems):
        matrix = rng.standard_normal((dimension, dimension)) / np.sqrt(dimension)
        rest = matrix[half:, half:]
        x, y = expm(TIME * matrix)[half + 1, half], expm(TIME * rest)[1, 0]
        values.append(np.log(abs(y)) - np.log(abs(x)))
        rates.append(np.linalg.eigvals(rest).real.max() - np.linalg.eigvals(matrix).real.max())
    return np.array(values), np.array(rates)


class _AllColumns(ComplexStep):
    """The complex step of a map of trajectories, whose shifts are made beside each other."""

    def unchecked(self, state: Array, time: float) -> Array:
        d, shape = len(state), np.shape(state)
        shifts = 1j * STEP * np.eye(d)[:, :, None]
        shifted = (np.reshape(state, (d, 1, -1)) + shifts).reshape(d, -1)
        rows = self._value(shifted, time).imag / STEP
        return rows.reshape(d, d, *shape[1:]) + 0.0


class Controlled(NamedTuple):
    """A controlled system as a map, and the linear maps that govern X and Y at rest."""

    system: Map
    closed: Array
    open: Array


def _cart_rate(state: Array) -> Array:
    """Return the rates of position, velocity, angle, angular velocity, and of a held force."""
    cart, bob, length, gravity = 1.0, 0.1, 0.5, 9.81
    _, speed, angle, turn, force = state
    sin, cos = np.sin(angle), np.cos(angle)
    push = (force + bob * length * turn**2 * sin) / (cart + bob)
    bend = (gravity * sin - cos * push) / (length * (4 / 3 - bob * cos**2 / (cart + bob)))
    move = push - bob * length * bend * cos / (cart + bob)
    return np.array([speed, move, turn, bend, 0 * force])


def held_force(state: Array, dt: float) -> Rows:
    """Return cart and pole after a step in which the force is held, by Runge and Kutta's rule."""
    k1 = _cart_rate(state)
    k2 = _cart_rate(state + dt / 2 * k1)
    k3 = _cart_rate(state + dt / 2 * k2)
    k4 = _cart_rate(state + dt * k3)
    return list(state + dt / 6 * (k1 + 2 * k2 + 2 * k3 + k4))


@cache
def cart_pole(dt: float = 0.02) -> Controlled:
    r"""Cart with a pole on top, kept upright by a linear-quadratic regulator.

    Variables: position, velocity, angle from upright, angular velocity, and the force,
    which is held constant over a step and set anew at its end. Cart 1 kg, pole 0.1 kg at
    0.5 m, gravity 9.81 m/s².
    """

    def held(state: Array, time: float) -> Rows:
        return held_force(state, dt)

    at_rest = np.asarray(complex_step(held)(np.zeros(5), 0.0))
    body, push = at_rest[:4, :4], at_rest[:4, 4:]
    cost = np.diag([1.0, 0.1, 10.0, 0.1])
    p = solve_discrete_are(body, push, cost, np.eye(1))
    gain = np.linalg.solve(np.eye(1) + push.T @ p @ push, push.T @ p @ body)[0]

    def step(state: Array, time: float) -> Rows:
        moved = held(state, time)
        return [*moved[:4], sum(-g * value for g, value in zip(gain, moved[:4], strict=True))]

    names = ("position", "velocity", "angle", "turn", "force")
    angle = 0.2
    start = (0.0, 0.0, angle, 0.0, float(-gain[2] * angle))
    system = Map(names, step, _AllColumns(step), dt, start)
    return Controlled(system, np.asarray(complex_step(step)(np.zeros(5), 0.0)), body)


def growth_rate(matrix: Array, dt: float) -> float:
    """Return the rate per unit of time of the largest eigenvalue of a linear map."""
    return float(np.log(np.abs(np.linalg.eigvals(matrix)).max()) / dt)


def interlacing_slope(n_systems: int, dimension: int, rng: np.random.Generator) -> Array:
    """Return the long-run rates of Op for gradient flow on random quadratics.

    The Hessians are symmetric with normal entries, so some are saddles; A is the first half
    of the parameters.
    """
    half, rates = dimension // 2, []
    for _ in range(n_systems):
        entries = rng.standard_normal((dimension, dimension))
        hessian = (entries + entries.T) / np.sqrt(8 * dimension)
        rest = hessian[half:, half:]
        rates.append(np.linalg.eigvalsh(hessian)[0] - np.linalg.eigvalsh(rest)[0])
    return np.array(rates)


def log_sensitivity(frequency: Array, gain: float, lag: float, pole: float = 0.0) -> Array:
    r"""Return :math:`\ln|S(i\omega)|`, S = 1/(1 + L) and L(s) = gain / ((s - pole)(lag s + 1)).

    A room or another integrator (pole 0) or an unstable plant (pole > 0) with a proportional
    controller that lags.
    """
    s = 1j * np.asarray(frequency, float)
    plant = (s - pole) * (lag * s + 1)
    return np.asarray(np.log(np.abs(plant / (plant + gain))))


def bode_integral(gain: float, lag: float, pole: float = 0.0) -> float:
    r"""Return :math:`\int_0^\infty \ln|S(i\omega)|\,d\omega` by quadrature.

    By Bode's theorem pi times the real parts of the unstable poles of L, if the loop is
    closed stably and L falls off faster than 1/s.
    """

    def integrand(frequency: float) -> float:
        return float(log_sensitivity(np.array(frequency), gain, lag, pole))

    # Beyond 1, by 1/frequency, where the integrand tends to a constant.
    low, _ = quad(integrand, 0, 1, limit=200)
    high, _ = quad(lambda x: integrand(1 / x) / x**2, 0, 1, limit=200)
    return float(low + high)


# The table


class Row(NamedTuple):
    """A system and its verdict: Op at TIME (median and spread) and the rate in the long run."""

    system: str
    part: str
    effect: str
    op: float
    spread: tuple[float, float] | None
    rate: float | None


def _row(
    name: str,
    system: Map | Flow,
    initial: Initial,
    names: tuple[str, str, Measured],
    rate: float | None,
    labels: tuple[str, str] | None = None,
) -> Row:
    values = influence.op(system, initial, [TIME], *names, dt=0.04)[0]
    spread = None if values.ndim == 0 else tuple(np.percentile(values, [10, 90]))
    part, effect = labels or (names[0], str(names[2]))
    return Row(name, part, effect, float(np.median(values)), spread, rate)


def hand_written(slope: Callable[[str], tuple[float, float]]) -> list[Row]:
    """Return the rows of the table, best optimizer first.

    Parameters
    ----------
    slope
        From A to the long-run rate of Op of the Lorenz system at rho = 28.
    """
    thermostat, room = saturated_thermostat(1.0, 1.0, 25.0), ("thermostat", "room", "room")
    dt = thermostat.dt
    lag = -float(np.log((1 + np.sqrt(1 - 4 * dt)) / 2)) / dt
    coupled = np.array([[1.0, 0.6], [0.6, 1.0]])
    pole = cart_pole()
    values, rates = random_linear()
    network, starts = (
        network_thermostat.trained()[network_thermostat.TRAINING[-1]],
        np.linspace(-5, 5, 101),
    )
    rows = [
        _row("thermostat, room in its band", thermostat, [25.5, 0.5], room, lag),
        _row("thermostat, room 8 above", thermostat, [33.0, 8.0], room, lag),
        _row("thermostat, overwhelmed: 20 above", thermostat, [45.0, 20.0], room, lag),
        _row(
            "network trained as thermostat",
            network_thermostat.system(network),
            network_thermostat.initial(network, starts),
            ("output", "room", "room"),
            network_thermostat.long_run_rate(network),
        ),
        _row(
            "cart-pole, regulated",
            pole.system,
            pole.system.start or (),
            ("force", "angle", "angle"),
            growth_rate(pole.open, pole.system.dt) - growth_rate(pole.closed, pole.system.dt),
        ),
        _row(
            "leaking bucket", leaking_bucket(), [100.0, 10.0], ("outflow", "level", "level"), None
        ),
        _row("bucket with a pump", pumped_bucket(), [100.0, 5.0], ("outflow", "level", "level"), 0),
        _row("damped pendulum", pendulum(0.5), [0.5, 0.0], ("velocity", "angle", "angle"), 0.25),
        _row("pendulum, undamped", pendulum(0.0), [0.5, 0.0], ("velocity", "angle", "angle"), 0.0),
        _row(
            "pendulum, balanced on its head",
            pendulum(0.5),
            [np.pi, 0.0],
            ("velocity", "angle", "angle"),
            -float(np.roots([1, 0.5, -1]).max()),
        ),
        _row("plughole", plughole(), [1.0, 0.0], ("angle", "radius", "radius"), 0.0),
        _row(
            "gradient descent, quadratic",
            descent_on_quadratic(coupled),
            [1.0, 1.0],
            ("w2", "w1", "w1"),
            float(np.linalg.eigvalsh(coupled).min()) - 1.0,
        ),
        _row(
            "gradient descent, two layers",
            descent_on_two_layers(),
            [0.5, 1.0],
            ("w2", "w1", "w1"),
            two_layer_limits()[1],
        ),
        _row(
            "the same, measured on the product",
            descent_on_two_layers(),
            [0.5, 1.0],
            ("w2", "w1", product),
            # In X the product forgets at the rate w1² + w2², in Y at w2², and w1 w2 is 1.
            -1 / two_layer_limits()[1],
            labels=("w2", "w1 w2"),
        ),
        Row(
            "random linear systems",
            "half of the variables",
            "another one",
            float(np.median(values)),
            tuple(np.percentile(values, [10, 90])),
            float(np.median(rates)),
        ),
    ]
    rows += [
        _row("Lorenz, ρ = 28", lorenz(), on_attractor(64), (A, n, n), slope(A)[0])
        for A, n in (("a", "b"), ("b", "c"), ("c", "a"))
    ]
    return sorted(rows, key=lambda row: -row.op)
