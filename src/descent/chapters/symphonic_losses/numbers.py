"""Chapter 9: how often layers of Perlin noise have minima, alone, summed and combined."""

from functools import cache
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from descent import aggregation
from descent.arguments import Array
from descent.estimates import Mean, mean_with_error
from descent.kept import kept
from descent.perlin import Perlin, aligned_layers, fade, random_layers

LAYERS = (1, 2, 4, 8, 16)
RULES = ("equal_sum", "largest_gradient", "gradient_norm")


def axis_points(cells: int, per_cell: int) -> Array:
    """Return the points of one axis over a period around 0."""
    return np.arange(cells * per_cell) / per_cell - cells / 2


def grid(cells: int, per_cell: int, dimension: int) -> Array:
    """Return the points of a periodic grid, (n, ..., n, d), with 0 in the middle."""
    axis = axis_points(cells, per_cell)
    return np.stack(np.meshgrid(*[axis] * dimension, indexing="ij"), axis=-1)


def composite(rule: str, value: Array, gradient: Array) -> Array:
    """Return the value surface Σ w_i l_i of a rule, from values (..., m), gradients (..., m, d).

    That of ``equal_sum`` is the mean of the layers, that of ``largest_gradient`` the value of
    the layer whose gradient is longest there, that of ``gradient_norm`` the mean weighted by
    the lengths.
    """
    weights = aggregation.RULES[rule](value, gradient).weights
    return np.asarray((weights * value).sum(axis=-1))


def field(rule: str, gradient: Array) -> Array:
    """Return the direction Σ w_i ∇l_i (..., d) of a rule, from gradients (..., m, d)."""
    values = np.zeros(gradient.shape[:-1])  # none of `RULES` reads them
    return np.asarray(aggregation.RULES[rule](values, gradient).gradient)


def minima(surface: Array) -> npt.NDArray[np.bool_]:
    """Mark the points of a periodic grid that lie below all 3^d - 1 neighbours."""
    axes = range(surface.ndim)
    lowest = np.ones(surface.shape, bool)
    for shift in np.ndindex(*(3,) * surface.ndim):
        offset = np.array(shift) - 1
        if offset.any():
            lowest &= surface < np.roll(surface, tuple(offset), axis=tuple(axes))
    return lowest


def stuck_points(direction: Array) -> npt.NDArray[np.bool_]:
    """Mark where a one-dimensional flow -direction on a periodic grid is caught.

    There the direction changes from minus to plus between a point and the next.
    """
    return (direction <= 0) & (np.roll(direction, -1) > 0)


def cells_for(dimension: int) -> int:
    """Return how many cells a period of the counted landscapes has."""
    return 64 if dimension == 1 else 8


@cache
def landscape(dimension: int, seed: int, n_layers: int = max(LAYERS)) -> Perlin:
    """Return one landscape of sixteen aligned layers; fewer layers are its first ones."""
    rng = np.random.default_rng([dimension, seed])
    return aligned_layers(n_layers, cells_for(dimension), dimension, rng)


@cache
@kept
def counts(dimension: int, per_cell: int, n_landscapes: int) -> dict[tuple[str, int], Array]:
    """Return minima per unit cell for each (rule, m), one number a landscape."""
    found: dict[tuple[str, int], list[float]] = {}
    cells = cells_for(dimension)
    for seed in range(n_landscapes):
        layers = landscape(dimension, seed)
        value, gradient = layers.value_and_gradient(grid(cells, per_cell, dimension))
        for m in LAYERS:
            for rule in RULES:
                surface = composite(rule, value[..., :m], gradient[..., :m, :])
                density = minima(surface).sum() / cells**dimension
                found.setdefault((rule, m), []).append(float(density))
    return {key: np.array(densities) for key, densities in found.items()}


def variances(phase: Array) -> Array:
    r"""Return Var f', Var f'' and Cov(f', f'') of one-dimensional noise at phases of its cell.

    In a cell :math:`f = s_0(t)\, t\, G_0 + s_1(t)\, (t - 1)\, G_1`, with independent
    standard normal G.
    """
    s, ds, dds = fade(phase)
    left = np.stack([-ds * phase + 1 - s, -dds * phase - 2 * ds])
    right = np.stack([ds * (phase - 1) + s, dds * (phase - 1) + 2 * ds])
    mixed = left[0] * left[1] + right[0] * right[1]
    return np.stack([*(left**2 + right**2), mixed])


