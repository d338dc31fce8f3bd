"""What the figures and claims of chapter 9 rest on."""

import numpy as np
import pytest

from descent import aggregation
from descent.chapters.symphonic_losses import dynamics, numbers, race
from descent.perlin import aligned_layers


@pytest.mark.parametrize("dimension", [1, 2])
def test_minima_of_a_cosine_are_counted(dimension):
    axis = 2 * np.pi * np.arange(24) / 24
    surface = np.cos(3 * axis) if dimension == 1 else np.cos(2 * axis)[:, None] + np.cos(3 * axis)
    assert numbers.minima(surface).sum() == (3 if dimension == 1 else 6)
    assert numbers.minima(np.zeros_like(surface)).sum() == 0


def test_stuck_points_are_the_minima_of_a_potential():
    axis = 2 * np.pi * (np.arange(600) + 0.5) / 600
    caught = numbers.stuck_points(-5 * np.sin(5 * axis))  # the gradient of cos 5x
    assert caught.sum() == 5
    np.testing.assert_allclose(np.cos(5 * axis[caught]), -1, atol=1e-2)


@pytest.mark.parametrize("rule", numbers.RULES)
def test_composites_of_equal_layers_are_the_layer(rule):
    layers = aligned_layers(1, 6, 2, np.random.default_rng(0))
    value, gradient = layers.value_and_gradient(numbers.grid(6, 7, 2) + 0.1)
    value, gradient = np.repeat(value, 3, axis=-1), np.repeat(gradient, 3, axis=-2)
    np.testing.assert_allclose(numbers.composite(rule, value, gradient), value[..., 0], rtol=1e-12)
    np.testing.assert_allclose(numbers.field(rule, gradient), gradient[..., 0, :], rtol=1e-12)


def test_field_and_composite_are_weighted_by_the_lengths_of_the_gradients():
    rng = np.random.default_rng(1)
    value, gradient = rng.standard_normal((50, 4)), rng.standard_normal((50, 4, 2))
    length = np.linalg.norm(gradient, axis=-1)
    by_hand = {
        "equal_sum": np.full((50, 4), 0.25),
        "largest_gradient": length == length.max(axis=-1, keepdims=True),
        "gradient_norm": length / length.sum(axis=-1, keepdims=True),
    }
    assert set(by_hand) == set(numbers.RULES) < set(aggregation.RULES)
    for rule, w in by_hand.items():
        direction = np.einsum("nm,nmd->nd", w, gradient)
        np.testing.assert_allclose(numbers.field(rule, gradient), direction, rtol=1e-12, atol=1e-15)
        surface = numbers.composite(rule, value, gradient)
        np.testing.assert_allclose(surface, (w * value).sum(axis=-1), rtol=1e-12, atol=1e-15)


def test_variances_are_those_of_the_noise():
    rng, phase = np.random.default_rng(0), np.array([0.0, 0.3, 0.5, 0.8])
    layers = numbers.random_layers(20_000, 2, 1, rng)
    x = phase[:, None]
    first = layers.gradient(x)[..., 0]
    second = layers.hessian(x)[..., 0, 0]
    sampled = np.stack([first.var(axis=1), second.var(axis=1), (first * second).mean(axis=1)])
    expected = numbers.variances(phase)
    np.testing.assert_allclose(sampled, expected, atol=0.05 * expected.max())


def test_rice_for_one_layer_is_three_quarters_and_for_many_the_stationary_formula():
    assert numbers.rice_layers([0.0]) == pytest.approx(0.75, abs=1e-5)
    assert numbers.rice_layers([0.4]) == pytest.approx(0.75, abs=1e-5)
    spread = np.arange(64) / 64  # phases that fill the cell evenly
    assert numbers.rice_layers(spread) == pytest.approx(numbers.rice_sum(), rel=1e-6)


def test_rice_agrees_with_counting_and_the_number_of_layers_cancels():
    for m, expected in ((1, 0.75), (12, numbers.rice_sum())):
        counted = numbers.sum_density(m, n_landscapes=15)
        assert abs(counted.value - expected) < 4 * counted.error
        assert counted.error < 0.01


def test_the_mean_determinant_is_the_closed_form_for_isotropic_fields():
    """Longuet-Higgins: density E (Δf)² / (8π√3 E|∇f|²)."""
    for scale in (1e-6, 1.0, 7.0):
        found = numbers.mean_determinant(scale * np.array([[3.0, 1, 0], [1, 3, 0], [0, 0, 1]]))
        assert found == pytest.approx(scale / np.sqrt(3), rel=1e-13)


@pytest.mark.parametrize("seed", [None, 0, 1])
def test_the_mean_determinant_is_that_of_a_sample_and_has_converged(seed):
    covariance = numbers.plane_covariances()[1]
    if seed is not None:  # any other field
        root = np.eye(3) + 0.4 * np.random.default_rng(seed).standard_normal((3, 3))
        covariance = root @ root.T
    exact = numbers.mean_determinant(covariance)
    assert numbers.mean_determinant(covariance, 200) == pytest.approx(exact, rel=1e-9)
    a, b, c = np.random.default_rng(5).multivariate_normal(np.zeros(3), covariance, 400_000).T
    determinant = a * b - c * c
    sample = np.where((determinant > 0) & (a > 0), determinant, 0)
    error = sample.std() / np.sqrt(len(sample))
    assert abs(sample.mean() - exact) < 4 * error
    assert error < 0.01 * exact


