"""Chapter 10: the problems, the counter, the theory of cosines, and what the tables mean."""

import dataclasses
import math

import numpy as np
import pytest
import torch

from descent.chapters.without_gradients import left_out, numbers, results, theory
from descent.zeroth_order import REGISTRY

ALL = (*numbers.PROBLEMS, *numbers.TUNING["landscape"], *numbers.TUNING["network"])


@pytest.mark.parametrize("name", ALL)
def test_a_problem_is_its_seed_and_its_residuals_are_its_loss(name):
    one, same, other = (numbers.problem(name, seed) for seed in (1, 1, 2))
    points = torch.tensor(one.starts(3, seed=5))
    losses = one.value(points)
    assert torch.equal(losses, same.value(points))
    assert not torch.allclose(losses, other.value(points))
    assert torch.allclose(one.residuals(points).square().sum(-1), losses)
    assert torch.equal(points[0], one.start)
    assert torch.allclose(losses[1], one.value(points[1]))


@pytest.mark.parametrize("name", [*numbers.LANDSCAPES, *numbers.TUNING["landscape"]])
def test_a_landscape_has_its_minimum_zero_off_the_centre(name):
    rng = np.random.default_rng(3)
    place = np.random.default_rng(3).uniform(-2.5, 2.5, 10)
    made = numbers.landscape(name, 10, rng)
    assert float(made.value(torch.tensor(place))) == pytest.approx(0, abs=1e-7)
    for _ in range(20):
        near = torch.tensor(place + rng.normal(0, 0.1, 10))
        assert float(made.value(near)) > 1e-3


