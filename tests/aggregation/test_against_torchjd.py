"""The rules on tensors, and their weights beside those of TorchJD."""

from importlib.metadata import version

import numpy as np
import pytest
import torch
from scipy.optimize import nnls
from torchjd import aggregation as torchjd
from torchjd.linalg import QuadprogProjector

from descent import aggregation
from descent.aggregation import RULES, AccumulatedLoss


def gradients(seed, m=4, d=6):
    return np.random.default_rng(seed).standard_normal((m, d))


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(6))
def test_mgda_is_where_torchjds_steps_lead(seed):
    """Its Frank-Wolfe steps come closer like one over their number, and ours is the end."""
    jacobian = gradients(seed)
    ours = aggregation.mgda(np.zeros(4), jacobian).gradient
    errors = [
        (theirs @ theirs - ours @ ours) / (ours @ ours)
        for n in (30, 3000)
        for theirs in [torchjd.MGDA(epsilon=1e-300, max_iters=n)(torch.as_tensor(jacobian)).numpy()]
    ]
    assert -1e-14 <= errors[1] < 1e-2
    assert errors[1] < errors[0] / 10 or errors[0] < 1e-12


@pytest.mark.parametrize("seed", range(6))
def test_mgda_of_two_losses_is_the_closed_form(seed):
    a, b = jacobian = gradients(seed, m=2)
    weight = np.clip((b - a) @ b / ((a - b) @ (a - b)), 0, 1)
    ours = aggregation.mgda(np.zeros(2), jacobian).weights
    np.testing.assert_allclose(ours, [weight, 1 - weight], atol=1e-15)


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize(("m", "d"), [(2, 6), (4, 6), (7, 9), (9, 37), (16, 100)])
def test_upgrad_agrees_with_torchjd_without_its_regularization(seed, m, d):
    pytest.importorskip("quadprog")  # an extra of TorchJD
    jacobian = gradients(seed, m, d)
    ours = aggregation.upgrad(np.zeros(m), jacobian).gradient
    exact = torchjd.UPGrad(projector=QuadprogProjector(norm_eps=0, reg_eps=0))
    theirs = exact(torch.as_tensor(jacobian)).numpy()
    np.testing.assert_allclose(ours, theirs, atol=1e-12 * np.abs(jacobian).max())


@pytest.mark.parametrize("seed", range(20))
def test_upgrad_agrees_with_non_negative_least_squares(seed):
    """With v = ∇l_i + Jᵀ y the quadratic program is min |v| over y >= 0."""
    jacobian = gradients(seed, 4)
    projected = [row + jacobian.T @ nnls(jacobian.T, -row)[0] for row in jacobian]
    ours = aggregation.upgrad(np.zeros(4), jacobian).gradient
    np.testing.assert_allclose(ours, np.mean(projected, axis=0), atol=1e-13)


SCALED = [
    np.array([[1.0, 0.0, 0.0], [-1.0, 1.0, 0.0], [0.0, -1.0, 1.0]]) * np.array([[1], [a], [b]])
    for a, b in ((10, 100), (1e3, 1e-3), (1e-5, 1e-5))
]


@pytest.mark.parametrize("jacobian", SCALED)
def test_upgrad_has_no_conflict_where_torchjd_has_one(jacobian):
    """TorchJD adds 1e-4 to the Gramian, and below a squared length of 1e-4 takes the mean."""
    pytest.importorskip("quadprog")
    ours = aggregation.upgrad(np.zeros(3), jacobian).gradient
    theirs = torchjd.UPGrad()(torch.as_tensor(jacobian)).numpy()
    long = np.linalg.norm(jacobian, axis=1)
    assert (jacobian @ ours >= -1e-14 * long * long.max()).all()
    assert (jacobian @ theirs < -1e-6 * long * long.min()).any()


@pytest.mark.parametrize("jacobian", SCALED)
def test_mgda_descends_where_torchjd_does_not(jacobian):
    ours = aggregation.mgda(np.zeros(3), jacobian).gradient
    theirs = torchjd.MGDA()(torch.as_tensor(jacobian)).numpy()
    assert (jacobian @ ours >= (ours @ ours) * (1 - 1e-12)).all()
    assert (jacobian @ theirs).min() < (theirs @ theirs) * (1 - 1e-9) or np.allclose(
        ours, theirs, rtol=1e-9
    )