def spectral_moments() -> tuple[float, float]:
    """Return m_2 and m_4, the variances of f' and f'' averaged over the cell.

    They are polynomials of the phase, which Gauss-Legendre quadrature integrates exactly.
    """
    node, weight = np.polynomial.legendre.leggauss(16)
    m2, m4, _ = variances((node + 1) / 2) @ (weight / 2)
    return float(m2), float(m4)


def rice_sum() -> float:
    r"""Return the density of minima of a sum of many layers with phases of their own.

    Rice's formula for a stationary Gaussian process:
    :math:`\frac1{2\pi} \sqrt{m_4/m_2}`. The number m of layers cancels.
    """
    m2, m4 = spectral_moments()
    return float(np.sqrt(m4 / m2) / (2 * np.pi))


def rice_layers(offsets: npt.ArrayLike) -> float:
    r"""Return the density of minima of a sum of layers whose lattices are shifted by offsets (m,).

    .. math:: \int_0^1 \frac{1}{2\pi} \sqrt{\frac{v_2 - c^2/v_1}{v_1}}\, dt, \quad
              v_1 = \operatorname{Var} f',\ v_2 = \operatorname{Var} f'',\
              c = \operatorname{Cov}(f', f'')

    The variances depend on the place in the cell; each is the sum of the layers' own. For
    one layer the integral is 3/4, which also follows from counting signs.
    """
    t = (np.arange(2000) + 0.5) / 2000
    phases = (t + np.reshape(offsets, (-1, 1))) % 1
    first, second, mixed = variances(phases).sum(axis=1)
    given = np.maximum(second - mixed**2 / first, 0)
    return float(np.sqrt(given / first).mean() / (2 * np.pi))


def mean_determinant(covariance: Array, order: int = 64) -> float:
    r"""Return the mean of det H where H is positive definite, and 0 elsewhere, for Gaussian H.

    .. math:: \mathbb E\big[ \det H\; 1_{H > 0} \big] = \frac{3}{2 \pi \sqrt{|\Sigma|}}
              \int_0^{2\pi} \!\! \int_0^1 t (1 - t^2)\, q^{-5/2}\, dt\, d\theta, \quad
              q = v^{\mathsf T} \Sigma^{-1} v,\
              v = (1 + t \cos\theta,\ 1 - t \cos\theta,\ t \sin\theta)

    for (H_xx, H_yy, H_xy) = s v of mean 0 and covariance Σ (3, 3): positive definite H are the
    cone t < 1 with s > 0, on which :math:`\det H = s^2 (1 - t^2)`, and the integral over s is
    done. Gauss-Legendre in t and equal steps in θ converge exponentially.

    Examples
    --------
    >>> import numpy as np
    >>> isotropic = np.array([[3.0, 1, 0], [1, 3, 0], [0, 0, 1]])
    >>> round(mean_determinant(isotropic) * 3**0.5, 12)
    1.0
    """
    node, weight = np.polynomial.legendre.leggauss(order)
    t, theta = (node[:, None] + 1) / 2, 2 * np.pi * np.arange(order) / order
    one = np.ones_like(theta)
    v = np.stack([1 + t * np.cos(theta), 1 - t * np.cos(theta), t * np.sin(theta) * one])
    q = np.einsum("i...,ij,j...->...", v, np.linalg.inv(covariance), v)
    over_theta = (t * (1 - t * t) * q**-2.5).mean(axis=1) * 2 * np.pi
    root = np.sqrt(np.linalg.det(covariance))
    return float(3 * (weight / 2 @ over_theta) / (2 * np.pi * root))


def plane_covariances(order: int = 16) -> tuple[Array, Array]:
    """Return the covariances of ∇f (2, 2) and of H_xx, H_yy, H_xy (3, 3), averaged over the cell.

    The field is linear in the lattice gradients, so the shares of each are added. They are
    polynomials of the phase, which Gauss-Legendre quadrature integrates exactly.
    """
    node, weight = np.polynomial.legendre.leggauss(order)
    phase = np.stack(np.meshgrid(*[(node + 1) / 2] * 2, indexing="ij"), axis=-1).reshape(-1, 2)
    area = np.outer(weight, weight).ravel() / 4
    first, second = np.zeros((2, 2)), np.zeros((3, 3))
    for corner in np.ndindex(2, 2):
        for k in range(2):
            lattice = np.zeros((1, 4, 4, 2))
            lattice[(0, *corner, k)] = 1.0
            alone = Perlin(lattice, np.zeros((1, 2)), np.zeros(1))
            gradient, hessian = alone.gradient(phase)[:, 0], alone.hessian(phase)[:, 0]
            triple = np.stack([hessian[:, 0, 0], hessian[:, 1, 1], hessian[:, 0, 1]], axis=-1)
            first += (area * gradient.T) @ gradient
            second += (area * triple.T) @ triple
    return first, second


