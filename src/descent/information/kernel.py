r"""A finite system with noise, or of more parts than two: the probabilities of a step.

.. math:: P_{t+1}(s') = \sum_s P_t(s)\, K(s, s'), \qquad \sum_{s'} K(s, s') = 1
"""

from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import numpy as np

from descent.arguments import came, check_kind, check_real
from descent.information.distributions import Distribution, check_distribution
from descent.systems import FiniteSystem

__all__ = ["FiniteKernel", "kernel_of"]


@dataclass(frozen=True)
class FiniteKernel:
    r"""Parts with finitely many states each, and the probabilities of their next states.

    Parameters
    ----------
    kernel : array (n_1, ..., n_k, n_1, ..., n_k)
        K: the probability of the states on the last k axes after those on the first k; floats,
        or Fractions in an array of dtype object.

    Raises
    ------
    ValueError, TypeError
        If it has no such shape, or the probabilities of some step do not sum to 1.

    Notes
    -----
    A step all of whose probabilities are 0 and 1 is a `descent.systems.FiniteSystem`. A
    transition matrix between all pairs of n and m states is a kernel of two parts once it is
    ``matrix.reshape(n, m, n, m)``; as it stands, it is one of a single part.

    Examples
    --------
    >>> coin = FiniteKernel([[0.9, 0.1], [0.2, 0.8]])
    >>> coin.shape
    (2,)
    """

    kernel: Any

    def __post_init__(self) -> None:
        try:
            k = np.asarray(self.kernel)
        except ValueError:  # ragged
            raise ValueError(f"kernel must be an array; got {came(self.kernel)}") from None
        half = k.ndim // 2
        if k.ndim == 0 or k.ndim % 2 or k.shape[:half] != k.shape[half:] or k.size == 0:
            raise ValueError(
                "kernel must have the shape of the parts twice, (n_1, ..., n_1, ...); got "
                f"{came(self.kernel)}"
            )
        rows = k.reshape(int(np.prod(k.shape[:half])), -1)
        if k.dtype != object and not np.issubdtype(k.dtype, np.number):
            raise TypeError(f"kernel must hold real numbers; got {came(self.kernel)}")
        name = "kernel, over the next states,"
        rows = np.stack([check_distribution(row, name) for row in rows])
        object.__setattr__(self, "kernel", rows.reshape(k.shape))

    @property
    def shape(self) -> tuple[int, ...]:
        """Numbers of states of the parts: the shape of a joint distribution."""
        shape: tuple[int, ...] = self.kernel.shape
        return shape[: len(shape) // 2]


def matched(joint: Distribution, system: FiniteKernel) -> tuple[Distribution, Distribution]:
    """Return P (n,) and K (n, n): both exact numbers, or both floats."""
    n = joint.size
    p, k = joint.ravel(), np.asarray(system.kernel).reshape(n, n)
    if p.dtype == object and k.dtype == object:
        return p, k
    return p.astype(float), k.astype(float)


def kernel_of(system: FiniteSystem, error: float | Fraction = 0) -> FiniteKernel:
    r"""Return the kernel of a finite system whose thermostat errs now and then.

    .. math:: K(s, (i, j)) = \left[(1 - \epsilon)\, \delta_{i, F_1(s)}
              + \frac{\epsilon}{n_1}\right] \delta_{j, F_2(s)}

    Parameters
    ----------
    system : FiniteSystem
        The step F of both parts.
    error : float or Fraction
        ε, from 0 to 1: how often the thermostat's next state is drawn uniformly from all.

    Returns
    -------
    FiniteKernel
        Of the shape of the system; exact numbers if ε is a Fraction or an integer.

    Raises
    ------
    TypeError, ValueError
        If it is no finite system, or the chance out of range.

    Examples
    --------
    >>> from descent.information import created_entropy
    >>> from descent.systems import smart_thermostat
    >>> uniform = np.full((3, 3), 1 / 9)
    >>> round(created_entropy(uniform, kernel_of(smart_thermostat(), 1)), 6)  # log2 3
    1.584963
    """
    check_kind("system", system, FiniteSystem)
    exact = isinstance(error, Fraction | int) and not isinstance(error, bool)
    given: Any = error
    chance: Any = Fraction(given) if exact else check_real("error", given, least=0, most=1)
    if not 0 <= chance <= 1:
        raise ValueError(f"error must lie from 0 to 1; got {error!r}")
    n, m = system.shape
    kernel = np.full((n, m, n, m), Fraction(0), object) if exact else np.zeros((n, m, n, m))
    for i, j in np.ndindex(n, m):
        to, room = system.step(i, j)
        kernel[i, j, :, room] = chance / n
        kernel[i, j, to, room] += 1 - chance
    return FiniteKernel(kernel)
