"""``python -m descent.publish.epub``: the book for reading programs, as EPUB 3.

It is made from the finished pages, whose formulas are MathML already: explorers stand as stills
of their default state, scripts and controls stay out, and links between pages lead to the
chapters of the file. The same pages give the same file, byte for byte.
"""

from __future__ import annotations

import base64
import hashlib
import re
import sys
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from html import escape
from pathlib import Path
from typing import Any
from urllib.parse import quote, unquote, urlsplit

from bs4 import BeautifulSoup, Comment, Tag

import descent
from descent.files import write_whole, zipped
from descent.publish import paths
from descent.publish.__main__ import build, exit_status
from descent.publish.pdf import DATE, STYLES, SUBJECT, facts
from descent.publish.render import RenderFailed
from descent.publish.site import ids

EPUB = paths.BUILD / "descent.epub"
MODIFIED = f"{DATE[2:6]}-{DATE[6:8]}-{DATE[8:10]}T00:00:00Z"
OPENING = "book/intro"
# What needs scripts, what the theme puts on a page around the text, and links to that.
_LEFT_OUT = (
    "script, noscript, style, link, button, .headerlink, .descent-controls, .descent-announcer, "
    ".descent-room, .descent-handle, .descent-filters, .descent-pit, .descent-lite, .pst-js-only, "
    '.tag_hide-input > details.hide, a[href^="#cite-"]'
)
# HTML knows no case; SVG does, and the parser forgets it.
_CASE = {
    name.lower(): name
    for name in (
        *("viewBox", "preserveAspectRatio", "clipPath", "clipPathUnits", "textLength"),
        *("linearGradient", "radialGradient", "gradientUnits", "gradientTransform"),
        *("patternUnits", "markerWidth", "markerHeight", "refX", "refY", "pathLength"),
    )
}
_NAMESPACES = {"svg": "http://www.w3.org/2000/svg", "math": "http://www.w3.org/1998/Math/MathML"}
# Of no use there, or out of use: roles of entries of a bibliography.
_DROPPED = ("loading", "autocomplete", "tabindex", "align", "data-name", "data-number")
_IN_ADDRESSES = "%/:?#[]@!$&'()*+,;=~"  # old identifiers of papers have pointed brackets, too
_DATA = re.compile(r"data:(image/[\w+]+);base64,(.+)", re.DOTALL)
_TYPES = {
    ".css": "text/css",
    ".jpg": "image/jpeg",
    ".jpeg": "image/jpeg",
    ".png": "image/png",
    ".svg": "image/svg+xml",
    ".webp": "image/webp",
    ".woff": "font/woff",
    ".xhtml": "application/xhtml+xml",
}
_XML = '<?xml version="1.0" encoding="utf-8"?>\n'
_HTML = (
    '<!DOCTYPE html>\n<html xmlns="http://www.w3.org/1999/xhtml" '
    'xmlns:epub="http://www.idpf.org/2007/ops" lang="en" xml:lang="en">'
)
_CONTAINER = (
    '<container version="1.0" xmlns="urn:oasis:names:tc:opendocument:xmlns:container"><rootfiles>'
    '<rootfile full-path="book/content.opf" media-type="application/oebps-package+xml"/>'
    "</rootfiles></container>"
)


@dataclass
class Document:
    """A page of the book as a document of the file.

    Attributes
    ----------
    name : str
        Its file in the archive.
    title : str
        With its number, if it has one.
    text : str
        XHTML.
    sections : list of (str, str)
        Id and title of its sections.
    files : dict
        Pictures that it shows, by their names.
    """

    name: str
    title: str
    text: str
    sections: list[tuple[str, str]] = field(default_factory=list)
    files: dict[str, bytes] = field(default_factory=dict)

    def properties(self) -> str:
        """Return what the package must say of it: whether there are formulas and drawings."""
        return " ".join(name for name in ("mathml", "svg") if f"<{name[:4]}" in self.text)


def file_of(page: str) -> str:
    """Return the name of a page's document.

    Examples
    --------
    >>> file_of("notebooks/05-three-worlds")
    '05-three-worlds.xhtml'
    """
    return f"{page.rpartition('/')[2]}.xhtml"


def _ids_of_text(page: str) -> set[str]:
    """Return the ids of a page's article, for the rest of the page stays out."""
    return ids(page.partition('<article class="bd-article')[2].partition("</article>")[0])


def dead_links(files: Mapping[str, bytes]) -> list[str]:
    """Return the links between the documents of the file that lead to no place in them."""
    texts = {
        name.rpartition("/")[2]: content.decode()
        for name, content in files.items()
        if name.endswith(".xhtml")
    }
    places = {name: ids(text) for name, text in texts.items()}
    return [
        f"{name}: {target}#{place} leads nowhere"
        for name, text in texts.items()
        for target, place in re.findall(r'href="([\w-]*(?:\.xhtml)?)#([^"]+)"', text)
        if place not in places.get(target or name, ())
    ]


def _words(tag: Tag) -> str:
    return " ".join(tag.get_text().split())


