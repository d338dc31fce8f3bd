"""What sentences refer to has a number, and they refer to it by number and link."""

import re

import pytest
from nbformat import NotebookNode
from nbformat.v4 import new_code_cell, new_markdown_cell, new_output

from descent.publish.numbering import claim_numbers, linked_chapters, numbered

TABLE = "| a | b |\n|:--|--:|\n| 1 | 2 |\n"


def words(text, name="words"):
    cell = new_markdown_cell(text)
    cell.id = name
    return cell


def shown(kind, text, name="shown", claims=()):
    data = {f"text/{kind}": text}
    metadata = {"descent": {"claims": dict.fromkeys(claims, 1.0)}} if claims else {}
    cell = new_code_cell("", outputs=[new_output("display_data", data=data, metadata=metadata)])
    cell.id = name
    return cell


def notebook(*cells):
    return NotebookNode(cells=list(cells))


def page_of(*cells, chapter="03-chapter", **others):
    pages = {chapter: notebook(*cells), **others}
    numbered(pages)
    return pages[chapter].cells


def html(cell):
    return cell.outputs[0].data["text/html"]


FIGURE = "<figure class='descent-figure'><svg/><figcaption>A curve.</figcaption></figure>"
EXPLORER = (
    "<figure class='descent-explorer' data-name='x'><figcaption>A curve.</figcaption></figure>"
)


def test_figures_and_explorers_are_counted_together_in_their_order():
    cells = page_of(shown("html", EXPLORER), shown("html", FIGURE))
    caption = "<figcaption data-number='Figure 3.1. ' style='--number: \"Figure 3.1. \"'>A curve."
    assert caption in html(cells[0])
    assert '<figcaption><span class="descent-number">Figure 3.2.</span> A curve.' in html(cells[1])
    assert "<figure id='figure-3-2' class='descent-figure'>" in html(cells[1])


def test_tables_have_their_number_above_them_whether_written_or_computed():
    cells = page_of(words(f"Before.\n\n{TABLE}\nAfter.\n\n{TABLE}"), shown("markdown", TABLE))
    found = re.findall(r'id="table-3-(\d)">Table 3\.\1</p>\n\n\| a', cells[0].source)
    assert found == ["1", "2"]
    assert cells[1].outputs[0].data["text/markdown"].startswith('<p class="descent-number')
    assert ">Table 3.3</p>" in cells[1].outputs[0].data["text/markdown"]


def test_each_displayed_formula_gets_the_label_that_sphinx_numbers():
    text = "One:\n\n$$\na = b\n$$\n\nin a list\n\n  $$\n  c\n  $$\n\nand $$ is no formula."
    (cell,) = page_of(words(text))
    assert "\na = b\n$$ (3-1)\n" in cell.source
    assert "  c\n  $$ (3-2)\n" in cell.source
    assert cell.source.endswith("and $$ is no formula.")


def test_a_formula_that_its_author_names_keeps_its_name_and_is_counted():
    text = "$$\na\n$$ (Own_name)\n\n$$b$$ (second)\n\n$$\nc\n$$\n\nand $$d$$ is none."
    pages = {"03-chapter": notebook(words(text))}
    places = numbered(pages).places["03-chapter", "words", "formula"]
    assert [(place.number, place.anchor) for place in places] == [
        ("3.1", "equation-own-name"),
        ("3.2", "equation-second"),
        ("3.3", "equation-3-3"),
    ]
    assert pages["03-chapter"].cells[0].source == text.replace("c\n$$", "c\n$$ (3-3)")


def test_theorems_keep_their_names():
    (cell,) = page_of(
        words("**Theorem.** A.\n\n**Theorem (Bode's).** B.\n\n:::{admonition} Theorem\nC.\n:::")
    )
    assert '<span id="theorem-3-1"></span>**Theorem 3.1.** A.' in cell.source
    assert "**Theorem 3.2 (Bode's).** B." in cell.source
    assert ":::{admonition} Theorem 3.3\n:name: theorem-3-3\nC." in cell.source


def test_exercises_are_numbered_in_their_section_alone():
    cells = page_of(
        words("**1.** No exercise."),
        words("## Exercises\n\n**1.** First."),
        words("Its answer.\n\n**2.** Second.\n\n## What we used\n\n**3.** Nothing."),
        words("**4.** Nothing either."),
    )
    assert cells[0].source == "**1.** No exercise."
    assert '<span id="exercise-3-1"></span>**Exercise 3.1.** First.' in cells[1].source
    assert "**Exercise 3.2.** Second." in cells[2].source
    assert "**3.** Nothing." in cells[2].source
    assert cells[3].source == "**4.** Nothing either."


