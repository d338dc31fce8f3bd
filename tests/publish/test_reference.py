"""The reference has a page for each public part of the library, and chapters lead to it."""

import importlib
import inspect
import re

import pytest
import yaml

from descent.publish import paths, reference

PARTS = [name for parts in reference.PARTS.values() for name in parts]


def test_the_contents_list_every_part_in_its_order():
    contents = yaml.safe_load((paths.BOOK / "_toc.yml").read_text(encoding="utf-8"))
    (library,) = [
        chapter
        for part in contents["parts"]
        for chapter in part["chapters"]
        if chapter["file"] == "book/library"
    ]
    assert [s["file"] for s in library["sections"]] == [f"book/api/{name}" for name in PARTS]


@pytest.mark.parametrize("name", PARTS)
def test_a_page_has_every_public_name_of_its_part_once(name):
    page = reference.page(name)
    assert page.startswith(f"# descent.{name}\n")
    shown = re.findall(r"^\.\. (?:auto(?:class|function)|py:data):: (descent\.[\w.]+)", page, re.M)
    assert len(shown) == len(set(shown))
    assert shown
    face = importlib.import_module(f"descent.{name}")
    for public in getattr(face, "__all__", ()):
        value = getattr(face, public)
        if inspect.isclass(value) or inspect.isroutine(value):
            assert f"descent.{name}.{public}" in shown


def test_what_chapters_name_of_the_library_is_in_the_reference():
    """The names in code that end a chapter: each leads somewhere."""
    known = "\n".join(reference.page(name) for name in PARTS)
    for path in paths.notebooks():
        used = path.read_text(encoding="utf-8").rpartition("What we used")[2]
        assert used
        named = re.findall(rf"`((?:{'|'.join(PARTS)})\.\w+)`", used)
        missing = [name for name in named if not re.search(rf"descent\.{name}\b", known)]
        assert missing == [], path.stem


def test_a_name_that_is_a_link_already_or_unknown_stays():
    code = '<code class="docutils literal notranslate"><span class="pre">{}</span></code>'
    places = {"markov.escape_probability": "book/api/markov.html#descent.markov.escape_probability"}
    known, other = code.format("markov.escape_probability"), code.format("markov.nothing")
    linked = f'<a href="../{places["markov.escape_probability"]}">{known}</a>'
    assert reference.linked(f"{known} and {other}", places, "../") == f"{linked} and {other}"
    inside = f'<a href="x">{known}</a>'
    assert reference.linked(inside, places, "../") == inside
