"""Relations of landscapes, of noise on a lattice, and of smoothed objectives and climbs."""

import numpy as np
import pytest
import torch
from of_chains import LARGE, UNIT, WELLS
from relation import relation, same

from descent import landscapes, perlin, smoothing
from descent.landscapes import FINITE_SUMS, FiniteSum
from descent.smoothing import ascent

POINTS = np.random.default_rng(0).uniform(-2, 2, (7, 2))
W = np.linspace(-1.0, 4.0, 23)


@relation(
    "landscapes.ackley",
    "landscapes.griewank",
    "landscapes.rastrigin",
    "landscapes.sphere",
    "landscapes.six_hump_camel",
)
def these_objectives_are_their_mirror_images():
    for name in ("ackley", "griewank", "rastrigin", "sphere", "six_hump_camel"):
        f = getattr(landscapes, name)
        same(f(-POINTS), f(POINTS), rtol=1e-12)
        same(f(np.array([f_points for f_points in POINTS[::-1]])), f(POINTS)[::-1], rtol=0)
        tensors = f(torch.as_tensor(POINTS, dtype=torch.float32)).numpy()
        same(tensors, f(POINTS), rtol=1e-4, atol=1e-5)


@relation("landscapes.himmelblau", "landscapes.rosenbrock", "landscapes.qubic_1d")
def these_objectives_are_invariant_sums_of_squares_or_tilted():
    x, y = POINTS.T
    same(landscapes.himmelblau(POINTS), (x**2 + y - 11) ** 2 + (x + y**2 - 7) ** 2)
    both = landscapes.rosenbrock(np.stack([x, y], 1)) - landscapes.rosenbrock(np.stack([-x, y], 1))
    same(both, -4 * x)
    tilt = landscapes.qubic_1d(x[:, None]) - landscapes.qubic_1d(-x[:, None])
    odd = tilt / x  # of a quartic with a tilt it is the same everywhere
    same(odd, np.full_like(odd, odd[0]), rtol=1e-9)


@relation("landscapes.Shifted", "landscapes.Objective.check_dimension")
def shifts_add():
    once = landscapes.Shifted(landscapes.ackley, [0.5, -0.25])
    twice = landscapes.Shifted(once, [0.25, 0.25])
    same(twice(POINTS), landscapes.ackley(POINTS - [0.75, 0.0]))
    for objective in (landscapes.six_hump_camel, landscapes.Shifted(landscapes.six_hump_camel, 1)):
        objective.check_dimension(2)
        with pytest.raises(ValueError, match="got d = 3"):
            objective.check_dimension(3)


@relation("landscapes.sinc", "landscapes.floored_sinc")
def the_peak_is_its_mirror_image_and_the_staircase_a_peak_with_a_wave():
    x = np.linspace(-12, 12, 40)
    peak = landscapes.sinc(x)
    same(landscapes.sinc(-x), peak)
    same(landscapes.floored_sinc(x), np.floor(10 * peak + 4 * np.sin(x)), rtol=0)


@relation(
    "landscapes.FiniteSum",
    "landscapes.FiniteSum.average",
    "landscapes.FiniteSum.loss",
    "landscapes.FiniteSum.mean_gradient",
    "landscapes.FiniteSum.mean_curvature",
    "landscapes.FiniteSum.gradient_variance",
    "landscapes.two_datapoint",
)
def a_finite_sum_changes_its_unit_and_counts_its_samples():
    assert landscapes.two_datapoint(1.0).n_samples == WELLS.n_samples
    twice = FiniteSum(
        losses=lambda w: WELLS.losses(w)[[1, 0, 1]],
        gradients=lambda w: WELLS.gradients(w)[[1, 0, 1]],
        curvatures=lambda w: WELLS.curvatures(w)[[1, 0, 1]],
        weights=[1.0, 2.0, 1.0],
    )
    for name, power in (
        ("loss", 0),
        ("mean_gradient", -1),
        ("mean_curvature", -2),
        ("gradient_variance", -2),
    ):
        plain = getattr(WELLS, name)(W)
        same(getattr(LARGE, name)(UNIT * W), UNIT**power * plain, atol=1e-14)
        same(getattr(twice, name)(W), plain, atol=1e-14)
    values = np.arange(6.0).reshape(2, 3) + 1
    same(WELLS.average(values[::-1]), WELLS.average(values))
    same(WELLS.average(4 * values), values.sum(axis=0) * 2)


