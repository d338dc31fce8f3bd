"""Dealt samples: against enumeration, closed forms and sampled walkers."""

from itertools import permutations

import numpy as np
import pytest

from descent import large_deviations, markov
from descent.landscapes import FiniteSum, stationary_points, two_datapoint
from descent.markov.epochs import MOST_HANDS, deck, furthest

WELLS, BARRIER = two_datapoint(), 1.1959565136502515
PIT = dict(start=1.0, threshold=BARRIER)


def bowls(*centres, slope=1.0):
    """Return samples of the same curvature: an epoch is affine, with a sum over its order."""
    c = np.array(centres, float)

    def away(w):
        return slope * (np.asarray(w, float) - c.reshape(-1, *[1] * np.ndim(w)))

    return FiniteSum(
        losses=lambda w: away(w) ** 2 / (2 * slope),
        gradients=away,
        curvatures=lambda w: np.full_like(away(w), slope),
    )


def by_enumeration(model, step_size, start, threshold, cards, n_epochs):
    """Return the escape curve from all orders of all epochs, one by one."""
    orders = list(permutations(cards))
    walkers = {start: 1.0}
    curve = [0.0]
    for _ in range(n_epochs):
        escaped, after = np.zeros(len(cards)), {}
        for w, mass in walkers.items():
            for order in orders:
                x, share = w, mass / len(orders)
                for k, j in enumerate(order):
                    x = x - step_size * float(model.gradients(x)[j])
                    if x > threshold:
                        escaped[k] += share
                        break
                else:
                    after[x] = after.get(x, 0.0) + share
        curve.extend(curve[-1] + np.cumsum(escaped))
        walkers = after
    return np.array(curve)


@pytest.mark.parametrize(("copies", "n_epochs"), [(1, 5), (2, 2)])
def test_the_curve_is_that_of_all_orders(copies, n_epochs):
    cards = (0, 1) * copies
    by_hand = by_enumeration(WELLS, 0.06, 1.0, BARRIER, cards, n_epochs)
    curve = markov.reshuffled_escape_curve(
        WELLS, step_size=0.06, n_steps=len(by_hand) - 1, copies=copies, **PIT
    )
    np.testing.assert_allclose(curve, by_hand, atol=1e-14)
    assert 0.1 < curve[-1] < 1


def test_an_epoch_may_be_cut():
    whole = markov.reshuffled_escape_curve(WELLS, step_size=0.05, n_steps=8, copies=2, **PIT)
    cut = markov.reshuffled_escape_curve(WELLS, step_size=0.05, n_steps=6, copies=2, **PIT)
    np.testing.assert_allclose(cut, whole[:7], atol=1e-14)


@pytest.mark.parametrize(("T", "copies"), [(0.022, 1), (0.02, 2), (0.02, 4)])
def test_sampled_walkers_agree_with_the_operator(T, copies):
    curve, error = markov.reshuffled_escape_curve(
        WELLS, step_size=T, n_steps=400, copies=copies, return_error=True, **PIT
    )
    times = markov.reshuffled_passage_times(
        WELLS, step_size=T, n_steps=400, copies=copies, n_particles=3000,
        rng=np.random.default_rng(1), **PIT,
    )  # fmt: skip
    assert error < 1e-3
    for n in (100, 400):
        share = (times <= n).mean()
        assert abs(share - curve[n]) < 3.5 * np.sqrt(curve[n] * (1 - curve[n]) / len(times))


def test_the_mean_time_is_the_sum_of_the_survival():
    curve = markov.reshuffled_escape_curve(WELLS, step_size=0.025, n_steps=2000, **PIT)
    log_time = markov.log_mean_reshuffled_time(WELLS, step_size=0.025, **PIT)
    assert np.log((1 - curve).sum()) == pytest.approx(log_time, abs=0.01)


def test_independent_draws_leave_where_dealt_ones_never_do():
    T = 0.02
    free = markov.escape_probability(WELLS, step_size=T, n_steps=1000, **PIT)
    assert free > 0.999
    dealt = markov.reshuffled_escape_curve(WELLS, step_size=T, n_steps=1000, **PIT)
    assert dealt[-1] == 0.0
    assert markov.log_mean_reshuffled_time(WELLS, step_size=T, **PIT) == np.inf
    # The control: the pit is not a wall. A longer epoch of the same data leaves it.
    assert (
        markov.reshuffled_escape_curve(WELLS, step_size=T, n_steps=1000, copies=2, **PIT)[-1] > 0.2
    )


