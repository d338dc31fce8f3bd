"""Entropies of the continuous thermostat: closed forms, quadrature, samples."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from descent.arguments import Array
from descent.information import differential_entropy as de
from descent.systems import linear_thermostat


def room_entropy_by_quadrature(k: float, width: float, n: int) -> float:
    half = (1 + k) * width / 2

    def density(x: Array) -> Array:
        return de.trapezoidal_density(x, width, k * width)

    return de.entropy_by_quadrature(density, -half, half, n)


@pytest.mark.parametrize("k", [0.1, 0.3, 1.0, 1.7])
def test_quadrature_converges_to_the_closed_form(k):
    """Two methods for one entropy; the error of the midpoint rule stays below 8/n²."""
    width = 0.1
    exact = de.thermostat_entropies(k, width)["t decorrelated"] - math.log(width)
    for n in (100, 200, 400, 800, 1600, 3200):
        error = abs(room_entropy_by_quadrature(k, width, n) - exact)
        assert error < 8 / n**2
        assert n > 100 or error > 1e-4


@given(st.floats(0.01, 1.0), st.floats(1e-9, 1e3))
def test_strengths_of_the_continuous_thermostat(k, width):
    h = de.thermostat_entropies(k, width)
    unadjusted = h["t+1 decorrelated"] - h["t+1"]
    assert unadjusted == pytest.approx(k / 2 - math.log(k), abs=1e-11)
    assert unadjusted - (h["t decorrelated"] - h["t"]) == pytest.approx(0, abs=1e-11)
    assert h["t"] - h["t-1"] == pytest.approx(
        math.log(np.linalg.det(de.thermostat_matrix(k))), abs=1e-11
    )


def test_matrix_is_the_jacobian_of_the_system():
    np.testing.assert_array_equal(
        de.thermostat_matrix(0.3), linear_thermostat(0.3, 0.0).jacobian(np.zeros(2), 0.0)
    )


def test_histogram_entropy_is_biased_by_empty_cells():
    """Few samples per cell: far too low. Many: close to the closed form."""
    exact = de.thermostat_entropies(0.3, 0.1)["t decorrelated"]
    rng = np.random.default_rng(5)
    few = de.histogram_entropy(de.thermostat_samples(0.3, 0.1, 1000, rng)["t decorrelated"], 60)
    many = de.histogram_entropy(de.thermostat_samples(0.3, 0.1, 400_000, rng)["t decorrelated"], 40)
    assert few - exact < -0.8
    assert abs(many - exact) < 0.02


def test_samples_have_the_closed_form_moments():
    k, width, n = 0.3, 0.1, 200_000
    panels = de.thermostat_samples(k, width, n, np.random.default_rng(1))
    variance = width**2 / 12
    tolerance = 5 * variance * math.sqrt(2 / n)
    cov = np.cov(panels["t"].T)
    np.testing.assert_allclose(
        cov, variance * np.array([[1 + k**2, 1], [1, 1]]), rtol=0, atol=tolerance
    )
    assert abs(np.cov(panels["t decorrelated"].T)[0, 1]) < tolerance
    corners = panels["t"] - panels["t"].mean(axis=0)
    assert abs(corners[:, 0]).max() == pytest.approx(width / 2 * (1 + k), rel=0.02)


covariances = st.tuples(st.floats(0.1, 5), st.floats(0.1, 5), st.floats(-0.95, 0.95)).map(
    lambda t: (
        np.array([[t[0], t[2] * math.sqrt(t[0] * t[1])], [0, t[1]]])
        + np.array([[0, 0], [t[2] * math.sqrt(t[0] * t[1]), 0]])
    )
)


@given(covariances, st.floats(0.05, 1.0))
def test_adjusted_log_determinant_is_always_zero(covariance, k):
    strength = de.log_variance_strength(covariance, de.thermostat_matrix(k), adjusted=True)
    assert strength == pytest.approx(0, abs=1e-9)


def test_adjusted_log_variance_is_not_zero_for_other_measures():
    m = de.thermostat_matrix(0.3)
    c = m @ m.T
    assert de.log_variance_strength(c, m) == pytest.approx(math.log((1 + 0.09) / 0.09), abs=1e-13)
    # At t + 1 the room is (1 - k) r - k t; decorrelated, its parts add up.
    decorrelated, joint = 1.09 + 0.09, (1 - 0.3) ** 2 + 0.09
    room = math.log(decorrelated / joint)
    assert de.log_variance_strength(c, m, "room", adjusted=True) == pytest.approx(room, abs=1e-13)
    trace = math.log((decorrelated + 1.09) / (joint + 1.09))
    assert de.log_variance_strength(c, m, "trace", adjusted=True) == pytest.approx(trace, abs=1e-13)
    assert min(room, trace) > 0.3
    # The next thermostat is the present room, whose variance decorrelation keeps.
    assert de.log_variance_strength(c, m, "thermostat") == 0


@pytest.mark.parametrize(
    ("call", "match"),
    [
        (lambda: de.thermostat_entropies(0.0, 0.1), "k must be positive"),
        (lambda: de.thermostat_entropies(0.3, -0.1), "width must be positive"),
        (lambda: de.entropy_by_quadrature(np.ones_like, 0, 2, 10), "mass 1"),
        (lambda: de.entropy_by_quadrature(np.ones_like, 1, 0, 10), "low must be below"),
        (lambda: de.histogram_entropy([1.0, 2.0], 3), "samples"),
        (lambda: de.histogram_entropy(np.eye(2), 0), "bins"),
        (lambda: de.log_spread(np.eye(3)), r"covariance must have shape \(2, 2\); got \(3, 3\)"),
        (lambda: de.log_spread(np.eye(2), "area"), "measure must be one of"),
        (lambda: de.log_spread(np.ones((2, 2))), "positive determinant"),
    ],
)
def test_bad_input_of_continuous_measures(call, match):
    with pytest.raises(ValueError, match=match):
        call()
