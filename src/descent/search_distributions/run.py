"""A search distribution on its way: its states, how it ends, and what it leaves behind."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
import numpy.typing as npt

from descent.arguments import (
    Array,
    check_array,
    check_callable,
    check_count,
    check_generator,
    check_real,
)
from descent.search_distributions.gradient import Values, evaluate

Status = Literal["completed", "reached", "singular", "indefinite", "diverged"]

FAR = 1e6
"""A mean or a covariance with an entry beyond this, and AWAY times its start's, has diverged."""
AWAY = 1e3


@dataclass(frozen=True)
class Run:
    """What a search distribution did.

    Parameters
    ----------
    means : array (k + 1, d)
        The mean at the start and after each of the k steps that were taken.
    covariances : array (k + 1, d, d)
        The covariances that belong to them.
    status : str
        ``completed``, or why the run stopped early: a sample has ``reached`` the target, the
        covariance is ``singular`` (an eigenvalue of zero, to rounding, or all of them too
        small for the samples to differ from the mean) or ``indefinite`` (a negative one), or
        the mean or the covariance has ``diverged``. The offending state is the last one.
    evaluations : int
        Number of values of f that were used.
    best : array (d,)
        The sample with the largest value; NaN without a step.
    best_value : float
        f there.
    """

    means: Array
    covariances: Array
    status: Status
    evaluations: int
    best: Array
    best_value: float


class Objective:
    """The objective of a search, which remembers the best point that it was asked for."""

    def __init__(self, f: Values, d: int, *, ranked: bool) -> None:
        self.f, self.ranked = f, ranked
        self.best, self.best_value, self.evaluations = np.full(d, np.nan), -np.inf, 0

    def __call__(self, samples: Array) -> Array:
        """Return the values of f at samples (n, d)."""
        values = evaluate(self.f, samples, ranked=self.ranked)
        top = int(values.argmax())
        if not self.evaluations or values[top] > self.best_value:
            self.best, self.best_value = samples[top].copy(), float(values[top])
        self.evaluations += len(values)
        return values


@dataclass(frozen=True)
class State:
    """A search distribution with a root A of its covariance, Σ = A Aᵀ."""

    mean: Array
    covariance: Array
    root: Array
    status: Status

    @classmethod
    def of_covariance(cls, mean: Array, covariance: Array) -> "State":
        """Take the Cholesky factor as the root, and report a covariance that has none."""
        if not (np.isfinite(mean).all() and np.isfinite(covariance).all()):
            return cls(mean, covariance, covariance, "diverged")
        eigenvalues = np.linalg.eigvalsh(covariance)
        if eigenvalues[0] <= 1e-12 * eigenvalues[-1]:
            negative = eigenvalues[0] < -1e-12 * np.abs(eigenvalues).max()
            return cls(mean, covariance, covariance, "indefinite" if negative else "singular")
        return cls(mean, covariance, np.asarray(np.linalg.cholesky(covariance), float), "completed")


def ascend(
    step: Callable[[State, Objective], State],
    mean: npt.ArrayLike,
    covariance: npt.ArrayLike,
    n_steps: int,
    n_samples: int,
    f: Values,
    rng: object,
    *,
    target: float | None,
    ranked: bool = False,
) -> Run:
    """Take steps until the last, or until the target, or until a state is no distribution."""
    check_callable("f", f)
    check_generator("rng", rng)
    check_count("n_samples", n_samples, 2)
    check_count("n_steps", n_steps)
    goal = np.inf if target is None else check_real("target", target)
    mean = check_array("mean", mean).copy()
    covariance = check_array("covariance", covariance).copy()
    d = mean.size
    if mean.shape != (d,) or covariance.shape != (d, d) or d == 0:
        raise ValueError(
            "mean and covariance must have the shapes (d,) and (d, d); "
            f"got {mean.shape} and {covariance.shape}"
        )
    if not np.allclose(covariance, covariance.T, rtol=1e-6):
        raise ValueError(f"covariance must be symmetric; got {covariance!r}")
    state = State.of_covariance(mean, covariance)
    if state.status != "completed":
        raise ValueError(
            f"covariance must be positive definite, but is {state.status}; got {covariance!r}"
        )
    objective = Objective(f, d, ranked=ranked)
    path, first_width = [state], _width(covariance)
    far = max(FAR, AWAY * _largest(state))
    rounding = np.finfo(float).eps
    with np.errstate(over="ignore", invalid="ignore", under="ignore"):
        while len(path) <= n_steps and state.status == "completed":
            state = step(state, objective)
            distance = np.abs(state.mean).max()
            if not _largest(state) <= far:
                state = replace(state, status="diverged")
            elif state.status == "completed" and objective.best_value >= goal:
                state = replace(state, status="reached")
            elif state.status == "completed" and _width(state.covariance) <= rounding * max(
                distance, first_width
            ):
                state = replace(state, status="singular")
            path.append(state)
    return Run(
        np.array([s.mean for s in path]),
        np.array([s.covariance for s in path]),
        path[-1].status,
        objective.evaluations,
        objective.best,
        objective.best_value,
    )


def _largest(state: State) -> float:
    """Return the largest entry of the mean and the covariance."""
    return float(np.maximum(np.abs(state.mean).max(), np.abs(state.covariance).max()))


def _width(covariance: Array) -> float:
    """Return the largest standard deviation along an axis."""
    return float(np.sqrt(covariance.diagonal().max()))
