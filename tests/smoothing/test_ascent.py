"""Climbs on smoothed objectives: monotone, and to where the theory says."""

import numpy as np
import pytest

from descent.chapters.gaussian_smoothing import numbers
from descent.landscapes import floored_sinc
from descent.smoothing import smoothed_floored_sinc, smoothed_sinc, smoothed_steps
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


@pytest.mark.slow
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
    assert numbers.arrivals("floored", 0.1)[numbers.outside_hill("floored")].mean() < 0.03


def test_starts_on_the_staircase_freeze_on_its_terraces():
    """On the highest peak's own slopes too: only what stands on its top, or nearly, gets there."""
    own = ~numbers.outside_hill("floored")
    ends = numbers.climbs("floored", 0.1).x[own]
    heights = floored_sinc(ends)
    assert (own.sum(), (heights == 11).sum(), (heights == 10).sum()) == (22, 4, 11)
    frozen = ends[heights == 10]
    assert ((np.abs(frozen - 0.1) < 0.02) | (np.abs(frozen - 1.57) < 0.03)).all()


@pytest.mark.slow
@pytest.mark.parametrize(
    ("function", "sigma", "arrive"),
    [("floored", 0.1, 6), ("floored", 1.0, 35), ("floored", 4.0, 109), ("sinc", 1.0, 41)],
)
def test_who_arrives_does_not_depend_on_the_steps(function, sigma, arrive):
    climbs = [
        ascend(numbers.SMOOTHED[function], numbers.STARTS, sigma, **options)
        for options in ({}, {"max_step": 0.2}, {"tolerance": 1e-3}, {"tolerance": 1e-5})
    ]
    assert [numbers.reached(function, end.x).sum() for end in climbs] == [arrive] * 4


@pytest.mark.parametrize("function", ["sinc", "floored"])
def test_starts_with_much_smoothing_all_arrive(function):
    assert numbers.arrivals(function, 5.0).all()


def one_jump(x, sigma):
    """Φ(x/σ): each curve of steepest ascent is a circle around the jump."""
    return smoothed_steps(x, sigma, [0.0], [1.0], 0.0)


@pytest.mark.parametrize("tolerance", [1e-3, 1e-4, 1e-5])
def test_climbs_over_a_jump_are_circles(tolerance):
    end = ascend(one_jump, [-0.4, -3.0], [0.3, 4.0], tolerance=tolerance)
    radius = np.hypot(end.x_path, end.sigma_path)
    # Each step may be off by a share of σ, which is at most the radius.
    assert (np.abs(radius / [0.5, 5.0] - 1)).max() < 12 * tolerance
    np.testing.assert_allclose(end.value, 1, atol=1e-12)
    assert (end.x > 0).all()


def test_error_falls_with_the_third_power_of_the_step():
    """With a loose tolerance the longest step rules; halved, it leaves an eighth of the error."""

    def error(step):
        end = ascend(one_jump, -4.0, 3.0, max_step=step, tolerance=0.5)
        return np.abs(np.hypot(end.x_path, end.sigma_path) - 5)[end.sigma_path > 0.5].max()

    ratios = [error(step) / error(step / 2) for step in (0.2, 0.1, 0.05)]
    assert all(6 < ratio < 11 for ratio in ratios), ratios


@pytest.mark.parametrize("unit", [1e-6, 1e6])
@pytest.mark.parametrize("scale", [1e-30, 1e30])
def test_units_of_x_and_of_f_change_nothing(unit, scale):
    def scaled(x, sigma):
        value, dx, dsigma = smoothed_floored_sinc(x / unit, sigma / unit)
        return scale * value, scale * dx / unit, scale * dsigma / unit

    starts = numbers.STARTS[::3]
    plain = ascend(smoothed_floored_sinc, starts, 1.0)
    moved = ascend(scaled, starts * unit, unit, least_sigma=1e-3 * unit)
    np.testing.assert_allclose(moved.x / unit, plain.x, atol=1e-4)