def test_gradients_of_a_millionth_still_conflict():
    """TorchJD: the plain mean, which raises the first loss."""
    pytest.importorskip("quadprog")
    jacobian = np.array([[1.0, 0.0], [-3.0, 1.0]])
    for scale in (1.0, 1e-6, 1e-30):
        ours = aggregation.upgrad(np.zeros(2), scale * jacobian).gradient / scale
        np.testing.assert_allclose(ours, [0.05, 0.65], rtol=1e-12)
    theirs = torchjd.UPGrad()(torch.as_tensor(1e-6 * jacobian)).numpy() * 1e6
    np.testing.assert_allclose(theirs, jacobian.mean(axis=0), rtol=1e-6)


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize(("m", "d"), [(2, 6), (4, 6), (7, 9), (5, 60), (6, 3)])
def test_imtl_g_and_aligned_mtl_agree_with_torchjd(seed, m, d):
    """Of dependent gradients IMTL-G takes the pseudo-inverse of the cosines, TorchJD of G."""
    jacobian = gradients(seed, m, d) * np.random.default_rng(seed).uniform(0.1, 3, (m, 1))
    one = torch.as_tensor(jacobian)
    ours = aggregation.aligned_mtl(np.zeros(m), jacobian).gradient
    np.testing.assert_allclose(ours, torchjd.AlignedMTL()(one).numpy(), atol=1e-9)
    if m <= d:
        ours = aggregation.imtl_g(np.zeros(m), jacobian).gradient
        theirs = torchjd.IMTLG()(one).numpy()
        np.testing.assert_allclose(ours, theirs, rtol=1e-8, atol=1e-9 * np.abs(theirs).max())


@pytest.mark.parametrize("seed", range(6))
def test_imtl_g_and_aligned_mtl_keep_their_definitions(seed):
    """Equal projections on all unit vectors; the mean of orthogonal rows of one length."""
    jacobian = gradients(seed, 4, 7) * np.array([[1e-3], [1], [30], [2]])
    step = aggregation.imtl_g(np.zeros(4), jacobian)
    along = jacobian @ step.gradient / np.linalg.norm(jacobian, axis=1)
    np.testing.assert_allclose(along, along[0], rtol=1e-9)
    assert step.weights.sum() == pytest.approx(1, abs=1e-12)
    left, values, right = np.linalg.svd(jacobian, full_matrices=False)
    turned = values[-1] * left @ right
    ours = aggregation.aligned_mtl(np.zeros(4), jacobian).gradient
    mean = turned.mean(axis=0)
    np.testing.assert_allclose(ours, mean, atol=1e-9 * np.abs(mean).max())


@pytest.mark.parametrize("seed", range(6))
def test_pcgrad_of_two_losses_agrees_with_torchjd(seed):
    """With two losses the random order makes no difference."""
    jacobian = gradients(seed, m=2)
    ours = aggregation.pcgrad(np.zeros(2), jacobian, np.random.default_rng(0)).gradient
    theirs = torchjd.PCGrad()(torch.as_tensor(jacobian)).numpy()
    np.testing.assert_allclose(2 * ours, theirs, rtol=1e-9)


def test_pcgrad_of_many_losses_agrees_on_average():
    jacobian, n = gradients(11, m=4, d=3), 3000
    many = np.broadcast_to(jacobian, (n, 4, 3))
    ours = 4 * aggregation.pcgrad(np.zeros((n, 4)), many, np.random.default_rng(0)).gradient
    torch.manual_seed(0)
    one = torch.as_tensor(jacobian)
    theirs = np.array([torchjd.PCGrad()(one).numpy() for _ in range(300)])
    error = theirs.std(axis=0) / np.sqrt(300)
    assert ours.std(axis=0).max() > 0.01  # the order matters here
    np.testing.assert_array_less(np.abs(ours.mean(axis=0) - theirs.mean(axis=0)), 5 * error + 1e-9)


def two_parameters(dtype=torch.float64):
    generator = torch.Generator().manual_seed(0)
    parameters = [
        torch.randn(shape, dtype=dtype, generator=generator, requires_grad=True)
        for shape in ((2, 3), (4,))
    ]

    def losses():
        a, b = parameters
        return torch.stack([(a**2).sum(), (a.sum() - b.sum()) ** 2, (b**4).sum() + 0.1])

    return parameters, losses


