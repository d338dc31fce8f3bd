"""Estimates of influence: limits in which they are exact, closed forms, and where they are not."""

import math
from dataclasses import replace

import numpy as np
import pytest
import torch
from scipy.stats import spearmanr

from descent.networks.attribution import (
    ekfac_changes,
    hessian_changes,
    own_updates,
    tracin,
    trak,
)
from descent.networks.attribution_scores import linear_datamodeling_score, rank_correlations
from descent.networks.retraining import (
    draw_training,
    gradients,
    losses,
    path,
    retrain,
)
from descent.networks.unrolled import unrolled_changes


def made(hidden=4, passes=20, n=12, batch_size=4, classes=3, **options):
    generator = torch.Generator().manual_seed(0)
    images = torch.rand(n, 5, generator=generator, dtype=torch.float64)
    settings = dict(step_size=0.3, weight_decay=0.05) | options
    return draw_training(
        images,
        torch.arange(n) % classes,
        hidden=hidden,
        classes=classes,
        passes=passes,
        batch_size=batch_size,
        generator=generator,
        **settings,
    )


def end_of(training):
    return retrain(training, torch.ones(1, len(training.images)))[0]


def converged(passes):
    """Softmax regression with all images in each step: strictly convex, no order."""
    return made(hidden=0, passes=passes, batch_size=12, step_size=1.0)


def test_influence_function_is_unrolled_training_where_a_convex_one_has_converged():
    far = []
    for passes in (40, 160, 800):
        training = converged(passes)
        by_hessian = hessian_changes(training, end_of(training))
        assert by_hessian.damping < 1e-12
        unrolled = unrolled_changes(training)
        far.append(float((by_hessian.changes - unrolled).norm() / unrolled.norm()))
    assert far[0] > 0.01 > far[1] > 1e-5  # not yet converged
    assert far[2] < 1e-8


def test_influence_function_has_the_sign_and_the_factor_of_leaving_out():
    training = converged(1200)
    found = hessian_changes(training, end_of(training)).changes
    for part, allowed in ((0.01, 0.01), (1.0, 0.5)):
        weights = 1 - part * torch.eye(12)
        moved = (retrain(training, weights) - end_of(training)) / part
        slope = (found * moved).sum() / (found * found).sum()
        assert slope == pytest.approx(1, abs=allowed)  # neither -1, nor 12, nor 1/12


def test_an_indefinite_hessian_is_damped_to_its_floor():
    training = made(hidden=4, passes=1)
    found = hessian_changes(training, training.start)
    assert found.least_eigenvalue < 0
    assert found.damping == pytest.approx(training.weight_decay - found.least_eigenvalue)
    higher = hessian_changes(training, training.start, floor=1e6)
    own = gradients(training, training.start, training.images, training.labels)
    torch.testing.assert_close(1e6 * 12 * higher.changes, own, rtol=1e-4, atol=1e-5)


def test_own_updates_and_tracin_are_sums_along_the_path():
    training = made(passes=2)
    found = own_updates(training)
    sizes, sums = torch.zeros_like(found.sizes), torch.zeros_like(found.sums)
    score = torch.zeros(12, 2, dtype=torch.float64)
    x, y = training.images[:2] + 0.1, training.labels[:2]
    for theta, batch, eta in zip(path(training), training.order, training.step_sizes, strict=False):
        for i in batch.tolist():
            one = training.images[i : i + 1], training.labels[i : i + 1]
            g = gradients(training, theta, *one)[0]
            sizes[i] += eta / 4 * abs(g)
            sums[i] += eta / 4 * g
            score[i] += eta / 4 * gradients(training, theta, x, y) @ g
    torch.testing.assert_close(found.sizes, sizes)
    torch.testing.assert_close(found.sums, sums)
    torch.testing.assert_close(tracin(training, x, y), score)


def test_own_updates_and_decay_add_up_to_the_whole_way():
    training = made(weight_decay=0.0)
    way = end_of(training) - training.start
    torch.testing.assert_close(own_updates(training).sums.sum(0), -way)


