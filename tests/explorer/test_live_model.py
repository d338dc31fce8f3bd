"""Live models: what the page is told of their controls and handles."""

import re

import pytest

from descent import figures
from descent.explorer import live, span


def draw(slope, on):
    fig, ax = figures.figure()
    ax.plot([0, 1], [0, slope * on])
    return fig


def made(**options):
    return live(
        draw,
        model="paths",
        name="two-handles",
        caption=lambda slope, on: f"{slope} {on}",
        slope=span(-1, 1, 5),
        on=(0, 1),
        grab=[("slope", 0), ("on", 0)],
        **options,
    )


def test_a_control_of_nought_and_one_has_a_switch():
    assert [handle["switch"] for handle in made().facts()["handles"]] == [False, True]


@pytest.mark.parametrize("in_picture", [False, True])
def test_rows_of_controls_that_have_handles_can_be_left_out(in_picture):
    rows = re.findall(
        r"<div class='descent-control'( hidden)?>", made(in_picture=in_picture).html()
    )
    assert rows == [" hidden" if in_picture else ""] * 2
