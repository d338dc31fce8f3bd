"""Chapter 10: grids whose best setting stands at an end, moved; and what was expected of it."""

import dataclasses

import numpy as np
import pytest

from descent.chapters.without_gradients import (
    closer_forecasts,
    coco_pictures,
    explorers,
    five_seeds,
    moved,
    moved_results,
    moved_sweeps,
    numbers,
    reached,
    results,
    sweeps,
)
from descent.chapters.without_gradients.bullets import BULLETS
from descent.chapters.without_gradients.methods import METHODS, SETTINGS_EACH
from descent.sweeps import load

KINDS = pytest.mark.parametrize("kind", moved.KINDS)


@pytest.fixture(scope="module")
def both():
    return moved_results.with_moved(explorers.table(), coco_pictures.shares())


@KINDS
def test_the_choices_at_an_end_are_those_that_the_tuning_table_shows(kind):
    at_end = sum(len(moved.ends(name, kind)) for name in moved.at_an_end(kind))
    assert at_end == sweeps.at_the_edge(load(f"10-tuning-{kind}s"))[0] == moved.inside(kind)[1]


@KINDS
def test_a_moved_grid_has_as_many_settings_and_the_chosen_one_inside(kind):
    for name in moved.at_an_end(kind):
        settings, chosen = moved.moved_settings(name, kind), METHODS[name].chosen[kind]
        assert len(settings) == SETTINGS_EACH == len({str(setting) for setting in settings})
        assert chosen in settings
        for option in moved.ends(name, kind):
            values = sorted({setting[option] for setting in settings})
            assert values[0] < chosen[option] < values[-1]
            assert values == moved.moved_values(moved.tried(name)[option], chosen[option])
        new = moved.new_settings(name, kind)
        assert new
        assert len(new) + sum(s in METHODS[name].settings for s in settings) == SETTINGS_EACH


def test_a_choice_inside_moves_nothing():
    assert moved.moved_values([1.0, 2.0, 4.0], 2.0) == [1.0, 2.0, 4.0]
    assert moved.moved_values([1.0, 2.0], 2.0) == [1.0, 2.0]


def test_the_values_go_on_at_the_ratio_of_the_last_two():
    assert moved.moved_values([0.1, 1.0, 10.0], 10.0) == [1.0, 10.0, 100.0]
    assert moved.moved_values([0.1, 1.0, 10.0], 0.1) == pytest.approx([0.01, 0.1, 1.0])
    assert moved.continued([4, 8], 2) == [16, 32]


@KINDS
def test_what_a_moved_grid_takes_is_the_best_of_both_tables(kind):
    best = moved_results.best_moved(kind, load(f"10-tuning-{kind}s"), load("10-moved-tuning"))
    assert best == {name: moved.taken(name, kind) for name in moved.at_an_end(kind)}
    for name, setting in moved.TAKEN[kind].items():
        assert setting in moved.new_settings(name, kind)


def test_the_new_settings_ran_with_the_seeds_of_all():
    assert {len(logs) for logs in load("10-moved-tuning")["left"]} == {len(sweeps.TUNING_SEEDS)}
    frame = load("10-moved-race")
    for (problem, name), rows in frame.groupby(["problem", "method"]):
        assert sorted(rows["seed"]) == list(sweeps.SEEDS)
        assert name in moved.TAKEN[numbers.kind(problem)]
        # The same problems: start and minimum are the seed's, whatever the setting.
        assert rows.sort_values("seed")["start"].tolist() == pytest.approx(
            explorers.table()[problem][name].start.tolist()
        )


def test_only_the_runs_with_a_new_setting_are_others(both):
    for problem, runs in both.before.items():
        assert runs.keys() == both.after[problem].keys()
        for name, run in runs.items():
            other = both.after[problem][name]
            assert (other is run) == (name not in moved.TAKEN[numbers.kind(problem)])
    others = {n for n in both.shares_before if both.shares_after[n] is not both.shares_before[n]}
    assert others == set(both.shifts()) == {p["method"] for p in moved_sweeps.COCO.points}


def test_a_verdict_changes_where_runs_do():
    """Were all runs of a kept method those of random search, it would not be kept."""
    race, found = explorers.table(), coco_pictures.shares()
    number = results.numbers_of(race, found, "keep")[0]
    poor = {
        problem: runs | dict.fromkeys(BULLETS[number - 1].methods, runs["random search"])
        for problem, runs in race.items()
    }
    changed = moved_results.Moved(race, poor, found, found).changed()
    assert changed[number][0] == "keep"
    assert changed[number][1] != "keep"
    assert not moved_results.Moved(race, race, found, found).changed()


