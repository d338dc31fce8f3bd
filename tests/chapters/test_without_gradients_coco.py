"""Chapter 10: COCO's functions, what their table means, and the rivals told residuals."""

import numpy as np
import pytest
import torch

from descent.chapters.without_gradients import (
    coco,
    coco_judged,
    coco_pictures,
    explorers,
    informed,
    numbers,
    pictures,
    reached,
    results,
    theory,
)
from descent.chapters.without_gradients.beside import BESIDE, TRIED
from descent.chapters.without_gradients.bullets import BULLETS
from descent.chapters.without_gradients.coco_sweeps import COCO
from descent.chapters.without_gradients.methods import METHODS, OURS, on_coco
from descent.chapters.without_gradients.peers import PEERS
from descent.sweeps import load
from descent.zeroth_order import REGISTRY

SPHERES = ([0.2528, -1.1568], [-3.8984, -2.8904])
"""Minimizers of the first two instances of COCO's sphere in the plane."""
FIRST_TWO = coco.INSTANCES[:2]


def sphere(minimizer):
    return lambda x: float(((x - np.array(minimizer)) ** 2).sum())


def installed():
    return pytest.importorskip("cocoex", reason="coco-experiment is not installed: see coco.cocoex")


@pytest.mark.parametrize(
    "method", ["random search", "evolution strategy", "CMA-ES", "particle swarm", "RandomGrad"]
)
def test_the_stored_row_of_the_sphere_comes_out_of_its_closed_form(method):
    """Without the package: the first function in the plane, on the first two instances."""
    setting = METHODS[method].chosen["landscape"]
    again = [
        coco.hits(sphere(place), 2, seed, method, **setting)[-1]
        for seed, place in zip(FIRST_TWO, SPHERES, strict=True)
    ]
    stored = ended(method)
    # A loss within rounding of a target may fall on either side of it.
    assert np.abs(stored - again).max() <= 1
    assert stored.sum() > 20


def ended(method):
    """Return the targets of the sphere in the plane that are reached on the first two instances."""
    table = load("10-coco")
    rows = table[table["method"] == method].set_index("instance")
    return np.array([rows.loc[instance, "ended"][0][0] for instance in FIRST_TWO])


def test_another_setting_does_not_reach_the_stored_row():
    other = [
        coco.hits(sphere(place), 2, seed, "evolution strategy", spread=0.02, size=40)[-1]
        for seed, place in zip(FIRST_TWO, SPHERES, strict=True)
    ]
    assert np.abs(ended("evolution strategy") - other).max() > 10


def test_the_package_has_the_sphere_that_the_closed_form_says():
    installed()
    rng = np.random.default_rng(0)
    for instance, place in zip(FIRST_TWO, SPHERES, strict=True):
        f = coco.function(1, 2, instance)
        for x in rng.uniform(-5, 5, (5, 2)):
            assert f(x) == pytest.approx(sphere(place)(x), abs=1e-10)


@pytest.mark.parametrize("number", coco.FUNCTIONS)
def test_a_function_is_never_below_its_minimum(number):
    installed()
    f = coco.function(number, 3, 1)
    assert min(f(x) for x in np.random.default_rng(number).uniform(-5, 5, (50, 3))) > 0


def test_a_missing_package_is_named_with_its_version(monkeypatch):
    import sys

    monkeypatch.setitem(sys.modules, "cocoex", None)
    with pytest.raises(ModuleNotFoundError, match=r"pip install coco-experiment==2\.8\.2") as word:
        coco.cocoex()
    assert word.value.name == "cocoex"


def test_targets_groups_and_budgets_are_those_that_are_usual_there():
    assert tuple(range(1, 25)) == coco.FUNCTIONS
    assert (len(coco.TARGETS), coco.TARGETS[0]) == (51, pytest.approx(100))
    assert coco.TARGETS[-1] == pytest.approx(1e-8)
    assert np.all(np.diff(np.log10(coco.TARGETS)) == pytest.approx(-0.2))
    assert coco.SPENT[-1] == coco.PER_VARIABLE


