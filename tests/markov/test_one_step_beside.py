"""Escapes from other starts, to other sides, in other units: right, or a named error."""

import re
from itertools import islice

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.integrate import quad

from descent import large_deviations, markov
from descent.landscapes import FiniteSum, qubic_1d, stationary_points, two_datapoint
from descent.markov.cloud import follow, gather, thin
from descent.markov.state_reduction import log_mean_absorption_time
from descent.markov.transfer_operator import covering_operator

MODEL = two_datapoint()
(THRESHOLD,) = stationary_points(lambda w: MODEL.gradients(w)[1], 1.1, 1.3)


def scaled(model, a):
    """The same objective in the unit w / a: W → aW, and with it T → a²T."""
    return FiniteSum(
        losses=lambda w: model.losses(np.asarray(w) / a),
        gradients=lambda w: model.gradients(np.asarray(w) / a) / a,
        curvatures=lambda w: model.curvatures(np.asarray(w) / a) / a**2,
        weights=model.weights,
    )


def mirrored(model):
    return FiniteSum(
        losses=lambda w: model.losses(-np.asarray(w)),
        gradients=lambda w: -model.gradients(-np.asarray(w)),
        curvatures=lambda w: model.curvatures(-np.asarray(w)),
        weights=model.weights,
    )


def chosen(model, rows, weights=None):
    """Some of the samples, in another order or several times."""
    return FiniteSum(
        losses=lambda w: model.losses(w)[rows],
        gradients=lambda w: model.gradients(w)[rows],
        curvatures=lambda w: model.curvatures(w)[rows],
        weights=weights,
    )


def walk(*slopes, weights=None):
    column = np.array(slopes, float)
    return FiniteSum(
        losses=lambda w: np.multiply.outer(column, w),
        gradients=lambda w: np.multiply.outer(column, np.ones_like(w)),
        curvatures=lambda w: np.zeros((len(column), *np.shape(w))),
        weights=weights,
    )


# Values from samples of other programs


# Of C programs, with 1e6 to 3e7 walkers; at 0.75 the two other methods of the library agree.
HARD = [
    (0.05, 89, 0.2, THRESHOLD, 0.998297, 4.2e-5),
    (0.21, 200, 0.1, 1.99, 0.961927, 1.9e-4),
    (0.08, 40, 0.6, 1.99, 0.777585, 7.6e-5),
    (0.01, 40, 0.75, THRESHOLD, 8.4675e-7, 2e-10),
]


@pytest.mark.slow
@pytest.mark.parametrize(("step_size", "n_steps", "start", "threshold", "sampled", "error"), HARD)
def test_laws_of_few_points_are_followed_until_they_are_known(
    step_size, n_steps, start, threshold, sampled, error
):
    probability, stated = markov.escape_probability(
        MODEL,
        step_size=step_size,
        n_steps=n_steps,
        start=start,
        threshold=threshold,
        return_error=True,
    )
    assert stated <= 1e-4 * probability
    assert abs(probability - sampled) < 4 * error + stated


def test_from_the_flat_the_probability_is_the_sampled_one():
    # 0.5597(6) of 4e5 walkers; a grid as coarse as the flat's steps gave 0.5666.
    probability, error = markov.escape_probability(
        MODEL, step_size=0.05, n_steps=89, start=0.0, threshold=THRESHOLD, return_error=True
    )
    assert probability == pytest.approx(0.5597, abs=0.0018)
    assert error < 1e-4


@pytest.mark.slow
@pytest.mark.parametrize(
    ("start", "threshold", "sampled"), [(0.0, THRESHOLD, 91.61), (1.0, 1.99, 56.35)]
)
def test_mean_times_from_other_starts_are_the_sampled_ones(start, threshold, sampled):
    time, error = markov.mean_first_passage_time(
        MODEL, step_size=0.05, start=start, threshold=threshold, return_error=True
    )
    assert time == pytest.approx(sampled, abs=error + 0.04)
    assert error < 0.01 * time


