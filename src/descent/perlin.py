"""Perlin noise: periodic random landscapes with exact derivatives, aligned at their minima."""

import itertools
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from descent.arguments import (
    Array,
    check_array,
    check_count,
    check_generator,
    check_kind,
    check_numbers,
)


def fade(t: Array) -> tuple[Array, Array, Array]:
    """Return the quintic 6t⁵ - 15t⁴ + 10t³ and its first two derivatives.

    Both derivatives vanish at 0 and 1, which makes the noise twice continuously
    differentiable across the lattice.
    """
    t = check_numbers("t", t)
    return (
        t**3 * (t * (6 * t - 15) + 10),
        30 * t**2 * (t - 1) ** 2,
        60 * t * (t - 1) * (2 * t - 1),
    )


@dataclass(frozen=True)
class Perlin:
    r"""Perlin noise in d dimensions, m layers of it at once, periodic.

    .. math:: f_i(x) = \sum_{c \in \{0,1\}^d} \Big[ \prod_k s_{c_k}(t_k) \Big]
              (t - c) \cdot G_i(\lfloor y \rfloor + c) - b_i, \quad
              y = x + o_i,\ t = y - \lfloor y \rfloor,

    with :math:`s_1 = 6t^5 - 15t^4 + 10t^3` and :math:`s_0 = 1 - s_1`. At a lattice point
    the noise is zero and its gradient is G (before b is taken off).

    Parameters
    ----------
    lattice : array (m, cells, ..., cells, d)
        The gradients G at the lattice points, d axes of ``cells``. Lattice points have
        distance 1; the period is ``cells`` along every axis.
    offsets : array (m, d)
        o, where the origin of x lies in each layer.
    floors : array (m,)
        b, what is taken off each layer's value.

    Raises
    ------
    ValueError
        If the shapes do not fit, or an entry is not finite.

    Notes
    -----
    Ken Perlin, "Improving noise" (2002), with the fade of that paper. Not value noise,
    which interpolates values instead of slopes.

    Examples
    --------
    >>> import numpy as np
    >>> slopes = Perlin(np.array([[[1.0], [-1.0]]]), np.zeros((1, 1)), np.zeros(1))
    >>> slopes.value(np.array([[0.0], [0.5], [1.0]])).ravel()
    array([0. , 0.5, 0. ])
    >>> slopes.gradient(np.array([1.0])).ravel()
    array([-1.])
    """

    lattice: Array
    offsets: Array
    floors: Array

    def __post_init__(self) -> None:
        for name in ("lattice", "offsets", "floors"):
            object.__setattr__(self, name, check_array(name, getattr(self, name)))
        m, *cells, d = self.lattice.shape or (0, 0)
        if len(cells) != d or len(set(cells)) != 1:
            raise ValueError(
                "lattice must have the shape (m, cells, ..., cells, d) with d axes of cells; "
                f"got {self.lattice.shape}"
            )
        if self.offsets.shape != (m, d) or self.floors.shape != (m,):
            raise ValueError(
                f"offsets must have shape {(m, d)} and floors {(m,)}; "
                f"got {self.offsets.shape} and {self.floors.shape}"
            )

    @property
    def n_layers(self) -> int:
        """Number m of layers."""
        return len(self.lattice)

    @property
    def cells(self) -> int:
        """Number of lattice cells in a period, along each axis."""
        return int(self.lattice.shape[1])

    @property
    def dimension(self) -> int:
        """Dimension d."""
        return int(self.lattice.shape[-1])

    def layers(self, chosen: slice) -> "Perlin":
        """Return some of the layers."""
        check_kind("chosen", chosen, slice)
        return Perlin(self.lattice[chosen], self.offsets[chosen], self.floors[chosen])

    def value(self, x: npt.ArrayLike) -> Array:
        """f_i(x); x of shape (..., d), returns (..., m)."""
        return self._derivatives(x, 0)[0]

    def gradient(self, x: npt.ArrayLike) -> Array:
        """∇f_i(x); x of shape (..., d), returns (..., m, d)."""
        return self._derivatives(x, 1)[1]

    def value_and_gradient(self, x: npt.ArrayLike) -> tuple[Array, Array]:
        """f_i(x) and ∇f_i(x) at the price of the gradient."""
        value, gradient, _ = self._derivatives(x, 1)
        return value, gradient

    def hessian(self, x: npt.ArrayLike) -> Array:
        """Second derivatives of f_i at x; x of shape (..., d), returns (..., m, d, d)."""
        return self._derivatives(x, 2)[2]

    def each(self, x: npt.ArrayLike) -> tuple[Array, Array]:
        """Values and gradients of every layer at a place of its own; x of shape (..., m, d)."""
        x = check_array("x", x)
        if x.shape[-2:] != self.offsets.shape:
            raise ValueError(f"x must end in {self.offsets.shape}; got shape {x.shape}")
        value, gradient, _ = self._each(x, 1)
        return value, gradient

    def _each(self, x: Array, order: int) -> tuple[Array, Array, Array]:
        x = self._near(x)
        return self._in_layers(
            [x[..., k] + self.offsets[:, k] for k in range(self.dimension)], order
        )

    def _derivatives(self, x: npt.ArrayLike, order: int) -> tuple[Array, Array, Array]:
        x = check_array("x", x)
        if x.shape[-1:] != (self.dimension,):
            raise ValueError(
                f"x must have {self.dimension} coordinates in its last axis; got shape {x.shape}"
            )
        x = self._near(x)
        # Coordinates are kept apart: numpy is slow on short last axes.
        return self._in_layers(
            [x[..., k, None] + self.offsets[:, k] for k in range(self.dimension)], order
        )

    def _near(self, x: Array) -> Array:
        """Return x, by whole periods nearer to 0 if far away: exact, as a remainder is."""
        return x if np.abs(x).max(initial=0.0) < 2.0**40 else np.fmod(x, self.cells)

    def _in_layers(self, y: list[Array], order: int) -> tuple[Array, Array, Array]:
        """Return derivatives up to an order at the coordinates y of each layer, each (..., m)."""
        m, d, cells = self.n_layers, self.dimension, self.cells
        corner = [np.floor(part) for part in y]
        t = [part - low for part, low in zip(y, corner, strict=True)]
        # s[k][bit][order of derivative], each (..., m)
        s1 = [fade(part) for part in t]
        s = [((1 - one[0], -one[1], -one[2]), one) for one in s1]
        low = [(part - cells * np.floor(part / cells)).astype(np.intp) for part in corner]
        index = [(part, np.where(part + 1 == cells, 0, part + 1)) for part in low]
        slopes = [np.ascontiguousarray(self.lattice[..., k]).ravel() for k in range(d)]
        value = np.zeros(t[0].shape)
        gradient = np.zeros((d, *value.shape) if order > 0 else 0)
        hessian = np.zeros((d, d, *value.shape) if order > 1 else 0)
        for bits in itertools.product((0, 1), repeat=d):
            at = np.broadcast_to(np.arange(m), value.shape)
            for k, bit in enumerate(bits):
                at = at * cells + index[k][bit]
            slope = [part[at] for part in slopes]
            height = sum((t[k] - bit) * slope[k] for k, bit in enumerate(bits))

            def factor(*along: int, bits: tuple[int, ...] = bits) -> Array:
                """Π_k s_{c_k}(t_k), differentiated once along each named axis."""
                product = s[0][bits[0]][along.count(0)]
                for k in range(1, d):
                    product = product * s[k][bits[k]][along.count(k)]
                return product

            whole = factor()
            value += whole * height
            if order > 0:
                first = [factor(j) for j in range(d)]
                for j in range(d):
                    gradient[j] += first[j] * height + whole * slope[j]
            if order > 1:
                for j, k in itertools.product(range(d), repeat=2):
                    hessian[j, k] += (
                        factor(j, k) * height + first[j] * slope[k] + first[k] * slope[j]
                    )
        gradient = np.moveaxis(gradient, 0, -1) if order > 0 else gradient
        hessian = np.moveaxis(hessian, (0, 1), (-2, -1)) if order > 1 else hessian
        return value - self.floors, gradient, hessian