def test_hits_count_the_targets_below_the_best_so_far():
    # Nothing to gain: the best is the loss at the start, whatever is spent.
    flat = coco.hits(lambda x: 0.5, 2, 0, "random search", scale=1.0)
    assert flat.tolist() == [int((coco.TARGETS >= 0.5).sum())] * len(coco.SPENT)
    falling = coco.hits(sphere([0, 0]), 2, 0, "evolution strategy", spread=1.0, size=10)
    assert np.all(np.diff(falling) >= 0)
    assert falling[-1] > falling[0]


def test_who_is_told_more_than_a_loss_is_not_there():
    assert not {"ensemble Kalman, redrawn", "gradient", *informed.INFORMED} & set(on_coco())
    told_losses = {
        idea.name
        for slug, idea in REGISTRY.items()
        if idea.told == "values" and (idea.trials or slug in TRIED)
    }
    assert set(on_coco()) == told_losses | (set(PEERS) - {"nevergrad NGOpt"})
    assert {point["method"] for point in COCO.points} == set(on_coco())


def shares(last):
    """Return the shares of a method that has reached `last` (24,) at the end, and half before."""
    d, last = len(coco.DIMENSIONS), np.array(last)
    spent = np.repeat([[last.mean() / 2, last.mean()]], d, 0)
    return reached.Share(spent, np.tile(last[:, None], (d, 1, len(coco.INSTANCES))))


def test_profiles_groups_and_ranks():
    last = np.repeat([0.1, 0.2, 0.3, 0.4, 0.5], [5, 4, 5, 5, 5])
    found = {"low": shares(last / 2), "high": shares(last)}
    assert reached.profile(found, "high") == pytest.approx([last.mean() / 2, last.mean()])
    assert reached.end(found, "high", 5) == pytest.approx(last.mean())
    assert reached.by_group(found, "high") == pytest.approx([0.1, 0.2, 0.3, 0.4, 0.5])
    assert reached.ranked(found) == ["high", "low"]


def test_an_outcome_over_the_functions_needs_most_of_them():
    rng = np.random.default_rng(0)
    low = rng.uniform(0.2, 0.4, 24)
    one = low.copy()
    one[0] += 0.5
    found = {"low": shares(low), "high": shares(low + 0.05), "one": shares(one)}
    assert reached.outcome(found, "high", "low") == 1
    assert reached.outcome(found, "low", "high") == -1
    assert reached.outcome(found, "one", "low") == 0
    assert reached.outcome(found, "low", "low") == 0
    assert reached.outcome(found, "low", "nobody") == 0


def test_few_functions_turn_the_mean_and_not_the_outcome():
    low = np.full(24, 0.5)
    ahead = np.where(np.arange(24) < 22, 0.01, -0.3) * (1 + np.arange(24) / 100)
    found = {"low": shares(low), "mostly": shares(low + ahead)}
    assert reached.end(found, "mostly") < reached.end(found, "low")
    assert reached.outcome(found, "mostly", "low") == 1
    assert reached.outcome(found, "low", "mostly") == -1


def test_an_interval_is_that_of_the_closed_form():
    """Functions alone differ: the variance of the mean over n drawn ones is theirs over n."""
    last = np.linspace(0, 1, len(coco.FUNCTIONS))
    drawn = reached.resampled(shares(last).ended)
    assert drawn.mean() == pytest.approx(last.mean(), abs=0.01)
    assert drawn.std() == pytest.approx(last.std() / len(last) ** 0.5, rel=0.05)
    low, high = reached.interval(shares(last).ended)
    assert high - low == pytest.approx(2 * 1.96 * last.std() / len(last) ** 0.5, rel=0.06)


