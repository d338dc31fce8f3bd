"""Chapter 9: the exact chain of random alternation, and landscapes that are less harmonious."""

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy import sparse
from scipy.sparse.csgraph import connected_components

from descent import aggregation
from descent.arguments import Array
from descent.chapters.symphonic_losses.race import RADIUS
from descent.perlin import Perlin, aligned_layers

CELLS = {1: 16, 2: 4}
PER_CELL = {1: (32, 64), 2: (14, 20)}
"""Lattice cells of a period, and points of the chain's two grids along a cell, by dimension."""


@dataclass(frozen=True)
class Harmony:
    r"""Landscapes of aligned layers with a part in common, moved apart.

    .. math:: l_i(x) = \sqrt\rho\, f_0(x) + \sqrt{1 - \rho}\, f_i(x - \delta u_i)

    with aligned layers f of Perlin noise and unit vectors u. Far from the shared minimum two
    losses have the correlation ρ. At δ = 0 all are least, and 0, at x = 0.

    Parameters
    ----------
    common : Perlin
        f_0 of each landscape, S layers.
    own : Perlin
        f_i, moved, of the first landscape, then those of the next: S m layers.
    correlation : float
        ρ, from 0 to 1.
    """

    common: Perlin
    own: Perlin
    correlation: float = 0.0

    def value_and_gradient(self, x: npt.ArrayLike) -> tuple[Array, Array]:
        """Losses (..., S, m) and their gradients (..., S, m, d) at x (..., S, d)."""
        x = np.asarray(x, float)
        m = self.own.n_layers // self.common.n_layers
        value, gradient = self.own.each(np.repeat(x, m, axis=-2))
        value = value.reshape(*x.shape[:-1], m)
        gradient = gradient.reshape(*x.shape[:-1], m, x.shape[-1])
        if not self.correlation:
            return value, gradient
        a, b = np.sqrt(self.correlation), np.sqrt(1 - self.correlation)
        shared, slope = self.common.each(x)
        return a * shared[..., None] + b * value, a * slope[..., None, :] + b * gradient


def landscapes(
    dimension: int,
    m: int,
    seeds: Iterable[int],
    correlation: float = 0.0,
    misalignment: float = 0.0,
) -> Harmony:
    """Return landscapes of m losses; the knobs turned, they are made of the same layers."""
    common, own = [], []
    for seed in seeds:
        rng = np.random.default_rng([93, dimension, m, seed])
        layers = aligned_layers(m + 1, CELLS[dimension], dimension, rng)
        u = rng.standard_normal((m, dimension))
        u *= misalignment / np.linalg.norm(u, axis=-1, keepdims=True)
        rest = layers.layers(slice(1, None))
        common.append(layers.layers(slice(0, 1)))
        own.append(Perlin(rest.lattice, rest.offsets - u, rest.floors))
    return Harmony(_joined(common), _joined(own), correlation)


def _joined(parts: list[Perlin]) -> Perlin:
    names = ("lattice", "offsets", "floors")
    return Perlin(*(np.concatenate([getattr(part, name) for part in parts]) for name in names))


def distance(x: Array, dimension: int) -> Array:
    """Return the distance to 0 on the torus."""
    half = CELLS[dimension] / 2
    return np.asarray(np.linalg.norm((x + half) % (2 * half) - half, axis=-1))


@dataclass(frozen=True)
class Chain:
    """The chain of a landscape on a periodic grid.

    Attributes
    ----------
    places : array (n, d)
        The grid.
    matrix : sparse array (n, n)
        Its transposed transition matrix: next law = matrix @ law.
    """

    places: Array
    matrix: sparse.csr_array

    @property
    def at_minimum(self) -> npt.NDArray[np.bool_]:
        """Whether a place counts as the shared minimum, (n,)."""
        away = distance(self.places, self.places.shape[1])
        return np.asarray(away < RADIUS)

    def success(self, budgets: tuple[int, ...]) -> Array:
        """Return the chance to be at the shared minimum after n steps, from anywhere."""
        law, there, found = np.full(len(self.places), 1 / len(self.places)), self.at_minimum, []
        for n in range(1, budgets[-1] + 1):
            law = self.matrix @ law
            if n in budgets:
                found.append(law[there].sum())
        return np.array(found)

    def closed_classes(self) -> tuple[int, bool]:
        """Return how many sets of places the chain never leaves, and if one is the minimum.

        The strongly connected sets of places that no step leads out of; that of the shared
        minimum counts among them if walks end there.
        """
        n, label = connected_components(self.matrix.T, connection="strong")
        to, origin = self.matrix.nonzero()
        is_open = np.zeros(n, bool)
        is_open[label[origin[label[to] != label[origin]]]] = True
        return int((~is_open).sum()), bool((~is_open)[label[self.at_minimum]].any())


