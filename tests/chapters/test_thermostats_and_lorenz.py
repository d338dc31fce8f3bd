"""Chapter 6: what its figures and claims rest on."""

import numpy as np
import pytest
from scipy.integrate import solve_ivp

from descent import influence
from descent.chapters.thermostats_and_lorenz import (
    function_space,
    lorenz_pictures,
    network_thermostat,
    numbers,
    pictures,
    zoo,
)
from descent.influence import digits, worlds
from descent.systems import lorenz

# Thermostats


def test_op_in_the_band_is_that_of_the_linear_thermostat():
    """Inside its band the gain per step is dt p / theta."""
    for theta, p in ((1.0, 1.0), (2.0, 0.5)):
        comp = influence.linear_thermostat_comp(numbers.DT * p / theta, 500)
        expected = pytest.approx(-np.log(comp), abs=1e-9)
        assert float(numbers.thermostat_op(25.2, 10.0, theta, p)) == expected


@pytest.mark.parametrize("time", [4.0, 10.0])
def test_area_is_two_p_times_time_less_one_step(time):
    for theta, p in ((1.0, 1.0), (0.5, 1.0), (1.0, 0.5)):
        exact = 2 * p * (time - numbers.DT)
        assert numbers.removed_by_telescoping(theta, p, time) == pytest.approx(exact, abs=1e-10)
        grid = numbers.removed_by_finite_differences(theta, p, time)
        assert grid == pytest.approx(exact, abs=0.003)


def test_area_needs_saturated_ends():
    """A negative control: after 25 units of time even the ends have arrived."""
    assert numbers.removed_by_telescoping(1.0, 1.0, 25.0) < 40.0 < 2 * (25.0 - numbers.DT)


def test_optimized_starts_end_where_the_band_is_reached_just_in_time():
    """The reading and the first response cost a step each, and the first step has no cooling."""
    for time in (5.0, 10.0):
        edge = 24 - numbers.DT * (round(time / numbers.DT) - 3)
        assert numbers.lowest_optimized_start(time) == pytest.approx(edge, abs=1e-9)
    assert numbers.plateau_half_width(10.0, theta=0.5) == pytest.approx(0.5, abs=1e-9)
    # Before the thermostat has acted no start is optimized, and there is no edge.
    for edge_of in (numbers.lowest_optimized_start, numbers.plateau_half_width):
        with pytest.raises(ValueError, match="time must let Op change"):
            edge_of(0.0)


def test_share_of_the_explorer_is_that_of_the_claims():
    share = pictures.removed_share(0.5, 1.0)[9]
    starts = pictures.STARTS
    expected = 1 - np.exp(-numbers.thermostat_op(starts, 10.0, 0.5, 1.0))
    np.testing.assert_allclose(share, expected, atol=1e-12)


# Lorenz


def test_disturbances_agree_with_the_influence_of_the_library():
    """The explorer's larger step is good enough for a picture."""
    times = (0.5, 3.0, 8.0)
    for start in (numbers.NEAR, numbers.FAR):
        for A, n, m in numbers.choices_that_reach_y():
            sign, log = influence.slog_comp(lorenz(), start, times, A, n, m)
            for dt, tolerance in [(0.02, 1e-5), (0.05, 0.02)]:
                x, y = numbers.pair(28.0, start, times, A, n, m, dt)
                np.testing.assert_array_equal(np.sign(x * y), sign)
                np.testing.assert_allclose(np.log(np.abs(x / y)), log, atol=tolerance)


def test_the_choice_that_does_not_reach_y():
    left_out = set(numbers.choices()) - set(numbers.choices_that_reach_y())
    assert left_out == {("b", "c", "a")}


def test_sign_changes_are_zeros_of_an_independent_integration():
    zero, pole = numbers.sign_changes(0.8, numbers.NEAR, "c", "c", 6.0)
    for time, replayed in ((zero, False), (pole, True)):

        def rate(t, y, replayed=replayed):
            jacobian = numbers.jacobian_at(y[:3], 0.8)
            jacobian[0] *= not replayed
            return np.concatenate([lorenz(rho=0.8).rate(y[:3], t), jacobian @ y[3:]])

        y0 = [*numbers.NEAR, 0.0, 0.0, 1.0]
        solution = solve_ivp(rate, (0, time), y0, method="DOP853", rtol=1e-12, atol=1e-14)
        assert abs(solution.y[5, -1]) < 1e-8


