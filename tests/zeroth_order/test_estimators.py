"""Gradient estimates against their theory."""

import math

import pytest
import torch
from scipy import integrate, stats

from descent.zeroth_order import (
    SPSA,
    Accumulated,
    AfterStepGrad,
    AveragedGrad,
    MeZO,
    RandomBestGrad,
    RandomGrad,
    SmoothedGrad,
)

GRADIENT = torch.tensor([3.0, -4.0, 0.0, 12.0], dtype=torch.float64)


def generator(seed=0):
    return torch.Generator().manual_seed(seed)


def linear(gradient):
    return lambda x: (gradient @ x).item()


def estimates(method, gradient, n, **options):
    """Return n estimates of the gradient of a linear function, and their cosines with it."""
    x = torch.zeros_like(gradient)
    search = method([x.clone()], generator=generator(), **options)
    drawn = torch.stack([search.estimate(linear(gradient), x)[0] for _ in range(n)])
    return drawn, torch.nn.functional.cosine_similarity(drawn, gradient[None])


def expected_maximum(n):
    """Return the mean of the largest of n standard normal variables, by quadrature."""
    return integrate.quad(
        lambda z: z * n * stats.norm.pdf(z) * stats.norm.cdf(z) ** (n - 1), -9, 9
    )[0]


def test_the_one_bit_estimate_has_the_direction_of_the_gradient():
    drawn, _ = estimates(RandomGrad, GRADIENT, 20_000)
    expected = math.sqrt(2 / math.pi) * GRADIENT / GRADIENT.norm()
    # Each coordinate has variance 1 less the square of its mean.
    assert (drawn.mean(0) - expected).abs().max() < 4 / math.sqrt(20_000)
    longer, _ = estimates(RandomGrad, 100 * GRADIENT, 10)
    assert torch.equal(longer, drawn[:10])


D = 400


@pytest.mark.parametrize(
    ("method", "options", "numerator"),
    [
        (RandomGrad, {}, math.sqrt(2 / math.pi)),
        (SmoothedGrad, {"decay": 0.0}, math.sqrt(2 / math.pi)),
        (SmoothedGrad, {"decay": 0.8, "smooth": "direction"}, math.sqrt(2 / math.pi)),
        (SmoothedGrad, {"decay": 0.0, "noise": "rademacher"}, math.sqrt(2 / math.pi)),
        (SmoothedGrad, {"decay": 0.0, "noise": "uniform"}, math.sqrt(2 / math.pi)),
        (SPSA, {}, math.sqrt(2 / math.pi)),
        (MeZO, {}, math.sqrt(2 / math.pi)),
        (AveragedGrad, {"samples": 10}, math.sqrt(2 * 10 / math.pi)),
        (AveragedGrad, {"samples": 10, "bits": False}, math.sqrt(10)),
        (RandomBestGrad, {"samples": 10}, expected_maximum(10)),
    ],
)
def test_the_cosine_with_the_gradient_falls_with_the_root_of_the_dimension(
    method, options, numerator
):
    gradient = torch.randn(D, generator=generator(5), dtype=torch.float64)
    _, cosines = estimates(method, gradient, 1500, **options)
    error = cosines.std().item() / math.sqrt(len(cosines))
    if options.get("smooth") == "direction":
        error *= math.sqrt((1 + 0.8) / (1 - 0.8))  # neighbours are correlated
    # The length of an average of n estimates adds a relative error of (n + 1)/(2 d) at most.
    assert cosines.mean().item() * math.sqrt(D) == pytest.approx(
        numerator, abs=4 * error * math.sqrt(D) + numerator * 11 / (2 * D)
    )


def test_the_numbers_of_ten_evaluations():
    assert math.sqrt(2 * 10 / math.pi) == pytest.approx(2.523, abs=1e-3)
    assert expected_maximum(10) == pytest.approx(1.5388, abs=1e-4)
    assert math.sqrt(10) == pytest.approx(3.162, abs=1e-3)


@pytest.mark.parametrize(
    ("method", "options", "n"),
    [(AveragedGrad, {"samples": 4, "bits": False}, 4), (MeZO, {}, 1)],
)
def test_differences_along_normal_directions_are_unbiased(method, options, n):
    drawn, _ = estimates(method, GRADIENT, 3000, **options)
    # Var ĝ_i = (|g|² + g_i²)/n
    error = ((GRADIENT @ GRADIENT + GRADIENT**2) / n / 3000).sqrt()
    assert ((drawn.mean(0) - GRADIENT).abs() < 4 * error).all()


