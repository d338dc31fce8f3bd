"""Sampled descent against exact moments, exact passage laws and the transfer operator."""

from math import comb

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from descent import markov
from descent.landscapes import FiniteSum, stationary_points, two_datapoint
from descent.markov import sampling

MODEL = two_datapoint()
(THRESHOLD,) = stationary_points(lambda w: MODEL.gradients(w)[1], 1.1, 1.3)
(SADDLE,) = stationary_points(MODEL.mean_gradient, 1.1, 1.3)


def constant(*slopes):
    """Samples with constant gradients: a random walk."""
    column = np.array(slopes, float)
    return FiniteSum(
        losses=lambda w: np.multiply.outer(column, w),
        gradients=lambda w: np.multiply.outer(column, np.ones_like(w)),
        curvatures=lambda w: np.zeros((len(column), *np.shape(w))),
    )


@given(rate=st.floats(0.01, 1.9), n_steps=st.integers(0, 30))
def test_descent_of_a_parabola_is_geometric(rate, n_steps):
    w0 = np.array([[1.0, -2.0]])
    path = sampling.gradient_descent(lambda w: w, step_size=rate, n_steps=n_steps, start=w0)
    powers = (1 - rate) ** np.arange(n_steps + 1)
    np.testing.assert_allclose(path, powers[:, None, None] * w0, atol=1e-13)


def test_each_step_follows_one_sample():
    path = sampling.simulate(
        MODEL, step_size=0.05, n_steps=50, start=[0.0, 1.0, 4.0], rng=np.random.default_rng(0)
    )
    images = path[:-1] - 0.05 * MODEL.gradients(path[:-1])
    assert np.isclose(images, path[1:], rtol=0, atol=1e-14).any(axis=0).all()


def test_both_samples_are_drawn_evenly():
    n = 100_000
    end = sampling.simulate(
        constant(-1, 1), step_size=1.0, n_steps=1, start=np.zeros(n), rng=np.random.default_rng(0)
    )[-1]
    assert abs(end.sum()) < 4 * np.sqrt(n)


def test_the_moments_of_a_linear_chain():
    # g = (1 ± a) w - 2: E w' = (1 - T) w + 2 T, E w'^2 from (1 - T (1 ± a))².
    a, step_size, n_steps, n = 0.2, 0.1, 40, 200_000
    model = FiniteSum(
        losses=lambda w: np.stack([(1 + s * a) / 2 * w**2 - 2 * w for s in (1, -1)]),
        gradients=lambda w: np.stack([(1 + s * a) * w - 2 for s in (1, -1)]),
        curvatures=lambda w: np.stack([np.full_like(w, 1 + s * a) for s in (1, -1)]),
    )
    mean, square = 1.0, 1.0
    for _ in range(n_steps):
        contraction = (1 - step_size) ** 2 + (step_size * a) ** 2
        square = contraction * square + 4 * step_size * (1 - step_size) * mean + 4 * step_size**2
        mean = (1 - step_size) * mean + 2 * step_size
    variance = square - mean**2
    end = sampling.simulate(
        model, step_size=step_size, n_steps=n_steps, start=np.ones(n), rng=np.random.default_rng(1)
    )[-1]
    assert end.mean() == pytest.approx(mean, abs=4 * np.sqrt(variance / n))
    assert end.var() == pytest.approx(variance, rel=4 * np.sqrt(2 / n))


