"""What every population keeps to, whatever it does."""

import copy
import math

import numpy as np
import pytest
import torch

from descent.zeroth_order import REGISTRY, Driven, EnsembleKalman, NonFiniteLoss

CURVATURE = torch.tensor([1.0, 2.0, 3.0, 4.0], dtype=torch.float64)
START = torch.tensor([1.0, -1.0, 0.5, 1.5], dtype=torch.float64)
POPULATIONS = [name for name, idea in REGISTRY.items() if idea.kind == "population"]
ALL = pytest.mark.parametrize("name", POPULATIONS)


@ALL
def test_a_population_refuses_what_does_not_fit(name):
    idea = REGISTRY[name]
    population = idea.population(START.numpy(), 0)
    with pytest.raises(ValueError, match="ask"):
        population.tell([1.0])
    assert np.array_equal(population.ask(), population.ask())
    with pytest.raises(ValueError, match="losses must be"):
        population.tell([1.0])
    with pytest.raises(ValueError, match="finite"):
        idea.population([math.nan, 0.0], 0)
    with pytest.raises(ValueError, match="spread"):
        idea.population(START.numpy(), 0, spread=0.0)
    with pytest.raises(TypeError, match="generator"):
        idea.build(START.numpy(), generator=0)


@ALL
def test_what_was_asked_cannot_be_changed_from_outside(name):
    first, second = (REGISTRY[name].population(START.numpy(), 0) for _ in range(2))
    curvature = CURVATURE.numpy()
    for _ in range(3):
        for population, spoil in ((first, False), (second, True)):
            x = population.ask()
            told = x * np.sqrt(curvature) if population.residuals else x**2 @ curvature
            if spoil:
                x *= math.nan
            population.tell(told)
    assert np.array_equal(first.best, second.best)
    assert np.array_equal(first.ask(), second.ask())


@ALL
def test_a_loss_that_is_not_finite_moves_no_particle(name):
    population = REGISTRY[name].population(START.numpy(), 0)
    x = population.ask()
    told = x.copy() if population.residuals else (x**2).sum(axis=1)
    mended = told.copy()
    told[3] = math.nan
    with pytest.raises(NonFiniteLoss, match="finite"):
        population.tell(told)
    assert population.best_loss < math.inf
    assert np.array_equal(population.ask(), x)
    population.tell(mended)
    assert not np.array_equal(population.ask(), x)


def quadratic(population, x):
    """Return what a population is told on a quadratic."""
    scaled = x * np.sqrt(CURVATURE.numpy())
    return scaled if population.residuals else 0.5 * (scaled**2).sum(axis=1)


@ALL
def test_a_population_looks_at_its_start_before_it_leaves_it(name):
    x = torch.full((50,), 0.3, dtype=torch.float64)
    search = REGISTRY[name].optimizer([x], 0)

    def closure():
        misses = x - 0.3
        return misses if search.population.residuals else misses.square().sum()

    asked = 0
    for _ in range(3):
        asked += len(search.population.ask())
        search.step(closure)
        assert search.best_loss == 0.0
        assert torch.equal(x, torch.full_like(x, 0.3))
    assert search.evaluations == asked + 1


@ALL
def test_it_does_not_look_if_it_is_told_so(name):
    x = START.clone()
    search = REGISTRY[name].optimizer([x], 0)
    search.look = False
    calls = []

    def closure():
        calls.append(x.clone())
        return x if search.population.residuals else x.square().sum()

    search.step(closure)
    assert not any(torch.equal(each, START) for each in calls)


@ALL
def test_infinity_is_worse_than_all_else_and_stops_nobody(name):
    """The minimum lies at the wall of what is allowed; about half of all candidates are not."""
    population = REGISTRY[name].population(START.numpy(), 0)
    told = []
    for _ in range(60):
        x = population.ask()
        losses = quadratic(population, x + 0.0)
        losses[x[:, 0] < 0] = math.inf
        told.append(np.isinf(losses).mean())
        population.tell(losses)
        assert np.isfinite(population.x).all()
    assert max(told) >= 0.1
    assert population.best[0] >= 0
    assert population.best_loss < 0.1 * 0.5 * float((CURVATURE * START**2).sum())


