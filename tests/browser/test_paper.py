"""What goes to paper is drawn as in the light, whatever theme is on the screen."""

import pytest
from playwright.sync_api import expect
from test_explorer_widget import contrast
from test_pages import CHAPTERS, DESKTOP, settled

pytestmark = pytest.mark.browser

INKS = """() => {
  const brush = document.createElement("canvas").getContext("2d", {willReadFrequently: true});
  const rgb = colour => { brush.fillStyle = colour; brush.fillRect(0, 0, 1, 1);
    return [...brush.getImageData(0, 0, 1, 1).data].slice(0, 3).join(); };
  const inks = (selector, property) => [...document.querySelectorAll(selector)]
    .map(e => rgb(getComputedStyle(e)[property]));
  const all = {
    body: inks("body", "color"), prose: inks("article p", "color"),
    caption: inks("figcaption", "color"), drawing: inks(".descent-tile text", "fill"),
    code: inks("div.highlight pre, div.highlight pre span", "color"),
  };
  for (const name in all) all[name] = [...new Set(all[name])];
  return all;
}"""
CANVASES = (
    """() => [...document.querySelectorAll(".descent-tile > canvas")].map(e => e.toDataURL())"""
)


def faint(page):
    """Return the kinds of text of a page of which some would hardly be seen on white paper."""
    inks = page.evaluate(INKS)
    assert all(inks.values()), inks
    return {
        kind
        for kind, found in inks.items()
        for ink in found
        if contrast([int(part) for part in ink.split(",")], [255, 255, 255]) < 4.5
    }


@pytest.mark.parametrize("name", [CHAPTERS[0], CHAPTERS[6]])
@pytest.mark.parametrize("chosen", [False, True], ids=["of the system", "of the reader"])
def test_dark_pages_are_printed_light(visit, site, name, chosen):
    system = "light" if chosen else "dark"
    model = settled(visit(site / f"{name}.html", viewport=DESKTOP, color_scheme="light"))
    model.emulate_media(media="print")
    page = settled(visit(site / f"{name}.html", viewport=DESKTOP, color_scheme=system))
    if chosen:
        page.evaluate("for (const key of ['mode', 'theme']) localStorage.setItem(key, 'dark')")
        page.reload()
        settled(page)
    html = page.locator("html")
    expect(html).to_have_attribute("data-theme", "dark")
    assert {"body", "prose", "drawing", "code"} <= faint(page), "as it is on the screen"
    dark = page.evaluate(CANVASES)
    page.emulate_media(media="print")
    expect(html).to_have_attribute("data-theme", "light")
    assert faint(page) == set()
    for one in (model, page):
        one.wait_for_timeout(300)  # pictures are drawn anew where paper has another width
    light = page.evaluate(CANVASES)
    assert light == model.evaluate(CANVASES)
    assert all(ours != theirs for ours, theirs in zip(light, dark, strict=True))
    page.emulate_media(media="screen")
    expect(html).to_have_attribute("data-theme", "dark")
    page.wait_for_timeout(300)
    assert page.evaluate(CANVASES) == dark


def test_the_theme_is_light_when_printing_begins_and_goes_back(visit, site):
    """In a print of the browser's own; a page that is light already stays so."""
    for theme in ("dark", "light"):
        page = settled(visit(site / f"{CHAPTERS[0]}.html", color_scheme=theme))
        page.evaluate(
            """() => { window.seen = []; for (const kind of ["beforeprint", "afterprint"])
              addEventListener(kind, () => seen.push(document.documentElement.dataset.theme)); }"""
        )
        page.pdf()
        expect(page.locator("html")).to_have_attribute("data-theme", theme)
        assert page.evaluate("seen") == ["light", theme]
