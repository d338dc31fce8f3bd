"""The register holds together, its checks can fail, and the notebooks check all of it."""

import ast
import math
import re
from collections import Counter
from fractions import Fraction

import nbformat
import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from descent import claims
from descent.publish import paths
from descent.publish.fingerprint import code_cells
from descent.publish.sentences import ROLE

REGISTER = {claim.id: claim for claim in claims.load()}
GOOD = {
    "id": "a-claim",
    "source": {"document": "003", "section": "somewhere"},
    "statement": "The value is about four.",
    "stated": "4.2",
    "expected": 4.21,
    "tolerance": 0.01,
    "verdict": "reproduced",
    "why": "It is computed.",
}


def register(tmp_path, *entries):
    (tmp_path / "01-chapter.yml").write_text(yaml.safe_dump(list(entries)))
    return claims.load(tmp_path)


def checks_in_notebooks():
    """Return (chapter, claim id) of every call of claims.check in the notebooks."""
    found = []
    for path in paths.notebooks():
        for code in code_cells(nbformat.read(path, as_version=4)):
            for node in ast.walk(ast.parse(code)):
                if isinstance(node, ast.Call) and ast.unparse(node.func) == "claims.check":
                    found.append((path.stem, ast.literal_eval(node.args[0])))
    return found


def test_every_claim_is_checked_by_exactly_one_cell_of_its_chapter():
    assert Counter(checks_in_notebooks()) == Counter((c.chapter, c.id) for c in REGISTER.values())


def test_no_check_is_handed_a_number_from_the_keyboard():
    for path in paths.notebooks():
        for code in code_cells(nbformat.read(path, as_version=4)):
            for node in ast.walk(ast.parse(code)):
                if isinstance(node, ast.Call) and ast.unparse(node.func) == "claims.check":
                    names = [n for n in ast.walk(node.args[1]) if isinstance(n, ast.Name)]
                    assert names, f"{path.name}: {ast.unparse(node)} computes nothing"


DECIMAL = re.compile(r"(?<![\w.])\d+\.\d+(?!\w)")


def expressions(notebook):
    """Return the expressions that stand in a notebook's sentences."""
    texts = [cell.source for cell in notebook.cells if cell.cell_type == "markdown"]
    return [expression for text in texts for expression in ROLE.findall(text)]


@pytest.mark.parametrize("path", paths.notebooks(), ids=lambda path: path.stem)
def test_decimals_in_prose_are_parameters_of_the_code_or_the_sources_own(path):
    """A number in a markdown cell is typed; one that is a result must come from a cell."""
    notebook = nbformat.read(path, as_version=4)
    known = {claim.stated for claim in REGISTER.values() if claim.chapter == path.stem}
    known |= set(DECIMAL.findall(" ".join(known)))
    known |= {
        str(node.value)
        for code in [*code_cells(notebook), *expressions(notebook)]
        for node in ast.walk(ast.parse(code))
        if isinstance(node, ast.Constant)
    }
    for cell in notebook.cells:
        if cell.cell_type == "markdown":
            prose = re.sub(r"`[^`]*`", "", cell.source)
            assert set(DECIMAL.findall(prose)) <= known, cell.source


@pytest.mark.parametrize("claim", REGISTER.values(), ids=list(REGISTER))
def test_each_check_passes_on_its_value_and_fails_when_it_moves(claim):
    claim.verify(claim.expected)
    for move in (-2, 2):
        with pytest.raises(claims.ClaimMismatch, match=claim.id):
            claim.verify(claim.expected + move * claim.tolerance)


@pytest.mark.parametrize("claim", REGISTER.values(), ids=list(REGISTER))
def test_tolerance_is_finer_than_what_it_must_tell_apart(claim):
    """A tolerance wide enough to accept the stated value of a corrected claim checks nothing."""
    stated = claim.stated_value()
    if claim.verdict in ("corrected", "refuted") and stated is not None:
        assert abs(claim.expected - stated) > 2 * claim.tolerance
    if claim.tolerance > 1e-3 * abs(claim.expected):
        assert claim.tolerance_why, "a tolerance wider than a thousandth needs its reason"


def test_nan_and_infinity_are_mismatches():
    for value in (math.nan, math.inf, -math.inf):
        with pytest.raises(claims.ClaimMismatch):
            next(iter(REGISTER.values())).verify(value)


def test_value_that_is_no_number_is_a_type_error():
    with pytest.raises(TypeError, match="real number"):
        next(iter(REGISTER.values())).verify("four")


