"""Chapter 8: success against the reach of the first steps."""

import re

import numpy as np
import pandas
import pytest
import torch

from descent import claims, sweeps
from descent.chapters.overparameterization import reach, reach_sweeps
from descent.chapters.overparameterization.ensemble import train_ensemble
from descent.chapters.overparameterization.sweeps import tangent_size
from descent.landscapes import ackley
from descent.networks import models
from descent.networks.reparameterization import Training


def test_measures_of_a_path_by_hand():
    x = np.concatenate([[0.0], np.cumsum([2.0] + [1.0] * 9 + [-5.0])])[:, None]
    found = reach.measures(x, 2.0)
    assert {name: value.item() for name, value in found.items()} == {
        "reach": pytest.approx(11 / 10 / 2),
        "first": 1.0,
        "longest": 2.5,
        "path": 8.0,
    }


def test_measures_know_no_unit_and_no_place():
    x = np.random.default_rng(0).normal(size=(30, 4)).cumsum(0)
    here, there = reach.measures(x, 1.5), reach.measures(7 - 4 * x, 6.0)
    for name in here:
        np.testing.assert_allclose(here[name], there[name])


def simulated(n=4000, even=0.2, slope=2.5, seed=1):
    rng = np.random.default_rng(seed)
    value = np.exp(rng.uniform(-6, 3, n))
    return value, rng.random(n) < reach.Law(even, slope).chance(value)


def test_a_law_is_found_again():
    value, hits = simulated()
    law = reach.fit(value, hits)
    assert law.even == pytest.approx(0.2, rel=0.1)
    assert law.slope == pytest.approx(2.5, rel=0.15)
    for other in (law._replace(even=1.3 * law.even), law._replace(slope=1.3 * law.slope)):
        assert loss(law, value, hits) < loss(other, value, hits)
    assert law.chance(law.even) == pytest.approx(0.5)


def loss(law, value, hits):
    return reach.log_loss(law.chance(value), hits).mean()


def test_a_law_may_fall_and_may_say_nothing():
    value, hits = simulated()
    assert reach.fit(value, ~hits).slope == pytest.approx(-reach.fit(value, hits).slope, rel=0.01)
    shuffled = np.random.default_rng(2).permutation(hits)
    nothing = reach.fit(value, shuffled)
    share = shuffled.mean()
    entropy = -(share * np.log2(share) + (1 - share) * np.log2(1 - share))
    assert loss(nothing, value, shuffled) == pytest.approx(entropy, abs=2e-3)


def test_a_surprise_costs_no_more_than_the_lapse():
    sure = reach.Law(1.0, 50.0).chance([1e-6, 1e6])
    assert reach.log_loss(sure, np.array([True, False])) == pytest.approx(
        [-np.log2(reach.LAPSE)] * 2
    )


def table(seed, n=30):
    """Settings whose success follows their reach; all else but the first step is of no use."""
    rng = np.random.default_rng(seed)
    rows = []
    for _ in range(n):
        far = np.exp(rng.normal(rng.uniform(-5, 2), 0.2, (4, 2)))
        rows.append(
            {
                "reach": far,
                "first": far**0.5,  # as good: a law does not care for a power
                **{name: rng.random((4, 2)) for name in ("longest", "path", "effective")},
                "reached": rng.random((4, 2)) < reach.Law(0.2, 2.0).chance(far),
                "learning_rate": np.exp(rng.normal()),
                "weights": int(rng.integers(1, 1000)),
            }
        )
    return pandas.DataFrame(rows)


def test_scores_tell_what_orders_success_and_what_does_not():
    scores = reach.scores(table(1), table(2), n_draws=200)
    best = scores["reach"]
    assert best.low == best.high == 0
    assert best.rank > 0.8
    assert scores["first"].loss == pytest.approx(best.loss, abs=1e-3)
    assert scores["first"].rank == pytest.approx(best.rank)
    for name in set(reach.KNOWN) - {"reach", "first"}:
        assert scores[name].low > 0.1, name
        assert abs(scores[name].rank) < 0.6, name


@pytest.mark.parametrize("optimizer", ["adam", "sgd"])
def test_a_sum_of_weights_has_the_reach_of_x_with_a_longer_step(optimizer):
    options = {"model": "x", "optimizer": optimizer, "decay": 1.0, "seeds": 3}
    many = reach_sweeps.run_once(hidden_ch=100, learning_rate=2e-5, **options)
    one = reach_sweeps.run_once(hidden_ch=1, learning_rate=2e-3, **options)
    assert (many.pop("weights"), one.pop("weights")) == (100, 1)
    for name in one:
        np.testing.assert_array_equal(many[name], one[name], err_msg=name)


def test_what_is_known_before_a_run_of_plain_descent_is_its_first_step():
    for model in ("x", "mlp5"):
        row = reach_sweeps.run_once(model, 16, 1e-5, optimizer="sgd", seeds=2)
        np.testing.assert_allclose(row["first"], row["effective"], rtol=5e-3)


