"""The estimate that ran along: its end is the result, its errors hold on the way."""

import numpy as np

from descent import lyapunov
from descent.dynamics import Map, complex_step


def logistic(s, t):
    return (4 * s[0] * (1 - s[0]),)


SYSTEM = Map(("x",), logistic, complex_step(logistic), start=(0.3,))


def test_the_end_is_the_result():
    ran = lyapunov.convergence(SYSTEM)
    values, errors = lyapunov.spectrum(SYSTEM, return_error=True)
    np.testing.assert_array_equal(ran.values[-1], values)
    np.testing.assert_array_equal(ran.errors[-1], errors)
    assert ran.values.shape == ran.errors.shape == (len(ran.times), 1)
    assert (np.diff(ran.times) > 0).all()


def test_it_comes_closer():
    ran = lyapunov.convergence(SYSTEM, duration=4000.0, transient=100.0, interval=20.0)
    assert ran.times[[0, -1]].tolist() == [120.0, 4100.0]
    off = np.abs(ran.values[:, 0] - np.log(2))
    assert off[-50:].max() < off[:20].max()
    assert ran.errors[-1, 0] < ran.errors[19, 0]
    late = slice(20, None)
    assert (off[late] < 4 * ran.errors[late, 0] + 1e-4).mean() > 0.9


def test_what_parts_in_two_is_shown_and_not_refused():
    """Chaos that ends: the estimate first stands, then falls towards the fixed point's."""

    def step(s, t):
        r = 3.25 - 0.75 * np.tanh(s[1] - 3000.0)  # 4, then 2.5
        return r * s[0] * (1 - s[0]), s[1] + 1.0

    system = Map(("x", "age"), step, complex_step(step))
    starts = np.column_stack([np.linspace(0.1, 0.45, 16), np.zeros(16)])
    ran = lyapunov.convergence(system, (), starts, duration=8000.0, transient=0.0, interval=100.0)
    early = ran.values[np.searchsorted(ran.times, 2500.0)]
    assert abs(early[0] - np.log(2)) < 0.05  # the age has exponent 0
    assert ran.values[-1].min() < -0.1


def test_of_a_driven_part():
    def step(s, t):
        return s[0], s[1] / 2 + s[0]

    system = Map(("x", "y"), step, complex_step(step))
    ran = lyapunov.convergence(system, "x", [1.0, 0.0], duration=40.0, transient=20.0)
    np.testing.assert_allclose(ran.values, np.log(0.5), atol=1e-12)
