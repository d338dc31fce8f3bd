"""Functions blurred by a Gaussian, with their exact derivatives, and ascent on them."""

from descent.smoothing.exact import (
    REACH,
    Smoothed,
    smoothed_floored_sinc,
    smoothed_sinc,
    smoothed_sinc_faddeeva,
    smoothed_steps,
)

__all__ = [
    "REACH",
    "Smoothed",
    "smoothed_floored_sinc",
    "smoothed_sinc",
    "smoothed_sinc_faddeeva",
    "smoothed_steps",
]
