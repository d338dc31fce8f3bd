"""Chapter 12: the map over the step size, the parts of the correlation, measures of importance."""

import numpy as np
import pytest
import torch

from descent import claims
from descent.chapters.knowledge_localization import composition, importance, map_pictures, numbers
from descent.estimates import mean_with_error
from descent.networks import localization
from descent.networks.perceptrons import Perceptrons
from descent.sweeps import load


@pytest.fixture(scope="module")
def samples():
    return numbers.phases("digits", 360)


@pytest.fixture(scope="module")
def still(samples):
    return composition.limit(numbers.networks(samples, 3, seed=1), samples)


def test_parts_add_up_and_exchange_leaves_the_pixels(samples, still):
    found = composition.composition(still, samples)
    total = sum(found[part] for part in composition.PARTS)
    np.testing.assert_allclose(total, found["weights"], atol=1e-12)
    x, y = still.updating["hidden_weights"], still.difference["hidden_weights"]
    rng = np.random.default_rng(0)
    left = [numbers.permuted(a, b, rng, repeats=300) for a, b in zip(x, y, strict=True)]
    np.testing.assert_allclose(left, found["pixels"], atol=0.02)


def test_edges_repeat_the_biases(samples, still):
    x, y = still.updating["hidden_weights"], still.difference["hidden_weights"]
    vary = composition.varying(samples)
    by_pixel = np.array([localization.pixel_correlations(a, b) for a, b in zip(x, y, strict=True)])
    biases = still.correlations("hidden_biases")
    np.testing.assert_allclose(by_pixel[:, ~vary], biases[:, None] + 0 * by_pixel[:, ~vary])
    said = composition.heat_map_statements(by_pixel, vary)
    inner = abs(by_pixel[:, vary]).mean(axis=1)
    np.testing.assert_allclose(said["edges"], abs(biases) / inner)
    assert said["positive"][0] == pytest.approx((by_pixel[0, vary] > 0).mean())


def test_equal_signals_leave_no_part_of_the_neurons(samples):
    start = numbers.networks(samples, 3, seed=1)
    start.output_weights[:] = 1.0  # all neurons are pulled alike
    found = composition.composition(composition.limit(start, samples, "both"), samples)
    np.testing.assert_allclose(found["pixels"], found["weights"], atol=1e-9)
    np.testing.assert_allclose(found["neurons"], 0, atol=1e-9)


def test_the_pull_of_the_errors_is_what_biases_share(samples, still):
    """Without training, the share of a bias is close to that of the pull of the mean errors."""
    pull = composition.pull_share(still.trained, samples.first)
    for a, b in zip(pull, still.updating["hidden_biases"], strict=True):
        assert localization.correlation(a, b) > 0.8


def test_a_pair_in_the_middle_is_likely_and_one_far_away_is_not():
    pairs = np.random.default_rng(0).normal(size=(4000, 2)) @ [[1.0, 0.5], [0.0, 0.2]]
    assert composition.chance_of_a_pair(pairs, pairs.mean(axis=0)) == pytest.approx(1)
    assert composition.chance_of_a_pair(pairs, [6.0, 0.0]) < 1e-6
    # Many networks: chi-squared with two degrees of freedom, exp(-T² / 2).
    away = np.array([1.0, 0.7])
    t2 = away @ np.linalg.solve(np.cov(pairs.T), away)
    assert composition.chance_of_a_pair(pairs, pairs.mean(axis=0) + away) == pytest.approx(
        np.exp(-t2 / 2), rel=0.01
    )


def test_chance_of_a_pair_is_uniform_for_one_more_network():
    rng = np.random.default_rng(1)
    draws = rng.normal(size=(3000, 11, 2))
    found = [composition.chance_of_a_pair(d[:10], d[10]) for d in draws]
    for level in (0.05, 0.5):
        assert np.mean(np.array(found) < level) == pytest.approx(level, abs=0.03)


def test_stored_map_agrees_with_the_limit_and_with_the_table():
    """The same first networks: at a small step size the two are close, network by network."""
    still = load("12-mnist-limit").set_index("variant").loc["as they are"]
    table = load("12-mnist-step-sizes")
    small = table[(table.activation == "softplus") & (table.step_size == 1e-6)].iloc[0]
    gap = np.array(still.weights) - np.array(small.weights)
    assert abs(gap).max() < 0.1
    ten = load("12-mnist-map").set_index("step_size")
    for eta in (3e-5, 1e-4):
        row = table[(table.activation == "softplus") & (table.step_size == eta)].iloc[0]
        np.testing.assert_allclose(ten.weights[eta], row.weights, atol=5e-3)
    for _, row in ten.iterrows():
        parts = np.sum([row[part] for part in composition.PARTS], axis=0)
        np.testing.assert_allclose(parts, row.weights, atol=5e-5)


def test_the_biases_of_the_source_are_found_where_nothing_is_learnt():
    ten = load("12-mnist-map").set_index("step_size")
    squares = {eta: np.square(r) for eta, r in ten.biases.items()}
    assert abs(squares[1e-5].mean() - 0.17) < 2 * squares[1e-5].std(ddof=1) / np.sqrt(10)
    assert squares[1e-4].mean() + 3 * squares[1e-4].std(ddof=1) / np.sqrt(10) < 0.17
    assert np.mean(ten.accuracy[1e-5]) < 0.65


