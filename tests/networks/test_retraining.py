"""Retraining without images: against a plain loop, finite differences, and what is left out."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from descent.networks.attribution import own_updates
from descent.networks.retraining import (
    DrawnTraining,
    count_parameters,
    draw_training,
    gradients,
    losses,
    path,
    retrain,
)
from descent.networks.unrolled import unrolled_changes

CLASSES = 3


def made(hidden=4, passes=20, n=12, seed=0, **options):
    generator = torch.Generator().manual_seed(seed)
    images = torch.rand(n, 5, generator=generator, dtype=torch.float64)
    labels = torch.arange(n) % CLASSES
    settings = dict(batch_size=4, step_size=0.3, weight_decay=0.01) | options
    return draw_training(
        images,
        labels,
        hidden=hidden,
        classes=CLASSES,
        passes=passes,
        generator=generator,
        **settings,
    )


def by_hand(training, weights):
    """Train one network in numpy, with the gradients written out."""
    x, y = training.images.numpy(), np.eye(CLASSES)[training.labels.numpy()]
    border = training.hidden * (x.shape[1] + 1)
    theta = training.start.numpy().copy()
    for batch, eta in zip(training.order.numpy(), training.step_sizes.numpy(), strict=True):
        w = theta[:border].reshape(training.hidden, -1)
        v = theta[border:].reshape(CLASSES, -1)
        a = np.c_[x[batch], np.ones(len(batch))]
        z = a @ w.T
        h = np.c_[np.logaddexp(0, z), np.ones(len(batch))]
        p = np.exp(h @ v.T)
        p /= p.sum(axis=1, keepdims=True)
        e = (p - y[batch]) * weights[batch, None] / len(batch)
        delta = (e @ v[:, :-1]) / (1 + np.exp(-z))
        gradient = np.r_[(delta.T @ a).ravel(), (e.T @ h).ravel()]
        theta -= eta * (gradient + training.weight_decay * theta)
    return theta


def test_retraining_is_the_plain_loop():
    training = made()
    weights = np.ones((3, 12))
    weights[1, 5], weights[2, ::2] = 0, 0
    found = retrain(training, torch.tensor(weights))
    for end, w in zip(found, weights, strict=True):
        np.testing.assert_allclose(end, by_hand(training, w), rtol=1e-10, atol=1e-12)


def test_the_path_ends_where_training_ends():
    training = made()
    seen = path(training)
    assert torch.equal(seen[0], training.start)
    torch.testing.assert_close(seen[-1], retrain(training, torch.ones(1, 12))[0])


def test_an_image_left_out_does_not_exist():
    """Another image in its place changes nothing."""
    training, weights = made(), torch.ones(1, 12)
    weights[0, 7] = 0
    images, labels = training.images.clone(), training.labels.clone()
    images[7], labels[7] = 9.0, (labels[7] + 1) % CLASSES
    other = replace(training, images=images, labels=labels)
    assert torch.equal(retrain(training, weights), retrain(other, weights))
    assert not torch.equal(retrain(training, torch.ones(1, 12)), retrain(other, torch.ones(1, 12)))


@pytest.mark.parametrize("hidden", [0, 4])
def test_unrolled_changes_are_finite_differences_of_retraining(hidden):
    training, step = made(hidden, passes=40), 1e-4
    weights = torch.ones(2 * 12, 12, dtype=torch.float64)
    weights[:12] -= step * torch.eye(12)
    weights[12:] += step * torch.eye(12)
    less, more = retrain(training, weights).split(12)
    expected, found = (less - more) / (2 * step), unrolled_changes(training)
    assert (found - expected).norm() < 1e-6 * expected.norm()
    # Not so if an image's later consequences are forgotten, or its sign.
    assert (found + expected).norm() > expected.norm()


def test_unrolled_changes_of_one_step_are_the_step():
    training = made(passes=1, n=4)
    own = gradients(training, training.start, training.images, training.labels)
    torch.testing.assert_close(unrolled_changes(training), own * training.step_sizes[0] / 4)


def test_unrolled_changes_miss_leaving_out_by_the_square_of_the_weight():
    """Half as much left out, a quarter of the error."""
    training = made()
    found, errors = unrolled_changes(training)[3], []
    for size in (0.1, 0.05):
        weights = torch.ones(2, 12, dtype=torch.float64)
        weights[1, 3] -= size
        whole, less = retrain(training, weights)
        errors.append((less - whole - size * found).norm())
    assert errors[0] / errors[1] == pytest.approx(4, rel=0.1)


def test_losses_are_those_of_probabilities_and_gradients_their_slopes():
    training = made()
    x, y = training.images, training.labels
    each = torch.stack(
        [losses(training, training.start[None], x, torch.full((12,), c))[0] for c in range(CLASSES)]
    )
    torch.testing.assert_close((-each).exp().sum(0), torch.ones(12, dtype=torch.float64))
    step = 1e-6
    direction = torch.linspace(-1, 1, len(training.start), dtype=torch.float64)
    ends = torch.stack([training.start + step * direction, training.start - step * direction])
    high, low = losses(training, ends, x, y)
    slopes = gradients(training, training.start, x, y) @ direction
    torch.testing.assert_close((high - low) / (2 * step), slopes, rtol=1e-6, atol=1e-8)


def test_own_starts():
    training = made()
    starts = torch.stack([training.start, 2 * training.start])
    found = retrain(training, torch.ones(2, 12), starts)
    torch.testing.assert_close(found[0], retrain(training, torch.ones(1, 12))[0])
    alone = replace(training, start=starts[1])
    torch.testing.assert_close(found[1], retrain(alone, torch.ones(1, 12))[0])


def test_every_image_comes_once_a_pass_and_steps_fall_in_the_second_half():
    training = made(passes=6)
    for one in training.order.view(6, 12):
        assert sorted(one.tolist()) == list(range(12))
    sizes = training.step_sizes
    assert (sizes[:9] == 0.3).all()
    assert (sizes[9:].diff() < 0).all()
    assert 0 < sizes[-1] < 0.05


@pytest.mark.parametrize(
    "call", [lambda t: retrain(t, torch.ones(1, 12)), path, unrolled_changes, own_updates]
)
def test_divergence_is_an_error(call):
    training = made(passes=400, weight_decay=3.0, step_size=5.0)
    rising = training.step_sizes.clone()
    rising[0] = 0.0  # the message tells the largest, not the first
    with pytest.raises(FloatingPointError, match="diverged at step_sizes up to 5"):
        call(replace(training, step_sizes=rising))


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("signal", [25.0, 95.0])
def test_large_signals_of_hidden_neurons_are_neither_infinite_nor_two_functions(signal, dtype):
    """Written out and by automatic differentiation; exp(95) is infinite in float32."""
    training = made(hidden=2, passes=4)
    start = training.start.clone()
    start[5::6][:2] = signal
    names = ("images", "start", "step_sizes")
    training = replace(training, start=start)
    training = replace(training, **{k: getattr(training, k).to(dtype) for k in names})
    by_path = path(training)
    theta = by_path[0]
    for batch, eta in zip(training.order, training.step_sizes, strict=True):
        own = gradients(training, theta, training.images[batch], training.labels[batch])
        theta = theta - eta * (own.mean(0) + training.weight_decay * theta)
    eps = torch.finfo(dtype).eps
    torch.testing.assert_close(by_path[-1], theta, rtol=100 * eps, atol=1000 * eps)
    assert torch.isfinite(unrolled_changes(training)).all()


def test_with_no_image_only_the_decay_is_left():
    training = made()
    (end,) = retrain(training, torch.zeros(1, 12))
    left = (1 - training.step_sizes * training.weight_decay).prod()
    torch.testing.assert_close(end, training.start * left)


@pytest.mark.parametrize(
    ("name", "call"),
    [
        ("start", lambda t: replace(t, start=t.start.float())),
        ("starts", lambda t: retrain(t, torch.ones(1, 12), t.start[None].float())),
        ("parameters", lambda t: losses(t, t.start[None].float(), t.images, t.labels)),
        ("images", lambda t: gradients(t, t.start, t.images.float(), t.labels)),
    ],
)
def test_another_precision_than_the_training_has_is_refused(name, call):
    with pytest.raises(TypeError, match=f"^{name} must be torch.float64, as the training is"):
        call(made())


@pytest.mark.parametrize(
    ("changes", "error", "message"),
    [
        (dict(labels=torch.full((12,), 3)), ValueError, "labels must lie in 0 … 2; got 3 … 3"),
        (dict(labels=torch.zeros(12)), TypeError, "labels must be a tensor of int64"),
        (dict(order=torch.zeros(5, 2, dtype=torch.int64)), ValueError, "order must not have"),
        (dict(step_sizes=torch.ones(3)), ValueError, "step_sizes must have shape"),
        (dict(step_sizes=-torch.ones(60)), ValueError, "step_sizes must not be negative"),
        (dict(start=torch.ones(3)), ValueError, "start must have shape"),
        (dict(weight_decay=-1.0), ValueError, "weight_decay must be zero or positive"),
    ],
)
def test_a_training_that_does_not_fit_is_refused(changes, error, message):
    with pytest.raises(error, match=message):
        replace(made(), **changes)


def test_a_batch_that_does_not_divide_the_images_is_refused():
    with pytest.raises(ValueError, match="batch_size must divide the 12 images; got 5"):
        made(batch_size=5)


def test_parameters_are_counted():
    assert count_parameters(64, 6, 3) == 6 * 65 + 3 * 7
    assert isinstance(made(), DrawnTraining)
