"""Lyapunov exponents, mostly with a stated step: closed forms, sums, and the slope of Op."""

import numpy as np
import pytest

from descent import lyapunov, systems
from descent.dynamics import Flow, Map
from descent.dynamics.tangent import advance
from descent.influence import op

BETA = 8 / 3
LORENZ = systems.lorenz()


@pytest.fixture(scope="module")
def full():
    with np.errstate(all="raise", under="ignore"):
        return lyapunov.spectrum(
            LORENZ, n_trajectories=96, duration=80.0, dt=0.02, return_error=True
        )


@pytest.fixture(scope="module")
def driven_by_a():
    with np.errstate(all="raise", under="ignore"):
        return lyapunov.conditional_exponents(
            LORENZ, "a", n_trajectories=96, duration=80.0, dt=0.02, return_error=True
        )


@pytest.mark.slow
def test_lorenz_spectrum_within_its_errors(full):
    mean, error = full
    assert (np.abs(mean - [0.9056, 0.0, -14.5723]) < 3 * error).all()
    assert error[0] < 0.004
    assert mean.sum() == pytest.approx(-(10 + 1 + BETA), abs=1e-6)


@pytest.mark.slow
def test_error_falls_with_the_number_of_trajectories(full):
    few = lyapunov.spectrum(LORENZ, n_trajectories=24, duration=20.0, dt=0.02, return_error=True)[1]
    assert few[0] > 1.7 * full[1][0]


@pytest.mark.slow
def test_sum_of_conditional_exponents_is_exact(driven_by_a):
    mean, error = driven_by_a
    assert mean.sum() == pytest.approx(-(1 + BETA), abs=1e-6)
    assert mean[0] - 5 * error[0] > -(1 + BETA) / 2  # the two are not equal


@pytest.mark.slow
def test_conditional_exponents_driven_by_b_are_exact():
    """The response (a, c) is triangular with constant rates."""
    mean = lyapunov.conditional_exponents(LORENZ, "b", duration=10.0, n_trajectories=4, dt=0.02)
    np.testing.assert_allclose(mean, [-BETA, -10.0], atol=1e-9)
    both = lyapunov.conditional_exponents(
        LORENZ, ["a", "b"], duration=10.0, n_trajectories=4, dt=0.02
    )
    np.testing.assert_allclose(both, [-BETA], atol=1e-9)


@pytest.mark.slow
def test_response_to_c_is_neutral():
    """The response (a, b) is linear, and the driven solution itself neither grows nor decays."""
    mean, error = lyapunov.conditional_exponents(
        LORENZ, "c", n_trajectories=32, duration=60.0, dt=0.02, return_error=True
    )
    assert abs(mean[0]) < 4 * error[0]
    assert mean.sum() == pytest.approx(-11.0, abs=1e-6)


def test_spectrum_at_a_stable_equilibrium_is_its_eigenvalues():
    system = systems.lorenz(rho=0.8)
    jacobian = np.array(system.jacobian(np.zeros(3), 0.0), float)
    expected = np.sort(np.linalg.eigvals(jacobian).real)[::-1]
    mean = lyapunov.spectrum(system, transient=100.0, duration=20.0, n_trajectories=2)
    np.testing.assert_allclose(mean, expected, atol=1e-6)


def test_spectrum_of_the_linear_thermostat():
    roots = np.roots([1, -1, 0.1])
    mean = lyapunov.spectrum(systems.linear_thermostat(0.1, 25.0), n_trajectories=2)
    np.testing.assert_allclose(mean, np.log(np.sort(roots)[::-1]), atol=1e-12)


def test_exponents_are_per_unit_of_time():
    halves = Map(("x",), lambda s, t: (0.5 * s[0],), lambda s, t: ((0.5,),), dt=0.25)
    mean = lyapunov.spectrum(halves, [1.0], duration=5.0, n_trajectories=2)
    assert mean[0] == pytest.approx(np.log(0.5) / 0.25, rel=1e-12)


@pytest.mark.slow
def test_slope_of_op_is_a_difference_of_exponents(full, driven_by_a):
    """Averaged over 96 starts on the attractor, from t = 10 to 40."""
    rng = np.random.default_rng(3)
    start, _ = advance(LORENZ, 1 + rng.normal(size=(3, 96)), [], 0.0, 30.0, 0.02)
    values = op(LORENZ, start.T, [10.0, 40.0], "a", "b", "b", dt=0.02)
    slopes = (values[1] - values[0]) / 30.0
    expected = driven_by_a[0, 0] - full[0, 0]
    error = np.hypot(slopes.std(ddof=1) / np.sqrt(96), driven_by_a[1, 0] + full[1, 0])
    assert abs(slopes.mean() - expected) < 3 * error
    # A negative control: the slope is not minus the largest exponent alone.
    assert abs(slopes.mean() + full[0, 0]) > 10 * error


def test_same_seed_same_numbers():
    options = {"duration": 2.0, "transient": 1.0, "n_trajectories": 3, "dt": 0.02}
    one, two, other = (
        lyapunov.spectrum(LORENZ, rng=np.random.default_rng(seed), **options) for seed in (7, 7, 8)
    )
    np.testing.assert_array_equal(one, two)
    assert (one != other).all()


@pytest.mark.slow
@pytest.mark.parametrize(
    ("call", "error", "match"),
    [
        (lambda: lyapunov.spectrum(systems.dumb_thermostat()), TypeError, "no Jacobian"),
        (lambda: lyapunov.spectrum(Flow(("x",), lambda s, t: s)), ValueError, "initial must be"),
        (
            lambda: lyapunov.spectrum(Flow(("x",), lambda s, t: s), [1.0]),
            ValueError,
            "has no Jacobian",
        ),
        (lambda: lyapunov.conditional_exponents(LORENZ, "x"), ValueError, "frozen must be one of"),
        (lambda: lyapunov.conditional_exponents(LORENZ, "abc"), ValueError, "frozen must be one"),
        (lambda: lyapunov.conditional_exponents(LORENZ, list("abc")), ValueError, "leave a"),
        (lambda: lyapunov.spectrum(LORENZ, duration=0.0), ValueError, "duration must be"),
        (lambda: lyapunov.spectrum(LORENZ, duration=0.1, dt=0.02), ValueError, "at least interval"),
        (lambda: lyapunov.spectrum(LORENZ, transient=-1.0), ValueError, "transient"),
        (lambda: lyapunov.spectrum(LORENZ, n_trajectories=1), ValueError, "n_trajectories"),
        (lambda: lyapunov.spectrum(LORENZ, n_trajectories=2.5), TypeError, "n_trajectories"),
        (
            lambda: lyapunov.spectrum(LORENZ, np.ones((1, 3)), duration=1.0, return_error=True),
            ValueError,
            "two or more starts",
        ),
        (
            lambda: lyapunov.spectrum(systems.linear_thermostat(0.1, 0.0), interval=0.5),
            ValueError,
            "multiple of dt",
        ),
        (
            lambda: lyapunov.spectrum(
                Map(("x",), lambda s, t: (0.0 * s[0],), lambda s, t: ((0.0,),)), [1.0]
            ),
            ValueError,
            "minus infinity",
        ),
    ],
)
def test_bad_input(call, error, match):
    with pytest.raises(error, match=match):
        call()
