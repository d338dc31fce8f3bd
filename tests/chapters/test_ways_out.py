"""Closing page: the ways out of the pit, what they cost, and Op of each."""

import dataclasses

import numpy as np
import pytest
from scipy.optimize import brentq

from descent import influence
from descent.chapters.modelling_sgd.numbers import pit
from descent.chapters.ways_out import inertia, numbers, pictures, results, searches, sweeps
from descent.chapters.ways_out import optimizing as op
from descent.estimates import wilson
from descent.landscapes import two_datapoint

MODEL = two_datapoint()


class Count:
    """The model with a counter: one for each loss and each gradient of one data point."""

    def __init__(self):
        self.evaluations = 0

        def counted(function):
            def call(w):
                values = function(w)
                self.evaluations += values.size
                return values

            return call

        def in_place(w, index, out, work):
            self.evaluations += w.size
            MODEL.in_place_gradient(w, index, out, work)

        self.model = dataclasses.replace(
            MODEL,
            losses=counted(MODEL.losses),
            gradients=counted(MODEL.gradients),
            in_place_gradient=in_place,
        )
        self.evaluations = 0  # a sum tries its functions once when it is made


def ran(name, length, runs, seed=0, model=None):
    rng = np.random.default_rng(seed)
    return numbers.trace(numbers.WAYS[name], length, numbers.starts(runs, rng), rng, model)


# What a step costs


@pytest.mark.parametrize("name", [n for n, way in numbers.WAYS.items() if not way.declared])
def test_a_way_spends_what_it_is_charged(name):
    runs, count = 3, Count()
    found = ran(name, 0.45, runs, model=count.model)
    assert found.spent[-1, 0] == numbers.BUDGET
    assert count.evaluations == runs * numbers.BUDGET


@pytest.mark.parametrize("name", ["exact blur", "blind walk"])
def test_a_cost_is_declared_where_nothing_is_evaluated(name):
    count = Count()
    ran(name, 0.45, 3, model=count.model)
    assert numbers.WAYS[name].declared
    assert count.evaluations == 0


@pytest.mark.parametrize("name", searches.SEARCHES)
def test_a_search_spends_what_it_is_charged(name, monkeypatch):
    calls = 0

    def counted(w):
        nonlocal calls
        calls += 1
        return MODEL.loss(w)

    monkeypatch.setattr(searches, "mean_loss", counted)
    monkeypatch.setattr(searches, "BUDGET", 200)
    spent, w = searches.search_once(name, 0.45, 1.0, seed=3)
    assert len(spent) == len(w) > 5
    assert (np.diff(spent) > 0).all()
    assert spent[-1] <= 200 < searches.LOSS_COST * calls <= 200 + 2 * 24  # one step too many


def test_the_mean_loss_of_one_number_is_that_of_the_model():
    w = np.linspace(-3, 5, 201)
    np.testing.assert_allclose([searches.mean_loss(v) for v in w], MODEL.loss(w), rtol=1e-14)


# The ways against closed forms and exact laws


def farthest_crossing():
    """Return the least step size with which full-batch descent can leave (chapter 1)."""

    def overshoot(T):
        w = np.linspace(0.8, pit().saddle, 20001)
        inside = w[w - T * MODEL.mean_gradient(w) <= pit().saddle]
        lowest = (inside - T * MODEL.mean_gradient(inside)).min()
        left = np.linspace(lowest, pit().minimum, 20001)
        return (left - T * MODEL.mean_gradient(left)).max() - pit().saddle

    return brentq(overshoot, 0.03, 0.06)


@pytest.mark.parametrize(("factor", "leaves"), [(0.99, False), (1.1, True)])
def test_full_batch_descent_leaves_from_the_step_size_of_chapter_1_on(factor, leaves):
    length = factor * farthest_crossing() / numbers.step_size(1.0)
    found = results.outcome(ran("full batch", length, 50))
    assert np.isfinite(found.escape).all() if leaves else np.isinf(found.escape).all()
    assert found.at_well.all() if leaves else found.in_pit.all()


@pytest.mark.parametrize(("length", "agrees"), [(0.55, True), (0.5, False)])
def test_sgd_escapes_as_often_as_the_transfer_operator_says(length, agrees):
    escaped = np.isfinite(results.outcome(ran("SGD", 0.55, 2000)).escape)
    low, high = wilson(escaped.sum(), escaped.size)
    assert (low < numbers.exact_escape(length) < high) == agrees


