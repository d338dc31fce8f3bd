"""Populations against closed forms."""

import math
from pathlib import Path

import numpy as np
import pytest
import torch
from scipy import stats

from descent.zeroth_order import (
    Consensus,
    EnsembleKalman,
    EvolutionStrategy,
    GradientGravity,
    Gravity,
    ParticleGradient,
    ParticleSwarm,
    separate_starts,
)
from descent.zeroth_order.gravity import attraction
from descent.zeroth_order.particle_gradients import covariance_step, simplex_gradient


def rng(seed=0):
    return np.random.default_rng(seed)


def linear_problem(seed=0, m=6, d=3):
    """Return matrix and data of residuals r(u) = A u - y."""
    draws = rng(seed)
    return draws.standard_normal((m, d)), draws.standard_normal(m)


def test_an_ensemble_without_noise_stays_in_its_span():
    d, size = 8, 4
    matrix, data = linear_problem(m=10, d=d)
    start = rng(1).standard_normal((size, d))
    outside = np.linalg.svd(start - start.mean(axis=0))[2][size - 1 :]  # orthogonal to the span
    for explore, stays in (("none", True), ("noise", False), ("resample", False)):
        search = EnsembleKalman(start, explore=explore, generator=rng())
        for _ in range(6):
            search.tell(search.ask() @ matrix.T - data)
        left = np.abs((search.x - start[0]) @ outside.T).max()
        assert (left < 1e-10) == stays
        assert np.abs(search.x - start.mean(axis=0)).max() > 0.1


@pytest.mark.parametrize("size", [5, 6, 40])
def test_one_step_on_a_linear_problem_is_the_kalman_update(size):
    """With the ensemble's own covariance C the mean moves by K = C Aᵀ (A C Aᵀ + γ)⁻¹."""
    matrix, data = linear_problem()
    start = 1 + rng(2).standard_normal((size, 3))
    gamma = 0.3
    search = EnsembleKalman(start, regularization=gamma, explore="none", generator=rng())
    search.tell(search.ask() @ matrix.T - data)
    covariance = np.cov(start.T, bias=True)
    gain = covariance @ matrix.T @ np.linalg.inv(matrix @ covariance @ matrix.T + gamma * np.eye(6))
    np.testing.assert_allclose(
        search.x, start - (start @ matrix.T - data) @ gain.T, rtol=1e-10, atol=1e-12
    )


def test_a_large_ensemble_reaches_the_bayesian_posterior_mean():
    matrix, data = linear_problem()
    gamma, prior = 0.5, np.array([1.0, -1.0, 0.5])
    posterior = np.linalg.solve(
        matrix.T @ matrix / gamma + np.eye(3), matrix.T @ data / gamma + prior
    )
    errors = []
    for size in (100, 10_000):
        search = EnsembleKalman(
            prior, size=size, regularization=gamma, explore="none", generator=rng(3)
        )
        search.tell(search.ask() @ matrix.T - data)
        errors.append(np.abs(search.x.mean(axis=0) - posterior).max())
    assert errors[1] < 0.02
    assert errors[1] < errors[0]
    assert np.abs(prior - posterior).max() > 0.2


def test_the_ensemble_grows_when_it_is_redrawn():
    matrix, data = linear_problem()
    search = EnsembleKalman(np.zeros(3), size=4, epoch=2, growth=3, generator=rng())
    sizes = []
    for _ in range(6):
        sizes.append(len(search.ask()))
        search.tell(search.ask() @ matrix.T - data)
    assert sizes == [4, 4, 7, 7, 10, 10]
    assert search.evaluations == sum(sizes)


@pytest.mark.parametrize("size", [6, 30])
def test_the_simplex_gradient_is_exact_for_linear_functions(size):
    gradient = np.array([1.0, -2.0, 0.0, 3.0, 0.5])
    x = rng().standard_normal((size, 5))
    f = x @ gradient
    np.testing.assert_allclose(
        simplex_gradient(x - x.mean(axis=0), f - f.mean()), gradient, atol=1e-9
    )


def test_the_simplex_gradient_of_few_particles_is_the_projection_on_their_span():
    gradient = np.array([1.0, -2.0, 0.0, 3.0, 0.5])
    x = rng().standard_normal((3, 5))
    u = x - x.mean(axis=0)
    projector = np.linalg.pinv(u) @ u
    np.testing.assert_allclose(simplex_gradient(u, u @ gradient), projector @ gradient, atol=1e-12)


