"""Where there is nothing to share, each loss has an equal share."""

import numpy as np
import pytest

from descent import aggregation


@pytest.mark.parametrize("m", [1, 4])
def test_losses_without_gradients_weigh_the_same(m):
    step = aggregation.gradient_norm(np.ones(m), np.zeros((m, 3)))
    np.testing.assert_allclose(step.weights, 1 / m)
    assert not step.gradient.any()


def test_losses_that_stand_still_weigh_the_same():
    losses, gradients, state = np.array([1.0, 2.0, 3.0]), np.eye(3), None
    for _ in range(3):
        step = aggregation.loss_slope(losses, gradients, state)
        state = step.state
    np.testing.assert_allclose(step.weights, 1 / 3)


def test_one_run_without_gradients_leaves_the_others_as_they_are():
    gradients = np.array([[[1.0, 0.0], [0.0, 3.0]], np.zeros((2, 2))])
    weights = aggregation.gradient_norm(np.ones((2, 2)), gradients).weights
    np.testing.assert_allclose(weights, [[0.25, 0.75], [0.5, 0.5]])
