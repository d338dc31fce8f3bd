"""Adam's step, on arrays and on tensors alike."""

import math
from typing import Any, NamedTuple

from descent.arguments import check_array, check_count, check_kind, check_real

BETAS = (0.9, 0.999)


class Moments(NamedTuple):
    """Adam's memory.

    Attributes
    ----------
    first, second : array or tensor, like the gradient
        Weighted sums m of the gradients and v of their squares; 0 at first.
    steps : int
        How many gradients they hold, t.
    """

    first: Any = 0.0
    second: Any = 0.0
    steps: int = 0


FRESH = Moments()


def adam_step(
    gradient: Any,
    moments: Moments = FRESH,
    size: Any = 1.0,
    betas: tuple[float, float] = BETAS,
    epsilon: float = 1e-8,
) -> tuple[Any, Moments]:
    r"""Return the step that Adam subtracts, and its memory after the gradient.

    .. math::

        m_t &= \beta_1 m_{t-1} + (1 - \beta_1)\, g \qquad
        v_t = \beta_2 v_{t-1} + (1 - \beta_2)\, g^2 \\
        x_t &= x_{t-1} - \eta\, \frac{m_t / (1 - \beta_1^t)}
            {\sqrt{v_t / (1 - \beta_2^t)} + \epsilon}

    Parameters
    ----------
    gradient : array or tensor, any shape
        g. What is not finite goes through, and so into the path, where it is seen.
    moments : Moments
        The memory after the gradient before; empty without it.
    size : float, array or tensor that broadcasts with the gradient
        Step size η; 1 returns the direction alone.
    betas : two floats in [0, 1)
        β₁ and β₂. A mean over the last 1/(1 - β) gradients, roughly.
    epsilon : float
        ε >= 0, against division by 0.

    Returns
    -------
    step : array or tensor, like the gradient
        :math:`x_{t-1} - x_t`.
    moments : Moments
        For the next call.

    Raises
    ------
    TypeError, ValueError
        If a β, ε or the number of steps is out of its range.

    Examples
    --------
    >>> import numpy as np
    >>> step, moments = adam_step(np.array([4.0, -0.01]), size=0.1)
    >>> step.round(6)  # the first step has the step size in each coordinate
    array([ 0.1, -0.1])

    Source: Kingma and Ba, "Adam: a method for stochastic optimization" (2015), algorithm 1.
    """
    pair = check_array("betas", betas, (2,)).tolist()
    beta1, beta2 = (check_real("betas", beta, least=0, below=1) for beta in pair)
    check_kind("moments", moments, Moments)
    check_real("epsilon", epsilon, least=0)
    count = check_count("moments.steps", moments.steps) + 1
    first = _averaged(moments.first, beta1, gradient)  # algorithm 1, m_t
    second = _averaged(moments.second, beta2, gradient, gradient)  # v_t
    root = (second / (1 - beta2**count)) ** 0.5 + epsilon  # of v_t without its bias
    return size * first / root / (1 - beta1**count), Moments(first, second, count)


def _averaged(mean: Any, beta: float, *factors: Any) -> Any:
    """Return β times the mean plus 1 - β times the product of the factors."""
    share = round(1 - beta, 15)  # 0.1 where β = 0.9, rather than 0.09999999999999998
    if not hasattr(factors[0], "addcmul"):
        return beta * mean + math.prod(factors, start=share)
    # A tensor: torch rounds a product and a sum once where it does both in one call.
    kept = beta * (factors[0].new_zeros(factors[0].shape) if isinstance(mean, float) else mean)
    if len(factors) == 1:
        return kept.add(*factors, alpha=share)
    return kept.addcmul(*factors, value=share)
