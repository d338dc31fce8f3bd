"""How a page and each of its claims are cited: for readers, for programs and for search engines.

What the book is called and whose it is stands in ``CITATION.cff``; its date and its commit are
those of the last change of what the book is made from.
"""

from __future__ import annotations

import datetime
import json
import re
import subprocess
from collections.abc import Iterable
from html import escape
from typing import Any, NamedTuple

import yaml

import descent
from descent.publish import paths

__all__ = ["Edition", "edition", "page_with_citation", "sitemap"]

SOURCES = ("book", "notebooks", "src", "requirements.lock")
"""What the pages are made from."""
_CLAIM = re.compile(r'\bid="claim-([\w-]+)"')
_SOURCE_OF_CLAIM = re.compile(
    r'(<span class="descent-claim-source">(?:(?!</span>).)*)</span>', re.S
)
_FOOT = '<footer class="prev-next-footer'
_TEX = re.compile(r"([&%$#_{}])")


class Edition(NamedTuple):
    """The state of the book that pages show."""

    title: str
    authors: tuple[str, ...]
    licence: str
    version: str
    date: str
    """Of the last change, as ``2026-11-29``."""
    commit: str
    """Of the last change, with a note if something has changed since; empty without git."""

    @property
    def words(self) -> str:
        """Version, date and commit in a line."""
        commit = f", commit {self.commit}" if self.commit else ""
        return f"version {self.version}, {self.date}{commit}"


def _git(*arguments: str) -> str:
    """Return what git says of the sources, empty if there is no git or no repository."""
    command = ["git", "-C", str(paths.ROOT), *arguments, "--", *SOURCES]
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=False)
    except FileNotFoundError:
        return ""
    return done.stdout.strip() if done.returncode == 0 else ""


def edition() -> Edition:
    """Return the edition that this checkout makes."""
    citation = yaml.safe_load((paths.ROOT / "CITATION.cff").read_text(encoding="utf-8"))
    commit, _, date = _git("log", "-1", "--format=%h %cs").partition(" ")
    if commit and _git("status", "--porcelain"):
        commit += " and what has changed since"
    today = datetime.datetime.now(tz=datetime.UTC).date().isoformat()
    return Edition(
        title=citation["title"],
        authors=tuple(
            author.get("name") or f"{author['family-names']}, {author['given-names']}"
            for author in citation["authors"]
        ),
        licence=citation["license"],
        version=descent.__version__,
        date=date or str(citation.get("date-released", today)),
        commit=commit,
    )


def _bibtex(key: str, title: str, part: str, book: Edition, url: str | None) -> str:
    """Return an entry; a name that is no person's is kept as it is."""
    authors = " and ".join(a if "," in a else f"{{{a}}}" for a in book.authors)
    fields = {
        "author": authors,
        "title": "{" + _TEX.sub(lambda found: "\\" + found[1], title) + "}",
        "howpublished": part,
        "year": book.date[:4],
        "note": book.words[0].upper() + book.words[1:],
    }
    if url is not None:
        fields["url"] = url
    lines = ",\n".join(f"  {name} = {{{value}}}" for name, value in fields.items())
    return f"@misc{{{key},\n{lines}\n}}"


def bibtex(book: Edition, name: str, title: str, address: str | None) -> str:
    """Return the BibTeX entry of a page.

    Parameters
    ----------
    book
        The edition.
    name
        The page's place in the book, such as ``notebooks/03-joint-distributions.html``.
    title
        Of the page.
    address
        Where the book stands on the web, if it does.
    """
    key = name.rpartition("/")[2].removesuffix(".html")
    part = f"In: {book.title}, {name.removesuffix('.html')}"
    return _bibtex(f"descent-{key}", title, part, book, address and address + name)


def bibtex_of_claim(book: Edition, name: str, claim: str, address: str | None) -> str:
    """Return the BibTeX entry of a claim of a page, under its identifier."""
    part = f"In: {book.title}, {name.removesuffix('.html')}"
    url = address and f"{address}{name}#claim-{claim}"
    return _bibtex(f"descent-claim-{claim}", f"Claim {claim}", part, book, url)


