"""Momentum: the law on the plane against sampled walkers, plain descent and the small-step law."""

import numpy as np
import pytest

from descent import large_deviations, markov
from descent.landscapes import FiniteSum, stationary_points, two_datapoint

WELLS, BARRIER = two_datapoint(), 1.1959565136502515
PIT = dict(start=1.0, threshold=BARRIER)


@pytest.mark.parametrize("momentum", [0.5, 0.8])
def test_sampled_walkers_agree_with_the_law_on_the_plane(momentum):
    walk = dict(step_size=0.025 * (1 - momentum), momentum=momentum, n_steps=300, **PIT)
    curve, error = markov.momentum_escape_curve(WELLS, return_error=True, **walk)
    times = markov.momentum_passage_times(
        WELLS, n_particles=3000, rng=np.random.default_rng(2), **walk
    )
    assert error < 1e-2
    for n in (100, 300):
        share = (times <= n).mean()
        spread = np.sqrt(curve[n] * (1 - curve[n]) / len(times))
        assert 0.05 < curve[n] < 0.999
        assert abs(share - curve[n]) < 3.5 * spread + 2 * error


def test_without_momentum_it_is_plain_descent():
    walk = dict(step_size=0.025, **PIT)
    plain = markov.log_mean_first_passage_time(WELLS, **walk)
    assert markov.log_mean_momentum_time(WELLS, momentum=0.0, **walk) == pytest.approx(
        plain, abs=0.05
    )


def test_one_sample_is_heavy_ball_by_hand():
    line = FiniteSum(
        losses=lambda w: -np.asarray(w, float)[None],
        gradients=lambda w: -np.ones_like(np.asarray(w, float))[None],
        curvatures=lambda w: np.zeros_like(np.asarray(w, float))[None],
    )
    # v = T (1 - β^n) / (1 - β): positions 0.1, 0.25, 0.425, 0.6125
    times = markov.momentum_passage_times(
        line, step_size=0.1, momentum=0.5, n_steps=9, start=0.0, threshold=0.43, n_particles=2,
        rng=np.random.default_rng(0),
    )  # fmt: skip
    np.testing.assert_array_equal(times, [4, 4])


def test_momentum_of_the_same_effective_step_stays_longer_and_nearer_to_the_law():
    """The limit of stability of plain descent is what lets it leave early."""
    ends = stationary_points(WELLS.mean_gradient, 0.9, 1.3)
    effective = 0.025
    law = large_deviations.log_escape_time(
        WELLS, step_size=effective, minimum=ends[0], saddle=ends[1]
    )
    plain = markov.log_mean_first_passage_time(WELLS, step_size=effective, **PIT)
    pushed = markov.log_mean_momentum_time(WELLS, step_size=effective / 2, momentum=0.5, **PIT)
    assert plain + 0.5 < pushed < law
