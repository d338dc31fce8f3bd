"""What every idea keeps to, whatever it does."""

import io
import math

import numpy as np
import pytest
import torch
from torch.optim.lr_scheduler import LambdaLR

from descent.zeroth_order import REGISTRY, NonFiniteLoss, RandomGrad

CURVATURE = torch.tensor([1.0, 2.0, 3.0, 4.0], dtype=torch.float64)
START = torch.tensor([1.0, -1.0, 0.5, 1.5], dtype=torch.float64)
WITH_RATE = [name for name, idea in REGISTRY.items() if idea.kind != "population"]
WITH_RATE = [name for name in WITH_RATE if name not in ("breeding", "rebirth")]
INNER = (
    *("accumulated", "after-momentum-step", "after-adam-step", "random-grad-adam"),
    *("averaged-differences-adam", "spsa-adam", "breeding", "rebirth"),
)
ALL = pytest.mark.parametrize("name", REGISTRY)
RATED = pytest.mark.parametrize("name", WITH_RATE)


class Run:
    """One search on a quadratic, which counts for itself."""

    def __init__(self, name, seed=0, start=START, shift=0.0, spoil=None, **options):
        self.x = torch.nn.Parameter(start.clone())
        self.search = REGISTRY[name].optimizer([self.x], seed, **options)
        self.residuals = getattr(getattr(self.search, "population", None), "residuals", False)
        self.shift, self.spoil = shift, spoil
        self.losses = []

    def value(self):
        return 0.5 * (CURVATURE * self.x**2).sum() + self.shift

    def closure(self):
        value = self.value()
        if len(self.losses) == self.spoil:
            value = value * math.nan
        self.losses.append(value.item())
        return CURVATURE.sqrt() * self.x * (value / value) if self.residuals else value

    def steps(self, n):
        """Make n steps; return the parameters after each."""
        path = []
        for _ in range(n):
            self.search.step(self.closure)
            path.append(self.x.detach().clone())
        return torch.stack(path)


@ALL
def test_a_quadratic_is_solved(name):
    run = Run(name)
    # Gradients that are never set to zero only pass the minimum.
    share = 0.2 if name == "accumulated" else 0.02
    goal = share * run.value().item()
    while run.search.best_loss > goal and len(run.losses) < 4000:
        run.steps(1)
    assert run.search.best_loss <= goal


@ALL
def test_evaluations_and_the_best_point_are_kept(name):
    run = Run(name)
    run.steps(15)
    assert run.search.evaluations == len(run.losses)
    assert run.search.best_loss == pytest.approx(min(run.losses), rel=1e-12)
    run.search.restore_best()
    assert run.value().item() == pytest.approx(min(run.losses), rel=1e-12)


def test_of_points_with_equal_losses_the_first_is_the_best():
    w = torch.tensor([1.0, 2.0])
    search = RandomGrad([w], generator=torch.Generator().manual_seed(0))
    search.evaluate(lambda: torch.tensor(3.0))
    w += 1
    search.evaluate(lambda: torch.tensor(3.0))
    search.restore_best()
    assert w.tolist() == [1.0, 2.0]


@ALL
def test_a_generator_determines_the_run(name):
    first, same, other = (Run(name, seed).steps(10) for seed in (1, 1, 2))
    assert torch.equal(first, same)
    assert not torch.equal(first, other)


@ALL
def test_a_saved_state_continues_the_run(name):
    run = Run(name)
    run.steps(13)
    file = io.BytesIO()
    torch.save(run.search.state_dict(), file)
    held = run.search.state_dict()
    resumed = [Run(name, seed=9, start=run.x.detach()) for _ in range(2)]
    # With a period of ten, an optimizer dies before and after the state is saved.
    continued = run.steps(13)
    file.seek(0)
    resumed[0].search.load_state_dict(torch.load(file, weights_only=False))
    resumed[1].search.load_state_dict(held)
    for other in resumed:
        assert torch.equal(other.steps(13), continued)
        assert other.search.evaluations == run.search.evaluations
        assert other.search.best_loss == run.search.best_loss
        assert torch.equal(other.search.best, run.search.best)


@ALL
def test_a_constant_added_to_the_loss_changes_nothing(name):
    if Run(name).residuals:
        pytest.skip("residuals have no free constant")
    torch.testing.assert_close(
        Run(name, shift=64.0).steps(12), Run(name).steps(12), rtol=1e-7, atol=1e-8
    )


@ALL
@pytest.mark.parametrize("bad", [None, 3.0])
def test_what_is_no_closure_is_named(name, bad):
    if name == "accumulated" and bad is None:
        bad = "closure"
    with pytest.raises(TypeError, match="closure"):
        Run(name).search.step(bad)


@ALL
@pytest.mark.parametrize(
    ("returned", "error"),
    [(None, TypeError), ("low", TypeError), (torch.ones(2, 2), ValueError)],
)
def test_a_closure_that_returns_no_loss_is_named(name, returned, error):
    run = Run(name)
    if run.residuals and error is ValueError:
        pytest.skip("several numbers are what it wants")
    with pytest.raises(error, match="closure must return"):
        run.search.step(lambda: returned)