# Step sizes from 1e-6 to 1e7


@pytest.mark.slow
@pytest.mark.parametrize(
    ("step_size", "n_steps", "start", "right"),
    [
        (1e7, 100, 1.0, 1.0),
        (1e7, 100, 1.05, 0.5),  # the other half is thrown to where no gradient is left
        (1e3, 100_000, 1.05, 0.5),
        (1e-6, 100, 1.0, 0.0),
        (1e-6, 1_000_000, 1.0, 0.0),  # about e^-132000
        (1e-4, 10_000, 1.0, 0.0),
    ],
)
def test_extreme_step_sizes_are_answered(step_size, n_steps, start, right):
    probability = markov.escape_probability(
        MODEL, step_size=step_size, n_steps=n_steps, start=start, threshold=THRESHOLD
    )
    assert probability == right


def test_a_time_is_infinite_where_some_never_come():
    log_time = markov.log_mean_first_passage_time(
        MODEL, step_size=1e7, start=1.05, threshold=THRESHOLD
    )
    assert log_time == np.inf


@pytest.mark.slow
@pytest.mark.parametrize(("step_size", "before"), [(1e-4, 5e-3), (3e-5, 1e-3)])
def test_those_who_come_back_decide_the_mean_from_beyond_the_saddle(step_size, before):
    """Few fall back into the well, and stay for e^(V/T): T ln tau is V less the price of it."""
    start = THRESHOLD - before
    (pit, saddle) = stationary_points(MODEL.mean_gradient, 1.0, 1.2)
    price, _ = quad(lambda w: abs(float(large_deviations.tilt(MODEL, w))), saddle, start)
    right = (large_deviations.quasi_potential(MODEL, pit, saddle) - price) / step_size
    log_time, error = markov.log_mean_first_passage_time(
        MODEL, step_size=step_size, start=start, threshold=THRESHOLD, return_error=True
    )
    assert error < 1e-2
    assert log_time == pytest.approx(right, abs=10)  # the prefactor is a power of T


def test_a_time_is_a_step_at_least_from_every_node():
    """From the well to the last node the mean time falls by more than floats span."""
    operator = covering_operator(
        MODEL, step_size=3e-5, ends=(0.999, THRESHOLD), nodes=20_000, fitted=True
    )
    for node in (0, 19_000, 19_990):
        mass = np.zeros(20_000)
        mass[node] = 1.0
        assert log_mean_absorption_time(operator, mass) > 0


@pytest.mark.slow
def test_those_fewer_than_floats_hold_are_not_nobody():
    """One draw in two leaves at once: 2^-1100 are left, and a share of e^-19000 falls back."""
    with pytest.raises(ArithmeticError, match=r"cannot be met at step_size=1e-06"):
        markov.log_mean_first_passage_time(
            MODEL, step_size=1e-6, start=THRESHOLD - 1e-7, threshold=THRESHOLD
        )


def test_an_accuracy_that_cannot_be_had_is_named():
    with pytest.raises(ArithmeticError, match=r"tolerance=0.01 cannot be met at step_size=1e-06"):
        markov.log_mean_first_passage_time(MODEL, step_size=1e-6, start=1.0, threshold=THRESHOLD)


@pytest.mark.slow
def test_a_return_without_noise_is_not_blurred_in_silence():
    """Thrown to W = -2.2 a walker comes back after 1.17e6 equal steps, at one place.

    By a C program ln τ = 13.3; on grids, which blur the place, 15.306 with an error of 0.075.
    """
    with pytest.raises(ArithmeticError, match=r"tolerance=0.1 cannot be met at step_size=0.5"):
        markov.log_mean_first_passage_time(
            MODEL, step_size=0.5, start=1.1, threshold=THRESHOLD, tolerance=0.1
        )


# Both sides


