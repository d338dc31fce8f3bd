"""Chapter 4: what its figures and claims rest on."""

import math
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.spatial import cKDTree
from scipy.special import digamma

from descent import information
from descent.chapters.joint_distributions.numbers import THERMOSTATS, UNIFORM
from descent.chapters.without_uncertainty import numbers, pictures
from descent.information import differential_entropy as de
from descent.systems import FiniteSystem

DUMB, SMART = THERMOSTATS.values()


# Finite systems.


def test_cycles_are_walked_by_the_step():
    resting, ring = numbers.cycles(DUMB)
    assert resting == [(1, 1)]
    assert len(set(ring)) == len(ring) == 6
    for here, there in zip(ring, ring[1:] + ring[:1], strict=True):
        assert tuple(map(int, DUMB.step(*here))) == there
    assert numbers.cycles(SMART) == [[(1, 1)]]


def test_printed_cycle_of_the_dumb_thermostat():
    printed = ["hot low", "hot off", "warm off", "cold low", "cold high", "warm high"]
    states = [
        (DUMB.thermostat.index(setting), DUMB.room.index(room))
        for room, setting in (name.split() for name in printed)
    ]
    _, ring = numbers.cycles(DUMB)
    start = ring.index(states[0])
    assert ring[start:] + ring[:start] == states


def test_dumb_thermostat_erases_in_its_first_step_only():
    erased = numbers.erased_step_by_step(UNIFORM, DUMB, 4)
    np.testing.assert_allclose(erased, [4 / 9, 0, 0, 0], atol=1e-14)
    smart = numbers.erased_step_by_step(UNIFORM, SMART, 4)
    assert sum(smart) == pytest.approx(2 * math.log2(3), abs=1e-13)  # all of it, in three steps
    assert smart[3] == pytest.approx(0, abs=1e-14)


@given(st.fractions(0, 1))
def test_printed_polynomials_are_exact(epsilon):
    joint = information.push_forward(information.narrow_start(epsilon), SMART)
    now, after = numbers.printed_family(epsilon)
    assert (joint == now).all()
    assert (information.push_forward(joint, SMART) == after).all()


def test_two_thirds_is_the_uniform_start():
    start = information.narrow_start(Fraction(2, 3))
    assert (start == UNIFORM).all()
    member = numbers.narrow(Fraction(2, 3), SMART)
    joint = information.push_forward(UNIFORM, SMART)
    assert member.adjusted == information.adjusted_optimizing_strength(joint, SMART)


@pytest.mark.parametrize("exponent", [2, 3, 4, 5])
def test_second_order_of_each_entropy(exponent):
    """The three expansions from which the ratio's next term follows, in nats."""
    epsilon = Fraction(1, 10**exponent)
    e, log, log2 = float(epsilon), exponent * math.log(10), math.log(2)
    start = information.narrow_start(epsilon)
    joint = information.push_forward(start, SMART)
    leading = e * (log + 1 + log2)
    expected = (
        2 * leading - e**2,
        leading - e**2 / 2 * (log + log2 + 3),
        e**2 * (3 * log + 2 + 2 * log2),
    )
    found = (
        information.entropy(start),
        information.erased_entropy(joint, SMART),
        information.erased_entropy(information.decorrelate(joint), SMART),
    )
    for bits, nats in zip(found, expected, strict=True):
        assert bits * log2 == pytest.approx(nats, abs=12 * e**3 * log)
    member = numbers.narrow(epsilon, SMART)
    assert member.adjusted / member.start == pytest.approx(numbers.next_term(e), abs=12 * e**2)


def home_share(mass, system):
    """Return the probability off the centre that one step brings there."""
    return sum(
        float(mass[state])
        for state in np.ndindex(3, 3)
        if state != (1, 1) and tuple(map(int, system.step(*state))) == (1, 1)
    )


