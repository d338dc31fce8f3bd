"""Exponents of driven parts, with defaults: Lorenz, Rössler and Chua, as Pecora and Carroll."""

import numpy as np
import pytest

from descent import lyapunov, systems
from descent.dynamics import Flow, complex_step
from descent.dynamics.tangent import advance


def rossler(c):
    def rate(s, t):
        x, y, z = s
        return -y - z, x + 0.2 * y, 0.2 + z * (x - c)

    return Flow(("x", "y", "z"), rate, complex_step(rate), start=(1.0, 1.0, 1.0))


def chua():
    """Its double scroll (alpha 10, beta 14.87, slopes -1.27 and -0.68), with its Jacobian."""
    inner, outer = -1.27, -0.68

    def rate(s, t):
        x, y, z = s
        bent = outer * x + (inner - outer) / 2 * (np.abs(x + 1) - np.abs(x - 1))
        return 10 * (y - x - bent), x - y + z, -14.87 * y

    def jacobian(s, t):
        slope = np.where(np.abs(s[0]) < 1, inner, outer)
        return (-10 * (1 + slope), 10.0, 0.0), (1.0, -1.0, 1.0), (0.0, -14.87, 0.0)

    return Flow(("x", "y", "z"), rate, jacobian, start=(0.7, 0.0, 0.0))


def hyperchaos():
    """Rössler's hyperchaos, whose spikes make an ensemble wait for one of its members."""

    def rate(s, t):
        x, y, z, w = s
        return -y - z, x + 0.25 * y + w, 3.0 + x * z, -0.5 * z + 0.05 * w

    return Flow(tuple("xyzw"), rate, complex_step(rate), start=(-20.0, 0.0, 0.0, 15.0))


# Closed forms where the response is linear with constant rates; elsewhere a second program
# with steps of its own (relative error 1e-9) over thousands of periods, and its error.
TABLE = {
    "Lorenz by a": (systems.lorenz(), "a", (-1.793, -1.874), (0.004, 0.004)),
    "Lorenz by c": (systems.lorenz(), "c", (0.0, -11.0), (0.0, 0.0)),
    "Rossler by y": (rossler(9.0), "y", (-0.033, -8.802), (0.003, 0.003)),
    "Rossler by z": (rossler(9.0), "z", (0.1, 0.1), (0.0, 0.0)),
    "Chua by y": (chua(), "y", (0.0, -2.42), (0.0, 0.03)),
    "Chua by z": (chua(), "z", (1.606, -5.081), (0.011, 0.011)),
}


@pytest.mark.slow
@pytest.mark.parametrize("name", TABLE)
def test_driven_part(name):
    system, frozen, right, known = TABLE[name]
    values, errors = lyapunov.conditional_exponents(system, frozen, return_error=True)
    assert (np.abs(values - right) < 3 * np.hypot(errors, known) + 1e-5).all()
    assert (errors < 0.03 + 0.01 * np.abs(values)).all()


@pytest.mark.slow
@pytest.mark.parametrize("waited", [300.0, 307.3])
def test_a_cloud_on_one_place_of_the_attractor(waited):
    """Its trajectories keep step for long: blocks of whole periods would see none of it."""
    state, _ = advance(rossler(5.7), np.ones((3, 1)), [], 0.0, waited)
    cloud = state.T + 0.01 * np.random.default_rng(0).standard_normal((32, 3))
    values, errors = lyapunov.spectrum(rossler(5.7), cloud, return_error=True)
    assert (np.abs(values - [0.0714, 0.0, -5.394]) < 3 * errors + [4e-4, 1e-4, 1e-3]).all()


def test_an_expensive_ensemble_is_measured():
    """Its transient must not use up the work that is allowed."""
    values, errors = lyapunov.conditional_exponents(hyperchaos(), "x", return_error=True)
    # By x the others are triangular: two rates are its own, the third the mean of x.
    assert (np.abs(values - [0.25, 0.05, -24.9]) < 3 * errors).all()
    full, of_full = lyapunov.spectrum(hyperchaos(), return_error=True)
    # A second program (scipy's DOP853, tangents made orthonormal each unit of time, 1600 units).
    right, known = [0.1052, 0.0204, 0.0], [0.0028, 0.0005, 0.0007]
    assert (np.abs(full[:3] - right) < 3 * np.hypot(of_full[:3], known)).all()
    assert abs(full.sum() - (0.3 + values[2])) < 3 * np.hypot(of_full[3], errors[2])