@pytest.mark.parametrize("empirical", [True, False])
def test_fisher_share_is_that_of_torch(samples, empirical):
    some = samples.first[:6]
    start = numbers.networks(samples, 1, seed=3, hidden=5)
    found = importance.fisher_share(start, some, empirical=empirical)
    weights = torch.tensor(start.hidden_weights[0], requires_grad=True)
    sums = [torch.zeros_like(weights), torch.zeros_like(weights)]
    for n in range(len(some)):
        x, q = torch.tensor(some.inputs[n]), torch.tensor(some.targets[n])
        h = torch.nn.functional.softplus(weights @ x + torch.tensor(start.hidden_biases[0]))
        o = torch.nn.functional.softplus(
            torch.tensor(start.output_weights[0]) @ h + torch.tensor(start.output_biases[0])
        )
        scalars = [((o - q) ** 2).sum() / 2] if empirical else list(o)
        for scalar in scalars:
            (gradient,) = torch.autograd.grad(scalar, weights, retain_graph=True)
            sums[int(some.side[n])] += gradient**2
    expected = sums[0] / (sums[0] + sums[1])
    np.testing.assert_allclose(found[0], expected.detach().numpy(), rtol=1e-8)


def test_the_empirical_fisher_vanishes_where_the_data_are_fitted_and_the_true_one_does_not(samples):
    start = numbers.networks(samples, 1, seed=3, hidden=5, output="linear")
    zero = {name: 0 * a for name, a in start.parameters().items()}
    zero["hidden_weights"] = start.hidden_weights
    zero["output_biases"] = np.array([[1.0, 0.0]])  # the target of side 0
    zero["output_weights"] = 0 * start.output_weights + np.array([[1e-9], [-1e-9]])
    fitted = Perceptrons(**zero, output_activation="linear")
    x = importance.fisher_share(fitted, samples.first, empirical=True)
    assert np.nanmax(x) < 1e-6  # all of it belongs to side 1, whose labels are missed
    assert importance.fisher_share(fitted, samples.first, empirical=False).mean() > 0.2


def test_equal_accuracy_is_read_between_the_stored_step_sizes():
    rows = load("12-digits-depth-and-optimizer")
    found = map_pictures.at_accuracy(rows, 0.6)
    assert found
    for optimizer, r in found.items():
        mine = rows[(rows.depth == 1) & (rows.optimizer == optimizer)]
        means = [np.mean(v) for v in mine.weights]
        assert min(means) <= r <= max(means)
    assert map_pictures.at_accuracy(rows, 0.01) == {}


def test_what_the_claims_say_beside_their_values_is_what_the_tables_hold():
    """Numbers that are typed in a control or a reason, computed."""
    said = {claim.id: claim for claim in claims.load()}
    still = load("12-mnist-limit").set_index("variant").loc["as they are"]
    ten = load("12-mnist-map").set_index("step_size")
    table = load("12-mnist-step-sizes").set_index(["activation", "step_size"])
    short = load("12-mnist-twelve-hundred").set_index("step_size")

    def r2(row):
        return f"{np.square(row.weights).mean():.2f}"

    assert f"it is {r2(still)}." in said["r2-of-the-weights"].control
    assert said["correlation-without-training"].expected == pytest.approx(
        np.mean(still.weights), abs=1e-5
    )
    assert 0.75 < np.mean(ten.accuracy[1e-4]) < 0.8, "nearly four in five"
    assert np.square(ten.biases[1e-4]).max() < 0.03
    shares = 100 * np.array(ten.positive[1e-4])
    between = f"between {shares.min():.0f} and {shares.max():.0f} in a hundred"
    assert between in said["mostly-positive-by-pixel"].why
    assert [round(np.mean(ten.positive[eta]), 2) for eta in (1e-5, 3e-5)] == [0.92, 0.75]
    assert [round(np.mean(ten.negative[eta]), 2) for eta in (1e-5, 3e-5)] == [0.05, 0.18]
    softplus, sigmoid = table.loc["softplus", 3e-4], table.loc["sigmoid", 1e-3]
    assert np.mean(softplus.accuracy) > np.mean(sigmoid.accuracy)
    rival = f"get {100 * np.mean(softplus.accuracy):.0f} % right, the sigmoid ones "
    rival += f"{100 * np.mean(sigmoid.accuracy):.0f} %, and have {r2(softplus)}"
    assert rival in said["only-for-relu-like"].control
    assert f"longer phase gives {r2(table.loc['softplus', 1e-4])}" in said["twelve-hundred"].why
    assert short.index.min() == 3e-5
    assert f"it is {r2(short.loc[3e-5])}." in said["twelve-hundred"].why
    assert {len(row) for row in short.weights} == {8}


def test_the_second_half_is_weaker_at_large_steps_and_stronger_at_the_best():
    table = load("12-mnist-step-sizes").set_index(["activation", "step_size"])
    signs = []
    for eta in (1e-4, 1e-3, 3e-3, 1e-2, 3e-2, 1e-1):
        row = table.loc["softplus", eta]
        gain = np.square(row.weights) - np.square(row["weights throughout"])
        mean, error = mean_with_error(gain)
        signs.append(int(np.sign(mean)) if abs(mean) > 2.26 * error else 0)
    assert signs == [0, -1, -1, -1, -1, 1]


def test_at_the_best_step_sizes_only_softplus_and_relu_keep_nothing_in_the_pixels():
    table = load("12-mnist-step-sizes").set_index(["activation", "step_size"])
    kept = {}
    for activation, eta in numbers.BEST_STEP_SIZES.items():
        row = table.loc[activation, eta]
        kept[activation] = np.median(row.permuted) / np.median(row.weights)
    assert max(kept["softplus"], kept["ReLU"]) < 0.1
    assert min(kept[name] for name in ("GELU", "tanh", "sigmoid")) > 0.4
