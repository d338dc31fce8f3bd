"""The chain of random alternation, closed traps, and the knobs."""

import numpy as np
import pytest

from descent.chapters.symphonic_losses import (
    alternation,
    alternation_forecasts,
    alternation_pictures,
    alternation_sweeps,
    step_and_grid_forecasts,
)
from descent.sweeps import load


@pytest.mark.parametrize("dimension", [1, 2])
def test_the_knobs_at_zero_share_the_minimum_and_gradients_are_exact(dimension):
    problem = alternation.landscapes(dimension, 3, (0, 1), 0.4)
    value, gradient = problem.value_and_gradient(np.zeros((2, dimension)))
    np.testing.assert_allclose(value, 0, atol=1e-12)
    np.testing.assert_allclose(gradient, 0, atol=1e-8)
    moved = alternation.landscapes(dimension, 3, (0, 1), 0.4, 0.3)
    x = np.random.default_rng(0).uniform(-2, 2, (4, 2, dimension))
    _, gradient = moved.value_and_gradient(x)
    for k, step in enumerate(1e-6 * np.eye(dimension)):
        up, down = (moved.value_and_gradient(x + s)[0] for s in (step, -step))
        np.testing.assert_allclose((up - down) / 2e-6, gradient[..., k], atol=1e-5)


def test_losses_have_the_correlation_that_is_asked_for():
    problem = alternation.landscapes(1, 2, range(30), 0.5)
    x = np.broadcast_to(np.random.default_rng(1).uniform(3, 8, (400, 1, 1)), (400, 30, 1))
    slope = problem.value_and_gradient(x)[1][..., 0].reshape(-1, 2)
    assert np.corrcoef(slope.T)[0, 1] == pytest.approx(0.5, abs=0.1)
    common = alternation.landscapes(1, 2, (3,), 1.0).value_and_gradient(np.array([[1.3]]))[0]
    assert common[0, 0] == pytest.approx(common[0, 1])


def test_minima_are_moved_by_the_distance_that_is_asked_for():
    apart = alternation.landscapes(2, 4, (5,), 0.0, 0.3)
    whole = alternation.landscapes(2, 4, (5,))
    shift = np.linalg.norm(apart.own.offsets - whole.own.offsets, axis=-1)
    np.testing.assert_allclose(shift, 0.3)


@pytest.mark.parametrize("dimension", [1, 2])
def test_the_chain_loses_nothing_and_moves_by_the_mean_step(dimension):
    problem = alternation.landscapes(dimension, 3, (0,))
    chain = alternation.chain(problem, 0.1, 8)
    np.testing.assert_allclose(chain.matrix.sum(axis=0), 1)
    k = 37
    to, share = chain.matrix[:, [k]].nonzero()[0], chain.matrix[:, [k]].toarray().ravel()
    offset = chain.places[to] - chain.places[k]
    period = alternation.CELLS[dimension]
    offset = (offset + period / 2) % period - period / 2
    mean = share[to] @ offset
    gradient = problem.value_and_gradient(chain.places[k][None])[1][0].mean(axis=0)
    np.testing.assert_allclose(mean, -0.1 * gradient, atol=1e-12)


def test_one_loss_is_the_flow_of_a_descent_and_all_its_minima_are_closed_traps():
    problem = alternation.landscapes(1, 1, (3,))
    many, there = alternation.chain(problem, 0.1, 64).closed_classes()
    axis = np.linspace(0, 16, 4000, endpoint=False)
    slope = problem.value_and_gradient(axis[:, None, None])[1][:, 0, 0, 0]
    minima = ((slope <= 0) & (np.roll(slope, -1) > 0)).sum()
    assert there
    assert many == minima


