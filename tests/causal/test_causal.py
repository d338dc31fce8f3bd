"""Comp and Op on causal networks: against all paths one by one, against tangents, without time."""

import math
import random
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from descent import causal, influence
from descent.causal import Network, comp, op, responses, sensitivities, unrolled
from descent.dynamics import Map
from descent.systems import linear_thermostat, lorenz

SLOPES = st.integers(-4, 4).map(lambda n: Fraction(n, 3))


@st.composite
def networks(draw, nodes=6):
    """Draw a network on 0 … 5 whose edges run upwards, one from each node to the next."""
    edges = {
        (cause, effect): draw(SLOPES)
        for effect in range(nodes)
        for cause in range(effect)
        if effect == cause + 1 or draw(st.booleans())
    }
    return Network(edges)


def paths(network, start, end, avoid):
    """Return the products along all paths, one by one."""
    if start in avoid:
        return []
    if start == end:
        return [Fraction(1)]
    return [
        slope * product
        for effect, slope in network.effects[start].items()
        for product in paths(network, effect, end, avoid)
    ]


@given(networks(), st.sets(st.integers(1, 4)))
def test_accumulation_is_the_sum_over_all_paths_one_by_one(network, avoid):
    forward = responses(network, 0, avoid)
    backward = sensitivities(network, 5, avoid)
    for node in range(6):
        assert forward[node] == sum(paths(network, 0, node, avoid))
        assert backward[node] == sum(paths(network, node, 5, avoid))
    assert forward[5] == backward[0]


@given(networks(), st.sets(st.integers(1, 4)))
def test_comp_is_the_ratio_of_both_sums_or_tells_that_there_is_none(network, part):
    in_x, in_y = (sum(paths(network, 0, 5, avoid)) for avoid in ((), part))
    if in_y:
        assert comp(network, part, 0, 5) == in_x / in_y
    elif in_x:
        assert comp(network, part, 0, 5) == math.inf
        assert op(network, part, 0, 5) == -math.inf
    else:
        with pytest.raises(ValueError, match="arrives in neither"):
            comp(network, part, 0, 5)


@given(networks(), st.sets(st.integers(1, 4)), st.randoms(use_true_random=False))
def test_no_result_depends_on_the_order_in_which_the_edges_came(network, part, rng):
    edges = [((u, v), w) for u, after in network.effects.items() for v, w in after.items()]
    rng.shuffle(edges)
    again = Network(dict(edges))
    assert responses(again, 0, part) == responses(network, 0, part)
    assert sensitivities(again, 5, part) == sensitivities(network, 5, part)


@given(networks(), st.sets(st.integers(1, 4)), st.lists(st.integers(1, 9), min_size=6, max_size=6))
def test_other_units_of_any_node_change_no_ratio(network, part, units):
    """A recoding of n, of m and of A alone: the chain rule cancels it."""
    edges = {
        (u, v): w * units[v] / units[u]
        for u, after in network.effects.items()
        for v, w in after.items()
    }
    if sum(paths(network, 0, 5, part)):
        assert comp(Network(edges), part, 0, 5) == comp(network, part, 0, 5)


def test_a_mixture_of_a_node_of_a_with_one_outside_is_another_question():
    """The control of the test above: u = A + x keeps the dynamics and changes the verdict."""
    plain = Network({("n", "A"): -0.5, ("n", "x"): 1.0, ("A", "m"): 1.0, ("x", "m"): 1.0})
    mixed = Network({("n", "u"): 0.5, ("n", "x"): 1.0, ("u", "m"): 1.0, ("x", "m"): 0.0})
    assert responses(plain, "n")["m"] == responses(mixed, "n")["m"] == 0.5
    assert comp(plain, {"A"}, "n", "m") == 0.5
    assert comp(mixed, {"u"}, "n", "m") == math.inf


def test_what_no_path_meets_does_not_optimize():
    network = Network({("n", "m"): 2.0, ("n", "beside"): 5.0, ("before", "m"): 3.0})
    for part in (set(), {"beside"}, {"before"}, {"beside", "before"}):
        assert comp(network, part, "n", "m") == 1
        assert op(network, part, "n", "m") == 0


