"""Formulas of labels and captions as text."""

import xml.etree.ElementTree as ET
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from descent.figures.inline_math import Run, runs, to_html, to_plain, to_svg


@pytest.mark.parametrize(
    ("formula", "html"),
    [
        ("T", "<i>T</i>"),
        (r"\mathdefault{10^{-3}}", "10<sup>−3</sup>"),
        (r"w_0^2", "<i>w</i><sub>0</sub><sup>2</sup>"),
        (r"\log_{10} \tau", "log<sub>10</sub>\u2009<i>τ</i>"),
        (r"\lambda = -1", "<i>λ</i>\u2005=\u2005−1"),
        (r"\bar w < \infty", "<i>w̄</i>\u2005&lt;\u2005∞"),
        (r"W_{\mathrm{eff}}", "<i>W</i><sub>eff</sub>"),
        (r"\rho_\mathrm{L}", "<i>ρ</i><sub>L</sub>"),
        (r"\vartheta", "<i>ϑ</i>"),
        (r"\mathcal{Y} - \mathcal{W}", "𝒴\u2005−\u2005𝒲"),
        (r"\mathcal L", "ℒ"),
        (r"1/\sqrt{m}", "1/√<i>m</i>"),
        (r"\Delta t\,(\mathrm{s})", "<i>Δt</i>\u2009(s)"),
    ],
)
def test_simple_formulas_become_text(formula, html):
    assert to_html(f"${formula}$") == html


@pytest.mark.parametrize(
    "formula",
    [r"\frac{1}{2}", r"\sqrt{xy}", "x_{i_j}", "x^", r"\bar{xy}", "{x", r"\mathcal{1}"],
)
def test_hard_formulas_are_paths_in_a_figure_and_errors_in_a_text(formula):
    assert runs(formula) is None
    assert to_svg(f"a ${formula}$") is None
    for written in (to_html, to_plain):
        with pytest.raises(ValueError, match="write it in words"):
            written(f"a ${formula}$")


def test_letters_that_few_fonts_have_are_paths_in_a_figure_and_plain_for_the_ear():
    assert to_svg(r"$\mathcal{X}$") is None
    assert to_plain(r"$\mathcal{X}$ and $w^2$") == "X and w^2"


def test_plain_text_keeps_its_dollars_and_gets_minus_signs():
    assert to_html(r"costs \$3 & falls to -2.5, see C-3") == "costs $3 &amp; falls to −2.5, see C-3"


def test_the_pen_comes_back_to_the_base_line():
    root = ET.fromstring(f"<text>{to_svg('$x_i^2 y$ and')}</text>")
    height, size = 0.0, 1.0
    for span in root:
        size = 0.7 if span.get("font-size") else 1.0
        height += size * float(span.get("dy", "0em").removesuffix("em"))
    assert abs(height) < 0.01
    assert size == 1.0


@given(st.text(st.sampled_from("ab1-=_^{}$\\ <&'\""), max_size=20))
def test_any_text_gives_well_formed_markup(text):
    with suppress(ValueError):  # too hard
        ET.fromstring(f"<p>{to_html(text)}</p>")
    drawn = to_svg(text)
    if drawn is not None:
        ET.fromstring(f"<text>{drawn}</text>")


def test_spoken_text_marks_scripts():
    assert to_plain("$w_0 = 10^{-3}$") == "w_0\u2005=\u200510^−3"
    assert runs("ab") == [Run("ab", italic=True)]
