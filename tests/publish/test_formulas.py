"""TeX becomes MathML while the book is made, or the build stops."""

import json
import re

import pytest
import yaml
from fontTools.ttLib import TTFont

from descent.publish import paths
from descent.publish.formulas import FormulaError, Typesetter, rows

FORMULA = re.compile(r"\$\$(.+?)\$\$|(?<!\\)\$([^$]+?)(?<!\\)\$", re.S)


@pytest.fixture(scope="module")
def typesetter():
    with Typesetter() as open_one:
        yield open_one


def formulas():
    """Yield (TeX, whether it stands alone) of every formula of the chapters and the pages."""
    texts = [page.read_text("utf-8") for page in paths.BOOK.glob("*.md")]
    for notebook in paths.notebooks():
        cells = json.loads(notebook.read_text("utf-8"))["cells"]
        texts += ["".join(c["source"]) for c in cells if c["cell_type"] == "markdown"]
    for text in texts:
        for found in FORMULA.finditer(re.sub(r"`[^`]*`", "", text)):
            yield found[1] or found[2], bool(found[1])


def test_every_formula_is_typeset_with_letters_that_browsers_know(typesetter):
    known = list(formulas())
    assert len(known) > 1000
    letters = set()
    for tex, display in known:
        mathml = typesetter.mathml(rows(tex), display=display)
        assert set(re.findall(r'mathvariant="(.*?)"', mathml)) <= {"normal"}
        assert ' style="' not in mathml
        letters |= set(re.sub(r"<mtext>.*?</mtext>|<[^>]*>|&\w+;", "", mathml))
    in_font = set(TTFont(paths.BOOK / "_static" / "stix-two-math.woff").getBestCmap())
    assert {letter for letter in letters if ord(letter) not in in_font} <= set("\n"), (
        "add to the font"
    )


@pytest.mark.parametrize("tex", [r"\nosuchcommand x", r"\frac{1}", "a^b^c", r"\left( x", "{x"])
def test_what_is_no_tex_stops_the_build(typesetter, tex):
    with pytest.raises(FormulaError, match="in the formula"):
        typesetter.mathml(tex)
    assert "<mi>x</mi>" in typesetter.mathml("x"), "the next formula is none the worse"


def test_lines_are_aligned_and_letters_of_alphabets_are_letters(typesetter):
    table = typesetter.mathml(rows(r"a &= b \\ c &= d"), display=True)
    assert table.count("<mtr") == 2
    for tex, letter in {r"\mathbb E": "𝔼", r"\mathcal W": "𝒲", r"\mathsf T": "𝖳"}.items():
        assert letter in typesetter.mathml(tex)


def test_styles_become_rules_that_do_not_depend_on_order():
    sheets = set()
    for order in ("a", "b"), ("b", "a"):
        with Typesetter() as typesetter:
            for tex in order:
                typesetter.mathml(rf"\begin{{aligned}}{tex} &= 1 \\ x &= 2\end{{aligned}} \! y")
            sheets.add(typesetter.stylesheet())
            assert typesetter.rules
    assert len(sheets) == 1


def test_the_book_uses_it_and_no_script_for_formulas():
    config = yaml.safe_load((paths.BOOK / "_config.yml").read_text("utf-8"))["sphinx"]["config"]
    assert config["html_math_renderer"] == "temml"
    assert "descent.publish.formulas" in config["extensions"]