def random_layers(n_layers: int, cells: int, dimension: int, rng: np.random.Generator) -> Perlin:
    """Layers with independent standard normal lattice gradients, one above the other.

    Perlin draws unit vectors. In one dimension these are ±1, and all deepest minima are
    equally deep; normal ones make the noise a Gaussian process and its minimum unique.

    Parameters
    ----------
    n_layers : int
        Number m of layers, at least 1.
    cells : int
        Lattice cells in a period, at least 2.
    dimension : int
        Dimension d, at least 1.
    rng : numpy.random.Generator
        Draws the lattice gradients.
    """
    check_count("n_layers", n_layers, 1)
    check_count("cells", cells, 2)
    check_count("dimension", dimension, 1)
    check_generator("rng", rng)
    lattice = rng.standard_normal((n_layers, *(cells,) * dimension, dimension))
    return Perlin(lattice, np.zeros((n_layers, dimension)), np.zeros(n_layers))


def global_minima(layers: Perlin, points_per_cell: int = 0, candidates: int = 24) -> Array:
    """Return where each layer is lowest, (m, d) in [0, cells): a scan, then Newton's method.

    The scan takes ``points_per_cell`` points along each axis of a cell (0: as many as give
    about 60 000 in all, at least 3). The lowest of them start Newton iterations on the exact
    gradient, and the lowest end counts. A pit that the scan's lowest points miss is missed.
    """
    check_kind("layers", layers, Perlin)
    check_count("points_per_cell", points_per_cell)
    check_count("candidates", candidates, 1)
    m, d, cells = layers.n_layers, layers.dimension, layers.cells
    n = cells * (points_per_cell or min(64, max(3, round(60_000 ** (1 / d) / cells))))
    axis = np.arange(n) * cells / n
    grid = np.stack(np.meshgrid(*[axis] * d, indexing="ij"), axis=-1).reshape(-1, d)
    spacing = cells / n
    value = layers.value(grid)
    some = min(candidates, len(grid))
    lowest = np.argpartition(value, some - 1, axis=0)[:some]
    order = np.argsort(np.take_along_axis(value, lowest, axis=0), axis=0, kind="stable")
    x = grid[np.take_along_axis(lowest, order, axis=0)]  # (some, m, d), all layers at once
    for _ in range(30):
        gradient, hessian = layers._each(x, 2)[1:]
        # |eigenvalues| make every Newton step descend; no step leaves the scan's mesh.
        curvature, axes = np.linalg.eigh(hessian)
        along = (axes.swapaxes(-1, -2) @ gradient[..., None])[..., 0]
        step = (axes @ (along / np.maximum(np.abs(curvature), 1e-9))[..., None])[..., 0]
        length = np.linalg.norm(step, axis=-1, keepdims=True)
        x = x - step * np.minimum(1, spacing / np.maximum(length, 1e-300))
    ends = layers._each(x, 0)[0].argmin(axis=0)
    return np.asarray(x[ends, np.arange(m)] % cells)


