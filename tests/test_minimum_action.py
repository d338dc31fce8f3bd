"""Cheapest paths: closed forms, one dimension, and where the way out is not the way in."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from descent import large_deviations
from descent.landscapes import stationary_points, two_datapoint
from descent.minimum_action import action, minimum_action, momentum, of_diffusion, of_draws


def rotating(turn):
    matrix = np.array([[-1.0, turn], [-turn, -1.0]])
    return of_diffusion(lambda x: x @ matrix.T)


def maier_stein(beta):
    """The double well of Maier and Stein; a gradient flow for β = 1 alone."""

    def drift(x):
        u, v = x.T
        return np.stack([u - u**3 - beta * u * v**2, -(1 + u**2) * v], axis=1)

    return of_diffusion(drift)


@pytest.mark.parametrize("turn", [0.0, 1.0, -2.0])
def test_a_rotation_changes_the_path_and_not_the_price(turn):
    """The stationary law of a linear flow with this current is a round bell: V = |x|²."""
    found = minimum_action(rotating(turn), [0, 0], [1, 0])
    assert found.action == pytest.approx(1.0, abs=1e-3)
    assert abs(found.action - 1) <= 2 * found.error + 1e-12
    # Out along x' = x + turn Jx: the angle turns by turn for each e-folding of the radius.
    r = np.linalg.norm(found.path, axis=1)
    there = r > 0.3
    angle = np.unwrap(np.arctan2(*found.path[there].T[::-1]))
    np.testing.assert_allclose(angle, angle[-1] - turn * np.log(1 / r[there]) * -1, atol=0.05)


def test_the_way_in_costs_nothing_and_the_way_out_by_it_too_much():
    """Reversed, the way in is no cheapest way out where a current circulates."""
    r = np.linspace(1, 0.02, 400)
    turn = 2.0
    # x' = Ax from (1, 0): r falls and the angle turns by -turn for each e-folding.
    angle = turn * np.log(r)
    way_in = np.stack([r * np.cos(angle), r * np.sin(angle)], axis=1)
    assert action(rotating(turn), way_in) < 1e-3
    assert action(rotating(turn), way_in[::-1]) > 1.5
    assert action(rotating(0.0), np.stack([r[::-1], 0 * r], axis=1)) == pytest.approx(1, abs=1e-3)


def test_a_gradient_flow_is_left_the_way_it_is_entered():
    """V = 2 ΔU = 1/2 for the double well."""
    bent = [[-1, 0], [-0.5, 0.4], [0, 0]]
    for beta in (1.0, 2.0):
        found = minimum_action(maier_stein(beta), [-1, 0], [0, 0], path=bent)
        assert found.action == pytest.approx(0.5, abs=1e-6)
        assert np.abs(found.path[:, 1]).max() < 1e-3


def test_beyond_its_bifurcation_the_cheapest_path_leaves_the_axis():
    """For β = 10 the axis still costs 1/2, and the path beside it less."""
    bent = np.array([[-1, 0], [-0.5, 0.3], [0, 0]])
    above = minimum_action(maier_stein(10.0), [-1, 0], [0, 0], path=bent)
    below = minimum_action(maier_stein(10.0), [-1, 0], [0, 0], path=bent * [1, -1])
    assert above.action == pytest.approx(below.action, abs=1e-5)
    assert above.action < 0.35
    assert above.path[:, 1].max() > 0.3
    np.testing.assert_allclose(above.path, below.path * [1, -1], atol=1e-3)


def test_the_action_of_the_pit_is_the_quasi_potential_of_chapter_1():
    model = two_datapoint()
    pit, saddle = stationary_points(model.mean_gradient, 0.9, 1.3)
    walk = of_draws(lambda x: model.gradients(x[:, 0])[..., None])
    found = minimum_action(walk, [pit], [saddle], n_pieces=200)
    exact = large_deviations.quasi_potential(model, pit, saddle)
    assert found.action == pytest.approx(exact, abs=3 * found.error)
    assert found.error < 2e-5
    middle = (found.path[1:, 0] + found.path[:-1, 0]) / 2
    tilt = large_deviations.tilt(model, middle)
    np.testing.assert_allclose(found.momenta[:, 0], tilt, rtol=1e-8)


def test_the_diffusion_with_the_same_moments_has_another_action():
    model = two_datapoint()
    pit, saddle = stationary_points(model.mean_gradient, 0.9, 1.3)

    def covariance(x):
        return model.gradient_variance(x[:, 0])[:, None, None]

    same_moments = of_diffusion(lambda x: -model.mean_gradient(x), covariance)
    found = minimum_action(same_moments, [pit], [saddle], n_pieces=200)
    exact = large_deviations.diffusion_exponent(model, pit, saddle)
    assert found.action == pytest.approx(exact, abs=3 * found.error)
    assert found.action < 0.7 * large_deviations.quasi_potential(model, pit, saddle)


def test_independent_coordinates_add_nothing_to_each_other():
    """Draws of x and of y that know nothing of each other: H is a sum."""
    model = two_datapoint()
    pit, saddle = stationary_points(model.mean_gradient, 0.9, 1.3)

    def gradients(x):
        first, second = model.gradients(x[:, 0]), model.gradients(x[:, 1])
        pairs = [(i, j) for i in range(2) for j in range(2)]
        return np.stack([np.stack([first[i], second[j]], axis=1) for i, j in pairs])

    bent = [[pit, pit], [(pit + saddle) / 2, pit + 0.01], [saddle, pit]]
    found = minimum_action(of_draws(gradients), [pit, pit], [saddle, pit], path=bent, n_pieces=40)
    exact = large_deviations.quasi_potential(model, pit, saddle)
    assert found.action == pytest.approx(exact, rel=2e-3)


@settings(max_examples=30, deadline=None)
@given(
    st.lists(st.floats(-3, 3), min_size=8, max_size=8),
    st.floats(0, 2 * np.pi),
)
def test_the_tilt_solves_its_equations(numbers, angle):
    g = np.array(numbers).reshape(4, 1, 2)
    g = np.concatenate([g, -g[:1] - 1, [[[5.0, 0.0]], [[-5.0, 1.0]], [[0.0, -5.0]], [[0.0, 5.0]]]])
    walk, x = of_draws(lambda x: g), np.zeros((1, 2))
    v = np.array([[np.cos(angle), np.sin(angle)]])
    p = momentum(walk, x, v)
    H, first, _ = walk.moments(x, p)
    assert abs(H[0]) < 1e-9
    # H_p is a positive multiple of v
    assert abs(first[0, 0] * v[0, 1] - first[0, 1] * v[0, 0]) < 1e-7 * np.linalg.norm(first)
    assert (first * v).sum() > 0


def test_the_error_falls_with_the_square_of_the_pieces():
    errors = [
        abs(minimum_action(rotating(1.0), [0, 0], [1, 0], n_pieces=n).error) for n in (40, 80)
    ]
    assert 3 < errors[0] / errors[1] < 5.5


def test_what_no_draw_can_do_is_said():
    one_side = of_draws(lambda x: np.stack([x * 0 + 1, x * 0 + 2]))
    with pytest.raises(ValueError, match="all draws lead to one side"):
        minimum_action(one_side, [0.0], [1.0])
    flat = of_draws(lambda x: np.stack([x, 2 * x]))
    with pytest.raises(ValueError, match="must span all 2 dimensions"):
        minimum_action(flat, [0.5, 0.5], [1.0, 0.0])
    with pytest.raises(ValueError, match="gradients must return"):
        minimum_action(of_draws(lambda x: x), [0.0], [1.0])
    with pytest.raises(ValueError, match="one for each of 2 gradients"):
        minimum_action(of_draws(lambda x: np.stack([x - 1, x + 1]), [1.0]), [0.0], [1.0])
    with pytest.raises(FloatingPointError, match="did not settle in 1 rounds"):
        minimum_action(rotating(2.0), [0, 0], [1, 0], rounds=1)