@ALL
@pytest.mark.parametrize("spoil", [0, 1, 37])
def test_nan_stops_with_the_best_so_far(name, spoil):
    run = Run(name, spoil=spoil)
    with pytest.raises(NonFiniteLoss, match="nan"):
        run.steps(40)
    assert len(run.losses) == spoil + 1 == run.search.evaluations
    finite = run.losses[:-1]
    if finite:
        assert run.search.best_loss == pytest.approx(min(finite), rel=1e-12)
        assert run.value().item() == pytest.approx(min(finite), rel=1e-12)
    else:
        assert torch.equal(run.x.detach(), START)
    # The search can go on with a loss that is mended.
    run.steps(3)
    assert run.search.evaluations == len(run.losses)
    assert torch.is_grad_enabled()


@ALL
def test_infinity_stops_as_well(name):
    run = Run(name)
    with pytest.raises(NonFiniteLoss, match="inf"):
        run.search.step(lambda: run.x / 0 if run.residuals else run.value() / 0)
    assert torch.equal(run.x.detach(), START)


@RATED
def test_a_scheduler_holds_the_rate(name):
    run = Run(name)
    scheduler = LambdaLR(run.search, lambda epoch: 1e-9 if epoch == 0 else 1.0)
    with_small_rate = (run.steps(1)[0] - START).abs().max()
    scheduler.step()
    assert with_small_rate < 1e-6
    assert (run.steps(3)[-1] - START).abs().max() > 1e-4


@RATED
def test_a_scheduler_holds_the_rate_after_a_state_was_loaded(name):
    run = Run(name)
    run.search.load_state_dict(Run(name).search.state_dict())
    for group in run.search.param_groups:
        group["lr"] = 1e-12
    assert (run.steps(1)[0] - START).abs().max() < 1e-9


@RATED
def test_groups_have_rates_of_their_own(name):
    moving, resting = (torch.nn.Parameter(START[i : i + 2].clone()) for i in (0, 2))
    rest = {"params": [resting], "lr": 1e-12}
    if name == "best-momentum":
        rest["h"] = 1e-12  # else it is drawn to where the loss was probed
    search = REGISTRY[name].optimizer([{"params": [moving]}, rest], seed=0)
    for _ in range(5):
        search.step(lambda: (moving**2).sum() + (resting**2).sum())
    assert (resting.detach() - START[2:]).abs().max() < 1e-9
    assert (moving.detach() - START[:2]).abs().max() > 1e-4


@ALL
def test_integers_and_booleans_stand_beside_reals(name):
    x, count, flag = torch.zeros(2), torch.tensor([9, -9]), torch.tensor(False)
    search_of = REGISTRY[name].optimizer
    if name in INNER:
        with pytest.raises(ValueError, match="integers"):
            search_of([x, count], 0).step(lambda: (x**2).sum())
        return
    search = search_of([x, count, flag], 0)
    residuals = getattr(getattr(search, "population", None), "residuals", False)

    def closure():
        misses = torch.cat([x - 1, count - 3.0, ~flag[None]])
        return misses if residuals else (misses**2).sum()

    for _ in range(10):
        search.step(closure)
    assert (count.dtype, flag.dtype) == (torch.int64, torch.bool)
    search.restore_best()
    found = closure()
    found = 0.5 * (found**2).sum() if residuals else found
    assert found.item() == pytest.approx(search.best_loss, rel=1e-6)


@ALL
def test_the_parameters_of_a_module_stay_its_own(name):
    """Shapes, identity and the module's own access survive being views of one vector."""
    module = torch.nn.Linear(2, 2).double()
    weight, bias = module.weight, module.bias
    search = REGISTRY[name].optimizer(module.parameters(), seed=0)
    if getattr(getattr(search, "population", None), "residuals", False):
        search.step(lambda: module.weight @ module.bias)
    else:
        search.step(lambda: (module.weight**2).sum() + (module.bias**2).sum())
    assert module.weight is weight
    assert module.bias is bias
    assert (weight.shape, bias.shape) == ((2, 2), (2,))
    assert weight.is_leaf


POPULATIONS = [name for name, idea in REGISTRY.items() if idea.kind == "population"]


@pytest.mark.parametrize("name", POPULATIONS)
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


@pytest.mark.parametrize("name", POPULATIONS)
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


@pytest.mark.parametrize("name", POPULATIONS)
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


def test_only_populations_are_asked():
    with pytest.raises(ValueError, match="population"):
        REGISTRY["spsa"].population(START.numpy(), 0)


@pytest.mark.parametrize("name", WITH_RATE)
def test_generator_and_rate_are_checked(name):
    with pytest.raises(TypeError, match="generator"):
        REGISTRY[name].build([START.clone()], generator=np.random.default_rng(0))
    with pytest.raises(ValueError, match=r"lr|learning rate"):
        REGISTRY[name].optimizer([START.clone()], 0, lr=-1.0)
