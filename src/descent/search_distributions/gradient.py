"""Score-function gradients of E f(x), x ~ N(μ, Σ), from values of f alone."""

from collections.abc import Callable, Iterable
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from descent.arguments import Array, check_array, check_callable, check_count, check_generator

Values = Callable[[Array], npt.ArrayLike]

_BLOCKS = 16  # of samples, where nobody says how many


class DistributionGradient(NamedTuple):
    """Gradients of E f by the mean, ``(d,)``, and by the covariance, ``(d, d)``."""

    mean: Array
    covariance: Array


def leave_one_out(values: npt.ArrayLike) -> Array:
    r"""Subtract from each value the mean of the others: a baseline that adds no bias.

    .. math:: f_i - \frac{1}{n-1} \sum_{j \ne i} f_j = \frac{n}{n-1} (f_i - \bar f)

    The mean of all values would shrink the estimated gradient by (n - 1)/n, since it
    depends on the sample whose score it multiplies.

    Examples
    --------
    >>> leave_one_out([1.0, 2.0, 6.0])
    array([-3. , -1.5,  4.5])
    """
    values = check_array("values", values, ("n",))
    n = len(values)
    if n < 2:
        raise ValueError(f"a baseline needs at least 2 values; got {n}")
    return np.asarray((values - values.mean()) * (n / (n - 1)))


def rank_utilities(values: npt.ArrayLike) -> Array:
    r"""Replace values by weights of their ranks, which sum to zero.

    .. math:: u_i \propto \max(0, \log(n/2 + 1) - \log(\mathrm{rank}_i)) - \text{mean}

    Rank 1 is the largest value. Tied values share the mean of their weights. An
    increasing transformation of f changes nothing. A value of -inf is the last of all.

    Notes
    -----
    Wierstra et al., "Natural evolution strategies", JMLR 15 (2014), section on fitness
    shaping, which gives these utilities.

    Examples
    --------
    >>> rank_utilities([3.0, 100.0, -5.0, 4.0]).round(3)
    array([-0.25,  0.48, -0.25,  0.02])
    """
    values = check_array("values", values, ("n",), finite=False)
    if not _rankable(values).all():
        raise ValueError(f"values must be finite, or -inf; got {values[~_rankable(values)][0]}")
    n = len(values)
    # u_k of the section on fitness shaping in Wierstra et al. (2014).
    weights = np.maximum(0.0, np.log(n / 2 + 1) - np.log(np.arange(1, n + 1)))
    weights = weights / weights.sum() - 1 / n
    _, which, count = np.unique(-values, return_inverse=True, return_counts=True)
    shared = np.bincount(np.repeat(np.arange(len(count)), count), weights) / count
    return np.asarray(shared[which])


def check_covariance(covariance: Array) -> None:
    """Raise a ValueError unless a matrix (d, d) is symmetric and positive definite."""
    if not np.allclose(covariance, covariance.T, rtol=1e-6):
        raise ValueError(f"covariance must be symmetric; got {covariance!r}")
    eigenvalues = np.linalg.eigvalsh(covariance)
    if not eigenvalues[0] > 1e-12 * eigenvalues[-1]:
        raise ValueError(f"covariance must be positive definite; got eigenvalues {eigenvalues}")


def score_function_gradient(
    values: npt.ArrayLike, samples: npt.ArrayLike, mean: npt.ArrayLike, covariance: npt.ArrayLike
) -> DistributionGradient:
    r"""Estimate the gradient of E f from values at samples of N(μ, Σ).

    .. math:: \nabla_\theta\, \mathbb E f = \mathbb E[f\, \nabla_\theta \log p_\theta], \quad
              \nabla_\mu \log p = \Sigma^{-1} (x - \mu), \quad
              \nabla_\Sigma \log p = -\tfrac12 \big(\Sigma^{-1}
              - \Sigma^{-1} (x - \mu)(x - \mu)^\top \Sigma^{-1}\big)

    Unbiased for any number of samples and any dimension.

    Parameters
    ----------
    values : array (n,)
        f at the samples, or f minus a baseline (`leave_one_out`), or utilities.
    samples : array (n, d)
        Independent draws from the search distribution.
    mean : array (d,)
    covariance : array (d, d)
        Symmetric, positive definite.

    Returns
    -------
    DistributionGradient
        The gradient by Σ is that on symmetric matrices: the change of E f is its
        Frobenius product with the change of Σ.

    Raises
    ------
    ValueError
        If the shapes do not fit, a value is not finite, or the covariance is not symmetric
        and positive definite.

    Notes
    -----
    Also called REINFORCE or the likelihood-ratio estimator. Not the reparametrized
    gradient, which needs the derivative of f.

    Source: 004, "Enter Maths", whose formulas are lost, and "Python Code".

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> x = rng.multivariate_normal([1.0, 0.0], np.eye(2), size=100_000)
    >>> gradient = score_function_gradient((x**2).sum(axis=1), x, [1.0, 0.0], np.eye(2))
    >>> bool(np.abs(gradient.mean - [2, 0]).max() < 0.05)
    True
    >>> bool(np.abs(gradient.covariance - np.eye(2)).max() < 0.05)
    True
    """
    values, samples = check_array("values", values), check_array("samples", samples)
    mean, covariance = check_array("mean", mean), check_array("covariance", covariance)
    n, d = samples.shape if samples.ndim == 2 else (0, 0)
    if n == 0 or values.shape != (n,) or mean.shape != (d,) or covariance.shape != (d, d):
        raise ValueError(
            "values, samples, mean and covariance must have the shapes (n,), (n, d), (d,) and "
            f"(d, d); got {values.shape}, {samples.shape}, {mean.shape}, {covariance.shape}"
        )
    check_covariance(covariance)
    return estimate(values, samples, mean, covariance)


