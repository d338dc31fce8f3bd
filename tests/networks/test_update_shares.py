"""Shares of updating and the correlations between them."""

import numpy as np
import pytest

from descent.networks import update_shares


def test_partial_correlations_see_through_a_common_cause():
    """Pixels that drive both shares, with neurons that do nothing, and the other way round."""
    rng = np.random.default_rng(0)
    pixel, neuron = rng.normal(size=(1, 200)), rng.normal(size=(100, 1))
    noise = [rng.normal(size=(100, 200)) for _ in range(2)]
    by_pixel = [pixel + v for v in noise]
    by_neuron = [neuron + v for v in noise]
    bound = 4 / np.sqrt(100 * 200)
    assert update_shares.correlation(*by_pixel) > 0.4
    assert abs(update_shares.within_pixel_correlation(*by_pixel)) < bound
    assert abs(update_shares.partial_correlation(*by_pixel, pixel)) < bound
    assert update_shares.within_pixel_correlation(*by_neuron) > 0.4
    assert update_shares.partial_correlation(*by_neuron, pixel) > 0.4


def test_within_pixel_correlation_is_the_partial_one_given_all_pixels():
    rng = np.random.default_rng(0)
    x, y = rng.random((2, 30, 7)) + rng.random(7)
    x[3, 2] = np.nan
    pixels = [np.arange(7) == j for j in range(6)]
    assert update_shares.within_pixel_correlation(x, y) == pytest.approx(
        update_shares.partial_correlation(x, y, *pixels), abs=1e-12
    )


def test_dead_parameters_have_no_share():
    assert np.isnan(update_shares.share(0.0, 0.0))
    assert np.isnan(update_shares.correlation([1.0, np.nan, 2.0], [1.0, 2.0, 3.0]))
    assert np.isnan(update_shares.correlation([1.0, 1.0, 1.0], [1.0, 2.0, 3.0]))
