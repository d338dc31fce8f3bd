"""Chapter 6: saturated thermostats, the Lorenz system (source 003, post 8)."""

from collections.abc import Callable, Sequence
from functools import cache
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
from scipy.optimize import brentq

from descent import influence, lyapunov
from descent.arguments import Array
from descent.dynamics import Map
from descent.dynamics.carrier import Carrier
from descent.dynamics.system import Initial
from descent.dynamics.tangent import Tangents, advance
from descent.estimates import mean_with_error
from descent.influence import worlds
from descent.systems import equilibria, lorenz, saturated_thermostat

TARGET, DT = 25.0, 0.02
LOW, HIGH = 5.0, 45.0
"""The interval of initial room temperatures over which the source integrates."""

NEAR, FAR = (1.0, 1.0, 1.0), (10.0, 10.0, 10.0)
"""Two starts of the Lorenz system; the source gives none."""
SIGMA, BETA = 10.0, 8 / 3
PUBLISHED_EXPONENT = 0.9056
"""The largest exponent at the standard parameters, as Sprott (2003) prints it."""
VARIABLES = ("a", "b", "c")


# Thermostats


def thermostat(theta: float = 1.0, p: float = 1.0) -> Map:
    """Return the source's thermostat, with the step that its integrals imply."""
    return saturated_thermostat(theta, p, TARGET, DT)


def thermostat_op(start: npt.ArrayLike, time: float, theta: float = 1.0, p: float = 1.0) -> Array:
    """Return Op(thermostat; room, room) at one time for initial room temperatures."""
    initial: Initial = {"room": start, "thermostat": 0.0}
    values = influence.op(thermostat(theta, p), initial, [time], "thermostat", "room", "room")
    return np.asarray(values[0])


def removed_by_telescoping(theta: float, p: float, time: float) -> float:
    """Return the integral of 1 - Comp as a difference of two final temperatures.

    In Y a disturbance of the room stays what it is, so Comp is the derivative of the final
    temperature by the initial one, and its integral is the distance of the final ends.
    """
    system = thermostat(theta, p)
    state = np.array([[LOW, HIGH], [0.0, 0.0]])
    for _ in range(round(time / DT)):
        state = np.array(system.step(state, 0.0))
    return float((HIGH - LOW) - (state[0, 1] - state[0, 0]))


def removed_by_finite_differences(
    theta: float, p: float, time: float, delta: float = 1e-3, n: int = 401
) -> float:
    """Return the same by finite differences on an even grid, as a program like the source's."""
    room = np.linspace(LOW, HIGH, n)
    ratio = worlds.finite_difference_comp(
        thermostat(theta, p),
        {"room": room, "thermostat": 0.0},
        [time],
        "thermostat",
        "room",
        "room",
        delta,
    )[0]
    return float(np.trapezoid(1 - ratio, room))


def _first(holds: Callable[[Array], Any], low: float, high: float) -> float:
    """Return where a condition that does not hold at low begins to hold, to 1e-11 of the way.

    By seven rounds over a grid, each within the cell that the one before has found: a grid of
    starts takes no longer than one of them. ValueError if it holds nowhere.
    """
    for _ in range(7):
        grid = np.linspace(low, high, 41)
        found = np.flatnonzero(holds(grid[1:]))
        if not found.size:
            raise ValueError(f"time must let Op change between starts; got none up to {high:g}")
        low, high = grid[found[0] : found[0] + 2]
    return float(high)


def lowest_optimized_start(time: float, theta: float = 1.0, p: float = 1.0) -> float:
    """Return the lowest initial room temperature with Op > 0."""
    return _first(lambda room: thermostat_op(room, time, theta, p) > 0, LOW, TARGET)


def plateau_half_width(time: float, theta: float = 1.0, p: float = 1.0) -> float:
    """Return how far from the target the start may be with Op at its largest."""
    largest = thermostat_op(TARGET, time, theta, p)

    def differs(away: Array) -> Any:
        return np.abs(thermostat_op(TARGET + away, time, theta, p) - largest) >= 1e-9

    return _first(differs, 0.0, HIGH - TARGET)


