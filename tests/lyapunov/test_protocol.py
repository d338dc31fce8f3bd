"""Exponents with the scales of the system itself: published values, closed forms, refusals."""

import numpy as np
import pytest

from descent import lyapunov, systems
from descent.dynamics import Flow, Map, complex_step, finite_differences


def rossler(clock=1.0):
    def rate(s, t):
        x, y, z = s
        return clock * (-y - z), clock * (x + 0.2 * y), clock * (0.2 + z * (x - 5.7))

    return Flow(("x", "y", "z"), rate, complex_step(rate), start=(1.0, 1.0, 1.0))


@pytest.fixture(scope="module")
def rossler_rates():
    return lyapunov.spectrum(rossler(), return_error=True)


@pytest.mark.slow
def test_rossler(rossler_rates):
    """Sprott, Chaos and Time-Series Analysis: 0.0714, 0, -5.3943."""
    mean, error = rossler_rates
    assert (np.abs(mean - [0.0714, 0.0, -5.3943]) < 3 * error + [4e-4, 1e-4, 1e-3]).all()
    assert error[0] < 0.005


@pytest.mark.slow
def test_change_of_units(rossler_rates):
    """A clock seven times as fast: the same protocol, so the same numbers but for rounding."""
    fast = lyapunov.spectrum(rossler(7.0), return_error=True)
    joint = np.hypot(fast[1] / 7, rossler_rates[1])
    assert (np.abs(fast[0] / 7 - rossler_rates[0]) < 3 * joint + 1e-4).all()


def test_sum_is_the_mean_divergence(rossler_rates):
    """Of Lorenz exactly, of any flow within the errors: here the trace is x - 5.5."""
    assert rossler_rates[0].sum() == pytest.approx(-5.32, abs=0.05)


@pytest.mark.slow
def test_stiff_and_stable():
    system = systems.linear_flow([[-400.0, 0.0], [0.0, -1.0]], ("f", "s"))
    both = lyapunov.spectrum(system, [[1.0, 1.0], [1.0, 2.0]], duration=2.0, transient=0.0)
    np.testing.assert_allclose(both, [-1.0, -400.0], rtol=1e-6)
    alone = lyapunov.spectrum(system, [1.0, 1.0])
    np.testing.assert_allclose(alone, [-1.0, -400.0], rtol=1e-9)


def test_a_fixed_point_has_the_real_parts_of_its_eigenvalues():
    matrix = np.array([[-0.1, 1.0, 0.0], [-1.0, -0.1, 0.3], [0.0, 0.0, -2.0]])
    mean = lyapunov.spectrum(systems.linear_flow(matrix, "abc"), [1.0, 0.5, 1.0])
    np.testing.assert_allclose(mean, [-0.1, -0.1, -2.0], atol=1e-9)


def simple(step):
    return Map(("x",), step, complex_step(step), start=(0.3,))


def on_the_cycle(r):
    """The mean of log |f'| over the four points of the stable cycle (of 4, 2 or 1)."""
    x, total = 0.3, 0.0
    for i in range(10_004):
        total += np.log(abs(r * (1 - 2 * x))) / 4 if i >= 10_000 else 0.0
        x = r * x * (1 - x)
    return total


@pytest.mark.slow
@pytest.mark.parametrize(
    ("r", "exact", "sampling"),
    [(2.5, -np.log(2), 0.0), (3.2, None, 0.0), (3.5, None, 0.0), (4.0, np.log(2), 0.01)],
)
def test_logistic_map(r, exact, sampling):
    exact = on_the_cycle(r) if exact is None else exact
    mean, error = lyapunov.spectrum(
        simple(lambda s, t: (r * s[0] * (1 - s[0]),)), return_error=True
    )
    assert abs(mean[0] - exact) < 3 * error[0] + 1e-4
    assert error[0] <= sampling + 1e-4


def test_henon_map():
    """Sprott: 0.4192, and the determinant is -0.3."""

    def step(s, t):
        return 1 - 1.4 * s[0] ** 2 + s[1], 0.3 * s[0]

    system = Map(("x", "y"), step, complex_step(step), start=(0.1, 0.1))
    mean, error = lyapunov.spectrum(system, return_error=True)
    assert abs(mean[0] - 0.4192) < 3 * error[0] + 2e-4
    assert mean.sum() == pytest.approx(np.log(0.3), abs=1e-9)


def test_maps_that_bend():
    def lozi(s, t):
        return 1 - 1.7 * np.abs(s[0]) + s[1], 0.5 * s[0]

    with pytest.raises(ValueError, match="uses absolute"):
        lyapunov.spectrum(Map(("x", "y"), lozi, complex_step(lozi), start=(0.1, 0.1)))
    system = Map(("x", "y"), lozi, finite_differences(lozi), start=(0.1, 0.1))
    mean, error = lyapunov.spectrum(system, return_error=True)
    assert abs(mean[0] - 0.4707) < 3 * error[0] + 5e-4


def test_divergence_says_what_helps():
    system = simple(lambda s, t: (4 * s[0] * (1 - s[0]),))
    with pytest.raises(FloatingPointError, match="initial state in the basin"):
        lyapunov.spectrum(system, [1.5])


def test_spread_needs_a_step():
    with pytest.raises(ValueError, match="spread needs dt"):
        lyapunov.spectrum(systems.lorenz(), spread=0.1)


def test_kaplan_yorke_dimension():
    assert lyapunov.kaplan_yorke_dimension([0.9056, 0.0, -14.5723]) == pytest.approx(
        2.0621, abs=1e-4
    )
    assert lyapunov.kaplan_yorke_dimension([-1.0, -0.5]) == 0.0
    assert lyapunov.kaplan_yorke_dimension([0.2, -0.1]) == 2.0
