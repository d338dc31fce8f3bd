"""What may be varied and measured: directions, covectors, functions, parameters, start times."""

import numpy as np
import pytest
from scipy.linalg import expm

from descent import influence, systems
from descent.dynamics import Flow, Map, complex_step

STIFF = np.array([[-1000.0, 1.0], [0.5, -1.0]])
LORENZ = systems.lorenz()
START = [1.0, 2.0, 20.0]


@pytest.mark.slow
@pytest.mark.parametrize("fast", [620.0, 650.0, 1e3, 1e5])
def test_stiff_linear_flows(fast):
    """Op(f; s, s) = -log(expm(J t)_ss) + log(expm(J_ss t))."""
    matrix = np.array([[-fast, 1.0], [0.5, -1.0]])
    times = np.array([0.5, 1.0, 3.0])
    values = influence.op(systems.linear_flow(matrix, "fs"), [1.0, 1.0], times, "f", "s", "s")
    rate = np.linalg.eigvalsh(np.array([[-fast, np.sqrt(0.5)], [np.sqrt(0.5), -1.0]]))[-1]
    share = 1 / (1 + 0.5 / (fast + rate) ** 2)  # of the slow direction in s
    np.testing.assert_allclose(values, -np.log(share) - (rate + 1) * times, rtol=1e-5, atol=1e-9)


@pytest.mark.slow
def test_van_der_pol_against_a_second_method():
    from scipy.integrate import solve_ivp

    def rate(s, t):
        return s[1], 100 * (1 - s[0] ** 2) * s[1] - s[0]

    def both(t, y):
        x, v, a, b = y
        return [v, 100 * (1 - x * x) * v - x, b, (-200 * x * v - 1) * a + 100 * (1 - x * x) * b]

    start, times = [2.0, 0.0], [1.0, 50.0]
    system = Flow(("x", "v"), rate, complex_step(rate))
    values = influence.op(system, start, times, "v", "x", "x")
    path = solve_ivp(both, (0, 50), [*start, 1, 0], "Radau", times, rtol=1e-9, atol=1e-12).y
    np.testing.assert_allclose(values, -np.log(np.abs(path[2])), rtol=1e-4)


def test_names_are_unit_vectors():
    by_name = influence.comp(LORENZ, START, [0.5, 1.0], "a", "b", "c")
    by_vector = influence.comp(LORENZ, START, [0.5, 1.0], "a", [0, 1.0, 0], [0, 0, 1.0])
    by_function = influence.comp(LORENZ, START, [0.5, 1.0], "a", "b", lambda s: s[2])
    np.testing.assert_allclose(by_vector, by_name, rtol=1e-12)
    np.testing.assert_allclose(by_function, by_name, rtol=1e-12)


def test_recoding_of_what_is_measured():
    """Op does not change under a smooth change of m alone."""
    plain = influence.op(LORENZ, START, [0.5, 1.0], "a", "b", "b")
    recoded = influence.op(LORENZ, START, [0.5, 1.0], "a", "b", lambda s: np.exp(s[1] / 9))
    np.testing.assert_allclose(recoded, plain, atol=1e-9)


def test_a_layer_optimizes_the_function_and_not_the_other_layer():
    """Descent on (w1 w2 - 1)^2 / 2: frozen w2, from (0.5, 1). Taylor series of 60 digits."""

    def rate(s, t):
        error = s[0] * s[1] - 1
        return -error * s[1], -error * s[0]

    system = Flow(("w1", "w2"), rate, complex_step(rate))
    layer = influence.op(system, [0.5, 1.0], [2.0, 4.0], "w2", "w1", "w1")
    network = influence.op(system, [0.5, 1.0], [2.0, 4.0], "w2", "w1", lambda s: s[0] * s[1])
    np.testing.assert_allclose(layer, [-1.0608, -3.8594], atol=1e-4)
    np.testing.assert_allclose(network, [1.1077, 2.8246], atol=1e-4)