def test_the_price_of_an_epoch_is_what_the_operator_tends_to():
    """Two methods: the boundary value problem, and slopes of log τ at nT = 0.3."""
    minimum, saddle = stationary_points(WELLS.mean_gradient, 0.9, 1.3)
    price = markov.reshuffled_quasi_potential(WELLS, minimum, saddle, BARRIER, epoch=0.3)
    logs, inverse = [], []
    for copies in (24, 30):
        T = 0.3 / (2 * copies)
        logs.append(markov.log_mean_reshuffled_time(WELLS, step_size=T, copies=copies, **PIT))
        inverse.append(1 / T)
    slope = (logs[1] - logs[0]) / (inverse[1] - inverse[0])
    # At a finite step the slope of V/T + ln(C/T) is V + T; the rest is of the next order.
    assert price == pytest.approx(slope - 2 / sum(inverse), rel=0.03)
    free = large_deviations.quasi_potential(WELLS, minimum, saddle)
    assert 1.5 * free < price < 2 * 0.3 * np.log(2)  # two orders fixed in advance cost that


def test_bowls_are_held_exactly_where_their_worst_order_ends():
    """The furthest place of an affine epoch is a geometric sum, whose fixed point is known."""
    T, copies = 0.1, 3
    r, n = 1 - T, 6
    # All pulls to the left first, then all to the right, is the furthest order.
    end = T * (sum(r**i for i in range(3)) - sum(r**i for i in range(3, 6))) / (1 - r**n)
    top = end * r**3 + T * sum(r**i for i in range(3))  # the right cards dealt first
    for threshold, held in ((top + 0.01, True), (top - 0.01, False)):
        reach = markov.reshuffled_reach(
            bowls(1.0, -1.0), step_size=T, start=0.0, threshold=threshold, copies=copies
        )
        assert (reach < threshold) == held
        if held:
            assert reach == pytest.approx(top, abs=2e-3)
    # With independent draws nothing but the furthest centre holds.
    span = markov.reachable_interval(bowls(1.0, -1.0), step_size=T, start=0.0, threshold=top - 0.01)
    assert span[1] == top - 0.01


def test_the_epoch_varies_with_the_fourth_power_of_the_step():
    """The variance is T⁴ (g0 g1' - g1 g0')² / 4 for two samples, not 2 T² S²."""
    w = 1.1
    (g0, g1), (c0, c1) = WELLS.gradients(w), WELLS.curvatures(w)
    for T, tolerance in ((1e-4, 0.02), (1e-5, 0.002)):
        ends = []
        for order in ((0, 1), (1, 0)):
            x = w
            for j in order:
                x = x - T * float(WELLS.gradients(x)[j])
            ends.append(x)
        assert np.var(ends) == pytest.approx(T**4 * (g0 * c1 - g1 * c0) ** 2 / 4, rel=tolerance)


def test_one_sample_is_plain_descent():
    times = markov.reshuffled_escape_curve(
        bowls(1.0), step_size=0.5, n_steps=4, start=0.0, threshold=0.8
    )
    np.testing.assert_array_equal(times, [0, 0, 0, 1, 1])


def test_the_cells_do_not_call_a_walker_held_that_an_order_frees():
    """Walk through the orders that lead furthest; where one passes, the cells must say so."""
    for copies, T in ((1, 0.0222), (2, 0.0197), (4, 0.0159), (8, 0.0117)):
        cards = deck(WELLS, copies)
        w = 1.0
        passed = False
        rng = np.random.default_rng(0)
        for _ in range(40):
            best = {cards.full: w}
            for hand in cards.hands:
                for j, _, rest in cards.played(hand):
                    x = best[hand] - T * float(WELLS.gradients(best[hand])[j])
                    passed |= x > BARRIER
                    best[rest] = max(x, best.get(rest, -np.inf))
            w = best[cards.hands[-1]] - 1e-4 * rng.random()
        if passed:
            assert furthest(WELLS, cards, T, 1.0, (-np.inf, BARRIER)) is None


def test_what_cannot_be_dealt_is_refused():
    uneven = FiniteSum(WELLS.losses, WELLS.gradients, WELLS.curvatures, weights=[1.0, 2.0])
    with pytest.raises(ValueError, match="equal weights"):
        markov.reshuffled_reach(uneven, step_size=0.02, **PIT)
    with pytest.raises(ValueError, match=f"at most {MOST_HANDS}"):
        markov.reshuffled_reach(WELLS, step_size=0.02, copies=200, **PIT)
