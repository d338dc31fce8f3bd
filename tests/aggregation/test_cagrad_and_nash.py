"""CAGrad and Nash-MTL: closed forms, optimality, relations, and where there is no bargain."""

import numpy as np
import pytest
from gradient_sets import KINDS, gradients
from hypothesis import given
from hypothesis import strategies as st
from scipy.optimize import minimize

from descent.aggregation import RULES, cagrad, equal_sum, imtl_g, mgda, nash_mtl

SEEDS = st.integers(0, 2**32 - 1)


def normal(seed, m, d):
    return np.random.default_rng(seed).standard_normal((m, d))


def uphill(seed, m, d):
    """Return gradients of many lengths with a direction that is uphill on all."""
    rng = np.random.default_rng(seed)
    rows = rng.standard_normal((m, d))
    rows[:, 0] = rng.uniform(0.1, 1, m)
    return rows * 10.0 ** rng.uniform(-3, 3, (m, 1))


def direction(jacobian, radius):
    """Return the d of CAGrad, which is not divided by 1 + c, and the y that it adds."""
    m = len(jacobian)
    step = cagrad(np.zeros(m), jacobian, radius=radius)
    return (1 + radius) * step.gradient, (1 + radius) * step.weights - 1 / m


@given(seed=SEEDS, radius=st.floats(0.01, 3))
def test_cagrad_of_two_losses_is_the_closed_form(seed, radius):
    """On the segment g_v = p + x e, with p nearest to 0, the least is at a stated x."""
    a, b = jacobian = normal(seed, 2, 3)
    mean = jacobian.mean(axis=0)
    reach, e = radius * np.linalg.norm(mean), (b - a) / np.linalg.norm(b - a)
    p = a - (a @ e) * e
    pull = mean @ e
    x = -np.sign(pull) * np.inf
    if reach > abs(pull):
        x = -pull * np.linalg.norm(p) / np.sqrt(reach**2 - pull**2)
    g = p + np.clip(x, a @ e, b @ e) * e
    expected = mean + reach * g / np.linalg.norm(g)
    found, _ = direction(jacobian, radius)
    np.testing.assert_allclose(found, expected, atol=1e-9 * np.linalg.norm(expected - mean))


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("radius", [0.1, 0.5, 0.9, 1.5])
@pytest.mark.parametrize(("m", "d"), [(3, 2), (5, 5), (8, 2), (6, 20)])
def test_cagrad_closes_the_gap_of_duality(kind, radius, m, d):
    """What the worst loss gains is what the convex combination says that it can at most."""
    for seed in range(5):
        jacobian = gradients(kind, m, d, np.random.default_rng([seed, m]))
        size = np.linalg.norm(jacobian, axis=1)
        mean = jacobian.mean(axis=0)
        found, added = direction(jacobian, radius)
        reach = radius * np.linalg.norm(mean)
        if not mean.any():
            assert not found.any()
            continue
        tiny = 1e-12 * size.max() * (size @ np.abs(added) + np.linalg.norm(mean))
        rounding = 1e-12 * (reach + size @ np.abs(added))
        assert np.linalg.norm(found - mean) <= reach + rounding
        if np.linalg.norm(found - mean) < reach * (1 - 1e-9):  # none raised, and none can gain
            assert (jacobian @ found).min() >= -tiny
            shortest = mgda(np.zeros(m), jacobian)
            assert np.linalg.norm(shortest.gradient) <= 1e-6 * (size @ shortest.weights)
            continue
        v = added / added.sum()
        at_most = v @ jacobian @ mean + reach * np.linalg.norm(v @ jacobian)
        assert (jacobian @ found).min() == pytest.approx(at_most, rel=1e-9, abs=tiny)


@pytest.mark.parametrize("seed", range(4))
def test_cagrad_is_where_a_general_program_ends(seed):
    jacobian = normal(seed, 4, 3)
    mean = jacobian.mean(axis=0)
    reach = 0.6 * np.linalg.norm(mean)
    level = {"type": "ineq", "fun": lambda z: jacobian @ z[:-1] - z[-1]}
    ball = {"type": "ineq", "fun": lambda z: reach**2 - (z[:-1] - mean) @ (z[:-1] - mean)}
    start = np.append(mean, (jacobian @ mean).min())
    there = minimize(
        lambda z: -z[-1], start, method="SLSQP", constraints=[level, ball], options={"ftol": 1e-14}
    )
    np.testing.assert_allclose(direction(jacobian, 0.6)[0], there.x[:-1], atol=1e-6)


