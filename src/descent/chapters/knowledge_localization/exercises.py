"""Chapter 12: the answers to its exercises, and what comes of mistakes."""

import numpy as np

from descent.chapters.knowledge_localization import numbers
from descent.networks import localization
from descent.sweeps import load

STEP_SIZE = 0.01


def activity_predicts() -> tuple[float, float]:
    """Return how well the activity of the pixels alone predicts x and y of the small digits."""
    samples = numbers.phases("digits", 360)
    found = numbers.experiment(samples, STEP_SIZE, n_networks=20, seed=1)
    activity = localization.activity_share(samples.first)
    means = [
        float(
            np.mean(
                [localization.correlation(np.broadcast_to(activity, v.shape), v) for v in values]
            )
        )
        for values in (found.updating["hidden_weights"], found.difference["hidden_weights"])
    ]
    return means[0], means[1]


def smallest_deadly_step() -> float:
    """Return the smallest step size at which a ReLU network of the stored table has no share."""
    table = load("12-mnist-step-sizes")
    relu = table[(table.activation == "ReLU") & ~table.diverged]
    dead = [not np.isfinite(weights).all() for weights in relu.weights]
    return float(relu.step_size[dead].min())


def smallest_step_that_diverges() -> float:
    """Return the smallest step size at which one has diverged."""
    table = load("12-mnist-step-sizes")
    return float(table.step_size[(table.activation == "ReLU") & table.diverged].min())


def largest_living_step() -> float:
    """Return the step size before it on the grid."""
    sizes = numbers.STEP_SIZES
    return sizes[sizes.index(smallest_deadly_step()) - 1]
