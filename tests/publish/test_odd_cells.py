"""One chapter of odd cells, executed and rendered: nothing of it is missing from its page."""

import base64
import json
import re
import shutil
from urllib.parse import unquote

import nbformat
import pytest
import yaml
from bs4 import BeautifulSoup

from descent.publish import authored, execute, finish, numbering, outputs, paths, render, words
from descent.publish.citation import Edition

ROOT = paths.ROOT
PIXEL = base64.b64encode(
    base64.b64decode(
        "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
    )
).decode()
SHOWN = {
    "files = !ls -1 *.ipynb\nfiles[:1]": "14-odd-cells.ipynb",
    "%%bash\nfor i in 1 2; do echo number $i; done": "number 2",
    "%%html\n<b>in bold</b>": "in bold",
    "for i in range(2):\n    %time print('timed', i)": "timed 1",
    "  print('dedented')": "dedented",
    "import asyncio\nawait asyncio.sleep(0, 'waited')": "waited",
    "import sympy\nsympy.init_printing()\nsympy.sqrt(sympy.Symbol('zeta'))": "sympy",
    "print('\\x1b[38;2;10;200;30mtrue colour\\x1b[0m')": "true colour",
    "import sys\nfrom tqdm import tqdm\nfor _ in tqdm(range(3), file=sys.stdout): pass": "3/3",
    "print('carried')\r\nprint('back')": "back",
    "%%capture kept\nprint('kept')": "",
    "from IPython.display import *\nImage(data=b'\\x89PNG', format='png')": "",
    "Latex(r'$\\alpha$')": "α",
    "h = display('first', display_id=True)\nh.update('second')": "second",
    "len?": "Return the number of items in a container",
    "# only a comment": "only a comment",
    "!printf 'caf\\351 in bytes'": "caf\N{REPLACEMENT CHARACTER} in bytes",
    "import matplotlib.pyplot as plt\nplt.plot([1, 2]);": "",
    "for i in range(20_000): print('line', i)": "line 19999",
    "print('last')": "last",
}
MEANT = "1 / 0"
ADDRESS = "https://example.org/descent/"


@pytest.fixture
def checkout(tmp_path, monkeypatch):
    for name in ("ROOT", "BOOK", "NOTEBOOKS", "BUILD", "EXECUTED", "KERNELS", "STAGE", "HTML"):
        place = tmp_path / getattr(paths, name).relative_to(ROOT)
        monkeypatch.setattr(paths, name, place)
    (tmp_path / "notebooks").mkdir()
    return tmp_path


def written(checkout, *cells):
    path = checkout / "notebooks" / "14-odd-cells.ipynb"
    nbformat.write(nbformat.v4.new_notebook(cells=list(cells)), path)
    return path


def code(source, *tags):
    return nbformat.v4.new_code_cell(source, metadata={"tags": list(tags)})


@pytest.fixture
def odd(checkout):
    pasted = nbformat.v4.new_markdown_cell(
        "![a dot](attachment:my%20shot.png) ![one](attachment:a.png)\n\n"
        "![two](attachment:a.png.png)\n\n"
        '<img src="attachment:%C3%BC.png" alt="three"> ![four][1]\n\n[1]: attachment:shot(1).png'
    )
    names = ["my shot.png", "a.png", "a.png.png", "ü.png", "shot(1).png"]
    pasted["attachments"] = {name: {"image/png": PIXEL} for name in names}
    return written(
        checkout,
        code("1 + 1"),
        nbformat.v4.new_markdown_cell("# Odd cells"),
        code("hidden = 'removed'", "remove-cell"),
        code("assert hidden == 'removed'"),
        pasted,
        *map(code, SHOWN),
        code(MEANT, "raises-exception"),
        code(""),
    )


