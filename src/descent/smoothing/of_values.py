r"""Gaussian averages of any function, from its values alone: quadrature, or samples.

.. math:: f_\sigma(x) = \mathbb E f(x + \sigma z), \qquad
          \nabla_x f_\sigma = \mathbb E\, f\, z / \sigma, \qquad
          \partial_\sigma f_\sigma = \mathbb E\, f\, (\lVert z\rVert^2 - d) / \sigma

The derivatives are averages of values too, so f may jump.
"""

from collections.abc import Callable
from functools import cache
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.special import roots_hermitenorm

from descent.arguments import (
    Array,
    Index,
    check_array,
    check_callable,
    check_count,
    check_flag,
    check_generator,
    check_real,
)
from descent.smoothing.exact import REACH, Smoothed

__all__ = ["smooth"]

Function = Callable[[Array], npt.ArrayLike]

_ORDERS = (16, 23, 32, 64, 128, 256)
_LEGENDRE = np.polynomial.legendre.Legendre.basis(9)
# Gauss–Lobatto, ends included: a jump next to one does not hide from the other nodes.
_NODES = np.concatenate([[-1.0], np.sort(_LEGENDRE.deriv().roots().real), [1.0]])
_WEIGHTS = 2 / (90 * _LEGENDRE(_NODES) ** 2)
_HIGHEST = np.array([np.polynomial.legendre.Legendre.basis(k)(_NODES) for k in (8, 9)])
_NARROWEST = 1e-14  # in σ: a jump is enclosed in a panel of this width
_MOST_PANELS = 20_000  # at work for one point at once
_CHUNK = 2048  # points at once


