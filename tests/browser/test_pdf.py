"""The printed book: contents with pages, running heads, solutions at the end, an index."""

import io
import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import matplotlib
import pytest

from descent.publish.pdf import finished, fonts, for_paper, link_within, pages_of

pypdf = pytest.importorskip("pypdf")

FILL = "".join(f"<p>Line {n} of many words that fill the page.</p>" for n in range(60))


def chapter(number, name, words):
    return f"""<span id="document-notebooks/0{number}-{name}"></span><section id="{name}">
<h2>{number}. {name.capitalize()}<a class="headerlink" href="#{name}">#</a></h2>
<p>{words} <a href="#term-pit">pit</a>,
by <a href="../LICENSE">file</a>.</p>{FILL}
<section id="more"><h3>{number}.1. More</h3>
<p>The <a href="#term-pit">pit</a> again.</p></section>
<section id="exercises"><h3>{number}.2. Exercises</h3>
<p><span id="exercise-{number}-1"></span><strong>Exercise {number}.1.</strong> Ask.</p>
<div class="cell tag_hide-cell"><details class="hide"><summary>Solution</summary>
<div class="highlight"><pre>answer_{number} = 1</pre></div></details></div><p>It is {number}.</p>
<p><span id="exercise-{number}-2"></span><strong>Exercise {number}.2.</strong> No answer.</p>
</section></section>"""


PAGE = f"""<!doctype html><html lang="en"><head><title>t</title></head>
<body>
<script>document.title = "ran"</script><article class="bd-article">
<section id="top"><h1>The book</h1>
<p>Words.</p><div class="toctree-wrapper">{chapter(1, "first", "In the")}</div>
<div class="toctree-wrapper">{chapter(2, "second", "Out of the")}
<span id="document-book/glossary"></span>
<section id="glossary"><h2>Glossary</h2>
<dl><dt id="term-pit">pit</dt><dd>A hole.</dd></dl></section></div></section>
</article></body></html>"""
ABOUT = {
    "title": "A book",
    "author": "Its authors",
    "lines": ["About pits"],
    "picture": "",
    "parts": [
        {"caption": "Part one", "pages": ["notebooks/01-first"]},
        {"caption": "Part two", "pages": ["notebooks/02-second", "book/glossary"]},
    ],
}
PRINT = """
import json
import sys
from pathlib import Path
from descent.publish.pdf import print_page
from descent.publish.render import RenderFailed
try:
    print(print_page(Path(sys.argv[1]), Path(sys.argv[2]), json.loads(sys.argv[3])))
except RenderFailed as failure:
    sys.exit(str(failure))
"""


def print_page(page, target, **variables):
    """Print in a process of its own, because one process runs one Playwright."""
    return subprocess.run(
        [sys.executable, "-c", PRINT, page, target, json.dumps(ABOUT)],
        env=os.environ | variables,
        capture_output=True,
        text=True,
    )


def lay_out(folder, content=PAGE):
    """Lay a page with the style and the fonts of the print into a folder."""
    from descent.publish import pdf

    page = folder / "page.html"
    page.write_text(for_paper(content))
    (folder / "paper.css").write_text((pdf.STYLES / "paper.css").read_text(encoding="utf-8"))
    fonts(folder / "fonts")
    return page


@pytest.fixture(scope="module")
def printed(browser, tmp_path_factory):
    folder = tmp_path_factory.mktemp("print")
    target = folder / "page.pdf"
    done = print_page(lay_out(folder), target)
    assert done.returncode == 0, done.stderr
    return target.read_bytes()


@pytest.fixture(scope="module")
def texts(printed):
    return [page.extract_text() for page in pypdf.PdfReader(io.BytesIO(printed)).pages]


def page_with(texts, words):
    """Return the number of the only page with these words."""
    (found,) = [n for n, text in enumerate(texts, 1) if words in text]
    return found


def test_the_contents_name_the_pages(texts):
    contents = texts[1]
    assert contents.index("Part one") < contents.index("1. First") < contents.index("Part two")
    for title, words in (
        ("2. Second", "Out of the"),
        ("2.2. Exercises", "Exercise 2.1"),
        ("Solutions", "answer_1"),
    ):
        number = re.search(rf"{re.escape(title)}\s+(\d+)", contents)[1]
        assert int(number) == page_with(texts, words), title


def test_each_chapter_has_its_running_head_and_each_page_but_the_cover_its_number(texts):
    # A left page has the book's title, a right one the chapter's.
    for number, text in enumerate(texts[1:], 2):
        assert re.search(rf"^{number}$", text, re.MULTILINE), text
        assert "A book" in text if number % 2 == 0 else text.count("A book") == 0
    within = [text for text in texts if "Line 59" in text or "Line 0 " in text]
    assert any(text.count("1. First") for text in within)
    assert "1\n" not in texts[0]


def test_solutions_stand_at_the_end_with_what_belongs_to_them(texts):
    exercises, solutions = page_with(texts, "Exercise 1.1"), page_with(texts, "answer_1")
    assert exercises < solutions
    assert page_with(texts, "It is 1.") == solutions
    assert f"(Solution: page {solutions})" in texts[exercises - 1]
    assert "Hide" not in "".join(texts)