@pytest.mark.parametrize("sigma", [0.0, 0.05, 0.3, 2.0])
def test_the_blurred_gradient_is_the_average_of_the_gradient(sigma):
    z = np.linspace(-9, 9, 9001)
    weights = np.exp(-z * z / 2)
    weights /= weights.sum()
    w = np.linspace(0.5, 2.5, 9)
    first, second = numbers.smoothed(w, sigma)
    average = MODEL.mean_gradient(w[:, None] + sigma * z) @ weights
    np.testing.assert_allclose(first, average, atol=1e-9)
    h = 1e-6
    slope = (numbers.smoothed(w + h, sigma)[0] - numbers.smoothed(w - h, sigma)[0]) / (2 * h)
    np.testing.assert_allclose(second, slope, atol=1e-6)


def test_a_blur_takes_the_pit_away():
    w = np.linspace(0.7, 1.6, 500)
    for factor, minima in ((0.98, 1), (1.02, 0)):
        slope = numbers.smoothed(w, factor * numbers.blur_without_pit() * numbers.WIDTH)[0]
        assert ((slope[:-1] < 0) & (slope[1:] > 0)).sum() == minima


def test_the_sampled_blur_has_the_exact_one_as_its_mean():
    rng, runs, length = np.random.default_rng(1), 200_000, 1.0
    made = numbers.score_function(MODEL, length, 2, runs, rng)
    estimates = made.gradient(np.full(runs, 1.1), 0)
    exact = numbers.smoothed(np.array([1.1]), length * numbers.WIDTH)[0][0]
    assert abs(estimates.mean() - exact) < 3 * estimates.std() / np.sqrt(runs)


@pytest.mark.parametrize(
    "name",
    [n for n, w in numbers.WAYS.items() if w.family != numbers.SEVERAL and n != "Itô diffusion"],
)
def test_slopes_are_the_derivatives_of_the_answers(name):
    rng = np.random.default_rng(2)
    made = numbers.WAYS[name].make(MODEL, 0.7, 3, 40, rng)
    w, h = rng.uniform(0.9, 2.1, 40), 1e-6
    for k in range(3):
        difference = (made.gradient(w + h, k) - made.gradient(w - h, k)) / (2 * h)
        np.testing.assert_allclose(made.slope(w, k), difference, atol=2e-4)


def test_langevin_has_the_mean_variance_of_sgd_in_the_pit():
    rng, runs = np.random.default_rng(3), 200_000
    answer = numbers.langevin(MODEL, 0.7, 1, runs, rng).gradient(np.full(runs, 1.05), 0)
    assert answer.var() == pytest.approx(numbers.pit_noise(0.7) ** 2, rel=0.02)
    local = numbers.normal_noise(MODEL, 0.7, 1, runs, rng).gradient(np.full(runs, 1.05), 0)
    assert local.var() == pytest.approx(float(MODEL.gradient_variance(1.05)), rel=0.02)


def test_same_seed_same_runs():
    np.testing.assert_array_equal(ran("SGD", 1.0, 5).w, ran("SGD", 1.0, 5).w)
    assert (ran("SGD", 1.0, 5, seed=1).w != ran("SGD", 1.0, 5).w).any()


# Outcomes


def test_leaving_and_staying_out_are_told_apart():
    out = numbers.THRESHOLD + 0.1
    w = np.array([[1, 1, 1, 1], [1, out, out, 1], [1, 2, 1, 1], [1, 2.01, 1, 7]], float)
    found = results.outcome(numbers.Trace(np.array([[0.0], [2], [4], [6]]), w))
    np.testing.assert_array_equal(found.escape, [np.inf, 2, 2, 6])
    np.testing.assert_array_equal(found.at_well, [False, True, False, False])
    np.testing.assert_array_equal(found.in_pit, [True, False, True, False])
    assert found.leap[1] == pytest.approx(out - 1)
    assert results.summary(numbers.Trace(np.arange(4.0)[:, None], w))["escaped"] == 3
    row = results.summary(numbers.Trace(np.arange(4.0)[:, None], w), seeds=2)
    assert row["escaped by seed"] == [1, 2]
    assert row["at_well by seed"] == [1, 0]


def test_the_last_move_is_the_one_that_passes_the_wall():
    """Full-batch descent leaps over the saddle of the mean loss, and walks over b later."""
    w = np.array([[1.0], [pit().saddle + 0.01], [numbers.THRESHOLD + 0.001], [2.0]])
    found = numbers.Trace(np.arange(4.0)[:, None], w)
    over = results.outcome(found, numbers.WAYS["full batch"].wall).leap[0]
    assert over == pytest.approx(pit().saddle - 0.99)
    assert results.outcome(found, numbers.WAYS["SGD"].wall).leap[0] < 0.02
    assert results.outcome(found, pit().saddle).escape[0] == 2.0  # the escape is beyond b


