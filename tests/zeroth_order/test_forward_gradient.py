"""Slopes along a direction that come with the loss, and other laws of MeZO's directions."""

import math

import pytest
import torch

from descent.zeroth_order import ForwardGradient, MeZO, NonFiniteLoss, directions

START = torch.tensor([[1.0, -1.0, 0.5], [1.5, 0.3, -0.7]], dtype=torch.float64)


def source(seed=0):
    return torch.Generator().manual_seed(seed)


def rough(w, b):
    return (w.sin() @ w.T.exp()).sum() + (b * w).cos().prod()


def parameters():
    return [torch.nn.Parameter(START.clone()), torch.nn.Parameter(START[:1].clone())]


def path(method, n, **options):
    w, b = parameters()
    search = method([w, b], lr=0.01, generator=source(), **options)
    for _ in range(n):
        search.step(lambda: rough(w, b))
    return torch.cat([w.detach().flatten(), b.detach().flatten()])


def test_a_step_is_along_the_direction_by_the_slope_that_backpropagation_finds():
    w, b = parameters()
    slopes = torch.autograd.grad(rough(w, b), (w, b))
    z = torch.empty(9, dtype=torch.float64).normal_(generator=source())
    slope = z @ torch.cat([s.flatten() for s in slopes])
    moved = path(ForwardGradient, 1) - torch.cat([START.flatten(), START[0]])
    torch.testing.assert_close(moved, -0.01 * slope * z, rtol=1e-10, atol=1e-14)


def test_it_is_mezo_with_a_short_probe():
    exact = path(ForwardGradient, 20)
    errors = [(path(MeZO, 20, h=h) - exact).abs().max().item() for h in (1e-2, 1e-3)]
    # A central difference is off by the square of h.
    assert errors[0] / errors[1] == pytest.approx(100, rel=0.05)


def test_the_closure_sees_no_graph_and_no_tangent_stays():
    w, b = parameters()
    seen = []

    def closure():
        seen.append(torch.is_grad_enabled())
        return rough(w, b)

    ForwardGradient([w, b], generator=source()).step(closure)
    assert seen == [False]
    with torch.autograd.forward_ad.dual_level():
        assert torch.autograd.forward_ad.unpack_dual(w).tangent is None


@pytest.mark.parametrize(
    ("closure", "error"),
    [
        (lambda x: float(x.sum()), TypeError),
        (lambda x: x.detach().sum(), ValueError),
        (lambda x: torch.tensor(3.0), ValueError),
        (lambda x: x, ValueError),
    ],
)
def test_a_loss_without_a_slope_is_refused(closure, error):
    x = torch.ones(3)
    search = ForwardGradient([x], generator=source())
    with pytest.raises(error, match="closure must return"):
        search.step(lambda: closure(x))
    assert torch.equal(x, torch.ones(3))


def test_an_inner_optimizer_gets_slope_times_direction():
    w, b = parameters()
    sgd = torch.optim.SGD([w, b], lr=0.01)
    search = ForwardGradient([w, b], generator=source(), optimizer=sgd)
    for _ in range(3):
        search.step(lambda: rough(w, b))
    torch.testing.assert_close(
        torch.cat([w.detach().flatten(), b.detach().flatten()]), path(ForwardGradient, 3)
    )


# Directions


@pytest.mark.parametrize(
    ("fill", "fourth"),
    [(directions.sparse(0.25), None), (directions.low_rank(1), 9), (directions.low_rank(2), 6)],
)
def test_other_directions_have_mean_zero_and_unit_covariance(fill, fourth):
    n, rng = 20_000, source(1)
    drawn = torch.stack([fill(torch.empty(3, 4), rng).flatten() for _ in range(n)]).double()
    within = 5 / math.sqrt(n)
    assert drawn.mean(0).abs().max() < within
    covariance = drawn.T @ drawn / n
    assert (covariance - torch.eye(12)).abs().max() < 3 * within
    if fourth:  # (E u^4)(E v^4) of a rank of one; each further column brings it nearer to 3
        assert float((drawn**4).mean()) == pytest.approx(fourth, rel=0.1)


