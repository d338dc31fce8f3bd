r"""Test functions of several variables, to be minimized.

Each takes points of shape ``(..., d)`` and returns values of shape ``(...)``, for NumPy
arrays and for torch tensors alike, so that a network can be trained through it.
"""

import sys
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from descent.arguments import Array, check_array, check_kind, check_numbers


def _library(x: Any) -> Any:
    """Return the module whose functions act on x: numpy, or torch if x is a tensor."""
    return np if isinstance(x, np.ndarray | np.generic) else sys.modules["torch"]


@dataclass(frozen=True)
class Objective:
    r"""A function f to be minimized, with its gradient and its minimizers.

    Parameters
    ----------
    name : str
        As in `OBJECTIVES`.
    value : callable
        f: an array or a torch tensor ``(..., d)`` to ``(...)``.
    gradient : callable
        :math:`\nabla f` of an array ``(..., d)``, of the same shape.
    minimizers : callable
        Takes d and returns the global minimizers, an array ``(k, d)``.
    minimum : float
        The value at the minimizers.
    box : tuple of float
        Ends of the usual search interval, the same for each coordinate.
    dimension : int or None
        The only d that is defined, or None for any.
    least_dimension : int
        The smallest d that is defined.

    Notes
    -----
    `value` checks nothing and is for inner loops; calling the objective checks the shape.

    Examples
    --------
    >>> sphere(np.array([[3.0, 4.0], [0.0, 0.0]]))
    array([25.,  0.])
    >>> six_hump_camel(np.zeros(3))
    Traceback (most recent call last):
    ...
    ValueError: six_hump_camel takes points of dimension 2; got x of shape (3,)
    """

    name: str
    value: Callable[[Any], Any]
    gradient: Callable[[Array], Array]
    minimizers: Callable[[int], Array]
    minimum: float
    box: tuple[float, float]
    dimension: int | None = None
    least_dimension: int = 1

    def check_dimension(self, d: int, shape: object = None) -> None:
        """Raise a ValueError unless f takes points of dimension d."""
        wanted = str(self.dimension or f"{self.least_dimension} or more")
        if d < self.least_dimension or self.dimension not in (None, d):
            came = f"d = {d}" if shape is None else f"x of shape {shape}"
            raise ValueError(f"{self.name} takes points of dimension {wanted}; got {came}")

    def __call__(self, x: Any) -> Any:
        """Return f(x), of shape ``(...)``, after a check of the shape ``(..., d)`` of x."""
        x = x if hasattr(x, "requires_grad") else check_numbers("x", x)
        shape = tuple(x.shape)
        self.check_dimension(shape[-1] if shape else 0, shape)
        return self.value(x)


class Shifted(Objective):
    r"""An objective moved by an offset c: :math:`x \mapsto f(x - c)`.

    Parameters
    ----------
    objective : Objective
    offset : float or array (d,)
        c. The minimizers move with it; the search box stays where it is.

    Examples
    --------
    >>> far = Shifted(ackley, 7.0)
    >>> far.minimizers(2), float(far(np.array([7.0, 7.0])))
    (array([[7., 7.]]), 0.0)
    """

    def __init__(self, objective: Objective, offset: npt.ArrayLike) -> None:
        check_kind("objective", objective, Objective)
        c = check_array("offset", offset)
        if c.ndim > 1:
            raise ValueError(f"offset must be finite, a scalar or of shape (d,); got {offset!r}")

        def moved(x: Any) -> Any:
            library = _library(x)
            return x - (c if library is np else library.as_tensor(c, dtype=x.dtype))

        super().__init__(
            name=f"shifted {objective.name}",
            value=lambda x: objective.value(moved(x)),
            gradient=lambda x: objective.gradient(np.asarray(x, float) - c),
            minimizers=lambda d: objective.minimizers(d) + c,
            minimum=objective.minimum,
            box=objective.box,
            dimension=objective.dimension,
            least_dimension=objective.least_dimension,
        )


def _origin(d: int) -> Array:
    return np.zeros((1, d))


