"""Chapter 10: the racers, the list, the settings, and the small experiments."""

import math
import subprocess
import sys

import numpy as np
import pandas
import pytest
import torch

from descent.chapters.without_gradients import (
    checks,
    explorers,
    five_seeds,
    numbers,
    sweeps,
)
from descent.chapters.without_gradients.bullets import BULLETS
from descent.chapters.without_gradients.informed import INFORMED, LEAST_SQUARES
from descent.chapters.without_gradients.methods import (
    GRADIENTS,
    METHODS,
    OURS,
    SETTINGS_EACH,
    tuned,
)
from descent.chapters.without_gradients.peers import AS_DOCUMENTED
from descent.sweeps import load
from descent.zeroth_order import NonFiniteLoss


def raced(name, problem, budget=120):
    counted = numbers.Evaluations(numbers.problem(problem, 3), budget)
    chosen = METHODS[name].chosen
    setting = chosen.get(numbers.kind(problem), chosen.get("network", {}))
    try:
        METHODS[name].race(counted, 3, **setting)
    except (numbers.BudgetSpent, NonFiniteLoss):
        return counted
    raise AssertionError(f"{name} stopped by itself")


@pytest.mark.parametrize("name", [*OURS, *GRADIENTS, "cma", "cmaes", "SciPy Nelder–Mead"])
def test_a_method_spends_the_budget_improves_and_repeats_itself(name):
    one, same = raced(name, "sphere"), raced(name, "sphere")
    assert one.count == 120
    assert one.best < one.start_loss
    assert np.array_equal(one.curve((10, 60, 120)), same.curve((10, 60, 120)))


@pytest.mark.parametrize("kind", ["landscape", "network"])
def test_the_chosen_settings_are_the_best_of_the_tuning_table(kind):
    chosen = {name: METHODS[name].chosen[kind] for name in tuned(kind)}
    table = load(f"10-tuning-{kind}s")
    assert sweeps.best_settings(table) == chosen
    assert {len(logs) for logs in table["left"]} == {len(sweeps.TUNING_SEEDS)} == {10}
    stable = sweeps.stable_choices(table)
    assert stable.keys() == chosen.keys()
    assert all(0 <= count <= len(sweeps.TUNING_SEEDS) for count in stable.values())


def test_five_seeds_chose_otherwise_where_it_is_said_and_nowhere_else():
    table = load("10-tuning-networks")
    former, now = sweeps.best_settings(five_seeds.by_five(table)), sweeps.best_settings(table)
    assert {n: former[n] for n in now if former[n] != now[n]} == five_seeds.CHOSEN
    race = explorers.table()
    by_five = five_seeds.race_by_five(race)
    for problem, runs in race.items():
        others = {n for n in runs if by_five[problem][n] is not runs[n]}
        assert others == (set(five_seeds.CHOSEN) if problem in numbers.NETWORKS else set())


def test_a_margin_is_what_the_best_setting_is_ahead():
    rows = [
        {"problem": "a", "method": "m", "lr": lr, "left": left}
        for lr, left in ((0.1, [-1, -2]), (0.2, [-4, -4]), (0.3, [-3, -4]))
    ]
    assert sweeps.margin(pandas.DataFrame(rows), "m") == 0.5


def test_a_choice_is_the_lowest_mean_and_counts_the_seeds_that_agree():
    rows = [
        {"problem": p, "method": "m", "lr": lr, "size": np.nan, "left": left}
        for p in ("a", "b")
        for lr, left in ((0.1, [-1, -1, -7]), (0.2, [-2, -2, -2]))
    ]
    table = pandas.DataFrame(rows)
    assert sweeps.best_settings(table) == {"m": {"lr": 0.1}}
    assert sweeps.stable_choices(table) == {"m": 1}


def test_choices_at_the_ends_of_what_was_tried_are_counted():
    rows = [
        {"problem": "a", "method": name, "lr": lr, "size": size, "left": [left]}
        for name, best in (("middle", 0.2), ("end", 0.3))
        for lr in (0.1, 0.2, 0.3)
        for size in (10, 20)
        for left in [-5 if (lr, size) == (best, 10) else -1]
    ]
    # Of sizes there are two only, one of which is always an end.
    assert sweeps.at_the_edge(pandas.DataFrame(rows)) == (1, 2)


def test_who_the_page_says_chose_an_end_did():
    for kind in ("landscape", "network"):
        for name, option, end in (
            ("evolution strategy", "spread", min),
            ("SciPy Nelder–Mead", "scale", max),
        ):
            method = METHODS[name]
            tried = {setting[option] for setting in method.settings}
            assert method.chosen[kind][option] == end(tried)


def test_settings_are_few_differ_and_hold_the_chosen():
    for name, method in METHODS.items():
        texts = [str(setting) for setting in method.settings]
        assert len(set(texts)) == len(texts), name
        assert all(chosen in method.settings for chosen in method.chosen.values()), name
        assert method.fixed or len(texts) == SETTINGS_EACH, name
    fixed = {name for name, method in METHODS.items() if method.fixed}
    assert fixed == {AS_DOCUMENTED, "nevergrad NGOpt", *INFORMED}


def test_tuning_and_race_share_neither_problem_nor_seed():
    tuned = {p for names in numbers.TUNING.values() for p in names}
    assert not tuned & set(numbers.PROBLEMS)
    assert not set(sweeps.TUNING_SEEDS) & set(sweeps.SEEDS)
    assert len(sweeps.SEEDS) >= 20