def test_the_index_names_each_page_once(texts):
    uses = [page_with(texts, "In the"), page_with(texts, "Exercise 1.1")]
    uses += [page_with(texts, "Out of the"), page_with(texts, "Exercise 2.1")]
    found = re.search(r"pit((?:[\s,]+\d+)+)", texts[-1])[1]
    assert [int(n) for n in re.findall(r"\d+", found)][: len(set(uses))] == sorted(set(uses))


def test_no_link_leads_to_the_machine_that_printed(printed):
    assert b"file:" not in printed
    assert b"LICENSE" not in printed


def test_the_file_says_title_and_author_and_has_an_outline_without_doubled_titles(printed):
    reader = pypdf.PdfReader(io.BytesIO(printed))
    assert (reader.metadata.title, reader.metadata.author) == ("A book", "Its authors")

    def titles(items):
        return [t for i in items for t in (titles(i) if isinstance(i, list) else [i.title])]

    assert titles(reader.outline) == [
        *("About the book", "1. First", "1.1. More", "1.2. Exercises", "2. Second", "2.1. More"),
        *("2.2. Exercises", "Glossary", "Solutions", "1. First", "2. Second", "Index"),
    ]


def test_with_other_fonts_on_the_machine_the_pages_are_the_same(browser, printed, tmp_path):
    (tmp_path / "fonts.conf").write_text(
        '<?xml version="1.0"?><!DOCTYPE fontconfig SYSTEM "fonts.dtd"><fontconfig>'
        f"<dir>{tmp_path}/other</dir><cachedir>{tmp_path}/cache</cachedir></fontconfig>"
    )
    (tmp_path / "other").mkdir()
    other = Path(matplotlib.get_data_path()) / "fonts" / "ttf" / "cmb10.ttf"
    shutil.copyfile(other, tmp_path / "other" / other.name)
    target = tmp_path / "page.pdf"
    done = print_page(lay_out(tmp_path), target, FONTCONFIG_FILE=str(tmp_path / "fonts.conf"))
    assert done.returncode == 0, done.stderr
    assert pages_of(target.read_bytes()) == pages_of(printed)
    names = {
        str(font["/BaseFont"])
        for page in pypdf.PdfReader(target).pages
        for font in (f.get_object() for f in page["/Resources"]["/Font"].values())
    }
    assert {re.sub(r"^/\w+\+", "", name).split("-")[0] for name in names} <= {
        *("STIXGeneral", "DejaVuSansMono", "DejaVuSans", "STIXTwoMath"),
    }


def code(lines):
    text = "\n".join(f"line_{n} = {n}" for n in range(lines))
    return f'<div class="highlight"><pre>{text}</pre></div>'


def block(height):
    return f'<div style="height: {height}mm; break-inside: avoid">A block.</div>'


FIGURE = """<figure id="figure-1-1"><div class="descent-tile"><svg viewBox="0 0 4 4"></svg></div>
<figcaption>Figure 1.1. What it shows.<div style="height: 20mm"></div></figcaption></figure>"""


def spread(content):
    return PAGE.replace(FILL, content, 1)


def test_a_page_is_not_left_half_empty_for_a_figure_and_code_is_not_torn(browser, tmp_path):
    # The figure is a little too tall for what the first block leaves.
    page = spread(block(130) + FIGURE + block(150) + code(45) + block(200) + "<p>The end.</p>")
    done = print_page(lay_out(tmp_path, page), tmp_path / "page.pdf")
    assert done.returncode == 0, done.stderr
    texts = [page.extract_text() for page in pypdf.PdfReader(tmp_path / "page.pdf").pages]
    assert page_with(texts, "What it shows") == page_with(texts, "In the")
    assert page_with(texts, "line_0 ") == page_with(texts, "line_44")
    emptiest = re.search(r"page (\d+), is filled to (\d+) %", done.stdout)
    assert "A block" in texts[int(emptiest[1]) - 1]
    assert int(emptiest[2]) < 10, "the words of the lowest block stand at its top"


def test_code_longer_than_a_page_is_named(browser, tmp_path):
    done = print_page(lay_out(tmp_path, spread(code(90))), tmp_path / "page.pdf")
    assert "longer than a page" in done.stderr
    assert "line_0 = 0" in done.stderr
    assert not (tmp_path / "page.pdf").exists()


def test_the_same_print_gives_the_same_file(printed):
    once, again = (finished(printed, [], ABOUT) for _ in range(2))
    assert once == again


def test_links_between_pages_become_links_within_one():
    page = """<a href="../notebooks/01-a.html#x">1</a><a href="01-a.html">2</a>
<a href="glossary.html#none">3</a><p id='x'></p><span id="document-notebooks/01-a"></span>
<a href="https://example.org/01-a.html">4</a>"""
    mended = link_within(page)
    assert re.findall(r'href="([^"]+)"', mended) == [
        *("#x", "#document-notebooks/01-a", "glossary.html#none", "https://example.org/01-a.html"),
    ]


def test_without_a_browser_the_error_says_what_is_missing(browser, tmp_path):
    done = print_page(tmp_path / "x.html", tmp_path / "x.pdf", CHROMIUM=str(tmp_path / "nothing"))
    assert "printed by Chromium, and none was found" in done.stderr
    assert not (tmp_path / "x.pdf").exists()
