"""Common random numbers: what they are for, and where the draws come from."""

import random
import types

import numpy as np
import pytest
import torch

from descent.zeroth_order import SPSA, OrderWalk, RandomGrad, SimulatedAnnealing, UndoIncrease
from descent.zeroth_order.common_draws import torchs_own, unchanged


def generator(seed=0):
    return torch.Generator().manual_seed(seed)


def network():
    """Return a network with dropout, and a closure of its loss on fixed data."""
    torch.manual_seed(0)
    model = torch.nn.Sequential(
        torch.nn.Linear(4, 32), torch.nn.Tanh(), torch.nn.Dropout(0.5), torch.nn.Linear(32, 1)
    ).double()
    x, y = torch.randn(64, 4).double(), torch.randn(64, 1).double()
    return model, lambda: (model(x) - y).square().mean()


def error_of_spsa(training, common):
    """Return the root mean square error of SPSA's slope along its own direction.

    Against the exact slope of the same draw, in units of the estimate that an exact
    difference would give.
    """
    model, loss = network()
    model.train(training)
    parameters = list(model.parameters())
    rows = []
    for seed in range(40):
        seen = {}
        search = SPSA(parameters, h=1e-4, generator=generator(seed))
        search.common_random_numbers = common

        def estimate(f, x, search=search, seen=seen):
            seen["x"] = x
            seen["g"], value = SPSA.estimate(search, f, x)
            return torch.zeros_like(x), value

        search.estimate = estimate
        state = torch.get_rng_state()
        search.step(loss)
        torch.set_rng_state(state)  # the draw that the step saw, if it saw one
        gradient = torch.autograd.grad(loss(), parameters)
        gradient = torch.cat([part.flatten() for part in gradient])
        signs = seen["g"].sign()  # up to one common sign, which cancels
        exact = signs * (gradient @ signs)
        rows.append((seen["g"] - exact).norm() / gradient.norm())
    return torch.stack(rows).square().mean().sqrt().item()


def test_dropout_costs_an_estimate_nothing():
    without = error_of_spsa(training=False, common=True)
    assert without < 1e-3
    assert error_of_spsa(training=True, common=True) < 10 * without
    # Two draws differ by far more than two points that lie 2 h apart.
    assert error_of_spsa(training=True, common=False) > 1e3


def test_a_batch_drawn_in_the_closure_is_one_batch_a_step():
    data = torch.randn(1000, generator=generator(5))
    x, batches = torch.zeros(1), []

    def closure():
        batch = torch.randint(1000, (16,))
        batches.append(batch)
        return (data[batch] - x).square().mean()

    search = RandomGrad([x], generator=generator())
    for _ in range(3):
        search.step(closure)
    assert all(torch.equal(batches[i], batches[i + 1]) for i in (0, 2, 4))
    assert not torch.equal(batches[0], batches[2])


@pytest.mark.parametrize("draw", [np.random.default_rng(0).random, random.Random(0).random])
def test_other_generators_than_torchs_are_not_set_back(draw):
    """The documentation says so: such a loss is compared with another draw of itself."""
    x, seen = torch.zeros(1), []
    search = RandomGrad([x], generator=generator())
    search.step(lambda: seen.append(draw()) or torch.tensor(seen[-1]) + (x**2).sum())
    assert len(set(seen)) == 2
    search.loss_generators = [np.random.default_rng(0)]
    with pytest.raises(TypeError, match=r"loss_generators must be a torch.Generator; got"):
        search.step(lambda: (x**2).sum())


@pytest.mark.parametrize(("momentum", "kept"), [(0.1, False), (0.0, True)])
def test_running_statistics_move_with_each_evaluation_unless_they_are_told_not_to(momentum, kept):
    norm = torch.nn.BatchNorm1d(2, momentum=momentum)
    data = torch.randn(8, 2, generator=generator(3)) + 4
    search = SPSA(norm.parameters(), generator=generator())
    search.step(lambda: norm(data).square().mean())
    assert norm.num_batches_tracked == search.evaluations == 2
    assert torch.equal(norm.running_mean, torch.zeros(2)) == kept


@pytest.mark.parametrize("kind", [OrderWalk, SimulatedAnnealing, "undo"])
def test_a_loss_of_another_draw_is_not_remembered(kind):
    """A lucky draw would be kept for ever: all later ones are compared with it."""
    x = torch.zeros(3)
    make = RandomGrad if kind == "undo" else kind
    search = make([x], lr=1e-6, generator=generator())
    search = UndoIncrease(search) if kind == "undo" else search
    torch.manual_seed(1)
    returned = [search.step(lambda: 1 + torch.rand(()) + x.sum() ** 2) for _ in range(40)]
    assert len({round(value, 3) for value in returned}) > 30


@pytest.mark.parametrize("draw", [torch.rand, torch.randn])
def test_what_was_drawn_is_noticed(draw):
    """A single normal number comes from a pair every other time, and moves no twister then."""
    for n in (1, 2, 624, 1248, 10_000):
        for _ in range(3):
            draws = [(torch.default_generator, torch.get_rng_state())]
            assert unchanged(draws)
            draw(n)
            assert not unchanged(draws)
    for _ in range(4):
        draws = [(torch.default_generator, torch.get_rng_state())]
        draw(())
        assert not unchanged(draws)


def test_a_device_has_its_own_generator_beside_that_of_the_cpu(monkeypatch):
    own = [generator(1), generator(2)]
    module = types.SimpleNamespace(current_device=lambda: 1, default_generators=own)
    monkeypatch.setattr(torch, "get_device_module", lambda device: module)
    torchs_own.cache_clear()
    try:
        assert torchs_own(torch.device("cuda", 0)) == (torch.default_generator, own[0])
        assert torchs_own(torch.device("cuda")) == (torch.default_generator, own[1])
    finally:
        torchs_own.cache_clear()


def test_draws_are_made_where_the_generator_is():
    """Parameters of another device are searched with a generator of the CPU."""
    x = torch.zeros(3)
    search = RandomGrad([x], generator=generator(4))
    elsewhere = torch.empty(3, device="meta")
    assert search.normal(elsewhere).device == elsewhere.device
    assert torch.equal(search.normal(x), torch.randn(6, generator=generator(4))[3:])
