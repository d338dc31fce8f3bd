"""Check the rendered pages without a browser: links, anchors, outside hosts, size."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from pathlib import Path
from urllib.parse import parse_qsl, unquote, urlsplit

from bs4 import BeautifulSoup, Tag
from bs4.element import NavigableString

from descent.publish import policy

PAGE_BYTES = 3_000_000
# Attributes through which a page loads something by itself. A plain link loads nothing.
_LOADS = {
    "script": "src", "img": "src", "iframe": "src", "source": "src", "link": "href",
    "video": "src", "audio": "src", "embed": "src", "object": "data", "image": "href",
    "use": "href", "input": "src",
}  # fmt: skip
# Attributes that name an address and load nothing from it, though another host's it may be.
_NAMING = {
    "action", "alt", "aria-label", "cite", "class", "content", "datetime", "formaction", "id",
    "itemtype", "name", "property", "prefix", "title", "value", "vocab", "xmlns",
}  # fmt: skip
_POLICY = "Content-Security-Policy"
_ADDRESS = re.compile(r"""\s*(?:(?:https?|wss?|ftp):)?//[\w\[][^\s"'<>]*""", re.IGNORECASE)
# An address in a script, but for the names of the vocabularies of SVG and MathML.
_IN_SCRIPT = re.compile(r"""["'`](?:https?:|wss?:)?//(?!www\.w3\.org/)[\w.-]+\.[^"'`\s]*["'`]""")
_STYLE_LOADS = re.compile(r"""(?:url\(\s*['"]?|@import\s+['"])((?:https?:)?//[^'")\s]+)""")
_SCRIPTS = {"", "module", "text/javascript", "application/javascript"}
# Links and roles of the text's sources, which raw HTML does not turn into anything.
_AS_WRITTEN = re.compile(
    r"\]\((?:\.\./|[\w-]+\.(?:md|ipynb))[^)\n]*\)|\{(?:term|cite:\w|eval|ref)\}`[^`\n]*`"
)
# Relations that name an address but load nothing from it.
_NAMES_ONLY = {"canonical", "search", "index", "prev", "next", "author", "license"}


def _outside(address: str) -> bool:
    parts = urlsplit(address.strip())
    return parts.scheme in ("http", "https", "ws", "wss") or bool(parts.netloc)


def _elements(page: bytes) -> list[Tag]:
    """Return all elements of a page. To ask for each kind by itself takes ten times as long."""
    soup = BeautifulSoup(page, "html.parser")
    return [node for node in soup.descendants if isinstance(node, Tag)]


def _loads(elements: Iterable[Tag]) -> Iterator[str]:
    """Yield what a page loads by itself of the book's own files."""
    for node in elements:
        address = node.get(_LOADS.get(node.name, ""))
        relations = {str(rel).lower() for rel in node.get("rel") or ()}
        named = node.name == "link" and relations and relations <= _NAMES_ONLY
        if address is not None and not named:
            yield str(address)
        if srcset := node.get("srcset"):
            yield from (part.split()[0] for part in str(srcset).split(",") if part.strip())


def _only_names(node: Tag, attribute: str) -> bool:
    """Whether an attribute may name another host, since nothing is loaded from what it names."""
    if attribute in _NAMING or attribute.startswith(("data-", "xmlns")):
        return True
    relations = {str(rel).lower() for rel in node.get("rel") or ()}
    to_follow = node.name in ("a", "area") or (node.name == "link" and relations <= _NAMES_ONLY)
    return attribute == "href" and to_follow


def _asks_in(node: Tag) -> Iterator[str]:
    """Yield the addresses of other hosts that an element may ask, by all that is known of it."""
    for attribute, value in node.attrs.items():
        text = " ".join(value) if isinstance(value, list) else str(value)
        if attribute == "style":
            yield from _STYLE_LOADS.findall(text)
        elif attribute == "srcset":
            yield from (part for part in re.split(r"[\s,]+", text) if _ADDRESS.match(part))
        elif attribute == "content" and str(node.get("http-equiv", "")).lower() == "refresh":
            yield from re.findall(r"(?i)url\s*=\s*['\"]?(\S*//[^'\"]+)", text)
        elif not _only_names(node, attribute) and _ADDRESS.match(text):
            yield text.strip()
    if node.name == "style":
        yield from _STYLE_LOADS.findall(node.get_text())
    # Data that a page carries is no script.
    if node.name == "script" and str(node.get("type", "module")).lower() in _SCRIPTS:
        yield from (found.strip("\"'`") for found in _IN_SCRIPT.findall(node.get_text()))


