"""Comp and Op: a reference integrator, closed forms, finite differences, bad input."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.integrate import solve_ivp

from descent import influence, systems
from descent.dynamics import Flow, Map, complex_step
from descent.influence import worlds

LORENZ = systems.lorenz()
THERMOSTAT = ("thermostat", "room", "room")


def reference(system, start, times, frozen, varied, measured):
    """Comp by an adaptive integrator with dense Jacobians and a mask."""
    n, m, held = (system.names.index(name) for name in (varied, measured, frozen))

    def rate(t, y):
        s, x, v = y.reshape(3, 3)
        jacobian = np.array(system.jacobian(s, t), float)
        masked = jacobian.copy()
        masked[held] = 0
        return np.concatenate([system.rate(s, t), jacobian @ x, masked @ v])

    unit = np.eye(3)[n]
    solution = solve_ivp(
        rate,
        (0, times[-1]),
        np.concatenate([start, unit, unit]),
        method="DOP853",
        rtol=1e-12,
        atol=1e-12,
        t_eval=times,
    )
    return solution.y[3 + m] / solution.y[6 + m]


@pytest.mark.slow
@pytest.mark.parametrize("start", [(1.0, 1.0, 1.0), (10.0, 10.0, 10.0)])
@pytest.mark.parametrize(
    "names", [("a", "b", "b"), ("a", "c", "c"), ("b", "a", "c"), ("c", "a", "b")]
)
def test_op_agrees_with_a_reference_integrator(start, names):
    times = np.linspace(0.5, 10, 20)
    expected = reference(LORENZ, start, times, *names)
    sign, log = influence.slog_comp(LORENZ, start, times, *names)
    np.testing.assert_allclose(-log, -np.log(np.abs(expected)), rtol=0, atol=1e-6)
    np.testing.assert_array_equal(sign, np.sign(expected))


def test_landscape_agrees_with_single_trajectories():
    """One call for a grid, in blocks; and the quick scheme of order 4."""
    axis = np.linspace(-10, 10, 70)
    start = {"a": axis[:, None], "b": axis + 0.3, "c": 25.0}
    grid = influence.op(LORENZ, start, [0.0, 1.0], "a", "b", "b", dt=0.005, scheme="rk4")
    assert grid.shape == (2, 70, 70)
    np.testing.assert_array_equal(grid[0], 0)
    for i, j in [(0, 0), (35, 7), (69, 69)]:  # 4900 points: more than one block
        one = influence.op(LORENZ, [axis[i], axis[j] + 0.3, 25.0], [1.0], "a", "b", "b")
        assert grid[1, i, j] == pytest.approx(one[0], abs=1e-5)


@given(st.floats(0.001, 0.2499), st.floats(-50, 50), st.floats(-50, 50), st.floats(0, 1e9))
def test_linear_thermostat_closed_form(k, room, thermostat, amplitude):
    """Comp depends on neither the state nor the forcing, however large."""
    system = systems.linear_thermostat(k, 25.0, forcing=lambda t: amplitude * np.sin(t))
    steps = np.arange(60)
    values = influence.comp(system, [room, thermostat], steps, *THERMOSTAT)
    np.testing.assert_allclose(values, influence.linear_thermostat_comp(k, steps), rtol=1e-9)


def test_linear_thermostat_comp_oscillates_above_a_quarter():
    steps = np.arange(40)
    values = influence.comp(systems.linear_thermostat(0.6, 0.0), [1.0, 0.0], steps, *THERMOSTAT)
    np.testing.assert_allclose(values, influence.linear_thermostat_comp(0.6, steps), atol=1e-14)
    assert (values < 0).any()


def test_linear_thermostat_comp_at_the_double_root():
    steps = np.arange(60)
    at = influence.linear_thermostat_comp(0.25, steps)
    values = influence.comp(systems.linear_thermostat(0.25, 0.0), [1.0, 0.0], steps, *THERMOSTAT)
    np.testing.assert_allclose(at, values, rtol=1e-12)
    for k in (0.25 - 1e-9, 0.25 + 1e-9):
        near = influence.linear_thermostat_comp(k, steps)
        np.testing.assert_allclose(near, at, rtol=1e-5)
        assert not np.array_equal(near, at)


def test_doubling_the_gain_more_than_doubles_op():
    """The ratio is that of the logarithms of the larger roots: 2.03 in the limit."""
    values = [
        influence.op(systems.linear_thermostat(k, 25.0), [35.0, 10.0], [4000, 8000], *THERMOSTAT)
        for k in (0.01, 0.02)
    ]
    slopes = [v[1] - v[0] for v in values]
    roots = [(1 + np.sqrt(1 - 4 * k)) / 2 for k in (0.01, 0.02)]
    assert slopes[1] / slopes[0] == pytest.approx(np.log(roots[1]) / np.log(roots[0]), rel=1e-9)
    assert slopes[1] / slopes[0] > 2.03


def test_op_survives_where_comp_underflows():
    system = systems.linear_thermostat(0.2, 25.0)
    assert influence.comp(system, [35.0, 10.0], [5000], *THERMOSTAT)[0] == 0
    assert 1000 < influence.op(system, [35.0, 10.0], [5000], *THERMOSTAT)[0] < np.inf


def narrowed(theta, p, t, dt=0.02, n=4001):
    """40 - (s_t(45) - s_t(5)): the integral of 1 - Comp, without quadrature."""
    system = systems.saturated_thermostat(theta, p, 25.0, dt)
    state = np.array([[5.0, 45.0], [0.0, 0.0]])
    for _ in range(round(t / dt)):
        state = np.array(system.step(state, 0.0))
    return 40 - (state[0, 1] - state[0, 0])


@pytest.mark.parametrize(("theta", "p"), [(1.0, 1.0), (0.5, 1.0), (1.0, 0.5), (0.1, 1.0)])
def test_removed_width_is_twice_p_times_time(theta, p):
    """2 p (t - dt), the same for every width of the band; quadrature agrees."""
    exact = 2 * p * (10.0 - 0.02)
    assert narrowed(theta, p, 10.0) == pytest.approx(exact, abs=1e-11)
    start = {"room": 5 + 40 * np.linspace(0, 1, 20001) ** 1.001, "thermostat": 0.0}
    system = systems.saturated_thermostat(theta, p, 25.0)
    width = influence.removed_width(system, start, 10.0, "thermostat", "room")
    assert width == pytest.approx(exact, abs=0.004)


def test_the_two_widths_of_the_band_give_the_same_integral():
    """The source has 19.961 and 19.611: the second is out of reach of its own grid's error."""
    start = {"room": np.linspace(5, 45, 401), "thermostat": 0.0}
    one, half = (
        influence.removed_width(
            systems.saturated_thermostat(theta, 1.0, 25.0), start, 10.0, "thermostat", "room"
        )
        for theta in (1.0, 0.5)
    )
    assert abs(half - one) < 0.02


