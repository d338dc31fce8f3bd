"""Noise of heavy tails: closed forms, a second method for the law, sampled walkers."""

import numpy as np
import pytest
from scipy.special import gamma
from scipy.stats import levy_stable

from descent.markov.stable_noise import (
    log_jump_time,
    log_mean_exit_time,
    stable_cdf,
    stable_draws,
)


@pytest.mark.parametrize("alpha", [1.1, 1.5, 1.9])
def test_the_law_is_that_of_scipy(alpha):
    x = np.array([-3.0, 0.0, 0.1, 1.0, 7.9, 8.1, 39.9, 40.1])
    np.testing.assert_allclose(stable_cdf(x, alpha), levy_stable.cdf(x, alpha, 0), atol=1e-7)
    # Far out SciPy 1.17 says 1.0 for some α; the first term of the tail does not.
    tail = gamma(alpha) / np.pi * np.sin(np.pi * alpha / 2) * 2000.0**-alpha
    assert 1 - stable_cdf(2000.0, alpha) == pytest.approx(tail, rel=0.01)


@pytest.mark.parametrize("alpha", [1.0, 1.3, 1.7, 2.0])
def test_draws_have_the_law(alpha):
    draws = stable_draws(100_000, alpha, np.random.default_rng(0))
    for x in (-2.0, 0.5, 5.0):
        p = stable_cdf(x, alpha)
        assert abs((draws <= x).mean() - p) < 4 * np.sqrt(p * (1 - p) / len(draws)) + 1e-6


@pytest.mark.parametrize("alpha", [1.0, 1.5, 1.8])
def test_small_steps_without_a_force_leave_as_the_process_of_getoor(alpha):
    """E τ = (r² - x²)^(α/2) / Γ(1 + α) in time; a step of size s is a time of s^α."""
    ratios = []
    for step in (0.08, 0.04):
        log_time = log_mean_exit_time(
            np.zeros_like, step_size=1.0, alpha=alpha, noise=step, start=0.3, ends=(-1.0, 1.0)
        )
        ratios.append(np.exp(log_time) * step**alpha * gamma(1 + alpha) / 0.91 ** (alpha / 2))
    # Steps overshoot the end, by an amount in proportion to their size.
    assert 1 < ratios[1] < ratios[0] < 1.25
    assert 2 * ratios[1] - ratios[0] == pytest.approx(1, abs=0.01)


def pit(depth, width):
    return lambda w: 4 * depth / width * (w / width - (w / width) ** 3)


@pytest.mark.parametrize("alpha", [1.5, 2.0])
def test_sampled_walkers_agree(alpha):
    rng, T = np.random.default_rng(1), 0.4
    log_time = log_mean_exit_time(
        pit(1.0, 2.0), step_size=T, alpha=alpha, noise=1.0, start=0.0, ends=(-2.4, 2.4)
    )
    w, steps, alive = np.zeros(4000), [], 4000
    for n in range(1, 3000):
        w = w - T * (pit(1.0, 2.0)(w) + stable_draws(alive, alpha, rng))
        w = w[np.abs(w) <= 2.4]
        steps.extend([n] * (alive - len(w)))
        alive = len(w)
        if alive == 0:
            break
    assert alive == 0
    steps = np.array(steps)
    assert abs(steps.mean() - np.exp(log_time)) < 3.5 * steps.std() / np.sqrt(len(steps))


def test_heavy_tails_feel_the_width_and_normal_noise_the_depth():
    def time(depth, width, alpha, T=0.1):
        return log_mean_exit_time(
            pit(depth, width), step_size=T, alpha=alpha, noise=1.0, start=0.0,
            ends=(-1.2 * width, 1.2 * width),
        )  # fmt: skip

    heavy, normal = 1.5, 2.0
    deeper = time(2.0, 2.0, heavy) - time(1.0, 2.0, heavy)
    wider = time(1.0, 3.0, heavy) - time(1.0, 2.0, heavy)
    assert abs(deeper) < 0.3
    assert wider == pytest.approx(heavy * np.log(1.5), abs=0.15)
    # V = ΔL/σ² for ξ of variance 2: half more of the depth is 0.5/T more in the exponent.
    assert time(1.5, 2.0, normal) - time(1.0, 2.0, normal) == pytest.approx(5, abs=1)
    assert abs(time(1.0, 3.0, normal) - time(1.0, 2.0, normal)) < 1


def test_for_small_steps_one_jump_leaves():
    found = [
        log_mean_exit_time(
            pit(1.0, 2.0), step_size=T, alpha=1.5, noise=1.0, start=0.0, ends=(-2.4, 2.4)
        )
        - log_jump_time(step_size=T, alpha=1.5, noise=1.0, distances=(2.0, 2.0))
        for T in (0.1, 0.025)
    ]
    assert abs(found[1]) < abs(found[0]) < 0.35
    assert abs(found[1]) < 0.15


def test_what_is_too_long_is_told():
    with pytest.raises(ArithmeticError, match="too long"):
        log_mean_exit_time(
            pit(1.0, 2.0), step_size=0.02, alpha=2.0, noise=1.0, start=0.0, ends=(-2.4, 2.4)
        )