def test_a_typo_is_answered_in_three_lines_with_the_ids_that_are_near():
    known = next(iter(REGISTER))
    for typo in (known[:-1], known.upper(), known[1:]):
        with pytest.raises(claims.ClaimError) as raised:
            claims.check(typo, 1.0)
        said = str(raised.value)
        assert repr(typo) in said
        assert repr(known) in said
        assert said.count("\n") < 3
        assert len(said) < 500
    with pytest.raises(claims.ClaimError) as raised:
        claims.check("zzz", 1.0)
    assert "did you mean" not in str(raised.value)
    assert str(claims.register_path()) in str(raised.value)


def test_register_elsewhere_is_found_by_its_variable(tmp_path, monkeypatch):
    register(tmp_path, GOOD)
    monkeypatch.setenv("DESCENT_CLAIMS", str(tmp_path))
    assert [claim.id for claim in claims.load()] == ["a-claim"]
    monkeypatch.setenv("DESCENT_CLAIMS", str(tmp_path / "nowhere"))
    with pytest.raises(FileNotFoundError, match="DESCENT_CLAIMS"):
        claims.load()


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"verdict": "true"}, "verdict must be one of"),
        ({"source": {"document": "007", "section": "x"}}, "document must be one of"),
        ({"source": "003"}, "document and section"),
        ({"expected": "four"}, "expected must be a finite number"),
        ({"expected": True}, "expected must be a finite number"),
        ({"tolerance": 0.0}, "tolerance must be positive"),
        ({"tolerance": math.nan}, "tolerance must be a finite number"),
        ({"why": " "}, "why must be a non-empty text"),
        ({"id": "Not Kebab"}, "lower case"),
        ({"extra": 1}, "unknown .'extra'."),
        ({"expected": 4.3}, "is reproduced, but"),
        ({"verdict": "refuted"}, "is refuted, but"),
    ],
)
def test_malformed_claims_are_named_errors(tmp_path, change, message):
    with pytest.raises(claims.ClaimError, match=message):
        register(tmp_path, GOOD | change)


def test_missing_field_and_double_id_are_errors(tmp_path):
    with pytest.raises(claims.ClaimError, match=r"lacks \['why'\]"):
        register(tmp_path, {k: v for k, v in GOOD.items() if k != "why"})
    with pytest.raises(claims.ClaimError, match="twice"):
        register(tmp_path, GOOD, GOOD)


def test_reproduced_needs_the_digits_of_the_source(tmp_path):
    """A value inside a wide tolerance that rounds to another number is no reproduction."""
    (claim,) = register(tmp_path, GOOD | {"expected": 4.24, "tolerance": 0.02})
    claim.verify(4.24)
    with pytest.raises(claims.ClaimMismatch, match="does not round"):
        claim.verify(4.255)


@pytest.mark.parametrize(
    ("stated", "value"),
    [("81 %", 0.81), ("1.004", 1.004), ("−1.305", -1.305), ("12,000", 12000.0), ("stuck", None)],
)
def test_stated_numbers_are_read(tmp_path, stated, value):
    entry = GOOD | {"stated": stated, "expected": value or 0.0, "verdict": "reproduced"}
    (claim,) = register(tmp_path, entry)
    assert claim.stated_value() == value


@given(st.floats(-1e6, 1e6), st.integers(0, 6))
def test_a_number_always_rounds_to_its_own_rounding(value, decimals):
    entry = dict(GOOD, stated=f"{value:.{decimals}f}")
    fields = {k: v for k, v in entry.items() if k != "source"}
    claim = claims.Claim(**fields, chapter="x", document="003", section="y", tolerance_why="")
    assert claim.rounds_to_stated(value)
    assert not claim.rounds_to_stated(value + 1.1 * 10.0**-decimals)


def test_a_stated_fraction_is_exact(tmp_path):
    entry = GOOD | {"stated": "2/9 of all", "expected": 0.2222222222222, "tolerance": 1e-9}
    (claim,) = register(tmp_path, entry)
    assert claim.stated_fraction() == Fraction(2, 9)
    claim.verify(2 / 9)
    assert claim.format(2 / 9) == "2/9"
    assert not claim.rounds_to_stated(0.2222)
    with pytest.raises(claims.ClaimError, match="is reproduced, but"):
        register(tmp_path, entry | {"expected": 0.2223})
    (other,) = register(tmp_path, entry | {"expected": 0.3, "verdict": "corrected"})
    assert other.format(0.3) == "3/10"
    assert other.format(math.pi / 10) == "0.314159265"


def test_card_shows_stated_computed_and_verdict_and_escapes_them(tmp_path):
    (claim,) = register(tmp_path, GOOD | {"statement": "a < b & c"})
    data, metadata = claims.Card(claim, 4.2134)._repr_mimebundle_()
    assert "a &lt; b &amp; c" in data["text/html"]
    for text in ("4.2", "4.21", "reproduced"):
        assert text in data["text/html"]
        assert text in data["text/plain"]
    assert metadata == {"descent": {"claim": "a-claim", "value": 4.2134}}
