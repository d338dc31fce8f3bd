"""What the list of source 002 leaves out: CMA-ES, natural evolution, Spall's gains, and others."""

import itertools
import math

import cma
import numpy as np
import pytest
import torch

from descent.zeroth_order import (
    SPSA,
    CovarianceAdaptation,
    EvolutionStrategy,
    GravitationalSearch,
    GuidedEvolution,
    NaturalEvolution,
    SecondOrderSPSA,
    SpallSPSA,
    SwarmGradient,
    swarm_gradient,
)
from descent.zeroth_order.gravitational_search import masses_of


def rng(seed=0):
    return np.random.default_rng(seed)


def source(seed=0):
    return torch.Generator().manual_seed(seed)


def ellipsoid(d, condition=1e6):
    return condition ** (np.arange(d) / (d - 1))


def turn(d, seed=0):
    return np.linalg.qr(rng(seed).standard_normal((d, d)))[0]


def spent(search, loss, goal=1e-8, most=20_000):
    """Return the evaluations until a loss is reached."""
    while search.best_loss > goal and search.evaluations < most:
        search.tell([loss(x) for x in search.ask()])
    return search.evaluations


# Covariance


def of_cma(loss, d, seed):
    options = {"seed": seed + 1, "verbose": -9, "ftarget": 1e-8, "tolfun": 0, "tolx": 0}
    strategy = cma.CMAEvolutionStrategy(np.ones(d), 1.0, options | {"tolfunhist": 0})
    while strategy.best.f is None or strategy.best.f > 1e-8:
        x = strategy.ask()
        strategy.tell(x, [loss(each) for each in x])
    return strategy.result.evaluations


def test_covariance_adaptation_costs_on_a_turned_ellipsoid_what_the_authors_own_costs():
    d, seeds = 5, range(8)
    scales, Q = ellipsoid(d), turn(d)

    def loss(x):
        return float(scales @ (Q @ x) ** 2)

    ours = [spent(CovarianceAdaptation(np.ones(d), generator=rng(s)), loss) for s in seeds]
    theirs = [of_cma(loss, d, s) for s in seeds]
    assert max(ours) < 3000
    assert np.median(ours) == pytest.approx(np.median(theirs), rel=0.15)
    blind = [spent(NaturalEvolution(np.ones(d), generator=rng(s)), loss, most=6000) for s in (0, 1)]
    blind += [spent(EvolutionStrategy(np.ones(d), generator=rng(0)), loss, most=6000)]
    assert min(blind) >= 6000


def test_the_constants_of_covariance_adaptation_are_those_of_cma():
    for d, size in ((2, 6), (5, 8), (10, 10), (10, 23), (40, 15)):
        search = CovarianceAdaptation(np.zeros(d), size=size, generator=rng())
        peer = cma.CMAEvolutionStrategy(
            np.zeros(d), 1.0, {"verbose": -9, "seed": 1, "popsize": size}
        )
        peer.tell(*(lambda asked: (asked, [float(x @ x) for x in asked]))(peer.ask()))
        theirs = peer.sp
        # But for one: cma forgets the path of its step size sooner than the tutorial.
        tutorial = (theirs.weights.mueff + 2) / (d + theirs.weights.mueff + 5)
        assert search.rate == pytest.approx(tutorial, rel=1e-9)
        assert peer.adapt_sigma.cs > 1.02 * tutorial
        assert search.effective == pytest.approx(theirs.weights.mueff, rel=1e-9)
        assert search.rank_one == pytest.approx(theirs.c1, rel=1e-9)
        assert search.rank_mu == pytest.approx(theirs.cmu, rel=1e-9)
        assert search.path_rate == pytest.approx(theirs.cc, rel=1e-9)
        np.testing.assert_allclose(search.weights, theirs.weights, rtol=1e-9, atol=1e-15)
    assert CovarianceAdaptation(np.zeros(10), generator=rng()).x.shape == (10, 10)


def losses_of(turned, shift, unit, seed=0, generations=60, **options):
    """Return each generation's best loss on an ellipsoid that is turned, moved and scaled."""
    d = len(turned)
    search = CovarianceAdaptation(
        turned.T @ (unit * np.ones(d)) + shift, spread=unit, generator=rng(seed), **options
    )
    # Draws turn with the coordinates; a law that is round makes no difference of it.
    search.generator = Turned(search.generator, turned)
    path = []
    for _ in range(generations):
        x = search.ask()
        losses = ((turned @ (x - shift).T).T / unit) ** 2 @ ellipsoid(d, 100.0)
        search.tell(losses)
        path.append(losses.min())
    return np.array(path)


