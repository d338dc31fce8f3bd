"""Op by singular values: closed forms are matrices, the sum is a trace, and nothing has poles."""

import numpy as np
import pytest
from scipy.linalg import expm

from descent import influence, lyapunov, systems
from descent.dynamics import Map

LORENZ = systems.lorenz()
START = [1.0, 2.0, 20.0]
MATRIX = np.array(
    [
        [-0.3, 1.0, -0.8, 0.0],
        [-1.0, -0.2, 0.0, 0.4],
        [0.9, 0.0, 0.0, 0.0],
        [0.0, -0.5, 0.3, -1.0],
    ]
)
FREE = [0, 1, 3]


@pytest.mark.parametrize("interval", [None, 0.05, 2.0])
def test_linear_flow_by_matrix_exponentials(interval):
    flow = systems.linear_flow(MATRIX, "abcd")
    times = np.array([0.3, 1.0, 4.0, 12.0])
    values = influence.op_spectrum(flow, [1.0, -1.0, 2.0, 0.5], times, "c", interval=interval)
    for time, found in zip(times, values, strict=True):
        x = np.linalg.svd(expm(MATRIX * time)[:, FREE])[1]
        y = np.linalg.svd(expm(MATRIX[np.ix_(FREE, FREE)] * time))[1]
        np.testing.assert_allclose(found, np.log(y / x), atol=1e-8)


def test_what_dies_fast_is_kept_beside_what_lasts():
    """The smaller value is e^-600 of the larger one: no float holds both."""
    rates = [0.0, -30.0, -2.0]
    flow = systems.linear_flow(np.diag(rates) + np.array([[0, 0, 0], [0, 0, 0], [0, 1, 0]]), "abc")
    values = influence.op_spectrum(flow, [1.0, 1.0, 1.0], [20.0], "c", interval=0.1)[0]
    # In X the disturbance of b lives on in c, as e^(-2t)/28.
    np.testing.assert_allclose(values, [0.0, -600.0 + 40.0 + np.log(28.0)], atol=1e-5)


def test_sum_is_a_trace():
    """In Y areas shrink at the rate 1 + beta, wherever the trajectory goes; X by a Gram matrix."""
    times = np.array([0.2, 1.0, 2.0])
    values = influence.op_spectrum(LORENZ, START, times, "a").sum(axis=1)
    pairs = np.empty((3, 3, 2))
    for k, name in enumerate("bc"):
        for i, read in enumerate(np.eye(3)):
            eye = np.zeros(3)
            eye["abc".index(name)] = 1.0
            pairs[:, i, k] = _by_difference(eye, read, times)
    gram = np.einsum("tik,til->tkl", pairs, pairs)
    expected = -(1 + 8 / 3) * times - np.log(np.linalg.det(gram)) / 2
    np.testing.assert_allclose(values, expected, atol=2e-5)


def _by_difference(direction, read, times, h=1e-5):
    """Central differences of two trajectories: another route to the tangent map of X."""
    from descent.dynamics.tangent import advance

    ends = np.array([START + h * direction, START - h * direction]).T
    found, now = [], 0.0
    for time in times:
        ends, _ = advance(LORENZ, ends, [], now, float(time))
        now = float(time)
        found.append(read @ (ends[:, 0] - ends[:, 1]) / (2 * h))
    return np.array(found)


def test_no_poles_where_the_pair_has_them():
    """Op of a pair passes its poles in chaos; the largest growth moves on evenly."""
    times = np.arange(0.0, 12.0, 0.01)
    pair = influence.op(LORENZ, START, times, "a", "b", "b")
    whole = influence.op_spectrum(LORENZ, START, times, "a")
    assert np.abs(np.diff(pair)).max() > 1.5
    assert np.abs(np.diff(whole, axis=0)).max() < 0.4


def test_one_variable_that_alone_responds_is_op():
    """With one variable in B and A that forgets at once, both read the same number."""
    thermostat = systems.linear_thermostat(0.19, 25.0)
    values = influence.op_spectrum(thermostat, [35.0, 10.0], [1, 2, 30], "thermostat")[:, 0]
    comp = influence.linear_thermostat_comp(0.19, np.array([0, 1, 2, 29, 30]))
    # X is read off in room and thermostat; the thermostat shows the room one step late.
    lengths = [np.hypot(comp[k], comp[k - 1]) for k in (1, 2, 4)]
    np.testing.assert_allclose(values, -np.log(lengths), atol=1e-12)


@pytest.mark.slow
def test_slopes_are_differences_of_exponents():
    starts = np.array([1.0, 1.0, 25.0]) + np.random.default_rng(1).normal(size=(48, 3))
    values = influence.op_spectrum(LORENZ, starts, [10.0, 30.0], "a", dt=0.02)
    slopes = (values[1] - values[0]) / 20
    rest = lyapunov.conditional_exponents(LORENZ, "a", rng=np.random.default_rng(0))
    whole = lyapunov.spectrum(LORENZ, rng=np.random.default_rng(0))
    for k in (0, 1):
        error = slopes[k].std() / np.sqrt(48)
        assert abs(slopes[k].mean() - (rest[k] - whole[k])) < 4 * error + 0.02
        assert abs(slopes[k].mean() - rest[k]) > 4 * error or k == 1  # a control: Y alone


def test_several_starts_keep_their_shape():
    grid = {"a": np.linspace(-1, 1, 3)[:, None], "b": np.ones(2), "c": 20.0}
    values = influence.op_spectrum(LORENZ, grid, [0.0, 0.2, 0.4], "a")
    assert values.shape == (3, 2, 3, 2)
    one = influence.op_spectrum(LORENZ, [0.0, 1.0, 20.0], [0.2, 0.4], "a")
    np.testing.assert_allclose(values[1:, :, 1, 0], one, atol=1e-9)
    assert not values[0].any()


def test_a_clock_may_begin_later():
    flow = systems.linear_flow(MATRIX, "abcd")
    late = influence.op_spectrum(flow, [1.0] * 4, [6.0, 8.0], "c", begin=5.0)
    early = influence.op_spectrum(flow, [1.0] * 4, [1.0, 3.0], "c")
    np.testing.assert_allclose(late, early, atol=1e-9)


def test_bad_input():
    flat = Map(("x", "y", "z"), lambda s, t: (s[0], s[0], s[2]), lambda s, t: FLAT)
    with pytest.raises(ValueError, match="has vanished beside another"):
        influence.op_spectrum(flat, [1.0, 1.0, 1.0], [1.0], "z")
    with pytest.raises(ValueError, match="interval must be a multiple of dt"):
        influence.op_spectrum(
            systems.linear_thermostat(0.19, 25.0), [1.0, 1.0], [1], "room", interval=0.5
        )
    with pytest.raises(ValueError, match="frozen must leave 1 to 8 variables free; got 0"):
        influence.op_spectrum(LORENZ, START, [1.0], list("abc"))
    with pytest.raises(ValueError, match="interval must be shorter"):
        influence.op_spectrum(
            systems.linear_flow(np.diag([0.0, -40.0, -1.0]), "abc"), START, [5.0], "c", interval=5.0
        )


FLAT = [[1.0, 0.0, 0.0], [1.0, 0.0, 0.0], [0.0, 0.0, 1.0]]