def chain(problem: Harmony, step_size: float, per_cell: int, shift: float = 0.0) -> Chain:
    r"""Return the chain x → x - η ∇l_I(x) of random alternation on a periodic grid.

    .. math:: p_{n+1} = \frac1m \sum_i \int \delta\big(\cdot - x + \eta \nabla l_i(x)\big)
              p_n(x)\, dx

    What comes to lie between points of the grid is shared by its neighbours, linearly, which
    keeps the mean and adds up to a quarter of the square of the spacing to the variance. The
    grid is moved by ``shift`` of its spacing: at 0 it has a point at the shared minimum, on which
    a walker that is there rests, even where walkers nearby are thrown out.
    """
    d = problem.own.dimension
    if problem.common.n_layers != 1:
        raise ValueError(f"problem must be one landscape; got {problem.common.n_layers}")
    fine, n = per_cell, CELLS[d] * per_cell
    axis = (np.arange(n) + shift) / fine
    places = np.stack(np.meshgrid(*[axis] * d, indexing="ij"), axis=-1).reshape(-1, d)
    gradient = problem.value_and_gradient(places[:, None])[1][:, 0]
    m = gradient.shape[1]
    ends = (places[:, None] - step_size * gradient) * fine - shift  # (n^d, m, d)
    low = np.floor(ends).astype(int)
    part = ends - low
    origin = np.broadcast_to(np.arange(len(places))[:, None], (len(places), m)).ravel()
    rows, columns, shares = [], [], []
    for corner in np.ndindex(*(2,) * d):
        bit = np.array(corner)
        at = np.zeros((len(places), m), int)
        for k in range(d):
            at = at * n + (low[..., k] + bit[k]) % n
        rows.append(at.ravel())
        columns.append(origin)
        shares.append((np.where(bit, part, 1 - part).prod(axis=-1) / m).ravel())
    entries = (np.concatenate(shares), (np.concatenate(rows), np.concatenate(columns)))
    shape = (len(places), len(places))
    return Chain(places, sparse.coo_array(entries, shape=shape).tocsr())


def predicted(
    problem: Harmony, step_size: float, budgets: tuple[int, ...], shift: float = 0.0
) -> Array:
    """Return the chance to be at the shared minimum after each budget, from anywhere.

    Of two grids, with the error of the spacing's square taken off; both are moved by ``shift``
    of their spacings.
    """
    coarse, fine = PER_CELL[problem.own.dimension]
    rough, found = (chain(problem, step_size, n, shift).success(budgets) for n in (coarse, fine))
    return np.asarray(np.clip(found + (found - rough) * coarse**2 / (fine**2 - coarse**2), 0, 1))


def walked(
    problem: Harmony,
    step_size: float | Array,
    budgets: tuple[int, ...],
    n_walkers: int,
    rng: np.random.Generator,
    rule: str = "random_alternation",
) -> Array:
    """Return the share of walkers at the shared minimum after each budget, from anywhere.

    Returns
    -------
    array (len(budgets), S) or (len(budgets), K, S)
        One column a landscape; a row for each of K step sizes, with the same starts.
    """
    d, s = problem.own.dimension, problem.common.n_layers
    eta = np.asarray(step_size)[..., None, None, None]
    start = rng.uniform(0, CELLS[d], (n_walkers, s, d))
    x = np.broadcast_to(start, (*np.shape(step_size), *start.shape))
    follow, found = aggregation.RULES[rule], []
    state = None if "deterministic" in follow.properties else rng
    for n in range(1, budgets[-1] + 1):
        losses, gradients = problem.value_and_gradient(x)
        step = follow(losses, gradients, state)
        state = step.state
        x = x - eta * step.gradient
        if n in budgets:
            found.append((distance(x, d) < RADIUS).mean(axis=-2))
    return np.array(found)


def strong_growth(m: int, n_landscapes: int = 20) -> Array:
    r"""Return the constant of the strong growth condition at the shared minimum, on a line.

    .. math:: B = \lim_{x \to 0}
              \frac{\frac1m \sum_i l_i'(x)^2}{\big(\frac1m \sum_i l_i'(x)\big)^2}
                = \frac{\overline{h^2}}{\bar h^2}

    with the losses' curvatures h there, for each landscape.
    """
    found = []
    for seed in range(n_landscapes):
        slope = landscapes(1, m, (seed,)).value_and_gradient(np.array([[1e-6]]))[1][0, :, 0]
        found.append((slope**2).mean() / slope.mean() ** 2)
    return np.array(found)