@pytest.mark.parametrize("name", RULES)
def test_tensors_give_what_arrays_give(name):
    parameters, losses = two_parameters()
    options = {"weights": [0.2, 0.3, 0.5]} if name == "fixed_weights" else {}
    values = losses()
    rows = [
        torch.cat(
            [
                torch.zeros_like(p).ravel() if g is None else g.ravel()
                for g, p in zip(
                    torch.autograd.grad(v, parameters, retain_graph=True, allow_unused=True),
                    parameters,
                    strict=True,
                )
            ]
        )
        for v in values
    ]
    deterministic = "deterministic" in RULES[name].properties
    arrays, tensors = (
        RULES[name](given, by, None if deterministic else np.random.default_rng(0), **options)
        for given, by in (
            (values.detach().numpy(), torch.stack(rows).numpy()),
            (values, parameters),
        )
    )
    assert [g.shape for g in tensors.gradient] == [p.shape for p in parameters]
    np.testing.assert_allclose(tensors.weights, arrays.weights, rtol=1e-9)
    flat = torch.cat([g.ravel() for g in tensors.gradient]).numpy()
    np.testing.assert_allclose(flat, arrays.gradient, rtol=1e-9, atol=1e-12)


def test_the_gradient_does_not_see_through_the_weights():
    """∇(Σ w_i l_i) with live weights is another direction."""
    x = torch.tensor([1.0, 2.0], dtype=torch.float64, requires_grad=True)
    losses = torch.stack([x[0] ** 2, (x**2).sum()])
    norms = torch.stack([2 * x[0].abs(), 2 * (x**2).sum().sqrt()])
    (live,) = torch.autograd.grad(((norms / norms.sum()) * losses).sum(), x, retain_graph=True)
    (held,) = aggregation.gradient_norm(losses, [x]).gradient
    assert (live - held).abs().max() > 0.1


@pytest.mark.parametrize("name", ["gradient_norm", "loss_slope", "random_alternation", "mgda"])
def test_accumulated_loss_has_the_gradient_of_the_weighted_sum(name):
    parameters, losses = two_parameters()
    accumulated = AccumulatedLoss()
    state = np.random.default_rng(0) if name == "random_alternation" else None
    for _ in range(4):
        step = RULES[name](losses(), parameters, state)
        state = step.state
        m = accumulated.add(losses(), step.weights)
        for ours, theirs in zip(torch.autograd.grad(m, parameters), step.gradient, strict=True):
            torch.testing.assert_close(ours, theirs, rtol=1e-10, atol=1e-12)
        with torch.no_grad():
            for p, g in zip(parameters, step.gradient, strict=True):
                p -= 0.01 * g


def test_accumulated_loss_does_not_move_when_only_the_weights_do():
    losses, accumulated = np.array([3.0, 1.0]), AccumulatedLoss()
    for weights in ([0.5, 0.5], [0.9, 0.1], [0.0, 1.0]):
        assert accumulated.add(losses, np.array(weights)) == 0.0
    assert losses @ [0.9, 0.1] != losses @ [0.0, 1.0]  # the weighted sum does


def test_accumulated_loss_with_constant_weights_is_the_change_of_the_weighted_sum():
    rng, accumulated, weights = np.random.default_rng(0), AccumulatedLoss(), np.array([0.3, 0.7])
    path = rng.random((10, 2))
    values = [accumulated.add(losses, weights) for losses in path]
    np.testing.assert_allclose(values, (path - path[0]) @ weights, atol=1e-12)


SHORT = np.array([[1.0, 0.0], [-2.0, 0.3]])
"""Two gradients in conflict, whose mean raises the first loss."""


@pytest.mark.skipif(version("torchjd") != "0.18.0", reason="seen with TorchJD 0.18.0")
@pytest.mark.parametrize("rule", [torchjd.UPGrad, torchjd.DualProj])
def test_torchjds_projections_return_the_mean_for_short_gradients(rule):
    """What its norm_eps does: below a length of a hundredth a loss may rise."""
    for scale, raises in ((1.0, False), (1e-3, True)):
        short = torch.as_tensor(scale * SHORT)
        direction = rule()(short)
        assert bool((short @ direction).min() < -1e-3 * scale**2) is raises
        assert torch.allclose(direction, short.mean(dim=0), atol=1e-3 * scale) is raises


@pytest.mark.parametrize("scale", [1.0, 1e-3, 1e-9])
def test_our_projection_raises_no_loss_at_any_scale(scale):
    direction = aggregation.upgrad(np.ones(2), scale * SHORT, None).gradient
    assert (SHORT @ direction / scale).min() >= -1e-9
