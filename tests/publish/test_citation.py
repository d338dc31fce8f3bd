"""How pages and claims are cited: what readers and programs get, with and without an address."""

import json
import re
import subprocess
import xml.etree.ElementTree as ET

import pytest
from bs4 import BeautifulSoup
from pybtex.database import parse_string

import descent
from descent.publish import citation, finish, paths
from descent.publish.citation import Edition

BOOK = Edition(
    "Descent", ("The Descent authors", "Doe, Ada"), "MIT", "1.2.3", "2026-11-29", "abc12"
)
NAME = "notebooks/03-a.html"
ADDRESS = "https://example.org/descent/"
PAGE = (
    "<html><head><title>T</title></head><body>"
    '<h1>Pits &amp; 5 %<a class="headerlink" href="#p">#</a></h1>'
    '<div class="descent-claim" id="claim-one"><p>why '
    '<span class="descent-claim-source">Source 003, <i>post 1</i>.</span></p></div>'
    '<table><tr id="claim-two-b"><td><span class="descent-claim-source">Source 000.</span></td>'
    '</tr></table><footer class="prev-next-footer d-print-none"></footer></body></html>'
)


def cited(address=None):
    page = citation.page_with_citation(PAGE, NAME, "Pits & 5 %", BOOK, address)
    return BeautifulSoup(page, "html.parser")


def entries(soup):
    texts = [pre.get_text() for pre in soup.select(".descent-cite pre")]
    assert len(texts) == 3, "the page and its two claims"
    return [next(iter(parse_string(text, "bibtex").entries.items())) for text in texts]


def test_a_page_and_each_claim_have_an_entry_that_a_program_reads():
    (page_key, page), (one_key, one), (two_key, two) = entries(cited(ADDRESS))
    assert [page_key, one_key, two_key] == [
        "descent-03-a",
        "descent-claim-one",
        "descent-claim-two-b",
    ]
    assert page.fields["title"] == r"{Pits \& 5 \%}"
    assert [str(person) for person in page.persons["author"]] == [
        "{The Descent authors}",
        "Doe, Ada",
    ]
    assert page.fields["url"] == ADDRESS + NAME
    assert one.fields["title"] == "{Claim one}"
    assert two.fields["url"] == f"{ADDRESS}{NAME}#claim-two-b"
    for entry in (page, one, two):
        assert entry.fields["note"] == "Version 1.2.3, 2026-11-29, commit abc12"
        assert entry.fields["year"] == "2026"


def test_without_an_address_none_is_named():
    soup = cited()
    assert all("url" not in entry.fields for _, entry in entries(soup))
    assert "example.org" not in str(soup)
    data = json.loads(soup.find("script", type="application/ld+json").string)
    assert "url" not in data
    assert data["hasPart"] == [
        {"@type": "Claim", "identifier": "one"}, {"@type": "Claim", "identifier": "two-b"}
    ]  # fmt: skip
    assert soup.find("meta", attrs={"name": "citation_fulltext_html_url"}) is None


def test_a_card_and_a_row_lead_to_their_entries_and_back():
    soup = cited()
    for claim in ("one", "two-b"):
        shown = soup.find(id=f"claim-{claim}")
        (link,) = shown.find_all("a")
        place = soup.find(id=link["href"].removeprefix("#"))
        assert f"descent-claim-{claim}," in place.get_text()
        assert place.a["href"] == f"#claim-{claim}"


def test_programs_read_title_authors_date_and_place():
    soup = cited(ADDRESS)
    tags = [
        (m["name"], m["content"])
        for m in soup.find_all("meta", attrs={"name": re.compile("^citation_")})
    ]
    assert tags == [
        ("citation_title", "Pits & 5 %"),
        ("citation_author", "The Descent authors"),
        ("citation_author", "Doe, Ada"),
        ("citation_publication_date", "2026/11/29"),
        ("citation_inbook_title", "Descent"),
        ("citation_language", "en"),
        ("citation_fulltext_html_url", ADDRESS + NAME),
    ]
    data = json.loads(soup.find("script", type="application/ld+json").string)
    assert data["@type"] == "Chapter"
    assert data["@id"] == ADDRESS + NAME
    assert data["isPartOf"] == {"@type": "Book", "name": "Descent", "url": ADDRESS}
    assert data["version"] == "1.2.3"
    assert data["hasPart"][1]["url"] == f"{ADDRESS}{NAME}#claim-two-b"


def test_the_edition_is_that_of_the_checkout(tmp_path, monkeypatch):
    monkeypatch.setattr(paths, "ROOT", tmp_path)
    text = "title: T\nauthors:\n  - name: N\n  - {family-names: F, given-names: G}\nlicense: MIT\n"
    (tmp_path / "CITATION.cff").write_text(text + "date-released: 2026-01-02\n")
    assert citation.edition() == Edition(
        "T", ("N", "F, G"), "MIT", descent.__version__, "2026-01-02", ""
    )

    def git(*words):
        settings = ["-c", "user.name=x", "-c", "user.email=x@example.org"]
        done = subprocess.run(
            ["git", *settings, *words], cwd=tmp_path, check=True, capture_output=True
        )
        return done.stdout.decode().strip()

    git("init")
    (tmp_path / "book").mkdir()
    (tmp_path / "book" / "a.md").write_text("a")
    (tmp_path / "README.md").write_text("a")
    git("add", ".")
    git("commit", "-m", "one", "--date", "2026-03-04T00:00:00Z")
    first = git("log", "-1", "--format=%h")
    assert citation.edition().commit == first
    (tmp_path / "README.md").write_text("b")
    git("commit", "-am", "two")
    assert citation.edition().commit == first, "what the pages are not made from changes no page"
    (tmp_path / "book" / "a.md").write_text("b")
    assert citation.edition().commit == f"{first} and what has changed since"


@pytest.mark.parametrize("address", [None, ADDRESS])
def test_a_folder_of_pages_is_cited_and_listed(tmp_path, address):
    for name in (NAME, "search.html", "index.html"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(PAGE)
    finish.cite(tmp_path, BOOK, address)
    assert "Cite this page" in (tmp_path / NAME).read_text()
    assert (tmp_path / "search.html").read_text() == PAGE
    place = tmp_path / "sitemap.xml"
    assert place.exists() is (address is not None)
    if address:
        (url,) = ET.parse(place).getroot()
        assert [part.text for part in url] == [ADDRESS + NAME, "2026-11-29"]
