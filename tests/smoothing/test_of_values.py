"""Smoothing from values alone: against closed forms, the heat equation, and what it refuses."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from descent.landscapes import floored_sinc, sinc
from descent.smoothing import smooth, smoothed_floored_sinc, smoothed_sinc, smoothed_steps
from descent.smoothing.ascent import ascend

X = np.linspace(-12, 12, 25)


def rng():
    return np.random.default_rng(0)


@pytest.mark.parametrize("sigma", [1e-3, 0.1, 1.0, 5.0, 30.0])
def test_of_sinc_is_its_closed_form(sigma):
    for one, other in zip(smooth(sinc)(X, sigma), smoothed_sinc(X, sigma), strict=True):
        np.testing.assert_allclose(one, other, atol=2e-9 * max(1, 1 / sigma))


@pytest.mark.parametrize("sigma", [0.02, 0.1, 1.0, 5.0])
@pytest.mark.parametrize("tolerance", [1e-4, 1e-9])
def test_jumps_are_found_and_errors_cover_the_truth(sigma, tolerance):
    result, error = smooth(floored_sinc, tolerance=tolerance, return_error=True)(X, sigma)
    exact = smoothed_floored_sinc(X, sigma)
    for part, e, closed, unit in zip(result, error, exact, (1, sigma, sigma), strict=True):
        assert (np.abs(part - closed) <= e + 1e-13).all()
        assert (unit * e).max() < 30 * tolerance


def test_one_jump_is_a_normal_distribution_function():
    step = smooth(lambda t: np.where(t > 0.3, 2.0, -1.0))
    exact = smoothed_steps(X, 0.7, [0.3], [3.0], -1.0)
    for one, other in zip(step(X, 0.7), exact, strict=True):
        np.testing.assert_allclose(one, other, atol=1e-8)


@pytest.mark.parametrize("degree", range(12))
def test_moments_of_the_normal_law(degree):
    """E (σz)^n = σ^n (n - 1)!! for even n, else 0; its derivatives by x and σ likewise."""
    moment = float(np.prod(np.arange(degree - 1, 0, -2))) if degree % 2 == 0 else 0.0
    below = float(np.prod(np.arange(degree - 2, 0, -2))) if degree % 2 else 0.0
    value, dx, dsigma = smooth(lambda t: t**degree)(0.0, 1.7)
    assert value == pytest.approx(moment * 1.7**degree, rel=1e-12, abs=1e-6)
    assert dx == pytest.approx(degree * below * 1.7 ** max(degree - 1, 0), rel=1e-12, abs=1e-6)
    assert dsigma == pytest.approx(degree * moment * 1.7 ** (degree - 1), rel=1e-12, abs=1e-6)


@given(st.floats(-5, 5), st.floats(0.05, 4), st.floats(0.1, 3))
def test_gaussians_stay_gaussians(x, sigma, width):
    """Smoothed by s and then by t is smoothed by √(s² + t²): here f itself is one smoothed."""
    smoothed = smooth(lambda t: np.exp(-((t / width) ** 2) / 2))(x, sigma)
    total = np.hypot(width, sigma)
    value = width / total * np.exp(-((x / total) ** 2) / 2)
    assert smoothed.value == pytest.approx(value, abs=1e-8)
    assert smoothed.dx == pytest.approx(-x / total**2 * value, abs=1e-8 / sigma)
    second = ((x / total) ** 2 - 1) / total**2 * value
    assert smoothed.dsigma == pytest.approx(sigma * second, abs=1e-8 / sigma)


@pytest.mark.parametrize("f", [sinc, floored_sinc])
def test_smoothing_twice_is_smoothing_once_by_the_root_of_the_sum_of_squares(f):
    s, t, at = 0.6, 0.8, X[::6]
    once = smooth(f)(at, 1.0)
    twice = smooth(lambda u: smooth(f)(u, s).value, tolerance=1e-6)(at, t)
    np.testing.assert_allclose(twice.value, once.value, atol=1e-6)
    np.testing.assert_allclose(twice.dx, once.dx, atol=1e-6)


@pytest.mark.parametrize("f", [sinc, floored_sinc, np.tanh])
def test_heat_equation(f):
    h, smoothed = 1e-2, smooth(f, tolerance=1e-12)
    ahead, behind = smoothed(X + h, 1.3).dx, smoothed(X - h, 1.3).dx
    np.testing.assert_allclose(smoothed(X, 1.3).dsigma, 1.3 * (ahead - behind) / (2 * h), atol=2e-4)


@pytest.mark.parametrize("unit", [1e-8, 1e8])
@pytest.mark.parametrize("scale", [1e-30, -1e30])
def test_units_and_mirror_image(unit, scale):
    plain = smooth(floored_sinc)(X, 0.7)
    moved = smooth(lambda t: scale * floored_sinc(-t / unit))(-X * unit, 0.7 * unit)
    np.testing.assert_allclose(moved.value / scale, plain.value, atol=1e-7)
    np.testing.assert_allclose(-moved.dx * unit / scale, plain.dx, atol=1e-7)
    np.testing.assert_allclose(moved.dsigma * unit / scale, plain.dsigma, atol=1e-7)


def test_shapes_broadcast_and_chunks_are_joined():
    x, sigma = np.linspace(-3, 3, 700), np.array([[0.5], [1.0], [2.0], [4.0]])
    result, error = smooth(np.tanh, return_error=True)(x, sigma)
    assert all(part.shape == (4, 700) for part in (*result, *error))
    assert result.value[2, 100] == pytest.approx(smooth(np.tanh)(x[100], 2.0).value, abs=1e-9)
    assert smooth(np.tanh)([], 1.0).value.shape == (0,)


def test_a_climb_on_it_ends_where_that_on_the_closed_form_does():
    starts = [10.0, 3.0, -9.0]
    own, exact = (ascend(f, starts, 2.5).x for f in (smooth(sinc), smoothed_sinc))
    np.testing.assert_allclose(own, exact, atol=1e-3)


@pytest.mark.parametrize("sigma", [1.0, 6.0, 12.0, 20.0])
@pytest.mark.parametrize("jump", [0.0, 1.0])
def test_where_f_grows_its_average_reaches_as_far_out_as_it_must(sigma, jump):
    """E e^(σz) = e^(σ²/2), whose weight lies at z = σ, beyond nine for a wide σ."""
    at = sigma**2  # in the middle of the weight
    smoothed = smooth(lambda t: np.exp(t - at) * (1 + jump * (t > at)))(0.0, sigma)
    size = np.exp(sigma**2 / 2 - at)
    assert smoothed.value / size == pytest.approx(1 + jump / 2, rel=1e-7)
    # z → z + σ makes of it the average of the bracket: E z = σ plus the jump's share.
    mean = sigma * (1 + jump / 2) + jump / np.sqrt(2 * np.pi)
    assert smoothed.dx * sigma / size == pytest.approx(mean, rel=1e-7)


@pytest.mark.parametrize("rate", [0.1, 0.3, 0.45, 0.47])
def test_wide_tails_are_counted(rate):
    """E exp(a z²) = (1 - 2a)^(-1/2), for a below one half."""
    result, error = smooth(lambda t: np.exp(rate * t**2), return_error=True)(0.0, 1.0)
    assert abs(result.value - (1 - 2 * rate) ** -0.5) <= error.value
    assert result.dsigma == pytest.approx(2 * rate * (1 - 2 * rate) ** -1.5, rel=1e-6)


@pytest.mark.parametrize("rate", [0.49, 0.5, 0.51])
def test_what_has_no_average_or_hardly_one_is_refused(rate):
    with pytest.raises(RuntimeError, match="grows too fast"):
        smooth(lambda t: np.exp(rate * t**2))(0.0, 1.0)


@pytest.mark.parametrize("width", [0.13, 0.25, 0.6])
@pytest.mark.parametrize("ground", [0.0, 1.0])
def test_a_thin_peak_on_smooth_ground_is_seen(width, ground):
    """Anything as wide as an eighth of σ, wherever it stands."""
    for place in np.linspace(-3, 3, 61):
        low, high = place - width / 2, place + width / 2
        peak = smooth(lambda t, a=low, b=high: ground * np.cos(t) + ((a < t) & (t < b)))
        exact = smoothed_steps(0.0, 1.0, [low, high], [1.0, -1.0], 0.0)
        value, dx, dsigma = peak(0.0, 1.0)
        assert value == pytest.approx(ground * np.exp(-0.5) + exact.value, abs=1e-8)
        assert dx == pytest.approx(exact.dx, abs=1e-8)
        assert dsigma == pytest.approx(exact.dsigma - ground * np.exp(-0.5), abs=1e-8)


def test_noise_is_told():
    noise = rng()
    with pytest.raises(RuntimeError, match=r"tolerance = 1e-09 is not reached for f .* x = 1\.0"):
        smooth(lambda t: noise.normal(size=t.shape))(1.0, 1.0)


# Several variables


def several(points):
    """x² + sin y + |z| > 1, its average in closed form but for the last."""
    return points[:, 0] ** 2 + np.sin(points[:, 1]) + 50


@pytest.mark.parametrize("sigma", [0.3, 2.0])
def test_samples_are_unbiased_and_their_errors_are_right(sigma):
    at = np.array([[0.5, 1.0], [-2.0, 0.3]])
    x, y = at.T
    damped = np.exp(-(sigma**2) / 2)
    exact = (
        x**2 + sigma**2 + damped * np.sin(y) + 50,
        np.stack([2 * x, damped * np.cos(y)], axis=1),
        2 * sigma - sigma * damped * np.sin(y),
    )
    smoothed = smooth(several, dimension=2, n_samples=20_000, generator=rng(), return_error=True)
    scores = []
    for _ in range(40):
        result, error = smoothed(at, sigma)
        scores.append([(r - e) / w for r, e, w in zip(result, exact, error, strict=True)])
    for k in range(3):
        deviations = np.array([score[k] for score in scores])
        assert np.abs(deviations.mean(axis=0)).max() < 4 / np.sqrt(40)
        np.testing.assert_allclose(deviations.std(axis=0), 1, atol=0.5)


def test_pairs_take_the_offset_and_the_even_part_out_of_the_gradient():
    even = smooth(
        lambda p: (p**2).sum(axis=1) + 1e3, dimension=3, generator=rng(), return_error=True
    )
    result, error = even(np.zeros(3), 1.0)
    np.testing.assert_array_equal(result.dx, 0)
    assert error.dsigma < 1
    linear = smooth(lambda p: p[:, 0], dimension=3, generator=rng())(np.ones(3), 1.0)
    assert linear.value == pytest.approx(1, abs=1e-15)
    assert linear.dsigma == pytest.approx(0, abs=1e-14)


def test_a_function_may_write_into_its_points():
    def careless(points):
        points -= 1.0
        return (points**2).sum(axis=1)

    at = np.array([[1.0, 2.0], [0.0, 0.0]])
    for x in (at, at[0]):  # the second is shown as it is, and must not be written to
        same = [
            smooth(f, dimension=2, generator=rng())(x, 0.5)
            for f in (careless, lambda p: ((p - 1.0) ** 2).sum(axis=1))
        ]
        np.testing.assert_array_equal(same[0].value, same[1].value)
    np.testing.assert_array_equal(at, [[1.0, 2.0], [0.0, 0.0]])
    np.testing.assert_allclose(
        smooth(lambda t: careless(t[:, None]))(at, 0.5).value, (at - 1) ** 2 + 0.25
    )


def test_many_points_of_many_variables_take_little_memory():
    most = []

    def seen(points):
        most.append(points.size)
        return points[:, 0]

    result = smooth(seen, dimension=200, n_samples=1000, generator=rng())(np.ones((300, 200)), 0.1)
    assert result.dx.shape == (300, 200)
    assert max(most) <= 2**23
    assert result.value == pytest.approx(1.0)


def test_draws_come_from_the_generator_alone():
    def one(seed):
        return smooth(several, dimension=2, generator=np.random.default_rng(seed))

    assert one(1)([0.0, 0.0], 1.0).value == one(1)([0.0, 0.0], 1.0).value
    again = one(1)
    assert again([0.0, 0.0], 1.0).value != again([0.0, 0.0], 1.0).value


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: smooth(sinc)(0.0, 0.0), "sigma must be positive"),
        (lambda: smooth(sinc)(np.nan, 1.0), "x must be finite"),
        (lambda: smooth(lambda t: t * np.nan)(0.0, 1.0), "f must be finite"),
        (lambda: smooth(lambda t: t[:3])(0.0, 1.0), "f must have shape"),
        (lambda: smooth(sinc, generator=rng()), "generator must come with dimension"),
        (lambda: smooth(several, dimension=2, generator=rng(), n_samples=7), "must be even"),
        (lambda: smooth(several, dimension=2, generator=rng())([1.0], 1.0), "x must have shape"),
    ],
)
def test_bad_arguments_are_named(call, message):
    with pytest.raises(ValueError, match=message):
        call()


@pytest.mark.parametrize("options", [{}, {"dimension": 2, "generator": np.random.default_rng(0)}])
@pytest.mark.parametrize("f", [lambda x: float(x) ** 2, lambda x: x if x > 0 else 0.0])
def test_a_function_of_one_number_is_told_what_to_do(f, options):
    at = [1.0, 2.0] if options else 1.0
    with pytest.raises(
        TypeError, match=r"f must take points of shape .* at once, as np\.vectorize"
    ):
        smooth(f, **options)(at, 0.5)
    assert smooth(np.vectorize(lambda x: x**2 if x > 0 else 0.0))(0.0, 1.0).value == (
        pytest.approx(0.5)
    )
