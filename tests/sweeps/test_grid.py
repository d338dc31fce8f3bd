"""All combinations of some lists."""

from descent.sweeps import grid


def test_the_last_list_varies_fastest_and_options_keep_their_order():
    made = grid(a=(1, 2), b=("x", "y", "z"))
    assert [tuple(point.values()) for point in made[:4]] == [(1, "x"), (1, "y"), (1, "z"), (2, "x")]
    assert len(made) == 6
    assert all(list(point) == ["a", "b"] for point in made)


def test_no_list_makes_one_point_and_an_empty_one_none():
    assert grid() == [{}]
    assert grid(a=(1, 2), b=()) == []
