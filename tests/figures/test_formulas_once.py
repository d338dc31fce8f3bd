"""Formulas that are parsed once."""

import numpy as np
import pytest
from matplotlib import rc_context
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.font_manager import FontProperties
from matplotlib.mathtext import MathTextParser

from descent import figures
from descent.figures import formulas_once as module
from descent.figures.formulas_once import formulas_once

FORMULA = r"$10^{-3}$ of $w_0$"


def logarithmic():
    fig, (left, right) = figures.figure(1, 2)
    left.loglog([1, 1000], [1e-3, 10])
    left.set(xlabel="$T$", ylabel=FORMULA)
    right.plot([0, 1], [0, 0.5], label="$w^2$")
    right.legend()
    return fig


def as_matplotlib_has_it(kind, **arguments):
    return MathTextParser(kind).parse(FORMULA, **arguments)


@pytest.mark.parametrize("kind", ["path", "agg"])
@pytest.mark.parametrize("size", [8, 9.5])
def test_what_is_remembered_is_what_matplotlib_parses(kind, size):
    for dpi in (72, 144):
        expected = as_matplotlib_has_it(kind, dpi=dpi, prop=FontProperties(size=size))
        with formulas_once():
            for _ in range(2):
                got = as_matplotlib_has_it(kind, dpi=dpi, prop=FontProperties(size=size))
                assert got[-1] is not None
                assert all(
                    np.array_equal(a, b)
                    for a, b in zip(got, expected, strict=True)
                    if isinstance(a, float | int | np.ndarray)
                )


def test_renderers_share_and_other_fonts_do_not():
    with formulas_once():
        first = as_matplotlib_has_it("path", prop=FontProperties(size=8))
        assert as_matplotlib_has_it("path", prop=FontProperties(size=8)) is first
        assert as_matplotlib_has_it("path", prop=FontProperties(size=9)) is not first
        with rc_context({"mathtext.default": "bf"}):
            assert as_matplotlib_has_it("path", prop=FontProperties(size=8)) is not first
    assert as_matplotlib_has_it("path", prop=FontProperties(size=8)) is not first


def test_matplotlib_is_left_as_it_was():
    before = MathTextParser.parse
    with formulas_once():
        assert MathTextParser.parse is not before
    assert MathTextParser.parse is before
    with pytest.raises(ZeroDivisionError), formulas_once():
        raise ZeroDivisionError
    assert MathTextParser.parse is before


def test_a_figure_is_the_same_and_most_is_remembered():
    with figures.style():
        fig = logarithmic()
        fig.set_dpi(144)
        fig.set_facecolor("white")
        canvas = FigureCanvasAgg(fig)
        canvas.draw()
        plain = np.asarray(canvas.buffer_rgba())[..., :3]
        module._parsed.cache_clear()
        assert np.array_equal(figures.pixels(logarithmic()), plain)
        parsed = module._parsed.cache_info()
        assert np.array_equal(figures.pixels(logarithmic()), plain)
    after = module._parsed.cache_info()
    assert after.misses == parsed.misses, "the second figure needs no parser"
    assert after.hits > parsed.hits


def test_a_figure_that_keeps_its_layout_is_the_one_of_the_page():
    with figures.style():
        fig, fresh = logarithmic(), logarithmic()
        figures.drawing(fig)
        boxes = [ax.get_position().extents for ax in fig.axes]
        engine = fig.get_layout_engine()
        kept = figures.pixels(fig, laid_out=True)
        assert np.array_equal([ax.get_position().extents for ax in fig.axes], boxes)
        assert fig.get_layout_engine() is engine
        whole = figures.pixels(fresh)
        moved = [ax.get_position().extents for ax in fresh.axes]
    assert kept.shape == whole.shape
    assert np.allclose(moved, boxes, atol=0.01), "a layout for the screen is that of the paper"


def test_layout_and_drawing_without_output_give_the_same_places():
    with figures.style():
        drawn, fig = logarithmic(), logarithmic()
        drawn.set_dpi(72)
        drawn.draw_without_rendering()
        figures.drawing(fig)
    for a, b in zip(drawn.axes, fig.axes, strict=True):
        assert np.array_equal(a.get_position().extents, b.get_position().extents)
