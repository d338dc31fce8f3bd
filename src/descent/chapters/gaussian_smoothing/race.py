"""Chapter 7: six functions of two variables, and ten searchers at equal evaluations."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from descent.arguments import Array
from descent.landscapes import (
    Objective,
    ackley,
    floored_sinc,
    himmelblau,
    rastrigin,
    rosenbrock,
    sinc,
)
from descent.search_distributions import (
    Run,
    Status,
    log_cholesky_ascent,
    score_function_ascent,
    xnes,
)

N_SAMPLES = 50  # as in the source
N_STEPS = 200
EVALUATIONS = N_SAMPLES * N_STEPS
SPREAD = 2.0  # standard deviation of every searcher's first samples
NEAR = 0.25  # distance from a maximizer that counts as found
PRINTED = 0.05  # the source's step size


@dataclass(frozen=True)
class Problem:
    """A function to maximize, where searches start, and when they have succeeded."""

    name: str
    f: Callable[[Array], Array]
    low: float
    high: float
    found: Callable[[Array], Array]
    peaks: Array

    def start(self, rng: np.random.Generator) -> Array:
        """Draw a start, uniform on the box."""
        return rng.uniform(self.low, self.high, 2)


def _problem(
    name: str, f: Callable[[Array], Array], low: float, high: float, peaks: Array
) -> Problem:
    def found(x: Array) -> Array:
        return np.asarray(np.linalg.norm(x[..., None, :] - peaks, axis=-1).min(axis=-1) <= NEAR)

    return Problem(name, f, low, high, found, peaks)


def _maximized(name: str, objective: Objective, low: float, high: float) -> Problem:
    return _problem(
        name, lambda x: np.asarray(-objective.value(x)), low, high, objective.minimizers(2)
    )


def _floored(x: Array) -> Array:
    return np.asarray(floored_sinc(x).sum(axis=-1))


PROBLEMS = {
    problem.name: problem
    for problem in (
        _problem("sinc × sinc", lambda x: sinc(x).prod(axis=-1), -10.0, 10.0, np.zeros((1, 2))),
        Problem(
            "floored",
            _floored,
            -10.0,
            10.0,
            lambda x: np.asarray(_floored(x) == 22),
            np.full((1, 2), 0.84),
        ),
        _maximized("Ackley", ackley, -10.0, 10.0),
        _maximized("Rastrigin", rastrigin, *rastrigin.box),
        _maximized("Himmelblau", himmelblau, *himmelblau.box),
        _maximized("Rosenbrock", rosenbrock, -2.0, 2.0),
    )
}


@dataclass(frozen=True)
class Outcome:
    """Where a search ended, how, and what it cost."""

    answer: Array
    status: Status
    evaluations: int


COVARIANCE = SPREAD**2 * np.eye(2)

STEP_SIZES = {
    **dict.fromkeys(
        ("source", "with baseline", "log-Cholesky"),
        (5e-6, 1.5e-5, 5e-5, 1.5e-4, 5e-4, 1.5e-3, 5e-3, 1.5e-2, 5e-2, 1.5e-1, 5e-1, 1.5, 5.0),
    ),
    "natural gradient": (0.03, 0.1, 0.3, 1.0),
}
"""Step sizes that are tried on twenty starts which the race does not use."""


METHODS = (
    "source",
    "source, tuned",
    "with baseline",
    "log-Cholesky",
    "natural gradient",
    "xNES",
    "CMA-ES, once",
    "CMA-ES, restarts",
    "evolution strategy",
    "simulated annealing",
)


def _by_function(*step_sizes: float) -> dict[str, float]:
    return dict(zip(PROBLEMS, step_sizes, strict=True))


TUNED = {
    "source, tuned": _by_function(0.5, 0.05, 0.05, 0.015, 0.005, 1.5e-4),
    "with baseline": _by_function(0.5, 0.05, 0.15, 0.015, 0.015, 5e-5),
    "log-Cholesky": _by_function(0.5, 0.05, 0.05, 0.005, 1.5e-3, 5e-6),
    "natural gradient": _by_function(0.3, 0.3, 0.3, 0.3, 0.3, 0.3),
}
"""The step sizes of the race: on each function the best of `STEP_SIZES` by the sweep
07-step-sizes, and for the natural gradient the best one for all functions together."""


def distribution(
    method: str, problem: Problem, start: Array, rng: np.random.Generator, step_size: float
) -> Run:
    """Run a method that keeps a mean and a covariance; xNES has no step size to choose."""
    first = (problem.f, start, COVARIANCE, N_STEPS, rng)
    if method == "source":
        return score_function_ascent(*first, step_size=step_size)
    if method == "with baseline":
        return score_function_ascent(*first, step_size=step_size, baseline=True)
    if method == "log-Cholesky":
        return log_cholesky_ascent(*first, step_size=step_size)
    if method == "natural gradient":
        return log_cholesky_ascent(*first, step_size=step_size, natural=True)
    if method == "xNES":
        return xnes(*first, n_samples=50)  # as many as the others
    raise ValueError(f"no method of this name keeps a covariance: {method!r}")


def climb(
    method: str, problem: Problem, start: Array, rng: np.random.Generator, step_size: float
) -> Outcome:
    """Search with a method that keeps a mean and a covariance; its last mean is the answer."""
    run = distribution(method, problem, start, rng, step_size)
    usable = run.means[-1] if run.status != "diverged" else run.means[-2]
    return Outcome(usable, run.status, run.evaluations)


def search(method: str, problem: Problem, start: Array, rng: np.random.Generator) -> Outcome:
    """Search from one start with the step size that the race uses."""
    if method.startswith("CMA-ES"):
        return cma_es(problem, start, rng, restarts=method == "CMA-ES, restarts")
    if method == "evolution strategy":
        return evolution_strategy(problem, start, rng)
    kind = "source" if method == "source, tuned" else method
    return climb(kind, problem, start, rng, step_size(method, problem.name))


def step_size(method: str, function: str) -> float:
    """Return the step size that the race uses: the source's own, or a tuned one."""
    return TUNED[method][function] if method in TUNED else PRINTED


