"""Chapter 6, beyond the source: operators, what layers do, basins, pairs and their controls."""

import numpy as np
import pytest
from scipy.linalg import expm

from descent import influence
from descent.chapters.thermostats_and_lorenz import (
    basins,
    further,
    layer_maps,
    layers,
    numbers,
    operators,
    policy,
    policy_maps,
    zoo,
)
from descent.dynamics import complex_step
from descent.dynamics.tangent import Tangents, advance
from descent.systems import lorenz

# Op of operators


def test_slopes_by_singular_values_are_differences_of_exponents():
    rates = numbers.exponents(28.0)
    for A in numbers.VARIABLES:
        expected = rates.conditional[A][0] - rates.full[0, :2]
        for (found, error), value in zip(operators.slopes(A), expected, strict=False):
            assert abs(found - value) < 4 * error + 0.02
        volume, error = operators.slopes(A)[2]
        trace = {"a": -1 - 8 / 3, "b": -10 - 8 / 3, "c": -11}[A]
        assert abs(volume - (trace - numbers.PUBLISHED_EXPONENT)) < 4 * error + 0.002


def test_the_leading_direction_is_where_a_disturbance_turns():
    """A second way: carry any disturbance from far back, and see where it points."""
    found = operators.leading()
    start = found.pieces[0, 0][:, None]
    any_one = [Tangents((0, 1, 2), np.array([0.3, -0.5, 0.8])[:, None, None])]
    _, (later,) = advance(lorenz(), start, any_one, 0.0, 12.5)
    v = later.vectors[:, 0, 0] / np.linalg.norm(later.vectors)
    assert abs(v @ found.vector[250]) == pytest.approx(1.0, abs=1e-5)
    assert abs(v @ found.vector[240]) < 0.999  # a control: another place has another direction


def test_the_angle_is_a_share():
    found = operators.leading(40)
    shares = sum(np.sin(np.radians(found.angle(A))) ** 2 for A in numbers.VARIABLES)
    np.testing.assert_allclose(shares, 1.0, atol=1e-9)


def test_poles_are_those_of_a_finer_count():
    times = np.linspace(0.00125, operators.END, 9600)
    signs, _ = influence.slog_comp(lorenz(), numbers.FAR, times, "a", "b", "b", dt=0.01)
    assert operators.curves().poles == (np.diff(signs) != 0).sum()
    assert np.abs(np.diff(operators.curves().values, axis=0)).max() < 0.5


# What layers do


@pytest.fixture(scope="module")
def trained():
    """A network, disturbances of it and its data."""
    rng = np.random.default_rng(5)
    (train, held_out), w = layers.digits(rng), layers.network(rng)
    return w, layers.disturb(w, rng), train, held_out


def test_gradient_and_hessian_by_differences(trained):
    w, v, train, _ = trained
    flat = layers._flat(v)
    slopes, products = layers.gradient(w, train, flat)
    h = 1e-5
    up, down = (
        layers.gradient([m + s * h * d[7] for m, d in zip(w, flat, strict=True)], train)[0]
        for s in (1, -1)
    )
    for layer in range(layers.LAYERS):
        difference = (up[layer] - down[layer]) / (2 * h)
        np.testing.assert_allclose(products[layer][7], difference, atol=1e-9)
        moved = [m.copy() for m in w]
        moved[layer][3, 2] += h
        more = layers.loss(moved, train)
        moved[layer][3, 2] -= 2 * h
        slope = (more - layers.loss(moved, train)) / (2 * h)
        assert slope == pytest.approx(slopes[layer][3, 2], abs=1e-9)


