"""Perlin noise by its defining properties, and beside another implementation."""

import itertools

import numpy as np
import perlin_noise
import pytest
from hypothesis import given
from hypothesis import strategies as st

from descent import perlin
from descent.perlin import Perlin, aligned_layers, random_layers

SHAPES = [(1, 16), (2, 6), (3, 4), (4, 3)]


def layers(dimension, cells, n_layers=3, seed=0):
    return random_layers(n_layers, cells, dimension, np.random.default_rng(seed))


def points(dimension, cells, n=50, seed=1):
    return np.random.default_rng(seed).uniform(-cells, 2 * cells, (n, dimension))


def difference(function, x, h):
    """Central differences of a function along each axis, stacked last."""
    steps = h * np.eye(x.shape[-1])
    return np.stack([(function(x + s) - function(x - s)) / (2 * h) for s in steps], axis=-1)


@pytest.mark.parametrize(("dimension", "cells"), SHAPES)
def test_zero_on_the_lattice_with_the_lattices_gradients(dimension, cells):
    noise = layers(dimension, cells)
    lattice = np.stack(np.meshgrid(*[np.arange(cells)] * dimension, indexing="ij"), axis=-1)
    np.testing.assert_array_equal(noise.value(lattice), 0)
    np.testing.assert_array_equal(np.moveaxis(noise.gradient(lattice), -2, 0), noise.lattice)


@pytest.mark.parametrize(("dimension", "cells"), SHAPES)
def test_derivatives_are_those_of_the_value(dimension, cells):
    noise, x = layers(dimension, cells), points(dimension, cells)
    x = np.floor(x) + 0.05 + 0.9 * (x % 1)  # no difference reaches across a wall between cells
    errors = []
    for h in (1e-2, 1e-3):
        first = np.abs(difference(noise.value, x, h) - noise.gradient(x)).max()
        second = np.abs(difference(noise.gradient, x, h) - noise.hessian(x)).max()
        errors.append([first, second])
    np.testing.assert_allclose(errors[0], 100 * np.array(errors[1]), rtol=0.05)
    assert max(errors[1]) < 1e-2


@pytest.mark.parametrize(("dimension", "cells"), SHAPES)
def test_periodic_and_twice_continuously_differentiable(dimension, cells):
    noise, x = layers(dimension, cells), points(dimension, cells)
    for derivative in (noise.value, noise.gradient, noise.hessian):
        np.testing.assert_allclose(derivative(x + cells), derivative(x), atol=1e-9)
        face = np.round(x[:, :1]) + np.zeros_like(x)
        inside = x.copy()
        inside[:, 0] = face[:, 0]  # on a wall between cells
        for side in (-1e-9, 1e-9):
            shifted = inside + side * np.eye(dimension)[0]
            np.testing.assert_allclose(derivative(shifted), derivative(inside), atol=1e-6)


@pytest.mark.parametrize("cells", [3, 4, 7])
@pytest.mark.parametrize("far", [1e3, 2.0**41, 1e15, 1e20, -1e20, 1e300])
def test_far_away_the_noise_is_the_same(cells, far):
    """A remainder is exact, so the value is that of the very number that came."""
    noise = layers(2, cells)
    x = far + np.array([[0.3, -0.7], [0.5, 0.25]])
    for part in (noise.value, noise.gradient, noise.hessian):
        np.testing.assert_allclose(part(x), part(np.fmod(x, cells)), rtol=1e-9, atol=1e-9)
    each = np.broadcast_to(x[:, None, :], (2, 3, 2))
    np.testing.assert_array_equal(noise.each(each)[0], noise.value(x))


def test_a_cubic_fade_would_have_a_jump_in_its_curvature():
    """The negative control: 3t² - 2t³ has the second derivative 6 at 0, the quintic has 0."""
    assert perlin.fade(np.array(0.0))[2] == perlin.fade(np.array(1.0))[2] == 0
    assert 6 - 12 * 0 != 0


def test_fade_runs_from_zero_to_one_and_its_derivatives_are_its_own():
    t = np.linspace(0, 1, 101)
    value, first, second = perlin.fade(t)
    assert value[0] == 0
    assert value[-1] == 1
    np.testing.assert_allclose(value + value[::-1], 1, atol=1e-14)
    np.testing.assert_allclose(np.gradient(value, t)[1:-1], first[1:-1], atol=1e-3)
    np.testing.assert_allclose(np.gradient(first, t)[1:-1], second[1:-1], atol=1e-2)


