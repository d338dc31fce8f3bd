"""Means with errors, and success rates with intervals, against their formulas."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from descent.estimates import clustered_rate, mean_with_error, wilson


def test_the_standard_error_is_that_of_many_repetitions():
    samples = np.random.default_rng(0).normal(3, 2, size=(4000, 25))
    found = np.array([mean_with_error(row) for row in samples])
    assert found[:, 0].std() == pytest.approx(2 / 5, rel=0.05)
    assert np.sqrt((found[:, 1] ** 2).mean()) == pytest.approx(2 / 5, rel=0.02)


@given(runs=st.integers(1, 200), data=st.data())
def test_the_interval_is_wilsons(runs, data):
    k, z = data.draw(st.integers(0, runs)), 1.959963984540054
    share = k / runs
    centre = (share + z**2 / (2 * runs)) / (1 + z**2 / runs)
    half = z / (1 + z**2 / runs) * np.sqrt(share * (1 - share) / runs + z**2 / (4 * runs**2))
    np.testing.assert_allclose(wilson(k, runs), [centre - half, centre + half], atol=1e-9)


def test_repeats_that_agree_are_one_run_and_independent_ones_are_many():
    alone = np.array([True] * 14 + [False] * 6)
    agree = clustered_rate(np.repeat(alone[:, None], 3, axis=1))
    assert agree.between == pytest.approx(1)
    assert (agree.low, agree.high) == pytest.approx(wilson(14, 20))
    assert clustered_rate(alone[:, None])[1:3] == pytest.approx(wilson(14, 20))
    mixed = clustered_rate([[True, False]] * 20)
    assert mixed.between == 0
    assert (mixed.low, mixed.high) == pytest.approx(wilson(20, 40))
    nothing = clustered_rate(np.zeros((20, 3)))
    assert (nothing.low, nothing.high) == pytest.approx(wilson(0, 20), abs=1e-12)


@pytest.mark.slow
def test_the_interval_of_repeats_covers_and_that_of_single_runs_does_not():
    """Seeds with rates of their own, Beta(0.7, 0.3): ρ = 1/2, three repeats each."""
    rng, covered = np.random.default_rng(0), np.zeros(2)
    for _ in range(2000):
        hits = rng.random((20, 3)) < rng.beta(0.7, 0.3, (20, 1))
        clustered, naive = clustered_rate(hits), wilson(int(hits.sum()), hits.size)
        covered += [clustered.low <= 0.7 <= clustered.high, naive[0] <= 0.7 <= naive[1]]
    assert covered[0] / 2000 > 0.93
    assert covered[1] / 2000 < 0.88


def test_the_share_of_the_variance_is_that_of_the_model():
    rng = np.random.default_rng(1)
    hits = rng.random((20_000, 4)) < rng.beta(1.5, 0.5, (20_000, 1))
    assert clustered_rate(hits).between == pytest.approx(1 / 3, abs=0.02)  # 1/(a + b + 1)


@given(st.integers(2, 12), st.integers(1, 5), st.randoms())
def test_neither_order_nor_names_of_seeds_and_repeats_count(groups, m, order):
    hits = np.array([[order.random() < 0.6 for _ in range(m)] for _ in range(groups)])
    found = np.array(clustered_rate(hits))
    shuffled = hits[order.sample(range(groups), groups)][:, order.sample(range(m), m)]
    np.testing.assert_allclose(clustered_rate(shuffled), found, atol=1e-12)
    share, low, high, between = found
    flipped = np.array(clustered_rate(~hits))
    np.testing.assert_allclose(flipped, [1 - share, 1 - high, 1 - low, between], atol=1e-12)
    assert 0 <= low <= share <= high <= 1
    assert 0 <= between <= 1


@pytest.mark.parametrize("groups", range(2, 12))
@pytest.mark.parametrize("outcome", [False, True])
def test_runs_that_all_agree_lie_at_an_end_of_their_interval(groups, outcome):
    found = clustered_rate(np.full((groups, 3), outcome))
    assert found.share == (found.high if outcome else found.low) == outcome


def test_outcomes_are_true_or_false_and_of_two_groups():
    with pytest.raises(ValueError, match="outcomes must be true or false"):
        clustered_rate([[0.5, 1.0], [1.0, 0.0]])
    with pytest.raises(ValueError, match="two groups at least"):
        clustered_rate([[True, False]])
