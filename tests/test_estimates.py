"""Means with errors, and success rates with intervals, against their formulas."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from descent.estimates import mean_with_error, wilson


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
