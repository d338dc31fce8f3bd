"""Chapter 5: what its figures and claims rest on."""

from fractions import Fraction

import numpy as np
import pytest
from scipy.signal import lfilter

from descent import influence, systems
from descent.chapters.three_worlds import numbers, pictures, without_a_clock
from descent.influence import worlds


def evaluate(network, weights, roots, recorded=None, answer=np.tanh):
    """Return the value of every node; the part A is taken from a recording if there is one."""
    values = {}
    for node in sorted(network.places, key=lambda n: network.places[n][0]):
        if recorded is not None and node in network.part:
            values[node] = recorded[node]
            continue
        causes = [a for a, b in network.arrows if b == node]
        values[node] = (
            sum(weights[a, node] * answer(values[a]) for a in causes) if causes else roots[node]
        )
    return values


@pytest.mark.parametrize("node", ["b10", "b20"])
def test_colours_of_the_network_are_those_of_a_simulation(node):
    """Nodes of a network with random weights differ exactly where the drawing says."""
    network, rng = numbers.general_network(), np.random.default_rng(1)
    weights = {arrow: rng.normal() for arrow in network.arrows}
    roots = {n: rng.normal() for n in network.places}
    w = evaluate(network, weights, roots)
    changed = roots | {node: roots[node] + 1.0}
    x, y = evaluate(network, weights, changed), evaluate(network, weights, changed, recorded=w)
    assert {n for n in w if x[n] != w[n]} == numbers.downstream(network, node)
    for n, world in numbers.values_in_y(network, node).items():
        like_w, like_x = y[n] == w[n], y[n] == x[n]
        assert world == ("W" if like_w else "X" if like_x else "Y"), n


@pytest.mark.parametrize("node", ["b10", "b20"])
def test_numbers_of_the_network_are_those_of_a_simulation(node):
    """Sums over paths give the nodes the values that computing them in order does."""
    network, rng = numbers.general_network(), np.random.default_rng(2)
    for weights in (numbers.WEIGHTS, {pair: int(rng.integers(1, 9)) for pair in numbers.WEIGHTS}):
        by_arrow = {(a, b): weights[a[:-1], b[:-1]] for a, b in network.arrows}
        roots = {n: 0 for n in network.places} | {
            f"{n}0": value for n, value in numbers.FIRST_VALUES.items()
        }
        w = evaluate(network, by_arrow, roots, answer=int)
        changed = roots | {node: roots[node] + 5}
        x, y = (evaluate(network, by_arrow, changed, r, answer=int) for r in (None, w))
        assert numbers.values(network, node, delta=5, weights=weights) == {"W": w, "X": x, "Y": y}
        assert x["b13"] != y["b13"] or node == "b20"


def test_printed_equation_heats_the_room_by_a_parabola():
    path, _, _ = worlds.simulate(
        numbers.misprinted_thermostat(0.01), numbers.START, [1000], "thermostat", "room", 1.0
    )
    t, (room, thermostat) = 1000, numbers.START
    parabola = room - 0.01 * (thermostat * t - numbers.TARGET * t * (t - 1) / 2)
    assert path[0, 0] == pytest.approx(parabola, rel=1e-12)


@pytest.mark.parametrize("k", [Fraction(1, 100), Fraction(1, 4), Fraction(7, 10)])
def test_exact_comp_does_not_depend_on_disturbance_or_forcing(k):
    reference = numbers.exact_comp(k, Fraction(1, 1000), Fraction(0), 60)
    assert float(reference) == pytest.approx(
        float(influence.linear_thermostat_comp(float(k), 60)), rel=1e-9
    )
    assert numbers.exact_comp(k, Fraction(10**6), Fraction(0), 60) == reference
    assert numbers.exact_comp(k, Fraction(1, 1000), Fraction(10**9), 60) == reference
    assert numbers.exact_comp(k + Fraction(1, 10**6), Fraction(1), Fraction(0), 60) != reference


