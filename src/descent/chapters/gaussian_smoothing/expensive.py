"""Chapter 7: searches when an evaluation is expensive, and Bayesian optimisation among them.

All searchers know the box and nothing else. The answer of each is the best point that it has
evaluated, and it is looked at after so and so many evaluations.
"""

import warnings
from collections.abc import Callable

import numpy as np
from scipy.stats import norm

from descent.arguments import Array
from descent.chapters.gaussian_smoothing.race import Problem
from descent.search_distributions import score_function_ascent, xnes

BUDGETS = (10, 20, 30, 40, 60, 100, 200, 500, 1000, 3000)
BAYESIAN = "Bayesian optimisation"
FEW = 60  # evaluations of Bayesian optimisation, whose own arithmetic grows as their cube
FIRST = 10  # of them are uniform
Searcher = Callable[[Callable[[Array], Array], Problem, np.random.Generator], None]


class Enough(Exception):
    """All evaluations are used up."""


class Recorder:
    """An objective that keeps what it was asked, up to a number of evaluations."""

    def __init__(self, f: Callable[[Array], Array], most: int) -> None:
        self.f, self.most = f, most
        self.points: list[Array] = []
        self.values: list[float] = []

    def __call__(self, x: Array) -> Array:
        """Evaluate points ``(k, 2)``; `Enough` once there have been too many."""
        values = self.f(x)
        self.points.extend(x)
        self.values.extend(values)
        if len(self.values) >= self.most:
            raise Enough
        return values

    def found(self, problem: Problem) -> list[int]:
        """Say for each budget whether the best point up to then is at a maximum, as 0 or 1."""
        points, values = np.array(self.points)[: self.most], np.array(self.values)[: self.most]
        best = [int(values[:n].argmax()) for n in BUDGETS if n <= len(values)]
        return [int(hit) for hit in problem.found(points[best])]


def expected_improvement(mean: Array, error: Array, best: float) -> Array:
    """Return E max(f − best, 0) for f of N(mean, error²)."""
    error = np.maximum(error, 1e-12)
    z = (mean - best) / error
    return np.asarray((mean - best) * norm.cdf(z) + error * norm.pdf(z))


def bayesian(f: Callable[[Array], Array], problem: Problem, rng: np.random.Generator) -> None:
    """Ask where the expected improvement is largest under a Gaussian process of scikit-learn.

    The process has a Matérn covariance of order 5/2 with a length for each variable. Its lengths
    are fitted anew at every fifth evaluation up to 30, and then at every tenth.
    """
    from sklearn.gaussian_process import GaussianProcessRegressor
    from sklearn.gaussian_process.kernels import ConstantKernel, Matern

    def draw(n: int) -> Array:
        return rng.uniform(size=(n, 2))

    width = problem.high - problem.low
    x = draw(FIRST)
    y = f(problem.low + width * x)
    kernel = ConstantKernel(1.0) * Matern([0.2, 0.2], (0.01, 10.0), nu=2.5)
    while True:
        fits = len(x) % (5 if len(x) < 30 else 10) == 0
        process = GaussianProcessRegressor(
            kernel, alpha=1e-8, normalize_y=True, optimizer="fmin_l_bfgs_b" if fits else None
        )
        with warnings.catch_warnings():  # a length at its bound is no news
            warnings.simplefilter("ignore")
            kernel = process.fit(x, y).kernel_
        top = x[y.argmax()]
        near = top + 0.1 ** rng.uniform(1, 3, (500, 1)) * rng.standard_normal((500, 2))
        asked = np.concatenate([draw(1500), np.clip(near, 0, 1)])
        mean, error = process.predict(asked, return_std=True)
        gain = expected_improvement(mean, error, y.max())
        new = asked[[gain.argmax()]]
        x, y = np.concatenate([x, new]), np.concatenate([y, f(problem.low + width * new)])


def uniform(f: Callable[[Array], Array], problem: Problem, rng: np.random.Generator) -> None:
    """Ask anywhere."""
    while True:
        f(problem.low + (problem.high - problem.low) * rng.uniform(size=(20, 2)))


def cma_es(f: Callable[[Array], Array], problem: Problem, rng: np.random.Generator) -> None:
    """CMA-ES of the package cmaes in the box, from random places, with twice the samples each."""
    from cmaes import CMA

    box, size = np.array([[problem.low, problem.high]] * 2), 6
    while True:
        optimizer = CMA(
            mean=rng.uniform(problem.low, problem.high, 2),
            sigma=(problem.high - problem.low) / 4,
            bounds=box,
            population_size=size,
            seed=int(rng.integers(2**31)),
        )
        while not optimizer.should_stop():
            points = np.array([optimizer.ask() for _ in range(size)])
            optimizer.tell(list(zip(points, -f(points), strict=True)))
        size *= 2


def _distribution(search: Callable[..., object], n_samples: int, n_steps: int) -> Searcher:
    """Return a searcher that moves a Gaussian, and begins anew in the box when it has ended."""

    def run(f: Callable[[Array], Array], problem: Problem, rng: np.random.Generator) -> None:
        spread = ((problem.high - problem.low) / 4) ** 2 * np.eye(2)
        while True:
            start = problem.start(rng)
            search(f, start, spread, n_steps, rng, n_samples=n_samples)

    return run


SEARCHERS: dict[str, Searcher] = {
    BAYESIAN: bayesian,
    "CMA-ES, restarts": cma_es,
    "xNES, restarts": _distribution(xnes, 10, 50),
    "source's program, restarts": _distribution(score_function_ascent, 50, 20),
    "uniform points": uniform,
}


def search(method: str, problem: Problem, rng: np.random.Generator) -> list[int]:
    """Search until the evaluations are used up; whether a maximum is found by each budget."""
    f = Recorder(problem.f, FEW if method == BAYESIAN else BUDGETS[-1])
    try:
        SEARCHERS[method](f, problem, rng)
    except Enough:
        return f.found(problem)
    raise RuntimeError(f"{method} has stopped by itself after {len(f.values)} evaluations")
