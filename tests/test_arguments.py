"""What the checks of arguments say; that they are made is tested for each public function."""

import numpy as np
import pytest

from descent.arguments import check_choice, check_real, nearest

NAMES = ("six_hump_camel", "ackley", "rastrigin", "Rosenbrock")


@pytest.mark.parametrize(
    ("typo", "meant"),
    [
        ("ackly", "ackley"),
        ("ACKLEY", "ackley"),
        ("rosenbrok", "Rosenbrock"),
        ("six hump camel", "six_hump_camel"),
    ],
)
def test_a_typo_is_told_what_was_meant(typo, meant):
    assert nearest(typo, NAMES)[0] == meant
    with pytest.raises(ValueError, match=f"lossfun must be one of .*; did you mean '{meant}'"):
        check_choice("lossfun", typo, NAMES)


@pytest.mark.parametrize("value", ["zzz", "", 3, None, ["ackley"]])
def test_what_is_near_nothing_is_told_what_there_is(value):
    assert nearest(value, NAMES) == []
    with pytest.raises(ValueError, match="must be one of") as raised:
        check_choice("lossfun", value, NAMES)
    assert "did you mean" not in str(raised.value)


@pytest.mark.parametrize(
    "value", [10**400, -(10**400), float("nan"), float("-inf"), np.float32("inf")]
)
def test_what_no_double_holds_is_not_finite(value):
    with pytest.raises(ValueError, match="x must be finite; got"):
        check_real("x", value)
    assert check_real("x", 10**300) == 1e300
