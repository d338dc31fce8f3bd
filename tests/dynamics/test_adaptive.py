"""Integration that follows its error: closed forms, a second method, and its refusals."""

import numpy as np
import pytest
from scipy.integrate import solve_ivp
from scipy.linalg import expm

from descent import systems
from descent.dynamics import Flow, complex_step, finite_differences
from descent.dynamics.adaptive import Pace, carry
from descent.dynamics.motion import Motion
from descent.dynamics.tangent import Tangents, advance

LORENZ = systems.lorenz()
STIFF = np.array([[-1000.0, 1.0], [0.5, -1.0]])


def tangent_map(system, start, time, **options):
    d = len(start)
    unit = Tangents(tuple(range(d)), np.eye(d)[:, :, None])
    state, (v,) = advance(system, np.array(start, float)[:, None], [unit], 0.0, time, **options)
    return state[:, 0], v.vectors[:, :, 0]


def by_scipy(system, start, time, method):
    d = len(start)

    def rate(t, y):
        jacobian = np.array(system.jacobian(y[:d], t), float)
        return np.concatenate([system.rate(y[:d], t), (jacobian @ y[d:].reshape(d, d)).ravel()])

    y = np.concatenate([start, np.eye(d).ravel()])
    end = solve_ivp(rate, (0, time), y, method=method, rtol=1e-12, atol=1e-13).y[:, -1]
    return end[:d], end[d:].reshape(d, d)


def test_lorenz_tangents_agree_with_scipy():
    state, v = tangent_map(LORENZ, [1.0, 1.0, 1.0], 2.0)
    other, w = by_scipy(LORENZ, [1.0, 1.0, 1.0], 2.0, "DOP853")
    np.testing.assert_allclose(state, other, rtol=1e-9)
    np.testing.assert_allclose(v, w, atol=1e-9 * np.abs(w).max())


@pytest.mark.parametrize("stiff", [False, True])
def test_stiff_linear_tangents_are_the_matrix_exponential(stiff):
    system = systems.linear_flow(STIFF, ("f", "s"))
    start = np.ones((2, 1))
    motion = Motion(system, [((0, 1), 2)], start)
    pace = Pace(1, 1e-10, 1e-10, stiff=stiff)
    stack, _ = carry(motion, pace, np.concatenate([start, np.eye(2).reshape(4, 1)]), 1.0)
    exact = expm(STIFF)
    np.testing.assert_allclose(stack[2:, 0].reshape(2, 2), exact, atol=1e-8 * exact.max())


def test_a_very_stiff_system_takes_the_implicit_method():
    matrix = np.array([[-1e6, 1.0], [0.5, -1.0]])
    _, v = tangent_map(systems.linear_flow(matrix, ("f", "s")), [1.0, 1.0], 3.0)
    exact = expm(3.0 * matrix)
    np.testing.assert_allclose(v, exact, atol=1e-8 * exact.max())


def test_a_stated_step_that_is_too_long_is_refused():
    system = systems.linear_flow(STIFF, ("f", "s"))
    with pytest.raises(FloatingPointError, match=r"dt=0\.01 is too long"):
        tangent_map(system, [1.0, 1.0], 1.0, dt=0.01)


def test_states_in_any_order_of_memory():
    """A transposed array is a state like any other."""
    start = np.array([[1.0, 2.0], [3.0, 4.0], [25.0, 20.0]])
    for dt in (0.01, None):
        one, _ = advance(LORENZ, start, [], 0.0, 0.5, dt)
        two, _ = advance(LORENZ, np.asfortranarray(start), [], 0.0, 0.5, dt)
        np.testing.assert_array_equal(one, two)


def test_composition():
    """From 0 to 1 and from there to 2 is from 0 to 2."""
    state, v = tangent_map(LORENZ, [1.0, 1.0, 1.0], 2.0)
    middle, first = tangent_map(LORENZ, [1.0, 1.0, 1.0], 1.0)
    end, second = tangent_map(LORENZ, middle, 1.0)
    np.testing.assert_allclose(end, state, rtol=1e-9)
    np.testing.assert_allclose(second @ first, v, atol=1e-8 * np.abs(v).max())


