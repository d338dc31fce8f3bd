"""Test functions: values, gradients, minimizers; NumPy and torch agree."""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from descent.landscapes import (
    OBJECTIVES,
    Shifted,
    ackley,
    floored_sinc,
    griewank,
    himmelblau,
    qubic_1d,
    rastrigin,
    rosenbrock,
    sinc,
    six_hump_camel,
    sphere,
)

ALL = pytest.mark.parametrize("f", OBJECTIVES.values(), ids=lambda f: f.name)


def points(f, n=50, d=4, seed=0):
    return np.random.default_rng(seed).uniform(*f.box, size=(n, f.dimension or d))


@pytest.mark.parametrize(
    ("f", "x", "value"),
    [
        (ackley, [1.0, 1.0], 20 - 20 * np.exp(-0.2)),
        (griewank, [np.pi, 0.0], 2 + np.pi**2 / 4000),
        (qubic_1d, [1.0], -0.7),
        (six_hump_camel, [1.0, 1.0], 4 - 2.1 + 1 / 3 + 1),
        (rastrigin, [0.5, 1.0], 0.25 + 20 + 1),
        (rosenbrock, [0.0, 2.0, 1.0], 400 + 1 + 900 + 1),
        (himmelblau, [0.0, 0.0], 170),
        (sphere, [3.0, 4.0], 25),
    ],
    ids=lambda v: getattr(v, "name", None),
)
def test_values_follow_the_formula(f, x, value):
    assert f(x) == pytest.approx(value, rel=1e-14)


@pytest.mark.parametrize(
    ("f", "d"),
    [
        (f, d)
        for f in OBJECTIVES.values()
        for d in (1, 2, 5)
        if d >= f.least_dimension and f.dimension in (None, d)
    ],
    ids=lambda value: getattr(value, "name", value),
)
def test_gradient_matches_central_differences(f, d):
    x, h = points(f, d=d) / 4, 1e-5
    slope = np.stack([f(x + h * e) - f(x - h * e) for e in np.eye(d)], -1) / (2 * h)
    scale = 1 + np.abs(f(x)).max()
    np.testing.assert_allclose(f.gradient(x), slope, atol=1e-7 * scale)


@ALL
def test_torch_gives_the_same_values_and_gradients(f):
    x = points(f)
    tensor = torch.tensor(x, requires_grad=True)
    value = f(tensor)
    np.testing.assert_allclose(value.detach(), f(x), rtol=1e-13, atol=1e-12)
    value.sum().backward()
    np.testing.assert_allclose(tensor.grad, f.gradient(x), rtol=1e-11, atol=1e-9)


@ALL
def test_minimizers_are_stationary_and_lowest(f):
    minimizers = f.minimizers(f.dimension or 3)
    np.testing.assert_allclose(f(minimizers), f.minimum, atol=1e-14)
    np.testing.assert_allclose(f.gradient(minimizers), 0, atol=1e-12)
    assert f(points(f, n=20_000, d=3)).min() > f.minimum
    near = minimizers[:, None] + 1e-3 * np.random.default_rng(1).normal(
        size=(1, 200, minimizers.shape[1])
    )
    assert (f(near) > f.minimum).all()


@ALL
def test_leading_axes_are_kept(f):
    x = points(f, n=6).reshape(2, 3, -1)
    assert f(x).shape == (2, 3)
    assert f.gradient(x).shape == x.shape
    np.testing.assert_array_equal(f(x)[1, 2], f(x[1, 2]))


@ALL
@given(offset=st.floats(-5, 5))
def test_shifted_moves_everything_but_the_box(f, offset):
    far, x = Shifted(f, offset), points(f, n=4)
    np.testing.assert_allclose(far(x + offset), f(x), rtol=1e-9, atol=1e-9)
    np.testing.assert_allclose(far.gradient(x), f.gradient(x - offset))
    d = x.shape[1]
    np.testing.assert_array_equal(far.minimizers(d), f.minimizers(d) + offset)
    assert (far.minimum, far.box, far.dimension) == (f.minimum, f.box, f.dimension)


def test_shifted_takes_tensors_and_vectors():
    far = Shifted(sphere, [1.0, 2.0])
    x = torch.tensor([1.0, 2.0], dtype=torch.float32)
    assert far(x).item() == 0
    assert far(x).dtype == torch.float32


@pytest.mark.parametrize("offset", [np.nan, [np.inf, 0.0], [[1.0]]])
def test_shifted_refuses_a_bad_offset(offset):
    with pytest.raises(ValueError, match="offset must be finite"):
        Shifted(sphere, offset)


@pytest.mark.parametrize(
    ("f", "shape", "wanted"),
    [
        (qubic_1d, (2,), "dimension 1"),
        (six_hump_camel, (4, 3), "dimension 2"),
        (rosenbrock, (1,), "2 or more"),
        (sphere, (), "1 or more"),
        (himmelblau, (1,), "dimension 2"),
    ],
)
def test_a_wrong_dimension_is_refused(f, shape, wanted):
    with pytest.raises(
        ValueError, match=f"{f.name} takes points of dimension.*got x of shape"
    ) as error:
        f(np.zeros(shape))
    assert wanted in str(error.value)


def test_griewank_gradient_survives_a_vanishing_cosine():
    x = np.array([np.pi / 2, 0.3, -0.2])
    slope = griewank.gradient(x)
    k = 1 / np.sqrt([1, 2, 3])
    assert slope[0] == pytest.approx(x[0] / 2000 + np.cos(k[1] * x[1]) * np.cos(k[2] * x[2]))


def test_ackley_slope_at_the_tip_is_zero_by_convention():
    np.testing.assert_array_equal(ackley.gradient(np.zeros(3)), 0)


def test_sinc_is_not_the_normalized_one():
    x = np.linspace(0.1, 9, 50)
    np.testing.assert_allclose(sinc(x), np.sin(x) / x, rtol=1e-13, atol=1e-15)
    assert sinc(0.0) == 1
    assert not np.allclose(sinc(x), np.sinc(x))


@given(x=st.floats(-50, 50))
def test_floored_sinc_is_whole_and_just_below(x):
    exact = 10 * sinc(x) + 4 * np.sin(x)
    assert floored_sinc(x) == int(floored_sinc(x))
    assert 0 <= exact - floored_sinc(x) < 1
