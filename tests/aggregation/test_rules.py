"""What every rule must do, and what sets them apart."""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from descent import aggregation
from descent.aggregation import RULES, Rule

SEEDS = st.integers(0, 10_000)
RANDOM = {name for name, rule in RULES.items() if "deterministic" not in rule.properties}


def problem(seed, m=4, d=3, runs=()):
    rng = np.random.default_rng(seed)
    return rng.uniform(0.1, 1, (*runs, m)), rng.standard_normal((*runs, m, d))


def options(name, m=4):
    return {"weights": np.ones(m) / max(m, 1)} if name == "fixed_weights" else {}


def start(name, seed=0):
    return np.random.default_rng(seed) if name in RANDOM else None


def twice(name, losses, gradients):
    """Call a rule at two steps, so that rules with a memory have one; return the second."""
    first = RULES[name](1.3 * losses, gradients, start(name), **options(name, losses.shape[-1]))
    return RULES[name](losses, gradients, first.state, **options(name, losses.shape[-1]))


@pytest.mark.parametrize("name", RULES)
@given(seed=SEEDS)
def test_gradient_is_the_weighted_sum(name, seed):
    losses, gradients = problem(seed)
    step = twice(name, losses, gradients)
    np.testing.assert_allclose(step.gradient, step.weights @ gradients, rtol=1e-12, atol=1e-14)


@pytest.mark.parametrize("name", RULES)
@given(seed=SEEDS)
def test_equal_gradients_give_the_equal_sum(name, seed):
    losses, gradients = problem(seed, m=1)
    losses, gradients = np.repeat(losses, 4), np.repeat(gradients, 4, axis=0)
    np.testing.assert_allclose(
        twice(name, losses, gradients).gradient, gradients.mean(axis=0), rtol=1e-6
    )


@pytest.mark.parametrize("name", RULES)
def test_common_stationary_points_stay_stationary(name):
    losses, gradients = problem(1)
    np.testing.assert_array_equal(twice(name, losses, 0 * gradients).gradient, 0)


@pytest.mark.parametrize("name", RULES)
def test_many_runs_at_once_are_the_runs_one_by_one(name):
    if name in RANDOM:
        pytest.skip("runs draw from one generator")
    losses, gradients = problem(3, runs=(5,))
    together = twice(name, losses, gradients)
    for k in range(5):
        alone = twice(name, losses[k], gradients[k])
        np.testing.assert_allclose(together.weights[k], alone.weights, rtol=1e-6, atol=1e-8)


@pytest.mark.parametrize("name", sorted(set(RULES) - RANDOM))
def test_a_rule_changes_neither_its_arguments_nor_the_state(name):
    losses, gradients = problem(4)
    first = RULES[name](losses, gradients, None, **options(name))
    again = [RULES[name](0.5 * losses, gradients, first.state, **options(name)) for _ in range(2)]
    np.testing.assert_array_equal(again[0].weights, again[1].weights)
    np.testing.assert_array_equal(losses, problem(4)[0])


def test_gradient_norm_and_its_inverse_mirror_each_other():
    gradients = np.diag([1.0, 2.0, 5.0])
    direct = aggregation.gradient_norm(np.zeros(3), gradients).weights
    inverse = aggregation.inverse_gradient_norm(np.zeros(3), gradients).weights
    np.testing.assert_allclose(direct * 8, [1, 2, 5])
    np.testing.assert_allclose(direct * inverse, (direct * inverse)[0])


def test_largest_gradient_ignores_the_others():
    gradients = np.array([[3.0, 0.0], [0.0, 2.9]])
    np.testing.assert_array_equal(
        aggregation.largest_gradient(np.zeros(2), gradients).weights, [1, 0]
    )


def test_slope_weights_pursue_the_shares_at_the_rate():
    losses, gradients = np.array([1.0, 1.0]), np.eye(2)
    state = aggregation.loss_slope(losses, gradients).state
    for n in range(1, 20):  # slews 3 : 1 for ever
        step = aggregation.loss_slope(losses - n * np.array([0.03, 0.01]), gradients, state)
        state = step.state
        assert step.weights[0] == pytest.approx(0.75 - 0.25 * 0.9**n)


def test_slope_window_averages_the_last_slews():
    gradients, state = np.eye(2), None
    for losses in ([1.0, 1.0], [0.5, 1.0], [0.5, 0.7], [0.5, 0.6]):
        step = aggregation.loss_slope(np.array(losses), gradients, state, rate=1.0, window=2)
        state = step.state
    np.testing.assert_allclose(step.weights, [0, 1])
    assert len(state.history) == 3


def test_softadapt_and_dwa_favour_what_falls_least_and_slope_what_falls_most():
    before, now, gradients = np.array([1.0, 1.0]), np.array([0.5, 0.9]), np.eye(2)
    for name, favoured in (("softadapt", 1), ("dwa", 1), ("loss_slope", 0)):
        state = RULES[name](before, gradients).state
        assert RULES[name](now, gradients, state).weights.argmax() == favoured


