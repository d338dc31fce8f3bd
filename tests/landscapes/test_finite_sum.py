"""Objectives: derivatives against finite steps, means and variances, stationary points."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from descent.landscapes import (
    FINITE_SUMS,
    FiniteSum,
    Shifted,
    check_model,
    qubic_1d,
    rastrigin,
    sinc,
    six_hump_camel,
    sphere,
    stationary_points,
    two_datapoint,
)

DEPTHS = st.floats(0, 5)
PARAMETERS = st.floats(-3, 5)


@given(depth=DEPTHS, w=PARAMETERS)
def test_two_datapoint_follows_its_formula(depth, w):
    well, pit = -np.exp(-((w - 2) ** 2)), -depth * np.exp(-100 * (w - 1) ** 2)
    np.testing.assert_allclose(two_datapoint(depth).losses(w), [well, well + pit], rtol=1e-14)


@given(depth=DEPTHS, w=PARAMETERS)
def test_derivatives_match_central_differences(depth, w):
    model, h = two_datapoint(depth), 1e-5
    scale = 1 + 200 * depth  # the curvature of the pit; higher derivatives scale alike
    slope = (model.losses(w + h) - model.losses(w - h)) / (2 * h)
    bend = (model.gradients(w + h) - model.gradients(w - h)) / (2 * h)
    np.testing.assert_allclose(model.gradients(w), slope, atol=1e-8 * scale)
    np.testing.assert_allclose(model.curvatures(w), bend, atol=2e-6 * scale)


@pytest.mark.parametrize("name", FINITE_SUMS)
def test_derivatives_are_those_of_the_losses(name):
    """Central differences of two steps, extrapolated, over the range in which a model is used."""
    model, w, h = FINITE_SUMS[name](), np.linspace(-3, 5, 641), 1e-3

    def slope(function):
        far, near = ((function(w + s) - function(w - s)) / (2 * s) for s in (2 * h, h))
        return (4 * near - far) / 3

    for function, derivative in (("losses", "gradients"), ("gradients", "curvatures")):
        given, right = getattr(model, derivative)(w), slope(getattr(model, function))
        size = np.abs(given).max()
        message = f"{name}: {derivative} are not the derivatives of {function}"
        np.testing.assert_allclose(given, right, atol=1e-6 * size, err_msg=message)


@pytest.mark.parametrize("name", FINITE_SUMS)
@pytest.mark.parametrize("shape", [(), (3,), (2, 3), (0,)])
def test_leading_axes_are_kept(name, shape):
    model, w = FINITE_SUMS[name](), np.full(shape, 1.1)
    for name in ("losses", "gradients", "curvatures"):
        assert getattr(model, name)(w).shape == (model.n_samples, *shape)
    for name in ("loss", "mean_gradient", "mean_curvature", "gradient_variance"):
        assert getattr(model, name)(w).shape == shape


@given(w=PARAMETERS)
def test_mean_and_population_variance(w):
    model = two_datapoint()
    first, second = model.gradients(w)
    np.testing.assert_allclose(model.mean_gradient(w), (first + second) / 2, atol=1e-15)
    np.testing.assert_allclose(model.gradient_variance(w), ((first - second) / 2) ** 2, atol=1e-13)


def test_variance_is_not_the_unbiased_estimate():
    model = two_datapoint()
    unbiased = model.gradients(1.1).var(ddof=1)
    assert model.gradient_variance(1.1) == pytest.approx(unbiased / 2)


def test_the_in_place_gradient_of_a_sample_is_that_of_the_formula():
    model, rng = two_datapoint(1.5), np.random.default_rng(0)
    w, index = rng.uniform(0, 3, 500), rng.integers(2, size=500)
    picked = np.where(index == 1, *model.gradients(w)[::-1])
    np.testing.assert_allclose(model.sample_gradient(w, index, None, None), picked, atol=1e-13)
    out = np.empty_like(w)
    assert model.sample_gradient(w, index, out, np.empty((2, 500))) is out
    np.testing.assert_allclose(out, picked, atol=1e-13)


def test_other_models_pick_the_gradient_of_the_sample():
    model = FiniteSum(
        losses=lambda w: np.stack([k * np.asarray(w) for k in range(3)]),
        gradients=lambda w: np.stack([np.full_like(w, k) for k in range(3)]),
        curvatures=lambda w: np.zeros((3, *np.shape(w))),
    )
    assert model.n_samples == 3
    index, out = np.array([2, 0, 1]), np.empty(3)
    np.testing.assert_array_equal(model.sample_gradient(np.zeros(3), index, out, None), index)
    np.testing.assert_array_equal(out, index)


def test_stationary_points_of_the_pit():
    model = two_datapoint()
    minimum, maximum = stationary_points(lambda w: model.gradients(w)[1], 0.5, 1.5)
    assert round(minimum, 3) == 1.004
    assert round(maximum, 3) == 1.196
    # Along the second loss alone, the curvatures have opposite signs.
    assert model.curvatures(minimum)[1] > 0 > model.curvatures(maximum)[1]


@given(low=st.floats(-20, -0.1), high=st.floats(0.1, 20))
def test_stationary_points_of_a_sine_are_the_multiples_of_pi(low, high):
    multiples = np.pi * np.arange(np.ceil(low / np.pi), np.floor(high / np.pi) + 1)
    inside = multiples[(multiples > low + 0.05) & (multiples < high - 0.05)]
    found = stationary_points(np.sin, low, high)
    found = found[(found > low + 0.05) & (found < high - 0.05)]
    np.testing.assert_allclose(found, inside, atol=1e-14)


def test_a_zero_on_a_point_of_the_scan_is_found_once():
    np.testing.assert_allclose(stationary_points(lambda w: w, -1, 1, n=3), [0], atol=1e-15)


def test_a_gradient_without_zeros_has_no_stationary_points():
    assert stationary_points(np.exp, -1, 1).shape == (0,)


@pytest.mark.parametrize("depth", [-1.0, np.nan, np.inf, [1.0], "1"])
def test_bad_depths_are_named(depth):
    with pytest.raises((ValueError, TypeError), match="depth"):
        two_datapoint(depth)


@pytest.mark.parametrize(
    ("gradient", "low", "high", "n", "word"),
    [
        (np.sin, 1, 1, 10, "low must be less"),
        (np.sin, 0, np.inf, 10, "high must be finite"),
        (np.sin, 0, 1, 1, "n must"),
        (lambda w: w[:-1], 0, 1, 10, "shape"),
        (lambda w: np.full_like(w, np.nan), 0, 1, 10, "finite"),
    ],
)
def test_bad_scans_are_named(gradient, low, high, n, word):
    with pytest.raises(ValueError, match=word):
        stationary_points(gradient, low, high, n)


def lines(*slopes, weights=None):
    """Samples with constant gradients."""
    column = np.array(slopes, float)
    return FiniteSum(
        losses=lambda w: np.multiply.outer(column, w),
        gradients=lambda w: np.multiply.outer(column, np.ones_like(w)),
        curvatures=lambda w: np.zeros((len(column), *np.shape(w))),
        weights=weights,
    )


def test_weights_are_as_good_as_copies():
    copies, weighted = lines(-1, 2, 2, 2), lines(-1, 2, weights=[1, 3])
    for name in ("loss", "mean_gradient", "mean_curvature", "gradient_variance"):
        one, two = (getattr(model, name)([0.3, 1.0]) for model in (copies, weighted))
        np.testing.assert_allclose(one, two, rtol=1e-14)
    assert weighted.chances == pytest.approx([0.25, 0.75])
    equal = lines(-1, 2, weights=[5, 5])
    assert equal.gradient_variance(0.0) == lines(-1, 2).gradient_variance(0.0)


@pytest.mark.parametrize("size", [1, 2, 3])
@pytest.mark.parametrize("replacement", [True, False])
def test_batches_keep_the_mean_and_lower_the_variance_as_they_should(size, replacement):
    model = lines(-1, 0.5, 4)
    batches = model.batches(size, replacement=replacement)
    assert batches.loss(1.3) == pytest.approx(model.loss(1.3), rel=1e-14)
    assert batches.mean_gradient(1.3) == pytest.approx(model.mean_gradient(1.3), rel=1e-14)
    assert batches.chances.sum() == pytest.approx(1, abs=1e-14)
    share = 1.0 if replacement else (3 - size) / (3 - 1)
    variance = model.gradient_variance(1.3) * share / size
    assert batches.gradient_variance(1.3) == pytest.approx(variance, abs=1e-14)


def test_batches_with_replacement_are_all_tuples():
    weighted = lines(-1, 2, 5, weights=[1, 2, 4])
    batches = weighted.batches(2)
    pairs = [(i, j) for i in range(3) for j in range(3)]
    g, q = weighted.gradients(0.0), weighted.chances
    expected = sum(q[i] * q[j] * np.exp((g[i] + g[j]) / 2) for i, j in pairs)
    assert batches.average(np.exp(batches.gradients(0.0))) == pytest.approx(expected, rel=1e-14)
    assert batches.n_samples == 6


def test_batches_that_cannot_be_are_refused():
    with pytest.raises(ValueError, match="size must be at most n = 2 without replacement; got 3"):
        two_datapoint().batches(3, replacement=False)
    with pytest.raises(ValueError, match="replacement must be True where the weights differ"):
        lines(-1, 2, weights=[1, 3]).batches(1, replacement=False)
    with pytest.raises(ValueError, match="size must leave at most 20000 batches"):
        lines(*range(50)).batches(10)


@given(w=st.floats(-2, 2), noise=st.floats(0, 3))
def test_an_objective_with_noise(w, noise):
    model = FiniteSum.of(qubic_1d, noise=noise)
    point = np.array([w])
    assert model.n_samples == (2 if noise else 1)
    assert model.loss(w) == pytest.approx(float(qubic_1d(point)), abs=1e-12)
    assert model.mean_gradient(w) == pytest.approx(float(qubic_1d.gradient(point)[0]), abs=1e-12)
    assert model.gradient_variance(w) == pytest.approx(noise**2, abs=1e-11)
    assert model.mean_curvature(w) == pytest.approx(12 * w**2 - 4, abs=1e-8)
    assert model.gradients(np.full((2, 3), w)).shape == (model.n_samples, 2, 3)


def test_several_objectives_are_samples():
    model = FiniteSum.of(sphere, Shifted(sphere, 2.0), weights=[3, 1])
    assert stationary_points(model.mean_gradient, -1, 3) == pytest.approx([0.5])
    noisy = FiniteSum.of(sphere, Shifted(sphere, 2.0), weights=[3, 1], noise=0.1)
    variance = model.gradient_variance(0.7) + 0.01
    assert noisy.gradient_variance(0.7) == pytest.approx(variance)
    ripples = FiniteSum.of(rastrigin, noise=1.0)
    assert ripples.mean_curvature(0.0) == pytest.approx(2 + 40 * np.pi**2, rel=1e-8)


@pytest.mark.parametrize(
    ("make", "error", "match"),
    [
        (lambda: FiniteSum.of(), ValueError, "objectives must be at least one"),
        (
            lambda: FiniteSum.of(six_hump_camel),
            ValueError,
            "takes points of dimension 2; got d = 1",
        ),
        (lambda: FiniteSum.of(two_datapoint()), TypeError, "objectives must be a Objective"),
        (lambda: FiniteSum.of(sphere, noise=-1), ValueError, "noise must be zero or positive"),
        (lambda: lines(1, 2, weights=[1, 2, 3]), ValueError, r"weights must have shape \(2,\)"),
        (lambda: lines(1, 2, weights=[0, 0]), ValueError, "weights must be zero or positive"),
        (lambda: FiniteSum(np.square, np.square, np.square), ValueError, "gradients must return"),
    ],
)
def test_what_is_no_finite_sum_is_refused(make, error, match):
    with pytest.raises(error, match=match):
        make()


def test_functions_that_disagree_about_the_samples_are_refused():
    model = two_datapoint()
    with pytest.raises(ValueError, match="losses must return as many samples as gradients, 2"):
        FiniteSum(lambda w: np.square(w)[None], model.gradients, model.curvatures)


@pytest.mark.parametrize(
    ("wrong", "match"),
    [
        (qubic_1d, r"got the objective 'qubic_1d', of which FiniteSum.of\(objective"),
        (sinc, "got the function sinc"),
        (object(), "got object$"),
    ],
)
def test_another_kind_of_landscape_is_named_in_one_line(wrong, match):
    with pytest.raises(TypeError, match=match) as caught:
        check_model(wrong)
    assert "\n" not in str(caught.value)
    assert "0x" not in str(caught.value)