def test_tracin_of_small_steps_is_what_the_loss_fell():
    training = made(passes=200, step_size=1e-3, weight_decay=0.0)
    ends = torch.stack([training.start, end_of(training)])
    first, last = losses(training, ends, training.images, training.labels)
    fall = tracin(training, training.images, training.labels).sum(0)
    torch.testing.assert_close(fall, first - last, rtol=0.02, atol=1e-4)


def test_ekfac_is_exact_where_the_curvature_is_a_kronecker_product():
    """All images alike, softmax regression: the Hessian is (P - p pᵀ) ⊗ a aᵀ."""
    training = made(hidden=0)
    training = replace(training, images=training.images[:1].expand(12, -1).clone())
    end = end_of(training)
    torch.testing.assert_close(ekfac_changes(training, end), hessian_changes(training, end).changes)


def test_ekfac_has_the_trace_of_the_fisher_information():
    """Great damping leaves the gradient; then comes the curvature, in the gradient's direction."""
    training = made()
    end, large = end_of(training), 1e7
    own = gradients(training, end, training.images, training.labels)
    first = ekfac_changes(training, end, large) * 12 * large
    torch.testing.assert_close(first, own, rtol=1e-5, atol=1e-8)
    curvature = ((own - first) * large * own).sum(1)
    assert (curvature > 0).all()


def test_trak_is_the_influence_function_of_a_logistic_regression_without_decay():
    """With all directions kept it is the Newton step of the log-odds, with (1 - p) for p (1 - p).

    For two classes the gradients of the log-odds span the weights' differences alone.
    """
    training = made(hidden=0, n=40, batch_size=40, classes=2, passes=2000, weight_decay=0.02)
    end = end_of(training)
    x, y = training.images, training.labels
    p = (-losses(training, end[None], x, y)[0]).exp()
    phi = -gradients(training, end, x, y) / (1 - p)[:, None]
    kernel = phi @ torch.linalg.pinv(phi.T @ phi, rtol=1e-10) @ phi.T
    expected = (1 - p)[None, :] * kernel * (1 - p)[:, None]
    found = trak(training, end[None], x, y, dimension=6, generator=torch.Generator())
    torch.testing.assert_close(found, expected, rtol=1e-6, atol=1e-10)
    moved = losses(training, retrain(training, 1 - torch.eye(40)), x, y)
    moved = moved - losses(training, end[None], x, y)
    assert rank_correlations(found, moved).mean() > 0.5


def test_trak_of_one_network_twice_is_that_of_one_with_twice_the_projections():
    training = made()
    end, x, y = end_of(training), training.images, training.labels
    few = [
        trak(training, end[None].expand(r, -1), x, y, dimension=4, generator=torch.Generator())
        for r in (1, 400)
    ]
    again = torch.Generator().manual_seed(1)
    many = trak(training, end[None].expand(400, -1), x, y, dimension=4, generator=again)
    assert (few[1] - many).norm() < 0.3 * (few[0] - many).norm()


@pytest.mark.parametrize(("dtype", "part"), [(torch.float32, 0.25), (torch.float64, 0.6)])
def test_trak_stays_finite_where_the_network_is_sure(dtype, part):
    """1 - p rounds to 0 and its gradient with it; the slope of the log-odds does not."""
    training = made(hidden=0, classes=2)
    names = ("images", "start", "step_sizes")
    training = replace(training, **{k: getattr(training, k).to(dtype) for k in names})
    x = training.images
    sure = torch.zeros(2, 6, dtype=dtype)
    sure[0, -1], sure[1, -1] = 60.0, -60.0  # certain of class 0
    labels = torch.zeros(12, dtype=torch.int64)
    training = replace(training, labels=labels)
    assert losses(training, part * sure.view(1, -1), x, labels).max() < torch.finfo(dtype).eps / 4
    # A network less sure has the same slopes of the log-odds; all that differs is 1 - p, twice.
    found, again = (
        trak(training, how * sure.view(1, -1), x, labels, dimension=3, generator=seeded)
        for how, seeded in ((part, torch.Generator()), (0.01, torch.Generator()))
    )
    missing = [1 / (1 + math.exp(120.0 * how)) for how in (part, 0.01)]
    expected = again.double() * (missing[0] / missing[1]) ** 2
    torch.testing.assert_close(
        found.double() / expected, torch.ones_like(expected), rtol=1e-3, atol=0
    )