def test_op_of_layers_is_that_of_three_trainings():
    """A second method: train W, X and Y with a small disturbance, and look at the outputs."""
    seed, steps, size = 3, 100, 1e-6
    rng = np.random.default_rng(seed)
    (train, held_out), w = layers.digits(rng), layers.network(rng)
    v = layers.disturb(w, rng)
    exact = layers.once(seed, 0)
    for layer in range(layers.LAYERS):
        apart = np.zeros((2, 2, layers.DIRECTIONS))
        for k in range(layers.DIRECTIONS):
            start = [m + size * d[0, layer, k] for m, d in zip(w, v, strict=True)]
            paths = [[m.copy() for m in w], start, [m.copy() for m in start]]
            for _ in range(steps):
                slopes = [layers.gradient(path, train)[0] for path in paths]
                slopes[2][layer] = slopes[0][layer]  # replayed
                paths = [
                    [m - layers.STEP * s for m, s in zip(path, slope, strict=True)]
                    for path, slope in zip(paths, slopes, strict=True)
                ]
            for i, data in enumerate((train, held_out)):
                outputs = [layers.forward(path, data.x)[0] for path in paths]
                for world in (0, 1):
                    apart[i, world, k] = ((outputs[world + 1] - outputs[0]) ** 2).sum()
        found = np.log(apart.mean(axis=2)[:, 1] / apart.mean(axis=2)[:, 0]) / 2
        place = layers.LAGS.index(steps) * layers.LAYERS + layer
        assert found[0] == pytest.approx(exact["outputs"][place], abs=1e-4)
        assert found[1] == pytest.approx(exact["held out"][place], abs=1e-4)


def test_derivatives_by_layer_make_the_outputs_move(trained):
    w, v, train, _ = trained
    parts = layers.derivatives(w, train)
    moved = layers.forward_moved(w, layers._flat(v), layers.forward(w, train.x)[1])[-1]
    one = sum(part @ own[0, 1, 2].ravel() for part, own in zip(parts, v, strict=True))
    place = np.ravel_multi_index((0, 1, 2), (2, layers.LAYERS, layers.DIRECTIONS))
    np.testing.assert_allclose(one, moved[place].ravel(), atol=1e-12)


@pytest.mark.parametrize(("seed", "grows"), [(5, True), (0, False)])
def test_layers_amplify_where_the_fastest_mode_has_outgrown_the_step(seed, grows):
    """The rival of the theorem's failing would be that two layers cannot move the outputs."""
    rng = np.random.default_rng(seed)
    (train, _), w = layers.digits(rng), layers.network(rng)
    for _ in range(1000):
        slopes, _ = layers.gradient(w, train)
        w = [own - layers.STEP * slope for own, slope in zip(w, slopes, strict=True)]
    parts = layers.derivatives(w, train)
    whole = np.concatenate(parts, axis=1)
    fastest = np.linalg.norm(whole, 2) ** 2 / len(train.x)
    assert (layers.STEP * fastest > 2) == grows
    found = layer_maps.maps()
    at = found.begins == 1000
    assert ((found.op["outputs"][seed, at, -1] < 0) == grows).all()
    for layer in range(layers.LAYERS):
        rest = np.concatenate(parts[:layer] + parts[layer + 1 :], axis=1)
        assert np.linalg.matrix_rank(rest) == len(rest)


def test_near_a_fit_the_kernel_knows_and_far_from_it_it_does_not():
    found = layer_maps.maps()
    measured = found.op["outputs"][:, :, -1]
    assert np.abs(found.kernel - measured)[:, -1].max() < 1e-3
    assert np.abs(found.kernel - measured)[:, 0].max() > 0.1
    assert found.loss[:, -1].max() < 1e-6
    assert found.positive("outputs", 30000) == 36
    assert found.positive("weights", 30000) == 0
    assert found.positive("outputs", 0) < 18


@pytest.mark.parametrize("momentum", [0.0, 0.5, 0.9])
def test_theorems_in_steps(momentum):
    slopes = layer_maps.slopes_in_steps(400, momentum, np.random.default_rng(7))
    assert slopes.weights.max() <= 1e-12
    assert slopes.outputs[slopes.slow].min() >= -1e-12
    assert slopes.outputs[~slopes.slow].min() < -0.01  # where the second one must fail


def _rate_of_decay(kernel, start):
    """Return the rate at which a disturbance of outputs dies, by its flow in small pieces."""
    step, now, size = expm(-0.5 * kernel), start / np.linalg.norm(start), 1.0
    for _ in range(2000):
        now = step @ now
        size = np.linalg.norm(now)
        now = now / size
    return -2 * np.log(size)