def test_a_parameter():
    """x' = -x + k y + p, y' = -x: the response to p in closed form, with y frozen and not."""
    matrix = np.array([[-1.0, 2.0], [-1.0, 0.0]])
    system = systems.linear_flow(matrix, "xy")
    times = np.array([0.3, 1.0, 2.0])
    ratio = influence.comp(system, [1.0, 1.0], times, "y", lambda s, t: (1.0, 0.0), "x")
    push = [np.linalg.solve(matrix, (expm(t * matrix) - np.eye(2)) @ [1.0, 0.0])[0] for t in times]
    np.testing.assert_allclose(ratio, np.array(push) / (1 - np.exp(-times)), rtol=1e-9)


def test_a_parameter_of_a_map():
    """The room of the thermostat under a constant heat: sums of its response to a push."""
    steps = np.arange(1, 8)
    ratio = influence.comp(
        systems.linear_thermostat(0.19, 25.0),
        [35.0, 10.0],
        steps,
        "thermostat",
        lambda s, t: (1.0, 0.0),
        "room",
    )
    each = influence.linear_thermostat_comp(0.19, np.arange(8))
    np.testing.assert_allclose(ratio, np.cumsum(each)[:7] / steps, rtol=1e-12)


def test_a_start_time():
    """x' = -(2 + cos t) x + y: what happens from 1 to 2 depends on when it happens."""

    def rate(s, t):
        return -(2 + np.cos(t)) * s[0] + s[1], s[0] - s[1]

    system = Flow(("x", "y"), rate, complex_step(rate))

    def later(s, t):
        return rate(s, t + 1.0)

    shifted = Flow(("x", "y"), later, complex_step(later))
    one = influence.op(system, [1.0, 1.0], [1.0, 2.0], "y", "x", "x", begin=1.0)
    two = influence.op(shifted, [1.0, 1.0], [0.0, 1.0], "y", "x", "x")
    np.testing.assert_allclose(one, two, atol=1e-9)
    assert abs(one[1] - influence.op(system, [1.0, 1.0], [1.0], "y", "x", "x")[0]) > 1e-3


def test_composition_of_disturbances_is_linear():
    """The numerator and the denominator are linear in the direction."""
    b, c = (influence.comp(LORENZ, START, [0.7], "a", n, [0, 1.0, 0]) for n in ("b", "c"))
    both = influence.comp(LORENZ, START, [0.7], "a", [0, 1.0, 1.0], [0, 1.0, 0])
    assert min(b[0], c[0]) - 1e-12 <= both[0] or max(b[0], c[0]) + 1e-12 >= both[0]


@pytest.mark.parametrize(
    ("option", "match"),
    [
        ({"varied": [1.0, 0, 0]}, "varied must be zero in the part"),
        ({"varied": [0.0, 0, 0]}, "varied must not be zero"),
        ({"varied": [1.0, 0]}, "varied must have shape"),
        ({"measured": [np.nan, 0, 1]}, "measured must be finite"),
        ({"measured": lambda s: s}, "measured must return one number"),
    ],
)
def test_bad_questions(option, match):
    arguments = {"varied": "b", "measured": "b"} | option
    with pytest.raises(ValueError, match=match):
        influence.op(LORENZ, START, [1.0], "a", **arguments)


def test_a_map_with_too_few_rows():
    system = Map(("x", "y", "z"), lambda s, t: (s[0], s[1]), lambda s, t: np.eye(3))
    with pytest.raises(ValueError, match="step must return 3 rows"):
        influence.op(system, [1.0, 1.0, 1.0], [1.0], "x", "y", "y")


def test_a_wrong_derivative_is_refused():
    def rate(s, t):
        return np.abs(s[1]) - s[0], s[0] - s[1]

    with pytest.raises(ValueError, match="uses absolute"):
        influence.op(Flow(("x", "y"), rate, complex_step(rate)), [1.0, 2.0], [1.0], "x", "y", "y")


