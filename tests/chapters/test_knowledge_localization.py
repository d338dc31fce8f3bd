"""Chapter 12: what its figures and claims rest on."""

import numpy as np
import pytest

from descent.chapters.knowledge_localization import numbers, sweeps
from descent.networks import localization
from descent.sweeps import load


@pytest.fixture(scope="module")
def samples():
    return numbers.phases("digits", 360)


def test_phases_are_disjoint_and_in_order(samples):
    from descent.networks.digit_images import load_digits8

    labels = load_digits8().labels
    four = np.isin(labels, (1, 7, 6, 8))
    assert len(samples.first) == four[:360].sum()
    assert len(samples.rest) == four[360:1437].sum()
    assert len(samples.test) == four[1437:].sum()
    sides = np.concatenate([s.side for s in (samples.first, samples.rest, samples.test)])
    np.testing.assert_array_equal(sides, np.isin(labels[four], (6, 8)))


def test_mnist_is_asked_for_by_name_when_it_is_not_here(monkeypatch, tmp_path):
    monkeypatch.delenv("DESCENT_MNIST_DIR", raising=False)
    monkeypatch.setenv("SCIKIT_LEARN_DATA", str(tmp_path))
    with pytest.raises(FileNotFoundError, match="DESCENT_MNIST_DIR"):
        numbers.phases.__wrapped__("mnist", 12_000)


def test_controls_keep_the_images_and_change_the_groups(samples):
    for control in ("random halves", "shuffled digits"):
        dealt = numbers.controlled(samples, control, np.random.default_rng(0))
        np.testing.assert_array_equal(dealt.first.inputs, samples.first.inputs)
        np.testing.assert_array_equal(dealt.test.side, samples.test.side)
        assert (dealt.rest.part != samples.rest.part).any()
        assert (dealt.rest.side != samples.rest.side).any() == (control == "shuffled digits")
    assert numbers.controlled(samples, "none", np.random.default_rng(0)) is samples
    with pytest.raises(KeyError):
        numbers.controlled(samples, "halves", np.random.default_rng(0))


def test_exchanging_neurons_keeps_pixels_and_loses_neurons():
    rng = np.random.default_rng(0)
    pixel, neuron = rng.random((1, 300)), rng.random((100, 1))
    by_pixel = [np.broadcast_to(pixel, (100, 300))] * 2
    by_neuron = [np.broadcast_to(neuron, (100, 300))] * 2
    assert numbers.permuted(*by_pixel, rng) == pytest.approx(1)
    assert abs(numbers.permuted(*by_neuron, rng, repeats=50)) < 4 / np.sqrt(100 * 50)


def test_statistics_agree_with_their_definitions(samples):
    found = numbers.experiment(samples, 0.01, n_networks=3, seed=1)
    rows = numbers.statistics(found, samples, np.random.default_rng(0))
    x, y = found.updating["hidden_weights"], found.difference["hidden_weights"]
    for k in range(3):
        together = np.corrcoef(x[k].ravel(), y[k].ravel())[0, 1]
        assert rows["weights"][k] == pytest.approx(together, abs=1e-12)
        between = np.corrcoef(x[k].mean(axis=0), y[k].mean(axis=0))[0, 1]
        assert rows["between"][k] == pytest.approx(between, abs=1e-12)


def test_single_and_double_precision_give_the_same_correlations(samples):
    """What holds for the tables in single precision."""
    double = numbers.experiment(samples, 0.01, n_networks=5, seed=1)
    start = numbers.networks(samples, 5, seed=1)
    single = localization.localize(
        type(start)(
            *(a.astype(np.float32) for a in start.parameters().values()),
            start.activation,
            start.output_activation,
        ),
        samples.first,
        samples.rest,
        0.01,
    )
    for name in ("hidden_weights", "hidden_biases"):
        np.testing.assert_allclose(single.correlations(name), double.correlations(name), atol=2e-4)
    assert (single.correlations("hidden_weights") != double.correlations("hidden_weights")).all()


def test_correlation_is_largest_without_learning_on_the_digits():
    """The chapter's main finding, on the table that every machine can make."""
    rows = load("12-digits-step-sizes")
    for activation in numbers.ACTIVATIONS:
        mine = rows[(rows.activation == activation) & ~rows.diverged].set_index("step_size")
        untrained, best = 3e-5, mine.loss.map(np.nanmedian).idxmin()
        assert np.median(mine.accuracy[untrained]) < 0.6 < np.median(mine.accuracy[best])
        gain = np.array(mine.weights[untrained]) - np.array(mine.weights[best])
        assert gain.mean() > 4 * gain.std(ddof=1) / np.sqrt(len(gain))


def test_best_step_sizes_are_those_of_the_table():
    rows = load("12-mnist-best-step-sizes")
    rows = rows[rows.output == "same"]
    for activation, best in sweeps.BEST_STEP_SIZES.items():
        mine = rows[rows.activation == activation]
        loss = mine.loss.map(np.median)
        assert mine.step_size[loss.idxmin()] == best
    assert set(rows.seed) == {sweeps.TUNING_SEED}
    assert sweeps.TUNING_SEED != sweeps.SEED


def test_open_share_counts_the_images_that_open_a_neuron(samples):
    found = numbers.experiment(samples, 1e-4, activation="ReLU", output="linear", n_networks=2)
    shares = numbers.open_share(found, samples.first)
    mixed = 0
    for k in range(100):
        w, b = found.trained.hidden_weights[1, k], found.trained.hidden_biases[1, k]
        opened = samples.first.inputs @ w + b > 0
        if opened.any():
            assert shares[1, k] == pytest.approx((samples.first.side[opened] == 0).mean())
            mixed += not opened.all()
        else:
            assert np.isnan(shares[1, k])
    assert mixed > 20
