"""Notebooks as authors leave them: odd cells that IPython accepts, typos, merges, no heading."""

import json

import nbformat
import pytest

from descent.publish import authored, fingerprint

ACCEPTED = {
    "files = !ls -1 *.ipynb": "getoutput",
    "t = %timeit -o -q -n1 -r1 sum(range(9))": "timeit",
    "%%bash\nfor i in 1 2; do echo $i; done": "run_cell_magic",
    "%%html\n<b>x</b>": "run_cell_magic",
    "%%writefile t.txt\nnot python": "run_cell_magic",
    "len?": "pinfo",
    "?len": "pinfo",
    "for i in range(2):\n    %time i": "for i in range(2)",
    ">>> x = 1": "x = 1",
    "  x = 1": "x = 1",
    "%%time\nimport torch": "import torch",
    "%matplotlib inline\nimport torch": "import torch",
    "await f()": "await f()",
    "": "",
}
TYPOS = ("y = (1,", "x = 1\0", "'''open", "def f(:")


def notebook(*sources):
    return nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(s) for s in sources])


@pytest.mark.parametrize(("source", "meaning"), ACCEPTED.items())
def test_what_ipython_accepts_is_plain_python(source, meaning):
    (code,) = authored.code_cells(notebook(source))
    assert meaning in code
    assert authored.parsed(code)


@pytest.mark.parametrize("source", TYPOS)
def test_what_is_no_python_imports_nothing_and_stops_nothing(source, tmp_path):
    assert authored.code_cells(notebook(source)) == [""]
    assert list(fingerprint.imported_names(source)) == []
    assert fingerprint.fingerprint(notebook(source), "01-a", tmp_path)


def test_imports_under_a_magic_count():
    (code,) = authored.code_cells(notebook("%%time\nfrom descent import markov"))
    assert "descent.markov" in set(fingerprint.imported_names(code))


def cells(*described):
    return [
        {"cell_type": kind, "source": source, "metadata": {"tags": tags}}
        for kind, source, tags in described
    ]


def test_a_page_has_neither_empty_nor_removed_cells_and_the_browser_runs_these_all_the_same():
    found = authored.page_sources(
        cells(
            ("markdown", "# T", []),
            ("code", "a = 1", ["remove-cell"]),
            ("code", "a", []),
            ("code", "  \n", []),
            ("code", "a + 1", ["hide-input"]),
        )
    )
    assert found == ["a = 1\n\na", "a + 1"]


@pytest.mark.parametrize(
    ("described", "title"),
    [
        ([("markdown", "# Odd cells\n\ntext", [])], "Odd cells"),
        ([("code", "# no title", []), ("markdown", "", []), ("markdown", "x\n# T", [])], "T"),
        ([("markdown", "Under\nlined\n=====\n\n## not this", [])], "Under lined"),
        ([("markdown", "<h1 align='center'>\nIn <i>HTML</i>\n</h1>", [])], "In <i>HTML</i>"),
        ([("markdown", "   #\tIndented  ##", [])], "Indented"),
        ([("markdown", "$$\na\n=\nb\n$$\n\n> # quoted\n\n- # in a list", [])], ""),
        ([("markdown", "````\n```\n````\n# T", [])], "T"),
        ([("markdown", "## second level\n```\n# code\n```", [])], ""),
    ],
)
def test_the_title_is_the_first_heading_wherever_it_stands(described, title):
    made = {"cells": cells(*described)}
    assert authored.title(made) == title
    if title:
        authored.demand_title(made, "14-odd.ipynb")
    else:
        with pytest.raises(authored.NotebookFailed, match=r"14-odd\.ipynb: no cell has a heading"):
            authored.demand_title(made, "14-odd.ipynb")


GOOD = json.dumps(nbformat.v4.new_notebook(), indent=1)


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", "the file is empty"),
        ("<<<<<<< HEAD\n" + GOOD, "line 1 is a mark of a merge: '<<<<<<< HEAD'"),
        (GOOD.replace(' "nbformat"', '>>>>>>> other\n "nbformat"', 1), "mark of a merge"),
        (GOOD[:-1], r"line \d+: "),
        ("\ufeff" + GOOD, "line 1: "),
        ("[]", "it has no nbformat"),
        ('{"nbformat": 4, "nbformat_minor": 5, "metadata": {}}', "its cells"),
    ],
)
def test_a_file_that_is_no_notebook_is_named_with_the_reason(tmp_path, text, why):
    path = tmp_path / "14-odd.ipynb"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(authored.NotebookFailed, match=rf"cannot read .*14-odd\.ipynb: .*{why}"):
        authored.read(path)


def test_an_older_format_is_read(tmp_path):
    path = tmp_path / "14-old.ipynb"
    heading = {"cell_type": "heading", "level": 1, "metadata": {}, "source": "Old"}
    sheets = {"metadata": {}, "nbformat": 3, "nbformat_minor": 0}
    path.write_text(json.dumps(sheets | {"worksheets": [{"cells": [heading], "metadata": {}}]}))
    old = authored.read(path)
    assert authored.title(old) == "Old"
    old.metadata["descent"] = {"seconds": 1}
    assert old.metadata.descent.seconds == 1