def test_slope_at_an_equilibrium_is_the_slope_of_op():
    times = [30.0, 40.0]
    for A, n, m in numbers.choices_that_reach_y():
        op = influence.op(lorenz(rho=0.8), numbers.NEAR, times, A, n, m, dt=0.1)
        expected = numbers.predicted_slope(0.8, A, m)
        assert np.diff(op)[0] / 10 == pytest.approx(expected, abs=1e-5)
    # At 5 disturbances oscillate around the equilibrium, and only the trend is known.
    op = influence.op(lorenz(rho=5), numbers.NEAR, times, "c", "a", "a", dt=0.02)
    assert op[1] > op[0] > 0 < numbers.slope_at_equilibrium(5.0, "c")
    with pytest.raises(ValueError, match="rho must leave an equilibrium stable"):
        numbers.slope_at_equilibrium(28.0, "a")


def test_conditional_exponents_and_their_exact_parts():
    rates = numbers.exponents(28.0)
    assert abs(rates.full[0, 0] - 0.9056) < 4 * rates.full[1, 0]
    assert rates.full[0].sum() == pytest.approx(-1 - 10 - 8 / 3, abs=1e-6)
    assert rates.conditional["a"][0].sum() == pytest.approx(-1 - 8 / 3, abs=1e-6)
    np.testing.assert_allclose(rates.conditional["b"][0], [-8 / 3, -10], atol=1e-6)
    assert abs(rates.conditional["c"][0, 0]) < 4 * rates.conditional["c"][1, 0]


@pytest.mark.parametrize(("A", "n"), [("a", "b"), ("b", "c"), ("c", "a")])
def test_slope_theorem(A, n):
    """The slope of Op over an ensemble is the difference of exponents, within the errors."""
    times = np.array([5.0, 20.0])
    slope, error = numbers.mean_slope(times, numbers.ensemble_op(times, A, n, n))
    predicted, its_error = numbers.exponents(28.0).slope(A)
    assert abs(slope - predicted) < 4 * np.hypot(error, its_error)
    # A negative control: the full system's second exponent, 0, in place of the conditional one.
    if A != "c":
        assert abs(slope + numbers.exponents(28.0).full[0, 0]) > 10 * error


def test_horizons_shrink_with_delta_once_rounding_decides():
    for which in (0, 1):
        horizons = numbers.horizons(which)
        small = [np.median(horizons[delta]) for delta in (1e-5, 1e-7, 1e-10, 1e-12)]
        assert (np.diff(small) < 0).all()
        decay = -numbers.exponents(28.0).conditional["a"][0, 0]
        assert (small[0] - small[2]) / 5 == pytest.approx(np.log(10) / decay, rel=0.1)


def test_rounding_alone_moves_a_horizon_and_hardly_their_median():
    """Starts that no reader could tell apart differ by half a unit; halves of them agree."""
    exact, approximations = numbers.tangent_and_differences()
    each = [
        worlds.horizon(numbers.HORIZON_TIMES, *pair)
        for pair in zip(exact[:, 0].T, approximations[1e-7][:, 0].T, strict=True)
    ]
    assert np.ptp(each) > 0.5
    assert np.median(each[::2]) == pytest.approx(np.median(each[1::2]), abs=0.5)


def test_landscape_is_symmetric_and_agrees_with_single_starts():
    """The half that is mirrored, too."""
    t = numbers.LANDSCAPE_TIMES.index(1.0)
    sign, log = (v[t] for v in numbers.landscape(28.0))
    for i, j in ((10, 60), (70, 20), (95, 95)):
        start = [numbers.GRID[i], numbers.GRID[j], 27.0]
        one, value = influence.slog_comp(lorenz(), start, [1.0], "a", "b", "b")
        assert sign[i, j] == one[0]
        assert log[i, j] == pytest.approx(value[0], abs=2e-3)


