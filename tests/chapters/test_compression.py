"""The compression task: training, measures, baselines, the stored tables."""

import math

import numpy as np
import pandas
import pytest
import torch

from descent.chapters.symphonic_losses import compression
from descent.chapters.symphonic_losses import compression_sweeps as sweeps
from descent.networks import image_patches
from descent.networks import variational_autoencoder as autoencoder
from descent.sweeps import load


def test_baselines_against_numpy():
    sets = image_patches.load()
    found = compression.data()
    mean = sets.train.mean(0, dtype=float)
    assert found.mean_image_error == pytest.approx(np.mean((sets.test - mean) ** 2), rel=1e-4)
    expected = sets.test.var(axis=(1, 2), dtype=float).mean()
    assert found.mean_colour_error == pytest.approx(expected, rel=1e-4)
    assert compression.decibels(0.01) == pytest.approx(20)


def test_principal_components_against_the_singular_value_decomposition(monkeypatch):
    generator = torch.Generator().manual_seed(0)
    train, test = (torch.rand(n, 3, 32, 32, generator=generator) for n in (60, 20))
    monkeypatch.setattr(compression, "data", lambda: compression.Data(train, test, "noise"))
    found = compression.principal_component_errors.__wrapped__((5, 40), every=1)
    mean = train.mean(0).flatten()
    axes = np.linalg.svd((train.flatten(1) - mean).numpy(), full_matrices=False)[2]
    centred = (test.flatten(1) - mean).numpy()
    for count, error in zip((5, 40), found, strict=True):
        kept = axes[:count]
        expected = np.mean((centred - centred @ kept.T @ kept) ** 2)
        assert error == pytest.approx(expected, rel=1e-3)


def test_plain_means():
    images, made = torch.rand(2, 4, 3, 32, 32, generator=torch.Generator().manual_seed(0))
    z = torch.randn(4, compression.LATENT, generator=torch.Generator().manual_seed(1))
    passed = autoencoder.Pass(z, z, z, made)
    found = compression.losses_of(compression.SETTINGS["means"], images, passed)
    likelihood = compression.losses_of(compression.SETTINGS["seven"], images, passed)
    assert list(found) == list(likelihood)
    assert float(found["reconstruction"]) == pytest.approx(float((images - made).square().mean()))
    error = images - made
    slopes = [error.diff(dim=axis).square().mean() for axis in (2, 3)]
    assert float(found["gradient domain"]) == pytest.approx(float(sum(slopes) / 2))
    assert float(found["KL"]) == float(likelihood["KL"])


def test_training_learns_and_repeats():
    """The error falls to a fraction of the mean image's; the same seed gives the same numbers."""
    sets = compression.data()
    trained = compression.train("five", "equal_sum", 3e-3, 60, 0)
    measured = compression.measure(trained, 0)
    assert measured["failure"] == ""
    assert measured["error"] < 0.6 * sets.mean_image_error
    again = compression.train("five", "equal_sum", 3e-3, 3, 0)
    for name, values in again.losses.items():
        assert values == trained.losses[name][:3]
    other = compression.train("five", "equal_sum", 3e-3, 1, 1)
    assert other.losses["reconstruction"] != again.losses["reconstruction"][:1]


def test_constant_weights():
    assert compression.constant_weights("five", "fixed_weights") == (1, 0.1, 1, 0.1, 0.1)
    assert len(compression.constant_weights("means", "fixed_weights")) == 7
    assert compression.constant_weights("five", "loss_slope") is None


def test_untrained_is_called_collapsed():
    measured = compression.measure(compression.train("seven", "equal_sum", 3e-3, 0, 0), 0)
    assert measured["failure"] == "collapse"
    assert measured["error"] == pytest.approx(compression.data().mean_image_error, rel=0.1)


def test_divergence_is_reported(monkeypatch):
    def broken(*args):
        return {"a": torch.tensor(math.nan), "b": torch.tensor(1.0)}

    monkeypatch.setattr(compression, "losses_of", broken)
    trained = compression.train("five", "equal_sum", 3e-3, 5, 0)
    assert not trained.finite
    assert compression.measure(trained, 0)["failure"] == "not finite"


def test_rules_see_the_same_start_and_the_same_batches():
    first = compression.train("five", "equal_sum", 1e-9, 2, 3).losses
    other = compression.train("five", "loss_slope", 1e-9, 2, 3).losses
    for name, values in first.items():
        assert values == pytest.approx(other[name], rel=1e-4)


@pytest.mark.parametrize(
    ("setting", "rule", "step_size", "steps"),
    [
        ("six", "equal_sum", 1e-3, 1),
        ("five", "sum", 1e-3, 1),
        ("five", "equal_sum", 0.0, 1),
        ("five", "equal_sum", 1e-3, -1),
    ],
)
def test_bad_arguments(setting, rule, step_size, steps):
    with pytest.raises(ValueError, match=r"must (be|not be)"):
        compression.train(setting, rule, step_size, steps, 0)


def test_summary_and_gain():
    rows = [
        {"setting": "five", "rule": rule, "seed": seed, "error": error, "failure": failure}
        | dict.fromkeys(["mean_error", "covariance_error", "skewness", "kurtosis"], 0.1)
        for rule, errors in (("equal_sum", (0.1, 0.01)), ("loss_slope", (0.01, 0.01)))
        for seed, error in enumerate(errors)
        for failure in ["collapse" if error > 0.05 else ""]
    ]
    frame = pandas.DataFrame(rows)
    table = compression.summary(frame)
    assert table.loc["five", "equal_sum"].failures == 1
    assert table.loc["five", "loss_slope"].decibels == pytest.approx(20)
    gain, error = compression.gain(frame, "five", "loss_slope")
    assert (gain, error) == pytest.approx((5, 5))  # ten decibels at one seed of two


def test_step_sizes_are_the_chosen_ones():
    chosen = compression.chosen_steps(load(sweeps.TUNING.name).query("steps > 3"))
    assert chosen.to_dict() == sweeps.CHOSEN
    assert compression.TUNING_SEED not in sweeps.SEEDS


def test_pictures_are_what_was_decoded():
    row = compression.reconstruct_once("seven", "equal_sum", 3e-3, 0, 0, len(compression.SHOWN))
    rows = [
        {"setting": setting, "rule": rule, "steps": steps} | row
        for setting, rule, steps in compression.PICTURED
    ]
    shown = compression.pictures(pandas.DataFrame(rows))
    test = image_patches.load().test[list(compression.SHOWN)]
    np.testing.assert_allclose(shown.pop("original") / 255, test, atol=0.003)
    mean = image_patches.load().train.mean(0)  # what an untrained decoder draws, almost
    for patches in shown.values():
        np.testing.assert_allclose(patches / 255, np.broadcast_to(mean, patches.shape), atol=0.2)


def test_inverse_norm_keeps_the_weight_where_nothing_is_drawn():
    """The gradient domain's gradient is short at the mean image; the reconstruction's is long."""
    trained = compression.train("five", "inverse_gradient_norm", 3e-3, 30, 0)
    weights = dict(zip(trained.losses, np.transpose(trained.weights), strict=True))
    assert weights["gradient domain"][20:].mean() > 0.8
    assert weights["reconstruction"].max() < 0.01
    other = compression.train("five", "gradient_norm", 3e-3, 3, 0)
    assert other.weights[0][0] > 0.8
