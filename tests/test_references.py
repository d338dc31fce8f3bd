"""The bibliography: each entry is cited, is linked, and says with what it was compared."""

import re

import nbformat
import pytest
from pybtex.database import parse_file

from descent.publish import paths

ENTRIES = parse_file(paths.BOOK / "references.bib").entries
CITED = re.compile(r"\{cite:[a-z]+\}`([^`]+)`")
LINKS = {"doi", "url", "eprint"}
WITHOUT = ("In print only", "Not found in a public copy")


def citations():
    """Return the keys that the chapters and the pages cite."""
    texts = [page.read_text(encoding="utf-8") for page in paths.BOOK.glob("*.md")]
    for path in paths.notebooks():
        cells = nbformat.read(path, as_version=4).cells
        texts += [cell.source for cell in cells if cell.cell_type == "markdown"]
    return {
        key.strip() for text in texts for keys in CITED.findall(text) for key in keys.split(",")
    }


def complaints(key, fields):
    """Return what an entry lacks."""
    found = []
    if ("checked" in fields) == ("unchecked" in fields):
        found.append(f"{key}: one of `checked` and `unchecked` says with what it was compared")
    if "unchecked" in fields and "not found" not in fields.get("note", "").lower():
        found.append(f"{key}: the reader is told in `note` what was not found")
    if not LINKS & set(fields) and not fields.get("note", "").startswith(WITHOUT):
        found.append(f"{key}: give a doi, an eprint or a url")
    if re.search(r"\barXiv:", fields.get("note", "")):
        found.append(f"{key}: a preprint is an `eprint`, which prints as a link")
    return found


@pytest.mark.parametrize("key", list(ENTRIES))
def test_an_entry_was_compared_and_prints_a_link(key):
    assert complaints(key, dict(ENTRIES[key].fields)) == []


@pytest.mark.parametrize(
    "fields",
    [
        {"doi": "10.1/x"},
        {"doi": "10.1/x", "checked": "all", "unchecked": "all"},
        {"doi": "10.1/x", "unchecked": "the year"},
        {"checked": "all"},
        {"checked": "all", "note": "arXiv:1212.4507", "url": "https://x"},
    ],
)
def test_a_poor_entry_is_noticed(fields):
    assert complaints("x", fields)


def test_what_is_cited_is_there_and_what_is_there_is_cited():
    assert citations() == set(ENTRIES)


def test_sources_carry_their_authors():
    for key, entry in ENTRIES.items():
        if key.startswith("source"):
            assert entry.persons["author"], key
            assert "Source" not in str(entry.persons["author"][0])
    assert "huszar2017" in citations(), "source 004 asks that the post it follows is named"
