"""Each rule has the properties that it declares, and lacks the others."""

import itertools

import numpy as np
import pytest
from gradient_sets import KINDS, gradients, sets_of_gradients
from hypothesis import given
from hypothesis import strategies as st
from scipy.optimize import nnls

from descent.aggregation import PROPERTIES, RULES

SEEDS = st.integers(0, 2**32 - 1)


def steps(name, losses, jacobian, seed=0, history=True, options=None):
    """Return a rule's second step, so that a rule with a memory has one."""
    rule, m = RULES[name], len(losses)
    if name == "fixed_weights":  # one loss counts for nothing
        options = {"weights": np.arange(m) / 2}
    state = None if "deterministic" in rule.properties else np.random.default_rng(seed)
    if history:
        before = losses * np.random.default_rng(seed).uniform(0.5, 2, m)
        state = rule(before, jacobian, state, **(options or {})).state
        if "deterministic" not in rule.properties:
            state = np.random.default_rng(seed)
    return rule(losses, jacobian, state, **(options or {}))


def lengths(jacobian):
    scale = np.abs(jacobian).max(axis=1)
    return scale * np.linalg.norm(jacobian / np.where(scale > 0, scale, 1)[:, None], axis=1)


def size(step, jacobian):
    """Return Σ |w_i ∇l_i|: rounding of the direction is a few ε of it."""
    return np.abs(step.weights) @ lengths(jacobian)


def non_conflicting(name, losses, jacobian, seed):
    step = steps(name, losses, jacobian, seed)
    rounding = 1e-13 * lengths(jacobian) * size(step, jacobian)
    return (jacobian @ step.gradient >= -rounding).all()


def descends(name, losses, jacobian, seed):
    """Say whether each loss falls, at a rate that is in no way small beside the direction's."""
    step, m = steps(name, losses, jacobian, seed), len(losses)
    rounding = 1e-13 * lengths(jacobian) * size(step, jacobian)
    least = step.gradient @ step.gradient / np.maximum(m * step.weights, 1)
    return (jacobian @ step.gradient >= least - rounding).all()


def sums_to_one(name, losses, jacobian, seed):
    return abs(steps(name, losses, jacobian, seed).weights.sum() - 1) < 1e-12


def not_negative(name, losses, jacobian, seed):
    return (steps(name, losses, jacobian, seed).weights >= 0).all()


def order_does_not_matter(name, losses, jacobian, seed):
    rng = np.random.default_rng(seed)
    before, order = losses * rng.uniform(0.5, 2, len(losses)), rng.permutation(len(losses))
    found = []
    for chosen in (slice(None), order):
        state = None if "deterministic" in RULES[name].properties else np.random.default_rng(seed)
        options = {"weights": np.arange(len(losses)) / 2} if name == "fixed_weights" else {}
        state = RULES[name](before[chosen], jacobian[chosen], state, **options).state
        found.append(RULES[name](losses[chosen], jacobian[chosen], state, **options))
    error = np.abs(found[0].gradient - found[1].gradient).max()
    return error <= 1e-9 * size(found[0], jacobian)


def scale_does_not_matter(name, losses, jacobian, seed):
    plain = steps(name, losses, jacobian, seed)
    powers = np.random.default_rng(seed).integers(-100, 100, 3)  # nothing is rounded
    return all(
        np.array_equal(steps(name, losses * c, jacobian * c, seed).weights, plain.weights)
        for c in 2.0**powers
    )


def linear_under_scaling(name, losses, jacobian, seed):
    one, two = np.random.default_rng(seed).uniform(0.01, 10, (2, len(losses), 1))
    parts = [steps(name, losses, c * jacobian, seed) for c in (one, two, one + two)]
    error = np.abs(parts[0].gradient + parts[1].gradient - parts[2].gradient).max()
    return error <= 1e-9 * 10 * sum(size(part, jacobian) for part in parts)


def rests_only_in_balance(name, losses, jacobian, seed):
    step = steps(name, losses, jacobian, seed)
    if np.linalg.norm(step.gradient) > 1e-13 * size(step, jacobian):
        return True
    rows = jacobian[lengths(jacobian) > 0]
    units = rows / lengths(rows)[:, None]
    return not len(units) or nnls(units.T, -units.sum(axis=0))[1] < 1e-8


def deterministic(name, losses, jacobian, seed):
    options = {"weights": np.ones(len(losses))} if name == "fixed_weights" else {}
    try:
        RULES[name](losses, jacobian, **options)
    except TypeError as error:
        return "state must be a numpy.random.Generator" not in str(error)
    return True


