"""Escape from the pit: exact enumeration, grid convergence, and independent methods."""

from itertools import product

import numpy as np
import pytest

from descent import markov
from descent.landscapes import FiniteSum, stationary_points, two_datapoint
from descent.markov import ToleranceError

MODEL = two_datapoint()
(THRESHOLD,) = stationary_points(lambda w: MODEL.gradients(w)[1], 1.1, 1.3)


def operator_for(step_size, nodes=4000):
    low, high = markov.reachable_interval(
        MODEL, step_size=step_size, start=1.0, threshold=THRESHOLD
    )
    # A little wider than the images of the sampled points, so that all nodes are covered.
    return markov.TransferOperator(
        MODEL, step_size=step_size, grid=np.linspace(low - 0.01 * (high - low), high, nodes)
    )


@pytest.mark.parametrize("step_size", [0.03, 0.05, 0.2])
def test_the_first_steps_are_exact(step_size):
    n_steps, escapes = 7, 0
    for draws in product((0, 1), repeat=n_steps):
        w = 1.0
        for j in draws:
            w -= step_size * MODEL.gradients(w)[j]
            if w > THRESHOLD:
                escapes += 1
                break
    probability = markov.escape_probability(
        MODEL, step_size=step_size, n_steps=n_steps, start=1.0, threshold=THRESHOLD
    )
    assert probability == escapes / 2**n_steps


@pytest.mark.parametrize("step_size", [0.005, 0.015, 0.05])
def test_the_curve_is_a_distribution_function(step_size):
    curve = markov.escape_curve(
        MODEL, step_size=step_size, n_steps=2000, start=1.0, threshold=THRESHOLD
    )
    assert curve.shape == (2001,)
    assert curve[0] == 0
    assert (np.diff(curve) >= 0).all()
    assert curve[-1] <= 1
    for n in (1, 20, 2000):
        # Grids are refined until the last value is good enough, which differs with n.
        probability, error = markov.escape_probability(
            MODEL, step_size=step_size, n_steps=n, start=1.0, threshold=THRESHOLD, return_error=True
        )
        assert error <= 1e-4 * probability
        assert abs(probability - curve[n]) <= error + 1e-4 * curve[-1]


@pytest.mark.parametrize("step_size", [0.01, 0.015, 0.02, 0.03])
def test_the_probabilities_converge_in_the_grid(step_size):
    curves = [
        markov.escape_curve(
            MODEL, step_size=step_size, n_steps=10_000, start=1.0, threshold=THRESHOLD, nodes=nodes
        )
        for nodes in (5_000, 20_000, 80_000)
    ]
    steps = [100, 1000, 10_000]
    coarse, medium, fine = (curve[steps] for curve in curves)
    np.testing.assert_allclose(coarse, fine, rtol=2e-4)
    np.testing.assert_allclose(medium, fine, rtol=5e-5)


@pytest.mark.slow
def test_the_geometric_tail_is_what_the_steps_give():
    n_steps = 3000
    operator = operator_for(0.015)
    survival = markov.laws(operator, start=1.0, steps=range(n_steps + 1)).sum(axis=1)
    curve = markov.escape_curve(
        MODEL, step_size=0.015, n_steps=n_steps, start=1.0, threshold=THRESHOLD
    )
    np.testing.assert_allclose(1 - survival[50:], curve[50:], rtol=1e-3)


def test_a_run_of_five_is_a_lower_bound_of_the_escape():
    # Runs of five heads in a hundred flips; the count of runs so far is the state.
    run = np.eye(6)[0]
    for _ in range(100):
        run = np.array([run[:5].sum() / 2, *run[:4] / 2, run[4] / 2 + run[5]])
    assert round(run[5], 2) == 0.81
    assert (
        markov.escape_probability(
            MODEL, step_size=0.05, n_steps=100, start=1.0, threshold=THRESHOLD
        )
        > 0.9999
    )


@pytest.mark.slow
@pytest.mark.parametrize("step_size", [0.02, 0.05])
def test_the_mean_time_is_the_sum_of_the_survival(step_size):
    survival = 1 - markov.escape_curve(
        MODEL, step_size=step_size, n_steps=10_000, start=1.0, threshold=THRESHOLD
    )
    assert survival[-1] < 1e-9
    log_time = markov.log_mean_first_passage_time(
        MODEL, step_size=step_size, start=1.0, threshold=THRESHOLD
    )
    assert log_time == pytest.approx(np.log(survival.sum()), abs=1e-3)


