"""Chapter 12: its tables that take longer than a page may.

Those whose names hold "mnist" need MNIST (see `descent.networks.digit_images.load_mnist`) and raise
FileNotFoundError where it is not.
"""

from typing import Any

import numpy as np

from descent.chapters.knowledge_localization.deep import deep_localization
from descent.chapters.knowledge_localization.numbers import (
    ACTIVATIONS,
    BEST_STEP_SIZES,
    OUTPUTS,
    STEP_SIZES,
    controlled,
    experiment,
    held_out_loss,
    loss_curve,
    phases,
    statistics,
)
from descent.networks.localization import (
    activity_share,
    contrast_share,
    correlation,
    pixel_correlations,
)
from descent.sweeps import MostAgree, Sweep, grid

TUNING_SEED, SEED = 0, 1
N_NETWORKS = 8
"""Networks in a row of a table, each with its own initial parameters."""
MORE = 10
"""Networks in a row of the tables that verdicts rest on."""
BINS = 40
"""Bins of a picture's density in each direction."""


def digits(values: Any, n: int = 6) -> list[float]:
    """Return a flat list of floats with so many significant digits."""
    return [float(f"{v:.{n}g}") for v in np.ravel(values)]


def first_phase(
    activation: str, output: str, step_size: float, seed: int, n_networks: int = 4
) -> dict[str, Any]:
    """Return the held-out loss and accuracy after the first phase on MNIST."""
    loss, hits = held_out_loss(
        phases("mnist", 12_000),
        step_size,
        activation=activation,
        output=output,
        n_networks=n_networks,
        seed=seed,
    )
    return {"loss": digits(loss), "accuracy": digits(hits)}


def measure(
    data: str,
    activation: str,
    output: str,
    step_size: float,
    n_first: int = 12_000,
    hidden: int = 100,
    batch_size: int = 1,
    control: str = "none",
    double: bool = False,
    n_networks: int = N_NETWORKS,
    seed: int = SEED,
) -> dict[str, Any]:
    """Return the correlations of one setting, a list over the networks each; none on divergence."""
    samples = controlled(phases(data, n_first), control, np.random.default_rng([seed, 1]))
    try:
        found = experiment(
            samples,
            step_size,
            activation=activation,
            output=output,
            hidden=hidden,
            batch_size=batch_size,
            double=double,
            n_networks=n_networks,
            seed=seed,
        )
    except FloatingPointError:
        return {"diverged": True}
    results = statistics(found, samples, np.random.default_rng([seed, 2]))
    return {"diverged": False, **{name: digits(values) for name, values in results.items()}}


def picture(activation: str, output: str, step_size: float, seed: int = SEED) -> dict[str, Any]:
    """Return what the plots of one network on MNIST show.

    The first network's shares of biases and density of weights' shares; the correlation by pixel
    of the first network and its mean over all.
    """
    samples = phases("mnist", 12_000)
    found = experiment(
        samples,
        step_size,
        activation=activation,
        output=output,
        n_networks=N_NETWORKS,
        seed=seed,
    )
    x, y = found.updating["hidden_weights"], found.difference["hidden_weights"]
    counts, _, _ = np.histogram2d(x[0].ravel(), y[0].ravel(), BINS, [[0, 1], [0, 1]])
    by_pixel = np.array([pixel_correlations(a, b) for a, b in zip(x, y, strict=True)])
    return {
        "x_biases": digits(found.updating["hidden_biases"][0], 4),
        "y_biases": digits(found.difference["hidden_biases"][0], 4),
        "density": counts.astype(int).ravel().tolist(),
        "pixels": digits(by_pixel[0], 3),
        "pixels_mean": digits(by_pixel.mean(axis=0), 3),
        "weights": digits(found.correlations("hidden_weights")),
        "biases": digits(found.correlations("hidden_biases")),
    }


def curve(activation: str, output: str, step_size: float, seed: int = SEED) -> dict[str, Any]:
    """Return the held-out loss along two passes over MNIST, the mean over five networks."""
    samples, losses = loss_curve(
        step_size, activation=activation, output=output, n_networks=5, seed=seed
    )
    return {"samples": samples.tolist(), "loss": digits(losses.mean(axis=0))}


def facts(n_first: int) -> dict[str, Any]:
    """Return what MNIST alone says about an experiment with so many images in the first phase."""
    samples = phases("mnist", n_first)
    used = np.concatenate([samples.first.inputs, samples.rest.inputs])
    constant = np.ptp(used, axis=0) == 0
    return {
        "side_0": int((samples.first.side == 0).sum()),
        "side_1": int((samples.first.side == 1).sum()),
        "rest": len(samples.rest),
        "constant": np.flatnonzero(constant).tolist(),
        "least": float(used.min()),
        "largest": float(used.max()),
        "images_alone": correlation(activity_share(samples.first), contrast_share(samples.rest)),
    }