@pytest.mark.parametrize("size", [2, 3, 9])
def test_particles_that_coincide_do_not_spoil_the_simplex_gradient(size):
    x = rng().standard_normal((size, 3))
    x[1:] = x[0] + np.linspace(0, 1, size - 1)[:, None] * [1.0, 0.0, 0.0]  # on a line, two coincide
    u = x - x.mean(axis=0)
    gradient = simplex_gradient(u, u @ [2.0, 5.0, -1.0])
    np.testing.assert_allclose(gradient, [2.0 if size > 2 else 0.0, 0.0, 0.0], atol=1e-9)


def test_the_covariance_step_is_the_preconditioned_gradient():
    gradient, x = np.array([1.0, -2.0, 0.5]), rng().standard_normal((20, 3))
    u = x - x.mean(axis=0)
    covariance = u.T @ u / 20
    expected = covariance @ gradient / np.sqrt(gradient @ covariance @ gradient)
    np.testing.assert_allclose(covariance_step(u, u @ gradient), expected)
    # It turns with an affine change of coordinates; the simplex gradient does not.
    change = rng(1).standard_normal((3, 3))
    rises = u @ gradient
    np.testing.assert_allclose(covariance_step(u @ change.T, rises), change @ expected)
    simplex = simplex_gradient(u, rises)
    assert not np.allclose(simplex_gradient(u @ change.T, rises), change @ simplex)
    assert np.array_equal(covariance_step(u, np.zeros(20)), np.zeros(3))


@pytest.mark.slow
def test_a_cloud_that_has_collapsed_keeps_no_memory():
    """SciPy 1.17's own solver loses 708 bytes at each singular matrix."""
    statm = Path("/proc/self/statm")
    if not statm.exists():
        pytest.skip("no /proc here")
    u, rises = np.array([[1.0, 1.0], [-1.0, -1.0], [0.0, 0.0]]), np.array([1.0, -1.0, 0.0])
    resident = []
    for n in (2000, 20_000):
        for _ in range(n):
            gradient = simplex_gradient(u, rises)
        resident.append(int(statm.read_text().split()[1]) * 4096)
    np.testing.assert_allclose(gradient, [0.5, 0.5], atol=1e-12)
    assert resident[1] - resident[0] < 4e6


@pytest.mark.parametrize("start", [0.5, 10.0])
def test_gravity_does_not_travel(start):
    """It contracts where it began: near a minimum it finds it, from afar it does not."""
    search = Gravity(np.full(2, start), generator=rng())
    for _ in range(400):
        search.tell((search.ask() ** 2).sum(axis=1))
    assert np.ptp(search.x, axis=0).max() < 1e-6
    assert (search.best_loss < 1e-6) == (start < 1)


@pytest.mark.parametrize("form", ["simplex", "covariance"])
def test_a_cloud_moves_downhill_by_about_one_deviation(form):
    gradient = np.array([3.0, -4.0])
    search = ParticleGradient(np.zeros(2), size=4000, spread=0.5, form=form, generator=rng())
    before = search.ask().mean(axis=0)
    search.tell(search.ask() @ gradient)
    moved = search.ask().mean(axis=0) - before
    np.testing.assert_allclose(moved, -0.5 * gradient / 5, atol=0.05)
    assert search.x.std(axis=0).mean() == pytest.approx(0.5 * 0.95, rel=0.05)


def test_particles_fall_with_the_power_of_the_distance():
    displacement = np.array([[3.0, 4.0], [0.0, 0.0]])
    for power in (-2.0, 0.0, 1.0, 2.0):
        pulled = attraction(displacement, power)
        assert np.linalg.norm(pulled[0]) == pytest.approx(5.0**power)
        np.testing.assert_allclose(pulled[0] / np.linalg.norm(pulled[0]), [0.6, 0.8])
        assert np.array_equal(pulled[1], [0.0, 0.0])