@pytest.mark.parametrize("weights", [1, 2, 3, 5])
def test_outputs_need_weights_enough_in_the_other_layers(weights):
    """A second way: with the draws of the function, flows in place of eigenvalues."""
    slopes = layer_maps.slopes_of_outputs(60, weights, np.random.default_rng(3))
    rng = np.random.default_rng(3)
    for slope in slopes[:10]:
        own, other = rng.standard_normal((3, 4)), rng.standard_normal((3, weights))
        # In coordinates of the image of `other`, from which Y does not stray.
        image = np.linalg.svd(other, full_matrices=False)[0]
        start = other @ np.ones(weights)
        in_x = _rate_of_decay(own @ own.T + other @ other.T, start)
        in_y = _rate_of_decay(image.T @ other @ other.T @ image, image.T @ start)
        assert slope == pytest.approx(in_x - in_y, abs=1e-3)
    if weights < 3:
        assert slopes.min() < -0.1
    else:
        assert slopes.min() > -1e-12


def test_rate_of_heavy_ball_by_iteration():
    for eigenvalue, step, momentum in ((0.3, 1.0, 0.5), (3.0, 1.0, 0.5), (-0.2, 0.5, 0.9)):
        before, now = 1.0, 1.0
        for _ in range(400):
            before, now = now, now - step * eigenvalue * now + momentum * (now - before)
        start = np.hypot(before, now)
        for _ in range(400):
            before, now = now, now - step * eigenvalue * now + momentum * (now - before)
        rate = np.log(np.hypot(before, now) / start) / 400
        assert float(layer_maps.log_rate(eigenvalue, step, momentum)) == pytest.approx(
            rate, abs=5e-3
        )


# Pairs, bands without width, basins


def test_pairs_decay_as_their_rest_alone():
    for row in further.pairs():
        assert row.at_rest[1] == pytest.approx(row.at_rest[0], abs=1e-5)
        predicted, (measured, error) = row.in_chaos
        assert abs(measured - predicted) < 4 * error
        assert error < 0.05
    alone = {row.rest: row.in_chaos[0] for row in further.pairs()}
    assert alone["a"] < alone["c"] < alone["b"]


def test_a_vanishing_band_is_the_sign_law():
    apart = [
        np.abs(further.removed(theta, dt) - further.sign_law(further.STARTS, 10.0)).mean()
        for theta, dt in further.BANDS
    ]
    assert apart == sorted(apart, reverse=True)
    assert apart[-1] < 0.005
    for theta, dt in further.BANDS:
        assert further.area(theta, dt) == pytest.approx(2 * (10 - dt), abs=1e-9)
    # A control: with steps that are too long the values are not those of the limit.
    assert np.abs(further.removed(0.01, 0.02) - further.sign_law(further.STARTS, 10.0)).mean() > 0.3


def test_share_of_directions_by_counting():
    rng = np.random.default_rng(2)
    x, y = rng.normal(size=(2, 40, 2, 2))
    angle = np.linspace(0, np.pi, 20001)[:-1]
    v = np.stack([np.cos(angle), np.sin(angle)])
    counted = (np.linalg.norm(y @ v, axis=1) > np.linalg.norm(x @ v, axis=1)).mean(axis=1)
    found = basins.share_of_directions(x, y)
    np.testing.assert_allclose(found, counted, atol=2e-4)
    assert (found == 0).any()
    assert (found == 1).any()
    assert ((found > 0.05) & (found < 0.95)).any()


def test_share_of_a_start_by_op_along_directions():
    """The same from Op itself, one direction after another, by the library's own steps."""
    start, rho = np.array([10.0, -12.0, 14.0]), 15.0
    hits = []
    for angle in np.linspace(0, np.pi, 41)[:-1]:
        v = np.array([np.cos(angle), np.sin(angle), 0.0])
        worlds = [
            Tangents((0, 1, 2), v[:, None, None]),
            Tangents((0, 1), v[:2, None, None]),
        ]
        _, moved = advance(lorenz(rho=rho), start[:, None], worlds, 0.0, basins.TIME)
        squares = [np.linalg.norm(world.vectors) for world in moved]
        hits.append(squares[1] > squares[0])
    share = basins.share_at(start[:, None], rho, "c")[0]
    assert 0.02 < share < 0.98
    assert np.mean(hits) == pytest.approx(share, abs=1 / 20)