def test_spsa_is_unbiased_on_a_quadratic_at_any_distance():
    matrix = torch.tensor(
        [[2.0, 0.5, 0.0], [0.5, 1.0, -0.3], [0.0, -0.3, 4.0]], dtype=torch.float64
    )
    x = torch.tensor([1.0, -2.0, 0.5], dtype=torch.float64)
    search = SPSA([x.clone()], h=0.7, generator=generator())
    loss = lambda y: (0.5 * y @ matrix @ y).item()  # noqa: E731
    drawn = torch.stack([search.estimate(loss, x)[0] for _ in range(60)])
    # The mean of two losses is that at x and half the curvature along a corner, one of four.
    corners = [torch.tensor([1.0, b, c], dtype=x.dtype) for b in (-1, 1) for c in (-1, 1)]
    levels = torch.tensor(sorted(loss(x) + 0.7**2 * loss(corner) for corner in corners))
    said = torch.tensor(sorted({round(search.estimate(loss, x)[1], 9) for _ in range(60)}))
    torch.testing.assert_close(said, levels)
    # Opposite corners of the cube give one estimate, so there are four; each is as likely.
    distinct = torch.unique(drawn.round(decimals=9), dim=0)
    assert len(distinct) == 4
    torch.testing.assert_close(distinct.mean(0), matrix @ x)


def test_best_of_n_stays_where_every_probe_is_higher():
    x = torch.zeros(3, dtype=torch.float64)
    search = RandomBestGrad([x], h=1.0, generator=generator())
    search.step(lambda: (x**2).sum())
    assert torch.equal(x, torch.zeros_like(x))


@pytest.mark.parametrize("noise", ["normal", "rademacher", "uniform"])
def test_noise_and_smoothed_directions_have_unit_variance(noise):
    x = torch.zeros(200, dtype=torch.float64)
    search = SmoothedGrad([x], smooth="direction", noise=noise, generator=generator())
    drawn = torch.stack([search.estimate(linear(x), x)[0].abs() for _ in range(2000)])
    fresh = torch.stack([search.draw(x) for _ in range(500)])
    assert fresh.mean().item() == pytest.approx(0, abs=0.02)
    assert fresh.var().item() == pytest.approx(1, abs=0.02)
    # Memory 0.9 leaves about one independent direction in nineteen.
    assert (drawn**2).mean().item() == pytest.approx(1, abs=0.05)


def test_a_smoothed_estimate_is_the_moving_average():
    plain = estimates(RandomGrad, GRADIENT, 30)[0]
    smoothed = estimates(SmoothedGrad, GRADIENT, 30, decay=0.9)[0]
    mean = torch.zeros_like(GRADIENT)
    for raw, seen in zip(plain, smoothed, strict=True):
        mean = 0.9 * mean + 0.1 * raw
        torch.testing.assert_close(seen, mean)


def test_an_inner_optimizer_gets_the_estimate():
    """Plain descent inside is the same as none; Adam's first step has the length of its rate."""
    alone, inside, adam = (torch.ones(5, dtype=torch.float64) for _ in range(3))
    searches = [
        RandomGrad([alone], lr=0.05, generator=generator()),
        RandomGrad([inside], generator=generator(), optimizer=torch.optim.SGD([inside], lr=0.05)),
        RandomGrad([adam], generator=generator(), optimizer=torch.optim.Adam([adam], lr=0.05)),
    ]
    for x, search in zip((alone, inside, adam), searches, strict=True):
        search.step(lambda x=x: (x**2).sum())
    assert torch.equal(alone, inside)
    torch.testing.assert_close((adam - 1).abs(), torch.full_like(adam, 0.05))
    with pytest.raises(TypeError, match="optimizer"):
        RandomGrad([alone], generator=generator(), optimizer="adam")


def test_gradients_that_are_never_zeroed_do_not_lose_energy():
    """Leapfrog on L = x²/2: its invariant stays as it is; with forgetting it decays."""
    rate = 0.01
    drift = {}
    for decay in (1.0, 0.9):
        x = torch.nn.Parameter(torch.tensor([1.0], dtype=torch.float64))
        search = Accumulated(torch.optim.SGD([x], lr=rate), decay=decay)

        def closure(x=x, search=search):
            search.zero_grad()
            loss = 0.5 * (x**2).sum()
            loss.backward()
            return loss

        energies = []
        for _ in range(300):
            search.step(closure)
            s, at = search.memory["sum"].item(), x.item()
            # conserved by s' = s + x, x' = x - η s'
            energies.append(at**2 + rate * s**2 + rate * at * s)
        drift[decay] = energies[-1] / energies[0]
    assert drift[1.0] == pytest.approx(1, rel=1e-9)
    assert drift[0.9] < 1e-3


