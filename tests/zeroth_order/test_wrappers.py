"""Wrappers around optimizers of this package and of torch."""

import pytest
import torch

from descent.zeroth_order import (
    Accumulated,
    BestMomentum,
    BreedOptimizers,
    RandomGrad,
    SeveralRates,
    UndoIncrease,
)


def generator(seed=0):
    return torch.Generator().manual_seed(seed)


def quadratic(lr=0.1, make=torch.optim.SGD, start=(1.0, -2.0)):
    """Return a parameter, an optimizer with gradients, and the closure that it needs."""
    x = torch.nn.Parameter(torch.tensor(start, dtype=torch.float64))
    inner = make([x], lr=lr)

    def closure():
        inner.zero_grad()
        loss = 0.5 * (x**2).sum()
        loss.backward()
        return loss

    return x, inner, closure


GRADIENTS = (torch.optim.SGD, torch.optim.Adam)


def lbfgs(params, lr):
    """An optimizer that calls its closure more than once a step."""
    return torch.optim.LBFGS(params, lr=lr, max_iter=2)


@pytest.mark.parametrize(
    ("wrap", "make"),
    [(wrap, make) for wrap in (UndoIncrease, SeveralRates) for make in (*GRADIENTS, lbfgs)]
    + [(BestMomentum, make) for make in GRADIENTS],
)
def test_any_torch_optimizer_can_be_wrapped(make, wrap):
    _, inner, closure = quadratic(make=make)
    search = wrap(inner)
    calls = []

    def counted():
        calls.append(1)
        return closure()

    first = closure().item()
    for _ in range(60):
        search.step(counted)
    assert search.best_loss < 0.01 * first
    assert search.evaluations == len(calls)


@pytest.mark.parametrize("within", [lambda inner: inner, UndoIncrease])
def test_momentum_does_not_lead_away_from_where_curvature_is_measured(within):
    """On Rosenbrock's valley it ran from 2e-6 to 5e14 in sixty steps, without a word."""
    _, inner, _ = quadratic(make=lbfgs)
    with pytest.raises(TypeError, match=r"steps without a closure.*got LBFGS"):
        BestMomentum(within(inner))


def test_wrappers_nest():
    x = torch.full((3,), 2.0, dtype=torch.float64)
    inner = RandomGrad([x], lr=0.3, generator=generator())
    search = UndoIncrease(SeveralRates(inner, factors=(0.1, 1.0)), otherwise="reverse")
    losses = [search.step(lambda: (x**2).sum()) for _ in range(100)]
    assert losses == sorted(losses, reverse=True)
    assert losses[-1] < 0.1
    assert search.evaluations > search.optimizer.evaluations > inner.evaluations > 0


@pytest.mark.parametrize(("lr", "kept"), [(1.9, -0.9), (2.1, 1.0)])
def test_a_step_that_raises_the_loss_is_undone(lr, kept):
    """Descent on x²/2 multiplies by 1 - η: it climbs when η > 2."""
    x, inner, closure = quadratic(lr=lr)
    before = x.detach().clone()
    search = UndoIncrease(inner)
    assert search.step(closure) == pytest.approx(0.5 * (kept * before).square().sum().item())
    torch.testing.assert_close(x.detach(), kept * before)


def test_the_opposite_step_is_tried_where_it_helps():
    """Ascent climbs at every step; its opposite is descent."""
    x = torch.nn.Parameter(torch.tensor([1.0, -2.0], dtype=torch.float64))
    before = x.detach().clone()
    inner = torch.optim.SGD([x], lr=0.1, maximize=True)

    def closure():
        inner.zero_grad()
        loss = 0.5 * (x**2).sum()
        loss.backward()
        return loss

    UndoIncrease(inner).step(closure)
    torch.testing.assert_close(x.detach(), before, rtol=0, atol=0)
    UndoIncrease(inner, otherwise="reverse").step(closure)
    torch.testing.assert_close(x.detach(), 0.9 * before)


def test_a_step_that_leaves_the_loss_as_it_is_stands():
    """On a plateau the opposite is not asked for: L(x + Δ) <= L(x) is enough."""
    x = torch.nn.Parameter(torch.tensor([1.0, -2.0], dtype=torch.float64))
    inner = torch.optim.SGD([x], lr=0.1)

    def closure():
        inner.zero_grad()
        level = 3.0 + 0.0 * x.detach().sum()
        if torch.is_grad_enabled():
            x.sum().backward()
        return level

    for otherwise in ("undo", "reverse"):
        with torch.no_grad():
            x.copy_(torch.tensor([1.0, -2.0]))
        search = UndoIncrease(inner, otherwise=otherwise)
        search.step(closure)
        torch.testing.assert_close(x.detach(), torch.tensor([0.9, -2.1], dtype=torch.float64))
        assert search.evaluations == 3  # before, by the wrapped optimizer, and after