def linked_data(
    book: Edition, name: str, title: str, claims: Iterable[str], address: str | None
) -> dict[str, Any]:
    """Return a page in the vocabulary of schema.org, as JSON-LD has it."""
    url = None if address is None else address + name
    kind = "Person" if "," in book.authors[0] else "Organization"
    found: dict[str, Any] = {
        "@context": "https://schema.org",
        "@type": "Chapter" if name.startswith("notebooks/") else "WebPage",
        "name": title,
        "inLanguage": "en",
        "author": [{"@type": kind, "name": author} for author in book.authors],
        "dateModified": book.date,
        "version": book.version,
        "license": f"https://spdx.org/licenses/{book.licence}",
        "isPartOf": {"@type": "Book", "name": book.title},
        "hasPart": [
            {"@type": "Claim", "identifier": claim}
            | ({} if url is None else {"url": f"{url}#claim-{claim}"})
            for claim in claims
        ],
    }
    if url is not None:
        found |= {"@id": url, "url": url}
        found["isPartOf"]["url"] = address
    return found


def _head(book: Edition, name: str, title: str, claims: list[str], address: str | None) -> str:
    """Return what programs read: names as Google Scholar has them, and JSON-LD."""
    tags = [("citation_title", title), *(("citation_author", author) for author in book.authors)]
    tags += [("citation_publication_date", book.date.replace("-", "/"))]
    tags += [("citation_inbook_title", book.title), ("citation_language", "en")]
    if address is not None:
        tags.append(("citation_fulltext_html_url", address + name))
    lines = "\n".join(f'<meta name="{key}" content="{escape(value)}" />' for key, value in tags)
    data = json.dumps(linked_data(book, name, title, claims, address), ensure_ascii=False)
    safe = data.replace("<", "\\u003c")
    return f'{lines}\n<script type="application/ld+json">{safe}</script>'


def _foot(book: Edition, name: str, title: str, claims: list[str], address: str | None) -> str:
    """Return how the page is cited, folded, and below it how its claims are."""

    def entry(text: str) -> str:
        return f'<pre tabindex="0">{escape(text)}</pre>'

    of_claims = "".join(
        f'<div id="cite-{claim}"><p>Claim <a href="#claim-{claim}">{claim}</a></p>'
        f"{entry(bibtex_of_claim(book, name, claim, address))}</div>"
        for claim in claims
    )
    return (
        f'<details class="descent-cite d-print-none"><summary>Cite this page'
        f"{' or one of its claims' if claims else ''}</summary>"
        f"<p>{escape(', '.join(book.authors))}: {escape(title)}. In: {escape(book.title)}, "
        f"{escape(book.words)}.</p>{entry(bibtex(book, name, title, address))}{of_claims}"
        "</details>\n"
    )


def page_with_citation(
    page: str, name: str, title: str, book: Edition, address: str | None = None
) -> str:
    """Return a page that says how it and each of its claims are cited.

    Parameters
    ----------
    page
        As Sphinx wrote it.
    name
        Its place in the book, such as ``notebooks/03-joint-distributions.html``.
    title
        In plain words.
    book
        The edition.
    address
        Where the book stands on the web. Without it no address is named.
    """
    claims = list(dict.fromkeys(_CLAIM.findall(page)))
    for claim in claims:
        start = page.index(f'id="claim-{claim}"')
        if (source := _SOURCE_OF_CLAIM.search(page, start)) is not None:
            end = source.end(1)
            page = f'{page[:end]} <a href="#cite-{claim}">Cite</a>{page[end:]}'
    head = _head(book, name, title, claims, address)
    page = page.replace("</title>", f"</title>\n{head}", 1)
    return page.replace(_FOOT, _foot(book, name, title, claims, address) + _FOOT, 1)


def sitemap(names: Iterable[str], date: str, address: str) -> str:
    """Return the list of a book's pages for search engines, as XML.

    Examples
    --------
    >>> print(sitemap(["a.html"], "2026-11-29", "https://example.org/"))
    <?xml version="1.0" encoding="utf-8"?>
    <urlset xmlns="http://www.sitemaps.org/schemas/sitemap/0.9">
    <url><loc>https://example.org/a.html</loc><lastmod>2026-11-29</lastmod></url>
    </urlset>
    """
    entries = "\n".join(
        f"<url><loc>{escape(address + name)}</loc><lastmod>{date}</lastmod></url>" for name in names
    )
    return (
        '<?xml version="1.0" encoding="utf-8"?>\n'
        '<urlset xmlns="http://www.sitemaps.org/schemas/sitemap/0.9">\n'
        f"{entries}\n</urlset>"
    )
