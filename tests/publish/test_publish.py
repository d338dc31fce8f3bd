"""Making the book: what a stored run depends on, how failures are told, what pages may hold."""

import ast
import csv
import io
import itertools
import re
import runpy
import time
import tomllib
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import jinja2
import nbformat
import pytest
import yaml

from descent.publish import authored, execute, fingerprint, pages, paths, policy, render, site

SCRIPT = Path(__file__).parents[2] / "scripts" / "other_roundings.py"
SWITCHES = runpy.run_path(str(SCRIPT))["SWITCHES"]


def notebook(*codes):
    return nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(code) for code in codes])


@pytest.fixture
def checkout(tmp_path, monkeypatch):
    """Return a small checkout with a library of three modules and a chapter that uses two."""
    source = tmp_path / "src" / "descent"
    source.mkdir(parents=True)
    (source / "__init__.py").write_text("")
    (source / "used.py").write_text("from descent.beneath import x\n")
    (source / "beneath.py").write_text("x = 1\n")
    (source / "apart.py").write_text("x = 2\n")
    (source / "style.css").write_text("")
    (tmp_path / "requirements.lock").write_text("numpy==1\n")
    (tmp_path / "book" / "claims").mkdir(parents=True)
    (tmp_path / "book" / "claims" / "01-a.yml").write_text("")
    (tmp_path / "notebooks").mkdir()
    nbformat.write(notebook("print('ran')"), tmp_path / "notebooks" / "01-a.ipynb")
    for name, place in [
        ("ROOT", tmp_path),
        ("EXECUTED", tmp_path / "book" / "_build" / "executed"),
        ("NOTEBOOKS", tmp_path / "notebooks"),
    ]:
        monkeypatch.setattr(paths, name, place)
    return tmp_path


def name_of(checkout, code="from descent import used"):
    return fingerprint.fingerprint(notebook(code), "01-a", checkout)


@pytest.mark.parametrize(
    "changed",
    [
        "src/descent/used.py",
        "src/descent/beneath.py",
        "src/descent/__init__.py",
        "src/descent/style.css",
        "requirements.lock",
        "book/claims/01-a.yml",
    ],
)
def test_a_change_in_what_a_run_may_depend_on_renames_it(checkout, changed):
    before = name_of(checkout)
    (checkout / changed).write_text("# other\n")
    assert name_of(checkout) != before


@pytest.mark.parametrize("setting", sorted(SWITCHES | {"DESCENT_THREADS"}))
def test_a_run_of_one_rounding_is_none_of_another(checkout, monkeypatch, setting):
    monkeypatch.delenv(setting, raising=False)
    before = name_of(checkout)
    monkeypatch.setenv(setting, "other")
    assert name_of(checkout) != before


def test_the_answers_to_a_chapters_exercises_count(checkout):
    answers = checkout / "src" / "descent" / "chapters" / "a" / "exercises.py"
    answers.parent.mkdir(parents=True)
    answers.write_text("x = 1\n")
    asked = checkout / "book" / "exercises" / "01-a.yml"
    without = name_of(checkout)
    asked.parent.mkdir()
    asked.write_text("- number: 1\n")
    before = name_of(checkout)
    assert before != without
    answers.write_text("x = 2\n")
    changed = name_of(checkout)
    assert changed != before
    asked.write_text("- number: 2\n")
    assert name_of(checkout) not in (changed, before)


def test_a_table_counts_where_the_code_names_it(checkout):
    table = checkout / "book" / "sweeps" / "01-a-table.jsonl"
    table.parent.mkdir()
    code = "from descent import used\nload('01-a-table')"
    before, without = name_of(checkout, code), name_of(checkout)
    table.write_text("{}\n")
    assert name_of(checkout, code) != before
    assert name_of(checkout) == without
    (checkout / "src" / "descent" / "beneath.py").write_text("NAME = '01-a-table'\n")
    named = name_of(checkout)
    table.write_text("[]\n")
    assert name_of(checkout) != named


def test_a_change_elsewhere_does_not(checkout):
    before = name_of(checkout)
    (checkout / "src" / "descent" / "apart.py").write_text("x = 3\n")
    assert name_of(checkout) == before
    assert name_of(checkout, "import descent.apart") != before