def test_instances_that_differ_widen_an_interval():
    rng = np.random.default_rng(0)
    ended = np.repeat(rng.uniform(size=(1, 24, len(coco.INSTANCES))), len(coco.DIMENSIONS), 0)
    means = np.repeat(ended.mean(-1, keepdims=True), len(coco.INSTANCES), -1)
    widths = [np.ptp(reached.interval(each)) for each in (ended, means)]
    # Between functions a fifth of the variance is left; within them all of it is drawn once more.
    assert 1.15 < widths[0] / widths[1] < 1.65


def test_a_lead_on_every_instance_is_told_from_none_and_one_on_few_is_not():
    rng = np.random.default_rng(0)
    base = shares(rng.uniform(0.2, 0.4, 24))
    noisy = base.ended + rng.normal(0, 0.1, base.ended.shape)
    found = {
        "base": base,
        "ahead": base._replace(ended=base.ended + 0.02),
        "noisy": base._replace(ended=noisy - (noisy - base.ended).mean()),
    }
    assert reached.lead(found, "ahead", "base") == pytest.approx((0.02, 0.02))
    assert reached.told_apart(found, "ahead", "base")
    assert reached.told_apart(found, "base", "ahead")
    assert not reached.told_apart(found, "noisy", "base")


def test_some_instances_are_the_table_without_the_others():
    table = load("10-coco")
    found = reached.of_instances(reached.collect(table), (1, 2))
    for method, rows in table[table["instance"] <= 2].groupby("method"):
        assert reached.end(found, method) == pytest.approx(
            np.mean(rows["ended"].tolist()) / len(coco.TARGETS)
        )


def test_the_plainest_walk_is_a_low_bar_on_coco_and_two_verdicts_hang_on_it():
    race, found = explorers.table(), coco_pictures.shares()
    assert reached.outcome(found, "walk of order 1", "random search") == 0
    alone, both = (results.numbers_of(race, each, "drop") for each in ({}, found))
    overturned = [number for number in alone if number not in both]
    assert overturned == [7, 19]
    assert {BULLETS[number - 1].base for number in overturned} == {"walk of order 1"}
    assert results.numbers_of(race, {}, "keep") == results.numbers_of(race, found, "keep")


def test_every_line_that_is_raced_has_one_row_and_the_rows_are_sorted_by_verdict():
    race, found = explorers.table(), coco_pictures.shares()
    rows = [row.strip("| ").split(" | ") for row in _rows(pictures.verdict_table(race, found))]
    words = {"keep": 0, "open": 1, "drop": 2}
    order = [(words[row[0]], int(row[1])) for row in rows]
    assert order == sorted(order)
    raced = [number for number, bullet in enumerate(BULLETS, 1) if bullet.methods]
    assert sorted(number for _, number in order) == raced
    for row in rows:
        assert row[0] == results.bullet_verdict(race, found, BULLETS[int(row[1]) - 1])
    others = _rows(pictures.other_readings(race, found))
    assert len(rows) + len(others) == sum(len(bullet.methods) for bullet in BULLETS)


def _rows(text):
    return [line for line in text.splitlines() if line.startswith("|")][2:]


@pytest.mark.parametrize("name", informed.INFORMED)
def test_a_rival_told_residuals_solves_what_is_linear_and_pays_for_its_differences(name):
    counted = numbers.Evaluations(numbers.problem("sphere", 1))
    with pytest.raises(numbers.BudgetSpent):
        METHODS[name].race(counted, 1)
    assert counted.best < 1e-20
    # The start and ten differences come before the first step.
    poor = numbers.Evaluations(numbers.problem("sphere", 1), 11)
    with pytest.raises(numbers.BudgetSpent):
        METHODS[name].race(poor, 1)
    assert poor.best > 0.9 * poor.start_loss


def test_slopes_are_the_jacobian():
    def told(x):
        return np.stack([x[..., 0] ** 2, x[..., 0] * x[..., 1], np.sin(x[..., 1])], -1)

    x = np.array([0.7, -1.2])
    exact = [[2 * x[0], 0], [x[1], x[0]], [0, np.cos(x[1])]]
    assert informed.slopes(told, x) == pytest.approx(np.array(exact), abs=1e-6)