def rendered(run):
    """Render a chapter alone, with the book's own configuration, and return the folder."""
    book = ROOT / "book"
    text = render.configuration((book / "_config.yml").read_text(), None, ADDRESS)
    config = yaml.safe_load(text)
    stage = paths.STAGE
    shutil.copytree(book / "_static", stage / "book" / "_static")
    shutil.copyfile(book / "references.bib", stage / "book" / "references.bib")
    config["sphinx"]["config"]["html_css_files"] = config["sphinx"]["config"]["html_js_files"] = []
    (stage / "book" / "_config.yml").write_text(yaml.safe_dump(config))
    (stage / "book" / "_toc.yml").write_text("format: jb-book\nroot: notebooks/14-odd-cells\n")
    fit = outputs.fit_for_page(run, "14-odd-cells", stage / "notebooks")
    numbering.numbered({"14-odd-cells": fit})
    (stage / "notebooks").mkdir(exist_ok=True)
    (stage / "notebooks" / "14-odd-cells.ipynb").write_text(nbformat.writes(fit))
    render.sphinx(paths.BUILD / "render")
    return paths.BUILD / "render" / "_build" / "html"


@pytest.fixture
def page(odd):
    """The page of the odd chapter."""
    run = execute.execute(odd)
    html = rendered(run)
    return run, html, (html / "notebooks" / "14-odd-cells.html").read_text()


def test_nothing_of_an_odd_chapter_is_missing_from_its_page(page):
    run, html, text = page
    soup = BeautifulSoup(text, "html.parser")
    boxes = [box.get_text() for box in soup.select("div.cell")]
    # Two cells before the odd ones, and the meant error behind them.
    assert len(boxes) == 2 + len(SHOWN) + 1
    for box, (source, shown) in zip(boxes[2:], SHOWN.items(), strict=False):
        assert shown in box, source
    assert "ZeroDivisionError" in boxes[-1]
    assert "removed'" not in boxes[0]
    pictures = {img["alt"]: img["src"] for img in soup.find_all("img") if img.get("alt")}
    assert pictures.keys() >= {"a dot", "one", "two", "three", "four"}
    assert "IPython.core.display.Image object" in pictures, "what is read out is no address"
    for place in pictures.values():
        assert (html / "notebooks" / unquote(place)).resolve().is_file(), place
    (formula,) = [box for box in soup.select("div.cell") if "Symbol(" in box.get_text()]
    output = formula.select_one(".cell_output")
    assert "sqrt" in str(output), "sympy is a formula"
    assert not output.find_all("img"), "and no picture of one"
    assert not [img for img in soup.select("div.cell img") if not img.get("alt")]
    assert "-Color-Black" not in text
    assert "-Color-C40" in text, "the true colour is the nearest of 256"
    assert len(authored.page_sources(run.cells)) == len(boxes)
    assert_one_address(html)


def addresses(page):
    """Return what a page says of where it stands, to search engines, programs and messengers."""
    (linked,) = [link["href"] for link in page.find_all("link", rel="canonical")]
    named = [("property", "og:url"), ("name", "citation_fulltext_html_url")]
    (shared,), (cited,) = [
        [tag["content"] for tag in page.find_all("meta", attrs={kind: name})]
        for kind, name in named
    ]
    data = json.loads(page.find("script", type="application/ld+json").string)
    return {linked, shared, cited, data["@id"], data["url"]}


def assert_one_address(html):
    """Finish the page as the book's are, and compare all addresses that it then has."""
    name = "notebooks/14-odd-cells.html"
    place, book = html / name, Edition("Descent", ("A",), "MIT", "1.2.3", "2026-11-29", "abc12")
    text = finish.with_one_viewport(finish.preview(place.read_text(), name, ADDRESS))
    place.write_text(text)
    finish.cite(html, book, ADDRESS)
    text = place.read_text()
    soup = BeautifulSoup(text, "html.parser")
    assert addresses(soup) == {ADDRESS + name}
    assert len(soup.find_all("meta", attrs={"name": "viewport"})) == 1
    listed = (html / "sitemap.xml").read_text()
    assert f"<loc>{ADDRESS}{name}</loc>" in listed
    assert listed.count("<loc>") == 1, "neither the index nor the search"
    assert ADDRESS + name in soup.select_one(".descent-cite pre").get_text()


