"""Chapter 2: a double well in the plane, the price of its saddle, and the times that it takes."""

from collections.abc import Callable
from functools import cache
from typing import NamedTuple

import numpy as np
from scipy.linalg import solve_continuous_lyapunov

from descent.arguments import Array
from descent.markov.killed_plane import Flags, Images, killed_plane, survival
from descent.minimum_action import Hamiltonian, of_diffusion, of_draws
from descent.sweeps import load

CORRELATIONS = (-0.8, -0.6, -0.4, -0.2, 0.0, 0.2, 0.4, 0.6, 0.8)
"""Correlations c of the two components of a draw; without one no current circulates."""
SLANT, STIFF = 0.5, 2.0
"""Slope of the valley that joins the wells, and the curvature across it."""
START = np.array([-1.0, -SLANT])
"""The bottom of the left well; the saddle is at zero."""
BEYOND = 0.8
"""A walk has gone over where its first parameter is so large."""
STEP_SIZES = (0.07, 0.05, 0.036)
"""Step sizes of the times, where c is not negative; negative c makes the saddle dearer."""
SPACINGS = (3, 6)
"""Nodes per step size."""
KINDS = ("coarse", "fine", "extrapolated")
"""Nodes on which times are found."""
HIGH = 0.9
"""Nodes where the mean loss is higher are not needed: the saddle is at 1/4."""


def loss(x: Array, y: Array) -> Array:
    r"""Return the mean loss :math:`\tfrac14 (W_1^2 - 1)^2 + (W_2 - \tfrac12 W_1)^2`."""
    return np.asarray((x**2 - 1) ** 2 / 4 + STIFF * (y - SLANT * x) ** 2 / 2)


def slope(x: Array, y: Array) -> tuple[Array, Array]:
    """Return the two components of the mean gradient."""
    across = STIFF * (y - SLANT * x)
    return x**3 - x - SLANT * across, across


def curvature(x: float) -> Array:
    """Return the second derivatives of the mean loss where the first parameter is x, (2, 2)."""
    return np.array([[3 * x**2 - 1 + STIFF * SLANT**2, -STIFF * SLANT], [-STIFF * SLANT, STIFF]])


def samples(correlation: float) -> Array:
    """Return what each of the four data points adds to the mean gradient, (4, 2)."""
    root = np.linalg.cholesky([[1.0, correlation], [correlation, 1.0]])
    return np.asarray(np.sqrt(2) * np.vstack([root.T, -root.T]))


def covariance(correlation: float) -> Array:
    """Return the covariance of the gradients, the same at all places."""
    drawn = samples(correlation)
    return np.asarray(drawn.T @ drawn / len(drawn))


def draws(correlation: float) -> Hamiltonian:
    """Return H of the descent on one of the four data points."""
    parts = samples(correlation)
    return of_draws(lambda w: np.stack(slope(*w.T), axis=1) + parts[:, None])


def diffusion(correlation: float) -> Hamiltonian:
    """Return H of the diffusion with the same mean and covariance."""
    return of_diffusion(lambda w: -np.stack(slope(*w.T), axis=1), covariance(correlation))


@cache
def way_in() -> Array:
    """Return the descent without noise from the saddle into the left well, (points, 2)."""
    fall = np.linalg.eigh(curvature(0.0))[1][
        :, 0
    ]  # the direction in which the loss curves downwards
    w = -1e-3 * fall * np.sign(fall[0])
    path = [np.zeros(2), w]
    while np.linalg.norm(w - START) > 1e-3:
        w = w - 0.005 * np.array(slope(*w))
        path.append(w)
    points = np.array([*path, START])
    along = np.concatenate([[0.0], np.linalg.norm(np.diff(points, axis=0), axis=1).cumsum()])
    at = np.linspace(0, along[-1], 151)
    return np.stack([np.interp(at, along, column) for column in points.T], axis=1)


def _over(x: Array, _: Array) -> Flags:
    """Return which places are beyond the saddle for good."""
    return np.asarray(x > BEYOND)


def _axes(h: float) -> tuple[Array, Array]:
    """Return the nodes along both parameters."""
    return np.arange(-1.9, BEYOND + 2 * h, h), np.arange(-1.7, 1.4, h)


def _images(correlation: float, T: float) -> Callable[[Array, Array], Images]:
    """Return where each draw leads to."""
    parts = samples(correlation)

    def images(x: Array, y: Array) -> Images:
        down, across = slope(x, y)
        for one, other in parts:
            yield 1 / len(parts), (x - T * (down + one), y - T * (across + other))

    return images


