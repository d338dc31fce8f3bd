"""Chapter 7: ascent in (x, σ) on gradients that are estimated from samples."""

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt

from descent.arguments import Array
from descent.landscapes import floored_sinc, sinc

FUNCTIONS = {"sinc": sinc, "floored": floored_sinc}
N_STARTS = 121
LOWEST, HIGHEST = 0.05, 10.0  # between which σ is held
STEP_SIZES = {
    "short steps": {"sinc": 0.5, "floored": 0.05},
    "long steps": {"sinc": 2.0, "floored": 0.2},
}


def sampled_ascent(
    function: str,
    x: npt.ArrayLike,
    sigma: float,
    step_size: float,
    rng: np.random.Generator,
    *,
    baseline: bool | str,
    pairs: bool = False,
    n_samples: int = 50,
    n_steps: int = 2000,
) -> tuple[Array, Array]:
    r"""Climb from many starts with the score-function gradients of f_σ(x).

    .. math:: \partial_x f_\sigma = \mathbb E\, f\, z/\sigma, \qquad
              \partial_\sigma f_\sigma = \mathbb E\, f\, (z^2 - 1)/\sigma

    Parameters
    ----------
    function : {"sinc", "floored"}
    x : array (k,)
        Starts.
    sigma : float
        First σ of all starts; it is held between `LOWEST` and `HIGHEST`.
    step_size : float
        α, for x and σ alike.
    rng : numpy.random.Generator
    baseline : bool or {"x", "sigma"}
        Whether to subtract from each value the mean of the others, in both slopes or in one.
    pairs : bool
        Whether the samples are antithetic: half of them, and their mirror images.
    n_samples, n_steps : int
        Samples a step; steps.

    Returns
    -------
    x, sigma : array (k,)
        Where the climbs end.
    """
    *_, (at, widths) = _steps(
        function, x, sigma, step_size, rng, baseline, pairs, n_samples, n_steps
    )
    return at, widths


def sampled_path(
    function: str,
    x: npt.ArrayLike,
    sigma: float,
    step_size: float,
    rng: np.random.Generator,
    *,
    baseline: bool | str,
    pairs: bool = False,
    n_samples: int,
    n_steps: int,
) -> Array:
    """Return all steps of `sampled_ascent`, an array ``(n_steps + 1, 2, k)`` of x and σ."""
    steps = _steps(function, x, sigma, step_size, rng, baseline, pairs, n_samples, n_steps)
    return np.array(list(steps))


def _steps(
    function: str,
    x: npt.ArrayLike,
    sigma: float,
    step_size: float,
    rng: np.random.Generator,
    baseline: bool | str,
    pairs: bool,
    n_samples: int,
    n_steps: int,
) -> Iterator[tuple[Array, Array]]:
    f = FUNCTIONS[function]
    at = np.array(x, float)
    widths = np.full(at.shape, float(sigma))
    yield at, widths
    for _ in range(n_steps):
        z = rng.standard_normal((n_samples // 2 if pairs else n_samples, *at.shape))
        # A sample that has a mirror image is in the mean of the others twice, but not for x,
        # from whose slope the mean drops out.
        n = len(z)
        if pairs:
            z = np.concatenate([z, -z])
        values = f(at + widths * z)
        others = (values - values.mean(axis=0)) * (n / (n - 1))
        by_x = others if baseline in (True, "x") and not pairs else values
        by_sigma = others if baseline in (True, "sigma") else values
        at = at + step_size * (by_x * z).mean(axis=0) / widths
        slope = (by_sigma * (z * z - 1)).mean(axis=0) / widths
        widths = np.clip(widths + step_size * slope, LOWEST, HIGHEST)
        yield at, widths


def reached(function: str, x: Array) -> npt.NDArray[np.bool_]:
    """Whether x lies on the highest peak: within 1 of 0, or on the plateau of value 11."""
    return np.asarray(np.abs(x) < 1 if function == "sinc" else floored_sinc(x) == 11)
