"""Rare events: gambler's ruin, the exact operator, and what a score may and may not change."""

import numpy as np
import pytest

from descent import markov
from descent.landscapes import stationary_points, two_datapoint
from descent.rare_events import rare_chance, rare_time


def gambler(up):
    def step(states, rng):
        return states + np.where(rng.random(states.shape) < up, 1.0, -1.0)

    return step


def height(states):
    return states[:, 0]


def ruin(up, goal):
    r = (1 - up) / up
    return 1 / goal if up == 0.5 else (1 - r) / (1 - r**goal)


@pytest.mark.parametrize(("up", "goal"), [(0.3, 16), (0.4, 20), (0.5, 20)])
def test_the_chance_is_that_of_the_gambler(up, goal):
    found = rare_chance(
        gambler(up),
        height,
        np.ones((200, 1)),
        low=0.5,
        high=goal,
        rng=np.random.default_rng(1),
        repeats=80,
    )
    assert abs(found.value - ruin(up, goal)) < 3 * found.error
    assert found.error < 0.25 * found.value
    # As many plain walks as cost the same, two steps each at least, have a larger error.
    assert found.error < 0.5 * np.sqrt(found.value / (found.steps / 2)) or up > 0.3


def test_the_estimate_has_no_bias_with_few_walks_and_many_ties():
    """The mean over thousands of repeats of three walks, on a lattice where scores tie."""
    found = rare_chance(
        gambler(0.4),
        height,
        np.ones((3, 1)),
        low=0.5,
        high=6,
        rng=np.random.default_rng(2),
        repeats=6000,
    )
    assert abs(found.value - ruin(0.4, 6)) < 3 * found.error
    assert found.error < 0.03 * found.value


def test_giving_up_more_walks_changes_the_error_and_not_the_chance():
    for kill in (1, 20, 60):
        found = rare_chance(
            gambler(0.4),
            height,
            np.ones((100, 1)),
            low=0.5,
            high=15,
            rng=np.random.default_rng(3),
            kill=kill,
            repeats=20,
        )
        assert abs(found.value - ruin(0.4, 15)) < 3.5 * found.error


def test_repeats_may_have_starts_of_their_own():
    starts = np.repeat([1.0, 3.0], 40)[:, None, None] * np.ones((1, 60, 1))
    found = rare_chance(
        gambler(0.3), height, starts, low=0.5, high=12, rng=np.random.default_rng(4), kill=30
    )
    assert found.chances.shape == (80,)
    assert len(found.durations) == 80
    ratio, low = 7 / 3, found.chances[:40]
    assert abs(low.mean() - ruin(0.3, 12)) < 3.5 * low.std(ddof=1) / np.sqrt(40)
    higher = ruin(0.3, 12) * (1 - ratio**3) / (1 - ratio)
    high = found.chances[40:]
    assert abs(high.mean() - higher) < 3.5 * high.std(ddof=1) / np.sqrt(40)
    # From 1 to 12 it takes 11 steps at least, from 3 nine, and an odd number.
    for durations, least in ((found.durations[0], 11), (found.durations[-1], 9)):
        assert durations.min() >= least
        assert (durations % 2 == 1).all()


def descent(T):
    model = two_datapoint()

    def step(states, rng):
        g = model.gradients(states[:, 0])
        return states - T * np.where(rng.integers(2, size=len(states)) == 1, g[1], g[0])[:, None]

    return model, step


@pytest.mark.parametrize("low", [1.03, 1.06])
def test_the_time_to_leave_the_pit_is_that_of_the_exact_operator(low):
    T = 0.015
    model, step = descent(T)
    pit = stationary_points(model.mean_gradient, 0.9, 1.3)[0]
    exact = np.exp(
        markov.log_mean_first_passage_time(model, step_size=T, start=pit, threshold=1.19596)
    )
    found = rare_time(
        step, height, [pit], low=low, high=1.19596, rng=np.random.default_rng(4), repeats=20, n=100
    )
    assert exact > 2000
    assert abs(found.value - exact) < 3 * found.error
    assert found.error < 0.12 * found.value