def aligned_layers(n_layers: int, cells: int, dimension: int, rng: np.random.Generator) -> Perlin:
    """Layers of Perlin noise moved so that all have their global minimum, 0, at x = 0.

    Parameters
    ----------
    n_layers, cells, dimension, rng
        As for `random_layers`. The scan for the minima is meant for d up to 4.

    Returns
    -------
    Perlin
        With ``value(x)`` (..., m) zero at the origin and positive elsewhere, and
        ``gradient(x)`` (..., m, d); periodic in x with the period ``cells``.

    Raises
    ------
    ValueError, TypeError
        If a count is too small or not an integer.

    Notes
    -----
    Each layer is one loss; all share the global minimum and no other by design. Source:
    000, last paragraph.

    Examples
    --------
    >>> import numpy as np
    >>> layers = aligned_layers(3, cells=6, dimension=2, rng=np.random.default_rng(0))
    >>> layers.value(np.zeros(2)).round(12) + 0.0
    array([0., 0., 0.])
    >>> bool((layers.value(np.random.default_rng(1).uniform(-3, 3, (1000, 2))) > 0).all())
    True
    """
    raw = random_layers(n_layers, cells, dimension, rng)
    minima = global_minima(raw)
    return Perlin(raw.lattice, minima, raw._each(minima, 0)[0])
