"""MGDA and UPGrad solve their quadratic programs: by their conditions, and by enumeration."""

import itertools

import numpy as np
import pytest
from gradient_sets import KINDS, gradients, sets_of_gradients
from hypothesis import given
from hypothesis import strategies as st

from descent.aggregation import least_squares, mgda, upgrad
from descent.aggregation.least_squares import active_set, excess, nonnegative
from descent.aggregation.lengths import directions


def step(rule, jacobian):
    return rule(np.zeros(len(jacobian)), jacobian)


def subsets(m):
    return itertools.chain.from_iterable(
        itertools.combinations(range(m), k) for k in range(1, m + 1)
    )


def nearest_of_the_hull(jacobian):
    """Return the shortest of the nearest points of the simplices' planes that lie inside."""
    best = None
    for chosen in map(list, subsets(len(jacobian))):
        first, rest = jacobian[chosen[0]], jacobian[chosen[1:]]
        shares = np.linalg.lstsq((rest - first).T, -first, rcond=None)[0]
        weights = np.append(1 - shares.sum(), shares)
        if (weights >= -1e-9).all():
            point = weights @ jacobian[chosen]
            if best is None or point @ point < best @ best:
                best = point
    return best


def projected(jacobian):
    """Return the mean of the projections on the dual cone, each the nearest that is allowed."""
    found = []
    for row in jacobian:
        best = row if (jacobian @ row >= -1e-12).all() else np.zeros_like(row)
        for chosen in map(list, subsets(len(jacobian))):
            basis = jacobian[chosen]
            point = row - basis.T @ np.linalg.lstsq(basis.T, row, rcond=None)[0]
            if (jacobian @ point >= -1e-9).all() and (point - row) @ (point - row) < (
                best - row
            ) @ (best - row) - 1e-12:
                best = point
        found.append(best)
    return np.mean(found, axis=0)


SMALL = ("full", "low rank", "strongly stationary", "weakly stationary", "small integers")


@pytest.mark.slow
@pytest.mark.parametrize("kind", SMALL)
@pytest.mark.parametrize(
    ("m", "d"), [(1, 2), (2, 1), (2, 3), (3, 1), (3, 2), (4, 2), (4, 5), (5, 3)]
)
@given(seed=st.integers(0, 2**32 - 1))
def test_enumeration_of_all_active_sets_agrees(kind, m, d, seed):
    jacobian = gradients(kind, m, d, np.random.default_rng(seed))
    long = np.linalg.norm(jacobian, axis=1).max() or 1.0
    for rule, brute in ((mgda, nearest_of_the_hull), (upgrad, projected)):
        error = np.abs(step(rule, jacobian).gradient - brute(jacobian)).max()
        assert error <= 1e-10 * long, rule


@given(sets_of_gradients(most=20))
def test_the_conditions_of_mgda_hold_to_rounding(problem):
    """w in the simplex, ∇l_i·g >= |g|², and equality where w_i > 0."""
    jacobian = problem[1]
    weights, (units, lengths) = step(mgda, jacobian).weights, directions(jacobian)
    assert weights.sum() == pytest.approx(1, abs=1e-14)
    assert (weights >= 0).all()
    if (lengths == 0).any():
        np.testing.assert_array_equal(weights[lengths > 0], 0)
        return
    shortest = lengths.min()
    g = (weights * (lengths / shortest)) @ units  # in units of the shortest gradient
    slack = units @ g - (g @ g) * (shortest / lengths)
    assert (slack >= -1e-13 * len(weights)).all()
    assert (weights * lengths / shortest * slack <= 1e-13 * len(weights)).all()


@given(sets_of_gradients(most=20))
def test_upgrad_raises_no_loss_and_is_no_shorter_than_it_must(problem):
    """Each projection is feasible, so the mean is; and p·p = p·∇l_i makes g·ḡ >= |g|²."""
    jacobian = problem[1]
    result, (units, lengths) = step(upgrad, jacobian), directions(jacobian)
    longest = lengths.max() or 1.0
    g = (result.weights * (lengths / longest)) @ units
    rounding = 1e-14 * len(units) * (result.weights @ lengths) / longest
    assert (units @ g >= -rounding).all()
    assert (result.weights >= 1 / len(units)).all()


def test_some_gradients_in_balance_leave_the_projections_of_the_others():
    """Σ w_j g_j = 0 of ten of twenty holds to rounding only, and weights of 1e13 would use that."""
    for seed in range(40):
        rng = np.random.default_rng(seed)
        jacobian = rng.standard_normal((20, 100))
        balance = np.abs(rng.standard_normal(10))
        jacobian[:10] -= balance @ jacobian[:10] / balance.sum()
        units, lengths = directions(jacobian)
        rises = units @ step(upgrad, jacobian).gradient / lengths.max()
        assert rises.min() > -1e-12, seed
        # So far that minus the step is level for the ten.
        assert np.abs(rises[:10]).max() < 1e-12, seed