@pytest.mark.parametrize(
    ("code", "named"),
    [
        ("from .apart import x", False),
        ("from . import apart", False),
        ("def late():\n    from .apart import x", False),
        ("import importlib\nimportlib.import_module('descent.apart')", True),
        ("place = 'descent.apartment'", None),
    ],
)
def test_relative_and_dynamic_imports_count(checkout, code, named):
    (checkout / "src" / "descent" / "beneath.py").write_text(code)
    before = name_of(checkout)
    cell = f"from descent import used\n{code}"
    in_cell = name_of(checkout, cell)
    (checkout / "src" / "descent" / "apart.py").write_text("x = 3\n")
    assert (name_of(checkout) != before) is (named is not None)
    (checkout / "src" / "descent" / "beneath.py").write_text("")
    apart = name_of(checkout, cell)
    (checkout / "src" / "descent" / "apart.py").write_text("x = 4\n")
    assert (name_of(checkout, cell) != apart) is bool(named)
    assert in_cell != before


def test_a_relative_import_is_relative_to_its_folder(checkout):
    folder = checkout / "src" / "descent" / "inner"
    folder.mkdir()
    (folder / "__init__.py").write_text("from .. import apart\nfrom .one import x\n")
    (folder / "one.py").write_text("x = 1\n")
    for place in (folder / "one.py", checkout / "src" / "descent" / "apart.py"):
        before = name_of(checkout, "from descent import inner")
        place.write_text("x = 'other'\n")
        assert name_of(checkout, "from descent import inner") != before


@pytest.mark.parametrize(
    "place", ["notebooks/data.csv", "notebooks/of/one.py", "src/descent/t.yaml"]
)
def test_data_beside_the_notebooks_and_in_the_library_count(checkout, place):
    before = name_of(checkout)
    (checkout / place).parent.mkdir(exist_ok=True)
    (checkout / place).write_text("1\n")
    with_one = name_of(checkout)
    (checkout / place).write_text("2\n")
    assert len({before, with_one, name_of(checkout)}) == 3


@pytest.mark.parametrize(
    "place",
    ["notebooks/02-b.ipynb", "notebooks/.ipynb_checkpoints/x.csv", "src/descent/__pycache__/x.pyc"],
)
def test_other_notebooks_and_what_python_leaves_do_not(checkout, place):
    before = name_of(checkout)
    (checkout / place).parent.mkdir(exist_ok=True)
    (checkout / place).write_text("1\n")
    assert name_of(checkout) == before


def text_of(*cells):
    new = nbformat.v4
    made = [new.new_code_cell(c[1:]) if c[0] == ">" else new.new_markdown_cell(c) for c in cells]
    return new.new_notebook(cells=made)


RUN = (">x = 2\nprint(x)", "Two is {eval}`str(x)`, and", ">x += 1", "three is {eval}`str(x)`.")


@pytest.mark.parametrize(
    ("cells", "stands"),
    [
        (RUN, True),
        ((RUN[0], "# Heading", "So {eval}`str(x)` it is.", RUN[2], "{eval}`str(x)`"), True),
        ((RUN[0], RUN[2], RUN[1], RUN[3]), False),
        ((RUN[0], "Two is {eval}`str(x + 0)`, and", *RUN[2:]), False),
        ((RUN[0], "Two, and", *RUN[2:]), False),
        ((RUN[0] + " ", *RUN[1:]), False),
    ],
)
def test_words_are_put_around_what_was_computed(checkout, capfd, cells, stands):
    path = checkout / "notebooks" / "01-a.ipynb"
    nbformat.write(text_of(*RUN), path)
    execute.execute(path)
    nbformat.write(text_of(*cells), path)
    run = execute.execute(path)
    assert capfd.readouterr().out.count("executing") == (1 if stands else 2)
    (paths.EXECUTED / path.name).unlink()
    afresh = execute.execute(path)
    for cell, anew in zip(run.cells, afresh.cells, strict=True):
        assert cell.source == anew.source
        assert cell.get("outputs") == anew.get("outputs")
        assert cell.get("execution_count") == anew.get("execution_count")
    assert run.metadata.descent.texts == afresh.metadata.descent.texts
    assert "descent" not in nbformat.read(path, as_version=4).metadata


