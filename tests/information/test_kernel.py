"""Noise and more parts than two: the same numbers where both apply, and identities."""

from fractions import Fraction
from itertools import product

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from descent import information as info
from descent.influence import op
from descent.systems import dumb_thermostat, smart_thermostat

DUMB, SMART = dumb_thermostat(), smart_thermostat()


@st.composite
def distributions(draw, shape=(2, 3)):
    n = int(np.prod(shape))
    weights = draw(st.lists(st.integers(0, 9), min_size=n, max_size=n).filter(sum))
    return np.array([Fraction(w, sum(weights)) for w in weights], dtype=object).reshape(shape)


@st.composite
def kernels(draw, shape=(2, 3)):
    rows = [draw(distributions(shape)) for _ in range(int(np.prod(shape)))]
    return info.FiniteKernel(np.array(rows, dtype=object).reshape(*shape, *shape))


@given(distributions((3, 3)))
def test_without_errors_the_kernel_is_the_map(joint):
    kernel = info.kernel_of(SMART)
    np.testing.assert_array_equal(info.push_forward(joint, kernel), info.push_forward(joint, SMART))
    for strength in (
        info.optimizing_strength,
        info.adjusted_optimizing_strength,
        info.erased_entropy,
        info.created_entropy,
    ):
        assert strength(joint, kernel) == pytest.approx(strength(joint, SMART), abs=1e-12)


@given(distributions(), kernels())
def test_chain_rule_in_both_orders(joint, kernel):
    """H(now) + H(next | now) = H(next) + H(now | next)."""
    after = info.push_forward(joint, kernel)
    assert after.sum() == 1
    assert info.entropy(joint) + info.created_entropy(joint, kernel) == pytest.approx(
        info.entropy(after) + info.erased_entropy(joint, kernel), abs=1e-10
    )


@given(distributions(), kernels())
def test_adjusted_strength_is_erased_less_created(joint, kernel):
    mixed = info.decorrelate(joint)
    erased, created = (
        of(joint, kernel) - of(mixed, kernel) for of in (info.erased_entropy, info.created_entropy)
    )
    adjusted = info.adjusted_optimizing_strength(joint, kernel)
    assert adjusted == pytest.approx(erased - created, abs=1e-10)


def test_noise_of_the_thermostat_in_closed_form():
    """Of certain states, ε spreads over three: H = H(1 - 2ε/3, ε/3, ε/3)."""
    certain = np.zeros((3, 3))
    certain[1, 1] = 1.0
    for error in (0.0, 0.2, 1.0):
        kernel = info.kernel_of(DUMB, error)
        expected = info.entropy([1 - 2 * error / 3, error / 3, error / 3])
        assert info.created_entropy(certain, kernel) == pytest.approx(expected, abs=1e-12)
        assert info.entropy(info.push_forward(certain, kernel)) == pytest.approx(expected)


def test_a_thermostat_that_only_errs_optimizes_nothing_later():
    """After one step at ε = 1 it is independent of all: the strength of the second is zero."""
    start = info.narrow_start(0.3)
    joint = info.push_forward(start, info.kernel_of(SMART, 1.0))
    assert info.optimizing_strength(joint, SMART) == pytest.approx(0.0, abs=1e-12)
    working = info.push_forward(start, SMART)
    assert info.optimizing_strength(working, SMART) > 0.1  # the control


def parity():
    joint = np.full((2, 2, 2), Fraction(0), dtype=object)
    for a, b in product(range(2), repeat=2):
        joint[a, b, a ^ b] = Fraction(1, 4)
    return joint


def test_parity_is_in_three_parts_and_not_in_two():
    joint = parity()
    assert info.total_correlation(joint) == 1.0
    for axis in range(3):
        assert info.mutual_information(joint.sum(axis=axis)) == 0.0
        others = [a for a in range(3) if a != axis]
        assert info.total_correlation(joint, [others, [axis]]) == 1.0


@given(distributions((2, 2, 3)))
def test_total_correlation_adds_up(joint):
    """C(a, b, c) = I(ab; c) + I(a; b): Watanabe's decomposition."""
    whole = info.total_correlation(joint)
    parts = info.total_correlation(joint, [(0, 1), (2,)]) + info.mutual_information(
        joint.sum(axis=2)
    )
    assert whole == pytest.approx(parts, abs=1e-10)
    assert whole > -1e-12


