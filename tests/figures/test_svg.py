"""The page renderer against matplotlib's own SVG writer and against the data."""

import io
import re
import xml.etree.ElementTree as ET

import matplotlib as mpl
import numpy as np
import pytest
from matplotlib.figure import Figure

from descent import figures
from descent.figures.display_list import Recorder, drawing
from descent.figures.path_data import GRID
from descent.figures.svg import UnsupportedError

RNG = np.random.default_rng(1)
X = np.linspace(0, 1, 61)
Y = RNG.random(61)


def read(data, height):
    """Return the vertices of a path of moves and lines, in points, y upwards."""
    steps = np.array(re.findall(r"-?\d+", data), dtype=float).reshape(-1, 2)
    return np.cumsum(steps, axis=0) / GRID * (1, -1) + (0, height)


def one_line(x=X, y=Y, **style):
    fig, ax = figures.figure()
    (line,) = ax.plot(x, y, **{"color": figures.COLOURS["W"], **style})
    ax.set(xlim=(0, 1), ylim=(0, 1))
    return fig, line


def drawn_line(fig):
    """Return the points of the only blue path, in points."""
    markup = drawing(fig)
    assert markup.count(f"'{figures.COLOURS['W']}'") == 1
    data = re.search(rf"stroke='{figures.COLOURS['W']}'[^>]* d='([^']*)'", markup).group(1)
    return read(data, 72 * fig.get_size_inches()[1])


def test_a_line_stands_where_the_transform_puts_its_data():
    fig, line = one_line()
    drawn = drawn_line(fig)
    wanted = line.get_transform().transform(np.column_stack([X, Y]))
    assert np.abs(drawn - wanted).max() <= 0.5 / GRID + 1e-9


def test_a_line_stands_where_matplotlibs_own_svg_has_it():
    fig, line = one_line()
    drawn = drawn_line(fig)
    line.set_gid("the-line")
    fig.set_layout_engine("none")  # which would move the axes a second time
    buffer = io.StringIO()
    fig.savefig(buffer, format="svg")
    group = buffer.getvalue().split('id="the-line"')[1]
    data = re.search(r' d="([^"]*)"', group).group(1)
    numbers = np.array(re.findall(r"-?[\d.]+(?:e-?\d+)?", data), dtype=float).reshape(-1, 2)
    wanted = numbers * (1, -1) + (0, 72 * fig.get_size_inches()[1])
    assert np.abs(drawn - wanted).max() <= 0.5 / GRID + 1e-5


def test_a_long_line_is_thinned_by_less_than_half_a_pixel():
    x = np.linspace(0, 1, 5000)
    fig, line = one_line(x, 0.5 + 0.4 * np.sin(20 * x))
    drawn = drawn_line(fig)
    assert len(drawn) < 1500
    wanted = line.get_transform().transform(line.get_xydata())
    between = np.interp(wanted[:, 0], drawn[:, 0], drawn[:, 1])
    assert np.abs(between - wanted[:, 1]).max() < 0.5


def test_a_gap_in_the_data_is_a_gap_in_the_line():
    fig, _ = one_line([0.1, 0.2, 0.3, 0.4, 0.5], [0.5, 0.5, np.nan, 0.5, 0.5])
    data = re.search(rf"stroke='{figures.COLOURS['W']}'[^>]* d='([^']*)'", drawing(fig)).group(1)
    assert data.count("m") == 2


def test_lines_far_outside_are_clipped_and_their_slope_kept():
    fig, line = one_line([0.0, 1.0], [0.5, 1e7])
    drawn = drawn_line(fig)
    (x0, y0), (x1, y1) = drawn
    wanted = line.get_transform().transform([[0.0, 0.5], [1.0, 1e7]])
    assert (y1 - y0) < 1000
    assert x1 - x0 == pytest.approx((y1 - y0) / np.diff(wanted[:, 1])[0], abs=1 / GRID)


def test_polygons_far_outside_keep_their_edges():
    fig, ax = figures.figure()
    ax.set(xlim=(0, 1), ylim=(0, 1))
    ax.fill_between([0.0, 1.0], 0, [0.0, 1e7], color=figures.COLOURS["X"], lw=0)
    data = re.search(rf"fill='{figures.COLOURS['X']}'[^>]* d='([^']*)'", drawing(fig)).group(1)
    points = read(data, 216.0)
    # The edge rises so steeply that no vertex within the canvas leaves the left end.
    left = ax.transData.transform((0, 0))[0]
    inside = points[(points[:, 1] > 0) & (points[:, 1] < 216)]
    assert len(inside)
    assert np.abs(np.delete(inside[:, 0] - left, inside[:, 0] > left + 50)).max() < 0.1


