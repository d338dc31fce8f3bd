"""Systems: their rules, their equilibria, and Jacobians by two independent methods."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.linalg import expm

from descent import systems
from descent.dynamics import Flow, Map, complex_step
from descent.dynamics.system import state_of
from descent.dynamics.tangent import Tangents, advance

NUMBERS = st.floats(-30, 30)


def central_difference(function, state, h=1e-6):
    columns = []
    for j in range(len(state)):
        up, down = state.copy(), state.copy()
        up[j] += h
        down[j] -= h
        columns.append((np.array(function(up, 0.0)) - np.array(function(down, 0.0))) / (2 * h))
    return np.stack(columns, axis=1)


def function_of(system):
    return system.rate if isinstance(system, Flow) else system.step


@pytest.mark.parametrize(
    ("system", "state"),
    [
        (systems.lorenz(), [1.0, -2.0, 30.0]),
        (systems.lorenz(9.0, 0.8, 2.0), [3.0, 5.0, -1.0]),
        (systems.linear_thermostat(0.3, 25.0), [35.0, 10.0]),
        (systems.saturated_thermostat(1.0, 0.5, 25.0), [25.3, 0.4]),
        (systems.saturated_thermostat(1.0, 0.5, 25.0), [25.3, 1.4]),
    ],
)
def test_jacobian_agrees_with_central_differences(system, state):
    state = np.array(state)
    hand = np.array(system.jacobian(state, 0.0), float)
    np.testing.assert_allclose(hand, central_difference(function_of(system), state), atol=1e-8)


@given(NUMBERS, NUMBERS, NUMBERS)
def test_lorenz_jacobian_agrees_with_the_complex_step(a, b, c):
    system, state = systems.lorenz(), np.array([a, b, c])
    hand = np.array(system.jacobian(state, 0.0), float)
    np.testing.assert_allclose(complex_step(system.rate)(state, 0.0), hand, 1e-14, 1e-99)


def test_a_wrong_jacobian_is_told_apart():
    """The reversed sign of the source's first equation is not the derivative of ours."""
    state = np.array([1.0, 2.0, 3.0])
    wrong = complex_step(lambda s, t: (10.0 * (s[0] - s[1]), *systems.lorenz().rate(s, t)[1:]))
    assert abs(wrong(state, 0.0) - np.array(systems.lorenz().jacobian(state, 0.0), float)).max() > 1


@pytest.mark.parametrize(("rho", "count"), [(0.8, 1), (10.0, 3), (28.0, 3)])
def test_lorenz_equilibria(rho, count):
    points = systems.equilibria(rho)
    assert len(points) == count
    rates = np.array(systems.lorenz(rho=rho).rate(points.T, 0.0))
    np.testing.assert_allclose(rates, 0, atol=1e-13)


def unstable_directions(rho, point):
    jacobian = np.array(systems.lorenz(rho=rho).jacobian(point, 0.0), float)
    return int((np.linalg.eigvals(jacobian).real > 0).sum())


def test_lorenz_stability_of_equilibria():
    """One stable point below 1; two stable points and a saddle between 1 and 24.74."""
    assert unstable_directions(0.8, systems.equilibria(0.8)[0]) == 0
    for rho, expected in [(24.7, [1, 0, 0]), (24.8, [1, 2, 2])]:
        assert [unstable_directions(rho, p) for p in systems.equilibria(rho)] == expected


@pytest.mark.parametrize(("scheme", "order"), [("rk4", 4), ("dop853", 8)])
def test_order_of_convergence(scheme, order):
    """Halving the step divides the error of states and tangents by 2 ** order."""
    system, start = systems.lorenz(), np.array([[1.0], [1.0], [1.0]])
    unit = [Tangents((0, 1, 2), np.eye(3)[:, :1, None])]

    def end(dt):
        state, (v,) = advance(system, start, unit, 0.0, 1.0, dt, scheme)
        return np.concatenate([state.ravel(), v.vectors.ravel()])

    exact = end(0.002)
    coarse = 0.04 if order == 8 else 0.005
    errors = [np.abs(end(dt) - exact).max() for dt in (coarse, coarse / 2)]
    assert order - 0.7 < np.log2(errors[0] / errors[1]) < order + 1.3


def test_step_of_a_flow_is_the_classical_scheme():
    system, start = systems.lorenz(), np.array([[1.0, 4.0], [2.0, 5.0], [3.0, 6.0]])
    state, _ = advance(system, start, [], 0.0, 0.01, 0.01, "rk4")
    np.testing.assert_allclose(system.step(start, dt=0.01), state, rtol=1e-14)