@given(start=st.integers(1, 9), n=st.integers(0, 25))
@settings(max_examples=20)
def test_the_gambler_is_ruined_or_not(start, n):
    # A fair walk on 0 … 10, killed beyond 0.5 and 9.5: powers of the matrix of the walk.
    inside = np.arange(1, 10)
    step = (np.abs(np.subtract.outer(inside, inside)) == 1) / 2
    survival = np.linalg.matrix_power(step, n)[start - 1].sum()
    probability = markov.escape_probability(
        walk(-1, 1), step_size=1.0, n_steps=n, start=float(start), threshold=(0.5, 9.5)
    )
    assert probability == pytest.approx(1 - survival, abs=1e-12)


def test_who_has_escaped_has_escaped_for_ever():
    curve = markov.escape_curve(
        walk(-1, 1), step_size=1.0, n_steps=4, start=0.0, threshold=(-0.5, 0.5)
    )
    np.testing.assert_array_equal(curve, [0, 1, 1, 1, 1])


@pytest.mark.slow
def test_the_mean_time_of_the_gambler():
    for start in (1, 4, 9):
        time = markov.mean_first_passage_time(
            walk(-1, 1), step_size=1.0, start=float(start), threshold=(0.5, 9.5)
        )
        assert time == pytest.approx(start * (10 - start), rel=1e-3)


def test_both_ways_together_are_no_less_likely_than_either():
    arguments = dict(step_size=0.02, n_steps=60, start=1.05)
    left, right, either = (
        markov.escape_probability(MODEL, **arguments, threshold=threshold)
        for threshold in (0.95, 1.15, (0.95, 1.15))
    )
    assert max(left, right) < either < left + right
    one_sided = markov.escape_probability(MODEL, **arguments, threshold=(-np.inf, 1.15))
    assert one_sided == right


# Relations


@pytest.mark.slow
@pytest.mark.parametrize("start", [0.3, 1.0])
def test_relations_of_the_probability(start):
    step_size = 0.02

    def curve(model, a=1.0):
        return markov.escape_curve(
            model, step_size=step_size * a**2, n_steps=150, start=start * a, threshold=THRESHOLD * a
        )

    plain = curve(MODEL)
    for other in (curve(scaled(MODEL, 1024.0), 1024.0), curve(scaled(MODEL, 0.3), 0.3)):
        np.testing.assert_allclose(other, plain, atol=2e-4 * plain[-1])
    mirror = markov.escape_curve(
        mirrored(MODEL), step_size=step_size, n_steps=150, start=-start, threshold=(-THRESHOLD, 9.0)
    )
    np.testing.assert_allclose(mirror, plain, atol=2e-4 * plain[-1])
    for rows, weights in (([1, 0], None), ([0, 1, 0, 1], None), ([1, 0, 0], [2, 1, 1])):
        other = curve(chosen(MODEL, rows, weights))
        np.testing.assert_allclose(other, plain, atol=2e-4 * plain[-1])
    tight = markov.escape_curve(
        MODEL, step_size=step_size, n_steps=150, start=start, threshold=THRESHOLD, tolerance=1e-5
    )
    np.testing.assert_allclose(tight, plain, atol=1.1e-4 * plain[-1])


@pytest.mark.slow
def test_relations_of_the_mean_time():
    def log_time(model, step_size=0.01, start=1.0, threshold=THRESHOLD):
        return markov.log_mean_first_passage_time(
            model, step_size=step_size, start=start, threshold=threshold
        )

    plain = log_time(MODEL)
    assert log_time(scaled(MODEL, 7.0), 0.49, 7.0, 7 * THRESHOLD) == pytest.approx(plain, abs=1e-3)
    assert log_time(mirrored(MODEL), 0.01, -1.0, -THRESHOLD) == pytest.approx(plain, abs=1e-3)
    assert log_time(chosen(MODEL, [1, 0])) == pytest.approx(plain, abs=1e-3)


