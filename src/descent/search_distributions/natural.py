"""Ascent that keeps Σ positive definite: log-Cholesky coordinates, and natural gradients."""

import numpy as np
import numpy.typing as npt

from descent.arguments import Array, check_array, check_flag, check_real, check_step_size
from descent.search_distributions.gradient import (
    Values,
    draw,
    leave_one_out,
    rank_utilities,
)
from descent.search_distributions.run import Objective, Run, State, ascend


def log_cholesky_ascent(
    f: Values,
    mean: npt.ArrayLike,
    covariance: npt.ArrayLike,
    n_steps: int,
    rng: np.random.Generator,
    *,
    step_size: float = 0.05,
    n_samples: int = 50,
    natural: bool = False,
    target: float | None = None,
) -> Run:
    r"""Gradient ascent on μ and the log-Cholesky coordinates of Σ, with a baseline.

    Σ = L Lᵀ with L lower triangular, given by its entries below the diagonal and by the
    logarithms of those on it. Each step is a gradient in these coordinates, so that Σ is
    positive definite for every step size. With x = μ + L z and M = mean of f (z zᵀ - I),

    .. math:: \nabla_\mu = L^{-\top} \overline{f z}, \qquad
              \nabla_L = \mathrm{tril}(L^{-\top} M), \qquad
              \nabla_{\log L_{ii}} = L_{ii} (\nabla_L)_{ii}.

    The natural gradient divides by the Fisher information: the mean moves by
    :math:`L\, \overline{f z}`, the logarithms by half the diagonal of M and the entries
    below by those of L tril(M).

    Parameters
    ----------
    f, mean, covariance, n_steps, rng, n_samples, target
        As in `score_function_ascent`.
    step_size : float
        With ``natural``, values are divided by their standard deviation first, and the
        step size is a pure number.
    natural : bool
        Follow the natural gradient instead of the plain one.

    Returns
    -------
    Run
        Never indefinite; a run that shrinks to rounding is reported as singular.

    Raises
    ------
    ValueError, TypeError
        As in `score_function_ascent`.

    Examples
    --------
    >>> def hill(x):
    ...     return -(x**2).sum(axis=1)
    >>> run = log_cholesky_ascent(
    ...     hill, [3.0, 3.0], np.eye(2), 150, np.random.default_rng(0), natural=True, step_size=0.1
    ... )
    >>> run.status, bool(np.abs(run.means[-1]).max() < 0.1)
    ('completed', True)
    """
    eta = check_step_size(step_size)
    natural = check_flag("natural", natural)

    def step(state: State, objective: Objective) -> State:
        samples, z = draw(state.mean, state.root, n_samples, rng)
        values = leave_one_out(objective(samples))
        if natural:
            values = np.ldexp(values, -np.frexp(np.abs(values).max())[1])  # squares that are floats
            values = values / max(float(values.std()), np.finfo(float).tiny)
        towards = values @ z / n_samples
        spread = (z * values[:, None]).T @ z / n_samples - values.mean() * np.eye(len(towards))
        L = state.root
        diagonal = np.diag(L)
        if natural:
            moved = state.mean + eta * L @ towards
            lower = L + eta * L @ np.tril(spread, -1)
            logs = np.log(diagonal) + eta * np.diag(spread) / 2
        else:
            back = np.linalg.inv(L).T
            moved, gradient = state.mean + eta * back @ towards, np.tril(back @ spread)
            lower = L + eta * gradient
            logs = np.log(diagonal) + eta * diagonal * np.diag(gradient)
        root = np.tril(lower, -1) + np.diag(np.exp(np.clip(logs, -100, 100)))
        return State(moved, root @ root.T, root, "completed")

    return ascend(step, mean, covariance, n_steps, n_samples, f, rng, target=target)


def xnes(
    f: Values,
    mean: npt.ArrayLike,
    covariance: npt.ArrayLike,
    n_steps: int,
    rng: np.random.Generator,
    *,
    n_samples: int | None = None,
    mean_rate: float = 1.0,
    shape_rate: float | None = None,
    target: float | None = None,
) -> Run:
    r"""Exponential natural evolution strategy: natural gradient, ranks, exponential map.

    .. math:: \mu \leftarrow \mu + \eta_\mu A \sum_i u_i z_i, \qquad
              A \leftarrow A \exp\Big(\tfrac{\eta_A}{2} \sum_i u_i (z_i z_i^\top - I)\Big),
              \qquad \Sigma = A A^\top

    Parameters
    ----------
    f, mean, covariance, n_steps, rng, target
        As in `score_function_ascent`, but that f may be -inf, where a point is not allowed.
    n_samples : int, optional
        Samples a step; 4 + ⌊3 log d⌋ unless it is given, as in the paper.
    mean_rate, shape_rate : float
        :math:`\eta_\mu` and :math:`\eta_A`, pure numbers. By default 1 and
        :math:`(9 + 3 \log d)/(5 d \sqrt d)`, as in the paper.

    Returns
    -------
    Run

    Raises
    ------
    ValueError, TypeError
        As in `score_function_ascent`.

    Notes
    -----
    Glasmachers et al., "Exponential natural evolution strategies", GECCO 2010,
    algorithm 1. Not CMA-ES, which adds evolution paths and a step size of its own.

    Examples
    --------
    >>> def hill(x):
    ...     return -(x**2).sum(axis=1)
    >>> run = xnes(hill, [3.0, 3.0], np.eye(2), 60, np.random.default_rng(0))
    >>> run.status, bool(np.abs(run.means[-1]).max() < 1e-3)
    ('completed', True)
    """
    d = max(check_array("mean", mean).size, 1)
    count = 4 + int(3 * np.log(d)) if n_samples is None else n_samples
    rate = (9 + 3 * np.log(d)) / (5 * d * np.sqrt(d)) if shape_rate is None else shape_rate
    eta_mean = check_real("mean_rate", mean_rate, above=0)
    eta_shape = check_real("shape_rate", rate, above=0)

    def step(state: State, objective: Objective) -> State:
        samples, z = draw(state.mean, state.root, count, rng)
        u = rank_utilities(objective(samples))
        # The steps of algorithm 1 (full matrix), Glasmachers et al. (2010):
        spread = (z * u[:, None]).T @ z - u.sum() * np.eye(d)  # ∇_M = Σ u_k (z_k z_kᵀ - I)
        root = state.root @ _exponential(eta_shape / 2 * spread)
        moved = state.mean + eta_mean * state.root @ (u @ z)  # ∇_δ = Σ u_k z_k
        return State(moved, root @ root.T, root, "completed")

    return ascend(step, mean, covariance, n_steps, count, f, rng, target=target, ranked=True)


def _exponential(symmetric: Array) -> Array:
    """Return the matrix exponential of a symmetric matrix."""
    eigenvalues, vectors = np.linalg.eigh(symmetric)
    return np.asarray((vectors * np.exp(eigenvalues)) @ vectors.T)