class Turned:
    """A generator whose normal vectors are turned."""

    def __init__(self, generator, turned):
        self.generator, self.turned = generator, turned

    def standard_normal(self, shape):
        return self.generator.standard_normal(shape) @ self.turned


@pytest.mark.parametrize("active", [True, False])
def test_covariance_adaptation_sees_no_turn_shift_permutation_or_unit(active):
    d = 4
    plain = losses_of(np.eye(d), np.zeros(d), 1.0, active=active)
    order = np.eye(d)[[2, 0, 3, 1]]
    # A run that is chaotic doubles what rounding does in each generation.
    for turned, shift, unit in (
        (turn(d), np.zeros(d), 1.0),
        (order, np.zeros(d), 1.0),
        (np.eye(d), np.array([4.0, -8.0, 2.0, 0.0]), 1.0),
        (np.eye(d), np.zeros(d), 1e-6),
    ):
        same = losses_of(turned, shift, unit, active=active)
        np.testing.assert_allclose(same[:30], plain[:30], rtol=1e-6)
    other = losses_of(np.eye(d), np.zeros(d), 1.0, seed=1, active=active)
    assert not np.allclose(other[:30], plain[:30], rtol=0.1)


def test_the_covariance_becomes_the_inverse_of_the_curvature():
    d = 5
    Q, scales = turn(d, 3), ellipsoid(d, 1e4)
    hessian = Q.T @ np.diag(scales) @ Q
    search = CovarianceAdaptation(np.ones(d), generator=rng(1))
    for _ in range(250):
        x = search.ask()
        search.tell(np.einsum("ni,ij,nj->n", x, hessian, x))
    values = np.linalg.eigvals(search.covariance @ hessian).real
    assert values.max() / values.min() < 10  # of a condition of 1e4 at the start


# Natural evolution


def test_separable_natural_evolution_learns_units_and_not_what_lies_across():
    d = 5
    scales, Q = ellipsoid(d, 1e6), turn(d)
    straight, across = (
        spent(NaturalEvolution(np.ones(d), generator=rng(2)), loss, most=8000)
        for loss in (lambda x: scales @ x**2, lambda x: scales @ (Q @ x) ** 2)
    )
    assert straight < 2500
    assert across == pytest.approx(8000, abs=10)


def test_a_step_of_natural_evolution_is_the_papers():
    search = NaturalEvolution([1.0, -2.0], spread=0.5, generator=rng())
    assert len(search.x) == 6
    assert search.width_rate == pytest.approx((3 + math.log(2)) / (5 * math.sqrt(2)))
    x = search.ask()
    losses = np.arange(6.0)[::-1]
    raw = np.maximum(0, math.log(4) - np.log(np.arange(1, 7)))
    u = (raw / raw.sum() - 1 / 6)[::-1]
    z = (x - [1.0, -2.0]) / 0.5
    search.tell(losses)
    np.testing.assert_allclose(search.mean, [1.0, -2.0] + 0.5 * u @ z)
    np.testing.assert_allclose(
        search.widths, 0.5 * np.exp(search.width_rate / 2 * u @ (z**2 - 1)), rtol=1e-12
    )


# Spall


def test_spalls_gains_fall_as_they_should():
    search = SpallSPSA([torch.zeros(2)], stability=100.0, generator=source())
    k = 10**9
    a, c = (np.array(search._gains(n)) / search._gains(2 * n) for n in (k, k))
    assert a[0] == pytest.approx(2**0.602, rel=1e-6)
    assert c[1] == pytest.approx(2**0.101, rel=1e-12)
    assert search._gains(1) == (101.0**-0.602, 1.0)
    gains = np.array([search._gains(n) for n in range(1, 3001)])
    assert (np.diff(gains, axis=0) < 0).all()


def test_without_fall_spalls_steps_are_those_of_spsa():
    paths = []
    for make in (
        lambda x: SPSA([x], lr=0.02, h=0.1, generator=source(4)),
        lambda x: SpallSPSA([x], lr=0.02, h=0.1, fall=0, narrowing=0, generator=source(4)),
        lambda x: SpallSPSA([x], lr=0.02, h=0.1, generator=source(4)),
    ):
        x = torch.tensor([1.0, 2.0, -1.0], dtype=torch.float64)
        search = make(x)
        for _ in range(20):
            search.step(lambda x=x: (x**4).sum())
        paths.append(x.clone())
    torch.testing.assert_close(paths[1], paths[0], rtol=1e-12, atol=0)
    assert (paths[2] - paths[0]).abs().max() > 1e-3


