"""Finish the pages that Sphinx wrote: what previews, searches and screen readers need.

Sphinx knows neither the first sentence of a page nor its size; both are read off
the pages here and written into them.
"""

from __future__ import annotations

import json
import os
import re
from html import escape
from pathlib import Path
from urllib.parse import urlsplit

from bs4 import BeautifulSoup

from descent.files import write_whole
from descent.publish import citation, first_paint, one_sheet, policy, reference, site, slim

IMAGE = "_static/preview.png"
STATES = "_static/explorers"
IMAGE_SIZE = (1200, 630)
WEIGHTS = "<!-- weights -->"
# The theme writes a second heading, for paper, without this link.
_TITLE = re.compile(r"<h1>((?:(?!</h1>).)*?)<a class=\"headerlink\"")
# docutils and both themes below the book's write one each; the first is enough.
_VIEWPORT = re.compile(r'\s*<meta name="viewport"[^>]*>')
_FIRST_PARAGRAPH = re.compile(r"<p>(.*?)</p>|<dl", re.DOTALL)
_REPAIRS = {
    # A list whose children are no list items.
    '<div role="list" class="citation-list">': "<div class='citation-list'>",
    # A region that scrolls and cannot be reached by keys.
    '<div class="pst-scrollable-table-container">': (
        '<div class="pst-scrollable-table-container" tabindex="0">'
    ),
    # A formula that is wider than its column scrolls, and is reached by keys.
    '<div class="math notranslate">': '<div class="math notranslate" tabindex="0">',
    # What is folded says itself what it is; a name that is not on the screen cannot be spoken to.
    '<summary aria-label="Toggle hidden content">': "<summary>",
    # What opens the list of the pages below a page has no name.
    '<summary><span class="toctree-toggle"': (
        '<summary aria-label="Pages below this one"><span class="toctree-toggle"'
    ),
    # Without scripts a page is light; of a theme called auto the styles know no colour.
    'data-theme="auto"': 'data-theme="light"',
    # Light or dark is settled before the first paint, not by a script that comes later.
    'dataset.theme = localStorage.getItem("theme") || "auto";': (
        'dataset.theme = (localStorage.getItem("mode") || "auto") !== "auto" '
        '? localStorage.getItem("theme") '
        ': matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light";'
    ),
}


def public_address() -> str | None:
    """Return the address under which readers find the book, from ``DESCENT_BOOK_URL``.

    Raises
    ------
    ValueError
        If it is set and no address of a web page.
    """
    address = os.environ.get("DESCENT_BOOK_URL", "").strip()
    if not address:
        return None
    parts = urlsplit(address)
    if parts.scheme not in ("http", "https") or not parts.netloc or parts.query or parts.fragment:
        raise ValueError(
            "DESCENT_BOOK_URL must be the address of the book's folder on the web, such as "
            f"https://example.org/descent/, got {address!r}"
        )
    return address.rstrip("/") + "/"


def plain(markup: str) -> str:
    """Return the words of a piece of a page, formulas without their marks."""
    text = BeautifulSoup(markup, "html.parser").get_text()
    text = re.sub(r"\\[()\[\]]|\\(?:mathcal|mathbb|operatorname|,)|[{}]", "", text)
    return " ".join(text.split())


def first_sentence(text: str) -> str:
    """Return a text up to its first full stop that a new sentence follows."""
    return re.split(r"(?<=[.?!])\s+(?=[A-Z])", text, maxsplit=1)[0]


def description(page: str) -> str:
    """Return the first sentence of a page, empty if it does not begin with a paragraph."""
    title = _TITLE.search(page)
    found = title and _FIRST_PARAGRAPH.search(page, title.end())
    return first_sentence(plain(found[1])) if found and found[1] else ""


def with_one_viewport(page: str) -> str:
    """Return a page that says once how wide it is.

    Examples
    --------
    >>> with_one_viewport('<meta name="viewport" content="a"/><meta name="viewport" content="b"/>')
    '<meta name="viewport" content="a"/>'
    """
    first = _VIEWPORT.search(page)
    if first is None:
        return page
    return page[: first.end()] + _VIEWPORT.sub("", page[first.end() :])


def preview(page: str, name: str, address: str | None) -> str:
    """Return a page with what search engines and messengers show of it.

    Parameters
    ----------
    page
        The page as Sphinx wrote it.
    name
        Its place in the book, such as ``book/intro.html``.
    address
        Where the book stands on the web. A picture needs it: without one, none is named.
    """
    title, words = _TITLE.search(page), description(page)
    if title is None:
        return page
    tags = {
        ("property", "og:type"): "article",
        ("property", "og:site_name"): "Descent",
        ("property", "og:title"): plain(title[1]),
        ("name", "twitter:card"): "summary_large_image" if address else "summary",
    }
    if words:
        tags |= {("property", "og:description"): words, ("name", "description"): words}
    if address is not None:
        width, height = IMAGE_SIZE
        tags |= {
            ("property", "og:url"): address + name,
            ("property", "og:image"): address + IMAGE,
            ("property", "og:image:width"): str(width),
            ("property", "og:image:height"): str(height),
            ("property", "og:image:alt"): "A ball in a narrow pit beside a wide valley",
        }
    lines = "\n".join(
        f'<meta {kind}="{key}" content="{escape(value)}" />' for (kind, key), value in tags.items()
    )
    return page.replace("</title>", f"</title>\n{lines}", 1)


