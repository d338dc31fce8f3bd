"""Adam's step: against torch's, by closed forms, and the same for arrays and tensors."""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from descent.adam import FRESH, Moments, adam_step

PAIRS = [(0.9, 0.999), (0.9, 0.99), (0.0, 0.5), (0.5, 0.9)]


def quartic(x):
    """The gradient of a function whose Hessian changes along the path."""
    return x**3 - np.array([2.0, -1.0, 0.3])


def path(gradient, x, n, moments=FRESH, **options):
    """Return n steps, and the memory."""
    points = [x]
    for _ in range(n):
        step, moments = adam_step(gradient(points[-1]), moments, **options)
        points.append(points[-1] - step)
    return np.array(points), moments


@pytest.mark.parametrize("betas", PAIRS)
@pytest.mark.parametrize("epsilon", [1e-8, 0.1])
def test_the_path_is_that_of_torch(betas, epsilon):
    ours, _ = path(quartic, np.full(3, 0.5), 200, size=0.02, betas=betas, epsilon=epsilon)
    x = torch.full((3,), 0.5, dtype=torch.float64, requires_grad=True)
    optimizer = torch.optim.Adam([x], lr=0.02, betas=betas, eps=epsilon)
    for point in ours:
        np.testing.assert_allclose(x.detach().numpy(), point, rtol=1e-11, atol=1e-12)
        x.grad = torch.tensor(quartic(x.detach().numpy()))
        optimizer.step()


@pytest.mark.parametrize("betas", PAIRS)
def test_arrays_and_tensors_take_the_same_steps(betas):
    rng, ours, theirs = np.random.default_rng(0), FRESH, FRESH
    for _ in range(20):
        gradient, sizes = rng.normal(size=(4, 2)), np.array([[0.1], [0.2], [0.3], [0.0]])
        step, ours = adam_step(gradient, ours, sizes, betas)
        tensor, theirs = adam_step(torch.tensor(gradient), theirs, torch.tensor(sizes), betas)
        np.testing.assert_allclose(tensor.numpy(), step, rtol=1e-13)
    assert ours.steps == theirs.steps == 20


@given(st.floats(1e-3, 1e3), st.integers(1, 50), st.sampled_from(PAIRS))
def test_under_one_gradient_for_ever_each_step_has_the_step_size(g, n, betas):
    points, _ = path(lambda x: g, 0.0, n, size=0.1, betas=betas)
    np.testing.assert_allclose(points, -0.1 * np.arange(n + 1) * g / (g + 1e-8), rtol=1e-12)


@given(st.floats(0.01, 100))
def test_the_scale_of_the_loss_does_not_matter(scale):
    one, _ = path(quartic, np.full(3, 0.5), 30, size=0.1, epsilon=0.0)
    other, _ = path(lambda x: scale * quartic(x), np.full(3, 0.5), 30, size=0.1, epsilon=0.0)
    np.testing.assert_allclose(one, other, rtol=1e-9)


def test_a_path_goes_on_from_its_memory():
    whole, _ = path(quartic, np.full(3, 0.5), 30, size=0.1)
    first, moments = path(quartic, np.full(3, 0.5), 12, size=0.1)
    rest, _ = path(quartic, first[-1], 18, moments, size=0.1)
    assert np.array_equal(whole, np.concatenate([first, rest[1:]]))
    assert moments.steps == 12


def test_the_memory_handed_over_stays_as_it_was():
    gradient = torch.ones(2)
    _, moments = adam_step(gradient)
    before = [moments.first.clone(), moments.second.clone()]
    adam_step(5 * gradient, moments)
    assert all(torch.equal(a, b) for a, b in zip(before, moments[:2], strict=True))
    assert Moments() == FRESH
