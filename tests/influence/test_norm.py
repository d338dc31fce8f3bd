"""Op of several disturbances: its pair is op, its closed forms are matrices, it has no poles."""

import numpy as np
import pytest
from scipy.linalg import expm

from descent import influence, lyapunov, systems
from descent.dynamics import Map

LORENZ = systems.lorenz()
START = [1.0, 2.0, 20.0]
MATRIX = np.array([[-0.3, 1.0, -0.8, 0.0], [-1.0, -0.2, 0.0, 0.4], [0.9, 0.0, 0.0, 0.0]])
MATRIX = np.vstack([MATRIX, [0.0, -0.5, 0.3, -1.0]])


@pytest.mark.parametrize(
    ("varied", "measured"), [(None, None), (["a", "b"], None), ("d", ["a", "b"]), ("a", "b")]
)
def test_linear_flow_by_matrix_exponentials(varied, measured):
    flow = systems.linear_flow(MATRIX, "abcd")
    free = [0, 1, 3]
    times = np.array([0.3, 1.0, 4.0])
    values = influence.op_norm(flow, [1.0, -1.0, 2.0, 0.5], times, "c", varied, measured)
    n, m = (
        free if part is None else ["abcd".index(name) for name in part]
        for part in (varied, measured)
    )
    for time, value in zip(times, values, strict=True):
        x = expm(MATRIX * time)[np.ix_(m, n)]
        y = np.zeros((4, 4))
        y[np.ix_(free, free)] = expm(MATRIX[np.ix_(free, free)] * time)
        y = y[np.ix_(m, n)]
        assert value == pytest.approx(np.log(np.linalg.norm(y, 2) / np.linalg.norm(x, 2)), abs=1e-9)


def test_one_pair_is_op():
    times = [0.0, 0.5, 2.0]
    for n, m in (("a", "a"), ("a", "b"), ("b", "a")):
        values = influence.op_norm(LORENZ, START, times, "c", n, m)
        np.testing.assert_allclose(values, influence.op(LORENZ, START, times, "c", n, m), atol=1e-9)


def test_rotation_has_no_poles():
    """The pair (a; a) passes zero again and again; the norm of the whole stays."""
    turn = np.array([[0.0, -1.0, 0.1], [1.0, 0.0, 0.0], [-0.1, 0.0, -1.0]])
    flow = systems.linear_flow(turn, "abc")
    times = np.linspace(0.0, 20.0, 4001)
    whole = influence.op_norm(flow, [1.0, 0.0, 0.0], times, "c", ["a", "b"])
    pair = influence.op(flow, [1.0, 0.0, 0.0], times, "c", "a", "a")
    assert np.abs(whole).max() < 0.3
    assert np.abs(pair).max() > 3.0


def test_until_and_begin():
    """What the part does after ``until`` is the same in both worlds; a clock's start is none."""
    flow = systems.linear_flow(MATRIX, "abcd")
    one = influence.op_norm(flow, [1.0] * 4, [1.0, 3.0], "c", until=0.0)
    np.testing.assert_allclose(one, 0.0, atol=1e-12)
    late = influence.op_norm(flow, [1.0] * 4, [6.0, 8.0], "c", begin=5.0)
    early = influence.op_norm(flow, [1.0] * 4, [1.0, 3.0], "c")
    np.testing.assert_allclose(late, early, atol=1e-9)


@pytest.mark.slow
def test_slope_in_chaos_is_that_of_the_exponents():
    rng = np.random.default_rng(1)
    starts = np.array([1.0, 1.0, 25.0]) + rng.normal(size=(48, 3))
    values = influence.op_norm(LORENZ, starts, [10.0, 30.0], "a", dt=0.02)
    slopes = (values[1] - values[0]) / 20
    expected = -1.80 - 0.9056
    assert abs(slopes.mean() - expected) < 4 * slopes.std() / np.sqrt(48) + 0.02


def test_what_does_not_arrive_is_an_error():
    apart = Map(("x", "y", "z"), lambda s, t: tuple(s), lambda s, t: np.eye(3))
    with pytest.raises(ValueError, match="in neither world"):
        influence.op_norm(apart, [1.0, 1.0, 1.0], [2.0], "z", "x", "y")


def test_bad_input():
    for options, words in (
        ({"varied": "c"}, "varied must not be in frozen"),
        ({"measured": []}, "measured must name at least one"),
        ({"varied": 5}, "varied must be a name or several"),
        ({"frozen": list("abc")}, "frozen must leave a variable free"),
    ):
        arguments = {"frozen": "c"} | options
        with pytest.raises((ValueError, TypeError), match=words):
            influence.op_norm(LORENZ, START, [1.0], **arguments)


def test_several_starts_keep_their_shape():
    grid = {"a": np.linspace(-1, 1, 3)[:, None], "b": np.ones(2), "c": 20.0}
    values = influence.op_norm(LORENZ, grid, [0.2, 0.4], "a")
    assert values.shape == (2, 3, 2)
    one = influence.op_norm(LORENZ, [0.0, 1.0, 20.0], [0.2, 0.4], "a")
    np.testing.assert_allclose(values[:, 1, 0], one, atol=1e-9)


def test_exponents_bound_it_at_a_fixed_point():
    """At rest Op falls by the difference of the largest real parts, here of a stable system."""
    flow = systems.linear_flow(MATRIX, "abcd")
    values = influence.op_norm(flow, [0.0] * 4, [40.0, 80.0], "c")
    whole = lyapunov.spectrum(flow, [1.0] * 4)[0]
    rest = lyapunov.conditional_exponents(flow, "c", [1.0] * 4)[0]
    assert (values[1] - values[0]) / 40 == pytest.approx(rest - whole, abs=0.05)


def test_disturbances_of_more_than_a_float_holds_are_compared():
    """X grows by the golden ratio, Y by 1: by e^1294 and e^800, which are rescaled on the way."""
    system = systems.linear_flow([[1.0, 1.0], [1.0, 0.0]], ("a", "c"))
    golden = (1 + 5**0.5) / 2
    whole = 800 * golden + np.log(golden**2 / (golden**2 + 1))
    assert influence.op_norm(system, [0.0, 0.0], [800.0], "c") == pytest.approx(
        800 - whole, abs=1e-6
    )