BAD = [
    ("y = (1,\n", "cell 2 failed in line 1: SyntaxError: incomplete input\n"),
    ("x = 1\ny = x +\n", "cell 2 failed in line 2: SyntaxError: invalid syntax"),
    ("x = 1\n\ny = x / 0", "cell 2 failed in line 3: ZeroDivisionError"),
    ("import ipywidgets as w\nw.IntSlider(description='n')", "cell 2 shows an ipywidgets widget"),
    ("import ipywidgets as w\nw.interact(lambda n: print(n), n=(0, 5));", "cell 2 shows an ipyw"),
    (
        "from tqdm.notebook import tqdm\nfor i in tqdm(range(3)): pass",
        "cell 2 shows an ipywidgets widget",
    ),
    (
        "from IPython.display import Javascript\nJavascript('fetch(1)')",
        "cell 2 shows a script, which a page without a kernel",
    ),
    (
        "from IPython.display import display\ndisplay({'application/x-odd': 'text'}, raw=True)",
        "cell 2 shows nothing but application/x",
    ),
    ("from IPython.display import JSON\nJSON({})", "cell 2 shows nothing but application/json"),
    ("display({}, raw=True)", "cell 2 shows nothing but an empty output"),
    ("exit()", "cell 2: it ends its kernel, by exit or quit"),
    ("quit", "cell 2: it ends its kernel, by exit or quit"),
    ("import sys\nsys.exit()", "cell 2 failed: SystemExit"),
    ("import os\nos._exit(3)", "stopped in cell 2: Kernel died"),
    ("%load 14-odd.ipynb", "cell 2: it writes a cell"),
    (
        "%%unknown\ntext",
        "cell 2 failed: the cell wrote to stderr: UsageError: Cell magic `%%unknown` not found.",
    ),
    ("x = 1\ninput()", "cell 2 failed in line 2: StdinNotImplementedError: raw_input was called"),
    ("x = 1\nbreakpoint()\nprint(x)", "cell 2 failed: StdinNotImplementedError"),
    (
        "class Odd:\n    def __repr__(self):\n        raise ValueError('no')\ndisplay(Odd())",
        "cell 2 failed in line 3: ValueError: no",
    ),
    (
        "for number in range(500_000):\n    print(number)",
        "cell 2 writes 3388890 characters, and a page may have 3000000 bytes",
    ),
    ("%%html\n<details>open", "cell 2 shows HTML in which <details> is not closed"),
    ("%%html\n</div>", "cell 2 shows HTML in which </div> closes nothing"),
    ("%%html\n<b>x</b><!-- open", "cell 2 shows HTML in which <!-- is not closed"),
]


def test_each_fault_is_told_with_chapter_cell_and_line(checkout):
    """In one go: each stands in a chapter of its own."""
    wrong = []
    for number, (source, _) in enumerate(BAD, start=14):
        path = written(checkout, nbformat.v4.new_markdown_cell("# T"), code(source))
        wrong.append(path.rename(path.with_name(f"{number}-odd.ipynb")))
    with pytest.raises(execute.NotebookFailed) as failure:
        execute.execute_all(wrong)
    said = str(failure.value)
    for path, (source, why) in zip(wrong, BAD, strict=True):
        assert re.search(rf"{re.escape(str(path))}: {why}", said), (source, said)


def test_a_notebook_that_is_none_stops_no_other(checkout, capfd):
    good = written(checkout, nbformat.v4.new_markdown_cell("# T"), code("1"))
    execute.execute(good)
    merged = good.with_name("15-merged.ipynb")
    merged.write_text("<<<<<<< HEAD\n{}")
    with pytest.raises(execute.NotebookFailed, match=r"15-merged\.ipynb: line 1 is a mark"):
        execute.execute_all([good, merged])
    assert "unchanged: 1" in capfd.readouterr().out


@pytest.mark.parametrize(
    "text",
    [
        "![x](attachment:gone.png)",
        "![x](<attachment:gone.png>)",
        "![x][1]\n\n[1]: attachment:gone.png",
        '<img alt="x" src="attachment:gone.png">',
    ],
)
def test_a_picture_that_is_not_pasted_is_told(text):
    cell = nbformat.v4.new_markdown_cell(f"`![x](attachment:there.png)`\n\n{text}")
    cell["attachments"] = {"there.png": {"image/png": PIXEL}}
    made = nbformat.v4.new_notebook(cells=[cell])
    assert outputs.complaint("x", made) == (
        "x: cell 1 shows attachment:gone.png, which is not pasted into it"
    )
    cell["attachments"]["gone.png"] = {"image/png": PIXEL}
    assert outputs.complaint("x", made) is None
    cell["attachments"]["gone.png"] = {}
    assert "attachment:gone.png" in outputs.complaint("x", made)