@pytest.mark.slow
@pytest.mark.parametrize("step_size", [0.001, 0.002, 0.005, 0.01])
def test_the_mean_time_is_the_inverse_of_the_quasi_stationary_rate(step_size):
    nodes = max(2000, int(40 * 0.2 / step_size))
    # The rates on two grids, extrapolated in the square of the spacing.
    coarse, fine = (
        np.log(markov.quasi_stationary(operator_for(step_size, n))[1]) for n in (nodes, 2 * nodes)
    )
    log_time = markov.log_mean_first_passage_time(
        MODEL, step_size=step_size, start=1.0, threshold=THRESHOLD
    )
    assert log_time == pytest.approx(-(fine + (fine - coarse) / 3), abs=2e-3)


@pytest.mark.slow
def test_mean_times_where_escape_is_quick_agree_with_sampling():
    for step_size in (0.1, 0.2):
        rng = np.random.default_rng(0)
        times = markov.first_passage_times(
            MODEL,
            step_size=step_size,
            n_steps=3000,
            start=1.0,
            threshold=THRESHOLD,
            n_particles=20_000,
            rng=rng,
        )
        assert times.max() <= 3000  # all have escaped
        mean, error = markov.mean_first_passage_time(
            MODEL, step_size=step_size, start=1.0, threshold=THRESHOLD, return_error=True
        )
        assert error <= 0.01 * mean  # the tolerance that is asked for where none is given
        assert abs(times.mean() - mean) < 4 * times.std() / np.sqrt(len(times)) + error


@pytest.mark.slow
def test_from_the_centre_large_steps_escape_at_once():
    # There both gradients are 2/e, and T·2/e exceeds the distance to the threshold.
    assert (
        markov.log_mean_first_passage_time(MODEL, step_size=0.5, start=1.0, threshold=THRESHOLD)
        == 0
    )
    assert (
        markov.escape_probability(MODEL, step_size=0.5, n_steps=1, start=1.0, threshold=THRESHOLD)
        == 1
    )
    # Off the centre a step into the flat far left costs very many steps to return, and the
    # stationary law of such a chain is too rough for a grid: no number is better than a wrong one.
    # Grids and neighbours agree on 15.3 to a tenth; 300 walkers in C need exp(13.31 ± 0.06) steps.
    with pytest.raises(ToleranceError, match=r"tolerance=0\.1 cannot be met at step_size=0\.5"):
        markov.log_mean_first_passage_time(
            MODEL, step_size=0.5, start=1.1, threshold=THRESHOLD, tolerance=0.1
        )


@pytest.mark.slow
def test_times_that_overflow_have_a_logarithm():
    # One sample of 21 moves up by one, the others down; at zero and below all move up.
    def gradients(w):
        w = np.asarray(w, float)
        return np.stack([-np.ones_like(w)] + [np.where(w > 0, 1.0, -1.0)] * 20)

    def curvatures(w):
        return np.zeros((21, *np.shape(w)))

    walk = FiniteSum(lambda w: w * gradients(w), gradients, curvatures)
    assert markov.log_mean_first_passage_time(walk, step_size=1.0, start=0.0, threshold=300.0) > 710
    with pytest.raises(OverflowError):
        markov.mean_first_passage_time(walk, step_size=1.0, start=0.0, threshold=300.0)


def log_time(step_size, depth):
    model = two_datapoint(depth)
    (threshold,) = stationary_points(lambda w: model.gradients(w)[1], 1.1, 1.3)
    return markov.log_mean_first_passage_time(
        model, step_size=step_size, start=1.0, threshold=threshold
    )


@pytest.mark.slow
@pytest.mark.parametrize(
    ("step_size", "faster"), [(0.005, False), (0.01, True), (0.02, True), (0.05, False)]
)
def test_the_deeper_pit_is_left_faster_in_between(step_size, faster):
    assert (log_time(step_size, 2.0) < log_time(step_size, 1.0)) == faster


def test_the_quasi_stationary_law_keeps_its_shape():
    operator = operator_for(0.02)
    law, rate = markov.quasi_stationary(operator)
    assert law.sum() == pytest.approx(1, abs=1e-13)
    assert (law >= 0).all()
    np.testing.assert_allclose(operator.step(law), (1 - rate) * law, atol=1e-10)
    # It is the limit of the law given survival, from the start of the source.
    (late,) = markov.laws(operator, start=1.0, steps=[800])
    np.testing.assert_allclose(late / late.sum(), law, atol=1e-9)
    (early,) = markov.laws(operator, start=1.0, steps=[3])
    assert np.abs(early / early.sum() - law).sum() > 0.1