def test_local_op_is_op_from_each_state():
    pieces, op = numbers.local_op(0.5)
    alone = influence.op(lorenz(), pieces[100, 3], [0.5], "a", "b", "b")[0]
    assert op[100] == pytest.approx(alone, abs=1e-4)
    np.testing.assert_array_equal(pieces[1:, 0], pieces[:-1, -1])


def test_captions_say_what_is_drawn():
    assert "19.96" in pictures.thermostat_caption(0.5, 1.0, 10.0)
    text = pictures.lorenz_caption(0.8, "A = a, b → b", "(1, 1, 1)")
    assert "−0.815" in text
    assert "negative for 0 %" in text
    assert "seen from 40°" in lorenz_pictures.attractor_caption(40)


# Beyond the source


def test_bucket_follows_torricelli():
    start = [100.0, 10.0]
    op = influence.op(zoo.leaking_bucket(0.005), start, [10.0], "outflow", "level", "level")
    assert op[0] == pytest.approx(0.5 * np.log(4), abs=1e-3)


def test_what_is_no_optimizer():
    pump = influence.op(zoo.pumped_bucket(), [100.0, 5.0], [10.0], "outflow", "level", "level")
    assert pump[0] == 0
    plug = influence.op(zoo.plughole(), [1.0, 0.0], [5.0, 10.0], "angle", "radius", "radius")
    np.testing.assert_allclose(plug, 0, atol=1e-9)


def test_pendulum_rates():
    """The envelope of a small swing decays at half the damping; on its head it grows."""
    names = ("velocity", "angle", "angle")
    period = 2 * np.pi / np.sqrt(1 - 0.25**2)
    small = influence.op(zoo.pendulum(0.5), [1e-3, 0.0], np.array([1, 3]) * period, *names)
    assert np.diff(small)[0] / (2 * period) == pytest.approx(0.25, abs=1e-4)
    top = influence.op(zoo.pendulum(0.5), [np.pi, 0.0], [8.0, 10.0], *names)
    assert np.diff(top)[0] / 2 == pytest.approx(-np.roots([1, 0.5, -1]).max(), abs=1e-4)


def test_gradient_descent_never_optimizes_but_players_can():
    rates = zoo.interlacing_slope(200, 6, np.random.default_rng(0))
    assert (rates <= 1e-12).all()
    assert rates.min() < -0.1
    players = np.array([[0.5, -1.0], [1.5, -1.0]])
    assert players[0, 0] - numbers.largest_rate(players) > 0.7


def test_a_disturbance_that_misses_the_slowest_mode_is_an_exception():
    """The slowest mode of H has no part in w2, but that of the block without w1 has."""
    slow, other, w2 = np.array([0.8, 0.0, 0.6]), np.array([-0.6, 0.0, 0.8]), np.eye(3)[1]
    modes = np.stack([slow, (w2 + other) / np.sqrt(2), (w2 - other) / np.sqrt(2)])
    hessian = modes.T @ np.diag([0.1, 1.0, 2.0]) @ modes
    block = np.linalg.eigvalsh(hessian[1:, 1:])[0]
    times = np.array([10.0, 14.0])
    op = influence.op(zoo.descent_on_quadratic(hessian), np.zeros(3), times, "w1", "w2", "w2")
    assert np.diff(op)[0] / 4 == pytest.approx(1.0 - block, abs=1e-3)
    assert block < 1.0
    nearby = hessian + 0.01 * (np.outer(w2, slow) + np.outer(slow, w2))
    late = influence.op(zoo.descent_on_quadratic(nearby), np.zeros(3), [40.0], "w1", "w2", "w2")
    assert late[0] < 0


def test_two_layers_in_closed_form():
    """The disturbance in X against a finite difference of the end points, and the rate in Y."""
    final, rate = zoo.two_layer_limits()
    system = zoo.descent_on_two_layers()
    w, x, _ = worlds.simulate(system, [0.5, 1.0], [30.0], "w2", "w1", 1e-6)
    assert (x - w)[0, 0] / 1e-6 == pytest.approx(np.exp(final), rel=1e-5)
    op = influence.op(system, [0.5, 1.0], [15.0, 20.0], "w2", "w1", "w1")
    assert np.diff(op)[0] / 5 == pytest.approx(rate, abs=1e-6)
    assert w[0].prod() == pytest.approx(1, abs=1e-9)