def test_noise_is_averaged_away_by_spalls_gains_and_not_by_constant_ones():
    def end(seed, **gains):
        x, noise = torch.full((3,), 1.0, dtype=torch.float64), source(100 + seed)
        search = SpallSPSA([x], h=0.3, generator=source(seed), **gains)
        search.common_random_numbers = False
        for _ in range(1500):
            search.step(lambda: (x**2).sum() / 2 + torch.randn((), generator=noise).double())
        return float((x**2).sum())

    falling = [end(s, lr=0.2, stability=100.0) for s in range(3)]
    constant = [end(s, lr=0.05, fall=0.0, narrowing=0.0) for s in range(3)]
    assert np.median(falling) < 0.5 * np.median(constant)


HESSIAN = torch.tensor([[3.0, 1.0, 0.0], [1.0, 2.0, -0.5], [0.0, -0.5, 4.0]], dtype=torch.float64)


def hessian_of(corner, other, h):
    """Return the first Hessian of 2-SPSA for given corners, without the identity before it."""
    x = torch.tensor([0.3, -0.2, 0.5], dtype=torch.float64)
    search = SecondOrderSPSA([x], h=h, generator=source())
    corners = iter((corner, other))
    search._corner = lambda _: next(corners)
    search.step(lambda: x @ HESSIAN @ x / 2 + x.sum())
    return 2 * search.memory["hessian"] - torch.eye(3)


def test_the_mean_over_all_corners_is_the_hessian_of_a_quadratic():
    corners = [torch.tensor(c, dtype=torch.float64) for c in itertools.product((-1, 1), repeat=3)]
    for h in (0.01, 1.0):
        all_of_them = [hessian_of(a, b, h) for a in corners for b in corners]
        mean = torch.stack(all_of_them).mean(0)
        torch.testing.assert_close(mean, HESSIAN, rtol=1e-7, atol=1e-7)
        assert (all_of_them[0] - HESSIAN).abs().max() > 1


def test_second_order_takes_valleys_that_first_order_does_not():
    def end(make):
        x = torch.tensor([1.0, 1.0], dtype=torch.float64)
        search = make(x)
        while search.evaluations < 2000:
            search.step(lambda: x[0] ** 2 + 30 * x[1] ** 2)
        return float(x[0] ** 2 + 30 * x[1] ** 2)

    second = [end(lambda x, s=s: SecondOrderSPSA([x], generator=source(s))) for s in range(3)]
    first = [end(lambda x, s=s: SpallSPSA([x], lr=0.05, generator=source(s))) for s in range(3)]
    assert np.median(second) < 1e-3 * np.median(first)


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16, torch.float32, torch.float64])
def test_an_h_that_is_lost_in_rounding_is_refused(dtype):
    x = torch.tensor([1.0, -1.5], dtype=dtype)
    lost = 0.9 * 1.5 * torch.finfo(dtype).eps ** 0.5
    with pytest.raises(ValueError, match="h must be at least") as told:
        SecondOrderSPSA([x], h=lost, generator=source())
    best = float(str(told.value).split("best about ")[1].split(";")[0])
    assert best == pytest.approx(1.5 * torch.finfo(dtype).eps ** 0.25, rel=0.03)
    SecondOrderSPSA([x], h=best, generator=source())
    search = SecondOrderSPSA([x], generator=source())
    before = float((x.double() ** 2).sum())
    for _ in range(100):
        search.step(lambda: (x**2).sum())
    assert float((x.double() ** 2).sum()) < 0.1 * before
    x.fill_(min(1e7, torch.finfo(dtype).max))
    with pytest.raises(ValueError, match="h must be at least"):
        search.step(lambda: (x**2).sum())


# Guided evolution


