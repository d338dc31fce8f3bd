"""Chapter 1: what its figures and claims rest on."""

import itertools

import mpmath
import numpy as np
import pytest

from descent import markov
from descent.chapters.modelling_sgd import numbers, pictures
from descent.landscapes import two_datapoint


@pytest.mark.parametrize("draws", [3, 5, 9, 12])
@pytest.mark.parametrize("run", [1, 2, 4])
def test_run_probability_counts_the_sequences(run, draws):
    hits = sum("1" * run in "".join(bits) for bits in itertools.product("01", repeat=draws))
    assert numbers.run_probability(run, draws) == pytest.approx(hits / 2**draws, abs=1e-15)


def test_pit_is_made_of_stationary_points_in_order():
    for depth in (1.0, 2.0):
        model, pit = two_datapoint(depth), numbers.pit(depth)
        assert pit.bottom < pit.minimum < pit.saddle < pit.barrier
        for w in (pit.bottom, pit.barrier):
            assert model.gradients(w)[1] == pytest.approx(0, abs=1e-12)
        for w in (pit.minimum, pit.saddle):
            assert model.mean_gradient(w) == pytest.approx(0, abs=1e-12)
        curvature = [model.curvatures(pit.bottom)[1], model.curvatures(pit.barrier)[1]]
        assert curvature[0] > 0 > curvature[1]


def test_right_of_the_barrier_both_samples_push_right():
    w = np.linspace(numbers.pit().barrier + 1e-6, 1.999, 1000)
    assert np.all(two_datapoint().gradients(w) < 0)
    inside = np.linspace(numbers.pit().bottom + 1e-6, numbers.pit().barrier - 1e-6, 1000)
    assert np.all(two_datapoint().gradients(inside)[1] > 0)


def test_step_counts_name_the_first_step():
    path = np.array([0.0, 0.5, 1.2, 0.9, 1.3])
    assert numbers.first_step_beyond(path, 1.0) == 2
    assert numbers.steps_to_settle(path, 1.2, 0.15) == 4
    assert numbers.steps_to_settle(np.ones(3), 1.0, 0.1) == 0
    with pytest.raises(ValueError, match="stays below"):
        numbers.first_step_beyond(path, 2.0)


def test_the_step_at_which_full_batch_descent_leaves_is_no_accident_of_rounding():
    """The bouncing is chaotic: check the count in 60 digits."""
    with mpmath.workdps(60):
        w, step = mpmath.mpf(0), 0
        while w <= numbers.pit().barrier:
            pull = 2 * (w - 2) * mpmath.exp(-((w - 2) ** 2))
            pull += 100 * (w - 1) * mpmath.exp(-100 * (w - 1) ** 2)
            w, step = w - mpmath.mpf(0.05) * pull, step + 1
    path = markov.gradient_descent(
        two_datapoint().mean_gradient, step_size=0.05, n_steps=200, start=0.0
    )
    assert numbers.first_step_beyond(path, numbers.pit().barrier) == step


def test_explorer_path_is_the_same_each_time():
    first, second = (numbers.path("stochastic", 1.0, 0.05) for _ in range(2))
    np.testing.assert_array_equal(first, second)
    assert first.shape == (numbers.STEPS + 1, numbers.RUNS)


def test_unknown_loss_is_an_error():
    with pytest.raises(ValueError, match=r"loss must be one of .* got 'l2'"):
        numbers.path("l2", 1.0, 0.05)


def test_spread_keeps_all_mass_and_agrees_with_the_escape_curve():
    """For small T nothing returns, so the mass beyond the barrier is what has escaped."""
    density, curve = numbers.spread(0.02)
    mass = density * np.diff(numbers.EDGES)
    np.testing.assert_allclose(mass.sum(axis=1), 1, atol=1e-9)
    beyond = mass[:, numbers.EDGES[:-1] >= 1.2].sum(axis=1)
    steps = np.array(numbers.SPREAD_STEPS)
    late = steps >= 120
    np.testing.assert_allclose(beyond[late], curve[steps[late]], atol=0.02)


@pytest.mark.parametrize("step_size", [0.0081, 0.03, 0.1])
def test_the_times_of_the_picture_are_those_of_the_library(step_size):
    (time,) = numbers.mean_escape_times([step_size])
    assert np.log(time) == pytest.approx(numbers.log_escape_times([step_size])[0], abs=0.01)


def test_a_time_without_digits_is_told():
    # A time of 9e10 steps: its survival falls by less than rounding.
    with pytest.raises(ArithmeticError, match=r"use the logarithm at T=0\.006"):
        numbers.mean_escape_times([0.006])


def test_a_batch_has_its_law_below_the_limit_of_stability_and_not_above():
    one, four = numbers.batched(1), numbers.batched(4)
    assert four.law.quasi_potential == pytest.approx(4 * one.law.quasi_potential, rel=1e-12)
    small, large = numbers.BATCH_STEPS < 0.009, numbers.BATCH_STEPS > 0.015
    assert np.abs(four.excess[small]).max() < 0.05
    assert four.excess[large].max() < -8
    assert one.excess[large].min() > -4
    said = pictures.batch_caption(4)
    assert "$B = 4$" in said
    assert "nan" not in pictures.batch_caption(1)


def test_a_start_beyond_the_barrier_has_nothing_to_escape():
    outside = pictures.path_caption("stochastic", 4.0, 0.005)
    assert "nothing has to escape" in outside
    assert "have passed" not in outside
    caught = pictures.path_caption("full batch", 1.0, 0.01)
    assert "has not passed the barrier" in caught
    assert f"{numbers.RUNS} of {numbers.RUNS} have passed" in pictures.path_caption(
        "stochastic", 1.0, 0.05
    )


def test_the_smooth_descent_is_the_limit_of_small_steps():
    times = np.linspace(0, 5, 11)
    gradient = two_datapoint().mean_gradient
    smooth = numbers.smooth_descent(gradient, [0.0, 1.4, 3.0], times)
    gaps = []
    for T in (0.002, 0.001):
        paths = markov.gradient_descent(
            gradient, step_size=T, n_steps=round(5 / T), start=np.array([0.0, 1.4, 3.0])
        )
        gaps.append(np.abs(paths[:: round(0.5 / T)].T - smooth).max())
    assert gaps[1] < 2e-3
    assert gaps[0] / gaps[1] == pytest.approx(2, rel=0.05)