@relation(*(f"landscapes.{name}" for name in FINITE_SUMS))
def the_order_of_its_samples_is_nothing_to_a_finite_sum():
    for model in (getattr(landscapes, name)() for name in FINITE_SUMS):
        turned = FiniteSum(
            losses=lambda w, model=model: model.losses(w)[::-1],
            gradients=lambda w, model=model: model.gradients(w)[::-1],
            curvatures=lambda w, model=model: model.curvatures(w)[::-1],
        )
        for name in ("loss", "mean_gradient", "mean_curvature", "gradient_variance"):
            same(getattr(turned, name)(W), getattr(model, name)(W), atol=1e-14)
        h = 1e-5
        slope, size = (model.loss(W + h) - model.loss(W - h)) / (2 * h), abs(model.mean_gradient(W))
        same(slope, model.mean_gradient(W), rtol=1e-5, atol=1e-6 * size.max())


@relation("landscapes.FiniteSum.batches")
def batches_of_pairs_of_pairs_are_batches_of_four():
    pairs, four = WELLS.batches(2).batches(2), WELLS.batches(4)
    same(pairs.gradient_variance(W), four.gradient_variance(W), atol=1e-14)
    same(pairs.mean_gradient(W), WELLS.mean_gradient(W), atol=1e-14)


@relation("landscapes.stationary_points")
def zeros_scale_and_mirror():
    plain = landscapes.stationary_points(WELLS.mean_gradient, 0.0, 3.0)
    large = landscapes.stationary_points(LARGE.mean_gradient, 0.0, 3.0 * UNIT)
    mirror = landscapes.stationary_points(lambda w: WELLS.mean_gradient(-w), -3.0, 0.0)
    assert len(plain) == 3
    same(large, UNIT * plain, rtol=1e-9)
    same(-mirror[::-1], plain, rtol=1e-9)


# Noise on a lattice


def noise(seed=0):
    return perlin.random_layers(3, 4, 2, np.random.default_rng(seed))


@relation(
    "perlin.Perlin",
    "perlin.Perlin.value",
    "perlin.Perlin.gradient",
    "perlin.Perlin.hessian",
    "perlin.Perlin.value_and_gradient",
    "perlin.Perlin.each",
    "perlin.Perlin.layers",
    "perlin.random_layers",
)
def noise_is_periodic_and_its_layers_are_independent_of_each_other():
    layers, period = noise(), 4.0
    at = [(layers.value, -1), (layers.gradient, -2), (layers.hessian, -3)]
    for part, axis in at:
        plain = part(POINTS)
        same(part(POINTS + np.array([period, -2 * period])), plain, atol=1e-9)
        second = getattr(layers.layers(slice(1, 2)), part.__name__)(POINTS)
        same(second, np.take(plain, [1], axis=axis), atol=1e-12)
    value, slope = layers.value_and_gradient(POINTS)
    same(value, layers.value(POINTS))
    same(slope, layers.gradient(POINTS))
    h = 1e-5
    steps = [(layers.value(POINTS + d) - layers.value(POINTS - d)) / (2 * h) for d in h * np.eye(2)]
    same(np.stack(steps, axis=-1), slope, atol=1e-7)
    value, slope = layers.each(POINTS[:3])
    same(value, np.diag(layers.value(POINTS[:3])))
    same(value, layers.each(POINTS[:3] + period)[0], atol=1e-9)
    same(slope, np.stack([layers.gradient(POINTS[i])[i] for i in range(3)]))
    same(noise().value(POINTS), value_of_the_first_layers(), rtol=0)


def value_of_the_first_layers():
    rng = np.random.default_rng(0)
    return perlin.random_layers(3, 4, 2, rng).value(POINTS)


@relation("perlin.fade")
def a_fade_out_is_a_fade_in_backwards():
    t = np.linspace(0, 1, 17)
    forth, back = perlin.fade(t), perlin.fade(1 - t)
    same(back[0], 1 - forth[0], atol=1e-14)
    same(back[1], forth[1], atol=1e-13)
    same(back[2], -forth[2], atol=1e-12)