@pytest.mark.parametrize("dimension", [1, 2, 3])
def test_agrees_with_the_perlin_noise_package_for_the_same_lattice_gradients(dimension):
    """That package is written out corner by corner, and repeats with tile_sizes."""
    peer, cells = perlin_noise.PerlinNoise(octaves=1, seed=5), 4
    lattice = np.zeros((1, *(cells,) * dimension, dimension))
    for corner in itertools.product(range(cells), repeat=dimension):
        vector = peer.get_from_cache_of_create_new(corner, (cells,) * dimension)
        lattice[(0, *corner)] = vector.vec
    ours = Perlin(lattice, np.zeros((1, dimension)), np.zeros(1))
    x = points(dimension, cells, n=40)
    theirs = [peer(list(map(float, row)), [cells] * dimension) for row in x]
    np.testing.assert_allclose(ours.value(x)[:, 0], theirs, atol=1e-12)


def test_agrees_with_the_formula_written_out_in_one_dimension():
    noise = layers(1, 8, n_layers=1)
    x = np.random.default_rng(0).uniform(0, 7, 100)
    k, t = np.floor(x).astype(int), x % 1
    left, right = noise.lattice[0, k, 0] * t, noise.lattice[0, k + 1, 0] * (t - 1)
    expected = left + (6 * t**5 - 15 * t**4 + 10 * t**3) * (right - left)
    np.testing.assert_allclose(noise.value(x[:, None])[:, 0], expected, atol=1e-13)


@pytest.mark.parametrize(("dimension", "cells"), [(1, 32), (2, 5), (3, 3)])
def test_aligned_layers_share_their_global_minimum(dimension, cells):
    noise = aligned_layers(4, cells, dimension, np.random.default_rng(2))
    origin = np.zeros(dimension)
    np.testing.assert_allclose(noise.value(origin), 0, atol=1e-12)
    np.testing.assert_allclose(noise.gradient(origin), 0, atol=1e-9)
    assert (np.linalg.eigvalsh(noise.hessian(origin)) > 0).all()
    x = np.random.default_rng(3).uniform(0, cells, (20_000, dimension))
    assert (noise.value(x) > 0).all()


def test_minima_do_not_depend_on_the_spacing_of_the_scan():
    raw = random_layers(6, 5, 2, np.random.default_rng(4))
    coarse, fine = (perlin.global_minima(raw, per_cell) for per_cell in (8, 31))
    np.testing.assert_allclose(coarse, fine, atol=1e-9)
    assert np.abs(coarse * 8 - np.round(coarse * 8)).max() > 1e-3  # not on the scan's points


def test_layers_are_independent_of_how_many_are_drawn_after_them():
    few, many = (random_layers(m, 4, 2, np.random.default_rng(0)) for m in (2, 5))
    np.testing.assert_array_equal(many.layers(slice(0, 2)).lattice, few.lattice)


@given(seed=st.integers(0, 1000))
def test_same_seed_same_layers(seed):
    one, two = (aligned_layers(2, 4, 1, np.random.default_rng(seed)) for _ in range(2))
    x = np.linspace(-2, 2, 7)[:, None]
    np.testing.assert_array_equal(one.value(x), two.value(x))


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda: layers(0, 4), ValueError, "dimension"),
        (lambda: layers(1, 1), ValueError, "cells"),
        (lambda: layers(1, 4, n_layers=0), ValueError, "n_layers"),
        (lambda: layers(1, 4.0), TypeError, "cells"),
        (lambda: layers(2, 4).value(np.zeros(3)), ValueError, "2 coordinates"),
        (lambda: Perlin(np.zeros((1, 3, 4, 2)), np.zeros((1, 2)), np.zeros(1)), ValueError, "latt"),
        (lambda: Perlin(np.zeros((1, 4, 1)), np.zeros((2, 1)), np.zeros(1)), ValueError, "offsets"),
        (
            lambda: Perlin(np.full((1, 4, 1), np.nan), np.zeros((1, 1)), np.zeros(1)),
            ValueError,
            "finite",
        ),
    ],
)
def test_bad_input_is_named(call, error, message):
    with pytest.raises(error, match=message):
        call()
