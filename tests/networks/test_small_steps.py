"""Shares without training: the definition, the limit of training, and what must be absent."""

import numpy as np
import pytest

from descent.networks.digit_images import load_digits8
from descent.networks.localization import Samples, localize, questions
from descent.networks.perceptrons import PARAMETERS, he_initialization, train
from descent.networks.small_steps import small_step_limit


@pytest.fixture(scope="module")
def halves():
    images = load_digits8()
    samples = questions(images.inputs(slice(0, 700)), images.labels[:700])
    return samples[:100], samples[100:]


def networks(activation="softplus", output="softplus"):
    return he_initialization(
        3, (64, 12, 2), np.random.default_rng(4), activation=activation, output_activation=output
    )


def gradients(network, samples):
    """The gradient of each sample by a step of size one from the same place, one by one."""
    steps = []
    for n in range(len(samples)):
        one = samples[n : n + 1]
        ends = train(network, one.inputs, one.targets, 1.0).parameters()
        steps.append({p: network.parameters()[p] - ends[p] for p in PARAMETERS})
    return {p: np.array([s[p] for s in steps]) for p in PARAMETERS}


def test_it_is_sums_of_gradients(halves):
    """A second way: each image by itself, through the training's own step."""
    first, rest = halves
    start = networks()
    found = small_step_limit(start, first, rest)
    by_image, later = gradients(start, first), gradients(start, rest)
    late = np.arange(len(first)) >= 50
    for p in PARAMETERS:
        a, b = (abs(by_image[p][late & (first.side == s)]).sum(axis=0) for s in (0, 1))
        np.testing.assert_allclose(found.updating[p], a / (a + b), rtol=1e-9)
        c, d = (
            abs(
                later[p][(rest.side == s) & (rest.part == 0)].sum(axis=0)
                - later[p][(rest.side == s) & (rest.part == 1)].sum(axis=0)
            )
            for s in (0, 1)
        )
        np.testing.assert_allclose(found.differences[p], [c, d], rtol=1e-7, atol=1e-10)
        np.testing.assert_allclose(found.difference[p], c / (c + d), rtol=1e-6)


@pytest.mark.parametrize("activation", ["softplus", "tanh", "sigmoid"])
def test_training_tends_to_it_in_the_first_order(halves, activation):
    start = networks(activation)
    limit = small_step_limit(start, *halves)
    gaps = []
    for eta in (1e-6, 1e-7):
        near = localize(start, *halves, eta)
        gaps.append(
            [
                abs(getattr(near, share)[p] - getattr(limit, share)[p]).mean()
                for share in ("updating", "updating_throughout", "difference")
                for p in PARAMETERS
            ]
        )
    ratio = np.divide(*gaps)
    assert ((ratio > 8) & (ratio < 12)).all()


def test_a_later_start_of_the_tally_is_another_limit(halves):
    start = networks()
    whole = small_step_limit(start, *halves, tally_from=0.0)
    for p in PARAMETERS:
        np.testing.assert_allclose(whole.updating[p], whole.updating_throughout[p])
    late = small_step_limit(start, *halves, tally_from=0.5)
    assert (late.updating["hidden_weights"] != whole.updating["hidden_weights"]).all()


def test_what_leads_to_no_output_is_not_updated(halves):
    """With a neuron cut off from the outputs no error reaches it, and it has no share."""
    start = networks()
    start.output_weights[:, :, 3] = 0
    found = small_step_limit(start, *halves)
    assert np.isnan(found.updating["hidden_weights"][:, 3]).all()
    assert np.isfinite(np.delete(found.updating["hidden_weights"], 3, axis=1)).all()
    assert np.isfinite(found.updating["output_weights"]).all()


def test_with_equal_signals_only_the_pixels_are_left(halves):
    """Errors and slopes of one: x is the share of activity, the same for all neurons."""
    first, rest = halves
    found = small_step_limit(
        networks(), first, rest, tally_from=0.0, errors=np.ones_like, slopes=np.ones_like
    )
    activity = [first.inputs[first.side == s].sum(axis=0) for s in (0, 1)]
    x = found.updating["hidden_weights"]
    np.testing.assert_allclose(x, np.broadcast_to(activity[0] / sum(activity), x.shape))


def test_single_precision_is_computed_in_double(halves):
    start = networks()
    arrays = [a.astype(np.float32) for a in start.parameters().values()]
    single = small_step_limit(type(start)(*arrays), *halves)
    assert single.updating["hidden_weights"].dtype == np.float64
    np.testing.assert_allclose(
        single.updating["hidden_weights"],
        small_step_limit(start, *halves).updating["hidden_weights"],
        atol=1e-5,
    )


def test_bad_input_is_named(halves):
    first, rest = halves
    with pytest.raises(TypeError, match="networks"):
        small_step_limit("x", first, rest)
    with pytest.raises(ValueError, match="tally_from"):
        small_step_limit(networks(), first, rest, tally_from=1.0)
    with pytest.raises(TypeError, match="rest"):
        small_step_limit(networks(), first, first.inputs)
    with pytest.raises(ValueError, match="first must have 64 finite inputs"):
        small_step_limit(networks(), Samples(first.inputs[:, 1:], first.side, first.part), rest)
