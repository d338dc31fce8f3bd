"""One style sheet for each page: all that the theme and its extensions link to, in their order.

A browser shows nothing until the last of them is there, and on a slow line each costs a round.
"""

from __future__ import annotations

import os
import re
from hashlib import sha256
from pathlib import Path
from urllib.parse import unquote, urlsplit

from descent.files import write_whole
from descent.publish import site

FOLDER = "_static"
_LINK = re.compile(r"<link\b(?=[^>]*\brel=\"stylesheet\")[^>]*\bhref=\"([^\"]+)\"[^>]*>[ \t]*\n?")
_IMPORT = re.compile(r"@import\s+(?:url\()?\s*['\"]?([^'\")\s;]+)['\"]?\s*\)?\s*;")
_CHARSET = re.compile(r"@charset\s+[^;]*;")
_URL = re.compile(r"url\(\s*(['\"]?)(?!data:|#|/|[a-z]+:)([^'\")]+)\1\s*\)", re.IGNORECASE)


def whole(sheet: Path, home: Path) -> str:
    """Return a style sheet with those that it imports, its addresses as seen from a folder."""

    def imported(found: re.Match[str]) -> str:
        return whole(sheet.parent / unquote(urlsplit(found[1]).path), home)

    def moved(found: re.Match[str]) -> str:
        place = os.path.relpath(sheet.parent / found[2], home)
        return f"url({found[1]}{Path(place).as_posix()}{found[1]})"

    text = _URL.sub(moved, _CHARSET.sub("", sheet.read_text(encoding="utf-8")))
    return _IMPORT.sub(imported, text)


def one_sheet(html: Path) -> None:
    """Give each page of a folder one style sheet in place of all that it links to.

    Pages that link to the same ones share it.

    Raises
    ------
    ValueError
        If a page links to a style sheet for some screens alone.
    """
    home, made = html / FOLDER, dict[tuple[Path, ...], str]()
    for page in site.pages(html):
        text = page.read_text(encoding="utf-8")
        links = list(_LINK.finditer(text))
        if any("media=" in link[0] for link in links):
            raise ValueError(f"{page.name} links to a style sheet for some media: {links}")
        sheets = tuple((page.parent / unquote(urlsplit(link[1]).path)) for link in links)
        sheets = tuple(sheet.resolve() for sheet in sheets)
        if len(sheets) < 2:
            continue
        if sheets not in made:
            style = "\n".join(whole(sheet, home.resolve()) for sheet in sheets)
            made[sheets] = f"pages-{sha256(style.encode()).hexdigest()[:8]}.css"
            write_whole(home / made[sheets], style)
        place = Path(os.path.relpath(home / made[sheets], page.parent)).as_posix()
        link = f'<link rel="stylesheet" href="{place}">\n'
        first, last = links[0].start(), links[-1].end()
        between = _LINK.sub("", text[first:last])
        write_whole(page, f"{text[:first]}{link}{between}{text[last:]}")