def test_dumb_thermostat_is_periodic_outside_its_fixed_point():
    """The cycle of six that the source lists, and (warm, low)."""
    system = systems.dumb_thermostat()
    state, visited = (1, 0), []
    for _ in range(6):
        visited.append((system.room[state[1]], system.thermostat[state[0]]))
        state = tuple(int(i) for i in system.step(*state))
    assert visited == [
        ("hot", "low"),
        ("hot", "off"),
        ("warm", "off"),
        ("cold", "low"),
        ("cold", "high"),
        ("warm", "high"),
    ]
    # The print closes the cycle with (hot, low).
    assert state == (1, 0)
    assert tuple(system.step(1, 1)) == (1, 1)


def test_thermostats_share_the_room_but_not_the_thermostat():
    dumb, smart = systems.dumb_thermostat(), systems.smart_thermostat()
    np.testing.assert_array_equal(dumb.step_room, smart.step_room)
    assert (dumb.step_thermostat != smart.step_thermostat).sum() == 2


def test_linear_thermostat_settles_and_its_misprint_does_not():
    system = systems.linear_thermostat(0.1, 25.0)
    assert isinstance(system, Map)
    state = np.array([35.0, 10.0])
    other = state.copy()
    for t in range(300):
        state = np.array(system.step(state, t))
        other = np.array([other[0] - 0.1 * other[1], other[1] - 25.0])  # as printed
    np.testing.assert_allclose(state, [25.0, 0.0], atol=1e-9)
    assert abs(other).max() > 1e4


def test_saturated_thermostat_clips_what_it_measured():
    measured = np.array([-np.inf, -9.0, -0.5, -0.2, -0.0, 0.0, 0.3, 0.5, 7.0, np.inf, np.nan])
    room = np.linspace(10, 30, len(measured))
    cooled, seen = systems.saturated_thermostat(0.5, 2.0, 20.0, dt=0.1).step(
        np.array([room, measured]), 0.0
    )
    np.testing.assert_array_equal(cooled, room - 0.1 * 2.0 * np.clip(measured / 0.5, -1, 1))
    np.testing.assert_array_equal(seen, room - 20.0)


def test_saturated_thermostat_cools_by_p_outside_the_band():
    system = systems.saturated_thermostat(0.5, 2.0, 20.0, dt=0.1)
    room, thermostat = system.step(np.array([[30.0, 20.1], [9.0, -0.25]]), 0.0)
    np.testing.assert_allclose(room, [30.0 - 0.1 * 2.0, 20.1 + 0.1 * 2.0 * 0.5])
    np.testing.assert_allclose(thermostat, [10.0, 0.1])


def test_linear_flow_is_the_matrix_exponential():
    J = np.random.default_rng(3).normal(size=(3, 3))
    system, start = systems.linear_flow(J, "xyz"), np.array([[1.0], [-2.0], [0.5]])
    unit = Tangents((0, 1, 2), np.eye(3)[:, :, None])
    state, (tangents,) = advance(system, start, [unit], 0.0, 2.0)
    np.testing.assert_allclose(state, expm(2 * J) @ start, rtol=1e-10)
    np.testing.assert_allclose(tangents.vectors[:, :, 0], expm(2 * J), rtol=1e-10)


@pytest.mark.parametrize(
    ("make", "error", "match"),
    [
        (lambda: systems.linear_flow([[1.0, 2.0]], "x"), ValueError, "matrix must be square"),
        (lambda: systems.linear_flow([[np.inf]], "x"), ValueError, "matrix must be finite"),
        (lambda: systems.linear_flow(np.eye(2), "xx"), ValueError, "names must be different"),
        (lambda: systems.linear_thermostat(np.nan, 25.0), ValueError, "k must be finite"),
        (lambda: systems.linear_thermostat("1", 25.0), TypeError, "k must be a real scalar"),
        (lambda: systems.saturated_thermostat(0.0, 1.0, 25.0), ValueError, "theta must be pos"),
        (lambda: systems.saturated_thermostat(1.0, -1.0, 25.0), ValueError, "p must be positive"),
        (lambda: systems.saturated_thermostat(1.0, 1.0, 25.0, dt=0), ValueError, "dt must be"),
        (lambda: systems.lorenz(rho=np.inf), ValueError, "rho must be finite"),
        (lambda: state_of(systems.lorenz(), [1.0, 2.0]), ValueError, "initial must have 3"),
        (lambda: state_of(systems.lorenz(), {"a": 1, "b": 2}), ValueError, "must give each"),
        (lambda: state_of(systems.lorenz(), [1.0, np.nan, 0.0]), ValueError, "must be finite"),
    ],
)
def test_bad_input(make, error, match):
    with pytest.raises(error, match=match):
        make()
