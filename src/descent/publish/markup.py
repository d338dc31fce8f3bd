"""Whether a piece of HTML closes what it opens: what it leaves open swallows the page below it."""

from __future__ import annotations

import re
from html.parser import HTMLParser

__all__ = ["Markup", "left_open"]

_VOID = re.compile("area|base|br|col|embed|hr|img|input|link|meta|param|source|track|wbr")
# A browser ends these by itself.
_ENDED = re.compile(
    "body|caption|colgroup|d[dt]|head|html|li|optgroup|option|p|r[pt]|t(?:body|[dhr]|foot|head)"
)
# Inside of these ``<path/>`` is whole; elsewhere a browser overlooks the stroke.
_FOREIGN = {"svg", "math"}
_COMMENT = re.compile(r"<!--.*?-->", re.DOTALL)


class Markup(HTMLParser):
    """Reads HTML piece by piece, and knows what is open.

    Attributes
    ----------
    line : int
        Where the next piece stands.
    open : list
        The elements that are open, each with its line.
    stray : tuple of str and int, or None
        The first end of an element that was not open, with its line.
    """

    def __init__(self) -> None:
        super().__init__()
        self.line = 1
        self.open: list[tuple[str, int]] = []
        self.stray: tuple[str, int] | None = None
        self._comment: int | None = None

    def read(self, html: str, line: int = 1) -> None:
        """Read a piece that stands in a line."""
        self.line = line
        whole = _COMMENT.sub("", html)
        if "<!--" in whole and self._comment is None and self.cdata_elem is None:
            self._comment = line
            whole = whole.partition("<!--")[0]
        self.feed(whole)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Open an element, if it is one that can be."""
        if not _VOID.fullmatch(tag):
            self.open.append((tag, self.line))

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Pass over an element that is whole; one of HTML is open in spite of its stroke."""
        if not any(name in _FOREIGN for name, _ in self.open) and tag not in _FOREIGN:
            self.handle_starttag(tag, attrs)

    def handle_endtag(self, tag: str) -> None:
        """Close an element, and those inside that a browser ends by itself."""
        inside = list(self.open)
        while inside and inside[-1][0] != tag and _ENDED.fullmatch(inside[-1][0]):
            inside.pop()
        if inside and inside[-1][0] == tag:
            self.open = inside[:-1]
        elif self.stray is None and not (_ENDED.fullmatch(tag) or _VOID.fullmatch(tag)):
            self.stray = (tag, self.line)

    def wrong(self) -> tuple[str, int] | None:
        """Return what is wrong with all that was read, and the line; None if nothing is."""
        left = [(tag, line) for tag, line in self.open if not _ENDED.fullmatch(tag)]
        if self._comment is not None:
            return "<!-- is not closed", self._comment
        if self.stray is not None:
            return f"</{self.stray[0]}> closes nothing", self.stray[1]
        return (f"<{left[0][0]}> is not closed", left[0][1]) if left else None


def left_open(html: str) -> str | None:
    """Return what is wrong with a piece of HTML that stands by itself, or None.

    Examples
    --------
    >>> left_open("<ul><li>one<li>two</ul><br>")
    >>> left_open("<div><b>bold</b>")
    '<div> is not closed'
    >>> left_open("bold</b>")
    '</b> closes nothing'
    """
    markup = Markup()
    markup.read(html)
    wrong = markup.wrong()
    return wrong[0] if wrong else None