@relation("perlin.aligned_layers", "perlin.global_minima")
def aligned_layers_have_their_lowest_points_at_zero():
    layers = perlin.aligned_layers(3, 4, 2, np.random.default_rng(0))
    same(layers.value(np.zeros(2)), np.zeros(3), atol=1e-9)
    same(layers.value(np.full(2, 8.0)), np.zeros(3), atol=1e-9)
    assert (layers.value(POINTS + 0.1) > 0).all()
    plain, alone = perlin.global_minima(noise()), perlin.global_minima(noise().layers(slice(0, 1)))
    same(plain[:1], alone, atol=1e-6)
    here = np.diag(noise().value(plain))
    assert (here <= noise().value(POINTS).min(axis=0) + 1e-9).all()


# Smoothing


SIGMA = np.array([0.3, 1.0, 4.0])[:, None]
X = np.linspace(-7.0, 7.0, 15)


@relation(
    "smoothing.smoothed_sinc",
    "smoothing.smoothed_sinc_faddeeva",
    "smoothing.smoothed_floored_sinc",
    "smoothing.smooth",
)
def smoothed_peaks_are_the_averages_of_their_values():
    for closed, f in (
        (smoothing.smoothed_sinc, landscapes.sinc),
        (smoothing.smoothed_floored_sinc, landscapes.floored_sinc),
    ):
        same(smoothing.smooth(f)(X, SIGMA), closed(X, SIGMA), atol=1e-6)
    value, dx, dsigma = smoothing.smoothed_sinc(X, SIGMA)
    same(smoothing.smoothed_sinc(-X, SIGMA), (value, -dx, dsigma), atol=1e-12)
    same(smoothing.smoothed_sinc_faddeeva(-X, SIGMA), value, atol=1e-12)
    # A smoothed Gaussian is wider by the variance; a smoothed smoothed f by both.
    once, s = smoothing.smooth(lambda x: np.exp(-(x**2) / 2)), 0.75
    width = 1 + s**2
    same(once(X, s).value, np.exp(-(X**2) / (2 * width)) / np.sqrt(width), atol=1e-8)
    scaled = smoothing.smooth(lambda x: 1e30 * np.exp(-(x**2) / 2))
    same(scaled(X, s).value, 1e30 * once(X, s).value, rtol=1e-7, atol=1e21)


@relation("smoothing.smoothed_steps")
def smoothed_steps_scale_and_add():
    def steps(x, sigma, a=1.0, heights=(1.0, -2.0, 0.5), left=0.25):
        return smoothing.smoothed_steps(x, sigma, a * np.array([-1.0, 0.0, 2.0]), heights, left)

    value, dx, dsigma = steps(X, SIGMA)
    same(steps(UNIT * X, UNIT * SIGMA, UNIT), (value, dx / UNIT, dsigma / UNIT), atol=1e-14)
    parts = [
        steps(X, SIGMA, heights=np.diag(h)[i], left=0) for i, h in enumerate([(1, -2, 0.5)] * 3)
    ]
    same(sum(np.array(part) for part in parts)[1:], [dx, dsigma], atol=1e-14)
    same(sum(part[0] for part in parts) + 0.25, value, atol=1e-14)


@relation("smoothing.ascent.ascend", "smoothing.ascent.graduated_ascent")
def climbs_mirror_and_do_not_see_the_scale_of_the_objective():
    starts = np.array([2.0, 9.0])

    def scaled(factor):
        return lambda x, sigma: tuple(factor * part for part in smoothing.smoothed_sinc(x, sigma))

    def climb(factor, x):
        return ascent.ascend(scaled(factor), x, 0.5).x

    def by_schedule(factor, x):
        return ascent.graduated_ascent(scaled(factor), x, [2.0, 0.5]).x

    for way in (climb, by_schedule):
        plain = way(1.0, starts)
        same(way(1.0, -starts), -plain, atol=1e-5)
        for factor in (1e-30, 1e30):
            same(way(factor, starts), plain, atol=1e-5)