@pytest.mark.parametrize("smoothed", [smoothed_sinc, smoothed_floored_sinc])
def test_mirror_image_and_order_of_the_starts(smoothed):
    def mirrored(x, sigma):
        value, dx, dsigma = smoothed(-x, sigma)
        return value, -dx, dsigma

    starts = numbers.STARTS[::4]
    plain = ascend(smoothed, starts, 1.0)
    np.testing.assert_allclose(ascend(mirrored, -starts, 1.0).x, -plain.x, atol=1e-12)
    np.testing.assert_allclose(ascend(smoothed, starts[::-1], 1.0).x, plain.x[::-1], atol=1e-4)


def test_a_top_inside_the_plane_is_found_past_a_ridge():
    """Not a smoothed function: its top is at σ = 1/2, and ten times steeper in σ than in x."""

    def ridge(x, sigma):
        return -((x - 1) ** 2) - 10 * (sigma - 0.5) ** 2, -2 * (x - 1), -20 * (sigma - 0.5)

    end = ascend(ridge, [4.0, -2.0, 1.0], [3.0, 0.2, 0.9])
    np.testing.assert_allclose(end.x, 1, atol=1e-6)
    np.testing.assert_allclose(end.sigma, 0.5, atol=1e-6)


def test_a_flat_function_is_not_climbed():
    end = ascend(lambda x, sigma: (0 * x, 0 * x, 0 * x), [4.0, -2.0], 1.0)
    np.testing.assert_array_equal(end.x, [4, -2])
    assert len(end.x_path) == 1


def uphill(x, sigma):
    return x, 1 + 0 * x, 0 * x


def backwards(x, sigma):
    return tuple(-part for part in hill(x, sigma)[:1]) + hill(x, sigma)[1:]


def ragged(x, sigma):
    """A slope that turns at each hundred-millionth of x."""
    return 0 * x, 1 + 0 * x, 9 * np.sin(1e8 * x)


@pytest.mark.parametrize(
    ("smoothed", "options", "error", "message"),
    [
        (lambda x, s: (x, x * np.nan, x), {}, ValueError, "smoothed must return finite .* nan"),
        (lambda x, s: (x, x), {}, TypeError, "smoothed must return value, d/dx and d/dsigma"),
        (lambda x, s: (1.0, 1.0, 1.0), {}, ValueError, "smoothed must return three arrays"),
        (uphill, {"n_steps": 99}, RuntimeError, "1 of 1 climbs have not arrived"),
        (smoothed_sinc, {"n_steps": 5}, RuntimeError, "not arrived after n_steps = 5"),
        (backwards, {}, RuntimeError, "smoothed must return the derivatives of its value"),
        (ragged, {}, RuntimeError, "smoothed must be smooth .* its slope turns within"),
    ],
)
def test_a_climb_that_cannot_be_had_is_told(smoothed, options, error, message):
    with pytest.raises(error, match=message):
        ascend(smoothed, 1.0, 1.0, **options)


def test_a_hole_on_the_way_is_told_and_where():
    def holed(x, sigma):
        value, dx, dsigma = hill(x, sigma)
        return value, np.where(x > 1, np.nan, dx), dsigma

    with pytest.raises(ValueError, match=r"smoothed must return finite .* at x = 1\.\d*, sigma"):
        ascend(holed, [-3.0], [1.0])


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: ascend(hill, 0.0, 0.0), "sigma must start"),
        (lambda: ascend(hill, 0.0, 1.0, max_step=0.0), "max_step must lie in"),
        (lambda: ascend(hill, 0.0, 1.0, max_step=0.6), "max_step must lie in"),
        (lambda: graduated_ascent(hill, [0.0], [1.0, 1.0]), "sigmas must fall"),
        (lambda: graduated_ascent(hill, [0.0], []), "sigmas must fall"),
    ],
)
def test_bad_arguments_are_named(call, message):
    with pytest.raises(ValueError, match=message):
        call()


def test_a_value_with_ripples_of_rounding_size_never_falls():
    """A step that loses 1e-10 of the value is repeated, shorter, though the slope leads on."""

    def rippled(x, sigma):
        return -((x - 1) ** 2) + 1e-10 * np.sin(1e7 * x), -2 * (x - 1), 0 * x

    climb = ascend(rippled, np.linspace(-3, 5, 11), 1.0, hold_sigma=True)
    values = rippled(climb.x_path, 0.0)[0]
    assert np.diff(values, axis=0).min() >= -4 * np.finfo(float).eps * np.abs(values).max()
    np.testing.assert_allclose(climb.x, 1.0, atol=1e-5)