@pytest.mark.parametrize(("centre", "at"), [("best", 1.0), ("mean", 3.0)])
def test_gravity_pulls_to_its_centre_and_keeps_only_what_is_lower(centre, at):
    start = np.array([[1.0], [2.0], [6.0]])
    search = Gravity(start, pull=0.5, noise=0.0, centre=centre, generator=rng())
    search.tell(search.ask()[:, 0])
    fallen = search.ask()
    np.testing.assert_allclose(fallen, start + 0.5 * (at - start))
    search.tell(fallen[:, 0])
    np.testing.assert_allclose(search.x, np.minimum(start, fallen))


def test_gradients_that_attract_fully_are_one_gradient():
    gradient = np.array([1.0, -2.0, 0.5])
    start = rng().standard_normal((6, 3))
    for pull, directions in ((1.0, 1), (0.0, 4)):
        search = GradientGravity(start, pull=pull, lr=0.1, generator=rng(4))
        candidates = search.ask()
        np.testing.assert_allclose((candidates[:6] + candidates[6:]) / 2, start)
        search.tell(candidates @ gradient)
        moves = (search.x - start).round(9)
        assert len(np.unique(moves, axis=0)) <= directions
        assert (len(np.unique(moves, axis=0)) == 1) == (directions == 1)
        # SPSA of a linear function: (g·Δ) Δ
        if pull == 0.0:
            np.testing.assert_allclose(
                moves, -0.1 * (search.signs @ gradient)[:, None] * search.signs, atol=1e-8
            )


def test_consensus_contracts_or_spreads_as_its_variance_factor_says():
    """At equal losses each coordinate's variance is multiplied by (1 - λΔt)² + σ²Δt."""
    for drift, noise in ((0.5, 0.3), (0.1, 0.8)):
        search = Consensus(np.zeros(2), size=20_000, drift=drift, noise=noise, generator=rng())
        before = search.ask().var()
        search.tell(np.zeros(20_000))
        assert search.ask().var() / before == pytest.approx((1 - drift) ** 2 + noise**2, rel=0.03)


def test_a_sharp_consensus_lies_at_the_best_particle():
    start = rng().standard_normal((5, 2))
    search = Consensus(start, drift=1.0, noise=0.0, sharpness=1e6, generator=rng())
    search.ask()
    search.tell([3.0, 1.0, 2.0, 5.0, 4.0])
    np.testing.assert_allclose(search.ask(), np.tile(start[1], (5, 1)))


def test_a_swarm_moves_by_its_formula():
    start = np.array([[0.0, 0.0], [2.0, 4.0]])
    search = ParticleSwarm(start, inertia=0.5, own=1.0, social=2.0, generator=rng(7))
    search.ask()
    search.tell([0.0, 1.0])
    pull = rng(7).random((2, 2, 2))[1]
    first = np.array([[0.0, 0.0], 2.0 * pull[1] * (start[0] - start[1])])
    np.testing.assert_allclose(search.ask(), start + first)
    search.own = search.social = 0.0  # what is left is inertia
    search.tell([2.0, 3.0])
    np.testing.assert_allclose(search.ask(), start + 1.5 * first)


def test_each_particle_of_a_swarm_remembers_its_own_lowest_loss():
    start = np.array([[0.0, 0.0], [2.0, 4.0]])
    search = ParticleSwarm(start, generator=rng(7))
    places = [search.ask()]
    search.tell([0.0, 1.0])
    places.append(search.ask())
    search.tell([3.0, 5.0])  # worse for both: neither place counts
    places.append(search.ask())
    search.tell([2.0, 4.0])  # better than the last, worse than the first
    np.testing.assert_array_equal(search.own_best, places[0])
    np.testing.assert_array_equal(search.own_loss, [0.0, 1.0])


def test_the_constants_of_the_evolution_strategy_are_hansens():
    """Table 1 of arXiv:1604.00772 with mu = lambda / 2, for ten of twenty in ten dimensions."""
    search = EvolutionStrategy(np.zeros(10), size=20, generator=rng())
    raw = [math.log(10.5) - math.log(i) for i in range(1, 11)]
    np.testing.assert_allclose(search.weights, np.array(raw) / sum(raw))
    effective = sum(raw) ** 2 / sum(w * w for w in raw)
    rate = (effective + 2) / (10 + effective + 5)
    assert search.rate == pytest.approx(rate)
    assert search.path_gain == pytest.approx(math.sqrt(rate * (2 - rate) * effective))
    # The middle term is there for large populations in few dimensions alone.
    few = EvolutionStrategy(np.zeros(2), size=400, generator=rng())
    mu = 1 / float(np.sum(few.weights**2))
    assert math.sqrt((mu - 1) / 3) > 2
    assert few.damping == pytest.approx(1 + 2 * (math.sqrt((mu - 1) / 3) - 1) + few.rate)