def test_momentum_is_compared_at_equal_effective_steps():
    for name in ("heavy ball", "SGD, momentum"):
        way = numbers.WAYS[name]
        assert way.step_size(2.0) / (1 - way.momentum) == pytest.approx(numbers.step_size(2.0))
    # On a constant slope both have moved as far, once the first moves are over.
    slope = numbers.Answers(lambda w, k: np.ones_like(w))
    ends = []
    for momentum in (0.0, 0.9):
        way = numbers.Way("", 1, lambda *_: slope, momentum=momentum)
        ends.append(numbers.trace(way, 1.0, np.zeros(1), np.random.default_rng(0)).w[-1, 0])
    assert ends[1] == pytest.approx(ends[0], rel=0.01)


def test_half_way_is_found_with_its_error():
    lengths, runs = np.array([1.0, 2.0, 3.0]), 100
    counts = np.array([[0, 0, 0, 0], [38, 42, 40, 40], [60, 60, 58, 62]])
    found = results.half_way(lengths, counts, runs)
    assert found.value == pytest.approx(2.5)
    assert 0.02 < found.error < 0.1
    with pytest.raises(ValueError, match="bracket one half"):
        results.half_way(lengths[:2], counts[:2], runs)


def test_no_two_rows_share_their_draws():
    same, other = (sweeps.run("SGD", length, 3, [0, 1]).w[0] for length in (1.0, 0.7))
    momentum = sweeps.run("SGD, momentum", 1.0, 3, [0, 1]).w[0]
    assert len({*same, *other, *momentum}) == 18
    np.testing.assert_array_equal(same, sweeps.run("SGD", 1.0, 3, [0, 1]).w[0])


def test_each_best_setting_lies_inside_what_is_tried():
    for way, length in pictures.chosen().items():
        rests = pictures.reported(way, length)["at_well"]
        assert numbers.LENGTHS[0] < length < numbers.LENGTHS[-1] or not rests, way


def test_all_that_are_quickest_are_named():
    ways = pictures.quickest()
    medians = {pictures.reported(way, pictures.chosen()[way])["median"] for way in ways}
    assert len(medians) == 1
    for way in set(pictures.ALL_WAYS) - set(ways):
        row = pictures.reported(way, pictures.chosen()[way])
        slower = not row["median"] <= min(medians)
        assert slower or row["at_well"] < 0.95 * row["runs"] or "*" in pictures.COST[way]
    assert all(f"*{pictures.NAMES[way]}*" in pictures.quickest_in_words() for way in ways)


def test_noise_of_one_size_rests_as_rarely_as_its_law_says():
    """Four lengths together, each a sample of its own."""
    lengths = (0.7, 1.0, 2.0, 5.0)
    rows = [pictures.reported("Langevin", length) for length in lengths]
    laws = np.array([numbers.constant_noise_rests(length) for length in lengths])
    found = np.array([row["at_well"] / row["runs"] for row in rows])
    errors = np.sqrt(laws * (1 - laws) / rows[0]["runs"])
    assert (((found - laws) / errors) ** 2).sum() < 13.3  # 99 % of chi squared with 4
    np.testing.assert_allclose(numbers.constant_noise_rests(1.0, 3001), laws[1], rtol=3e-4)


def test_without_momentum_half_way_is_where_the_operator_says():
    found = inertia.half(0.0)
    assert abs(found.value - inertia.exact_half()) < 3 * found.error
    for momentum in (0.5, 0.9, 0.97):
        assert inertia.half(momentum).value > found.value + 10 * found.error


def test_positions_on_the_grid_are_those_that_were_paid_for():
    spent, w = np.array([[0.0], [2], [4]]), np.array([[10.0], [20], [30]])
    shown = results.on_grid(numbers.Trace(spent, w))[:, 0]
    assert list(shown[:5]) == [10, 10, 20, 20, 30]


# Op


@pytest.mark.parametrize("name", ["SGD", "full batch", "Langevin", "exact blur", "sampled blur"])
def test_op_is_minus_the_sum_of_logarithms_of_the_factors(name):
    """The closed form against the tangent map."""
    length, runs = 0.7, 6
    found = op.measure(name, length, runs, seed=4)
    rng = np.random.default_rng(4)
    w0, way = numbers.starts(runs, rng), numbers.WAYS[name]
    made, _ = numbers.answers(way, length, runs, rng)
    closed = op.closed_form(made, found.w, way.step_size(length))
    np.testing.assert_allclose(found.op, closed, atol=1e-6)
    np.testing.assert_array_equal(found.w[0], w0)


@pytest.mark.parametrize("name", ["SGD", "SGD, momentum", "heavy ball", "exact blur"])
def test_op_agrees_with_two_runs_whose_starts_differ_a_little(name):
    """A run from a disturbed start: the disturbance reaches the first answer as well."""
    runs, delta, steps = 5, 1e-7, 6
    rng = np.random.default_rng(6)
    way, w0 = numbers.WAYS[name], numbers.starts(runs, rng)
    made, _ = numbers.answers(way, 0.2, runs, rng)
    found = op.measure(name, 0.2, runs, seed=6)
    T = way.step_size(0.2)
    optimizer = op.system(made, T, way.momentum)
    state = np.stack([w0 + delta, -T * made.gradient(w0, 0)])
    for k in range(steps):
        state = np.array(optimizer.step(state, k))
    apart = np.abs(state[0] - found.w[steps])
    np.testing.assert_allclose(found.op[steps], -np.log(apart / delta), atol=5e-3)