@pytest.mark.slow
@pytest.mark.parametrize(
    ("style", "attribute"),
    [
        ({"linewidth": 2.5}, "stroke-width='50'"),
        ({"alpha": 0.25}, "stroke-opacity='0.25'"),
        ({"linestyle": "--", "linewidth": 1.0}, "stroke-dasharray='74 32'"),
        ({"dash_capstyle": "round", "linestyle": ":"}, "stroke-linecap='round'"),
        ({"color": "black"}, "stroke='currentColor'"),
        ({"color": "white"}, "stroke:var(--descent-paper,#fff)"),
        ({"color": "0.6"}, "color-mix(in srgb,currentColor 40%,var(--descent-paper,#fff))"),
    ],
)
def test_styles_are_kept(style, attribute):
    plain, _ = one_line(color="#123456")
    fig, _ = one_line(**style)
    base = drawing(plain)
    assert drawing(fig).count(attribute) > base.count(attribute)


def test_text_is_text_with_its_anchor_and_formula():
    fig, ax = figures.figure()
    ax.set_xlabel("step size $T_0$ < 1 & more")
    markup = drawing(fig)
    assert "text-anchor='middle'" in markup
    assert "<tspan font-style='italic'>T</tspan>" in markup
    assert "&lt;\u20051" in markup or "&lt; 1" in markup
    ax.set_xlabel(r"$\sqrt{T}$")
    assert ">√" in drawing(fig)
    ax.set_xlabel(r"$\sqrt{T + 1}$")
    assert "√" not in drawing(fig)  # outlines


@pytest.mark.parametrize("kind", ["lines", "scatter", "heat", "field", "log", "twin"])
def test_every_kind_of_drawing_is_well_formed_and_has_no_ids(kind):
    fig, ax = figures.figure()
    if kind == "scatter":
        ax.scatter(X, Y, c=Y, s=20 * Y)
        ax.errorbar([0.5], [0.5], yerr=[0.1], fmt="s", mfc="white")
    elif kind == "heat":
        fig.colorbar(ax.pcolormesh(RNG.random((20, 30))), ax=ax, label="p")
    elif kind == "field":
        ax.contourf(RNG.random((9, 9)))
        ax.quiver([1, 2], [1, 2], [1, 0], [0, 1])
        ax.annotate("here", (2, 2), (4, 4), arrowprops={"arrowstyle": "->"})
    elif kind == "log":
        ax.loglog(X + 0.01, Y + 0.01, marker="^", label="a")
        ax.legend()
    elif kind == "twin":
        ax.twinx().hist(Y, bins=5)
        ax.inset_axes([0.5, 0.5, 0.4, 0.4]).bar([1, 2], [3, 4])
    elif kind == "lines":
        ax.plot(X, Y, drawstyle="steps-post")
        ax.axhline(0.5)
        ax.axvspan(0.1, 0.2)
    markup = drawing(fig)
    ET.fromstring(f"<div>{markup}</div>")
    assert not re.search(r"\bid=|url\(|https?:", markup)


def test_many_pieces_become_an_image():
    fig, ax = figures.figure()
    ax.pcolormesh(RNG.random((40, 40)))
    markup = drawing(fig)
    assert markup.count("<image") == 1
    assert markup.count("<path") < 40


def test_what_is_not_drawn_is_named():
    fig, ax = figures.figure()
    ax.bar([1], [1], hatch="/", label="striped")
    with pytest.raises(UnsupportedError, match=r"Rectangle.*hatching"):
        drawing(fig)
    polar, _ = figures.figure(subplot_kw={"projection": "polar"})
    with pytest.raises(UnsupportedError, match=r"PolarAxes.*clipping"):
        drawing(polar)


def test_an_axis_drawn_from_memory_is_the_axis_drawn_anew():
    def draw(limit, label="x"):
        fig, ax = figures.figure()
        ax.set(xlim=(0, limit), ylim=(0, 1), xlabel=label)
        return fig

    together = Recorder()
    together.record(draw(1))
    for change in [(1,), (2,), (1, "y"), (1,)]:
        alone = Recorder()
        alone.record(draw(1))
        alone._axis_markup.clear()
        assert together.record(draw(*change)) == alone.record(draw(*change))


def test_the_style_holds_without_pyplot_and_leaks_nothing():
    before = dict(mpl.rcParams)
    assert isinstance(figures.figure()[0], Figure)
    assert dict(mpl.rcParams) == before