def test_the_noise_of_a_consensus_is_drawn_for_each_coordinate():
    search = Consensus(np.zeros(2), size=2000, drift=1.0, noise=1.0, generator=rng())
    before = search.ask()
    search.tell(np.zeros(2000))
    noise = search.ask() / (before - before.mean(axis=0))
    assert abs(np.corrcoef(noise.T - noise.mean())[0, 1]) < 0.5
    assert np.abs(noise[:, 0] - noise[:, 1]).mean() > 0.1


def test_where_none_is_allowed_the_swarm_flies_on_and_the_mean_comes_half_way_back():
    swarm = ParticleSwarm([[0.0, 0.0], [2.0, 4.0]], generator=rng(7))
    swarm.ask()
    swarm.tell([0.0, 1.0])
    before = swarm.ask()
    swarm.tell([math.inf, math.inf])
    assert not np.array_equal(swarm.ask(), before)
    strategy = EvolutionStrategy([4.0, 0.0], generator=rng())
    found = strategy.ask()
    strategy.tell((found**2).sum(axis=1))
    mean, best = strategy.mean.copy(), strategy.best.copy()
    strategy.ask()
    strategy.tell(np.full(20, math.inf))
    np.testing.assert_allclose(strategy.mean, (mean + best) / 2)


def test_gravity_keeps_the_lowest_loss_of_each_particle():
    search = Gravity([[1.0], [2.0], [6.0]], noise=0.0, generator=rng())
    search.ask()
    search.tell([1.0, 2.0, 6.0])
    search.ask()
    search.tell([9.0, 9.0, 9.0])  # no fall helped
    np.testing.assert_array_equal(search.losses, [1.0, 2.0, 6.0])
    search.ask()
    search.tell([8.0, 8.0, 8.0])
    np.testing.assert_array_equal(search.x[:, 0], [1.0, 2.0, 6.0])


def test_the_noise_of_gravity_has_the_width_of_the_swarm_around_its_mean():
    """ρ is the root mean square of a coordinate's distance to the mean, whatever attracts."""
    d, size = 50, 400
    start = 7 + 0.3 * rng(1).standard_normal((size, d))
    search = Gravity(start, pull=0.0, noise=0.5, generator=rng())
    search.ask()
    search.tell((start**2).sum(axis=1))
    assert (search.ask() - start).std() == pytest.approx(0.5 * 0.3, rel=0.03)


def test_the_gradient_that_attracts_is_that_of_the_lowest_pair():
    """The particle at 0.1 has the lowest mean of its two losses, that at 0 the lowest probe."""
    search = GradientGravity([[0.0], [0.1]], pull=1.0, lr=1.0, h=1.0, generator=rng())
    search.ask()
    search.signs = np.ones((2, 1))
    search.tell([0.0, 3.0, 10.0, 2.0])  # above, then below: means 5 and 2.5
    np.testing.assert_allclose(search.x[:, 0], np.array([0.0, 0.1]) - 0.5)  # (3 - 2) / 2


def test_a_cloud_shrinks_and_steps_by_its_width():
    gradient = np.array([1.0, 2.0])
    search = ParticleGradient(np.zeros(2), size=200, spread=0.3, decay=0.5, generator=rng())
    width = search.sigma
    mean = search.ask().mean(axis=0)
    search.tell(search.ask() @ gradient)
    assert search.sigma == pytest.approx(0.5 * width)
    moved = search.x.mean(axis=0) - mean
    assert np.linalg.norm(moved) == pytest.approx(width, rel=0.2)


def test_the_noise_of_an_ensemble_decays_at_each_use():
    matrix, data = linear_problem()
    search = EnsembleKalman(np.zeros(3), noise=0.4, decay=0.5, epoch=2, generator=rng())
    levels = []
    for _ in range(4):
        search.tell(search.ask() @ matrix.T - data)
        levels.append(search.noise)
    assert levels == pytest.approx([0.4, 0.2, 0.2, 0.1])


