"""Chapter 3: what its figures and claims rest on."""

import itertools
import math
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from descent import information
from descent.chapters.joint_distributions import numbers, pictures
from descent.systems import FiniteSystem, dumb_thermostat, smart_thermostat

DUMB, SMART = dumb_thermostat(), smart_thermostat()
LOG3 = math.log2(3)


@st.composite
def joints(draw):
    weights = draw(st.lists(st.integers(0, 20), min_size=9, max_size=9).filter(sum))
    return numbers.fractions(np.reshape(weights, (3, 3)).tolist(), over=sum(weights))


@st.composite
def finite_systems(draw):
    image = np.array(draw(st.lists(st.integers(0, 8), min_size=9, max_size=9))).reshape(3, 3)
    return FiniteSystem(DUMB.thermostat, DUMB.room, image // 3, image % 3)


def entropy_by_counting(joint):
    """A second way: of fractions over one denominator, from the counts alone."""
    values = [Fraction(v) for v in joint.ravel()]
    over = math.lcm(*(v.denominator for v in values))
    counts = [int(v * over) for v in values]
    return math.log2(over) - sum(c * math.log2(c) for c in counts if c) / over


@pytest.mark.parametrize(
    ("system", "joint_future", "mixed_future"),
    [(DUMB, LOG3, 2 * LOG3 - 4 / 9), (SMART, 0.0, 5 / 3 * LOG3 - 4 / 9)],
)
def test_entropies_of_the_post_in_closed_form_and_by_counting(system, joint_future, mixed_future):
    tables = numbers.futures(numbers.CORRELATED, system)
    for name, expected in (("$P_{1}$", joint_future), ("$P′_{1}$", mixed_future)):
        assert information.entropy(tables[name]) == pytest.approx(expected, abs=1e-14)
        assert entropy_by_counting(tables[name]) == pytest.approx(expected, abs=1e-14)
        assert tables[name].sum() == 1


def test_printed_tables_differ_from_the_rules_in_one_entry_that_changed_places():
    for rules, printed, other in zip(
        (DUMB, SMART), numbers.printed_tables(), (SMART, DUMB), strict=True
    ):
        for i, j in np.ndindex(3, 3):
            if (rules.thermostat[i], rules.room[j]) == ("off", "hot"):
                assert rules.step(i, j) != printed.step(i, j)
                assert other.step(i, j) == printed.step(i, j)
            else:
                assert rules.step(i, j) == printed.step(i, j)
        assert "off" in rules.thermostat  # the original is not changed
        entropy = information.entropy(information.push_forward(numbers.CORRELATED, printed))
        assert entropy == pytest.approx(LOG3 - 2 / 3, abs=1e-14)


@given(joints(), finite_systems())
def test_accounts_balance(joint, system):
    account = numbers.account(joint, system)
    sum_of_terms = account.correlation + account.erased - account.erased_decorrelated
    assert account.strength == pytest.approx(sum_of_terms, abs=1e-13)


def test_doing_nothing_scores_higher_than_the_dumb_thermostat():
    nothing, stuck = (
        numbers.account(numbers.CORRELATED, s) for s in (numbers.idle(), numbers.unplugged())
    )
    dumb = numbers.account(numbers.CORRELATED, DUMB)
    assert nothing.strength == pytest.approx(LOG3, abs=1e-14)
    assert stuck.strength == pytest.approx(LOG3, abs=1e-13)
    assert nothing.strength - dumb.strength == pytest.approx(4 / 9, abs=1e-14)
    smart = numbers.account(numbers.CORRELATED, SMART)  # the negative control
    assert smart.strength > nothing.strength + 0.5


def test_a_start_the_wrong_way_round_has_the_same_strength_under_the_dumb_thermostat_only():
    right, wrong = (numbers.PRESETS[f"colder room, {what} heat"] for what in ("more", "less"))
    gap = {
        name: information.optimizing_strength(right, system)
        - information.optimizing_strength(wrong, system)
        for name, system in (("dumb", DUMB), ("smart", SMART))
    }
    assert gap["dumb"] == pytest.approx(0, abs=1e-14)
    assert gap["smart"] == pytest.approx(LOG3, abs=1e-13)


@pytest.mark.parametrize("preset", numbers.PRESETS)
def test_mixing_keeps_the_marginals_and_runs_from_independence_to_the_preset(preset):
    joint = numbers.PRESETS[preset]
    for mixing in pictures.MIXINGS:
        mixed = numbers.mixed_joint(preset, mixing)
        assert mixed.sum() == 1
        np.testing.assert_array_equal(
            information.decorrelate(mixed), information.decorrelate(joint)
        )
    np.testing.assert_array_equal(numbers.mixed_joint(preset, 1.0), joint)
    curves = numbers.mixing_curves(preset)
    for name in ("dumb", "smart", "correlation"):
        assert curves[name][0] == pytest.approx(0, abs=1e-13)
    np.testing.assert_array_less(-1e-12, np.diff(curves["correlation"]))


def test_marks_of_the_explorer_lie_on_its_curves():
    curves = numbers.mixing_curves("two extremes")
    for mixing in pictures.MIXINGS:
        assert curves["mixing"][round(40 * mixing)] == pytest.approx(mixing, abs=1e-12)
    half = information.optimizing_strength(numbers.mixed_joint("two extremes", 0.5), SMART)
    assert curves["smart"][20] == pytest.approx(half, abs=1e-13)


def test_gap_after_many_steps():
    """The ring of the dumb thermostat forgets nothing more; the smart one forgets all."""
    dumb, smart = (numbers.strength_after(numbers.CORRELATED, s, 8) for s in (DUMB, SMART))
    assert dumb[0] == smart[0] == pytest.approx(LOG3, abs=1e-14)
    np.testing.assert_allclose(dumb[1:], LOG3 - 4 / 9, atol=1e-13)
    np.testing.assert_allclose(smart[3:], 0, atol=1e-13)
    assert smart[1] == information.optimizing_strength(numbers.CORRELATED, SMART)


@pytest.mark.parametrize("preset", numbers.PRESETS)
@pytest.mark.parametrize("thermostat", ["dumb", "smart"])
def test_the_gap_that_can_be_followed_is_that_of_both_futures(preset, thermostat):
    system = numbers.THERMOSTATS[thermostat]
    gaps = numbers.strength_after(numbers.PRESETS[preset], system, 6)
    for step in pictures.STEPS:
        assert pictures.gap(preset, thermostat, step) == (step, gaps[step])
    if thermostat == "smart":
        np.testing.assert_allclose(gaps[3:], 0, atol=1e-13)
    else:
        np.testing.assert_allclose(gaps[1:], gaps[1], atol=1e-13)


@given(joints(), st.lists(st.integers(0, 2), min_size=9, max_size=9))
def test_second_law_of_control(joint, rooms):
    """No joint start and no room map beats its best blind setting by more than I(T; R)."""
    room = np.array(rooms).reshape(3, 3)
    system = FiniteSystem(DUMB.thermostat, DUMB.room, DUMB.step_thermostat, room)
    # The best rooms, equal shares of the states that merge, lie on this grid.
    bound = numbers.best_open_loop_drop(system, grid=24) + information.mutual_information(joint)
    assert numbers.room_entropy_drop(joint, system) <= bound + 1e-12


def test_open_loop_drop_of_the_thermostats_is_one_bit():
    assert numbers.best_open_loop_drop(DUMB) == pytest.approx(1.0, abs=1e-12)
    assert numbers.best_open_loop_drop(numbers.idle()) == 0
    for system in (DUMB, SMART):
        drop = numbers.room_entropy_drop(numbers.CORRELATED, system)
        assert drop == pytest.approx(LOG3, abs=1e-14)
        assert drop > 1  # so the information is needed


def test_flow_fills_its_bars():
    """The bands that arrive at a state are as high together as its bar."""
    for system, (name, joint) in itertools.product((DUMB, SMART), numbers.PRESETS.items()):
        figure = pictures.draw_flows({name: (joint, system)})
        (ax,) = figure.axes
        bands = [patch.get_path().vertices for patch in ax.patches]
        assert sum(b[4, 1] - b[3, 1] for b in bands) == pytest.approx(1, abs=1e-12)
        after = information.push_forward(joint, system)
        for line in ax.lines:
            x, (low, high) = line.get_xdata()[0], line.get_ydata()
            end = 3 if x else 0
            inside = [b for b in bands if low - 1e-9 < b[end, 1] < high - 1e-9]
            total = sum(b[4, 1] - b[3, 1] for b in inside)
            assert total == pytest.approx(high - low, abs=1e-9)
        bars = sorted(line.get_ydata()[1] - line.get_ydata()[0] for line in ax.lines[9:])
        np.testing.assert_allclose(bars, sorted(after.astype(float).ravel()), atol=1e-12)