def _ackley(x: Any) -> Any:
    library = _library(x)
    radius = library.sqrt((x * x).mean(-1))
    return (
        20 * (1 - library.exp(-0.2 * radius))
        + np.e
        - library.exp(library.cos(2 * np.pi * x).mean(-1))
    )


def _ackley_gradient(x: Array) -> Array:
    x = np.asarray(x, float)
    d = x.shape[-1]
    radius = np.sqrt((x * x).mean(-1, keepdims=True))
    # The cone has no slope at its tip; 0 lies in the subdifferential there.
    cone = 4 * x / (d * np.where(radius > 0, radius, 1)) * np.exp(-0.2 * radius)
    ripple = np.exp(np.cos(2 * np.pi * x).mean(-1, keepdims=True))
    return np.asarray(cone + 2 * np.pi / d * np.sin(2 * np.pi * x) * ripple)


ackley = Objective("ackley", _ackley, _ackley_gradient, _origin, 0.0, (-32.768, 32.768))
r"""Ackley's function, a cone with ripples; minimum 0 at 0.

.. math:: f = 20 + e - 20 \exp\Bigl(-0.2 \sqrt{\tfrac1d \sum x_i^2}\Bigr)
          - \exp\Bigl(\tfrac1d \sum \cos 2\pi x_i\Bigr)

Its torch gradient at exactly 0 is not a number, because the root has no slope there.
Source: 001, "1D Ackley function".
"""


def _frequencies(d: int) -> Array:
    return 1 / np.sqrt(np.arange(1, d + 1))


def _griewank(x: Any) -> Any:
    library = _library(x)
    k = _frequencies(x.shape[-1])
    k = k if library is np else library.as_tensor(k, dtype=x.dtype)
    return 1 + (x * x).sum(-1) / 4000 - library.cos(k * x).prod(-1)


def _griewank_gradient(x: Array) -> Array:
    x = np.asarray(x, float)
    k = _frequencies(x.shape[-1])
    cosines = np.cos(k * x)
    ones = np.ones_like(cosines[..., :1])
    before = np.cumprod(np.concatenate([ones, cosines[..., :-1]], -1), -1)
    after = np.cumprod(np.concatenate([ones, cosines[..., :0:-1]], -1), -1)[..., ::-1]
    return np.asarray(x / 2000 + k * np.sin(k * x) * before * after)


griewank = Objective("griewank", _griewank, _griewank_gradient, _origin, 0.0, (-600.0, 600.0))
r"""Griewank's function, a wide bowl with ripples; minimum 0 at 0.

.. math:: f = 1 + \tfrac{1}{4000} \sum x_i^2 - \prod \cos(x_i / \sqrt i)

The program of source 001 leaves out the square in the first sum.
"""


def _qubic(x: Any) -> Any:
    x = x[..., 0]
    return x**4 - 2 * x**2 + 0.3 * x


def _qubic_gradient(x: Array) -> Array:
    x = np.asarray(x, float)
    return np.asarray(4 * x**3 - 4 * x + 0.3)


_QUBIC = float(np.roots([4.0, 0.0, -4.0, 0.3]).real.min())
qubic_1d = Objective(
    "qubic_1d",
    _qubic,
    _qubic_gradient,
    lambda d: np.array([[_QUBIC]]),
    float(_qubic(np.array([_QUBIC]))),
    (-2.0, 2.0),
    dimension=1,
)
r"""A quartic with two minima, of which the left one is deeper (source: "qubic").

.. math:: f = x^4 - 2 x^2 + 0.3\, x

Source: 001, "1D Qubic function".
"""


def _camel(x: Any) -> Any:
    u, v = x[..., 0], x[..., 1]
    return (4 - 2.1 * u**2 + u**4 / 3) * u**2 + u * v + (4 * v**2 - 4) * v**2


def _camel_gradient(x: Array) -> Array:
    u, v = np.moveaxis(np.asarray(x, float), -1, 0)
    return np.stack([8 * u - 8.4 * u**3 + 2 * u**5 + v, u - 8 * v + 16 * v**3], -1)