def memoryless(name, losses, jacobian, seed):
    found = [steps(name, losses, jacobian, seed, history).weights for history in (False, True)]
    return np.array_equal(*found)


CHECKS = dict(
    zip(
        PROPERTIES,
        (
            non_conflicting,
            descends,
            sums_to_one,
            not_negative,
            order_does_not_matter,
            scale_does_not_matter,
            linear_under_scaling,
            rests_only_in_balance,
            deterministic,
            memoryless,
        ),
        strict=True,
    )
)
DECLARED = [(name, p) for name in RULES for p in PROPERTIES if p in RULES[name].properties]
LACKED = [(name, p) for name in RULES for p in PROPERTIES if p not in RULES[name].properties]


@pytest.mark.parametrize(("name", "what"), DECLARED)
@given(problem=sets_of_gradients(), seed=SEEDS)
def test_a_declared_property_holds(name, what, problem, seed):
    assert CHECKS[what](name, *problem, seed)


@given(problem=sets_of_gradients(), seed=SEEDS)
def test_along_mgda_every_loss_falls_at_least_as_fast_as_the_square_of_its_length(problem, seed):
    losses, jacobian = problem
    step = steps("mgda", losses, jacobian, seed)
    rounding = 1e-13 * lengths(jacobian) * size(step, jacobian)
    assert (jacobian @ step.gradient >= step.gradient @ step.gradient - rounding).all()


def counterexamples():
    for kind, m, seed in itertools.product(KINDS, (2, 3, 5), range(8)):
        rng = np.random.default_rng(seed)
        yield rng.uniform(0.1, 1, m), gradients(kind, m, 2 if m == 3 else 1, rng)
    # all uphill to the right, and matched noise stands still by a weight that is negative
    weights = steps("matched_noise", np.ones(5), np.ones((5, 1)), 1).weights
    below = weights < 0
    lengths = np.where(below, weights[~below].sum(), -weights[below].sum())
    yield np.ones(5), lengths[:, None]


@pytest.mark.parametrize(("name", "what"), LACKED)
def test_a_property_that_is_not_declared_fails_somewhere(name, what):
    assert not all(CHECKS[what](name, *problem, 1) for problem in counterexamples())


@pytest.mark.parametrize("name", RULES)
@given(problem=sets_of_gradients(), seed=SEEDS, factor=st.floats(1e-30, 1e30))
def test_any_factor_scales_the_direction(name, problem, seed, factor):
    """Powers of two leave the weights to the last bit; other factors round them."""
    losses, jacobian = problem
    if name == "largest_gradient" and len(np.unique(lengths(jacobian).round(12))) < len(losses):
        return  # rounding decides between gradients of one length
    plain = steps(name, losses, jacobian, seed)
    scaled = steps(name, factor * losses, factor * jacobian, seed)
    error = np.abs(scaled.gradient / factor - plain.gradient).max()
    assert error <= 1e-9 * size(plain, jacobian)


@pytest.mark.parametrize("name", RULES)
@given(problem=sets_of_gradients(scales=(-15, 15)), seed=SEEDS)
def test_single_precision_gives_the_weights_of_the_same_numbers_in_double(name, problem, seed):
    losses, jacobian = (values.astype(np.float32) for values in problem)
    one = steps(name, losses, jacobian, seed)
    two = steps(name, losses.astype(float), jacobian.astype(float), seed)
    np.testing.assert_array_equal(one.weights, two.weights)
    assert np.isfinite(one.gradient).all()


@pytest.mark.parametrize("name", RULES)
@pytest.mark.parametrize("length", [1e200, 1e-200, 1e307])
def test_no_length_over_or_underflows(name, length):
    jacobian = np.array([[1.0, 0.0], [-1.0, 1.0], [0.5, 0.25]])
    losses = np.array([1.0, 0.5, 0.25])
    plain = steps(name, losses, jacobian)
    step = steps(name, losses * length, jacobian * length)
    np.testing.assert_allclose(step.weights, plain.weights, rtol=1e-9)
    np.testing.assert_allclose(step.gradient / length, plain.gradient, rtol=1e-9, atol=1e-12)


def test_weights_that_no_float_holds_are_an_error():
    """The long gradient's projection takes 1e400 times the short one."""
    jacobian = np.array([[1e200, 0.0], [-1e-200, 1e-200]])
    for name in ("upgrad", "pcgrad"):
        with pytest.raises(ValueError, match="weights"):
            steps(name, np.zeros(2), jacobian)