def test_rice_in_the_plane_is_exact():
    """The covariances are rational; the density is .58708, by a quadrature of its own, too."""
    first, second = numbers.plane_covariances()
    for ours, finer in zip((first, second), numbers.plane_covariances(40), strict=True):
        np.testing.assert_allclose(ours, finer, rtol=1e-12, atol=1e-13)
    layers = numbers.random_layers(4000, 2, 2, np.random.default_rng(0))
    x = numbers.grid(1, 6, 2).reshape(-1, 2) + 0.5 + 1 / 12  # the middles of 36 squares
    sampled = np.einsum("nmi,nmj->ij", *[layers.gradient(x)] * 2) / layers.n_layers / len(x)
    np.testing.assert_allclose(sampled, first, atol=0.03)
    assert numbers.rice_plane() == pytest.approx(0.587077477282, abs=1e-11)


def test_normal_slopes_make_the_noise_gaussian_and_unit_slopes_do_not():
    normal, unit = numbers.kurtosis_of_layer(True), numbers.kurtosis_of_layer(False)
    assert abs(normal.value) < 4 * normal.error
    assert unit.value < -10 * unit.error


def test_common_minima_follow_the_power_and_stuck_points_do_not():
    boxes = numbers.box_counts(n_landscapes=8)
    for m in (2, 3):
        n = 8 * 512
        error = np.sqrt(boxes.expected[m - 1] / n)
        assert abs(boxes.common[m - 1] - boxes.expected[m - 1]) < 5 * error
    for stuck in boxes.stuck.values():
        assert (stuck > 0.9 * stuck[0]).all()


@pytest.mark.parametrize("name", ["perlin", "ripples"])
def test_problems_share_their_minimum_and_their_gradients_are_exact(name):
    problem, d = race.problem(name, 3, (0, 1)), race.DIMENSION[name]
    value, gradient = problem.value_and_gradient(np.zeros((2, d)))
    assert value.shape == (2, 3)
    np.testing.assert_allclose(value, 0, atol=1e-12)
    np.testing.assert_allclose(gradient, 0, atol=1e-9)
    x = np.random.default_rng(0).uniform(-2, 2, (5, 2, d))
    value, gradient = problem.value_and_gradient(x)
    assert (value > 0).all()
    for k, step in enumerate(1e-6 * np.eye(d)):
        up, down = (problem.value_and_gradient(x + s)[0] for s in (step, -step))
        np.testing.assert_allclose((up - down) / 2e-6, gradient[..., k], atol=1e-6)


def test_a_stack_of_landscapes_is_each_of_them():
    stack = race.problem("perlin", 2, (3, 4))
    alone = race.problem("perlin", 2, (4,))
    x = np.random.default_rng(0).uniform(-2, 2, (6, 2, 2))
    np.testing.assert_allclose(
        stack.value_and_gradient(x)[0][:, 1], alone.value_and_gradient(x[:, 1:])[0][:, 0]
    )


def test_success_is_counted_at_the_shared_minimum_on_the_torus():
    at = np.array([[0.0, 0.0], [4.0, -4.0], [0.2, 0.0]])
    np.testing.assert_array_equal(race.distance("perlin", at) < race.RADIUS, [True, True, False])
    assert race.distance("ripples", np.full(10, 4.0)) > 1


def test_equal_sum_finds_the_minimum_from_its_basin_and_not_with_a_step_beyond_two_over_h():
    layers = aligned_layers(4, 4, 2, np.random.default_rng(0))
    largest = np.linalg.eigvalsh(layers.hessian(np.zeros(2)).mean(axis=0)).max()
    for factor, stays in ((0.5, True), (1.1, False)):
        start = np.array([0.01, 0.01])
        path = race.walk(layers, aggregation.equal_sum, start, factor * 2 / largest, 300, None)
        assert (race.distance("perlin", path.x[-1]) < 1e-3) == stays


def test_the_noise_goes_on_arriving_and_the_sum_does_not():
    budgets = (50, 200, 800)
    noisy = race.arrivals(8, "random_alternation", 0.2, (100, 101, 102), budgets)
    calm = race.arrivals(8, "equal_sum", 0.05, (100, 101, 102), budgets)
    assert noisy[2] > noisy[0] + 0.1
    assert calm[2] == calm[1]


def test_alternation_is_drawn_in_where_the_exponent_is_negative():
    layers = aligned_layers(8, 16, 1, np.random.default_rng(1))
    curvatures = layers.hessian(np.zeros(1))[:, 0, 0]
    for eta, sign in ((0.15, -1), (0.6, 1)):
        (exponent,) = dynamics.growth_rate(curvatures, np.array([eta]))
        assert np.sign(exponent) == sign
        start, rng = np.full((400, 1), 1e-8), np.random.default_rng(0)
        ends = race.walk(layers, aggregation.random_alternation, start, eta, 8, rng).x[-1]
        growth = np.log(np.abs(ends) / 1e-8).mean() / 8
        assert growth == pytest.approx(exponent, abs=0.15)