def test_a_run_can_be_forced(checkout, capfd):
    path = checkout / "notebooks" / "01-a.ipynb"
    nbformat.write(notebook("import time\nprint(time.time())"), path)
    first = execute.execute(path).cells[0].outputs[0].text
    assert execute.execute(path).cells[0].outputs[0].text == first
    execute.forget("01-*")
    assert execute.execute(path).cells[0].outputs[0].text != first
    with pytest.raises(execute.NotebookFailed, match="FORCE=7-none matches no notebook"):
        execute.forget("7-none")


def test_imports_are_followed_whatever_their_form():
    code = "import descent.a\nfrom descent.b import c\nfrom descent import d as e\nimport numpy"
    assert {"descent.a", "descent.b", "descent.b.c", "descent.d"} <= set(
        fingerprint.imported_names(code)
    )


def test_threads_parse_one_after_another(monkeypatch):
    """Python 3.11 may raise a SystemError in a parse during which another thread parses."""
    parse, parsing, together = ast.parse, [], []

    def slow_parse(code):
        parsing.append(code)
        time.sleep(0.01)
        together.append(len(parsing))
        parsing.pop()
        return parse(code)

    with monkeypatch.context() as patched, ThreadPoolExecutor(4) as pool:
        patched.setattr(authored.ast, "parse", slow_parse)
        codes = [f"import descent.a  # {number}" for number in range(8)]
        runs = [pool.submit(fingerprint.imported_names, code) for code in codes]
        assert all(run.result() == ("descent.a",) for run in runs)
    assert together == [1] * 8


def test_the_library_has_no_import_that_the_fingerprint_misses():
    """A name that is put together while the code runs is not found, so chapters have none.

    That of a chapter's answers is given to the fingerprint by itself, and no chapter imports the
    press.
    """
    for path in (paths.ROOT / "src").rglob("*.py"):
        # One that stands there as it is, and is no module of the library, is no matter.
        code = re.sub(r'import_module\("(?!descent)\w+"\)', "", path.read_text())
        if "import_module" in code:
            assert path.parent.name in ("exercises", "explorer", "sweeps", "commands", "publish"), (
                path
            )


def test_a_notebook_runs_once_while_nothing_changes(checkout, capfd):
    path = checkout / "notebooks" / "01-a.ipynb"
    first = execute.execute(path)
    assert first.cells[0].outputs[0].text == "ran\n"
    assert first.metadata.descent.seconds > 0
    assert execute.execute(path) == first
    assert capfd.readouterr().out.count("executing") == 1


def test_kernels_render_statically_whoever_asks_for_the_run(checkout, monkeypatch):
    monkeypatch.delenv("DESCENT_RENDER", raising=False)
    path = checkout / "notebooks" / "01-a.ipynb"
    nbformat.write(notebook("import os\nprint(os.environ['DESCENT_RENDER'])"), path)
    assert execute.execute(path).cells[0].outputs[0].text == "static\n"