def test_a_loss_is_not_evaluated_twice_at_one_point_unless_it_has_moved():
    x, inner, closure = quadratic()
    search = UndoIncrease(inner)
    search.step(closure)
    assert search.evaluations == 3  # before, with the gradient, after
    search.step(closure)
    assert search.evaluations == 5
    with torch.no_grad():
        x.add_(1.0)
    search.step(closure)
    assert search.evaluations == 8


def test_the_best_of_several_rates_is_taken():
    x, inner, closure = quadratic(lr=0.1)
    before = x.detach().clone()
    search = SeveralRates(inner, factors=(0.5, 2.0, 8.0, 30.0))
    loss = search.step(closure)
    torch.testing.assert_close(x.detach(), (1 - 0.8) * before)
    assert loss == pytest.approx(0.5 * x.detach().square().sum().item())


def test_momentum_points_to_the_best_with_the_length_it_had():
    x, inner, closure = quadratic(lr=0.1)
    search = BestMomentum(inner, momentum=0.5)
    search.step(closure)
    first = search.memory["speed"].item()
    assert first == pytest.approx(0.1 * 5**0.5)
    with torch.no_grad():
        x.copy_(torch.tensor([3.0, -6.0]))  # the best lies straight back, at (0.9, -1.8)
    before = x.detach().clone()
    search.step(closure)
    towards = (torch.tensor([0.9, -1.8]) - before) / (torch.tensor([0.9, -1.8]) - before).norm()
    torch.testing.assert_close(x.detach(), 0.9 * before + 0.5 * first * towards)


def factory(params, source):
    return RandomGrad(params, lr=0.1, generator=source)


def test_the_worst_optimizer_dies_and_a_mutant_of_a_better_one_takes_its_place():
    x = torch.zeros(2, dtype=torch.float64)
    starts = torch.tensor([[1.0, 0.0], [2.0, 0.0], [90.0, 0.0], [3.0, 0.0]])
    search = BreedOptimizers(
        [x], factory, size=4, period=1, mutation=0.5, starts=starts, generator=generator()
    )
    search.step(lambda: (x**2).sum())
    norms = search.memory["points"].norm(dim=1)
    assert norms.max() < 10
    assert any(
        torch.equal(search.memory["points"][2], search.memory["points"][i]) for i in (0, 1, 3)
    )
    rates = [member.param_groups[0]["lr"] for member in search.members]
    assert [rates[i] for i in (0, 1, 3)] == [0.1] * 3
    assert rates[2] != 0.1
    assert search.evaluations == 8


@pytest.mark.parametrize("rebirth", ["bred", "initial"])
def test_a_child_inherits_a_parents_state_or_none(rebirth):
    x = torch.nn.Parameter(torch.zeros(2, dtype=torch.float64))
    starts = torch.tensor([[1.0, 0.0], [1.0, 0.1], [90.0, 0.0]])
    search = BreedOptimizers(
        [x],
        lambda params, source: torch.optim.Adam(params, lr=0.01),
        size=3,
        period=5,
        mutation=0.0,
        rebirth=rebirth,
        starts=starts,
        generator=generator(),
    )

    def closure():
        search.zero_grad()
        loss = (x**2).sum()
        loss.backward()
        return loss

    for _ in range(5):
        search.step(closure)
    momenta = [member.state[x].get("exp_avg") for member in search.members]
    if rebirth == "initial":
        assert momenta[2] is None
    else:
        assert any(torch.equal(momenta[2], momenta[i]) for i in (0, 1))
        assert all(momenta[2] is not momenta[i] for i in (0, 1))


def test_an_initial_state_does_not_bring_back_old_noise():
    x = torch.ones(2, dtype=torch.float64)
    source = generator()
    search = BreedOptimizers([x], factory, size=3, period=1, rebirth="initial", generator=source)
    states = set()
    for _ in range(5):
        search.step(lambda: (x**2).sum())
        states.add(bytes(source.get_state().numpy()))
    at_birth = bytes(generator().get_state().numpy())
    assert len(states | {at_birth}) == 6
    points = search.memory["points"]
    assert len(torch.unique(points, dim=0)) > 1


