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
Flags = npt.NDArray[np.bool_]

_ORDERS = (16, 23, 32, 64, 128, 256)
_LEGENDRE = np.polynomial.legendre.Legendre.basis(9)
# Gauss–Lobatto, ends included: a jump next to one does not hide from the other nodes.
_NODES = np.concatenate([[-1.0], np.sort(_LEGENDRE.deriv().roots().real), [1.0]])
_WEIGHTS = 2 / (90 * _LEGENDRE(_NODES) ** 2)
_HIGHEST = np.array([np.polynomial.legendre.Legendre.basis(k)(_NODES) for k in (8, 9)])
_PROBE = 1 / 8  # in σ: what is as wide as this does not hide between the nodes
_Z = np.arange(-REACH, REACH + _PROBE / 2, _PROBE)
_PANEL = 0.5  # in σ: width of a panel before it is halved
_STRETCH = 8  # panels that are added at once on either side
_FARTHEST = 37.0  # in σ: here the normal density is 1e-298
_NARROWEST = 1e-14  # in σ: a jump is enclosed in a panel of this width
_MOST_PANELS = 20_000  # at work for one point at once
_CHUNK = 2048  # points at once
_NUMBERS = 1 << 24  # coordinates of samples that are held at once


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

    Of one variable: Gauss–Hermite quadrature, whose order is raised until three agree with each
    other and with the mean over a grid of σ/8. Where they do not, as f jumps or ripples, the line
    is divided into panels, as far out as f counts, and each panel halved until its Gauss–Lobatto
    sum stays the same; a jump ends up in a panel of no width.

    Of several: the mean over ``n_samples`` draws, which come in antithetic pairs x ± σz and
    anew in each call. The pairs take the even part of f out of the noise of d/dx, and the odd
    part out of that of the others.

    Parameters
    ----------
    f : callable
        From points to values: ``(n,)`` to ``(n,)``, or ``(n, d)`` to ``(n,)`` if a dimension
        is given. A spike narrower than σ/8, or between the samples, may not be seen.
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
        From ``smoothed``, if the tolerance is not reached, as where f grows so fast that it has
        no average.

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
        most = _CHUNK if dimension is None else _NUMBERS // (n_samples * dimension)
        stride = max(1, min(_CHUNK, most))
        parts = [
            rule(points[first : first + stride], widths[first : first + stride])
            for first in range(0, len(widths), stride)
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
    return check_array("f", _called(f, flat), flat.shape).reshape(points.shape)


def _called(f: Function, points: Array) -> npt.ArrayLike:
    """Return what f says of points; an error in words if it takes one at a time alone."""
    if not len(points):
        return np.zeros(0)  # np.vectorize has no answer to none
    try:
        return f(points)
    except (TypeError, ValueError) as error:
        raise TypeError(
            f"f must take points of shape {points.shape} at once, as np.vectorize makes a "
            f"function of one number do; it raised {type(error).__name__}: {error}"
        ) from error


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
        agreed = np.setdiff1d(np.arange(x.size), left)
        hidden = _hides(f, x[agreed], sigma[agreed], means[:, agreed], tolerance * scale[agreed])
        left = np.union1d(left, agreed[hidden])
        if left.size:
            means[:, left], scale[left] = _by_panels(f, x[left], sigma[left], tolerance)
        errors = np.maximum(before, tolerance * scale)
        errors[:, left] = tolerance * scale[left]
        return _scaled(means, sigma), _scaled(errors, sigma)

    return rule


def _scaled(means: Array, sigma: Array) -> Smoothed:
    """Divide the derivatives by σ."""
    return Smoothed(means[0], means[1] / sigma, means[2] / sigma)


def _hides(f: Function, x: Array, sigma: Array, means: Array, error: Array) -> Flags:
    """Say where a grid of σ/8 sees what the quadrature has not; for a smooth f both are exact."""
    weights = _PROBE * np.exp(-_Z * _Z / 2) / np.sqrt(2 * np.pi) * _scores(_Z)[:3]
    seen = weights @ _values(f, x[:, None] + sigma[:, None] * _Z).T
    return np.asarray((np.abs(seen - means) > 2 * error).any(axis=0))


def _by_panels(f: Function, x: Array, sigma: Array, tolerance: float) -> tuple[Array, Array]:
    """Average over panels that are halved until their sums stay the same, jumps and all.

    Returns the means, and the scale that the tolerance is a share of.
    """
    edges = np.arange(-REACH, REACH + _PANEL / 2, _PANEL)
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

    means, settled = np.zeros((3, x.size)), np.zeros(x.size)
    whole = sums(owner, low, high)
    scale: Array = np.bincount(owner, whole[3], x.size).astype(float)
    # Further out, as long as f makes the outermost panels count.
    outmost, edge = np.maximum(whole[3, low == -REACH], whole[3, high == REACH]), REACH
    while (growing := np.nonzero(outmost > tolerance / 256 * scale)[0]).size:
        if edge >= _FARTHEST:
            i = growing[0]
            raise RuntimeError(
                f"tolerance = {tolerance} is not reached for f smoothed at x = {x[i]}, "
                f"sigma = {sigma[i]}: it grows too fast, as what lies 37 sigma away still counts"
            )
        inner, edge = edge + _PANEL * np.arange(_STRETCH), edge + _PANEL * _STRETCH
        left_ends = np.concatenate([inner, -inner - _PANEL])
        new_owner = np.repeat(growing, len(left_ends))
        new_low = np.tile(left_ends, growing.size)
        new = sums(new_owner, new_low, new_low + _PANEL)
        scale += np.bincount(new_owner, new[3], x.size)
        outmost = np.zeros(x.size)
        for end in (edge - _PANEL, -edge):
            outmost[growing] = np.maximum(outmost[growing], new[3, new_low == end])
        owner, whole = np.append(owner, new_owner), np.append(whole, new, axis=1)
        low, high = np.append(low, new_low), np.append(high, new_low + _PANEL)
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
        # What lay between the nodes of wider panels counts when it is seen.
        scale = np.maximum(scale, settled + np.bincount(owner, both[3], x.size))
        doubt = np.concatenate([np.abs(both - whole)[:3], np.abs(whole[4:])])
        done = (doubt <= tolerance / 256 * scale[owner]).all(axis=0)
        done |= high - low < _NARROWEST
        for sums_so_far, part in zip((*means, settled), both, strict=False):
            sums_so_far += np.bincount(owner[done], part[done], x.size)
        more = ~done
        owner = np.tile(owner[more], 2)
        low, high = (
            np.concatenate([low[more], middle[more]]),
            np.concatenate([middle[more], high[more]]),
        )
        whole = np.concatenate([half[:, more] for half in halves], axis=1)
    return means, scale


def _by_samples(f: Function, d: int, n_samples: int, generator: np.random.Generator) -> Rule:
    """Average a function of d variables over antithetic pairs."""
    n = n_samples // 2

    def values(points: Array) -> Array:
        flat = points.reshape(-1, d).copy()  # f may write into its argument
        return check_array("f", _called(f, flat), (len(flat),)).reshape(points.shape[:-1])

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
