"""Computed numbers in Markdown cells: filled where the kernel stands, or the book stops."""

import nbformat
import pytest

from descent.publish import execute, paths, sentences

CODE, TEXT = nbformat.v4.new_code_cell, nbformat.v4.new_markdown_cell


@pytest.fixture
def run(tmp_path, monkeypatch):
    """Return a function that executes cells as a chapter of a checkout of its own."""
    root = paths.ROOT
    for name in ("ROOT", "BOOK", "NOTEBOOKS", "BUILD", "EXECUTED", "KERNELS"):
        monkeypatch.setattr(paths, name, tmp_path / getattr(paths, name).relative_to(root))
    paths.NOTEBOOKS.mkdir()
    path = paths.NOTEBOOKS / "01-a.ipynb"

    def execute_cells(*cells):
        nbformat.write(nbformat.v4.new_notebook(cells=list(cells)), path)
        return execute.execute(path)

    return execute_cells


def test_a_sentence_gets_the_numbers_of_the_cells_before_it(run):
    executed = run(
        CODE("from descent.prose import fixed\nx = -0.318"),
        TEXT("The mean is {eval}`fixed(x, 2)`, and **{eval}`f'{3 * x:.1f}'`** thrice."),
        CODE("x = 2.0"),
        TEXT("Now {eval}`fixed(x, 2)` of {eval}`3 * 4`; `{eval}` alone and {term}`entropy` stay."),
    )
    assert executed.cells[1].source == "The mean is −0.32, and **-1.0** thrice."
    assert executed.cells[3].source == "Now 2.00 of 12; `{eval}` alone and {term}`entropy` stay."
    stored = nbformat.read(paths.NOTEBOOKS / "01-a.ipynb", as_version=4)
    assert "{eval}`fixed(x, 2)`" in stored.cells[1].source


def test_a_text_longer_than_a_line_comes_whole(run):
    executed = run(CODE("text = 'word ' * 60 + '\"end\"'"), TEXT("{eval}`text`"))
    assert executed.cells[1].source == "word " * 60 + '"end"'


@pytest.mark.parametrize(
    ("expression", "message"),
    [
        ("y", "NameError: name 'y' is not defined"),
        ("1 / 3", r"gives 0\.333\d*, not a text.*fixed\(1 / 3, 2\)"),
        ("None", "gives None, not a text"),
        ("x == 1", "gives True, not a text"),
        ("__import__('numpy').int64(3)", r"gives np.int64\(3\), not a text"),
        ("open", "not a text"),
        ("1 +", "SyntaxError"),
    ],
)
def test_a_sentence_that_cannot_be_filled_stops_the_book(run, expression, message):
    with pytest.raises(execute.NotebookFailed, match=message) as raised:
        run(CODE("x = 1"), TEXT(f"A sentence with {{eval}}`{expression}`."))
    assert "cell 2" in str(raised.value)
    assert "A sentence with" in str(raised.value)


def test_an_error_before_the_sentence_is_the_reason_that_is_told(run):
    with pytest.raises(execute.NotebookFailed, match="cell 1 failed in line 1: ZeroDivisionError"):
        run(CODE("x = 1 / 0"), TEXT("{eval}`str(x)`"))


def test_code_that_quotes_the_role_is_left_alone(run):
    executed = run(CODE("text = '{eval}`x`'\nprint(text)"))
    assert executed.cells[0].outputs[0].text == "{eval}`x`\n"


def test_every_role_of_a_text_is_found():
    found = sentences.ROLE.findall("{eval}`a` and {eval}`b['c']`, not `{eval}` nor {evaluate}`d`")
    assert found == ["a", "b['c']"]
