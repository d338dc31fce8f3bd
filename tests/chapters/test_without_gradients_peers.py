"""Chapter 10: what the programs of others do with plateaus, stairs, NaN, small budgets, copies."""

import copy
import pickle
import warnings
from importlib.metadata import version

import numpy as np
import pytest
import torch

from descent.chapters.without_gradients import numbers
from descent.chapters.without_gradients.methods import PEERS, racers
from descent.chapters.without_gradients.peers import NGOPT_IS, behind

BUDGET = 120
CENTRE = torch.tensor([0.7, -1.1, 0.4, 2.0, -0.3], dtype=torch.float64)


def bowl(x):
    return (x - CENTRE).square().sum(-1)


def stairs(x):
    return bowl(x).floor()


def plateau(x):
    return 0 * bowl(x)


class Told(numbers.Evaluations):
    """Evaluations of a problem in the plane of five coordinates, some of them spoilt."""

    def __init__(self, value, budget=BUDGET, spoilt=(), by=np.nan):
        start = torch.zeros(5, dtype=torch.float64)
        super().__init__(numbers.Problem("own", start, value, value, lambda rng: start), budget)
        self.spoilt, self.by, self.points = np.array(spoilt, int), by, []

    def __call__(self, x):
        losses = self.problem.value(x).clone()
        place = self.count + torch.arange(losses.numel()).reshape(losses.shape)
        losses[torch.isin(place, torch.as_tensor(self.spoilt))] = self.by
        self.points.append(x.detach().reshape(-1, 5).numpy().copy())
        return self._count(x, losses)


def race(name, told, seed=3):
    """Run a peer until the budget is spent; NGOpt as the one of its kind that needs no model."""
    setting = dict(PEERS[name].chosen["landscape"])
    if name == "nevergrad NGOpt":
        setting["name"] = "CMA"
    with pytest.raises(numbers.BudgetSpent):
        PEERS[name].race(told, seed, **setting)
    return told


EVERY = pytest.mark.parametrize("name", PEERS)


@EVERY
def test_a_seed_is_a_run_and_another_seed_another(name):
    one, same, other = (race(name, Told(bowl), seed) for seed in (3, 3, 4))
    assert one.count == BUDGET
    assert np.array_equal(np.concatenate(one.points), np.concatenate(same.points))
    assert not np.array_equal(np.concatenate(one.points)[1:9], np.concatenate(other.points)[1:9])


@EVERY
@pytest.mark.parametrize("spoilt", [(0,), (2,), range(0, BUDGET, 3), range(40)])
def test_what_is_not_a_number_is_as_bad_as_infinity(name, spoilt):
    spoiled, infinite = (race(name, Told(bowl, spoilt=spoilt, by=by)) for by in (np.nan, np.inf))
    assert np.isfinite(spoiled.best)
    assert np.array_equal(np.concatenate(spoiled.points), np.concatenate(infinite.points))


@EVERY
@pytest.mark.parametrize("by", [np.nan, np.inf])
def test_a_run_without_any_finite_loss_spends_the_budget(name, by):
    told = race(name, Told(bowl, spoilt=range(BUDGET), by=by))
    assert told.best == told.start_loss


@EVERY
def test_a_plateau_is_no_reason_to_stop(name):
    told = race(name, Told(plateau, budget=2000))
    assert told.count == 2000
    assert np.isfinite(np.concatenate(told.points)).all()
    assert told.best == 0


@EVERY
def test_stairs_are_descended(name):
    told = race(name, Told(stairs, budget=1000))
    assert told.best < told.start_loss
    assert told.best == told.best // 1


@pytest.mark.parametrize("problem", NGOPT_IS)
def test_ngopt_is_what_the_page_says(problem):
    import nevergrad as ng

    d = numbers.problem(problem, 0).dimension
    optimizer = ng.optimizers.NGOpt(ng.p.Array(shape=(d,)), budget=numbers.BUDGET)
    assert behind(optimizer) == NGOPT_IS[problem]
    assert set(NGOPT_IS) == {
        p for p in numbers.PROBLEMS if "nevergrad NGOpt" in racers(numbers.kind(p))
    }


@pytest.mark.skipif(version("nevergrad") != "1.0.12", reason="seen with nevergrad 1.0.12")
@pytest.mark.parametrize("d", [1, 2, 5])
def test_a_budget_that_ngopt_cannot_spend_is_answered_in_a_line(d):
    start = torch.zeros(d, dtype=torch.float64)
    square = numbers.Problem("own", start, lambda x: (x - 1).square().sum(-1), None, None)
    told = numbers.Evaluations(square, 100)
    words = rf"got 100, for which it is MetaModel in {d} dimensions and fails after \d+ eval"
    with pytest.raises(ValueError, match=words):
        PEERS["nevergrad NGOpt"].race(told, 3, 1.0, "NGOpt")
    assert 0 < told.count < 100


def generations(search, package, n=3):
    """Return the next points that a search of one of the packages asks for."""
    asked = []
    for _ in range(n):
        if package == "scipy":
            asked.append(next(search)[0])
        elif package == "nevergrad":
            candidate = search.ask()
            asked.append(candidate.value)
            search.tell(candidate, float(np.sum(candidate.value**2)))
        elif package == "cma":
            points = search.ask()
            asked += points
            search.tell(points, [float(np.sum(x**2)) for x in points])
        else:
            points = [search.ask() for _ in range(search.population_size)]
            asked += points
            search.tell([(x, float(np.sum(x**2))) for x in points])
    return np.array(asked)


def sum_of_squares(x):
    return float(np.sum(np.square(x)))


def begun(package):
    """Return a search of a package, two generations old."""
    if package == "cma":
        import cma

        search = cma.CMAEvolutionStrategy([1.0, 1.0], 0.3, {"seed": 2, "verbose": -9})
    elif package == "cmaes":
        import cmaes

        search = cmaes.CMA(mean=np.ones(2), sigma=0.3, seed=2)
    elif package == "nevergrad":
        import nevergrad as ng

        parameter = ng.p.Array(init=np.ones(25))
        parameter.random_state.seed(2)
        search = ng.optimizers.NGOpt(parameter, budget=2000)
    else:
        from scipy.optimize._differentialevolution import DifferentialEvolutionSolver

        search = DifferentialEvolutionSolver(sum_of_squares, [(-5, 5)] * 2, rng=2)
    generations(search, package, 2)
    return search


@pytest.mark.parametrize("copied", [copy.deepcopy, lambda s: pickle.loads(pickle.dumps(s))])
@pytest.mark.parametrize(
    ("package", "goes_on"), [("cma", True), ("nevergrad", True), ("scipy", True), ("cmaes", False)]
)
def test_which_peers_go_on_with_the_same_run_in_a_copy(package, goes_on, copied):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        search = begun(package)
        other = copied(search)
        here, there = generations(search, package), generations(other, package)
    assert np.array_equal(here, there) is goes_on