def test_trak_of_twins_is_that_of_the_pseudo_inverse():
    """Four different images: the projections span four dimensions at most, twins get the same."""
    training = made(passes=5)
    images, labels = training.images[:4].repeat(3, 1), training.labels[:4].repeat(3)
    training = replace(training, images=images, labels=labels)
    end = end_of(training)[None]
    four, nine = (
        trak(training, end, images, labels, dimension=k, generator=torch.Generator())
        for k in (4, 9)
    )
    torch.testing.assert_close(four, nine, rtol=1e-6, atol=1e-12)
    torch.testing.assert_close(four[:4], four[4:8])
    assert torch.isfinite(four).all()


def test_first_order_methods_order_the_losses_of_retraining():
    training = made(passes=60)
    x, y = training.images + 0.05, training.labels
    end = end_of(training)
    without = losses(training, retrain(training, 1 - torch.eye(12)), x, y)
    moved = without - losses(training, end[None], x, y)
    slopes = gradients(training, end, x, y).T
    exact = rank_correlations(unrolled_changes(training) @ slopes, moved).mean()
    hessian = rank_correlations(hessian_changes(training, end).changes @ slopes, moved).mean()
    assert exact > 0.95
    assert exact > hessian > 0.5
    shuffled = unrolled_changes(training)[torch.arange(12) - 1] @ slopes
    assert abs(rank_correlations(shuffled, moved).mean()) < 0.5


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda t, e: hessian_changes(t, e, floor=0.0), "floor must be positive"),
        (lambda t, e: hessian_changes(replace(t, weight_decay=0.0), e), "floor must be positive"),
        (lambda t, e: ekfac_changes(t, e, damping=-1.0), "damping must be positive"),
        (lambda t, e: ekfac_changes(t, e[:-1]), "parameters must have shape"),
        (
            lambda t, e: trak(
                t, e[None], t.images, t.labels, dimension=13, generator=torch.Generator()
            ),
            "dimension must be at most 12; got 13",
        ),
    ],
)
def test_bad_input_is_named(call, message):
    training = made(passes=1)
    with pytest.raises(ValueError, match=message):
        call(training, training.start)


# Scores


def test_rank_correlations_are_scipys_with_ties_too():
    rng = np.random.default_rng(0)
    first, second = rng.integers(0, 5, (30, 4)), rng.normal(size=(30, 4))
    expected = [spearmanr(first[:, j], second[:, j]).statistic for j in range(4)]
    np.testing.assert_allclose(rank_correlations(first, second), expected, rtol=1e-12)
    assert math.isnan(rank_correlations(np.ones((3, 1)), np.arange(3.0)[:, None])[0])


def test_datamodeling_score_of_additive_outcomes_is_one_and_of_others_scores_none():
    rng = np.random.default_rng(0)
    scores = rng.normal(size=(20, 5))
    left_out = np.argsort(rng.random((300, 20)), axis=1, kind="stable") < 10
    outcomes = left_out @ scores
    assert linear_datamodeling_score(scores, left_out, np.exp(outcomes)) == pytest.approx(1)
    assert linear_datamodeling_score(-scores, left_out, outcomes) == pytest.approx(-1)
    others = linear_datamodeling_score(rng.normal(size=(20, 5)), left_out, outcomes)
    assert abs(others).mean() < 0.5


def test_datamodeling_score_wants_zeros_and_ones():
    with pytest.raises(ValueError, match="left_out must hold 0 and 1"):
        linear_datamodeling_score(np.ones((3, 1)), np.full((2, 3), 0.5), np.ones((2, 1)))