def test_an_ensemble_is_redrawn_around_where_its_step_has_led():
    matrix, data = linear_problem()
    start = 5 + rng(2).standard_normal((30, 3))
    options = {"explore": "resample", "epoch": 1, "noise": 1e-9}
    moved = EnsembleKalman(start, generator=rng(), **options)
    plain = EnsembleKalman(start, explore="none", generator=rng())
    for search in (moved, plain):
        search.tell(search.ask() @ matrix.T - data)
    np.testing.assert_allclose(moved.x.mean(axis=0), plain.x.mean(axis=0), atol=1e-7)


def test_the_best_candidate_is_one_that_was_asked_and_the_first_of_equals():
    search = GradientGravity([[0.0], [5.0]], h=1.0, generator=rng())
    asked = search.ask()
    search.tell([3.0, 2.0, 1.0, 1.0])
    np.testing.assert_array_equal(search.best, asked[2])
    search.ask()[:] = 99.0  # a copy
    first = search.ask()
    assert first.max() < 99
    search.tell([1.0, 1.0, 1.0, 1.0])
    np.testing.assert_array_equal(search.best, asked[2])


def test_an_evolution_strategy_sees_only_ranks():
    searches = [EvolutionStrategy([1.0, 2.0, 3.0], generator=rng()) for _ in range(2)]
    for _ in range(20):
        for search, transform in zip(searches, (lambda f: f, np.exp), strict=True):
            search.tell(transform((search.ask() ** 2).sum(axis=1)))
    assert np.array_equal(searches[0].mean, searches[1].mean)


def test_the_step_size_has_no_drift_on_a_flat_loss():
    logs = []
    for seed in range(12):
        flat = EvolutionStrategy(np.zeros(10), generator=rng(seed))
        chance = rng(100 + seed)
        for _ in range(150):
            flat.tell(chance.random(len(flat.ask())))
        logs.append(math.log(flat.sigma))
    assert abs(np.mean(logs)) < 3 * np.std(logs) / math.sqrt(len(logs))
    assert flat.expected == pytest.approx(stats.chi(10).mean())


@pytest.mark.parametrize("start", [1.0, 1e3])
def test_the_sphere_is_solved_linearly_from_any_distance(start):
    """The gain per generation does not depend on the distance that is left."""
    sphere = EvolutionStrategy(np.full(10, start), generator=rng())
    logs = []
    for _ in range(300):
        sphere.tell((sphere.ask() ** 2).sum(axis=1))
        logs.append(math.log(sphere.best_loss))
    rates = np.diff(logs[60::60]) / 60
    assert rates.max() < -0.1
    assert rates.max() / rates.min() > 0.5


def test_separate_starts_follow_the_weights_of_each_tensor():
    torch.manual_seed(0)
    layer = torch.nn.Linear(40, 30)
    torch.nn.init.zeros_(layer.bias)
    starts = separate_starts(layer.parameters(), 50, rng())
    weights, biases = starts[:, :1200], starts[:, 1200:]
    assert weights.std() == pytest.approx(layer.weight.std().item(), rel=0.02)
    assert np.all(biases == 0)
    assert np.abs(np.corrcoef(weights)[0, 1:]).max() < 0.15
    search = ParticleSwarm(starts, generator=rng())
    assert np.array_equal(search.ask(), starts)


@pytest.mark.parametrize(
    ("method", "options"),
    [
        (Gravity, {"centre": "worst"}),
        (ParticleGradient, {"decay": 0.0}),
        (ParticleGradient, {"form": "adjoint"}),
        (Consensus, {"drift": 0.0}),
        (Consensus, {"sharpness": 0.0}),
        (EnsembleKalman, {"regularization": 0.0}),
        (EnsembleKalman, {"explore": "never"}),
        (EnsembleKalman, {"epoch": 0}),
        (EnsembleKalman, {"growth": -1}),
        (ParticleSwarm, {"size": 1}),
    ],
)
def test_options_are_checked(method, options):
    with pytest.raises(ValueError, match=next(iter(options))):
        method(np.zeros(2), generator=rng(), **options)


def test_residuals_are_asked_for():
    search = EnsembleKalman(np.zeros(2), generator=rng())
    search.ask()
    with pytest.raises(ValueError, match="residuals"):
        search.tell(np.zeros(20))