@given(seed=SEEDS)
def test_cagrad_lies_between_the_equal_sum_and_mgda(seed):
    jacobian = uphill(seed, 4, 3)
    mean = jacobian.mean(axis=0)
    none = cagrad(np.zeros(4), jacobian, radius=0.0)
    np.testing.assert_array_equal(none.weights, equal_sum(np.zeros(4), jacobian).weights)
    shortest = mgda(np.zeros(4), jacobian).gradient
    far = cagrad(np.zeros(4), jacobian, radius=1e9).gradient / np.linalg.norm(mean)
    np.testing.assert_allclose(far, shortest / np.linalg.norm(shortest), atol=1e-6)


@given(seed=SEEDS, radius=st.floats(1, 4))
def test_no_loss_rises_where_the_ball_holds_zero(seed, radius):
    jacobian = normal(seed, 5, 3)
    found, added = direction(jacobian, radius)
    assert (jacobian @ found).min() > -1e-12 * (1 + added.sum())


def test_a_small_ball_lets_a_loss_rise():
    conflict = np.array([[10.0, 0.0], [-1.0, 0.1]])
    assert conflict[1] @ direction(conflict, 0.5)[0] < 0 < conflict[1] @ direction(conflict, 1.5)[0]


@pytest.mark.parametrize("turned", [0.0, 1e-16, -1e-16])
def test_where_no_loss_can_gain_cagrad_goes_near_the_mean(turned):
    """Every d = (0, y) in the ball does as well; rounding may turn a gradient."""
    opposed = np.array([[1.0, 0.0], [-2.0, turned], [0.0, 1.0]])
    found, _ = direction(opposed, 0.8)
    np.testing.assert_allclose(found, [0, 1 / 3], atol=1e-12)


@pytest.mark.parametrize(("m", "d"), [(2, 2), (3, 2), (8, 2), (5, 5), (6, 30), (12, 4)])
def test_every_loss_has_the_same_part_in_the_bargain(m, d):
    for seed in range(20):
        jacobian = uphill(seed, m, d)
        step = nash_mtl(np.zeros(m), jacobian)
        square = step.gradient @ step.gradient
        np.testing.assert_allclose(
            m * step.weights * (jacobian @ step.gradient), square, rtol=1e-10
        )
        alpha = step.weights * np.sqrt(m / square)
        np.testing.assert_allclose(alpha * (jacobian @ jacobian.T @ alpha), 1, rtol=1e-10)


@given(seed=SEEDS)
def test_the_bargain_of_two_losses_halves_the_angle(seed):
    jacobian = normal(seed, 2, 3) * [[1.0], [100.0]]
    inverse = 1 / np.linalg.norm(jacobian, axis=1)
    step = nash_mtl(np.zeros(2), jacobian)
    np.testing.assert_allclose(step.weights, inverse / inverse.sum(), rtol=1e-9)
    np.testing.assert_allclose(step.weights, imtl_g(np.zeros(2), jacobian).weights, rtol=1e-7)


@pytest.mark.parametrize("angle", [0.1, 0.7, 1.5, 1.57])
def test_the_bargain_of_a_fan_is_the_closed_form(angle):
    """Of three unit vectors in a plane, two at ± the angle: β = 1 / (√3 cos)."""
    fan = np.array([[np.cos(a), np.sin(a)] for a in (0.0, angle, -angle)])
    beta = np.array([1.0, 1 / np.cos(angle), 1 / np.cos(angle)])
    step = nash_mtl(np.zeros(3), fan)
    np.testing.assert_allclose(step.weights, beta / beta.sum(), rtol=1e-9)


@pytest.mark.parametrize("cosine", [-0.49, 0.0, 0.5, 1.0])
def test_the_bargain_of_equal_angles_is_the_mean(cosine):
    root = np.linalg.cholesky(np.full((3, 3), cosine) + (1 - cosine + 1e-15) * np.eye(3))
    lengths = np.array([[1.0], [10.0], [1e4]])
    step = nash_mtl(np.zeros(3), lengths * root)
    expected = 1 / lengths[:, 0]
    np.testing.assert_allclose(step.weights, expected / expected.sum(), rtol=1e-9)


@given(seed=SEEDS)
def test_no_direction_nearby_has_a_larger_product_of_gains(seed):
    jacobian, rng = uphill(seed, 5, 4), np.random.default_rng(seed)
    g = nash_mtl(np.zeros(5), jacobian).gradient
    best = np.log(jacobian @ g / np.linalg.norm(g)).sum()
    for size in (1e-3, 0.1):
        other = g / np.linalg.norm(g) + size * rng.standard_normal(4)
        gains = jacobian @ other / np.linalg.norm(other)
        assert (gains <= 0).any() or np.log(gains).sum() < best