def test_on_the_wrong_side_of_the_saddle_a_weight_is_optimized_for_a_while():
    """By tangents that SciPy carries: from w1 = -0.5, w2 = 1."""

    def rate(time, s):
        w1, w2, x1, x2, y1 = s
        error, cross = w1 * w2 - 1, 2 * w1 * w2 - 1
        x = -(w2 * w2 * x1 + cross * x2), -(cross * x1 + w1 * w1 * x2)
        return [-error * w2, -error * w1, *x, -w2 * w2 * y1]

    times = np.array([2.0, 8.0])
    run = solve_ivp(rate, (0, 8), [-0.5, 1, 1, 0, 1], "DOP853", times, rtol=1e-12, atol=1e-14)
    by_scipy = np.log(np.abs(run.y[4] / run.y[2]))
    op = influence.op(zoo.descent_on_two_layers(), [-0.5, 1.0], times, "w2", "w1", "w1")
    np.testing.assert_allclose(op, by_scipy, rtol=1e-7)
    assert op[0] > 0.3
    assert op[1] < 0


def test_random_linear_systems_mostly_amplify():
    values, rates = zoo.random_linear()
    assert np.mean(rates < 0) > 0.75
    assert np.corrcoef(values, rates)[0, 1] > 0.8


def test_cart_pole_slope_is_open_minus_closed():
    pole = zoo.cart_pole()
    dt = pole.system.dt
    assert zoo.growth_rate(pole.closed, dt) < 0 < zoo.growth_rate(pole.open, dt)
    state = np.array(pole.system.start)
    for _ in range(1000):
        state = np.array(pole.system.step(state, 0.0))
    assert np.abs(state).max() < 1e-4
    # Near the upright, over whole periods of the slowest pair of modes.
    eigenvalues = np.linalg.eigvals(pole.closed)
    slow = eigenvalues[np.argmax(np.abs(eigenvalues))]
    period = 2 * np.pi / abs(np.angle(slow)) * dt
    times = np.round(np.array([1.0, 1.0 + period / 2]) / dt) * dt + 6.0
    names = ("force", "angle", "angle")
    op = influence.op(pole.system, [0.0, 0.0, 1e-4, 0.0, 0.0], times, *names)
    slope = zoo.growth_rate(pole.open, dt) - zoo.growth_rate(pole.closed, dt)
    assert np.diff(op)[0] / np.diff(times)[0] == pytest.approx(slope, rel=0.01)


def test_bode_integral():
    """Zero for a stable loop gain, pi times the pole for an unstable one."""
    assert zoo.bode_integral(2.0, 0.5) == pytest.approx(0, abs=1e-8)
    assert zoo.bode_integral(3.0, 0.2, 1.0) == pytest.approx(np.pi, abs=1e-8)


def test_network_slope_gradient_and_identity():
    network = network_thermostat.untrained(3)
    room, h = np.linspace(-5, 5, 7), 1e-6
    numeric = (network.output(room + h) - network.output(room - h)) / (2 * h)
    np.testing.assert_allclose(network.slope(room), numeric, atol=1e-8)
    for trained in network_thermostat.trained(3).values():
        np.testing.assert_allclose(
            network_thermostat.op(trained, room),
            network_thermostat.op_by_identity(trained, room),
            atol=1e-9,
        )


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_training_raises_op(seed):
    room = np.linspace(-5, 5, 21)
    medians = [
        np.median(network_thermostat.op(n, room)) for n in network_thermostat.trained(seed).values()
    ]
    assert medians[-1] > 5 > 1 > abs(medians[0])


def test_networks_that_are_trained_together_do_not_mix():
    alone, together = (
        [network_thermostat.trained(seed)[160] for seed in (0, 2)],
        [history[160] for history in network_thermostat.trained_together((0, 1, 2))[::2]],
    )
    for one, other in zip(alone, together, strict=True):
        for mine, theirs in zip(one, other, strict=True):
            np.testing.assert_allclose(mine, theirs, rtol=1e-9, atol=1e-12)