def test_the_networks_are_the_ones_that_torch_makes():
    theta = torch.randn(25, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    x = torch.linspace(-1, 1, 7, dtype=torch.float64)[:, None]
    network = torch.nn.Sequential(torch.nn.Linear(1, 8), torch.nn.Tanh(), torch.nn.Linear(8, 1))
    torch.nn.utils.vector_to_parameters(theta, network.double().parameters())
    assert torch.allclose(numbers.network(theta, x, (1, 8, 1)), network(x))


def test_the_digits_loss_is_the_cross_entropy_of_guessing_at_the_start():
    made = numbers.problem("digits", 0)
    assert float(made.value(made.start)) == pytest.approx(math.log(10))
    assert made.accuracy is not None
    assert made.accuracy(made.start) == pytest.approx(0.1, abs=0.03)


def test_the_counter_counts_points_and_keeps_the_best():
    bowl = numbers.problem("sphere", 0)
    counted = numbers.Evaluations(bowl, budget=10)
    points = torch.tensor(bowl.starts(6, 0))
    losses = counted(points)
    assert counted.count == 6
    assert counted.best == float(min(losses.min(), bowl.value(bowl.start)))
    with pytest.raises(numbers.BudgetSpent):
        counted(points)
    assert counted.count == 10
    curve = counted.curve((1, 3, 10))
    assert np.all(np.diff(curve) <= 0)
    assert curve[-1] == counted.best == float(bowl.value(counted.best_point))


def test_a_point_beyond_the_budget_does_not_count():
    bowl = numbers.problem("sphere", 0)
    counted = numbers.Evaluations(bowl, budget=1)
    minimizer = torch.tensor(np.random.default_rng(0).uniform(-2.5, 2.5, 10))
    with pytest.raises(numbers.BudgetSpent):
        counted(torch.stack([bowl.start, minimizer]))
    assert counted.best == counted.start_loss


def test_a_loss_that_is_not_a_number_is_not_the_best():
    bowl = numbers.problem("sphere", 0)

    def value(x):
        return torch.where(x.abs().sum(-1) == 0, math.nan, bowl.value(x))

    broken = dataclasses.replace(bowl, value=value)
    counted = numbers.Evaluations(broken, budget=3)
    counted(torch.zeros(2, 10, dtype=torch.float64))
    assert counted.curve((2,))[0] == counted.best == counted.start_loss


def test_every_point_counts_whatever_its_loss():
    bowl = numbers.problem("sphere", 0)
    counted = numbers.Evaluations(bowl, budget=5)
    counted(torch.full((10,), math.nan, dtype=torch.float64))
    counted(torch.full((2, 10), math.inf, dtype=torch.float64))
    assert counted.count == 3
    assert counted.best == counted.start_loss


def test_order_statistics_against_closed_forms_and_samples():
    assert theory.largest_of(1) == pytest.approx(0, abs=1e-12)
    assert theory.largest_of(2) == pytest.approx(1 / math.sqrt(math.pi))
    assert theory.largest_of(3) == pytest.approx(1.5 / math.sqrt(math.pi))
    assert theory.mean_size() == pytest.approx(math.sqrt(2 / math.pi))
    z = np.random.default_rng(0).normal(size=(40_000, 10)).max(1)
    assert theory.largest_of(10) == pytest.approx(z.mean(), abs=4 * z.std() / 200)


@pytest.mark.parametrize("d", [2, 5, 40])
def test_cosines_against_plain_sampling(d):
    rng = np.random.default_rng(1)
    n, samples = 8, 4000
    z = rng.normal(size=(samples, n, d))
    a = z[..., 0]
    signs = np.sign(a)[..., None]
    span = np.linalg.svd(z, full_matrices=False)[2][..., 0]
    best = np.maximum(a.max(1), 0) / np.linalg.norm(z[np.arange(samples), a.argmax(1)], axis=-1)

    def cosine(estimates):
        return estimates[..., 0] / np.linalg.norm(estimates, axis=-1)

    for law, found, bias in (
        (theory.one_direction(d), cosine(signs[:, 0] * z[:, 0]), 0),
        (theory.best_of(n, d), best, 0.002),
        (theory.average_of_signs(n, d), cosine((signs * z).sum(1)), 0.03),
        (theory.average_of_differences(n, d), cosine((a[..., None] * z).sum(1)), 0),
        (theory.subspace(n, d), np.linalg.norm(span, axis=-1), 0),
    ):
        error = 4 * found.std() / math.sqrt(samples)
        assert law == pytest.approx(found.mean(), abs=error + bias * law + 1e-12)


def test_the_ways_to_use_ten_directions_are_ordered():
    constants = theory.constants(10)
    one, best, signs, differences = constants.values()
    assert one < best < signs < differences < math.sqrt(10)
    assert differences == pytest.approx(theory.subspace(10, 10**6) * 1e3, rel=1e-4)
    for n in (3, 30):
        assert theory.subspace(n, 10_000) >= theory.average_of_differences(n, 10_000)
        assert theory.average_of_differences(n, 10_000) == pytest.approx(
            theory.subspace(n, 10_000), rel=0.01
        )
    assert theory.best_of(10, 10**6) * 1e3 == pytest.approx(theory.largest_of(10), rel=1e-3)


def test_measured_cosines_of_a_perfect_and_of_a_blind_estimator():
    def differences(generator, x):
        h = 1e-3
        return lambda loss, x: torch.tensor(
            [loss(x + h * e) - loss(x) for e in torch.eye(len(x), dtype=x.dtype)],
            dtype=x.dtype,
        )

    perfect, count = theory.cosines(differences, 4, 10, seed=0)
    assert np.allclose(perfect, 1)
    assert count == 8
    blind, count = theory.cosines(
        lambda generator, x: lambda loss, x: torch.randn(50, generator=generator, dtype=x.dtype),
        50,
        400,
        seed=0,
    )
    assert count == 0
    assert abs(blind.mean()) < 4 * blind.std() / 20


def _runs(finals, start=100.0):
    n = len(finals)
    best = np.repeat(np.array(finals, float)[:, None], len(numbers.CHECKPOINTS), 1)
    best[:, 0] = start
    return results.Runs(best, np.full(n, start), np.full(n, np.nan))


def test_verdicts_follow_the_rule():
    low, high = _runs(range(1, 21)), _runs(range(50, 70))
    runs = {"low": low, "high": high, "same": _runs(range(1, 21))}
    assert results.comparison(runs, "low", "high") == 1
    assert results.comparison(runs, "high", "low") == -1
    assert results.comparison(runs, "low", "same") == 0
    # Equal medians, and yet one is above the other in most pairs.
    level = [0] * 6 + [5] * 14, [5] * 14 + [9] * 6
    assert results.lower(*map(np.array, level)) == 1
    assert results.lower(*map(np.array, level[::-1])) == -1
    assert results.verdict([1, 1, 0, 0, -1]) == "keep"
    assert results.verdict([-1, 1, 0, 0, 0]) == "open"
    assert results.verdict([-1, -1, 1, 1, 0]) == "open"
    assert results.verdict([-1, 0, 0, 0, 0]) == "open"
    assert results.verdict([-1, -1, 1, 0, 0]) == "drop"
    assert results.verdict([0, 0, 0, 0, 0]) == "open"


@pytest.mark.parametrize(
    ("outcomes", "alone", "words"),
    [
        ([1, 1, 0, 0, -1], "keep", {-1: "open", 0: "keep", 1: "keep"}),
        ([-1, -1, 1, 0, 0], "drop", {-1: "drop", 0: "drop", 1: "open"}),
        ([0, 1, -1, 0, 0], "open", {-1: "open", 0: "open", 1: "open"}),
    ],
)
def test_coco_can_overturn_a_verdict_and_makes_none(outcomes, alone, words):
    assert results.verdict(outcomes) == alone
    assert {vote: results.verdict(outcomes, vote) for vote in words} == words


def test_evaluations_to_a_share_of_the_start():
    runs = _runs([1.0, 60.0])
    assert results.evaluations_to(runs, 0.5).tolist() == [numbers.CHECKPOINTS[1], math.inf]


def test_what_the_list_leaves_out_learns_the_bowl():
    found = left_out.medians(4)
    turned = {slug: row["long, turned"] for slug, row in found.items()}
    assert turned["covariance-adaptation"] < 1e-4
    assert min(value for slug, value in turned.items() if slug != "covariance-adaptation") > 0.1
    assert found["natural-evolution"]["long"] < 1e-4 < 0.1 < found["evolution"]["long"]
    listed = [found[slug]["round"] for slug in left_out.ON_THE_LIST]
    assert left_out.lowest_listed(found, "round") == min(listed) < 1e-5
    curvatures, axes = left_out.bowls()["long, turned"]
    np.testing.assert_allclose(axes @ axes.T, np.eye(len(curvatures)), atol=1e-12)


def test_the_evolution_strategy_has_as_many_offspring_as_cma_es():
    sizes = [
        len(REGISTRY[slug].population(np.ones(left_out.DIMENSION), 0, **options).x)
        for slug, options in (
            ("covariance-adaptation", {}),
            ("evolution", left_out.OPTIONS["evolution"]),
        )
    ]
    assert sizes[0] == sizes[1]


def test_the_table_names_who_is_on_the_list():
    row = dict.fromkeys(left_out.bowls(), 1.0)
    table = left_out.table({"evolution": row, "covariance-adaptation": row}).splitlines()
    assert table[2] == "| evolution strategy | yes | 1.0 | 1.0 | 1.0 |"
    assert table[3].startswith("| CMA-ES | no |")