def turn(rule, jacobian, factors):
    """Return by how much factors on the losses turn the direction of a rule."""
    first, second = (
        g / np.linalg.norm(g)
        for rows in (jacobian, factors * jacobian)
        for g in [rule(np.zeros(len(rows)), rows).gradient]
    )
    return np.abs(first - second).max()


@given(seed=SEEDS)
def test_nash_does_not_see_the_scale_of_a_loss(seed):
    factors = 10.0 ** np.random.default_rng(seed).uniform(-6, 6, (4, 1))
    assert turn(nash_mtl, uphill(seed, 4, 3), factors) < 1e-9


def test_other_rules_see_the_scale_of_a_loss():
    for rule in (cagrad, mgda, equal_sum):
        assert turn(rule, uphill(0, 4, 3), np.array([[1.0], [10.0], [0.1], [3.0]])) > 0.01


@pytest.mark.parametrize(
    "rows",
    [
        [[1.0, 0.0], [-2.0, 0.0]],
        [[1.0, 0.0], [-1.0, 0.0], [0.0, 1.0]],
        [[1.0, 0.0], [-1.0, 1.0], [-1.0, -1.0]],
        [[1.0, 0.0], [0.0, 0.0], [0.0, 1.0]],
        [[1.0, 0.0], [-1.0, 1e-9], [0.0, 1.0]],
    ],
)
def test_without_a_bargain_the_step_is_zero(rows):
    step = nash_mtl(np.zeros(len(rows)), np.array(rows))
    np.testing.assert_allclose(step.gradient, 0, atol=1e-9)
    assert step.weights.sum() == pytest.approx(1, abs=1e-14)


@pytest.mark.parametrize("width", [1e-2, 1e-4, 1e-5])
def test_a_narrow_agreement_is_found(width):
    """The first two agree on the third axis alone, however little."""
    rows = np.array([[1.0, 0.0, width], [-1.0, 0.0, width], [0.0, 1.0, 0.0]])
    step = nash_mtl(np.zeros(3), rows)
    np.testing.assert_allclose(step.weights[0], step.weights[1], rtol=1e-6)
    parts = 3 * step.weights * (rows @ step.gradient) / (step.gradient @ step.gradient)
    np.testing.assert_allclose(parts, 1, rtol=1e-15 / width**2 + 1e-12)


@pytest.mark.parametrize("name", ["cagrad", "nash_mtl"])
def test_a_thousand_problems_at_once_are_each_alone(name):
    rng = np.random.default_rng(0)
    rows = rng.standard_normal((300, 4, 3))
    together = RULES[name](np.zeros((300, 4)), rows).gradient
    for g, one in zip(together[:40], rows[:40], strict=True):
        np.testing.assert_allclose(g, RULES[name](np.zeros(4), one).gradient, atol=1e-12)


@pytest.mark.parametrize("radius", [-0.1, np.inf, "wide", True])
def test_the_radius_is_a_number_from_0(radius):
    with pytest.raises((ValueError, TypeError), match="radius must be"):
        cagrad(np.zeros(2), np.eye(2), radius=radius)


@pytest.mark.parametrize("radius", [5e-324, 1e-320, 1e-310, 1e-252, 1e-200, 1e-20])
def test_a_ball_that_is_hardly_there_is_the_mean(radius):
    for jacobian in (uphill(1, 4, 3), normal(2, 6, 2), np.array([[1.0, 2.0]])):
        mean = jacobian.mean(axis=0)
        np.testing.assert_allclose(direction(jacobian, radius)[0], mean, rtol=1e-12)


@pytest.mark.parametrize("radius", [1e20, 1e155, 1e200, 1.7e308])
def test_a_ball_of_any_size_does_not_overflow(radius):
    """Far out the length is the mean's and the direction MGDA's."""
    jacobian = uphill(3, 5, 3)
    shortest = mgda(np.zeros(5), jacobian).gradient
    expected = shortest / np.linalg.norm(shortest) * np.linalg.norm(jacobian.mean(axis=0))
    found = cagrad(np.zeros(5), jacobian, radius=radius).gradient
    np.testing.assert_allclose(found, expected, rtol=1e-6)
    conflict = cagrad(np.zeros(5), normal(0, 5, 2), radius=radius).gradient
    assert np.linalg.norm(conflict) < 1e-15