def test_the_product_of_two_layers_rises_at_its_rate():
    """In the table of the zoo; Op of the product comes to its line as -log t."""
    times = [8.0, 10.0]
    found = influence.op(zoo.descent_on_two_layers(), [0.5, 1.0], times, "w2", "w1", zoo.product)
    (row,) = (r for r in zoo.hand_written(lambda A: (0.0, 0.0)) if r.effect == "w1 w2")
    slope = np.diff(found)[0] / 2
    assert 0.55 < slope < row.rate
    assert slope + np.log(10 / 8) / 2 == pytest.approx(row.rate, abs=0.04)
    assert row.op > 5


def test_table_is_ranked():
    rows = zoo.hand_written(lambda A: numbers.exponents(28.0).slope(A))
    values = [row.op for row in rows]
    assert values == sorted(values, reverse=True)
    assert len({(row.system, row.part, row.effect) for row in rows}) == len(rows)


def test_a_layer_optimizes_the_product_that_it_does_not_optimize_the_factor_of():
    """By Taylor series of 30 digits: 1.10765583415 at t = 2 and 2.82455215576 at t = 4."""
    system, start = zoo.descent_on_two_layers(), [0.5, 1.0]
    of_f = influence.op(system, start, [2.0, 4.0], "w2", "w1", zoo.product)
    np.testing.assert_allclose(of_f, [1.10765583415, 2.82455215576], atol=1e-8)
    assert (influence.op(system, start, [2.0, 4.0], "w2", "w1", "w1") < -1).all()


@pytest.mark.parametrize("seed", range(8))
@pytest.mark.parametrize(("layer", "disturbed"), [("first", "c0"), ("second", "a0")])
def test_outputs_near_a_fit_follow_the_sum_of_kernels(seed, layer, disturbed):
    w = function_space.interpolating(seed)
    kernel = function_space.kernel(w)
    times = np.array([12.0, 16.0]) / kernel.whole
    found = influence.op(
        function_space.descent(),
        w,
        times,
        function_space.LAYERS[layer],
        disturbed,
        lambda s: function_space.output(s, function_space.X[1]),
        dt=0.1,
    )
    slope = np.diff(found)[0] / np.diff(times)[0]
    assert slope == pytest.approx(kernel.whole - kernel.without[layer], rel=2e-3)
    assert slope > 0


def test_little_of_a_disturbance_of_the_outputs_is_rounding(monkeypatch):
    """Op is refused where a second carrying differs by 1e-3; here it may not by 1e-5."""
    monkeypatch.setattr(digits, "AGREE", 1e-5)
    w = function_space.interpolating(0)
    span = np.array([12.0, 16.0]) / function_space.kernel(w).whole
    for layer, disturbed in (("first", "c0"), ("second", "a0")):
        question = (function_space.LAYERS[layer], disturbed)
        seen = lambda s: function_space.output(s, function_space.X[1])  # noqa: E731
        influence.op(function_space.descent(), w, span, *question, seen, dt=0.1)


def test_the_flow_of_the_network_is_the_gradient_and_its_derivative():
    flow, rng = function_space.descent(), np.random.default_rng(5)
    w, v = rng.normal(size=(2, 13, 4))
    errors = [
        function_space.output(w, x) - y
        for x, y in zip(function_space.X, function_space.TARGETS, strict=True)
    ]
    slopes = [function_space.gradient(w, x) for x in function_space.X]
    by_points = -sum(e * g for e, g in zip(errors, slopes, strict=True))
    np.testing.assert_allclose(flow.rate(w, 0.0), by_points, rtol=1e-12, atol=1e-12)
    by_step = np.imag(flow.rate(w + 1e-30j * v, 0.0)) / 1e-30
    np.testing.assert_allclose(flow.jvp(w, v, 0.0), by_step, rtol=1e-12, atol=1e-12)


def test_the_gradient_of_the_output_is_its_derivative():
    w = np.random.default_rng(3).normal(size=13)
    for x in function_space.X:
        steps = np.eye(13) * 1e-6
        found = [
            (function_space.output(w + h, x) - function_space.output(w - h, x)) / 2e-6
            for h in steps
        ]
        np.testing.assert_allclose(function_space.gradient(w, x), found, rtol=1e-6, atol=1e-9)