def test_an_ensemble_knows_the_tangents_of_its_networks():
    outcome = train_ensemble("mlp5", 4, 16, "ackley", [1.0], range(2), epochs=1)
    for seed in range(2):
        network = models.mlp5(4, 16, 1, generator=torch.Generator().manual_seed(seed))
        training = Training(network, ackley, [1.0], epochs=1)
        while training.phase == "fit":
            training.step()
        np.testing.assert_allclose(outcome.tangents[seed], tangent_size(network), rtol=1e-3)


def test_settings_are_held_out():
    """Other seeds, and no setting that the law was found on."""
    names = ("model", "hidden_ch", "optimizer", "decay", "objective")
    defaults = {"optimizer": "adam", "decay": 0.0, "objective": "ackley"}
    kinds = [
        {tuple((defaults | dict(point))[name] for name in names) for point in sweep.points}
        for sweep in (reach_sweeps.FOUND, reach_sweeps.HELD_OUT)
    ]
    assert not kinds[0] & kinds[1]
    first = {point["first_seed"] for point in reach_sweeps.HELD_OUT.points}
    assert min(first) >= reach_sweeps.SEEDS


def test_a_step_frees_from_the_minimum_as_from_the_start():
    """Where the tangent grows with |x|, there is a window just where the minimum is nearer to 0."""

    def tangent(x):
        return 1 + abs(x)

    low, high = reach.window(tangent, 2.0, 1.5)
    assert (low, high) == pytest.approx((1.5 / 13, 1.5 / 3))
    for shift in (-3.0, -10.0, -15.0):
        low, high = reach.window(tangent, shift, 1.5)
        assert low >= high, shift


def test_tangents_of_a_map_are_those_that_its_runs_begin_with():
    frame = pandas.DataFrame(
        {
            "shift": [0.0, 0.0, -10.0, -7.0],
            "learning_rate": [0.1, 0.2, 0.1, 0.1],
            "effective": [[[2.0]], [[4.0]], [[0.1]], [[0.4]]],
        }
    )
    tangent = reach.tangents(frame)
    assert [tangent(x) for x in (0.0, 3.0, -3.0, 10.0)] == pytest.approx([1.0, 4.0, 4.0, 20.0])
    assert 4.0 < tangent(5.0) < 20.0


def test_who_has_left_ends_in_another_ripple():
    frame = reach_sweeps.load("08-reach-found")
    for _, row in frame.iterrows():
        moved = np.abs(np.array(row["end"]) - 10.0)
        assert np.all(np.array(row["left"]) == (moved > 0.5))
        assert np.all(np.array(row["reached"]) <= np.array(row["left"]))


def test_what_arrives_has_left():
    frame = reach_sweeps.load("08-reach-held-out")
    for _, row in frame.iterrows():
        assert np.all(np.array(row["reached"]) <= np.array(row["left"]))


def test_no_run_stands_twice_among_the_settings_held_out():
    """A sum of weights is x itself with a longer step, to the last digit: one setting, not two."""
    frame = reach_sweeps.load("08-reach-held-out")
    runs = [tuple(np.ravel([row["path"], row["reach"]])) for _, row in frame.iterrows()]
    assert len(set(runs)) == len(runs) < len(reach_sweeps.HELD_OUT.points)
    for name in ("08-reach-found", "08-reach-map"):
        assert len(reach_sweeps.load(name)) == len(sweeps.load(name))


def test_the_control_of_the_law_counts_what_other_numbers_tell():
    """As it stands in the claim: learning rate, weights, their product, and that all leave."""
    found, fresh = (reach_sweeps.load(f"08-reach-{name}") for name in ("found", "held-out"))
    seen, hits, _ = reach.runs_of(found, "left")
    numbers, outcomes, _ = reach.runs_of(fresh, "left")
    most = outcomes.reshape(len(fresh), -1).mean(1) > 0.5
    told = []
    for name in ("learning_rate", "weights", "rate_by_weights", "longest"):
        medians = np.median(numbers[name].reshape(len(fresh), -1), axis=1)
        says = reach.fit(seen[name], hits).chance(medians) > 0.5
        told.append(int((says == most).sum()))
    control = next(c for c in claims.load() if c.id == "reach-tells-who-leaves").control
    assert told[-1] == len(fresh)
    assert [int(n) for n in re.findall(r"\d+", control)] == [
        told[0], len(fresh), *told[1:3], most.sum()
    ]  # fmt: skip


def test_a_place_belongs_to_the_ripple_into_which_it_runs_down():
    """On the slope of Ackley's function the tops are 0.04 off the middle between two minima."""
    f = ackley
    x = np.linspace(-12.3, 12.7, 2001)
    end = x[:, None].copy()
    for _ in range(20_000):
        end -= 2e-4 * f.gradient(end)
    settled = np.abs(f.gradient(end)[:, 0]) < 0.2  # none of them begins on a top
    settled |= np.abs(end[:, 0]) < 1e-2  # at 0 there is a corner
    assert settled.mean() > 0.99
    found = reach.ripple(f.gradient, x, 1.0)
    np.testing.assert_array_equal(found[settled], np.round(end[settled, 0]))
    assert (found != np.round(x)).mean() > 0.02


def test_short_steps_leave_no_ripple():
    frame = reach_sweeps.load("08-reach-held-out")
    short = frame[[np.max(row) < 0.05 for row in frame["reach"]]]
    assert len(short) > 5
    assert not any(np.any(row) for row in short["left"])
