"""The states of explorers further down come when a reader comes near, or asks for one."""

import pytest
from checks import value_text, wait_until_ready
from playwright.sync_api import expect
from test_explorer_widget import waves, wells

from descent.publish import policy
from descent.publish.first_paint import lighter

pytestmark = pytest.mark.browser

FIRST, LATE = ".descent-explorer[data-name=waves]", ".descent-explorer[data-name=wells]"


@pytest.fixture
def place(tmp_path):
    far = "<div style='height:500vh'>far</div>"
    text = (
        "<!doctype html><html lang=en><head><meta charset=utf-8><title>Page</title></head><body>"
        f"{waves.html()}{far}{wells.html()}{far}<section id=end>End</section></body></html>"
    )
    page = tmp_path / "page.html"
    page.write_text(policy.with_policy(lighter(text, tmp_path / "explorers", "explorers")))
    return page


def opened(visit, place, fragment=""):
    page = visit(place)
    asked = []
    page.on("request", lambda request: asked.append(request.url.rpartition("/")[2]))
    page.goto("about:blank")
    page.goto(place.as_uri() + fragment)
    expect(page.locator(f"{FIRST} .descent-controls")).to_be_visible()
    return page, asked


def state(page):
    return [value_text(control) for control in page.locator(f"{LATE} [data-control]").all()]


def test_states_come_one_screen_ahead_and_once(visit, place):
    page, asked = opened(visit, place)
    page.wait_for_timeout(300)
    controls = page.locator(f"{LATE} .descent-controls")
    assert "wells.js" not in asked
    expect(controls).to_be_hidden()
    page.evaluate(
        """e => scrollTo(0, document.querySelector(e).offsetTop - 1.8 * innerHeight)""", LATE
    )
    expect(controls).to_have_js_property("hidden", False)
    assert page.locator(LATE).evaluate("e => e.getBoundingClientRect().top > innerHeight"), "ahead"
    for top in (0, 10_000):
        page.evaluate("top => scrollTo(0, top)", top)
        page.wait_for_timeout(100)
    assert asked.count("wells.js") == 1


@pytest.mark.parametrize("mark", ["?", "%3F", "%3f"])
def test_an_address_brings_its_state_at_once(visit, place, mark):
    page, _ = opened(visit, place, f"#wells{mark}T=0.1&start=0.5")
    expect(page.locator(f"{LATE} output").first).to_have_text("0.10")
    assert state(page) == ["0.10", "0.5"]
    assert 0 <= page.locator(LATE).evaluate("e => e.getBoundingClientRect().top") < 200


def test_a_link_within_the_page_brings_its_state(visit, place):
    page, _ = opened(visit, place)
    page.evaluate("location.hash = '#wells?T=0.05'")
    expect(page.locator(f"{LATE} output").first).to_have_text("0.05")


def test_states_that_are_not_there_are_missed_in_words(visit, place):
    (place.parent / "explorers" / "wells.js").unlink()
    page = visit(place)
    page.locator(LATE).scroll_into_view_if_needed()
    expect(page.locator(f"{LATE} .descent-error")).to_contain_text("explorers/wells.js")
    with pytest.raises(AssertionError, match="wells"):
        wait_until_ready(page)
    visit.troubles.clear()  # that the file is missing is said in the console, too


def test_a_reader_who_leaves_at_once_stays_where_the_link_led(visit, place):
    page, _ = opened(visit, place)
    page.locator(LATE).scroll_into_view_if_needed()
    slider = page.locator(f"{LATE} input").first
    slider.press("ArrowRight")
    page.evaluate("location.hash = '#end'")
    page.wait_for_timeout(1000)  # longer than it takes until a state is written
    assert page.url.endswith("#end")
    slider.press("ArrowRight")
    page.wait_for_url("**#wells?T=*")
    slider.press("ArrowLeft")
    page.evaluate("history.back()")
    page.wait_for_timeout(1000)
    assert page.url.endswith("#end")