def test_half_a_stored_run_is_not_believed(checkout):
    path = checkout / "notebooks" / "01-a.ipynb"
    execute.execute(path)
    stored = paths.EXECUTED / "01-a.ipynb"
    text = stored.read_text()
    stored.write_text(text[: len(text) // 2])
    assert execute.stored(path) is None


@pytest.mark.parametrize(
    ("code", "message"),
    [
        (
            "a = 1\n1 / 0",
            r"01-a\.ipynb: cell 2 failed in line 2: ZeroDivisionError",
        ),
        ("import warnings\nwarnings.warn('mind')", "cell 2 failed: the cell wrote to stderr"),
        ("import os\nos._exit(1)", r"01-a\.ipynb: stopped in cell 2"),
    ],
)
def test_a_failing_cell_is_named_with_its_error(checkout, code, message):
    path = checkout / "notebooks" / "01-a.ipynb"
    nbformat.write(notebook("x = 0", code), path)
    with pytest.raises(execute.NotebookFailed, match=message) as failure:
        execute.execute_all([path])
    if "os._exit" not in code:
        assert code in str(failure.value)
    assert not (paths.EXECUTED / path.name).exists()


def test_a_planted_wrong_claim_makes_the_run_fail(checkout, monkeypatch):
    (checkout / "book" / "claims" / "01-a.yml").write_text(
        yaml.safe_dump(
            [
                {
                    "id": "planted",
                    "source": {"document": "003", "section": "nowhere"},
                    "statement": "Two and two are four.",
                    "stated": "4",
                    "expected": 4,
                    "tolerance": 1.0e-9,
                    "verdict": "reproduced",
                    "why": "Arithmetic.",
                }
            ]
        )
    )
    monkeypatch.setenv("DESCENT_CLAIMS", str(checkout / "book" / "claims"))
    path = checkout / "notebooks" / "01-a.ipynb"
    cell = "from descent import claims\nx = 2\nclaims.check('planted', x + {})"
    nbformat.write(notebook(cell.format(2)), path)
    (run,) = execute.execute_all([path]).values()
    assert [value for _, _, value in pages.checked_claims({"01-a": run})] == [4.0]
    (row,) = csv.DictReader(io.StringIO(pages.claims_csv({"01-a": run})))
    assert (row["id"], row["chapter"], row["why"]) == ("planted", "01-a", "Arithmetic.")
    assert float(row["expected"]) == float(row["computed"]) == 4
    nbformat.write(notebook(cell.format(3)), path)
    with pytest.raises(execute.NotebookFailed, match=r"computed 5\.0, expected 4\.0"):
        execute.execute_all([path])


PAGE = policy.with_policy('<html><head></head><body><h1 id="top">x</h1>{}</body></html>')


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ('<script src="https://example.org/x.js"></script>', "loads https://example.org/x.js"),
        ('<img src="//example.org/x.png">', "loads //example.org/x.png"),
        ('<link rel="stylesheet" href="https://example.org/x.css">', "loads https"),
        ('<p style="background: url(https://example.org/x.png)">', "loads https"),
        ("<style>@import 'https://example.org/x.css';</style>", "loads https"),
        ('<img srcset="https://example.org/x.png 2x">', "loads https"),
        ('<video poster="https://example.org/x.png"></video>', "loads https"),
        ('<svg><image xlink:href="https://example.org/x.png"/></svg>', "loads https"),
        ('<body background="https://example.org/x.png">', "loads https"),
        ('<link rel="preconnect" href="https://example.org">', "loads https"),
        ('<script>s.src = "https://example.org/x.js"</script>', "loads https://example.org/x.js"),
        ('<script type="module">import "https://example.org/x.js"</script>', "loads https"),
        (
            '<meta http-equiv="refresh" content="0; url=https://example.org/x">',
            "loads https://example.org/x",
        ),
        (
            '<div class="cell"><div class="cell_input">chart\n2</div><img src="//a.org/x"></div>',
            "loads //a.org/x, in the cell that begins 'chart'",
        ),
        ('<a href="missing.html">x</a>', "missing.html leads nowhere"),
        ('<a href="#missing">x</a>', "#missing has no such anchor"),
        ('<img src="missing.png">', "missing.png leads nowhere"),
        ("<td>as [chapter 2](../notebooks/02-b.ipynb) says", "](../notebooks/02-b.ipynb) stands"),
        ("<td>the {term}`pit`</td>", "{term}`pit` stands there"),
        ("x" * (site.PAGE_BYTES + 1), f"more than {site.PAGE_BYTES}"),
    ],
)
def test_a_planted_fault_in_a_page_is_found(tmp_path, body, message):
    (tmp_path / "index.html").write_text(PAGE.format(body))
    (complaint,) = site.complaints(tmp_path)
    assert message in complaint


def test_sound_pages_and_links_to_other_hosts_pass(tmp_path):
    body = '<a href="#top">x</a><a href="two.html#top">y</a><a href="https://example.org">z</a>'
    (tmp_path / "index.html").write_text(PAGE.format(body))
    (tmp_path / "two.html").write_text(PAGE.format('<img src="data:image/png;base64,">'))
    assert site.complaints(tmp_path) == []


