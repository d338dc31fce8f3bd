"""Errors hold as often as they say, on growth whose true rate is known."""

import numpy as np
import pytest

from descent.lyapunov import accuracy

BLOCKS, REPEATS = 120, 300
RATE = 0.3


def independent(rng, n):
    return RATE + rng.standard_normal((BLOCKS, 1, n))


def together(rng, n):
    """All trajectories keep step: one walk, seen n times."""
    common = rng.standard_normal((BLOCKS, 1, 1))
    return RATE + common + 1e-3 * rng.standard_normal((BLOCKS, 1, n))


def lasting(rng, n):
    """Each trajectory has a rate of its own for as long as it is watched."""
    return RATE + 0.5 * rng.standard_normal((1, 1, n)) + rng.standard_normal((BLOCKS, 1, n))


@pytest.mark.parametrize(
    ("growth", "n"), [(independent, 32), (independent, 1), (together, 16), (lasting, 32)]
)
def test_errors_hold(growth, n):
    """Deviations in units of their errors: those of a normal variable, or a little smaller."""
    rng = np.random.default_rng(0)
    off = []
    for _ in range(REPEATS):
        grown = growth(rng, n)
        off.append((grown.mean() - RATE) / accuracy.standard_error(grown, 1.0)[0])
    root_mean_square = np.sqrt(np.mean(np.square(off)))
    assert 0.55 < root_mean_square < 1.35
    # One walk alone tells its own error by a few numbers only: longer tails.
    assert np.mean(np.abs(off) < 3) > (0.985 if n == 32 else 0.95)


def test_errors_are_per_unit_of_time():
    grown = independent(np.random.default_rng(1), 8)
    one, four = (accuracy.standard_error(grown, block) for block in (1.0, 4.0))
    np.testing.assert_allclose(one, 4 * four, rtol=1e-12)


def test_periodic_motion_has_the_error_of_its_oscillation():
    """A rate that swings by a whole period leaves at most a part of its swing."""
    swing = np.cos(np.arange(BLOCKS + 1) * 1.6)[:, None, None]
    grown = np.diff(np.repeat(swing, 4, axis=2), axis=0)
    error = accuracy.standard_error(grown, 1.0)[0]
    assert abs(grown.mean()) < 3 * error
    assert error < 4 / BLOCKS


def test_halves_that_differ_are_seen():
    rng = np.random.default_rng(2)
    grown = independent(rng, 32)
    change, error = accuracy.difference_of_halves(grown, 2.0)
    assert abs(change[0]) < 4 * error[0]
    grown[: BLOCKS // 2] -= 1.0
    change, error = accuracy.difference_of_halves(grown, 2.0)
    assert change[0] == pytest.approx(0.5, abs=4 * error[0])
    assert change[0] > 10 * error[0]


def test_populations():
    rng = np.random.default_rng(3)
    one = [accuracy.populations(independent(rng, 32)) for _ in range(50)]
    assert max(one) < 4.0
    assert np.mean(one) == pytest.approx(1.0, abs=0.2)
    two = independent(rng, 32)
    two[:, :, ::2] += 1.0
    assert accuracy.populations(two) > 20.0
    assert accuracy.populations(two[:, :, :2]) == 1.0  # of two trajectories nothing can be said
