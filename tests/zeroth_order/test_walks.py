"""Walks: integration of noise, parabolas, annealing."""

import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from descent.zeroth_order import LineParabola, OrderWalk, SimulatedAnnealing, VariableOrderWalk
from descent.zeroth_order.order_walk import push, undo


def generator(seed=0):
    return torch.Generator().manual_seed(seed)


def levels_of(order, seed=0):
    return list(torch.randn(order, 3, generator=generator(seed), dtype=torch.float64))


@pytest.mark.parametrize("order", [1, 2, 3, 6])
def test_noise_at_the_top_is_integrated_down(order):
    """From rest, n pushes by the same noise move the position by the binomial (n+k-1 over k)."""
    levels = [torch.zeros(3, dtype=torch.float64)] * order
    noise = torch.tensor([1.0, -2.0, 0.5], dtype=torch.float64)
    for n in range(1, 6):
        levels = push(levels, noise)
        torch.testing.assert_close(levels[0], math.comb(n + order - 1, order) * noise)


@given(order=st.integers(1, 8), seed=st.integers(0, 1000))
def test_undo_in_reverse_order_restores_every_level(order, seed):
    levels, noise = levels_of(order, seed), levels_of(1, seed + 1)[0]
    restored = undo(push(levels, noise), noise)
    for level, back in zip(levels, restored, strict=True):
        torch.testing.assert_close(level, back, rtol=0, atol=1e-12)


def test_undo_from_the_highest_level_would_not():
    """The order of undoing matters: highest level first leaves the position displaced."""
    levels, noise = levels_of(3), levels_of(1, 1)[0]
    wrong = push(levels, noise)
    wrong[2] = wrong[2] - noise
    wrong[1] = wrong[1] - wrong[2]
    wrong[0] = wrong[0] - wrong[1]
    assert (wrong[0] - levels[0]).abs().max() > 0.1


@pytest.mark.parametrize("order", [1, 2, 3])
def test_a_walk_never_climbs_and_halves_what_led_uphill(order):
    x = torch.full((4,), 2.0, dtype=torch.float64)
    search = OrderWalk([x], order=order, lr=0.3, generator=generator())
    losses, halved = [], 0
    for _ in range(200):
        before = [level.clone() for level in search.memory.get("derivatives", [])]
        losses.append(search.step(lambda: (x**2).sum()))
        if len(losses) > 1 and losses[-1] == losses[-2]:
            halved += 1
            for old, new in zip(before, search.memory["derivatives"], strict=True):
                torch.testing.assert_close(new, old / 2)
    assert losses == sorted(losses, reverse=True)
    assert halved > 0


def test_noise_that_leads_uphill_is_tried_the_other_way():
    """Of a linear loss every step falls, by the length of the noise."""
    x = torch.zeros(1, dtype=torch.float64)
    search = OrderWalk([x], order=1, lr=0.3, generator=generator(3))
    noise = torch.empty(1, dtype=torch.float64)
    drawn = generator(3)
    for _ in range(20):
        before = x.item()
        search.step(lambda: x.item())
        assert before - x.item() == pytest.approx(0.3 * noise.normal_(generator=drawn).abs().item())
    assert 21 < search.evaluations < 41  # one at the start, one or two a step


@pytest.mark.parametrize("order", [1, 2, 3])
def test_a_walk_stays_to_the_last_bit_where_the_loss_is_level(order):
    x = torch.tensor([0.1, 1e9, -0.3], dtype=torch.float64)
    search = OrderWalk([x], order=order, generator=generator())
    falling = iter([2.0, 1.0, *[1.0] * 100])
    search.step(lambda: next(falling))  # sets off
    before = x.clone()
    for _ in range(30):
        search.step(lambda: next(falling))
    assert torch.equal(x, before)


@pytest.mark.parametrize("method", [OrderWalk, SimulatedAnnealing, LineParabola])
def test_each_group_moves_by_its_own_rate(method):
    still, free = torch.ones(3, dtype=torch.float64), torch.ones(3, dtype=torch.float64)
    groups = [{"params": [still], "lr": 1e-12}, {"params": [free], "lr": 0.5}]
    search = method(groups, generator=generator())
    for _ in range(20):
        search.step(lambda: (still**2).sum() + (free**2).sum())
    assert (still - 1).abs().max() < 1e-9
    assert (free - 1).abs().max() > 0.1


def test_a_new_derivative_starts_at_rest():
    x = torch.zeros(2, dtype=torch.float64)
    search = VariableOrderWalk([x], lr=0.1, max_order=5, generator=generator())
    falling = iter(range(0, -1000, -1))
    for order in range(2, 6):
        search.step(lambda: next(falling))
        derivatives = search.memory["derivatives"]
        assert len(derivatives) == order - 1
        assert not derivatives[-1].any()


def test_the_order_rises_with_success_and_falls_after_retries():
    x = torch.zeros(2, dtype=torch.float64)
    search = VariableOrderWalk([x], lr=0.1, retries=3, max_order=5, generator=generator())
    falling = iter(range(0, -1000, -1))
    orders = []
    for _ in range(6):
        search.step(lambda: next(falling))  # every evaluation is lower than the last
        orders.append(1 + len(search.memory["derivatives"]))
    assert orders == [2, 3, 4, 5, 5, 5]
    rising = iter(range(1, 1000))
    orders = []
    for _ in range(7):
        search.step(lambda: next(rising))
        orders.append(1 + len(search.memory["derivatives"]))
    assert orders == [5, 5, 4, 4, 4, 3, 3]