def _asks(elements: Iterable[Tag]) -> Iterator[str]:
    """Yield the addresses of other hosts that a page may ask, each with its cell."""
    for node in elements:
        for address in dict.fromkeys(_asks_in(node)):
            cell = node.find_parent(class_="cell")
            code = cell.find(class_="cell_input") if cell else None
            first = code.get_text().strip().partition("\n")[0] if code else ""
            yield f"{address}, in the cell that begins {first!r}" if first else address


def pages(html: Path) -> list[Path]:
    """Return the pages of a rendered book, without the pieces that lie in ``_static``."""
    return [
        path
        for path in sorted(html.rglob("*.html"))
        if "_static" not in path.relative_to(html).parts
    ]


def ids(page: str) -> set[str]:
    """Return the ids of the elements of a page."""
    return set(re.findall(r"""\bid=["']([^"']+)["']""", page))


def shared(html: Path) -> list[Path]:
    """Return the files that the first page loads by itself: scripts, styles, pictures."""
    page = html / "book" / "intro.html"
    files = {
        (page.parent / unquote(urlsplit(address).path)).resolve()
        for address in _loads(_elements(page.read_bytes()))
        if not _outside(address) and not address.startswith("data:")
    }
    return sorted(path for path in files if path.is_file())


def _chooses(elements: Iterable[Tag], anchor: str) -> bool:
    """Whether an anchor such as ``source=003&verdict=refuted`` is among a page's filters."""
    chosen = dict(parse_qsl(anchor))
    return bool(chosen) and all(
        any(
            value in (option.get("value"), option.get_text())
            for menu in elements
            if menu.name == "select" and menu.get("data-filter") == name
            for option in menu.find_all("option")
        )
        for name, value in chosen.items()
    )


def complaints(html: Path) -> list[str]:
    """Return what is wrong with the pages of a folder, a line each; empty if nothing.

    Parameters
    ----------
    html
        The rendered book.
    """
    found: list[str] = []
    of = {path.resolve(): _elements(path.read_bytes()) for path in pages(html)}
    if not of:
        return [f"{html}: no pages"]
    anchors = {
        path: {str(node["id"]) for node in elements if node.get("id")}
        | {str(node["name"]) for node in elements if node.name == "a" and node.get("name")}
        for path, elements in of.items()
    }
    for path, elements in of.items():
        name = path.relative_to(html.resolve())
        if (size := path.stat().st_size) > PAGE_BYTES:
            found.append(f"{name}: {size} bytes, more than {PAGE_BYTES}")
        found += [f"{name}: loads {address}" for address in _asks(elements)]
        rules = [node.get("content") for node in elements if node.get("http-equiv") == _POLICY]
        if rules[:1] != [policy.PAGE]:
            found.append(f"{name}: a browser is not told to load nothing from other hosts")
        found += [
            f"{name}: {_AS_WRITTEN.findall(text)[0]} stands there as its source has it"
            for node in elements
            for text in node.children
            if isinstance(text, NavigableString)
            and _AS_WRITTEN.search(text)
            and not text.find_parent(["pre", "code", "script", "style", "textarea"])
        ]
        links = [str(node["href"]) for node in elements if node.name == "a" and node.get("href")]
        for address in {*links, *_loads(elements)}:
            parts = urlsplit(address)
            if parts.scheme or parts.netloc:
                continue
            target = (path.parent / unquote(parts.path)).resolve() if parts.path else path
            anchor = unquote(parts.fragment)
            if not target.exists():
                found.append(f"{name}: {address} leads nowhere")
            elif (
                target in anchors
                and anchor
                and anchor not in anchors[target]
                and not _chooses(of[target], anchor)
            ):
                found.append(f"{name}: {address} has no such anchor")
    for style in sorted(html.rglob("*.css")):
        for address in _STYLE_LOADS.findall(style.read_text(encoding="utf-8", errors="replace")):
            found.append(f"{style.relative_to(html)}: loads {address}")
    return found