def _linked(article: Tag, known: Mapping[str, set[str]], own: str) -> None:
    """Let links lead to documents of the file; those that lead elsewhere on this machine go."""
    for link in article.find_all("a"):
        parts = urlsplit(str(link.get("href", "")))
        if parts.scheme in ("http", "https", "mailto"):
            link["href"] = quote(str(link["href"]), safe=_IN_ADDRESSES)
            continue
        page = parts.path.rpartition("/")[2].removesuffix(".html")
        target, anchor = f"{page}.xhtml" if page else own, unquote(parts.fragment)
        if not link.get("href") and link.get("id"):
            continue
        if target not in known or not link.get("href"):
            link.unwrap()
        else:
            there = f"#{anchor}" if anchor in known[target] else ""
            link["href"] = f"{'' if target == own and there else target}{there}"


def _pictures(article: Tag, page: Path) -> dict[str, bytes]:
    files = {}
    for image in article.find_all("img"):
        source = str(image["src"])
        if inline := _DATA.match(source):
            content = base64.b64decode(inline[2])
            kind = inline[1].partition("/")[2].partition("+")[0]
            name = f"{hashlib.sha256(content).hexdigest()[:16]}.{kind}"
        else:
            content = (page.parent / unquote(source)).read_bytes()
            name = Path(source).name
        files[f"pictures/{name}"] = content
        image["src"] = f"pictures/{name}"
        image["alt"] = image.get("alt") or ""
    return files


def _plain(article: Tag) -> None:
    """Turn what HTML lets pass, and XHTML does not, into what both take."""
    for comment in article.find_all(string=lambda text: isinstance(text, Comment)):
        comment.extract()
    for unwanted in article.select(_LEFT_OUT):
        unwanted.decompose()
    for caption in article.select("figcaption[data-number]"):
        number = BeautifulSoup("", "html.parser").new_tag("span", attrs={"class": "descent-number"})
        number.string = str(caption["data-number"])
        del caption["style"]  # the number, for the style sheet of a page
        caption.insert(0, number)
    for summary in article.select("summary"):
        summary.string = "Solution" if summary.find("p") else _words(summary)
        summary.attrs = {}
    for element in article.select("math [scriptlevel]:not(mstyle)"):  # XHTML has it there alone
        level = str(element.attrs.pop("scriptlevel"))
        element.wrap(BeautifulSoup("", "html.parser").new_tag("mstyle", scriptlevel=level))
    for tag in [article, *article.find_all(True)]:
        for name in list(tag.attrs):
            if name in _DROPPED or str(tag[name]).startswith("doc-biblio"):
                del tag[name]
            elif name in _CASE:
                tag[_CASE[name]] = tag.attrs.pop(name)
        tag.name = _CASE.get(tag.name, tag.name)
        if tag.name in _NAMESPACES and not tag.find_parent(tag.name):
            tag["xmlns"] = _NAMESPACES[tag.name]


def document(page: Path, known: Mapping[str, set[str]]) -> Document:
    """Return a finished page as a document.

    Parameters
    ----------
    page
        Its HTML, as it stands in the book.
    known
        The ids of all documents, by their names: what links can lead to.
    """
    soup = BeautifulSoup(page.read_text(encoding="utf-8"), "html.parser")
    article = soup.select_one("article.bd-article")
    if article is None:
        raise ValueError(f"{page} has no article")
    name = file_of(page.stem)
    _plain(article)
    _linked(article, known, name)
    files = _pictures(article, page)
    heading = article.find("h1")
    title = _words(heading) if isinstance(heading, Tag) else page.stem
    sections = [
        (str(section["id"]), _words(head))
        for section in article.find_all("section", id=True)
        if isinstance(head := section.find(re.compile("^h[1-6]$")), Tag) and head.name == "h2"
    ]
    article.name = "section"
    text = (
        f"{_XML}{_HTML}<head><title>{escape(title)}</title>"
        '<link rel="stylesheet" type="text/css" href="epub.css"/></head>'
        f"<body>{article.decode(formatter='minimal')}</body></html>\n"
    )
    return Document(name, title, text, sections, files)


def _cover(about: Mapping[str, Any], picture: str) -> Document:
    lines = "".join(f"<p>{escape(line)}</p>" for line in about["lines"])
    text = (
        f"{_XML}{_HTML}<head><title>{escape(about['title'])}</title>"
        '<link rel="stylesheet" type="text/css" href="epub.css"/></head><body>'
        f'<section class="descent-cover" epub:type="titlepage"><img src="{picture}" alt=""/>'
        f"<h1>{escape(about['title'])}</h1>{lines}</section></body></html>\n"
    )
    return Document("cover.xhtml", str(about["title"]), text)


