"""Parameters that walk in place, along directions that are drawn again and not kept."""

import math

import pytest
import torch
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves

from descent.zeroth_order import (
    SPSA,
    AveragedGrad,
    MeZO,
    NonFiniteLoss,
    RandomBestGrad,
    RandomGrad,
    directions,
)
from descent.zeroth_order.directions import Walk, apart

METHODS = {
    "RandomGrad": (RandomGrad, {}),
    "SPSA": (SPSA, {}),
    "MeZO": (MeZO, {"keep_best": True}),
    "signs": (AveragedGrad, {"samples": 3}),
    "differences": (AveragedGrad, {"samples": 3, "bits": False}),
    "best of three": (RandomBestGrad, {"samples": 3}),
}
ALL = pytest.mark.parametrize("name", METHODS)
START = torch.tensor([1.0, -1.0, 0.5, 1.5], dtype=torch.float64)
CURVATURE = torch.tensor([1.0, 2.0, 3.0, 4.0], dtype=torch.float64)


def source(seed=0):
    return torch.Generator().manual_seed(seed)


def normal(empty, generator):
    return empty.normal_(generator=generator)


class Run:
    """A search on a quadratic over two tensors, in place or not."""

    def __init__(self, name, start=START, groups=False, adam=False, **options):
        method, own = METHODS[name]
        self.parts = [torch.nn.Parameter(start[i : i + 2].clone()) for i in (0, 2)]
        params = self.parts
        if groups:
            params = [{"params": [self.parts[0]]}, {"params": [self.parts[1]], "lr": 0.1, "h": 0.1}]
        inner = {"optimizer": torch.optim.Adam(params, lr=0.03)} if adam else {"lr": 0.03}
        self.search = method(params, generator=source(), h=0.02, **own, **inner, **options)
        self.losses, self.fails_at = [], None

    @property
    def x(self):
        return torch.cat([part.detach() for part in self.parts])

    def closure(self):
        if len(self.losses) == self.fails_at:
            raise KeyboardInterrupt("stop")
        self.losses.append(0.5 * float((CURVATURE * self.x**2).sum()))
        return self.losses[-1]

    def steps(self, n):
        for _ in range(n):
            self.search.step(self.closure)
        return self.x


@pytest.fixture
def in_place(monkeypatch):
    """Let four coordinates be more than a block, and a block cut a tensor in two."""
    monkeypatch.setattr(directions, "BLOCK", 1)


# The walk


def test_a_walk_is_a_sum_of_the_directions_that_were_drawn(in_place):
    x = torch.zeros(5, dtype=torch.float64)
    walk = Walk([x[:3], x[3:]], [0, 1], source(), normal)
    walk.move({0: [1.0, 1.0]})
    first = x.clone()
    walk.move({1: [1.0, 1.0]})
    second = x.clone()
    assert (first - second).abs().min() > 1e-3
    walk.move({0: [2.0, -3.0], 1: [0.0, 0.5]})
    expected = torch.cat([2 * first[:3], -3 * first[3:] + 0.5 * second[3:]])
    torch.testing.assert_close(x, expected, rtol=0, atol=1e-14)
    torch.testing.assert_close(torch.cat([*walk.sums({1: [1.0, 1.0]})]), second)
    walk.move({})
    assert x.abs().max() < 1e-14


def test_a_walk_leaves_the_generator_where_drawing_all_at_once_does(monkeypatch):
    monkeypatch.setattr(directions, "BLOCK", 2)
    ours, plain = source(), source()
    x = torch.zeros(6, dtype=torch.float64)
    walk = Walk([x], [0], ours, normal)
    walk.move({0: [1.0]})
    walk.move({0: [3.0]})
    walk.move({1: [1.0]})
    walk.move({})
    drawn = torch.empty(12, dtype=torch.float64).normal_(generator=plain)
    assert ours.get_state().equal(plain.get_state())
    torch.testing.assert_close(torch.cat([*walk.sums({1: [1.0]})]), drawn[6:])