def test_amounts_settle_without_poles_and_not_with_them():
    smooth = basins.amounts((400, 800, 1600), *basins.QUIET)
    assert abs(smooth[2] - smooth[1]) < 0.3 * abs(smooth[1] - smooth[0])
    rough = basins.amounts((400, 800, 1600), *basins.POLES)
    assert np.ptp(rough) > 100


# The cart-pole


@pytest.mark.parametrize("shape", [(5,), (5, 1), (5, 7)])
def test_shifts_beside_each_other_make_the_jacobian_of_one_after_another(shape):
    system = zoo.cart_pole().system
    state = np.random.default_rng(1).normal(size=shape)
    found, expected = system.jacobian(state, 0.0), complex_step(system.step)(state, 0.0)
    assert found.shape == expected.shape == (5, *shape)
    np.testing.assert_allclose(found, expected, rtol=1e-14, atol=1e-15)


def test_carts_are_pushed_side_by_side_as_alone():
    states = np.random.default_rng(2).normal(size=(5, 7))
    together = np.array(zoo.held_force(states, 0.02))
    alone = np.array([zoo.held_force(state, 0.02) for state in states.T]).T
    np.testing.assert_allclose(together, alone, rtol=1e-14)
    np.testing.assert_array_equal(together[4], states[4])  # the force is held


# A trained agent


@pytest.fixture(scope="module")
def held_up():
    """A policy by hand: the linear regulator of the zoo, through neurons that hardly bend."""
    pole = zoo.cart_pole()
    gain = pole.closed[4] @ np.linalg.pinv(np.vstack([pole.closed[:4]]))
    w = np.zeros(policy.SIZE)
    small = 1e-3
    w[:4] = small * gain[:4] / policy.STRENGTH
    w[5 * policy.HIDDEN] = 1 / small
    return w


def test_a_policy_that_is_the_regulator_has_its_rates(held_up):
    pole = zoo.cart_pole()
    expected = zoo.growth_rate(pole.open, 0.02) - zoo.growth_rate(pole.closed, 0.02)
    assert policy.predicted(held_up) == pytest.approx(expected, abs=0.05)


def test_op_of_a_policy_is_that_of_three_runs(held_up):
    first = np.array([0.1, 0.0, 0.1, 0.0, 0.0])
    first[4] = policy.force(held_up, first[:4])
    moved, size = policy.system(held_up), 1e-6
    w, x, y = first, first + size * np.eye(5)[2], first + size * np.eye(5)[2]
    for _ in range(100):
        w, x, y = (np.array(moved.step(state, 0.0)) for state in (w, x, y))
        y[4] = w[4]  # replayed
    by_runs = -np.log(abs((x - w)[2] / (y - w)[2]))
    op = influence.op(moved, first, [2.0], "force", "angle", "angle")[0]
    assert op == pytest.approx(by_runs, abs=1e-3)


def test_policies_are_run_side_by_side():
    rng = np.random.default_rng(0)
    w, first = rng.standard_normal((policy.SIZE, 3)) / 3, policy.starts(4, rng)
    together = policy.cost(w, first)
    alone = [policy.cost(w[:, k : k + 1], first)[0] for k in range(3)]
    np.testing.assert_allclose(together, alone, atol=1e-12)


def test_a_policy_that_reads_another_place_goes_there(held_up):
    """The set point of a policy is in what it reads, wherever the floor is."""
    shifted = held_up.copy()
    shifted[4 * policy.HIDDEN] -= 0.2 * shifted[0]
    rest = policy.resting(shifted)
    assert rest is not None
    assert rest[0] == pytest.approx(0.2, abs=1e-6)


def test_learning_raises_op_to_the_prediction():
    found = policy_maps.learning()
    assert policy_maps.GENERATIONS == policy.GENERATIONS
    assert (np.median(found.op, axis=0)[-1] - np.median(found.op, axis=0)[0]) > 10
    off = np.abs(found.slope / found.predicted - 1)
    assert np.nanmedian(off[:, -1]) < 0.1
    assert np.nanmedian(np.abs(found.slope[:, 0])) < 1.0  # a control: nothing is learned yet