def _contents(documents: Mapping[str, Document], about: Mapping[str, Any]) -> str:
    def entry(found: Document) -> str:
        sections = "".join(
            f'<li><a href="{found.name}#{place}">{escape(title)}</a></li>'
            for place, title in found.sections
        )
        inner = f"<ol>{sections}</ol>" if sections else ""
        return f'<li><a href="{found.name}">{escape(found.title)}</a>{inner}</li>'

    parts = "".join(
        f"<li><span>{escape(part['caption'])}</span><ol>"
        + "".join(entry(documents[page]) for page in part["pages"])
        + "</ol></li>"
        for part in about["parts"]
    )
    return (
        f"{_XML}{_HTML}<head><title>Contents</title></head><body>"
        '<nav epub:type="toc" id="toc"><h1>Contents</h1><ol>'
        f"{entry(documents[OPENING])}{parts}</ol></nav></body></html>\n"
    )


def _package(
    documents: Mapping[str, Document], files: Mapping[str, bytes], about: Mapping[str, Any]
) -> str:
    identifier = uuid.uuid5(uuid.NAMESPACE_URL, f"descent-book/{descent.__version__}").urn
    properties = {found.name: found.properties() for found in documents.values()}
    properties |= {"nav.xhtml": "nav", Path(about["picture"]).name: "cover-image"}
    manifest = "".join(
        f'<item id="i{at}" href="{escape(name)}" media-type="{_TYPES[Path(name).suffix]}"'
        + (f' properties="{properties[name]}"' if properties.get(name) else "")
        + "/>"
        for at, name in enumerate(files)
    )
    number = {name: at for at, name in enumerate(files)}
    order = [found.name for found in documents.values()]
    order.insert(1, "nav.xhtml")
    spine = "".join(f'<itemref idref="i{number[name]}"/>' for name in order)
    access = "".join(
        f'<meta property="schema:{name}">{value}</meta>'
        for name, value in (
            ("accessMode", "textual"),
            ("accessMode", "visual"),
            ("accessModeSufficient", "textual"),
            ("accessibilityFeature", "MathML"),
            ("accessibilityFeature", "alternativeText"),
            ("accessibilityFeature", "tableOfContents"),
            ("accessibilityHazard", "none"),
        )
    )
    return (
        f'{_XML}<package xmlns="http://www.idpf.org/2007/opf" version="3.0" xml:lang="en" '
        'unique-identifier="id"><metadata xmlns:dc="http://purl.org/dc/elements/1.1/">'
        f'<dc:identifier id="id">{identifier}</dc:identifier>'
        f"<dc:title>{escape(about['title'])}</dc:title><dc:language>en</dc:language>"
        f"<dc:creator>{escape(about['author'])}</dc:creator>"
        f"<dc:description>{escape(SUBJECT)}</dc:description><dc:rights>MIT licence</dc:rights>"
        f'<meta property="dcterms:modified">{MODIFIED}</meta>{access}</metadata>'
        f"<manifest>{manifest}</manifest><spine>{spine}</spine></package>\n"
    )


def bound(html: Path, about: Mapping[str, Any]) -> dict[str, bytes]:
    """Return the files of the book by their names, in the order of the archive.

    Parameters
    ----------
    html
        The finished pages.
    about
        Title, author, lines of the cover, picture, and parts with their pages, in order.

    Raises
    ------
    ValueError
        If a page has no text.
    OSError
        If a page or a picture is missing.
    """
    pages = [OPENING, *(page for part in about["parts"] for page in part["pages"])]
    places = {page: html / f"{page}.html" for page in pages}
    known = {file_of(page): _ids_of_text(path.read_text("utf-8")) for page, path in places.items()}
    picture = Path(about["picture"]).name
    documents = {"cover": _cover(about, picture)}
    documents |= {page: document(path, known) for page, path in places.items()}
    static = html / "_static"
    sheet = (STYLES / "epub.css").read_text(encoding="utf-8")
    rules = (static / "formulas.css").read_text(encoding="utf-8").partition("/* Of the formulas")[2]
    files = {
        **{found.name: found.text.encode() for found in documents.values()},
        "nav.xhtml": _contents(documents, about).encode(),
        "epub.css": f"{sheet}\n{rules.partition('*/')[2]}".encode(),
        "stix-two-math.woff": (static / "stix-two-math.woff").read_bytes(),
        picture: (html / about["picture"]).read_bytes(),
    }
    for found in documents.values():
        files |= found.files
    package = _package(documents, files, about).encode()
    return {
        "mimetype": b"application/epub+zip",
        "META-INF/container.xml": (_XML + _CONTAINER).encode(),
        "book/content.opf": package,
        **{f"book/{name}": content for name, content in files.items()},
    }


def packed(files: Mapping[str, bytes]) -> bytes:
    """Return files as the archive that an EPUB is: the first one, its type, is not compressed."""
    return zipped(files.items(), plain={"mimetype"})


def bind_book() -> None:
    """Make the book and bind it; errors are those of its parts."""
    build()
    files = bound(paths.HTML, facts())
    if dead := dead_links(files):
        raise RenderFailed("the book for reading programs is not sound:\n" + "\n".join(dead))
    write_whole(EPUB, packed(files))
    print(f"The EPUB lies at {EPUB} ({EPUB.stat().st_size / 1e6:.1f} MB)")


def main() -> int:
    """Make the book, bind it and return the exit status."""
    return exit_status(bind_book)


if __name__ == "__main__":
    sys.exit(main())