@pytest.mark.parametrize(
    "body",
    [
        '<form action="https://example.org"></form>',
        '<link rel="canonical" href="https://example.org/x.html">',
        '<p cite="https://example.org" title="//x.org">"https://example.org"</p>',
        '<script type="application/ld+json">{"@id": "https://example.org"}</script>',
        '<svg xmlns="http://www.w3.org/2000/svg"></svg>',
        '<script>const SVG = "http://www.w3.org/2000/svg"; // as https://example.org does</script>',
        '<meta property="og:image" content="https://example.org/x.png">',
    ],
)
def test_what_only_names_another_host_asks_it_nothing(tmp_path, body):
    (tmp_path / "index.html").write_text(PAGE.format(body))
    assert site.complaints(tmp_path) == []


def test_a_page_without_its_policy_is_a_complaint(tmp_path):
    (tmp_path / "index.html").write_text("<html><head></head><body>x</body></html>")
    assert "load nothing from other hosts" in site.complaints(tmp_path)[0]


def test_no_pages_is_a_complaint(tmp_path):
    assert "no pages" in site.complaints(tmp_path)[0]


def test_a_page_that_asks_for_an_unknown_value_is_an_error():
    with pytest.raises(jinja2.UndefinedError, match="no_such_thing"):
        pages.render("{{ no_such_thing }}", pages.generated({}, paths.BOOK / "chapters.yml"))


@pytest.mark.parametrize(
    ("origin", "launches"),
    [("https://github.com/o/r", {"binderhub_url", "colab_url"}), (None, None)],
)
def test_launch_links_appear_when_readers_can_reach_the_repository(origin, launches):
    text = (paths.BOOK / "_config.yml").read_text()
    config = yaml.safe_load(render.configuration(text, origin))
    if launches is None:
        assert "launch_buttons" not in config
        assert "repository" not in config
    else:
        assert set(config["launch_buttons"]) == launches
        assert config["repository"]["url"] == origin
        assert config["sphinx"]["recursive_update"], "else the theme's options replace the links"


@pytest.mark.parametrize(
    ("origin", "public"),
    [
        ("git@github.com:o/r.git", "https://github.com/o/r"),
        ("https://gitlab.com/o/r.git", "https://gitlab.com/o/r"),
        ("/srv/git/r.git", None),
    ],
)
def test_public_repository_is_read_from_the_origin(tmp_path, monkeypatch, origin, public):
    (tmp_path / ".git").mkdir()
    (tmp_path / ".git" / "HEAD").write_text("ref: refs/heads/main\n")
    (tmp_path / ".git" / "objects").mkdir()
    (tmp_path / ".git" / "refs").mkdir()
    (tmp_path / ".git" / "config").write_text(f'[remote "origin"]\n\turl = {origin}\n')
    monkeypatch.setattr(paths, "ROOT", tmp_path)
    assert render.public_repository() == public


# What the checkout itself promises.


def requirement_names(texts):
    return {
        re.split(r"[\s<>=!;\[]", text.lower(), maxsplit=1)[0].replace("_", "-") for text in texts
    }


def project():
    return tomllib.loads((paths.ROOT / "pyproject.toml").read_text())["project"]


def test_every_dependency_is_pinned_in_the_lock_file():
    extras = project()["optional-dependencies"].values()
    wanted = [*project()["dependencies"], *itertools.chain.from_iterable(extras)]
    lines = (paths.ROOT / "requirements.lock").read_text().splitlines()
    pins = [line for line in lines if line and not line.startswith(("#", " "))]
    assert all("==" in pin for pin in pins)
    assert requirement_names(wanted) - {project()["name"]} <= requirement_names(pins)


def test_every_chapter_is_in_the_table_of_contents_and_the_map():
    toc = (paths.BOOK / "_toc.yml").read_text()
    entries = yaml.safe_load((paths.BOOK / "chapters.yml").read_text())
    listed = [entry["file"] for entry in entries]
    assert [entry.get("closing", False) for entry in entries] == [False] * 12 + [True]
    built = [path.stem for path in paths.notebooks()]
    assert re.findall(r"file: notebooks/(\S+)", toc) == built
    assert [name for name in listed if name in built] == built


@pytest.mark.parametrize("path", paths.notebooks(), ids=lambda path: path.stem)
def test_notebooks_are_stored_without_outputs(path):
    stored = nbformat.read(path, as_version=4)
    for cell in stored.cells:
        if cell.cell_type == "code":
            assert cell.outputs == []
            assert cell.execution_count is None
    assert "descent" not in stored.metadata
