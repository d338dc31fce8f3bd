"""Chapter 8: what its figures and claims rest on."""

from functools import partial

import numpy as np
import pandas
import pytest
import torch

from descent import sweeps
from descent.chapters.overparameterization import numbers, pictures, rivals, tables
from descent.chapters.overparameterization.ensemble import Ensemble, train_ensemble
from descent.chapters.overparameterization.sweeps import (
    NUDGE,
    REPEATS,
    SEEDS,
    tangent_size,
    trained,
)
from descent.landscapes import OBJECTIVES, Shifted, ackley, qubic_1d, six_hump_camel, sphere
from descent.networks import models
from descent.networks.reparameterization import train


@pytest.mark.parametrize("optimizer", ["adam", "descent"])
def test_a_sum_of_weights_is_a_factor_on_the_step_size(optimizer):
    sizes = numbers.step_sizes(1e-3, 1.0, 60)
    many = numbers.sum_of_weights(qubic_1d.gradient, 0.5, 50, sizes, optimizer)
    if optimizer == "adam":
        one, _ = numbers.adam(qubic_1d.gradient, [0.5], 50 * sizes)
    else:
        one = numbers.gradient_descent(qubic_1d.gradient, [0.5], 50 * sizes)
    np.testing.assert_allclose(many, one, rtol=1e-10)
    slower = numbers.gradient_descent(qubic_1d.gradient, [0.5], sizes)
    assert abs(many[-1] - slower[-1]).item() > 1e-3


@pytest.mark.parametrize("depth", [1, 2, 5])
def test_a_product_of_weights_follows_its_flow(depth):
    """On f = x²/2 the flow is dx/dt = -D x^(3 - 2/D), a Bernoulli equation."""
    n, step, start = 4000, 1e-4, 2.0
    path = numbers.product_of_weights(sphere_half, start, depth, numbers.step_sizes(step, 0.0, n))
    power = 2 - 2 / depth
    time = depth * n * step
    if depth == 1:
        exact = start * np.exp(-time)
    else:
        exact = (start**-power + power * time) ** (-1 / power)
    assert path[-1, 0] == pytest.approx(exact, rel=2e-3)


def sphere_half(x):
    return sphere.gradient(x) / 2


def test_adam_is_that_of_torch():
    x = torch.tensor([0.7, -1.3], dtype=torch.float64, requires_grad=True)
    optimizer = torch.optim.Adam([x], lr=0.05)
    for _ in range(40):
        optimizer.zero_grad()
        six_hump_camel.value(x).backward()
        optimizer.step()
    sizes = numbers.step_sizes(0.05, 0.0, 25)
    first, state = numbers.adam(six_hump_camel.gradient, [0.7, -1.3], sizes)
    path, _ = numbers.adam(six_hump_camel.gradient, first[-1], sizes[:15], state)
    np.testing.assert_allclose(path[-1], x.detach().numpy(), rtol=1e-9)


def test_step_lengths_are_those_that_were_asked_for():
    lengths = np.linspace(0.5, 0.1, 9)
    path = numbers.with_step_lengths(six_hump_camel.gradient, [1.0, 1.0], lengths, 0.9)
    np.testing.assert_allclose(np.linalg.norm(np.diff(path, axis=0), axis=1), lengths)


@pytest.mark.parametrize("shift", [-10.0, 3.0])
def test_descent_in_x_does_not_notice_a_shift(shift):
    """As long as its path is not chaotic: at a small step size."""
    sizes = numbers.step_sizes(0.01, 0.0, 200)
    home = numbers.gradient_descent(ackley.gradient, numbers.starts(), sizes)
    moved = numbers.gradient_descent(Shifted(ackley, shift).gradient, numbers.starts(shift), sizes)
    np.testing.assert_allclose(moved - shift, home, atol=1e-8)


def test_a_large_falling_step_frees_descent_and_a_small_one_does_not():
    assert numbers.direct_rate(0.1, 1.0, -10.0).low > 0.7
    assert numbers.direct_rate(0.01, 1.0).successes == 0
    assert numbers.direct_rate(0.1, 0.0).high < numbers.direct_rate(0.1, 1.0).low


def test_camel_has_six_minima():
    minima = numbers.camel_minima()
    assert len(minima) == 6
    np.testing.assert_allclose(six_hump_camel.gradient(minima), 0, atol=1e-7)
    np.testing.assert_allclose(np.sort(minima, 0), -np.sort(-minima, 0)[::-1] * 1.0)
    np.testing.assert_allclose(minima, -minima[::-1], atol=1e-8)