def test_times_compose_where_walkers_move_one_way():
    # From 0 to 0.5 and on to 1 one at a time, without a jump over the place between.
    flow = walk(-1.0, -1.0)
    parts = [
        markov.mean_first_passage_time(flow, step_size=2.0**-10, start=a, threshold=b)
        for a, b in ((0.0, 0.5), (0.5 + 2.0**-10, 1.0), (0.0, 1.0))
    ]
    assert parts[0] + parts[1] == pytest.approx(parts[2], rel=1e-3)


def test_laws_compose():
    operator = markov.TransferOperator(MODEL, step_size=0.02, grid=np.linspace(0.8, THRESHOLD, 801))
    first, both = markov.laws(operator, start=1.0, steps=[30, 70])
    for _ in range(40):
        first = operator.step(first)
    np.testing.assert_allclose(first, both, rtol=1e-12)


@pytest.mark.slow
def test_batches_escape_as_the_law_of_large_deviations_says():
    # With replacement T/B is what counts: V_B = B V, tau at T and at 2T with pairs.
    pairs = MODEL.batches(2)
    single, double = (
        markov.log_mean_first_passage_time(m, step_size=t, start=1.0, threshold=THRESHOLD)
        for m, t in ((MODEL, 0.002), (pairs, 0.004))
    )
    assert double == pytest.approx(single, rel=0.02)
    full = MODEL.batches(2, replacement=False)
    probability = markov.escape_probability(
        full, step_size=0.005, n_steps=10_000, start=1.0, threshold=THRESHOLD
    )
    assert probability == 0


# The law that lasts


def test_two_pits_inside_have_one_slowest_law():
    # The quartic with noise, left on the right beyond its second well.
    model = FiniteSum.of(qubic_1d, noise=3.0)
    ends = markov.reachable_interval(model, step_size=0.04, start=1.0, threshold=1.2)
    operator = markov.TransferOperator(model, step_size=0.04, grid=np.linspace(*ends, 601))
    matrix = operator.matrix.toarray()
    values, vectors = np.linalg.eig(matrix.T)
    leading = np.argmax(values.real)
    law, rate = markov.quasi_stationary(operator)
    # Eigenvalues near 1 come to 1e-15, so that a rate of 4e-6 comes to 1e-9 of itself.
    assert rate == pytest.approx(1 - values[leading].real, rel=1e-6)
    exact = np.abs(vectors[:, leading].real)
    np.testing.assert_allclose(law, exact / exact.sum(), atol=1e-9)


def test_two_pits_of_one_sample_settle_where_steps_alone_do_not():
    def losses(w, derivative):
        x, y, u = (np.asarray(w, float) - c for c in (0.4, 1.0, 2.0))
        well = {
            0: -np.exp(-u * u),
            1: 2 * u * np.exp(-u * u),
            2: (2 - 4 * u * u) * np.exp(-u * u),
        }[derivative]
        pits = sum(
            {
                0: -np.exp(-100 * v * v),
                1: 200 * v * np.exp(-100 * v * v),
                2: 200 * (1 - 200 * v * v) * np.exp(-100 * v * v),
            }[derivative]
            for v in (x, y)
        )
        return np.stack([well, well + pits])

    model = FiniteSum(*(lambda w, d=d: losses(w, d) for d in range(3)))
    operator = markov.TransferOperator(
        model, step_size=0.01, grid=np.linspace(0.25, THRESHOLD, 1501)
    )
    law, rate = markov.quasi_stationary(operator, tolerance=np.inf)  # of this grid
    np.testing.assert_allclose(operator.step(law), (1 - rate) * law, atol=1e-12)
    # From the lasting law the mean time is one over the rate, by another method: 1e-6 is what
    # the docstring promises. A law that steps had ceased to change was off by 3e-3.
    log_time = log_mean_absorption_time(operator, law)
    assert log_time == pytest.approx(-np.log(rate), abs=1e-6)
    assert log_time > 41