@pytest.mark.parametrize("name", ["full batch", "heavy ball"])
def test_op_is_that_of_the_library(name):
    """Ways without draws are systems for `descent.influence`, which has tangents of its own."""
    runs = 5
    found = op.measure(name, 0.45, runs, seed=2)
    rng = np.random.default_rng(2)
    way, w0 = numbers.WAYS[name], numbers.starts(runs, rng)
    made, _ = numbers.answers(way, 0.45, runs, rng)
    T = way.step_size(0.45)
    start = {"parameter": w0, "move": -T * made.gradient(w0, 0)}
    times = np.arange(60)
    part = ("move", "parameter", "parameter")
    expected = influence.op(op.system(made, T, way.momentum), start, times, *part)
    np.testing.assert_allclose(found.op[:60], expected, atol=1e-6)


def test_the_system_moves_as_the_way_does():
    for name in ("SGD", "SGD, momentum"):
        found = op.measure(name, 0.7, 4, seed=9)
        np.testing.assert_allclose(found.w, ran(name, 0.7, 4, seed=9).w[: len(found.w)], atol=1e-6)


def test_a_blind_walk_is_no_optimizer():
    assert not op.measure("blind walk", 1.0, 4).op.any()


def test_full_batch_descent_is_rated_higher_in_the_pit_than_in_the_well():
    caught = op.phases(op.measure("full batch", 0.2, 4))["in the pit"].per_step().value
    T = numbers.step_size(0.2)
    bottom = -np.log(np.abs(1 - T * MODEL.mean_curvature(pit().minimum)))
    assert caught == pytest.approx(float(bottom), rel=0.01)
    assert caught > 10 * -np.log(np.abs(1 - T * MODEL.mean_curvature(2.0)))


def test_the_step_that_cannot_answer_is_no_part_of_a_phase():
    """Op is zero after the first step by its definition."""
    found = op.measure("SGD", 3.0, 50, seed=1)
    assert np.abs(found.op[:2]).max() < 1e-12
    gained = op.phases(found)
    three = sum(one.steps for one in gained.values())
    assert (three <= len(found.op) - 2).all()
    # Runs count by their steps, not each as one.
    pit_phase = gained["in the pit"]
    there = pit_phase.steps > 0
    assert pit_phase.per_step().value == pytest.approx(
        pit_phase.op[there].sum() / pit_phase.steps[there].sum()
    )


def test_the_error_of_op_per_step_is_that_of_samples():
    means = [
        op.phases(op.measure("SGD", 1.0, 60, seed=s))["in the pit"].per_step() for s in range(30)
    ]
    values, errors = np.array(means).T
    assert 0.6 < values.std(ddof=1) / errors.mean() < 1.6


def final(name, start):
    return searches.search_once(name, 1.0, start, seed=5)[1]


@pytest.mark.parametrize("name", ["simulated annealing", "walk of order 1", "RandomGrad"])
def test_a_search_that_compares_carries_a_small_disturbance_unchanged(name):
    delta = 1e-9
    np.testing.assert_allclose(final(name, 1 + delta) - final(name, 1.0), delta, rtol=1e-5)


def test_a_search_that_measures_differences_does_not():
    delta = 1e-9
    apart = np.abs(final("SPSA", 1 + delta) - final("SPSA", 1.0))
    assert apart[-1] < 0.5 * delta


# Networks


def test_the_first_move_of_a_network_has_the_length_that_is_asked_for(monkeypatch):
    monkeypatch.setattr(searches, "BUDGET", 4)
    runs = 5
    w0 = numbers.starts(runs, np.random.default_rng(0))
    networks = searches.Networks("mlp5", w0, range(runs))
    assert networks.misfit < searches.FITTED
    path = networks.descend((0.1, 0.2))
    first = np.median(np.abs(path[1] - path[0]), axis=1) / numbers.WIDTH
    np.testing.assert_allclose(first, [0.1, 0.2], rtol=0.15)
    np.testing.assert_allclose(path[0], np.broadcast_to(w0, path[0].shape), atol=searches.FITTED)
    moved = networks.descend((0.1,), shift=0.01)
    np.testing.assert_allclose(moved[0, 0] - path[0, 0], 0.01, atol=1e-5)
    lengths = np.abs(np.diff(searches.same_steps(path[:, 0]), axis=0))
    np.testing.assert_allclose(lengths, np.abs(np.diff(path[:, 0], axis=0)), rtol=1e-9)
