"""Flows whose rate hangs on the time: no exponent need be zero, and rest is no one matrix."""

import numpy as np
import pytest
from scipy.integrate import solve_ivp

from descent import lyapunov
from descent.dynamics import Flow, Map, complex_step


def flow(rate, names=("x", "v")):
    return Flow(names, rate, complex_step(rate))


def duffing(force, unit=1.0):
    """Damped by 0.3, driven with the angular frequency 1.2; time in units of ``unit``."""
    return flow(
        lambda s, t: (
            s[1] / unit,
            (-0.3 * s[1] + s[0] - s[0] ** 3 + force * np.cos(1.2 * t / unit)) / unit,
        )
    )


def floquet(rate, period):
    """Exponents of a linear flow with periodic rates: logs of its multipliers."""

    def after(start):
        way = solve_ivp(lambda t, y: rate(y, t), (0, period), start, rtol=1e-11, atol=1e-13)
        return way.y[:, -1]

    multipliers = np.linalg.eigvals(np.stack([after(e) for e in np.eye(2)], axis=1))
    return np.sort(np.log(np.abs(multipliers)) / period)[::-1]


@pytest.mark.parametrize("unit", [1.0, 1e12, 1e-12])
@pytest.mark.parametrize(
    ("force", "right", "known"),
    # Classical Runge-Kutta with 200 steps a period, 32 starts over 600 periods.
    [(0.5, 0.1043, 0.0023), (0.37, -0.05304, 0.0)],
)
def test_a_driven_oscillator(force, right, known, unit):
    values, errors = lyapunov.spectrum(duffing(force, unit), (0.5, 0.0), return_error=True) * unit
    assert abs(values[0] - right) < 3 * np.hypot(errors[0], known)
    assert errors[0] < 0.005
    assert values.sum() == pytest.approx(-0.3, abs=1e-4)  # its mean divergence


def mathieu(s, t):
    return s[1], -(1.0 + 0.6 * np.cos(2 * t)) * s[0]


def hung(s, t):
    return s[1], -0.3 * s[1] - (1.0 + 1.5 * np.cos(2 * t)) * np.sin(s[0])


def hung_linear(s, t):
    return s[1], -0.3 * s[1] - (1.0 + 1.5 * np.cos(2 * t)) * s[0]


@pytest.mark.parametrize(
    ("rate", "linear", "start"),
    [
        (mathieu, mathieu, (0.0, 0.0)),
        (mathieu, mathieu, (1e-3, 0.0)),
        (hung, hung_linear, (0.0, 0.0)),
    ],
)
def test_a_point_of_rest_under_a_drive(rate, linear, start):
    """The matrix at any one time says something else: of the hung pendulum, -0.15 twice."""
    values, errors = lyapunov.spectrum(flow(rate), start, return_error=True)
    assert (np.abs(values - floquet(linear, np.pi)) < 3 * errors).all()
    assert (errors < 1e-3).all()


def test_coming_to_rest_under_a_drive():
    system = flow(lambda s, t: (-(1 + 0.5 * np.cos(t)) * s[0],), ("x",))
    # When it counts as come to rest, and so the length of a block, hangs on the start.
    for start in (0.9, 1.0, 1.1, 5.0, 1e3):
        values, errors = lyapunov.spectrum(system, (start,), return_error=True)
        assert abs(values[0] + 1) < 3 * errors[0]
        assert errors[0] < 5e-3


def test_its_phase_as_a_variable_says_the_same():
    known = flow(
        lambda s, t: (s[1], -0.3 * s[1] + s[0] - s[0] ** 3 + 0.5 * np.cos(s[2]), 1.2 + 0 * s[2]),
        ("x", "v", "phase"),
    )
    values, errors = lyapunov.spectrum(known, (0.5, 0.0, 0.0), return_error=True)
    driven, of_driven = lyapunov.spectrum(duffing(0.5), (0.5, 0.0), return_error=True)
    assert (np.abs(values[[0, 2]] - driven) < 3 * np.hypot(errors[[0, 2]], of_driven)).all()
    assert abs(values[1]) < 1e-4


def test_a_map_with_a_clock():
    system = Map(
        ("x",),
        lambda s, t: (np.mod(2 * s[0] + 0.1 * np.sin(t), 1.0),),
        lambda s, t: ((2.0,),),
    )
    assert lyapunov.spectrum(system, (0.3,))[0] == pytest.approx(np.log(2))