MNIST_FACTS = Sweep(
    name="12-mnist-facts", run=facts, points=[{"n_first": 12_000}, {"n_first": 1_200}], probes=[0]
)

MNIST_BEST = Sweep(
    name="12-mnist-best-step-sizes",
    run=first_phase,
    points=grid(activation=ACTIVATIONS, output=OUTPUTS, step_size=STEP_SIZES, seed=[TUNING_SEED]),
    probes=[4],
    rtol=1e-3,
)

MNIST_PICTURES = Sweep(
    name="12-mnist-pictures",
    run=picture,
    points=grid(
        activation=["softplus", "ReLU"],
        output=["same"],
        step_size=[1e-5, *(s for s in STEP_SIZES if s <= 3e-2)],
    ),
    probes=[0],
    rtol=1e-2,
    compare={"density": MostAgree(0.99, "weights on the line between two cells")},
)

MNIST_STEP_SIZES = Sweep(
    name="12-mnist-step-sizes",
    run=measure,
    # Beyond a step size of 0.1 all networks but those of sigmoids die or diverge.
    points=[
        point
        for point in grid(
            data=["mnist"],
            output=["same"],
            activation=ACTIVATIONS,
            step_size=STEP_SIZES,
            n_networks=[MORE],
        )
        if point["step_size"] <= 0.1 or point["activation"] == "sigmoid"
    ]
    # Almost untrained networks, whose steps are too small for single precision.
    + grid(
        data=["mnist"],
        activation=ACTIVATIONS,
        output=["same"],
        step_size=[1e-6],
        double=[True],
        n_networks=[MORE],
    ),
    probes=[0],
    rtol=1e-2,
)

MNIST_LINEAR_OUTPUTS = Sweep(
    name="12-mnist-linear-outputs",
    run=measure,
    points=grid(
        data=["mnist"],
        output=["linear"],
        activation=["softplus"],
        step_size=[s for s in STEP_SIZES if s <= 0.1],
    ),
    probes=[0],
    rtol=1e-2,
)

MNIST_PHASES = Sweep(
    name="12-mnist-twelve-hundred",
    run=measure,
    points=grid(
        data=["mnist"],
        activation=["softplus"],
        output=["same"],
        step_size=[s for s in STEP_SIZES if s <= 0.1],
        n_first=[1_200],
    ),
    probes=[0],
    rtol=1e-2,
)

MNIST_CURVES = Sweep(
    name="12-mnist-loss-curves",
    run=curve,
    points=grid(
        activation=["softplus"], output=["same"], step_size=[s for s in STEP_SIZES if s <= 0.1]
    ),
    probes=[0],
    rtol=1e-3,
)

MNIST_CONTROLS = Sweep(
    name="12-mnist-controls",
    run=measure,
    points=[
        {
            "data": "mnist",
            "activation": activation,
            "output": "same",
            "step_size": step_size,
            "control": control,
            "n_networks": MORE,
        }
        for control in ("random halves", "shuffled digits")
        for activation in ACTIVATIONS
        for step_size in (1e-4, BEST_STEP_SIZES[activation])
    ],
    probes=[0],
    rtol=1e-2,
)

MNIST_BEYOND = Sweep(
    name="12-mnist-width-and-batch",
    run=measure,
    points=[
        {
            "data": "mnist",
            "activation": "softplus",
            "output": "same",
            "step_size": step_size,
            "hidden": hidden,
            "batch_size": batch_size,
        }
        for hidden, batch_size in ((10, 1), (30, 1), (300, 1), (100, 10), (100, 100))
        for step_size in (1e-4, 1e-3, 1e-2)
    ],
    probes=[0],
    rtol=1e-2,
)


def deeper(depth: int, optimizer: str, step_size: float, seed: int) -> dict[str, Any]:
    """Return the correlations of networks with more layers or another optimizer, small digits."""
    found = deep_localization(
        phases("digits", 360),
        step_size,
        depth=depth,
        optimizer=optimizer,
        n_networks=MORE,
        seed=seed,
    )
    return {"weights": digits(found["weights"]), "accuracy": found["accuracy"]}


DEPTH_AND_OPTIMIZER = Sweep(
    name="12-digits-depth-and-optimizer",
    run=deeper,
    points=[
        {"depth": depth, "optimizer": optimizer, "step_size": step_size, "seed": SEED}
        for depth, optimizer in (
            (1, "SGD"),
            (2, "SGD"),
            (3, "SGD"),
            (1, "momentum"),
            (1, "RMSprop"),
            (1, "Adam"),
        )
        for step_size in (1e-4, 1e-3, 1e-2)
    ],
    probes=[2],
    rtol=1e-3,
    version=2,
)

DIGITS = Sweep(
    name="12-digits-step-sizes",
    run=measure,
    points=grid(
        data=["digits"],
        output=["linear"],
        activation=ACTIVATIONS,
        step_size=STEP_SIZES,
        n_first=[360],
        n_networks=[20],
    ),
    probes=[3, 14, 47],
    rtol=1e-4,
)