def test_first_passages_of_the_fair_walk_follow_the_ballot_theorem():
    # P(first passage at +k in step n) = (k/n) C(n, (n+k)/2) 2^-n.
    k, n_steps, n = 3, 15, 3 * sampling.BLOCK + 7
    rng = np.random.default_rng(2)
    times = sampling.first_passage_times(
        constant(-1, 1),
        step_size=1.0,
        n_steps=n_steps,
        start=0.0,
        threshold=k - 0.5,
        n_particles=n,
        rng=rng,
    )
    assert times.shape == (n,)
    assert times.min() >= 1
    exact = np.zeros(n_steps + 2)
    for step in range(k, n_steps + 1, 2):
        exact[step] = k / step * comb(step, (step + k) // 2) / 2**step
    exact[-1] = 1 - exact.sum()  # not escaped
    counts = np.bincount(times, minlength=n_steps + 2)
    assert counts[exact == 0].sum() == 0
    error = np.sqrt(n * exact * (1 - exact))
    assert (np.abs(counts - n * exact) <= 4 * error).all()


def test_more_than_two_samples():
    # One of three samples moves up: escape at step one has the probability 1/3.
    n, rng = 30_000, np.random.default_rng(3)
    times = sampling.first_passage_times(
        constant(-1, 0, 1),
        step_size=1.0,
        n_steps=1,
        start=0.0,
        threshold=0.5,
        n_particles=n,
        rng=rng,
    )
    assert (times == 1).mean() == pytest.approx(1 / 3, abs=4 * np.sqrt(2 / 9 / n))


def escaped(threshold, n_steps, n, seed):
    rng = np.random.default_rng(seed)
    times = sampling.first_passage_times(
        MODEL,
        step_size=0.015,
        n_steps=n_steps,
        start=1.0,
        threshold=threshold,
        n_particles=n,
        rng=rng,
    )
    return (times <= n_steps).mean()


def test_sampling_agrees_with_the_operator_on_the_same_event_only():
    n_steps, n = 500, 60_000
    exact = markov.escape_probability(
        MODEL, step_size=0.015, n_steps=n_steps, start=1.0, threshold=THRESHOLD
    )
    error = np.sqrt(exact * (1 - exact) / n)
    assert abs(escaped(THRESHOLD, n_steps, n, 4) - exact) < 4 * error
    # Control: the maximum of the mean loss is passed more often than it is left behind.
    assert escaped(SADDLE, n_steps, n, 4) - exact > 10 * error


@pytest.mark.parametrize(("n_steps", "n"), [(0, 5), (5, 0), (0, 0)])
def test_nothing_escapes_where_nothing_moves(n_steps, n):
    rng = np.random.default_rng(0)
    times = sampling.first_passage_times(
        MODEL,
        step_size=0.05,
        n_steps=n_steps,
        start=1.0,
        threshold=THRESHOLD,
        n_particles=n,
        rng=rng,
    )
    np.testing.assert_array_equal(times, np.full(n, n_steps + 1))


def test_the_same_seed_gives_the_same_numbers():
    def run(seed):
        rng = np.random.default_rng(seed)
        path = sampling.simulate(MODEL, step_size=0.03, n_steps=30, start=np.ones(20), rng=rng)
        return path, sampling.first_passage_times(
            MODEL,
            step_size=0.03,
            n_steps=50,
            start=1.0,
            threshold=THRESHOLD,
            n_particles=100,
            rng=rng,
        )

    for one, two in zip(run(5), run(5), strict=True):
        np.testing.assert_array_equal(one, two)
    assert not np.array_equal(run(5)[1], run(6)[1])


def test_divergence_is_reported():
    with pytest.raises(FloatingPointError, match="step"):
        sampling.gradient_descent(lambda w: w**3, step_size=1.0, n_steps=20, start=10.0)


BAD_STEPS = [(0.0, ValueError), (-1.0, ValueError), (np.nan, ValueError), (np.inf, ValueError)]
BAD_STEPS += [([0.1], TypeError), ("0.1", TypeError), (True, TypeError), (None, TypeError)]


@pytest.mark.parametrize(("bad", "error"), BAD_STEPS)
def test_bad_step_sizes_are_named(bad, error):
    rng = np.random.default_rng(0)
    with pytest.raises(error, match="step_size"):
        sampling.simulate(MODEL, step_size=bad, n_steps=1, start=1.0, rng=rng)
    with pytest.raises(error, match="step_size"):
        sampling.gradient_descent(MODEL.mean_gradient, step_size=bad, n_steps=1, start=1.0)
    with pytest.raises(error, match="step_size"):
        sampling.first_passage_times(
            MODEL, step_size=bad, n_steps=1, start=1.0, threshold=THRESHOLD, n_particles=1, rng=rng
        )


@pytest.mark.parametrize(("bad", "error"), [(-1, ValueError), (1.0, TypeError), (True, TypeError)])
def test_bad_counts_are_named(bad, error):
    rng = np.random.default_rng(0)
    with pytest.raises(error, match="n_steps"):
        sampling.simulate(MODEL, step_size=0.1, n_steps=bad, start=1.0, rng=rng)
    with pytest.raises(error, match="n_steps"):
        sampling.first_passage_times(
            MODEL,
            step_size=0.1,
            n_steps=bad,
            start=1.0,
            threshold=THRESHOLD,
            n_particles=1,
            rng=rng,
        )
    with pytest.raises(error, match="n_particles"):
        sampling.first_passage_times(
            MODEL,
            step_size=0.1,
            n_steps=1,
            start=1.0,
            threshold=THRESHOLD,
            n_particles=bad,
            rng=rng,
        )


def test_bad_starts_are_named():
    rng = np.random.default_rng(0)
    with pytest.raises(ValueError, match="start"):
        sampling.first_passage_times(
            MODEL, step_size=0.1, n_steps=1, start=1.3, threshold=(0.9, THRESHOLD),
            n_particles=1, rng=rng,
        )  # fmt: skip
    with pytest.raises(TypeError, match="start"):
        sampling.first_passage_times(
            MODEL,
            step_size=0.1,
            n_steps=1,
            start=np.ones(2),
            threshold=THRESHOLD,
            n_particles=1,
            rng=rng,
        )
    with pytest.raises(ValueError, match="start"):
        sampling.simulate(MODEL, step_size=0.1, n_steps=1, start=[1.0, np.nan], rng=rng)


def turned(model):
    return FiniteSum(
        losses=lambda w: model.losses(-np.asarray(w)),
        gradients=lambda w: -model.gradients(-np.asarray(w)),
        curvatures=lambda w: model.curvatures(-np.asarray(w)),
        weights=model.weights,
    )


@pytest.mark.parametrize("n_particles", [500, 40_000])  # numpy's steps, and compiled ones
@pytest.mark.parametrize("weights", [None, [3.0, 1.0]])
def test_walkers_that_escape_to_the_left_are_the_mirror_image(n_particles, weights):
    pit = two_datapoint()
    pit = FiniteSum(pit.losses, pit.gradients, pit.curvatures, weights=weights)
    asked = {"step_size": 0.03, "n_steps": 60, "n_particles": n_particles}
    right = sampling.first_passage_times(
        pit, start=1.0, threshold=1.196, rng=np.random.default_rng(0), **asked
    )
    left = sampling.first_passage_times(
        turned(pit), start=-1.0, threshold=-1.196, rng=np.random.default_rng(0), **asked
    )
    np.testing.assert_array_equal(left, right)
    assert 0.1 < (right <= 60).mean() < 1
    chance = markov.escape_probability(
        turned(pit), step_size=0.03, n_steps=60, start=-1.0, threshold=-1.196
    )
    assert abs((left <= 60).mean() - chance) < 4 * np.sqrt(chance * (1 - chance) / n_particles)


def test_walkers_that_escape_on_either_side():
    """A fair walk of unit steps leaves (-3.5, 6.5) after 4 · 7 = 28 steps, to the left 7 of 11."""
    fair = constant(1.0, -1.0)
    times = sampling.first_passage_times(
        fair, step_size=1.0, n_steps=2000, start=0.0, threshold=(-3.5, 6.5),
        n_particles=20_000, rng=np.random.default_rng(0),
    )  # fmt: skip
    assert times.max() <= 2000
    assert abs(times.mean() - 28) < 4 * times.std() / np.sqrt(len(times))
    one_sided = sampling.first_passage_times(
        fair, step_size=1.0, n_steps=50, start=0.0, threshold=(-np.inf, 6.5),
        n_particles=500, rng=np.random.default_rng(0),
    )  # fmt: skip
    same = sampling.first_passage_times(
        fair, step_size=1.0, n_steps=50, start=0.0, threshold=6.5,
        n_particles=500, rng=np.random.default_rng(0),
    )  # fmt: skip
    np.testing.assert_array_equal(one_sided, same)
