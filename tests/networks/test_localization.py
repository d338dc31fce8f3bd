"""Tallies, forks, shares and the correlations between them."""

import numpy as np
import pytest

from descent.networks import localization
from descent.networks.digit_images import load_digits8
from descent.networks.localization import Samples, localize, questions
from descent.networks.perceptrons import PARAMETERS, he_initialization, train


def digits(n=None):
    images = load_digits8()
    return questions(images.inputs(slice(0, n)), images.labels[:n])


@pytest.fixture(scope="module")
def found():
    samples = digits(1400)
    networks = he_initialization(3, (64, 20, 2), np.random.default_rng(0))
    return samples, networks, localize(networks, samples[:200], samples[200:], 0.02)


def test_questions_keep_the_order_and_name_the_parts():
    labels = np.array([8, 1, 3, 7, 6, 1])
    samples = questions(np.arange(6.0)[:, None], labels, sides=((1, 7), (6, 8)))
    assert samples.inputs[:, 0].tolist() == [0, 1, 3, 4, 5]
    assert samples.side.tolist() == [1, 0, 0, 1, 0]
    assert samples.part.tolist() == [1, 0, 1, 0, 0]
    assert samples.targets[0].tolist() == [0, 1]
    kept = samples.without(0, 1)
    assert kept.inputs[:, 0].tolist() == [0, 1, 4, 5]


def test_localize_is_what_it_says(found):
    """The definition, one network and one fork at a time."""
    samples, networks, result = found
    first, rest = samples[:200], samples[200:]
    trained = train(networks, first.inputs, first.targets, 0.02)
    for a, b in zip(
        trained.parameters().values(), result.trained.parameters().values(), strict=True
    ):
        np.testing.assert_allclose(a, b, atol=1e-13)
    seven_less, one_less = (
        train(trained, r.inputs, r.targets, 0.02) for r in (rest.without(0, 1), rest.without(0, 0))
    )
    eight_less, six_less = (
        train(trained, r.inputs, r.targets, 0.02) for r in (rest.without(1, 1), rest.without(1, 0))
    )
    for name in PARAMETERS:
        c = abs(getattr(seven_less, name) - getattr(one_less, name))
        d = abs(getattr(eight_less, name) - getattr(six_less, name))
        np.testing.assert_allclose(result.difference[name], c / (c + d), atol=1e-9)
    # The tally by single steps, of the second half.
    now, tally = (
        train(networks, first.inputs[:100], first.targets[:100], 0.02),
        np.zeros((2, 3, 20)),
    )
    for i in range(100, 200):
        new = train(now, first.inputs[i : i + 1], first.targets[i : i + 1], 0.02)
        tally[first.side[i]] += abs(new.hidden_biases - now.hidden_biases)
        now = new
    np.testing.assert_allclose(result.tallies["hidden_biases"], tally, rtol=1e-9)
    expected = tally[0] / tally.sum(axis=0)
    np.testing.assert_allclose(result.updating["hidden_biases"], expected, rtol=1e-9)


def test_the_whole_phase_contains_its_second_half(found):
    samples, networks, result = found
    whole = localize(networks, samples[:200], samples[200:], 0.02, tally_from=0.0)
    for name in PARAMETERS:
        np.testing.assert_allclose(
            whole.updating[name], result.updating_throughout[name], rtol=1e-9
        )
        assert (whole.tallies[name] >= result.tallies[name] - 1e-12).all()


def test_exchanging_the_sides_mirrors_the_shares():
    samples = digits(600)
    mirrored = Samples(samples.inputs, 1 - samples.side, samples.part)
    networks = he_initialization(1, (64, 10, 2), np.random.default_rng(0))
    networks.output_weights[:] = networks.output_weights[:, :1]  # outputs that are exchangeable
    networks.output_biases[:] = networks.output_biases[:, :1]
    one = localize(networks, samples[:100], samples[100:], 0.02)
    two = localize(networks, mirrored[:100], mirrored[100:], 0.02)
    for name in ("hidden_weights", "hidden_biases"):
        np.testing.assert_allclose(one.updating[name], 1 - two.updating[name], atol=1e-9)
        np.testing.assert_allclose(one.difference[name], 1 - two.difference[name], atol=1e-6)


def test_weights_of_a_constant_pixel_share_the_fate_of_the_bias(found):
    samples, _, result = found
    constant = np.ptp(samples.inputs, axis=0) == 0
    assert 0 < constant.sum() < 64
    for shares in (result.updating, result.difference):
        weights, biases = shares["hidden_weights"], shares["hidden_biases"][:, :, None]
        gap = abs(weights - biases)
        assert gap[:, :, constant].max() < 1e-8
        assert gap[:, :, ~constant].max() > 0.1  # it is not so for the others
    by_pixel = localization.pixel_correlations(
        result.updating["hidden_weights"][0], result.difference["hidden_weights"][0]
    )
    np.testing.assert_allclose(
        by_pixel[constant], result.correlations("hidden_biases")[0], atol=1e-8
    )


def test_shuffles_keep_what_they_should():
    samples, rng = digits(), np.random.default_rng(0)
    halves = localization.shuffled_parts(samples, rng)
    np.testing.assert_array_equal(halves.side, samples.side)
    dealt = localization.shuffled_digits(samples, rng)
    for other in (halves, dealt):
        for side in (0, 1):
            for part in (0, 1):
                group = [((s.side == side) & (s.part == part)).sum() for s in (samples, other)]
                assert group[0] == group[1]
        assert (other.part != samples.part).mean() > 0.4
    assert (dealt.side != samples.side).mean() > 0.4


def test_shares_of_the_images_alone():
    inputs = np.array([[4.0, 1.0], [2.0, 1.0], [1.0, 1.0], [1.0, 1.0]])
    samples = Samples(inputs, np.array([0, 0, 1, 1]), np.array([0, 1, 0, 1]))
    np.testing.assert_allclose(localization.activity_share(samples), [0.75, 0.5])
    contrast = localization.contrast_share(samples)
    assert contrast[0] == 1
    assert np.isnan(contrast[1])


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda s: questions(s.inputs, np.zeros(len(s), int)), "labels \\[1, 7, 6, 8\\]"),
        (lambda s: questions(s.inputs, s.part, ((0, 1), (1, 2))), "two pairs of different"),
        (lambda s: localization.contrast_share(s.without(1, 0)), "none of part 0 of side 1"),
        (lambda s: Samples(s.inputs, s.side + 1, s.part), "side must be 0 or 1"),
        (lambda s: Samples(s.inputs, s.side[:3], s.part), "side must have shape"),
        (
            lambda s: localize(
                he_initialization(1, (64, 3, 2), np.random.default_rng(0)), s, s, 0.1, tally_from=1
            ),
            "tally_from must lie",
        ),
    ],
)
def test_bad_arguments_are_named(call, message):
    with pytest.raises(ValueError, match=message):
        call(digits(50))