# Lorenz


@cache
def disturbances(
    rho: float, times: tuple[float, ...], dt: float = 0.02
) -> tuple[Array, dict[str, Array]]:
    """Return all disturbances at the given times from NEAR and FAR, for initial ones of size 1.

    Returns
    -------
    array (n_times, 3, 3, 2)
        In X, by measured variable, varied variable and start.
    dict of A to array (n_times, 3, 3, 2)
        In Y, with zeros where A is varied or measured.
    """
    system, every = lorenz(SIGMA, rho, BETA), (0, 1, 2)
    state = np.array([NEAR, FAR]).T
    free = {A: tuple(i for i in every if VARIABLES[i] != A) for A in VARIABLES}
    tangents = [
        Tangents(rest, np.repeat(np.eye(len(rest))[:, :, None], 2, axis=2))
        for rest in (every, *free.values())
    ]
    x, y = [], {A: np.zeros((len(times), 3, 3, 2)) for A in VARIABLES}
    now, carrier = 0.0, Carrier(system, dt, "dop853")
    for k, time in enumerate(times):
        state, tangents = carrier.to(state, tangents, now, time)
        now = time
        x.append(tangents[0].vectors)
        for (A, rest), t in zip(free.items(), tangents[1:], strict=True):
            y[A][k][np.ix_(rest, rest)] = t.vectors
    return np.array(x), y


def pair(
    rho: float,
    start: tuple[float, float, float],
    times: tuple[float, ...],
    A: str,
    n: str,
    m: str,
    dt: float = 0.02,
) -> tuple[Array, Array]:
    """Return the disturbance of m in X and in Y after one of size 1 in n."""
    x, y = disturbances(rho, times, dt)
    index = (slice(None), VARIABLES.index(m), VARIABLES.index(n), (NEAR, FAR).index(start))
    return x[index], y[A][index]


def choices() -> list[tuple[str, str, str]]:
    """Return all (A, n, m) with A one variable and n, m among the other two."""
    return [(A, n, m) for A in VARIABLES for n in VARIABLES for m in VARIABLES if n != A and m != A]


def choices_that_reach_y(rho: float = 28.0) -> list[tuple[str, str, str]]:
    """Return the choices for which the disturbance arrives in Y, so that Comp is finite."""
    return [c for c in choices() if pair(rho, NEAR, (1.0,), *c)[1][0] != 0]


def sign_changes(
    rho: float, start: tuple[float, float, float], n: str, m: str, end: float
) -> Array:
    """Return the times up to ``end`` where Comp(a; n, m) passes through zero or a pole."""
    grid = np.linspace(0.02, end, 200)
    x, y = pair(rho, start, tuple(grid), "a", n, m)
    found = []
    for world, curve in (("X", x), ("Y", y)):
        for k in np.nonzero(np.diff(np.sign(curve)))[0]:

            def at(time: float, which: int = 0 if world == "X" else 1) -> float:
                return float(pair(rho, start, (time,), "a", n, m)[which][0])

            found.append(brentq(at, grid[k], grid[k + 1], xtol=1e-9))
    return np.sort(np.array(found))


def jacobian_at(state: Array, rho: float) -> Array:
    """Return the Jacobian (3, 3) of the Lorenz system."""
    jacobian = lorenz(SIGMA, rho, BETA).jacobian
    assert jacobian is not None
    return np.array(jacobian(state, 0.0), np.float64)


def response_block(state: Array, rho: float, A: str) -> Array:
    """Return the Jacobian (2, 2) of the variables outside of A."""
    rest = [i for i in range(3) if VARIABLES[i] != A]
    return np.asarray(jacobian_at(state, rho)[np.ix_(rest, rest)])


def largest_rate(matrix: Array) -> float:
    """Return the largest real part of the eigenvalues."""
    return float(np.linalg.eigvals(matrix).real.max())