def rice_plane() -> float:
    r"""Return the density of minima of a sum of many layers in two dimensions.

    .. math:: p_{\nabla f}(0)\ \mathbb E\big[ \det H\; 1_{H > 0} \big], \qquad
              p_{\nabla f}(0) = \frac{1}{2\pi \sqrt{\det \operatorname{Cov} \nabla f}}

    for a stationary Gaussian field with the covariances of gradient and Hessian H that
    Perlin noise has on average over its cell.
    """
    first, second = plane_covariances()
    return mean_determinant(second) / float(2 * np.pi * np.sqrt(np.linalg.det(first)))


def kurtosis_of_layer(gaussian: bool, n_cells: int = 20_000) -> Mean:
    """Return the excess kurtosis of f' of one layer at the middle of its cells.

    For normal lattice gradients it is 0, which Rice's formula asks for; for the unit
    gradients ±1 of classic Perlin noise it is not.
    """
    rng = np.random.default_rng(3)
    lattice = (
        rng.standard_normal((1, n_cells, 1))
        if gaussian
        else rng.choice([-1.0, 1.0], (1, n_cells, 1))
    )
    layer = Perlin(lattice, np.zeros((1, 1)), np.zeros(1))
    slope = layer.gradient(np.arange(n_cells)[::2, None] + 0.5).ravel()
    blocks = slope.reshape(20, -1)
    return mean_with_error((blocks**4).mean(axis=1) / (blocks**2).mean(axis=1) ** 2 - 3)


def sum_density(m: int, n_landscapes: int = 40, per_cell: int = 64) -> Mean:
    """Return minima per cell of the sum of m layers that are not aligned, one dimension."""
    cells, found = 256, []
    for seed in range(n_landscapes):
        rng = np.random.default_rng([78, m, seed])
        raw = random_layers(m, cells, 1, rng)
        shifted = Perlin(raw.lattice, rng.uniform(0, cells, (m, 1)), raw.floors)
        slope = shifted.gradient(grid(cells, per_cell, 1)).sum(axis=1)[:, 0]
        found.append(stuck_points(slope).sum() / cells)
    return mean_with_error(found)


class BoxCount(NamedTuple):
    """Share of boxes with a minimum of every one of the first m layers, and of stuck points."""

    common: Array  # (len(LAYERS),) share of boxes that hold a minimum of each layer
    expected: Array  # p^m
    stuck: dict[str, Array]  # rule -> share of boxes that hold a stuck point of its flow


@cache
def box_counts(n_boxes_per_cell: int = 2, n_landscapes: int = 40, layers: int = 8) -> BoxCount:
    """Count, in one dimension, boxes that hold minima of all layers, and boxes with stuck points.

    The layers are not aligned, so that nothing is common by design.
    """
    cells, per_cell = 256, 64
    x = grid(cells, per_cell, 1)
    size = per_cell // n_boxes_per_cell
    share = np.zeros((n_landscapes, layers))
    single = np.zeros(n_landscapes)
    stuck = {rule: np.zeros((n_landscapes, layers)) for rule in RULES}
    for seed in range(n_landscapes):
        rng = np.random.default_rng([77, seed])
        raw = random_layers(layers, cells, 1, rng)
        shifted = Perlin(raw.lattice, rng.uniform(0, cells, (layers, 1)), raw.floors)
        gradient = shifted.gradient(x)
        rest = np.stack([stuck_points(slope) for slope in gradient[..., 0].T], axis=-1)
        boxes = np.any(rest.reshape(-1, size, layers), axis=1)  # (boxes, layers)
        single[seed] = boxes.mean()
        for m in range(1, layers + 1):
            share[seed, m - 1] = boxes[:, :m].all(axis=1).mean()
            for rule in RULES:
                caught = stuck_points(field(rule, gradient[:, :m])[:, 0])
                stuck[rule][seed, m - 1] = caught.reshape(-1, size).any(axis=1).mean()
    p = single.mean()
    return BoxCount(
        share.mean(axis=0),
        p ** np.arange(1, layers + 1),
        {rule: values.mean(axis=0) for rule, values in stuck.items()},
    )