def test_refined_grids_agree_and_so_do_walks():
    problem = alternation.landscapes(2, 8, (0,))
    budgets = (100, 300)
    coarse = alternation.predicted(problem, 0.2, budgets)
    finer = alternation.chain(problem, 0.2, 32).success(budgets)
    np.testing.assert_allclose(coarse, finer, atol=0.02)
    rng = np.random.default_rng(0)
    share = alternation.walked(problem, 0.2, budgets, 300, rng)[:, 0]
    np.testing.assert_allclose(share, coarse, atol=3 * 0.5 / np.sqrt(300))


def test_a_grid_with_a_point_in_the_middle_holds_what_walkers_leave():
    problem = alternation.landscapes(2, 2, (0,))
    on, off = (alternation.chain(problem, 0.2, 20, shift).success((500,))[0] for shift in (0, 0.5))
    share = alternation.walked(problem, 0.2, (500,), 300, np.random.default_rng(0))[0, 0]
    assert on > 0.12
    assert abs(off - share) < 0.04


def test_closed_traps_become_rare_with_the_number_of_losses():
    counts = alternation_pictures.closed_traps((0.2,), 1, 4, (1, 8))[0.2]
    assert counts[1].mean() > 5
    assert counts[8].mean() < 2


def test_strong_growth_is_one_for_equal_losses_and_never_less():
    assert alternation.strong_growth(1, 3) == pytest.approx(1)
    assert (alternation.strong_growth(8, 3) > 1).all()


def test_the_forecasts_are_tested_on_the_whole_tables():
    beside, knobs = load("09-alternation"), load("09-knobs")
    assert len(beside) == len(alternation_sweeps.BESIDE.points)
    for forecasts, table in (
        (alternation_forecasts.BESIDE_FORECASTS, beside),
        (alternation_forecasts.KNOB_FORECASTS, knobs),
        (step_and_grid_forecasts.STEP_FORECASTS, load("09-knobs-steps")),
        (step_and_grid_forecasts.GRID_FORECASTS, (beside, load("09-alternation-moved"))),
    ):
        assert all(isinstance(one.holds(table), bool) for one in forecasts)


def test_several_step_sizes_walk_from_the_same_starts():
    problem = alternation.landscapes(2, 2, (0, 1), 0.25)
    steps = np.array([0.05, 0.2])
    rng = [np.random.default_rng(4) for _ in range(3)]
    together = alternation.walked(problem, steps, (20, 60), 8, rng[0], "equal_sum")
    assert together.shape == (2, 2, 2)
    for k, eta in enumerate(steps):
        alone = alternation.walked(problem, eta, (20, 60), 8, rng[1 + k], "equal_sum")
        np.testing.assert_array_equal(together[:, k], alone)


def test_a_step_that_is_chosen_is_not_measured_where_it_was_chosen():
    table = load("09-knobs-steps")
    rates = np.array(table.query("rule == 'matched_noise' and correlation == 0").rates.iloc[0])
    chosen = rates[:, : alternation_sweeps.STEP_TUNING].mean(axis=1).argmax()
    own = step_and_grid_forecasts.own_step(table, "matched_noise", 0.0)
    assert own == alternation_sweeps.STEPS[chosen]
    found = step_and_grid_forecasts.at_own_step(table, "matched_noise", 0.0)
    assert found.value == rates[chosen, alternation_sweeps.STEP_TUNING :].mean()
    level = step_and_grid_forecasts.at_own_step(table, "equal_sum", 0.0)
    gained = step_and_grid_forecasts.gain(table, "matched_noise", 0.0)
    assert gained.value == pytest.approx(found.value - level.value)
    assert step_and_grid_forecasts.gain(table, "equal_sum", 0.0) == (0, 0)


def test_moved_grids_agree_with_walkers_where_resting_ones_do_not():
    grids = load("09-alternation"), load("09-alternation-moved")
    resting, moved = step_and_grid_forecasts.agreement(grids, 2)
    assert moved.shape == (6, 4)
    assert moved.all()
    assert not resting.all()
    budgets = step_and_grid_forecasts.MOVED_BUDGETS
    own = np.array(alternation_forecasts.agreement(grids[0], 2))[:, : len(budgets)]
    np.testing.assert_array_equal(resting, own)