def stable_equilibria(rho: float) -> int:
    """Return the number of stable equilibria."""
    return sum(largest_rate(jacobian_at(state, rho)) < 0 for state in equilibria(rho, BETA))


def onset_of_instability() -> float:
    """Return the rho beyond which no equilibrium is stable, as a root of the largest rate."""

    def rate(rho: float) -> float:
        return largest_rate(jacobian_at(equilibria(rho, BETA)[-1], rho))

    return float(brentq(rate, 20.0, 28.0))


def slope_at_equilibrium(rho: float, A: str) -> float:
    """Return the limit of Op/t for a trajectory that ends in a stable equilibrium.

    Raises
    ------
    ValueError
        If no equilibrium is stable.
    """
    rest = equilibria(rho, BETA)[-1]
    growth = largest_rate(jacobian_at(rest, rho))
    if growth >= 0:
        raise ValueError(f"rho must leave an equilibrium stable; got {rho!r}")
    return largest_rate(response_block(rest, rho, A)) - growth


def predicted_slope(rho: float, A: str, m: str) -> float:
    """Return the limit of Op/t: at an equilibrium below rho = 24, from the exponents above."""
    chaotic = rho > 24
    if rho < 1 and A == "b" and m == "c":
        # The disturbance reaches c in X through a and b only, which themselves decay.
        growth = largest_rate(jacobian_at(equilibria(rho, BETA)[-1], rho))
        return float(-BETA - 2 * growth)
    if A == "b" and m == "a":  # the response of a does not feel c, and decays at sigma
        rest = equilibria(rho, BETA)[-1]
        growth = exponents(rho).full[0, 0] if chaotic else largest_rate(jacobian_at(rest, rho))
        return float(-SIGMA - growth)
    return exponents(rho).slope(A)[0] if chaotic else slope_at_equilibrium(rho, A)


class Exponents(NamedTuple):
    """Lyapunov exponents and their standard errors, full and conditional on a, b, c."""

    full: Array
    conditional: dict[str, Array]

    def slope(self, A: str) -> tuple[float, float]:
        """Return the predicted limit of Op/t, and its standard error."""
        rate, error = self.conditional[A][:, 0]
        return float(rate - self.full[0, 0]), float(np.hypot(error, self.full[1, 0]))


@cache
def exponents(rho: float = 28.0, n_trajectories: int = 256) -> Exponents:
    """Return the exponents at one rho, by Benettin's method, with error estimates.

    Trajectories that begin near an equilibrium leave it slowly, so the transient is long.
    """
    system = lorenz(SIGMA, rho, BETA)

    def measured(frozen: tuple[str, ...], seed: int) -> Array:
        return lyapunov.conditional_exponents(
            system,
            frozen,
            duration=60.0,
            transient=30.0,
            n_trajectories=n_trajectories,
            rng=np.random.default_rng(seed),
            dt=0.04,
            return_error=True,
        )

    return Exponents(measured((), 1), {A: measured((A,), 2 + i) for i, A in enumerate(VARIABLES)})


@cache
def on_attractor(n: int, seed: int = 0, transient: float = 30.0) -> Array:
    """Return n states (n, 3) on the attractor at rho = 28."""
    rng = np.random.default_rng(seed)
    state = np.array([0.0, 0.0, 25.0])[:, None] + 5 * rng.standard_normal((3, n))
    state, _ = advance(lorenz(), state, [], 0.0, transient, 0.02)
    return state.T


def ensemble_op(times: Sequence[float], A: str, n: str, m: str, size: int = 256) -> Array:
    """Return Op (n_times, size) from many starts on the attractor at rho = 28."""
    return influence.op(lorenz(), on_attractor(size), times, A, n, m, dt=0.02)


def mean_slope(times: Sequence[float] | Array, values: Array) -> tuple[float, float]:
    """Return the mean slope of Op between the first and the last time, and its standard error."""
    slopes = (values[-1] - values[0]) / (times[-1] - times[0])
    return mean_with_error(slopes)


