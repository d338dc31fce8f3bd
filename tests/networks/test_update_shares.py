"""Shares of updating and the correlations between them; units, extremes, and what is still."""

from itertools import permutations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from descent.networks import update_shares
from descent.networks.update_shares import (
    correlation,
    partial_correlation,
    share,
    within_pixel_correlation,
)

X = np.random.default_rng(0).random((6, 4))
Y = X + 0.5 * np.random.default_rng(1).random((6, 4))
COVARIATE = np.random.default_rng(2).random((6, 4))
UNITS = (1e-300, 1e-160, 1.0, 1e160, 1e300)


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


@pytest.mark.parametrize("unit", UNITS)
@pytest.mark.parametrize("sign", [1, -1])
@pytest.mark.parametrize(
    "measure",
    [correlation, within_pixel_correlation, lambda x, y: partial_correlation(x, y, COVARIATE)],
)
def test_the_unit_changes_nothing_and_a_mirror_the_sign(measure, unit, sign):
    plain = measure(X, Y)
    assert measure(X * unit * sign, Y / unit) == pytest.approx(sign * plain, rel=1e-12)


@pytest.mark.parametrize("unit", [1e-320, 1e-300, 1e300, 1e308])
def test_shares_of_any_scale(unit):
    np.testing.assert_allclose(share([unit, unit], [unit, 0.0]), [0.5, 1.0])


@given(st.permutations(range(24)))
def test_the_order_of_the_pairs_changes_nothing(order):
    x, y = X.ravel(), Y.ravel()
    assert correlation(x[order], y[order]) == pytest.approx(correlation(x, y), rel=1e-12)


@pytest.mark.parametrize("constant", [0.1, 1e-9, 1e9, -0.3])
def test_what_does_not_vary_has_no_correlation(constant):
    """The mean of equal numbers differs from them by rounding, which is no variation."""
    still = np.full((6, 4), constant)
    assert np.isnan(correlation(still, Y))
    assert np.isnan(correlation(still, still * 3))
    assert np.isnan(within_pixel_correlation(still, still * 3))
    assert np.isnan(partial_correlation(still, Y, COVARIATE))


def test_what_the_covariates_explain_wholly_has_no_correlation():
    assert np.isnan(partial_correlation(2 * COVARIATE + 1, Y, COVARIATE))
    few = [a.ravel()[:3] for a in (X, Y, COVARIATE)]
    assert np.isnan(partial_correlation(*few))  # one degree of freedom: always 1 or -1
    four = [a.ravel()[:4] for a in (X, Y, COVARIATE)]
    assert abs(partial_correlation(*four)) < 1
    # A covariate that is given twice takes one degree of freedom, not two.
    assert partial_correlation(*four, four[2]) == pytest.approx(partial_correlation(*four))


def test_parts_add_up_to_the_correlation():
    rng = np.random.default_rng(2)
    x, y = rng.random((2, 9, 7)) + rng.random((2, 1, 7)) + rng.random((9, 1))
    parts = update_shares.split_correlation(x, y)
    assert sum(parts) == pytest.approx(correlation(x, y), abs=1e-14)
    other = update_shares.split_correlation(1e200 * x, -y)
    np.testing.assert_allclose(other, -np.array(parts), rtol=1e-12)


def test_the_part_of_the_pixels_is_what_exchanged_neurons_leave():
    """The mean over all permutations of the neurons of one of the two, for four neurons."""
    rng = np.random.default_rng(3)
    x, y = rng.random((2, 4, 6)) + rng.random((4, 1))
    orders = list(permutations(range(4)))
    left = np.mean([correlation(x, y[list(order)]) for order in orders])
    assert update_shares.split_correlation(x, y).pixels == pytest.approx(left, abs=1e-14)


def test_each_part_is_alone_where_it_should_be():
    rng = np.random.default_rng(4)
    pixel, neuron = rng.random((1, 30)), rng.random((20, 1))
    noise = rng.random((20, 30))
    noise += noise.mean() - noise.mean(axis=0) - noise.mean(axis=1, keepdims=True)
    shape = np.zeros((20, 30))
    for k, alone in enumerate((pixel + shape, neuron + shape, noise)):
        parts = update_shares.split_correlation(alone, 2 * alone + 1)
        np.testing.assert_allclose(parts, np.eye(3)[k], atol=1e-12)


def test_dead_neurons_have_no_part():
    x, y = X.copy(), Y.copy()
    x[1] = np.nan
    alive = np.delete(np.arange(len(x)), 1)
    np.testing.assert_allclose(
        update_shares.split_correlation(x, y), update_shares.split_correlation(X[alive], Y[alive])
    )
    assert np.isnan(update_shares.split_correlation(x[:2], y[:2])).all()
    assert np.isnan(update_shares.split_correlation(np.ones((3, 4)), np.ones((3, 4)))).all()