@pytest.mark.parametrize("rule", [mgda, upgrad])
def test_no_common_descent_is_found_out(rule):
    """10 g1 + 10 g2 + g3 = 0."""
    jacobian = np.array([[1.0, 0.0], [-1.0, 0.1], [0.0, -1.0]])
    assert np.abs(step(rule, jacobian).gradient).max() < 1e-14


def test_eight_gradients_in_the_plane_and_scaled_ones_never_conflict():
    rng = np.random.default_rng(0)
    for m, d, spread in ((8, 2, 0), (4, 30, 1), (4, 30, 2), (10, 5, 0), (16, 2, 0)):
        for _ in range(100):
            jacobian = rng.standard_normal((m, d)) * np.exp(spread * rng.standard_normal((m, 1)))
            for rule in (mgda, upgrad):
                g = step(rule, jacobian).gradient
                assert (jacobian @ g).min() >= -1e-12 * (jacobian**2).sum(axis=1).max()


def test_three_losses_of_one_network_that_are_scaled_by_a_hundred():
    """The longest gradient gets nothing, not a ten-thousandth."""
    rng = np.random.default_rng(3)
    jacobian = rng.standard_normal((3, 40)) * np.array([[1.0], [5.0], [100.0]])
    weights = step(mgda, jacobian).weights
    g = weights @ jacobian
    assert (jacobian @ g >= (g @ g) * (1 - 1e-12)).all()


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("rule", [mgda, upgrad])
def test_long_gradients_are_shortened_without_loss(kind, rule):
    """Beyond four entries a row the factor R stands for the gradients."""
    jacobian = gradients(kind, 5, 4, np.random.default_rng(2))
    turned = np.linalg.qr(np.random.default_rng(0).standard_normal((200, 4)))[0]
    short, long = step(rule, jacobian), step(rule, jacobian @ turned.T)
    np.testing.assert_allclose(
        long.gradient @ turned,
        short.gradient,
        atol=1e-12 * np.abs(short.weights[:, None] * jacobian).max(),
    )


def test_the_shortest_gradient_sets_the_accuracy():
    """g = (0, 1e-30) to all digits, beside a gradient of length 1."""
    step_ = step(mgda, np.array([[1.0, 0.0], [0.0, 1e-30], [0.5, 1.0]]))
    np.testing.assert_allclose(step_.gradient, [0, 1e-30], rtol=1e-12, atol=1e-45)


def test_reference_values_of_torchjd():
    jacobian = np.array([[-4.0, 1.0, 1.0], [6.0, 1.0, 1.0]])
    np.testing.assert_allclose(step(mgda, jacobian).weights, [0.6, 0.4], rtol=1e-14)
    # TorchJD says 1.1109 and 0.7894, with its regularization
    np.testing.assert_allclose(step(upgrad, jacobian).weights, [10 / 9, 15 / 19], rtol=1e-14)


def test_a_solution_of_scipy_that_is_none_is_replaced():
    """Of the two columns one is orthogonal to the target and one points away: x = 0."""
    columns = np.array([[-1.0, -1.0, -1.0], [1.0, 1.0, 2.0]]).T / np.sqrt([3, 6])
    target = np.array([1.0, -1.0, 0.0]) / np.sqrt(2)
    np.testing.assert_allclose(nonnegative(columns[None], target[None]), 0, atol=1e-15)
    for wrong in ([0.0, 0.305], [0.1, 0.0]):
        assert excess(columns, target, np.array(wrong)) > 1e9
    jacobian = np.array([[-1, 1, 0], [-2, -1, -2], [-2, -2, -2], [-2, 1, 2], [1, 1, 2.0]])
    np.testing.assert_allclose(step(upgrad, jacobian).gradient, projected(jacobian), atol=1e-14)


def test_a_wrong_point_is_noticed_whatever_scipy_returns(monkeypatch):
    monkeypatch.setattr(least_squares, "nnls", lambda columns, target, maxiter: (target + 0.5, 0.0))
    found = nonnegative(np.eye(2)[None], np.array([[3.0, -1.0]]))
    np.testing.assert_allclose(found, [[3.0, 0.0]], atol=1e-15)


@given(sets_of_gradients(most=12), st.integers(0, 11))
def test_two_programs_of_the_active_set_agree(problem, i):
    units = directions(problem[1]).units
    target = -units[i % len(units)]
    points = [nonnegative(units.T[None], target[None])[0], active_set(units.T, target)]
    assert all(excess(units.T, target, x) <= 1 for x in points)
    np.testing.assert_allclose(
        units.T @ points[0], units.T @ points[1], atol=1e-13 * (1 + points[0].sum())
    )