def test_the_convex_walk_raises_the_order_only_if_the_highest_derivative_shrank():
    x = torch.zeros(2, dtype=torch.float64)
    search = VariableOrderWalk([x], lr=0.1, convex=True, generator=generator(1))
    falling = iter(range(0, -1000, -1))
    raised = kept = 0
    for _ in range(60):
        before = search.memory.get("derivatives", [])
        length = before[-1].norm() if before else math.inf
        search.step(lambda: next(falling))
        after = search.memory["derivatives"]
        level = after[len(before) - 1].norm() if before else 0.0
        if len(after) > len(before):
            assert level < length
            raised += 1
        elif 1 + len(before) < search.max_order:
            assert level >= length
            kept += 1
    assert raised > 1
    assert kept > 0


def test_a_parabola_finds_the_line_minimum_of_a_quadratic():
    matrix = torch.tensor([[3.0, 1.0], [1.0, 2.0]], dtype=torch.float64)
    x = torch.tensor([1.0, -2.0], dtype=torch.float64)
    search = LineParabola([x], h=0.5, reach=1e6, generator=generator())
    for _ in range(5):
        before = x.clone()
        search.step(lambda: (0.5 * x @ matrix @ x).item())
        direction = x - before
        # At the minimum along a line, the gradient is orthogonal to it.
        assert abs((matrix @ x) @ direction) < 1e-9 * direction.norm()
    assert search.evaluations == 15


def test_a_minimum_beyond_reach_is_approached_as_far_as_allowed():
    x = torch.tensor([4.0], dtype=torch.float64)
    z = torch.randn(1, generator=generator(2), dtype=torch.float64).abs().item()
    # The minimum lies 4 away: 1.5 times the reach, or 0.9 times.
    for share, left in ((1.5, 4.0 * (1 - 1 / 1.5)), (0.9, 0.0)):
        x[:] = 4.0
        reach = 4.0 / (0.1 * z * share)
        LineParabola([x], h=0.1, reach=reach, generator=generator(2)).step(lambda: (x**2).item())
        assert x.item() == pytest.approx(left, abs=1e-9)


def test_a_parabola_without_minimum_is_followed_downhill_as_far_as_allowed():
    for shape in (lambda y: -(y**2).sum(), lambda y: y.sum()):
        x = torch.tensor([0.3, 0.4], dtype=torch.float64)
        search = LineParabola([x], h=0.1, reach=3.0, generator=generator(2))
        before = x.clone()
        z = torch.randn(2, generator=generator(2), dtype=torch.float64)
        search.step(lambda x=x, shape=shape: shape(x))
        assert shape(x) < shape(before)
        assert (x - before).norm().item() == pytest.approx(0.3 * z.norm().item())


def test_at_a_fixed_temperature_annealing_samples_the_gibbs_law():
    """For L = x²/2 the law is normal with variance Θ."""
    x = torch.zeros(1, dtype=torch.float64)
    search = SimulatedAnnealing([x], lr=1.5, temperature=0.5, cooling=1.0, generator=generator())
    squares = []
    for _ in range(12_000):
        search.step(lambda: 0.5 * x.item() ** 2)
        squares.append(x.item() ** 2)
    # The correlation time is about four steps: a standard error of 0.5 √(2 · 4 · 2 / 12000).
    assert sum(squares) / len(squares) == pytest.approx(0.5, abs=4 * 0.018)


def test_annealing_cools_to_a_greedy_walk():
    x = torch.full((2,), 3.0, dtype=torch.float64)
    search = SimulatedAnnealing([x], temperature=2.0, cooling=0.5, generator=generator())
    losses = [search.step(lambda: (x**2).sum()) for _ in range(1500)]
    assert losses[100:] == sorted(losses[100:], reverse=True)


@pytest.mark.parametrize("slope", [-1.0, 0.0, 1e3])
def test_the_temperature_falls_by_its_factor_whatever_becomes_of_the_step(slope):
    x = torch.zeros(1, dtype=torch.float64)
    search = SimulatedAnnealing([x], temperature=2.0, cooling=0.9, generator=generator())
    for n in range(1, 8):
        search.step(lambda: slope * x.abs().item())
        assert search.memory["temperature"] == pytest.approx(2.0 * 0.9**n)


def test_a_draw_of_nought_accepts_any_rise():
    class Nought:
        def uniform_(self, generator):
            return torch.tensor(0.0)

    x = torch.zeros(1, dtype=torch.float64)
    search = SimulatedAnnealing([x], temperature=1e-9, generator=generator())
    search._uniform = Nought()
    search.step(lambda: 1e6 * x.abs().item())
    assert x.item() != 0


def test_a_rate_of_one_half_goes_half_way_to_the_minimum_of_the_parabola():
    x = torch.tensor([3.0], dtype=torch.float64)
    search = LineParabola([x], lr=0.5, reach=1e6, generator=generator())
    for left in (1.5, 0.75, 0.375):
        search.step(lambda: (x**2).item())
        assert x.item() == pytest.approx(left)


def test_a_level_line_is_not_followed():
    x = torch.tensor([0.3, 0.4], dtype=torch.float64)
    LineParabola([x], generator=generator()).step(lambda: 1.0)
    assert x.tolist() == [0.3, 0.4]


def test_options_are_checked():
    x = [torch.zeros(2)]
    for method, options in [
        (OrderWalk, {"order": 0}),
        (VariableOrderWalk, {"retries": 0}),
        (VariableOrderWalk, {"max_order": 0}),
        (LineParabola, {"reach": 0.0}),
        (SimulatedAnnealing, {"temperature": 0.0}),
        (SimulatedAnnealing, {"cooling": 1.5}),
    ]:
        with pytest.raises(ValueError, match=next(iter(options))):
            method(x, generator=generator(), **options)