def test_accumulated_gradients_are_heavy_ball_momentum():
    paths = []
    for build in (
        lambda x: Accumulated(torch.optim.SGD([x], lr=0.1), decay=0.7),
        lambda x: torch.optim.SGD([x], lr=0.1, momentum=0.7),
    ):
        x = torch.nn.Parameter(GRADIENT.clone())
        search = build(x)
        for _ in range(10):
            search.zero_grad()
            (x**2).sum().backward()
            search.step()
        paths.append(x.detach())
    torch.testing.assert_close(*paths)


@pytest.mark.parametrize("make", [torch.optim.SGD, torch.optim.Adam])
def test_after_a_step_the_better_of_both_signs_is_kept(make):
    x = torch.tensor([1.0, -1.0, 2.0], dtype=torch.float64)
    search = AfterStepGrad(make([x], lr=0.1), generator=generator())
    seen = []

    def closure():
        seen.append(x.clone())
        return (x**2).sum()

    for _ in range(20):
        seen.clear()
        search.step(closure)
        assert len(seen) == 2
        assert (x**2).sum() == min((y**2).sum() for y in seen)
    if make is torch.optim.Adam:
        # One of two trials a step is remembered.
        assert search.optimizer.state[x]["step"].item() == 20
    with pytest.raises(TypeError, match="gradients"):
        AfterStepGrad(RandomGrad([x], generator=generator()), generator=generator())


def test_options_are_checked():
    x = [torch.zeros(2)]
    for method, options in [
        (AveragedGrad, {"samples": 0}),
        (RandomBestGrad, {"samples": 0}),
        (SmoothedGrad, {"decay": 1.0}),
        (SmoothedGrad, {"smooth": "loss"}),
        (SmoothedGrad, {"noise": "cauchy"}),
    ]:
        with pytest.raises(ValueError, match=next(iter(options))):
            method(x, generator=generator(), **options)
    with pytest.raises(ValueError, match="decay"):
        Accumulated(torch.optim.SGD(x, lr=0.1), decay=0.0)


@pytest.mark.parametrize(
    "make", [RandomGrad, SPSA, AveragedGrad, RandomBestGrad, SmoothedGrad], ids=lambda m: m.__name__
)
def test_an_inner_optimizer_is_over_the_same_parameters_and_steps_by_itself(make):
    model, other = torch.nn.Linear(2, 1), torch.nn.Linear(2, 1)
    source = generator()

    def built(inner, **options):
        return make(model.parameters(), generator=source, optimizer=inner, **options)

    for wrong in (other.parameters(), [model.weight], [*model.parameters(), other.bias]):
        with pytest.raises(ValueError, match="same params"):
            built(torch.optim.Adam(wrong))
    with pytest.raises(ValueError, match="lr must be left"):
        built(torch.optim.Adam(model.parameters()), lr=0.1)
    for wrong in (
        torch.optim.LBFGS(model.parameters()),
        make(model.parameters(), generator=source),
    ):
        with pytest.raises(TypeError, match="without a closure"):
            built(wrong)
    # Groups, names and another order are no other parameters.
    inner = torch.optim.Adam([{"params": [model.bias]}, {"params": [model.weight], "lr": 1e-9}])
    search = make(model.named_parameters(), generator=source, optimizer=inner)
    before = model.bias.item()
    search.step(lambda: model.weight.square().sum() + (model.bias - 5).square().sum())
    assert model.bias.item() != before


def test_what_steps_only_with_a_closure_cannot_be_judged_after_its_step():
    x = torch.zeros(2)
    for wrong in (torch.optim.LBFGS([x]), RandomGrad([x], generator=generator())):
        with pytest.raises(TypeError, match="without a closure"):
            AfterStepGrad(wrong, generator=generator())
        with pytest.raises(TypeError, match="without a closure"):
            Accumulated(wrong)


def test_sums_of_two_sorts_of_smoothing_are_not_mixed_up():
    x = torch.zeros(2)
    sorts = [
        SmoothedGrad([x], smooth=smooth, generator=generator())
        for smooth in ("estimate", "direction")
    ]
    with pytest.raises(ValueError, match="direction"):
        sorts[0].load_state_dict(sorts[1].state_dict())
