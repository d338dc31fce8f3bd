"""The operator keeps its books; mean times against closed forms where a plain solve fails."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from descent.landscapes import FiniteSum, stationary_points, two_datapoint
from descent.large_deviations import tilt
from descent.markov.intervals import reachable_interval
from descent.markov.state_reduction import log_mean_absorption_time
from descent.markov.transfer_operator import TransferOperator, covering_operator

MODEL = two_datapoint()
(THRESHOLD,) = stationary_points(lambda w: MODEL.gradients(w)[1], 1.1, 1.3)
STEP_SIZES = st.floats(0.001, 0.3)


def operator_for(step_size, nodes=400, start=1.0):
    ends = reachable_interval(MODEL, step_size=step_size, start=start, threshold=THRESHOLD)
    return covering_operator(MODEL, step_size=step_size, ends=ends, nodes=nodes)


def reflected_walk(downs):
    """One sample moves up by one, ``downs`` move down; all move up from zero and below."""

    def gradients(w):
        w = np.asarray(w, float)
        return np.stack([-np.ones_like(w)] + [np.where(w > 0, 1.0, -1.0)] * downs)

    return FiniteSum(
        losses=lambda w: np.asarray(w) * gradients(w),
        gradients=gradients,
        curvatures=lambda w: np.zeros((downs + 1, *np.shape(w))),
    )


def log_exit_time(operator):
    start = np.zeros(len(operator.grid))
    start[0] = 1
    return log_mean_absorption_time(operator, start)


@given(step_size=STEP_SIZES, seed=st.integers(0, 1000))
def test_mass_is_kept_and_positive(step_size, seed):
    operator = operator_for(step_size)
    mass = np.random.default_rng(seed).dirichlet(np.ones(len(operator.grid)))
    after = operator.step(mass)
    assert (after >= 0).all()
    assert after.sum() + operator.escaping(mass) == pytest.approx(1, abs=1e-13)


@given(step_size=STEP_SIZES)
def test_the_mean_moves_by_the_mean_gradient_where_nothing_escapes(step_size):
    operator = operator_for(step_size)
    inside = operator.escape == 0
    means = operator.matrix @ operator.grid
    expected = operator.grid - step_size * MODEL.mean_gradient(operator.grid)
    np.testing.assert_allclose(means[inside], expected[inside], atol=1e-13)


def test_an_image_escapes_only_beyond_the_threshold():
    # Images 0.1 below the threshold's node share mass with it, and none of it leaks.
    model = FiniteSum(
        losses=lambda w: -np.asarray(w, float)[None],
        gradients=lambda w: -np.ones_like(w)[None],
        curvatures=lambda w: np.zeros((1, *np.shape(w))),
    )
    grid = np.arange(6.0)
    short = TransferOperator(model, step_size=0.9, grid=grid)
    np.testing.assert_array_equal(short.escape, [0, 0, 0, 0, 0, 1])
    np.testing.assert_allclose(short.step(np.eye(6)[4]), 0.9 * np.eye(6)[5] + 0.1 * np.eye(6)[4])
    # From node 4 an image exactly on the threshold stays, one just beyond it goes.
    assert TransferOperator(model, step_size=1.0, grid=grid).escape[4] == 0
    assert TransferOperator(model, step_size=1.0 + 1e-12, grid=grid).escape[4] == 1


@given(x=st.lists(st.floats(0, 1), min_size=1, max_size=5))
def test_deposits_keep_the_mass_and_the_mean(x):
    operator = TransferOperator(MODEL, step_size=1e-3, grid=np.linspace(0, 1.5, 13))
    weights = np.full(len(x), 1 / len(x))
    mass = operator.deposit(x, weights)
    assert mass.sum() == pytest.approx(1)
    assert mass @ operator.grid == pytest.approx(np.mean(x))


@pytest.mark.parametrize("size", [1, 5, 32, 33, 100])
def test_the_reflected_fair_walk_leaves_after_size_squared_steps(size):
    operator = TransferOperator(
        reflected_walk(1), step_size=1.0, grid=np.arange(float(max(size, 2)))
    )
    assert np.exp(log_exit_time(operator)) == pytest.approx(max(size, 2) ** 2, rel=1e-12)


@pytest.mark.parametrize("size", [10, 100, 3000])
def test_times_beyond_every_float_keep_their_accuracy(size):
    # d_k steps lead from k to k + 1: d_0 = 1, d_k = 3 + 2 d_{k-1} = 4·2^k - 3.
    operator = TransferOperator(reflected_walk(2), step_size=1.0, grid=np.arange(float(size)))
    smaller = np.log1p(-(4 + 3 * size) / 4 * 2.0**-size)
    exact = (size + 2) * np.log(2) + smaller
    assert log_exit_time(operator) == pytest.approx(exact, rel=1e-13)


def test_a_plain_solve_is_wrong_where_the_time_passes_the_inverse_of_the_rounding():
    operator = operator_for(0.002, 700)  # mean time about e^70
    size = len(operator.grid)
    times = np.linalg.solve(np.eye(size) - operator.matrix.toarray(), np.ones(size))
    start = operator.deposit([1.0], [1.0])
    # Compared as magnitudes: the plain solve may even be negative.
    assert abs(np.log(abs(start @ times)) - log_mean_absorption_time(operator, start)) > 1


@pytest.mark.parametrize("step_size", [0.01, 0.05, 0.15])
def test_state_reduction_agrees_with_a_plain_solve_at_short_times(step_size):
    operator = operator_for(step_size, 700)
    size = len(operator.grid)
    times = np.linalg.solve(np.eye(size) - operator.matrix.toarray(), np.ones(size))
    start = operator.deposit([1.0], [1.0])
    assert log_mean_absorption_time(operator, start) == pytest.approx(
        np.log(start @ times), abs=1e-9
    )


def test_moves_far_below_the_rounding_of_the_position_count():
    # One sample with the slope -1e-40: the walker needs 1/(1e-40) steps to travel 1.
    slow = FiniteSum(
        losses=lambda w: -1e-40 * np.asarray(w, float)[None],
        gradients=lambda w: np.full((1, *np.shape(w)), -1e-40),
        curvatures=lambda w: np.zeros((1, *np.shape(w))),
    )
    grid = np.linspace(0, 1, 11)
    operator = TransferOperator(slow, step_size=1.0, grid=grid)
    last_step = np.log(40) + np.log(10)
    assert last_step > 0
    # The last node lets everything go in one step; ten cells of width 0.1 lie before it.
    assert log_exit_time(operator) == pytest.approx(40 * np.log(10), rel=1e-12)


@given(step_size=STEP_SIZES, start=st.floats(0.5, 1.19))
def test_images_of_the_reachable_interval_stay_in_it(step_size, start):
    low, high = reachable_interval(MODEL, step_size=step_size, start=start, threshold=THRESHOLD)
    assert low <= start <= high == THRESHOLD
    w = np.linspace(low, high, 997)
    assert (w - step_size * MODEL.gradients(w)).min() > low - 1e-3 * (high - low)


def test_a_threshold_beyond_the_attractor_is_not_reached():
    low, high = reachable_interval(MODEL, step_size=0.05, start=1.5, threshold=3.0)
    assert low < 2 <= high < 2.01  # both samples have their minimum at 2


def test_an_interval_without_bound_is_reported():
    free = FiniteSum(  # a fair walk with no wall on the left
        losses=lambda w: np.stack([-np.asarray(w, float), np.asarray(w, float)]),
        gradients=lambda w: np.stack([-np.ones_like(w), np.ones_like(w)]),
        curvatures=lambda w: np.zeros((2, *np.shape(w))),
    )
    with pytest.raises(ValueError, match="without bound"):
        reachable_interval(free, step_size=1.0, start=-1.0, threshold=1.0)


def test_mass_that_would_leave_on_the_left_is_reported():
    with pytest.raises(ValueError, match="left"):
        TransferOperator(MODEL, step_size=0.05, grid=np.linspace(0.95, THRESHOLD, 100))


def test_a_walker_that_cannot_move_never_escapes():
    flat = FiniteSum(
        losses=lambda w: np.zeros((1, *np.shape(w))),
        gradients=lambda w: np.zeros((1, *np.shape(w))),
        curvatures=lambda w: np.zeros((1, *np.shape(w))),
    )
    assert log_exit_time(TransferOperator(flat, step_size=1.0, grid=np.arange(3.0))) == np.inf


def test_nodes_that_nobody_reaches_do_not_matter():
    # Left of 0 nothing moves; from 0 one goes right, two nodes a step.
    half = FiniteSum(
        losses=lambda w: np.where(w >= 0, -np.asarray(w, float), 0.0)[None],
        gradients=lambda w: np.where(np.asarray(w) >= 0, -1.0, 0.0)[None],
        curvatures=lambda w: np.zeros((1, *np.shape(w))),
    )
    operator = TransferOperator(half, step_size=2.0, grid=np.arange(-5.0, 10.0))
    start = np.eye(15)
    assert log_mean_absorption_time(operator, start[5]) == pytest.approx(np.log(5))
    assert log_mean_absorption_time(operator, (start[5] + start[0]) / 2) == np.inf


def test_a_slow_drift_takes_the_time_of_its_steps():
    # W' = W + T e^{-3W}: counted step by step, against a grid coarser than 100 steps.
    slow = FiniteSum(
        losses=lambda w: np.exp(-3 * np.asarray(w))[None] / 3,
        gradients=lambda w: -np.exp(-3 * np.asarray(w, float))[None],
        curvatures=lambda w: 3 * np.exp(-3 * np.asarray(w, float))[None],
    )
    w, steps = 0.0, 0
    while w <= 1:
        w, steps = w + 1e-4 * np.exp(-3 * w), steps + 1
    operator = TransferOperator(slow, step_size=1e-4, grid=np.linspace(0, 1, 101))
    assert np.exp(log_exit_time(operator)) == pytest.approx(steps, rel=1e-3)


@pytest.mark.parametrize("side", ["left", "both"])
def test_either_end_can_absorb(side):
    grid = np.linspace(1.05, 1.1, 400) if side == "both" else np.linspace(1.05, 2.2, 2000)
    start = 1.09
    operator = TransferOperator(MODEL, step_size=0.01, grid=grid, absorbing=side)
    mass = operator.deposit([start], [1.0])
    for _ in range(30):
        after, gone = operator.step(mass), operator.escaping(mass)
        assert after.sum() + gone == pytest.approx(mass.sum(), abs=1e-14)
        mass = after
    assert mass.sum() < 0.9


def test_mass_that_would_leave_on_the_right_is_reported():
    with pytest.raises(ValueError, match="right: the last node must be at least"):
        TransferOperator(MODEL, step_size=0.05, grid=np.linspace(1.1, 1.5, 100), absorbing="left")


@pytest.mark.parametrize("grid", [[1.0], [1.0, 1.0], [2.0, 1.0], [[1.0, 2.0]], [0.0, np.nan]])
def test_bad_grids_are_named(grid):
    with pytest.raises(ValueError, match="grid"):
        TransferOperator(MODEL, step_size=0.01, grid=grid)


@pytest.mark.parametrize(
    ("points", "weights", "word"),
    [([5.0], [1.0], "points must lie"), ([1.0], [0.5, 0.5], "shape"), (1.0, 1.0, "shape")],
)
def test_bad_deposits_are_named(points, weights, word):
    with pytest.raises(ValueError, match=word):
        operator_for(0.02).deposit(points, weights)


def jumping(landings):
    """Samples that move node i of 0, 1, … to their own node ``landings[j, i]``, always."""

    def gradients(w):
        w = np.asarray(w, float)
        node = np.clip(np.rint(w).astype(int), 0, landings.shape[1] - 1)
        return w - landings[:, node]

    return FiniteSum(
        losses=lambda w: np.zeros((len(landings), *np.shape(w))),
        gradients=gradients,
        curvatures=lambda w: np.zeros((len(landings), *np.shape(w))),
    )


def times_by_a_dense_solve(landings):
    """Mean steps beyond the last node from each node: infinite from where one may be caught."""
    n = landings.shape[1]
    moves = np.zeros((n, n + 1))
    for row in landings:
        moves[np.arange(n), np.minimum(row, n)] += 1 / len(landings)
    paths = (
        np.linalg.matrix_power(np.eye(n + 1) + np.vstack([moves > 0, np.eye(n + 1)[n]]), n)
    ) > 0
    leads_out = paths[:n, n]
    sure = ~(paths[:n, :n] & ~leads_out).any(axis=1)
    inside = moves[:, :n][np.ix_(sure, sure)]
    times = np.full(n, np.inf)
    times[sure] = np.linalg.solve(np.eye(sure.sum()) - inside, np.ones(sure.sum()))
    return times


@pytest.mark.parametrize("seed", range(12))
def test_times_to_what_cannot_be_reached_are_infinite_as_a_dense_solve_says(seed):
    rng = np.random.default_rng(seed)
    n = int(rng.integers(4, 40))
    landings = np.arange(n) + rng.integers(-3, 4, (2, n))
    landings[:, rng.random(n) < 0.15] = rng.integers(0, n)  # some lead to one node, as a trap may
    landings = np.maximum(landings, 0)
    still = rng.random(n) < (0.2 if seed % 2 else 0.0)
    landings[:, still] = np.arange(n)[still]
    expected = times_by_a_dense_solve(landings)
    assert np.isinf(expected).any() or seed % 2 == 0
    operator = TransferOperator(jumping(landings), step_size=1.0, grid=np.arange(float(n)))
    found = [log_mean_absorption_time(operator, start) for start in np.eye(n)]
    np.testing.assert_allclose(found, np.log(expected), rtol=1e-9, atol=1e-9)


def test_fitted_sharing_keeps_the_mass_and_the_mean_of_the_law_that_escapes():
    """Σ_k Q_ik e^(φ_k/T) = Σ_j q_j e^(φ(image)/T), cell by cell with φ straight in each."""
    model, step_size = two_datapoint(), 0.002
    grid = np.linspace(1.009, 1.19, 801)
    plain, fitted = (
        TransferOperator(model, step_size=step_size, grid=grid, absorbing="both", fitted=fitted)
        for fitted in (False, True)
    )
    assert (fitted.matrix.data >= 0).all()
    for operator in (plain, fitted):
        np.testing.assert_allclose(operator.matrix.sum(axis=1) + operator.escape, 1, rtol=1e-13)
    inside = fitted.escape == 0
    slope = tilt(model, grid) / step_size
    height = np.concatenate([[0.0], np.cumsum(np.diff(grid) * (slope[1:] + slope[:-1]) / 2)])
    images = grid - step_size * model.gradients(grid)
    bent = np.diff(height)
    cell = np.clip(np.searchsorted(grid, images, "right") - 1, 0, len(grid) - 2)
    part = (images - grid[cell]) / np.diff(grid)[cell]
    # In a cell of rise k the mean is kept of e^(k x), which rises from 1 to e^k.
    expected = model.average(np.exp(height[cell] - height + bent[cell] * part))
    kept, lost = (
        np.abs(
            (operator.matrix.multiply(np.exp(height[None, :] - height[:, None]))).sum(axis=1)
            - expected
        )[inside].max()
        for operator in (fitted, plain)
    )
    assert kept < 1e-12 < 1e-4 < lost


def test_fitted_sharing_takes_the_spacing_out_of_the_exponent():
    """V/T = 134: on 503 nodes the log of the time was off by 0.8."""
    model, step_size = two_datapoint(), 0.001
    ends = reachable_interval(model, step_size=step_size, start=1.0, threshold=1.1959565137)

    def log_time(nodes, fitted):
        operator = covering_operator(
            model, step_size=step_size, ends=ends, nodes=nodes, fitted=fitted
        )
        return log_mean_absorption_time(operator, operator.deposit([1.0], [1.0]))

    exact = log_time(8000, True)
    assert abs(log_time(503, True) - exact) < 0.06
    assert abs(log_time(503, False) - exact) > 0.6
