"""Chapter 1: the small network, its saddle, the cheapest way, and splitting on the same code."""

import numpy as np
import pytest

from descent.chapters.modelling_sgd import network_pictures, network_sweeps, network_walks
from descent.chapters.modelling_sgd.network import band, digits, newton
from descent.chapters.modelling_sgd.network_ways import Draws, _Action
from descent.minimum_action import momentum, of_draws


@pytest.fixture(scope="module")
def network():
    return digits()


@pytest.fixture(scope="module")
def places():
    return network_sweeps.places()


def test_gradients_are_those_of_the_loss(network):
    w = np.random.default_rng(0).normal(size=(3, network.size))
    assert np.allclose(network.gradients(w).mean(axis=0), network.gradient(w), atol=1e-12)
    for k in range(network.size):
        h = np.zeros(network.size)
        h[k] = 1e-5
        change = (network.loss(w + h) - network.loss(w - h)) / 2e-5
        assert np.allclose(change, network.gradient(w)[:, k], atol=1e-8)


def test_copies_compute_the_same(network, places):
    copies = network.copies(places.deep)
    assert len(np.unique(copies.round(9), axis=0)) == 48
    assert np.allclose(network.outputs(copies), network.outputs(places.deep[None]))


def test_the_minima_are_isolated_and_the_saddle_has_one_way_down(network, places):
    for w in (places.shallow, places.deep, places.third):
        assert np.linalg.norm(network.gradient(w[None])) < 1e-9
        assert np.linalg.eigvalsh(network.hessian(w))[0] > 0.02
    assert np.linalg.norm(network.gradient(places.saddle[None])) < 1e-9
    values = np.linalg.eigvalsh(network.hessian(places.saddle))
    assert values[0] < -0.03 < 0.03 < values[1]


def test_the_band_rests_and_its_top_is_at_the_saddle(network, places):
    again = band(network, places.path, rounds=200)
    assert np.abs(again - places.path).max() < 1e-3
    top = places.path[network.loss(places.path).argmax()]
    assert np.allclose(newton(network, top), places.saddle, atol=1e-9)


@pytest.mark.parametrize("start", ["shallow", "deep"])
def test_no_path_beside_the_cheapest_one_is_cheaper(network, start):
    path = np.array(network_pictures.way(start)["path"])
    least, slope = _Action(Draws(network))(path)
    rng = np.random.default_rng(1)
    for _ in range(4):
        aside = np.zeros_like(path)
        aside[1:-1] = 0.01 * rng.normal(size=path[1:-1].shape)
        assert _Action(Draws(network))(path + aside)[0] > least
    assert np.abs(slope[1:-1]).max() < 0.05


def test_the_tilt_is_that_of_the_library(network):
    path = np.array(network_pictures.way("shallow")["path"])[::8]
    x, moves = (path[1:] + path[:-1]) / 2, np.diff(path, axis=0)
    v = moves / np.linalg.norm(moves, axis=1)[:, None]
    draws = Draws(network)
    p, _ = draws.tilt(x, v, draws.first_tilt(x, v))
    assert np.allclose(p, momentum(of_draws(network.gradients), x, moves), rtol=1e-6, atol=1e-8)


def test_the_derivative_of_the_action_is_that_of_differences(network):
    path = np.array(network_pictures.way("shallow")["path"])[::8]
    for normal in (False, True):
        _, slope = _Action(Draws(network, normal))(path)
        for i, k in ((2, 0), (3, 7)):
            shift = np.zeros_like(path)
            shift[i, k] = 1e-4
            up, down = (_Action(Draws(network, normal))(path + s * shift)[0] for s in (1, -1))
            assert np.isclose((up - down) / 2e-4, slope[i, k], rtol=1e-4, atol=1e-6)


def test_steps_have_the_mean_and_the_spread_that_they_say(network, places):
    w = np.repeat(places.shallow[None], 40_000, axis=0)
    rng = np.random.default_rng(2)
    for kind in (network_walks.drawn, network_walks.normal):
        moved = kind(network, 0.1, 4)(w[:4000], rng) - w[:4000]
        assert np.isclose(
            np.trace(np.cov(moved.T)), 0.01 * np.trace(network.noise(places.shallow)) / 4, rtol=0.08
        )


def test_an_epoch_uses_each_image_once(network, places):
    step = network_walks.dealt(network, 0.1, 12)
    state = np.concatenate([places.shallow, np.zeros(len(network.y))])[None]
    rng = np.random.default_rng(3)
    for k in range(1, 11):
        state = step(state, rng)
        assert state[0, network.size :].sum() == 12 * k
    assert step(state, rng)[0, network.size :].sum() == 12