def test_floating_point_comp_does_depend_on_both():
    """The negative control of the exact arithmetic."""
    quiet, forced = 0, 1
    w, x, y = numbers.simulate_forced(0.01, 1e-6, [0.0, 1e6], 1000)
    ratio = (x - w)[-1] / (y - w)[-1]
    exact = influence.linear_thermostat_comp(0.01, 1000)
    assert abs(ratio[quiet] / exact - 1) > 1e-9
    assert abs(ratio[forced] / exact - 1) > 0.1


def test_horizon_moves_as_predicted():
    deltas, amplitudes = [1e-6, 1e-3, 1.0], [0.0, 1e3]
    found = numbers.horizons(0.02, deltas, amplitudes, 1700)
    largest = np.abs(numbers.simulate_forced(0.02, 1.0, amplitudes, 300)[0]).max(axis=0)
    for row, delta in zip(found, deltas, strict=True):
        for horizon, high in zip(row, largest, strict=True):
            assert horizon == pytest.approx(numbers.predicted_horizon(0.02, delta, high), abs=110)
    decades = np.diff(found, axis=0) / 3
    np.testing.assert_allclose(decades, np.log(10) / numbers.rate(0.02), atol=25)


@pytest.mark.parametrize("k", [-0.1, 0.01, 0.24, 0.25, 0.6, 1.0, 1.05])
def test_rate_is_the_long_run_slope_of_op(k):
    slope = numbers.rate(k)
    far = np.arange(3000, 3600)
    system = systems.linear_thermostat(k, 25.0)
    # At k = 1 Comp passes zero every third step, and Op is infinite there.
    op = influence.op(system, [25.0, 0.0], far[far % 6 == 0], *numbers.THERMOSTAT)
    assert op[-1] / far[far % 6 == 0][-1] == pytest.approx(float(slope), abs=3e-3)
    roots = np.roots([1, -1, k])
    assert float(slope) == pytest.approx(-np.log(np.abs(roots).max()), abs=1e-7)


def test_forcing_matters_once_the_thermostat_saturates():
    times = np.arange(501) * 0.02
    closed = -np.log(influence.linear_thermostat_comp(0.02, np.arange(501)))
    for amplitude in (0.0, 1.0):  # stays in the band
        np.testing.assert_allclose(
            numbers.op_of_forced_saturated(amplitude, times), closed, atol=1e-9
        )
    assert numbers.op_of_forced_saturated(10.0, times)[-1] < 0.1 * closed[-1]


@pytest.mark.parametrize("k", [0.02, 0.25, 0.7])
def test_comp_is_the_step_response_of_the_sensitivity_function(k):
    step = lfilter([1, -1], [1, -1, k], np.ones(50))
    np.testing.assert_allclose(step, influence.linear_thermostat_comp(k, np.arange(50)), atol=1e-14)
    # The gain of the same filter at one frequency, after the transient.
    omega, t = 0.9, np.arange(20_000)
    with np.errstate(under="ignore"):
        out = lfilter([1, -1], [1, -1, k], np.exp(1j * omega * t))
    assert abs(out[-1]) == pytest.approx(float(numbers.sensitivity(k, omega)), rel=1e-9)


def test_mean_of_the_log_sensitivity_vanishes_for_stable_gains_only():
    n = 1 << 14
    circle = (np.arange(n) + 0.5) * 2 * np.pi / n
    for k in (0.05, 0.25, 0.6):
        mean = np.log(numbers.sensitivity(k, circle)).mean()
        assert mean == pytest.approx(np.log(2) / n, rel=1e-6)  # midpoint rule at the zero z = 1
    assert np.log(numbers.sensitivity(1.3, circle)).mean() == pytest.approx(-np.log(1.3), abs=1e-3)


