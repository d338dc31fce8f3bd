"""Chapter 2: the way out of a bowl in the plane, which is not the way in where a current turns."""

from functools import cache
from typing import NamedTuple

import numpy as np
from scipy.linalg import expm

from descent.arguments import Array
from descent.chapters.probability_current.beyond import plane
from descent.estimates import Mean
from descent.minimum_action import Hamiltonian, of_draws
from descent.sweeps import load

RIM = np.array([0.4, 0.12])
"""Half axes of the ellipse whose edge is to be reached from the bottom."""
ANGLES = tuple(range(0, 360, 10))


def place(angle: float) -> Array:
    """Return a place on the rim, (2,), by its angle in degrees."""
    return np.asarray(RIM * [np.cos(np.radians(angle)), np.sin(np.radians(angle))])


def walk() -> Hamiltonian:
    """Return H of the descent on one of the four data points."""
    A, samples = plane().A, plane().samples
    return of_draws(lambda x: x @ A + samples[:, None])


def way_in(angle: float) -> Array:
    """Return the way of the descent without noise from a place to the bottom, (points, 2)."""
    times = np.linspace(0, 4, 200)
    return np.asarray(place(angle) * np.exp(-np.outer(times, np.diag(plane().A))))


def price_of_diffusion(angle: float) -> float:
    """Return the action of the diffusion's cheapest way, ½ wᵀ C⁻¹ w, C its covariance over T."""
    w = place(angle)
    return float(w @ np.linalg.solve(plane().covariance(exact=False) / plane().T, w) / 2)


def way_of_diffusion(angle: float) -> Array:
    """Return the diffusion's cheapest way out, from near the bottom to a place, (points, 2).

    With p = C⁻¹ w it moves with -A w + N C⁻¹ w, N being the covariance of the draws.
    """
    push = plane().noise @ np.linalg.inv(plane().covariance(exact=False) / plane().T) - plane().A
    return np.array([expm(-push * t) @ place(angle) for t in np.linspace(6, 0, 200)])


class Way(NamedTuple):
    """A cheapest way of the walk: its points (points, 2), its action and the error of that."""

    path: Array
    action: float
    error: float


@cache
def way_out(angle: int) -> Way:
    """Return the stored way out of the walk to a place."""
    frame = load("02-ways").set_index("angle")
    row = frame.loc[angle % 180]
    sign = 1 if angle < 180 else -1
    return Way(sign * np.array(row["path"]).reshape(-1, 2), row["action"], row["error"])


def lowest() -> tuple[float, float]:
    """Return the angle at which the rim is cheapest to reach, and the price there.

    A parabola through the cheapest of the stored places and its neighbours.
    """
    prices = np.array([way_out(angle).action for angle in ANGLES])
    k = int(prices.argmin())
    around = [ANGLES[k] + d for d in (-10, 0, 10)]
    near = prices[[k - 1, k, (k + 1) % len(prices)]]
    curve = np.polynomial.Polynomial.fit(around, near, 2)
    at = float(curve.deriv().roots()[0].real)
    return at, float(curve(at))


def times() -> Array:
    """Return the stored mean times beyond the rim, in steps, from long steps to short ones."""
    return np.asarray(load("02-exits")["time"].to_numpy())


def exponent_of_times() -> Mean:
    r"""Return V from the times beyond the rim, by weighted least squares, with its error.

    .. math:: \ln\tau = V/T - \tfrac12 \ln T + c

    The power of T is that of a rim which the drift crosses inwards.
    """
    frame = load("02-exits")
    T, tau, error = (frame[name].to_numpy() for name in ("T", "time", "error"))
    weight = tau / error
    design = np.stack([1 / T, np.ones_like(T)], axis=1) * weight[:, None]
    right = (np.log(tau) + np.log(T) / 2) * weight
    solution, *_ = np.linalg.lstsq(design, right)
    covariance = np.linalg.inv(design.T @ design)
    return Mean(float(solution[0]), float(np.sqrt(covariance[0, 0])))
