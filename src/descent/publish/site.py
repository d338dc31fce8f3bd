"""Check the rendered pages without a browser: links, anchors, outside hosts, size."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import parse_qsl, unquote, urlsplit

from bs4 import BeautifulSoup

PAGE_BYTES = 3_000_000
# Attributes through which a page loads something by itself. A plain link loads nothing.
_LOADS = (("script", "src"), ("img", "src"), ("iframe", "src"), ("source", "src"), ("link", "href"),
          ("video", "src"), ("audio", "src"), ("embed", "src"), ("object", "data"),
          ("image", "href"), ("use", "href"), ("input", "src"))  # fmt: skip
_STYLE_LOADS = re.compile(r"""(?:url\(\s*['"]?|@import\s+['"])((?:https?:)?//[^'")\s]+)""")
# Relations that name an address but load nothing from it.
_NAMES_ONLY = {"canonical", "search", "index", "prev", "next", "author", "license"}


def _outside(address: str) -> bool:
    parts = urlsplit(address.strip())
    return parts.scheme in ("http", "https", "ws", "wss") or bool(parts.netloc)


def _loads(page: BeautifulSoup) -> Iterator[str]:
    for tag, attribute in _LOADS:
        for node in page.find_all(tag, attrs={attribute: True}):
            relations = {str(rel).lower() for rel in node.get("rel") or ()}
            if not (tag == "link" and relations and relations <= _NAMES_ONLY):
                yield str(node[attribute])
    for node in page.find_all(srcset=True):
        yield from (part.split()[0] for part in str(node["srcset"]).split(",") if part.strip())
    for node in page.find_all("style"):
        yield from _STYLE_LOADS.findall(node.get_text())
    for node in page.find_all(style=True):
        yield from _STYLE_LOADS.findall(str(node["style"]))


def pages(html: Path) -> list[Path]:
    """Return the pages of a rendered book, without the pieces that lie in ``_static``."""
    return [
        path
        for path in sorted(html.rglob("*.html"))
        if "_static" not in path.relative_to(html).parts
    ]


def shared(html: Path) -> list[Path]:
    """Return the files that the first page loads by itself: scripts, styles, pictures."""
    page = html / "book" / "intro.html"
    soup = BeautifulSoup(page.read_bytes(), "html.parser")
    files = {
        (page.parent / unquote(urlsplit(address).path)).resolve()
        for address in _loads(soup)
        if not _outside(address) and not address.startswith("data:")
    }
    return sorted(path for path in files if path.is_file())


def _chooses(page: BeautifulSoup, anchor: str) -> bool:
    """Whether an anchor such as ``source=003&verdict=refuted`` is among a page's filters."""
    chosen = dict(parse_qsl(anchor))
    return bool(chosen) and all(
        any(
            value in (option.get("value"), option.get_text())
            for menu in page.find_all("select", attrs={"data-filter": name})
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
    soups = {
        path.resolve(): BeautifulSoup(path.read_bytes(), "html.parser") for path in pages(html)
    }
    if not soups:
        return [f"{html}: no pages"]
    anchors = {
        path: {str(node["id"]) for node in soup.find_all(id=True)}
        | {str(node["name"]) for node in soup.find_all("a", attrs={"name": True})}
        for path, soup in soups.items()
    }
    for path, soup in soups.items():
        name = path.relative_to(html.resolve())
        if (size := path.stat().st_size) > PAGE_BYTES:
            found.append(f"{name}: {size} bytes, more than {PAGE_BYTES}")
        found += [f"{name}: loads {address}" for address in _loads(soup) if _outside(address)]
        links = [str(node["href"]) for node in soup.find_all("a", href=True)]
        for address in {*links, *_loads(soup)}:
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
                and not _chooses(soups[target], anchor)
            ):
                found.append(f"{name}: {address} has no such anchor")
    for style in sorted(html.rglob("*.css")):
        for address in _STYLE_LOADS.findall(style.read_text(encoding="utf-8", errors="replace")):
            found.append(f"{style.relative_to(html)}: loads {address}")
    return found
