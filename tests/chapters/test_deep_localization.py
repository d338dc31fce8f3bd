"""Chapter 12: deeper networks and other optimizers, against the exact trainer and by hand."""

from dataclasses import replace

import numpy as np
import pytest

from descent.chapters.knowledge_localization import numbers
from descent.chapters.knowledge_localization.deep import Layers, deep_localization


def test_one_layer_and_sgd_are_the_experiment_of_the_chapter():
    samples = numbers.phases("digits", 360)
    deep = deep_localization(samples, 1e-2, n_networks=2, hidden=30, seed=4)
    plain = numbers.experiment(samples, 1e-2, n_networks=2, hidden=30, seed=4)
    np.testing.assert_allclose(deep["weights"], plain.correlations("hidden_weights"), rtol=1e-9)


def test_tallies_are_the_sums_of_absolute_changes():
    samples = numbers.phases("digits", 360).first[:6]
    layers = Layers((64, 5, 5, 2), 2, "Adam", 1e-3, np.random.default_rng(0))
    again = Layers((64, 5, 5, 2), 2, "Adam", 1e-3, np.random.default_rng(0))
    tallies = layers.train(samples)
    by_hand = np.zeros((2, 2, 5, 64))
    for k in range(len(samples)):
        before = again.parameters[0].detach().numpy().copy()
        again.train(samples[k : k + 1])
        by_hand[samples.side[k]] += abs(again.parameters[0].detach().numpy() - before)
    np.testing.assert_allclose(np.stack(tallies), by_hand, atol=1e-12)


def test_networks_in_one_tensor_do_not_meet():
    samples = numbers.phases("digits", 360)
    alone = deep_localization(samples, 1e-3, optimizer="Adam", hidden=8, n_networks=1)
    together = deep_localization(samples, 1e-3, optimizer="Adam", hidden=8, n_networks=3)
    assert together["weights"][0] == pytest.approx(alone["weights"][0], rel=1e-9)


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"optimizer": "LBFGS"}, "optimizer must be one of"),
        ({"depth": 0}, "depth must be at least"),
    ],
)
def test_what_there_is_not_is_named(wrong, message):
    with pytest.raises(ValueError, match=message):
        deep_localization(numbers.phases("digits", 360), 1e-3, **wrong)


def test_a_training_that_is_not_finite_is_reported():
    samples = numbers.phases("digits", 360)
    broken = samples.rest.inputs.copy()
    broken[5] = np.nan
    samples = replace(samples, rest=replace(samples.rest, inputs=broken))
    with pytest.raises(FloatingPointError, match=r"diverged at step_size=0\.01"):
        deep_localization(samples, 0.01, hidden=5, n_networks=1)
