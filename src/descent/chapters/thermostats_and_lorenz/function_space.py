r"""Chapter 6: what layers do to the function that a network computes.

Gradient flow on :math:`\tfrac12 \lVert e \rVert^2`, with errors e = f − y at the data points
and J the derivative of f by the parameters, moves the function by

.. math:: \dot f = -K e, \qquad K = J J^\top = \sum_l J_l J_l^\top = \sum_l K_l .

K is the neural tangent kernel (A. Jacot, F. Gabriel, C. Hongler, 2018). Each layer adds a part
that is positive semidefinite, and a layer that is replayed takes its part out.
"""

from functools import cache
from typing import NamedTuple

import numpy as np
from scipy.optimize import least_squares

from descent.arguments import Array
from descent.dynamics import Flow
from descent.dynamics.system import Rows

X = np.array([-1.0, 0.2, 1.0])
TARGETS = np.array([0.4, -0.6, 0.5])
WIDTH = 4
FIRST = tuple(f"{letter}{i}" for letter in "ab" for i in range(WIDTH))
SECOND = (*(f"c{i}" for i in range(WIDTH)), "d")
LAYERS = {"first": FIRST, "second": SECOND}


def output(state: Array, x: float) -> Array:
    """Return what the network computes at x: c · tanh(a x + b) + d."""
    a, b, c = (state[k * WIDTH : (k + 1) * WIDTH] for k in range(3))
    return np.asarray((c * np.tanh(a * x + b)).sum(axis=0) + state[-1])


def gradient(state: Array, x: float) -> Array:
    """Return the derivative of the output at x by every parameter, rows of the state's shape."""
    a, b, c = (state[k * WIDTH : (k + 1) * WIDTH] for k in range(3))
    hidden = np.tanh(a * x + b)
    slope = c * (1 - hidden**2)
    return np.concatenate([slope * x, slope, hidden, np.ones_like(state[:1])])


def _points(state: Array) -> tuple[Array, Array, Array, Array]:
    """Return X beside the state, and at its points the hidden neurons, gradients and errors."""
    a, b, c = (state[k * WIDTH : (k + 1) * WIDTH] for k in range(3))
    x = X.reshape(-1, *[1] * state.ndim)
    hidden = np.tanh(a * x + b)
    slope = c * (1 - hidden * hidden)
    gradients = np.concatenate([slope * x, slope, hidden, np.ones_like(hidden[:, :1])], axis=1)
    errors = (c * hidden).sum(axis=1) + state[-1] - TARGETS.reshape(-1, *[1] * (state.ndim - 1))
    return x, hidden, gradients, errors[:, None]


def descent() -> Flow:
    """Return gradient flow of the network on half of the sum of its squared errors."""

    def rate(state: Array, time: float) -> Rows:
        _, _, gradients, errors = _points(state)
        return list(-(errors * gradients).sum(axis=0))

    def product(state: Array, v: Array, time: float) -> Rows:
        x, hidden, gradients, errors = _points(state)
        c = state[2 * WIDTH : 3 * WIDTH]
        da, db, dc = (v[k * WIDTH : (k + 1) * WIDTH] for k in range(3))
        steep = 1 - hidden * hidden
        moved = steep * (da * x + db)  # of the hidden neurons
        bent = dc * steep - 2 * c * hidden * moved
        turned = np.concatenate([bent * x, bent, moved, np.zeros_like(moved[:, :1])], axis=1)
        along = (gradients * v).sum(axis=1)[:, None]
        return list(-(along * gradients + errors * turned).sum(axis=0))

    return Flow((*FIRST, *SECOND), rate, jvp=product)


@cache
def interpolating(seed: int) -> Array:
    """Return parameters at which every error is zero, (13,), found from a random start."""
    start = np.random.default_rng(seed).normal(size=len(FIRST) + len(SECOND))
    found = least_squares(
        lambda w: [output(w, x) - y for x, y in zip(X, TARGETS, strict=True)],
        start,
        jac=lambda w: np.array([gradient(w, x) for x in X]),
        xtol=1e-15,
        ftol=1e-15,
        gtol=1e-15,
    )
    if np.abs(found.fun).max() > 1e-12:
        raise ArithmeticError(f"the errors end at {found.fun}, not at zero")
    return np.asarray(found.x)


class Kernel(NamedTuple):
    """Smallest eigenvalues of K and of what is left of it without a layer."""

    whole: float
    without: dict[str, float]


def kernel(state: Array) -> Kernel:
    """Return the slowest rates of the function: of all layers, and with each one replayed."""
    J = np.array([gradient(state, x) for x in X])
    split = {"first": J[:, : len(FIRST)], "second": J[:, len(FIRST) :]}
    without = {
        layer: float(np.linalg.eigvalsh(J @ J.T - own @ own.T)[0]) for layer, own in split.items()
    }
    return Kernel(float(np.linalg.eigvalsh(J @ J.T)[0]), without)