@pytest.mark.parametrize("n", [11, 101, 401, 4000])
def test_a_width_with_poles_is_refused(n):
    start = {"a": 1.0, "b": np.linspace(-20, 20, n), "c": 27.0}
    with pytest.raises(ArithmeticError, match="Comp has a pole"):
        influence.removed_width(LORENZ, start, 1.0, "a", "b")


def _two_steps(f, slope):
    """After two steps b is f(b) - 2 sin(b) in X: a is the b of the step before."""
    return Map(
        ("a", "b", "old"),
        lambda s, t: (s[1], f(s[1]) - 2 * np.sin(s[0]) if t > 0 else s[1], s[2]),
        lambda s, t: (
            (0.0, 1.0, 0.0),
            (-2 * np.cos(s[0]), slope(s[1]), 0.0) if t > 0 else (0.0, 1.0, 0.0),
            (0.0, 0.0, 1.0),
        ),
    )


def test_a_width_where_comp_changes_sign():
    """By zeros it is 2 ∫ cos, by a jump ∫ 2 cos / sign, and by a pole there is none."""
    start = {"a": 0.0, "b": np.linspace(-1.2, 1.5, 1001), "old": 0.0}
    zeros = _two_steps(lambda b: b, lambda b: 1.0 + 0 * b)
    width = influence.removed_width(zeros, start, 2.0, "a", "b")
    assert width == pytest.approx(2 * (np.sin(1.5) + np.sin(1.2)), rel=1e-5)
    jump = _two_steps(np.abs, np.sign)
    width = influence.removed_width(jump, start, 2.0, "a", "b")
    assert width == pytest.approx(2 * (np.sin(1.5) - np.sin(1.2)), abs=0.01)
    pole = _two_steps(lambda b: b * b / 2, lambda b: b)
    with pytest.raises(ArithmeticError, match="Comp has a pole"):
        influence.removed_width(pole, start, 2.0, "a", "b")


@pytest.mark.parametrize("outside", [np.log, np.sqrt, np.arcsin, np.arccosh, lambda x: x**1.5])
def test_no_complex_number_stands_for_a_rate_that_is_not_defined(outside):
    """The complex logarithm of -2 is log 2 + iπ: its real part is not the rate."""

    def rate(s, t):
        return outside(s[0]) - s[0] + s[1], 0.1 * s[0] - s[1]

    system = Flow(("x", "y"), rate, complex_step(rate))
    for initial in ([-2.0, 0.3], np.tile([[-2.0, 0.3]], (200, 1))):
        with (
            np.errstate(invalid="ignore"),
            pytest.raises(FloatingPointError, match=r"rate is not finite .* such as \[-2. .*0.3"),
        ):
            influence.op(system, initial, [0.1, 5.0], "y", "x", "x")


def test_a_state_where_the_rate_ends_is_met_on_the_way():
    def rate(s, t):
        return -np.sqrt(s[0]) - 0.1, 0.1 * s[0] - s[1]

    system = Flow(("x", "y"), rate, complex_step(rate))
    with (
        np.errstate(invalid="ignore"),
        pytest.raises(FloatingPointError, match="or the states where the rate is defined"),
    ):
        influence.op(system, [0.5, 0.3], [5.0], "y", "x", "x")


@pytest.mark.parametrize("measured", [lambda s: np.log(s[0]), lambda s: np.sqrt(s[0])])
def test_what_is_measured_must_be_finite(measured):
    system = systems.linear_flow([[-1.0, 0.5], [0.3, -0.2]], "ab")
    assert np.isfinite(influence.op(system, [1.0, 0.5], [0.01], "b", "a", measured)).all()
    with (
        np.errstate(invalid="ignore"),
        pytest.raises(FloatingPointError, match="measured, or its derivative, is not finite"),
    ):
        influence.op(system, [-1.0, 0.5], [0.01], "b", "a", measured)


# A disturbance that lasts beside a reading that does not: (1, 1) decays at 0.1, what is read at 2.
PULLED = np.array([[-1.05, 0.95, 0.3], [0.95, -1.05, -0.3], [0.5, -0.5, -3.0]])
ACROSS = np.array([[-2.0, 0.0, 0.6], [0.0, -0.1, 0.0], [0.5, 0.0, -3.0]])  # the same by names