def test_ends_that_are_not_saturated_break_the_rule():
    """A negative control: a band wider than the interval."""
    assert abs(narrowed(30.0, 1.0, 10.0) - 2 * 9.98) > 1


def test_op_is_zero_until_the_band_is_reached():
    system = systems.saturated_thermostat(1.0, 1.0, 25.0)
    values = influence.op(system, [35.0, 10.0], np.arange(0, 16, 0.5), *THERMOSTAT)
    assert (values[:18] == 0).all()
    assert (np.diff(values[20:]) > 0.4).all()


@pytest.mark.slow
def test_op_settles_when_a_is_replayed_for_a_while_only():
    """Then both worlds follow the full system, and m does not matter."""
    times, start = [10.0, 25.0, 30.0], (1.0, 1.0, 1.0)
    b, c = (influence.op(LORENZ, start, times, "a", "b", m, until=10.0, dt=0.02) for m in "bc")
    always = influence.op(LORENZ, start, times, "a", "b", "b", dt=0.02)
    assert b[0] == always[0] != c[0]
    assert b[2] == pytest.approx(b[1], abs=1e-4)
    assert b[2] == pytest.approx(c[2], abs=1e-6)
    assert always[2] < b[2] - 30


def test_until_in_a_map_counts_the_step_that_ends_there():
    """A is replayed at times 0 to 2, so its first response reaches the room at 4."""
    k, start = 0.1, [35.0, 10.0]
    system = systems.linear_thermostat(k, 25.0)
    values = influence.comp(system, start, np.arange(6), *THERMOSTAT, until=2)
    full = influence.linear_thermostat_comp(k, np.arange(6))
    late = np.array([1.0, 1.0, 1.0, 1.0, 1.0 - k, 1.0 - 2 * k])
    np.testing.assert_allclose(values, full / late, rtol=1e-14)