def test_a_vector_has_no_rank_to_be_low_in():
    fill = directions.low_rank(1)
    for shape in ((7,), (1, 7), (7, 1), ()):
        drawn = fill(torch.empty(shape), source())
        assert torch.equal(drawn, torch.empty(shape).normal_(generator=source()))
    assert torch.linalg.matrix_rank(fill(torch.empty(5, 3, 2), source()).flatten(1)) == 1


@pytest.mark.parametrize("rank", [1, 2])
def test_low_ranks_in_place_are_those_of_vectors(rank, monkeypatch):
    plain = path(MeZO, 10, directions="low-rank", rank=rank)
    monkeypatch.setattr(directions, "BLOCK", 1)
    torch.testing.assert_close(path(MeZO, 10, directions="low-rank", rank=rank), plain)


def test_a_sparse_step_moves_few_coordinates_of_each_block(monkeypatch):
    monkeypatch.setattr(directions, "BLOCK", 100)
    x = torch.ones(1000, dtype=torch.float64)
    search = MeZO([x], lr=1e-3, directions="sparse", share=0.02, generator=source())
    search.step(lambda: (x**2).sum())
    # What is off by rounding is where the walk went and came back.
    moved = ((x - 1).abs() > 1e-12).view(10, 100).sum(1)
    assert moved.max() == 2
    assert moved.min() >= 1


@pytest.mark.parametrize("law", ["normal", "sparse", "low-rank"])
def test_every_law_goes_down_a_bowl_at_the_pace_of_its_covariance(law):
    """After n steps of η the mean loss is (1 - 2η + η²(m + c))^n of the first, c small."""
    ends = []
    for seed in range(40):
        w = torch.ones(10, 10, dtype=torch.float64)
        search = MeZO([w], lr=1e-3, h=1e-4, directions=law, share=0.1, generator=source(seed))
        for _ in range(200):
            search.step(lambda w=w: (w**2).sum() / 2)
        ends.append(float((w**2).sum() / 100))
    expected = (1 - 2e-3 + 1e-6 * 102) ** 200
    assert sum(ends) / len(ends) == pytest.approx(expected, rel=0.1)


def test_a_share_and_a_rank_that_make_no_direction_are_refused():
    for share in (0, -0.1, 1.5, math.nan):
        with pytest.raises(ValueError, match="share must"):
            directions.sparse(share)
    for rank in (0, -1):
        with pytest.raises(ValueError, match="rank must be at least 1"):
            directions.low_rank(rank)


# Losses without a slope


@pytest.mark.parametrize("keep_best", [True, False])
def test_a_slope_that_is_not_finite_moves_nothing(keep_best):
    """The root is finite at zero, and its slope is not."""
    x = torch.zeros(3)
    search = ForwardGradient([x], generator=source(), keep_best=keep_best)
    with pytest.raises(NonFiniteLoss, match="the derivative of the loss is"):
        search.step(lambda: x.sqrt().sum())
    assert torch.equal(x, torch.zeros(3))
    assert search.best_loss == 0


def test_half_precision_that_overflows_in_the_derivative_is_noticed_at_the_first_step():
    """Where the spread is small, the slope of a norm needs its cube, beyond 65,504."""
    x = (1e-3 * torch.arange(8.0)).half()
    search = ForwardGradient([x], generator=source())
    with pytest.raises(NonFiniteLoss, match="higher precision"):
        search.step(lambda: (torch.nn.functional.layer_norm(x, (8,), eps=1e-6)[:3] ** 2).sum())
    assert bool(x.isfinite().all())


def test_an_operation_without_a_forward_derivative_is_named_and_others_errors_stay():
    x = torch.ones(1, 1, 3, 4)
    search = ForwardGradient([x], generator=source())
    attention = torch.nn.functional.scaled_dot_product_attention
    with pytest.raises(NotImplementedError, match=r"closure must .* MeZO .*attention"):
        search.step(lambda: attention(x, x, x).sum())
    assert torch.equal(x, torch.ones(1, 1, 3, 4))
    with pytest.raises(NotImplementedError, match=r"^to be written$"):
        search.step(lambda: (_ for _ in ()).throw(NotImplementedError("to be written")))
