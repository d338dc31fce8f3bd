"""Chapter 6, beyond the source: operators, what layers do, basins, pairs and their controls."""

import numpy as np
import pytest

from descent import influence
from descent.chapters.thermostats_and_lorenz import numbers, operators
from descent.dynamics.tangent import Tangents, advance
from descent.systems import lorenz

# Op of operators


def test_slopes_by_singular_values_are_differences_of_exponents():
    rates = numbers.exponents(28.0)
    for A in numbers.VARIABLES:
        expected = rates.conditional[A][0] - rates.full[0, :2]
        for (found, error), value in zip(operators.slopes(A), expected, strict=False):
            assert abs(found - value) < 4 * error + 0.02
        volume, error = operators.slopes(A)[2]
        trace = {"a": -1 - 8 / 3, "b": -10 - 8 / 3, "c": -11}[A]
        assert abs(volume - (trace - numbers.PUBLISHED_EXPONENT)) < 4 * error + 0.002


def test_the_leading_direction_is_where_a_disturbance_turns():
    """A second way: carry any disturbance from far back, and see where it points."""
    found = operators.leading()
    start = found.pieces[0, 0][:, None]
    any_one = [Tangents((0, 1, 2), np.array([0.3, -0.5, 0.8])[:, None, None])]
    _, (later,) = advance(lorenz(), start, any_one, 0.0, 20.0)
    v = later.vectors[:, 0, 0] / np.linalg.norm(later.vectors)
    assert abs(v @ found.vector[500]) == pytest.approx(1.0, abs=1e-5)
    assert abs(v @ found.vector[480]) < 0.999  # a control: another place has another direction


def test_the_angle_is_a_share():
    found = operators.leading(40)
    shares = sum(np.sin(np.radians(found.angle(A))) ** 2 for A in numbers.VARIABLES)
    np.testing.assert_allclose(shares, 1.0, atol=1e-9)


def test_poles_are_those_of_a_finer_count():
    times = np.linspace(0.00125, 20, 16000)
    signs, _ = influence.slog_comp(lorenz(), numbers.FAR, times, "a", "b", "b", dt=0.01)
    assert operators.curves().poles == (np.diff(signs) != 0).sum()
    assert np.abs(np.diff(operators.curves().values, axis=0)).max() < 0.5