def cma_es(problem: Problem, start: Array, rng: np.random.Generator, *, restarts: bool) -> Outcome:
    """CMA-ES of the package cmaes; when it stops it may start again with twice the spread."""
    from cmaes import CMA

    spread, evaluations = SPREAD, 0
    answers: list[Array] = []
    while evaluations < EVALUATIONS and (restarts or not answers):
        optimizer = CMA(
            mean=start, sigma=spread, population_size=N_SAMPLES, seed=int(rng.integers(2**31))
        )
        while evaluations < EVALUATIONS and not optimizer.should_stop():
            points = np.array([optimizer.ask() for _ in range(N_SAMPLES)])
            optimizer.tell(list(zip(points, -problem.f(points), strict=True)))
            evaluations += N_SAMPLES
        answers.append(optimizer.mean)
        spread *= 2
    values = problem.f(np.array(answers))
    return Outcome(answers[int(values.argmax())], "completed", evaluations)


def evolution_strategy(
    problem: Problem, start: Array, rng: np.random.Generator, n_parents: int = 12
) -> Outcome:
    """Evolve a population whose offspring inherit and mutate their step size.

    The (μ/μ, λ) strategy: the mean of the best 12 of 50 is the parent of the next 50,
    and so is the geometric mean of their step sizes.
    """
    mean, spread = start, SPREAD
    for _ in range(N_STEPS):
        spreads = spread * np.exp(rng.standard_normal(N_SAMPLES) / np.sqrt(2 * len(mean)))
        points = mean + spreads[:, None] * rng.standard_normal((N_SAMPLES, len(mean)))
        best = np.argsort(-problem.f(points), kind="stable")[:n_parents]
        mean, spread = points[best].mean(axis=0), np.exp(np.log(spreads[best]).mean())
        spread = float(np.clip(spread, 1e-12, 1e3))
    return Outcome(mean, "completed", EVALUATIONS)


def simulated_annealing(problem: Problem, start: Array, rng: np.random.Generator) -> Array:
    """Accept a worse point with probability exp(-loss/T), while T falls to a ten-thousandth.

    The first temperature is the standard deviation of f among the first fifty samples;
    the proposals' spread falls with the square root of the temperature. Takes starts
    ``(k, 2)`` for k independent chains and returns the best point of each.
    """
    k, d = start.shape
    chain = np.arange(k)
    first = start + SPREAD * rng.standard_normal((N_SAMPLES, k, d))
    values = problem.f(first)
    hot, top = values.std(axis=0), values.argmax(axis=0)
    x, value = first[top, chain], values[top, chain]
    best, best_value = x, value
    n = EVALUATIONS - N_SAMPLES
    for cooling in 1e-4 ** (np.arange(n) / n):
        there = x + SPREAD * np.sqrt(cooling) * rng.standard_normal((k, d))
        other = problem.f(there)
        accepted = other - value > hot * cooling * np.log(rng.uniform(size=k))
        x, value = np.where(accepted[:, None], there, x), np.where(accepted, other, value)
        better = value > best_value
        best, best_value = np.where(better[:, None], x, best), np.where(better, value, best_value)
    return np.asarray(best)
