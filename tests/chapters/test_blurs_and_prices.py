"""Chapter 7: other blurs, bounds, the noise of estimates, prices, and the re-make."""

import numpy as np
import pytest
from scipy import integrate, stats

from descent.chapters.gaussian_smoothing import blurs, expensive, numbers, pairs, race, remake
from descent.chapters.gaussian_smoothing.sampled_ascent import reached, sampled_path
from descent.landscapes import sinc
from descent.smoothing import smoothed_sinc
from descent.smoothing.ascent import ascend
from descent.sweeps import load

X = np.linspace(-20, 20, 41)
LAWS = {
    "Gaussian": stats.norm(),
    "uniform": stats.uniform(-np.sqrt(3), 2 * np.sqrt(3)),
    "Laplace": stats.laplace(scale=1 / np.sqrt(2)),
    "Cauchy": stats.cauchy(),
}


@pytest.mark.parametrize("name", blurs.BLURS)
def test_a_blur_is_its_distribution(name):
    blur, law, u = blurs.BLURS[name], LAWS[name], np.linspace(-3, 3, 61)
    np.testing.assert_allclose(blur.density(u), law.pdf(u), atol=1e-12)
    np.testing.assert_allclose(blur.below(u), law.cdf(u), atol=1e-12)
    for k in (0.3, 1.7):
        damped, _ = integrate.quad(law.pdf, 0, law.support()[1], weight="cos", wvar=k)
        assert blur.damps(np.array(k)) == pytest.approx(2 * damped, abs=1e-7)


@pytest.mark.parametrize("name", blurs.BLURS)
def test_a_blurred_sinc_has_the_derivatives_it_says(name):
    f, h = blurs.blurred_sinc(name), 1e-5
    _, dx, dsigma = f(X, 2.0)
    np.testing.assert_allclose((f(X + h, 2.0)[0] - f(X - h, 2.0)[0]) / (2 * h), dx, atol=1e-10)
    by_sigma = (f(X, 2.0 + h)[0] - f(X, 2.0 - h)[0]) / (2 * h)
    np.testing.assert_allclose(by_sigma, dsigma, atol=1e-10)


def test_the_gaussian_blur_is_the_smoothing_of_the_library():
    for ours, theirs in zip(
        blurs.blurred_sinc("Gaussian")(X, 1.3), smoothed_sinc(X, 1.3), strict=True
    ):
        np.testing.assert_allclose(ours, theirs, atol=1e-13)


def test_a_cauchy_blur_is_harmonic_and_has_a_closed_form():
    f, h, sigma = blurs.blurred_sinc("Cauchy"), 1e-3, 1.7
    value = f(X, sigma).value
    closed = sigma + np.exp(-sigma) * (X * np.sin(X) - sigma * np.cos(X))
    np.testing.assert_allclose(value, closed / (sigma**2 + X**2), atol=1e-13)
    around = f(X + h, sigma)[0] + f(X - h, sigma)[0] + f(X, sigma + h)[0] + f(X, sigma - h)[0]
    assert np.abs(around - 4 * value).max() / h**2 < 1e-5


def test_only_gauss_and_cauchy_blur_a_blur_into_a_blur():
    gaps = {name: blurs.semigroup_gap(name) for name in blurs.BLURS}
    assert max(gaps["Gaussian"], gaps["Cauchy"]) < 1e-3
    assert min(gaps["uniform"], gaps["Laplace"]) > 0.03


def test_peaks_are_bred_by_the_blurs_that_can_breed_them():
    bred = {name: blurs.breeding(name, 40) for name in blurs.BLURS}
    assert bred["Gaussian"] == (0, 0)
    assert bred["Laplace"].more_than_before == 0 < bred["Laplace"].more_than_narrower
    assert min(*bred["uniform"], *bred["Cauchy"]) > 0


def test_a_cauchy_blur_splits_a_peak_and_the_values_say_so_too():
    x = np.linspace(-15, 30, 4001)
    assert blurs.SPIKE.peaks() == 1
    for name, peaks in (("Gaussian", 1), ("Laplace", 1), ("Cauchy", 2)):
        values = blurs.SPIKE.blurred(x, 0.7, name)
        inner = values[1:-1]
        assert ((inner > values[:-2]) & (inner > values[2:])).sum() == peaks
        assert blurs.SPIKE.maxima(x, 0.7, name) == peaks


def test_home_is_as_far_as_the_hill_prevails():
    assert blurs.home("Gaussian", 4.0) == pytest.approx(
        numbers.unimodal_interval("sinc", 4.0)[1], abs=0.03
    )
    assert blurs.home("Cauchy", 6.0) == pytest.approx(np.sqrt(12) * np.exp(3), rel=0.2)
    assert blurs.home("uniform", 3.0) == 0


def test_the_bounds_hold_and_are_met():
    assert np.abs(pairs.derivatives(np.linspace(0, 20, 80_001))[0]).max() == pytest.approx(
        blurs.SLOPE, abs=1e-8
    )
    sigma = np.geomspace(0.01, 10, 25)
    smooth, corner = blurs.distances(sigma)
    assert (smooth <= sigma**2 * blurs.BEND / 2).all()
    assert (smooth <= sigma * np.sqrt(2 / np.pi) * blurs.SLOPE).all()
    assert smooth[0] == pytest.approx(sigma[0] ** 2 / 6, rel=1e-4)
    np.testing.assert_allclose(corner, sigma * np.sqrt(2 / np.pi), rtol=1e-12)


