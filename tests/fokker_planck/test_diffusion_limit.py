"""Which diffusion is the limit of the chain: decided by the exact law of the chain."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import norm

from descent.fokker_planck import solve, stationary_density, total_variation, wasserstein_1
from descent.fokker_planck.diffusion_limit import (
    diffusion_limit,
    linear,
    linear_moments,
    modified_equation,
    with_small_steps,
)
from descent.landscapes import FiniteSum, two_datapoint
from descent.markov import simulate
from descent.markov.chain_density import chain_densities

CALCULI = ("ito", "stratonovich", "fick")


def circle_walk():
    """G = 0 and g = ±(1 + ½ sin W)."""

    def pair(value):
        return np.stack([value, -value])

    return FiniteSum(
        losses=lambda w: pair(np.asarray(w, float) - np.cos(w) / 2),
        gradients=lambda w: pair(1 + np.sin(w) / 2),
        curvatures=lambda w: pair(np.cos(w) / 2),
    )


def slope(sizes, errors):
    return np.polyfit(np.log(sizes), np.log(errors), 1)[0]


# The chain itself


def test_the_exact_density_matches_a_sample():
    edges = np.linspace(0.6, 1.4, 1601)
    mass = np.diff(norm.cdf(edges, 1.05, 0.03))
    p0 = mass / mass.sum() / np.diff(edges)
    p = chain_densities(two_datapoint(), step_size=0.004, edges=edges, p0=p0, steps=[0, 10])
    assert total_variation(p[0], p0, edges) < 1e-12
    start = np.random.default_rng(0).normal(1.05, 0.03, 200_000)
    sample = simulate(
        two_datapoint(), step_size=0.004, n_steps=10, start=start, rng=np.random.default_rng(1)
    )[-1]
    bins = edges[::20]
    expected = np.add.reduceat(p[1] * np.diff(edges), np.arange(0, 1600, 20))
    counts = np.histogram(sample, bins)[0]
    filled = expected > 1e-4
    z = (counts - len(sample) * expected)[filled] / np.sqrt(len(sample) * expected[filled])
    assert filled.sum() >= 8
    assert abs(z).max() < 4


def test_linear_moments_are_those_of_the_chain():
    slopes, intercepts, step_size = [1.2, 0.8], [-2, -2], 0.5
    mean, variance = linear_moments(slopes, intercepts, step_size, 0.5, 0.03, 40)
    assert mean[-1] == pytest.approx(2)
    assert variance[-1] == pytest.approx(0.04 / (1 - 0.26))
    # All 2^8 paths from a point.
    w = np.array([0.5])
    for _ in range(8):
        w = (w - step_size * linear(slopes, intercepts).gradients(w)).ravel()
    mean, variance = linear_moments(slopes, intercepts, step_size, 0.5, 0.0, 8)
    assert (mean[-1], variance[-1]) == pytest.approx((w.mean(), w.var()))


@given(st.floats(-3, 3), st.floats(0, 2), st.floats(0.01, 1.5))
def test_linear_moments_of_one_sample_are_those_of_gradient_descent(mean, variance, step_size):
    means, variances = linear_moments([1.0], [0.5], step_size, mean, variance, 3)
    factor = 1 - step_size
    assert means[-1] == pytest.approx(factor**3 * (mean + 0.5) - 0.5, abs=1e-12)
    assert variances[-1] == pytest.approx(factor**6 * variance, abs=1e-12)


def test_the_stationary_mean_of_the_linear_model_is_2_in_ito_only():
    model, step_size = linear([1.2, 0.8], [-2, -2]), 0.5
    edges = np.geomspace(0.3, 30, 2001)
    centres = (edges[1:] + edges[:-1]) / 2
    means = {
        calculus: stationary_density(*diffusion_limit(model, step_size), edges, calculus)
        @ (centres * np.diff(edges))
        for calculus in CALCULI
    }
    # a = 1, 0: the inverse gamma law with shape a - 1 + 2/(0.04 T) has a larger mean.
    rate = 2 / (0.04 * step_size)
    assert means["ito"] == pytest.approx(2, abs=1e-4)
    assert means["stratonovich"] == pytest.approx(2 * rate / (rate - 1), abs=1e-4)
    assert means["fick"] == pytest.approx(2 * rate / (rate - 2), abs=1e-4)


# On a circle without drift, at fixed T² t, the calculi differ by a finite amount.


def circle_errors(remedy, step_sizes, time=4.0):
    edges = np.linspace(0, 2 * np.pi, 401)
    centres = (edges[1:] + edges[:-1]) / 2
    p0 = np.exp(np.cos(centres - 2))
    p0 /= p0 @ np.diff(edges)
    errors = []
    for step_size in step_sizes:
        model = remedy(circle_walk(), step_size)
        n = round(time / step_size**2)
        chain = chain_densities(
            model, step_size=step_size, edges=edges, p0=p0, steps=[n], periodic=True
        )[0]
        errors.append(
            [
                total_variation(
                    chain,
                    solve(
                        *diffusion_limit(circle_walk(), step_size), edges, p0, [n], calculus,
                        boundary="periodic",
                    )[0],
                    edges,
                )
                for calculus in CALCULI
            ]
        )  # fmt: skip
    return np.array(errors).T


def test_ito_wins_for_single_draws():
    sizes = np.array([0.4, 0.2, 0.1])
    ito, stratonovich, fick = circle_errors(lambda model, step_size: model, sizes)
    assert slope(sizes, ito) == pytest.approx(2, abs=0.05)
    assert ito[-1] < 5e-4
    for wrong in (stratonovich, fick):
        assert abs(slope(sizes, wrong)) < 0.1
        assert wrong.min() > 0.1


def test_stratonovich_wins_when_each_draw_is_followed_in_many_small_steps():
    sizes = np.array([0.4, 0.2, 0.1])

    def remedy(model, step_size):
        return with_small_steps(model, step_size, round(3.2 / step_size))

    ito, stratonovich, fick = circle_errors(remedy, sizes)
    assert slope(sizes, stratonovich) > 0.9
    assert stratonovich[-1] < 0.005
    for wrong in (ito, fick):
        assert abs(slope(sizes, wrong)) < 0.1
        assert wrong.min() > 0.1


@pytest.mark.slow
def test_the_stationary_law_of_the_chain_on_the_circle_is_ito():
    edges = np.linspace(0, 2 * np.pi, 401)
    uniform = np.full(400, 1 / (2 * np.pi))
    model = circle_walk()
    chain = chain_densities(
        model, step_size=0.2, edges=edges, p0=uniform, steps=[2500], periodic=True
    )[0]
    for calculus in CALCULI:
        law = stationary_density(*diffusion_limit(model, 0.2), edges, calculus, "periodic")
        distance = total_variation(chain, law, edges)
        assert distance < 3e-3 if calculus == "ito" else distance > 0.1


def test_one_small_step_is_the_step_itself():
    model = two_datapoint()
    same = with_small_steps(model, 0.01, 1)
    w = np.linspace(0.5, 1.5, 50)
    assert same.gradients(w) == pytest.approx(model.gradients(w), abs=1e-12)
    assert same.curvatures(w) == pytest.approx(model.curvatures(w), abs=1e-10)
    many = with_small_steps(linear([1.0], [0.0]), 0.5, 1000)
    assert 1 - 0.5 * many.gradients(np.ones(1))[0] == pytest.approx(np.exp(-0.5), rel=2e-4)


# On the two-datapoint model, at fixed T·t


@pytest.fixture(scope="module")
def pit_errors():
    sizes = np.array([0.004, 0.002, 0.001, 0.0005])
    edges = np.linspace(0.6, 1.4, 1601)
    mass = np.diff(norm.cdf(edges, 1.05, 0.03))
    p0 = mass / mass.sum() / np.diff(edges)
    model, errors = two_datapoint(), {}
    for step_size in sizes:
        n = round(0.04 / step_size)
        chain = chain_densities(model, step_size=step_size, edges=edges, p0=p0, steps=[n])[0]
        for order, diffusion in ((1, diffusion_limit), (2, modified_equation)):
            for calculus in CALCULI:
                p = solve(*diffusion(model, step_size), edges, p0, [n], calculus)[0]
                errors.setdefault((order, calculus), []).append(wasserstein_1(chain, p, edges))
    return sizes, {key: np.array(value) for key, value in errors.items()}


def test_the_distance_to_the_chain_falls_in_proportion_to_the_step_size(pit_errors):
    sizes, errors = pit_errors
    ito = errors[1, "ito"]
    assert slope(sizes, ito) == pytest.approx(1, abs=0.15)
    # At fixed T·t the wrong calculi shift the law by a multiple of T, too: they do not
    # fall slower, they are worse by a factor.
    assert (errors[1, "stratonovich"] > 3 * ito).all()
    assert (errors[1, "fick"] > 6 * ito).all()


def test_the_next_order_raises_the_slope_in_ito_only(pit_errors):
    sizes, errors = pit_errors
    assert slope(sizes, errors[2, "ito"]) > 1.6
    assert errors[2, "ito"][-1] < errors[1, "ito"][-1] / 3
    for calculus in ("stratonovich", "fick"):
        assert slope(sizes, errors[2, calculus]) < 1.1


def second_moment_error(diffusion, step_size, mean0=1.0, deviation=0.3):
    """Mean and variance of λ W ± s after T t = 1, diffusion against chain, closed forms."""
    model = linear([1.0, 1.0], [-deviation, deviation])
    drift, variance = diffusion(model, step_size)
    rate, noise = -float(drift(1.0)), float(variance(0.0))
    n = round(1 / step_size)
    mean, _ = linear_moments([1.0, 1.0], [-deviation, deviation], step_size, mean0, 0.0, n)
    stationary = step_size * deviation**2 / (2 - step_size)
    return abs(np.exp(-rate * n) - mean[-1]), abs(noise / (2 * rate) / stationary - 1)


def test_the_next_order_drift_helps_the_mean_and_hurts_the_stationary_variance():
    sizes = np.array([0.1, 0.05, 0.025])

    def corrected(model, step_size):
        return modified_equation(model, step_size, noise=True)

    first, drift, both = (
        np.array([second_moment_error(diffusion, t) for t in sizes]).T
        for diffusion in (diffusion_limit, modified_equation, corrected)
    )
    assert slope(sizes, first[0]) == pytest.approx(1, abs=0.1)
    assert slope(sizes, drift[0]) == pytest.approx(2, abs=0.1)
    assert drift[1] / first[1] == pytest.approx(2, abs=0.1)
    assert slope(sizes, drift[1]) == pytest.approx(1, abs=0.1)
    assert slope(sizes, both[1]) == pytest.approx(2, abs=0.1)


def test_the_corrected_moments_of_one_step_are_exact_to_the_next_order():
    # The mean square of the move in unit time, as a series in the generator: drift and
    # variance are polynomials here, so each term is exact.
    slopes, intercepts = [1.7, 0.4, 1.1], [-0.3, 0.9, 0.2]
    model, w0, sizes = linear(slopes, intercepts), 0.6, np.array([0.08, 0.04, 0.02])
    errors = []
    for step_size in sizes:
        drift, variance = modified_equation(model, step_size, noise=True)
        mu = np.polynomial.Polynomial.fit([0, 1], drift(np.array([0.0, 1.0])), 1).convert()
        points = np.array([0.0, 0.5, 1.0])
        d = np.polynomial.Polynomial.fit(points, variance(points), 2).convert()
        square = np.polynomial.Polynomial([w0**2, -2 * w0, 1.0])
        term, moment = square, 0.0
        for k in range(1, 6):
            term = (mu * term.deriv() + 0.5 * d * term.deriv(2)) / k
            moment += term(w0)
        exact = (step_size**2 * model.gradients(w0) ** 2).mean()
        errors.append(abs(moment - exact))
    assert slope(sizes, errors) > 3.8


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: diffusion_limit(two_datapoint(), -1.0), "step_size must be positive"),
        (lambda: linear([1.0], [1.0, 2.0]), r"must share a shape \(n,\)"),
        (lambda: linear([np.nan], [1.0]), "must be finite"),
        (
            lambda: linear_moments([1.0], [0.0], 0.1, 0.0, -1.0, 3),
            "variance must be zero",
        ),
        (lambda: with_small_steps(two_datapoint(), 0.1, 0), "n must be at least 1"),
        (
            lambda: chain_densities(
                two_datapoint(),
                step_size=0.02,
                edges=np.linspace(0, 3, 301),
                p0=np.full(300, 1 / 3),
                steps=[1],
            ),
            "the step folds the line at W = 1",
        ),
        (
            lambda: chain_densities(
                linear([0, 0], [-1, 1]),
                step_size=0.5,
                edges=np.linspace(0, 1, 11),
                p0=np.ones(10),
                steps=[1],
            ),
            "mass leaves the edges at step 1",
        ),
        (
            lambda: chain_densities(
                linear([0, 0], [-1, 1]),
                step_size=0.5,
                edges=np.linspace(0, 1, 11),
                p0=np.ones(10),
                steps=[1, 1],
            ),
            "steps must rise",
        ),
    ],
)
def test_bad_input_is_named(call, message):
    with pytest.raises(ValueError, match=message):
        call()