def test_laws_need_rising_steps():
    operator = operator_for(0.02, 200)
    assert markov.laws(operator, start=1.0, steps=[0, 5]).shape == (2, 200)
    for steps in ([], [5, 5], [5, 1]):
        with pytest.raises(ValueError, match="rise"):
            markov.laws(operator, start=1.0, steps=steps)
    with pytest.raises(ValueError, match="steps"):
        markov.laws(operator, start=1.0, steps=[-1])


def test_a_law_that_does_not_settle_is_reported():
    with pytest.raises(RuntimeError, match="3 steps"):
        markov.quasi_stationary(operator_for(0.02, 200), max_steps=3)


@pytest.mark.slow
def test_a_threshold_that_is_never_reached():
    probability = markov.escape_probability(
        MODEL, step_size=0.05, n_steps=1000, start=1.5, threshold=3.0
    )
    assert probability == 0
    for time in (markov.log_mean_first_passage_time, markov.mean_first_passage_time):
        assert time(MODEL, step_size=0.05, start=1.5, threshold=3.0) == np.inf


def test_a_start_on_the_threshold_is_inside():
    # There one sample stays and the other leaves: a fair coin.
    assert (
        markov.escape_probability(
            MODEL, step_size=0.01, n_steps=1, start=THRESHOLD, threshold=THRESHOLD
        )
        == 0.5
    )
    assert (
        markov.mean_first_passage_time(MODEL, step_size=0.01, start=THRESHOLD, threshold=THRESHOLD)
        < 5
    )


FUNCTIONS = {
    "escape_probability": lambda t, w, b: markov.escape_probability(
        MODEL, step_size=t, n_steps=20, start=w, threshold=b
    ),
    "log_mean_first_passage_time": lambda t, w, b: markov.log_mean_first_passage_time(
        MODEL, step_size=t, start=w, threshold=b
    ),
    "reachable_interval": lambda t, w, b: markov.reachable_interval(
        MODEL, step_size=t, start=w, threshold=b
    ),
}
BAD = [
    ((0.0, 1.0, 1.2), ValueError, "step_size"),
    ((-0.1, 1.0, 1.2), ValueError, "step_size"),
    ((np.nan, 1.0, 1.2), ValueError, "step_size"),
    ((np.inf, 1.0, 1.2), ValueError, "step_size"),
    ((np.array([0.1]), 1.0, 1.2), TypeError, "step_size"),
    ((0.1, 1.3, (1.0, 1.2)), ValueError, "start"),
    ((0.1, 1.0, (1.2, 0.9)), ValueError, "threshold"),
    ((0.1, 1.0, (-np.inf, np.inf)), ValueError, "threshold"),
    ((0.1, 1.0, (0.9, 1.0, 1.2)), TypeError, "threshold"),
    ((0.1, np.nan, 1.2), ValueError, "start"),
    ((0.1, [1.0], 1.2), TypeError, "start"),
    ((0.1, 1.0, np.inf), ValueError, "threshold"),
    ((0.1, 1.0, "b"), TypeError, "threshold"),
]


@pytest.mark.parametrize("function", FUNCTIONS.values(), ids=FUNCTIONS)
@pytest.mark.parametrize(("arguments", "error", "word"), BAD)
def test_bad_arguments_are_named(function, arguments, error, word):
    with pytest.raises(error, match=word):
        function(*arguments)


@pytest.mark.parametrize(("bad", "error"), [(-1, ValueError), (1.5, TypeError), (True, TypeError)])
def test_bad_numbers_of_steps_are_named(bad, error):
    with pytest.raises(error, match="n_steps"):
        markov.escape_probability(MODEL, step_size=0.1, n_steps=bad, start=1.0, threshold=THRESHOLD)


def test_a_step_spans_nodes_enough_however_few_are_asked_for():
    setting = {"step_size": 0.01, "n_steps": 10_000, "start": 1.0, "threshold": THRESHOLD}
    few, many = (
        markov.escape_curve(MODEL, **setting, nodes=nodes)[[100, 1000, 10_000]]
        for nodes in (2, 80_000)
    )
    np.testing.assert_allclose(few, many, rtol=2e-3)  # 40 nodes a step; with 10 it is 1e-2
