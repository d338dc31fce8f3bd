"""Take out of the pages what none of them uses.

That is most of the theme's style sheets, its script of all icons there are, and the index of
the search where nothing is searched.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path

import tinycss2
from tinycss2.ast import AtRule, Node, QualifiedRule

from descent.files import write_whole
from descent.publish import site

# Drawn on a square of 24 by 24, as lines.
ICONS = {
    "angle-left": "M15 5l-7 7 7 7",
    "angle-right": "M9 5l7 7-7 7",
    "arrow-up": "M12 20V5M5 12l7-7 7 7",
    "bars": "M4 6h16M4 12h16M4 18h16",
    "circle-half-stroke": "M12 3a9 9 0 1 0 0 18a9 9 0 0 0 0-18zM12 4v16M14 5v14M16 6v12M18 8v8",
    "code": "M8 7l-5 5 5 5M16 7l5 5-5 5",
    "download": "M12 4v11M7 10l5 5 5-5M4 20h16",
    "expand": "M4 9V4h5M15 4h5v5M20 15v5h-5M9 20H4v-5",
    "file": "M6 3h8l4 4v14H6zM14 3v4h4",
    "file-pdf": "M6 3h8l4 4v14H6zM14 3v4h4M9 12h6M9 16h6",
    "lightbulb": "M9 18h6M10 21h4M12 3a6 6 0 0 1 4 10c-1 1-1 2-1 3H9c0-1 0-2-1-3a6 6 0 0 1 4-10z",
    "list": "M9 6h11M9 12h11M9 18h11M4 6h.01M4 12h.01M4 18h.01",
    "magnifying-glass": "M10 4a6 6 0 1 0 0 12a6 6 0 0 0 0-12zM15 15l5 5",
    "moon": "M20 14a8 8 0 0 1-10-10a8 8 0 1 0 10 10z",
    "pencil": "M4 20l1-4L16 5l3 3L8 19z",
    "rocket": "M12 3c4 3 5 7 5 12H7c0-5 1-9 5-12zM7 12l-3 5h3M17 12l3 5h-3M10 18v3M14 18v3",
    "sun": "M12 8a4 4 0 1 0 0 8a4 4 0 0 0 0-8zM12 2v2M12 20v2M2 12h2M20 12h2"
    "M5 5l1 1M18 18l1 1M5 19l1-1M18 6l1-1",
}
OTHER_ICON = "M12 12h.01"
_ICON = re.compile(r'<(i|span) class="([^"]*\bfa-[^"]*)"([^>]*)>\s*</\1>')
_TITLE = re.compile(r'\s*title="[^"]*"')
_OF_NO_USE = re.compile(
    r'\s*<(?:script|link)[^>]*\b(?:src|href)="[^"]*/fontawesome\.js[^"]*"[^>]*>(?:\s*</script>)?'
)
_SEARCH = re.compile(
    r'\s*<script src="[^"]*(?:searchtools|language_data|searchindex)\.js[^"]*"></script>'
)
_LETTERS_OF_ICONS = re.compile("[\ue000-\uf8ff]")  # of no writing: a font says what they are
_WORD = re.compile(r"[\w-]+")
_NAMED = re.compile(r"[.#]((?:[\w-]|\\.)+)")
_ALTERNATIVES = re.compile(r":(?:not|is|where|has)\([^()]*(?:\([^()]*\)[^()]*)*\)|\[[^\]]*\]")


def with_icons(page: str) -> str:
    """Return a page whose icons are drawings in the page, not letters of a font."""

    def drawn(found: re.Match[str]) -> str:
        classes = found[2].split()
        own = [name for name in classes if not re.match(r"fa[bsr]?(?:-|$)", name)]
        names = [name[3:] for name in classes if name[3:] in ICONS and name.startswith("fa-")]
        path = ICONS[names[0]] if names else OTHER_ICON
        return (
            f'<svg class="{" ".join([*own, "descent-icon"])}" viewBox="0 0 24 24" '
            f'aria-hidden="true"{_TITLE.sub("", found[3])}><path d="{path}"/></svg>'
        )

    return _OF_NO_USE.sub("", _ICON.sub(drawn, page))


def without_search(page: str) -> str:
    """Return a page without the scripts and the index that its search field does not need."""
    return _SEARCH.sub("", page)


def words(texts: Iterable[str]) -> set[str]:
    """Return everything in pages and scripts that could be the name of a class."""
    return {word for text in texts for word in _WORD.findall(text)}


def _selectors(prelude: list[Node]) -> list[str]:
    parts: list[list[Node]] = [[]]
    for token in prelude:
        if token.type == "literal" and token.value == ",":
            parts.append([])
        else:
            parts[-1].append(token)
    return [tinycss2.serialize(part).strip() for part in parts]


def _matches(selector: str, known: set[str]) -> bool:
    names = _NAMED.findall(_ALTERNATIVES.sub("", selector))
    return all(re.sub(r"\\(.)", r"\1", name) in known for name in names)


def _drawn(declarations: list[Node]) -> str:
    """Return what a rule says, but for letters of the font that goes with the other icons."""
    said: str = tinycss2.serialize(declarations).strip()
    if not _LETTERS_OF_ICONS.search(said):
        return said
    parsed = tinycss2.parse_blocks_contents(declarations, skip_comments=True, skip_whitespace=True)
    each = [node.serialize().strip() for node in parsed]
    return "; ".join(one for one in each if not _LETTERS_OF_ICONS.search(one))


def _kept(rules: list[Node], known: set[str]) -> str:
    text = []
    for rule in rules:
        if isinstance(rule, QualifiedRule):
            if selectors := [s for s in _selectors(rule.prelude) if _matches(s, known)]:
                text.append(f"{','.join(selectors)}{{{_drawn(rule.content)}}}")
        elif isinstance(rule, AtRule) and rule.lower_at_keyword in ("media", "supports"):
            inner = tinycss2.parse_rule_list(rule.content, skip_comments=True, skip_whitespace=True)
            if kept := _kept(inner, known):
                prelude = tinycss2.serialize(rule.prelude)
                text.append(f"@{rule.at_keyword}{prelude}{{{kept}}}")
        elif not (
            isinstance(rule, AtRule)
            and rule.lower_at_keyword == "font-face"
            and "Awesome" in tinycss2.serialize(rule.content)
        ):
            text.append(rule.serialize())
    return "".join(text)


def used_rules(sheet: str, known: set[str]) -> str:
    """Return a style sheet without the rules whose classes and names nothing bears.

    Parameters
    ----------
    sheet
        The text of a style sheet.
    known
        What may be the name of a class, by :func:`words`.

    Examples
    --------
    >>> used_rules(".a, .b > p { color: red } .a:not(.c) { top: 0 }", {"a"})
    '.a{color: red}.a:not(.c){top: 0}'
    """
    rules = tinycss2.parse_stylesheet(sheet, skip_comments=True, skip_whitespace=True)
    return _kept(rules, known)


def slim(html: Path) -> None:
    """Take out of a folder of pages what none of them uses."""
    for page in site.pages(html):
        text = page.read_text(encoding="utf-8")
        lighter = with_icons(text)
        if page.name != "search.html":
            lighter = without_search(lighter)
        if lighter != text:
            write_whole(page, lighter)
    for leftover in html.rglob("fontawesome.js*"):
        leftover.unlink()
    scripts = [script for script in html.rglob("*.js") if script.name != "searchindex.js"]
    known = words(path.read_text(encoding="utf-8") for path in [*site.pages(html), *scripts])
    for sheet in html.rglob("*.css"):
        write_whole(sheet, used_rules(sheet.read_text(encoding="utf-8"), known))
