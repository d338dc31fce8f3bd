"""Chapter 5: coordinates of an oscillator, and a network whose part the reader chooses."""

import itertools
import math
from fractions import Fraction

import numpy as np
import pytest

from descent import influence
from descent.chapters.three_worlds import coordinates, paths_by_hand
from descent.dynamics import Flow, complex_step
from descent.influence import worlds
from descent.systems import linear_flow, lorenz

TIMES = np.array([0.7, 3.0, 8.5, 19.0])


# Coordinates that mix A with the rest.


@pytest.mark.parametrize("damping", [0.0, 0.2, 0.9])
@pytest.mark.parametrize("mixture", [-0.4, 0.0, 0.1, 0.6])
def test_the_oscillator_has_its_closed_form(mixture, damping):
    """By tangents of a nonlinear system, and by three runs that are subtracted."""
    exact = coordinates.closed_form(TIMES, mixture, damping)
    for recoding in coordinates.RECODINGS:
        found = coordinates.by_tangents(TIMES, mixture, damping, recoding)
        np.testing.assert_allclose(found, exact, atol=1e-9)
    pull = damping * mixture - 1 - mixture**2
    system = linear_flow([[-mixture, 1.0], [pull, mixture - damping]], coordinates.NAMES)
    w, x, y = worlds.simulate(
        system, [1.0, mixture], TIMES, frozen="A", varied="x", delta=coordinates.DELTA
    )
    op = np.log(np.abs((y - w)[:, 0] / (x - w)[:, 0]))
    np.testing.assert_allclose(op, exact, atol=1e-7)
    drawn = coordinates.worlds(TIMES, mixture, damping)
    np.testing.assert_allclose(drawn, np.array([w, x, y]).swapaxes(1, 2), atol=1e-8)


def test_the_verdict_flips_where_the_theorem_says():
    """The slope by eigenvalues of the two worlds is d - c s less that of the whole."""
    rng = np.random.default_rng(3)
    for _ in range(50):
        (a, b), (c, d) = rng.normal(size=(2, 2))
        mixture = rng.normal()
        whole = np.linalg.eigvals([[d, c], [b, a]]).real.max()
        turn = np.array([[1, 0], [mixture, 1]])
        mixed = turn @ [[d, c], [b, a]] @ np.linalg.inv(turn)
        assert np.linalg.eigvals(mixed).real.max() == pytest.approx(whole, abs=1e-12)
        assert mixed[0, 0] == pytest.approx(d - c * mixture, abs=1e-12)
    damping = 0.2
    for mixture in (-0.1, 0.0, 0.05, 0.15, 0.4):
        period = 2 * np.pi / np.sqrt(1 - damping**2 / 4)
        ends = [40.0, 40.0 + 4 * period]
        grown = np.diff(coordinates.by_tangents(ends, mixture, damping, "exp x in place of x"))
        slope = float(grown[0]) / (4 * period)
        assert slope == pytest.approx(damping / 2 - mixture, abs=1e-6)
        assert (slope > 0) == (mixture < damping / 2)


def recoded_lorenz(mix):
    """The Lorenz flow in a, exp(b / 9) and sinh(c / 9), and with b in the second if ``mix``."""
    plain = lorenz()

    def rate(s, time):
        a = np.arcsinh(s[0]) * 9 - mix * 9 * np.log(s[1])
        state = np.array([a, 9 * np.log(s[1]), 9 * np.arcsinh(s[2])])
        da, db, dc = plain.rate(state, time)
        own = np.cosh((a + mix * state[1]) / 9) / 9
        return [own * (da + mix * db), s[1] / 9 * db, np.cosh(state[2] / 9) / 9 * dc]

    return Flow(("A", "p", "q"), rate, complex_step(rate))


def test_op_does_not_know_how_n_m_and_a_are_written():
    a, b, c = 1.0, 2.0, 3.0
    times = [0.3, 0.8, 1.5]
    plain = influence.op(lorenz(), [a, b, c], times, "a", "b", "c")
    start = [np.sinh(a / 9), np.exp(b / 9), np.sinh(c / 9)]
    recoded = influence.op(recoded_lorenz(0.0), start, times, "A", "p", "q")
    np.testing.assert_allclose(recoded, plain, atol=1e-8)
    start[0] = np.sinh((a + 0.3 * b) / 9)
    mixed = influence.op(recoded_lorenz(0.3), start, times, "A", "p", "q")
    assert np.abs(mixed - plain).max() > 0.05  # a control: here A takes b


# A network whose part the reader chooses.


def every_path(weights, origin, node):
    """Return each path's nodes and its product of weights."""
    found, open_paths = [], [((origin,), Fraction(1))]
    while open_paths:
        path, product = open_paths.pop()
        if path[-1] == node:
            found.append((path, product))
        for (cause, effect), weight in weights.items():
            if cause == path[-1]:
                open_paths.append(((*path, effect), product * Fraction(round(100 * weight), 100)))
    return found


def test_op_in_the_network_is_that_of_its_paths_counted():
    rng = np.random.default_rng(2)
    sets = [part for k in range(4) for part in itertools.combinations(paths_by_hand.OTHERS, k)]
    for held in sets:
        weights = {
            edge: float(w)
            for edge, w in zip(paths_by_hand.WEIGHTS, rng.integers(-20, 21, 7) / 20, strict=True)
        }
        found = paths_by_hand.measures(weights, held)
        assert set(found) == set(paths_by_hand.OTHERS) - set(held)
        for node, op in found.items():
            paths = every_path(weights, "n", node)
            whole = sum(product for _, product in paths)
            avoiding = sum(product for path, product in paths if not set(path) & set(held))
            if whole and avoiding:
                assert op == pytest.approx(-math.log(abs(whole / avoiding)), abs=1e-12)
            elif whole or avoiding:
                assert op == (math.inf if avoiding else -math.inf)
            else:
                assert math.isnan(op)


def test_the_caption_of_the_network_says_op_of_every_node():
    said = paths_by_hand.paths_by_hand.caption()
    assert "A$ is v (squares)" in said
    assert "u 0.000, w −∞, m 0.375" in said
    assert "A$ is empty" in paths_by_hand.paths_by_hand.caption(in_v=0)
    # Comp(v; n, m) as the chapter has it: 1 + (r + 1/2)(a + 1/4) / 0.8
    assert pytest.approx(-math.log(1 + (0.5 + 0.5) * (-0.5 + 0.25) / 0.8), abs=1e-3) == 0.375
