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
from descent.figures import inline_math
from descent.publish import pages, paths
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


def checks(code):
    """Yield (claim id, expression of its value) of each check and each row of a ledger."""
    for node in ast.walk(ast.parse(code)):
        match node:
            case ast.Call(func=ast.Attribute(ast.Name("claims"), "check"), args=[name, value]):
                yield ast.literal_eval(name), value
            case ast.Call(func=ast.Attribute(ast.Name("claims"), "ledger"), args=[ast.Dict() as d]):
                yield from ((ast.literal_eval(k), v) for k, v in zip(d.keys, d.values, strict=True))


def checks_in_notebooks():
    """Yield (chapter, claim id, expression) of every check in the notebooks."""
    for path in paths.notebooks():
        for code in code_cells(nbformat.read(path, as_version=4)):
            yield from ((path.stem, *found) for found in checks(code))


def test_every_claim_is_checked_by_exactly_one_cell_of_its_chapter():
    found = Counter((chapter, name) for chapter, name, _ in checks_in_notebooks())
    assert found == Counter((claim.chapter, claim.id) for claim in REGISTER.values())


def test_no_check_is_handed_a_number_from_the_keyboard():
    for chapter, name, value in checks_in_notebooks():
        names = [n for n in ast.walk(value) if isinstance(n, ast.Name)]
        assert names, f"{chapter}: {name} computes nothing"


def test_ledgers_are_read_like_checks():
    found = dict(checks('claims.check("a", x)\nclaims.ledger({"b": 1, "c": y})'))
    assert {name: ast.unparse(value) for name, value in found.items()} == {
        "a": "x",
        "b": "1",
        "c": "y",
    }


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
        (
            {"source": {"document": "own", "section": "x"}, "verdict": "refuted"},
            "the book states what it has computed",
        ),
        ({"expected": "four"}, "expected must be a finite number"),
        ({"expected": True}, "expected must be a finite number"),
        ({"tolerance": 0.0}, "tolerance must be positive"),
        ({"tolerance": math.nan}, "tolerance must be a finite number"),
        ({"why": " "}, "why must be a non-empty text"),
        ({"id": "Not Kebab"}, "lower case"),
        ({"extra": 1}, "unknown .'extra'."),
        ({"expected": 4.3}, "is reproduced, but"),
        ({"verdict": "refuted"}, "is refuted, but"),
        ({"verdict": "corrected", "stated": "a rhombus"}, "what to read instead"),
        ({"verdict": "refuted", "stated": "$4.21$"}, "what to read instead"),
        ({"read": "5"}, "nothing is to be read instead"),
        ({"in_our_copy": "yes"}, "in_our_copy must be true or false"),
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


def test_a_formula_counts_as_words(tmp_path):
    (claim,) = register(tmp_path, GOOD | {"stated": "$2pt$", "expected": 19.96})
    assert claim.stated_value() is None
    claim.verify(19.96)
    (claim,) = register(tmp_path, GOOD | {"stated": "$n = 100$: 4.2"})
    assert claim.stated_value() == 4.2


TEXTS = ("section", "statement", "stated", "quantity", "why", "control", "read")


def formulas(claim):
    return [f for field in TEXTS for f in re.findall(r"\$([^$]*)\$", getattr(claim, field))]


PLAIN = re.compile(r"[=^_<>≤≥²³⁰⁻₀₁ₜεδσλθπρη∞√→′]|\b[A-Z]\w?\(")


@pytest.mark.parametrize("claim", REGISTER.values(), ids=list(REGISTER))
def test_formulas_are_formulas_and_simple(claim):
    """The pages of claims and errata load no typesetter, and a formula is none as plain text."""
    for formula in formulas(claim):
        assert inline_math.runs(formula) is not None, formula
    for field in TEXTS:
        words = re.sub(r"\$[^$]*\$|“[^”]*”", "", getattr(claim, field))
        assert not PLAIN.search(words), words


def test_a_formula_in_plain_text_is_noticed():
    assert all(PLAIN.search(text) for text in ("T = 2", "S²", "T → 0", "P(W)", "half of ε"))
    assert inline_math.runs(r"\frac12 S") is None