@given(distributions((2, 2, 3)))
def test_groups_keep_their_own_dependence(joint):
    mixed = info.decorrelate(joint, [(0, 2), (1,)])
    np.testing.assert_array_equal(mixed.sum(axis=1), joint.sum(axis=1))
    np.testing.assert_array_equal(mixed.sum(axis=(0, 2)), joint.sum(axis=(0, 2)))
    assert info.total_correlation(mixed, [(0, 2), (1,)]) == pytest.approx(0.0, abs=1e-12)


def test_two_switches_hold_a_lamp_together():
    """The lamp becomes the parity of both switches: only the pair of them is a thermostat."""
    kernel = np.zeros((2, 2, 2, 2, 2, 2))
    for a, b, lamp in product(range(2), repeat=3):
        kernel[a, b, lamp, a, b, a ^ b ^ lamp] = 1.0
    system = info.FiniteKernel(kernel)
    joint = parity().astype(float)  # the switches know the lamp: it will be dark
    assert info.push_forward(joint, system).sum(axis=(0, 1)).tolist() == [1.0, 0.0]
    together = info.optimizing_strength(joint, system, [(0, 1), (2,)])
    assert together == pytest.approx(1.0)
    # One switch alone, beside the rest of its system: no less, as the rest loses its partner.
    assert info.optimizing_strength(joint, system, [(0,), (1, 2)]) == pytest.approx(1.0)
    independent = info.decorrelate(joint)
    assert info.optimizing_strength(independent, system) == pytest.approx(0.0, abs=1e-12)


@pytest.mark.parametrize(
    ("call", "match"),
    [
        (lambda: info.FiniteKernel(np.full((2, 2), 0.4)), "kernel, over the next states, must sum"),
        (lambda: info.FiniteKernel(np.eye(2)[0]), "shape of the parts twice"),
        (lambda: info.decorrelate(parity(), [(0, 1)]), "each of the axes"),
        (lambda: info.decorrelate(parity(), [(0, 1, 2)]), "two axes or more"),
        (lambda: info.push_forward(parity(), info.kernel_of(DUMB)), "joint must have shape"),
        (lambda: info.mutual_information(parity()), "two axes"),
    ],
)
def test_bad_input(call, match):
    with pytest.raises(ValueError, match=match):
        call()


@pytest.mark.parametrize("dtype", [np.float16, np.float32])
def test_probabilities_of_low_precision_are_taken_as_what_they_mean(dtype):
    """The sum of such thirds is off from 1 by more than that of others may be."""
    third = np.full(3, 1 / 3, dtype)
    assert abs(third.astype(float).sum() - 1) > 1e-9
    kernel = info.FiniteKernel(np.array([third] * 3))
    np.testing.assert_allclose(info.push_forward(third, kernel), 1 / 3, rtol=1e-15)
    assert info.entropy(third) == pytest.approx(np.log2(3), rel=1e-14)
    with pytest.raises(ValueError, match="kernel, over the next states, must sum to 1"):
        info.FiniteKernel(np.array([[0.95, 0.1], [0.95, 0.0]], dtype))
    with pytest.raises(ValueError, match="joint must sum to 1"):
        info.push_forward(third * dtype(1.03), kernel)


def test_a_transition_matrix_is_told_how_to_become_a_kernel():
    joint = np.eye(3)[::-1] / 3
    matrix = np.asarray(info.kernel_of(SMART, 0.1).kernel).reshape(9, 9)
    with pytest.raises(TypeError, match=r"FiniteKernel\(matrix.reshape\(3, 3, 3, 3\)\); got nd"):
        info.optimizing_strength(joint, matrix)
    with pytest.raises(ValueError, match=r"shape \(9,\).* reshaped to \(3, 3, 3, 3\)"):
        info.optimizing_strength(joint, info.FiniteKernel(matrix))
    kernel = info.FiniteKernel(matrix.reshape(3, 3, 3, 3))
    expected = info.optimizing_strength(joint, info.kernel_of(SMART, 0.1))
    assert info.optimizing_strength(joint, kernel) == pytest.approx(expected, rel=1e-14)


def test_questions_that_have_another_function_name_it():
    with pytest.raises(ValueError, match="total_correlation"):
        info.mutual_information(np.full((2, 2, 2), 0.125))
    for system in (SMART, info.kernel_of(SMART)):
        with pytest.raises(TypeError, match=r"got Finite.*optimizing_strength takes it"):
            op(system, [0, 0], [1], "thermostat", "room", "room")
