"""Closing page: the ways out of the pit, what they cost, and Op of each."""

import dataclasses

import numpy as np
import pytest
from scipy.optimize import brentq

from descent import influence
from descent.chapters.modelling_sgd.numbers import pit
from descent.chapters.ways_out import numbers, results, searches
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
    caught = op.phases(op.measure("full batch", 0.2, 4))["in the pit"].mean()
    T = numbers.step_size(0.2)
    bottom = -np.log(np.abs(1 - T * MODEL.mean_curvature(pit().minimum)))
    assert caught == pytest.approx(float(bottom), rel=0.01)
    assert caught > 10 * -np.log(np.abs(1 - T * MODEL.mean_curvature(2.0)))


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