LATE = {
    "import threading\ndef later():\n    import time; time.sleep(0.2); print('a thread')\n"
    "threading.Thread(target=later).start()": "a thread\n",
    "import asyncio\nasync def later(): print('a task')\n"
    "t = asyncio.ensure_future(later())": "a task\n",
    "import os\nos.write(1, b'caf\\xe9\\n')\nNone": "caf\N{REPLACEMENT CHARACTER}\n",
}


def test_what_comes_after_the_end_of_its_cell_is_kept(checkout, monkeypatch):
    monkeypatch.delenv("PYTEST_CURRENT_TEST")  # with it a kernel does not read its own file 1
    path = written(checkout, nbformat.v4.new_markdown_cell("# T"), *map(code, LATE))
    said = "".join(out.text for cell in execute.execute(path).cells[1:] for out in cell.outputs)
    assert sorted(said.splitlines(True)) == sorted(LATE.values())


def test_an_error_that_comes_late_is_one(checkout):
    late = "import threading\nthreading.Timer(0.1, lambda: 1 / 0).start()"
    path = written(checkout, nbformat.v4.new_markdown_cell("# T"), code(late), code("1"))
    with pytest.raises(execute.NotebookFailed, match=r"cell \d failed: .*Exception in thread"):
        execute.execute(path)


WORDS = {
    "<details><summary>s</summary>\n\ntext": "cell 1, line 1: <details> is not closed",
    "first\n\n<div>\n\n**x**\n\n</div></div>": "cell 1, line 7: </div> closes nothing",
    "a <b>word\nand": "cell 1, line 1: <b> is not closed",
    "text\n\n<!-- a comment\n\nthe rest": "cell 1, line 3: <!-- is not closed",
    "A note[^1].": "cell 1, line 1: [^1] has no note",
    "Text.\n\n[^a]: a note": "cell 1, line 3: no sentence refers to the note [^a]",
    "text\n![](x.svg)": "cell 1, line 2: say in the brackets of ![...](x.svg) what the picture",
    "![ ][1]\n\n[1]: y.png": "cell 1, line 1: say in the brackets of ![...](y.png)",
    "text\n\n<p>\n<img src='x.png'>": "cell 1, line 4: say in alt='...' of <img src='x.png'>",
    "text\n\n| a | b |\n|--|": "cell 1, line 3: the table's head has 2 columns, its rule 1",
}


@pytest.mark.parametrize(("text", "why"), WORDS.items())
def test_words_that_a_page_would_lose_are_told(text, why):
    made = nbformat.v4.new_notebook(cells=[nbformat.v4.new_markdown_cell(text)])
    assert str(words.complaint("x", made)).startswith(f"x: {why}")


def test_what_only_looks_like_it_is_left_alone():
    texts = (
        "<details><summary>s</summary>\n\ntext <b>*and*</b><br>\n\n</details>",
        "`<b>` and $a <b> c$ and\n\n```html\n<div>\n```\n\n~~~\n<!--\n~~~",
        "<ul><li>one<li>two</ul> <svg><path d='M0 0'/></svg> <p>open",
        "<!-- whole -->\n<script>if (a < b) '<b>'</script>",
        "A note[^1], and a [link](#x), ![^2](y.png) and `[^3]`.",
        "[^1]: in another cell",
        "![shown](x.png) `![](x.png)` <img src='line.png' alt=''>\n\n```\n![](x.png)\n```",
        "| a | b \\| c |\n|:--|--:|\n| 1 | 2 |\n\n```\n| a | b |\n|--|\n```",
    )
    cells = [nbformat.v4.new_markdown_cell(text) for text in texts]
    cells.append(nbformat.v4.new_raw_cell("\n"))
    cells.append(nbformat.v4.new_raw_cell("<b>x</b>", metadata={"format": "text/html"}))
    assert words.complaint("x", nbformat.v4.new_notebook(cells=cells)) is None


def test_a_raw_cell_is_told():
    made = nbformat.v4.new_notebook(cells=[nbformat.v4.new_raw_cell("as it is")])
    assert words.complaint("x", made).startswith("x: cell 1 is a raw cell, which no page shows")


