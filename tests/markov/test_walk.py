"""Compiled walkers go where numpy's go."""

import numpy as np
import pytest

from descent.compiled.code import LANES, available
from descent.landscapes import FiniteSum, qubic_1d, two_datapoint
from descent.markov import sampling
from descent.markov.walk import walk_on

pytestmark = pytest.mark.skipif(not available(), reason="llvmlite is not installed")


def times(**how):
    options = dict(step_size=0.005, n_steps=300, start=1.0, threshold=1.02, n_particles=5001)
    rng = np.random.default_rng(4)
    return sampling.first_passage_times(two_datapoint(), rng=rng, **(options | how))


@pytest.fixture
def by_numpy(monkeypatch):
    def run(**how):
        with monkeypatch.context() as patch:
            patch.setattr(sampling, "walk_on", lambda *_: None)
            return times(**how)

    return run


@pytest.mark.parametrize(
    "how",
    [{}, {"step_size": 0.05, "threshold": 1.19}, {"n_steps": 1001, "n_particles": 1003}],
)
def test_the_same_walkers_escape_at_the_same_steps(how, by_numpy):
    # Short steps do not amplify rounding: here the two must agree in every walker.
    mine, theirs = times(**how), by_numpy(**how)
    assert (mine == theirs).mean() > 0.999
    assert len(np.unique(theirs)) > 3


def test_a_longer_step_of_many_samples_has_the_same_law(by_numpy):
    mine = times(step_size=0.02, threshold=1.19596, n_particles=20_000)
    theirs = by_numpy(step_size=0.02, threshold=1.19596, n_particles=20_000)
    assert abs((mine <= 100).mean() - (theirs <= 100).mean()) < 4 * np.sqrt(0.5 / 20_000)


def test_batches_are_translated_too():
    model = two_datapoint().batches(2)
    walk = walk_on(model, 0.02, 1.0, 1.19596)
    assert walk is not None
    w = np.linspace(0.9, 1.1, 3 * LANES)
    index = (np.arange(len(w), dtype=np.uint8) % 3)[None]
    wanted = w - 0.02 * model.sample_gradient(w, index[0])
    assert walk(w, index, 0, 1, len(w)) == 1
    np.testing.assert_allclose(w, wanted, rtol=1e-14)


def test_a_model_that_cannot_be_translated_is_left_to_numpy():
    assert walk_on(FiniteSum.of(qubic_1d, noise=0.5), 0.02, 0.0, 1.0) is None


def test_a_wrong_translation_is_not_used():
    def gradients(w):
        wrong = getattr(w, "dtype", None) is None  # a symbol, and not an array
        return np.stack([w + 1.0 if wrong else w, 2.0 * w])

    model = FiniteSum(gradients, gradients, gradients)
    assert walk_on(model, 0.02, 0.0, 1.0) is None
