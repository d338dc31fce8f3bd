"""Information: the source's tables as fractions, and identities."""

import math
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from descent import information as info
from descent.systems import FiniteSystem, dumb_thermostat, linear_thermostat, smart_thermostat

DUMB, SMART = dumb_thermostat(), smart_thermostat()


def ninths(rows):
    return np.array([[Fraction(v, 9) for v in row] for row in rows], dtype=object)


CORRELATED = ninths([[0, 0, 3], [0, 3, 0], [3, 0, 0]])
UNIFORM = ninths([[1, 1, 1]] * 3)


def bijection(permutation):
    image = np.array(permutation).reshape(3, 3)
    return FiniteSystem(SMART.thermostat, SMART.room, image // 3, image % 3)


@st.composite
def joints(draw):
    weights = draw(st.lists(st.integers(0, 20), min_size=9, max_size=9).filter(sum))
    total = sum(weights)
    return np.array([Fraction(w, total) for w in weights], dtype=object).reshape(3, 3)


@st.composite
def finite_systems(draw):
    image = draw(st.lists(st.integers(0, 8), min_size=9, max_size=9))
    return bijection(image)  # any image at all: not only permutations


@pytest.mark.parametrize(
    ("system", "after", "after_decorrelated"),
    [
        (DUMB, [[0, 3, 0]] * 3, [[0, 1, 2], [1, 1, 1], [2, 1, 0]]),
        (SMART, [[0, 0, 0], [0, 9, 0], [0, 0, 0]], [[0, 0, 2], [1, 3, 1], [2, 0, 0]]),
    ],
)
def test_tables_of_part_1(system, after, after_decorrelated):
    p = info.push_forward(CORRELATED, system)
    np.testing.assert_array_equal(p, ninths(after))
    mixed = info.push_forward(info.decorrelate(CORRELATED), system)
    np.testing.assert_array_equal(mixed, ninths(after_decorrelated))
    assert all(isinstance(v, Fraction) for v in mixed.ravel())


def test_strengths_of_part_1():
    log3 = math.log2(3)
    assert info.optimizing_strength(CORRELATED, DUMB) == pytest.approx(log3 - 4 / 9, abs=1e-14)
    after = info.push_forward(info.decorrelate(CORRELATED), SMART)
    assert info.entropy(after) == pytest.approx(5 / 3 * log3 - 4 / 9, abs=1e-14)
    assert info.optimizing_strength(CORRELATED, SMART) == pytest.approx(
        5 / 3 * log3 - 4 / 9, abs=1e-14
    )


def test_a_swapped_table_does_not_give_the_sources_entropies():
    """The printed flow tables exchange (off, hot) between the two thermostats."""
    swapped = FiniteSystem(
        DUMB.thermostat, DUMB.room, np.array([[2, 1, 0], [2, 1, 0], [1, 1, 0]]), DUMB.step_room
    )
    assert abs(info.optimizing_strength(CORRELATED, swapped) - 1.1) > 0.3


def test_tables_of_part_2():
    p = info.push_forward(UNIFORM, SMART)
    np.testing.assert_array_equal(p, ninths([[0, 0, 2], [1, 3, 1], [2, 0, 0]]))
    np.testing.assert_array_equal(
        info.push_forward(p, SMART), ninths([[0, 0, 1], [0, 7, 0], [1, 0, 0]])
    )
    np.testing.assert_array_equal(27 * info.decorrelate(p), [[2, 2, 2], [5, 5, 5], [2, 2, 2]])
    mixed = info.push_forward(info.decorrelate(p), SMART)
    np.testing.assert_array_equal(27 * mixed, [[0, 0, 7], [2, 9, 2], [7, 0, 0]])


def test_strengths_of_part_2():
    p, q = info.push_forward(UNIFORM, DUMB), info.push_forward(UNIFORM, SMART)
    assert info.optimizing_strength(p, DUMB) == 0
    assert info.adjusted_optimizing_strength(p, DUMB) == pytest.approx(-4 / 9, abs=1e-14)
    assert round(info.optimizing_strength(q, SMART), 1) == 1.1
    assert round(info.adjusted_optimizing_strength(q, SMART), 1) == 0.3


@given(joints(), finite_systems())
def test_adjusted_strength_is_a_difference_of_erased_entropies(joint, system):
    adjusted = info.adjusted_optimizing_strength(joint, system)
    mixed = info.decorrelate(joint)
    erased = info.erased_entropy(joint, system) - info.erased_entropy(mixed, system)
    assert adjusted == pytest.approx(erased, abs=1e-13)


@given(joints(), st.permutations(range(9)))
def test_adjusted_strength_of_a_bijection_is_zero(joint, permutation):
    system = bijection(permutation)
    assert info.adjusted_optimizing_strength(joint, system) == pytest.approx(0, abs=1e-13)
    # The unadjusted one is then the mutual information before the step.
    assert info.optimizing_strength(joint, system) == pytest.approx(
        info.mutual_information(joint), abs=1e-13
    )


@given(joints(), finite_systems())
def test_floats_and_fractions_agree(joint, system):
    p = joint.astype(float)
    assert info.push_forward(joint, system).sum() == 1
    np.testing.assert_allclose(
        info.push_forward(p, system), info.push_forward(joint, system).astype(float), atol=1e-15
    )
    assert info.entropy(p) == pytest.approx(info.entropy(joint), abs=1e-13)
    assert info.mutual_information(joint) >= -1e-13


def test_entropy_keeps_its_digits_near_certainty():
    """A naive sum loses all of them: 1 - ε rounds to 1."""
    epsilon = 1e-20
    expected = epsilon * (math.log2(1 / epsilon) + 1 / math.log(2))
    assert info.entropy([1 - epsilon, epsilon]) == pytest.approx(expected, rel=1e-14)
    p = np.array([1 - epsilon, epsilon])
    assert abs(-(p * np.log2(p)).sum() / expected - 1) > 1e-3


@pytest.mark.parametrize("exponent", range(2, 9))
def test_half_and_its_next_term(exponent):
    """Adjusted strength / entropy of the start, minus 1/2, by exact fractions."""
    epsilon = Fraction(1, 10**exponent)
    start = info.narrow_start(epsilon)
    joint = info.push_forward(start, SMART)
    ratio = info.adjusted_optimizing_strength(joint, SMART) / info.entropy(start)
    e, log = float(epsilon), math.log(1 / epsilon)
    term = -e / 4 * (7 * log + 6 + 5 * math.log(2)) / (log + 1 + math.log(2))
    assert ratio - 0.5 == pytest.approx(term, rel=4 * e, abs=1e-14)


def test_floats_follow_the_family_as_well_as_fractions():
    for exponent in range(1, 16):
        values = []
        for epsilon in (10.0**-exponent, Fraction(1, 10**exponent)):
            joint = info.push_forward(info.narrow_start(epsilon), SMART)
            values.append(info.adjusted_optimizing_strength(joint, SMART))
        assert values[0] == pytest.approx(values[1], rel=1e-13)


def test_unadjusted_ratio_tends_to_one_only_logarithmically():
    epsilon = Fraction(1, 10**100)
    start = info.narrow_start(epsilon)
    ratio = info.optimizing_strength(info.push_forward(start, SMART), SMART) / info.entropy(start)
    expected = 1 - math.log(2) / (100 * math.log(10) + 1 + math.log(2))
    assert ratio == pytest.approx(expected, rel=1e-12)
    assert ratio < 0.998


@pytest.mark.parametrize(
    ("call", "error", "match"),
    [
        (lambda: info.entropy([0.5, 0.4]), ValueError, "sum to 1"),
        (lambda: info.entropy([Fraction(1, 2)]), ValueError, "sum to 1"),
        (lambda: info.entropy([1.5, -0.5]), ValueError, "negative"),
        (lambda: info.entropy([np.nan, 1.0]), ValueError, "finite"),
        (lambda: info.entropy(["1"]), TypeError, "real numbers"),
        (lambda: info.decorrelate([1.0]), ValueError, "two axes"),
        (lambda: info.push_forward(np.eye(2) / 2, DUMB), ValueError, "shape"),
        (
            lambda: info.push_forward(UNIFORM, linear_thermostat(0.1, 0.0)),
            TypeError,
            "FiniteSystem",
        ),
        (lambda: info.narrow_start(2.0), ValueError, "epsilon"),
    ],
)
def test_bad_input(call, error, match):
    with pytest.raises(error, match=match):
        call()