# Clouds


@given(seed=st.integers(0, 10_000), width=st.floats(1e-3, 3.0))
def test_gathering_keeps_the_first_four_moments(seed, width):
    rng = np.random.default_rng(seed)
    points, weights = rng.normal(size=60), rng.dirichlet(np.ones(60))
    x, q = gather(points, weights, width)
    assert (q > 0).all()
    assert points.min() <= x.min() <= x.max() <= points.max()
    for power in range(4):
        assert q @ x**power == pytest.approx(weights @ points**power, abs=1e-11)


def test_thinning_keeps_the_first_four_moments_and_the_heavy_that_lie_apart():
    rng = np.random.default_rng(1)
    points, weights = rng.normal(size=1000), rng.random(1000)
    points[0], weights[0] = 7.0, 50.0
    x, q = thin(points, weights, 400)
    assert len(x) <= 400
    assert (q > 0).all()
    for power in range(4):
        assert q @ x**power == pytest.approx(weights @ points**power, rel=1e-12, abs=1e-10)
    assert q[x == 7.0] == [50.0]
    same = thin(points, weights, 1000)
    assert same[0] is points
    assert same[1] is weights


def test_a_cloud_follows_all_draws_exactly():
    clouds = follow(walk(-1, 1), 1.0, 0.0, (-np.inf, 2.5))
    cloud = next(islice(clouds, 12, None))
    paths = np.cumsum(2 * ((np.arange(4096)[:, None] >> np.arange(12)) & 1) - 1, axis=1)
    assert cloud.escaped == (paths.max(axis=1) >= 3).mean()
    assert len(cloud.points) <= 8  # gathered where they meet


@pytest.mark.slow
def test_small_steps_meet_the_law_of_large_deviations():
    minimum, saddle = stationary_points(MODEL.mean_gradient, 0.9, 1.3)
    log_time, error = markov.log_mean_first_passage_time(
        MODEL, step_size=0.001, start=0.95, threshold=THRESHOLD, return_error=True
    )
    small = large_deviations.log_escape_time(MODEL, step_size=0.001, minimum=minimum, saddle=saddle)
    assert abs(log_time - small) < 8 * 0.001 + error


def test_grids_that_agree_by_chance_are_found_out():
    """The masses that cross the flat from -0.2 are few: three grids agreed on .83257."""
    model = two_datapoint(depth=1.99)
    _, barrier = stationary_points(lambda w: model.gradients(w)[1], 0.5, 1.7)
    asked = {"step_size": 0.1, "n_steps": 200, "start": -0.2, "threshold": float(barrier)}
    sampled = 0.8318  # of 6e6 walkers, 1.5e-4 wide
    probability, error = markov.escape_probability(model, **asked, return_error=True)
    assert probability == pytest.approx(sampled, abs=4e-4)
    curve = markov.escape_curve(model, **asked)
    assert probability == pytest.approx(float(curve[-1]), abs=error + 1e-4)


def double_well(noise):
    """Return (w² - 1)²/4 with samples that push both ways."""
    push = np.array([noise, -noise])
    return FiniteSum(
        losses=lambda w: (np.asarray(w) ** 2 - 1) ** 2 / 4 + np.multiply.outer(push, w),
        gradients=lambda w: np.asarray(w) ** 3 - w + np.add.outer(push, 0.0 * np.asarray(w)),
        curvatures=lambda w: (
            3 * np.asarray(w) ** 2 - 1 + np.add.outer(0 * push, 0.0 * np.asarray(w))
        ),
    )