CARD = '<div class="descent-claim" data-verdict="x" id="claim-{0}"><p class="s">It.</p></div>'
ROWS = '<table><tr id="claim-{0}"><td>It.</td></tr><tr id="claim-{1}"><td>It.</td></tr></table>'


def test_claims_in_cards_and_ledgers_have_the_numbers_of_the_register():
    cells = [
        shown("html", ROWS.format("late", "early"), claims=("early", "late")),
        shown("html", CARD.format("card"), claims=("card",)),
    ]
    assert claim_numbers({"03-chapter": notebook(*cells)}) == {
        "late": "3.1",
        "early": "3.2",
        "card": "3.3",
    }
    first, second = map(html, page_of(*cells))
    assert '<tr id="claim-early"><td><span class="descent-number">Claim 3.2.</span> It.' in first
    assert '<p class="s"><span class="descent-number">Claim 3.3.</span> It.' in second


def test_a_sentence_refers_to_a_cell_by_what_it_shows_there():
    other = notebook(words("See [the figure](03-chapter.ipynb#cell-id=drawn)."))
    cells = page_of(
        words("[The table](#cell-id=t) and [the formula above](#cell-id=t) of [it](#t)."),
        words(f"$$\nx\n$$\n\n{TABLE}", name="t"),
        shown("html", FIGURE, name="drawn"),
        **{"04-other": other},
    )
    assert cells[0].source == (
        '<a href="#table-3-1">Table 3.1</a> and <a href="#equation-3-1">formula 3.1</a> '
        "of [it](#t)."
    )
    assert '<a href="03-chapter.html#figure-3-1">figure 3.1</a>' in other.cells[0].source


def test_a_sentence_says_which_formula_of_a_cell_it_means():
    text = "[The second formula](#cell-id=t), [the formula](#cell-id=t)."
    cells = page_of(words(text), words("$$\nx\n$$\n\nand\n\n$$\ny\n$$", name="t"))
    assert cells[0].source == (
        '<a href="#equation-3-2">Formula 3.2</a>, <a href="#equation-3-1">formula 3.1</a>.'
    )


@pytest.mark.parametrize(
    ("link", "complaint"),
    [
        ("$$\nx\n$$\n\n[the second formula](#cell-id=words)", "has 1 displayed"),
        ("[the table](#cell-id=none)", "this cell of 03-chapter has no table"),
        ("[this](#cell-id=words)", "must say what it means: one of theorem, "),
    ],
)
def test_a_reference_to_nothing_stops_the_build(link, complaint):
    with pytest.raises(ValueError, match=f"03-chapter.ipynb: .*{complaint}"):
        page_of(words(link))


CHAPTERS = {1: "01-a", 2: "02-b", 10: "10-c"}


@pytest.mark.parametrize(
    ("text", "linked"),
    [
        ("in chapter 2, and", "in [chapter 2](02-b.ipynb), and"),
        ("chapters 1 and 10.", "chapters [1](01-a.ipynb) and [10](10-c.ipynb)."),
        ("chapter 3 is not there", "chapter 3 is not there"),
        ("[chapter 2](x.md)", "[chapter 2](x.md)"),
        (
            "## The pit of chapter 1\n\nand chapter 2",
            "## The pit of chapter 1\n\nand [chapter 2](02-b.ipynb)",
        ),
        ("`chapter 2` and $chapter 2$", "`chapter 2` and $chapter 2$"),
        ("Exercise 2 of chapter 1 has", '<a href="01-a.html#exercise-1-2">Exercise 1.2</a> has'),
        ("see exercise 4.", "see exercise 4."),
        ("<table><td>in chapter 2</table>", "<table><td>in chapter 2</table>"),
    ],
)
def test_chapters_and_exercises_named_in_a_sentence_are_links(text, linked):
    assert linked_chapters(text, CHAPTERS, folder="") == linked


def test_a_chapter_links_its_own_exercises_and_not_itself():
    assert linked_chapters("Exercise 4 of it", CHAPTERS, "01-a") == (
        '<a href="#exercise-1-4">Exercise 1.4</a> of it'
    )
    assert linked_chapters("chapter 1", CHAPTERS, "01-a") == "chapter 1"
