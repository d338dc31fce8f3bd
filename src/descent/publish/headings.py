"""Headings as authors write them: with marks before, with a line below, in HTML.

Numbers, titles and the parts of a chapter are read off the marks, so all headings get these.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache
from typing import Any, NamedTuple

__all__ = ["Heading", "headings", "with_marks"]

_HTML = re.compile(
    r"\s*<h(?P<level>[1-6])\b[^>]*>(?P<words>(?:(?!</?h[1-6]\b).)+)</h(?P=level)\s*>\s*",
    re.IGNORECASE | re.DOTALL,
)


class Heading(NamedTuple):
    """A heading of a text.

    Attributes
    ----------
    level : int
        From 1, that of a title, to 6.
    words : str
        As they are written, without marks.
    first, end : int
        Its first line, counted from zero, and the one behind its last.
    """

    level: int
    words: str
    first: int
    end: int


@cache
def _parser() -> Any:
    # Not at hand in a browser, which gets no words.
    from markdown_it import MarkdownIt
    from mdit_py_plugins.amsmath import amsmath_plugin
    from mdit_py_plugins.colon_fence import colon_fence_plugin
    from mdit_py_plugins.dollarmath import dollarmath_plugin

    plain = MarkdownIt("commonmark").enable("table")
    return plain.use(amsmath_plugin).use(colon_fence_plugin).use(dollarmath_plugin)


def headings(text: str) -> Iterator[Heading]:
    r"""Yield the headings of a text in Markdown, but for those inside of lists and blocks.

    Examples
    --------
    >>> [heading.words for heading in headings("Title\n=====\n\n# Other #\n\n<h2>HTML</h2>")]
    ['Title', 'Other', 'HTML']
    """
    tokens = _parser().parse(text)
    for token, inline in zip(tokens, [*tokens[1:], None], strict=False):
        if token.level or not token.map:
            continue
        first, end = token.map
        if token.type == "heading_open" and inline is not None:
            yield Heading(int(token.tag[1:]), " ".join(inline.content.split()), first, end)
        elif token.type == "html_block" and (found := _HTML.fullmatch(token.content)):
            yield Heading(int(found["level"]), " ".join(found["words"].split()), first, end)


def with_marks(text: str) -> str:
    r"""Return a text whose headings all begin with marks; each line keeps its number.

    Examples
    --------
    >>> with_marks("Title\n=====\n\ntext")
    '# Title\n\n\ntext'
    """
    lines = text.split("\n")
    for heading in headings(text):
        if not re.match(r"#+ (?!.*#\s*$)", lines[heading.first]):
            of_it = [f"{'#' * heading.level} {heading.words}".rstrip()]
            lines[heading.first : heading.end] = (of_it + [""] * len(lines))[
                : heading.end - heading.first
            ]
    return "\n".join(lines)
