"""Gradient ascent on the entries of μ and Σ, with the source's repairs of Σ."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from descent.arguments import Array, check_flag, check_kind, check_real, check_step_size
from descent.search_distributions.gradient import (
    Values,
    draw,
    estimate,
    leave_one_out,
)
from descent.search_distributions.run import Objective, Run, State, ascend


@dataclass(frozen=True)
class Clipping:
    """What the source does to each entry of a covariance after a step; None leaves a rule out.

    The rules act on entries, the off-diagonal ones included, and know nothing of
    eigenvalues: the result can be singular or indefinite.

    Parameters
    ----------
    ceiling : float or None
        Larger entries are set to it (source: ``max_sigma``).
    growth, reset : float or None, float
        Entries that are larger than ``growth`` times their old value are set to ``reset``.
        An entry that is negative and stays about the same counts as grown.
    floor : float or None
        Smaller entries are set to it, negative ones included.

    Examples
    --------
    >>> Clipping()(np.array([[0.02, -0.3], [-0.3, 0.04]]), np.eye(2))
    array([[0.05, 0.05],
           [0.05, 0.05]])
    """

    ceiling: float | None = 10.0
    growth: float | None = 2.0
    reset: float = 0.1
    floor: float | None = 0.05

    def __post_init__(self) -> None:
        for name in ("ceiling", "growth", "reset", "floor"):
            if getattr(self, name) is not None or name == "reset":
                check_real(name, getattr(self, name), above=0)

    def __call__(self, new: Array, old: Array) -> Array:
        """Return the new covariance after the rules, in the source's order."""
        new = new.copy()
        if self.ceiling is not None:
            new[new > self.ceiling] = self.ceiling
        if self.growth is not None:
            new[new > self.growth * old] = self.reset
        if self.floor is not None:
            new[new < self.floor] = self.floor
        return new


NO_CLIPPING = Clipping(ceiling=None, growth=None, floor=None)


def score_function_ascent(
    f: Values,
    mean: npt.ArrayLike,
    covariance: npt.ArrayLike,
    n_steps: int,
    rng: np.random.Generator,
    *,
    step_size: float = 0.05,
    n_samples: int = 50,
    baseline: bool = False,
    clipping: Clipping = Clipping(),
    target: float | None = None,
) -> Run:
    r"""Plain gradient ascent on the entries of μ and Σ, as in the source.

    .. math:: \mu \leftarrow \mu + \alpha \widehat{\nabla_\mu \mathbb E f}, \qquad
              \Sigma \leftarrow \mathrm{clip}(\Sigma + \alpha \widehat{\nabla_\Sigma \mathbb E f})

    Nothing keeps Σ positive definite. The run stops at the first state that is no
    distribution, and says why.

    Parameters
    ----------
    f : callable
        The objective, maximized.
    mean : array (d,)
    covariance : array (d, d)
        The first distribution.
    n_steps : int
    rng : numpy.random.Generator
    step_size : float
        α, for μ and Σ alike, in units of x²/f and x⁴/f.
    n_samples : int
        Evaluations of f a step.
    baseline : bool
        Whether to subtract the mean of the others from each value (`leave_one_out`).
    clipping : Clipping
        The source's repairs, or `NO_CLIPPING`.
    target : float, optional
        The run stops, as ``reached``, after the first step with a sample whose value is no
        lower.

    Returns
    -------
    Run

    Raises
    ------
    ValueError, TypeError
        If an argument is out of its range, or the first covariance not positive definite.

    Notes
    -----
    Source: 004, "Python Code". The source goes on with an indefinite Σ, from which its
    sampler draws with a warning, and ends in an error at a singular one.

    Examples
    --------
    >>> def hill(x):
    ...     return -(x**2).sum(axis=1)
    >>> run = score_function_ascent(
    ...     hill, [1.0, 1.0], np.eye(2), 400, np.random.default_rng(0), step_size=0.002
    ... )
    >>> run.status, bool(np.abs(run.means[-1]).max() < 0.5)
    ('completed', True)
    """
    alpha = check_step_size(step_size)
    baseline = check_flag("baseline", baseline)
    check_kind("clipping", clipping, Clipping)

    def step(state: State, objective: Objective) -> State:
        samples, _ = draw(state.mean, state.root, n_samples, rng)
        values = objective(samples)
        if baseline:
            values = leave_one_out(values)
        gradient = estimate(values, samples, state.mean, state.covariance)
        moved = clipping(state.covariance + alpha * gradient.covariance, state.covariance)
        return State.of_covariance(state.mean + alpha * gradient.mean, moved)

    return ascend(step, mean, covariance, n_steps, n_samples, f, rng, target=target)