@pytest.mark.parametrize("k", [0.19, 0.25, 0.6])
def test_the_thermostat_without_a_clock_is_the_thermostat_with_one(k):
    network = unrolled(linear_thermostat(k, 25.0), [35.0, 10.0], 60)
    part = [("thermostat", t) for t in range(61)]
    found = [comp(network, part, ("room", 0), ("room", t)) for t in range(61)]
    expected = influence.linear_thermostat_comp(k, np.arange(61))
    np.testing.assert_allclose(found, expected, rtol=1e-10, atol=1e-16)


def coupled():
    """A map of four variables without symmetry, chaotic enough that no entry is special."""
    weights = np.random.default_rng(5).normal(size=(4, 4))

    def step(state, time):
        return np.sin(weights @ state + 0.1 * time)

    def jacobian(state, time):
        slopes = np.cos(weights @ state + 0.1 * time)
        return [[slope * w for w in row] for slope, row in zip(slopes, weights, strict=True)]

    return Map(("a", "b", "c", "d"), lambda s, t: list(step(s, t)), jacobian, dt=0.5)


@pytest.mark.parametrize("part", [["a"], ["a", "c"]])
@pytest.mark.parametrize("begin", [0.0, 3.0])
def test_unrolled_it_is_the_tangent_method(part, begin):
    start, steps = [0.3, -0.2, 0.5, 0.9], 25
    network = unrolled(coupled(), start, steps, begin=begin)
    nodes = [(name, k) for name in part for k in range(steps + 1)]
    found = [op(network, nodes, ("b", 0), ("d", k)) for k in range(1, steps + 1)]
    times = begin + 0.5 * np.arange(1, steps + 1)
    expected = influence.op(coupled(), start, times, part, "b", "d", begin=begin)
    np.testing.assert_allclose(found, expected, rtol=1e-9, atol=1e-9)


def test_a_part_that_is_replayed_for_a_while_is_the_nodes_of_that_while():
    network = unrolled(coupled(), [0.3, -0.2, 0.5, 0.9], 12)
    nodes = [("a", k) for k in range(7)]
    found = op(network, nodes, ("b", 0), ("d", 12))
    start = [0.3, -0.2, 0.5, 0.9]
    expected = influence.op(coupled(), start, [6.0], "a", "b", "d", until=3.0)[0]
    assert found == pytest.approx(expected, abs=1e-9)
    everywhere = [("a", k) for k in range(13)]
    assert abs(op(network, everywhere, ("b", 0), ("d", 12)) - found) > 0.01


# A field on a light cone: the event (u, v) hears of (u - 1, v) and of (u, v - 1) alone.
SIZE = 7
LEFT, RIGHT = np.random.default_rng(8).uniform(0.2, 1.0, (2, SIZE, SIZE)) * (-1, 1, -1, 1, 1, 1, -1)
REGION = {(2, 2), (2, 3), (3, 2), (3, 3)}


def light_cone():
    edges = {}
    for u in range(SIZE):
        for v in range(SIZE):
            if u:
                edges[(u - 1, v), (u, v)] = LEFT[u, v]
            if v:
                edges[(u, v - 1), (u, v)] = RIGHT[u, v]
    return Network(edges)


def along_slices(slices, part):
    """Return the disturbance of all events, computed slice by slice, with A held."""
    moved = {(0, 0): 1.0}
    for events in slices:
        for u, v in events:
            if (u, v) not in moved:
                heard = LEFT[u, v] * moved.get((u - 1, v), 0.0)
                heard += RIGHT[u, v] * moved.get((u, v - 1), 0.0)
                moved[u, v] = 0.0 if (u, v) in part else heard
    return moved


EVENTS = [(u, v) for u in range(SIZE) for v in range(SIZE)]
SLICINGS = {
    "at rest": [[e for e in EVENTS if sum(e) == t] for t in range(2 * SIZE - 1)],
    "moving to the right": [[e for e in EVENTS if 2 * e[0] + e[1] == t] for t in range(3 * SIZE)],
    "moving to the left": [[e for e in EVENTS if e[0] + 3 * e[1] == t] for t in range(4 * SIZE)],
    "along light": [[(u, v) for v in range(SIZE)] for u in range(SIZE)],
}