def test_comp_changes_sign_along_c_but_not_along_b():
    """The source's complex Op at rho = 0.8, from (1, 1, 1)."""
    times = np.linspace(0, 10, 201)
    system = systems.lorenz(rho=0.8)
    along_b, _ = influence.slog_comp(system, [1.0, 1.0, 1.0], times, "a", "b", "c")
    along_c, _ = influence.slog_comp(system, [1.0, 1.0, 1.0], times, "a", "c", "c")
    assert (along_b > 0).all()
    assert 0 < (along_c < 0).sum() < 20


def test_what_passes_through_a_only_never_arrives_in_y():
    """With b frozen, c cannot reach a."""
    values = influence.op(LORENZ, [1.0, 1.0, 1.0], [1.0], "b", "c", "a")
    assert values[0] == -np.inf


def test_several_frozen_variables():
    """With a and b replayed, c decays at the rate beta."""
    _, log = influence.slog_comp(LORENZ, [1.0, 1.0, 1.0], [1.0, 2.0], ("a", "b"), "c", "c")
    dense = solve_ivp(
        lambda t, y: np.concatenate(
            [LORENZ.rate(y[:3], t), np.array(LORENZ.jacobian(y[:3], t), float) @ y[3:]]
        ),
        (0, 2),
        [1.0, 1.0, 1.0, 0.0, 0.0, 1.0],
        method="DOP853",
        rtol=1e-12,
        atol=1e-13,
        t_eval=[1.0, 2.0],
    )
    expected = np.log(np.abs(dense.y[5])) + 8 / 3 * np.array([1.0, 2.0])
    np.testing.assert_allclose(log, expected, atol=1e-8)


def test_jacobian_by_complex_step_gives_the_same_op():
    system = Flow(LORENZ.names, LORENZ.rate, complex_step(LORENZ.rate), LORENZ.dt)
    by_hand, by_step = (
        influence.op(s, [1.0, 2.0, 20.0], [0.5, 1.0], "a", "b", "c") for s in (LORENZ, system)
    )
    np.testing.assert_allclose(by_hand, by_step, atol=1e-10)


# Finite differences


def test_finite_difference_is_first_order_in_delta():
    times = [1.0, 2.0]
    exact = influence.comp(LORENZ, [1.0, 1.0, 1.0], times, "a", "b", "b")
    errors = [
        np.abs(
            worlds.finite_difference_comp(LORENZ, [1.0, 1.0, 1.0], times, "a", "b", "b", delta)
            / exact
            - 1
        ).max()
        for delta in (1e-3, 1e-4)
    ]
    assert errors[0] / errors[1] == pytest.approx(10, rel=0.05)


@pytest.mark.slow
def test_smaller_delta_has_a_shorter_horizon():
    """Roundoff hides the disturbance in Y the sooner, the smaller it begins."""
    times = np.linspace(0, 20, 201)
    exact = influence.comp(LORENZ, [1.0, 1.0, 1.0], times, "a", "b", "b", dt=0.02)
    horizons = [
        worlds.horizon(
            times,
            exact,
            worlds.finite_difference_comp(
                LORENZ, [1.0, 1.0, 1.0], times, "a", "b", "b", delta, dt=0.02
            ),
        )
        for delta in (1e-5, 1e-8, 1e-11)
    ]
    assert horizons[0] > horizons[1] + 2 > horizons[2] + 3


def test_finite_difference_of_a_linear_system_does_not_depend_on_delta():
    system, steps = systems.linear_thermostat(0.1, 25.0), np.arange(50)
    exact = influence.linear_thermostat_comp(0.1, steps)
    for delta in (1e-3, 1e3):
        values = worlds.finite_difference_comp(system, [35.0, 10.0], steps, *THERMOSTAT, delta)
        np.testing.assert_allclose(values, exact, atol=1e-10)
    # In floating point a large forcing ends this.
    forced = systems.linear_thermostat(0.1, 25.0, forcing=lambda t: 1e12 * np.sin(t))
    values = worlds.finite_difference_comp(forced, [35.0, 10.0], steps, *THERMOSTAT, 1e-3)
    assert np.abs(values - exact).max() > 1e-3