def test_every_bullet_has_a_method_or_a_reason():
    assert len(BULLETS) == 22
    for bullet in BULLETS:
        assert bool(bullet.methods) != bool(bullet.line.note)
        assert set(bullet.methods) <= set(OURS)
        assert not bullet.methods or bullet.base in (*OURS, LEAST_SQUARES)
        told = {idea.told for idea in bullet.readings if idea.trials}
        if told == {"residuals"}:
            assert bullet.base == LEAST_SQUARES or "ensemble Kalman" in bullet.base
        else:
            assert bullet.base != LEAST_SQUARES


def test_every_method_of_ours_is_in_the_list_or_a_base():
    listed = {name for bullet in BULLETS for name in (*bullet.methods, bullet.base)}
    assert set(OURS) - listed == {"ten differences, Adam", "best of ten"}


def test_the_step_size_fades_with_the_budget():
    counted = numbers.Evaluations(numbers.problem("sphere", 0), 400)
    points = []

    def value(x):
        points.append(x.clone())
        return torch.zeros(x.shape[:-1], dtype=x.dtype)

    object.__setattr__(counted.problem, "value", value)
    with pytest.raises(numbers.BudgetSpent):
        METHODS["RandomGrad"].race(counted, 0, lr=0.1, h=0.01)
    # Every other point is where a step begins; a flat loss always says "does not rise".
    steps = torch.stack(points[::2]).diff(dim=0).norm(dim=1)
    assert steps[:20].mean() > 5 * steps[-20:].mean()


def test_undo_is_exact_only_in_reverse_order():
    for order in (2, 3, 4):
        assert checks.left_after_undo(order, reverse=True) < 1e-14
        assert checks.left_after_undo(order, reverse=False) > 0.1
    assert checks.left_after_undo(1, reverse=False) < 1e-14


@pytest.mark.parametrize("momentum", [0.5, 0.9, 1.0])
def test_damping_of_a_heavy_ball(momentum):
    """The eigenvalues of an oscillating heavy ball are complex with product beta."""
    assert checks.damping(0.1, 1.0, momentum) == pytest.approx(math.sqrt(momentum))


def test_only_real_and_complex_tensors_take_a_gradient():
    assert not any(map(checks.takes_gradient, checks.DISCRETE))
    assert checks.takes_gradient(torch.float32)
    assert checks.takes_gradient(torch.complex64)


def test_a_mixed_fit_finds_real_integer_and_boolean():
    factor, power, turned, loss = checks.mixed_fit(seed=0)
    assert power == 3
    assert (-factor if turned else factor) == pytest.approx(-1.7, abs=0.01)
    assert loss < 1e-4


def test_free_walks_spread_by_their_order():
    steps, spread = checks.free_walks((1, 3), 50, 3000, seed=1)
    assert spread[0] == pytest.approx(np.sqrt(steps), rel=0.06)
    exact = [math.sqrt(sum(math.comb(k + 1, 2) ** 2 for k in range(1, int(s) + 1))) for s in steps]
    assert spread[1] == pytest.approx(exact, rel=0.06)


NEW_IDEA = """
from descent.zeroth_order import registry
from descent.zeroth_order.idea import Idea, Line, Trials
from descent.zeroth_order.random_grad import RandomGrad

row = Idea("stay", "stay near", RandomGrad, "estimator", "2",
           Line("other", "take small steps", "none", "random-grad"),
           Trials({"lr": (0.01, 0.02), "h": (0.01,)}, {"lr": 0.01, "h": 0.01},
                  {"lr": 0.02, "h": 0.01}))
registry.IDEAS += (row,)
registry.REGISTRY[row.slug] = row

from descent.chapters.without_gradients import bullets, explorers, methods, sweeps

last = bullets.BULLETS[-1]
assert (len(bullets.BULLETS), last.methods, last.base) == (23, ("stay near",), "RandomGrad")
assert (last.library, last.cost) == (("RandomGrad",), "2")
assert "stay near" in methods.racers("landscape")
raced = [point for point in sweeps.MLP.points if point["method"] == "stay near"]
assert len(raced) == len(sweeps.SEEDS)
assert raced[0] == {"problem": "mlp", "method": "stay near", "lr": 0.02, "h": 0.01, "seed": 0}
tried = [point for point in sweeps.TUNING_NETWORKS.points if point["method"] == "stay near"]
assert len(tried) == 4
assert all(0 < left + 8 < 8 for left in sweeps.tune_once(**tried[0])["left"])
assert "stay near" in {v for c in explorers.ideas_at_work.controls for v in c.values}
assert explorers.journey("stay near")[-1].evaluations >= explorers.SPENT[-1]
"""


def test_one_row_is_all_that_a_new_idea_takes():
    """A fresh process, since the tables of the chapter are made when they are imported."""
    done = subprocess.run([sys.executable, "-c", NEW_IDEA], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("name", ["RandomGrad", "ensemble Kalman, redrawn", "gravity on gradients"])
def test_a_journey_starts_at_the_start_and_never_loses_its_best(name):
    moments = explorers.journey(name)
    assert moments[0].evaluations == 0
    assert tuple(moments[0].best) == explorers.START
    best = explorers.six_hump_camel.value(np.array([moment.best for moment in moments[1:]]))
    assert np.all(np.diff(best) <= 0)
    assert moments[-1].evaluations >= explorers.SPENT[-1]
