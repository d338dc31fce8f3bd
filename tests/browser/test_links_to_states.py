"""An address means one state of an explorer, and leaves the history of the reader as it was."""

import pytest
from checks import value_text, wait_until_ready
from test_explorer_widget import waves, wells

from descent import figures
from descent.explorer import explore

pytestmark = pytest.mark.browser

FIRST = ["0.01", "−1.5"]


def draw_dot(x, y):
    fig, ax = figures.figure()
    ax.plot([x], [y], "o")
    ax.set(xlim=(0, 5), ylim=(0, 5), xlabel="a", ylabel="b")
    return fig


called = explore(
    draw_dot,
    name="called",
    caption=lambda x, y: f"The dot is at {x}, {y}.",
    x=[1, 2, 3, 4],
    y=[1, 2, 3, 4],
    default={"x": 3, "y": 2},
)


@pytest.fixture
def place(tmp_path):
    path = tmp_path / "page.html"
    path.write_text(
        "<!doctype html><html lang=en><head><meta charset=utf-8><title>Page</title></head><body>"
        f"<div style='height:200vh'></div>{wells.html()}<div style='height:200vh'></div>"
        "<section id=exercises>Exercises</section><section id=called style='height:100vh'>"
        f"</section>{called.html()}</body></html>"
    )
    return path


def opened(visit, place, fragment=""):
    page = visit(place)
    page.goto("about:blank")
    page.goto(place.as_uri() + fragment)
    wait_until_ready(page)
    return page


def state(page, name="wells"):
    controls = page.locator(f"[data-name={name}] [data-control]").all()
    return [value_text(control) for control in controls]


def top(page, name="wells"):
    return page.locator(f"[data-name={name}]").evaluate("e => e.getBoundingClientRect().top")


@pytest.mark.parametrize("value", ["Infinity", "-Infinity", "1e999", "NaN", "x", "%20", "%E0%A4%A"])
def test_a_link_with_no_number_leaves_a_state_alone(visit, place, value):
    page = opened(visit, place, f"#called?y=4&x={value}")
    assert state(page, "called") == ["3", "4"]


def test_a_link_names_controls_and_nothing_that_objects_inherit(visit, place):
    page = opened(visit, place, "#wells?__proto__=1&toString=2&constructor=3&T=0.05")
    assert state(page) == ["0.05", "−1.5"]


def test_a_link_within_the_page_means_the_state_that_it_means_from_outside(visit, place):
    page = opened(visit, place, "#wells?T=0.1&start=0.5")
    page.evaluate("location.hash = '#wells?T=0.03'")
    page.locator("output", has_text="0.03").wait_for()
    assert state(page) == state(opened(visit, place, "#wells?T=0.03")) == ["0.03", "−1.5"]


@pytest.mark.parametrize("fragment", ["#wells", "#wells?"])
def test_a_name_alone_leads_to_its_explorer_as_it_first_stood(visit, place, fragment):
    page = opened(visit, place, "#wells?T=0.1&start=0.5")
    page.evaluate("scrollTo(0, 0)")
    page.evaluate(f"location.hash = '{fragment}'")
    page.locator("output", has_text="0.01").first.wait_for()
    assert state(page) == FIRST
    assert 0 <= top(page) < 200
    assert 0 <= top(opened(visit, place, fragment)) < 200


def test_a_section_that_is_called_as_an_explorer_is_found(visit, place):
    page = opened(visit, place, "#called?x=4")
    page.evaluate("location.hash = '#called'")
    page.wait_for_timeout(200)
    assert state(page, "called") == ["4", "2"]
    assert abs(page.locator("#called").evaluate("e => e.getBoundingClientRect().top")) < 1


def test_back_leads_to_the_section_that_was_read_before_a_link_to_a_state(visit, place):
    page = opened(visit, place)
    before = page.evaluate("history.length")
    slider = page.locator("[data-name=wells] input").first
    slider.press("ArrowRight")
    page.wait_for_url("**#wells?T=0.03&start=-1.5")
    assert page.evaluate("history.length") == before, "a page without a place of its own"
    page.evaluate("location.hash = '#exercises'")
    for value in ("0.05", "0.1"):  # one entry for all states after a section
        slider.press("ArrowRight")
        page.wait_for_url(f"**#wells?T={value}&start=-1.5")
    assert page.evaluate("history.length") == before + 2
    page.evaluate("history.back()")
    page.wait_for_url("**#exercises")
    assert page.locator("#exercises").evaluate("e => e.getBoundingClientRect().top") < 900
    page.evaluate("history.forward()")
    page.wait_for_url("**#wells?T=0.1&start=-1.5")
    assert state(page) == ["0.10", "−1.5"]


def test_the_play_stops_at_a_key_that_moves_its_slider(visit, tmp_path):
    path = tmp_path / "page.html"
    path.write_text(f"<!doctype html><meta charset=utf-8>{waves.html()}")
    page = visit(path)
    button, slider = page.locator(".descent-play"), page.locator("input")
    button.click()
    slider.focus()
    for key in ("Shift", "a", "Tab"):
        slider.press(key)
        assert button.get_attribute("data-playing") is not None, key
    slider.press("ArrowLeft")
    assert button.get_attribute("data-playing") is None