@pytest.mark.parametrize("rule", [aggregation.random_alternation, aggregation.matched_noise])
def test_noise_of_alternation_and_its_control_have_the_stated_covariance(rule):
    n, m = 200_000, 4
    step = rule(np.zeros((n, m)), np.zeros((n, m, 1)), np.random.default_rng(0))
    np.testing.assert_allclose(step.weights.mean(axis=0), 1 / m, atol=5 / np.sqrt(n))
    expected = (np.eye(m) - 1 / m) / m
    np.testing.assert_allclose(np.cov(step.weights.T), expected, atol=10 / np.sqrt(n))


def test_the_equal_sum_lets_a_loss_rise():
    conflict = np.array([[10.0, 0.0], [-1.0, 0.1]])
    assert conflict[1] @ aggregation.equal_sum(np.zeros(2), conflict).gradient < 0


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda: RULES["equal_sum"](np.zeros(2), np.zeros((3, 2))), ValueError, "must agree"),
        (lambda: RULES["equal_sum"](np.array([np.nan]), np.zeros((1, 2))), ValueError, "losses"),
        (lambda: RULES["mgda"](np.zeros(1), np.full((1, 2), np.inf)), ValueError, "gradients"),
        (lambda: RULES["loss_slope"](np.zeros(1), np.eye(1), rate=0.0), ValueError, "rate"),
        (lambda: RULES["loss_slope"](np.zeros(1), np.eye(1), window=0), ValueError, "window"),
        (lambda: RULES["dwa"](np.array([-1.0]), np.eye(1)), ValueError, "negative"),
        (lambda: RULES["dwa"](np.zeros(1), np.eye(1), temperature=0), ValueError, "temperature"),
        (lambda: RULES["fixed_weights"](np.zeros(2), np.eye(2), weights=[1]), ValueError, "2 num"),
        (lambda: RULES["random_alternation"](np.zeros(2), np.eye(2), 7), TypeError, "Generator"),
        (lambda: RULES["equal_sum"]([], np.zeros((0, 3))), ValueError, "at least one loss"),
        (lambda: RULES["mgda"]([1.0], [torch.zeros(2)]), TypeError, "losses must be tensors"),
        (lambda: RULES["mgda"]([], [torch.zeros(2)]), ValueError, "at least one loss"),
        (lambda: RULES["mgda"].backward([], [torch.zeros(2)]), ValueError, "at least one loss"),
        (lambda: RULES["mgda"].backward(np.zeros(2), np.eye(2)), TypeError, "carry their graph"),
    ],
)
def test_bad_input_is_named(call, error, message):
    with pytest.raises(error, match=message):
        call()


@pytest.mark.parametrize("name", RULES)
def test_no_losses_are_refused_by_every_rule(name):
    with pytest.raises(ValueError, match="at least one loss"):
        RULES[name](np.zeros(0), np.zeros((0, 3)), start(name), **options(name, 0))


@pytest.mark.parametrize("name", sorted(RANDOM))
def test_a_rule_that_draws_wants_its_generator_and_goes_on_with_it(name):
    losses, gradients = problem(2)
    with pytest.raises(TypeError, match=f"numpy.random.Generator, since {name} draws; got None"):
        RULES[name](losses, gradients)
    rng = np.random.default_rng(0)
    found = [RULES[name](losses, gradients, rng) for _ in range(20)]
    assert all(one.state is rng for one in found)
    assert len({one.weights.tobytes() for one in found}) > 1


@pytest.mark.parametrize("name", RULES)
def test_one_dimension_or_none_and_one_loss(name):
    for m, d in ((1, 1), (1, 0), (2, 0), (3, 0), (3, 1)):
        step = twice(name, np.ones(m), np.ones((m, d)))
        assert step.gradient.shape == (d,)
        assert np.isfinite(step.weights).all()


def test_losses_at_rest_share_the_weight_of_inverse_lengths_and_of_mgda():
    gradients = np.array([[0.0, 0.0], [1.0, 0.0], [0.0, 0.0]])
    for name in ("inverse_gradient_norm", "mgda"):
        np.testing.assert_array_equal(RULES[name](np.zeros(3), gradients).weights, [0.5, 0, 0.5])


def test_inverse_lengths_push_alike_over_thirty_decades():
    gradients = np.diag([1e-15, 1.0, 1e15])
    step = aggregation.inverse_gradient_norm(np.zeros(3), gradients)
    np.testing.assert_allclose(step.gradient, step.gradient[0], rtol=1e-12)


def test_dwa_reads_losses_of_any_size():
    first = aggregation.dwa(np.array([1e-30, 2e-30]), np.eye(2))
    step = aggregation.dwa(np.array([0.5e-30, 2e-30]), np.eye(2), first.state)
    np.testing.assert_allclose(step.weights.round(4), [0.4378, 0.5622])
    zero = aggregation.dwa(np.zeros(2), np.eye(2), np.zeros(2))
    np.testing.assert_array_equal(zero.weights, [0.5, 0.5])


def test_a_property_has_a_name():
    with pytest.raises(ValueError, match="properties must be some of non-conflicting"):
        Rule(np.square, properties={"swift"})
    with pytest.raises(ValueError, match="got 'not negative'"):
        Rule(np.square, properties="not negative")
