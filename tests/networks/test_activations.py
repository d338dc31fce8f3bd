"""Activations and their slopes."""

import numpy as np
import pytest

from descent.networks.activations import ACTIVATIONS


@pytest.mark.parametrize("activation", sorted(ACTIVATIONS))
def test_slopes_are_derivatives_and_nothing_overflows(activation):
    function, z, h = ACTIVATIONS[activation], np.linspace(-3, 3, 61) + 0.0123, 1e-6
    difference = (function(z + h)[0] - function(z - h)[0]) / (2 * h)
    np.testing.assert_allclose(function(z)[1], difference, atol=1e-8)
    far = np.array([-800.0, -100.0, 100.0, 800.0])
    for value in function(far):
        assert np.isfinite(value).all()
    for dtype in (np.float32, np.float64):
        assert all(v.dtype == dtype for v in function(z.astype(dtype)))