@pytest.mark.parametrize("offset", [0.0, 3.0])
def test_the_noise_by_quadrature_is_that_of_draws(offset):
    x, sigma, rng = -5.0, 1.0, np.random.default_rng(0)
    z = rng.standard_normal((60_000, pairs.N))
    half = z[:, : pairs.N // 2]
    mirrored = np.concatenate([half, -half], axis=1)
    expected = pairs.noise(x, sigma, offset)
    slope = np.hypot(*smoothed_sinc(x, sigma)[1:])

    def spread(draws, factor, by_x):
        f = sinc(x + sigma * draws) + offset
        if factor:
            f = (f - f.mean(axis=1, keepdims=True)) * factor
        score = draws if by_x else draws**2 - 1
        return (f * score / sigma).mean(axis=1).std() / slope

    n = pairs.N
    found = [
        [spread(z, 0, by_x) for by_x in (True, False)],
        [spread(z, n / (n - 1), by_x) for by_x in (True, False)],
        [spread(mirrored, 0, by_x) for by_x in (True, False)],
        [spread(mirrored, 0, True), spread(mirrored, (n / 2) / (n / 2 - 1), False)],
    ]
    np.testing.assert_allclose(found, expected[:4], rtol=0.015)


def test_bonnets_and_prices_identities_hold_where_there_are_derivatives():
    nodes, weights = np.polynomial.hermite_e.hermegauss(80)
    first, second = pairs.derivatives(-4.0 + 1.2 * nodes)
    _, dx, dsigma = smoothed_sinc(-4.0, 1.2)
    assert weights @ first / weights.sum() == pytest.approx(dx, abs=1e-12)
    assert 1.2 * (weights @ second) / weights.sum() == pytest.approx(dsigma, abs=1e-12)


@pytest.mark.parametrize("baseline", [False, True])
def test_a_step_on_pairs_has_the_gradient_as_its_mean(baseline):
    n, eta = 40_000, 1e-3
    path = sampled_path(
        "sinc",
        np.full(n, -5.0),
        1.0,
        eta,
        np.random.default_rng(1),
        baseline=baseline,
        pairs=True,
        n_samples=6,
        n_steps=1,
    )
    moved = (path[1] - path[0]) / eta
    error = moved.std(axis=1) / np.sqrt(n)
    exact = np.array(smoothed_sinc(-5.0, 1.0)[1:])
    assert (np.abs(moved.mean(axis=1) - exact) < 4 * error).all()
    assert (error < 0.1 * np.abs(exact)).all()


def test_the_arrivals_on_the_staircase_do_not_hang_on_the_steps():
    starts = numbers.STARTS[50:72:2]
    ends = [
        reached("floored", ascend(numbers.SMOOTHED["floored"], starts, 0.1, **options).x)
        for options in ({}, {"max_step": 0.05}, {"tolerance": 1e-6})
    ]
    assert 0 < ends[0].sum() < len(starts)
    assert (ends[0] == ends[1]).all()
    assert (ends[0] == ends[2]).all()


def test_the_bias_lowers_sigma_and_costs_arrivals():
    pulled, free = remake.climb(remake.BIAS, (50, 400)), remake.climb(0.0, (50, 400))
    assert pulled[400].still_wide == 0 < free[400].still_wide
    assert free[400].near_top > pulled[400].near_top


def test_expected_improvement_is_the_mean_of_what_is_gained():
    draws = np.random.default_rng(0).normal(0.3, 0.7, 400_000)
    gain = expensive.expected_improvement(np.array([0.3]), np.array([0.7]), 0.5)
    assert gain[0] == pytest.approx(np.maximum(draws - 0.5, 0).mean(), rel=0.01)


def test_a_recorder_counts_and_stops():
    problem = race.PROBLEMS["Ackley"]
    f = expensive.Recorder(problem.f, 100)
    with pytest.raises(expensive.Enough):
        expensive.uniform(f, problem, np.random.default_rng(0))
    assert len(f.values) == 100
    f.points[7], f.values[7] = np.zeros(2), 1.0
    assert f.found(problem) == [1, 1, 1, 1, 1, 1]
    f.points[7] = np.full(2, 9.0)
    assert f.found(problem) == [0, 0, 0, 0, 0, 0]


@pytest.mark.parametrize("method", expensive.SEARCHERS)
def test_a_search_stays_in_its_budget(method, monkeypatch):
    monkeypatch.setattr(expensive, "BUDGETS", (10, 20))
    monkeypatch.setattr(expensive, "FEW", 20)
    found = expensive.search(method, race.PROBLEMS["Himmelblau"], np.random.default_rng(3))
    assert len(found) == 2
    assert set(found) <= {0, 1}


def test_the_expensive_race_is_over_as_many_starts_for_all():
    table = load("07-expensive")
    assert set(table.method) == set(expensive.SEARCHERS)
    assert (table.groupby("method").size() == 18).all()
    assert all(max(found) <= 5 for found in table.found)
