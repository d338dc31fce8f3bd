"""The equal sum with Gaussian noise of the covariance that alternation has."""

from functools import partial

import numpy as np

from descent.aggregation.rule import Rule, generator
from descent.arguments import Array


@partial(
    Rule,
    needs_gradients=False,
    properties={
        "sums to one",
        "scale does not matter",
        "linear under scaling",
        "memoryless",
    },
)
def matched_noise(
    losses: Array, gradients: None, state: np.random.Generator
) -> tuple[Array, np.random.Generator]:
    r"""Follow the mean loss plus Gaussian noise with the covariance of random alternation.

    .. math:: w_i = \frac1m + \frac{\xi_i - \bar\xi}{\sqrt m}, \quad
              \xi \sim N(0, I) \;\Rightarrow\;
              \operatorname{cov} w = \frac1m \Big(I - \frac1m 1 1^T\Big)

    as for `random_alternation`, of which it is the control: same mean, same covariance,
    another law. The weights sum to 1; some are negative.

    Examples
    --------
    >>> import numpy as np
    >>> step = matched_noise(np.zeros(3), np.eye(3), np.random.default_rng(0))
    >>> float(step.weights.sum().round(12))
    1.0
    """
    rng, m = generator(state, "matched_noise"), losses.shape[-1]
    xi = rng.standard_normal(losses.shape)
    return 1 / m + (xi - xi.mean(axis=-1, keepdims=True)) / np.sqrt(m), rng