@given(st.lists(st.integers(0, 8), min_size=9, max_size=9))
def test_limit_of_the_ratio_counts_what_comes_home(image):
    """For any system that rests in the centre, up to a correction of order 1/log(1/ε)."""
    places = np.array(image).reshape(3, 3)
    places[1, 1] = 4
    system = FiniteSystem(DUMB.thermostat, DUMB.room, places // 3, places % 3)
    epsilon = Fraction(1, 10**120)
    joint = information.push_forward(information.narrow_start(epsilon), system)
    mixed = information.decorrelate(joint)
    shares = [home_share(p, system) / float(2 * epsilon) for p in (joint, mixed)]
    member = numbers.narrow(epsilon, system)
    assert member.adjusted / member.start == pytest.approx(shares[0] - shares[1], abs=0.02)


def test_limits_of_the_three_thermostats():
    epsilon = Fraction(1, 10**10)
    limits = {"smart": 0.5, "dumb": 0.0, "instant": 0.0}
    systems = THERMOSTATS | {"instant": numbers.instant_thermostat()}
    for name, limit in limits.items():
        member = numbers.narrow(epsilon, systems[name])
        assert member.adjusted / member.start == pytest.approx(limit, abs=1e-9)


def test_naive_sum_loses_digits_and_the_safe_one_does_not():
    for exponent in range(1, 17):
        exact = numbers.narrow(Fraction(1, 10**exponent), SMART).adjusted
        assert numbers.narrow(10.0**-exponent, SMART).adjusted == pytest.approx(exact, rel=1e-13)
        naive = abs(numbers.naive_adjusted(10.0**-exponent, SMART) / exact - 1)
        assert naive < 3 * 10.0 ** (exponent - 16)
    assert naive > 1e-3


def test_curve_of_the_explorer_is_the_family():
    epsilons, ratio = numbers.ratio_curve("smart")
    assert epsilons[-1] == pytest.approx(2 / 3, abs=1e-12)
    member = numbers.narrow(float(epsilons[7]), SMART)
    assert ratio[7] == member.adjusted / member.start
    assert (np.diff(ratio[epsilons < 0.1]) <= 1e-12).all()


# The continuous thermostat.


def shoelace(quad):
    x, y = quad.T
    return abs(np.sum(x * np.roll(y, -1) - y * np.roll(x, -1))) / 2


@pytest.mark.parametrize("steps", [0, 1, 2])
def test_corners_enclose_what_the_determinant_says(steps):
    for k in pictures.GAINS:
        quad = numbers.corners(k, 0.1, steps)
        assert shoelace(quad) == pytest.approx(0.01 * k**steps, rel=1e-9)
    sides = np.linalg.norm(np.diff(numbers.corners(math.sqrt(2), 1.0, 1), axis=0), axis=1)
    np.testing.assert_allclose(sides, math.sqrt(2), rtol=1e-12)  # a rhombus at this gain only


@pytest.mark.parametrize("k", [0.05, 0.3, 1.0])
@pytest.mark.parametrize("steps", [0, 1])
def test_strips_hold_the_whole_distribution(k, steps):
    quads, density = numbers.strips(k, 1.0, steps, n=400)
    area = np.array([shoelace(quad) for quad in quads])
    mass = density * area
    peak = 1.0 / k**steps  # of the joint density, for sides of length 1
    assert mass.sum() * peak == pytest.approx(1, rel=1e-4)
    room = np.average(quads.mean(axis=1)[:, 0] ** 2, weights=mass)
    if steps == 0:
        assert room == pytest.approx((1 + k**2) / 12, rel=1e-3)


def test_quadrature_has_second_order():
    errors = [numbers.room_entropy_error(n) for n in (100, 10_000)]
    assert 1e3 < errors[0] / errors[1] < 1e5
    for n in (30, 100, 300, 1000, 3000, 10_000, 30_000):
        assert numbers.room_entropy_error(n) < 8 / n**2


def test_histograms_err_on_both_sides():
    coarse, fine = numbers.histogram_errors([2, 128], 1000, np.random.default_rng(0))
    assert coarse > 0.5
    assert fine < -0.5


@pytest.mark.parametrize("k", [0.1, 0.3, 0.9])
def test_spread_strengths_in_closed_form(k):
    room = math.log((1 + 2 * k**2) / ((1 - k) ** 2 + k**2))
    trace = math.log((2 + 3 * k**2) / ((1 - k) ** 2 + 1 + 2 * k**2))
    unadjusted = math.log((1 + k**2) / k**2)
    assert numbers.spread_strength(k, "determinant", True) == pytest.approx(0, abs=1e-12)
    assert numbers.spread_strength(k, "thermostat", True) == pytest.approx(0, abs=1e-12)
    assert numbers.spread_strength(k, "room", True) == pytest.approx(room, abs=1e-12)
    assert numbers.spread_strength(k, "trace", True) == pytest.approx(trace, abs=1e-12)
    assert numbers.spread_strength(k, "determinant", False) == pytest.approx(unadjusted, abs=1e-11)


def test_samples_scatter_about_the_exact_strength_at_every_width():
    exact = numbers.spread_strength(0.3, "determinant", False)
    widths = np.geomspace(1e-3, 1, 20)
    rng = np.random.default_rng(3)
    few, many = (numbers.sampled_spread_strengths(0.3, widths, n, rng) for n in (100, 10_000))
    for values, n in ((few, 100), (many, 10_000)):
        assert abs(values.mean() - exact) < 4 * 2 / math.sqrt(n * len(widths))
    assert many.std() < few.std() / 4


def nearest_neighbour_entropy(points):
    """Kozachenko and Leonenko's estimate, in nats."""
    distance = cKDTree(points).query(points, k=2)[0][:, 1]
    n = len(points)
    return float(digamma(n) - digamma(1) + math.log(math.pi) + 2 * np.mean(np.log(distance)))


def adjusted_by_neighbours(step, now, rng):
    mixed = np.stack([now[:, 0], rng.permutation(now[:, 1])], axis=1)
    h = [nearest_neighbour_entropy(p) for p in (step(mixed), step(now), mixed, now)]
    return h[0] - h[1] - h[2] + h[3]


def test_adjusted_strength_from_the_jacobian_agrees_with_sampled_entropies():
    """A thermostat whose setting and measurement interact, and one that only bends."""
    rng = np.random.default_rng(11)
    k, m = 1.0, 10.0

    def interacting(p):
        r, s = p.T
        return np.stack([r - k * s, r * (1 + m * s)], axis=1)

    def bending(p):
        r, s = p.T
        return np.stack([np.sin(r) - s - s**3, r + np.exp(r)], axis=1)

    start = rng.random((60_000, 2))
    room = 0.01 + start[:, 0]
    now = np.stack([room, 1.1 - room + 0.1 * start[:, 1]], axis=1)
    value = numbers.adjusted_from_jacobian(lambda r, s: np.log(m * r + k * (1 + m * s)), now, rng)
    assert value < -0.05
    assert adjusted_by_neighbours(interacting, now, rng) == pytest.approx(value, abs=0.02)
    bent = bending(start)
    zero = numbers.adjusted_from_jacobian(
        lambda r, s: np.log((1 + 3 * s**2) * (1 + np.exp(r))), bent, rng
    )
    assert zero == pytest.approx(0, abs=1e-12)
    assert adjusted_by_neighbours(bending, bent, rng) == pytest.approx(0, abs=0.02)


def test_explorer_shows_equal_gaps():
    for state in pictures.continuous_thermostat.corners():
        h = de.thermostat_entropies(state["k"], state["side"])
        gaps = h["t decorrelated"] - h["t"], h["t+1 decorrelated"] - h["t+1"]
        assert gaps[0] == pytest.approx(gaps[1], abs=1e-12)
        assert "adjusted 0.0000" in pictures.continuous_thermostat.caption(**state)


@pytest.mark.parametrize("correlation", [0.3, -0.5, 0.8])
def test_a_reversible_thermostat_has_a_strength_that_begins_with_the_fourth_power(correlation):
    short, shorter = (
        numbers.nose_hoover_strength(correlation, t, 8) / (correlation**2 * t**4 / 3)
        for t in (0.1, 0.05)
    )
    # The next term is of the next order but one or higher: extrapolate to time zero.
    assert 2 * shorter - short == pytest.approx(1, abs=0.02)


def test_the_reversible_thermostat_has_no_strength_without_correlation():
    assert numbers.nose_hoover_strength(0.0, 1.0, 8) == 0


def test_more_nodes_change_the_strength_of_the_reversible_thermostat_little():
    coarse, fine = (numbers.nose_hoover_strength(0.5, 0.5, nodes) for nodes in (10, 12))
    assert coarse == pytest.approx(fine, rel=2e-3)


# The metric.


@pytest.mark.parametrize("side", [0.5, 4.0])
def test_another_metric_gives_the_linear_thermostat_a_strength(side):
    """By samples, and by the variances: k ε² / 12 μ² for small squares, μ the room's mean."""
    k, rng = numbers.GAIN, np.random.default_rng(5)
    room, shown, other = numbers.CENTRE + side * (rng.random((3, 2_000_000)) - 0.5)
    gap = np.log(room * (1 - k) - k * shown) - np.log(room - k * shown - k * other)
    error = gap.std() / np.sqrt(gap.size)
    found = numbers.strength_by_metric(k, side, "the ratio")
    assert found == pytest.approx(gap.mean(), abs=4 * error)
    assert numbers.strength_by_metric(k, side, "the difference of squares") == pytest.approx(
        -found, rel=1e-12
    )
    assert numbers.strength_by_metric(k, side, "the difference") == 0
    mean = numbers.CENTRE * (1 - 2 * k)
    small = numbers.strength_by_metric(k, 1e-2, "the ratio")
    assert small == pytest.approx(k * 1e-4 / (12 * mean**2), rel=1e-4)
    assert numbers.strength_by_metric(k, side, "the ratio", 60) == pytest.approx(found, rel=1e-9)
