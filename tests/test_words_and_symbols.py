"""The glossary and the notation page hold what the chapters say."""

import re

import nbformat
import pytest

from descent.publish import paths

GLOSSARY = (paths.BOOK / "glossary.md").read_text(encoding="utf-8")
NOTATION = (paths.BOOK / "notation.md").read_text(encoding="utf-8")
TERMS = re.findall(r"^(\S.*)\n  ", GLOSSARY, re.MULTILINE)
EVERYDAY = {"claim", "explorer", "verdict"}
"""Words of the pages around the chapters, which link them."""
OTHERWISE = {("07", "escape"), ("07", "pit"), ("08", "barrier"), ("06", "saddle")}
"""Words that a chapter uses for more than the term means."""


def prose(path):
    """Return the sentences of a notebook."""
    cells = nbformat.read(path, as_version=4).cells
    return "\n\n".join(cell.source for cell in cells if cell.cell_type == "markdown")


CHAPTERS = {path.stem[:2]: prose(path) for path in paths.notebooks()}

ROLE = re.compile(r"\{term\}`(?:[^`<]*<([^`>]+)>|([^`]+))`")
NO_WORDS = re.compile(
    r"\$\$.*?\$\$|\$[^$]*\$|`[^`]*`|\{[a-z:]+\}`[^`]*`|\]\([^)]*\)|^#.*$|^\|.*$|^```.*?^```",
    re.DOTALL | re.MULTILINE,
)


def linked(text):
    """Return the terms that a text links, in lower case."""
    return {(a or b).strip().lower() for a, b in ROLE.findall(text)}


def unlinked(text, terms=TERMS):
    """Return the terms that stand in the words of a text and are linked nowhere in it."""
    words = NO_WORDS.sub(" ", text)
    return {
        term
        for term in terms
        if term.lower() not in linked(text)
        and re.search(rf"(?<![\w-]){re.escape(term)}(?:e?s)?(?![\w-])", words, re.IGNORECASE)
    }


def late(text, terms=TERMS):
    """Return the terms that stand in the words of a text before it links them."""
    words = NO_WORDS.sub(lambda found: " " * len(found[0]), text)
    link: dict[str, int] = {}
    for role in ROLE.finditer(text):
        link.setdefault((role[1] or role[2]).strip().lower(), role.start())
    stands = {
        term: re.search(rf"(?<![\w-]){re.escape(term)}(?:e?s)?(?![\w-])", words, re.IGNORECASE)
        for term in terms
        if term.lower() in link
    }
    return {term for term, at in stands.items() if at and at.start() < link[term.lower()]}


@pytest.mark.parametrize("chapter", list(CHAPTERS))
def test_a_chapter_links_the_terms_that_it_uses_where_it_first_does(chapter):
    free = EVERYDAY | {term for where, term in OTHERWISE if where == chapter}
    terms = [t for t in TERMS if t not in free]
    assert unlinked(CHAPTERS[chapter], terms) == set()
    assert late(CHAPTERS[chapter], terms) == set()


def test_a_term_that_is_not_linked_is_noticed():
    assert unlinked("The walkers leave.", ["walker"]) == {"walker"}
    assert unlinked("{term}`Walkers <walker>` leave. The walker", ["walker"]) == set()
    assert unlinked("`walker` and $walker$", ["walker"]) == set()
    assert late("Walkers leave, and each {term}`walker`", ["walker"]) == {"walker"}
    assert late("A {term}`walker` leaves. Walkers", ["walker"]) == set()


def test_every_term_is_used_and_every_link_has_its_term():
    used = set().union(*map(linked, CHAPTERS.values()))
    pages = [page.read_text(encoding="utf-8") for page in paths.BOOK.glob("*.md")]
    known = {term.lower() for term in TERMS}
    assert used <= known
    assert known - used - set().union(*map(linked, pages)) == set()
    assert known - used <= EVERYDAY


# Symbols

FORMULA = re.compile(r"\$\$(.+?)\$\$|(?<!\\)\$((?:[^$\\]|\\.)+)\$", re.DOTALL)
GREEK = set(
    re.findall(
        r"\w+",
        "alpha beta gamma delta epsilon varepsilon zeta eta theta vartheta kappa lambda mu nu xi "
        "pi rho sigma tau phi varphi chi psi omega Gamma Delta Theta Lambda Xi Pi Sigma Phi Psi "
        "Omega",
    )
)
WORDS = re.compile(r"\\(?:text|mathrm|operatorname|mathsf|begin|end)\*?\s*(?:\{[^}]*\}|[A-Z])")
STYLED = re.compile(r"\\math(bb|cal)\s*\{?\s*([A-Z])\}?")


def symbols(text):
    """Return the letters of a text's formulas, with their alphabet."""
    found = set()
    for shown, inline in FORMULA.findall(text):
        formula = WORDS.sub(" ", shown or inline)
        found |= {f"{alphabet} {letter}" for alphabet, letter in STYLED.findall(formula)}
        formula = STYLED.sub(" ", formula)
        found |= {name for name in re.findall(r"\\([A-Za-z]+)", formula) if name in GREEK}
        found |= set(re.findall(r"[A-Za-z]", re.sub(r"\\[A-Za-z]+", " ", formula)))
    return found


def test_symbols_of_a_formula():
    text = r"$\tfrac12 \eta\, \mathcal W_{\mathrm{th}}$ and $$\mathbb E[x_i] = \text{mean}$$ a"
    assert symbols(text) == {"eta", "cal W", "bb E", "x", "i"}


def test_a_symbol_of_two_chapters_stands_on_the_notation_page():
    of = {chapter: symbols(text) for chapter, text in CHAPTERS.items()}
    entries = symbols(NOTATION)
    for symbol in sorted(set().union(*of.values())):
        where = [chapter for chapter, found in of.items() if symbol in found]
        assert len(where) < 2 or symbol in entries, f"{symbol} in chapters {where}"


def test_what_changes_is_used_where_the_page_says():
    """Each row of the table of changing letters names chapters whose formulas have the letter."""
    table = NOTATION.partition("## Letters that change")[2]
    rows = re.findall(r"^\| (.*?) \| chapters? ([\d, and]+) \|", table, re.MULTILINE)
    assert len(rows) > 20
    letters = ""
    for cell, chapters in rows:
        letters = cell if cell.strip() else letters
        for chapter in re.findall(r"\d+", chapters):
            found = symbols(CHAPTERS[f"{int(chapter):02d}"])
            assert symbols(letters) <= found, f"{letters} in chapter {chapter}"
