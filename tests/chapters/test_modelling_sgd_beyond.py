"""Chapter 1: its stored tables of dealt data, momentum and heavy tails say what the text says."""

from itertools import pairwise

import numpy as np
import pytest

from descent import large_deviations
from descent.chapters.modelling_sgd import dealt, numbers, other_steps
from descent.landscapes import two_datapoint


def test_sampled_walkers_are_where_the_exact_chances_are():
    pulls = dealt.pulls()
    assert len(pulls) > 20
    assert np.abs(pulls).max() < 3.5
    assert 0.5 < np.sqrt(np.mean(pulls**2)) < 1.5


def test_no_order_leads_out_and_no_sampled_walker_left_there():
    for n in (2, 4, 8, 16):
        for T, held in zip(dealt.STEP_SIZES, dealt.held(n), strict=True):
            row = dealt.row(n, T)
            assert not held or (row["sampled"] == 0 == row["escaped"])


def test_longer_epochs_hold_less_and_independent_draws_least():
    chances = [dealt.escaped(n) for n in (2, 4, 8, 16, 0)]
    for less, more in pairwise(chances):
        assert (less <= more + 1e-3).all()


def test_the_price_of_an_epoch_falls_to_that_of_independent_draws():
    epoch, price = dealt.prices()
    pit = numbers.pit()
    free = large_deviations.quasi_potential(two_datapoint(), pit.minimum, pit.saddle)
    assert (np.diff(price) < 0).all()
    assert price[-1] > free
    assert (price < 2 * epoch * np.log(2)).all()
    for at, slope in dealt.slopes().items():
        assert np.interp(at, epoch, price) == pytest.approx(slope, rel=0.05)


def test_momentum_stays_longer_at_the_same_effective_step():
    plain, half, more, most = (other_steps.half_escape(beta) for beta in (0.0, 0.5, 0.8, 0.9))
    assert 1.1 * plain < half < more < most
    assert np.abs(other_steps.momentum_pulls()).max() < 3.5
    assert 1.1 * plain < other_steps.adam_half() < more


def test_sampled_jumpers_agree_with_the_integral_equation():
    pulls = other_steps.heavy_pulls()
    assert np.abs(pulls).max() < 3.5
    assert np.sqrt(np.mean(pulls**2)) < 1.5