_CAMEL = np.array([0.08984201310031806, -0.7126564030207396])
six_hump_camel = Objective(
    "six_hump_camel",
    _camel,
    _camel_gradient,
    lambda d: np.stack([_CAMEL, -_CAMEL]),
    float(_camel(_CAMEL)),
    (-3.0, 3.0),
    dimension=2,
)
r"""The six-hump camel: six minima, of which two mirror images are global.

.. math:: f = \bigl(4 - 2.1 x_1^2 + \tfrac13 x_1^4\bigr) x_1^2 + x_1 x_2
          + (4 x_2^2 - 4)\, x_2^2

Source: 001, "Six-Hump Camel".
"""


def _rastrigin(x: Any) -> Any:
    return (x * x + 10 * (1 - _library(x).cos(2 * np.pi * x))).sum(-1)


def _rastrigin_gradient(x: Array) -> Array:
    x = np.asarray(x, float)
    return np.asarray(2 * x + 20 * np.pi * np.sin(2 * np.pi * x))


rastrigin = Objective("rastrigin", _rastrigin, _rastrigin_gradient, _origin, 0.0, (-5.12, 5.12))
r"""Rastrigin's function, a bowl with deep ripples; minimum 0 at 0.

.. math:: f = \sum \bigl(x_i^2 + 10 (1 - \cos 2\pi x_i)\bigr)
"""


def _rosenbrock(x: Any) -> Any:
    u, v = x[..., :-1], x[..., 1:]
    return (100 * (v - u**2) ** 2 + (1 - u) ** 2).sum(-1)


def _rosenbrock_gradient(x: Array) -> Array:
    x = np.asarray(x, float)
    u, v = x[..., :-1], x[..., 1:]
    slope = np.zeros_like(x)
    slope[..., :-1] = -400 * u * (v - u**2) - 2 * (1 - u)
    slope[..., 1:] += 200 * (v - u**2)
    return slope


rosenbrock = Objective(
    "rosenbrock",
    _rosenbrock,
    _rosenbrock_gradient,
    lambda d: np.ones((1, d)),
    0.0,
    (-5.0, 10.0),
    least_dimension=2,
)
r"""Rosenbrock's function, a bent valley; minimum 0 at (1, …, 1).

.. math:: f = \sum_{i<d} 100\, (x_{i+1} - x_i^2)^2 + (1 - x_i)^2
"""


def _himmelblau(x: Any) -> Any:
    u, v = x[..., 0], x[..., 1]
    return (u**2 + v - 11) ** 2 + (u + v**2 - 7) ** 2


def _himmelblau_gradient(x: Array) -> Array:
    u, v = np.moveaxis(np.asarray(x, float), -1, 0)
    p, q = u**2 + v - 11, u + v**2 - 7
    return np.stack([4 * u * p + 2 * q, 2 * p + 4 * v * q], -1)


_HIMMELBLAU = np.array(
    [
        [3.0, 2.0],
        [-2.805118086952745, 3.131312518250573],
        [-3.779310253377747, -3.283185991286170],
        [3.584428340330492, -1.848126526964404],
    ]
)
himmelblau = Objective(
    "himmelblau",
    _himmelblau,
    _himmelblau_gradient,
    lambda d: _HIMMELBLAU.copy(),
    0.0,
    (-5.0, 5.0),
    dimension=2,
)
r"""Himmelblau's function, with four global minima of value 0.

.. math:: f = (x_1^2 + x_2 - 11)^2 + (x_1 + x_2^2 - 7)^2
"""

sphere = Objective(
    "sphere",
    lambda x: (x * x).sum(-1),
    lambda x: 2 * np.asarray(x, float),
    _origin,
    0.0,
    (-5.12, 5.12),
)
r"""The squared distance from 0.

.. math:: f = \sum x_i^2
"""

OBJECTIVES = {
    objective.name: objective
    for objective in (
        ackley,
        griewank,
        himmelblau,
        qubic_1d,
        rastrigin,
        rosenbrock,
        six_hump_camel,
        sphere,
    )
}
"""Every objective by its name."""