HORIZON_TIMES = np.linspace(0.1, 18, 180)
DELTAS = (1e-1, 1e-2, 1e-3, 1e-4, 1e-5, 1e-6, 1e-7, 1e-8, 1e-10, 1e-12)


MOVED_STARTS = 24
"""Starts about each of the two; the first is the start itself, the others are moved by 1e-9."""


@cache
def tangent_and_differences() -> tuple[Array, dict[float, Array]]:
    """Return Comp(a; b, b) at rho = 28 from NEAR and FAR: exact, and for each of DELTAS.

    Arrays (n_times, 2, MOVED_STARTS). The same integrator and step for all, so that only
    the finite disturbance and rounding differ. A start that is moved by 1e-9 is rounded
    otherwise along its whole way, as another processor rounds the same start.
    """
    moved = 1e-9 * np.random.default_rng(1).standard_normal((MOVED_STARTS, 3))
    moved[0] = 0
    starts = np.array([NEAR, FAR])[:, None] + moved
    arguments = (lorenz(), starts.reshape(-1, 3), HORIZON_TIMES, "a", "b", "b")

    def by_start(comp: Array) -> Array:
        return comp.reshape(len(HORIZON_TIMES), *starts.shape[:2])

    exact = by_start(influence.comp(*arguments, dt=0.04))
    return exact, {
        delta: by_start(worlds.finite_difference_comp(*arguments, delta, dt=0.04))
        for delta in DELTAS
    }


@cache
def horizons(which: int) -> dict[float, Array]:
    """Return the times from which finite differences are wrong, by delta, shortest first.

    One for each start about NEAR (which = 0) or FAR (1).
    """
    exact, approximations = tangent_and_differences()
    return {
        delta: np.sort(
            [
                worlds.horizon(HORIZON_TIMES, *pair)
                for pair in zip(exact[:, which].T, approximation[:, which].T, strict=True)
            ]
        )
        for delta, approximation in approximations.items()
    }


@cache
def local_op(window: float, n: int = 390) -> tuple[Array, Array]:
    """Return n pieces of a trajectory on the attractor, and Op(a; b, b) over a window of time.

    Returns
    -------
    array (n, 7, 3)
        Pieces of 0.09 units of time; each begins where the one before ends.
    array (n,)
        Op from the middle of each piece.
    """
    system = lorenz()
    state, path = on_attractor(1, seed=3).T, []
    for _ in range(6 * n + 1):
        path.append(state[:, 0])
        state = system.step(state, dt=0.015)
    states = np.array(path)
    pieces = np.stack([states[6 * k : 6 * k + 7] for k in range(n)])
    op = influence.op(system, pieces[:, 3], [window], "a", "b", "b", dt=0.005, scheme="rk4")
    return pieces, op[0]


GRID = np.linspace(-20, 20, 256)
LANDSCAPE_TIMES = (0.1, 0.2, 0.3, 0.4, 0.5, 0.7, 1.0, 1.5, 2.0, 3.0, 5.0, 10.0)


def plane(rho: float) -> float:
    """Return the initial c of a landscape: that of the two equilibria, or of the only one."""
    return max(rho - 1, 0.0)


@cache
def landscape(rho: float) -> tuple[Array, Array]:
    """Return sign and log of |Comp(a; b, b)| (n_times, 256, 256) over initial a (rows) and b.

    The system is unchanged when a and b change sign, so half of the plane is computed.
    """
    half = GRID[: len(GRID) // 2]
    initial: Initial = {"a": half[:, None], "b": GRID, "c": plane(rho)}
    system = lorenz(SIGMA, rho, BETA)
    sign, log = influence.slog_comp(
        system, initial, LANDSCAPE_TIMES, "a", "b", "b", dt=0.01, scheme="rk4"
    )
    return tuple(np.concatenate([v, v[:, ::-1, ::-1]], axis=1) for v in (sign, log))  # type: ignore[return-value]
