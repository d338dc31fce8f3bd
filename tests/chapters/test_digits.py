"""The compression test that decides: its network, its losses, its table."""

import numpy as np
import pytest
import torch
from sklearn.decomposition import PCA

from descent.chapters.symphonic_losses import digits, digits_forecasts, digits_sweeps
from descent.networks import variational_autoencoder as autoencoder
from descent.sweeps import load


def network(code=6, seeds=(0, 1)):
    return digits.Network(code, [np.random.default_rng(seed) for seed in seeds])


def batch(n=32, code=6):
    rng = np.random.default_rng(5)
    x = digits.data().train[:n]
    return np.stack([x, x[::-1]]), rng.standard_normal((2, n, code))


def test_the_images_have_variance_one_in_all_and_principal_components_are_sklearns():
    sets = digits.data()
    assert (sets.train**2).sum(axis=1).mean() == pytest.approx(1)
    made = PCA(6, svd_solver="full").fit(sets.train)
    left = sets.test - made.inverse_transform(made.transform(sets.test))
    expected = (left**2).sum() / (sets.test**2).sum()
    assert digits.principal_component_error(6) == pytest.approx(expected)


def test_moments_are_the_librarys_losses():
    z = np.random.default_rng(0).gamma(2.0, size=(3, 40, 5))
    values, _ = digits.moments(z)
    for found, code in zip(values, torch.as_tensor(z), strict=True):
        expected = [
            autoencoder.batch_mean(code),
            autoencoder.batch_covariance(code),
            autoencoder.batch_skewness(code),
            autoencoder.batch_kurtosis(code),
        ]
        np.testing.assert_allclose(found, expected, rtol=1e-9)


@pytest.mark.parametrize("setting", digits.LOSSES)
def test_gradients_are_differences_of_the_losses(setting):
    made, (x, noise) = network(), batch()
    gradient = digits.gradients(made, digits.losses(made, x, noise, setting, 0.7))
    assert gradient.shape[1] == len(digits.LOSSES[setting])
    along = np.random.default_rng(1).standard_normal(made.vector.shape)
    at, values = made.vector, []
    for side in (1e-6, -1e-6):
        made.vector = at + side * along
        values.append(digits.losses(made, x, noise, setting, 0.7).values)
    slope = (values[0] - values[1]) / 2e-6
    np.testing.assert_allclose((gradient * along[:, None]).sum(axis=-1), slope, atol=1e-6)


def test_one_gradient_of_the_weighted_sum_is_the_sum_of_the_gradients():
    """The equal sum by one gradient, and by rows from which the same step is made."""
    one = digits.train("noisy", "equal_sum", 2.0, (1e-3,), 1, (3,)).network.vector
    made = digits.Network(6, [rng := np.random.default_rng([21, 3])])
    sets = digits.data()
    x = sets.train[rng.integers(len(sets.train), size=digits.BATCH)][None]
    noise = rng.standard_normal((digits.BATCH, 6))[None]
    rows = digits.gradients(made, digits.losses(made, x, noise, "noisy", 2.0))
    expected = made.vector - 1e-3 * np.sign(rows.mean(axis=1))  # Adam's first step
    away = np.abs(rows.mean(axis=1)) > 1e-4
    np.testing.assert_allclose(one[away], expected[away], rtol=1e-4, atol=1e-6)


def test_budgets_count_gradients():
    """Of six losses a rule that reads all gradients takes a sixth of the steps."""
    looks = {
        rule: len(digits.train("noisy", rule, 1.0, (1e-3,), 606, (0,)).losses)
        for rule in ("equal_sum", "gradient_norm")
    }
    assert looks == {"equal_sum": 13, "gradient_norm": 3}  # of 606 and 101 steps every 50th


def test_the_same_seed_gives_the_same_network_alone_and_beside_others():
    alone = digits.train("moments", "equal_sum", 1.0, (1e-3,), 40, (4,))
    beside = digits.train("moments", "equal_sum", 1.0, (3e-3, 1e-3), 40, (7, 4))
    np.testing.assert_allclose(beside.network.vector[1], alone.network.vector[0], rtol=1e-9)


def test_the_forecasts_are_tested_on_the_whole_table():
    table = load("09-digits")
    assert len(table) == len(digits_sweeps.DIGITS.points)
    assert table.finite.all()
    held = [forecast.holds(table) for forecast in digits_forecasts.FORECASTS]
    assert all(isinstance(one, bool) for one in held)
    with pytest.raises(KeyError):
        digits_forecasts.row(table, "moments", "equal_sum", strength=7.0)


def test_step_sizes_were_chosen_from_the_list():
    table = load("09-digits")
    assert set(table.step_size) <= set(digits_sweeps.STEP_SIZES)
