"""Smoothed objectives: closed forms against each other, quadrature and the heat equation."""

import mpmath
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.special import ndtri

from descent import smoothing
from descent.landscapes import floored_sinc, sinc
from descent.smoothing import (
    REACH,
    smoothed_floored_sinc,
    smoothed_sinc,
    smoothed_sinc_faddeeva,
    smoothed_steps,
)

BOTH = pytest.mark.parametrize(
    ("smoothed", "f"),
    [(smoothed_sinc, sinc), (smoothed_floored_sinc, floored_sinc)],
    ids=["sinc", "floored"],
)
x_values, sigmas = st.floats(-40, 40), st.floats(0.05, 20)


def sixth_order(g, at, h):
    """Central difference of order six of a function of one number."""
    weights = {1: 45, 2: -9, 3: 1}
    return sum(w * (g(at + k * h) - g(at - k * h)) for k, w in weights.items()) / (60 * h)


@given(x_values, sigmas)
def test_two_closed_forms_of_the_smoothed_sinc_agree(x, sigma):
    by_panels = smoothed_sinc(x, sigma).value
    assert by_panels == pytest.approx(smoothed_sinc_faddeeva(x, sigma), abs=1e-14 / sigma)


@pytest.mark.parametrize(("x", "sigma"), [(0.0, 1.0), (7.7, 0.3), (-31.0, 2.0), (5.0, 40.0)])
def test_smoothed_sinc_and_its_derivatives_in_many_digits(x, sigma):
    with mpmath.workdps(30):

        def integral(wave):
            ends = [mpmath.mpf(k) / 8 for k in range(9)]
            return float(mpmath.quad(lambda k: wave(k) * mpmath.exp(-((sigma * k) ** 2) / 2), ends))

        expected = (
            integral(lambda k: mpmath.cos(k * x)),
            -integral(lambda k: k * mpmath.sin(k * x)),
            -sigma * integral(lambda k: k**2 * mpmath.cos(k * x)),
        )
    np.testing.assert_allclose(smoothed_sinc(x, sigma), expected, rtol=0, atol=3e-16 * 8)


@BOTH
@pytest.mark.parametrize(("x", "sigma"), [(0.8, 2.0), (-3.0, 1.0), (5.0, 0.5), (12.0, 6.0)])
def test_values_are_gaussian_averages(smoothed, f, x, sigma):
    """The score identities give all three from values of f: a route without derivatives."""
    rng = np.random.default_rng(7)
    n = 200_000
    # One point in each of n strata of equal probability.
    z = ndtri((np.arange(n) + rng.uniform(size=n)) / n)
    values = f(x + sigma * z)
    averages = values.mean(), (values * z).mean() / sigma, (values * (z * z - 1)).mean() / sigma
    np.testing.assert_allclose(smoothed(x, sigma), averages, atol=3e-4 * np.ptp(values))


@BOTH
@given(x=x_values, sigma=st.floats(0.3, 8))
def test_heat_equation(smoothed, f, x, sigma):
    """d/dsigma = sigma d²/dx²; the right side from differences of d/dx, the left one as given."""
    h = 0.01 * min(sigma, 1.0)
    second = sixth_order(lambda t: smoothed(t, sigma).dx, x, h)
    scale = np.abs(floored_sinc(np.linspace(-9, 9, 99))).max() if f is floored_sinc else 1.0
    assert smoothed(x, sigma).dsigma == pytest.approx(sigma * second, abs=2e-9 * scale / h)


@BOTH
@given(x=x_values, sigma=st.floats(0.3, 8))
def test_derivatives_are_those_of_the_value(smoothed, f, x, sigma):
    h = 0.01 * min(sigma, 1.0)
    _, dx, dsigma = smoothed(x, sigma)
    assert dx == pytest.approx(sixth_order(lambda t: smoothed(t, sigma).value, x, h), abs=1e-8)
    by_sigma = sixth_order(lambda s: smoothed(x, s).value, sigma, h)
    assert dsigma == pytest.approx(by_sigma, abs=1e-8)


