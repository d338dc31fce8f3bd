"""What contradicts itself is refused by its name, and its neighbour that does not is not."""

import numpy as np
import pytest

from descent.dynamics import Flow, Map
from descent.lyapunov.protocol import Measured, _good, _overlap
from descent.lyapunov.scout import Scout
from descent.lyapunov.verdict import check_settled, rates_of

FLOW = Flow(("x", "y"), lambda s, t: s)
MAP = Map(("x", "y"), lambda s, t: s)
SCOUT = Scout(1.0, np.ones(2), False, np.ones((2, 1)), np.zeros(1), False, 1.6, 100.0)
BLOCKS, N = 100, 16


def measured(rates, *, drift=0.0, apart=0.0, overlap=1.0, noise=0.3, scout=SCOUT):
    """Return growth around rates, other in the second half, or of two populations."""
    rng = np.random.default_rng(0)
    growth = np.array(rates)[:, None] + noise * rng.standard_normal((BLOCKS, len(rates), N))
    growth[BLOCKS // 2 :] += drift
    growth[:, 0, ::2] += apart
    return Measured(growth, 1.0, 30.0, scout, np.ones((2, N)), overlap)


def judge(what, system=FLOW, whole=True):
    check_settled(system, what, rates_of(what, False), whole)


def test_a_settled_flow_passes():
    judge(measured([0.5, 0.0]))
    judge(measured([0.5, 0.0], overlap=4.0))


def test_chaos_that_is_transient():
    with pytest.raises(ArithmeticError, match=r"has not settled.*transient=.*duration="):
        judge(measured([0.5, 0.0], drift=0.5))


def test_trajectories_that_have_parted():
    with pytest.raises(ArithmeticError, match=r"have parted.*initial= as a list"):
        judge(measured([0.5, 0.0], apart=0.4))


def test_a_flow_has_an_exponent_zero():
    odd = measured([0.5, -0.4])
    with pytest.raises(ArithmeticError, match=r"no exponent is zero.*nearest is -0\.4"):
        judge(odd)
    judge(odd, MAP)  # a map need not have one,
    judge(odd, whole=False)  # nor a driven part,
    judge(measured([0.5, -0.4], scout=SCOUT._replace(at_rest=True)))  # nor a fixed point,
    judge(measured([0.5, -0.4], scout=SCOUT._replace(autonomous=False)))  # nor a driven flow


def test_starts_that_overlap_widen_the_errors():
    one, four = (rates_of(measured([0.5, 0.0], overlap=o), False).errors for o in (1.0, 4.0))
    np.testing.assert_allclose(four, 2 * one, rtol=1e-12)


def test_a_stated_duration_counts_the_change_of_its_halves():
    growth = np.repeat([[[30.0]], [[70.0]]], 4, axis=2)  # of two blocks there is no wandering
    what = measured([0.5])._replace(growth=growth, block=100.0)
    free, fixed = (rates_of(what, stated).errors[0] for stated in (False, True))
    assert fixed == pytest.approx(0.4 / 4)  # a quarter of the change
    assert free < fixed / 2


def test_few_nats_are_not_known_well():
    """Growth like log t, of regular motion, passes for an exponent of a few nats a time."""
    little = rates_of(measured([0.05, 0.0], noise=1e-6), False)
    assert (little.errors >= 2.0 / BLOCKS).all()
    assert (rates_of(measured([0.5, 0.0], noise=1e-6), False).errors < 0.1 / BLOCKS).all()


def test_errors_know_the_steps_of_a_flow():
    exact = rates_of(measured([0.5, 0.0], noise=0.0), False)
    np.testing.assert_allclose(exact.errors, 0.5e-5, rtol=1e-9)


def test_how_often_the_same_way_is_counted():
    growth = np.full((BLOCKS, 1, N), 0.5)
    # Parted from the scout's way after log(1e4)/0.5 = 18.4 units of time: 100 - 18.4 + 30 left.
    assert _overlap(growth, 1.0, 30, SCOUT, True) == 1.0
    common = np.log(1e4) / 0.5
    different = N * SCOUT.spacing + common + N * (BLOCKS - common)
    assert _overlap(growth, 1.0, 0, SCOUT, True) == pytest.approx(N * BLOCKS / different)
    # Never parted: all of the time is common.
    whole = N * SCOUT.spacing + BLOCKS
    assert _overlap(growth, 1.0, 0, SCOUT, False) == pytest.approx(N * BLOCKS / whole)
    assert _overlap(-growth, 1.0, 0, SCOUT, True) == 1.0


def test_when_it_is_good_enough():
    assert _good(measured([0.5, 0.0]).growth, 1.0)
    assert not _good(measured([0.5, 0.0], drift=0.5).growth, 1.0)
    assert not _good(measured([0.5, 0.0], noise=2.0).growth, 1.0)  # too noisy
    assert not _good(measured([0.05, 0.0], noise=1e-3).growth, 1.0)  # too few nats