def log_time(correlation: float, T: float, nodes: float) -> float:
    """Return ln of the mean number of steps until a walk has gone over, on nodes per step size."""
    h = T / nodes

    def kept(x: Array, y: Array) -> Flags:
        return np.asarray((loss(x, y) < HIGH) & (x < BEYOND + h))

    walk = killed_plane(
        _images(correlation, T), _over, axes=_axes(h), start=(START[0], START[1]), kept=kept
    )
    _, total, lost = survival(walk, 100_000, tail=True)
    if lost > 1e-6:
        raise ArithmeticError(f"a mass of {lost:.1e} has come off the nodes; keep more of them")
    return float(np.log(total))


def circulation(correlation: float, angles: Array, size: float) -> tuple[Array, Array]:
    r"""Return places around the bottom, and the current's velocity there over T, (angles, 2).

    That of the diffusion with the curvature of the bottom: with the law's covariance over T, C,
    :math:`J/P = T (\tfrac12 N C^{-1} - A)\, w` on :math:`w^T C^{-1} w = size^2`.
    """
    noise, bend = covariance(correlation), curvature(1.0)
    law = solve_continuous_lyapunov(bend, noise)
    round_ = np.stack([np.cos(angles), np.sin(angles)], axis=1)
    places = size * round_ @ np.linalg.cholesky(law).T
    return START + places, places @ (noise @ np.linalg.inv(law) / 2 - bend).T


def step_sizes(correlation: float) -> tuple[float, ...]:
    """Return the step sizes at which times are stored."""
    dearer = 1 - 1.25 * min(correlation, 0.0)
    return tuple(round(T * dearer, 5) for T in STEP_SIZES)


def refined(coarse: Array, fine: Array) -> Array:
    """Return ln τ extrapolated in the square of the spacing."""
    ratio = (SPACINGS[1] / SPACINGS[0]) ** 2
    return np.asarray(fine + (fine - coarse) / (ratio - 1))


class Price(NamedTuple):
    """What the saddle costs at a correlation, by the action, the times and the diffusion.

    ``path`` and ``of_diffusion`` are the cheapest ways, (points, 2); ``back`` is what the way in
    costs as a way out.
    """

    action: float
    error: float
    times: float
    diffusion: float
    back: float
    back_of_diffusion: float
    path: Array
    of_diffusion: Array


def exponent(T: Array, log_times: Array) -> float:
    r"""Return V from three mean times, by the slope of :math:`\ln(T\tau)` against 1/T.

    Between two step sizes it is :math:`V - a T_1 T_2`, by the next order of the law.
    """
    scaled = log_times + np.log(T)
    slopes, products = np.diff(scaled) / np.diff(1 / T), T[1:] * T[:-1]
    return float(slopes[1] - np.diff(slopes)[0] / np.diff(products)[0] * products[1])


@cache
def log_times(correlation: float) -> tuple[Array, Array]:
    """Return the stored step sizes, and ln τ there on the coarse and the fine nodes, (T, 2)."""
    frame = load("02-saddle-times")
    rows = frame[np.isclose(frame["correlation"], correlation)].sort_values("T", ascending=False)
    return rows["T"].to_numpy(float), rows[["coarse", "fine"]].to_numpy(float)


@cache
def price(correlation: float) -> Price:
    """Return the stored prices of the saddle."""
    frame = load("02-saddle-ways")
    row = frame[np.isclose(frame["correlation"], correlation)].iloc[0]
    T, logs = log_times(correlation)
    return Price(
        row["action"], row["error"], exponent(T, refined(logs[:, 0], logs[:, 1])),
        row["diffusion"], row["back"], row["back_of_diffusion"],
        np.array(row["path"]).reshape(-1, 2), np.array(row["path_of_diffusion"]).reshape(-1, 2),
    )  # fmt: skip


def gap(kind: str) -> float:
    """Return the largest relative difference of action and times over the correlations.

    The times are those of one of KINDS.
    """
    worst = 0.0
    for c in CORRELATIONS:
        T, logs = log_times(c)
        coarse, fine = logs.T
        of = {"coarse": coarse, "fine": fine, "extrapolated": refined(coarse, fine)}[kind]
        worst = max(worst, abs(exponent(T, of) / price(c).action - 1))
    return worst
