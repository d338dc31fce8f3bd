"""Chapter 1: how stochastic gradient descent leaves a pit (source 003, post 1)."""

from collections.abc import Callable, Sequence
from functools import cache
from typing import NamedTuple

import numpy as np
from scipy.integrate import solve_ivp

from descent import large_deviations, markov
from descent.arguments import Array
from descent.kept import kept
from descent.landscapes import FiniteSum, stationary_points, two_datapoint

START = 1.0
"""Where every escape starts: the centre of the pit's Gaussian."""


class Pit(NamedTuple):
    """The stationary points that matter: of l1 (bottom, barrier) and of L (minimum, saddle)."""

    bottom: float
    barrier: float
    minimum: float
    saddle: float


@cache
def pit(depth: float = 1.0) -> Pit:
    """Return the stationary points of the pit; the barrier b is the threshold of escape."""
    model = two_datapoint(depth)
    of_l1 = stationary_points(lambda w: model.gradients(w)[1], 0.5, 1.7)
    of_mean = stationary_points(model.mean_gradient, 0.5, 1.7)
    return Pit(*of_l1, *of_mean)


def smooth_descent(
    gradient: Callable[[Array], Array], starts: Sequence[float], times: Array
) -> Array:
    """Return W at times of the descent of infinitely small steps, dW/dt = -g, (starts, times)."""
    found = solve_ivp(
        lambda _, w: -gradient(w),
        (times[0], times[-1]),
        np.asarray(starts, float),
        t_eval=times,
        rtol=1e-11,
        atol=1e-12,
    )
    return np.asarray(found.y)


def steps_to_settle(path: Array, target: float, distance: float) -> int:
    """Return the first step after which a path stays within a distance of a target."""
    far = np.nonzero(np.abs(path - target) > distance)[0]
    return int(far[-1]) + 1 if far.size else 0


def first_step_beyond(path: Array, threshold: float) -> int:
    """Return the first step at which a path lies beyond a threshold.

    Raises
    ------
    ValueError
        If it never does.
    """
    beyond = np.nonzero(path > threshold)[0]
    if not beyond.size:
        raise ValueError(f"the path of {len(path) - 1} steps stays below {threshold}")
    return int(beyond[0])


def l0_steps_to_leave(step_size: float, start: float, depth: float = 1.0) -> int:
    """Return how many consecutive steps on l0 take W from the start beyond the barrier of l1."""
    gradient = two_datapoint(depth).gradients
    w, steps = start, 0
    while w <= pit(depth).barrier:
        w, steps = w - step_size * gradient(w)[0], steps + 1
    return steps


def run_probability(run: int, draws: int) -> float:
    """Return the probability that fair draws of two samples hold a run of one of them.

    The state is the length of the current run; ``run`` of them in a row absorb.
    """
    state = np.zeros(run + 1)
    state[0] = 1.0
    for _ in range(draws):
        missed = state[:run].sum() / 2
        state[run] += state[run - 1] / 2
        state[1:run] = state[: run - 1] / 2
        state[0] = missed
    return float(state[run])


def monte_carlo_escape(
    step_sizes: Sequence[float], n_steps: int, n_particles: int, rng: np.random.Generator
) -> tuple[Array, Array]:
    """Return the share that escaped within n steps at each step size, with its standard error."""
    share = np.array(
        [
            np.mean(
                markov.first_passage_times(
                    two_datapoint(),
                    step_size=T,
                    n_steps=n_steps,
                    start=START,
                    threshold=pit().barrier,
                    n_particles=n_particles,
                    rng=rng,
                )
                <= n_steps
            )
            for T in step_sizes
        ]
    )
    return share, np.sqrt(share * (1 - share) / n_particles)


def escape_probabilities(
    step_sizes: Sequence[float], steps: Sequence[int], nodes: int = 20_000
) -> Array:
    """Return P(escaped by step n), exact, for each step size (rows) and number of steps.

    A coarse grid of a few thousand nodes is enough for a picture.
    """
    model, barrier = two_datapoint(), pit().barrier
    return np.array(
        [
            markov.escape_curve(
                model,
                step_size=T,
                n_steps=max(steps),
                start=START,
                threshold=barrier,
                nodes=nodes,
            )[list(steps)]
            for T in step_sizes
        ]
    )


@kept
def log_escape_times(step_sizes: Sequence[float], depth: float = 1.0) -> Array:
    """Return ln of the mean escape time at each step size, from the exact operator."""
    model, barrier = two_datapoint(depth), pit(depth).barrier
    return np.array(
        [
            markov.log_mean_first_passage_time(model, step_size=T, start=START, threshold=barrier)
            for T in step_sizes
        ]
    )


FINEST = 50_000
"""Nodes beyond which a mean escape time is given up."""


