"""The notebooks as their author meets them: what they hide, and what their sentences use."""

import ast
import re

import nbformat
import pytest

from descent.publish import paths
from descent.publish.fingerprint import code_cells, imported_names
from descent.publish.sentences import ROLE

MOST_HIDDEN = 0.15
CHAPTERS = paths.ROOT / "src" / "descent" / "chapters"


@pytest.fixture(params=paths.notebooks(), ids=lambda path: path.stem)
def notebook(request):
    return nbformat.read(request.param, as_version=4)


def lines(cell):
    return sum(1 for line in cell.source.splitlines() if line.strip())


def hidden_share(cells):
    """Return the share of the lines of code whose cells the page does not show."""
    code = [cell for cell in cells if cell.cell_type == "code"]
    away = {"remove-input", "remove-cell"}
    hidden = [cell for cell in code if away & set(cell.metadata.get("tags", []))]
    return sum(map(lines, hidden)) / sum(map(lines, code))


def test_little_code_is_hidden(notebook):
    assert hidden_share(notebook.cells) <= MOST_HIDDEN, (
        "sentences are Markdown with {eval} roles, tables come from the chapter's modules"
    )


def test_hidden_code_is_counted():
    cells = [nbformat.v4.new_code_cell("a = 1\n\nb = 2"), nbformat.v4.new_code_cell("c = 3")]
    cells[1].metadata["tags"] = ["remove-input"]
    assert hidden_share([*cells, nbformat.v4.new_markdown_cell("words")]) == 1 / 3


def test_no_sentence_is_built_of_strings(notebook):
    for code in code_cells(notebook):
        for node in ast.walk(ast.parse(code)):
            if isinstance(node, ast.Call) and ast.unparse(node.func) == "Markdown":
                assert isinstance(node.args[0], ast.Name | ast.Call), ast.unparse(node)[:100]


NEAR = re.compile(r"\{\s*eval\s*\}\s*`", re.IGNORECASE)


def test_no_role_is_misspelt(notebook):
    for cell in notebook.cells:
        if cell.cell_type == "markdown":
            assert len(NEAR.findall(cell.source)) == len(ROLE.findall(cell.source)), cell.source


def test_a_misspelt_role_is_noticed():
    assert all(NEAR.search(text) for text in ("{eval} `x`", "{ eval}`x`", "{Eval}`x`"))


def test_every_import_is_used_in_code_or_in_a_sentence(notebook):
    trees = [ast.parse(code) for code in code_cells(notebook)]
    texts = [cell.source for cell in notebook.cells if cell.cell_type == "markdown"]
    trees += [ast.parse(expression) for text in texts for expression in ROLE.findall(text)]
    imported, used = set(), set()
    for node in (node for tree in trees for node in ast.walk(tree)):
        if isinstance(node, ast.Import | ast.ImportFrom):
            imported |= {(alias.asname or alias.name).partition(".")[0] for alias in node.names}
        elif isinstance(node, ast.Name):
            used.add(node.id)
    assert imported - used == set()


def test_every_chapter_links_its_own_code(notebook):
    used = {name for code in code_cells(notebook) for name in imported_names(code)}
    folders = [f"descent.chapters.{folder.parent.name}" for folder in CHAPTERS.glob("*/numbers.py")]
    own = [name.rpartition(".")[2] for name in folders if name in used]
    linked = re.findall(r"\]\(\.\./src/descent/chapters/(\w+)/\w+\.py\)", notebook.cells[-1].source)
    assert set(linked) & set(own), "the last cell links the chapter's modules"