def test_words_are_asked_before_a_run_and_when_only_they_are_new(checkout):
    good = nbformat.v4.new_markdown_cell("# T")
    path = written(checkout, good, code("print('ran')"))
    execute.execute(path)
    path = written(checkout, nbformat.v4.new_markdown_cell("# T\n\n<div>"), code("print('ran')"))
    with pytest.raises(execute.NotebookFailed, match="cell 1, line 3: <div> is not closed"):
        execute.execute(path)
    (paths.EXECUTED / path.name).unlink()
    with pytest.raises(execute.NotebookFailed, match="cell 1, line 3: <div> is not closed"):
        execute.execute(path)
    assert not (paths.EXECUTED / path.name).exists()


def test_a_chapter_has_one_title():
    def chapter(*texts):
        return nbformat.v4.new_notebook(cells=[nbformat.v4.new_markdown_cell(t) for t in texts])

    authored.demand_title(chapter("# One\n\n```\n# two\n```", "## Two"), "x")
    authored.demand_title(chapter("````\n```\n# two\n````", "One\n===\n\n    # code"), "x")
    for second in ("Two\n===", "<h1>Two</h1>", " #\tTwo #"):
        with pytest.raises(execute.NotebookFailed, match=r"second heading .*, '# Two'"):
            authored.demand_title(chapter("# One", second), "x")
    with pytest.raises(execute.NotebookFailed, match="x: cell 2 has a second heading"):
        authored.demand_title(chapter("# One", "text\n\n# Two"), "x")
    for none in (chapter("## Two"), chapter("# ")):
        with pytest.raises(execute.NotebookFailed, match="x: no cell has a heading"):
            authored.demand_title(none, "x")


FAULTY = """# Title

A formula $\\foo{x}$ of {cite}`nobody`, and [a file](nothing.csv).

(here)=
## One

![none](no.png)

(here)=
## Two

$$
a = b
$$ (twice)

$$
c = d
$$ (twice)
"""
TOLD = [
    "cell 1, line 3: WARNING: Unsupported function name: \\foo",
    'cell 1, line 3: WARNING: could not find bibtex key "nobody"',
    "cell 1, line 3: WARNING: 'myst' cross-reference target not found: 'nothing.csv'",
    'cell 1, line 10: WARNING: Duplicate explicit target name: "here"',
    "cell 1, line 17: WARNING: duplicate label of equation twice",
    "cell 1, line 8: WARNING: image file not readable: notebooks/no.png",
]


def test_what_sphinx_finds_is_told_in_a_line_each(checkout):
    path = written(checkout, nbformat.v4.new_markdown_cell(FAULTY))
    with pytest.raises(render.RenderFailed) as failure:
        rendered(execute.execute(path))
    head, *lines = str(failure.value).splitlines()
    assert head.startswith("rendering failed")
    for told in TOLD:
        assert [line for line in lines if line.startswith(f"{path}: {told}")], (told, lines)
    assert not [line for line in lines if not line.startswith(str(path))], "nothing else"


def test_a_link_that_leads_nowhere_is_told_with_its_cell(checkout):
    path = written(
        checkout, nbformat.v4.new_markdown_cell("# T"), code("%%html\n<a href='x.md'>y</a>")
    )
    said = "notebooks/14-odd-cells.html: x.md leads nowhere"
    assert render.at_the_cells(said) == f"{path}: cell 2: x.md leads nowhere"
    other = "book/intro.html: x.md leads nowhere"
    assert render.at_the_cells(other) == other


def test_what_sphinx_says_of_the_stage_is_told_of_the_authors_notebook():
    page = f"{paths.STAGE}/book/claims.md:7: WARNING"
    said = f"{paths.STAGE}/notebooks/14-odd.ipynb:20004: WARNING: unknown role\n{page}"
    place = f"{paths.NOTEBOOKS}/14-odd.ipynb: cell 2, line 3"
    assert render.at_the_authors(said) == f"{place}: WARNING: unknown role\n{page}"


def test_an_error_that_is_meant_and_does_not_come_is_one():
    cell = code("1", "raises-exception")
    made = nbformat.v4.new_notebook(cells=[cell])
    assert "cell 1 is tagged raises-exception, and raised nothing" in outputs.complaint("x", made)
    cell.outputs = [nbformat.v4.new_output("error", ename="E", evalue="v", traceback=[])]
    assert outputs.complaint("x", made) is None
