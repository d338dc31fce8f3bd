"""Chapter 7: what its figures, tables and claims rest on."""

import numpy as np
import pytest

from descent import smoothing
from descent.chapters.gaussian_smoothing import numbers, race
from descent.chapters.gaussian_smoothing import race_pictures as pictures
from descent.chapters.gaussian_smoothing.sampled_ascent import reached, sampled_ascent
from descent.estimates import wilson
from descent.landscapes import floored_sinc
from descent.search_distributions import Run
from descent.sweeps import load


def test_maxima_of_sinc_solve_their_equation():
    peaks = numbers.maxima_of_sinc(20.0)
    np.testing.assert_allclose(np.sin(peaks), peaks * np.cos(peaks), atol=1e-12)
    assert len(peaks) == 5
    assert len(numbers.maxima_of_sinc(21.0)) == 7


def test_top_plateau_lies_between_two_jumps_and_is_no_wider_than_three_others():
    ends = numbers.top_plateau()
    jumps, _ = smoothing.exact._floored_sinc_jumps(64)
    assert all(np.abs(jumps - end).min() < 1e-12 for end in ends)
    assert (floored_sinc(np.linspace(-60, 60, 100_001)) == 11).any()
    assert floored_sinc(np.mean(ends)) == floored_sinc(np.linspace(-60, 60, 100_001)).max() == 11
    widths = np.sort([high - low for low, high in numbers.plateaus()])
    assert len(widths) == 6
    assert (widths < ends[1] - ends[0] - 0.01).sum() == 3


@pytest.mark.parametrize("sigma", [3.0, 4.0, 5.0])
@pytest.mark.parametrize("function", ["sinc", "floored"])
def test_unimodal_interval_ends_near_the_square_of_sigma(function, sigma):
    low, high = numbers.unimodal_interval(function, sigma, reach=45.0)
    assert 0.75 * sigma**2 < -low < 1.35 * sigma**2
    assert 0.75 * sigma**2 < high < 1.35 * sigma**2


def test_area_under_the_product_is_the_pixel():
    t, product = numbers.by_quadrature("sinc", 3.0, 0.7, n=4001)
    area = np.trapezoid(product, t)
    assert area == pytest.approx(smoothing.smoothed_sinc(3.0, 0.7).value, abs=1e-14)


def test_sampled_ascent_follows_the_exact_one_with_a_baseline_and_not_without():
    """From sigma = 5 on the far side: nearly all arrive, or nearly none."""
    starts = np.linspace(-18, 18, 19)

    def arrive(baseline):
        x, sigma = sampled_ascent(
            "sinc", starts, 5.0, 2.0, np.random.default_rng(0), baseline=baseline, n_steps=1500
        )
        assert ((sigma >= 0.05) & (sigma <= 10)).all()
        return reached("sinc", x).mean()

    assert arrive(True) > 0.8
    assert arrive(False) < 0.3


@pytest.mark.parametrize("name", race.PROBLEMS)
def test_peaks_of_the_problems_are_their_highest_points(name):
    problem = race.PROBLEMS[name]
    assert problem.found(problem.peaks).all()
    line = np.linspace(problem.low, problem.high, 101)
    values = problem.f(np.stack(np.meshgrid(line, line), axis=-1))
    top = problem.f(problem.peaks)
    assert values.max() <= top.min() + 1e-9
    assert np.ptp(top) < 1e-9
    assert not problem.found(problem.peaks + 2.5).any()


def test_step_sizes_of_the_race_are_the_best_of_the_sweep():
    table = load("07-step-sizes")
    for method, chosen in race.TUNED.items():
        kind = "source" if method == "source, tuned" else method
        rows = table[table.method == kind]
        if method == "natural gradient":
            pooled = rows.groupby("step_size").found.sum()
            assert set(chosen.values()) == {pooled.idxmax()}
        else:
            for function, step_size in chosen.items():
                found = rows[rows.function == function].set_index("step_size").found
                assert found[step_size] == found.max(), (method, function)


def test_race_is_over_the_same_starts_for_all():
    table = load("07-search-race")
    assert (table.groupby(["method", "function"]).starts.sum() == 100).all()
    assert table.evaluations.max() <= race.EVALUATIONS
    assert set(table.method) == set(race.METHODS)


@pytest.mark.parametrize("method", ["CMA-ES, once", "evolution strategy", "xNES"])
def test_searchers_find_the_top_of_ackley(method):
    problem, rng = race.PROBLEMS["Ackley"], np.random.default_rng(0)
    outcome = race.search(method, problem, np.array([3.0, -4.0]), rng)
    assert problem.found(outcome.answer)
    assert outcome.evaluations <= race.EVALUATIONS


def test_a_diverged_run_answers_with_its_last_usable_mean():
    problem = race.PROBLEMS["Rosenbrock"]
    outcome = race.climb("source", problem, np.array([-1.5, 1.5]), np.random.default_rng(1), 5.0)
    assert outcome.status != "completed"
    assert np.isfinite(outcome.answer).all()


def test_annealing_finds_the_bottom_of_a_bowl_and_not_of_a_flat_plain():
    starts = np.array([[4.0, 4.0], [-3.0, 1.0]])
    flat = race.Problem(
        "flat", lambda x: np.zeros(x.shape[:-1]), -5, 5, lambda x: x[..., 0] > 9, starts
    )
    bowl = race.Problem("bowl", lambda x: -(x**2).sum(-1), -5, 5, lambda x: x[..., 0] > 9, starts)
    rng = np.random.default_rng(0)
    assert np.abs(race.simulated_annealing(bowl, starts, rng)).max() < 0.1
    assert np.abs(race.simulated_annealing(flat, starts, rng)).max() > 0.1


def test_ellipse_has_the_covariance_it_is_drawn_for():
    mean, covariance = np.array([1.0, -2.0]), np.array([[2.0, 0.7], [0.7, 0.5]])
    points = pictures.ellipse(mean, covariance, n=33)[:-1] - mean
    distance = np.einsum("ni,ij,nj->n", points, np.linalg.inv(covariance), points)
    np.testing.assert_allclose(distance, 4)


def test_caption_of_a_finished_search_says_why():
    run = pictures.shown_run("Himmelblau", "source")
    assert isinstance(run, Run)
    text = pictures.sweep_caption("Himmelblau", "source", 200)
    assert run.status != "completed"
    assert run.status in text
    assert "evaluations" in pictures.sweep_caption("Himmelblau", "source", 0)


def test_wilson_interval_contains_the_share():
    low, high = wilson(0, 100)
    assert low == pytest.approx(0, abs=1e-15)
    assert 0.03 < high < 0.05