@kept
def mean_escape_times(
    step_sizes: Sequence[float], depth: float = 1.0, nodes: int = 6000, n_steps: int = 20_000
) -> Array:
    """Return the mean escape time at each step size to one per cent, for a picture.

    It is the sum of the survival probability; what is left after n steps escapes at a constant
    rate and adds a geometric tail. Two grids, of so many nodes and of half as many, are
    extrapolated in the square of the spacing; where they differ by more than a per cent, as at
    step sizes that carry the start close to the threshold, finer ones follow. An ArithmeticError
    says where the finest are not fine enough, or where one minus the escape probability has
    lost its digits, as for T below about 0.007. There, and where more accuracy is needed, use
    the logarithm.
    """
    model, barrier, times = two_datapoint(depth), pit(depth).barrier, []

    def time(T: float, nodes: int) -> float:
        survival = 1 - markov.escape_curve(
            model, step_size=T, n_steps=n_steps, start=START, threshold=barrier, nodes=nodes
        )
        before, last = survival[-2:]
        if last < 1e-9:
            return float(survival.sum())
        if before - last < 1e-10 * last:
            raise ArithmeticError(f"no digits of the survival are left: use the logarithm at T={T}")
        return float(survival.sum() + last**2 / (before - last))

    for T in step_sizes:
        finest, coarse, fine = nodes, time(T, nodes // 2), time(T, nodes)
        while abs(fine - coarse) > 0.01 * fine:
            if finest >= FINEST:
                raise ArithmeticError(f"{finest} nodes are too few at T={T}: {coarse}, {fine}")
            finest, coarse, fine = 2 * finest, fine, time(T, 2 * finest)
        times.append(fine + (fine - coarse) / 3)
    return np.array(times)


def full_batch_orbits(step_sizes: Array, transient: int, kept: int) -> Array:
    """Return where full-batch descent from the pit's minimum goes, NaN once it has left.

    Parameters
    ----------
    step_sizes
        Shape (m,).
    transient, kept
        Steps that are dropped, and steps that are returned.

    Returns
    -------
    array (kept, m)
    """
    gradient, w = two_datapoint().mean_gradient, np.full(len(step_sizes), pit().minimum + 1e-3)
    rows = []
    for step in range(transient + kept):
        w = np.where(w > pit().saddle, np.nan, w - step_sizes * gradient(w))
        if step >= transient:
            rows.append(w)
    return np.array(rows)


class LargeDeviation(NamedTuple):
    """The small-step law of the escape time, and its Gaussian impostor."""

    quasi_potential: float
    prefactor: float
    diffusion_exponent: float

    def log_time(self, step_sizes: Array) -> Array:
        """Return ln τ = V/T + ln(C/T)."""
        return self.quasi_potential / step_sizes + np.log(self.prefactor / step_sizes)

    def log_time_by_diffusion(self, step_sizes: Array) -> Array:
        """Return the same with the exponent of the diffusion approximation."""
        return self.diffusion_exponent / step_sizes + np.log(self.prefactor / step_sizes)


def large_deviation(depth: float = 1.0) -> LargeDeviation:
    """Return quasi-potential, prefactor and diffusion exponent of the pit."""
    return _law(two_datapoint(depth), pit(depth))


def _law(model: FiniteSum, pit: Pit) -> LargeDeviation:
    minimum, saddle = pit.minimum, pit.saddle
    return LargeDeviation(
        large_deviations.quasi_potential(model, minimum, saddle),
        large_deviations.prefactor(model, minimum, saddle),
        large_deviations.diffusion_exponent(model, minimum, saddle),
    )


BATCH_SIZES = (1, 2, 4, 8, 16)
BATCH_STEPS = np.geomspace(0.005, 0.032, 9)
"""Step sizes at which batches are compared, from below the limits of stability to above them."""


class Batched(NamedTuple):
    """Escape times of a batch size at BATCH_STEPS, and the small-step law that they tend to."""

    log_times: Array
    law: LargeDeviation

    @property
    def excess(self) -> Array:
        """Logarithm of τ, less what the small-step law says, V/T + ln(C/T)."""
        return self.log_times - self.law.log_time(BATCH_STEPS)


@cache
@kept
def batched(batch_size: int) -> Batched:
    """Return how batches of so many draws, with replacement, leave the pit."""
    model, barrier = two_datapoint().batches(batch_size), pit().barrier
    times = [
        markov.log_mean_first_passage_time(
            model, step_size=T, start=START, threshold=barrier, tolerance=0.05
        )
        for T in BATCH_STEPS
    ]
    return Batched(np.array(times), _law(model, pit()))


def onset() -> float:
    """Return 2/l1'', the step size from which steps on l1 alone do not settle in the pit."""
    return float(2 / two_datapoint().curvatures(pit().bottom)[1])


STEPS = 150
RUNS = 3
LOSSES = ("l0 alone", "full batch", "stochastic")


@cache
def path(loss: str, start: float, T: float) -> Array:
    """Return descents from one start: one if it is deterministic, RUNS if it is stochastic.

    Raises
    ------
    ValueError
        If the loss is not one of LOSSES.
    """
    if loss not in LOSSES:
        raise ValueError(f"loss must be one of {LOSSES}; got {loss!r}")
    model = two_datapoint()
    if loss == "stochastic":
        rng = np.random.default_rng(1)
        return markov.simulate(
            model, step_size=T, n_steps=STEPS, start=np.full(RUNS, start), rng=rng
        )
    gradient = model.mean_gradient if loss == "full batch" else lambda w: model.gradients(w)[0]
    return markov.gradient_descent(gradient, step_size=T, n_steps=STEPS, start=np.array([start]))


EDGES = np.linspace(0.5, 2.6, 211)
SPREAD_STEPS = (0, 1, 2, 3, 5, 8, 12, 20, 30, 50, 80, 120, 200, 300, 500, 800, 1000)


@cache
def spread(T: float) -> tuple[Array, Array]:
    """Return densities on EDGES at SPREAD_STEPS, and the escape curve."""
    model, ceiling = two_datapoint(), 2.6
    low, high = markov.reachable_interval(model, step_size=T, start=START, threshold=ceiling)
    operator = markov.TransferOperator(
        model, step_size=T, grid=np.linspace(low, max(high, 2.01), 8001)
    )
    mass = markov.laws(operator, start=START, steps=SPREAD_STEPS)
    density = np.array([np.histogram(operator.grid, EDGES, weights=row)[0] for row in mass])
    # Drawn, and written in whole percents: a thousandth will do.
    curve = markov.escape_curve(
        model,
        step_size=T,
        n_steps=SPREAD_STEPS[-1],
        start=START,
        threshold=pit().barrier,
        tolerance=1e-3,
    )
    return density / np.diff(EDGES), curve