def test_individuals_do_not_share_what_they_remember():
    """Without deaths, each individual runs as it would alone."""
    x = torch.nn.Parameter(torch.zeros(1, dtype=torch.float64))
    starts = torch.tensor([[1.0], [5.0], [-2.0]], dtype=torch.float64)
    make = lambda params: torch.optim.Adam(params, lr=0.1)  # noqa: E731
    search = BreedOptimizers(
        [x],
        lambda params, _: make(params),
        size=3,
        period=100,
        starts=starts,
        generator=generator(),
    )

    def closure():
        x.grad = None
        loss = (x**2).sum()
        loss.backward()
        return loss

    for _ in range(10):
        search.step(closure)
    for start, end in zip(starts, search.memory["points"], strict=True):
        y = torch.nn.Parameter(start.clone())
        alone = make([y])
        for _ in range(10):
            alone.zero_grad()
            (y**2).sum().backward()
            alone.step()
        torch.testing.assert_close(y.detach(), end)


def test_options_are_checked():
    x = torch.zeros(2)
    inner = torch.optim.SGD([x], lr=0.1)
    for wrap in (UndoIncrease, BestMomentum, SeveralRates):
        with pytest.raises(TypeError, match="optimizer"):
            wrap("sgd")
    for wrap, options in [
        (UndoIncrease, {"otherwise": "stay"}),
        (BestMomentum, {"momentum": 1.0}),
        (SeveralRates, {"factors": ()}),
    ]:
        with pytest.raises(ValueError, match=next(iter(options))):
            wrap(inner, **options)
    for options in ({"size": 2}, {"period": 0}, {"rebirth": "never"}, {"starts": torch.zeros(3)}):
        with pytest.raises(ValueError, match=next(iter(options))):
            BreedOptimizers([x], factory, generator=generator(), **options)


@pytest.mark.parametrize("wrap", [UndoIncrease, BestMomentum, SeveralRates, Accumulated])
def test_a_closure_without_the_gradients_that_are_needed_is_told(wrap):
    x, inner, _ = quadratic()
    search = wrap(inner)
    with pytest.raises(ValueError, match="closure must compute gradients for SGD"):
        search.step(lambda: 0.5 * (x**2).sum())
    assert x.tolist() == [1.0, -2.0]


def test_individuals_need_gradients_if_they_use_them():
    x = torch.nn.Parameter(torch.ones(2))
    make = lambda params, _: torch.optim.SGD(params, lr=0.1)  # noqa: E731
    search = BreedOptimizers([x], make, generator=generator())
    with pytest.raises(ValueError, match="closure must compute gradients for SGD"):
        search.step(lambda: (x**2).sum())


def test_a_child_has_the_best_point_and_its_loss_from_one_parent():
    x = torch.full((3,), 2.0, dtype=torch.float64)
    search = BreedOptimizers(
        [x],
        lambda params, source: BestMomentum(RandomGrad(params, lr=0.1, generator=source)),
        size=5,
        period=2,
        generator=generator(),
    )
    for _ in range(60):
        search.step(lambda: (x**2).sum())
        for member in search.members:
            for each in (member, member.optimizer):
                assert each.best.square().sum().item() == pytest.approx(each.best_loss, rel=1e-12)


def test_individuals_have_rates_of_their_own_in_each_group():
    x, y = torch.ones(1), torch.ones(1)
    groups = [{"params": [x], "lr": 0.1}, {"params": [y], "lr": 0.2}]
    search = BreedOptimizers(
        groups,
        lambda params, source: RandomGrad(params, generator=source),
        size=3,
        period=1,
        generator=generator(),
    )
    search.step(lambda: x.square() + y.square())
    rates = {tuple(group["lr"] for group in member.param_groups) for member in search.members}
    assert (0.1, 0.2) in rates
    assert len(rates) == 2
    assert [group["lr"] for group in groups] == [0.1, 0.2]


def test_individuals_are_over_the_same_parameters():
    x = torch.ones(2)
    with pytest.raises(ValueError, match="same params"):
        BreedOptimizers([x], lambda _, source: factory([x[:1]], source), generator=generator())


def test_one_group_stands_once_whatever_wraps_it():
    """An edited rate, a scheduler and a cast reach every layer of nested optimizers."""
    x = torch.nn.Parameter(torch.ones(3))
    adam = torch.optim.Adam([x], lr=0.1)
    estimator = RandomGrad([x], generator=generator(), optimizer=adam)
    search = UndoIncrease(SeveralRates(estimator))
    layers = (search, search.optimizer, estimator, adam)
    for change in (
        lambda: search.load_state_dict(search.state_dict()),
        lambda: setattr(x, "data", x.data.double()),
    ):
        change()
        search.step(lambda: (x**2).sum())
        assert len({id(layer.param_groups[0]) for layer in layers}) == 1
    assert adam.state[x]["exp_avg"].dtype == torch.float64