@ALL
def test_a_generation_without_anything_allowed_is_survived(name):
    population = REGISTRY[name].population(START.numpy(), 0)
    population.tell(quadratic(population, population.ask()))
    best = population.best_loss
    for _ in range(3):
        population.tell(np.full_like(quadratic(population, population.ask()), math.inf))
    assert np.isfinite(population.ask()).all()
    assert population.best_loss == best
    for _ in range(30):
        population.tell(quadratic(population, population.ask()))
    assert population.best_loss < best


@ALL
@pytest.mark.parametrize("seed", range(3))
def test_a_population_that_has_strayed_comes_back(name, seed):
    """Only a small ball is allowed, far from where the losses draw the population."""
    population = REGISTRY[name].population(np.full(2, 1.0), seed, spread=0.3)
    allowed = []
    for _ in range(80):
        x = population.ask()
        losses = x - 9.0 if population.residuals else ((x - 9.0) ** 2).sum(axis=1)
        inside = ((x - 1.0) ** 2).sum(axis=1) < 0.25
        losses[~inside] = math.inf
        allowed.append(inside.any())
        population.tell(losses)
    assert any(allowed[-20:])


@ALL
def test_minus_infinity_and_nothing_allowed_at_all_are_reported(name):
    population = REGISTRY[name].population(START.numpy(), 0)
    losses = quadratic(population, population.ask())
    with pytest.raises(NonFiniteLoss, match="all losses so far are inf"):
        population.tell(np.full_like(losses, math.inf))
    if not population.residuals:
        losses[0] = -math.inf
        with pytest.raises(NonFiniteLoss, match="-inf"):
            population.tell(losses)


@ALL
@pytest.mark.parametrize("driven", [False, True])
def test_a_region_that_is_not_allowed_is_left_alone(name, driven):
    x = torch.tensor([1.0, 1.0], dtype=torch.float64)
    search = REGISTRY[name].optimizer([x], 0)

    def closure():
        allowed = bool((x >= 0).all())
        if search.population.residuals:
            return x.clone() if allowed else torch.full_like(x, math.inf)
        return x.square().sum() if allowed else math.inf

    for _ in range(40):
        search.step(closure)
    assert bool((x >= 0).all())
    assert search.best_loss < 0.2


@ALL
def test_groups_with_rates_are_refused(name):
    with pytest.raises(ValueError, match="lr"):
        REGISTRY[name].optimizer([{"params": [START.clone()], "lr": 0.1}], 0)


@ALL
def test_a_copy_and_a_saved_state_go_on_by_themselves(name):
    first = REGISTRY[name].population(START.numpy(), 0)
    for _ in range(5):
        first.tell(quadratic(first, first.ask()))
    twin, other = copy.deepcopy(first), REGISTRY[name].population(START.numpy(), 1)
    other.load_state_dict(first.state_dict())
    for _ in range(5):
        for each in (first, twin, other):
            each.tell(quadratic(each, each.ask()))
    assert np.array_equal(first.ask(), twin.ask())
    assert np.array_equal(first.ask(), other.ask())
    with pytest.raises(ValueError, match="coordinates"):
        first.load_state_dict(REGISTRY[name].population(np.ones(2), 0).state_dict())


@pytest.mark.parametrize("buffer", [False, True])
def test_residuals_that_are_the_parameters_or_a_buffer_are_copied(buffer):
    """Rows of residuals that share storage would all become the last one."""
    x = torch.full((6,), 1.5, dtype=torch.float64)
    rows = torch.empty_like(x)
    search = Driven([x], lambda start: EnsembleKalman(start, generator=np.random.default_rng(0)))
    for _ in range(150):
        search.step(lambda: rows.copy_(x) if buffer else x)
    assert search.best_loss < 1e-4


def test_only_populations_are_asked():
    with pytest.raises(ValueError, match="population"):
        REGISTRY["spsa"].population(START.numpy(), 0)