def estimate(values: Array, samples: Array, mean: Array, covariance: Array) -> DistributionGradient:
    """Do the work of `score_function_gradient`, inside a loop, where rounding may build up."""
    n, inverse = len(samples), np.linalg.inv(covariance)
    # Both scores: the section on search gradients of Gaussians in Wierstra et al. (2014).
    scores = (samples - mean) @ inverse  # ∇_μ log p = Σ⁻¹ (x - μ)
    outer = (scores * values[:, None]).T @ scores
    # ∇_Σ log p = ½ Σ⁻¹ (x - μ)(x - μ)ᵀ Σ⁻¹ - ½ Σ⁻¹
    return DistributionGradient(values @ scores / n, (outer / n - values.mean() * inverse) / 2)


def sampled_gradient(
    f: Values,
    mean: npt.ArrayLike,
    covariance: npt.ArrayLike,
    n_samples: int,
    rng: np.random.Generator,
    *,
    n_blocks: int | None = None,
    run: Callable[..., Iterable[Any]] = map,
) -> DistributionGradient:
    """Estimate the gradient of E f from samples drawn in blocks, in parallel if asked.

    Each block has its own generator, spawned from ``rng``, and the blocks' results are
    added in their order. So the estimate depends on the seed and on the number of blocks
    and not on how many workers share them, nor on who finishes first.

    Parameters
    ----------
    f : callable
        From points ``(n, d)`` to values ``(n,)``; module-level if processes evaluate it.
    mean, covariance
        As in `score_function_gradient`.
    n_samples : int
        In all; the blocks' sizes differ by one at most.
    rng : numpy.random.Generator
        Spawns the blocks' generators; a second call gets new ones.
    n_blocks : int, optional
        From 1 to ``n_samples``; by default 16, or as many as there are samples if they are fewer.
    run : callable
        ``map``, or the ``map`` of an executor of `concurrent.futures`.

    Returns
    -------
    DistributionGradient
        Without a baseline.

    Raises
    ------
    ValueError, TypeError
        If a number or a shape is out of range.

    Notes
    -----
    Source: 004, "Conclusions", third remark.

    Examples
    --------
    >>> def f(x):
    ...     return x[:, 0]
    >>> sampled_gradient(f, [0.0], [[1.0]], 100_000, np.random.default_rng(1)).mean.round(2)
    array([1.])
    """
    n = check_count("n_samples", n_samples, 1)
    k = min(n, _BLOCKS) if n_blocks is None else check_count("n_blocks", n_blocks)
    if not 1 <= k <= n:
        raise ValueError(f"n_blocks must be from 1 to n_samples = {n}; got {k}")
    check_callable("f", f)
    check_callable("run", run)
    check_generator("rng", rng)
    mean = check_array("mean", mean, ("d",))
    covariance = check_array("covariance", covariance, ("d", "d"))
    if covariance.shape != (len(mean), len(mean)):
        raise ValueError(
            f"mean (d,) and covariance (d, d) must fit; got {mean.shape}, {covariance.shape}"
        )
    check_covariance(covariance)
    sizes = [n // k + (block < n % k) for block in range(k)]
    blocks = list(run(_block_gradient, [f] * k, [mean] * k, [covariance] * k, sizes, rng.spawn(k)))
    shares = np.array(sizes) / n
    return DistributionGradient(
        sum(share * block.mean for share, block in zip(shares, blocks, strict=True)),
        sum(share * block.covariance for share, block in zip(shares, blocks, strict=True)),
    )


def _block_gradient(
    f: Values, mean: Array, covariance: Array, size: int, rng: np.random.Generator
) -> DistributionGradient:
    samples = draw(mean, np.asarray(np.linalg.cholesky(covariance), float), size, rng)[0]
    return estimate(evaluate(f, samples), samples, mean, covariance)


def evaluate(f: Values, samples: Array, *, ranked: bool = False) -> Array:
    """Return the values of f at samples (n, d); an error unless they are n finite numbers.

    Where only their ranks count, -inf is a value too: the point is not allowed.
    """
    values = check_array("f", f(samples), samples.shape[:1], finite=False)
    allowed = _rankable(values) if ranked else np.isfinite(values)
    if not allowed.all():
        least = "finite, or -inf" if ranked else "finite (ranks, as of xnes, could take -inf)"
        raise ValueError(f"f must be {least}; got {values[~allowed][0]}")
    return values


def _rankable(values: Array) -> npt.NDArray[np.bool_]:
    return np.asarray(values < np.inf)  # NaN is not


def draw(mean: Array, root: Array, n: int, rng: np.random.Generator) -> tuple[Array, Array]:
    """Return samples x = μ + A z of N(μ, A Aᵀ), and their z."""
    z = rng.standard_normal((n, len(mean)))
    return mean + z @ root.T, z