def test_replayed_variable_is_that_of_w():
    w, x, y = worlds.simulate(LORENZ, [1.0, 1.0, 1.0], [0.0, 3.0], "a", "b", 0.5)
    assert y[1, 0] == w[1, 0] != x[1, 0]
    assert y[1, 1] != w[1, 1]


def test_horizon_ignores_a_single_pole():
    times = np.arange(10.0)
    exact = np.exp(-times)
    near = exact.copy()
    near[3] = -near[3]
    assert worlds.horizon(times, exact, near) == np.inf
    near[6:] *= 2
    assert worlds.horizon(times, exact, near) == 6


EXPLODES = Flow(
    ("x", "y"), lambda s, t: (s[0] ** 2, s[1]), complex_step(lambda s, t: (s[0] ** 2, s[1]))
)
NO_JACOBIAN = Map(("x", "y"), lambda s, t: (s[1], s[0]))
UNCOUPLED = Flow(("x", "y", "z"), lambda s, t: s, lambda s, t: np.eye(3))


@pytest.mark.slow
@pytest.mark.parametrize(
    ("arguments", "error", "match"),
    [
        ((systems.dumb_thermostat(), [0, 0], [1], *THERMOSTAT), TypeError, "no Jacobian"),
        ((NO_JACOBIAN, [0, 0], [1], "x", "y", "y"), ValueError, "has no Jacobian"),
        (
            (Map(("x", "y"), NO_JACOBIAN.step, lambda s, t: ((1.0,),)), [0, 0], [1], "x", "y", "y"),
            ValueError,
            "2 rows of 2",
        ),
        ((LORENZ, [1, 1, 1], [1], "room", "b", "b"), ValueError, "frozen must be one of"),
        ((LORENZ, [1, 1, 1], [1], "a", "x", "b"), ValueError, "varied must be one of"),
        ((LORENZ, [1, 1, 1], [1], "a", "b", "y"), ValueError, "measured must be one of"),
        ((LORENZ, [1, 1, 1], [1], "a", "a", "b"), ValueError, "varied must not be in frozen"),
        ((LORENZ, [1, 1, 1], [1], ("a", "b"), "c", "b"), ValueError, "measured must not be in"),
        ((LORENZ, [1, 1, 1], [1], (), "c", "b"), ValueError, "at least one"),
        ((LORENZ, [1, 1], [1], "a", "b", "b"), ValueError, "initial must have 3"),
        ((LORENZ, np.zeros((0, 3)), [1], "a", "b", "b"), ValueError, "at least one state"),
        ((LORENZ, [1, 1, 1], [2, 1], "a", "b", "b"), ValueError, "ascending"),
        ((LORENZ, [1, 1, 1], [-1], "a", "b", "b"), ValueError, "from 0 on"),
        ((LORENZ, [1, 1, 1], 1.0, "a", "b", "b"), ValueError, "one-dimensional"),
        (
            (systems.saturated_thermostat(1.0, 1.0, 25.0), [35, 10], [0.03], *THERMOSTAT),
            ValueError,
            "multiples of the step",
        ),
        ((EXPLODES, [1.0, 0.0], [2.0], "y", "x", "x"), FloatingPointError, "1 of 1 trajectories"),
        ((UNCOUPLED, [1, 1, 1], [1], "x", "y", "z"), ValueError, "undefined at time 1"),
    ],
)
def test_bad_input(arguments, error, match):
    with pytest.raises(error, match=match):
        influence.op(*arguments)


def test_bad_options():
    arguments = (LORENZ, [1, 1, 1], [1], "a", "b", "b")
    for option, match in [
        ({"dt": 0.0}, "dt must be"),
        ({"scheme": "euler"}, "scheme must be one of"),
        ({"until": -1.0}, "until must be"),
    ]:
        with pytest.raises(ValueError, match=match):
            influence.comp(*arguments, **option)
    with pytest.raises(ValueError, match="delta"):
        worlds.finite_difference_comp(*arguments, 0.0)
    with pytest.raises(ValueError, match="ascending 'room'"):
        influence.removed_width(
            systems.linear_thermostat(0.1, 0.0), [1.0, 0.0], 1.0, "thermostat", "room"
        )


@pytest.mark.slow
def test_comp_that_overflows_says_so():
    with pytest.raises(FloatingPointError, match="use slog_comp or op"):
        influence.comp(LORENZ, [1.0, 1.0, 1.0], [80.0], "b", "a", "a", dt=0.04)