def smooth(
    f: Function,
    *,
    dimension: int | None = None,
    tolerance: float = 1e-9,
    n_samples: int = 1000,
    generator: np.random.Generator | None = None,
    return_error: bool = False,
) -> Callable[[npt.ArrayLike, npt.ArrayLike], Any]:
    r"""Return the smoothed objective of a function of your own, ``smoothed(x, sigma)``.

    .. math:: f_\sigma(x) = \mathbb E f(x + \sigma z), \qquad z \sim N(0, I)

    Of one variable: Gauss–Hermite quadrature, whose order is raised until three agree.
    Where they do not, as f jumps or ripples, the line is divided into panels, and each panel
    halved until its Gauss–Lobatto sum stays the same; a jump ends up in a panel of no width.

    Of several: the mean over ``n_samples`` draws, which come in antithetic pairs x ± σz and
    anew in each call. The pairs take the even part of f out of the noise of d/dx, and the odd
    part out of that of the others.

    Parameters
    ----------
    f : callable
        From points to values: ``(n,)`` to ``(n,)``, or ``(n, d)`` to ``(n,)`` if a dimension
        is given. A spike between the nodes, or between the samples, is not seen.
    dimension : int, optional
        d, for a function of points ``(n, d)``.
    tolerance : float
        Error of value, σ d/dx and σ d/dσ, as a share of the mean of :math:`(1 + z^2) |f|`;
        at least 1e-13. For one variable.
    n_samples : int
        Values of f at each point, even, at least 4. For several variables.
    generator : numpy.random.Generator
        Source of randomness. For several variables.
    return_error : bool
        Whether ``smoothed`` returns a pair, the result and its error.

    Returns
    -------
    callable
        ``smoothed(x, sigma)`` gives a `Smoothed`: value, d/dx and d/dsigma. x is an array
        ``(...)`` or ``(..., d)``, sigma an array ``(...)``, positive; they are broadcast
        against each other. The error is another `Smoothed`: the difference of the last two
        orders and no less than the tolerance, or the standard error of the means.

    Raises
    ------
    ValueError, TypeError
        If an argument is out of its range, or f returns what is not finite.
    RuntimeError
        From ``smoothed``, if the tolerance is not reached.

    See Also
    --------
    smoothed_steps : the closed form for a step function.
    descent.search_distributions.sampled_gradient : the gradient by a full covariance.

    Examples
    --------
    >>> parabola = smooth(lambda x: -(x - 2) ** 2)
    >>> value, dx, dsigma = parabola([0.5, 2.0], 1.5)
    >>> value.round(6), dx.round(6) + 0.0, dsigma.round(6)
    (array([-4.5 , -2.25]), array([3., 0.]), array([-3., -3.]))
    >>> bowl = smooth(
    ...     lambda x: (x**2).sum(axis=1), dimension=3, generator=np.random.default_rng(0)
    ... )
    >>> bowl([1.0, 2.0, 0.0], 0.1).value.round(1)
    np.float64(5.0)
    """
    check_callable("f", f)
    check_real("tolerance", tolerance, least=1e-13, below=1)
    if check_count("n_samples", n_samples, 4) % 2:
        raise ValueError(f"n_samples must be even, as draws come in pairs; got {n_samples}")
    return_error = check_flag("return_error", return_error)
    if dimension is None:
        if generator is not None:
            raise ValueError(
                "generator must come with dimension, as one variable needs no samples; "
                f"got {generator!r}"
            )
        rule = _by_quadrature(f, tolerance)
    else:
        d = check_count("dimension", dimension, 1)
        check_generator("generator", generator)
        rule = _by_samples(f, d, n_samples, generator)  # type: ignore[arg-type]

    def smoothed(x: npt.ArrayLike, sigma: npt.ArrayLike) -> Any:
        x, sigma = check_array("x", x), check_array("sigma", sigma)
        if not (sigma > 0).all():
            raise ValueError(f"sigma must be positive; got {sigma!r}")
        if dimension is not None and x.shape[-1:] != (dimension,):
            raise ValueError(f"x must have shape (..., {dimension}); got {x.shape}")
        outer = x.shape if dimension is None else x.shape[:-1]
        shape = np.broadcast_shapes(outer, sigma.shape)
        points = np.broadcast_to(x, shape + x.shape[len(outer) :]).reshape(
            -1, *x.shape[len(outer) :]
        )
        widths = np.broadcast_to(sigma, shape).ravel()
        parts = [
            rule(points[first : first + _CHUNK], widths[first : first + _CHUNK])
            for first in range(0, len(widths), _CHUNK)
        ] or [rule(points, widths)]
        result, error = (
            Smoothed(
                *(
                    np.concatenate(pieces).reshape(shape + pieces[0].shape[1:])[()]
                    for pieces in zip(*half, strict=True)
                )
            )
            for half in zip(*parts, strict=True)
        )
        return (result, error) if return_error else result

    return smoothed


Rule = Callable[[Array, Array], tuple[Smoothed, Smoothed]]


def _values(f: Function, points: Array) -> Array:
    """Return f at points, an array without their last axis if they have more than one."""
    flat = points.reshape(-1)
    return check_array("f", f(flat), flat.shape).reshape(points.shape)


@cache
def _hermite(order: int) -> tuple[Array, Array]:
    """Return nodes and weights for averages under N(0, 1), and the weights of three averages."""
    nodes, weights = roots_hermitenorm(order)
    weights = weights / weights.sum()
    return nodes, weights * _scores(nodes)


def _scores(z: Array) -> Array:
    """Return what f is multiplied by in value, σ d/dx and σ d/dσ, and in their scale."""
    return np.array([np.ones_like(z), z, z * z - 1, 1 + z * z])


def _by_quadrature(f: Function, tolerance: float) -> Rule:
    """Average a function of one variable, to a tolerance."""

    def rule(x: Array, sigma: Array) -> tuple[Smoothed, Smoothed]:
        means, scale = np.zeros((3, x.size)), np.zeros(x.size)
        before = np.full((3, x.size), np.inf)  # the last change of the means
        left = np.arange(x.size)
        for order in _ORDERS:
            nodes, weights = _hermite(order)
            values = _values(f, x[left, None] + sigma[left, None] * nodes)
            new, scale[left] = weights[:3] @ values.T, np.abs(values) @ weights[3]
            change = np.abs(new - means[:, left]) if order > _ORDERS[0] else np.inf
            # Two changes, for where f jumps one is small by chance.
            far = (np.maximum(change, before[:, left]) > tolerance * scale[left]).any(axis=0)
            means[:, left], before[:, left] = new, change
            left = left[far]
            if not left.size:
                break
        else:
            means[:, left] = _by_panels(f, x[left], sigma[left], tolerance)
        errors = np.maximum(before, tolerance * scale)
        errors[:, left] = tolerance * scale[left]
        return _scaled(means, sigma), _scaled(errors, sigma)

    return rule


