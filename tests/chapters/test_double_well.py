"""Chapter 2's double well: two methods for the price of its saddle, and what they are held to."""

import numpy as np
import pytest

from descent.chapters.probability_current import double_well as well
from descent.minimum_action import action, minimum_action


def test_action_and_exact_times_agree_and_the_diffusion_does_not():
    for c in well.CORRELATIONS:
        found = well.price(c)
        assert abs(found.times / found.action - 1) < 0.01
        if abs(c) > 0.5:
            assert abs(found.times / found.back - 1) > 0.15  # a control: another way
        if c < 0:
            assert found.times / found.diffusion - 1 > 0.02  # a control: other draws
    assert well.gap("coarse") > 2 * well.gap("fine") > 4 * well.gap("extrapolated")


def test_without_a_current_the_way_out_is_the_way_in_and_costs_twice_the_height():
    flat = well.price(0.0)
    assert flat.diffusion == pytest.approx(2 * well.loss(np.zeros(1), np.zeros(1))[0], rel=1e-3)
    assert flat.back_of_diffusion == pytest.approx(flat.diffusion, rel=1e-3)
    assert flat.back == pytest.approx(flat.action, rel=2e-3)
    assert well.price(-0.8).back > 2 * well.price(-0.8).action
    _, velocity = well.circulation(0.0, np.linspace(0, 6, 7), 1.0)
    np.testing.assert_allclose(velocity, 0, atol=1e-12)


@pytest.mark.parametrize(("c", "sense"), [(-0.8, -1), (0.8, 1)])
def test_the_way_out_bends_in_the_direction_in_which_the_current_turns(c, sense):
    at, velocity = well.circulation(c, np.linspace(0, 6, 7), 1.0)
    x, y = (at - well.START).T
    assert (sense * (x * velocity[:, 1] - y * velocity[:, 0]) > 0).all()
    path = well.price(c).path
    middle = path[len(path) // 2]
    assert sense * (middle[1] - np.interp(middle[0], *well.way_in()[::-1].T)) > 0.02


def test_stored_ways_cost_what_is_stored():
    for c in (-0.8, 0.4):
        found = well.price(c)
        assert action(well.draws(c), found.path) == pytest.approx(found.action, rel=5e-3)
        np.testing.assert_allclose(found.path[[0, -1]], [well.START, [0, 0]], atol=1e-4)


def test_both_sides_of_the_draws_give_one_price():
    """The loss and the draws are point-symmetric: from the other well it costs the same."""
    ways = [
        minimum_action(well.diffusion(0.4), sign * well.START, [0, 0], n_pieces=12).action
        for sign in (1, -1)
    ]
    assert ways[0] == pytest.approx(ways[1], rel=1e-3)


def test_sampled_walkers_take_the_exact_time():
    c, T, rng = -0.4, 0.2, np.random.default_rng(3)
    exact = well.refined(*(np.array(well.log_time(c, T, nodes)) for nodes in well.SPACINGS))
    parts, n = well.samples(c), 600
    w, times = np.tile(well.START, (n, 1)), []
    for step in range(1, 20_000):
        w = w - T * (np.stack(well.slope(*w.T), axis=1) + parts[rng.integers(4, size=len(w))])
        out = w[:, 0] > well.BEYOND
        times += [step] * int(out.sum())
        w = w[~out]
        if len(w) == 0:
            break
    assert len(times) == n
    error = np.std(times) / np.mean(times) / np.sqrt(n)
    assert abs(np.log(np.mean(times)) - exact) < 3.5 * error + 0.02


def test_times_that_lose_mass_are_refused(monkeypatch):
    monkeypatch.setattr(well, "HIGH", 0.3)
    with pytest.raises(ArithmeticError, match="come off the nodes"):
        well.log_time(-0.8, 0.24, 3)