def test_another_step_size_has_another_time():
    model, step = descent(0.017)
    pit = stationary_points(model.mean_gradient, 0.9, 1.3)[0]
    exact = np.exp(
        markov.log_mean_first_passage_time(model, step_size=0.015, start=pit, threshold=1.19596)
    )
    found = rare_time(
        step, height, [pit], low=1.03, high=1.19596, rng=np.random.default_rng(4), repeats=20, n=100
    )
    assert abs(found.value - exact) > 5 * found.error


def test_what_is_no_rare_event_is_counted_right_as_well():
    def step(x, rng):
        return 0.5 * x + np.sqrt(0.75) * rng.standard_normal(x.shape)

    found = rare_time(step, height, [0.0], low=0.5, high=2.0, rng=np.random.default_rng(5))
    rng = np.random.default_rng(6)
    x, first = np.zeros(4000), np.zeros(4000)
    for k in range(1, 2000):
        x = step(x, rng)
        first[(first == 0) & (x >= 2)] = k
    assert (first > 0).all()
    error = np.hypot(found.error, first.std() / np.sqrt(len(first)))
    assert abs(found.value - first.mean()) < 3 * error


def returning(leave, up):
    """From 0 a walk sets out with a chance, from elsewhere it goes up or down: loops are alike."""

    def step(states, rng):
        u = rng.random(states.shape)
        return np.where(states < 0.5, states + (u < leave), states + np.where(u < up, 1.0, -1.0))

    return step


def returning_time(leave, up, goal):
    left = np.eye(goal)
    left[0, :2] += leave - 1, -leave
    for k in range(1, goal):
        left[k, k - 1] -= 1 - up
        left[k, k + 1 : k + 2] -= up
    return np.linalg.solve(left, np.ones(goal))[0]


@pytest.mark.parametrize(
    ("leave", "up", "goal"), [(0.9, 0.48, 4), (0.5, 0.49, 30), (0.02, 0.48, 20)]
)
def test_the_time_has_no_bias_where_loops_are_long_or_arriving_is_no_rare_event(leave, up, goal):
    """Against linear equations, by the mean of ten: a walk arrives in every sixth loop, or a loop
    lasts from two steps to hundreds, or setting out itself takes long."""
    times = [
        rare_time(
            returning(leave, up), height, [0.0], low=0.5, high=goal, n=100, kill=30,
            rng=np.random.default_rng(seed),
        )
        for seed in range(10)
    ]  # fmt: skip
    values = np.array([found.value for found in times])
    exact = returning_time(leave, up, goal)
    error = values.std(ddof=1) / np.sqrt(len(values))
    assert abs(values.mean() - exact) < 3.5 * error < 0.11 * exact
    # What each says of its own error is what the ten differ by.
    said = np.mean([found.error for found in times])
    assert 0.5 < values.std(ddof=1) / said < 2


def test_what_goes_wrong_is_said():
    rng = np.random.default_rng(0)
    ones = np.ones((10, 1))
    with pytest.raises(FloatingPointError, match="raise max_steps, or low"):
        rare_chance(lambda s, rng: s, height, ones, low=0, high=2, rng=rng, max_steps=5)
    with pytest.raises(ValueError, match="low must be below high"):
        rare_chance(gambler(0.3), height, ones, low=2, high=2, rng=rng)
    with pytest.raises(ValueError, match="with NaN"):
        rare_chance(gambler(0.3), lambda s: s[:, 0] * np.nan, ones, low=0, high=2, rng=rng)
    with pytest.raises(ValueError, match="start must have a score below low"):
        rare_time(gambler(0.3), height, [1.0], low=0.5, high=4, rng=rng)
    with pytest.raises(ValueError, match="loops must be at least repeats=200; got 100"):
        rare_time(gambler(0.3), height, [0.0], low=0.5, high=4, rng=rng, loops=100, repeats=200)
    with pytest.raises(FloatingPointError, match="no walk arrived"):
        rare_time(
            lambda s, rng: np.where(s > 0.5, -1.0, 1.0), height, [0.0], low=0.5, high=4, rng=rng
        )
    with pytest.raises(FloatingPointError, match="setting out is rare"):
        rare_time(lambda s, rng: s, height, [0.0], low=0.5, high=4, rng=rng, max_steps=50)
