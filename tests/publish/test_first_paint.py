"""What a page loads before a reader sees it."""

import re

import pytest

from descent.explorer.page import scripts
from descent.figures import stylesheet
from descent.publish.first_paint import deferred, lighter, states_beside, styled_once

STYLE = f"<style>{stylesheet()}</style>"


def states(name):
    return scripts({"name": name, "texts": {}}, "front", "page")


def page(*names):
    figures = "".join(
        f"<figure id='figure-1' class='descent-explorer' data-name='{name}'>{STYLE}<b>{name}</b>"
        f"{states(name)}</figure>"
        f"<p>After {name}.</p>"
        for name in names
    )
    return f'<head><script src="a.js"></script></head><body>{figures}</body></html>'


def test_scripts_wait_for_the_page_but_for_the_one_that_is_asked_in_between():
    head = '<script src="documentation_options.js?v=1"></script><script src="a.js"></script>'
    preload = '<link rel="preload" as="script" href="a.js" />\n'
    lines = '<script>A.b = 1</script><script defer src="c.js"></script>'
    module = '<script type="module" src="d.js"></script>'
    assert deferred(preload + head + lines + module) == (
        head.replace('<script src="a', '<script defer src="a') + lines + module
    )


def test_the_scripts_of_the_search_keep_their_order():
    head = '<script src="a.js"></script><script src="_static/searchtools.js"></script>'
    assert deferred(head) == head


def test_the_style_of_pictures_is_told_once_before_them():
    light = styled_once(page("one", "two"))
    assert light.count(STYLE) == 1
    assert light.index(STYLE) < light.index("</head>")
    assert styled_once("<head></head>") == "<head></head>"


def test_the_states_of_all_explorers_but_the_first_lie_beside_the_page(tmp_path):
    folder = tmp_path / "_static" / "explorers"
    light = lighter(page("one", "two", "three"), folder, "../_static/explorers")
    order = re.findall(r"data-of='(\w+)'|(After \w+)", light)
    assert [a or b for a, b in order] == ["one", "After one", "After two", "After three"]
    assert re.findall(r"data-name='(\w+)'(?: data-states='([^']+)')?", light) == [
        ("one", ""),
        ("two", "../_static/explorers/two.js"),
        ("three", "../_static/explorers/three.js"),
    ]
    assert light.endswith("</script></body></html>")
    assert {path.name for path in folder.iterdir()} == {"two.js", "three.js"}
    for name in ("two", "three"):
        packed, front_end = re.findall(r"<script[^>]*>(.*?)</script>", states(name), re.S)
        kept = (folder / f"{name}.js").read_text(encoding="utf-8")
        assert packed in kept
        assert front_end in kept, "nothing is lost"


def test_a_page_with_one_explorer_stays_as_it_is(tmp_path):
    assert states_beside(page("one"), tmp_path, "explorers") == page("one")
    assert list(tmp_path.iterdir()) == []


def test_states_without_their_explorer_stop_the_build(tmp_path):
    lost = page("one", "two").replace("data-name='two'", "data-name='other'")
    with pytest.raises(ValueError, match="states of two"):
        states_beside(lost, tmp_path, "explorers")