def test_basin_of_one_parabola_like_layer_ends_at_its_maxima():
    lengths = dynamics.basin_lengths(3)
    for samples in lengths.values():
        assert samples.shape == (3, len(numbers.LAYERS))
        assert (samples > 0.5).all()
        assert (samples < 6).all()
    # with one layer all rules follow the same gradient
    np.testing.assert_array_equal(lengths["equal_sum"][:, 0], lengths["largest_gradient"][:, 0])


def test_the_mean_keeps_its_height_and_loses_its_roughness():
    deviation, height = dynamics.roughness(2)
    assert (np.diff(deviation.mean(axis=0)) < 0).all()
    assert height.mean(axis=0)[-1] > 0.8 * height.mean(axis=0)[0]


@pytest.mark.parametrize(
    ("problem", "d"), [(dynamics.Plateau(), 2), (dynamics.Gorge(), 2), (dynamics.TwoMinds(), 1)]
)
def test_landscapes_of_failure_have_exact_gradients_and_a_common_minimum(problem, d):
    _, gradient = problem.value_and_gradient(np.zeros(d))
    np.testing.assert_allclose(gradient, 0, atol=0.01)  # local wells leave a tail of e^{-8}
    x = np.random.default_rng(0).uniform(-3, 3, (20, d))
    _, gradient = problem.value_and_gradient(x)
    for k, step in enumerate(1e-6 * np.eye(d)):
        up, down = (problem.value_and_gradient(x + s)[0] for s in (step, -step))
        np.testing.assert_allclose((up - down) / 2e-6, gradient[..., k], atol=1e-5)


def test_each_failure_happens():
    runs = dynamics.failures()
    assert np.linalg.norm(runs.wandering.x, axis=1).min() > 2
    assert np.ptp(runs.wandering.x[-100:], axis=0).max() > 0.3
    assert (np.diff(runs.walls.x[:, 0]) > 0.2).sum() >= 2
    late = runs.oscillation.x[-20:, 0]
    assert late.min() < 2.4 < 2.6 < late.max()


def test_a_scheduler_that_reads_the_accumulated_loss_is_not_misled():
    weighted, accumulated = (dynamics.plateau_scheduler(flag) for flag in (False, True))
    assert accumulated.loss[-1] < 1e-3 < 0.1 < weighted.loss[-1]
    assert accumulated.step_sizes[100] == accumulated.step_sizes[0] > weighted.step_sizes[100]


def test_a_line_search_refuses_downhill_steps_only_by_the_weighted_sum():
    assert dynamics.false_alarms(accumulate=True)[0] == 0
    assert dynamics.false_alarms(accumulate=False)[0] > 50


def test_runs_end_in_one_of_the_fates():
    share, recurs = dynamics.fates("equal_sum", 2, n_landscapes=2, n_starts=3)
    assert share.sum() == pytest.approx(1)
    assert 0 <= recurs <= 1


PEERS = ("pcgrad", "mgda", "upgrad", "aligned_mtl", "cagrad", "nash_mtl", "softadapt", "dwa")


@pytest.mark.parametrize("name", [*PEERS, "imtl_g"])
def test_only_imtl_g_takes_steps_longer_than_the_longest_gradient(name):
    rng, rule = np.random.default_rng(3), aggregation.RULES[name]
    problem, x = race.problem("perlin", 8, range(4)), rng.uniform(-2, 2, (8, 4, 2))
    state, longest = (rng if rule in race.RANDOM else None), 0.0
    for _ in range(50):
        losses, gradients = problem.value_and_gradient(x)
        step = rule(np.maximum(losses, 0), gradients, state)
        lengths = np.linalg.norm(gradients, axis=-1).max(axis=-1)
        longest = max(longest, (np.linalg.norm(step.gradient, axis=-1) / lengths).max())
        x, state = x - 0.2 * step.gradient, step.state
    assert longest > 5 if name == "imtl_g" else longest <= 1 + 1e-12


def test_where_nash_and_mgda_stand_still_no_direction_is_downhill_for_all():
    """The directions of the gradients in the plane leave no half of it free."""
    rng = np.random.default_rng([92, 8])
    x = rng.uniform(-2, 2, (race.STARTS, 4, 2))
    gradient = race.problem("perlin", 8, range(4)).value_and_gradient(x)[1]
    angle = np.sort(np.arctan2(gradient[..., 1], gradient[..., 0]), axis=-1)
    around = np.diff(angle, axis=-1, append=angle[..., :1] + 2 * np.pi)
    surrounded = (around.max(axis=-1) <= np.pi).mean()
    assert race.standing("nash_mtl", 8, range(4)) == surrounded
    assert race.standing("mgda", 8, range(4)) == surrounded
    assert race.standing("cagrad", 8, range(4)) == 0