def test_directions_of_many_blocks_are_normal_and_independent():
    n = 3 * directions.BLOCK + 7
    walk = Walk([torch.zeros(n)], [0], source(), normal)
    walk.move({0: [1.0]})
    walk.move({1: [1.0]})
    one, other = (torch.cat([*walk.sums({i: [1.0]})]).double() for i in (0, 1))
    for moment, expected, variance in ((1, 0, 1), (2, 1, 2), (3, 0, 15), (4, 3, 96)):
        assert abs((one**moment).mean() - expected) < 5 * math.sqrt(variance / n)
    shifted = one[directions.BLOCK :], one[: -directions.BLOCK]
    for a, b in ((one, other), shifted):
        assert abs((a * b).mean()) < 5 / math.sqrt(len(a))
    # What a block that starts the stream anew would give.
    assert abs((one * one).mean()) > 0.9


def test_a_walk_that_is_interrupted_on_the_way_goes_back(in_place):
    x = START.clone()
    drawn = []

    def breaks(empty, generator):
        if len(drawn) == 6:
            drawn.append(None)
            raise KeyboardInterrupt
        drawn.append(None)
        return normal(empty, generator)

    walk = Walk([x], [0], source(), breaks)
    walk.move({0: [1.0]})
    there = x.clone()
    with pytest.raises(KeyboardInterrupt):
        walk.move({0: [2.0]})
    assert (x != there).tolist() == [True, True, False, False]
    walk.move({})
    torch.testing.assert_close(x, START)


def test_what_shares_its_entries_is_not_changed_in_place():
    x = torch.zeros(6)
    assert apart([x[:3], x[3:], torch.zeros(2)])
    assert not apart([x[:4], x[3:]])
    assert not apart([x.view(2, 3).T])


# The optimizers


@ALL
@pytest.mark.parametrize("groups", [False, True])
@pytest.mark.parametrize("adam", [False, True])
def test_in_place_and_on_copies_a_search_is_the_same(name, groups, adam, monkeypatch):
    if groups and adam:
        groups = False
    copies = Run(name, groups=groups, adam=adam)
    assert not copies.search.walks()
    expected = copies.steps(20)
    monkeypatch.setattr(directions, "BLOCK", 2)
    walking = Run(name, groups=groups, adam=adam)
    assert walking.search.walks()
    torch.testing.assert_close(walking.steps(20), expected, rtol=0, atol=1e-9)
    assert walking.losses == pytest.approx(copies.losses, rel=1e-9)
    torch.testing.assert_close(walking.search.best, copies.search.best, rtol=0, atol=1e-9)
    assert walking.search.generator.get_state().equal(copies.search.generator.get_state())


@ALL
@pytest.mark.parametrize("fails_at", [0, 1, 2, 9])
def test_an_error_in_the_closure_takes_the_step_back(name, fails_at, in_place):
    run = Run(name)
    run.fails_at = fails_at
    began = []

    def step():
        began.append(run.x)
        run.steps(1)

    with pytest.raises(KeyboardInterrupt):
        any(step() for _ in range(10))
    torch.testing.assert_close(run.x, began[-1], rtol=0, atol=1e-14)
    run.fails_at = None
    assert run.steps(2).isfinite().all()


@ALL
@pytest.mark.parametrize("spoil", [0, 2, 17])
def test_nan_stops_at_the_best_so_far(name, spoil, in_place):
    run = Run(name)

    def closure():
        return math.nan if len(run.losses) == spoil else run.closure()

    with pytest.raises(NonFiniteLoss, match="nan"):
        any(run.search.step(closure) is None for _ in range(20))
    if spoil == 0:
        torch.testing.assert_close(run.x, START)
    else:
        assert run.closure() == min(run.losses)