def _scaled(means: Array, sigma: Array) -> Smoothed:
    """Divide the derivatives by σ."""
    return Smoothed(means[0], means[1] / sigma, means[2] / sigma)


def _by_panels(f: Function, x: Array, sigma: Array, tolerance: float) -> Array:
    """Average over panels that are halved until their sums stay the same, jumps and all."""
    edges = np.linspace(-REACH, REACH, 37)
    owner = np.repeat(np.arange(x.size), len(edges) - 1)
    low, high = np.tile(edges[:-1], x.size), np.tile(edges[1:], x.size)

    def sums(owner: Index, low: Array, high: Array) -> Array:
        """Return three averages, their scale, and two coefficients that see any jump."""
        z = (low + high)[:, None] / 2 + (high - low)[:, None] / 2 * _NODES
        weights = (high - low)[:, None] / 2 * _WEIGHTS * np.exp(-z * z / 2) / np.sqrt(2 * np.pi)
        values = _values(f, x[owner, None] + sigma[owner, None] * z) * weights
        scores = _scores(z)
        jumpy = _HIGHEST @ (scores[3] * values).T
        scores[3] *= np.sign(values)
        return np.concatenate([(scores * values).sum(axis=2), jumpy])

    means = np.zeros((3, x.size))
    whole = sums(owner, low, high)
    scale = np.bincount(owner, whole[3], x.size)
    while owner.size:
        if owner.size > _MOST_PANELS * x.size:
            i = np.bincount(owner).argmax()
            raise RuntimeError(
                f"tolerance = {tolerance} is not reached for f smoothed at x = {x[i]}, "
                f"sigma = {sigma[i]}: it jumps or ripples too often"
            )
        middle = (low + high) / 2
        halves = sums(owner, low, middle), sums(owner, middle, high)
        both = halves[0] + halves[1]
        doubt = np.concatenate([np.abs(both - whole)[:3], np.abs(whole[4:])])
        done = (doubt <= tolerance / 256 * scale[owner]).all(axis=0)
        done |= high - low < _NARROWEST
        for k in range(3):
            means[k] += np.bincount(owner[done], both[k, done], x.size)
        more = ~done
        owner = np.tile(owner[more], 2)
        low, high = (
            np.concatenate([low[more], middle[more]]),
            np.concatenate([middle[more], high[more]]),
        )
        whole = np.concatenate([half[:, more] for half in halves], axis=1)
    return means


def _by_samples(f: Function, d: int, n_samples: int, generator: np.random.Generator) -> Rule:
    """Average a function of d variables over antithetic pairs."""
    n = n_samples // 2

    def values(points: Array) -> Array:
        flat = points.reshape(-1, d)
        return check_array("f", f(flat), (len(flat),)).reshape(points.shape[:-1])

    def rule(x: Array, sigma: Array) -> tuple[Smoothed, Smoothed]:
        z = generator.standard_normal((n, len(x), d))
        width = sigma[:, None]
        up, down, here = values(x + width * z), values(x - width * z), values(x)
        even, odd = (up + down) / 2, (up - down) / 2
        # f(x) is a baseline: it leaves the mean, and takes an offset out of the noise.
        by_sigma = (even - here) * ((z * z).sum(axis=2) - d) / sigma
        draws = even, odd[..., None] * z / width, by_sigma
        means = Smoothed(*(draw.mean(axis=0) for draw in draws))
        return means, Smoothed(*(draw.std(axis=0, ddof=1) / np.sqrt(n) for draw in draws))

    return rule
