"""Chapter 12: its tables that take longer than a page may.

Those with "mnist" in their points need MNIST (see `descent.digit_images`) and raise
FileNotFoundError without it.
"""

import itertools
from typing import Any

import numpy as np

from descent.experiments.knowledge_localization import (
    ACTIVATIONS,
    STEP_SIZES,
    controlled,
    experiment,
    phases,
    statistics,
)

N_NETWORKS = 12
"""Networks in a row of a table, each with its own initial parameters."""
BEST_STEP_SIZES = {}


def _digits(values: Any, n: int = 8) -> list[float]:
    """Return floats with so many significant digits, NaN where they are not finite."""
    return [float(f"{v:.{n}g}") for v in np.ravel(values)]


def measure(
    data: str,
    activation: str,
    output: str,
    step_size: float,
    n_first: int = 12_000,
    hidden: int = 100,
    batch_size: int = 1,
    control: str = "none",
    n_networks: int = N_NETWORKS,
    seed: int = 1,
) -> dict[str, Any]:
    """Return the correlations of one setting, a list over the networks each; empty on divergence."""
    samples = controlled(phases(data, n_first), control, np.random.default_rng([seed, 1]))
    try:
        found = experiment(
            samples,
            step_size,
            activation=activation,
            output=output,
            hidden=hidden,
            batch_size=batch_size,
            n_networks=n_networks,
            seed=seed,
        )
    except FloatingPointError:
        return {"diverged": True}
    results = statistics(found, samples, np.random.default_rng([seed, 2]))
    return {"diverged": False, **{name: _digits(values) for name, values in results.items()}}