@pytest.mark.parametrize("claim", REGISTER.values(), ids=list(REGISTER))
def test_a_statement_can_be_read_alone(claim):
    """No statement points to its neighbours, and none of the reasons to the page around it."""
    assert len(claim.statement.split()) >= 7, claim.statement
    assert not re.match(r"(The same|This|It|These|Its|They|Entropy|Ratio)\b", claim.statement)
    beside = re.compile(r"\b(this card|figure before|race shows|above it|in the same way)\b")
    assert not beside.search(f"{claim.statement} {claim.why}")


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


def test_card_and_erratum_say_what_to_read(tmp_path):
    entry_with = GOOD | {
        "statement": "The shape at $t < 1$ is this.",
        "stated": "a rhombus",
        "read": "a parallelogram",
        "verdict": "corrected",
        "in_our_copy": True,
    }
    (claim,) = register(tmp_path, entry_with)
    data, _ = claims.Card(claim, 4.21)._repr_mimebundle_()
    for text in ("Our copy says", "a rhombus", "Read", "a parallelogram", "4.21"):
        assert text in data["text/html"]
    assert "<i>t</i>" in data["text/html"]
    assert "The shape at t < 1 is this." in data["text/plain"].replace("\u2005", " ")
    entry = pages.erratum("01-chapter", claim, 4.21)
    assert "For “a rhombus” read “a parallelogram” (corrected). Computed: 4.21. It is" in entry
    (claim,) = register(tmp_path, entry_with | {"quantity": "The ratio of its sides."})
    entry = pages.erratum("01-chapter", claim, 4.21)
    assert "(corrected). The ratio of its sides: 4.21. It is computed." in entry
    numeric = GOOD | {"stated": "0.4", "expected": 0.04, "verdict": "corrected", "tolerance": 1e-9}
    (claim,) = register(tmp_path, numeric)
    assert "For “0.4” read “0.04” (corrected)" in pages.erratum("01-chapter", claim, 0.04)


def test_card_shows_stated_computed_and_verdict_and_escapes_them(tmp_path):
    (claim,) = register(tmp_path, GOOD | {"statement": "a < b & c"})
    data, metadata = claims.Card(claim, 4.2134)._repr_mimebundle_()
    assert "a &lt; b &amp; c" in data["text/html"]
    for text in ("4.2", "4.21", "reproduced"):
        assert text in data["text/html"]
        assert text in data["text/plain"]
    assert metadata == {"descent": {"claims": {"a-claim": 4.2134}}}


def test_a_ledger_has_a_row_for_each_claim_which_its_link_finds(tmp_path, monkeypatch):
    other = {"id": "another", "statement": "a < b", "quantity": "Half of it."}
    register(tmp_path, GOOD, GOOD | other)
    monkeypatch.setenv("DESCENT_CLAIMS", str(tmp_path))
    data, metadata = claims.ledger({"a-claim": 4.2134, "another": 4.2})._repr_mimebundle_()
    assert metadata == {"descent": {"claims": {"a-claim": 4.2134, "another": 4.2}}}
    page = data["text/html"]
    assert page.count('<tr id="claim-') == 2
    assert "2 statements" in page
    assert "a &lt; b" in page
    assert "Half of it." in page
    assert "4.21" in data["text/plain"]


@pytest.mark.parametrize(
    ("values", "error", "message"),
    [
        ({"a-claim": 4.3}, claims.ClaimMismatch, "computed 4.3"),
        ({"a-claim": "four"}, TypeError, "real number"),
        ({"a-clam": 4.2}, claims.ClaimError, "did you mean 'a-claim'"),
        ({"wrong": 4.2}, claims.ClaimError, "show it by check"),
        ({}, ValueError, "at least one claim"),
        (["a-claim"], TypeError, "values must map ids"),
    ],
)
def test_a_ledger_refuses_what_a_check_would_and_what_is_not_reproduced(
    tmp_path, monkeypatch, values, error, message
):
    wrong = GOOD | {"id": "wrong", "stated": "5", "verdict": "corrected"}
    register(tmp_path, GOOD, wrong)
    monkeypatch.setenv("DESCENT_CLAIMS", str(tmp_path))
    with pytest.raises(error, match=message):
        claims.ledger(values)


def test_a_card_says_what_is_computed(tmp_path):
    (claim,) = register(tmp_path, GOOD | {"quantity": "The mean of <it>."})
    card = claims.Card(claim, 4.2134)
    assert "(The mean of <it>)" in repr(card)
    assert "(The mean of &lt;it&gt;)" in card._repr_html_()
