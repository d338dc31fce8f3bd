"""Headings of any form become those with marks; nothing else of a text changes."""

import json

import nbformat
import pytest

from descent.publish import authored, paths
from descent.publish.headings import with_marks

MARKED = {
    "Title\n=====\ntext": "# Title\n\ntext",
    "two\nlines\n---": "## two lines\n\n",
    "<h2 id='x'>\nIn <b>HTML</b>\n</h2>\n\ntext": "## In <b>HTML</b>\n\n\n\ntext",
    "<H3>One line</H3>": "### One line",
    " #\tSpaced  ##": "# Spaced",
}
LEFT = (
    "# Title\n\n## Part {eval}`x` of $a$ #1",
    "$$\na\n=\nb\n$$\n\n\\begin{align}\na\n=\n\\end{align}",
    ":::{admonition} T\nInside\n======\n:::",
    "```\nTitle\n=====\n```\n\n> quoted\n> ======",
    "text\n\n---\n\n| a |\n|---|\n| b |",
    "<center>\n<h1>T</h1>\n</center>",
    "#\n\n<h1></h1>",
)


@pytest.mark.parametrize(("text", "marked"), MARKED.items())
def test_a_heading_gets_marks_and_the_lines_keep_their_numbers(text, marked):
    assert with_marks(text) == marked
    assert text.count("\n") == marked.count("\n")
    assert with_marks(marked) == marked


@pytest.mark.parametrize("text", LEFT)
def test_what_has_marks_or_is_no_heading_stays(text):
    assert with_marks(text) == text


def test_the_chapters_of_the_book_stay_as_they_are():
    for path in paths.notebooks():
        stored = json.loads(path.read_text(encoding="utf-8"))["cells"]
        assert [cell["source"] for cell in authored.read(path).cells] == [
            "".join(cell["source"]) for cell in stored
        ]


def test_a_chapter_is_read_with_marks(tmp_path):
    made = nbformat.v4.new_notebook(cells=[nbformat.v4.new_markdown_cell("Exercises\n---\n\n1")])
    nbformat.write(made, tmp_path / "x.ipynb")
    assert authored.read(tmp_path / "x.ipynb").cells[0].source == "## Exercises\n\n\n1"
