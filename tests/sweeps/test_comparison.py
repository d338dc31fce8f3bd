"""What survives another processor is compared, and a wrong result is noticed by it."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from descent.sweeps import (
    Close,
    CountWithin,
    MedianWithin,
    MostAgree,
    NotCompared,
    ShareWithin,
    Sweep,
)
from descent.sweeps.comparison import differences

WHY = "chaotic"
outcomes = st.lists(st.booleans(), min_size=1, max_size=40)


def test_numbers_agree_to_their_tolerance_and_all_else_exactly():
    assert Close(1e-9).difference(1.0, 1.0 + 1e-10) is None
    assert "1e-06" in Close(1e-9).difference(1.0, 1.0 + 1e-6)
    assert Close(1e-2).difference([0.0, 1.0], [1e-13, 1.0]) is None
    assert Close(1e-2).difference(True, False) == "is False; stored is True"
    assert Close(1e-2).difference([True, False], [True, True]) is not None
    assert Close(1e-2).difference("a", "b") == "is 'b'; stored is 'a'"
    assert Close(1e-2).difference(None, None) is None
    assert Close(1e-2).difference(None, 1.0) is not None
    assert Close(1e-2).difference(2.0, True) is not None
    assert Close(1e-2).difference(np.nan, 1.0) is not None
    assert Close(1e-2).difference(np.nan, np.nan) is None
    assert "shape" in Close(1e-2).difference([1.0], [1.0, 1.0])


@given(hits=outcomes, order=st.randoms())
def test_the_order_of_draws_does_not_count_and_their_share_does(hits, order):
    shuffled = order.sample(hits, len(hits))
    assert ShareWithin(1e-9, WHY).difference(hits, shuffled) is None
    assert ShareWithin(0.99, WHY).difference([True] * 3, [False] * 3) is not None
    assert "shape" in ShareWithin(0.99, WHY).difference(hits, [*hits, True])


def test_shares_counts_and_entries_have_bounds():
    assert ShareWithin(0.25, WHY).difference([1, 1, 0, 0], [1, 1, 1, 0]) is None
    assert ShareWithin(0.24, WHY).difference([1, 1, 0, 0], [1, 1, 1, 0]) is not None
    assert CountWithin(2, WHY).difference(17, 15) is None
    assert CountWithin(2, WHY).difference(17, 14) is not None
    assert MostAgree(0.75, WHY).difference([1, 2, 3, 4], [1, 2, 3, 9]) is None
    assert MostAgree(0.76, WHY).difference([1, 2, 3, 4], [1, 2, 3, 9]) is not None
    assert "shape" in MostAgree(0.5, WHY).difference([1], [1, 2])


def test_medians_of_sizes_have_bounds_and_holes_never_pass():
    assert MedianWithin(0.1, WHY).difference([1.0, -2.0, 3.0], [-2.1, 2.0, 99.0]) is None
    assert MedianWithin(0.1, WHY).difference([1.0, 2.0, 3.0], [2.3, 2.3, 2.3]) is not None
    assert MedianWithin(0.1, WHY).difference([1.0, 2.0], [np.nan, 2.0]) is not None
    # Where sizes lie far apart one that jumps moves the median, and no other number.
    apart, jumped = [1.0, 1.0, 1.0, 8.0, 9.0], [1.0, 1.0, 7.0, 8.0, 9.0]
    assert MedianWithin(0.5, WHY).difference(apart, jumped) is not None
    assert MostAgree(0.75, WHY, rtol=0.01).difference(apart, jumped) is None
    assert MostAgree(0.9, WHY, rtol=0.01).difference(apart, jumped) is not None
    assert MostAgree(0.75, WHY, rtol=0.01).difference(apart, [1.02 * each for each in apart])
    assert MostAgree(0.75, WHY, rtol=0.01).difference([1.0, 2.0], [np.nan, 2.0]) is not None
    assert "shape" in MostAgree(0.75, WHY, rtol=0.01).difference([1.0], [1.0, 1.0])
    assert "shape" in MedianWithin(0.1, WHY).difference([1.0], [1.0, 1.0])


def test_each_column_is_compared_in_its_own_way():
    compare = {"hits": ShareWithin(0.5, WHY), "end": NotCompared(WHY)}
    stored = {"hits": [True, False], "end": 3.0, "x": 1.0}
    assert differences(stored, {"hits": [False, True], "end": 9.0, "x": 1.0}, 1e-6, compare) == []
    found = differences(stored, {"hits": [True, True], "end": 9.0, "x": 2.0}, 1e-6, compare)
    assert len(found) == 1
    assert found[0].startswith("x ")
    missing = differences(stored, {"hits": [True, False], "x": 1.0}, 1e-6, compare)
    assert missing == ["the columns are ['hits', 'x']; stored are ['end', 'hits', 'x']"]


def test_a_probe_that_compares_nothing_is_an_error():
    row = {"end": 1.0}
    with pytest.raises(ValueError, match="nothing is compared"):
        differences(row, row, 1e-6, {"end": NotCompared(WHY)})
    with pytest.raises(ValueError, match="nothing is compared"):
        differences({}, {}, 1e-6, {})
    with pytest.raises(ValueError, match=r"compare names \['ends'\]"):
        differences(row, row, 1e-6, {"ends": NotCompared(WHY)})


def test_a_sweep_compares_as_it_declares():
    sweep = Sweep(
        "99-draws", lambda n: {"k": n}, [{"n": 1}], [0], compare={"k": CountWithin(1, WHY)}
    )
    assert sweep.differences({"k": 5}, {"k": 6}) == []
    assert sweep.differences({"k": 5}, {"k": 7}) == [
        "k is 7; stored is 5, and 1 more or less is allowed"
    ]
    assert Sweep("99-exact", lambda n: {"k": n}, [{"n": 1}], [0]).differences({"k": 5}, {"k": 6})