@pytest.mark.parametrize(
    ("noise", "step_size", "says"),
    [
        (0.3, 0.05, "952 of 2001 nodes never escape, between -1.6 and -0.339925"),
        (0.39, 0.01, "rarer than floats can tell.*log_mean_first_passage_time"),
        (0.5, 0.002, "rarer than floats can tell.*log_mean_first_passage_time"),
    ],
)
def test_two_pits_with_weak_noise_are_refused_by_what_to_change(noise, step_size, says):
    grid = np.linspace(-1.6, 1.05, 2001)
    operator = markov.TransferOperator(double_well(noise), step_size=step_size, grid=grid)
    with pytest.raises(RuntimeError, match=says):
        markov.quasi_stationary(operator)


def test_two_pits_with_less_weak_noise_have_the_time_that_state_reduction_finds():
    model, grid = double_well(0.5), np.linspace(-1.6, 1.05, 2001)
    operator = markov.TransferOperator(model, step_size=0.2, grid=grid)
    law, rate = markov.quasi_stationary(operator)
    assert -np.log(rate) == pytest.approx(log_mean_absorption_time(operator, law), rel=1e-4)


def test_the_error_of_a_rate_says_whether_there_are_nodes_enough():
    """The error is above the difference to four times the nodes, where these are enough."""
    model, ends = double_well(0.6), (-1.4, 1.1)

    def slowest(nodes):
        operator = markov.TransferOperator(model, step_size=0.05, grid=np.linspace(*ends, nodes))
        return markov.quasi_stationary(operator, return_error=True)

    (_, coarse, large), (_, rate, error), (_, finest, _) = map(slowest, (81, 1601, 6401))
    assert large > 0.5 * coarse  # off by itself, and said to be
    assert abs(coarse - finest) < large
    assert abs(rate - finest) < error < 0.2 * rate


def test_a_rate_that_its_grid_makes_is_refused_with_the_grid_that_it_takes():
    """On 101 nodes the rate is off by a factor of millions; a finer one is named, and enough."""
    ends, step_size = (0.95, THRESHOLD), 0.002

    def chain(nodes):
        return markov.TransferOperator(MODEL, step_size=step_size, grid=np.linspace(*ends, nodes))

    told = r"tolerance=0.1 cannot be met on a grid of 101 nodes: .* about (\d+) nodes"
    with pytest.raises(markov.ToleranceError, match=told) as refused:
        markov.quasi_stationary(chain(101))
    nodes = int(re.search(told, str(refused.value))[1])
    while nodes < 10_000:  # from far away the first advice is rough
        try:
            _, rate = markov.quasi_stationary(chain(nodes))
            break
        except markov.ToleranceError:
            nodes *= 2
    assert nodes > 1200
    log_time = markov.log_mean_first_passage_time(
        MODEL, step_size=step_size, start=1.0, threshold=THRESHOLD
    )
    assert -np.log(rate) == pytest.approx(log_time, abs=0.1)
    _, coarse = markov.quasi_stationary(chain(101), tolerance=np.inf)
    assert np.log(coarse / rate) > 5
    _, same, error = markov.quasi_stationary(chain(101), return_error=True)
    assert same == coarse
    assert error > coarse
    with pytest.raises(markov.ToleranceError, match=r"grid of 4 nodes.* by inf"):
        markov.quasi_stationary(chain(4))


@pytest.mark.parametrize("step_size", [0.02, 0.01, 0.005])
def test_the_error_of_a_fitted_rate_is_that_of_fitted_grids(step_size):
    """It holds the rate of sixteen times the nodes; where escape is rare, plain ones err more."""

    def slowest(nodes, fitted=True):
        operator = markov.TransferOperator(
            MODEL, step_size=step_size, grid=np.linspace(0.8, THRESHOLD, nodes), fitted=fitted
        )
        return markov.quasi_stationary(operator, return_error=True)[1:]

    finest, _ = slowest(4801)
    for nodes in (201, 301, 401):
        rate, error = slowest(nodes)
        assert abs(rate - finest) < error < 0.15 * rate, nodes
    if step_size == 0.005:
        (rate, error), (plain_rate, plain_error) = slowest(201), slowest(201, fitted=False)
        assert error / rate < 0.1 * plain_error / plain_rate
