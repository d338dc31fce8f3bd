"""Functions blurred by a Gaussian, with their exact derivatives, and ascent on them."""

from descent.smoothing.exact import (
    REACH,
    Smoothed,
    smoothed_floored_sinc,
    smoothed_sinc,
    smoothed_sinc_faddeeva,
    smoothed_steps,
)
from descent.smoothing.of_values import smooth

__all__ = [
    "REACH",
    "Smoothed",
    "smooth",
    "smoothed_floored_sinc",
    "smoothed_sinc",
    "smoothed_sinc_faddeeva",
    "smoothed_steps",
]