def test_reached_wants_every_coordinate():
    assert numbers.reached(six_hump_camel, [[0.1, -0.7], [-0.1, 0.7], [0.7, 0.7]]).tolist() == [
        True,
        True,
        False,
    ]


def test_rate_has_wilsons_interval():
    rate = numbers.rate([True] * 14 + [False] * 6)
    z, n, p = 1.959963984540054, 20, 0.7
    middle = (p + z**2 / (2 * n)) / (1 + z**2 / n)
    half = z / (1 + z**2 / n) * np.sqrt(p * (1 - p) / n + z**2 / (4 * n**2))
    assert (rate.low, rate.high) == pytest.approx((middle - half, middle + half))
    with pytest.raises(ValueError, match="at least one outcome"):
        numbers.rate([])


@pytest.mark.parametrize("name", ["mlp5", "mlp9", "mlp17"])
def test_an_ensemble_is_its_networks(name):
    together = Ensemble(name, 4, 12, 2, range(3))()
    for seed in range(3):
        alone = models.build(name, 4, 12, 2, generator=torch.Generator().manual_seed(seed))
        torch.testing.assert_close(together[seed], alone())


@pytest.mark.parametrize("optimizer", ["adam", "sgd"])
def test_an_ensemble_is_trained_like_its_networks(optimizer):
    kinds = {"adam": None, "sgd": partial(torch.optim.SGD, lr=1e-3)}
    outcome = train_ensemble(
        "mlp5", 8, 48, "qubic_1d", [0.5], range(2), optimizer=optimizer,
        learning_rate=1e-3, decay=0.5, epochs=40,
    )  # fmt: skip
    factor = 1.0 if optimizer == "sgd" else 2.0
    for seed in range(2):
        network = models.mlp5(8, 48, 1, generator=torch.Generator().manual_seed(seed))
        record = train(
            network,
            OBJECTIVES["qubic_1d"],
            [0.5],
            epochs=40,
            main_optimizer=kinds[optimizer],
            schedule=lambda epoch: factor * (1 - 0.5 * epoch / 40),
        )
        assert abs(record.fit_steps - outcome.fit_steps[seed]) <= 1  # single precision
        np.testing.assert_allclose(outcome.x[:, seed], record.x, atol=2e-3)
        assert abs(record.x[-1] - record.x[0]).item() > 1e-2


def test_lifted_gradient_vanishes_with_that_of_the_function_only():
    """∇g = Jᵀ ∇f and J Jᵀ is at least 1, since the head's bias is among the weights."""
    for seed, name in enumerate(("mlp5", "mlp9", "mlp17")):
        network = models.build(name, 4, 12, 1, generator=torch.Generator().manual_seed(seed))
        network = network.double()
        kernel, absolute = tangent_size(network)
        assert kernel >= 1
        assert absolute >= kernel**0.5
        x = network()
        gradient = torch.autograd.grad(qubic_1d(x), list(network.parameters()))
        squares = sum(float((g**2).sum()) for g in gradient)
        slope = qubic_1d.gradient(x.detach().numpy()).item()
        assert squares == pytest.approx(kernel * slope**2, rel=1e-9)


def test_tangent_map_grows_with_x():
    near, far = (
        trained("mlp5", 4, 16, "ackley", place - 10.0, seed=0, epochs=1)[1] for place in (1.0, 30.0)
    )
    assert far[1] > 10 * near[1]


def test_sparse_solutions_solve_the_equations_and_differ():
    solution = numbers.sparse_recovery(np.random.default_rng(3), 40, 20, 2, n_steps=8000)
    assert solution.error(solution.reparameterized) < 0.05
    assert solution.error(solution.direct) > 0.3
    assert np.linalg.norm(solution.direct) < np.linalg.norm(solution.reparameterized)
    assert np.abs(solution.direct).sum() > np.abs(solution.reparameterized).sum()


@pytest.mark.parametrize("search", list(rivals.SEARCHES))
def test_searches_keep_to_their_evaluations(search):
    calls = 0

    def value(x):
        nonlocal calls
        calls += 1
        return float(np.sum(x**2)) + 5.0

    far = Shifted(sphere, 1000.0)  # out of reach, so that no search ends early
    watched = type(sphere)(
        "watched", value, sphere.gradient, far.minimizers, 0.0, sphere.box, dimension=None
    )
    method, settings = rivals.SEARCHES[search]
    end = method(watched, np.array([0.3, -0.2]), np.random.default_rng(0), min(settings))
    assert np.isfinite(end).all()
    assert calls <= numbers.STEPS


