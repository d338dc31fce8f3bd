"""What is wrong with the words of a notebook, and would be missing from its page in silence."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import quote

from markdown_it import MarkdownIt
from mdit_py_plugins.dollarmath import dollarmath_plugin

from descent.publish.markup import Markup

__all__ = ["complaint", "with_pasted"]

# Where a text shows a pasted picture: as an image, behind its text as a reference, in HTML.
_PASTED = re.compile(r"""(?:\]\(\s*<?|\]:\s*<?|\bsrc=["'])attachment:([^\s"'<>)]*)""")
# What the two functions of JavaScript that encode an address leave as it is.
_LEFT_ALONE = ("!~*'()", "!~*'();,/?:@&=+$#")
# Code and formulas; a block of MyST's directives holds words.
_VERBATIM = re.compile(
    r"^ {0,3}(?P<fence>```+|~~~+)(?!\{)[^\n]*\n.*?(?:^ {0,3}(?P=fence)[`~]*[ \t]*$|\Z)"
    r"|(?<!`)(?P<ticks>`+)(?!`).+?(?<!`)(?P=ticks)(?!`)|\$\$.+?\$\$|\$[^$\n]+\$",
    re.MULTILINE | re.DOTALL,
)
_NOTE = re.compile(r"^ {0,3}\[\^([^\]\s]+)\]:", re.MULTILINE)
_MARK = re.compile(r"(?<!!)\[\^([^\]\s]+)\](?!:|\()")
_ROW = re.compile(r"^[ \t]*\|.*\|[ \t]*$")
_RULE = re.compile(r"^[ \t]*\|[ :|-]+\|[ \t]*$")
_PIPE = re.compile(r"(?<!\\)\|")
_PICTURE = re.compile(r"<img\b(?P<rest>[^>]*)>", re.IGNORECASE)
_MARKDOWN = MarkdownIt("commonmark").enable("table").use(dollarmath_plugin)


def with_pasted(cell: Mapping[str, Any], places: Mapping[str, str]) -> str:
    """Return the text of a cell with its pasted pictures at the places where they lie."""
    text = str(cell["source"])
    for name in sorted(places, key=len, reverse=True):  # none begins a longer one's name
        for address in {name, *(quote(name, safe=safe) for safe in _LEFT_ALONE)}:
            text = text.replace(f"attachment:{address}", places[name])
    return text


def _at(text: str, place: int) -> int:
    return text.count("\n", 0, place) + 1


def _not_pasted(cell: Mapping[str, Any]) -> Iterator[str]:
    """Yield the pictures that a text shows and that are not pasted into its cell."""
    there = {name: "" for name, picture in cell.get("attachments", {}).items() if picture}
    for found in _PASTED.finditer(with_pasted(cell, there)):
        yield f" shows attachment:{found[1]}, which is not pasted into it"


def _open_html(text: str) -> Iterator[str]:
    """Yield what the HTML in a text leaves open, or closes that is not open."""
    markup = Markup()
    for token in _MARKDOWN.parse(text):
        first = (token.map or [0])[0] + 1
        if token.type == "html_block":
            markup.read(token.content, first)
        for child in token.children or ():
            if child.type == "html_inline":
                markup.read(child.content, first)
            first += child.type in ("softbreak", "hardbreak")
    if (wrong := markup.wrong()) is not None:
        yield f", line {wrong[1]}: {wrong[0]}, so the page below would be lost in it"


def _unsaid(text: str) -> Iterator[str]:
    """Yield the pictures of a text that have no words; one of HTML may say that it needs none."""
    for token in _MARKDOWN.parse(text):
        first = (token.map or [0])[0] + 1
        for piece in [token, *(token.children or ())]:
            if piece.type == "image" and not piece.content.strip():
                what = f"![...]({piece.attrs['src']})"
                yield f", line {first}: say in the brackets of {what} what the picture shows"
            elif piece.type in ("html_block", "html_inline"):
                for found in _PICTURE.finditer(piece.content):
                    if not re.search(r"(?i)\balt\s*=", found["rest"]):
                        line = first + piece.content.count("\n", 0, found.start())
                        yield f", line {line}: say in alt='...' of {found[0]} what it shows"
            first += piece.type in ("softbreak", "hardbreak")


def _broken_tables(text: str, prose: str) -> Iterator[str]:
    """Yield the tables whose rule has another number of columns than their head."""
    lines, seen = text.split("\n"), prose.split("\n")
    for at in range(1, len(lines)):
        begins = at == 1 or not _ROW.match(lines[at - 2])
        if begins and _ROW.match(lines[at - 1]) and _RULE.match(seen[at]):
            head, rule = (len(_PIPE.findall(row)) - 1 for row in lines[at - 1 : at + 1])
            if head != rule:
                yield f", line {at}: the table's head has {head} columns, its rule {rule}"


def _prose(text: str) -> str:
    """Return a text with blanks in place of code and formulas."""
    return _VERBATIM.sub(lambda found: re.sub(r"[^\n]", " ", found[0]), text)


def _wrong(cell: Mapping[str, Any], notes: set[str], marks: set[str]) -> Iterator[str]:
    """Yield what is wrong with a cell of words, each with its line where it is a line's fault."""
    text, prose = str(cell["source"]), _prose(str(cell["source"]))
    yield from _not_pasted(cell)
    yield from _open_html(text)
    yield from _unsaid(text)
    yield from _broken_tables(text, prose)
    for pattern, others, why in (
        (_MARK, notes, "[^{}] has no note, '[^{}]: ...'"),
        (_NOTE, marks, "no sentence refers to the note [^{}]"),
    ):
        for found in pattern.finditer(prose):
            if found[1] not in others:
                yield f", line {_at(prose, found.start())}: {why.replace('{}', found[1])}"


def complaint(path: Path, notebook: Mapping[str, Any]) -> str | None:
    """Return the first thing that is wrong with the words of a notebook, with its cell.

    Parameters
    ----------
    path
        Where the notebook lies.
    notebook
        Executed or not.

    Returns
    -------
    str or None
        A picture that is not there or has no words for those who do not see it, HTML that is left
        open, a table or a footnote that is none, or text in a cell that no page shows.
    """
    prose = [_prose(str(c["source"])) for c in notebook["cells"] if c["cell_type"] == "markdown"]
    notes = {name for text in prose for name in _NOTE.findall(text)}
    marks = {name for text in prose for name in _MARK.findall(text)}
    for number, cell in enumerate(notebook["cells"], start=1):
        if cell["cell_type"] == "markdown":
            for wrong in _wrong(cell, notes, marks):
                return f"{path}: cell {number}{wrong}"
        shown = {"format", "raw_mimetype"} & cell["metadata"].keys()
        if cell["cell_type"] == "raw" and str(cell["source"]).strip() and not shown:
            return f"{path}: cell {number} is a raw cell, which no page shows; make it Markdown"
    return None
