"""Networks trained together follow the plain loop; their updates are gradients."""

import numpy as np
import pytest
from threadpoolctl import threadpool_info, threadpool_limits

from descent.networks.activations import ACTIVATIONS
from descent.networks.perceptrons import (
    PARAMETERS,
    Perceptrons,
    accuracy,
    he_initialization,
    mean_loss,
    outputs,
    train,
    train_with_tallies,
)


def problem(n=70, n_inputs=9, seed=0):
    rng = np.random.default_rng(seed)
    owners = rng.integers(2, size=n)
    return rng.random((n, n_inputs)) + 0.3 * owners[:, None], np.eye(2)[owners], owners


def networks(n_networks=3, sizes=(9, 7, 2), seed=1, **kwargs):
    return he_initialization(n_networks, sizes, np.random.default_rng(seed), **kwargs)


def plain_loop(start, k, x_all, y_all, step_size, owners, n_owners):
    """One network, one sample a step, full arrays of updates."""
    hidden, final = ACTIVATIONS[start.activation], ACTIVATIONS[start.output_activation]
    w, b, v, c = (array[k].copy() for array in start.parameters().values())
    tallies = {
        name: np.zeros((n_owners, *p.shape))
        for name, p in zip(PARAMETERS, (w, b, v, c), strict=True)
    }
    for x, y, owner in zip(x_all, y_all, owners, strict=True):
        h, slope = hidden(w @ x + b)
        o, output_slope = final(v @ h + c)
        e = (o - y) * output_slope
        delta = (v.T @ e) * slope
        updates = [np.outer(delta, x), delta, np.outer(e, h), e]
        for name, parameter, update in zip(PARAMETERS, (w, b, v, c), updates, strict=True):
            parameter -= step_size * update
            tallies[name][owner] += abs(step_size * update)
    return dict(zip(PARAMETERS, (w, b, v, c), strict=True)), tallies


@pytest.mark.parametrize("activation", sorted(ACTIVATIONS))
@pytest.mark.parametrize("block", [1, 16, 64, 200])
def test_training_together_follows_the_plain_loop(activation, block):
    x, y, owners = problem()
    start = networks(activation=activation, output_activation="linear")
    before = start.copy()
    trained, tallies = train_with_tallies(start, x, y, 0.05, owners, 2, block=block)
    for k in range(3):
        exact, exact_tallies = plain_loop(start, k, x, y, 0.05, owners, 2)
        for name in PARAMETERS:
            np.testing.assert_allclose(getattr(trained, name)[k], exact[name], atol=1e-12)
            np.testing.assert_allclose(tallies[name][:, k], exact_tallies[name], atol=1e-12)
            np.testing.assert_array_equal(getattr(start, name), getattr(before, name))
            assert abs(getattr(trained, name)[k] - getattr(start, name)[k]).max() > 1e-3


def test_single_precision_differs_by_its_rounding():
    x, y, _ = problem(200)
    double = train(networks(output_activation="softplus"), x, y, 0.05)
    single = train(networks(output_activation="softplus", dtype=np.float32), x, y, 0.05)
    assert single.hidden_weights.dtype == np.float32
    gap = abs(double.hidden_weights - single.hidden_weights).max()
    assert 0 < gap < 1e-5


@pytest.mark.parametrize("activation", sorted(ACTIVATIONS))
def test_a_step_is_the_gradient_of_the_loss(activation):
    """Central differences of the loss, one parameter at a time."""
    x, y, _ = problem(6)
    start = networks(1, activation=activation, output_activation=activation)
    step_size, h = 1e-3, 1e-6
    moved = train(start, x, y, step_size, batch_size=6)
    for name in PARAMETERS:
        flat = getattr(start, name).reshape(-1)
        for i in range(0, flat.size, 5):
            losses = []
            for sign in (1, -1):
                shifted = start.copy()
                getattr(shifted, name).reshape(-1)[i] += sign * h
                losses.append(mean_loss(shifted, x, y)[0])
            slope = (losses[0] - losses[1]) / (2 * h)
            found = (flat[i] - getattr(moved, name).reshape(-1)[i]) / step_size
            assert found == pytest.approx(slope, abs=1e-7, rel=1e-5)


def test_tallies_bound_the_net_change_and_add_up():
    x, y, owners = problem(150)
    start = networks()
    trained, by_owner = train_with_tallies(start, x, y, 0.05, owners, 2)
    _, by_sample = train_with_tallies(start, x, y, 0.05, np.arange(150), 150)
    for name in PARAMETERS:
        net = abs(getattr(trained, name) - getattr(start, name))
        assert (by_owner[name].sum(axis=0) >= net - 1e-12).all()
        np.testing.assert_allclose(by_sample[name].sum(axis=0), by_owner[name].sum(axis=0))
        np.testing.assert_allclose(by_sample[name][owners == 1].sum(axis=0), by_owner[name][1])


