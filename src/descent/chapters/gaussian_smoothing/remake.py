"""Chapter 7: the climb of the author's own re-make of 2026, step by step and without its samples.

The notebook climbs with a step size for x and a smaller one for σ, subtracts a hundredth from σ
at every step, and holds σ between 0.01 and 3. Its slopes are differences of a sum of 500 values;
here they are exact.
"""

from functools import cache
from typing import NamedTuple

import numpy as np

from descent.kept import kept
from descent.smoothing import smoothed_sinc

STEP_X, STEP_SIGMA, BIAS = 0.5, 0.1, 0.01
LOWEST, HIGHEST = 0.01, 3.0
X = np.arange(-12, 0.25, 0.5)  # as its sliders have them; those beyond 0 mirror these
SIGMAS = np.arange(1.0, 5.25, 1.0)


class Ends(NamedTuple):
    """Shares of the starts after some steps."""

    near_top: float
    """Within 1 of the highest peak, at any width."""
    still_wide: float
    """Of a σ above one half."""


@cache
@kept
def climb(bias: float, counts: tuple[int, ...] = (200, 500, 2000)) -> dict[int, Ends]:
    """Climb from every start of the sliders; where the climbs are after so many steps."""
    x, sigma = (a.ravel() for a in np.meshgrid(X, SIGMAS))
    ends = {}
    for n in range(1, max(counts) + 1):
        _, dx, dsigma = smoothed_sinc(x, sigma)
        x = x + STEP_X * dx
        sigma = np.clip(sigma + STEP_SIGMA * dsigma - bias, LOWEST, HIGHEST)
        if n in counts:
            ends[n] = Ends(float(np.mean(np.abs(x) < 1)), float(np.mean(sigma > 0.5)))
    return ends
