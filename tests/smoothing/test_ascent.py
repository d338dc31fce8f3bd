"""Climbs on smoothed objectives: monotone, and to where the theory says."""

import numpy as np
import pytest

from descent.chapters.gaussian_smoothing import numbers
from descent.smoothing import smoothed_floored_sinc, smoothed_sinc
from descent.smoothing.ascent import ascend, graduated_ascent


def hill(x, sigma):
    """-(x - 2)², smoothed: -(x - 2)² - sigma²."""
    return -((x - 2) ** 2) - sigma**2, -2 * (x - 2), -2 * sigma


def test_a_parabola_is_climbed_to_its_top_and_narrowed():
    end = ascend(hill, [-3.0, 9.0], [1.0, 4.0], least_sigma=0.01)
    np.testing.assert_allclose(end.x, 2, atol=1e-3)
    np.testing.assert_allclose(end.sigma, 0.01)


@pytest.mark.parametrize("smoothed", [smoothed_sinc, smoothed_floored_sinc])
def test_value_never_falls(smoothed):
    end = ascend(smoothed, np.linspace(-15, 15, 31), 1.0)
    values = np.array([smoothed(x, s)[0] for x, s in zip(end.x_path, end.sigma_path, strict=True)])
    assert np.diff(values, axis=0).min() > -1e-14
    np.testing.assert_allclose(values[-1], end.value, atol=1e-13)


def test_climbs_end_where_the_gradient_vanishes_or_sigma_is_least():
    end = ascend(smoothed_sinc, np.linspace(-15, 15, 31), 2.0)
    _, dx, _ = smoothed_sinc(end.x, end.sigma)
    assert np.abs(dx).max() < 1e-4
    np.testing.assert_allclose(end.sigma, 1e-3)


def test_held_sigma_is_held():
    end = ascend(smoothed_sinc, [3.0, 10.0], 1.0, hold_sigma=True)
    assert (end.sigma_path == 1).all()
    assert end.x[0] == pytest.approx(0, abs=1e-4)


@pytest.mark.parametrize("function", ["sinc", "floored"])
@pytest.mark.parametrize("sigma", [2.0, 3.0, 4.0])
def test_graduated_ascent_reaches_the_top_from_the_unimodal_interval_alone(function, sigma):
    low, high = numbers.unimodal_interval(function, sigma)
    arrive = numbers.reached(function, numbers.graduated(function, sigma).x)
    inside = (low < numbers.STARTS) & (high > numbers.STARTS)
    np.testing.assert_array_equal(arrive, inside)
    assert 0 < inside.sum() < len(inside)


def test_starts_without_smoothing_stay_on_their_hill():
    outside = numbers.outside_hill("sinc")
    np.testing.assert_array_equal(numbers.arrivals("sinc", 0.1), ~outside)
    outside = numbers.outside_hill("floored")
    assert numbers.arrivals("floored", 0.1)[outside].mean() < 0.03
    assert numbers.arrivals("floored", 0.1)[~outside].mean() > 0.9


@pytest.mark.parametrize("function", ["sinc", "floored"])
def test_starts_with_much_smoothing_all_arrive(function):
    assert numbers.arrivals(function, 5.0).all()


def test_longest_step_matters_little():
    short = ascend(smoothed_sinc, numbers.STARTS[::4], 2.0, max_step=0.02, n_steps=9000)
    usual = ascend(smoothed_sinc, numbers.STARTS[::4], 2.0)
    assert (np.abs(short.x - usual.x) > 1e-2).mean() <= 0.1


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: ascend(hill, 0.0, 0.0), "sigma must start"),
        (lambda: ascend(hill, 0.0, 1.0, max_step=0.0), "max_step must be positive"),
        (lambda: graduated_ascent(hill, [0.0], [1.0, 1.0]), "sigmas must fall"),
        (lambda: graduated_ascent(hill, [0.0], []), "sigmas must fall"),
    ],
)
def test_bad_arguments_are_named(call, message):
    with pytest.raises(ValueError, match=message):
        call()