@pytest.mark.parametrize(
    ("matrix", "measured"),
    [
        (PULLED, [1.0, -1.0, 0.0]),
        (PULLED, lambda s: np.sin(s[0] - s[1])),
        (ACROSS, "a"),
    ],
)
def test_what_decays_beside_what_lasts_is_right_or_refused(matrix, measured):
    # In both, what is read and z move in one plane.
    fast = np.array([[-2.0, 0.6], [0.5, -3.0]])
    system = systems.linear_flow(matrix, "abz")
    times = np.array([1.0, 5.0, 10.0, 12.0])
    right = -np.log([expm(t * fast)[0, 0] * np.exp(2 * t) for t in times])
    arguments = system, [1.0, 1.0, 1.0]
    rest = "z", [1.0, 0.2, 0.0], measured
    np.testing.assert_allclose(influence.op(*arguments, times, *rest), right, atol=1e-3)
    for time in (20.0, 25.0, 30.0):  # the first carrying is wrong by 0.07 to 7 there
        with pytest.raises(ArithmeticError, match="only rounding is left where varied="):
            influence.op(*arguments, [time], *rest)


def test_the_norm_of_what_decays_is_right_or_refused():
    """Of a, b, c, z the sum b + c lasts, which a sees as the difference of two large terms."""
    basis = np.array([[1.0, 0, 0, 0], [0, 1, 1, 0], [0, 1, -1, 0], [0, 0, 0, 1]])
    rates = np.array([[-3, 0, 1, 0.5], [0, -0.1, 0, 0], [0.7, 0, -2, 0.2], [0.4, 0, 0.3, -3]])
    system = systems.linear_flow(basis @ rates @ np.linalg.inv(basis), "abcz")
    arguments = system, [1.0, 1.0, 1.0, 1.0]
    few = rates[np.ix_([0, 2, 3], [0, 2, 3])]
    times = [1.0, 5.0]
    right = [np.log(expm(t * few[:2, :2])[0, 1] / expm(t * few)[0, 1]) for t in times]
    values = influence.op_norm(*arguments, times, "z", "b", "a")
    np.testing.assert_allclose(values, right, atol=1e-6)
    for ask in (influence.op_norm, influence.op):  # by rounding -0.9 and other values, for -3.04
        with pytest.raises(ArithmeticError, match="only rounding is left where varied="):
            ask(*arguments, [25.0], "z", "b", "a")


def test_what_lasts_is_not_refused():
    """The control: the slow direction itself, for as long; and small units are no doubt."""
    times = np.array([20.0, 60.0, 200.0])
    free = np.array([[-1.05, 0.95], [0.95, -1.05]])
    system = systems.linear_flow(PULLED, "abz")
    values = influence.op(system, [1.0] * 3, times, "z", [1.0, 0.2, 0.0], [1.0, 1.0, 0.0])
    np.testing.assert_allclose(values, 0.0, atol=1e-8)
    assert free.sum() == pytest.approx(-0.2)
    scale = np.diag([1e-9, 1.0, 1.0])  # a in another unit
    small = systems.linear_flow(scale @ PULLED @ np.linalg.inv(scale), "abz")
    plain = influence.op(system, [1.0, 1.0, 1.0], [1.0, 3.0], "z", "b", "a")
    scaled = influence.op(small, [1e-9, 1.0, 1.0], [1.0, 3.0], "z", "b", "a")
    np.testing.assert_allclose(scaled, plain, atol=1e-6)


def test_chaos_is_not_refused_where_readings_pass_zero():
    """Where paths have parted, a value is that of a path nearby: nothing is compared."""
    times = np.linspace(1.0, 60.0, 100)
    starts = np.array(START)[:, None] + 1e-3 * np.arange(40)
    assert np.isfinite(influence.op(LORENZ, starts.T, times, "a", "b", [0, 1.0, 0.3])).all()