def test_each_trajectory_has_its_own_clock_and_time_counts():
    """x' = cos(t): the integral is sin, from any start and with a function of one state only."""
    vector = Flow(("x",), lambda s, t: (np.cos(t) + 0 * s[0],))
    single = Flow(("x",), lambda s, t: (float(np.cos(t)),))
    for system in (vector, single):
        end, _ = advance(system, np.array([[0.0, 5.0]]), [], 0.5, 2.0)
        np.testing.assert_allclose(end[0] - [0.0, 5.0], np.sin(2.0) - np.sin(0.5), atol=1e-10)


def test_functions_of_one_state_only():
    """A matrix product and an ``if`` on one state give what elementwise code gives."""
    matrix = np.array([[-0.2, 1.0], [-1.0, -0.3]])

    def rate(s, t):
        return matrix @ s if s[0] > -1e9 else 0 * s

    one = Flow(("x", "y"), rate, lambda s, t: matrix)
    start = np.array([[1.0, 2.0, 0.3], [0.0, 1.0, 4.0]])
    end, _ = advance(one, start, [], 0.0, 3.0)
    np.testing.assert_allclose(end, expm(3.0 * matrix) @ start, atol=1e-10)


@pytest.mark.slow
def test_divergence_in_finite_time_is_reported():
    system = Flow(("x",), lambda s, t: (s[0] ** 2,))
    with pytest.raises(FloatingPointError, match="1 of 1 trajectories"):
        advance(system, np.array([[1.0]]), [], 0.0, 2.0)


# Derivatives


def chua(jacobian):
    def rate(s, t):
        x, y, z = s
        bend = -0.68 * x + 0.5 * (-1.27 + 0.68) * (np.abs(x + 1) - np.abs(x - 1))
        return 10 * (y - x - bend), x - y + z, -14.87 * y

    return Flow(("x", "y", "z"), rate, jacobian(rate), start=(0.7, 0.0, 0.0))


def checked(system, states):
    motion = Motion(system, [((0,), 1)], states)
    motion.check_derivative(states, 0.0, np.ones(len(states)), np.random.default_rng(0))


STATES = np.random.default_rng(1).normal(size=(3, 200))


def test_complex_step_of_abs_is_refused_and_named():
    with pytest.raises(ValueError, match=r"uses absolute.*finite_differences"):
        checked(chua(complex_step), STATES)


def test_finite_differences_of_abs_are_accepted():
    checked(chua(finite_differences), STATES)


def test_a_jump_is_refused_by_name():
    def rate(s, t):
        return s[1], -s[0] - np.sign(s[2]) * s[1], s[1] ** 2 - 1

    with pytest.raises(ValueError, match=r"uses sign.*tanh"):
        checked(Flow(("x", "y", "z"), rate, complex_step(rate)), STATES)


def test_a_wrong_jacobian_is_refused():
    right = LORENZ.jacobian
    checked(LORENZ, STATES)

    def wrong(s, t):
        first, second, third = right(s, t)
        return first, second, (third[0], -third[1], third[2])

    with pytest.raises(ValueError, match=r"jacobian .* must be the derivative of rate"):
        checked(Flow(LORENZ.names, LORENZ.rate, wrong), STATES)


def test_complex_step_names_itself_where_numpy_does_not():
    system = Flow(("x",), lambda s, t: (np.hypot(s[0], 1.0),))
    jacobian = complex_step(system.rate)
    with pytest.raises(TypeError, match=r"complex_step.*uses hypot.*finite_differences"):
        jacobian(np.array([1.0]), 0.0)


def test_jvp_in_place_of_a_jacobian():
    def product(s, v, t):
        rows = np.array([[-10, 10, 0], [28, -1, 0], [0, 0, -8 / 3]]) @ v
        return rows[0], rows[1] - s[2] * v[0] - s[0] * v[2], rows[2] + s[1] * v[0] + s[0] * v[1]

    by_product = Flow(LORENZ.names, LORENZ.rate, jvp=product)
    one = tangent_map(by_product, [1.0, 2.0, 20.0], 0.7)[1]
    two = tangent_map(LORENZ, [1.0, 2.0, 20.0], 0.7)[1]
    np.testing.assert_allclose(one, two, atol=1e-9)