def test_an_outcome_is_lower_or_higher_by_the_rank_sum_test(both):
    (problem, name), *_ = both.outcomes()
    runs = both.before[problem][name]
    for factor, outcome in ((0.5, 1), (2.0, -1), (1.0, 0)):
        final = np.full_like(runs.best, runs.final.max() if factor > 1 else runs.final.min())
        other = runs if factor == 1 else dataclasses.replace(runs, best=factor * final)
        after = both.before | {problem: both.before[problem] | {name: other}}
        one = dataclasses.replace(both, after=after)
        assert one.outcomes()[problem, name] == outcome


def test_the_table_has_a_row_for_each_choice_and_folds(both):
    text = moved_results.moved_table(both)
    assert text.startswith("<details><summary>")
    rows = [line for line in text.splitlines() if line.startswith("|")][2:]
    assert len(rows) == sum(moved.inside(kind)[1] for kind in moved.KINDS)
    new = [row for row in rows if "lower" in row]
    raced = {(k, n) for k in moved.KINDS for n in moved.TAKEN[k]}
    assert len(new) == len(raced)


@pytest.fixture(scope="module")
def closer(both):
    return closer_forecasts.Closer(
        both.before, both.shares_before, load("10-tuning-networks"), both
    )


def test_each_forecast_is_judged_and_can_fail(closer):
    words = [words for words, _ in closer_forecasts.FORECASTS]
    assert len(words) == len(set(words)) == 14
    assert set(closer_forecasts.failed(closer)) < set(words)
    # All shares of instances beyond the second set to nothing, and the tuning to its reverse.
    ruined = {
        name: share._replace(ended=np.where(np.arange(5) > 1, 0, share.ended))
        for name, share in closer.shares.items()
    }
    turned = closer.networks.assign(
        left=[logs[:5] + [-10 - x for x in logs[5:]] for logs in closer.networks["left"]]
    )
    other = dataclasses.replace(closer, shares=ruined, networks=turned)
    now_failed = set(closer_forecasts.failed(other)) - set(closer_forecasts.failed(closer))
    assert any("quarter of the choices" in one for one in now_failed)
    assert any("two points" in one for one in now_failed)


def test_with_five_of_ten_seeds_the_choices_are_those_of_five(closer):
    others = closer.other_choices()
    assert others
    five = closer.networks.assign(left=[logs[:5] for logs in closer.networks["left"]])
    former = sweeps.best_settings(five)
    for name, choice in former.items():
        assert (name in others) == (choice != METHODS[name].chosen["network"])


def test_the_shares_of_two_instances_are_those_of_five_where_all_are_alike(closer):
    alike = {
        name: share._replace(ended=np.repeat(share.ended[..., :1], 5, -1))
        for name, share in closer.shares.items()
    }
    same = dataclasses.replace(closer, shares=alike)
    assert all(
        reached.end(same.of_two(), name) == pytest.approx(reached.end(alike, name))
        for name in alike
    )


def test_the_readings_that_the_page_compares_are_those_that_it_describes(both):
    """Its sentences name the growing ensemble, own starts, and what the moved rows take."""
    race, found = both.before, both.shares_before
    by_five = five_seeds.race_by_five(race)
    by_seeds = moved_results.Moved(by_five, race, found, found)
    assert by_seeds.changed().keys() == {3, 6}
    assert by_seeds.changed()[6] == ("drop", "keep")
    assert both.changed() == {6: ("keep", "drop")}
    assert BULLETS[5].methods == ("ensemble Kalman, growing",)
    kept = [
        {n for n, word in enumerate(words, 1) if word == "keep"}
        for words in (by_seeds.verdicts(False), both.verdicts(False), both.verdicts(True))
    ]
    assert kept[0] & kept[1] & kept[2] == {8}
    assert kept[1] == {6, 8}
    ends = [
        float(np.median(runs["digits"][name].final))
        for runs, name in (
            (by_five, "ensemble Kalman, redrawn"),
            (race, "ensemble Kalman, growing"),
            (race, "ensemble Kalman, redrawn"),
        )
    ]
    assert ends == sorted(ends)
    at_end, within = (sum(moved.inside(kind)[k] for kind in moved.KINDS) for k in (1, 0))
    assert at_end - within == len(moved_results.new_choices())
    low, high, compared = moved_results.counted(both.outcomes())
    assert low + high < compared / 3


def test_the_forecast_on_new_settings_is_judged_method_by_method(both, closer):
    """Its words speak of a method; one of those set for two problems wins on one of them."""
    won = closer_forecasts._by_new_choice(both)
    assert sum(map(len, won)) == len(both.outcomes())
    assert max(one.count(1) / len(one) for one in won) == 0.5
    assert any("at most a third of the problems" in w for w in closer_forecasts.failed(closer))