def test_rates_of_a_table_are_pooled_over_its_rows():
    frame = pictures.sweeps.load("08-shifted-optimum")
    rates = pictures.pooled(frame, ["shift"])
    assert {key[0] for key in rates} == set(pictures.SHIFTS)
    per_row = SEEDS * REPEATS
    assert all(rate.runs == per_row * (1 + (c in (0, -10, 3))) for (c,), rate in rates.items())
    home, beside = rates[(0.0,)], rates[(-10.0,)]
    assert home.low > beside.high


def test_a_rate_respects_that_repeats_are_alike():
    hits = np.array([[True] * 3] * 14 + [[False] * 3] * 6)
    rate, alone = numbers.rate(hits), numbers.rate(hits[:, 0])
    assert (rate.successes, rate.runs, rate.between) == (42, 60, pytest.approx(1))
    assert (rate.low, rate.high) == pytest.approx((alone.low, alone.high))
    naive = numbers.rate(hits.ravel())
    assert rate.low < naive.low < naive.high < rate.high
    assert numbers.repeats(hits) == (14, 0, 6)
    assert rate.interval == "48 to 85 %"


def test_a_table_of_single_trainings_is_read_by_seed():
    frame = pandas.DataFrame(
        {"seed": [1, 0, 1, 0], "repeat": [0, 1, 1, 0], "reached": [True, False, True, True]}
    )
    assert pictures.by_seed(frame).tolist() == [[True, False], [True, True]]


def test_repeats_of_a_chaotic_run_part_and_those_of_a_calm_one_do_not():
    """What moves the start by 1e-5 moves a calm end by less, and draws a chaotic one anew."""
    seeds = np.repeat(range(4), 4)
    starts = 10.0 + NUDGE * np.tile(np.arange(4), 4)[:, None]
    moved = 3 * NUDGE
    for rate, part in ((1e-4, False), (3.2e-2, True)):
        x = train_ensemble(
            "mlp5", 4, 16, "ackley", starts, seeds.tolist(), learning_rate=rate, epochs=300
        ).x[150:, :, 0]
        apart = np.ptp(x.reshape(150, 4, 4), axis=2).max(axis=0)  # of each seed
        # Measured under four roundings: at most 0.2 and at least 190 times what they were moved.
        assert all(apart > 30 * moved) if part else all(apart < moved / 3), (rate, apart)


def test_calm_paths_of_the_sources_networks_have_calm_repeats():
    frame = pictures.sweeps.load("08-source-networks")
    calm = frame[(frame.hidden_ch == 512) & (frame.seed == 0)]
    for _, group in calm.groupby(["objective", "shift"]):
        if (group.objective.iloc[0], group["shift"].iloc[0]) != ("ackley", 0.0):
            assert len(group) == REPEATS
            assert group.reached.nunique() == 1
            np.testing.assert_allclose(
                np.array(group.x.tolist()), [group.x.iloc[0]] * REPEATS, atol=2e-3
            )


def test_bad_arguments_are_named():
    with pytest.raises(ValueError, match="decay must lie in"):
        numbers.step_sizes(0.1, 1.5)
    with pytest.raises(ValueError, match="momentum"):
        numbers.with_step_lengths(ackley.gradient, [1.0], np.ones(2), 1.0)
    with pytest.raises(ValueError, match="optimizer"):
        numbers.sum_of_weights(ackley.gradient, 1.0, 2, np.ones(2), "sgd")
    with pytest.raises(ValueError, match="start must be positive"):
        numbers.product_of_weights(ackley.gradient, -1.0, 2, np.ones(2))
    with pytest.raises(ValueError, match="optimizer"):
        train_ensemble("mlp5", 4, 12, "ackley", [1.0], [0], optimizer="lbfgs")
    with pytest.raises(ValueError, match="start must have shape"):
        train_ensemble("mlp5", 4, 12, "ackley", [[1.0], [2.0]], [0])


def test_the_largest_network_of_the_source_has_the_weights_that_the_chapter_says():
    largest = models.mlp17(128, 1024, 1, generator=torch.Generator())
    assert 19e6 < models.number_of_weights(largest) < 20e6


def test_the_table_of_searches_counts_whole_runs():
    table = tables.rivals(sweeps.load("08-rivals"), ["1 of 2"] * len(tables.CASES))
    assert "38 of 40 (0.1)" in table
    assert ".0 of" not in table