def test_the_batch_is_its_mean_and_the_tally_counts_samples():
    x, y, owners = problem(40)
    start = networks(1)
    trained, tallies = train_with_tallies(start, x, y, 0.1, owners, 2, batch_size=40)
    one_each = [train(start, x[i : i + 1], y[i : i + 1], 0.1) for i in range(40)]
    mean = np.mean([t.hidden_weights for t in one_each], axis=0)
    np.testing.assert_allclose(trained.hidden_weights, mean, atol=1e-14)
    size = np.mean([abs(t.hidden_weights - start.hidden_weights) for t in one_each], axis=0)
    np.testing.assert_allclose(tallies["hidden_weights"].sum(axis=0), size, atol=1e-14)


def test_he_initialization_has_its_variance_and_is_nested():
    few, many = networks(2, (400, 300, 2)), networks(5, (400, 300, 2))
    np.testing.assert_array_equal(few.hidden_weights, many.hidden_weights[:2])
    for array, fan_in in (
        (many.hidden_weights, 400),
        (many.hidden_biases, 400),
        (many.output_weights, 300),
    ):
        error = np.sqrt(2 / array.size) * 2 / fan_in
        assert abs(array.var() - 2 / fan_in) < 4 * error


def test_a_separable_problem_is_learnt():
    x, y, _ = problem(3000)
    trained = train(networks(activation="ReLU", output_activation="linear"), x, y, 0.05)
    assert (accuracy(trained, x, y) > 0.85).all()
    assert outputs(trained, x).shape == (3, 3000, 2)
    assert (mean_loss(trained, x, y) < mean_loss(networks(), x, y)).all()


def test_divergence_is_reported():
    x, y, _ = problem()
    with pytest.raises(FloatingPointError, match="diverged at step_size=100"):
        train(networks(activation="linear", output_activation="linear"), x, y, 100.0)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"inputs": np.ones((70, 8))}, "inputs must have shape"),
        ({"inputs": np.full((70, 9), np.nan)}, "inputs must be finite"),
        ({"targets": np.ones((70, 3))}, "targets must have shape"),
        ({"step_size": 0.0}, "step_size must be positive"),
        ({"owners": np.full(70, 2)}, "owners must lie in 0 … 1"),
        ({"owners": np.zeros(70)}, "owners must hold an integer"),
        ({"batch_size": 0}, "batch_size must be at least 1; got 0"),
    ],
)
def test_bad_arguments_are_named(change, message):
    x, y, owners = problem()
    arguments = {"inputs": x, "targets": y, "step_size": 0.1, "owners": owners, "n_owners": 2}
    with pytest.raises(ValueError, match=message):
        train_with_tallies(networks(), **(arguments | change))


def test_networks_that_do_not_fit_are_refused():
    good = networks()
    with pytest.raises(ValueError, match="hidden_biases must have shape"):
        Perceptrons(good.hidden_weights, np.zeros((3, 8)), good.output_weights, good.output_biases)
    with pytest.raises(ValueError, match="activation must be one of"):
        networks(activation="swish")


@pytest.mark.parametrize(("dtype", "tolerance"), [(np.float16, 2e-2), (np.longdouble, 1e-12)])
def test_every_precision_is_trained(dtype, tolerance):
    """BLAS knows two of them and would update a copy of the others' hidden weights."""
    x, y, _ = problem()
    double = train(networks(), x, y, 0.1)
    other = train(networks(dtype=dtype), x, y, 0.1)
    assert other.hidden_weights.dtype == dtype
    for name, array in double.parameters().items():
        np.testing.assert_allclose(other.parameters()[name], array, atol=tolerance)


def test_a_training_takes_one_thread_and_leaves_the_others_as_they_were(monkeypatch):
    """Two that wait for each other at each step took three times as long, and five the work."""
    rng, seen = np.random.default_rng(0), []
    networks = he_initialization(1, (4, 3, 2), rng)
    hidden = ACTIVATIONS[networks.activation]

    def watched(z):
        seen.append({pool["num_threads"] for pool in threadpool_info()})
        return hidden(z)

    activations = {**ACTIVATIONS, networks.activation: watched}
    monkeypatch.setattr("descent.networks.perceptrons.ACTIVATIONS", activations)
    x, y = rng.random((3, 4)), np.eye(2)[[0, 1, 0]]
    with threadpool_limits(2):
        before = threadpool_info()
        train(networks, x, y, 0.1)
        assert threadpool_info() == before
    assert [pool for pool in before if pool["num_threads"] == 2]
    assert seen
    assert all(threads == {1} for threads in seen)