def test_guided_evolution_is_beta_sigma_times_the_gradient():
    d, slope = 6, torch.tensor([1.0, -2.0, 0.5, 3.0, 0.0, 1.0], dtype=torch.float64)
    guides = torch.linalg.qr(torch.randn(d, 2, generator=source(1), dtype=torch.float64))[0]
    x = torch.zeros(d, dtype=torch.float64)
    search = GuidedEvolution(
        [x], samples=20_000, guides=2, share=0.3, gain=2.0, generator=source(), h=0.5
    )
    search.memory["guides"] = guides.T.clone()
    estimate, _ = search.estimate(lambda point: float(slope @ point), x)
    sigma = 0.3 / d * torch.eye(d, dtype=torch.float64) + 0.7 / 2 * guides @ guides.T
    expected = 2.0 * sigma @ slope
    torch.testing.assert_close(estimate, expected, rtol=0, atol=0.1)
    assert (expected - slope).abs().max() > 1  # it is not the gradient
    assert float(expected @ slope) > 0  # and always uphill


def test_a_guide_helps_as_much_as_it_is_right():
    d = 100
    target = torch.randn(d, generator=source(5), dtype=torch.float64)

    def end(surrogate, seed=0):
        x = torch.zeros(d, dtype=torch.float64)
        search = GuidedEvolution([x], lr=0.2, surrogate=surrogate, generator=source(seed))
        for _ in range(200):
            search.step(lambda: ((x - target) ** 2).sum())
        return float(((x - target) ** 2).sum())

    biased = end(lambda x: (x - target) + 0.3 * target.norm() * torch.ones(d).double() / d**0.5)
    wrong = end(lambda x: torch.ones(d, dtype=torch.float64))
    assert biased < 0.2 * wrong
    with pytest.raises(ValueError, match="surrogate must return 100"):
        end(lambda x: x[:3])


# Gravitation


def test_gravity_pulls_two_particles_together_and_has_no_mass_for_the_worst():
    search = GravitationalSearch([[0.0], [2.0]], strength=1.0, generator=rng())
    search.ask()
    search.tell([0.0, 1.0])
    assert search.x[0] == 0.0  # the worse one has no mass, and nobody pulls at itself
    assert 1.0 < search.x[1] < 2.0
    far = GravitationalSearch([[0.0], [2000.0]], strength=1.0, generator=rng())
    far.ask()
    far.tell([0.0, 1.0])
    assert far.x[1] - 2000 == pytest.approx(search.x[1] - 2)  # whatever the distance


def test_gravitational_search_freezes_with_too_few_steps():
    def end(steps, seed, **options):
        search = GravitationalSearch(np.full(4, 1.5), steps=steps, generator=rng(seed), **options)
        for _ in range(200):
            search.tell((search.ask() ** 2).sum(axis=1))
        return search.best_loss

    assert np.median([end(200, seed, decay=5.0) for seed in range(5)]) < 1e-6
    assert np.median([end(30, seed) for seed in range(5)]) > 0.05


def test_masses_know_no_unit_and_add_to_one():
    losses = np.array([3.0, 1.0, 2.5, np.inf])
    masses = masses_of(losses)
    np.testing.assert_allclose(masses, [0.0, 0.8, 0.2, 0.0])
    np.testing.assert_allclose(masses_of(4 * losses - 8), masses)
    np.testing.assert_allclose(masses_of(np.array([2.0, 2.0])), [0.5, 0.5])


# The gradient of a swarm


def test_a_swarms_gradient_is_the_gradient_of_one_bowl_only():
    x, best = np.array([1.0, -2.0, 0.5]), np.array([0.5, 0.5, 0.5])
    c, rate = 0.6, 0.2
    bowl = c / rate * (x - best)  # of c / (2 η) |x - b|²
    np.testing.assert_allclose(swarm_gradient(x, best, c, rate), bowl)

    def cosine(gradient):
        estimate = swarm_gradient(x, best, c, rate)
        return estimate @ gradient / np.linalg.norm(estimate) / np.linalg.norm(gradient)

    steep = 100 * bowl  # the same bowl, a hundred times as steep: the estimate stays
    assert cosine(steep) == pytest.approx(1)
    long = np.array([1.0, 1.0, 100.0]) * (
        x + np.array([0.0, 0.0, 0.1]) - best
    )  # curvatures 1, 1, 100
    assert cosine(long) < 0.5
    assert cosine(-bowl) == pytest.approx(-1)  # on a hill whose top was the best so far


def test_the_led_particle_ignores_how_steep_the_loss_is():
    def path(factor):
        search = SwarmGradient(np.ones(3), generator=rng(3))
        for _ in range(20):
            search.tell(factor * (search.ask() ** 2).sum(axis=1))
        return search.x[-1]

    np.testing.assert_array_equal(path(1.0), path(1e6))
