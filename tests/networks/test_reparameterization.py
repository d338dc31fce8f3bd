"""Training in two phases: against NumPy, against closed forms, and against itself resumed."""

from functools import partial

import numpy as np
import pytest
import torch

from descent.landscapes import Shifted, ackley, qubic_1d, six_hump_camel, sphere
from descent.networks import models
from descent.networks.reparameterization import Training, train

SMALL_STEPS = partial(torch.optim.SGD, lr=0.1)


def seeded(seed=0):
    return torch.Generator().manual_seed(seed)


def point(*x):
    """A bare parameter that is at x already."""
    network = models.parameter(out_ch=len(x), generator=seeded()).double()
    with torch.no_grad():
        network.x[:] = torch.tensor(x, dtype=torch.float64)
    return network


class Adam:
    """Adam by hand (Kingma and Ba 2015, algorithm 1)."""

    def __init__(self):
        self.m = self.v = self.t = 0

    def step(self, x, g):
        self.t += 1
        self.m = 0.9 * self.m + 0.1 * g
        self.v = 0.999 * self.v + 0.001 * g**2
        m, v = self.m / (1 - 0.9**self.t), self.v / (1 - 0.999**self.t)
        return x - 5e-4 * m / (np.sqrt(v) + 1e-8)


@pytest.mark.parametrize("carry_over", [True, False])
def test_a_bare_parameter_follows_adam_by_hand(carry_over):
    network = models.parameter(out_ch=2, generator=seeded()).double()
    x, start = network.x.detach().numpy().copy(), np.array([0.2, 0.1])
    record = train(network, six_hump_camel, start, epochs=200, carry_over=carry_over)

    adam, fit_steps = Adam(), 0
    while (error := np.mean((x - start) ** 2)) >= 1e-6:
        x = adam.step(x, 2 * (x - start) / 2)
        fit_steps += 1
    assert (record.fit_steps, record.fitted) == (fit_steps, True)
    assert record.fit_error == pytest.approx(error, rel=1e-9)
    adam = adam if carry_over else Adam()
    path = []
    for _ in range(200):
        path.append(x)
        x = adam.step(x, six_hump_camel.gradient(x))
    np.testing.assert_allclose(record.x, path, rtol=1e-10)
    np.testing.assert_allclose(record.loss, six_hump_camel(np.array(path)), rtol=1e-10)
    assert record.finished
    assert not record.diverged


@pytest.mark.parametrize(
    ("objective", "start", "x", "loss"),
    [(ackley, 10.0, 9.99495, 17.29193), (qubic_1d, 0.96, 0.96015, -0.70585)],
)
def test_descent_in_x_stays_in_the_valley_where_it_starts(objective, start, x, loss):
    record = train(point(start), objective, epochs=500)
    assert record.final_x[0] == pytest.approx(x, abs=5e-6)
    assert record.final_loss == pytest.approx(loss, abs=5e-6)


def test_a_step_in_the_weights_moves_x_by_the_tangent_kernel():
    def remainder(rate):
        network = models.mlp5(3, 7, 2, generator=seeded()).double()
        x = network()
        kernel = torch.zeros(2, 2, dtype=torch.float64)
        rows = [
            torch.autograd.grad(x[i], list(network.parameters()), retain_graph=True) for i in (0, 1)
        ]
        for i in range(2):
            for j in range(2):
                kernel[i, j] = sum((a * b).sum() for a, b in zip(rows[i], rows[j], strict=True))
        step = -rate * kernel.numpy() @ sphere.gradient(x.detach().numpy())
        record = train(network, sphere, epochs=2, optimizer=partial(torch.optim.SGD, lr=rate))
        return np.linalg.norm(record.x[1] - record.x[0] - step)

    assert remainder(1e-3) / remainder(5e-4) == pytest.approx(4, rel=0.02)


def test_plain_descent_with_a_schedule_is_a_product_on_a_parabola():
    n, rate = 40, 0.2

    def schedule(epoch):
        return 1 - epoch / n

    record = train(
        point(3.0),
        sphere,
        epochs=n,
        main_optimizer=partial(torch.optim.SGD, lr=rate),
        schedule=schedule,
    )
    factors = 1 - 2 * rate * np.array([schedule(k) for k in range(n - 1)])
    np.testing.assert_allclose(record.x[:, 0], 3 * np.cumprod([1.0, *factors]), rtol=1e-12)


def test_the_fit_can_have_another_optimizer_than_the_main_run():
    record = train(
        models.parameter(generator=seeded()).double(),
        sphere,
        [1.0],
        epochs=3,
        optimizer=SMALL_STEPS,
        main_optimizer=partial(torch.optim.SGD, lr=0.25),
    )
    assert record.fitted
    np.testing.assert_allclose(record.x[1:] / record.x[:-1], 0.5, rtol=1e-12)


def test_shifting_start_and_function_shifts_the_path_in_x():
    near = train(point(1.3), ackley, epochs=50)
    far = train(point(1.3 + 4.0), Shifted(ackley, 4.0), epochs=50)
    np.testing.assert_allclose(far.x - 4.0, near.x, atol=1e-9)
    assert far.final_loss == pytest.approx(near.final_loss, abs=1e-7)


def test_divergence_is_reported_and_ends_the_run():
    record = train(point(10.0), qubic_1d, epochs=50, optimizer=SMALL_STEPS)
    assert record.diverged
    assert not record.finished
    assert len(record.loss) < 50
    assert not np.isfinite(record.loss[-1])
    assert np.isfinite(record.loss[:-1]).all()
    assert record.best == np.argmin(record.loss[:-1])
    nowhere = train(point(0.0), lambda x: x.sum(-1) * float("nan"))
    assert (nowhere.diverged, nowhere.best, len(nowhere.loss)) == (True, 0, 1)