def test_secants_cost_less_than_differences():
    """Twenty-five parameters: a Jacobian by differences costs as much as 25 steps of secants."""
    ends = {}
    for name in informed.INFORMED:
        counted = numbers.Evaluations(numbers.problem("mlp", 3), 150)
        with pytest.raises(numbers.BudgetSpent):
            METHODS[name].race(counted, 3)
        ends[name] = counted.best
    assert ends["Gauss–Newton by secants"] < ends[informed.LEAST_SQUARES]


def test_a_residual_that_is_not_a_number_is_no_improvement():
    def wall(x):
        value = (x - 1.0).square()
        return torch.where((x > 0.5).any(-1, keepdim=True), torch.nan, value)

    start = torch.zeros(2, dtype=torch.float64)
    problem = numbers.Problem("wall", start, lambda x: wall(x).square().sum(-1), wall, None)
    counted = numbers.Evaluations(problem, 200)
    with pytest.raises(numbers.BudgetSpent):
        informed.secant_gauss_newton(counted, 0)
    assert np.isfinite(counted.best)
    assert counted.best < counted.start_loss


def test_the_settings_are_published_and_fold():
    stable = {"landscape": dict.fromkeys(METHODS, 7), "network": dict.fromkeys(METHODS, 3)}
    text = coco_pictures.settings_table(stable, 10)
    assert text.startswith("<details><summary>")
    assert "`lr` 0.003, 0.01, 0.03, 0.1, 0.3, 1; `h` 0.01" in text
    assert "(7 of 10)" in text
    assert "(3 of 10)" in text
    assert "2.5 (fixed)" in text


def test_each_judged_difference_is_ahead_behind_or_open():
    found = coco_pictures.shares()
    firm, pairs = coco_judged.firm(found), dict(coco_judged.judged(found))
    assert sorted(firm.ahead + firm.behind + firm.open) == sorted(pairs)
    for names, sign in ((firm.ahead, 1), (firm.behind, -1)):
        for name in names:
            difference = reached.end(found, name) - reached.end(found, pairs[name])
            assert np.sign(difference) == sign
            assert reached.told_apart(found, name, pairs[name])
    assert 0 <= firm.agreed <= len(pairs)
    rows = _rows(coco_judged.differences_table(found))
    assert len(rows) == len(pairs)
    # Bold stands for an interval that holds zero, against the base and against CMA-ES.
    assert sum("**" in row.split(" | ")[3] for row in rows) == len(firm.open)


def test_nobody_is_like_a_method_that_all_stay_behind():
    found = coco_pictures.shares()
    others = list(found)
    best = {**found, "perfect": reached.Share(*map(np.ones_like, found["CMA-ES"]))}
    assert coco_judged.like(best, "perfect", others) == []
    twin = {**found, "twin": found["CMA-ES"]}
    assert "twin" in coco_judged.like(twin, "CMA-ES", [*others, "twin"])
    assert "CMA-ES" not in coco_judged.like(twin, "CMA-ES", [*others, "twin"])


def test_what_the_list_leaves_out_is_shown_beside_what_it_has():
    found = coco_pictures.shares()
    rows = [line.split(" | ") for line in coco_judged.beside_table(found).splitlines()[2:]]
    assert {row[0].strip("| ") for row in rows} == set(BESIDE)
    assert {row[3] for row in rows} <= set(OURS)
    for name, base, ahead in ((r[0].strip("| "), r[3], r[4]) for r in rows):
        difference = found[name].ended.mean() - found[base].ended.mean()
        assert float(ahead.replace("−", "-")) == pytest.approx(100 * difference, abs=0.051)


def test_a_better_cosine_is_no_better_optimizer():
    """The page says so of ten differences and ten signs, though its theory prefers the former."""
    found = coco_pictures.shares()
    assert theory.average_of_differences(10, 20) > theory.average_of_signs(10, 20)
    assert reached.lead(found, "ten differences", "ten signs")[1] < 0