@BOTH
@given(x=x_values, sigma=sigmas)
def test_average_lies_between_the_extremes(smoothed, f, x, sigma):
    """E f <= max f: a lower bound of the maximum, and an upper one of the minimum."""
    low, high = (-0.21723362821122166, 1.0) if f is sinc else (-7.0, 11.0)
    assert low - 1e-14 <= smoothed(x, sigma).value <= high + 1e-14


def test_bound_is_attained_by_a_constant_and_only_there():
    """A function without jumps is constant: its average equals it at every sigma."""
    assert smoothed_steps(3.0, 2.0, [], [], 5.0).value == 5.0
    assert smoothed_steps(3.0, 2.0, [100.0], [-1.0], 5.0).value == 5.0  # out of reach
    assert smoothed_steps(3.0, 2.0, [4.0], [-1.0], 5.0).value < 5.0


@BOTH
def test_no_smoothing_gives_the_function_back(smoothed, f):
    x = np.linspace(-30, 30, 1001)
    np.testing.assert_allclose(smoothed(x, 0.0).value, f(x), atol=1e-15)
    np.testing.assert_allclose(smoothed_sinc(x, 1e-4).value, sinc(x), atol=1e-8)


def test_at_a_jump_the_limit_is_the_middle_of_both_sides():
    jump = np.pi  # 10 sin(x)/x + 4 sin(x) falls through 0
    assert floored_sinc(jump - 1e-9) == 0
    assert floored_sinc(jump + 1e-9) == -1
    assert smoothed_floored_sinc(jump, 1e-3).value == pytest.approx(-0.5, abs=1e-12)


def test_jumps_are_all_found():
    """A scan finds the same steps, up to those that its points jump over in pairs."""
    x = np.linspace(-60, 60, 2_000_001)
    steps = np.diff(floored_sinc(x))
    (places,) = np.nonzero(steps)
    jumps, heights = smoothing.exact._floored_sinc_jumps(64)
    near = np.abs(jumps) < 60
    np.testing.assert_allclose(jumps[near], x[places], atol=1e-4)
    np.testing.assert_array_equal(heights[near], steps[places])


def test_what_is_left_out_is_below_rounding():
    """Jumps further than 9 sigma: their share from many more jumps, and the bound."""
    x, sigma = np.linspace(-20, 20, 41), 1.5
    jumps, heights = smoothing.exact._floored_sinc_jumps(512)
    left = float(floored_sinc(-512.0))
    whole = smoothed_steps(x, np.full(41, sigma), jumps, heights, left)
    np.testing.assert_allclose(smoothed_floored_sinc(x, sigma), whole, atol=1e-13)
    # With a third of the reach the error is there, and keeps to its bound 2 · 18 Φ(-3).
    near = np.abs(jumps - 0.3) < 3 * sigma
    first = int(np.argmax(near))
    cut = smoothed_steps(0.3, sigma, jumps[near], heights[near], left + heights[:first].sum())
    error = abs(cut.value - smoothed_floored_sinc(0.3, sigma).value)
    assert 1e-6 < error < 36 * 0.00135
    assert REACH == 9


def test_very_smooth_limits():
    """Far out the floored function averages to -1/2, sinc to its area in a wide Gaussian."""
    once, twice = (smoothed_floored_sinc(0.0, s).value for s in (1000.0, 2000.0))
    assert 2 * twice - once == pytest.approx(-0.5, abs=1e-8)
    assert 100 * smoothed_sinc(0.0, 100.0).value == pytest.approx(np.sqrt(np.pi / 2), rel=1e-12)


@BOTH
def test_shapes_broadcast(smoothed, f):
    many = smoothed(np.linspace(-5, 5, 7), np.array([[0.0], [0.5], [3.0]]))
    assert all(part.shape == (3, 7) for part in many)
    one_by_one = [smoothed(x, s).value for s in (0.0, 0.5, 3.0) for x in np.linspace(-5, 5, 7)]
    np.testing.assert_allclose(many.value.ravel(), one_by_one, atol=1e-13)


@BOTH
@pytest.mark.parametrize(
    ("x", "sigma", "name"), [(np.nan, 1.0, "x"), (0.0, -1.0, "sigma"), (0.0, np.inf, "sigma")]
)
def test_bad_points_are_named(smoothed, f, x, sigma, name):
    with pytest.raises(ValueError, match=f"{name} must be finite"):
        smoothed(x, sigma)