def test_a_fit_that_diverges_has_no_rows():
    record = train(
        point(0.0), sphere, [1e300], epochs=5, optimizer=partial(torch.optim.SGD, lr=1e10)
    )
    assert (record.diverged, record.fitted, record.finished) == (True, False, False)
    assert record.x.shape[0] == 0


def test_a_fit_that_ends_too_early_says_so():
    record = train(point(0.0), sphere, [1.0], epochs=2, max_fit_steps=7)
    assert (record.fit_steps, record.fitted, record.finished) == (7, False, True)
    assert record.x[0, 0] == pytest.approx(7 * 5e-4, rel=1e-3)


@pytest.mark.slow
@pytest.mark.parametrize("carry_over", [True, False])
def test_a_training_goes_on_from_any_state_with_the_same_numbers(carry_over):
    def fresh(seed=3):
        network = models.mlp5(3, 16, 2, generator=seeded(seed))
        return Training(
            network, six_hump_camel, [0.5, 0.5], epochs=20, carry_over=carry_over, tolerance=0.02
        )

    whole = fresh().run()
    assert 10 < whole.fit_steps < 150
    for stop in (0, 1, whole.fit_steps, whole.fit_steps + 1, whole.fit_steps + 12):
        first = fresh()
        for _ in range(stop):
            first.step()
        state = first.state()
        first.run()  # must not reach into the state
        second = fresh(seed=4)
        second.load_state(state)
        resumed = second.run()
        assert resumed.fit_steps == whole.fit_steps
        np.testing.assert_array_equal(resumed.x, whole.x)
        np.testing.assert_array_equal(resumed.loss, whole.loss)


def test_the_moments_carried_over_matter():
    runs = [
        train(models.mlp5(3, 16, generator=seeded()), sphere, [2.0], epochs=20, carry_over=carried)
        for carried in (True, False)
    ]
    assert runs[0].x[0] == runs[1].x[0]
    assert abs(runs[0].x[5] - runs[1].x[5]) > 1e-3


def test_errors_name_the_argument():
    with pytest.raises(ValueError, match=r"initial must be 1 finite number, .* got \[1\.0, 2\.0\]"):
        train(point(0.0), sphere, [1.0, 2.0])
    with pytest.raises(ValueError, match="initial must be 2 finite numbers"):
        train(point(0.0, 0.0), sphere, [1.0, float("nan")])
    with pytest.raises(ValueError, match="six_hump_camel takes points of dimension 2"):
        train(point(0.0), six_hump_camel)
    with pytest.raises(TypeError, match=r"objective\(x\) must be a scalar tensor .* shape \(1,\)"):
        train(point(0.0), lambda x: x**2)
    with pytest.raises(ValueError, match="epochs must not be negative"):
        train(point(0.0), sphere, epochs=-1)
    with pytest.raises(ValueError, match="tolerance must be positive"):
        train(point(0.0), sphere, tolerance=0.0)


class Makes(torch.nn.Module):
    """A network that makes of its two weights whatever it is told."""

    def __init__(self, make):
        super().__init__()
        self.x, self.make = torch.nn.Parameter(torch.tensor([1.0, 2.0])), make

    def forward(self):
        return self.make(self.x)


def square_of(x):
    return (x**2).sum()


@pytest.mark.parametrize(
    ("make", "error", "message"),
    [
        (lambda x: x.sum(), ValueError, r"network\(\) must have shape \(d,\); got \(\)"),
        (lambda x: x * x[:, None], ValueError, r"must have shape \(d,\); got \(2, 2\)"),
        (lambda x: x[:0], ValueError, r"must have shape \(d,\); got \(0,\)"),
        (lambda x: x.detach(), ValueError, r"network\(\) must depend on weights that require"),
        (lambda x: [1.0], TypeError, r"network\(\) must be a tensor of floats; got \[1.0\]"),
        (lambda x: x.int(), TypeError, r"network\(\) must be a tensor of floats"),
    ],
)
def test_a_model_that_makes_no_point_is_refused_at_once(make, error, message):
    with pytest.raises(error, match=message):
        train(Makes(make), square_of, epochs=1)


def test_frozen_weights_stay_and_wholly_frozen_ones_are_refused():
    network = models.mlp5(2, 4, 1, generator=seeded())
    network.latent.requires_grad_(False)
    before = network.latent.clone()
    assert train(network, square_of, epochs=5).finished
    torch.testing.assert_close(network.latent, before, rtol=0, atol=0)
    with pytest.raises(ValueError, match="weights that require a gradient"):
        train(network.requires_grad_(False), square_of, epochs=1)


def test_an_objective_without_a_derivative_is_refused_at_once():
    with pytest.raises(ValueError, match=r"objective\(x\) must depend on x by operations"):
        train(Makes(lambda x: x), lambda x: (x.detach() ** 2).sum(), epochs=1)


def test_an_optimizer_that_needs_a_closure_is_refused_by_name():
    with pytest.raises(TypeError, match=r"optimizer must make .* without a closure; got LBFGS"):
        train(Makes(lambda x: x), square_of, epochs=1, optimizer=torch.optim.LBFGS)


@pytest.mark.slow
def test_double_precision_is_trained_in_it():
    double, single = (
        train(models.mlp5(2, 4, 1, generator=seeded(), dtype=dtype), square_of, [0.5], epochs=20)
        for dtype in (torch.float64, None)
    )
    np.testing.assert_allclose(double.x[:3], single.x[:3], atol=1e-2)
    assert not np.array_equal(double.x, single.x)
