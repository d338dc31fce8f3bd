"""Chapter 1: stored tables of descents that deal their data out, and of other optimizers."""

from typing import Any

import numpy as np

from descent import markov
from descent.adam import FRESH, adam_step
from descent.chapters.modelling_sgd.numbers import START, pit
from descent.landscapes import two_datapoint
from descent.markov.stable_noise import log_mean_exit_time, stable_draws
from descent.sweeps import Sweep

N_STEPS = 1000
WALKERS = 5000
EPOCHS = (2, 4, 8, 16)
"""Numbers of data points, half of them with the pit."""
STEP_SIZES = (0.01, 0.012, 0.014, 0.015, 0.016, 0.017, 0.018, 0.019, 0.02, 0.021, 0.022)
SHOWN = tuple(int(n) for n in np.unique(np.geomspace(1, N_STEPS, 60).round()))
"""Steps at which the chance of having escaped is stored."""


def deal(n: int, T: float) -> dict[str, Any]:
    """Return how walkers leave where an epoch deals n data points out; n = 0 draws freely."""
    model = two_datapoint()
    walk: dict[str, Any] = dict(step_size=T, start=START, threshold=float(pit().barrier))
    rng = np.random.default_rng([n, round(1e6 * T)])
    if n == 0:
        curve = markov.escape_curve(model, n_steps=N_STEPS, tolerance=1e-3, **walk)
        times = markov.first_passage_times(
            model, n_steps=N_STEPS, n_particles=WALKERS, rng=rng, **walk
        )
        reach, log_time = walk["threshold"], markov.log_mean_first_passage_time(model, **walk)
    else:
        curve = markov.reshuffled_escape_curve(model, n_steps=N_STEPS, copies=n // 2, **walk)
        times = markov.reshuffled_passage_times(
            model, n_steps=N_STEPS, copies=n // 2, n_particles=WALKERS, rng=rng, **walk
        )
        reach = markov.reshuffled_reach(model, copies=n // 2, **walk)
        log_time = markov.log_mean_reshuffled_time(model, copies=n // 2, **walk)
    return {
        "curve": [float(curve[k]) for k in SHOWN],
        "escaped": float(curve[-1]),
        "sampled": int((times <= N_STEPS).sum()),
        "reach": float(reach),
        "log_time": None if np.isinf(log_time) else float(log_time),
    }


DEALT = Sweep(
    name="01-dealt",
    run=deal,
    points=[{"n": n, "T": T} for n in (0, *EPOCHS) for T in STEP_SIZES],
    probes=[0, 12],
    rtol=1e-6,  # the log of a mean time is known to 1e-4, and its grid may be another one
)

LONG_EPOCHS = {1.0: (80, 100), 0.5: (50, 62), 0.3: (24, 30, 40)}
"""Times nT of an epoch, and halves of the numbers of data points."""


def long_epoch(epoch: float, half: int) -> dict[str, Any]:
    """Return log τ of an epoch of a given time, or with half = 0 the price that it tends to."""
    model = two_datapoint()
    if half == 0:
        ends = float(pit().minimum), float(pit().saddle), float(pit().barrier)
        price = markov.reshuffled_quasi_potential(model, *ends, epoch=epoch)
        return {"price": None if np.isinf(price) else price}
    log_time = markov.log_mean_reshuffled_time(
        model,
        step_size=epoch / (2 * half),
        start=START,
        threshold=float(pit().barrier),
        copies=half,
        tolerance=0.05,
    )
    return {"log_time": log_time}


LONG = Sweep(
    name="01-long-epochs",
    run=long_epoch,
    points=[
        *({"epoch": epoch, "half": half} for epoch, sizes in LONG_EPOCHS.items() for half in sizes),
        *(
            {"epoch": epoch, "half": 0}
            for epoch in (2.0, 1.5, 1.0, 0.8, 0.65, 0.5, 0.4, 0.35, 0.3, 0.27, 0.25, 0.245)
        ),
    ],
    probes=[4],
)


MOMENTA = (0.0, 0.5, 0.8, 0.9)
EFFECTIVE = (0.012, 0.015, 0.02, 0.025, 0.03)
"""Effective steps T/(1 - β) at which momenta are compared."""


def push(momentum: float, effective: float) -> dict[str, Any]:
    """Return log τ with momentum, exact, and how many of WALKERS leave within N_STEPS."""
    model = two_datapoint()
    step_size = effective * (1 - momentum)
    walk: dict[str, Any] = dict(start=START, threshold=float(pit().barrier))
    rng = np.random.default_rng([round(1e6 * effective), round(100 * momentum)])
    times = markov.momentum_passage_times(
        model, step_size=step_size, momentum=momentum, n_steps=N_STEPS, n_particles=WALKERS,
        rng=rng, **walk,
    )  # fmt: skip
    if momentum == 0:
        log_time = markov.log_mean_first_passage_time(model, step_size=step_size, **walk)
    else:
        log_time = markov.log_mean_momentum_time(
            model, step_size=step_size, momentum=momentum, **walk
        )
    left = times <= N_STEPS
    return {
        "log_time": log_time,
        "sampled": int(left.sum()),
        "steps_seen": int(np.minimum(times, N_STEPS).sum()),
    }


PUSHED = Sweep(
    name="01-momentum",
    run=push,
    points=[{"momentum": b, "effective": T} for b in MOMENTA for T in EFFECTIVE],
    probes=[4],
    rtol=1e-5,  # the grids on which the law is computed may end elsewhere by rounding
)

ADAM_SIZES = (0.005, 0.01, 0.015, 0.02, 0.03, 0.04, 0.06)
ADAM_SEEDS = 20
ADAM_WALKERS = 250


def adapt(size: float) -> dict[str, Any]:
    """Return how many walkers of each seed leave with Adam, and their effective step.

    The effective step is what multiplies a lasting gradient: the size over the root of the
    mean square that Adam keeps; here its median over the walkers in the pit after a hundred
    steps.
    """
    model, barrier = two_datapoint(), pit().barrier
    left, steps, seen = [], [], 0
    for seed in range(ADAM_SEEDS):
        rng = np.random.default_rng([seed, round(1e6 * size)])
        w, moments = np.full(ADAM_WALKERS, START), FRESH
        inside = np.ones(ADAM_WALKERS, bool)
        for n in range(N_STEPS):
            seen += int(inside.sum())
            gradient = model.sample_gradient(w, rng.integers(2, size=ADAM_WALKERS))
            move, moments = adam_step(gradient, moments, size)
            w = w - move
            inside &= w <= barrier
            if n == 99 and inside.any():
                mean_square = moments.second / (1 - 0.999**moments.steps)
                steps.append(float(np.median(size / np.sqrt(mean_square[inside]))))
        left.append(int((~inside).sum()))
    return {"left": left, "effective": steps, "steps_seen": seen}


ADAPTED = Sweep(
    name="01-adam", run=adapt, points=[{"size": size} for size in ADAM_SIZES], probes=[3]
)


TAILS = (1.2, 1.5, 1.8, 2.0)
DEPTHS = (0.5, 1.0, 2.0)
WIDTHS = (1.5, 2.0, 3.0)
HEAVY_STEPS = (0.05, 0.08, 0.12, 0.18, 0.27, 0.4)
JUMPERS = 2000


def jump(alpha: float, depth: float, width: float) -> dict[str, Any]:
    """Return log mean exit times from a pit at HEAVY_STEPS, and a sampled one at the last."""

    def gradient(w: np.ndarray) -> np.ndarray:
        u = w / width
        return np.asarray(4 * depth / width * (u - u**3))

    ends = (-1.2 * width, 1.2 * width)
    logs: list[float | None] = []
    for T in HEAVY_STEPS:
        try:
            logs.append(
                log_mean_exit_time(
                    gradient, step_size=T, alpha=alpha, noise=1.0, start=0.0, ends=ends
                )
            )
        except ArithmeticError:  # normal noise at small steps: longer than 1e9
            logs.append(None)
    rng = np.random.default_rng([round(100 * x) for x in (alpha, depth, width)])
    w, steps = np.zeros(JUMPERS), []
    for n in range(1, 100_000):
        w = w - HEAVY_STEPS[-1] * (gradient(w) + stable_draws(len(w), alpha, rng))
        inside = np.abs(w) <= ends[1]
        steps.extend([n] * int((~inside).sum()))
        w = w[inside]
        if len(w) == 0:
            break
    times = np.array(steps, float)
    return {
        "log_times": logs,
        "sampled": float(times.mean()),
        "error": float(times.std() / np.sqrt(len(times))),
    }


JUMPED = Sweep(
    name="01-heavy-tails",
    run=jump,
    points=[
        {"alpha": a, "depth": depth, "width": width}
        for a in TAILS
        for depth in DEPTHS
        for width in WIDTHS
    ],
    probes=[4],
)
