r"""Ascent on a Gaussian search distribution: the mean and the covariance climb together.

.. math:: J(\mu, \Sigma) = \mathbb E\, f(x), \qquad x \sim N(\mu, \Sigma)

is raised in place of f, from values of f alone. Objectives are maximized; minimize by
handing over -f. Each function takes f as a map from points ``(n, d)`` to values ``(n,)``.
"""

from descent.search_distributions.gradient import (
    DistributionGradient,
    leave_one_out,
    rank_utilities,
    sampled_gradient,
    score_function_gradient,
)
from descent.search_distributions.natural import log_cholesky_ascent, xnes
from descent.search_distributions.plain import NO_CLIPPING, Clipping, score_function_ascent
from descent.search_distributions.run import FAR, Run, Status

__all__ = [
    "FAR",
    "NO_CLIPPING",
    "Clipping",
    "DistributionGradient",
    "Run",
    "Status",
    "leave_one_out",
    "log_cholesky_ascent",
    "rank_utilities",
    "sampled_gradient",
    "score_function_ascent",
    "score_function_gradient",
    "xnes",
]
