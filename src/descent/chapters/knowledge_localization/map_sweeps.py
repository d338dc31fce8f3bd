"""Chapter 12: tables of the map of both correlations over the step size; they need MNIST."""

from typing import Any

from descent.chapters.knowledge_localization.composition import LIMITS, composition, limit
from descent.chapters.knowledge_localization.numbers import (
    experiment,
    networks,
    phases,
)
from descent.chapters.knowledge_localization.sweeps import SEED, digits
from descent.networks.perceptrons import accuracy, mean_loss
from descent.sweeps import Sweep, grid

N_NETWORKS = 10
STEP_SIZES = (1e-5, 3e-5, 1e-4)


def at_step_size(activation: str, step_size: float, n_first: int = 12_000) -> dict[str, Any]:
    """Return the composition of networks trained at a step size, lists over the networks."""
    samples = phases("mnist", n_first)
    found = experiment(
        samples,
        step_size,
        activation=activation,
        n_networks=N_NETWORKS,
        double=True,  # at small steps single precision leaves a few weights without a share
        seed=SEED,
    )
    r = {
        **composition(found, samples),
        "weights throughout": found.correlations("hidden_weights", throughout=True),
        "biases throughout": found.correlations("hidden_biases", throughout=True),
        "accuracy": accuracy(found.trained, samples.test.inputs, samples.test.targets),
        "loss": mean_loss(found.trained, samples.test.inputs, samples.test.targets),
    }
    return {name: digits(values, 5) for name, values in r.items()}


def without_training(activation: str, variant: str) -> dict[str, Any]:
    """Return the same for a vanishing step size, from the first networks and the images alone."""
    samples = phases("mnist", 12_000)
    start = networks(samples, N_NETWORKS, activation=activation, double=True, seed=SEED)
    return {
        name: digits(values, 5)
        for name, values in composition(limit(start, samples, variant), samples).items()
    }


MNIST_MAP = Sweep(
    name="12-mnist-map",
    run=at_step_size,
    points=grid(activation=["softplus"], step_size=STEP_SIZES),
    probes=[0],
    rtol=1e-3,
    version=2,
)

MNIST_LIMIT = Sweep(
    name="12-mnist-limit",
    run=without_training,
    points=grid(activation=["softplus"], variant=tuple(LIMITS)),
    probes=[0, 2],
    rtol=1e-3,
)