def test_thermostat_of_the_table_is_the_map_in_continuous_time():
    for system in numbers.candidates()[:4]:
        k = -system.matrix[0, 1]
        jacobian = systems.linear_thermostat(k, 0.0).jacobian(np.zeros(2), 0.0)
        np.testing.assert_array_equal(np.eye(2) + system.matrix, jacobian)


@pytest.mark.parametrize("d", [2, 4])
def test_op_of_linear_flows_by_exponentials_and_by_tangents(d):
    for J in numbers.random_systems(d, 5, seed=0):
        names = tuple("abcd"[:d])
        flow = systems.linear_flow(J, names)
        (op,) = influence.op(flow, np.zeros(d), [10.0], "a", names[-1], names[-1])
        assert op == pytest.approx(float(numbers.linear_op(J, 0, d - 1, 10.0)), abs=1e-8)


def test_slope_is_approached_in_the_long_run():
    J = numbers.random_systems(4, 200, seed=2)
    gaps = [
        np.median(np.abs(numbers.linear_op(J, 0, 3, t) / t - numbers.op_slope(J, 0)))
        for t in (10.0, 100.0)
    ]
    assert gaps[1] < 0.15 * gaps[0]
    assert gaps[1] < 0.02


def test_an_optimizer_of_two_variables_has_negative_feedback_and_settles_faster():
    J = np.random.default_rng(5).normal(size=(4000, 2, 2))
    positive = numbers.op_slope(J, 0) > 1e-9
    feedback = J[:, 0, 1] * J[:, 1, 0] < 0
    faster = J[:, 0, 0] < J[:, 1, 1]
    np.testing.assert_array_equal(positive, feedback & faster)
    assert not np.array_equal(positive, feedback)
    assert positive.mean() == pytest.approx(0.25, abs=4 * np.sqrt(3 / 16 / len(J)))
    both = numbers.op_slope(J, 0) + numbers.op_slope(J, 1)
    assert both.max() < 1e-9


def test_random_systems_have_a_fastest_rate_of_one():
    np.testing.assert_allclose(numbers.fastest_rate(numbers.random_systems(4, 50, seed=1)), 1)


def test_damping_everything_alike_changes_no_slope():
    J = numbers.random_systems(4, 100, seed=3)
    np.testing.assert_allclose(
        numbers.op_slope(J - 0.7 * np.eye(4), 1), numbers.op_slope(J, 1), atol=1e-12
    )


def test_caption_says_where_rounding_wins():
    late = pictures.worlds_caption(0.01, 1e-9, 0.0)
    assert "then rounding wins" in late
    assert "to the end" in pictures.worlds_caption(0.01, 1e-3, 0.0)
    assert pictures.below(3e-7) == "10⁻⁶"


@pytest.mark.parametrize("velocity", [Fraction(0), Fraction(1, 2), Fraction(-3, 4)])
@pytest.mark.parametrize("gain", [Fraction(1, 4), Fraction(-1, 3)])
def test_a_region_has_the_same_op_for_every_observer(gain, velocity):
    region = without_a_clock.Region(gain, place=2)
    found = without_a_clock.op_of_events(region)
    sliced = without_a_clock.by_slices(region, velocity)
    assert sliced.keys() == found.keys()
    assert max(abs(sliced[event] - found[event]) for event in found) < 1e-12
    assert max(map(abs, found.values())) > 0.3


def test_an_observer_faster_than_light_is_refused():
    """Their moments would have effects before causes, and are no order of the network."""
    with pytest.raises(ValueError, match="velocity must lie between"):
        without_a_clock.by_slices(without_a_clock.Region(Fraction(1, 4), 2), Fraction(3, 2))


def test_a_region_changes_nothing_outside_of_its_future():
    region = without_a_clock.Region(Fraction(1, 4), place=2)
    for (x, t), value in without_a_clock.op_of_events(region).items():
        in_future = any(
            abs(x - at) <= t - (moment + 2) for _, at, moment in without_a_clock.devices(region)
        )
        assert (value != 0) == in_future
