"""What is left of a disturbance that decays where its errors grow: right, or refused."""

import numpy as np
import pytest

from descent import influence, systems
from descent.dynamics import Flow, Map

# (1, 3) is a stable direction exactly, which c does not see: Op is 0 for ever.
BASIS = np.array([[1.0, 1.0], [3.0, 4.0]])
INVERSE = np.array([[4.0, -1.0], [-3.0, 1.0]])
ALONG = [1.0, 3.0, 0.0]
LATE = [15.0, 20.0, 40.0]  # rounding alone makes 0.003 to 10 of it


def saddle(stable: float, unstable: float, corner: float) -> np.ndarray:
    """Return a matrix of a, b, c: a saddle in a and b, whose unstable direction drives c."""
    matrix = np.zeros((3, 3))
    matrix[:2, :2] = BASIS @ np.diag([stable, unstable]) @ INVERSE
    matrix[:2, 2] = 0.5, -0.3
    matrix[2] = 3.0, -1.0, corner
    return matrix


FLOW = systems.linear_flow(saddle(-1.0, 1.0, -3.0), "abc")
LORENZ = systems.lorenz()
STEPS = saddle(0.3, 2.1, 0.1)
MAP = Map(tuple("abc"), lambda s, _: tuple(STEPS @ s), lambda s, _: STEPS)


def right_or_refused(value) -> bool:
    """Say whether a call returns 0, or raises the error that names what to change."""
    says = ""
    try:
        np.testing.assert_allclose(value(), 0.0, atol=1e-3)
    except influence.digits.Lost as error:
        says = str(error)
    assert not says or "as errors grow while the disturbance decays" in says
    assert not says or "vary a direction" in says
    return not says


@pytest.mark.parametrize("time", LATE)
@pytest.mark.parametrize("options", [{}, {"dt": 0.01}, {"dt": 0.01, "scheme": "rk4"}])
@pytest.mark.parametrize("measured", ["a", lambda s: s[0] - 2 * s[1]])
def test_along_the_stable_direction_of_a_saddle(time, options, measured):
    asked = FLOW, [1.0, 1.0, 1.0], [time], "c", ALONG, measured
    right_or_refused(lambda: influence.op(*asked, **options))


def test_it_is_refused_where_errors_have_outgrown_it_and_not_before():
    asked = "c", ALONG, "a"
    kept = [right_or_refused(lambda t=t: influence.op(FLOW, [1.0] * 3, [t], *asked)) for t in LATE]
    assert kept[-1] is False
    assert right_or_refused(lambda: influence.op(FLOW, [1.0] * 3, [1.0, 5.0, 8.0], *asked))
    # The control: what grows is right for as long as one likes, and so is what decays alone.
    times = np.array([20.0, 60.0])
    for direction, sink in (([1.0, 4.0, 0.0], 1.0), (ALONG, -1.5)):
        system = systems.linear_flow(saddle(-1.0, sink, -3.0), "abc")
        assert np.isfinite(influence.op(system, [1.0] * 3, times, "c", direction, "a")).all()


@pytest.mark.parametrize("n_steps", [5, 20, 60])
def test_the_stable_direction_of_a_map(n_steps):
    asked = MAP, [1.0, 1.0, 1.0], [n_steps], "c", ALONG, "a"
    assert right_or_refused(lambda: influence.op(*asked)) or n_steps > 5


def test_a_parameter_that_pushes_along_it():
    """The push (1, 3) moves a by 1 - e^-t in both worlds."""
    for time in (2.0, 8.0, 40.0):
        asked = FLOW, [1.0] * 3, [time], "c", lambda s, t: (1.0 + 0 * s[0], 3.0, 0.0), "a"
        assert right_or_refused(lambda asked=asked: influence.op(*asked)) or time > 30


def test_one_trajectory_of_many_is_found():
    """The saddle's own rate is a variable that rests: it is a saddle at one of 600 starts."""

    def rate(s, _):
        x, y = INVERSE @ s[:2]
        x, y = -x, s[3] * y
        return (x + y + 0.5 * s[2], 3 * x + 4 * y - 0.3 * s[2], 3 * s[0] - s[1] - 3 * s[2], 0 * x)

    def jvp(s, v, _):
        x, y = INVERSE @ v[:2]
        x, y = -x, s[3] * y + v[3] * (INVERSE @ s[:2])[1]
        return (x + y + 0.5 * v[2], 3 * x + 4 * y - 0.3 * v[2], 3 * v[0] - v[1] - 3 * v[2], 0 * x)

    flow = Flow(tuple("abcr"), rate, jvp=jvp)
    rates = np.full(600, -1.5)
    starts = np.array([np.ones(600), np.ones(600), np.ones(600), rates]).T
    asked = [30.0], "c", [*ALONG, 0.0], "a"
    np.testing.assert_allclose(influence.op(flow, starts, *asked), 0.0, atol=1e-6)
    starts[431, 3] = 1.0
    with pytest.raises(influence.digits.Lost, match="in 1 of 600 trajectories, as errors grow"):
        influence.op(flow, starts, *asked)


def test_a_chaotic_neighbour_that_nothing_reaches_is_no_doubt():
    """A decaying variable driven by Lorenz: no error of it can grow, however long."""

    def rate(s, t):
        return (*LORENZ.rate(s[:3], t), -s[3] * (1 + 0.01 * s[0]) + 0.3 * s[4], s[3] - 2 * s[4])

    def jvp(s, v, t):
        rows = LORENZ.jacobian(s[:3], t)
        first = [sum(rows[i][j] * v[j] for j in range(3)) for i in range(3)]
        fourth = -v[3] * (1 + 0.01 * s[0]) - 0.01 * s[3] * v[0] + 0.3 * v[4]
        return (*first, fourth, v[3] - 2 * v[4])

    flow = Flow(tuple("abcde"), rate, jvp=jvp)
    value = influence.op(flow, [1.0, 2.0, 20.0, 1.0, 0.0], [60.0], "e", "d", "d")
    assert np.isfinite(value).all()


@pytest.mark.parametrize("size", [1e-12, 1e12])
def test_the_length_of_the_direction_does_not_matter(size):
    along = [size * entry for entry in ALONG]
    assert not right_or_refused(lambda: influence.op(FLOW, [1.0] * 3, [20.0], "c", along, "a"))
    assert right_or_refused(lambda: influence.op(FLOW, [1.0] * 3, [5.0], "c", along, "a"))


def test_what_a_frozen_part_keeps_at_zero_needs_no_second_look():
    thermostat = systems.linear_thermostat(0.25, 25.0)
    with np.errstate(divide="ignore"):  # the thermostat is frozen where it is measured
        op = influence.op(thermostat, [25.0, 0.0], [2, 5], "room", "thermostat", "thermostat")
    assert (op == -np.inf).all()