def plainly(step, high, walks, steps, rng):
    """Return the mean time to leave of walks that were just followed, and its relative error."""
    x, left, seen = np.zeros((walks, 1)), 0, 0
    for k in range(steps):
        x = step(x, rng)
        gone = x[:, 0] >= high
        x[gone] = rng.choice(x[~gone], gone.sum())
        if k > steps // 10:
            left, seen = left + gone.sum(), seen + walks
    return seen / left, left**-0.5


@pytest.mark.parametrize(("memory", "low", "high"), [(0.5, 0.3, 2.0), (0.98, -0.8, 1.2)])
def test_the_time_is_that_of_walks_just_followed(memory, low, high):
    """Also where a walk is on its way for as long as it takes to leave."""

    def step(x, rng):
        return memory * x + np.sqrt(1 - memory**2) * rng.standard_normal(x.shape)

    found = network_walks.split_time(
        step, lambda x: x[:, 0], np.full(1, -1.0), low, high, 1.0, np.random.default_rng(5), 60, 200
    )
    time, error = plainly(step, high, 1000, 5000, np.random.default_rng(6))
    off = np.hypot(error, found["error"])
    assert abs(np.log(found["time"] / time)) < 3.5 * off < 0.2
    late = np.log(found["without_lag"] / found["time"])
    assert late < 0.05 if memory < 0.9 else late > 4 * off


def test_without_a_lag_the_rate_is_that_of_setting_out_times_the_chance():
    out, chances = np.array([0.1, 0.2]), np.array([0.01, 0.03])
    at_once = (np.zeros(3), np.zeros(2))
    assert np.isclose(network_walks.leaving_rate(out, chances, at_once), 0.0035)
    late = (np.full(3, 20.0), np.full(2, 20.0))
    rate = network_walks.leaving_rate(out, chances, late)
    assert np.isclose(rate, 0.0035 * (1 - rate) ** -20)
    assert network_walks.leaving_rate(out, 0 * chances, at_once) == 0
    with pytest.raises(FloatingPointError, match="no rare event"):
        network_walks.leaving_rate(out, chances, (np.full(3, 500.0), np.full(2, 500.0)))


def test_the_error_of_a_rate_knows_that_the_rate_stands_on_both_sides():
    """For ways of one length s a relative change of r p is magnified by 1/(1 - λ s/(1 - λ))."""
    rng = np.random.default_rng(7)
    out, chances = np.full(40, 0.05), 0.04 * (1 + 0.02 * rng.standard_normal(40))
    plain = (out * chances).std(ddof=1) / np.sqrt(40) / (out * chances).mean()
    assert np.isclose(network_walks.leaving_error(out, chances, (np.zeros(2),) * 40), plain)
    ways = (np.full(2, 150.0),) * 40
    rate = network_walks.leaving_rate(out, chances, ways)
    magnified = plain / (1 - 150 * rate / (1 - rate))
    assert magnified > 1.8 * plain
    assert np.isclose(network_walks.leaving_error(out, chances, ways), magnified, rtol=0.02)


def test_without_noise_nobody_leaves(network, places):
    rng = np.random.default_rng(6)
    score = network_walks.score(network, places, "shallow")
    step = network_walks.drawn(network, 0.16, 16)
    w = np.repeat(places.shallow[None], 50, axis=0)
    for _ in range(600):
        w = step(w, rng)
    w = w[score(w) < -0.2]
    assert len(w) > 40
    for _ in range(1500):
        w = w - 0.64 * network.gradient(w)
    assert np.allclose(w, places.shallow, atol=1e-3)


def test_the_last_slope_is_the_one_that_was_foretold():
    least, most = network_sweeps.FORETOLD
    assert least < network_pictures.slope("drawn", "shallow", 16, (0.0125, 0.01))[0] < most
    for ratio in (0.03, 0.02, 0.015, 0.0125, 0.01):
        row = network_pictures.row("drawn", "shallow", 16, ratio)
        assert len(row["chances"]) == 20
        assert row["error"] < 0.25


def test_the_prices_of_rivals_are_far_from_the_price():
    row = network_pictures.way("shallow")
    assert row["band"] > 3 * row["price"] > 20 * row["round"]
    assert np.isclose(row["coarse"], row["by_library"], rtol=1e-6)
    assert np.isclose(row["coarse"], row["normal_coarse"], rtol=1e-3)