def test_without_a_best_point_nan_takes_the_step_back(in_place):
    run = Run("MeZO")
    search = MeZO(run.parts, lr=0.03, generator=source())
    search.step(run.closure)
    began = run.x
    with pytest.raises(NonFiniteLoss):
        search.step(lambda: math.nan)
    torch.testing.assert_close(run.x, began)
    assert search.best_loss == min(run.losses)
    assert search.best.numel() == 0
    with pytest.raises(RuntimeError, match="keep_best"):
        search.restore_best()


@ALL
def test_a_saved_state_continues_the_run_in_place(name, in_place):
    run = Run(name)
    run.steps(5)
    state = run.search.state_dict()
    other = Run(name, start=run.x)
    other.search.load_state_dict(state)
    assert torch.equal(other.steps(5), run.steps(5))
    assert torch.equal(other.search.best, run.search.best)


@ALL
def test_all_points_of_a_step_see_one_draw(name, in_place):
    run, drawn = Run(name), []

    def closure():
        drawn.append(torch.rand(()).item())
        return run.closure()

    run.search.step(closure)
    assert len(set(drawn)) == 1 < len(drawn)


@ALL
def test_other_sizes_and_other_frozen_parameters_are_refused_in_place(name, in_place):
    run = Run(name)
    run.parts[0].requires_grad_(False)
    with pytest.raises(ValueError, match="frozen"):
        run.steps(1)
    run.parts[0].requires_grad_(True)
    run.parts[0].data = torch.zeros(3, dtype=torch.float64)
    with pytest.raises(ValueError, match="coordinates"):
        run.steps(1)


def test_half_precision_walks_only_where_no_best_point_is_kept(in_place):
    x = torch.ones(4, dtype=torch.bfloat16)
    assert MeZO([x], generator=source()).walks()
    assert not MeZO([x], generator=source(), keep_best=True).walks()
    assert not SPSA([x], generator=source()).walks()
    assert SPSA([x.float()], generator=source()).walks()
    assert not SPSA([x.float(), torch.tensor([1])], generator=source()).walks()


class Sizes(TorchDispatchMode):
    """Keeps the number of entries of each tensor that is made, views left out."""

    def __init__(self):
        super().__init__()
        self.made = []

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        result = func(*args, **(kwargs or {}))
        given = {
            each.untyped_storage().data_ptr()
            for each in tree_leaves((args, kwargs))
            if isinstance(each, torch.Tensor)
        }
        self.made += [
            each.numel()
            for each in tree_leaves(result)
            if isinstance(each, torch.Tensor) and each.untyped_storage().data_ptr() not in given
        ]
        return result


@ALL
@pytest.mark.parametrize("in_place", [True, False])
def test_a_walk_makes_no_vector_but_the_best_point(name, in_place, monkeypatch):
    d = 64_000
    monkeypatch.setattr(directions, "BLOCK", 8192 if in_place else d)
    x = torch.linspace(-1, 1, d)
    method, options = METHODS[name]
    search = method([x], lr=1e-3, generator=source(), **options)
    sizes = Sizes()
    with sizes:
        for _ in range(3):
            search.step(lambda: torch.dot(x, x))
    vectors = sum(made >= d / 2 for made in sizes.made)
    if in_place:
        # Each time that a loss is the best so far, and never two at once.
        assert vectors <= search.evaluations
        search.keep_best, before = False, len(sizes.made)
        with sizes:
            search.step(lambda: torch.dot(x, x))
        assert max(sizes.made[before:]) <= 8192
    else:
        assert vectors > search.evaluations


def test_coming_back_costs_roundings_and_no_more():
    """A thousand steps of no length move float32 parameters by their last digits alone."""
    x = torch.linspace(-1, 1, directions.BLOCK + 9)
    start = x.clone()
    search = RandomGrad([x], lr=1e-30, h=0.01, generator=source())
    n = 40
    for _ in range(n):
        search.step(lambda: torch.dot(x, x))
    # Two roundings a step, of half a last digit of a number below 1.1 at most; they are random.
    worst = (x - start).abs().max().item()
    assert 0 < worst < 6 * 2**-24 * math.sqrt(2 * n)