def terms(glossary: str) -> list[dict[str, str]]:
    """Return the terms of the glossary page: name, place, first sentence of the meaning."""
    return [
        {
            "term": plain(str(name).replace("#</a>", "</a>")),
            "place": f"book/glossary.html#{name['id']}",
            "meaning": first_sentence(plain(str(name.find_next_sibling("dd")))),
        }
        for name in BeautifulSoup(glossary, "html.parser").find_all("dt", id=re.compile("^term-"))
    ]


def teach_search(html: Path) -> None:
    """Give the page of the search the glossary, and what each page is about."""
    glossary = (html / "book" / "glossary.html").read_text(encoding="utf-8")
    known = {
        "terms": terms(glossary),
        "pages": {
            path.relative_to(html).as_posix(): description(path.read_text(encoding="utf-8"))
            for path in site.pages(html)
        },
    }
    place = html / "search.html"
    text = json.dumps(known, ensure_ascii=False).replace("<", "\\u003c")
    scripts = (
        f'<script type="application/json" id="descent-terms">{text}</script>\n'
        '<script src="_static/search-terms.js"></script>\n</head>'
    )
    page = place.read_text(encoding="utf-8")
    write_whole(place, page.replace("</head>", scripts, 1))


def weights(html: Path, seconds: float) -> str:
    """Return the table of the sizes of the pages, as HTML."""
    sizes = {
        path.relative_to(html).as_posix(): path.stat().st_size
        for path in site.pages(html)
        if path.parent != html
    }
    titles = {name: _TITLE.search((html / name).read_text(encoding="utf-8")) for name in sizes}
    rows = "".join(
        f'<tr><td><a href="../{name}">{plain(title[1])}</a></td>'
        f'<td class="text-right">{sizes[name] / 1000:,.0f}</td></tr>'
        for name, title in titles.items()
        if title is not None
    )
    shared = sum(path.stat().st_size for path in site.shared(html)) / 1000
    return (
        f"<p>Sphinx took {seconds:.0f} seconds to render the pages. A page alone may have "
        f"{site.PAGE_BYTES / 1000:,.0f} kB. Beside it a browser loads {shared:,.0f} kB of scripts "
        "and styles, once for all pages.</p>"
        '<div class="pst-scrollable-table-container" tabindex="0"><table class="table"><thead><tr>'
        '<th scope="col">Page</th><th scope="col" class="text-right">Kilobytes</th></tr></thead>'
        f"<tbody>{rows}</tbody></table></div>"
    )


def cite(html: Path, book: citation.Edition, address: str | None) -> None:
    """Say on each page of the book how it is cited, and list them for search engines."""
    names = []
    for path in site.pages(html):
        page, name = path.read_text(encoding="utf-8"), path.relative_to(html).as_posix()
        title = _TITLE.search(page)
        if title is not None and path.parent != html:
            cited = citation.page_with_citation(page, name, plain(title[1]), book, address)
            write_whole(path, cited)
            names.append(name)
    if address is not None:
        write_whole(html / "sitemap.xml", citation.sitemap(names, book.date, address) + "\n")


def finish(html: Path, seconds: float, book: citation.Edition, address: str | None = None) -> None:
    """Finish the pages of a folder.

    Parameters
    ----------
    html
        The pages as Sphinx wrote them.
    seconds
        How long it took.
    book
        What the pages say of their edition.
    address
        Where the book stands on the web, if it is known.
    """
    for leftover in html.rglob("*.map"):  # for those who work on the theme
        leftover.unlink()
    places = reference.anchors(html)
    for path in html.rglob("*.html"):
        text = path.read_text(encoding="utf-8")
        page = text
        if path.parent == html / "notebooks":
            page = reference.linked(page, places, "../")
        for wrong, right in _REPAIRS.items():
            page = page.replace(wrong, right)
        page = preview(with_one_viewport(page), path.relative_to(html).as_posix(), address)
        if page != text:
            write_whole(path, page)
    cite(html, book, address)
    teach_search(html)
    slim.slim(html)
    one_sheet.one_sheet(html)
    status = html / "book" / "status.html"
    page = status.read_text(encoding="utf-8").replace(WEIGHTS, weights(html, seconds))
    write_whole(status, page)
    for path in site.pages(html):
        states = os.path.relpath(html / STATES, path.parent)
        page = first_paint.lighter(path.read_text(encoding="utf-8"), html / STATES, states)
        write_whole(path, policy.with_policy(page))
