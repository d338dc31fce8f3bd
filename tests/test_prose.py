"""Numbers in sentences."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from descent import prose

FLOATS = st.floats(-1e12, 1e12)


@given(FLOATS, st.integers(0, 8))
def test_what_is_written_is_the_number_rounded(value, digits):
    text = prose.fixed(value, digits)
    assert math.isclose(
        float(text.replace("−", "-")), value, abs_tol=0.5000001 * 10.0**-digits, rel_tol=1e-15
    )
    assert "-" not in text
    assert text.strip("−0.") or not text.startswith("−")
    assert prose.signed(value, digits).lstrip("+") == text


@given(st.floats(1e-300, 1e300), st.integers(0, 6))
def test_a_power_of_ten_is_the_number_rounded(value, digits):
    text = prose.power_of_ten(value, digits)
    if " × " not in text and not text.startswith("10"):
        text += " × 10⁰"  # which is left out
    factor, _, power = text.rpartition(" × ")
    raised = power.removeprefix("10").translate(str.maketrans("⁻⁰¹²³⁴⁵⁶⁷⁸⁹", "-0123456789"))
    assert math.isclose(float(f"{factor or 1}e{raised}"), value, rel_tol=0.51 * 10.0**-digits)


@pytest.mark.parametrize("write", [prose.fixed, prose.signed, prose.percent, prose.power_of_ten])
@pytest.mark.parametrize(("value", "error"), [(math.nan, ValueError), ("0.5", TypeError)])
def test_what_is_no_number_is_refused(write, value, error):
    with pytest.raises(error, match=r"value|share"):
        write(value)


def test_a_list_of_nothing_is_refused():
    with pytest.raises(ValueError, match="items"):
        prose.listed([])


@pytest.mark.parametrize(("rows", "align"), [([["1"]], "lr"), ([["1", "2"]], "l")])
def test_a_row_that_does_not_fit_its_table_is_refused(rows, align):
    with pytest.raises(ValueError, match=r"columns \['a', 'b'\]"):
        prose.table(["a", "b"], rows, align)