@pytest.mark.parametrize("slicing", SLICINGS.values(), ids=SLICINGS)
def test_a_region_of_spacetime_has_one_op_however_time_is_sliced(slicing):
    network = light_cone()
    in_x, in_y = along_slices(slicing, ()), along_slices(slicing, REGION)
    for event in set(EVENTS) - REGION - {(0, 0)}:
        assert comp(network, REGION, (0, 0), event) == pytest.approx(in_x[event] / in_y[event])


def test_a_region_changes_nothing_outside_of_its_future():
    network = light_cone()
    changed = {event for event in set(EVENTS) - REGION if comp(network, REGION, (0, 0), event) != 1}
    future = {(u, v) for u, v in EVENTS if u >= 2 and v >= 2} - REGION
    assert changed == future


def test_long_paths_neither_underflow_nor_overflow():
    chain = {(k, k + 1): 0.25 for k in range(3000)}
    network = Network(chain | {(0, "A"): 1.0, ("A", 1): -0.125})
    assert op(network, {"A"}, 0, 3000) == pytest.approx(math.log(2), abs=1e-15)
    beside = Network({(k, k + 1): 4.0 for k in range(3000)} | {(0, "m"): 1.0, (3000, "m"): 1.0})
    assert op(beside, {1500}, 0, "m") == pytest.approx(-3000 * math.log(4), rel=1e-12)
    with pytest.raises(FloatingPointError, match="does not fit a float"):
        comp(beside, {1500}, 0, "m")


def test_a_weak_part_is_not_lost_in_rounding():
    network = Network({("n", "m"): 1.0, ("n", "A"): 1e-9, ("A", "m"): -1e-9})
    assert op(network, {"A"}, "n", "m") == pytest.approx(1e-18, rel=1e-12)


def test_paths_that_cancel_do_so_in_fractions():
    tenths = {("n", k): 1 for k in "abc"} | {
        (k, "m"): Fraction(part, 10) for k, part in zip("abc", (1, 2, -3), strict=True)
    }
    assert responses(Network(tenths), "n")["m"] == 0
    floats = {edge: float(slope) for edge, slope in tenths.items()}
    assert responses(Network(floats), "n")["m"] != 0


def test_a_circle_is_shown():
    shown = r"one node for each moment.*('a' → 'b' → 'a'|'b' → 'a' → 'b')"
    with pytest.raises(ValueError, match=shown):
        Network({("a", "b"): 1.0, ("b", "a"): 1.0})


def test_a_node_that_is_misspelt_is_guessed():
    with pytest.raises(ValueError, match="got 'romo'; did you mean 'room'"):
        responses(Network({("room", "heater"): 1.0}), "romo")


def test_a_flow_has_no_steps():
    with pytest.raises(TypeError, match="a flow has no steps"):
        unrolled(lorenz(), [1.0, 1.0, 1.0], 3)


def test_a_trajectory_that_leaves_is_reported():
    squares = Map(("x",), lambda s, t: [s[0] ** 2], lambda s, t: [[2 * s[0]]])
    with np.errstate(over="ignore"), pytest.raises(FloatingPointError, match="step 10"):
        unrolled(squares, [2.0], 20)


@settings(max_examples=20)
@given(st.integers(2, 40))
def test_many_paths_are_counted_without_walking_them(n):
    """Pascal's triangle: binomial(2n, n) paths of a square lattice in n² sums."""
    edges = {
        ((u, v), (u + a, v + b)): 1
        for u in range(n + 1)
        for v in range(n + 1)
        for a, b in ((1, 0), (0, 1))
        if u + a <= n and v + b <= n
    }
    assert responses(Network(edges), (0, 0))[n, n] == math.comb(2 * n, n)


def test_a_shuffled_network_of_many_nodes_has_an_order():
    pairs = [(k, k + 1) for k in range(200)]
    random.Random(1).shuffle(pairs)
    order = Network({pair: 1 for pair in pairs}).order
    assert list(order) == list(range(201))


def test_the_face_is_thin():
    assert set(causal.__all__) == {
        "Network", "comp", "op", "responses", "sensitivities", "unrolled",
    }  # fmt: skip
